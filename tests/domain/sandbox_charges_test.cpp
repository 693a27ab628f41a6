// Charges that come to the sandbox at once: each is made once, and is in its books when it is
// answered.
#include <gtest/gtest.h>

#include "support/at_once.hpp"
#include "support/pg_proxy.hpp"
#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace sandbox_charges_test {

using namespace std::chrono_literals;
using processors::Charge, processors::MovementState, processors::Outcome, processors::Sandbox,
    processors::Verdict;

class SandboxConcurrency : public ::testing::Test {
 protected:
  static processors::SandboxOptions patient() {
    auto options = World::default_options();
    options.answer_timeout = 10s;
    options.fee_basis_points = 100;
    return options;
  }
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>(patient());
    const auto shop = world_->shop();
    account_ = world_->transact([&](Tx& tx) {
      return identity::fetch_merchant(tx, shop.merchant).processor_account.value();
    });
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Charge a_charge(const std::string& token = "tok_approved", std::int64_t amount = 1'000,
                         const std::string& account = account_) {
    return {"key_" + random_token(12), {amount, parse_currency("USD")}, token, account, ""};
  }
  // All of them at once, on one thread; `then` is called as soon as one is answered.
  static std::vector<Outcome> charge(
      const std::vector<Charge>& calls,
      const std::function<void(const Charge&)>& then = [](const Charge&) {}) {
    Context io;
    std::vector<std::future<Outcome>> waiting;
    const auto one = [&](const Charge& call) -> asio::awaitable<Outcome> {
      auto outcome = co_await world_->sandbox.charge(call);
      then(call);
      co_return outcome;
    };
    for (const auto& call : calls)
      waiting.push_back(asio::co_spawn(*io, one(call), asio::use_future));
    io->run();
    std::vector<Outcome> outcomes;
    for (auto& each : waiting) outcomes.push_back(each.get());
    return outcomes;
  }
  static std::string sql(const std::string& text) { return execute(world_->urls.superuser, text); }
  static std::string entries(const std::string& key) {
    return sql("SELECT count(*) FROM sandbox.movements WHERE key = '" + key + "'");
  }
  static std::string told(const std::string& key) {
    return sql("SELECT count(*) FROM sandbox.events WHERE body::json ->> 'key' = '" + key + "'");
  }

  static inline std::unique_ptr<World> world_;
  static inline std::string account_;
};

TEST_F(SandboxConcurrency, MakesEachChargeOncePerKey) {
  std::vector<Charge> calls;
  for (int i = 0; i < 30; ++i) calls.push_back(a_charge("tok_approved", 1'000 + i));
  auto all = calls;
  for (int round = 0; round < 2; ++round) all.insert(all.end(), calls.begin(), calls.end());
  const auto outcomes = charge(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(outcomes[i].verdict, Verdict::succeeded) << i;
    EXPECT_EQ(outcomes[i].reference, outcomes[i % calls.size()].reference) << i;
    EXPECT_EQ(outcomes[i].amount, all[i].amount) << i;
    EXPECT_EQ(outcomes[i].fee, 10) << i;
  }
  for (const auto& call : calls) {
    EXPECT_EQ(entries(call.key), "1");
    EXPECT_EQ(told(call.key), "1");
  }
}

TEST_F(SandboxConcurrency, MakesOneChargeOfOneKeyWhoeverAsks) {
  for (int round = 0; round < 10; ++round) {
    const auto call = a_charge();
    std::mutex mutex;
    std::set<std::string> references;
    const auto ask = [&] {
      const auto outcome = run(world_->sandbox.charge(call));
      const std::lock_guard lock(mutex);
      references.insert(text_of(outcome.verdict) + ' ' + outcome.reference);
    };
    all_at_once({ask, ask, ask, ask});
    ASSERT_EQ(references.size(), 1u);
    EXPECT_TRUE(references.begin()->starts_with("succeeded sch_"));
    EXPECT_EQ(entries(call.key), "1");
    EXPECT_EQ(told(call.key), "1");
  }
}

TEST_F(SandboxConcurrency, AnswersEachByItsOwnRules) {
  const auto used = a_charge(), dead = a_charge();
  charge({used});
  run(world_->sandbox.cancel(dead.key));
  auto reused = used;
  reused.amount.amount += 1;
  const std::vector<Charge> calls = {a_charge(),
                                     a_charge("tok_declined"),
                                     a_charge("tok_insufficient_funds"),
                                     a_charge("tok_confirm"),
                                     a_charge("tok_bank"),
                                     a_charge("tok_of_nobody"),
                                     a_charge("tok_approved", 1'000, "sac_nobody"),
                                     a_charge("tok_declined", 1'000, "sac_nobody"),
                                     a_charge("tok_approved", 1'000, "platform"),
                                     reused,
                                     dead};
  std::vector<std::string> words;
  for (const auto& outcome : charge(calls))
    words.push_back(text_of(outcome.verdict) + ' ' + outcome.reason);
  const std::vector<std::string> expected = {"succeeded ",
                                             "declined card_declined",
                                             "declined insufficient_funds",
                                             "buyer_action ",
                                             "declined not_a_card",
                                             "declined unknown_payment_method",
                                             "declined account_not_active",
                                             "declined account_not_active",
                                             "succeeded ",
                                             "refused key_reused",
                                             "declined cancelled"};
  EXPECT_EQ(words, expected);
  for (const auto& call : calls) EXPECT_EQ(entries(call.key), "1") << call.method;
  for (const auto& call : calls) EXPECT_EQ(told(call.key), "1") << call.method;
}

// Whoever kills the process after an answer finds the charge: another connection sees it already.
TEST_F(SandboxConcurrency, HasWrittenDownWhatItAnswers) {
  std::vector<Charge> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(a_charge());
  int seen = 0;
  charge(calls, [&](const Charge& call) {
    EXPECT_EQ(entries(call.key), "1");
    EXPECT_EQ(told(call.key), "1");
    ++seen;
  });
  EXPECT_EQ(seen, 20);
  EXPECT_EQ(sql("SELECT count(*) FROM sandbox.events WHERE delivered_at IS NULL "
                "AND next_at > clock_timestamp() + interval '1 hour'"),
            "0")
      << "and another takes up the news soon";
}

// Its own database's answer may be lost at any moment of a commit.
TEST_F(SandboxConcurrency, FindsOutWhetherItHasWrittenSomethingDown) {
  PgProxy proxy(world_->urls.sandbox, {"sandbox.enter_charges", "sandbox.entered_charges"});
  DatabaseOptions options;
  options.url = proxy.url();
  options.schema = "sandbox";
  options.threads = 1;
  Database db(Sandbox::options_from(options), world_->clock);
  Sandbox sandbox(db, patient());
  for (const auto cut : {Cut::before, Cut::at_once, Cut::after}) {
    run(db.reachable());
    const auto call = a_charge();
    proxy.cut_next(cut);
    const auto outcome = run(sandbox.charge(call));
    EXPECT_TRUE(proxy.has_cut());
    EXPECT_EQ(outcome.verdict, Verdict::succeeded);
    EXPECT_EQ(sql("SELECT string_agg(reference, ' ') FROM sandbox.movements WHERE key = '" +
                  call.key + "'"),
              outcome.reference);
    EXPECT_EQ(told(call.key), "1");
  }
}

TEST_F(SandboxConcurrency, RemembersACardAndNotWhatItIsGoodFor) {
  const auto card = from_json<processors::Card>(
      {{"number", "4000 0000 0000 9995"}, {"month", 12}, {"year", 2031}, {"cvc", "123"}});
  const auto token = run(world_->sandbox.tokenize(card)).token;
  for (int i = 0; i < 2; ++i) {
    const auto call = a_charge(token);
    EXPECT_EQ(run(world_->sandbox.charge(call)).reason, "insufficient_funds");
  }
  const auto early = a_charge("tok_0123456789abcdef");
  EXPECT_EQ(run(world_->sandbox.charge(early)).reason, "unknown_payment_method");
}

}  // namespace sandbox_charges_test
}  // namespace bottega::test
