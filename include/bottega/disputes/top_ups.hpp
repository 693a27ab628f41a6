#pragma once
// A dispute about a top-up: it is no merchant's, so the staff answers it. What it takes is reserved
// in the wallet the moment we hear of it; for the rest it goes as any other.
#include "bottega/disputes/disputes.hpp"
#include "bottega/wallet/claims.hpp"

namespace bottega::disputes {

using identity::AccountId, wallet::TopUpId;

// As the staff sees it.
struct TopUpDispute {
  DisputeId id;
  TopUpId top_up_id;
  AccountId account_id;
  std::string processor, reference;
  Money amount;
  std::int64_t reserved = 0;  // less than the amount where other disputes have claimed the rest
  std::int64_t advanced = 0;  // what of it the platform stood in for
  std::string reason;         // the bank's, a code
  State state{};
  std::optional<Instant> evidence_due_at;
  std::optional<std::string> text;     // what the staff says of it
  std::optional<Stance> response;      // how it was answered
  std::optional<std::string> failure;  // why the processor did not take the last answer
  std::optional<Instant> submitted_at, closed_at;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(TopUpDispute, (),
                      (id, top_up_id, account_id, processor, reference, amount, reserved, advanced,
                       reason, state, evidence_due_at, text, response, failure, submitted_at,
                       closed_at, created_at, updated_at))

// What the person is told of it, live.
struct TopUpDisputeShown {
  DisputeId id;
  TopUpId top_up_id;
  Money amount;
  State state{};
};
BOOST_DESCRIBE_STRUCT(TopUpDisputeShown, (), (id, top_up_id, amount, state))

struct TopUpStatement {
  std::optional<Text<1, 4096>> text;
};
BOOST_DESCRIBE_STRUCT(TopUpStatement, (), (text))

// As hear() of disputes.hpp, for a charge that was a top-up's.
TopUpDispute hear_of_top_up(Tx& tx, const std::string& processor,
                            const processors::DisputeNews& news);

TopUpDispute fetch_top_up_dispute(Tx& tx, DisputeId id);
// Newest first.
std::vector<TopUpDispute> list_top_up_disputes(Tx& tx, std::optional<AccountId> account,
                                               std::optional<State> state,
                                               std::optional<DisputeId> after, std::int64_t limit);

// Contests it with the top-up and what has moved since, or gives in. Both throw Error(conflict) for
// what was answered or decided already. A job tells the processor.
TopUpDispute submit_top_up_dispute(Tx& tx, DisputeId id, const TopUpStatement& given);
TopUpDispute accept_top_up_dispute(Tx& tx, DisputeId id);
// Throws Error(not_found) as long as nothing was submitted.
Evidence fetch_top_up_evidence(Tx& tx, DisputeId id);

// For the jobs: contests it when the time is almost over; carries an answer to its end (throws
// Error(busy) to be called again).
void submit_top_up_in_time(Tx& tx, DisputeId id);
asio::awaitable<void> respond_of_top_up(Database& db, const processors::Registry& registry,
                                        DisputeId id, std::chrono::milliseconds call_timeout);
// Writes down what the processor said about an answer; hearing it again changes nothing.
TopUpDispute settle_top_up_response(Tx& tx, DisputeId id, const processors::Outcome& outcome);

inline constexpr std::string_view kSubmitTopUpJob = "disputes.submit_top_up_in_time";
inline constexpr std::string_view kRespondTopUpJob = "disputes.respond_of_top_up";

}  // namespace bottega::disputes
