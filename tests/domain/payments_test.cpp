// One try to pay, with every card of the sandbox: what is written, what is posted, what is charged.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace payments_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::MovementState;

class Payments : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }

  static payments::Accepted now(const Shop& shop, const payments::Payment& payment) {
    return world_->transact(
        [&](Tx& tx) { return payments::current(tx, shop.merchant, payment.id); });
  }
  // The processor's books on a payment.
  static std::vector<processors::BookEntry> charges_of(const payments::Payment& payment) {
    const auto key = world_->transact([&](Tx& tx) {
      return attempts::lock_latest(tx, payment.merchant_id, payment.id.uuid, 1s).key();
    });
    auto all = world_->books();
    std::erase_if(all, [&](const auto& entry) { return entry.key != key; });
    return all;
  }
  // What an account of the shop holds; clearing is ours and grows on the other side.
  static std::int64_t balance(const Shop& shop, ledger::Kind kind) {
    const auto all = world_->transact(
        [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); });
    for (const auto& row : all)
      if (row.kind == kind)
        return kind == ledger::Kind::processor_clearing ? row.debits - row.credits
                                                        : row.credits - row.debits;
    return 0;
  }

  static inline std::unique_ptr<World> world_;
};

// ---- the cards ----------------------------------------------------------------------------------

struct CardRow {
  const char* token;
  State payment;
  const char* reason;
  RequestState request;
  std::optional<MovementState> books;
  friend std::ostream& operator<<(std::ostream& out, const CardRow& row) {
    return out << row.token;
  }
};
class Cards : public Payments, public ::testing::WithParamInterface<CardRow> {};

TEST_P(Cards, LeaveEverythingAsTheProcessorHasIt) {
  const auto& row = GetParam();
  const auto shop = world_->shop();
  const auto request = world_->ask(shop, 4'200);
  const auto accepted = world_->pay(shop, request, row.token);
  const bool is_paid = row.payment == State::captured;
  EXPECT_EQ(accepted.payment.state, row.payment);
  EXPECT_EQ(accepted.payment.reason.value_or(""), row.reason);
  EXPECT_EQ(accepted.payment.amount, request.total);
  EXPECT_EQ(accepted.payment_request.state, row.request);
  EXPECT_EQ(accepted.order.has_value(), is_paid);
  EXPECT_EQ(accepted.payment.action_url.has_value(), row.payment == State::requires_action);
  const auto kept = now(shop, accepted.payment);
  EXPECT_EQ(to_json(kept), to_json(accepted)) << "what was answered is what is kept";
  EXPECT_EQ(balance(shop, ledger::Kind::held), is_paid ? 4'200 : 0);
  EXPECT_EQ(balance(shop, ledger::Kind::processor_clearing), is_paid ? 4'200 : 0);
  const auto charges = charges_of(accepted.payment);
  ASSERT_EQ(charges.size(), row.books ? 1u : 0u);
  if (row.books) {
    EXPECT_EQ(charges[0].state, *row.books);
    EXPECT_EQ(charges[0].amount, request.total);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, Cards,
    ::testing::Values(
        CardRow{"tok_approved", State::captured, "", RequestState::paid, MovementState::succeeded},
        CardRow{"tok_slow", State::captured, "", RequestState::paid, MovementState::succeeded},
        CardRow{"tok_declined", State::failed, "card_declined", RequestState::open,
                MovementState::declined},
        CardRow{"tok_insufficient_funds", State::failed, "insufficient_funds", RequestState::open,
                MovementState::declined},
        CardRow{"tok_of_nobody", State::failed, "unknown_payment_method", RequestState::open,
                MovementState::declined},
        CardRow{"tok_confirm", State::requires_action, "", RequestState::paying,
                MovementState::needs_confirmation},
        CardRow{"tok_no_answer", State::unknown, "", RequestState::paying, std::nullopt},
        CardRow{"tok_answer_lost", State::unknown, "", RequestState::paying,
                MovementState::succeeded}),
    [](const auto& row) { return std::string(row.param.token); });

TEST_F(Payments, MakeAnOrderOfWhatWasAskedFor) {
  const auto shop = world_->shop();
  const auto request = world_->ask(shop, 1'250);
  const auto order = world_->pay(shop, request).order.value();
  EXPECT_EQ(order.state, orders::State::paid);
  EXPECT_EQ(order.total, request.total);
  EXPECT_EQ(order.title, request.title);
  EXPECT_EQ(to_json(order.lines), to_json(request.lines));
  EXPECT_EQ(order.buyer_id, shop.buyer.account);
  EXPECT_EQ(to_json(order.ship_to), to_json(an_address()));
  EXPECT_FALSE(order.shipped_at);
}

TEST_F(Payments, OfADeclinedCardCanBeTriedAgainWithAnother) {
  const auto shop = world_->shop();
  const auto request = world_->ask(shop, 900);
  const auto first = world_->pay(shop, request, "tok_declined");
  const auto second = world_->pay(shop, request, "tok_insufficient_funds");
  const auto third = world_->pay(shop, request, "tok_approved");
  EXPECT_NE(first.payment.id, second.payment.id);
  EXPECT_EQ(third.payment.state, State::captured);
  EXPECT_EQ(third.payment_request.state, RequestState::paid);
  EXPECT_FALSE(third.payment_request.reason) << "the old reason is gone";
  EXPECT_EQ(now(shop, first.payment).payment.state, State::failed) << "its own story is kept";
  EXPECT_EQ(balance(shop, ledger::Kind::held), 900);
}

TEST_F(Payments, UnderWayKeepASecondOneOut) {
  const auto shop = world_->shop();
  for (const auto* token : {"tok_confirm", "tok_no_answer"}) {
    const auto request = world_->ask(shop, 900);
    world_->pay(shop, request, token);
    EXPECT_THROW(world_->pay(shop, request), Error) << token;
    const auto alive = world_->transact(
        [&](Tx& tx) { return payments::find_alive(tx, shop.merchant, request.id); });
    EXPECT_TRUE(alive) << token;
  }
  EXPECT_EQ(balance(shop, ledger::Kind::held), 0);
}

TEST_F(Payments, AreOneAliveForARequestByTheDatabaseItself) {
  const auto shop = world_->shop();
  const auto paid = world_->pay(shop, world_->ask(shop)).payment;
  const auto copy =
      "INSERT INTO bottega.payments SELECT merchant_id, gen_random_uuid(), payment_request_id, "
      "conversation_id, buyer_id, amount, currency, 0, '%', processor, NULL, NULL, NULL, NULL, "
      "created_at, updated_at FROM bottega.payments WHERE id = '" +
      uuid_text(paid.id.uuid) + "'";
  auto alive = copy, dead = copy;
  alive.replace(copy.find('%'), 1, "created");
  dead.replace(copy.find('%'), 1, "failed");
  const auto as_app = [&](const std::string& sql) {
    execute(world_->urls.app, "SET default_transaction_read_only = off; " + sql);
  };
  try {
    as_app(alive);
    ADD_FAILURE() << "a second living payment was taken";
  } catch (const std::exception& refusal) {
    EXPECT_NE(std::string(refusal.what()).find("payments_one_alive"), std::string::npos)
        << refusal.what();
  }
  EXPECT_NO_THROW(as_app(dead)) << "a failed one is no obstacle";
}

// ---- the buyer's confirmation -------------------------------------------------------------------

class Confirmations : public Payments {
 protected:
  void SetUp() override {
    shop_ = world_->shop();
    request_ = world_->ask(shop_, 3'300);
    waiting_ = world_->pay(shop_, request_, "tok_confirm").payment;
    ASSERT_EQ(waiting_.state, State::requires_action);
  }
  void answer(processors::Confirm answer) const {
    run(world_->sandbox.confirm(waiting_.reference.value(), answer));
    world_->deliver_webhooks();
    world_->run_jobs();
  }

  Shop shop_;
  payments::Request request_;
  payments::Payment waiting_;
};

TEST_F(Confirmations, MoveNothingUntilTheBuyerHasSaidYes) {
  EXPECT_EQ(balance(shop_, ledger::Kind::held), 0);
  answer(processors::Confirm::yes);
  const auto done = now(shop_, waiting_);
  EXPECT_EQ(done.payment.state, State::captured);
  EXPECT_EQ(done.payment_request.state, RequestState::paid);
  EXPECT_TRUE(done.order);
  EXPECT_FALSE(done.payment.action_url);
  EXPECT_EQ(balance(shop_, ledger::Kind::held), 3'300);
}

TEST_F(Confirmations, ThatAreRefusedOpenTheRequestAgain) {
  answer(processors::Confirm::no);
  const auto done = now(shop_, waiting_);
  EXPECT_EQ(done.payment.state, State::failed);
  EXPECT_EQ(done.payment.reason, "buyer_refused");
  EXPECT_EQ(done.payment_request.state, RequestState::open);
  EXPECT_EQ(done.payment_request.reason, "buyer_refused");
  EXPECT_FALSE(done.order);
  answer(processors::Confirm::yes);  // the page of the browser's history
  EXPECT_EQ(now(shop_, waiting_).payment.state, State::failed);
  EXPECT_EQ(charges_of(waiting_).at(0).state, MovementState::declined);
}

TEST_F(Confirmations, AreOfferedToTheBuyerAlone) {
  const auto seen_by = [&](const identity::Who& who) {
    return world_->transact(
        [&](Tx& tx) { return payments::fetch_payment(tx, who, waiting_.id).action_url; });
  };
  EXPECT_EQ(seen_by(shop_.buyer), "http://sandbox.example/confirm/" + *waiting_.reference);
  EXPECT_FALSE(seen_by(shop_.owner));
  EXPECT_THROW(seen_by(world_->person()), Error);
}

TEST_F(Confirmations, ThatAreGivenUpAreDeadAtTheProcessorFirst) {
  run(payments::abandon(world_->db, world_->registry, shop_.merchant, waiting_.id,
                        world_->payment_rules));
  const auto done = now(shop_, waiting_);
  EXPECT_EQ(done.payment.state, State::voided);
  EXPECT_EQ(done.payment_request.state, RequestState::open);
  EXPECT_EQ(charges_of(waiting_).at(0).state, MovementState::declined);
  answer(processors::Confirm::yes);
  EXPECT_EQ(now(shop_, waiting_).payment.state, State::voided);
  EXPECT_EQ(balance(shop_, ledger::Kind::held), 0);
  EXPECT_EQ(world_->pay(shop_, request_).payment.state, State::captured) << "and may be paid anew";
}

TEST_F(Confirmations, ThatWereGivenJustBeforeGivingUpCount) {
  run(world_->sandbox.confirm(waiting_.reference.value(), processors::Confirm::yes));
  run(payments::abandon(world_->db, world_->registry, shop_.merchant, waiting_.id,
                        world_->payment_rules));
  EXPECT_EQ(now(shop_, waiting_).payment.state, State::captured);
  EXPECT_EQ(balance(shop_, ledger::Kind::held), 3'300);
}

// ---- what is not kept ---------------------------------------------------------------------------

// How many rows of the product's tables hold the text in any column.
std::string rows_with(const World& world, const std::string& text) {
  execute(world.urls.superuser, R"(
    CREATE SCHEMA IF NOT EXISTS looking;
    CREATE OR REPLACE FUNCTION looking.tables_with(needle text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE found text := ''; name text; hits bigint;
    BEGIN
      FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'bottega' LOOP
        EXECUTE format('SELECT count(*) FROM bottega.%I AS r WHERE strpos(r::text, $1) > 0', name)
          INTO hits USING needle;
        IF hits > 0 THEN found := found || name || ' '; END IF;
      END LOOP;
      RETURN found;
    END $$)");
  return execute(world.urls.superuser, "SELECT looking.tables_with('" + text + "')");
}

TEST_F(Payments, LeaveTheTokenAndTheBillingAddressInNoTable) {
  const auto shop = world_->shop();
  const auto request = world_->ask(shop);
  const auto card = from_json<processors::Card>(
      {{"number", "4242 4242 4242 4242"}, {"month", 12}, {"year", 2031}, {"cvc", "737"}});
  const auto token = run(world_->sandbox.tokenize(card)).token;
  auto given = acceptance(token);
  given.billing = an_address();
  given.billing->street = from_text<Line<1, 200>>("77 Billing Avenue");
  const auto payment = world_->transact([&](Tx& tx) {
    return payments::begin(tx, shop.buyer, request.id, given, world_->payment_rules);
  });
  const auto outcome = run(payments::call(world_->db, world_->registry.get("sandbox"),
                                          shop.merchant, payment.id, token, "http://back.example"));
  const auto accepted = world_->transact([&](Tx& tx) {
    return payments::settle(tx, shop.merchant, payment.id, outcome, world_->payment_rules);
  });
  ASSERT_EQ(accepted.payment.state, State::captured);
  EXPECT_EQ(rows_with(*world_, token), "");
  EXPECT_EQ(rows_with(*world_, "77 Billing Avenue"), "");
  EXPECT_EQ(rows_with(*world_, "4242 4242"), "");
  EXPECT_EQ(rows_with(*world_, "42424242"), "") << "nor the number of the card";
  EXPECT_NE(rows_with(*world_, *accepted.payment.reference), "") << "the search itself works";
}

TEST_F(Payments, TakeNoCardNumberForAToken) {
  EXPECT_THROW(from_json<payments::Acceptance>({{"payment_method", {{"token", "4242 4242"}}}}),
               Error);
  EXPECT_THROW(from_json<payments::Acceptance>(
                   {{"payment_method", {{"token", "tok_x"}, {"number", "4242424242424242"}}}}),
               Error);
  const auto shop = world_->shop();
  const auto request = world_->ask(shop);
  for (const auto* number : {"4242424242424242", "4242-4242-4242-4242", "378282246310005"}) {
    try {
      world_->pay(shop, request, number);
      ADD_FAILURE() << number << " was taken for a token";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid);
      ASSERT_EQ(error.faults().size(), 1u);
      EXPECT_EQ(error.faults()[0].pointer, "/payment_method/token");
    }
  }
  EXPECT_EQ(world_->pay(shop, request).payment.state, State::captured);
}

}  // namespace payments_test
}  // namespace bottega::test
