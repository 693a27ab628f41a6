// How a return begins: what of an order may be sent back, and until when.
#include "returns/rows.hpp"

namespace bottega::returns {
namespace {

const Sql<std::int64_t(MerchantId, OrderId)> kCount{"returns.count", R"(
    SELECT count(*) FROM returns WHERE merchant_id = $1 AND order_id = $2)"};

const Sql<void(MerchantId, ReturnId, OrderId, ConversationId, AccountId, orders::State, Reason,
               std::optional<std::string>, orders::SentLines, Currency, Instant)>
    kInsert{"returns.insert", R"(
    INSERT INTO returns (merchant_id, id, order_id, conversation_id, buyer_id, order_state, state,
                         reason, note, lines, restocked, currency, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'requested', $7, $8, $9, false, $10, $11, $11))"};

// What was sent and has not come back.
Pieces left_of(Tx& tx, const orders::Order& order) {
  auto left = orders::sent_of(tx, order);
  const auto back = received_of(tx, order);
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= back[i];
  return left;
}

orders::SentLines all_of(const Pieces& left) {
  orders::SentLines lines;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i] > 0) lines.items.push_back({{static_cast<std::int64_t>(i)}, {left[i]}});
  if (lines.items.empty()) throw Error(Code::conflict, "all of it has come back already");
  return lines;
}

void require_there(Pieces left, const orders::SentLines& lines) {
  Faults faults;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines.items[i];
    const auto at = "/lines/" + std::to_string(i);
    if (index_of(line) >= left.size()) {
      faults.push_back({at + "/line", "must be 0 to " + std::to_string(left.size() - 1)});
      continue;
    }
    auto& there = left[index_of(line)];
    if (there <= 0)
      faults.push_back({at + "/line", "nothing of it is left to send back"});
    else if (line.quantity > there)
      faults.push_back({at + "/quantity", "must be 1 to " + std::to_string(there)});
    else
      there -= line.quantity;
  }
  if (!faults.empty()) throw Error(Code::invalid, "that is more than can come back", faults);
}

void require_in_time(const Tx& tx, const orders::Order& order, const Rules& rules) {
  const auto since = order.delivered_at ? order.delivered_at : order.shipped_at;
  if (since && tx.now() > *since + rules.ask_within)
    throw Error(Code::conflict,
                "a return could be asked for until " + text_of(*since + rules.ask_within));
}

orders::Order lock_for_buyer(Tx& tx, const Who& who, OrderId id) {
  const auto seen = orders::fetch(tx, who, id);
  if (who.kind != identity::Kind::person || seen.buyer_id != who.account)
    throw Error(Code::forbidden, "this is for the buyer to do");
  return orders::lock(tx, seen.merchant_id, id);
}

}  // namespace

Return request(Tx& tx, const Who& who, OrderId id, const NewReturn& given, const Rules& rules) {
  auto order = lock_for_buyer(tx, who, id);
  const auto merchant = order.merchant_id;
  const auto was = order.state;
  orders::kLifecycle.advance(was, orders::Event::request_return);
  require_in_time(tx, order, rules);
  if (tx.one(kCount, merchant, id) >= kReturnsMax)
    throw Error(Code::conflict, "there are too many returns of this order");
  const auto left = left_of(tx, order);
  const auto lines = given.lines ? *given.lines : all_of(left);
  require_there(left, lines);
  std::optional<std::string> note;
  if (given.note) note = given.note->value;
  const auto item = ReturnId::make();
  identity::enter_directory(tx, item.uuid, merchant);
  tx.run(kInsert, merchant, item, id, order.conversation_id, order.buyer_id, was, given.reason,
         note, lines, order.total.currency, tx.now());
  order = orders::request_return(tx, std::move(order));
  const Held held{fetch_one(tx, merchant, item), std::move(order)};
  hold_payout(tx, held.item);
  tell(tx, held, "return.requested", "asked for", by_buyer(who));
  return held.item;
}

}  // namespace bottega::returns
