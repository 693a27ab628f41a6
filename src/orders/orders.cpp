#include "bottega/orders/orders.hpp"

#include "orders/rows.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::orders {
namespace {

constexpr int kShipByBusinessDays = 3, kNumberTries = 5;

// Its card is the next entry of the conversation, whose row is held from here to the entry: nobody
// else can come between. No row where the shop has given out the number.
const Sql<Order(MerchantId, OrderId, ConversationId, AccountId, PaymentId, std::string, Lines,
                std::int64_t, Currency, std::int64_t, std::optional<Address>, Instant, Instant,
                std::string, std::optional<pricing::Breakdown>)>
    kInsert{"orders.insert", R"(
    INSERT INTO orders (merchant_id, id, conversation_id, buyer_id, payment_id, title, lines, total,
                        currency, fee, ship_to, ship_by, state, fulfilment, created_at, number,
                        card_seq, breakdown)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'paid', 'none', $13, $14,
           c.last_seq + 1, $15
    FROM conversations c WHERE c.merchant_id = $1 AND c.id = $3 FOR NO KEY UPDATE
    ON CONFLICT (merchant_id, number) DO NOTHING
    RETURNING id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
              currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
              card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at)"};

const Sql<Order(MerchantId, OrderId)> kFetch{"orders.fetch", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE merchant_id = $1 AND id = $2)"};

const Sql<Order(MerchantId, OrderId)> kLock{"orders.lock", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Order(MerchantId, PaymentId)> kOfPayment{"orders.of_payment", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE merchant_id = $1 AND payment_id = $2)"};

const Sql<Order(MerchantId, std::string)> kOfNumber{"orders.of_number", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE merchant_id = $1 AND number = $2)"};

const Sql<Order(AccountId, OrderId, std::int64_t)> kOfBuyer{"orders.of_buyer", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE buyer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<Order(MerchantId, OrderId, std::int64_t)> kOfMerchant{"orders.of_merchant", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at
    FROM orders WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<void(MerchantId, OrderId, State, std::optional<Address>, std::optional<std::string>,
               std::optional<Instant>, std::optional<Instant>, std::optional<Instant>)>
    kUpdate{"orders.update", R"(
    UPDATE orders SET state = $3, ship_to = $4, reason = $5, shipped_at = $6, delivered_at = $7,
           cancelled_at = $8
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

// A number that the shop has given out, as one in thirty thousand millions is for each order that
// it has, is tried again with another id.
Order insert(Tx& tx, const Sale& sale) {
  const auto& calendar = Calendars::built_in().of(sale.country.value);
  const auto ship_by = calendar.add_business_days(tx.now(), kShipByBusinessDays);
  for (int tries = 0; tries < kNumberTries; ++tries) {
    const auto id = OrderId::make();
    auto order =
        tx.find(kInsert, sale.merchant_id, id, sale.conversation_id, sale.buyer_id, sale.payment_id,
                sale.title, sale.lines, sale.total.amount, sale.total.currency, sale.fee,
                sale.ship_to, ship_by, tx.now(), number_of(id), sale.breakdown);
    if (order) return *std::move(order);
  }
  throw Error(Code::internal, "no number is free for the order");
}

void require_unsent(const Order& order, const char* words) {
  if (order.fulfilment == Fulfilment::partial) throw Error(Code::conflict, words);
}

// As the buyer, or as somebody of the shop who may ship.
void require_side(Tx& tx, const Who& who, const Order& order) {
  if (who.kind == identity::Kind::person && order.buyer_id == who.account) return;
  identity::require_member(tx, who, order.merchant_id, identity::Role::agent,
                           identity::Scope::orders);
}

}  // namespace

void tell(Tx& tx, const Order& order, const std::string& event, const std::string& words,
          const Shipment* shipment) {
  Json data = to_json(order);
  data.erase("ship_to");
  Json content = {{"order", std::move(data)}};
  if (shipment != nullptr) content["shipment"] = to_json(*shipment);
  conversations::append(
      tx, order.merchant_id, order.conversation_id,
      {event, conversations::Author::system, std::nullopt, std::nullopt, std::move(content),
       "Order of " + display(order.total) + ": " + words + "."});
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

Order place(Tx& tx, const Sale& sale, std::chrono::days cancel_after) {
  const auto order = insert(tx, sale);
  identity::enter_directory(tx, order.id.uuid, sale.merchant_id);
  jobs::enqueue(tx, kCancelJob, text_of(order.id), {{"merchant_id", text_of(sale.merchant_id)}},
                tx.now() + cancel_after);
  tell(tx, order, "order.created", text_of(order.state));
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

std::optional<Order> find_of_number(Tx& tx, MerchantId merchant, const std::string& number) {
  return tx.find(kOfNumber, merchant, number);
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

Order cancel(Tx& tx, Order order, const std::string& reason) {
  require_unsent(order, "a part was sent: what was not is given back by closing the rest");
  order.reason = reason;
  order.cancelled_at = tx.now();
  order = move(tx, std::move(order), Event::cancel);
  jobs::cancel(tx, kCancelJob, text_of(order.id));
  tell(tx, order, "order.cancelled", text_of(order.state));
  return order;
}

Order change(Tx& tx, const Who& who, OrderId id, const ChangedOrder& given) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  auto order = tx.one(kLock, merchant, id);
  require_side(tx, who, order);
  if (order.state != State::paid)
    throw Error(Code::conflict, "cannot correct the address of what is " + text_of(order.state));
  require_unsent(order, "a part was sent to the address as it is");
  if (order.ship_to && order.ship_to->country != given.ship_to.country)
    throw Error(Code::invalid, "the order was priced for another country",
                {{"/ship_to/country", "must be " + order.ship_to->country.value}});
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
