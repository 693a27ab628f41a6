// Locks are taken in one order, so that nobody waits in a circle: payment, order, refund, payout,
// the merchant's balances, and the conversation last. Who waits is seen in the database, and who
// was thrown out of a circle has to begin twice.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/world.hpp"

namespace bottega::test {
namespace lock_order_test {

using namespace std::chrono_literals;
using ledger::Kind;
using processors::Outcome, processors::Verdict;
using Step = std::function<void(Tx&)>;

class LockOrder : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    shop_ = world_->shop();
    world_->sell(shop_, 5'000);  // so that something is held
  }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  // One transaction takes its first lock, waits until the other one waits for it, and goes on.
  // Neither may have to begin again.
  static void meet(const Step& first, const Step& other, const Step& then) {
    std::atomic<int> begun = 0, others = 0;
    std::atomic<bool> is_over = false;
    std::jthread thread;
    const auto run_other = [&] {
      EXPECT_EQ(code_of([&] {
                  world_->transact([&](Tx& tx) {
                    ++others;
                    other(tx);
                  });
                }),
                std::nullopt);
      is_over = true;
    };
    world_->transact([&](Tx& tx) {
      first(tx);
      if (++begun == 1) {
        thread = std::jthread(run_other);
        while (!is_over && !somebody_waits()) std::this_thread::yield();
        EXPECT_FALSE(is_over) << "it does not ask for the lock";
      }
      then(tx);
    });
    thread.join();
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(others, 1);
  }
  static bool somebody_waits() {
    return execute(world_->urls.superuser,
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "wait_event_type = 'Lock'") != "0";
  }
  // Whoever posts has the accounts of what is held and of what is at the processor.
  void set_something_aside(Tx& tx) const {
    const auto amount = Money{1, from_text<Currency>("USD")};
    ledger::pend(tx, ledger::transfer_within(shop_.merchant, ledger::Why::refund,
                                             payments::RefundId::make().uuid, Kind::held,
                                             Kind::processor_clearing, amount));
  }
  void lock_payout(Tx& tx, const orders::Order& order) const {
    payouts::lock_of_order(tx, shop_.merchant, order.id);
  }
  // What follows the payout's lock wherever money is paid out.
  void lock_balances(Tx& tx) const {
    ledger::lock_owner(tx, ledger::owner_of(shop_.merchant));
    set_something_aside(tx);
  }
  payouts::Payout now(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

TEST_F(LockOrder, OfARefundThatEndsIsThePayoutAndThenTheBalances) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = world_->ship(shop_, order).payout.value();
  world_->advance(6 * 24h);
  world_->run_jobs();
  ASSERT_EQ(now(payout).state, payouts::State::paid);
  const auto refund = world_->give_back(shop_, order, 4'000);
  const Outcome yes{Verdict::succeeded, "srf_1", "", ""};
  meet([&](Tx& tx) { lock_payout(tx, order); },
       [&](Tx& tx) {
         payments::settle_refund(tx, shop_.merchant, refund.id, yes, world_->payment_rules);
       },
       [&](Tx& tx) { lock_balances(tx); });
  const auto ended =
      world_->transact([&](Tx& tx) { return payments::fetch_refund(tx, shop_.owner, refund.id); });
  EXPECT_EQ(ended.state, payments::RefundState::succeeded);
}

TEST_F(LockOrder, OfARefundThatEndsHasTheBalancesBeforeItsFirstTransfer) {
  const auto refund = world_->give_back(shop_, world_->sell(shop_, 10'000), 4'000);
  const Outcome no{Verdict::declined, "", "refund_rejected", ""};
  meet([&](Tx& tx) { ledger::lock_owner(tx, ledger::owner_of(shop_.merchant)); },
       [&](Tx& tx) {
         payments::settle_refund(tx, shop_.merchant, refund.id, no, world_->payment_rules);
       },
       [&](Tx& tx) { set_something_aside(tx); });
}

TEST_F(LockOrder, OfABatchThatEndsIsItsPayoutsAndThenTheBalances) {
  const auto order = world_->sell(shop_, 10'000);
  const auto payout = world_->ship(shop_, order).payout.value();
  world_->advance(6 * 24h);
  const auto batch = world_->transact([&](Tx& tx) {
    return payouts::collect(tx, shop_.merchant, payout.id, world_->payout_rules).value();
  });
  const Outcome yes{Verdict::succeeded, "spo_1", "", ""};
  meet([&](Tx& tx) { lock_payout(tx, order); },
       [&](Tx& tx) { payouts::settle(tx, shop_.merchant, batch.id, yes, world_->payout_rules); },
       [&](Tx& tx) { lock_balances(tx); });
  EXPECT_EQ(now(payout).state, payouts::State::paid);
}

TEST_F(LockOrder, OfACancelledOrderIsTheBalancesAndThenTheConversation) {
  const auto order = world_->sell(shop_, 10'000);
  const auto message = from_json<conversations::NewMessage>({{"text", "Where is it?"}});
  meet([&](Tx& tx) { set_something_aside(tx); },
       [&](Tx& tx) {
         payments::cancel_order(tx, shop_.owner, order.id, "sold out", world_->payment_rules);
       },
       [&](Tx& tx) { conversations::send(tx, shop_.buyer, shop_.conversation, message); });
}

}  // namespace lock_order_test
}  // namespace bottega::test
