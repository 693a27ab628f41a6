// Whoever decides by a balance or a limit holds the balances of both people until the commit; the
// transfer's own row is locked before them.
#include "wallet/moves.hpp"
#include "wallet/sending.hpp"

namespace bottega::wallet {
namespace {

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

Transfer end(Moves& moves, Instant now, AccountId who, const Ending& asked) {
  auto& transfer = moves.held(asked.id);
  shown_to(who, transfer);
  const auto side = asked.on == TransferEvent::cancel ? Side::sender : Side::recipient;
  if (who != (side == Side::sender ? transfer.sender_id : transfer.recipient_id))
    throw Error(Code::forbidden, side == Side::sender
                                     ? "only the sender takes it back; the recipient declines it"
                                     : "only the recipient answers; the sender takes it back");
  const bool is_late = transfer.expires_at <= now;
  if (is_late && asked.on == TransferEvent::accept && transfer.state == TransferState::pending)
    throw Error(Code::conflict, "it was not accepted in time, and goes back");
  moves.advance(transfer, asked.on);
  return shown_to(who, transfer);
}

Transfer end_one(Tx& tx, AccountId who, TransferId id, TransferEvent on) {
  Moves moves(tx);
  moves.hold({id});
  const auto ended = end(moves, tx.now(), who, {id, on});
  moves.write();
  return ended;
}

Transfer held_alone(Moves& moves, TransferId id) {
  moves.hold({id});
  return moves.held(id);
}

Moved attempt(const std::function<Transfer()>& act) {
  try {
    return act();
  } catch (const Error& refusal) {
    return refusal;
  }
}

}  // namespace

Sent send(Tx& tx, AccountId sender, const NewTransfer& given, const Rules& rules) {
  Moves moves(tx);
  Sending sending(tx, {{sender, &given}}, rules);
  const auto [transfer, missing] = sending.prepare(sender, given, Lacking::charge_card);
  moves.begin(transfer);
  moves.write();
  Sent sent{transfer, std::nullopt};
  if (missing == 0) return sent;
  const MethodChoice card{given.payment_method.value().id, std::nullopt};
  sent.token = token_to_charge(tx, sender, card, rules.processor);
  const Money lacking{missing, given.currency};
  sent.transfer.top_up_id = begin_top_up(tx, sender, lacking, transfer.id, rules).id;
  return sent;
}

std::vector<Moved> move(Tx& tx, const std::vector<Move>& given, const Rules& rules) {
  std::vector<TransferId> ends;
  std::vector<Wish> sends;
  for (const auto& one : given) {
    if (const auto* ending = std::get_if<Ending>(&one.what))
      ends.push_back(ending->id);
    else
      sends.push_back({one.who, &std::get<NewTransfer>(one.what)});
  }
  Moves moves(tx);
  moves.hold(ends);
  Sending sending(tx, sends, rules);
  std::vector<Moved> moved;
  moved.reserve(given.size());
  for (const auto& one : given)
    moved.push_back(attempt([&] {
      if (const auto* ending = std::get_if<Ending>(&one.what))
        return end(moves, tx.now(), one.who, *ending);
      const auto& gift = std::get<NewTransfer>(one.what);
      auto transfer = sending.prepare(one.who, gift, Lacking::refuse).transfer;
      moves.begin(transfer);
      return transfer;
    }));
  moves.write();
  return moved;
}

void hold_transfer(Tx& tx, TransferId id) {
  Moves moves(tx);
  const auto transfer = held_alone(moves, id);
  ledger::lock_owners(
      tx, {ledger::owner_of(transfer.sender_id), ledger::owner_of(transfer.recipient_id)});
}

void fund_transfer(Tx& tx, TransferId id) {
  Moves moves(tx);
  auto transfer = held_alone(moves, id);
  const auto from = wallet_account(transfer.sender_id);
  if (ledger::available(tx, from, transfer.amount.currency) < transfer.amount.amount)
    return fail_transfer(tx, id, "insufficient_balance");
  moves.advance(transfer, TransferEvent::fund);
  moves.write();
}

void fail_transfer(Tx& tx, TransferId id, const std::string& reason) {
  Moves moves(tx);
  auto transfer = held_alone(moves, id);
  transfer.reason = reason;
  moves.advance(transfer, TransferEvent::fail);
  moves.write();
}

Transfer accept(Tx& tx, AccountId who, TransferId id) {
  return end_one(tx, who, id, TransferEvent::accept);
}
Transfer decline(Tx& tx, AccountId who, TransferId id) {
  return end_one(tx, who, id, TransferEvent::decline);
}
Transfer cancel(Tx& tx, AccountId who, TransferId id) {
  return end_one(tx, who, id, TransferEvent::cancel);
}

void return_late(Tx& tx, TransferId id) {
  Moves moves(tx);
  auto transfer = held_alone(moves, id);
  if (transfer.state != TransferState::pending || transfer.expires_at > tx.now()) return;
  moves.advance(transfer, TransferEvent::expire);
  moves.write();
}

Transfer fetch_transfer(Tx& tx, AccountId who, TransferId id) {
  return shown_to(who, tx.one(kFetch, id));
}

std::vector<Transfer> list_transfers(Tx& tx, AccountId who, std::optional<TransferId> after,
                                     std::int64_t limit) {
  return tx.all(kList, who, after.value_or(TransferId::newest()), limit);
}

}  // namespace bottega::wallet
