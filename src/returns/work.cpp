// What both sides do to a return until it is received, or is none.
#include "returns/rows.hpp"
#include "bottega/catalog/stock.hpp"
#include "bottega/payments/claims.hpp"

namespace bottega::returns {
namespace {

// What was asked for, by the lines of the order.
Pieces asked_of(const Held& held) {
  Pieces asked(held.order.lines.size(), 0);
  for (const auto& line : held.item.lines) asked.at(index_of(line)) += line.quantity;
  return asked;
}

ReceivedLines all_good(const Pieces& asked) {
  ReceivedLines lines;
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (asked[i] > 0) lines.items.push_back({{static_cast<std::int64_t>(i)}, {asked[i]}, {0}});
  return lines;
}

void require_asked(Pieces asked, const ReceivedLines& lines) {
  Faults faults;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines.items[i];
    const auto at = "/lines/" + std::to_string(i);
    const auto pieces = line.good + line.damaged;
    if (index_of(line) >= asked.size() || asked[index_of(line)] == 0)
      faults.push_back({at + "/line", "nothing more of it was to come back"});
    else if (pieces < 1 || pieces > asked[index_of(line)])
      faults.push_back({at + "/good", "must be, with what is damaged, 1 to " +
                                          std::to_string(asked[index_of(line)])});
    else
      asked[index_of(line)] -= pieces;
  }
  if (!faults.empty()) throw Error(Code::invalid, "that was not to come back", faults);
}

// What all pieces of a line have cost, after its discount.
std::int64_t cost_of(const orders::Order& order, std::size_t line) {
  if (order.breakdown && line < order.breakdown->lines.size()) {
    const auto& priced = order.breakdown->lines[line];
    return priced.amount - priced.discount;
  }
  const auto& sold = order.lines.items.at(line);
  return sold.quantity * sold.unit_amount;
}

// What so many pieces of each line have cost: all pieces of a line together what the line has.
std::int64_t cost_of(const orders::Order& order, const Pieces& pieces) {
  std::int64_t cost = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    cost += part_half_even(cost_of(order, i), pieces[i], order.lines.items.at(i).quantity);
  return cost;
}

// What was received has cost; at most what was sent has, less what came back before and what the
// shop has given back for anything else than for that, and for what was not sent.
std::int64_t proposal_of(Tx& tx, const Held& held, const ReceivedLines& lines) {
  const auto& order = held.order;
  auto pieces = received_of(tx, order);
  const auto before = cost_of(order, pieces);
  for (const auto& line : lines) pieces.at(index_of(line)) += line.good + line.damaged;
  const auto part = cost_of(order, pieces) - before;
  const auto sent = cost_of(order, orders::sent_of(tx, order));
  const auto otherwise = payments::given_for_sent(tx, order) - refunded_of(tx, order);
  const auto there = sent - before - std::max<std::int64_t>(otherwise, 0);
  const auto paid = payments::fetch_sold(tx, order.merchant_id, order.payment_id);
  return std::max<std::int64_t>(std::min({part, there, payments::left_of(paid)}), 0);
}

void put_back(Tx& tx, const Held& held) {
  std::vector<catalog::Item> items;
  for (const auto& line : *held.item.received) {
    const auto& variant = held.order.lines.items.at(index_of(line)).variant_id;
    if (variant && line.good > 0) items.push_back({*variant, line.good});
  }
  catalog::put_back(tx, held.item.merchant_id, items);
}

}  // namespace

Return approve(Tx& tx, const Who& who, ReturnId id, const ReturnApproval& given,
               const Rules& rules) {
  auto held = lock_for(tx, who, id, Side::merchant);
  auto& item = held.item;
  if (given.words) item.decision = given.words->value;
  item.decided_at = tx.now();
  item.return_by = tx.now() + rules.return_within;
  move(tx, item, Event::approve);
  jobs::enqueue(tx, kExpireJob, text_of(id), {{"merchant_id", text_of(item.merchant_id)}},
                *item.return_by);
  tell(tx, held, "return.approved", "approved", by_merchant(who));
  return item;
}

Return reject(Tx& tx, const Who& who, ReturnId id, const ReturnRejection& given) {
  auto held = lock_for(tx, who, id, Side::merchant);
  auto& item = held.item;
  item.decision = given.words.value;
  item.decided_at = item.ended_at = tx.now();
  move(tx, item, Event::reject);
  give_up(tx, held);
  tell(tx, held, "return.rejected", "rejected", by_merchant(who));
  return item;
}

Return cancel(Tx& tx, const Who& who, ReturnId id) {
  auto held = lock_for(tx, who, id, Side::buyer);
  held.item.ended_at = tx.now();
  move(tx, held.item, Event::cancel);
  give_up(tx, held);
  tell(tx, held, "return.cancelled", "taken back by the buyer", by_buyer(who));
  return held.item;
}

void expire(Tx& tx, MerchantId merchant, ReturnId id) {
  auto held = lock(tx, merchant, id);
  if (held.item.state != State::approved || tx.now() < held.item.return_by) return;
  held.item.ended_at = tx.now();
  move(tx, held.item, Event::expire);
  give_up(tx, held);
  tell(tx, held, "return.expired", "nothing came back in time");
}

Return receive(Tx& tx, const Who& who, ReturnId id, const ReturnReceipt& given) {
  auto held = lock_for(tx, who, id, Side::merchant);
  auto& item = held.item;
  kLifecycle.advance(item.state, Event::receive);
  const auto asked = asked_of(held);
  const auto lines = given.lines ? *given.lines : all_good(asked);
  require_asked(asked, lines);
  item.received = lines;
  item.received_at = tx.now();
  item.proposed = proposal_of(tx, held, lines);
  item.restocked = given.restock.value_or(false);
  move(tx, item, Event::receive);
  held.order = orders::receive_return(tx, std::move(held.order));
  jobs::cancel(tx, kExpireJob, text_of(id));
  if (item.restocked) put_back(tx, held);
  tell(tx, held, "return.received", "received", by_merchant(who));
  return item;
}

}  // namespace bottega::returns
