#pragma once
// What the platform's staff sees and does. Every act is written to the audit log in its own
// transaction; no text of a conversation and nothing of a merchant's identity check is ever shown
// here.
#include "bottega/disputes/disputes.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::ops {

using identity::AccountId, identity::MerchantId, identity::Who;
using AuditId = Id<"aud">;

struct Act {
  std::string action;   // "payout.hold"
  std::string subject;  // the id of what it was done to
  std::optional<std::string> reason;
  Json details = Json::object();
  std::string request_id;
};
void record(Tx& tx, const Who& who, const Act& act);

// Has an attempt asked about now, however often that was done before; what was never sent is sent.
// Throws Error(not_found) where there is none, Error(conflict) where it has ended.
attempts::Attempt ask(Tx& tx, attempts::AttemptId id);

struct AuditEntry {
  AuditId id;
  Instant at{};
  std::string actor, action, subject;
  std::optional<std::string> reason;
  Json details;
  std::string request_id;
};
BOOST_DESCRIBE_STRUCT(AuditEntry, (), (id, at, actor, action, subject, reason, details, request_id))
std::vector<AuditEntry> audit_log(Tx& tx, std::optional<std::string> subject,
                                  std::optional<AuditId> after, std::int64_t limit);

// Finding: everything, newest first, or what fits the filter.
std::vector<identity::Account> find_accounts(Tx& tx, std::optional<std::string> email,
                                             std::optional<AccountId> after, std::int64_t limit);
std::vector<identity::Merchant> find_merchants(Tx& tx, std::optional<std::string> name,
                                               std::optional<MerchantId> after, std::int64_t limit);

// A conversation without its text: who, when, how much.
struct ConversationSummary {
  conversations::ConversationId id;
  MerchantId merchant_id;
  AccountId buyer_id;
  std::int64_t last_seq = 0;
  Instant last_entry_at{}, created_at{};
};
BOOST_DESCRIBE_STRUCT(ConversationSummary, (),
                      (id, merchant_id, buyer_id, last_seq, last_entry_at, created_at))
std::vector<ConversationSummary> find_conversations(
    Tx& tx, std::optional<MerchantId> merchant, std::optional<conversations::ConversationId> after,
    std::int64_t limit);

std::vector<payments::Request> find_requests(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<payments::RequestId> after,
                                             std::int64_t limit);
std::vector<payments::Payment> find_payments(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<payments::State> state,
                                             std::optional<orders::PaymentId> after,
                                             std::int64_t limit);
std::vector<orders::Order> find_orders(Tx& tx, std::optional<MerchantId> merchant,
                                       std::optional<orders::State> state,
                                       std::optional<orders::OrderId> after, std::int64_t limit);
std::vector<payouts::Payout> find_payouts(Tx& tx, std::optional<MerchantId> merchant,
                                          std::optional<payouts::State> state,
                                          std::optional<payouts::PayoutId> after,
                                          std::int64_t limit);

std::vector<disputes::Dispute> find_disputes(Tx& tx, std::optional<MerchantId> merchant,
                                             std::optional<disputes::State> state,
                                             std::optional<disputes::DisputeId> after,
                                             std::int64_t limit);

std::vector<risk::Review> find_reviews(Tx& tx, std::optional<MerchantId> merchant,
                                       std::optional<risk::ReviewState> state,
                                       std::optional<risk::ReviewId> after, std::int64_t limit);

// The sums of the ledger, and what is wrong with the books, in words.
struct TrialBalance {
  std::vector<ledger::Balance> accounts;
  bool is_balanced = false;
  std::vector<std::string> faults;
};
BOOST_DESCRIBE_STRUCT(TrialBalance, (), (accounts, is_balanced, faults))
// Also as the books were at an instant; what is wrong with them is looked for in those of today.
TrialBalance trial_balance(Tx& tx, std::optional<Instant> at = std::nullopt);

struct Balances {
  std::vector<ledger::Balance> accounts;
};
BOOST_DESCRIBE_STRUCT(Balances, (), (accounts))

struct StaffMember {
  Email email;
  identity::Password password;
  Line<1, 100> name;
  identity::StaffRole role{};
};
BOOST_DESCRIBE_STRUCT(StaffMember, (), (email, password, name, role))

// The test clock: how far the product's time runs ahead. Only in the sandbox mode.
struct ClockMove {
  Count<1, 31'536'000> advance_s;
};
BOOST_DESCRIBE_STRUCT(ClockMove, (), (advance_s))
struct ClockState {
  Instant now{};
  std::int64_t ahead_s = 0;
};
BOOST_DESCRIBE_STRUCT(ClockState, (), (now, ahead_s))
std::chrono::microseconds clock_offset(Tx& tx);
std::chrono::microseconds move_clock(Tx& tx, std::chrono::seconds by);

}  // namespace bottega::ops
