#pragma once
// An order is made by a captured payment, is marked as sent by the merchant, and tells its news in
// the conversation. Not marked as sent, it is never paid out, and in the end it is refunded by
// itself. What was sent of it, and where that is, is in shipments.hpp.
#include "bottega/conversations/log.hpp"
#include "bottega/core/machine.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/pricing/price.hpp"

namespace bottega::orders {

using conversations::ConversationId, identity::AccountId, identity::MerchantId, identity::Who;
using OrderId = Id<"ord">;
using PaymentId = Id<"pay">;
using VariantId = Id<"var">;  // the catalogue's

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
enum class Event : std::uint8_t {
  ship_part,
  ship,
  deliver,
  complete,
  cancel,
  request_return,
  receive_return,
  resume_shipped,
  resume_delivered,
  resume_completed,
  resume_returned,
};
BOOST_DESCRIBE_ENUM(Event, ship_part, ship, deliver, complete, cancel, request_return,
                    receive_return, resume_shipped, resume_delivered, resume_completed,
                    resume_returned)

// A carrier need not say that it has delivered: what was sent long ago is completed all the same.
// What of a part was returned, another may be; where nothing comes back after all, it is again what
// it was before.
inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::paid, Event::ship_part, State::paid},
    {State::paid, Event::ship, State::shipped},
    {State::paid, Event::cancel, State::cancelled},
    {State::shipped, Event::deliver, State::delivered},
    {State::shipped, Event::complete, State::completed},
    {State::shipped, Event::request_return, State::return_requested},
    {State::delivered, Event::complete, State::completed},
    {State::delivered, Event::request_return, State::return_requested},
    {State::completed, Event::request_return, State::return_requested},
    {State::returned, Event::request_return, State::return_requested},
    {State::return_requested, Event::receive_return, State::returned},
    {State::return_requested, Event::resume_shipped, State::shipped},
    {State::return_requested, Event::resume_delivered, State::delivered},
    {State::return_requested, Event::resume_completed, State::completed},
    {State::return_requested, Event::resume_returned, State::returned},
})};
static_assert(kLifecycle.deterministic());

// How much of it was sent. What is `partial` may be shipped: its rest was given back.
enum class Fulfilment : std::uint8_t { none, partial, all };
BOOST_DESCRIBE_ENUM(Fulfilment, none, partial, all)

// One line of what is bought; the price is for one piece. Where it is of the catalogue, its variant
// and the SKU are those of then.
struct OrderLine {
  Line<1, 100> name;
  Count<1, 9'999> quantity;
  Count<0, kAmountMax> unit_amount;
  std::optional<VariantId> variant_id = std::nullopt;
  std::optional<Line<1, 50>> sku = std::nullopt;
};
BOOST_DESCRIBE_STRUCT(OrderLine, (), (name, quantity, unit_amount, variant_id, sku))
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
// What of it a price depends on.
pricing::Destination destination_of(const Address& address);

struct Order {
  OrderId id;
  std::string number;  // for people, such as "7K3Q-9XZ4"
  MerchantId merchant_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  PaymentId payment_id;
  std::string title;
  Lines lines;
  Money total;
  State state{};
  Fulfilment fulfilment{};
  std::optional<Address> ship_to;
  Instant ship_by{};
  std::optional<std::string> carrier, tracking_number;  // of the last parcel
  std::optional<std::string> reason;            // why it was cancelled, or its rest was not sent
  std::optional<std::int64_t> card_seq;         // of the entry that showed it first
  std::optional<pricing::Breakdown> breakdown;  // of the total; none where it is that of the lines
  Instant created_at{};
  std::optional<Instant> shipped_at, delivered_at, completed_at, cancelled_at;
  std::optional<Instant> withdrawn_at;  // from the contract, by the buyer
};
BOOST_DESCRIBE_STRUCT(Order, (),
                      (id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines,
                       total, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
                       card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
                       cancelled_at, withdrawn_at))

// The number of the order with this id: 35 of its random bits as seven characters of Crockford's
// base 32, and one that checks them (Luhn's algorithm, modulo 32). It tells nobody how much is
// sold, and takes no lock to be made; within a shop it is unique.
std::string number_of(OrderId id);
// As it is written here, from what somebody has typed; none where a character is wrong.
std::optional<std::string> parse_number(std::string_view text);

struct ChangedOrder {
  Address ship_to;
};
BOOST_DESCRIBE_STRUCT(ChangedOrder, (), (ship_to))

using NoteId = Id<"onote">;
// What the merchant's side keeps about an order for itself.
struct OrderNote {
  NoteId id;
  AccountId author_id;
  std::string author_name, text;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(OrderNote, (), (id, author_id, author_name, text, created_at))
struct NewOrderNote {
  Text<1, 2000> text;
};
BOOST_DESCRIBE_STRUCT(NewOrderNote, (), (text))
inline constexpr std::int64_t kNotesMax = 200;  // of one order

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
  std::optional<pricing::Breakdown> breakdown = std::nullopt;
};

// Makes the order, tells the conversation, and arranges that it is cancelled when it is not sent in
// time.
Order place(Tx& tx, const Sale& sale, std::chrono::days cancel_after);
// The same for many, whose entries the caller writes: until then nothing else is to be written into
// their conversations.
std::vector<Order> place(Tx& tx, const std::vector<Sale>& sales, std::chrono::days cancel_after,
                         conversations::Log& log);
Order fetch(Tx& tx, const Who& who, OrderId id);
std::vector<Order> list_of_buyer(Tx& tx, AccountId buyer, std::optional<OrderId> after,
                                 std::int64_t limit);
std::vector<Order> list_of_merchant(Tx& tx, MerchantId merchant, std::optional<OrderId> after,
                                    std::int64_t limit);
// The shop's order of this number, as parse_number() gives it.
std::optional<Order> find_of_number(Tx& tx, MerchantId merchant, const std::string& number);
// The order of a payment, if the payment made one.
std::optional<Order> find_of_payment(Tx& tx, MerchantId merchant, PaymentId payment);

PaymentId payment_of(Tx& tx, MerchantId merchant, OrderId id);

// Locks the order for the merchant's member (or API key) who asks; throws Error(not_found) or
// (forbidden).
Order lock_for_merchant(Tx& tx, const Who& who, OrderId id, identity::Role least);
Order lock(Tx& tx, MerchantId merchant, OrderId id);
// Those of them that are there.
std::vector<Order> lock(Tx& tx, const std::vector<std::pair<MerchantId, OrderId>>& named);

// Tells the conversation; the caller holds the lock and sees to the money. Throws Error(conflict)
// where a part was sent.
Order cancel(Tx& tx, Order order, const std::string& reason);

// Notes that the buyer has withdrawn from the contract; the caller holds the lock and tells it.
Order note_withdrawal(Tx& tx, Order order);

// Corrects where it goes, by the buyer or the merchant's side, as long as nothing was sent. Throws
// Error(invalid) for a place for which nobody has priced it: another country; and where it was
// priced at the checkout another region, or a postal code in another zone of the shop's shipping.
Order change(Tx& tx, const Who& who, OrderId id, const ChangedOrder& given);

std::vector<OrderNote> list_notes(Tx& tx, const Who& who, OrderId id, std::optional<NoteId> after,
                                  std::int64_t limit);
// Throws Error(conflict) where there are kNotesMax.
OrderNote add_note(Tx& tx, const Who& who, OrderId id, const NewOrderNote& given);

// Completes what was delivered `after` ago, and what was sent `unheard` ago and of which no
// delivery was told; answers how many, at most `batch` of each.
struct CompletionRules {
  std::chrono::days after{14}, unheard{30};
};
std::int64_t complete_due(Tx& tx, const CompletionRules& rules, std::int64_t batch);
// For the job: the same, until nothing is due, and plans itself anew.
asio::awaitable<void> complete(Database& db, const CompletionRules& rules);
// Sees to it that the job is planned; doing it again does nothing.
void plan(Tx& tx);

// What was paid for an order, what of it is the platform's, and what the merchant has given back of
// both.
struct Share {
  Money total;
  std::int64_t fee = 0, refunded = 0, fee_returned = 0;
  std::int64_t fee_left() const { return fee - fee_returned; }
  std::int64_t merchants() const { return total.amount - refunded - fee_left(); }
};
BOOST_DESCRIBE_STRUCT(Share, (), (total, fee, refunded, fee_returned))
Share share_of(Tx& tx, MerchantId merchant, OrderId id);
// Writes down that the merchant has given back this much, the fee that goes with it included.
void give_back(Tx& tx, MerchantId merchant, OrderId id, std::int64_t amount, std::int64_t fee);

// What was not sent in time is cancelled by a job of its own; of orders that were made together one
// job wants these for those that are still to be sent.
inline constexpr std::string_view kCancelJob = "orders.cancel_unsent";
inline constexpr std::string_view kCancelManyJob = "orders.cancel_unsent_many";
asio::awaitable<void> cancel_each(Database& db, const jobs::Job& job);
inline constexpr std::string_view kCompleteJob = "orders.complete";

}  // namespace bottega::orders
