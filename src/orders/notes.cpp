// What the merchant's side notes about an order: in no log, and not for the buyer.
#include "bottega/orders/orders.hpp"

namespace bottega::orders {
namespace {

const Sql<OrderNote(MerchantId, OrderId, NoteId, std::int64_t)> kNotes{"orders.notes", R"(
    SELECT n.id, n.author_id, a.name AS author_name, n.text, n.created_at
    FROM order_notes n JOIN accounts a ON a.id = n.author_id
    WHERE n.merchant_id = $1 AND n.order_id = $2 AND n.id < $3
    ORDER BY n.id DESC LIMIT $4)"};

const Sql<OrderNote(MerchantId, OrderId, NoteId, AccountId, std::string, Instant)> kAddNote{
    "orders.add_note", R"(
    WITH added AS (
      INSERT INTO order_notes (merchant_id, order_id, id, author_id, text, created_at)
      VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, author_id, text, created_at)
    SELECT n.id, n.author_id, a.name AS author_name, n.text, n.created_at
    FROM added n JOIN accounts a ON a.id = n.author_id)"};

const Sql<std::int64_t(MerchantId, OrderId)> kCount{"orders.count_notes", R"(
    SELECT count(*) FROM order_notes WHERE merchant_id = $1 AND order_id = $2)"};

}  // namespace

std::vector<OrderNote> list_notes(Tx& tx, const Who& who, OrderId id, std::optional<NoteId> after,
                                  std::int64_t limit) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::read);
  return tx.all(kNotes, merchant, id, after.value_or(NoteId::newest()), limit);
}

OrderNote add_note(Tx& tx, const Who& who, OrderId id, const NewOrderNote& given) {
  lock_for_merchant(tx, who, id, identity::Role::agent);
  const auto merchant = identity::merchant_of(tx, id.uuid);
  if (tx.one(kCount, merchant, id) >= kNotesMax)
    throw Error(Code::conflict, "there are too many notes about this order");
  return tx.one(kAddNote, merchant, id, NoteId::make(), who.account, given.text.value, tx.now());
}

}  // namespace bottega::orders
