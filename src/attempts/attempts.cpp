#include "bottega/attempts/attempts.hpp"

#include "bottega/core/log.hpp"

namespace bottega::attempts {
namespace {

using ThingId = Id<"thing">;
using processors::Operation, processors::Outcome, processors::Verdict;

const Sql<Attempt(MerchantId, AttemptId, Operation, ThingId, std::string, std::string, std::int64_t,
                  Currency)>
    kBegin{"attempts.begin", R"(
    INSERT INTO attempts (merchant_id, id, operation, subject_id, processor, account, amount,
                          currency, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'sent')
    RETURNING id, merchant_id, operation, processor, account, amount, currency, state, reference,
              reason, asked, returned_at, false AS overdue)"};

const Sql<Attempt(MerchantId, ThingId, std::int64_t)> kLockLatest{"attempts.lock_latest", R"(
    SELECT id, merchant_id, operation, processor, account, amount, currency, state, reference,
           reason, asked, returned_at,
           sent_at < clock_timestamp() - make_interval(secs => $3::bigint / 1000.0) AS overdue
    FROM attempts WHERE merchant_id = $1 AND subject_id = $2 ORDER BY id DESC LIMIT 1 FOR UPDATE)"};

const Sql<void(MerchantId, AttemptId)> kTakeUp{"attempts.take_up", R"(
    UPDATE attempts SET asked = asked + 1,
           sent_at = CASE asked WHEN 0 THEN clock_timestamp() ELSE sent_at END
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, AttemptId, State, std::optional<std::string>, std::optional<std::string>,
               Instant, std::optional<Instant>, std::optional<std::int64_t>)>
    kSettle{"attempts.settle", R"(
    UPDATE attempts SET state = $3, reference = $4, reason = $5, returned_at = $7,
           fee = coalesce(fee, $8),
           settled_at = CASE WHEN $3 NOT IN ('succeeded', 'failed') THEN NULL
                             WHEN state = $3 THEN coalesce(settled_at, $6) ELSE $6 END
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<Attempt(MerchantId, AttemptId)> kFetch{"attempts.fetch", R"(
    SELECT id, merchant_id, operation, processor, account, amount, currency, state, reference,
           reason, asked, returned_at, false AS overdue
    FROM attempts WHERE merchant_id = $1 AND id = $2)"};

const Sql<Subject(MerchantId, AttemptId)> kSubjectOf{"attempts.subject_of", R"(
    SELECT merchant_id, subject_id FROM attempts WHERE merchant_id = $1 AND id = $2)"};

const Sql<Subject(MerchantId, AttemptId, std::string)> kSubject{"attempts.subject", R"(
    SELECT merchant_id, subject_id FROM attempts
    WHERE merchant_id = $1 AND id = $2 AND processor = $3)"};

Event event_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::succeeded:
      return Event::succeed;
    case Verdict::buyer_action:
    case Verdict::pending:
      return Event::wait;
    case Verdict::declined:
    case Verdict::refused:
      return Event::fail;
    case Verdict::not_found:
    case Verdict::unknown:
      return Event::lose;
  }
  return Event::lose;
}

// What the news means to this attempt. Only what comes by itself takes a success back: an answer
// that says so contradicts itself.
Event event_for(const Attempt& attempt, const Outcome& outcome) {
  const auto event = event_of(outcome.verdict);
  const bool is_charge = attempt.operation == Operation::charge;
  if (event == Event::succeed && attempt.state == State::failed && is_charge)
    return Event::succeed_late;
  const bool is_outgoing =
      attempt.operation == Operation::refund || attempt.operation == Operation::payout;
  const bool is_taken_back =
      outcome.verdict == Verdict::declined && outcome.origin == processors::Origin::news;
  if (attempt.state == State::succeeded && is_outgoing && is_taken_back) return Event::come_back;
  return event;
}

Outcome answer_about(const Attempt& attempt, Outcome outcome) {
  if (outcome.verdict == Verdict::refused) {
    const auto key = attempt.key();
    log::error("attempt.question_refused", {{"attempt", key}, {"reason", outcome.reason}});
    outcome = {};
  }
  outcome.key = attempt.key();
  return outcome;
}

// Whatever breaks on the way, the call may have been made: unknown is not a verdict.
asio::awaitable<Outcome> send_it(const Attempt& attempt, const Send& send) {
  Outcome outcome;
  try {
    outcome = co_await send();
  } catch (const std::exception& failure) {
    log::error("attempt.call_failed",
               {{"attempt", attempt.key()}, {"error", std::string(failure.what())}});
  }
  outcome.key = attempt.key();
  co_return outcome;
}

}  // namespace

Attempt begin(Tx& tx, MerchantId merchant, Operation operation, const Uuid& subject,
              const Destination& to, Money amount) {
  const auto id = AttemptId::make();
  identity::enter_directory(tx, id.uuid, merchant);
  return tx.one(kBegin, merchant, id, operation, ThingId{subject}, to.processor, to.account,
                amount.amount, amount.currency);
}

Destination destination_of(const identity::Merchant& merchant) {
  return {merchant.processor, merchant.processor_account.value_or("")};
}

Attempt settle(Tx& tx, Attempt attempt, const Outcome& given) {
  const auto outcome = believed(attempt, given);
  if (outcome.verdict != given.verdict)
    log::error("attempt.not_believed",
               {{"attempt", attempt.key()},
                {"expected", display(attempt.amount)},
                {"told", given.amount ? display(*given.amount) : "no amount"},
                {"reference", given.reference}});
  const auto on = event_for(attempt, outcome);
  if (on == Event::come_back && !attempt.returned_at) attempt.returned_at = tx.now();
  attempt.state = kLifecycle.advance(attempt.state, on);
  if (!outcome.reference.empty()) attempt.reference = outcome.reference;
  if (!outcome.reason.empty()) attempt.reason = outcome.reason;
  tx.run(kSettle, attempt.merchant_id, attempt.id, attempt.state, attempt.reference, attempt.reason,
         tx.now(), attempt.returned_at,
         outcome.verdict == Verdict::succeeded ? outcome.fee : std::nullopt);
  return attempt;
}

Outcome believed(const Attempt& attempt, Outcome outcome) {
  const bool fits = !outcome.amount || *outcome.amount == attempt.amount;
  if (outcome.verdict == Verdict::succeeded && (!fits || outcome.reference.empty()))
    outcome.verdict = Verdict::unknown;
  return outcome;
}

Attempt lock_latest(Tx& tx, MerchantId merchant, const Uuid& subject,
                    std::chrono::milliseconds call_timeout) {
  return tx.one(kLockLatest, merchant, ThingId{subject}, 2 * call_timeout.count());
}

Attempt take_up(Tx& tx, MerchantId merchant, const Uuid& subject,
                std::chrono::milliseconds call_timeout) {
  auto attempt = lock_latest(tx, merchant, subject, call_timeout);
  tx.run(kTakeUp, merchant, attempt.id);
  return attempt;
}

std::optional<Attempt> settle_latest(Tx& tx, MerchantId merchant, const Uuid& subject,
                                     const Outcome& outcome) {
  const auto latest = lock_latest(tx, merchant, subject, {});
  if (!outcome.key.empty() && outcome.key != latest.key()) return std::nullopt;
  return settle(tx, latest, outcome);
}

// What the processor has proof of that it never saw; a call that is under way may still arrive.
void require_not_under_way(const Attempt& attempt) {
  if (attempt.state == State::sent && !attempt.overdue)
    throw Error(Code::busy, "the call may still be under way");
}

asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Attempt& attempt,
                                   const Send& send) {
  if (attempt.asked == 0 && !attempt.overdue) co_return co_await send_it(attempt, send);
  const auto told = co_await ask(processor, attempt);
  if (told.verdict != Verdict::not_found) co_return told;
  require_not_under_way(attempt);
  co_return co_await send_it(attempt, send);
}

asio::awaitable<Outcome> find_out(processors::Processor& processor, const Attempt& attempt) {
  Outcome outcome;
  outcome.verdict = Verdict::not_found;
  if (attempt.asked > 0) {
    outcome = co_await ask(processor, attempt);
    if (outcome.verdict == Verdict::not_found) require_not_under_way(attempt);
  }
  if (outcome.verdict == Verdict::not_found) {
    outcome.verdict = Verdict::declined;
    outcome.reason = "not_wanted";
  }
  outcome.key = attempt.key();
  co_return outcome;
}

asio::awaitable<Outcome> ask(processors::Processor& processor, const Attempt& attempt) {
  const auto key = attempt.key();
  auto outcome = co_await processor.look_up(attempt.operation, key);
  co_return answer_about(attempt, std::move(outcome));
}

asio::awaitable<Outcome> cancel(processors::Processor& processor, const Attempt& attempt) {
  const auto key = attempt.key();
  auto outcome = co_await processor.cancel(key);
  co_return answer_about(attempt, std::move(outcome));
}

Subject subject_of(Tx& tx, const std::string& processor, const std::string& key) {
  const auto id = from_text<AttemptId>(key, Code::not_found);
  return tx.one(kSubject, identity::merchant_of(tx, id.uuid), id, processor);
}

Subject subject_of(Tx& tx, AttemptId id) {
  return tx.one(kSubjectOf, identity::merchant_of(tx, id.uuid), id);
}

Attempt fetch(Tx& tx, AttemptId id) {
  return tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
}

}  // namespace bottega::attempts
