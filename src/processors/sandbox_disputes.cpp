// Disputes at the sandbox: opened by its page, answered by us, decided by a rule that the amount
// chooses.
#include "processors/sandbox_rows.hpp"

namespace bottega::processors {
namespace {

struct ChargeRow {
  std::string key, account;
  Money amount;
  Operation operation{};
  MovementState state{};
};
BOOST_DESCRIBE_STRUCT(ChargeRow, (), (key, account, amount, operation, state))

const Sql<ChargeRow(std::string)> kCharge{"sandbox.disputed_charge", R"(
    SELECT key, account, amount, currency, operation, state FROM movements
    WHERE reference = $1 FOR UPDATE)"};

const Sql<std::int64_t(std::string)> kDisputed{"sandbox.disputed", R"(
    SELECT coalesce(sum(amount), 0)::bigint FROM disputes WHERE charge = $1 AND state <> 'won')"};

const Sql<BookDispute(std::string, std::string, std::string, std::int64_t, Currency, std::string,
                      Instant, Instant)>
    kOpen{"sandbox.open_dispute", R"(
    INSERT INTO disputes (reference, charge, charge_key, amount, currency, reason, state,
                          evidence_due_at, decide_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'evidence_due', $7, $7, $8)
    RETURNING reference, charge, charge_key, amount, currency, reason, state, evidence_due_at,
              answer_key, evidence)"};

const Sql<BookDispute(std::string)> kLock{"sandbox.lock_dispute", R"(
    SELECT reference, charge, charge_key, amount, currency, reason, state, evidence_due_at,
           answer_key, evidence
    FROM disputes WHERE reference = $1 FOR UPDATE)"};

const Sql<BookDispute(std::string)> kAnswered{"sandbox.answered_dispute", R"(
    SELECT reference, charge, charge_key, amount, currency, reason, state, evidence_due_at,
           answer_key, evidence
    FROM disputes WHERE answer_key = $1)"};

const Sql<BookDispute(Instant)> kChanged{"sandbox.changed_disputes", R"(
    SELECT reference, charge, charge_key, amount, currency, reason, state, evidence_due_at,
           answer_key, evidence
    FROM disputes WHERE updated_at >= $1 ORDER BY updated_at, reference LIMIT 10000)"};

const Sql<BookDispute(Instant)> kDue{"sandbox.due_disputes", R"(
    SELECT reference, charge, charge_key, amount, currency, reason, state, evidence_due_at,
           answer_key, evidence
    FROM disputes WHERE state NOT IN ('won', 'lost') AND decide_at <= $1
    ORDER BY decide_at LIMIT 100 FOR UPDATE SKIP LOCKED)"};

const Sql<void(std::string, DisputeState, std::optional<std::string>, std::optional<std::string>,
               Instant, Instant)>
    kMove{"sandbox.move_dispute", R"(
    UPDATE disputes SET state = $2, answer_key = $3, evidence = $4, decide_at = $5, updated_at = $6
    WHERE reference = $1)"};

const Sql<void(std::string, Operation, std::string, std::string, std::int64_t, Currency,
               std::string, Instant)>
    kMovement{"sandbox.dispute_movement", R"(
    INSERT INTO movements (key, operation, reference, account, about, amount, currency, state,
                           reason, return_url, created_at, moved_at)
    SELECT $1, $2, $3, account, reference, $5, $6, 'succeeded', $7, '', $8::timestamptz,
           $8::timestamptz
    FROM movements WHERE reference = $4)"};

DisputeNews news_of(const BookDispute& dispute) {
  return {dispute.charge_key, dispute.reference, dispute.amount,
          dispute.reason,     dispute.state,     dispute.evidence_due_at};
}

void tell(Tx& tx, const BookDispute& dispute) {
  const Outcome told{Verdict::succeeded, dispute.reference, dispute.reason, {}};
  queue_event(tx, Operation::dispute, dispute.charge_key, told, news_of(dispute));
}

// The bank takes the money at once, and gives it back where it decides for the merchant.
void enter(Tx& tx, const BookDispute& dispute, Operation operation) {
  const auto key =
      operation == Operation::dispute ? dispute.reference : dispute.reference + ":return";
  tx.run(kMovement, key, operation, "smv_" + typeid_suffix(make_uuid_v7()), dispute.charge,
         dispute.amount.amount, dispute.amount.currency, dispute.reason, tx.now());
}

void move(Tx& tx, BookDispute& dispute, DisputeState to, Instant decide_at) {
  dispute.state = to;
  tx.run(kMove, dispute.reference, to, dispute.answer_key, dispute.evidence, decide_at, tx.now());
  if (to == DisputeState::won) enter(tx, dispute, Operation::dispute_return);
  tell(tx, dispute);
}

bool is_closed(const BookDispute& dispute) {
  return dispute.state == DisputeState::won || dispute.state == DisputeState::lost;
}

Outcome taken(const BookDispute& dispute) {
  return {Verdict::succeeded, dispute.reference, {}, {}};
}

}  // namespace

Outcome answered_dispute(Tx& tx, const std::string& key) {
  const auto dispute = tx.find(kAnswered, key);
  if (!dispute) return {Verdict::not_found, {}, {}, {}};
  return taken(*dispute);
}

asio::awaitable<BookDispute> Sandbox::open_dispute(const NewDispute& given) {
  const NewDispute wanted = given;
  const auto within = options_.evidence_within;
  const auto dispute = co_await books_.transact([&](Tx& tx) {
    const auto charge = tx.find(kCharge, wanted.charge.value);
    if (!charge || charge->operation != Operation::charge ||
        charge->state != MovementState::succeeded)
      throw Error(Code::invalid, "there is no such charge",
                  {{"/charge", "must be the reference of a charge that succeeded"}});
    const auto left = charge->amount.amount - tx.one(kDisputed, wanted.charge.value);
    const auto amount = wanted.amount ? wanted.amount->value : left;
    if (amount <= 0 || amount > left)
      throw Error(Code::invalid, "that is more than is left of the charge",
                  {{"/amount", "must be at most " + std::to_string(left)}});
    const auto opened = tx.one(kOpen, "sdp_" + typeid_suffix(make_uuid_v7()), wanted.charge.value,
                               charge->key, amount, charge->amount.currency,
                               wanted.reason ? wanted.reason->value : "product_not_received",
                               tx.now() + within, tx.now());
    enter(tx, opened, Operation::dispute);
    tell(tx, opened);
    return opened;
  });
  queued();
  co_return dispute;
}

asio::awaitable<BookDispute> Sandbox::dispute_page(const std::string& given) {
  const std::string reference = given;
  co_return co_await books_.transact([&](Tx& tx) { return tx.one(kLock, reference); });
}

asio::awaitable<Outcome> Sandbox::respond_dispute(const DisputeAnswer& given) {
  const DisputeAnswer call = given;
  const auto review = options_.review;
  bool is_lost = false;
  const auto outcome = co_await books_.transact([&](Tx& tx) -> Outcome {
    auto dispute = tx.find(kLock, call.reference);
    if (!dispute) return {Verdict::refused, {}, "no_such_dispute", {}};
    if (dispute->answer_key == call.key) return taken(*dispute);
    if (is_closed(*dispute) || dispute->evidence_due_at <= tx.now())
      return {Verdict::declined, call.reference, "too_late", {}};
    if (dispute->answer_key) return {Verdict::declined, call.reference, "answered_already", {}};
    dispute->answer_key = call.key;
    is_lost = dispute->amount.amount % 100 == 17;
    const bool contested = call.stance == Stance::contest;
    if (contested) dispute->evidence = call.evidence;
    move(tx, *dispute, contested ? DisputeState::under_review : DisputeState::lost,
         tx.now() + review);
    return taken(*dispute);
  });
  queued();
  if (!is_lost) co_return outcome;
  co_await wait(options_.answer_timeout);
  co_return Outcome{};
}

asio::awaitable<std::vector<DisputeNews>> Sandbox::disputes(Instant since) {
  const auto rows = co_await books_.read([&](Tx& tx) { return tx.all(kChanged, since); });
  std::vector<DisputeNews> news;
  for (const auto& row : rows) news.push_back(news_of(row));
  co_return news;
}

asio::awaitable<int> Sandbox::decide_disputes() {
  const int decided = co_await books_.transact([&](Tx& tx) {
    auto due = tx.all(kDue, tx.now());
    for (auto& dispute : due) {
      const bool wins =
          dispute.state == DisputeState::under_review && dispute.amount.amount % 100 != 13;
      move(tx, dispute, wins ? DisputeState::won : DisputeState::lost, tx.now());
    }
    return static_cast<int>(due.size());
  });
  if (decided > 0) queued();
  co_return decided;
}

}  // namespace bottega::processors
