#pragma once
// An order is made by a captured payment, is marked as sent by the merchant, and tells its news in
// the conversation. Not marked as sent, it is never paid out, and in the end it is refunded by
// itself.
#include "bottega/conversations/conversations.hpp"
#include "bottega/core/machine.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::orders {

using conversations::ConversationId, identity::AccountId, identity::MerchantId, identity::Who;
using OrderId = Id<"ord">;
using PaymentId = Id<"pay">;

enum class State : std::uint8_t {
  paid,
  shipped,
  delivered,
  completed,
  cancelled,
  return_requested,
  returned,
};
BOOST_DESCRIBE_ENUM(State, paid, shipped, delivered, completed, cancelled, return_requested,
                    returned)
enum class Event : std::uint8_t { ship, deliver, complete, cancel, request_return, receive_return };
BOOST_DESCRIBE_ENUM(Event, ship, deliver, complete, cancel, request_return, receive_return)

inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::paid, Event::ship, State::shipped},
    {State::paid, Event::cancel, State::cancelled},
    {State::shipped, Event::deliver, State::delivered},
    {State::shipped, Event::request_return, State::return_requested},
    {State::delivered, Event::complete, State::completed},
    {State::delivered, Event::request_return, State::return_requested},
    {State::completed, Event::request_return, State::return_requested},
    {State::return_requested, Event::receive_return, State::returned},
})};
static_assert(kLifecycle.deterministic());

// One line of what is bought; the price is for one piece.
struct OrderLine {
  Line<1, 100> name;
  Count<1, 9'999> quantity;
  Count<0, kAmountMax> unit_amount;
};
BOOST_DESCRIBE_STRUCT(OrderLine, (), (name, quantity, unit_amount))
using Lines = List<OrderLine, 1, 100>;

struct Address {
  Line<1, 100> name;
  Line<1, 200> street;
  Line<1, 100> city;
  std::optional<Line<1, 100>> region;
  Line<1, 20> postal_code;
  Country country;
};
BOOST_DESCRIBE_STRUCT(Address, (), (name, street, city, region, postal_code, country))

struct Order {
  OrderId id;
  std::int64_t number = 0;
  MerchantId merchant_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  PaymentId payment_id;
  std::string title;
  Lines lines;
  Money total;
  State state{};
  std::optional<Address> ship_to;
  Instant ship_by{};
  std::optional<std::string> carrier, tracking_number, reason;
  Instant created_at{};
  std::optional<Instant> shipped_at, delivered_at, cancelled_at;
};
BOOST_DESCRIBE_STRUCT(Order, (),
                      (id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines,
                       total, state, ship_to, ship_by, carrier, tracking_number, reason, created_at,
                       shipped_at, delivered_at, cancelled_at))

struct Shipment {
  Line<1, 50> carrier;
  Line<1, 60> tracking_number;
};
BOOST_DESCRIBE_STRUCT(Shipment, (), (carrier, tracking_number))

// What a captured payment says about the order that it makes.
struct Sale {
  MerchantId merchant_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  PaymentId payment_id;
  std::string title;
  Lines lines;
  Money total;
  std::int64_t fee = 0;
  std::optional<Address> ship_to;
  Country country;  // the merchant's, by whose calendar it is to be sent
};

// Makes the order, tells the conversation, and arranges that it is cancelled when it is not sent in
// time.
Order place(Tx& tx, const Sale& sale, std::chrono::days cancel_after);
Order fetch(Tx& tx, const Who& who, OrderId id);
std::vector<Order> list_of_buyer(Tx& tx, AccountId buyer, std::optional<OrderId> after,
                                 std::int64_t limit);
std::vector<Order> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<OrderId> after,
                                    std::int64_t limit);
// The order of a payment, if the payment made one.
std::optional<Order> find_of_payment(Tx& tx, MerchantId merchant, PaymentId payment);

PaymentId payment_of(Tx& tx, MerchantId merchant, OrderId id);
// Whether the merchant has sold nothing else yet; what was cancelled is no sale.
bool is_first_of_merchant(Tx& tx, MerchantId merchant, OrderId id);

// Locks the order for the merchant's member (or API key) who asks; throws Error(not_found) or
// (forbidden).
Order lock_for_merchant(Tx& tx, const Who& who, OrderId id, identity::Role least);
Order lock(Tx& tx, MerchantId merchant, OrderId id);

// Both tell the conversation; the caller holds the lock and sees to the money.
Order ship(Tx& tx, Order order, const Shipment& shipment);
Order cancel(Tx& tx, Order order, const std::string& reason);
Order deliver(Tx& tx, Order order);

// What was paid for an order, what of it is the platform's, and what the merchant has given back of
// both.
struct Share {
  Money total;
  std::int64_t fee = 0, refunded = 0, fee_returned = 0;
  std::int64_t fee_left() const { return fee - fee_returned; }
  std::int64_t merchants() const { return total.amount - refunded - fee_left(); }
};
Share share_of(Tx& tx, MerchantId merchant, OrderId id);
// Writes down that the merchant has given back this much, the fee that goes with it included.
void give_back(Tx& tx, MerchantId merchant, OrderId id, std::int64_t amount, std::int64_t fee);

inline constexpr std::string_view kCancelJob = "orders.cancel_unsent";

}  // namespace bottega::orders
