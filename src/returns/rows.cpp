// Returns as they are stored, and told.
#include "returns/rows.hpp"

#include "bottega/payouts/payouts.hpp"

namespace bottega::returns {
namespace {

const Sql<Return(MerchantId, ReturnId)> kFetch{"returns.fetch", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE merchant_id = $1 AND id = $2)"};

const Sql<OrderId(MerchantId, ReturnId)> kOrderOf{"returns.order_of", R"(
    SELECT order_id FROM returns WHERE merchant_id = $1 AND id = $2)"};

const Sql<ReturnId(MerchantId, payments::RefundId)> kOfRefund{"returns.of_refund", R"(
    SELECT id FROM returns WHERE merchant_id = $1 AND refund_id = $2)"};

const Sql<orders::State(MerchantId, ReturnId)> kWas{"returns.order_was", R"(
    SELECT order_state FROM returns WHERE merchant_id = $1 AND id = $2)"};

const Sql<Return(MerchantId, OrderId, std::int64_t)> kOfOrder{"returns.of_order", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE merchant_id = $1 AND order_id = $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Return(AccountId, ReturnId, std::int64_t)> kOfBuyer{"returns.of_buyer", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE buyer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Return(MerchantId, ReturnId, std::int64_t)> kOfMerchant{"returns.of_merchant", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Return(MerchantId, State, ReturnId, std::int64_t)> kInState{"returns.in_state", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE merchant_id = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4)"};

const Sql<void(MerchantId, ReturnId, State, std::optional<std::string>, std::optional<Instant>,
               std::optional<ReceivedLines>, bool, std::optional<std::int64_t>,
               std::optional<std::int64_t>, std::optional<payments::RefundId>, Instant,
               std::optional<Instant>, std::optional<Instant>, std::optional<Instant>)>
    kUpdate{"returns.update", R"(
    UPDATE returns SET state = $3, decision = $4, return_by = $5, received = $6, restocked = $7,
           proposed = $8, amount = $9, refund_id = $10, updated_at = $11, decided_at = $12,
           received_at = $13, ended_at = $14
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<ReceivedLines(MerchantId, OrderId)> kReceived{"returns.received_of_order", R"(
    SELECT received FROM returns
    WHERE merchant_id = $1 AND order_id = $2 AND received IS NOT NULL)"};

const Sql<std::int64_t(MerchantId, OrderId)> kRefunded{"returns.refunded_of_order", R"(
    SELECT coalesce(sum(amount), 0)::bigint FROM returns
    WHERE merchant_id = $1 AND order_id = $2 AND refund_id IS NOT NULL)"};

bool is_buyer(const Who& who, AccountId buyer) {
  return who.kind == identity::Kind::person && who.account == buyer;
}

void require_seen(Tx& tx, const Who& who, MerchantId merchant, AccountId buyer) {
  if (!is_buyer(who, buyer))
    identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::read);
}

// Whoever is of the other side knows of it and is told that it is not theirs to do.
void require_side(Tx& tx, const Who& who, const Return& item, Side side) {
  if (side == Side::merchant)
    return require_shop(tx, who, item, identity::Role::agent, identity::Scope::orders);
  require_seen(tx, who, item.merchant_id, item.buyer_id);
  if (!is_buyer(who, item.buyer_id)) throw Error(Code::forbidden, "this is for the buyer to do");
}

payouts::Hold hold_of(const Return& item) { return {payouts::Cause::order_return, item.id.uuid}; }

}  // namespace

void require_shop(Tx& tx, const Who& who, const Return& item, identity::Role least,
                  identity::Scope scope) {
  if (is_buyer(who, item.buyer_id) && !identity::is_member(tx, who, item.merchant_id, least, scope))
    throw Error(Code::forbidden, "this is for the shop to do");
  identity::require_member(tx, who, item.merchant_id, least, scope);
}

Return fetch_one(Tx& tx, MerchantId merchant, ReturnId id) { return tx.one(kFetch, merchant, id); }

std::optional<ReturnId> find_of_refund(Tx& tx, MerchantId merchant, payments::RefundId id) {
  return tx.find(kOfRefund, merchant, id);
}

Pieces received_of(Tx& tx, const orders::Order& order) {
  Pieces pieces(order.lines.size(), 0);
  for (const auto& received : tx.all(kReceived, order.merchant_id, order.id))
    for (const auto& line : received) pieces.at(index_of(line)) += line.good + line.damaged;
  return pieces;
}

std::int64_t refunded_of(Tx& tx, const orders::Order& order) {
  return tx.one(kRefunded, order.merchant_id, order.id);
}

Held lock(Tx& tx, MerchantId merchant, ReturnId id) {
  auto order = orders::lock(tx, merchant, tx.one(kOrderOf, merchant, id));
  return {fetch_one(tx, merchant, id), std::move(order)};
}

Held lock_for(Tx& tx, const Who& who, ReturnId id, Side side) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_side(tx, who, fetch_one(tx, merchant, id), side);
  return lock(tx, merchant, id);
}

void write(Tx& tx, Return& item) {
  item.updated_at = tx.now();
  tx.run(kUpdate, item.merchant_id, item.id, item.state, item.decision, item.return_by,
         item.received, item.restocked, item.proposed, item.amount, item.refund_id, item.updated_at,
         item.decided_at, item.received_at, item.ended_at);
}

void move(Tx& tx, Return& item, Event on) {
  item.state = kLifecycle.advance(item.state, on);
  write(tx, item);
}

void give_up(Tx& tx, Held& held) {
  jobs::cancel(tx, kExpireJob, text_of(held.item.id));
  const auto was = tx.one(kWas, held.item.merchant_id, held.item.id);
  held.order = orders::end_return(tx, std::move(held.order), was);
  let_payout_go(tx, held.item);
}

void hold_payout(Tx& tx, const Return& item) {
  payouts::hold(tx, item.merchant_id, item.order_id, hold_of(item), "a return is under way");
}

void let_payout_go(Tx& tx, const Return& item) {
  payouts::lift(tx, item.merchant_id, item.order_id, hold_of(item));
}

conversations::Draft by_buyer(const Who& who) {
  conversations::Draft draft;
  draft.author = conversations::Author::buyer;
  draft.author_id = who.account;
  return draft;
}

conversations::Draft by_merchant(const Who& who) {
  conversations::Draft draft;
  draft.author = conversations::Author::merchant;
  draft.author_id = who.account;
  return draft;
}

void tell(Tx& tx, const Held& held, const std::string& event, const std::string& words,
          const conversations::Draft& by) {
  auto draft = by;
  Json item = to_json(held.item), order = to_json(held.order);
  item.erase("note");
  order.erase("ship_to");
  draft.event = event;
  draft.data = {{"return", std::move(item)}, {"order", std::move(order)}};
  draft.fallback = "Return of order " + held.order.number + ": " + words + ".";
  conversations::append(tx, held.item.merchant_id, held.item.conversation_id, draft);
}

Return fetch(Tx& tx, const Who& who, ReturnId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  auto item = fetch_one(tx, merchant, id);
  require_seen(tx, who, merchant, item.buyer_id);
  return item;
}

std::vector<Return> list_of_order(Tx& tx, const Who& who, OrderId order) {
  return tx.all(kOfOrder, orders::fetch(tx, who, order).merchant_id, order, kReturnsMax);
}

std::vector<Return> list_of_buyer(Tx& tx, AccountId buyer, std::optional<ReturnId> after,
                                  std::int64_t limit) {
  return tx.all(kOfBuyer, buyer, after.value_or(ReturnId::newest()), limit);
}

std::vector<Return> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<State> state,
                                     std::optional<ReturnId> after, std::int64_t limit) {
  const auto from = after.value_or(ReturnId::newest());
  if (state) return tx.all(kInState, merchant, *state, from, limit);
  return tx.all(kOfMerchant, merchant, from, limit);
}

}  // namespace bottega::returns
