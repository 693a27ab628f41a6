// What is due to a merchant is released together, and sent as one batch, which is tried once.
#include "payouts/rows.hpp"
#include "bottega/core/log.hpp"

namespace bottega::payouts {
namespace {

using processors::Outcome;

constexpr std::int64_t kBatchMost = 500;

const Sql<Payout(MerchantId, PayoutId)> kFetch{"payouts.fetch_due", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND id = $2)"};

// In the order of their ids, so that two who gather at one moment do not wait in a circle.
const Sql<Payout(MerchantId, Currency, Instant, std::int64_t)> kLockDue{"payouts.lock_due", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts
    WHERE merchant_id = $1 AND currency = $2
      AND (state = 'scheduled' AND due_at <= $3 OR state = 'failed' AND retry_at <= $3)
    ORDER BY id LIMIT $4 FOR UPDATE)"};

// One that is due and behind the last of those.
const Sql<Payout(MerchantId, PayoutId, PayoutId, Instant)> kLockBehind{"payouts.lock_behind", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts
    WHERE merchant_id = $1 AND id = $2 AND id > $3
      AND (state = 'scheduled' AND due_at <= $4 OR state = 'failed' AND retry_at <= $4)
    FOR UPDATE)"};

// All that is due, however many they are.
struct DueSum {
  std::int64_t amount = 0;
  std::optional<Instant> oldest;
};
BOOST_DESCRIBE_STRUCT(DueSum, (), (amount, oldest))
const Sql<DueSum(MerchantId, Currency, Instant)> kSumDue{"payouts.sum_due", R"(
    SELECT coalesce(sum(amount - recovered), 0)::bigint AS amount, min(due_at) AS oldest
    FROM payouts
    WHERE merchant_id = $1 AND currency = $2
      AND (state = 'scheduled' AND due_at <= $3 OR state = 'failed' AND retry_at <= $3))"};

const Sql<Payout(MerchantId, BatchId, State)> kLockBatched{"payouts.lock_batched", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND batch_id = $2 AND state = $3
    ORDER BY id FOR UPDATE)"};

const Sql<Payout(MerchantId, BatchId, PayoutId, std::int64_t)> kListOfBatch{"payouts.of_batch", R"(
    SELECT id, merchant_id, order_id, amount, currency, fee, state, shipped_at, due_at, due_on,
           reason, reference, recovered, batch_id, tries, retry_at, created_at, submitted_at,
           paid_at
    FROM payouts WHERE merchant_id = $1 AND batch_id = $2 AND id > $3 ORDER BY id LIMIT $4)"};

const Sql<Batch(MerchantId, BatchId, std::int64_t, Currency, std::int64_t, std::int64_t, Instant)>
    kInsert{"payouts.insert_batch", R"(
    INSERT INTO payout_batches (merchant_id, id, amount, currency, payouts, from_balance, state,
                                created_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'submitted', $7)
    RETURNING id, merchant_id, amount, currency, payouts, from_balance, state, reason, reference,
              created_at, ended_at)"};

// What was released with payouts that the bank has refused: it goes with those.
const Sql<std::int64_t(MerchantId, Currency)> kRefused{"payouts.refused", R"(
    SELECT coalesce(sum(amount - recovered), 0)::bigint FROM payouts
    WHERE merchant_id = $1 AND currency = $2 AND tries > 0
      AND state IN ('scheduled', 'held', 'failed'))"};

const Sql<Batch(MerchantId, BatchId)> kFetchBatch{"payouts.fetch_batch", R"(
    SELECT id, merchant_id, amount, currency, payouts, from_balance, state, reason, reference,
           created_at, ended_at
    FROM payout_batches WHERE merchant_id = $1 AND id = $2)"};

const Sql<Batch(MerchantId, BatchId)> kLockBatch{"payouts.lock_batch", R"(
    SELECT id, merchant_id, amount, currency, payouts, from_balance, state, reason, reference,
           created_at, ended_at
    FROM payout_batches WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Batch(MerchantId, BatchId, std::int64_t)> kListBatches{"payouts.list_batches", R"(
    SELECT id, merchant_id, amount, currency, payouts, from_balance, state, reason, reference,
           created_at, ended_at
    FROM payout_batches WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, BatchId, BatchState, std::optional<std::string>,
               std::optional<std::string>, std::optional<Instant>)>
    kUpdate{"payouts.update_batch", R"(
    UPDATE payout_batches SET state = $3, reason = $4, reference = $5, ended_at = $6
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<conversations::ConversationId(MerchantId, OrderId)> kConversation{"payouts.conversation",
                                                                            R"(
    SELECT conversation_id FROM orders WHERE merchant_id = $1 AND id = $2)"};

std::int64_t left_of(const Payout& payout) { return payout.amount.amount - payout.recovered; }

void post(Tx& tx, MerchantId merchant, ledger::Why why, const Uuid& about, ledger::Kind debit,
          ledger::Kind credit, Money amount) {
  if (amount.amount > 0)
    ledger::post(tx, ledger::transfer_within(merchant, why, about, debit, credit, amount));
}

// Held money becomes the merchant's, less the platform's fee.
void release_money(Tx& tx, const Payout& payout) {
  using enum ledger::Kind;
  post(tx, payout.merchant_id, ledger::Why::release, payout.id.uuid, held, merchant_payable,
       payout.amount);
  post(tx, payout.merchant_id, ledger::Why::platform_fee, payout.id.uuid, held, platform_fees,
       {payout.fee, payout.amount.currency});
}

// What of the balance no payout stands for: such as what was won in a dispute after its debt had
// been recovered. Asked for before anything else is released into it.
std::int64_t loose_of(Tx& tx, MerchantId merchant, const Currency& currency) {
  const ledger::Account account{ledger::Kind::merchant_payable, ledger::owner_of(merchant)};
  const auto there = ledger::available(tx, account, currency);
  return std::max<std::int64_t>(there - tx.one(kRefused, merchant, currency), 0);
}

struct Net {
  Money sent;
  std::int64_t from_balance = 0;  // of it, besides the payouts
};

// What the merchant owes is taken from what they have earned first; what was taken from their
// balance meanwhile, for refunds of what had failed to be paid out, is not there any more. Answers
// what is left to send, with all else that is theirs.
Net net(Tx& tx, BatchId batch, std::vector<Payout>& due, std::int64_t loose) {
  const auto merchant = due.front().merchant_id;
  const auto owner = ledger::owner_of(merchant);
  const auto currency = due.front().amount.currency;
  auto debt = ledger::available(tx, {ledger::Kind::merchant_debt, owner}, currency);
  auto there = ledger::available(tx, {ledger::Kind::merchant_payable, owner}, currency);
  there -= loose;
  Money recovered{0, currency}, sent{0, currency};
  const auto recover = [&](std::int64_t part) {
    recovered.amount += part;
    debt -= part;
    return part;
  };
  loose -= recover(std::min(debt, loose));
  for (auto& payout : due) {
    const auto part = recover(std::min({debt, left_of(payout), there}));
    payout.recovered += part;
    there -= part;
    const auto left = std::min(left_of(payout), there);
    payout.recovered = payout.amount.amount - left;
    sent.amount += left;
    there -= left;
  }
  sent.amount += loose;
  post(tx, merchant, ledger::Why::recovery, batch.uuid, ledger::Kind::merchant_payable,
       ledger::Kind::merchant_debt, recovered);
  return {sent, loose};
}

// Whether so little is due, with what would go along, that it waits for more, for a while.
bool is_too_little(Tx& tx, const Payout& one, std::int64_t loose, const Rules& rules) {
  const auto currency = one.amount.currency;
  const auto due = tx.one(kSumDue, one.merchant_id, currency, tx.now());
  if (due.amount + loose >= rules.least(currency).amount) return false;
  return due.oldest && *due.oldest + rules.minimum_wait > tx.now();
}

// By a job of another kind, and a new one: what is wanted again while it runs is run again at once.
void let_wait(Tx& tx, std::vector<Payout>& due, const Rules& rules) {
  std::vector<std::string> abouts;
  std::vector<jobs::Planned> planned;
  for (auto& payout : due) {
    const auto least = display(rules.least(payout.amount.currency));
    const auto reason = "it waits until there is " + least + " to be paid out";
    if (payout.reason != reason) {
      payout.reason = reason;
      write(tx, payout);
    }
    const Json arguments = {{"merchant_id", text_of(payout.merchant_id)}};
    abouts.push_back(text_of(payout.id));
    planned.push_back(
        {abouts.back(), arguments, std::max(payout.due_at + rules.minimum_wait, tx.now())});
  }
  jobs::cancel(tx, kPayJob, abouts);
  jobs::cancel(tx, kWaitJob, abouts);
  jobs::enqueue(tx, kWaitJob, planned);
}

Batch finish(Tx& tx, Batch batch, BatchEvent on) {
  batch.state = kBatchLifecycle.advance(batch.state, on);
  batch.ended_at = tx.now();
  tx.run(kUpdate, batch.merchant_id, batch.id, batch.state, batch.reason, batch.reference,
         batch.ended_at);
  return batch;
}

// To those who may see payouts, wherever they are connected.
void tell_managers(Tx& tx, const Payout& payout, const std::string& event) {
  conversations::Event news;
  news.event = event;
  news.conversation = tx.one(kConversation, payout.merchant_id, payout.order_id);
  news.at = tx.now();
  news.data = {{"payout", to_json(payout)}};
  Notice notice;
  for (const auto& member : identity::list_members(tx, payout.merchant_id))
    if (member.role >= identity::Role::manager)
      notice.topics.push_back(identity::account_topic(member.account_id));
  notice.stream = text_of(payout.id);
  notice.text = conversations::to_frame(news).dump();
  tx.announce(std::move(notice));
}

// What its end moves, before the transfer: its payouts, and then the balances.
void lock_money(Tx& tx, const Batch& batch) {
  tx.all(kLockBatched, batch.merchant_id, batch.id, State::submitted);
  ledger::lock_owner(tx, ledger::owner_of(batch.merchant_id));
}

Batch paid(Tx& tx, Batch batch) {
  for (auto& payout : tx.all(kLockBatched, batch.merchant_id, batch.id, State::submitted)) {
    payout.paid_at = tx.now();
    payout.reference = batch.reference;
    payout.reason.reset();
    tell_managers(tx, move(tx, std::move(payout), Event::pay), "payout.paid");
  }
  return finish(tx, std::move(batch), BatchEvent::pay);
}

// It goes with a later batch; after the last try somebody must see to it. Answers whether it does.
bool try_later(Tx& tx, Payout& payout, Event on, const Rules& rules) {
  const bool again = payout.tries < rules.tries_max;
  payout.retry_at.reset();
  if (again) payout.retry_at = tx.now() + jobs::back_off(payout.tries);
  payout = move(tx, std::move(payout), on);
  if (again) want_payment(tx, payout, *payout.retry_at);
  return again;
}

// The money is the merchant's balance again.
Batch failed(Tx& tx, Batch batch, const Rules& rules) {
  ledger::void_pending(tx, ledger::Why::payout, batch.id.uuid);
  for (auto& payout : tx.all(kLockBatched, batch.merchant_id, batch.id, State::submitted)) {
    payout.reason = batch.reason;
    if (try_later(tx, payout, Event::fail, rules)) continue;
    log::error("payout.failed", {{"payout", text_of(payout.id)}});
    tell_managers(tx, payout, "payout.failed");
  }
  return finish(tx, std::move(batch), BatchEvent::fail);
}

// It was paid, and their bank has sent it back.
Batch came_back(Tx& tx, Batch batch, const Rules& rules) {
  log::error("payout.returned", {{"batch", text_of(batch.id)}});
  auto returned = tx.all(kLockBatched, batch.merchant_id, batch.id, State::paid);
  ledger::lock_owner(tx, ledger::owner_of(batch.merchant_id));
  post(tx, batch.merchant_id, ledger::Why::payout_return, batch.id.uuid,
       ledger::Kind::processor_clearing, ledger::Kind::merchant_payable, batch.amount);
  for (auto& payout : returned) {
    payout.paid_at.reset();
    payout.reason = batch.reason;
    try_later(tx, payout, Event::come_back, rules);
    tell_managers(tx, payout, "payout.failed");
  }
  return finish(tx, std::move(batch), BatchEvent::come_back);
}

struct Work {
  Batch batch;
  attempts::Attempt attempt;
};

std::optional<Work> work_of(Tx& tx, MerchantId merchant, BatchId id, const Rules& rules) {
  const auto batch = tx.one(kLockBatch, merchant, id);
  if (batch.state != BatchState::submitted) return std::nullopt;
  return Work{batch, attempts::take_up(tx, merchant, id.uuid, rules.call_timeout)};
}

asio::awaitable<Outcome> carry_out(processors::Processor& processor, const Work& work) {
  const processors::Payout call{work.attempt.key(), work.batch.amount, work.attempt.account};
  const attempts::Send send = [&] { return processor.pay_out(call); };
  co_return co_await attempts::carry_out(processor, work.attempt, send);
}

void want_sending(Tx& tx, MerchantId merchant, BatchId batch) {
  jobs::enqueue(tx, kSendJob, text_of(batch), {{"merchant_id", text_of(merchant)}}, tx.now());
}

// All of them are under way with this batch.
void submit(Tx& tx, const Batch& batch, std::vector<Payout>& due, PayoutId running) {
  std::vector<std::string> abouts;
  for (auto& payout : due) {
    if (payout.state == State::failed) {
      payout.retry_at.reset();
      payout = move(tx, std::move(payout), Event::schedule);
    }
    ++payout.tries;
    payout.submitted_at = tx.now();
    payout.reason.reset();
    payout.batch_id = batch.id;
    payout = move(tx, std::move(payout), Event::submit);
    if (payout.id != running) abouts.push_back(text_of(payout.id));
  }
  jobs::cancel(tx, kPayJob, abouts);
  jobs::cancel(tx, kWaitJob, abouts);
}

}  // namespace

std::optional<Batch> collect(Tx& tx, MerchantId merchant_id, PayoutId id, const Rules& rules) {
  const auto known = tx.one(kFetch, merchant_id, id);
  const auto currency = known.amount.currency;
  if (known.state == State::submitted) want_sending(tx, merchant_id, known.batch_id.value());
  auto due = tx.all(kLockDue, merchant_id, currency, tx.now(), kBatchMost);
  std::optional<Payout> behind;
  if (std::ranges::none_of(due, [&](const Payout& payout) { return payout.id == id; })) {
    if (std::ssize(due) == kBatchMost)
      behind = tx.find(kLockBehind, merchant_id, id, due.back().id, tx.now());
    if (!behind) return std::nullopt;
  }
  ledger::lock_owner(tx, ledger::owner_of(merchant_id));
  const auto loose = loose_of(tx, merchant_id, currency);
  if (is_too_little(tx, known, loose, rules)) {
    if (behind) due.assign(1, *behind);  // the others have jobs of their own
    let_wait(tx, due, rules);
    return std::nullopt;
  }
  for (const auto& payout : due)
    if (payout.tries == 0) release_money(tx, payout);
  const auto batch_id = BatchId::make();
  const auto [sent, from_balance] = net(tx, batch_id, due, loose);
  identity::enter_directory(tx, batch_id.uuid, merchant_id);
  auto batch = tx.one(kInsert, merchant_id, batch_id, sent.amount, currency, std::ssize(due),
                      from_balance, tx.now());
  submit(tx, batch, due, id);
  if (behind) want_payment(tx, *behind, tx.now());  // with the next
  if (sent.amount == 0) return paid(tx, std::move(batch));
  ledger::pend(tx, ledger::transfer_within(merchant_id, ledger::Why::payout, batch_id.uuid,
                                           ledger::Kind::merchant_payable,
                                           ledger::Kind::processor_clearing, sent));
  attempts::begin(tx, merchant_id, processors::Operation::payout, batch_id.uuid,
                  attempts::destination_of(identity::fetch_merchant(tx, merchant_id)), sent);
  want_sending(tx, merchant_id, batch_id);
  return batch;
}

Batch settle(Tx& tx, MerchantId merchant, BatchId id, const Outcome& outcome, const Rules& rules) {
  auto batch = tx.one(kLockBatch, merchant, id);
  const auto attempt = attempts::settle_latest(tx, merchant, id.uuid, outcome);
  if (attempt && attempt->returned_at && batch.state == BatchState::paid) {
    batch.reason = attempt->reason;
    return came_back(tx, std::move(batch), rules);
  }
  if (!attempt || batch.state != BatchState::submitted) return batch;
  batch.reference = attempt->reference;
  const bool succeeded = attempt->state == attempts::State::succeeded;
  if (!succeeded && attempt->state != attempts::State::failed) return batch;
  lock_money(tx, batch);
  if (succeeded) {
    ledger::post_pending(tx, ledger::Why::payout, id.uuid);
    return paid(tx, std::move(batch));
  }
  batch.reason = attempt->reason;
  return failed(tx, std::move(batch), rules);
}

asio::awaitable<void> send(Database& db, const processors::Registry& registry, MerchantId merchant,
                           BatchId id, const Rules& rules) {
  const auto work = co_await db.transact([&](Tx& tx) { return work_of(tx, merchant, id, rules); });
  if (!work) co_return;
  const Work& todo = *work;
  auto& processor = registry.get(todo.attempt.processor);
  const auto outcome = co_await carry_out(processor, todo);
  const auto settled =
      co_await db.transact([&](Tx& tx) { return settle(tx, merchant, id, outcome, rules); });
  if (settled.state == BatchState::submitted) throw Error(Code::busy, "no definite outcome yet");
}

Batch fetch_batch(Tx& tx, const Who& who, BatchId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::read);
  return tx.one(kFetchBatch, merchant, id);
}

std::vector<Batch> list_batches(Tx& tx, MerchantId merchant, std::optional<BatchId> after,
                                std::int64_t limit) {
  return tx.all(kListBatches, merchant, after.value_or(BatchId::newest()), limit);
}

std::vector<Payout> list_of_batch(Tx& tx, MerchantId merchant, BatchId batch,
                                  std::optional<PayoutId> after, std::int64_t limit) {
  return tx.all(kListOfBatch, merchant, batch, after.value_or(PayoutId{}), limit);
}

}  // namespace bottega::payouts
