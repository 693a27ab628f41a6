// How a dispute begins, goes on and ends, and what of the money follows.
#include "bottega/disputes/disputes.hpp"

#include "disputes/rows.hpp"
#include "bottega/core/log.hpp"
#include "bottega/disputes/top_ups.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::disputes {
namespace {

using payments::Claim, payments::Sale, payments::Source;
using processors::DisputeNews;

// How far back a processor is asked.
constexpr std::chrono::days kAskedDays{7};

const Sql<Dispute(MerchantId, DisputeId, PaymentId, OrderId, ConversationId, std::string,
                  std::string, std::int64_t, Currency, std::int64_t, Source, std::int64_t,
                  std::int64_t, std::int64_t, std::string, std::optional<Instant>, Instant)>
    kInsert{"disputes.insert", R"(
    INSERT INTO disputes (merchant_id, id, payment_id, order_id, conversation_id, processor,
                          reference, amount, currency, reserved, source, fee_returned, from_balance,
                          advanced, reason, state, evidence_due_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'opened', $16, $17,
            $17)
    RETURNING id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
              currency, reserved, reason, state, evidence_due_at, text, attachments, response,
              failure, submitted_at, closed_at, created_at, updated_at)"};

const Sql<Dispute(MerchantId, DisputeId)> kFetch{"disputes.fetch", R"(
    SELECT id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
           currency, reserved, reason, state, evidence_due_at, text, attachments, response, failure,
           submitted_at, closed_at, created_at, updated_at
    FROM disputes WHERE merchant_id = $1 AND id = $2)"};

const Sql<Dispute(MerchantId, DisputeId)> kLock{"disputes.lock", R"(
    SELECT id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
           currency, reserved, reason, state, evidence_due_at, text, attachments, response, failure,
           submitted_at, closed_at, created_at, updated_at
    FROM disputes WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Dispute(MerchantId, std::string, std::string)> kLockNamed{"disputes.lock_named", R"(
    SELECT id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
           currency, reserved, reason, state, evidence_due_at, text, attachments, response, failure,
           submitted_at, closed_at, created_at, updated_at
    FROM disputes WHERE merchant_id = $1 AND processor = $2 AND reference = $3 FOR UPDATE)"};

const Sql<Dispute(MerchantId, std::optional<State>, DisputeId, std::int64_t)> kList{"disputes.list",
                                                                                    R"(
    SELECT id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
           currency, reserved, reason, state, evidence_due_at, text, attachments, response, failure,
           submitted_at, closed_at, created_at, updated_at
    FROM disputes
    WHERE merchant_id = $1 AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<void(MerchantId, DisputeId, State, std::optional<Instant>, std::optional<std::string>,
               Files, std::optional<Stance>, std::optional<std::string>, std::optional<Instant>,
               std::optional<Instant>, Instant)>
    kUpdate{"disputes.update", R"(
    UPDATE disputes SET state = $3, evidence_due_at = $4, text = $5, attachments = $6,
           response = $7, failure = $8, submitted_at = $9, closed_at = $10, updated_at = $11
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<Claim(MerchantId, DisputeId)> kClaim{"disputes.claim", R"(
    SELECT source, reserved, fee_returned, from_balance, advanced
    FROM disputes WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, DisputeId, std::int64_t, std::int64_t, std::int64_t, std::int64_t)>
    kClaimMore{"disputes.claim_more", R"(
    UPDATE disputes SET reserved = reserved + $3, fee_returned = fee_returned + $4,
           from_balance = from_balance + $5, advanced = advanced + $6
    WHERE merchant_id = $1 AND id = $2)"};

using ledger::Kind, ledger::Why;

void post(Tx& tx, const Dispute& dispute, Why why, Kind from, Kind to, std::int64_t amount) {
  if (amount > 0)
    ledger::post(tx, ledger::transfer_within(dispute.merchant_id, why, dispute.id.uuid, from, to,
                                             {amount, dispute.amount.currency}));
}

void reserve(Tx& tx, const Dispute& dispute, const Claim& claim) {
  using enum Kind;
  if (claim.source == Source::held)
    return post(tx, dispute, Why::dispute, held, dispute_reserve, claim.reserved);
  post(tx, dispute, Why::dispute_fee, platform_fees, dispute_reserve, claim.fee_returned);
  post(tx, dispute, Why::dispute_balance, merchant_payable, dispute_reserve, claim.from_balance);
  post(tx, dispute, Why::dispute_advance, merchant_debt, dispute_reserve, claim.advanced);
}

// Back to where it came from. What was advanced may have been recovered from the merchant
// meanwhile: then it is theirs.
void restore(Tx& tx, const Dispute& dispute, const Claim& claim) {
  using enum Kind;
  if (claim.source == Source::held)
    return post(tx, dispute, Why::dispute_won, dispute_reserve, held, claim.reserved);
  const auto owner = ledger::owner_of(dispute.merchant_id);
  ledger::lock_owner(tx, owner);
  const auto owed = ledger::available(tx, {merchant_debt, owner}, dispute.amount.currency);
  const auto forgiven = std::min(claim.advanced, owed);
  post(tx, dispute, Why::dispute_won_fee, dispute_reserve, platform_fees, claim.fee_returned);
  post(tx, dispute, Why::dispute_won_debt, dispute_reserve, merchant_debt, forgiven);
  post(tx, dispute, Why::dispute_won, dispute_reserve, merchant_payable,
       claim.from_balance + claim.advanced - forgiven);
}

// What the bank takes beyond what was left of the payment: the buyer has that twice, and no
// merchant owes it. Doing it again does nothing.
void set_loss_aside(Tx& tx, const Dispute& dispute) {
  const Money beyond{dispute.amount.amount - dispute.reserved, dispute.amount.currency};
  if (beyond.amount > 0)
    ledger::pend(tx,
                 ledger::transfer_within(dispute.merchant_id, Why::dispute_loss, dispute.id.uuid,
                                         Kind::losses, Kind::processor_clearing, beyond));
}

void end_loss(Tx& tx, const Dispute& dispute) {
  if (dispute.amount.amount <= dispute.reserved) return;
  set_loss_aside(tx, dispute);  // one that was opened by an older server
  if (dispute.state == State::lost)
    ledger::post_pending(tx, Why::dispute_loss, dispute.id.uuid);
  else
    ledger::void_pending(tx, Why::dispute_loss, dispute.id.uuid);
}

// A refund that was under way when the dispute opened may have failed: what it left is owed after
// all, and no loss of the platform's.
Claim claim_more(Tx& tx, const Dispute& dispute, const Claim& claim, const payments::Rules& rules) {
  const auto& merchant = dispute.merchant_id;
  const auto beyond = dispute.amount.amount - dispute.reserved;
  if (beyond <= 0) return claim;
  const auto sale =
      payments::lock_sale(tx, merchant, dispute.payment_id, "dispute");  // as it is now
  const auto more = payments::claim(tx, sale, beyond, rules);
  using enum Kind;
  if (more.source == Source::held) {
    post(tx, dispute, Why::dispute_late, held, losses, more.reserved);
  } else {
    post(tx, dispute, Why::dispute_late_fee, platform_fees, losses, more.fee_returned);
    post(tx, dispute, Why::dispute_late_balance, merchant_payable, losses, more.from_balance);
    post(tx, dispute, Why::dispute_late_advance, merchant_debt, losses, more.advanced);
  }
  tx.run(kClaimMore, merchant, dispute.id, more.reserved, more.fee_returned, more.from_balance,
         more.advanced);
  return {claim.source, claim.reserved + more.reserved, claim.fee_returned + more.fee_returned,
          claim.from_balance + more.from_balance, claim.advanced + more.advanced};
}

payouts::Hold hold_of(const Dispute& dispute) { return {payouts::Cause::dispute, dispute.id.uuid}; }

// Both sides know of it; why, and what is said about it, is between the merchant and the bank.
void tell(Tx& tx, const Dispute& dispute, const std::string& event) {
  const Shown shown{dispute.id, dispute.payment_id, dispute.amount, dispute.state};
  conversations::append(
      tx, dispute.merchant_id, dispute.conversation_id,
      {event,
       conversations::Author::system,
       std::nullopt,
       std::nullopt,
       {{"dispute", to_json(shown)}},
       "Dispute about " + display(dispute.amount) + ": " + text_of(dispute.state) + "."});
}

Dispute open(Tx& tx, const Sale& sale, const std::string& processor, const DisputeNews& news,
             const payments::Rules& rules) {
  const auto& payment = sale.payment;
  require_fitting(news, payment.amount);
  const auto claim = payments::claim(tx, sale, news.amount.amount, rules);
  const auto id = DisputeId::make();
  identity::enter_directory(tx, id.uuid, payment.merchant_id);
  const auto dispute =
      tx.one(kInsert, payment.merchant_id, id, payment.id, sale.order.id, payment.conversation_id,
             processor, news.reference, news.amount.amount, news.amount.currency, claim.reserved,
             claim.source, claim.fee_returned, claim.from_balance, claim.advanced, news.reason,
             news.evidence_due_at, tx.now());
  reserve(tx, dispute, claim);
  set_loss_aside(tx, dispute);
  if (claim.source == Source::held)
    payouts::hold(tx, payment.merchant_id, sale.order.id, hold_of(dispute), "a dispute is open");
  if (claim.reserved < news.amount.amount)
    log::error("dispute.not_covered", {{"dispute", text_of(id)}, {"reserved", claim.reserved}});
  tell(tx, dispute, "dispute.opened");
  return dispute;
}

void close(Tx& tx, const Sale& sale, const Dispute& dispute, const payments::Rules& rules) {
  const auto claim = tx.one(kClaim, dispute.merchant_id, dispute.id);
  payouts::lock_of_order(tx, dispute.merchant_id, dispute.order_id);
  end_loss(tx, dispute);
  if (dispute.state == State::lost) {
    post(tx, dispute, Why::dispute_lost, Kind::dispute_reserve, Kind::processor_clearing,
         claim.reserved);
    payments::claim_lost(tx, sale, claim_more(tx, dispute, claim, rules));
  } else {
    restore(tx, dispute, claim);
    payments::claim_won(tx, sale, claim, rules);
  }
  payouts::lift(tx, dispute.merchant_id, dispute.order_id, hold_of(dispute));
  forget_plans(tx, dispute);
  tell(tx, dispute, "dispute.closed");
}

// The processor may give more time, or set it only now.
void set_deadline(Tx& tx, Dispute& dispute, const DisputeNews& news) {
  const bool is_news = news.evidence_due_at && news.evidence_due_at != dispute.evidence_due_at;
  if (!is_news || is_closed(dispute.state)) return;
  dispute.evidence_due_at = news.evidence_due_at;
  write_dispute(tx, dispute);
  if (dispute.state == State::evidence_due && !dispute.response) plan(tx, dispute);
}

}  // namespace

std::optional<Event> event_of(State told) {
  switch (told) {
    case State::opened:
      return std::nullopt;
    case State::evidence_due:
      return Event::ask;
    case State::under_review:
      return Event::review;
    case State::won:
      return Event::win;
    case State::lost:
      return Event::lose;
  }
  return std::nullopt;
}

void require_fitting(const DisputeNews& news, const Money& charged) {
  if (news.amount.currency != charged.currency || news.amount.amount <= 0)
    throw Error(Code::conflict, "a dispute is about another currency than its payment");
}

bool is_closed(State state) { return state == State::won || state == State::lost; }

Locked lock_dispute(Tx& tx, MerchantId merchant, DisputeId id) {
  const auto known = tx.one(kFetch, merchant, id);
  auto sale = payments::lock_sale(tx, merchant, known.payment_id, "dispute");
  return {std::move(sale), tx.one(kLock, merchant, id)};
}

void write_dispute(Tx& tx, Dispute& dispute) {
  dispute.updated_at = tx.now();
  tx.run(kUpdate, dispute.merchant_id, dispute.id, dispute.state, dispute.evidence_due_at,
         dispute.text, dispute.attachments, dispute.response, dispute.failure, dispute.submitted_at,
         dispute.closed_at, dispute.updated_at);
}

Dispute move_dispute(Tx& tx, Locked locked, Event on, const payments::Rules& rules) {
  auto& [sale, dispute] = locked;
  const auto before = dispute.state;
  dispute.state = kLifecycle.advance(before, on);
  if (dispute.state == before) return dispute;
  if (is_closed(dispute.state)) dispute.closed_at = tx.now();
  write_dispute(tx, dispute);
  if (dispute.state == State::evidence_due) plan(tx, dispute);
  if (is_closed(dispute.state)) close(tx, sale, dispute, rules);
  return dispute;
}

Dispute hear(Tx& tx, const std::string& processor, const DisputeNews& news,
             const payments::Rules& rules) {
  const auto subject = attempts::subject_of(tx, processor, news.charge);
  auto sale =
      payments::lock_sale(tx, subject.merchant_id, PaymentId{subject.subject_id.uuid}, "dispute");
  auto dispute = tx.find(kLockNamed, subject.merchant_id, processor, news.reference);
  if (!dispute) dispute = open(tx, sale, processor, news, rules);
  set_deadline(tx, *dispute, news);
  const auto on = event_of(news.state);
  if (!on) return *dispute;
  return move_dispute(tx, {std::move(sale), std::move(*dispute)}, *on, rules);
}

void take_news(Tx& tx, const std::string& processor, const DisputeNews& news,
               const payments::Rules& rules) {
  const auto subject = attempts::subject_of(tx, processor, news.charge);
  if (subject.merchant_id == wallet::kPlatformMerchant)
    hear_of_top_up(tx, processor, news);
  else
    hear(tx, processor, news, rules);
}

asio::awaitable<void> ask(Database& db, processors::Processor& processor,
                          const payments::Rules& rules) {
  const auto since = co_await db.read([&](Tx& tx) { return tx.now() - kAskedDays; });
  const auto all = co_await processor.disputes(since);
  const std::string name(processor.name());
  for (const auto& news : all) {
    try {
      co_await db.transact([&](Tx& tx) { take_news(tx, name, news, rules); });
    } catch (const Error& error) {
      log::error("dispute.news_not_taken",
                 {{"reference", news.reference}, {"error", std::string(error.what())}});
    }
  }
}

Dispute fetch(Tx& tx, const Who& who, DisputeId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::read);
  return tx.one(kFetch, merchant, id);
}

std::vector<Dispute> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<State> state,
                                      std::optional<DisputeId> after, std::int64_t limit) {
  return tx.all(kList, merchant, state, after.value_or(DisputeId::newest()), limit);
}

}  // namespace bottega::disputes
