// What the settlement check asks the processor about, where their list does not have it.
#include "domain/settlements.hpp"
#include "support/relay.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace settlements_questions_test {

using namespace std::chrono_literals;
using processors::Operation, processors::Verdict;
using settlements::Kind, settlements::State;

// It lists nothing, and answers every question alike.
class Closed final : public Relay {
 public:
  using Relay::Relay;
  asio::awaitable<processors::MovementPage> movements(const processors::Period&, const std::string&,
                                                      std::int64_t) override {
    co_return processors::MovementPage();
  }
  asio::awaitable<Outcome> look_up(Operation, const std::string&) override {
    ++asked;
    co_return says;
  }

  Outcome says;
  int asked = 0;
};

class SettlementQuestions : public Settlements {
 protected:
  void SetUp() override {
    Settlements::SetUp();
    auto made = std::make_unique<Closed>(world_.registry.get("sandbox"));
    bank_ = made.get();
    registry_.add(std::move(made));
  }
  // All jobs of some days, with this bank.
  void pass(int days) {
    for (int day = 0; day < days; ++day) {
      run(runner_.drain(50));
      world_.advance(86'401s);
    }
  }

  processors::Registry registry_;
  Closed* bank_ = nullptr;
  JobWorld job_world_{world_.db,           registry_,           world_.payment_rules,
                      world_.payout_rules, world_.wallet_rules, world_.depot};
  jobs::Runner runner_{world_.db, job_kinds(job_world_), 16};
};

TEST_F(SettlementQuestions, ThatAreNotAnsweredAreNoDifferences) {
  world_.sell(shop_, 5'000);
  world_.advance(26h);
  for (const auto verdict : {Verdict::refused, Verdict::unknown}) {
    bank_->says = {verdict, "", "bad_credentials", ""};
    bank_->asked = 0;
    const auto begun = begin(day_);
    pass(11);
    const auto failed = fetch(begun.id);
    EXPECT_EQ(failed.state, State::failed) << text_of(verdict);
    EXPECT_EQ(failed.failure, "the processor does not answer");
    EXPECT_TRUE(differences(failed).empty());
    EXPECT_EQ(bank_->asked, 10) << "once for each try";
    EXPECT_EQ(check(day_).state, State::clean) << "at a bank that answers";
  }
}

TEST_F(SettlementQuestions, AboutWhatCameBackNeedNoListThatHasIt) {
  const auto refund = world_.give_back(shop_, world_.sell(shop_, 5'000), 1'200);
  world_.run_jobs();
  const auto key = key_of(refund.id.uuid, shop_.merchant);
  change_theirs(key, "state = 'declined', reason = 'returned', moved_at = NULL");
  const processors::Event event{
      "evt_" + random_token(12), Operation::refund, key, {Verdict::declined, "", "returned", ""}};
  world_.transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
  world_.run_jobs();
  ASSERT_EQ(sql("SELECT count(*) FROM bottega.attempts WHERE returned_at IS NOT NULL"), "1");
  const auto checked = check_tomorrow();
  EXPECT_EQ(checked.state, State::clean);
  for (const auto& one : differences(checked)) ADD_FAILURE() << to_json(one).dump();
}

}  // namespace settlements_questions_test
}  // namespace bottega::test
