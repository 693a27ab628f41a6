#include "bottega/orders/orders.hpp"

#include "orders/rows.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::orders {
namespace {

// Which shop's it is, and the order, in one statement.
const Sql<Order(OrderId)> kFetch{"orders.fetch", R"(
    SELECT o.id, o.number, o.merchant_id, o.conversation_id, o.buyer_id, o.payment_id, o.title,
           o.lines, o.total, o.currency, o.state, o.fulfilment, o.ship_to, o.ship_by, o.carrier,
           o.tracking_number, o.reason, o.card_seq, o.breakdown, o.created_at, o.shipped_at,
           o.delivered_at, o.completed_at, o.cancelled_at, o.withdrawn_at
    FROM directory d JOIN orders o ON o.merchant_id = d.merchant_id AND o.id = d.id
    WHERE d.id = $1)"};

// In the order of their ids, so that two who want several do not wait in a circle.
const Sql<Order(std::vector<MerchantId>, std::vector<OrderId>, std::int64_t)> kLock{"orders.lock",
                                                                                    R"(
    SELECT o.id, o.number, o.merchant_id, o.conversation_id, o.buyer_id, o.payment_id, o.title,
           o.lines, o.total, o.currency, o.state, o.fulfilment, o.ship_to, o.ship_by, o.carrier,
           o.tracking_number, o.reason, o.card_seq, o.breakdown, o.created_at,
           o.shipped_at, o.delivered_at, o.completed_at, o.cancelled_at,
           o.withdrawn_at
    FROM (SELECT merchant_id, id FROM unnest($1::uuid[], $2::uuid[]) AS one (merchant_id, id)
          LIMIT $3::bigint) u
         JOIN orders o ON o.merchant_id = u.merchant_id AND o.id = u.id
    ORDER BY o.id FOR UPDATE OF o)"};

const Sql<Order(MerchantId, PaymentId)> kOfPayment{"orders.of_payment", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders WHERE merchant_id = $1 AND payment_id = $2)"};

const Sql<Order(MerchantId, std::string)> kOfNumber{"orders.of_number", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders WHERE merchant_id = $1 AND number = $2)"};

const Sql<Order(AccountId, OrderId, std::int64_t)> kOfBuyer{"orders.of_buyer", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders WHERE buyer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Order(MerchantId, OrderId, std::int64_t)> kOfMerchant{"orders.of_merchant", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, OrderId, State, std::optional<Address>, std::optional<std::string>,
               std::optional<Instant>, std::optional<Instant>, std::optional<Instant>)>
    kUpdate{"orders.update", R"(
    UPDATE orders SET state = $3, ship_to = $4, reason = $5, shipped_at = $6, delivered_at = $7,
           cancelled_at = $8
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, OrderId, Instant)> kWithdraw{"orders.note_withdrawal", R"(
    UPDATE orders SET withdrawn_at = $3 WHERE merchant_id = $1 AND id = $2)"};

const Sql<PaymentId(MerchantId, OrderId)> kPaymentOf{"orders.payment_of", R"(
    SELECT payment_id FROM orders WHERE merchant_id = $1 AND id = $2)"};

const Sql<Share(MerchantId, OrderId)> kShare{"orders.share", R"(
    SELECT total, currency, fee, refunded, fee_returned FROM orders
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, OrderId, std::int64_t, std::int64_t)> kGiveBack{"orders.give_back", R"(
    UPDATE orders SET refunded = refunded + $3, fee_returned = fee_returned + $4
    WHERE merchant_id = $1 AND id = $2)"};

void require_unsent(const Order& order, const char* words) {
  if (order.fulfilment == Fulfilment::partial) throw Error(Code::conflict, words);
}

// As the buyer, or as somebody of the shop who may ship.
void require_side(Tx& tx, const Who& who, const Order& order) {
  if (who.kind == identity::Kind::person && order.buyer_id == who.account) return;
  identity::require_member(tx, who, order.merchant_id, identity::Role::agent,
                           identity::Scope::orders);
}

// Another place has other taxes, and other ways of shipping.
Faults priced_otherwise(Tx& tx, const Order& order, const Address& to) {
  if (!order.ship_to && order.breakdown) return {{"/ship_to", "was none when it was priced"}};
  if (!order.ship_to) return {};
  const auto& from = *order.ship_to;
  if (from.country != to.country) return {{"/ship_to/country", "must be " + from.country.value}};
  if (!order.breakdown) return {};
  const auto before = destination_of(from), after = destination_of(to);
  Faults faults;
  if (pricing::fold_region(before.region, before.country) !=
      pricing::fold_region(after.region, after.country))
    faults.push_back({"/ship_to/region",
                      before.region.empty() ? "must be left out" : "must be " + before.region});
  const auto rules = pricing::read_rules(tx, order.merchant_id);
  if (pricing::zone_at(before, rules) != pricing::zone_at(after, rules))
    faults.push_back({"/ship_to/postal_code", "must be in the same zone of the shop's shipping"});
  return faults;
}

}  // namespace

pricing::Destination destination_of(const Address& address) {
  return {address.country, address.region ? address.region->value : "", address.postal_code.value};
}

void tell(conversations::Log& log, const Order& order, const std::string& event,
          const std::string& words, const Shipment* shipment, std::optional<std::int64_t> seq) {
  Json data = to_json(order);
  data.erase("ship_to");
  Json content = {{"order", std::move(data)}};
  if (shipment != nullptr) content["shipment"] = to_json(*shipment);
  log.append(order.merchant_id, order.conversation_id,
             {event, conversations::Author::system, std::nullopt, std::nullopt, std::move(content),
              "Order of " + display(order.total) + ": " + words + "."},
             seq);
}

void tell(Tx& tx, const Order& order, const std::string& event, const std::string& words,
          const Shipment* shipment) {
  conversations::Log log;
  tell(log, order, event, words, shipment);
  log.write(tx);
}

void write(Tx& tx, const Order& order) {
  tx.run(kUpdate, order.merchant_id, order.id, order.state, order.ship_to, order.reason,
         order.shipped_at, order.delivered_at, order.cancelled_at);
}

Order move(Tx& tx, Order order, Event on) {
  order.state = kLifecycle.advance(order.state, on);
  write(tx, order);
  return order;
}

Order fetch(Tx& tx, const Who& who, OrderId id) {
  const auto order = tx.one(kFetch, id);
  if (who.kind != identity::Kind::person || order.buyer_id != who.account)
    identity::require_member(tx, who, order.merchant_id, identity::Role::agent,
                             identity::Scope::read);
  return order;
}

std::vector<Order> list_of_buyer(Tx& tx, AccountId buyer, std::optional<OrderId> after,
                                 std::int64_t limit) {
  return tx.all(kOfBuyer, buyer, after.value_or(OrderId::newest()), limit);
}

std::vector<Order> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<OrderId> after,
                                    std::int64_t limit) {
  return tx.all(kOfMerchant, merchant, after.value_or(OrderId::newest()), limit);
}

std::optional<Order> find_of_number(Tx& tx, MerchantId merchant, const std::string& number) {
  return tx.find(kOfNumber, merchant, number);
}

std::optional<Order> find_of_payment(Tx& tx, MerchantId merchant, PaymentId payment) {
  return tx.find(kOfPayment, merchant, payment);
}

PaymentId payment_of(Tx& tx, MerchantId merchant, OrderId id) {
  return tx.one(kPaymentOf, merchant, id);
}

Order lock_for_merchant(Tx& tx, const Who& who, OrderId id, identity::Role least) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, least, identity::Scope::orders);
  return lock(tx, merchant, id);
}

Order lock(Tx& tx, MerchantId merchant, OrderId id) {
  auto found = lock(tx, {{merchant, id}});
  if (found.empty()) throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return std::move(found.front());
}

std::vector<Order> lock(Tx& tx, const std::vector<std::pair<MerchantId, OrderId>>& named) {
  std::vector<MerchantId> merchants;
  std::vector<OrderId> ids;
  for (const auto& [merchant, id] : named) {
    merchants.push_back(merchant);
    ids.push_back(id);
  }
  return tx.all(kLock, merchants, ids, std::ssize(ids));
}

Order cancel(Tx& tx, Order order, const std::string& reason) {
  require_unsent(order, "a part was sent: what was not is given back by closing the rest");
  order.reason = reason;
  order.cancelled_at = tx.now();
  order = move(tx, std::move(order), Event::cancel);
  tell(tx, order, "order.cancelled", text_of(order.state));
  return order;
}

Order note_withdrawal(Tx& tx, Order order) {
  order.withdrawn_at = tx.now();
  tx.run(kWithdraw, order.merchant_id, order.id, *order.withdrawn_at);
  return order;
}

Order change(Tx& tx, const Who& who, OrderId id, const ChangedOrder& given) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  auto order = lock(tx, merchant, id);
  require_side(tx, who, order);
  if (order.state != State::paid)
    throw Error(Code::conflict, "cannot correct the address of what is " + text_of(order.state));
  require_unsent(order, "a part was sent to the address as it is");
  const auto faults = priced_otherwise(tx, order, given.ship_to);
  if (!faults.empty()) throw Error(Code::invalid, "the order was priced for another place", faults);
  order.ship_to = given.ship_to;
  write(tx, order);
  tell(tx, order, "order.edited", "the address was corrected");
  return order;
}

Share share_of(Tx& tx, MerchantId merchant, OrderId id) { return tx.one(kShare, merchant, id); }

void give_back(Tx& tx, MerchantId merchant, OrderId id, std::int64_t amount, std::int64_t fee) {
  tx.run(kGiveBack, merchant, id, amount, fee);
}

}  // namespace bottega::orders
