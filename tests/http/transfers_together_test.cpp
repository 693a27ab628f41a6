// Transfers that arrive together are written together: each once, each with its own answer.
#include <barrier>
#include <future>
#include <set>
#include <thread>

#include "http/story.hpp"
#include "support/shared.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::test {
namespace transfers_together_test {

constexpr int kAtOnce = 24;

class Together : public testing::Test {
 protected:
  static void SetUpTestSuite() { house_ = new House({"log.level=warning"}); }
  static void TearDownTestSuite() { delete house_; }
  void SetUp() override {
    const Json charge = {
        {"amount", 10'000}, {"currency", "USD"}, {"payment_method", {{"token", "tok_approved"}}}};
    ASSERT_EQ(ada_.api.post("/v1/wallet/top_ups", charge).status, 201);
  }

  Json gift(std::int64_t amount) const {
    return {{"to", {{"account_id", ben_.id}}}, {"amount", amount}, {"currency", "USD"}};
  }
  // All of them at the same moment, each on a connection of its own.
  using Ask = std::function<Answer(int, Client&)>;
  std::vector<Answer> at_once(Person& who, const Ask& ask) {
    std::vector<Answer> answers(kAtOnce);
    std::barrier start(kAtOnce);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kAtOnce; ++i)
      threads.emplace_back([&, i, api = who.api]() mutable {
        start.arrive_and_wait();
        answers[static_cast<std::size_t>(i)] = ask(i, api);
      });
    threads.clear();
    return answers;
  }
  std::int64_t available(Person& who) {
    const auto balances = who.api.get("/v1/wallet").json()["balances"];
    return balances.empty() ? 0 : balances[0]["available"].get<std::int64_t>();
  }

  static inline House* house_ = nullptr;
  Person ada_ = person(house_->server, "Ada"), ben_ = person(house_->server, "Ben");
};

TEST_F(Together, ConcurrentRequestsWithOneKeyAreOneTransfer) {
  const auto key = new_key();
  const auto body = gift(100);
  const auto answers = at_once(ada_, [&](int, Client& api) {
    return api.post("/v1/transfers", body, {{"Idempotency-Key", key}});
  });
  std::set<std::string> ids;
  int fresh = 0;
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.status, 201) << answer.body;
    ids.insert(answer.json()["id"]);
    if (answer.header("idempotent-replayed").empty()) ++fresh;
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(available(ada_), 9'900);
}

TEST_F(Together, ConcurrentRequestsWithOneKeyAndOtherBodiesAreRefused) {
  const auto key = new_key();
  const auto answers = at_once(ada_, [&](int i, Client& api) {
    return api.post("/v1/transfers", gift(100 + i), {{"Idempotency-Key", key}});
  });
  int sent = 0;
  for (const auto& answer : answers) {
    if (answer.status == 201)
      ++sent;
    else
      EXPECT_TRUE(is_problem(answer, 422, "idempotency_key_reused")) << answer.body;
  }
  EXPECT_EQ(sent, 1);
}

TEST_F(Together, ConcurrentSpendingEndsWhereTheBalanceDoes) {
  const auto answers =
      at_once(ada_, [&](int, Client& api) { return api.post("/v1/transfers", gift(1'000)); });
  int sent = 0;
  for (const auto& answer : answers) {
    if (answer.status == 201) ++sent;
    if (answer.status == 201) continue;
    EXPECT_TRUE(is_problem(answer, 409, "conflict"));
    EXPECT_EQ(answer.json()["reason"], "insufficient_balance");
  }
  EXPECT_EQ(sent, 10);
  EXPECT_EQ(available(ada_), 0);
}

TEST_F(Together, ConcurrentAnswersToOneTransferHaveOneOutcome) {
  const auto path =
      "/v1/transfers/" + ada_.api.post("/v1/transfers", gift(500)).json()["id"].get<std::string>();
  const auto answers = at_once(ben_, [&](int i, Client& api) {
    return api.post(path + (i % 2 == 0 ? "/accept" : "/decline"));
  });
  int done = 0;
  for (const auto& answer : answers) {
    if (answer.status == 200)
      ++done;
    else
      EXPECT_TRUE(is_problem(answer, 409, "conflict")) << answer.body;
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(available(ada_) + available(ben_), 10'000);
}

// Somebody else holds the balance of one: only what is of that one waits.
TEST_F(Together, ConcurrentTransfersWaitOnlyForTheirOwnLocks) {
  auto cleo = person(house_->server, "Cleo");
  const Json charge = {
      {"amount", 10'000}, {"currency", "USD"}, {"payment_method", {{"token", "tok_approved"}}}};
  ASSERT_EQ(cleo.api.post("/v1/wallet/top_ups", charge).status, 201);
  DatabaseOptions options;
  options.url = house_->urls.superuser;
  options.threads = 1;
  const Clock clock;
  Database other(options, clock);
  std::promise<void> held, release;
  std::jthread holder([&] {
    other.transact_blocking([&](Tx& tx) {
      ledger::lock_owner(tx, ledger::owner_of(from_text<identity::AccountId>(ada_.id)));
      held.set_value();
      release.get_future().wait();
    });
  });
  held.get_future().wait();
  Answer waited;
  std::jthread waiting(
      [&, api = ada_.api]() mutable { waited = api.post("/v1/transfers", gift(100)); });
  for (int i = 0; i < 3; ++i) {
    const auto sent = cleo.api.post("/v1/transfers", gift(100));
    EXPECT_EQ(sent.status, 201) << sent.body;
  }
  release.set_value();
  waiting.join();
  EXPECT_EQ(waited.status, 201) << waited.body;
}

TEST_F(Together, ARefusalLeavesItsKeyFree) {
  const auto key = new_key();
  const auto post = [&] {
    return ben_.api.post("/v1/transfers",
                         {{"to", {{"account_id", ada_.id}}}, {"amount", 70}, {"currency", "USD"}},
                         {{"Idempotency-Key", key}});
  };
  EXPECT_TRUE(is_problem(post(), 409, "conflict"));
  const auto path =
      "/v1/transfers/" + ada_.api.post("/v1/transfers", gift(500)).json()["id"].get<std::string>();
  EXPECT_EQ(ben_.api.post(path + "/accept").status, 200);
  const auto now = post();
  EXPECT_EQ(now.status, 201) << now.body;
  EXPECT_EQ(post().body, now.body);
}

}  // namespace transfers_together_test
}  // namespace bottega::test
