// Many at once on one sale: whoever comes first decides, and the money moves once.
#include <gtest/gtest.h>

#include "support/at_once.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace payments_concurrent_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::Outcome;

std::ptrdiff_t successes(const std::vector<std::optional<Code>>& refusals) {
  return std::ranges::count_if(refusals, [](const auto& code) { return !code; });
}
std::ptrdiff_t conflicts(const std::vector<std::optional<Code>>& refusals) {
  return std::ranges::count_if(refusals, [](const auto& code) { return code == Code::conflict; });
}

class PaymentsConcurrently : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static std::string key_of(const payments::Payment& payment) {
    return world_->transact([&](Tx& tx) {
      return attempts::lock_latest(tx, payment.merchant_id, payment.id.uuid, 1s).key();
    });
  }
  static std::int64_t succeeded(processors::Operation operation, const std::string& key = "") {
    const auto all = world_->books();
    return std::ranges::count_if(all, [&](const processors::BookEntry& entry) {
      return entry.operation == operation && (key.empty() || entry.key == key) &&
             entry.state == processors::MovementState::succeeded;
    });
  }
  static payments::Request request_now(payments::RequestId id) {
    return world_->transact([&](Tx& tx) { return payments::fetch_request(tx, shop_.buyer, id); });
  }
  static orders::Order order_now(orders::OrderId id) {
    return world_->transact([&](Tx& tx) { return orders::fetch(tx, shop_.buyer, id); });
  }
  static void expect_balanced() {
    const auto balance = world_->trial_balance();
    EXPECT_TRUE(balance.is_balanced) << (balance.faults.empty() ? "" : balance.faults.front());
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_F(PaymentsConcurrently, TwoDevicesThatAcceptAtOnceChargeOnce) {
  for (int round = 0; round < 50; ++round) {
    const auto before = succeeded(processors::Operation::charge);
    const auto request = world_->ask(shop_, 1'000 + round);
    const auto accept = [&] { world_->pay(shop_, request); };
    const auto refusals = all_at_once({accept, accept});
    ASSERT_EQ(conflicts(refusals), 1) << round;
    ASSERT_EQ(successes(refusals), 1) << round;
    ASSERT_EQ(succeeded(processors::Operation::charge), before + 1) << round;
    ASSERT_EQ(request_now(request.id).state, RequestState::paid) << round;
  }
  expect_balanced();
}

TEST_F(PaymentsConcurrently, TheSameChargeSentFourTimesIsMadeOnce) {
  for (int round = 0; round < 10; ++round) {
    const auto request = world_->ask(shop_, 5'000);
    const auto given = acceptance("tok_approved");
    const auto payment = world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
    const auto call = [&] {
      const auto outcome = run(payments::call(world_->db, world_->registry.get("sandbox"),
                                              shop_.merchant, payment.id, "tok_approved", ""));
      world_->transact([&](Tx& tx) {
        payments::settle(tx, shop_.merchant, payment.id, outcome, world_->payment_rules);
      });
    };
    const auto refusals = all_at_once({call, call, call, call});
    EXPECT_EQ(successes(refusals), 4);
    EXPECT_EQ(succeeded(processors::Operation::charge, key_of(payment)), 1);
  }
  expect_balanced();
}

TEST_F(PaymentsConcurrently, AnswerWebhookAndReconcilerMakeOneOrder) {
  for (int round = 0; round < 10; ++round) {
    const auto request = world_->ask(shop_, 2'000);
    const auto given = acceptance("tok_approved");
    const auto payment = world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
    const auto outcome = run(payments::call(world_->db, world_->registry.get("sandbox"),
                                            shop_.merchant, payment.id, "tok_approved", ""));
    world_->deliver_webhooks();
    const Acts acts = {[&] {
                         world_->transact([&](Tx& tx) {
                           payments::settle(tx, shop_.merchant, payment.id, outcome,
                                            world_->payment_rules);
                         });
                       },
                       [&] { world_->run_jobs(); },
                       [&] {
                         run(payments::reconcile(world_->db, world_->registry, shop_.merchant,
                                                 payment.id, world_->payment_rules));
                       }};
    const auto refusals = all_at_once(acts);
    EXPECT_EQ(successes(refusals), 3);
    const auto about = uuid_text(payment.id.uuid);
    EXPECT_EQ(execute(world_->urls.superuser,
                      "SELECT count(*) FROM bottega.orders WHERE payment_id = '" + about + "'"),
              "1");
    EXPECT_EQ(request_now(request.id).state, RequestState::paid);
  }
  expect_balanced();
}

TEST_F(PaymentsConcurrently, AcceptDeclineAndCancelLeaveOneWinner) {
  for (int round = 0; round < 15; ++round) {
    const auto request = world_->ask(shop_, 3'000);
    const auto before = succeeded(processors::Operation::charge);
    const auto refusals = all_at_once(
        {[&] { world_->pay(shop_, request); },
         [&] {
           world_->transact([&](Tx& tx) { payments::decline(tx, shop_.buyer, request.id, {}); });
         },
         [&] {
           world_->transact([&](Tx& tx) { payments::cancel(tx, shop_.owner, request.id, {}); });
         }});
    EXPECT_EQ(successes(refusals), 1);
    EXPECT_EQ(conflicts(refusals), 2);
    const auto expected = !refusals[0]   ? RequestState::paid
                          : !refusals[1] ? RequestState::declined
                                         : RequestState::cancelled;
    EXPECT_EQ(request_now(request.id).state, expected);
    EXPECT_EQ(succeeded(processors::Operation::charge), before + (refusals[0] ? 0 : 1));
  }
}

TEST_F(PaymentsConcurrently, ShippingAndCancellingLeaveOneWinner) {
  for (int round = 0; round < 15; ++round) {
    const auto order = world_->sell(shop_, 6'000);
    const auto refusals =
        all_at_once({[&] { world_->ship(shop_, order); }, [&] { world_->cancel(shop_, order); }});
    EXPECT_EQ(successes(refusals), 1);
    EXPECT_EQ(conflicts(refusals), 1);
    EXPECT_EQ(order_now(order.id).state,
              refusals[0] ? orders::State::cancelled : orders::State::shipped);
    const auto id = uuid_text(order.id.uuid);
    const auto count = [&](const std::string& table) {
      return execute(world_->urls.superuser,
                     "SELECT count(*) FROM bottega." + table + " WHERE order_id = '" + id + "'");
    };
    EXPECT_EQ(count("payouts"), refusals[0] ? "0" : "1");
    EXPECT_EQ(count("refunds"), refusals[0] ? "1" : "0");
  }
}

TEST_F(PaymentsConcurrently, TwoCancellationsOfAnOrderRefundOnce) {
  world_->run_jobs();  // what other tests have left to refund
  for (int round = 0; round < 10; ++round) {
    const auto order = world_->sell(shop_, 7'000);
    const auto before = succeeded(processors::Operation::refund);
    const auto cancel = [&] {
      world_->cancel(shop_, order);
      world_->run_jobs();
    };
    const auto refusals = all_at_once({cancel, cancel});
    EXPECT_EQ(conflicts(refusals), 1);
    const auto jobs = [&] { world_->run_jobs(); };
    all_at_once({jobs, jobs});
    EXPECT_EQ(succeeded(processors::Operation::refund), before + 1);
  }
  expect_balanced();
}

TEST_F(PaymentsConcurrently, TheSameRefundCarriedOutByFourIsMadeOnce) {
  const auto order = world_->sell(shop_, 8'000);
  const auto cancelled = world_->cancel(shop_, order);
  const auto before = succeeded(processors::Operation::refund);
  const auto carry = [&] {
    run(payments::refund(world_->db, world_->registry, shop_.merchant, cancelled.refund->id,
                         world_->payment_rules));
  };
  // Whoever finds that the call may still be under way is to come again.
  EXPECT_LE(all_at_once({carry, carry, carry, carry}, {Code::busy}), 3);
  carry();
  EXPECT_EQ(succeeded(processors::Operation::refund), before + 1);
  const auto kept = world_->transact(
      [&](Tx& tx) { return payments::fetch_payment(tx, shop_.buyer, order.payment_id); });
  EXPECT_EQ(kept.refunded, 8'000);
  EXPECT_EQ(kept.state, State::refunded);
  expect_balanced();
}

}  // namespace payments_concurrent_test
}  // namespace bottega::test
