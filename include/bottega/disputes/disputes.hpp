#pragma once
// A buyer's bank takes a charge back. The disputed amount is reserved the moment we hear of it; the
// merchant contests it with evidence, or accepts; the bank decides. News may come twice, late and
// in any order.
#include <boost/asio/awaitable.hpp>

#include "bottega/attachments/attachments.hpp"
#include "bottega/payments/claims.hpp"

namespace bottega::disputes {

using attachments::AttachmentId, conversations::ConversationId, identity::MerchantId, identity::Who;
using orders::OrderId, orders::PaymentId, processors::Stance;
using DisputeId = Id<"dsp">;

using State = processors::DisputeState;
enum class Event : std::uint8_t { ask, review, win, lose };
BOOST_DESCRIBE_ENUM(Event, ask, review, win, lose)

// The self-edges say that news is repeated and overtaken by later news; what is decided stays so.
inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::opened, Event::ask, State::evidence_due},
    {State::opened, Event::review, State::under_review},
    {State::opened, Event::win, State::won},
    {State::opened, Event::lose, State::lost},
    {State::evidence_due, Event::ask, State::evidence_due},
    {State::evidence_due, Event::review, State::under_review},
    {State::evidence_due, Event::win, State::won},
    {State::evidence_due, Event::lose, State::lost},
    {State::under_review, Event::ask, State::under_review},
    {State::under_review, Event::review, State::under_review},
    {State::under_review, Event::win, State::won},
    {State::under_review, Event::lose, State::lost},
    {State::won, Event::ask, State::won},
    {State::won, Event::review, State::won},
    {State::won, Event::win, State::won},
    {State::lost, Event::ask, State::lost},
    {State::lost, Event::review, State::lost},
    {State::lost, Event::lose, State::lost},
})};
static_assert(kLifecycle.deterministic());

inline constexpr std::size_t kFilesMax = 10;
using Files = List<AttachmentId, 0, kFilesMax>;

// As the merchant's managers and the staff see it.
struct Dispute {
  DisputeId id;
  MerchantId merchant_id;
  PaymentId payment_id;
  OrderId order_id;
  ConversationId conversation_id;
  std::string processor, reference;
  Money amount;
  std::int64_t reserved = 0;  // less than the amount where the rest had been given back already
  std::string reason;         // the bank's, a code
  State state{};
  std::optional<Instant> evidence_due_at;
  std::optional<std::string> text;  // the evidence, as far as the merchant has written it
  Files attachments;
  std::optional<Stance> response;      // how it was answered
  std::optional<std::string> failure;  // why the processor did not take the last answer
  std::optional<Instant> submitted_at, closed_at;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Dispute, (),
                      (id, merchant_id, payment_id, order_id, conversation_id, processor, reference,
                       amount, reserved, reason, state, evidence_due_at, text, attachments,
                       response, failure, submitted_at, closed_at, created_at, updated_at))

// What the conversation is told of it: amount and state only.
struct Shown {
  DisputeId id;
  PaymentId payment_id;
  Money amount;
  State state{};
};
BOOST_DESCRIBE_STRUCT(Shown, (), (id, payment_id, amount, state))

// Takes the place of what was written before; what is not given stays as it is.
struct NewEvidence {
  std::optional<Text<1, 4096>> text;
  std::optional<Files> attachments;  // of messages of the conversation
};
BOOST_DESCRIBE_STRUCT(NewEvidence, (), (text, attachments))

// What was sent to the processor: the exact bytes, and the signature over them (both in
// hexadecimal) that the public key verifies.
struct Evidence {
  DisputeId dispute_id;
  std::string document, sha256, signature;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Evidence, (), (dispute_id, document, sha256, signature, created_at))
struct EvidenceKey {
  std::string algorithm, public_key;  // "Ed25519" (RFC 8032), and the key as PEM (RFC 7468)
};
BOOST_DESCRIBE_STRUCT(EvidenceKey, (), (algorithm, public_key))
EvidenceKey evidence_key(Tx& tx);

// Writes down how a dispute stands, and opens it where it is new. Hearing it again changes nothing.
// Throws Error(conflict) where a decision is contradicted.
Dispute hear(Tx& tx, const std::string& processor, const processors::DisputeNews& news,
             const payments::Rules& rules);
// The same for whatever was charged: a payment, or a person's top-up (top_ups.hpp).
void take_news(Tx& tx, const std::string& processor, const processors::DisputeNews& news,
               const payments::Rules& rules);
// Asks a processor for the news of the last days, which may have been lost on their way.
asio::awaitable<void> ask(Database& db, processors::Processor& processor,
                          const payments::Rules& rules);

// For managers and owners: throw Error(not_found) for strangers, Error(forbidden) for agents.
Dispute fetch(Tx& tx, const Who& who, DisputeId id);
std::vector<Dispute> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<State> state,
                                      std::optional<DisputeId> after, std::int64_t limit);
Dispute add_evidence(Tx& tx, const Who& who, DisputeId id, const NewEvidence& given);
// Both throw Error(conflict) for what was answered or decided already. A job tells the processor.
Dispute submit(Tx& tx, const Who& who, DisputeId id);
Dispute accept(Tx& tx, const Who& who, DisputeId id);
// Throws Error(not_found) as long as nothing was submitted. The second is the staff's.
Evidence fetch_evidence(Tx& tx, const Who& who, DisputeId id);
Evidence fetch_evidence(Tx& tx, DisputeId id);

// For the jobs: submits what is there when the time is almost over; reminds the merchant's side of
// it two days before; carries an answer to its end (throws Error(busy) to be called again).
void submit_in_time(Tx& tx, MerchantId merchant, DisputeId id);
void remind(Tx& tx, MerchantId merchant, DisputeId id);
asio::awaitable<void> respond(Database& db, const processors::Registry& registry,
                              MerchantId merchant, DisputeId id, const payments::Rules& rules);
// Writes down what the processor said about an answer; hearing it again changes nothing.
Dispute settle_response(Tx& tx, MerchantId merchant, DisputeId id,
                        const processors::Outcome& outcome, const payments::Rules& rules);

inline constexpr std::string_view kSubmitJob = "disputes.submit_in_time";
inline constexpr std::string_view kRemindJob = "disputes.remind";
inline constexpr std::string_view kRespondJob = "disputes.respond";
// How long before the deadline what is there is submitted, so that it still arrives.
inline constexpr std::chrono::hours kMargin{2};
inline constexpr std::chrono::hours kRemindBefore{48};

}  // namespace bottega::disputes
