#include "wallet/moves.hpp"

#include <chrono>

namespace bottega::wallet {
namespace {

template <class T>
using Column = std::vector<T>;

const Sql<Transfer(Column<TransferId>)> kLock{"wallet.lock_transfers", R"(
    SELECT t.id, t.sender_id, t.recipient_id, s.name AS sender_name, r.name AS recipient_name,
           t.amount, t.currency, t.note, t.state, t.reason, u.id AS top_up_id, t.created_at,
           t.expires_at, t.ended_at
    FROM transfers t JOIN accounts s ON s.id = t.sender_id JOIN accounts r ON r.id = t.recipient_id
         LEFT JOIN top_ups u ON u.transfer_id = t.id
    WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE OF t)"};

const Sql<void(Column<TransferId>, Column<AccountId>, Column<AccountId>, Column<std::int64_t>,
               Column<Currency>, Column<std::optional<std::string>>, Column<TransferState>,
               Column<Instant>, Instant)>
    kInsert{"wallet.insert_transfers", R"(
    INSERT INTO transfers (id, sender_id, recipient_id, amount, currency, note, state, created_at,
                           expires_at)
    SELECT t.id, t.sender_id, t.recipient_id, t.amount, t.currency, t.note, t.state, $9,
           t.expires_at
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[],
                $7::text[], $8::timestamptz[])
           AS t (id, sender_id, recipient_id, amount, currency, note, state, expires_at))"};

const Sql<void(Column<TransferId>, Column<TransferState>, Column<std::optional<std::string>>,
               Column<std::optional<Instant>>)>
    kUpdate{"wallet.update_transfers", R"(
    UPDATE transfers t SET state = u.state, reason = u.reason, ended_at = u.ended_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
           AS u (id, state, reason, ended_at)
    WHERE t.id = u.id AND t.id = ANY($1::uuid[]))"};

// The rows come in the order of their keys, so that two transactions do not wait in a circle.
const Sql<void(Column<AccountId>, Column<Currency>, Column<Instant>, Column<std::int64_t>,
               Column<std::int64_t>)>
    kCount{"wallet.count_flows", R"(
    INSERT INTO transfer_flows (account_id, currency, hour, sent, received)
    SELECT account_id, currency, hour, sent, received
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])
           AS flow (account_id, currency, hour, sent, received)
    ON CONFLICT (account_id, currency, hour)
    DO UPDATE SET sent = transfer_flows.sent + excluded.sent,
                  received = transfer_flows.received + excluded.received)"};

// Whoever counts and whoever takes back wait for each other in one order.
const Sql<AccountId(Column<AccountId>, Column<Currency>, Column<Instant>)> kHoldFlows{
    "wallet.hold_flows", R"(
    SELECT f.account_id
    FROM transfer_flows f
         JOIN unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS u (account_id, currency, hour)
           ON f.account_id = u.account_id AND f.currency = u.currency AND f.hour = u.hour
    WHERE f.account_id = ANY($1::uuid[])
    ORDER BY f.account_id, f.currency, f.hour FOR UPDATE OF f)"};

const Sql<void(Column<AccountId>, Column<Currency>, Column<Instant>, Column<std::int64_t>,
               Column<std::int64_t>)>
    kUncount{"wallet.uncount_flows", R"(
    UPDATE transfer_flows f SET sent = f.sent - u.sent, received = f.received - u.received
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])
           AS u (account_id, currency, hour, sent, received)
    WHERE f.account_id = u.account_id AND f.currency = u.currency AND f.hour = u.hour
      AND f.account_id = ANY($1::uuid[]))"};

std::string event_of(TransferEvent on) {
  switch (on) {
    case TransferEvent::fund:
      return "transfer.created";
    case TransferEvent::fail:
      return "transfer.failed";
    case TransferEvent::accept:
      return "transfer.accepted";
    case TransferEvent::decline:
      return "transfer.declined";
    case TransferEvent::cancel:
      return "transfer.cancelled";
    case TransferEvent::expire:
      return "transfer.returned";
  }
  throw std::logic_error("an event without a name");
}

}  // namespace

struct Moves::FlowColumns {
  Column<AccountId> accounts;
  Column<Currency> currencies;
  Column<Instant> hours;
  Column<std::int64_t> sent, received;
};

Instant hour_of(Instant at) { return std::chrono::floor<std::chrono::hours>(at); }

void Moves::hold(const std::vector<TransferId>& ids) {
  if (ids.empty()) return;
  for (auto& transfer : tx_.all(kLock, ids)) held_.emplace(transfer.id, std::move(transfer));
}

Transfer& Moves::held(TransferId id) {
  const auto found = held_.find(id);
  if (found == held_.end())
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return found->second;
}

void Moves::begin(const Transfer& transfer) {
  fresh_.push_back(transfer);
  count(counted_, transfer);
  if (transfer.state != TransferState::pending) return;
  set_aside(transfer);
  tell(transfer, event_of(TransferEvent::fund));
}

void Moves::advance(Transfer& transfer, TransferEvent on) {
  transfer.state = kTransferLifecycle.advance(transfer.state, on);
  if (transfer.state != TransferState::pending) transfer.ended_at = tx_.now();
  switch (on) {
    case TransferEvent::fund:
      set_aside(transfer);
      break;
    case TransferEvent::accept:
      books_.post_pending(ledger::Why::transfer, transfer.id.uuid);
      break;
    case TransferEvent::decline:
    case TransferEvent::cancel:
    case TransferEvent::expire:
      books_.void_pending(ledger::Why::transfer, transfer.id.uuid);
      break;
    case TransferEvent::fail:
      break;
  }
  if (on != TransferEvent::fund && on != TransferEvent::accept) count(uncounted_, transfer);
  // One that comes back late is the job's own work.
  if (on != TransferEvent::fund && on != TransferEvent::expire)
    answered_.push_back(text_of(transfer.id));
  changed_.push_back(transfer);
  tell(transfer, event_of(on));
}

// From here on it is the recipient's to accept.
void Moves::set_aside(const Transfer& transfer) {
  books_.pend({ledger::Why::transfer, transfer.id.uuid, wallet_account(transfer.sender_id),
               wallet_account(transfer.recipient_id), transfer.amount});
  returns_.push_back({text_of(transfer.id), Json::object(), transfer.expires_at});
}

void Moves::tell(Transfer transfer, const std::string& event) {
  transfer.top_up_id.reset();
  std::vector<std::string> topics = {identity::account_topic(transfer.sender_id)};
  if (transfer.state != TransferState::failed)
    topics.push_back(identity::account_topic(transfer.recipient_id));
  const Json frame = {{"event", event},
                      {"conversation", nullptr},
                      {"at", text_of(tx_.now())},
                      {"data", {{"transfer", to_json(transfer)}}}};
  tx_.announce({std::move(topics), text_of(transfer.id), 0, frame.dump()});
}

void Moves::count(Flows& flows, const Transfer& transfer) {
  const auto hour = hour_of(transfer.created_at);
  const auto& [amount, currency] = transfer.amount;
  flows[{transfer.sender_id, currency, hour}].sent += amount;
  flows[{transfer.recipient_id, currency, hour}].received += amount;
}

Moves::FlowColumns Moves::columns_of(const Flows& flows) {
  FlowColumns columns;
  for (const auto& [key, moved] : flows) {
    columns.accounts.push_back(std::get<AccountId>(key));
    columns.currencies.push_back(std::get<Currency>(key));
    columns.hours.push_back(std::get<Instant>(key));
    columns.sent.push_back(moved.sent);
    columns.received.push_back(moved.received);
  }
  return columns;
}

void Moves::write() {
  if (!uncounted_.empty()) {
    auto all = uncounted_;
    all.insert(counted_.begin(), counted_.end());
    const auto flows = columns_of(all);
    tx_.all(kHoldFlows, flows.accounts, flows.currencies, flows.hours);
  }
  if (!changed_.empty()) write_changed();
  if (!fresh_.empty()) write_fresh();
  books_.write(tx_);
  jobs::enqueue(tx_, kReturnJob, returns_);
}

void Moves::write_changed() {
  Column<TransferId> ids;
  Column<TransferState> states;
  Column<std::optional<std::string>> reasons;
  Column<std::optional<Instant>> ends;
  for (const auto& transfer : changed_) {
    ids.push_back(transfer.id);
    states.push_back(transfer.state);
    reasons.push_back(transfer.reason);
    ends.push_back(transfer.ended_at);
  }
  tx_.run(kUpdate, ids, states, reasons, ends);
  if (!uncounted_.empty()) {
    const auto flows = columns_of(uncounted_);
    tx_.run(kUncount, flows.accounts, flows.currencies, flows.hours, flows.sent, flows.received);
  }
  jobs::cancel(tx_, kReturnJob, answered_);
}

void Moves::write_fresh() {
  Column<TransferId> ids;
  Column<AccountId> senders, recipients;
  Column<std::int64_t> amounts;
  Column<Currency> currencies;
  Column<std::optional<std::string>> notes;
  Column<TransferState> states;
  Column<Instant> expiries;
  for (const auto& transfer : fresh_) {
    ids.push_back(transfer.id);
    senders.push_back(transfer.sender_id);
    recipients.push_back(transfer.recipient_id);
    amounts.push_back(transfer.amount.amount);
    currencies.push_back(transfer.amount.currency);
    notes.push_back(transfer.note);
    states.push_back(transfer.state);
    expiries.push_back(transfer.expires_at);
  }
  tx_.run(kInsert, ids, senders, recipients, amounts, currencies, notes, states, expiries,
          tx_.now());
  const auto flows = columns_of(counted_);
  tx_.run(kCount, flows.accounts, flows.currencies, flows.hours, flows.sent, flows.received);
}

}  // namespace bottega::wallet
