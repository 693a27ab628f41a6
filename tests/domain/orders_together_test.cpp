// Orders that are placed and sent together: each as alone, and none takes another with it.
#include <gtest/gtest.h>

#include "domain/together.hpp"

namespace bottega::test {
namespace orders_together_test {

using namespace std::chrono_literals;
using orders::Order, orders::State, payouts::Shipped;

class OrdersTogether : public ::testing::Test {
 protected:
  std::vector<conversations::Event> log_of(const Shop& shop) {
    return world_.transact([&](Tx& tx) {
      return conversations::log_of(tx, shop.merchant, shop.conversation, 0, 1'000);
    });
  }
  // What the job of many that are due does, with the jobs that it wants.
  void cancel_each(const std::vector<Order>& all) {
    jobs::Job job;
    job.arguments["orders"] = Json::array();
    for (const auto& order : all) job.arguments["orders"].push_back(text_of(order.id));
    run(orders::cancel_each(world_.db, job));
    world_.run_jobs();
  }
  std::vector<std::string> all_said(const std::vector<payouts::Sending>& asked) {
    std::vector<std::string> words;
    for (const auto& outcome : ship(world_, asked)) words.push_back(said(outcome));
    return words;
  }
  std::vector<std::string> said_alone(const std::vector<payouts::Sending>& asked) {
    std::vector<std::string> words;
    for (const auto& one : asked) words.push_back(all_said({one}).front());
    return words;
  }

  World world_;
  Shop shop_ = world_.shop(), other_ = beside(world_, shop_), far_ = world_.shop();
};

TEST_F(OrdersTogether, AreWhatIsKeptAndWhatTheirCardsShow) {
  const auto before = std::to_string(world_.last_seq(shop_));
  ASSERT_EQ(before, "0");
  const auto placed = place(
      world_, {sale_of(shop_), sale_of(far_), sale_of(other_), sale_of(shop_, 3), sale_of(shop_)});
  ASSERT_EQ(placed.size(), 5u);
  for (const auto& order : placed) {
    EXPECT_EQ(to_json(now(world_, order)), to_json(order));
    EXPECT_EQ(orders::number_of(order.id), order.number);
  }
  EXPECT_EQ(world_.transact([&](Tx& tx) { return identity::merchant_of(tx, placed[1].id.uuid); }),
            far_.merchant);
  const auto events = log_of(shop_);
  ASSERT_EQ(events.size(), 3u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& order = placed[std::array<std::size_t, 3>{0, 3, 4}.at(i)];
    EXPECT_EQ(events[i].event, "order.created");
    EXPECT_EQ(events[i].data["order"]["id"], text_of(order.id));
    EXPECT_EQ(events[i].data["order"]["card_seq"], events[i].seq);
    EXPECT_FALSE(events[i].data["order"].contains("ship_to"));
    EXPECT_EQ(order.card_seq, events[i].seq);
  }
}

TEST_F(OrdersTogether, AreAsWhatIsPlacedAlone) {
  const auto sale = sale_of(shop_, 2);
  const auto alone =
      world_.transact([&](Tx& tx) { return orders::place(tx, sale, std::chrono::days(7)); });
  auto again = sale_of(other_, 2);
  again.payment_id = orders::PaymentId::make();
  const auto together = place(world_, {again, sale_of(other_)}).front();
  auto one = to_json(alone), two = to_json(together);
  for (auto* order : {&one, &two})
    for (const auto* name :
         {"id", "number", "conversation_id", "buyer_id", "payment_id", "created_at", "ship_by"})
      order->erase(name);
  EXPECT_EQ(two, one);
}

TEST_F(OrdersTogether, AreTriedAgainWhereTheShopHasGivenOutTheNumber) {
  execute(world_.urls.superuser, R"(
      SET search_path = bottega;
      CREATE SEQUENCE turns; GRANT USAGE ON turns TO bottega_app;
      CREATE FUNCTION take_a_number() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('bottega.turns') <= 3 THEN NEW.number := '0000-0000'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER take_a_number BEFORE INSERT ON orders
        FOR EACH ROW EXECUTE FUNCTION take_a_number();)");
  const auto placed = place(world_, {sale_of(shop_), sale_of(shop_), sale_of(shop_)});
  const auto events = log_of(shop_);
  ASSERT_EQ(events.size(), 3u);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    EXPECT_EQ(now(world_, placed[i]).card_seq, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(events[i].data["order"]["id"], text_of(placed[i].id));
  }
}

TEST_F(OrdersTogether, HaveOneJobThatCancelsWhatIsStillToBeSent) {
  place(world_, {sale_of(shop_), sale_of(shop_), sale_of(far_)});
  EXPECT_EQ(jobs_of(world_, orders::kCancelManyJob), "1");
  EXPECT_EQ(jobs_of(world_, orders::kCancelJob), "0");
  const auto late = world_.sell(shop_), sent = world_.sell(far_), given_up = world_.sell(shop_);
  const auto part = sell_pieces(world_, shop_, {{3, 500}});
  world_.ship(far_, sent);
  world_.cancel(shop_, given_up);
  send_part(world_, shop_, part, 0, 1);
  cancel_each({late, sent, given_up, part});
  EXPECT_EQ(now(world_, late).state, State::cancelled);
  EXPECT_EQ(now(world_, late).reason, "not sent in time");
  EXPECT_EQ(now(world_, sent).state, State::shipped);
  EXPECT_EQ(now(world_, given_up).reason, "sold out");
  EXPECT_EQ(now(world_, part).state, State::shipped) << "its rest was given back";
  cancel_each({late, sent, given_up, part});
  EXPECT_EQ(count_of(world_, "refunds", late), "1");
}

TEST_F(OrdersTogether, AreSentEachByItsOwnRight) {
  const auto placed = place(world_, {sale_of(shop_), sale_of(other_), sale_of(far_), sale_of(shop_),
                                     sale_of(shop_), sale_of(shop_)});
  const auto agent = world_.member(shop_, identity::Role::agent);
  const auto outcomes =
      ship(world_, {sending(shop_.owner, placed[0].id), sending(agent, placed[1].id),
                    sending(shop_.owner, placed[2].id), sending(shop_.buyer, placed[3].id),
                    sending(shop_.owner, orders::OrderId::make()),
                    sending(world_.key_with(shop_, identity::Scope::orders), placed[4].id),
                    sending(world_.key_with(shop_, identity::Scope::read), placed[5].id),
                    sending(world_.key_with(far_, identity::Scope::orders), placed[5].id)});
  const std::vector<std::string> expected = {"shipped all", "shipped all", "not_found",
                                             "not_found",   "not_found",   "shipped all",
                                             "forbidden",   "not_found"};
  std::vector<std::string> found;
  for (const auto& outcome : outcomes) found.push_back(said(outcome));
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(std::get<Shipped>(outcomes[0]).payout);
  EXPECT_FALSE(std::get<Shipped>(outcomes[1]).payout) << "agents do not see payouts";
  EXPECT_FALSE(std::get<Shipped>(outcomes[5]).payout) << "nor does a key that may not read";
  for (const std::size_t unsent : {2u, 3u, 5u})
    EXPECT_EQ(now(world_, placed[unsent]).state, State::paid);
  for (const std::size_t sent : {0u, 1u, 4u}) {
    EXPECT_EQ(count_of(world_, "payouts", placed[sent]), "1");
    EXPECT_EQ(count_of(world_, "shipments", placed[sent]), "1");
  }
  EXPECT_EQ(to_json(now(world_, placed[0])), to_json(std::get<Shipped>(outcomes[0]).order));
}

// The same again, each in a transaction of its own.
TEST_F(OrdersTogether, AreSentAsOneAfterTheOther) {
  const auto asks = [&](const Shop& shop) {
    const auto placed =
        place(world_, {sale_of(shop, 3), sale_of(shop), sale_of(shop, 2), sale_of(shop)});
    const auto one = [&](std::size_t i, const Json& body) {
      return sending(shop.owner, placed[i].id, body);
    };
    const auto pieces = [](std::int64_t count) -> Json {
      return {{"carrier", "other"}, {"lines", {{{"line", 0}, {"quantity", count}}}}};
    };
    const Json usps = {{"carrier", "USPS"}, {"tracking_number", "9400111899223197428490"}};
    return std::vector{one(0, pieces(1)), one(1, usps),      one(0, pieces(3)), one(1, usps),
                       one(0, pieces(2)), one(2, pieces(3)), one(0, usps),      one(3, usps)};
  };
  const auto alone = asks(shop_), together = asks(far_);
  const std::vector<std::string> expected = {"paid partial", "shipped all", "invalid",
                                             "conflict",     "shipped all", "invalid",
                                             "conflict",     "shipped all"};
  EXPECT_EQ(said_alone(alone), expected);
  EXPECT_EQ(all_said(together), expected);
  for (const auto place : {0u, 1u, 2u, 3u}) {
    const std::array<std::size_t, 4> firsts = {0, 1, 5, 7};
    const auto shown = [&](const Shop& shop, const std::vector<payouts::Sending>& asked) {
      return told(world_, shop, world_.transact([&](Tx& tx) {
        return orders::lock(tx, shop.merchant, asked[firsts.at(place)].order);
      }));
    };
    EXPECT_EQ(shown(far_, together), shown(shop_, alone));
  }
  EXPECT_EQ(world_.last_seq(far_), world_.last_seq(shop_));
}

TEST_F(OrdersTogether, HaveOneJobThatPaysWhatIsDue) {
  std::vector<payouts::Sending> asked;
  std::vector<Order> sold;
  for (int i = 0; i < 3; ++i) {
    sold.push_back(world_.sell(shop_, 5'000));
    asked.push_back(sending(shop_.owner, sold.back().id));
  }
  const auto about = payouts::BatchId::make().uuid;
  world_.transact([&](Tx& tx) {
    payouts::hold(tx, shop_.merchant, sold[2].id, {payouts::Cause::risk, about}, "it is odd");
  });
  std::vector<payouts::Payout> all;
  for (const auto& outcome : ship(world_, asked))
    all.push_back(std::get<Shipped>(outcome).payout.value());
  EXPECT_EQ(all[2].state, payouts::State::held);
  EXPECT_EQ(all[2].reason, "it is odd");
  EXPECT_EQ(jobs_of(world_, payouts::kPayManyJob), "1");
  EXPECT_EQ(jobs_of(world_, payouts::kPayJob), "0");
  const auto state = [&](std::size_t i) {
    return world_.transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, all[i].id); })
        .state;
  };
  world_.advance(std::chrono::ceil<std::chrono::seconds>(all[0].due_at - world_.clock.now()));
  world_.run_jobs();
  EXPECT_EQ(state(0), payouts::State::paid);
  EXPECT_EQ(state(1), payouts::State::paid);
  EXPECT_EQ(state(2), payouts::State::held);
  world_.transact([&](Tx& tx) {
    payouts::lift(tx, shop_.merchant, sold[2].id, {payouts::Cause::risk, about});
  });
  world_.run_jobs();
  EXPECT_EQ(state(2), payouts::State::paid);
  EXPECT_EQ(jobs_of(world_, payouts::kPayManyJob), "0");
  const auto books = world_.trial_balance();
  EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
}

TEST_F(OrdersTogether, AreNoneWhereNothingIsAsked) {
  EXPECT_TRUE(place(world_, {}).empty());
  EXPECT_TRUE(ship(world_, {}).empty());
}

}  // namespace orders_together_test
}  // namespace bottega::test
