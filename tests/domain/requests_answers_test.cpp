// Answering a request: every state against every answer, who may answer, and what ends by time.
#include <gtest/gtest.h>

#include <functional>

#include "support/world.hpp"

namespace bottega::test {
namespace requests_answers_test {

using namespace std::chrono_literals;
using payments::RequestState;
using processors::Verdict;

class Answers : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static payments::Payment begin(const identity::Who& who, const payments::Request& request) {
    const auto given = acceptance("tok_approved");
    return world_->transact(
        [&](Tx& tx) { return payments::begin(tx, who, request.id, given, world_->payment_rules); });
  }
  static payments::Request decline(const identity::Who& who, const payments::Request& request) {
    const payments::Refusal why{from_text<Text<1, 255>>("too dear")};
    return world_->transact([&](Tx& tx) { return payments::decline(tx, who, request.id, why); });
  }
  static payments::Request cancel(const identity::Who& who, const payments::Request& request) {
    const payments::Refusal why{from_text<Text<1, 255>>("sold out")};
    return world_->transact([&](Tx& tx) { return payments::cancel(tx, who, request.id, why); });
  }
  static void expire(const payments::Request& request) {
    world_->transact([&](Tx& tx) { payments::expire(tx, request.merchant_id, request.id); });
  }
  static RequestState state_of(const payments::Request& request) {
    return world_
        ->transact([&](Tx& tx) { return payments::fetch_request(tx, shop_.owner, request.id); })
        .state;
  }
  // A request that has come to the state.
  static payments::Request in_state(RequestState state) {
    const auto request = world_->ask(shop_);
    switch (state) {
      case RequestState::open:
        break;
      case RequestState::paying:
        begin(shop_.buyer, request);
        break;
      case RequestState::paid:
        world_->pay(shop_, request);
        break;
      case RequestState::declined:
        decline(shop_.buyer, request);
        break;
      case RequestState::cancelled:
        cancel(shop_.owner, request);
        break;
      case RequestState::expired:
        world_->advance(25h);
        expire(request);
        break;
    }
    EXPECT_EQ(state_of(request), state);
    return request;
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- every state x every answer -----------------------------------------------------------------

enum class Answer : std::uint8_t { accept, decline, cancel, expire };
BOOST_DESCRIBE_ENUM(Answer, accept, decline, cancel, expire)

class RequestAnswers : public Answers,
                       public ::testing::WithParamInterface<std::tuple<RequestState, Answer>> {
 protected:
  static std::optional<RequestState> expected(RequestState from, Answer answer) {
    if (from != RequestState::open) return std::nullopt;
    switch (answer) {
      case Answer::accept:
        return RequestState::paying;
      case Answer::decline:
        return RequestState::declined;
      case Answer::cancel:
        return RequestState::cancelled;
      case Answer::expire:
        return RequestState::expired;
    }
    return std::nullopt;
  }
  static void give(Answer answer, const payments::Request& request) {
    switch (answer) {
      case Answer::accept:
        begin(shop_.buyer, request);
        break;
      case Answer::decline:
        decline(shop_.buyer, request);
        break;
      case Answer::cancel:
        cancel(shop_.owner, request);
        break;
      case Answer::expire:
        expire(request);
        break;
    }
  }
};

TEST_P(RequestAnswers, MoveAnOpenRequestAndNoOther) {
  const auto [from, answer] = GetParam();
  const auto request = in_state(from);
  if (answer == Answer::expire) world_->advance(25h);
  const auto before = world_->last_seq(shop_);
  const auto to = expected(from, answer);
  if (to) {
    give(answer, request);
    EXPECT_EQ(state_of(request), *to);
    EXPECT_EQ(world_->last_seq(shop_), before + 1) << "the conversation is told once";
    return;
  }
  // The job that expires asks again while a payment is under way, and leaves what is final alone.
  if (answer == Answer::expire && from != RequestState::paying)
    expire(request);
  else
    EXPECT_EQ(code_of([&, given = answer] { give(given, request); }),
              answer == Answer::expire ? Code::busy : Code::conflict);
  EXPECT_EQ(state_of(request), from);
  EXPECT_EQ(world_->last_seq(shop_), before) << "what is refused changes nothing";
}

INSTANTIATE_TEST_SUITE_P(
    All, RequestAnswers,
    ::testing::Combine(
        ::testing::Values(RequestState::open, RequestState::paying, RequestState::paid,
                          RequestState::declined, RequestState::cancelled, RequestState::expired),
        ::testing::Values(Answer::accept, Answer::decline, Answer::cancel, Answer::expire)),
    [](const auto& row) {
      return text_of(std::get<0>(row.param)) + "_" + text_of(std::get<1>(row.param));
    });

// ---- who may answer -----------------------------------------------------------------------------

TEST_F(Answers, AreTheBuyersAlone) {
  const auto request = world_->ask(shop_);
  const auto rival = world_->person("Ria Rival");  // another buyer of the same shop
  world_->transact([&](Tx& tx) { conversations::open(tx, rival, {shop_.merchant}); });
  for (const auto& who : {rival, world_->person(), world_->staff()}) {
    EXPECT_EQ(code_of([&] { begin(who, request); }), Code::not_found);
    EXPECT_EQ(code_of([&] { decline(who, request); }), Code::not_found);
    EXPECT_EQ(code_of([&] { cancel(who, request); }), Code::not_found);
  }
  EXPECT_EQ(code_of([&] { begin(shop_.owner, request); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { decline(shop_.owner, request); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { cancel(shop_.buyer, request); }), Code::forbidden);
  EXPECT_EQ(state_of(request), RequestState::open);
}

TEST_F(Answers, AreNotGivenByAnApiKeyInTheBuyersName) {
  const auto request = world_->ask(shop_);
  auto key = shop_.buyer;  // a key that the buyer made somewhere else
  key.kind = identity::Kind::api_key;
  key.scopes = {identity::Scope::payments};
  EXPECT_EQ(code_of([&] { begin(key, request); }), Code::not_found);
  EXPECT_EQ(state_of(request), RequestState::open);
}

TEST_F(Answers, KeepTheReasonOfARefusal) {
  EXPECT_EQ(decline(shop_.buyer, world_->ask(shop_)).reason, "too dear");
  EXPECT_EQ(cancel(shop_.owner, world_->ask(shop_)).reason, "sold out");
  const auto silent = world_->ask(shop_);
  const auto declined =
      world_->transact([&](Tx& tx) { return payments::decline(tx, shop_.buyer, silent.id, {}); });
  EXPECT_FALSE(declined.reason);
}

TEST_F(Answers, NeedAnAddressWhereSomethingIsShipped) {
  const auto request = world_->ask(shop_);
  auto given = acceptance("tok_approved");
  given.ship_to.reset();
  const auto accept = [&](Tx& tx) {
    return payments::begin(tx, shop_.buyer, request.id, given, world_->payment_rules);
  };
  EXPECT_EQ(code_of([&] { world_->transact(accept); }), Code::invalid);
  EXPECT_EQ(state_of(request), RequestState::open);
  EXPECT_FALSE(world_->transact([&](Tx& tx) {
    return payments::find_alive(tx, shop_.merchant, request.id);
  })) << "no payment was begun";
}

TEST_F(Answers, NeedNoAddressWhereNothingIsShipped) {
  const auto given = from_json<payments::NewRequest>(
      {{"conversation_id", text_of(shop_.conversation)},
       {"title", "A poem"},
       {"description", "By mail"},
       {"currency", "USD"},
       {"lines", {{{"name", "Poem"}, {"quantity", 1}, {"unit_amount", 900}}}},
       {"shipping_address", "none"}});
  const auto request = world_->transact(
      [&](Tx& tx) { return payments::ask(tx, shop_.owner, given, world_->payment_rules); });
  auto accepted = acceptance("tok_approved");
  accepted.ship_to.reset();
  const auto payment = world_->transact([&](Tx& tx) {
    return payments::begin(tx, shop_.buyer, request.id, accepted, world_->payment_rules);
  });
  EXPECT_EQ(payment.state, payments::State::created);
  EXPECT_EQ(state_of(request), RequestState::paying);
}

// ---- time ---------------------------------------------------------------------------------------

TEST_F(Answers, ComeTooLateAfterTheTimeEvenBeforeTheJobHasRun) {
  const auto request = world_->ask(shop_);
  world_->advance(24h + 1s);
  EXPECT_EQ(code_of([&] { begin(shop_.buyer, request); }), Code::conflict);
  EXPECT_EQ(state_of(request), RequestState::open) << "the job says that it is over";
  world_->run_jobs();
  EXPECT_EQ(state_of(request), RequestState::expired);
}

TEST_F(Answers, StayPossibleUntilTheTimeIsOver) {
  const auto request = world_->ask(shop_);
  world_->clock.set_offset(world_->clock.offset() + (request.expires_at - world_->clock.now()) -
                           20s);
  world_->run_jobs();
  EXPECT_EQ(state_of(request), RequestState::open);
  world_->advance(21s);
  world_->run_jobs();
  EXPECT_EQ(state_of(request), RequestState::expired);
}

TEST_F(Answers, ExpireGivesUpAPaymentThatWaitsForTheBuyer) {
  const auto request = world_->ask(shop_);
  const auto waiting = world_->pay(shop_, request, "tok_confirm").payment;
  ASSERT_EQ(waiting.state, payments::State::requires_action);
  world_->advance(25h);
  world_->run_jobs();
  EXPECT_EQ(state_of(request), RequestState::expired);
  const auto given_up = world_->transact(
      [&](Tx& tx) { return payments::fetch_payment(tx, shop_.buyer, waiting.id); });
  EXPECT_EQ(given_up.state, payments::State::voided);
  EXPECT_FALSE(given_up.action_url);
  // The page is still open in a browser: it can do nothing any more.
  run(world_->sandbox.confirm(waiting.reference.value(), processors::Confirm::yes));
  world_->deliver_webhooks();
  world_->run_jobs();
  const auto entry = run(world_->sandbox.charge_page(waiting.reference.value()));
  EXPECT_EQ(entry.state, processors::MovementState::declined);
  EXPECT_EQ(entry.reason, "cancelled");
  EXPECT_EQ(state_of(request), RequestState::expired);
}

TEST_F(Answers, ExpireWaitsForAPaymentWhoseOutcomeIsUnknown) {
  const auto request = world_->ask(shop_);
  const auto payment = begin(shop_.buyer, request);
  run(payments::call(world_->db, world_->registry.get("sandbox"), shop_.merchant, payment.id,
                     "tok_approved", ""));  // charged, and we never heard the answer
  const processors::Outcome nothing;
  world_->transact([&](Tx& tx) {
    payments::settle(tx, shop_.merchant, payment.id, nothing, world_->payment_rules);
  });
  world_->advance(25h);
  EXPECT_EQ(code_of([&] { expire(request); }), Code::busy);
  world_->run_jobs();
  EXPECT_EQ(state_of(request), RequestState::paid) << "paid in time, though we learnt it late";
}

}  // namespace requests_answers_test
}  // namespace bottega::test
