// What the conversation shows of a sale: one entry for every change, in order and without a gap.
#include <gtest/gtest.h>

#include <functional>

#include "support/world.hpp"

namespace bottega::test {
namespace requests_entries_test {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

class Entries : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }

  static std::vector<conversations::Event> log_of(const Shop& shop) {
    return world_->transact([&](Tx& tx) {
      return conversations::log_of(tx, shop.merchant, shop.conversation, 0, 1'000);
    });
  }
  static void settle_everything() {
    world_->deliver_webhooks();
    world_->run_jobs();
  }

  static inline std::unique_ptr<World> world_;
};

struct Story {
  const char* name;
  std::function<void(World&, const Shop&)> play;
  Names events, states;  // the states that the entries show
  friend std::ostream& operator<<(std::ostream& out, const Story& s) { return out << s.name; }
};
class Stories : public Entries, public ::testing::WithParamInterface<Story> {};

std::string state_shown(const Json& data) {
  for (const auto* thing : {"payment_request", "order", "refund"})
    if (data.contains(thing)) return data.at(thing).at("state").get<std::string>();
  return "";
}

TEST_P(Stories, AreToldInOrderAndWithoutAGap) {
  const auto shop = world_->shop();
  GetParam().play(*world_, shop);
  settle_everything();
  const auto log = log_of(shop);
  Names events, states;
  std::int64_t seq = 0;
  for (const auto& entry : log) {
    events.push_back(entry.event);
    states.push_back(state_shown(entry.data));
    EXPECT_EQ(entry.seq, ++seq);
    EXPECT_EQ(entry.conversation, shop.conversation);
    EXPECT_TRUE(entry.data.contains("id"));
  }
  EXPECT_EQ(events, GetParam().events);
  EXPECT_EQ(states, GetParam().states);
  const auto kept = world_->transact(
      [&](Tx& tx) { return conversations::fetch(tx, shop.buyer, shop.conversation).last_seq; });
  EXPECT_EQ(kept, seq);
}

void confirm(World& world, const payments::Payment& payment, processors::Confirm answer) {
  run(world.sandbox.confirm(payment.reference.value(), answer));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Stories,
    ::testing::Values(
        Story{"Paid",
              [](World& w, const Shop& s) { w.pay(s, w.ask(s)); },
              {"payment_request.created", "payment_request.accepted", "payment_request.paid",
               "order.created"},
              {"open", "paying", "paid", "paid"}},
        Story{"DeclinedByTheBank",
              [](World& w, const Shop& s) { w.pay(s, w.ask(s), "tok_declined"); },
              {"payment_request.created", "payment_request.accepted",
               "payment_request.payment_failed"},
              {"open", "paying", "open"}},
        Story{"PaidAtTheSecondTry",
              [](World& w, const Shop& s) {
                const auto request = w.ask(s);
                w.pay(s, request, "tok_insufficient_funds");
                w.pay(s, request);
              },
              {"payment_request.created", "payment_request.accepted",
               "payment_request.payment_failed", "payment_request.accepted", "payment_request.paid",
               "order.created"},
              {"open", "paying", "open", "paying", "paid", "paid"}},
        Story{"Confirmed",
              [](World& w, const Shop& s) {
                const auto accepted = w.pay(s, w.ask(s), "tok_confirm");
                confirm(w, accepted.payment, processors::Confirm::yes);
              },
              {"payment_request.created", "payment_request.accepted",
               "payment_request.action_required", "payment_request.paid", "order.created"},
              {"open", "paying", "paying", "paid", "paid"}},
        Story{"NotConfirmed",
              [](World& w, const Shop& s) {
                const auto accepted = w.pay(s, w.ask(s), "tok_confirm");
                confirm(w, accepted.payment, processors::Confirm::no);
              },
              {"payment_request.created", "payment_request.accepted",
               "payment_request.action_required", "payment_request.payment_failed"},
              {"open", "paying", "paying", "open"}},
        Story{"DeclinedByTheBuyer",
              [](World& w, const Shop& s) {
                const auto request = w.ask(s);
                w.transact([&](Tx& tx) { payments::decline(tx, s.buyer, request.id, {}); });
              },
              {"payment_request.created", "payment_request.declined"},
              {"open", "declined"}},
        Story{"TakenBack",
              [](World& w, const Shop& s) {
                const auto request = w.ask(s);
                w.transact([&](Tx& tx) { payments::cancel(tx, s.owner, request.id, {}); });
              },
              {"payment_request.created", "payment_request.cancelled"},
              {"open", "cancelled"}},
        Story{"Expired",
              [](World& w, const Shop& s) {
                w.ask(s);
                w.advance(25h);
              },
              {"payment_request.created", "payment_request.expired"},
              {"open", "expired"}},
        Story{"ShippedAndDelivered",
              [](World& w, const Shop& s) {
                const auto shipped = w.ship(s, w.sell(s));
                w.transact([&](Tx& tx) {
                  orders::deliver(tx, orders::lock(tx, s.merchant, shipped.order.id));
                });
              },
              {"payment_request.created", "payment_request.accepted", "payment_request.paid",
               "order.created", "order.shipped", "order.delivered"},
              {"open", "paying", "paid", "paid", "shipped", "delivered"}},
        Story{"CancelledAndRefunded",
              [](World& w, const Shop& s) {
                const auto order = w.sell(s);
                w.cancel(s, order);
              },
              {"payment_request.created", "payment_request.accepted", "payment_request.paid",
               "order.created", "order.cancelled", "refund.created", "refund.succeeded"},
              {"open", "paying", "paid", "paid", "cancelled", "pending", "succeeded"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Entries, SayWhoDidItAndTheSystemDidTheRest) {
  const auto shop = world_->shop();
  world_->pay(shop, world_->ask(shop));
  const auto log = log_of(shop);
  ASSERT_EQ(log.size(), 4u);
  EXPECT_EQ(log[0].data.at("author"), "merchant");
  EXPECT_EQ(log[0].data.at("author_id"), text_of(shop.owner.account));
  EXPECT_EQ(log[1].data.at("author"), "buyer");
  EXPECT_EQ(log[1].data.at("author_id"), text_of(shop.buyer.account));
  EXPECT_EQ(log[2].data.at("author"), "system");
  EXPECT_TRUE(log[2].data.at("author_id").is_null());
}

TEST_F(Entries, ShowTheWholeRequestAndTheReasonOfAFailure) {
  const auto shop = world_->shop();
  const auto request = world_->ask(shop, 1999);
  world_->pay(shop, request, "tok_declined");
  const auto log = log_of(shop);
  ASSERT_EQ(log.size(), 3u);
  auto shown = to_json(request);
  shown.erase("contact");
  shown.erase("ship_to");
  EXPECT_EQ(log[0].data.at("payment_request"), shown);
  const auto& failed = log[2].data.at("payment_request");
  EXPECT_EQ(failed.at("reason"), "card_declined");
  EXPECT_EQ(failed.at("total"), (Json{{"amount", 1999}, {"currency", "USD"}}));
}

TEST_F(Entries, NeverSayWhereTheBuyerLives) {
  const auto shop = world_->shop();
  const auto shipped = world_->ship(shop, world_->sell(shop));
  ASSERT_TRUE(shipped.order.ship_to) << "the order itself does";
  for (const auto& entry : log_of(shop))
    EXPECT_EQ(entry.data.dump().find("Main St"), std::string::npos) << entry.event;
}

TEST_F(Entries, AreAnnouncedOnceToBothSidesAfterTheCommit) {
  const auto shop = world_->shop();
  world_->notices.clear();
  const auto request = world_->ask(shop);
  world_->pay(shop, request);
  ASSERT_EQ(world_->notices.size(), 4u);
  const auto log = log_of(shop);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& notice = world_->notices[i];
    EXPECT_EQ(notice.stream, text_of(shop.conversation));
    EXPECT_EQ(notice.position, static_cast<std::int64_t>(i) + 1);
    const std::vector<std::string> both = {identity::account_topic(shop.buyer.account),
                                           identity::merchant_topic(shop.merchant)};
    EXPECT_EQ(notice.topics, both);
    EXPECT_EQ(Json::parse(notice.text), conversations::to_frame(log[i]));
  }
}

TEST_F(Entries, AreNotAnnouncedWhereNothingWasCommitted) {
  const auto shop = world_->shop();
  const auto request = world_->ask(shop);
  world_->notices.clear();
  EXPECT_THROW(world_->transact([&](Tx& tx) {
    payments::decline(tx, shop.buyer, request.id, {});
    throw Error(Code::internal, "the lights went out");
  }),
               Error);
  EXPECT_TRUE(world_->notices.empty());
  EXPECT_EQ(log_of(shop).size(), 1u);
}

TEST_F(Entries, CannotBeChangedOrTakenAwayByTheServer) {
  const auto shop = world_->shop();
  world_->ask(shop);
  EXPECT_ANY_THROW(execute(world_->urls.app, "UPDATE bottega.entries SET event = 'forged'"));
  EXPECT_ANY_THROW(execute(world_->urls.app, "DELETE FROM bottega.entries"));
  EXPECT_EQ(log_of(shop).front().event, "payment_request.created");
}

}  // namespace requests_entries_test
}  // namespace bottega::test
