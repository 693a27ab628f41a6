// The life of an order beside its parcels: its card, its number, corrections, notes, and its end.
#include <gtest/gtest.h>

#include <set>

#include "domain/parcels.hpp"

namespace bottega::test {
namespace orders_life_test {

using namespace std::chrono_literals;
using orders::State;

class OrderLife : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static orders::Order at(const orders::Order& order) { return test::now(*world_, order); }
  static void deliver(const orders::Order& order) {
    world_->transact(
        [&](Tx& tx) { orders::deliver(tx, orders::lock(tx, order.merchant_id, order.id)); });
  }
  static std::vector<conversations::Event> log() {
    return world_->transact([&](Tx& tx) {
      return conversations::log_after(tx, shop_.buyer, shop_.conversation, 0, 500);
    });
  }
  static orders::Order change(const identity::Who& who, const orders::Order& order,
                              const orders::Address& address) {
    const orders::ChangedOrder given{address};
    return world_->transact([&](Tx& tx) { return orders::change(tx, who, order.id, given); });
  }
  static orders::OrderNote note(const identity::Who& who, const orders::Order& order,
                                const std::string& text) {
    const auto given = from_json<orders::NewOrderNote>({{"text", text}});
    return world_->transact([&](Tx& tx) { return orders::add_note(tx, who, order.id, given); });
  }
  static std::vector<orders::OrderNote> notes(const identity::Who& who,
                                              const orders::Order& order) {
    return world_->transact(
        [&](Tx& tx) { return orders::list_notes(tx, who, order.id, std::nullopt, 100); });
  }
  static std::int64_t complete(std::int64_t batch = 100) {
    return world_->transact(
        [&](Tx& tx) { return orders::complete_due(tx, orders::CompletionRules{}, batch); });
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- the card and the number --------------------------------------------------------------------

TEST_F(OrderLife, KnowsTheEntryThatShowedItFirst) {
  for (int i = 0; i < 3; ++i) {
    const auto order = world_->sell(shop_);
    const auto entries = log();
    const auto& card = entries.at(static_cast<std::size_t>(order.card_seq.value()) - 1);
    EXPECT_EQ(card.event, "order.created");
    EXPECT_EQ(card.seq, order.card_seq);
    EXPECT_EQ(card.data["order"]["id"], text_of(order.id));
    EXPECT_EQ(card.data["order"]["card_seq"], order.card_seq.value()) << "the card says so too";
    EXPECT_EQ(at(order).card_seq, order.card_seq);
  }
}

TEST_F(OrderLife, TellsTheWholeOrderAndNoAddress) {
  const auto order = world_->sell(shop_);
  change(shop_.buyer, order, an_address());
  send_part(*world_, shop_, order, 0, 1);
  const auto whole = to_json(order).size() - 1;
  for (const auto& event : log()) {
    if (!event.event.starts_with("order.")) continue;
    EXPECT_EQ(event.data["order"].size(), whole) << event.event;
    EXPECT_FALSE(event.data["order"].contains("ship_to")) << event.event;
    EXPECT_EQ(event.data.dump().find(an_address().street.value), std::string::npos);
  }
}

TEST_F(OrderLife, HasANumberThatIsTheShopsOwnAndTellsNothing) {
  std::set<std::string> numbers;
  for (int i = 0; i < 5; ++i) {
    const auto order = world_->sell(shop_);
    EXPECT_EQ(order.number, orders::number_of(order.id));
    EXPECT_EQ(orders::parse_number(order.number), order.number);
    numbers.insert(order.number);
    const auto found = world_->transact(
        [&](Tx& tx) { return orders::find_of_number(tx, shop_.merchant, order.number); });
    EXPECT_EQ(found.value().id, order.id);
    const auto elsewhere = world_->transact([&](Tx& tx) {
      return orders::find_of_number(tx, identity::MerchantId::make(), order.number);
    });
    EXPECT_FALSE(elsewhere);
  }
  EXPECT_EQ(numbers.size(), 5u);
}

// ---- corrections --------------------------------------------------------------------------------

TEST_F(OrderLife, TakesAnotherAddressFromBothSidesUntilItIsSent) {
  const auto order = world_->sell(shop_);
  auto address = an_address();
  for (const auto& who : {shop_.buyer, world_->member(shop_, identity::Role::agent),
                          world_->key_with(shop_, identity::Scope::orders)}) {
    address.street.value += "a";
    EXPECT_EQ(change(who, order, address).ship_to.value().street.value, address.street.value);
    EXPECT_EQ(at(order).ship_to.value().street.value, address.street.value);
  }
  EXPECT_EQ(log().back().event, "order.edited");
  for (const auto& who : {world_->person(), world_->shop().owner, world_->staff()})
    EXPECT_EQ(code_of([&] { change(who, order, address); }), Code::not_found);
  EXPECT_EQ(
      code_of([&] { change(world_->key_with(shop_, identity::Scope::read), order, address); }),
      Code::forbidden);
  world_->ship(shop_, order);
  EXPECT_EQ(code_of([&] { change(shop_.buyer, order, an_address()); }), Code::conflict);
  EXPECT_EQ(at(order).ship_to.value().street.value, address.street.value);
}

TEST_F(OrderLife, IsNotSentToAnotherCountryThanItWasPricedFor) {
  const auto order = world_->sell(shop_);
  auto abroad = an_address();
  abroad.country = from_text<Country>("CA");
  ASSERT_EQ(order.ship_to.value().country.value, "US");
  EXPECT_EQ(code_of([&] { change(shop_.buyer, order, abroad); }), Code::invalid);
}

TEST_F(OrderLife, IsNotCorrectedOnceItIsCancelled) {
  const auto order = world_->sell(shop_);
  world_->cancel(shop_, order);
  EXPECT_EQ(code_of([&] { change(shop_.buyer, order, an_address()); }), Code::conflict);
}

// ---- notes --------------------------------------------------------------------------------------

TEST_F(OrderLife, IsNotedAboutByTheMerchantsSideForItself) {
  const auto order = world_->sell(shop_);
  const auto before = world_->last_seq(shop_);
  note(shop_.owner, order, "Wrap it");
  note(world_->member(shop_, identity::Role::agent), order, "Wrapped");
  const auto all = notes(shop_.owner, order);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].text, "Wrapped") << "the latest first";
  EXPECT_EQ(all[1].author_name, "Otto Owner");
  EXPECT_EQ(world_->last_seq(shop_), before) << "no entry of the log says anything of it";
  for (const auto& who : {shop_.buyer, world_->person(), world_->shop().owner}) {
    EXPECT_EQ(code_of([&] { notes(who, order); }), Code::not_found);
    EXPECT_EQ(code_of([&] { note(who, order, "Mine"); }), Code::not_found);
  }
  EXPECT_EQ(notes(world_->key_with(shop_, identity::Scope::read), order).size(), 2u);
}

// ---- its end ------------------------------------------------------------------------------------

TEST_F(OrderLife, EndsTwoWeeksAfterItWasDelivered) {
  const auto order = world_->sell(shop_);
  world_->ship(shop_, order);
  world_->advance(24h);
  deliver(order);
  world_->advance(14 * 24h - 1min);
  complete();
  EXPECT_EQ(at(order).state, State::delivered);
  world_->advance(2min);
  EXPECT_GE(complete(), 1);
  EXPECT_EQ(at(order).state, State::completed);
  EXPECT_TRUE(at(order).completed_at);
  EXPECT_EQ(told(*world_, shop_, order).back(), "order.completed");
  EXPECT_EQ(complete(), 0);
}

TEST_F(OrderLife, EndsThirtyDaysAfterItWasSentWhereNobodySaysThatItHasArrived) {
  const auto order = world_->sell(shop_);
  world_->advance(2 * 24h);
  world_->ship(shop_, order);
  world_->advance(30 * 24h - 1min);
  complete();
  EXPECT_EQ(at(order).state, State::shipped);
  world_->advance(2min);
  complete();
  EXPECT_EQ(at(order).state, State::completed);
}

TEST_F(OrderLife, DoesNotEndUnsentOrCancelled) {
  world_->payment_rules.cancel_after = std::chrono::days(365);
  const auto unsent = world_->sell(shop_), cancelled = world_->sell(shop_);
  world_->payment_rules.cancel_after = std::chrono::days(7);
  world_->cancel(shop_, cancelled);
  world_->advance(60 * 24h);
  complete();
  EXPECT_EQ(at(unsent).state, State::paid);
  EXPECT_EQ(at(cancelled).state, State::cancelled);
  world_->ship(shop_, unsent);
}

TEST_F(OrderLife, EndsInBatchesByAJobThatPlansItself) {
  while (complete() > 0) {}
  std::vector<orders::Order> sold;
  for (int i = 0; i < 3; ++i) {
    sold.push_back(world_->sell(shop_));
    world_->ship(shop_, sold.back());
    deliver(sold.back());
  }
  world_->advance(15 * 24h);
  EXPECT_EQ(complete(2), 2);
  EXPECT_EQ(complete(2), 1);
  const auto planned = [] {
    return execute(world_->urls.superuser,
                   "SELECT count(*) FROM bottega.jobs WHERE kind = 'orders.complete'");
  };
  world_->transact([](Tx& tx) { orders::plan(tx); });
  world_->transact([](Tx& tx) { orders::plan(tx); });
  EXPECT_EQ(planned(), "1");
  const auto order = world_->sell(shop_);
  world_->ship(shop_, order);
  deliver(order);
  world_->advance(15 * 24h);
  world_->run_jobs();
  EXPECT_EQ(at(order).state, State::completed);
  EXPECT_EQ(planned(), "1") << "the next hour's";
}

}  // namespace orders_life_test
}  // namespace bottega::test
