// The smallest amount that is paid out: of all that is due, however many payouts that are, and with
// what else is the merchant's.
#include "domain/disputes.hpp"

namespace bottega::test {
namespace payout_minimum_test {

using namespace std::chrono_literals;
using payouts::Payout;

class PayoutMinimum : public DisputeTest {
 protected:
  // So many of one minor unit that are due, all of one sale; its own payout is held.
  std::vector<Payout> many(int count) {
    const auto sold = sent(world_.sell(shop_, 100'000));
    const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
    world_.transact([&](Tx& tx) { payouts::hold(tx, sold.id, why); });
    execute(world_.urls.superuser, R"(
        SET search_path = bottega;
        ALTER TABLE payouts DROP CONSTRAINT payouts_merchant_id_order_id_key;
        INSERT INTO payouts (merchant_id, id, order_id, amount, fee, currency, state, shipped_at,
                             due_at, due_on, created_at)
        SELECT merchant_id, gen_random_uuid(), order_id, 1, 0, currency, 'scheduled', shipped_at,
               due_at, due_on, created_at
        FROM payouts CROSS JOIN generate_series(1, )" +
                                       std::to_string(count) + ")");
    auto all = listed();
    std::erase_if(all, [&](const Payout& one) { return one.id == sold.id; });
    std::vector<jobs::Planned> planned;
    const Json arguments = {{"merchant_id", text_of(shop_.merchant)}};
    for (const auto& one : all) planned.push_back({text_of(one.id), arguments, one.due_at});
    world_.transact([&](Tx& tx) { jobs::enqueue(tx, payouts::kPayJob, planned); });
    world_.advance(6 * 24h);
    return all;
  }
  std::vector<Payout> listed() {
    return world_.transact(
        [&](Tx& tx) { return payouts::list_of_merchant(tx, shop_.merchant, std::nullopt, 5'000); });
  }
  std::vector<payouts::Batch> batches() {
    return world_.transact(
        [&](Tx& tx) { return payouts::list_batches(tx, shop_.merchant, std::nullopt, 100); });
  }
  std::string count_jobs(const std::string& where) {
    return execute(world_.urls.superuser, "SELECT count(*) FROM bottega.jobs WHERE " + where);
  }
};

TEST_F(PayoutMinimum, IsWaitedForByEachOfMoreThanABatch) {
  world_.payout_rules.minimum = 1'000;
  many(501);
  world_.run_jobs();
  EXPECT_EQ(world_.run_jobs(), 0) << "it ends";
  EXPECT_TRUE(batches().empty());
  EXPECT_EQ(count_jobs("kind = 'payouts.wait'"), "501");
  EXPECT_EQ(count_jobs("kind = 'payouts.pay'"), "0");
  world_.advance(31 * 24h);
  world_.run_jobs();
  std::int64_t gone = 0;
  for (const auto& batch : batches()) gone += batch.amount.amount;
  EXPECT_EQ(gone, 501);
}

TEST_F(PayoutMinimum, IsOfAllThatIsDue) {
  world_.payout_rules.minimum = 1'000;
  many(1'500);
  world_.run_jobs();
  const auto batches = this->batches();
  ASSERT_EQ(batches.size(), 2u) << "what is left then is too little";
  for (const auto& batch : batches) EXPECT_EQ(batch.amount.amount, 500);
  EXPECT_EQ(count_jobs("kind = 'payouts.wait'"), "500");
}

TEST_F(PayoutMinimum, AndTheSizeOfABatchAreNothingToWhatIsNotDue) {
  const auto cancelled = many(501).front();
  execute(world_.urls.superuser, "UPDATE bottega.payouts SET state = 'cancelled' WHERE id = '" +
                                     uuid_text(cancelled.id.uuid) + "'");
  const auto about = "about = '" + text_of(cancelled.id) + "'";
  execute(world_.urls.superuser, "DELETE FROM bottega.jobs WHERE " + about);
  const auto batch = world_.transact([&](Tx& tx) {
    return payouts::collect(tx, shop_.merchant, cancelled.id, world_.payout_rules);
  });
  EXPECT_FALSE(batch);
  EXPECT_EQ(count_jobs(about), "0");
}

TEST_F(PayoutMinimum, IsReachedWithWhatElseIsTheMerchants) {
  const auto order = world_.sell(shop_, 10'000);
  paid_out(order);
  const auto dispute = submit(open(order));
  paid_out(world_.sell(shop_, 20'000));
  ASSERT_EQ(decide(dispute).state, State::won);
  ASSERT_EQ(balance(Kind::merchant_payable), 9'680);
  world_.payout_rules.minimum = 10'000;
  const auto next = paid_out(world_.sell(shop_, 3'000));
  EXPECT_LT(next.amount.amount, 10'000);
  EXPECT_EQ(batches().at(0).from_balance, 9'680);
  EXPECT_EQ(balance(Kind::merchant_payable), 0);
}

}  // namespace payout_minimum_test
}  // namespace bottega::test
