#pragma once
// What a buyer sends back: asked for, approved or rejected by the shop, received, and refunded.
// While it is under way the order's payout is held. One at a time of an order, and another after
// it as long as pieces are left that have not come back.
#include "bottega/payments/refunds.hpp"

namespace bottega::returns {

using conversations::ConversationId, identity::AccountId, identity::MerchantId, identity::Who;
using orders::OrderId;
using ReturnId = Id<"ret">;

enum class State : std::uint8_t {
  requested,
  approved,
  rejected,
  cancelled,
  expired,
  received,
  refunded,
};
BOOST_DESCRIBE_ENUM(State, requested, approved, rejected, cancelled, expired, received, refunded)
enum class Event : std::uint8_t { approve, reject, cancel, expire, receive, refund, come_back };
BOOST_DESCRIBE_ENUM(Event, approve, reject, cancel, expire, receive, refund, come_back)

// It is refunded when the money has gone, and not when that was begun. What the bank sends back may
// be given back again.
inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::requested, Event::approve, State::approved},
    {State::requested, Event::reject, State::rejected},
    {State::requested, Event::cancel, State::cancelled},
    {State::approved, Event::cancel, State::cancelled},
    {State::approved, Event::expire, State::expired},
    {State::approved, Event::receive, State::received},
    {State::received, Event::refund, State::refunded},
    {State::refunded, Event::come_back, State::received},
})};
static_assert(kLifecycle.deterministic());

enum class Reason : std::uint8_t {
  changed_mind,
  damaged,
  wrong_item,
  not_as_described,
  withdrawal,
  other,
};
BOOST_DESCRIBE_ENUM(Reason, changed_mind, damaged, wrong_item, not_as_described, withdrawal, other)

// What of a line has come back, in which condition.
struct ReceivedLine {
  Count<0, 99> line;
  Count<0, 9'999> good, damaged;
};
BOOST_DESCRIBE_STRUCT(ReceivedLine, (), (line, good, damaged))
using ReceivedLines = List<ReceivedLine, 1, 100>;

struct Return {
  ReturnId id;
  MerchantId merchant_id;
  OrderId order_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  State state{};
  Reason reason{};
  std::optional<std::string> note;  // the buyer's words, which are in no log
  orders::SentLines lines;
  std::optional<std::string> decision;  // what the shop has said to it
  std::optional<Instant> return_by;     // until when what is approved is waited for
  std::optional<ReceivedLines> received;
  bool restocked = false;  // what came back in good condition is in the stock again
  Currency currency;
  // Minor units: what the server proposes to give back, and what is given back.
  std::optional<std::int64_t> proposed, amount;
  std::optional<payments::RefundId> refund_id;
  Instant created_at{}, updated_at{};
  std::optional<Instant> decided_at, received_at, ended_at;
};
BOOST_DESCRIBE_STRUCT(Return, (),
                      (id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note,
                       lines, decision, return_by, received, restocked, currency, proposed, amount,
                       refund_id, created_at, updated_at, decided_at, received_at, ended_at))

// All that was sent and has not come back, where there are no lines.
struct NewReturn {
  Reason reason{};
  std::optional<Text<1, 1000>> note;
  std::optional<orders::SentLines> lines;
};
BOOST_DESCRIBE_STRUCT(NewReturn, (), (reason, note, lines))

struct ReturnApproval {
  std::optional<Text<1, 1000>> words;
};
BOOST_DESCRIBE_STRUCT(ReturnApproval, (), (words))
struct ReturnRejection {
  Text<1, 1000> words;
};
BOOST_DESCRIBE_STRUCT(ReturnRejection, (), (words))

// All of it in good condition, where there are no lines.
struct ReturnReceipt {
  std::optional<ReceivedLines> lines;
  std::optional<bool> restock;  // puts what is good into the stock again
};
BOOST_DESCRIBE_STRUCT(ReturnReceipt, (), (lines, restock))

struct ReturnRefund {
  std::optional<Count<0, kAmountMax>> amount;  // minor units; what is proposed where none is given
  std::optional<Text<1, 255>> reason;
};
BOOST_DESCRIBE_STRUCT(ReturnRefund, (), (amount, reason))

struct Rules {
  std::chrono::days ask_within{30};     // of its delivery, or its sending where none is known of
  std::chrono::days return_within{30};  // of the approval
};
inline constexpr std::int64_t kReturnsMax = 50;  // of one order

// By the buyer. Throws Error(conflict) where one is under way, Error(invalid) for what was not sent
// or has come back.
Return request(Tx& tx, const Who& who, OrderId order, const NewReturn& given, const Rules& rules);
// For the buyer and the shop: throws Error(not_found) for others.
Return fetch(Tx& tx, const Who& who, ReturnId id);
// Of one order, newest first; there are at most kReturnsMax.
std::vector<Return> list_of_order(Tx& tx, const Who& who, OrderId order);
std::vector<Return> list_of_buyer(Tx& tx, AccountId buyer, std::optional<ReturnId> after,
                                  std::int64_t limit);
std::vector<Return> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<State> state,
                                     std::optional<ReturnId> after, std::int64_t limit);

// By the shop. What is approved and not received in time expires.
Return approve(Tx& tx, const Who& who, ReturnId id, const ReturnApproval& given,
               const Rules& rules);
Return reject(Tx& tx, const Who& who, ReturnId id, const ReturnRejection& given);
// By the buyer, until it was received.
Return cancel(Tx& tx, const Who& who, ReturnId id);
// For the job, when it was not received in time.
void expire(Tx& tx, MerchantId merchant, ReturnId id);

// By the shop. Throws Error(invalid) for more than was asked for.
Return receive(Tx& tx, const Who& who, ReturnId id, const ReturnReceipt& given);

// Begins the refund of what was received; nothing moves where the amount is 0, which ends it. For
// managers and owners; an API key needs both scopes, payments and orders. Throws Error(conflict)
// while one is under way.
Return refund(Tx& tx, const Who& who, ReturnId id, const ReturnRefund& given,
              const payments::Rules& rules);
// For the job: a refund has ended, or has come back. Where it failed, another may be tried. Hearing
// it again changes nothing.
void refund_ended(Tx& tx, MerchantId merchant, payments::RefundId id);

inline constexpr std::string_view kExpireJob = "returns.expire";

}  // namespace bottega::returns
