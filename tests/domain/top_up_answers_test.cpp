// The answer to a dispute about a top-up, at a bank that says for days nothing that is definite.
#include "domain/attempts.hpp"
#include "bottega/disputes/top_ups.hpp"

namespace bottega::test {
namespace top_up_answers_test {

using namespace std::chrono_literals;
using processors::Verdict;
using State = disputes::State;

// It takes answers and says nothing about them.
class Mute final : public Relay {
 public:
  using Relay::Relay;
  asio::awaitable<Outcome> respond_dispute(const processors::DisputeAnswer&) override {
    ++answered;
    co_return says;
  }
  asio::awaitable<Outcome> look_up(processors::Operation, const std::string&) override {
    co_return says;
  }

  Outcome says;
  int answered = 0;
};

class TopUpAnswers : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = std::make_unique<Mute>(world_.registry.get("sandbox"));
    bank_ = made.get();
    registry_.add(std::move(made));
    who_ = world_.person("Wanda Wallet");
  }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  // One that is given in to; the bank is told so by a job.
  disputes::DisputeId accepted() {
    const auto charged = world_.top_up(who_, 5'000);
    const auto given = from_json<processors::NewDispute>({{"charge", charged.reference.value()}});
    run(world_.sandbox.open_dispute(given));
    world_.deliver_webhooks();
    world_.run_jobs();
    return world_.transact([&](Tx& tx) {
      const auto found =
          disputes::list_top_up_disputes(tx, who_.account, std::nullopt, std::nullopt, 10);
      return disputes::accept_top_up_dispute(tx, found.at(0).id).id;
    });
  }
  // All jobs that are due, with this bank.
  void work() { run(runner_.drain(50)); }
  State state(const disputes::DisputeId& id) {
    return world_.transact([&](Tx& tx) { return disputes::fetch_top_up_dispute(tx, id); }).state;
  }
  std::string jobs(const disputes::DisputeId& id, const std::string& what) {
    return execute(world_.urls.superuser,
                   "SELECT " + what + " FROM bottega.jobs WHERE about = '" + text_of(id) + "'");
  }

  World world_;
  processors::Registry registry_;
  Mute* bank_ = nullptr;
  JobWorld job_world_{world_.db,           registry_,           world_.payment_rules,
                      world_.payout_rules, world_.wallet_rules, world_.depot};
  jobs::Runner runner_{world_.db, job_kinds(job_world_), 16};
  identity::Who who_;
};

TEST_F(TopUpAnswers, AreAskedAboutForAsLongAsItTakesAndByHandAtOnce) {
  const auto id = accepted();
  const Errors errors;
  work();
  for (int day = 0; day < 11; ++day) {
    world_.advance(86'401s);
    work();
  }
  EXPECT_GE(errors.about("job.stuck"), 1) << "a person is told";
  EXPECT_EQ(bank_->answered, 1);
  EXPECT_EQ(state(id), State::evidence_due);
  EXPECT_EQ(jobs(id, "count(*) FILTER (WHERE dead_at IS NULL)"), "1");
  const auto attempt = world_.transact([&](Tx& tx) {
    return attempts::lock_latest(tx, wallet::kPlatformMerchant, id.uuid, 10s).id;
  });
  world_.transact([&](Tx& tx) { ops::ask(tx, attempt); });
  EXPECT_EQ(jobs(id, "string_agg(kind, ' ')"), disputes::kRespondTopUpJob);
  bank_->says = {Verdict::succeeded, "dp_1", "", ""};
  work();
  EXPECT_EQ(state(id), State::lost);
  EXPECT_EQ(bank_->answered, 1);
  EXPECT_EQ(jobs(id, "count(*)"), "0");
}

}  // namespace top_up_answers_test
}  // namespace bottega::test
