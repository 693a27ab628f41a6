// Payments that begin and end together while others begin and end them too: each is charged once,
// makes one order, and nobody waits in a circle.
#include <atomic>
#include <random>

#include "domain/buying.hpp"
#include "support/at_once.hpp"

namespace bottega::test {
namespace payments_together_concurrent_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;

constexpr int kThreads = 4;

class PaymentsTogetherConcurrently : public Buying {
 protected:
  void SetUp() override {
    Buying::SetUp();
    shops = {shop, beside(shop), beside(shop), world.shop()};
  }
  void TearDown() override {
    EXPECT_EQ(world.db.load().retries, 0u) << "nobody began again";
    const auto books = world.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }
  std::vector<payments::Beginning> ask_all(int each) {
    std::vector<payments::Beginning> asked;
    for (const auto& one : shops)
      for (int i = 0; i < each; ++i) asked.push_back(paying(one.buyer, world.ask(one).id));
    return asked;
  }

  std::vector<Shop> shops;
};

TEST_F(PaymentsTogetherConcurrently, BeginOnce) {
  for (int round = 0; round < 5; ++round) {
    const auto asked = ask_all(2);
    std::atomic<int> fresh = 0;
    Acts acts;
    for (unsigned i = 0; i < kThreads; ++i)
      acts.push_back([&, i] {
        std::minstd_rand random(i + 1);
        auto mine = asked;
        std::ranges::shuffle(mine, random);
        for (const auto& outcome : begin_all(mine)) fresh += said(outcome) == "begun" ? 1 : 0;
      });
    EXPECT_EQ(all_at_once(acts, {}), 0);
    EXPECT_EQ(fresh, std::ssize(asked));
  }
}

TEST_F(PaymentsTogetherConcurrently, SellWhatIsThere) {
  const auto one = counted("TEA-1", 5), other = counted("TEA-2", 7);
  std::atomic<int> fresh = 0;
  Acts acts;
  for (unsigned i = 0; i < kThreads; ++i) {
    std::vector<payments::Beginning> asked;
    for (const auto& buyer : {shops[0], shops[1], shops[2]})
      for (const auto& id : {one, other})
        asked.push_back(paying(buyer.buyer, ask_for(buyer, id).id));
    std::minstd_rand random(i + 1);
    std::ranges::shuffle(asked, random);
    acts.push_back([&, asked] {
      Told told;
      for (const auto& outcome : begin_all(asked)) {
        if (said(outcome) != "begun") continue;
        ++fresh;
        told.push_back(charged(begun(outcome)));
      }
      for (const auto& done : settle_all(told)) EXPECT_TRUE(done);
    });
  }
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(fresh, 5 + 7);
  for (const auto& id : {one, other}) {
    EXPECT_EQ(stock(id).on_hand, 0);
    EXPECT_EQ(stock(id).reserved, 0);
  }
}

TEST_F(PaymentsTogetherConcurrently, AnswerWebhookAndReconcilerMakeOneOrder) {
  for (int round = 0; round < 4; ++round) {
    const auto sold = std::stoi(count_of("orders"));
    Told told;
    std::vector<payments::Payment> begun_now;
    for (const auto& outcome : begin_all(ask_all(2))) {
      told.push_back(charged(begun(outcome)));
      begun_now.push_back(begun(outcome).payment);
    }
    world.deliver_webhooks();
    auto turned = told;
    std::ranges::reverse(turned);
    const Acts acts = {[&] { settle_all(told); }, [&] { settle_all(turned); },
                       [&] { world.run_jobs(); },
                       [&] {
                         for (const auto& payment : begun_now)
                           run(payments::reconcile(world.db, world.registry, payment.merchant_id,
                                                   payment.id, world.payment_rules));
                       }};
    EXPECT_EQ(all_at_once(acts, {}), 0);
    for (const auto& payment : begun_now) {
      const auto now = current(payment);
      EXPECT_EQ(now.payment.state, State::captured);
      EXPECT_EQ(now.payment_request.state, RequestState::paid);
      EXPECT_TRUE(now.order);
    }
    EXPECT_EQ(std::stoi(count_of("orders")), sold + std::ssize(told));
  }
}

TEST_F(PaymentsTogetherConcurrently, AcceptDeclineAndCancelLeaveOneWinner) {
  for (int round = 0; round < 5; ++round) {
    const auto asked = ask_all(1);
    std::atomic<int> fresh = 0, ended = 0;
    Acts acts = {[&] {
      for (const auto& outcome : begin_all(asked)) fresh += said(outcome) == "begun" ? 1 : 0;
    }};
    for (std::size_t i = 0; i < shops.size(); ++i)
      acts.push_back([&, i] {
        const auto id = std::get<payments::RequestId>(asked[i].what);
        const auto refused =
            code_of([&] { in([&](Tx& tx) { payments::decline(tx, shops[i].buyer, id, {}); }); });
        ended += refused ? 0 : 1;
      });
    EXPECT_EQ(all_at_once(acts, {}), 0);
    EXPECT_EQ(fresh + ended, std::ssize(shops));
  }
}

}  // namespace payments_together_concurrent_test
}  // namespace bottega::test
