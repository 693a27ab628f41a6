// One try to pay, from the buyer's tap to the captured money or the definite no.
#include "bottega/payments/payments.hpp"
#include "payments/link_uses.hpp"
#include "payments/questions.hpp"
#include "payments/refund_rows.hpp"
#include "payments/rows.hpp"
#include "payments/stock.hpp"
#include "bottega/core/log.hpp"
#include "bottega/payments/together.hpp"
#include "bottega/pricing/discounts.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::payments {
namespace {

using processors::Outcome, processors::Verdict;

struct Delivery {
  std::optional<orders::Address> ship_to;
};
BOOST_DESCRIBE_STRUCT(Delivery, (), (ship_to))

const Sql<Payment(MerchantId, PaymentId, RequestId, ConversationId, AccountId, std::int64_t,
                  Currency, std::string, std::optional<orders::Address>, Instant,
                  std::optional<Held>)>
    kInsert{"payments.insert", R"(
    INSERT INTO payments (merchant_id, id, payment_request_id, conversation_id, buyer_id, amount,
                          currency, processor, ship_to, state, created_at, updated_at, held)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'created', $10, $10, $11)
    RETURNING id, merchant_id, payment_request_id, conversation_id, buyer_id, amount, currency,
              refunded, refunding, disputed, state, processor, reference, reason, action_url,
              created_at, updated_at)"};

const Sql<Payment(MerchantId, PaymentId)> kFetch{"payments.fetch", R"(
    SELECT id, merchant_id, payment_request_id, conversation_id, buyer_id, amount, currency,
           refunded, refunding, disputed, state, processor, reference, reason, action_url,
           created_at, updated_at
    FROM payments WHERE merchant_id = $1 AND id = $2)"};

const Sql<Payment(MerchantId, PaymentId)> kLock{"payments.lock", R"(
    SELECT id, merchant_id, payment_request_id, conversation_id, buyer_id, amount, currency,
           refunded, refunding, disputed, state, processor, reference, reason, action_url,
           created_at, updated_at
    FROM payments WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<void(MerchantId, PaymentId, State, std::optional<std::string>, std::optional<std::string>,
               std::optional<std::string>, std::int64_t, std::int64_t, Instant)>
    kUpdate{"payments.update", R"(
    UPDATE payments SET state = $3, reference = $4, reason = $5, action_url = $6, refunded = $7,
           refunding = $8, updated_at = $9
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t(MerchantId, PaymentId, std::int64_t)> kKeepFee{"payments.keep_fee", R"(
    UPDATE payments SET processor_fee = $3
    WHERE merchant_id = $1 AND id = $2 AND processor_fee IS NULL RETURNING processor_fee)"};

const Sql<Delivery(MerchantId, PaymentId)> kDelivery{"payments.delivery", R"(
    SELECT ship_to FROM payments WHERE merchant_id = $1 AND id = $2)"};

const Sql<PaymentId(MerchantId, RequestId)> kAlive{"payments.alive", R"(
    SELECT id FROM payments WHERE merchant_id = $1 AND payment_request_id = $2
      AND state NOT IN ('failed', 'voided') AND NOT is_late)"};

struct Reached {
  std::optional<Contact> contact;
};
BOOST_DESCRIBE_STRUCT(Reached, (), (contact))

const Sql<Reached(MerchantId, PaymentId)> kContact{"payments.contact", R"(
    SELECT r.contact
    FROM payments p
         JOIN payment_requests r ON r.merchant_id = p.merchant_id AND r.id = p.payment_request_id
    WHERE p.merchant_id = $1 AND p.id = $2)"};

const Sql<void(MerchantId, PaymentId)> kMarkLate{"payments.mark_late", R"(
    UPDATE payments SET is_late = true WHERE merchant_id = $1 AND id = $2)"};

const Sql<bool(MerchantId, PaymentId)> kIsLate{"payments.is_late", R"(
    SELECT is_late FROM payments WHERE merchant_id = $1 AND id = $2)"};

bool is_given_up(State state) { return state == State::failed || state == State::voided; }

Event event_of(State before, const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::succeeded:
      return is_given_up(before) ? Event::capture_late : Event::capture;
    case Verdict::buyer_action:
      return Event::ask_buyer;
    case Verdict::declined:
    case Verdict::refused:
      return outcome.reason == "cancelled" ? Event::cancel : Event::fail;
    case Verdict::pending:
    case Verdict::not_found:
    case Verdict::unknown:
      return Event::lose;
  }
  return Event::lose;
}

bool is_final(State state) {
  return state != State::created && state != State::requires_action && state != State::authorized &&
         state != State::unknown;
}

void post_capture(Tx& tx, const Payment& payment) {
  ledger::post(tx, ledger::transfer_within(payment.merchant_id, ledger::Why::capture,
                                           payment.id.uuid, ledger::Kind::processor_clearing,
                                           ledger::Kind::held, payment.amount));
}

orders::Order place_order(Tx& tx, const Payment& payment, const Request& request,
                          const Rules& rules) {
  const auto country = identity::fetch_merchant(tx, payment.merchant_id).country;
  const auto due = fee_of(tx, payment.merchant_id, payment.amount);
  const auto fee = std::min(due, payment.amount.amount - 1);
  const auto delivery = tx.one(kDelivery, payment.merchant_id, payment.id);
  return orders::place(
      tx,
      {payment.merchant_id, payment.conversation_id, payment.buyer_id, payment.id, request.title,
       request.lines, payment.amount, fee, delivery.ship_to, country, request.breakdown},
      rules.cancel_after);
}

void captured(Tx& tx, const Payment& payment, Request& request, const Rules& rules) {
  if (rules.paid) rules.paid(tx, request);
  post_capture(tx, payment);
  sell(tx, payment, request);
  request = move_request(tx, std::move(request), RequestEvent::pay, std::nullopt);
  jobs::cancel(tx, kExpireJob, text_of(request.id));
  tell_request(tx, request, "payment_request.paid", {});
  const auto order = place_order(tx, payment, request, rules);
  risk::assess(tx, order, rules.limits);
}

// The request was open again meanwhile, and may be paid already: this money is the buyer's. It goes
// back, so there is nothing to review.
void captured_late(Tx& tx, const Payment& payment, const Request& request, const Rules& rules) {
  log::error("payment.late", {{"payment", text_of(payment.id)}});
  post_capture(tx, payment);
  place_order(tx, payment, request, rules);
  refund_late(tx, payment, rules);
}

void failed(Tx& tx, const Payment& payment, Request& request) {
  let_go(tx, payment, request);
  risk::release(tx, {payment.merchant_id, payment.buyer_id, payment.amount, payment.created_at});
  request = move_request(tx, std::move(request), RequestEvent::fail, payment.reason);
  tell_request(tx, request, "payment_request.payment_failed", {});
  if (request.origin != Origin::merchant) want_end(tx, request);
}

// The buyer is to confirm it somewhere else, and others may buy what is left lying about.
void wait_for_buyer(Tx& tx, const Payment& payment, const Request& request, const Rules& rules) {
  tell_request(tx, request, "payment_request.action_required", {});
  if (!is_of_catalogue(request)) return;
  jobs::enqueue(tx, kAbandonJob, text_of(payment.id),
                {{"merchant_id", text_of(payment.merchant_id)}}, tx.now() + rules.reserved_for);
}

// The side effects of a payment's news, once: only when the state has changed.
void follow(Tx& tx, State before, const Payment& payment, Request& request, const Rules& rules) {
  if (payment.state == before) return;
  if (payment.state == State::captured && is_given_up(before))
    captured_late(tx, payment, request, rules);
  else if (payment.state == State::captured)
    captured(tx, payment, request, rules);
  if (payment.state == State::failed || payment.state == State::voided)
    failed(tx, payment, request);
  if (payment.state == State::requires_action) wait_for_buyer(tx, payment, request, rules);
  if (is_final(payment.state)) jobs::cancel(tx, kReconcileJob, text_of(payment.id));
}

// What the processor has kept of a charge, once: whoever says it first is believed, be it later
// than the money itself. The platform bears it.
void keep_fee(Tx& tx, const Payment& payment, const Outcome& outcome) {
  if (outcome.verdict != Verdict::succeeded || !outcome.fee) return;
  if (*outcome.fee < 0 || *outcome.fee > kAmountMax)
    return log::error("payment.fee_not_taken", {{"payment", payment.id}, {"fee", *outcome.fee}});
  if (!tx.find(kKeepFee, payment.merchant_id, payment.id, *outcome.fee) || *outcome.fee == 0)
    return;
  ledger::post(
      tx, ledger::transfer_within(payment.merchant_id, ledger::Why::processor_fee, payment.id.uuid,
                                  ledger::Kind::processor_fees, ledger::Kind::processor_clearing,
                                  {*outcome.fee, payment.amount.currency}));
}

// What it was given up for, heard again after the charge was made all the same: late, and no news.
bool is_overtaken(Tx& tx, const Payment& payment, const Outcome& outcome) {
  if (!is_final(payment.state) || is_given_up(payment.state)) return false;
  const bool is_same = outcome.reason == payment.reason.value_or("");
  if (outcome.verdict != Verdict::declined || !is_same) return false;
  return tx.one(kIsLate, payment.merchant_id, payment.id);
}

// The call is made when the shop has answered, and not before.
void require_asked(Tx& tx, const Payment& payment, const Rules& rules) {
  const auto question = find_question(tx, payment.merchant_id, payment.id);
  if (question && tx.now() < question->answer_by + 2 * rules.call_timeout)
    throw Error(Code::busy, "the shop is asked, or the call is under way");
}

void want_reconciliation(Tx& tx, const Payment& payment, std::chrono::milliseconds in) {
  jobs::enqueue(tx, kReconcileJob, text_of(payment.id),
                {{"merchant_id", text_of(payment.merchant_id)}}, tx.now() + in);
}

}  // namespace

std::optional<orders::Address> address_of(const Request& request, const Acceptance& acceptance) {
  const auto& given = acceptance.ship_to;
  const bool is_required = request.shipping_address == ShippingAddress::required;
  if (is_required && !given && !request.ship_to)
    throw Error(Code::invalid, "an address to ship to is needed", {{"/ship_to", "is required"}});
  if (!request.ship_to && request.breakdown && given)
    throw Error(Code::invalid, "it was priced without an address",
                {{"/ship_to", "must be left out"}});
  if (!request.ship_to) return given;
  if (given && to_json(*given) != to_json(*request.ship_to))
    throw Error(Code::invalid, "it was priced for another address",
                {{"/ship_to", "must be that of the checkout, or left out"}});
  return request.ship_to;
}

RequestState accepted_state(const Request& request, Instant now) {
  if (request.state == RequestState::open && request.expires_at <= now)
    throw Error(Code::conflict, "the request has expired");
  return kRequestLifecycle.advance(request.state, RequestEvent::accept);
}

Payment lock_payment(Tx& tx, MerchantId merchant, PaymentId id) {
  return tx.one(kLock, merchant, id);
}

void write_payment(Tx& tx, Payment& payment) {
  payment.updated_at = tx.now();
  tx.run(kUpdate, payment.merchant_id, payment.id, payment.state, payment.reference, payment.reason,
         payment.action_url, payment.refunded, payment.refunding, payment.updated_at);
}

Payment move_payment(Tx& tx, Payment payment, Event on) {
  payment.state = kLifecycle.advance(payment.state, on);
  if (payment.state != State::requires_action) payment.action_url.reset();
  write_payment(tx, payment);
  return payment;
}

std::string token_of(Tx& tx, const Who& who, const Payment& payment, const Acceptance& acceptance) {
  return wallet::token_to_charge(tx, who.account, acceptance.payment_method, payment.processor);
}

Payment begin(Tx& tx, const Who& who, RequestId id, const Acceptance& acceptance,
              const Rules& rules) {
  if (const auto& token = acceptance.payment_method.token)
    wallet::refuse_card_number(token->value, "/payment_method/token");
  // Nobody is charged whose account is just being erased.
  identity::hold_active(tx, who.account);
  auto request = lock_request(tx, identity::merchant_of(tx, id.uuid), id);
  require_buyer(tx, who, request);
  accepted_state(request, tx.now());
  if (rules.trying) rules.trying(tx, request);
  request = move_request(tx, std::move(request), RequestEvent::accept, std::nullopt);
  const auto ship_to = address_of(request, acceptance);
  if (request.breakdown && request.breakdown->discount_code)
    pricing::claim(tx, request.merchant_id, {*request.breakdown->discount_code}, who.account,
                   id.uuid);
  const auto held = set_aside(tx, request);
  const auto merchant = identity::fetch_merchant(tx, request.merchant_id);
  const auto payment_id = PaymentId::make();
  identity::enter_directory(tx, payment_id.uuid, request.merchant_id);
  const auto payment = tx.one(kInsert, request.merchant_id, payment_id, id, request.conversation_id,
                              who.account, request.total.amount, request.total.currency,
                              merchant.processor, ship_to, tx.now(), held);
  attempts::begin(tx, request.merchant_id, processors::Operation::charge, payment_id.uuid,
                  attempts::destination_of(merchant), request.total);
  // Covers our own death between the two transactions.
  want_reconciliation(tx, payment, 2 * rules.call_timeout);
  // Late, so that others who pay this merchant wait for as little as can be.
  risk::count(tx, {request.merchant_id, who.account, request.total, acceptance.payment_method},
              rules.limits);
  if (request.payment_link_id)
    use_link(tx, request.merchant_id, *request.payment_link_id, request.id);
  tell_request(tx, request, "payment_request.accepted",
               {conversations::Author::buyer, who.account});
  if (request.origin != Origin::merchant) ask_shop(tx, request, payment, rules);
  return payment;
}

Accepted settle(Tx& tx, MerchantId merchant, PaymentId id, const Outcome& told,
                const Rules& rules) {
  const auto request_id = tx.one(kFetch, merchant, id).payment_request_id;
  auto request = lock_request(tx, merchant, request_id);
  auto payment = lock_payment(tx, merchant, id);
  if (is_overtaken(tx, payment, told))
    return {request, payment, orders::find_of_payment(tx, merchant, id)};
  const auto before = payment.state;
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, told);
  if (!attempt) return {request, payment, orders::find_of_payment(tx, merchant, id)};
  const auto outcome = attempts::believed(*attempt, told);
  // Refunds name the charge by it: what has moved keeps its own.
  const bool is_named = payment.reference && !kLifecycle.next(before, Event::fail);
  if (!outcome.reference.empty() && !is_named) payment.reference = outcome.reference;
  if (!outcome.reason.empty()) payment.reason = outcome.reason;
  if (!outcome.action_url.empty()) payment.action_url = outcome.action_url;
  const auto on = event_of(before, outcome);
  // Another payment of the request may be alive.
  if (on == Event::capture_late) tx.run(kMarkLate, merchant, id);
  payment = move_payment(tx, std::move(payment), on);
  follow(tx, before, payment, request, rules);
  keep_fee(tx, payment, outcome);
  if (on == Event::capture_late) payment = lock_payment(tx, merchant, id);
  if (payment.state == State::unknown) want_reconciliation(tx, payment, std::chrono::seconds(5));
  return {request, payment, orders::find_of_payment(tx, merchant, id)};
}

Accepted current(Tx& tx, MerchantId merchant, PaymentId id) {
  const auto payment = tx.one(kFetch, merchant, id);
  return {lock_request(tx, merchant, payment.payment_request_id), payment,
          orders::find_of_payment(tx, merchant, id)};
}

Payment fetch_payment(Tx& tx, const Who& who, PaymentId id) {
  auto payment = tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
  const auto seat = conversations::enter(tx, who, payment.conversation_id, identity::Scope::read,
                                         conversations::Lock::no);
  // The page where the buyer confirms is the buyer's alone.
  if (seat.side != conversations::Side::buyer) payment.action_url.reset();
  return payment;
}

Payment fetch_sold(Tx& tx, MerchantId merchant, PaymentId id) {
  return tx.one(kFetch, merchant, id);
}

std::optional<Contact> contact_of(Tx& tx, MerchantId merchant, PaymentId id) {
  const auto row = tx.find(kContact, merchant, id);
  return row ? row->contact : std::nullopt;
}

std::optional<PaymentId> find_alive(Tx& tx, MerchantId merchant, RequestId id) {
  return tx.find(kAlive, merchant, id);
}

asio::awaitable<Outcome> call(processors::Processor& processor, const processors::Charge& charge) {
  Outcome outcome;
  try {
    outcome = co_await processor.charge(charge);
  } catch (const std::exception& failure) {
    // Whatever broke, the charge may have been made: unknown is not a verdict.
    log::error("payment.call_failed",
               {{"attempt", charge.key}, {"error", std::string(failure.what())}});
  }
  co_return outcome;
}

asio::awaitable<Outcome> call(Database& db, processors::Processor& processor, MerchantId merchant,
                              PaymentId id, std::string method, std::string return_url) {
  const processors::Charge charge = co_await db.transact([&](Tx& tx) {
    const auto attempt = attempts::lock_latest(tx, merchant, id.uuid, {});
    return processors::Charge{attempt.key(), attempt.amount, method, attempt.account, return_url};
  });
  co_return co_await call(processor, charge);
}

asio::awaitable<void> reconcile(Database& db, const processors::Registry& registry,
                                MerchantId merchant, PaymentId id, const Rules& rules) {
  const auto payment = co_await db.transact([&](Tx& tx) {
    auto locked = lock_payment(tx, merchant, id);
    if (locked.state == State::created) require_asked(tx, locked, rules);
    return locked;
  });
  if (is_final(payment.state)) co_return;
  const auto attempt = co_await db.transact(
      [&](Tx& tx) { return attempts::lock_latest(tx, merchant, id.uuid, rules.call_timeout); });
  auto& processor = registry.get(payment.processor);
  auto outcome = co_await attempts::ask(processor, attempt);
  if (outcome.verdict == Verdict::not_found) {
    if (payment.state == State::created && !attempt.overdue)
      throw Error(Code::busy, "the call may still be under way");
    // Nothing was done so far; from here on nothing can be, even if our call still arrives.
    outcome = co_await attempts::cancel(processor, attempt);
  }
  const auto settled =
      co_await db.transact([&](Tx& tx) { return settle(tx, merchant, id, outcome, rules); });
  if (!is_final(settled.payment.state)) throw Error(Code::busy, "no definite outcome yet");
}

asio::awaitable<void> abandon(Database& db, const processors::Registry& registry,
                              MerchantId merchant, PaymentId id, const Rules& rules) {
  const auto payment = co_await db.transact([&](Tx& tx) { return lock_payment(tx, merchant, id); });
  if (payment.state != State::requires_action) co_return;
  const auto attempt = co_await db.transact(
      [&](Tx& tx) { return attempts::lock_latest(tx, merchant, id.uuid, rules.call_timeout); });
  auto& processor = registry.get(payment.processor);
  const auto outcome = co_await attempts::cancel(processor, attempt);
  co_await db.transact([&](Tx& tx) { settle(tx, merchant, id, outcome, rules); });
}

}  // namespace bottega::payments
