// Staff see across merchants: these are the only statements besides the jobs' that do not name one.
#include "bottega/ops/ops.hpp"

namespace bottega::ops {
namespace {

const Sql<void(AuditId, Instant, std::string, std::string, std::string, std::optional<std::string>,
               Json, std::string)>
    kRecord{"ops.record", R"(
    INSERT INTO audit_log (id, at, actor, action, subject, reason, details, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

const Sql<AuditEntry(std::optional<std::string>, AuditId, std::int64_t)> kAudit{"ops.audit_log", R"(
    SELECT id, at, actor, action, subject, reason, details, request_id FROM audit_log
    WHERE ($1::text IS NULL OR subject = $1) AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<identity::Account(std::optional<std::string>, AccountId, std::int64_t)> kAccounts{
    "ops.accounts", R"(
    SELECT id, number, email, name, staff_role, state, created_at, is_guest FROM accounts
    WHERE ($1::text IS NULL OR email = lower($1)) AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<identity::Merchant(std::optional<std::string>, MerchantId, std::int64_t)> kMerchants{
    "ops.merchants", R"(
    SELECT id, number, name, country, currency, array_to_json(currencies) AS currencies,
           onboarding, processor, processor_account, created_at
    FROM merchants
    WHERE ($1::text IS NULL OR strpos(lower(name), lower($1)) > 0) AND id < $2
    ORDER BY id DESC LIMIT $3)"};

const Sql<ConversationSummary(std::optional<MerchantId>, conversations::ConversationId,
                              std::int64_t)>
    kConversations{"ops.conversations", R"(
    SELECT id, merchant_id, buyer_id, last_seq, last_entry_at, created_at FROM conversations
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<payments::Request(std::optional<MerchantId>, payments::RequestId, std::int64_t)>
    kRequests{"ops.payment_requests", R"(
    SELECT id, merchant_id, conversation_id, buyer_id, title, description, lines, total, currency,
           shipping_address, state, reason, expires_at, created_at, updated_at, origin, breakdown,
           contact, ship_to, payment_link_id
    FROM payment_requests
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<payments::Payment(std::optional<MerchantId>, std::optional<payments::State>,
                            orders::PaymentId, std::int64_t)>
    kPayments{"ops.payments", R"(
    SELECT id, merchant_id, payment_request_id, conversation_id, buyer_id, amount, currency,
           refunded, refunding, disputed, state, processor, reference, reason,
           NULL::text AS action_url, created_at, updated_at
    FROM payments
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<orders::Order(std::optional<MerchantId>, std::optional<orders::State>, orders::OrderId,
                        std::int64_t)>
    kOrders{"ops.orders", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<payouts::Payout(std::optional<MerchantId>, std::optional<payouts::State>,
                          payouts::PayoutId, std::int64_t)>
    kPayouts{"ops.payouts", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<disputes::Dispute(std::optional<MerchantId>, std::optional<disputes::State>,
                            disputes::DisputeId, std::int64_t)>
    kDisputes{"ops.disputes", R"(
    SELECT id, merchant_id, payment_id, order_id, conversation_id, processor, reference, amount,
           currency, reserved, reason, state, evidence_due_at, text, attachments, response, failure,
           submitted_at, closed_at, created_at, updated_at
    FROM disputes
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<risk::Review(std::optional<MerchantId>, std::optional<risk::ReviewState>, risk::ReviewId,
                       std::int64_t)>
    kReviews{"ops.reviews", R"(
    SELECT id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
           to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision
    FROM reviews
    WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR state = $2) AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<std::int64_t()> kOffset{"ops.clock_offset", R"(SELECT offset_us FROM test_clock)"};
const Sql<std::int64_t(std::int64_t)> kMove{"ops.clock_move", R"(
    UPDATE test_clock SET offset_us = offset_us + $1 RETURNING offset_us)"};

}  // namespace

void record(Tx& tx, const Who& who, const Act& act) {
  tx.run(kRecord, AuditId::make(), tx.now(), who.actor(), act.action, act.subject, act.reason,
         act.details, act.request_id);
}

std::vector<AuditEntry> audit_log(Tx& tx, std::optional<std::string> subject,
                                  std::optional<AuditId> after, std::int64_t limit) {
  return tx.all(kAudit, subject, after.value_or(AuditId::newest()), limit);
}

std::vector<identity::Account> find_accounts(Tx& tx, std::optional<std::string> email,
                                             std::optional<AccountId> after, std::int64_t limit) {
  return tx.all(kAccounts, email, after.value_or(AccountId::newest()), limit);
}

std::vector<identity::Merchant> find_merchants(Tx& tx, std::optional<std::string> name,
                                               std::optional<MerchantId> after,
                                               std::int64_t limit) {
  return tx.all(kMerchants, name, after.value_or(MerchantId::newest()), limit);
}

std::vector<ConversationSummary> find_conversations(
    Tx& tx, std::optional<MerchantId> merchant, std::optional<conversations::ConversationId> after,
    std::int64_t limit) {
  return tx.all(kConversations, merchant, after.value_or(conversations::ConversationId::newest()),
                limit);
}

std::vector<payments::Request> find_requests(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<payments::RequestId> after,
                                             std::int64_t limit) {
  return tx.all(kRequests, merchant, after.value_or(payments::RequestId::newest()), limit);
}

std::vector<payments::Payment> find_payments(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<payments::State> state,
                                             std::optional<orders::PaymentId> after,
                                             std::int64_t limit) {
  return tx.all(kPayments, merchant, state, after.value_or(orders::PaymentId::newest()), limit);
}

std::vector<orders::Order> find_orders(Tx& tx, std::optional<MerchantId> merchant,
                                       std::optional<orders::State> state,
                                       std::optional<orders::OrderId> after, std::int64_t limit) {
  return tx.all(kOrders, merchant, state, after.value_or(orders::OrderId::newest()), limit);
}

std::vector<disputes::Dispute> find_disputes(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<disputes::State> state,
                                             std::optional<disputes::DisputeId> after,
                                             std::int64_t limit) {
  return tx.all(kDisputes, merchant, state, after.value_or(disputes::DisputeId::newest()), limit);
}

std::vector<payouts::Payout> find_payouts(Tx& tx, std::optional<MerchantId> merchant,
                                          std::optional<payouts::State> state,
                                          std::optional<payouts::PayoutId> after,
                                          std::int64_t limit) {
  return tx.all(kPayouts, merchant, state, after.value_or(payouts::PayoutId::newest()), limit);
}

std::vector<risk::Review> find_reviews(Tx& tx, std::optional<MerchantId> merchant,
                                       std::optional<risk::ReviewState> state,
                                       std::optional<risk::ReviewId> after, std::int64_t limit) {
  return tx.all(kReviews, merchant, state, after.value_or(risk::ReviewId::newest()), limit);
}

TrialBalance trial_balance(Tx& tx, std::optional<Instant> at) {
  TrialBalance out{at ? ledger::trial_balance_at(tx, *at) : ledger::trial_balance(tx), false,
                   ledger::audit(tx)};
  out.is_balanced = out.faults.empty();
  return out;
}

std::chrono::microseconds clock_offset(Tx& tx) {
  return std::chrono::microseconds(tx.one(kOffset));
}

std::chrono::microseconds move_clock(Tx& tx, std::chrono::seconds by) {
  if (by.count() <= 0) throw Error(Code::invalid, "the clock only moves forward");
  return std::chrono::microseconds(tx.one(kMove, std::chrono::microseconds(by).count()));
}

}  // namespace bottega::ops
