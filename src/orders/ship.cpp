// Parcels: what is left to send, what was sent, and what becomes of an order by it.
#include <algorithm>

#include "orders/rows.hpp"
#include "bottega/carriers/carriers.hpp"

namespace bottega::orders {
namespace {

template <class T>
using Column = std::vector<T>;

struct Paid {
  OrderId id;
  Money total;
  std::int64_t fee = 0, refunded = 0, fee_returned = 0;
};
BOOST_DESCRIBE_STRUCT(Paid, (), (id, total, fee, refunded, fee_returned))

// The parcels and the orders in one statement, which says as well what the payouts are reckoned
// from.
const Sql<Paid(Column<MerchantId>, Column<OrderId>, Column<ShipmentId>, Column<std::string>,
               Column<std::optional<std::string>>, Column<std::optional<std::string>>,
               Column<SentLines>, Column<State>, Column<Fulfilment>, Column<std::optional<Instant>>,
               Instant)>
    kSend{"orders.send", R"(
    WITH parcel AS (
      INSERT INTO shipments (merchant_id, id, order_id, carrier, tracking_number, tracking_url,
                             lines, status, status_at, created_at, shipped_at)
      SELECT merchant_id, id, order_id, carrier, tracking_number, tracking_url, lines, 'shipped',
             $11::timestamptz, $11::timestamptz, $11::timestamptz
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                  $7::jsonb[])
             AS p (merchant_id, order_id, id, carrier, tracking_number, tracking_url, lines))
    UPDATE orders o
    SET carrier = u.carrier, tracking_number = u.tracking_number, state = u.state,
        fulfilment = u.fulfilment, shipped_at = u.shipped_at
    FROM unnest($1::uuid[], $2::uuid[], $4::text[], $5::text[], $8::text[], $9::text[],
                $10::timestamptz[])
           AS u (merchant_id, id, carrier, tracking_number, state, fulfilment, shipped_at)
    WHERE o.merchant_id = u.merchant_id AND o.id = u.id
    RETURNING o.id, o.total, o.currency, o.fee, o.refunded, o.fee_returned)"};

const Sql<Shipment(MerchantId, OrderId)> kOfOrder{"orders.shipments", R"(
    SELECT id, order_id, carrier, tracking_number, tracking_url, lines, status, status_at,
           created_at, shipped_at, delivered_at
    FROM shipments WHERE merchant_id = $1 AND id = $2
    UNION ALL
    (SELECT id, order_id, carrier, tracking_number, tracking_url, lines, status, status_at,
            created_at, shipped_at, delivered_at
     FROM shipments WHERE merchant_id = $1 AND order_id = $2 AND id <> order_id ORDER BY id))"};

const Sql<Shipment(MerchantId, ShipmentId)> kShipment{"orders.shipment", R"(
    SELECT id, order_id, carrier, tracking_number, tracking_url, lines, status, status_at,
           created_at, shipped_at, delivered_at
    FROM shipments WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, OrderId, Tracking, Instant)> kArrive{"orders.arrive", R"(
    UPDATE shipments SET status = $3, status_at = $4, delivered_at = $4
    WHERE merchant_id = $1 AND (id = $2 OR (order_id = $2 AND id <> order_id))
      AND status NOT IN ('delivered', 'returned_to_sender', 'cancelled'))"};

// The order shows what its last parcel has.
const Sql<void(MerchantId, OrderId, ShipmentId, std::string, std::optional<std::string>,
               std::optional<std::string>, bool)>
    kCorrect{"orders.correct_shipment", R"(
    WITH parcel AS (
      UPDATE shipments SET carrier = $4, tracking_number = $5, tracking_url = $6
      WHERE merchant_id = $1 AND id = $3)
    UPDATE orders SET carrier = $4, tracking_number = $5
    WHERE merchant_id = $1 AND id = $2 AND $7)"};

using Pieces = std::vector<std::int64_t>;  // of each line of the order

Pieces pieces_of(const Order& order) {
  Pieces pieces;
  for (const auto& line : order.lines) pieces.push_back(line.quantity);
  return pieces;
}

std::size_t index_of(const SentLine& line) { return static_cast<std::size_t>(line.line.value); }

Pieces left_of(const Order& order, const std::vector<Shipment>& sent) {
  auto left = pieces_of(order);
  for (const auto& parcel : sent)
    for (const auto& line : parcel.lines) left.at(index_of(line)) -= line.quantity;
  return left;
}

SentLines all_of(const Pieces& left) {
  SentLines lines;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i] > 0) lines.items.push_back({{static_cast<std::int64_t>(i)}, {left[i]}});
  return lines;
}

// Takes what goes into a parcel from what is left; throws where there is not as much of it.
void take(Pieces& left, const SentLines& lines) {
  Faults faults;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines.items[i];
    const auto at = "/lines/" + std::to_string(i);
    if (index_of(line) >= left.size()) {
      faults.push_back({at + "/line", "must be 0 to " + std::to_string(left.size() - 1)});
      continue;
    }
    auto& there = left[index_of(line)];
    if (there == 0)
      faults.push_back({at + "/line", "nothing of it is left to send"});
    else if (line.quantity > there)
      faults.push_back({at + "/quantity", "must be 1 to " + std::to_string(there)});
    else
      there -= line.quantity;
  }
  if (!faults.empty()) throw Error(Code::invalid, "that is more than is left to send", faults);
}

bool is_nothing(const Pieces& left) {
  return std::ranges::all_of(left, [](std::int64_t pieces) { return pieces == 0; });
}

template <class T>
std::optional<std::string> text_in(const std::optional<T>& given) {
  return given ? std::optional(given->value) : std::nullopt;
}

Shipment parcel_of(Tx& tx, const Order& order, const NewShipment& given, carriers::Label& label) {
  Shipment parcel;
  parcel.id = order.fulfilment == Fulfilment::none ? ShipmentId{order.id.uuid} : ShipmentId::make();
  parcel.order_id = order.id;
  parcel.carrier = std::move(label.carrier);
  parcel.tracking_number = text_in(given.tracking_number);
  parcel.tracking_url = std::move(label.tracking_url);
  parcel.status_at = parcel.created_at = parcel.shipped_at = tx.now();
  return parcel;
}

// What it makes of the order; throws where that cannot be.
Sent pack(Tx& tx, Order order, const NewShipment& given, const std::vector<Shipment>& before) {
  kLifecycle.advance(order.state, Event::ship);
  auto label = carriers::label(text_in(given.carrier), text_in(given.tracking_number));
  if (before.size() >= kShipmentsMax) throw Error(Code::conflict, "there are too many parcels");
  auto left = left_of(order, before);
  auto parcel = parcel_of(tx, order, given, label);
  parcel.lines = given.lines ? *given.lines : all_of(left);
  take(left, parcel.lines);
  const bool is_all = is_nothing(left);
  order.state = kLifecycle.advance(order.state, is_all ? Event::ship : Event::ship_part);
  order.fulfilment = is_all ? Fulfilment::all : Fulfilment::partial;
  order.carrier = parcel.carrier;
  order.tracking_number = parcel.tracking_number;
  if (is_all) order.shipped_at = tx.now();
  if (order.withdrawn_at)
    label.warnings.push_back("the buyer withdrew from the contract on " +
                             to_text(*order.withdrawn_at).substr(0, 10) +
                             ": what was sent all the same comes back");
  return {std::move(order), std::move(parcel), {}, std::move(label.warnings)};
}

// Of what is plain nothing was sent before, and nothing is asked.
std::variant<Sent, Error> try_to_pack(Tx& tx, const Sending& asked) {
  const auto& order = asked.order;
  std::vector<Shipment> before;
  if (order.fulfilment != Fulfilment::none) before = shipments_of(tx, order.merchant_id, order.id);
  try {
    return pack(tx, order, *asked.given, before);
  } catch (const Error& refusal) {
    return refusal;
  }
}

void write_sent(Tx& tx, const std::map<OrderId, Sent*>& all) {
  if (all.empty()) return;
  Column<MerchantId> merchants;
  Column<OrderId> ids;
  Column<ShipmentId> parcels;
  Column<std::string> carriers;
  Column<std::optional<std::string>> numbers, urls;
  Column<SentLines> lines;
  Column<State> states;
  Column<Fulfilment> fulfilments;
  Column<std::optional<Instant>> times;
  std::vector<std::pair<Uuid, MerchantId>> entered;
  for (const auto& [id, sent] : all) {
    const auto& [order, parcel, share, warnings] = *sent;
    merchants.push_back(order.merchant_id);
    ids.push_back(id);
    parcels.push_back(parcel.id);
    carriers.push_back(parcel.carrier);
    numbers.push_back(parcel.tracking_number);
    urls.push_back(parcel.tracking_url);
    lines.push_back(parcel.lines);
    states.push_back(order.state);
    fulfilments.push_back(order.fulfilment);
    times.push_back(order.shipped_at);
    if (parcel.id.uuid != id.uuid) entered.emplace_back(parcel.id.uuid, order.merchant_id);
  }
  identity::enter_directory(tx, entered);
  for (const auto& row : tx.all(kSend, merchants, ids, parcels, carriers, numbers, urls, lines,
                                states, fulfilments, times, tx.now()))
    all.at(row.id)->share = {row.total, row.fee, row.refunded, row.fee_returned};
}

}  // namespace

std::vector<std::variant<Sent, Error>> ship(Tx& tx, const std::vector<Sending>& asked,
                                            conversations::Log& log) {
  std::vector<std::variant<Sent, Error>> all;
  all.reserve(asked.size());
  for (const auto& one : asked) all.push_back(try_to_pack(tx, one));
  std::map<OrderId, Sent*> packed;
  for (auto& one : all)
    if (auto* sent = std::get_if<Sent>(&one)) packed.emplace(sent->order.id, sent);
  write_sent(tx, packed);
  for (const auto& one : all) {
    const auto* sent = std::get_if<Sent>(&one);
    if (sent == nullptr) continue;
    if (sent->order.state == State::shipped)
      tell(log, sent->order, "order.shipped", text_of(sent->order.state), &sent->shipment);
    else
      tell(log, sent->order, "order.part_shipped", "a part was sent", &sent->shipment);
  }
  return all;
}

Corrected correct(Tx& tx, const Who& who, ShipmentId id, const ChangedShipment& given) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::orders);
  auto order = lock(tx, merchant, tx.one(kShipment, merchant, id).order_id);
  const auto all = shipments_of(tx, merchant, order.id);
  auto parcel = *std::ranges::find(all, id, &Shipment::id);
  if (stage_of(parcel.status) == Stage::ended)
    throw Error(Code::conflict, "cannot correct what is " + text_of(parcel.status));
  auto label = carriers::label(text_in(given.carrier), text_in(given.tracking_number));
  parcel.carrier = std::move(label.carrier);
  parcel.tracking_number = text_in(given.tracking_number);
  parcel.tracking_url = std::move(label.tracking_url);
  const bool is_last = all.back().id == id;
  tx.run(kCorrect, merchant, order.id, id, parcel.carrier, parcel.tracking_number,
         parcel.tracking_url, is_last);
  if (is_last) {
    order.carrier = parcel.carrier;
    order.tracking_number = parcel.tracking_number;
  }
  tell(tx, order, "order.edited", "the tracking number was corrected", &parcel);
  return {std::move(parcel), std::move(label.warnings)};
}

Unsent unsent_of(Tx& tx, const Order& order) {
  const auto left = left_of(order, shipments_of(tx, order.merchant_id, order.id));
  Unsent priced, counted;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const auto& line = order.lines.items[i];
    priced.part += left[i] * line.unit_amount;
    priced.whole += line.quantity * line.unit_amount;
    counted.part += left[i];
    counted.whole += line.quantity;
  }
  return priced.whole > 0 ? priced : counted;
}

Order close(Tx& tx, Order order, const std::string& reason) {
  if (order.state == State::paid && order.fulfilment == Fulfilment::none)
    throw Error(Code::conflict, "nothing was sent: it can be cancelled");
  order.reason = reason;
  order.shipped_at = tx.now();
  return move(tx, std::move(order), Event::ship);
}

Order tell_closed(Tx& tx, Order order) {
  tell(tx, order, "order.rest_closed", "the rest is not sent");
  if (!has_all_arrived(shipments_of(tx, order.merchant_id, order.id))) return order;
  return deliver(tx, std::move(order));
}

Order deliver(Tx& tx, Order order) {
  order.delivered_at = tx.now();
  order = move(tx, std::move(order), Event::deliver);
  tx.run(kArrive, order.merchant_id, order.id, Tracking::delivered, tx.now());
  tell(tx, order, "order.delivered", text_of(order.state));
  return order;
}

std::vector<Shipment> shipments_of(Tx& tx, MerchantId merchant, OrderId id) {
  return tx.all(kOfOrder, merchant, id);
}

std::vector<Shipment> list_shipments(Tx& tx, const Who& who, OrderId id) {
  return shipments_of(tx, fetch(tx, who, id).merchant_id, id);
}

Shipment fetch_shipment(Tx& tx, const Who& who, ShipmentId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  auto shipment = tx.one(kShipment, merchant, id);
  fetch(tx, who, shipment.order_id);
  return shipment;
}

}  // namespace bottega::orders
