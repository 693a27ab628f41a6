// News of a payment: by the answer, by webhook, twice, late, out of order, false or contradictory.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace payments_news_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::Outcome, processors::Verdict;

class News : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static payments::Payment begin(const payments::Request& request) {
    const auto given = acceptance("tok_approved");
    return world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
    });
  }
  static Outcome call(const payments::Payment& payment, const std::string& token) {
    return run(payments::call(world_->db, world_->registry.get("sandbox"), shop_.merchant,
                              payment.id, token, "http://shop.example/back"));
  }
  // One charge is of one payment.
  static Outcome of_one(Outcome outcome, const std::string& what) {
    if (outcome.reference == "sch_test") outcome.reference += what;
    return outcome;
  }
  static payments::Accepted settle(const payments::Payment& payment, const Outcome& outcome) {
    const auto its_own = of_one(outcome, text_of(payment.id));
    return world_->transact([&](Tx& tx) {
      return payments::settle(tx, shop_.merchant, payment.id, its_own, world_->payment_rules);
    });
  }
  static payments::Accepted now(const payments::Payment& payment) {
    return world_->transact(
        [&](Tx& tx) { return payments::current(tx, shop_.merchant, payment.id); });
  }
  static std::string key_of(const payments::Payment& payment) {
    return world_->transact([&](Tx& tx) {
      return attempts::lock_latest(tx, shop_.merchant, payment.id.uuid, 1s).key();
    });
  }
  // As the webhook route keeps it; the job is run by the caller.
  static attempts::Seen keep(const processors::Event& event) {
    return world_->transact([&](Tx& tx) { return attempts::keep_event(tx, "sandbox", event); });
  }
  static processors::Event event_of(const std::string& key, const Outcome& outcome) {
    return {"evt_" + random_token(12), processors::Operation::charge, key, of_one(outcome, key)};
  }
  static std::int64_t captures_of(const payments::Payment& payment) {
    const auto orders =
        execute(world_->urls.superuser, "SELECT count(*) FROM bottega.orders WHERE payment_id = '" +
                                            uuid_text(payment.id.uuid) + "'");
    const auto posted = execute(world_->urls.superuser,
                                "SELECT count(*) FROM bottega.ledger_transfers WHERE about = '" +
                                    uuid_text(payment.id.uuid) + "'");
    EXPECT_EQ(orders, posted);
    return std::stoll(posted);
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- every state x every verdict ----------------------------------------------------------------

const Outcome kYes{Verdict::succeeded, "sch_test", "", ""};
const Outcome kAsk{Verdict::buyer_action, "sch_test", "", "http://page.example"};
const Outcome kNo{Verdict::declined, "sch_test", "card_declined", ""};
const Outcome kGone{Verdict::declined, "sch_test", "cancelled", ""};
const Outcome kWrong{Verdict::refused, "", "bad_request", ""};
const Outcome kLater{Verdict::pending, "sch_test", "", ""};
const Outcome kSilence{};

const std::map<std::string, Outcome> kOutcomes = {
    {"succeeded", kYes}, {"buyer_action", kAsk}, {"declined", kNo},    {"cancelled", kGone},
    {"refused", kWrong}, {"pending", kLater},    {"unknown", kSilence}};

// The state after the news, per state before it; "!" where the news contradicts what is known. What
// had failed is captured for nothing: its order is cancelled and it is on its way back.
const std::map<std::string, std::map<std::string, std::string>> kAfter = {
    {"created",
     {{"succeeded", "captured"},
      {"buyer_action", "requires_action"},
      {"declined", "failed"},
      {"cancelled", "voided"},
      {"refused", "failed"},
      {"pending", "unknown"},
      {"unknown", "unknown"}}},
    {"requires_action",
     {{"succeeded", "captured"},
      {"buyer_action", "requires_action"},
      {"declined", "failed"},
      {"cancelled", "voided"},
      {"refused", "failed"},
      {"pending", "requires_action"},
      {"unknown", "requires_action"}}},
    {"unknown",
     {{"succeeded", "captured"},
      {"buyer_action", "requires_action"},
      {"declined", "failed"},
      {"cancelled", "voided"},
      {"refused", "failed"},
      {"pending", "unknown"},
      {"unknown", "unknown"}}},
    {"captured",
     {{"succeeded", "captured"},
      {"buyer_action", "captured"},
      {"declined", "!"},
      {"cancelled", "!"},
      {"refused", "!"},
      {"pending", "captured"},
      {"unknown", "captured"}}},
    {"failed",
     {{"succeeded", "captured"},
      {"buyer_action", "failed"},
      {"declined", "failed"},
      {"cancelled", "failed"},
      {"refused", "failed"},
      {"pending", "failed"},
      {"unknown", "failed"}}},
    {"voided",
     {{"succeeded", "captured"},
      {"buyer_action", "voided"},
      {"declined", "voided"},
      {"cancelled", "voided"},
      {"refused", "voided"},
      {"pending", "voided"},
      {"unknown", "voided"}}},
};
const std::map<std::string, std::vector<Outcome>> kWayTo = {
    {"created", {}},      {"requires_action", {kAsk}}, {"unknown", {kSilence}},
    {"captured", {kYes}}, {"failed", {kNo}},           {"voided", {kAsk, kGone}}};

class StateNews : public News,
                  public ::testing::WithParamInterface<std::tuple<std::string, std::string>> {};

TEST_P(StateNews, MovesThePaymentAsTheTableSaysOrIsRefused) {
  const auto& from = std::get<0>(GetParam());
  const auto& news = kOutcomes.at(std::get<1>(GetParam()));
  const auto expected = kAfter.at(from).at(std::get<1>(GetParam()));
  const auto payment = begin(world_->ask(shop_));
  for (const auto& step : kWayTo.at(from)) settle(payment, step);
  const auto before = now(payment);
  ASSERT_EQ(text_of(before.payment.state), from);
  const auto seq = world_->last_seq(shop_);
  if (expected == "!") {
    try {
      settle(payment, news);
      ADD_FAILURE() << "a contradiction was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::conflict);
    }
    EXPECT_EQ(to_json(now(payment)), to_json(before)) << "and changes nothing";
    EXPECT_EQ(world_->last_seq(shop_), seq);
    return;
  }
  EXPECT_EQ(text_of(settle(payment, news).payment.state), expected);
  const bool is_news = expected != from && expected != "unknown";
  const bool is_late = expected == "captured" && (from == "failed" || from == "voided");
  const int told_of_capture = is_late ? 3 : 2;
  EXPECT_EQ(world_->last_seq(shop_),
            seq + (is_news ? (expected == "captured" ? told_of_capture : 1) : 0));
  EXPECT_EQ(now(payment).payment.refunding, is_late ? payment.amount.amount : 0);
  EXPECT_EQ(captures_of(payment), expected == "captured" ? 1 : 0);
  // And once more: hearing it again changes nothing.
  const auto told = world_->last_seq(shop_);
  settle(payment, news);
  EXPECT_EQ(text_of(now(payment).payment.state), expected);
  EXPECT_EQ(world_->last_seq(shop_), told);
  EXPECT_EQ(captures_of(payment), expected == "captured" ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, StateNews,
    ::testing::Combine(::testing::Values("created", "requires_action", "unknown", "captured",
                                         "failed", "voided"),
                       ::testing::Values("succeeded", "buyer_action", "declined", "cancelled",
                                         "refused", "pending", "unknown")),
    [](const auto& row) { return std::get<0>(row.param) + "_then_" + std::get<1>(row.param); });

// ---- webhooks -----------------------------------------------------------------------------------

TEST_F(News, ByWebhookBeforeTheAnswerIsEnough) {
  const auto payment = begin(world_->ask(shop_));
  const auto answer = call(payment, "tok_approved");
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
  const auto seq = world_->last_seq(shop_);
  const auto late = settle(payment, answer);
  EXPECT_EQ(late.payment.state, State::captured);
  EXPECT_TRUE(late.order);
  EXPECT_EQ(captures_of(payment), 1);
  EXPECT_EQ(world_->last_seq(shop_), seq);
}

TEST_F(News, ByWebhookBeforeAnAnswerThatNeverCameIsEnough) {
  const auto payment = begin(world_->ask(shop_));
  call(payment, "tok_approved");
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(settle(payment, Outcome{}).payment.state, State::captured);
  EXPECT_EQ(captures_of(payment), 1);
}

TEST_F(News, ByWebhookAfterTheAnswerChangesNothing) {
  const auto payment = world_->pay(shop_, world_->ask(shop_)).payment;
  const auto before = now(payment);
  const auto seq = world_->last_seq(shop_);
  EXPECT_GE(world_->deliver_webhooks(), 1);
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_EQ(to_json(now(payment).order), to_json(before.order));
  EXPECT_EQ(captures_of(payment), 1);
  EXPECT_EQ(world_->last_seq(shop_), seq);
}

TEST_F(News, ByTheSameWebhookTwiceIsKeptOnce) {
  const auto payment = begin(world_->ask(shop_));
  const auto event = event_of(key_of(payment), kYes);
  EXPECT_EQ(keep(event), attempts::Seen::first);
  EXPECT_EQ(keep(event), attempts::Seen::again);
  EXPECT_EQ(now(payment).payment.state, State::created) << "kept first, handled by a job";
  world_->run_jobs();
  EXPECT_EQ(keep(event), attempts::Seen::again);
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_EQ(captures_of(payment), 1);
}

TEST_F(News, OutOfOrderEndsInTheSameState) {
  const auto payment = begin(world_->ask(shop_));
  const auto key = key_of(payment);
  for (const auto& outcome : {kYes, kAsk, kLater, kYes}) {
    keep(event_of(key, outcome));
    world_->run_jobs();
  }
  const auto done = now(payment);
  EXPECT_EQ(done.payment.state, State::captured);
  EXPECT_FALSE(done.payment.action_url) << "nobody is sent to a page for what is paid";
  EXPECT_EQ(captures_of(payment), 1);
}

TEST_F(News, OfAnOldTryDoesNotTouchTheNextOne) {
  const auto request = world_->ask(shop_);
  const auto first = begin(request);
  const auto key = key_of(first);
  settle(first, kNo);
  const auto second = begin(request);
  keep(event_of(key, kNo));
  keep(event_of(key, kAsk));
  world_->run_jobs();
  EXPECT_EQ(now(second).payment.state, State::created);
  EXPECT_EQ(now(second).payment_request.state, RequestState::paying);
  EXPECT_EQ(now(first).payment.state, State::failed);
}

TEST_F(News, ForAnUnknownKeyIsKeptAndMovesNothing) {
  const auto before = world_->transact([](Tx& tx) { return to_json(ops::trial_balance(tx)); });
  const auto stranger = text_of(attempts::AttemptId::make());
  for (const auto& key : {stranger, std::string("no key of ours"), std::string()}) {
    const auto event = event_of(key, kYes);
    EXPECT_EQ(keep(event), attempts::Seen::first);
    world_->run_jobs();
    EXPECT_EQ(execute(world_->urls.superuser,
                      "SELECT handled_at IS NULL FROM bottega.processor_events WHERE event_id = '" +
                          event.id + "'"),
              "t");
  }
  EXPECT_EQ(world_->transact([](Tx& tx) { return to_json(ops::trial_balance(tx)); }), before);
}

TEST_F(News, OfAnotherProcessorThanTheOneThatWasAskedMovesNothing) {
  const auto payment = begin(world_->ask(shop_));
  const auto event = event_of(key_of(payment), kYes);
  world_->transact([&](Tx& tx) { attempts::keep_event(tx, "other", event); });
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::created);
  EXPECT_EQ(captures_of(payment), 0);
}

TEST_F(News, AboutAnotherKindOfThingThanTheKeyIsForMovesNothing) {
  const auto payment = begin(world_->ask(shop_));
  for (const auto operation : {processors::Operation::refund, processors::Operation::payout,
                               processors::Operation::onboarding}) {
    auto event = event_of(key_of(payment), kYes);
    event.operation = operation;
    keep(event);
    world_->run_jobs();
    EXPECT_EQ(now(payment).payment.state, State::created) << text_of(operation);
  }
  EXPECT_EQ(captures_of(payment), 0);
}

TEST_F(News, ThatContradictsIsNeitherTakenNorForgotten) {
  const auto payment = begin(world_->ask(shop_));
  settle(payment, kYes);
  const auto event = event_of(key_of(payment), kNo);
  keep(event);
  world_->run_jobs();
  EXPECT_EQ(now(payment).payment.state, State::captured);
  EXPECT_EQ(captures_of(payment), 1);
  EXPECT_NE(execute(world_->urls.superuser,
                    "SELECT last_error FROM bottega.jobs WHERE about = 'sandbox:" + event.id + "'"),
            "")
      << "ops sees it";
}

class LateNews : public News {
 protected:
  // Paid, cancelled and refunded.
  static payments::Payment refunded() {
    const auto payment = begin(world_->ask(shop_));
    const auto order = settle(payment, call(payment, "tok_approved")).order.value();
    world_->cancel(shop_, order);
    world_->run_jobs();
    EXPECT_EQ(now(payment).payment.state, State::refunded);
    return payment;
  }
};

TEST_F(LateNews, OfAPaymentThatIsRefundedBringsNothingBack) {
  const auto payment = refunded();
  const auto seq = world_->last_seq(shop_);
  for (const auto& outcome : {kYes, kLater, kSilence}) {
    const auto after = settle(payment, outcome);
    EXPECT_EQ(after.payment.state, State::refunded);
    EXPECT_EQ(after.payment.refunded, payment.amount.amount);
    EXPECT_EQ(after.order.value().state, orders::State::cancelled);
  }
  EXPECT_THROW(settle(payment, kNo), Error);
  EXPECT_EQ(world_->last_seq(shop_), seq);
  EXPECT_EQ(captures_of(payment), 1);
}

TEST_F(LateNews, ThatAskedForAConfirmationBeforeTheRefundIsHandled) {
  const auto payment = refunded();
  EXPECT_EQ(settle(payment, kAsk).payment.state, State::refunded);
}

TEST_F(LateNews, OfGivingUpWhatWasChargedAllTheSameChangesNothing) {
  for (const auto& gone : {kGone, kNo}) {
    const auto payment = begin(world_->ask(shop_));
    settle(payment, kAsk);
    settle(payment, gone);
    const auto overtaken = event_of(key_of(payment), gone);
    EXPECT_EQ(settle(payment, kYes).payment.state, State::captured);
    const auto before = now(payment);
    const auto seq = world_->last_seq(shop_);
    EXPECT_EQ(code_of([&] { settle(payment, kWrong); }), Code::conflict) << "another no";
    EXPECT_EQ(to_json(settle(payment, gone).payment), to_json(before.payment));
    EXPECT_EQ(world_->last_seq(shop_), seq);
    keep(overtaken);
    world_->run_jobs();
    EXPECT_EQ(
        execute(world_->urls.superuser,
                "SELECT count(*) FROM bottega.jobs WHERE about = 'sandbox:" + overtaken.id + "'"),
        "0");
    EXPECT_TRUE(now(payment).order.has_value());
    EXPECT_EQ(now(payment).order->state, orders::State::cancelled);
  }
}

}  // namespace payments_news_test
}  // namespace bottega::test
