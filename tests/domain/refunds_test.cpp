// Refunds: carried to their end once, whatever is lost on the way.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace refunds_test {

using namespace std::chrono_literals;
using payments::RefundState, payments::State;
using processors::MovementState, processors::Operation, processors::Outcome, processors::Verdict;

class Refunds : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    shop_ = world_->shop();
    world_->payment_rules.call_timeout = 10'000ms;
  }

  // Sells, and cancels: the refund is written down and not yet carried out.
  payments::Refund begin(std::int64_t amount) {
    order_ = world_->sell(shop_, amount);
    world_->deliver_webhooks();
    return world_->cancel(shop_, order_).refund.value();
  }
  payments::Refund now(const payments::Refund& refund) const {
    const auto all = world_->transact(
        [&](Tx& tx) { return payments::list_refunds(tx, shop_.buyer, refund.payment_id); });
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }
  payments::Payment payment() const {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_payment(tx, shop_.owner, order_.payment_id); });
  }
  payments::Refund settle(const payments::Refund& refund, const Outcome& outcome) const {
    return world_->transact([&](Tx& tx) {
      return payments::settle_refund(tx, shop_.merchant, refund.id, outcome, world_->payment_rules);
    });
  }
  void carry_out(const payments::Refund& refund) const {
    run(payments::refund(world_->db, world_->registry, shop_.merchant, refund.id,
                         world_->payment_rules));
  }
  std::string key_of(const payments::Refund& refund) const {
    return world_->transact([&](Tx& tx) {
      return attempts::lock_latest(tx, shop_.merchant, refund.id.uuid, 1s).key();
    });
  }
  std::vector<processors::BookEntry> books_of(const payments::Refund& refund) const {
    auto all = world_->books();
    const auto key = key_of(refund);
    std::erase_if(all, [&](const auto& entry) { return entry.key != key; });
    return all;
  }
  std::int64_t held() const {
    for (const auto& row : world_->transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == ledger::Kind::held) return row.credits - row.debits;
    return 0;
  }
  ledger::Transfer from_held(const payments::RefundId& refund, std::int64_t amount) const {
    return ledger::transfer_within(shop_.merchant, ledger::Why::refund, refund.uuid,
                                   ledger::Kind::held, ledger::Kind::processor_clearing,
                                   Money{amount, order_.total.currency});
  }
  std::vector<std::string> refund_news() const {
    std::vector<std::string> names;
    const auto log = world_->transact([&](Tx& tx) {
      return conversations::log_of(tx, shop_.merchant, shop_.conversation, 0, 1'000);
    });
    for (const auto& entry : log)
      if (entry.event.starts_with("refund.")) names.push_back(entry.event);
    return names;
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
  orders::Order order_;
};
using News = std::vector<std::string>;

TEST_F(Refunds, GiveBackWhatWasCaptured) {
  const auto refund = begin(5'400);
  EXPECT_EQ(held(), 5'400);
  carry_out(refund);
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(payment().state, State::refunded);
  EXPECT_EQ(payment().refunded, 5'400);
  EXPECT_EQ(held(), 0);
  const auto books = books_of(refund);
  ASSERT_EQ(books.size(), 1u);
  EXPECT_EQ(books[0].operation, Operation::refund);
  EXPECT_EQ(books[0].amount, refund.amount);
  EXPECT_EQ(now(refund).reference, books[0].reference);
  EXPECT_EQ(refund_news(), (News{"refund.created", "refund.succeeded"}));
}

TEST_F(Refunds, WhoseAnswerIsLostAreAskedAboutAndNotMadeTwice) {
  const auto refund = begin(2'017);  // ends in 17: done, and no answer comes
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::unknown);
  EXPECT_EQ(payment().state, State::captured);
  EXPECT_EQ(held(), 2'017) << "nothing is posted on a guess";
  world_->advance(6s);
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(payment().state, State::refunded);
  EXPECT_EQ(held(), 0);
  EXPECT_EQ(books_of(refund).size(), 1u);
  EXPECT_EQ(refund_news(), (News{"refund.created", "refund.succeeded"}));
}

TEST_F(Refunds, WhoseAnswerIsLostMayBeSettledByTheWebhook) {
  const auto refund = begin(3'017);
  EXPECT_THROW(carry_out(refund), Error);
  ASSERT_EQ(now(refund).state, RefundState::unknown);
  EXPECT_GE(world_->deliver_webhooks(), 1);
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  world_->advance(1h);
  world_->run_jobs();  // the job that still wanted to know
  EXPECT_EQ(payment().refunded, 3'017);
  EXPECT_EQ(books_of(refund).size(), 1u);
}

TEST_F(Refunds, HeardOfTwiceChangeNothing) {
  const auto refund = begin(1'800);
  carry_out(refund);
  const auto once = to_json(now(refund));
  const Outcome same{Verdict::succeeded, *now(refund).reference, "", ""};
  EXPECT_EQ(settle(refund, same).state, RefundState::succeeded);
  carry_out(refund);
  world_->deliver_webhooks();
  world_->run_jobs();
  auto again = to_json(now(refund));
  again["updated_at"] = once.at("updated_at");
  EXPECT_EQ(again, once);
  EXPECT_EQ(payment().refunded, 1'800);
  EXPECT_EQ(held(), 0);
  EXPECT_EQ(books_of(refund).size(), 1u);
  EXPECT_EQ(refund_news(), (News{"refund.created", "refund.succeeded"}));
}

TEST_F(Refunds, AreSentAgainUnderTheSameKeyAfterADeathBeforeTheCall) {
  const auto refund = begin(2'600);
  const auto key = key_of(refund);
  world_->payment_rules.call_timeout = 0ms;  // so that the call counts as lost
  world_->run_jobs();
  EXPECT_EQ(now(refund).state, RefundState::succeeded);
  EXPECT_EQ(key_of(refund), key);
  EXPECT_EQ(books_of(refund).size(), 1u);
}

TEST_F(Refunds, AreFoundAfterADeathBehindTheCall) {
  for (const auto timeout : {0ms, 10'000ms}) {  // asked about, or sent again: both find the one
    const auto refund = begin(2'700);
    const processors::Refund call{key_of(refund), refund.amount, *payment().reference, ""};
    ASSERT_EQ(run(world_->sandbox.refund(call)).verdict, Verdict::succeeded);
    world_->payment_rules.call_timeout = timeout;
    world_->run_jobs();
    EXPECT_EQ(now(refund).state, RefundState::succeeded);
    EXPECT_EQ(books_of(refund).size(), 1u);
    EXPECT_EQ(payment().refunded, 2'700);
  }
  EXPECT_EQ(held(), 0);
}

TEST_F(Refunds, ThatTheProcessorRefusesLeaveTheMoneyHeld) {
  const auto refund = begin(2'800);
  settle(refund, {Verdict::declined, "srf_x", "charge_expired", ""});
  EXPECT_EQ(now(refund).state, RefundState::failed);
  EXPECT_EQ(payment().state, State::captured);
  EXPECT_EQ(payment().refunded, 0);
  EXPECT_EQ(held(), 2'800);
  EXPECT_EQ(refund_news(), (News{"refund.created", "refund.failed"}));
  world_->run_jobs();
  EXPECT_TRUE(books_of(refund).empty()) << "a definite no is not tried again by itself";
}

TEST_F(Refunds, AreSeenByTheTwoSidesOnly) {
  const auto refund = begin(2'900);
  const auto seen_by = [&](const identity::Who& who) {
    return world_
        ->transact([&](Tx& tx) { return payments::list_refunds(tx, who, refund.payment_id); })
        .size();
  };
  EXPECT_EQ(seen_by(shop_.buyer), 1u);
  EXPECT_EQ(seen_by(shop_.owner), 1u);
  EXPECT_THROW(seen_by(world_->person()), Error);
}

// ---- every state x every verdict ----------------------------------------------------------------

const std::map<std::string, Outcome> kOutcomes = {
    {"succeeded", {Verdict::succeeded, "srf_1", "", ""}},
    {"declined", {Verdict::declined, "srf_1", "charge_expired", ""}},
    {"refused", {Verdict::refused, "", "bad_request", ""}},
    {"pending", {Verdict::pending, "srf_1", "", ""}},
    {"unknown", {}}};
// "!" where the news contradicts what is known.
const std::map<std::string, std::map<std::string, std::string>> kAfter = {
    {"pending",
     {{"succeeded", "succeeded"},
      {"declined", "failed"},
      {"refused", "failed"},
      {"pending", "pending"},
      {"unknown", "unknown"}}},
    {"unknown",
     {{"succeeded", "succeeded"},
      {"declined", "failed"},
      {"refused", "failed"},
      {"pending", "pending"},
      {"unknown", "unknown"}}},
    {"succeeded",
     {{"succeeded", "succeeded"},
      {"declined", "!"},
      {"refused", "!"},
      {"pending", "succeeded"},
      {"unknown", "succeeded"}}},
    {"failed",
     {{"succeeded", "!"},
      {"declined", "failed"},
      {"refused", "failed"},
      {"pending", "failed"},
      {"unknown", "failed"}}}};

class RefundNews : public Refunds,
                   public ::testing::WithParamInterface<std::tuple<std::string, std::string>> {};

TEST_P(RefundNews, MovesItAsTheTableSaysOrIsRefused) {
  const auto& from = std::get<0>(GetParam());
  const auto& news = kOutcomes.at(std::get<1>(GetParam()));
  const auto expected = kAfter.at(from).at(std::get<1>(GetParam()));
  const auto refund = begin(1'000);
  if (from == "failed")
    settle(refund, kOutcomes.at("declined"));
  else if (from != "pending")
    settle(refund, kOutcomes.at(from));
  ASSERT_EQ(text_of(now(refund).state), from);
  const auto before = to_json(now(refund));
  if (expected == "!") {
    try {
      settle(refund, news);
      ADD_FAILURE() << "a contradiction was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::conflict);
    }
    EXPECT_EQ(to_json(now(refund)), before);
  } else {
    settle(refund, news);
    settle(refund, news);  // hearing it again is fine
    EXPECT_EQ(text_of(now(refund).state), expected);
  }
  const bool is_back = expected == "succeeded" || (from == "succeeded" && expected == "!");
  EXPECT_EQ(payment().refunded, is_back ? 1'000 : 0);
  EXPECT_EQ(held(), is_back ? 0 : 1'000);
}

INSTANTIATE_TEST_SUITE_P(
    All, RefundNews,
    ::testing::Combine(::testing::Values("pending", "unknown", "succeeded", "failed"),
                       ::testing::Values("succeeded", "declined", "refused", "pending", "unknown")),
    [](const auto& row) { return std::get<0>(row.param) + "_then_" + std::get<1>(row.param); });

// ---- more than there is -------------------------------------------------------------------------

TEST_F(Refunds, OfMoreThanWasCapturedAreRefusedByTheDatabase) {
  const auto refund = begin(1'000);
  world_->sell(shop_, 5'000);
  const auto set = [&](std::int64_t refunded, std::int64_t refunding) {
    execute(world_->urls.app,
            "SET default_transaction_read_only = off; UPDATE bottega.payments SET refunded = " +
                std::to_string(refunded) + ", refunding = " + std::to_string(refunding) +
                " WHERE id = '" + uuid_text(order_.payment_id.uuid) + "'");
  };
  for (const auto& [refunded, refunding] :
       {std::pair{1'001, 0}, {0, 1'001}, {1, 1'000}, {-1, 0}, {0, -1}}) {
    try {
      set(refunded, refunding);
      ADD_FAILURE() << refunded << " and " << refunding << " were taken";
    } catch (const std::exception& refusal) {
      EXPECT_NE(std::string(refusal.what()).find("payments_"), std::string::npos) << refusal.what();
    }
  }
  EXPECT_NO_THROW(set(1'000, 0));
  // The row that is refused has the buyer's address, and the log must not say it.
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(settle(refund, {Verdict::succeeded, "srf_1", "", ""}), Error);
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("payments_"), std::string::npos) << log;
  EXPECT_EQ(log.find("Springfield"), std::string::npos) << log;
  EXPECT_EQ(held(), 6'000) << "the transfer was undone with the rest";
  set(0, 1'000);
}

// A second refund of the same payment, as no code of ours makes one; the money of another sale is
// held, so that the ledger has nothing against it.
TEST_F(Refunds, OfTheSamePaymentTwiceAreRefused) {
  const auto first = begin(1'000);
  carry_out(first);
  world_->sell(shop_, 5'000);
  const auto second = payments::RefundId::make();
  execute(world_->urls.superuser,
          "INSERT INTO bottega.refunds (merchant_id, id, payment_id, order_id, amount, currency, "
          "reason, state, created_at, updated_at) SELECT merchant_id, '" +
              uuid_text(second.uuid) +
              "', payment_id, order_id, amount, currency, reason, 'pending', created_at, "
              "updated_at FROM bottega.refunds WHERE id = '" +
              uuid_text(first.id.uuid) + "'");
  const auto settle_second = [&](Tx& tx) {
    attempts::begin(tx, shop_.merchant, Operation::refund, second.uuid, {"sandbox", "sac_1"},
                    first.amount);
    ledger::pend(tx, from_held(second, 1'000));
    const Outcome yes{Verdict::succeeded, "srf_2", "", ""};
    payments::settle_refund(tx, shop_.merchant, second, yes, world_->payment_rules);
  };
  try {
    world_->transact(settle_second);
    ADD_FAILURE() << "the buyer got it twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
  EXPECT_EQ(payment().refunded, 1'000);
  EXPECT_EQ(held(), 5'000);
}

TEST_F(Refunds, OfMoreThanIsHeldAreRefusedByTheLedger) {
  const auto refund = begin(1'000);
  const auto other = payments::RefundId::make();
  const auto pend = [&](const payments::RefundId& id, std::int64_t amount) {
    world_->transact([&](Tx& tx) { ledger::pend(tx, from_held(id, amount)); });
  };
  EXPECT_THROW(pend(other, 1), Error) << "all of it is set aside already";
  EXPECT_NO_THROW(pend(refund.id, 1'000)) << "the same again is the same transfer";
  EXPECT_THROW(pend(refund.id, 999), Error) << "another transfer for the same cause";
  EXPECT_EQ(held(), 1'000);
  carry_out(refund);
  EXPECT_EQ(held(), 0);
  EXPECT_THROW(pend(other, 1), Error);
}

TEST_F(Refunds, OfMoreThanWasChargedAreRefusedByTheProcessor) {
  const auto refund = begin(1'000);
  const auto ask = [&](const std::string& key, std::int64_t amount) {
    const processors::Refund call{key, Money{amount, refund.amount.currency}, *payment().reference,
                                  ""};
    return run(world_->sandbox.refund(call));
  };
  EXPECT_EQ(ask(key_of(refund) + "a", 600).verdict, Verdict::succeeded);
  const auto too_much = ask(key_of(refund) + "b", 401);
  EXPECT_EQ(too_much.verdict, Verdict::declined);
  EXPECT_EQ(too_much.reason, "charge_refunded_too_much");
  EXPECT_EQ(ask(key_of(refund) + "c", 400).verdict, Verdict::succeeded);
}

}  // namespace refunds_test
}  // namespace bottega::test
