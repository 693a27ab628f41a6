// Whoever decides by a balance or a limit holds the balances of both people until the commit; the
// transfer's own row is locked before them.
#include "bottega/wallet/transfers.hpp"

#include "wallet/funding.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::wallet {
namespace {

const Sql<Transfer(TransferId, AccountId, AccountId, std::int64_t, Currency,
                   std::optional<std::string>, TransferState, Instant, Instant)>
    kInsert{"wallet.insert_transfer", R"(
    INSERT INTO transfers (id, sender_id, recipient_id, amount, currency, note, state, created_at,
                           expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    RETURNING id, sender_id, recipient_id,
              (SELECT name FROM accounts WHERE id = sender_id) AS sender_name,
              (SELECT name FROM accounts WHERE id = recipient_id) AS recipient_name,
              amount, currency, note, state, reason, NULL::uuid AS top_up_id, created_at,
              expires_at, ended_at)"};

const Sql<Transfer(TransferId)> kLock{"wallet.lock_transfer", R"(
    SELECT t.id, t.sender_id, t.recipient_id, s.name AS sender_name, r.name AS recipient_name,
           t.amount, t.currency, t.note, t.state, t.reason, u.id AS top_up_id, t.created_at,
           t.expires_at, t.ended_at
    FROM transfers t JOIN accounts s ON s.id = t.sender_id JOIN accounts r ON r.id = t.recipient_id
         LEFT JOIN top_ups u ON u.transfer_id = t.id
    WHERE t.id = $1 FOR UPDATE OF t)"};

const Sql<void(TransferId, TransferState, std::optional<std::string>, std::optional<Instant>)>
    kUpdate{"wallet.update_transfer", R"(
    UPDATE transfers SET state = $2, reason = $3, ended_at = $4 WHERE id = $1)"};

const Sql<Transfer(TransferId)> kFetch{"wallet.fetch_transfer", R"(
    SELECT t.id, t.sender_id, t.recipient_id, s.name AS sender_name, r.name AS recipient_name,
           t.amount, t.currency, t.note, t.state, t.reason, u.id AS top_up_id, t.created_at,
           t.expires_at, t.ended_at
    FROM transfers t JOIN accounts s ON s.id = t.sender_id JOIN accounts r ON r.id = t.recipient_id
         LEFT JOIN top_ups u ON u.transfer_id = t.id
    WHERE t.id = $1)"};

// What never came to be is not shown to whom it was meant for.
const Sql<Transfer(AccountId, TransferId, std::int64_t)> kList{"wallet.list_transfers", R"(
    SELECT t.id, t.sender_id, t.recipient_id, s.name AS sender_name, r.name AS recipient_name,
           t.amount, t.currency, t.note, t.state, t.reason,
           CASE WHEN t.sender_id = $1 THEN u.id END AS top_up_id, t.created_at, t.expires_at,
           t.ended_at
    FROM ((SELECT id FROM transfers WHERE sender_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)
          UNION ALL
          (SELECT id FROM transfers
           WHERE recipient_id = $1 AND id < $2 AND state NOT IN ('funding', 'failed')
           ORDER BY id DESC LIMIT $3)) mine
         JOIN transfers t ON t.id = mine.id
         JOIN accounts s ON s.id = t.sender_id JOIN accounts r ON r.id = t.recipient_id
         LEFT JOIN top_ups u ON u.transfer_id = t.id
    ORDER BY t.id DESC LIMIT $3)"};

const Sql<AccountId(AccountId)> kById{"wallet.recipient_by_id", R"(
    SELECT id FROM accounts WHERE id = $1 AND state = 'active')"};
const Sql<AccountId(Email)> kByEmail{"wallet.recipient_by_email", R"(
    SELECT id FROM accounts WHERE email = $1 AND state = 'active')"};

// Of one currency, for whoever sends and whoever receives, in one statement.
struct Used {
  std::int64_t sent_day = 0, sent_month = 0, received_day = 0, received_month = 0;
};
BOOST_DESCRIBE_STRUCT(Used, (), (sent_day, sent_month, received_day, received_month))

// An hour that has begun within the time counts as a whole.
const Sql<Used(AccountId, AccountId, Currency, Instant, Instant)> kUsed{"wallet.limits_used", R"(
    SELECT coalesce(sum(sent) FILTER (WHERE account_id = $1 AND hour >= $4), 0)::bigint
             AS sent_day,
           coalesce(sum(sent) FILTER (WHERE account_id = $1), 0)::bigint AS sent_month,
           coalesce(sum(received) FILTER (WHERE account_id = $2 AND hour >= $4), 0)::bigint
             AS received_day,
           coalesce(sum(received) FILTER (WHERE account_id = $2), 0)::bigint AS received_month
    FROM transfer_flows WHERE account_id IN ($1, $2) AND currency = $3 AND hour >= $5)"};

const Sql<Flow(AccountId, Instant, Instant)> kFlows{"wallet.flows", R"(
    SELECT currency, coalesce(sum(sent) FILTER (WHERE hour >= $2), 0)::bigint AS sent_day,
           coalesce(sum(sent), 0)::bigint AS sent_month,
           coalesce(sum(received) FILTER (WHERE hour >= $2), 0)::bigint AS received_day,
           coalesce(sum(received), 0)::bigint AS received_month
    FROM transfer_flows WHERE account_id = $1 AND hour >= $3 GROUP BY currency)"};

// Both sides in the order of their ids, so that two transfers do not wait in a circle.
const Sql<void(AccountId, AccountId, Currency, Instant, std::int64_t)> kCount{"wallet.count_flow",
                                                                              R"(
    INSERT INTO transfer_flows (account_id, currency, hour, sent, received)
    SELECT account_id, $3, $4, sent, received
    FROM (VALUES ($1::uuid, $5::bigint, 0::bigint), ($2::uuid, 0::bigint, $5::bigint))
           AS side (account_id, sent, received)
    ORDER BY account_id
    ON CONFLICT (account_id, currency, hour)
    DO UPDATE SET sent = transfer_flows.sent + excluded.sent,
                  received = transfer_flows.received + excluded.received)"};

const Sql<void(AccountId, AccountId, Currency, Instant, std::int64_t)> kUncount{
    "wallet.uncount_flow", R"(
    UPDATE transfer_flows f
    SET sent = sent - CASE WHEN account_id = $1 THEN $5 ELSE 0 END,
        received = received - CASE WHEN account_id = $2 THEN $5 ELSE 0 END
    WHERE account_id IN ($1, $2) AND currency = $3 AND hour = $4)"};

Instant hour_of(Instant at) { return std::chrono::floor<std::chrono::hours>(at); }

Error nobody(const std::string& what) {
  return Error(Code::invalid, "money cannot be sent there", {{"/to", what}});
}

AccountId find_recipient(Tx& tx, AccountId sender, const Recipient& to) {
  const auto found =
      to.account_id ? tx.find(kById, *to.account_id) : tx.find(kByEmail, to.email.value());
  if (!found) throw nobody("must be somebody with an account here");
  if (*found == sender) throw nobody("must be somebody else");
  return *found;
}

// What is left is told of one's own limits only: the other's say what others have sent them.
void require_within(const Used& used, Money amount, const Rules& rules) {
  struct Limit {
    std::int64_t used, most;
    const char *reason, *words;
    bool is_own;
  };
  const Limit limits[] = {
      {used.sent_day, rules.sent_day_max, "sent_day_limit", "be sent in 24 hours", true},
      {used.sent_month, rules.sent_month_max, "sent_month_limit", "be sent in 30 days", true},
      {used.received_day, rules.received_day_max, "received_day_limit",
       "be received in 24 hours by one person", false},
      {used.received_month, rules.received_month_max, "received_month_limit",
       "be received in 30 days by one person", false},
  };
  for (const auto& limit : limits) {
    const auto left = std::max<std::int64_t>(limit.most - limit.used, 0);
    if (amount.amount <= left) continue;
    auto words = std::string("this is more than may ") + limit.words;
    if (limit.is_own) words += ": " + display({left, amount.currency}) + " is left";
    throw Error(Code::conflict, words).reason(limit.reason);
  }
}

void tell(Tx& tx, Transfer transfer, const std::string& event) {
  transfer.top_up_id.reset();
  std::vector<std::string> topics = {identity::account_topic(transfer.sender_id)};
  if (transfer.state != TransferState::failed)
    topics.push_back(identity::account_topic(transfer.recipient_id));
  const Json frame = {{"event", event},
                      {"conversation", nullptr},
                      {"at", text_of(tx.now())},
                      {"data", {{"transfer", to_json(transfer)}}}};
  tx.announce({std::move(topics), text_of(transfer.id), 0, frame.dump()});
}

Transfer move(Tx& tx, Transfer transfer, TransferEvent on, const std::string& event) {
  transfer.state = kTransferLifecycle.advance(transfer.state, on);
  if (transfer.state != TransferState::pending) transfer.ended_at = tx.now();
  const bool comes_back =
      transfer.state != TransferState::pending && transfer.state != TransferState::accepted;
  if (comes_back)
    tx.run(kUncount, transfer.sender_id, transfer.recipient_id, transfer.amount.currency,
           hour_of(transfer.created_at), transfer.amount.amount);
  tx.run(kUpdate, transfer.id, transfer.state, transfer.reason, transfer.ended_at);
  tell(tx, transfer, event);
  return transfer;
}

// From here on it is the recipient's to accept.
void set_aside(Tx& tx, const Transfer& transfer) {
  ledger::pend(tx, {ledger::Why::transfer, transfer.id.uuid, wallet_account(transfer.sender_id),
                    wallet_account(transfer.recipient_id), transfer.amount});
  jobs::enqueue(tx, kReturnJob, text_of(transfer.id), Json::object(), transfer.expires_at);
}

// As one of the two sees it.
Transfer shown_to(AccountId who, Transfer transfer) {
  const bool unborn =
      transfer.state == TransferState::funding || transfer.state == TransferState::failed;
  const bool is_theirs = who == transfer.sender_id || (who == transfer.recipient_id && !unborn);
  if (!is_theirs) throw Error(Code::not_found, "there is no such thing, or it is not yours");
  if (who != transfer.sender_id) transfer.top_up_id.reset();
  return transfer;
}

enum class Side : std::uint8_t { sender, recipient };

Transfer end(Tx& tx, AccountId who, TransferId id, Side side, TransferEvent on) {
  auto transfer = shown_to(who, tx.one(kLock, id));
  if (who != (side == Side::sender ? transfer.sender_id : transfer.recipient_id))
    throw Error(Code::forbidden, side == Side::sender
                                     ? "only the sender takes it back; the recipient declines it"
                                     : "only the recipient answers; the sender takes it back");
  const bool late = transfer.expires_at <= tx.now();
  if (late && on == TransferEvent::accept && transfer.state == TransferState::pending)
    throw Error(Code::conflict, "it was not accepted in time, and goes back");
  const bool accepted = on == TransferEvent::accept;
  transfer = move(tx, std::move(transfer), on,
                  accepted                       ? "transfer.accepted"
                  : on == TransferEvent::decline ? "transfer.declined"
                                                 : "transfer.cancelled");
  if (accepted)
    ledger::post_pending(tx, ledger::Why::transfer, id.uuid);
  else
    ledger::void_pending(tx, ledger::Why::transfer, id.uuid);
  jobs::cancel(tx, kReturnJob, text_of(id));
  return shown_to(who, std::move(transfer));
}

}  // namespace

Sent send(Tx& tx, AccountId sender, const NewTransfer& given, const Rules& rules) {
  const Money amount{given.amount.value, given.currency};
  if (amount.amount > rules.transfer_max)
    throw Error(Code::invalid, "this is more than one transfer may be",
                {{"/amount", "must be at most " + std::to_string(rules.transfer_max)}})
        .reason("transfer_limit");
  const auto recipient = find_recipient(tx, sender, given.to);
  const auto from = wallet_account(sender);
  ledger::lock_owners(tx, from.owner, ledger::owner_of(recipient));
  const auto used = tx.one(kUsed, sender, recipient, amount.currency, hour_of(tx.now() - kDay),
                           hour_of(tx.now() - kMonth));
  require_within(used, amount, rules);
  const auto available = ledger::available(tx, from, amount.currency);
  const auto missing = amount.amount - available;
  if (missing > 0 && !given.payment_method)
    throw Error(Code::conflict,
                "the balance is not enough: " + display({available, amount.currency}) + " is there")
        .reason("insufficient_balance");
  std::optional<std::string> note;
  if (given.note) note = given.note->value;
  const auto id = TransferId::make();
  Sent sent{tx.one(kInsert, id, sender, recipient, amount.amount, amount.currency, note,
                   missing > 0 ? TransferState::funding : TransferState::pending, tx.now(),
                   tx.now() + rules.return_after),
            std::nullopt};
  tx.run(kCount, sender, recipient, amount.currency, hour_of(tx.now()), amount.amount);
  if (missing > 0) {
    const MethodChoice card{given.payment_method->id, std::nullopt};
    sent.token = token_to_charge(tx, sender, card, rules.processor);
    sent.transfer.top_up_id = begin_top_up(tx, sender, {missing, amount.currency}, id, rules).id;
    return sent;
  }
  set_aside(tx, sent.transfer);
  tell(tx, sent.transfer, "transfer.created");
  return sent;
}

void hold_transfer(Tx& tx, TransferId id) {
  const auto transfer = tx.one(kLock, id);
  ledger::lock_owners(tx, ledger::owner_of(transfer.sender_id),
                      ledger::owner_of(transfer.recipient_id));
}

void fund_transfer(Tx& tx, TransferId id) {
  const auto transfer = tx.one(kLock, id);
  const auto from = wallet_account(transfer.sender_id);
  if (ledger::available(tx, from, transfer.amount.currency) < transfer.amount.amount)
    return fail_transfer(tx, id, "insufficient_balance");
  set_aside(tx, transfer);
  move(tx, transfer, TransferEvent::fund, "transfer.created");
}

void fail_transfer(Tx& tx, TransferId id, const std::string& reason) {
  auto transfer = tx.one(kLock, id);
  transfer.reason = reason;
  move(tx, std::move(transfer), TransferEvent::fail, "transfer.failed");
}

Transfer accept(Tx& tx, AccountId who, TransferId id) {
  return end(tx, who, id, Side::recipient, TransferEvent::accept);
}
Transfer decline(Tx& tx, AccountId who, TransferId id) {
  return end(tx, who, id, Side::recipient, TransferEvent::decline);
}
Transfer cancel(Tx& tx, AccountId who, TransferId id) {
  return end(tx, who, id, Side::sender, TransferEvent::cancel);
}

void return_late(Tx& tx, TransferId id) {
  auto transfer = tx.one(kLock, id);
  if (transfer.state != TransferState::pending || transfer.expires_at > tx.now()) return;
  move(tx, std::move(transfer), TransferEvent::expire, "transfer.returned");
  ledger::void_pending(tx, ledger::Why::transfer, id.uuid);
}

Transfer fetch_transfer(Tx& tx, AccountId who, TransferId id) {
  return shown_to(who, tx.one(kFetch, id));
}

std::vector<Transfer> list_transfers(Tx& tx, AccountId who, std::optional<TransferId> after,
                                     std::int64_t limit) {
  return tx.all(kList, who, after.value_or(TransferId::newest()), limit);
}

std::vector<Flow> flows_of(Tx& tx, AccountId person) {
  return tx.all(kFlows, person, hour_of(tx.now() - kDay), hour_of(tx.now() - kMonth));
}

LimitsLeft left_of(const Flow& flow, const Rules& rules) {
  const auto left = [](std::int64_t most, std::int64_t used) {
    return std::max<std::int64_t>(most - used, 0);
  };
  return {rules.transfer_max, left(rules.sent_day_max, flow.sent_day),
          left(rules.sent_month_max, flow.sent_month),
          left(rules.received_day_max, flow.received_day),
          left(rules.received_month_max, flow.received_month)};
}

}  // namespace bottega::wallet
