#include "bottega/orders/orders.hpp"

#include "bottega/core/calendar.hpp"

namespace bottega::orders {
namespace {

constexpr int kShipByBusinessDays = 3;

const Sql<Order(MerchantId, OrderId, ConversationId, AccountId, PaymentId, std::string, Lines,
                std::int64_t, Currency, std::int64_t, std::optional<Address>, Instant, Instant)>
    kInsert{"orders.insert", R"(
    INSERT INTO orders (merchant_id, id, conversation_id, buyer_id, payment_id, title, lines, total,
                        currency, fee, ship_to, ship_by, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'paid', $13)
    RETURNING id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
              currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
              shipped_at, delivered_at, cancelled_at)"};

const Sql<Order(MerchantId, OrderId)> kFetch{"orders.fetch", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
           shipped_at, delivered_at, cancelled_at
    FROM orders WHERE merchant_id = $1 AND id = $2)"};

const Sql<Order(MerchantId, OrderId)> kLock{"orders.lock", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
           shipped_at, delivered_at, cancelled_at
    FROM orders WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Order(MerchantId, PaymentId)> kOfPayment{"orders.of_payment", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
           shipped_at, delivered_at, cancelled_at
    FROM orders WHERE merchant_id = $1 AND payment_id = $2)"};

const Sql<Order(AccountId, OrderId, std::int64_t)> kOfBuyer{"orders.of_buyer", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
           shipped_at, delivered_at, cancelled_at
    FROM orders WHERE buyer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Order(MerchantId, OrderId, std::int64_t)> kOfMerchant{"orders.of_merchant", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
           shipped_at, delivered_at, cancelled_at
    FROM orders WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, OrderId, State, std::optional<std::string>, std::optional<std::string>,
               std::optional<std::string>, std::optional<Instant>, std::optional<Instant>,
               std::optional<Instant>)>
    kUpdate{"orders.update", R"(
    UPDATE orders SET state = $3, carrier = $4, tracking_number = $5, reason = $6, shipped_at = $7,
           delivered_at = $8, cancelled_at = $9
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<PaymentId(MerchantId, OrderId)> kPaymentOf{"orders.payment_of", R"(
    SELECT payment_id FROM orders WHERE merchant_id = $1 AND id = $2)"};

const Sql<bool(MerchantId, OrderId)> kIsFirst{"orders.is_first", R"(
    SELECT NOT EXISTS (SELECT FROM orders
                       WHERE merchant_id = $1 AND id <> $2 AND state <> 'cancelled'))"};

const Sql<Share(MerchantId, OrderId)> kShare{"orders.share", R"(
    SELECT total, currency, fee, refunded, fee_returned FROM orders
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, OrderId, std::int64_t, std::int64_t)> kGiveBack{"orders.give_back", R"(
    UPDATE orders SET refunded = refunded + $3, fee_returned = fee_returned + $4
    WHERE merchant_id = $1 AND id = $2)"};

// What both sides of the conversation may see of an order: everything but where it goes.
void tell(Tx& tx, const Order& order, const std::string& event) {
  Json data = to_json(order);
  data.erase("ship_to");
  conversations::append(tx, order.merchant_id, order.conversation_id,
                        {event,
                         conversations::Author::system,
                         std::nullopt,
                         std::nullopt,
                         {{"order", data}},
                         "Order of " + display(order.total) + ": " + text_of(order.state) + "."});
}

Order move(Tx& tx, Order order, Event on) {
  order.state = kLifecycle.advance(order.state, on);
  tx.run(kUpdate, order.merchant_id, order.id, order.state, order.carrier, order.tracking_number,
         order.reason, order.shipped_at, order.delivered_at, order.cancelled_at);
  return order;
}

}  // namespace

BOOST_DESCRIBE_STRUCT(Share, (), (total, fee, refunded, fee_returned))

Order place(Tx& tx, const Sale& sale, std::chrono::days cancel_after) {
  const auto id = OrderId::make();
  identity::enter_directory(tx, id.uuid, sale.merchant_id);
  const auto& calendar = Calendars::built_in().of(sale.country.value);
  const auto order =
      tx.one(kInsert, sale.merchant_id, id, sale.conversation_id, sale.buyer_id, sale.payment_id,
             sale.title, sale.lines, sale.total.amount, sale.total.currency, sale.fee, sale.ship_to,
             calendar.add_business_days(tx.now(), kShipByBusinessDays), tx.now());
  jobs::enqueue(tx, kCancelJob, text_of(id), {{"merchant_id", text_of(sale.merchant_id)}},
                tx.now() + cancel_after);
  tell(tx, order, "order.created");
  return order;
}

Order fetch(Tx& tx, const Who& who, OrderId id) {
  const auto order = tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
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

std::optional<Order> find_of_payment(Tx& tx, MerchantId merchant, PaymentId payment) {
  return tx.find(kOfPayment, merchant, payment);
}

PaymentId payment_of(Tx& tx, MerchantId merchant, OrderId id) {
  return tx.one(kPaymentOf, merchant, id);
}

bool is_first_of_merchant(Tx& tx, MerchantId merchant, OrderId id) {
  return tx.one(kIsFirst, merchant, id);
}

Order lock_for_merchant(Tx& tx, const Who& who, OrderId id, identity::Role least) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, least, identity::Scope::orders);
  return tx.one(kLock, merchant, id);
}

Order lock(Tx& tx, MerchantId merchant, OrderId id) { return tx.one(kLock, merchant, id); }

Order ship(Tx& tx, Order order, const Shipment& shipment) {
  order.carrier = shipment.carrier.value;
  order.tracking_number = shipment.tracking_number.value;
  order.shipped_at = tx.now();
  order = move(tx, std::move(order), Event::ship);
  jobs::cancel(tx, kCancelJob, text_of(order.id));
  tell(tx, order, "order.shipped");
  return order;
}

Order cancel(Tx& tx, Order order, const std::string& reason) {
  order.reason = reason;
  order.cancelled_at = tx.now();
  order = move(tx, std::move(order), Event::cancel);
  jobs::cancel(tx, kCancelJob, text_of(order.id));
  tell(tx, order, "order.cancelled");
  return order;
}

Order deliver(Tx& tx, Order order) {
  order.delivered_at = tx.now();
  order = move(tx, std::move(order), Event::deliver);
  tell(tx, order, "order.delivered");
  return order;
}

Share share_of(Tx& tx, MerchantId merchant, OrderId id) { return tx.one(kShare, merchant, id); }

void give_back(Tx& tx, MerchantId merchant, OrderId id, std::int64_t amount, std::int64_t fee) {
  tx.run(kGiveBack, merchant, id, amount, fee);
}

}  // namespace bottega::orders
