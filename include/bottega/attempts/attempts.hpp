#pragma once
// One row per call that may move money, committed before the call, with the key by which the
// processor can be asked again. `unknown` is a state, not a verdict.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "bottega/core/machine.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/processors/processor.hpp"

namespace bottega::attempts {

namespace asio = boost::asio;
using AttemptId = Id<"att">;
using identity::MerchantId;

enum class State : std::uint8_t { sent, waiting, succeeded, failed, unknown };
BOOST_DESCRIBE_ENUM(State, sent, waiting, succeeded, failed, unknown)
enum class Event : std::uint8_t { wait, succeed, fail, lose, succeed_late, come_back };
BOOST_DESCRIBE_ENUM(Event, wait, succeed, fail, lose, succeed_late, come_back)

// The self-edges of the final states: the answer, the webhook and the reconciler may all say it. A
// charge may succeed after we gave it up. What was refunded or paid out may come back: that it did
// is a fact beside the state, for it has moved (`returned_at`).
inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::sent, Event::wait, State::waiting},
    {State::sent, Event::succeed, State::succeeded},
    {State::sent, Event::fail, State::failed},
    {State::sent, Event::lose, State::unknown},
    {State::waiting, Event::wait, State::waiting},
    {State::waiting, Event::succeed, State::succeeded},
    {State::waiting, Event::fail, State::failed},
    {State::waiting, Event::lose, State::waiting},
    {State::unknown, Event::wait, State::waiting},
    {State::unknown, Event::succeed, State::succeeded},
    {State::unknown, Event::fail, State::failed},
    {State::unknown, Event::lose, State::unknown},
    {State::succeeded, Event::succeed, State::succeeded},
    {State::succeeded, Event::lose, State::succeeded},
    {State::succeeded, Event::wait, State::succeeded},
    {State::succeeded, Event::come_back, State::succeeded},
    {State::failed, Event::fail, State::failed},
    {State::failed, Event::lose, State::failed},
    {State::failed, Event::wait, State::failed},
    {State::failed, Event::succeed_late, State::succeeded},
})};
static_assert(kLifecycle.deterministic());

struct Attempt {
  AttemptId id;  // and, as text, the idempotency key at the processor
  MerchantId merchant_id;
  processors::Operation operation{};
  std::string processor, account;  // whom it goes to, from its beginning to its end
  Money amount;
  State state{};
  std::optional<std::string> reference, reason;
  std::int64_t asked = 0;  // how often it was sent or asked about, counted before each call
  std::optional<Instant> returned_at;  // of a refund or payout: when we heard that it came back
  bool overdue = false;                // longer under way than any call may take
  std::string key() const { return text_of(id); }
};
BOOST_DESCRIBE_STRUCT(Attempt, (),
                      (id, merchant_id, operation, processor, account, amount, state, reference,
                       reason, asked, returned_at, overdue))

// Whom a call goes to. The account may be another one by the time that it is sent again; the call
// is the same to the byte.
struct Destination {
  std::string processor, account;
};
// Writes down that we are about to ask. `subject` is the payment, refund or payout.
Attempt begin(Tx& tx, MerchantId merchant, processors::Operation operation, const Uuid& subject,
              const Destination& to, Money amount);
// The same for the charges of many payments, in one statement; whoever begins them enters them in
// the directory.
struct NewCharge {
  MerchantId merchant;
  Uuid payment;
  Destination to;
  Money amount;
};
std::vector<Attempt> begin(Tx& tx, const std::vector<NewCharge>& charges);
// Charges that were made as they were asked for, in one statement: whoever says so holds them, and
// has found them `sent`.
struct Charged {
  MerchantId merchant;
  AttemptId attempt;
  std::string reference;
  std::optional<std::int64_t> fee;
};
void succeed(Tx& tx, const std::vector<Charged>& charges);
// The processor and the account of a merchant.
Destination destination_of(const identity::Merchant& merchant);
// Writes down what we were told; a contradiction (failed after it succeeded) throws
// Error(conflict).
Attempt settle(Tx& tx, Attempt attempt, const processors::Outcome& outcome);
// The outcome as it may be acted upon: a success of another amount, or without a reference, is no
// more than unknown. Then a person must look; settle() tells them.
processors::Outcome believed(const Attempt& attempt, processors::Outcome outcome);
// The newest attempt for a subject, locked. It is overdue once it is older than any call may take.
Attempt lock_latest(Tx& tx, MerchantId merchant, const Uuid& subject,
                    std::chrono::milliseconds call_timeout);
// The same, for whoever carries it out now. That they do is counted before the call: whatever
// becomes of them, the next one asks before anything is sent again.
Attempt take_up(Tx& tx, MerchantId merchant, const Uuid& subject,
                std::chrono::milliseconds call_timeout);
// Settles the newest attempt for a subject; none where the outcome is of an older try, whose news
// must not be taken for news of this one.
std::optional<Attempt> settle_latest(Tx& tx, MerchantId merchant, const Uuid& subject,
                                     const processors::Outcome& outcome);
// Makes the call of an attempt: the first time it is sent; after that it is asked about, and sent
// again under the same key only where the processor has proof that it never saw it. Throws
// Error(busy) where a call may still be under way.
using Send = std::function<asio::awaitable<processors::Outcome>()>;
asio::awaitable<processors::Outcome> carry_out(processors::Processor& processor,
                                               const Attempt& attempt, const Send& send);
// For what is not wanted any more: what became of it, without sending it again. What was never sent
// has failed, and so has what the processor never saw. Throws Error(busy) as carry_out() does.
asio::awaitable<processors::Outcome> find_out(processors::Processor& processor,
                                              const Attempt& attempt);
// What became of an attempt, as the processor says; and the same for a charge that is not to happen
// any more. Where it refuses the question (our credentials are wrong, for instance) nothing is
// known: only as the answer to what was sent is a refusal proof that nothing was done.
asio::awaitable<processors::Outcome> ask(processors::Processor& processor, const Attempt& attempt);
asio::awaitable<processors::Outcome> cancel(processors::Processor& processor,
                                            const Attempt& attempt);
// The state of what is as its newest attempt is, in its own words.
template <class T>
T state_as(State attempt) {
  switch (attempt) {
    case State::sent:
    case State::waiting:
      return T::pending;
    case State::succeeded:
      return T::succeeded;
    case State::failed:
      return T::failed;
    case State::unknown:
      return T::unknown;
  }
  return T::unknown;
}
// The subject of the attempt with this key, and its merchant; throws Error(not_found), also where
// the attempt is with another processor: none may bring news of what it was not asked to do.
struct Subject {
  MerchantId merchant_id;
  Id<"thing"> subject_id;
};
BOOST_DESCRIBE_STRUCT(Subject, (), (merchant_id, subject_id))
Subject subject_of(Tx& tx, const std::string& processor, const std::string& key);

Subject subject_of(Tx& tx, AttemptId id);  // whoever it is with
Attempt fetch(Tx& tx, AttemptId id);

// A webhook is verified, kept by the processor's event id and answered at once; a job handles it.
// It may say no more than the answer to our own call has said: then it is `known`, and nothing is
// left to do.
enum class Seen : std::uint8_t { first, known, again };
struct Heard {
  std::string processor;
  processors::Event event;
};
// Many of them in one statement; answers in their order.
std::vector<Seen> keep_events(Tx& tx, const std::vector<Heard>& heard);
Seen keep_event(Tx& tx, const std::string& processor, const processors::Event& event);
struct KeptEvent {
  std::string processor, event_id;
  processors::Operation operation{};
  std::string key;
  processors::Verdict verdict{};
  std::string reference, reason, action_url;
  std::optional<std::int64_t> fee;
  std::optional<processors::DisputeNews> dispute;
  std::optional<Money> amount;
};
BOOST_DESCRIBE_STRUCT(KeptEvent, (),
                      (processor, event_id, operation, key, verdict, reference, reason, action_url,
                       fee, dispute, amount))
KeptEvent fetch_event(Tx& tx, const std::string& processor, const std::string& event_id);
void event_handled(Tx& tx, const std::string& processor, const std::string& event_id);
// Forgets what was handled and came before then, at most `limit` of it; answers how much.
std::int64_t forget_events(Tx& tx, Instant before, std::int64_t limit);

inline constexpr std::string_view kEventJob = "attempts.event";

}  // namespace bottega::attempts
