#pragma once
// A payment request is an entry of the conversation that asks for money; a payment is one try to
// pay it. However many devices, retries, webhooks and reconcilers meet, a request is charged once.
#include <boost/asio/awaitable.hpp>

#include "bottega/attempts/attempts.hpp"
#include "bottega/identity/pins.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/orders/orders.hpp"
#include "bottega/pricing/settings.hpp"
#include "bottega/risk/limits.hpp"
#include "bottega/storage/database.hpp"
#include "bottega/wallet/methods.hpp"

namespace bottega::payments {

using conversations::ConversationId, identity::AccountId, identity::MerchantId, identity::Who;
using orders::PaymentId;
using RequestId = Id<"preq">;
using LinkId = Id<"link">;  // of a payment link

enum class RequestState : std::uint8_t { open, paying, paid, declined, cancelled, expired };
BOOST_DESCRIBE_ENUM(RequestState, open, paying, paid, declined, cancelled, expired)
enum class RequestEvent : std::uint8_t { accept, pay, fail, decline, cancel, expire };
BOOST_DESCRIBE_ENUM(RequestEvent, accept, pay, fail, decline, cancel, expire)

inline constexpr Machine kRequestLifecycle{std::to_array<Edge<RequestState, RequestEvent>>({
    {RequestState::open, RequestEvent::accept, RequestState::paying},
    {RequestState::open, RequestEvent::decline, RequestState::declined},
    {RequestState::open, RequestEvent::cancel, RequestState::cancelled},
    {RequestState::open, RequestEvent::expire, RequestState::expired},
    {RequestState::paying, RequestEvent::pay, RequestState::paid},
    {RequestState::paying, RequestEvent::fail, RequestState::open},
})};
static_assert(kRequestLifecycle.deterministic());

enum class State : std::uint8_t {
  created,
  requires_action,
  authorized,
  captured,
  partially_refunded,
  refunded,
  failed,
  voided,
  unknown,
};
BOOST_DESCRIBE_ENUM(State, created, requires_action, authorized, captured, partially_refunded,
                    refunded, failed, voided, unknown)
enum class Event : std::uint8_t {
  ask_buyer,
  authorize,
  capture,
  fail,
  cancel,
  lose,
  refund_part,
  refund_rest,
  capture_late,
  return_part,
  return_rest,
};
BOOST_DESCRIBE_ENUM(Event, ask_buyer, authorize, capture, fail, cancel, lose, refund_part,
                    refund_rest, capture_late, return_part, return_rest)

// The self-edges say that the answer, the webhook and the reconciler may each bring the same news.
// What had been refunded may come back, in part or all of it.
inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::created, Event::ask_buyer, State::requires_action},
    {State::created, Event::authorize, State::authorized},
    {State::created, Event::capture, State::captured},
    {State::created, Event::fail, State::failed},
    {State::created, Event::cancel, State::voided},
    {State::created, Event::lose, State::unknown},
    {State::requires_action, Event::ask_buyer, State::requires_action},
    {State::requires_action, Event::authorize, State::authorized},
    {State::requires_action, Event::capture, State::captured},
    {State::requires_action, Event::fail, State::failed},
    {State::requires_action, Event::cancel, State::voided},
    {State::requires_action, Event::lose, State::requires_action},
    {State::authorized, Event::authorize, State::authorized},
    {State::authorized, Event::capture, State::captured},
    {State::authorized, Event::fail, State::failed},
    {State::authorized, Event::cancel, State::voided},
    {State::authorized, Event::lose, State::unknown},
    {State::unknown, Event::ask_buyer, State::requires_action},
    {State::unknown, Event::authorize, State::authorized},
    {State::unknown, Event::capture, State::captured},
    {State::unknown, Event::fail, State::failed},
    {State::unknown, Event::cancel, State::voided},
    {State::unknown, Event::lose, State::unknown},
    {State::captured, Event::ask_buyer, State::captured},
    {State::captured, Event::authorize, State::captured},
    {State::captured, Event::capture, State::captured},
    {State::captured, Event::lose, State::captured},
    {State::captured, Event::refund_part, State::partially_refunded},
    {State::captured, Event::refund_rest, State::refunded},
    {State::partially_refunded, Event::ask_buyer, State::partially_refunded},
    {State::partially_refunded, Event::authorize, State::partially_refunded},
    {State::partially_refunded, Event::capture, State::partially_refunded},
    {State::partially_refunded, Event::lose, State::partially_refunded},
    {State::partially_refunded, Event::refund_part, State::partially_refunded},
    {State::partially_refunded, Event::refund_rest, State::refunded},
    {State::partially_refunded, Event::return_part, State::partially_refunded},
    {State::partially_refunded, Event::return_rest, State::captured},
    {State::refunded, Event::ask_buyer, State::refunded},
    {State::refunded, Event::authorize, State::refunded},
    {State::refunded, Event::capture, State::refunded},
    {State::refunded, Event::lose, State::refunded},
    {State::refunded, Event::return_part, State::partially_refunded},
    {State::refunded, Event::return_rest, State::captured},
    {State::failed, Event::ask_buyer, State::failed},
    {State::failed, Event::fail, State::failed},
    {State::failed, Event::lose, State::failed},
    {State::failed, Event::cancel, State::failed},
    {State::failed, Event::capture_late, State::captured},
    {State::voided, Event::ask_buyer, State::voided},
    {State::voided, Event::fail, State::voided},
    {State::voided, Event::lose, State::voided},
    {State::voided, Event::cancel, State::voided},
    {State::voided, Event::capture_late, State::captured},
})};
static_assert(kLifecycle.deterministic());

enum class ShippingAddress : std::uint8_t { required, none };
BOOST_DESCRIBE_ENUM(ShippingAddress, required, none)

// Where a request came from: a merchant asked, or the buyer took what is offered.
enum class Origin : std::uint8_t { merchant, buy_now, cart, link };
BOOST_DESCRIBE_ENUM(Origin, merchant, buy_now, cart, link)

// How the shop reaches the buyer about it, as far as it asks.
struct Contact {
  std::optional<Line<1, 100>> name;
  std::optional<Email> email;
  std::optional<pricing::Phone> phone;
};
BOOST_DESCRIBE_STRUCT(Contact, (), (name, email, phone))

struct Request {
  RequestId id;
  MerchantId merchant_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  std::string title, description;
  orders::Lines lines;
  Money total;
  ShippingAddress shipping_address{};
  RequestState state{};
  std::optional<std::string> reason;  // why the last attempt failed, or why it was declined
  Instant expires_at{}, created_at{}, updated_at{};
  Origin origin{};
  std::optional<pricing::Breakdown> breakdown;  // of the total; none: it is that of the lines
  // What the buyer has given at the checkout. The total is that for this address.
  std::optional<Contact> contact;
  std::optional<orders::Address> ship_to;
  std::optional<LinkId> payment_link_id;  // that it was bought with
};
BOOST_DESCRIBE_STRUCT(Request, (),
                      (id, merchant_id, conversation_id, buyer_id, title, description, lines, total,
                       shipping_address, state, reason, expires_at, created_at, updated_at, origin,
                       breakdown, contact, ship_to, payment_link_id))

// The total is the server's: the sum of the lines.
struct NewRequest {
  ConversationId conversation_id;
  Line<1, 32> title;
  Text<1, 255> description;
  std::optional<Currency> currency;  // one of the merchant's; the default where none is given
  orders::Lines lines;
  std::optional<ShippingAddress> shipping_address;
  std::optional<Instant> expires_at;  // 30 minutes to 30 days from now; a day where none is given
};
BOOST_DESCRIBE_STRUCT(NewRequest, (),
                      (conversation_id, title, description, currency, lines, shipping_address,
                       expires_at))

struct Acceptance {
  wallet::MethodChoice payment_method;
  std::optional<orders::Address> ship_to;
  std::optional<orders::Address> billing;  // goes with the charge and is not kept
  std::optional<identity::Pin> pin;        // with a payment method that is kept
};
BOOST_DESCRIBE_STRUCT(Acceptance, (), (payment_method, ship_to, billing, pin))

struct Refusal {
  std::optional<Text<1, 255>> reason;
};
BOOST_DESCRIBE_STRUCT(Refusal, (), (reason))

struct Payment {
  PaymentId id;
  MerchantId merchant_id;
  RequestId payment_request_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  Money amount;
  std::int64_t refunded = 0, refunding = 0;  // given back, and on its way back
  std::int64_t disputed = 0;                 // what a dispute is about, open or lost
  State state{};
  std::string processor;
  std::optional<std::string> reference, reason, action_url;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(Payment, (),
                      (id, merchant_id, payment_request_id, conversation_id, buyer_id, amount,
                       refunded, refunding, disputed, state, processor, reference, reason,
                       action_url, created_at, updated_at))

// What accepting a request has come to.
struct Accepted {
  Request payment_request;
  Payment payment;
  std::optional<orders::Order> order;
};
BOOST_DESCRIBE_STRUCT(Accepted, (), (payment_request, payment, order))

// What becomes of the platform's fee when a sale is given back: in proportion, or not as long as
// something of the sale is left to take it from.
enum class FeeOnRefund : std::uint8_t { proportional, keep };
BOOST_DESCRIBE_ENUM(FeeOnRefund, proportional, keep)

struct Rules {
  std::int64_t amount_max = 0;
  std::chrono::seconds expiry_default{0};
  std::chrono::milliseconds call_timeout{0};
  std::chrono::days cancel_after{0};
  std::chrono::days refund_within{180};  // of the payment, for the merchant
  FeeOnRefund fee_on_refund{};
  risk::Rules limits = {};
  // How long the stock is kept for a buyer who has to confirm a payment, and how long a shop has to
  // answer before a charge.
  std::chrono::seconds reserved_for = std::chrono::minutes(15);
  std::chrono::seconds answer_within{10};
  // What else follows of a request that was paid, in the same transaction and before any stock is
  // touched; nothing where it is none.
  std::function<void(Tx&, const Request&)> paid = {};
  // Throws where a purchase that was declined cannot be tried once more, in the transaction that
  // begins it; nothing where all can.
  std::function<void(Tx&, const Request&)> trying = {};
};

// What a buyer takes: priced by the server, and paid at once.
struct Purchase {
  ConversationId conversation_id;
  Origin origin{};
  std::string title, description;
  orders::Lines lines;
  Money total;
  pricing::Breakdown breakdown;
  std::optional<Contact> contact;
  std::optional<orders::Address> ship_to;
  ShippingAddress shipping_address{};
  std::optional<LinkId> payment_link_id;
};
// Throws Error(invalid) that points at `/lines` or `/currency` where no sale of this shop comes to
// so much, or so little, or is in this currency.
void check_sum(Tx& tx, const identity::Merchant& merchant, Money total, const Rules& rules);
// Writes it down as a request of this shop, which is told when it is paid. Throws as ask() does.
Request open_purchase(Tx& tx, const Who& buyer, const identity::Merchant& merchant,
                      const Purchase& purchase, const Rules& rules);

// Asks for money in a conversation. Throws Error(conflict) until the processor has accepted the
// merchant, and Error(invalid) for more than one request may ask for.
Request ask(Tx& tx, const Who& who, const NewRequest& given, const Rules& rules);
Request fetch_request(Tx& tx, const Who& who, RequestId id);
std::vector<Request> list_requests(Tx& tx, const Who& who, ConversationId conversation,
                                   std::optional<RequestId> after, std::int64_t limit);
Request decline(Tx& tx, const Who& who, RequestId id, const Refusal& refusal);
Request cancel(Tx& tx, const Who& who, RequestId id, const Refusal& refusal);
// For the job: expires what is open and past its time. Throws Error(busy) while a payment is under
// way.
void expire(Tx& tx, MerchantId merchant, RequestId id);

// What the processor is to charge for an acceptance, from the processor of the request's merchant.
std::string token_of(Tx& tx, const Who& who, const Payment& payment, const Acceptance& acceptance);
// Writes down that the buyer pays: the request is `paying`, the attempt is committed with its key,
// and what is bought is set aside. Throws what risk::count() throws where that would pass a limit,
// Error(conflict) with the lines of what is sold out, and nothing has changed.
Payment begin(Tx& tx, const Who& who, RequestId id, const Acceptance& acceptance,
              const Rules& rules);
// Writes down what the processor said, posts the ledger, makes the order and tells the
// conversation; hearing the same again changes nothing. A charge that succeeds after we held it as
// failed pays for nothing any more: its order is cancelled and it is refunded at once.
Accepted settle(Tx& tx, MerchantId merchant, PaymentId id, const processors::Outcome& outcome,
                const Rules& rules);
Accepted current(Tx& tx, MerchantId merchant, PaymentId id);
Payment fetch_payment(Tx& tx, const Who& who, PaymentId id);
// The payment of an order, for those who have shown that they may know it.
Payment fetch_sold(Tx& tx, MerchantId merchant, PaymentId id);
// How the buyer is reached about it, where they have said so.
std::optional<Contact> contact_of(Tx& tx, MerchantId merchant, PaymentId id);
// The payment of a request that has neither failed nor been given up, if there is one.
std::optional<PaymentId> find_alive(Tx& tx, MerchantId merchant, RequestId id);

// Calls the processor for a payment that begin() has committed. Two transactions with the call
// between them; where the answer is lost the payment is `unknown` and the reconciler asks by the
// key.
asio::awaitable<processors::Outcome> call(Database& db, processors::Processor& processor,
                                          MerchantId merchant, PaymentId id, std::string method,
                                          std::string return_url);

// Finds out what became of a payment that has no definite outcome. Throws Error(busy) to be asked
// again.
asio::awaitable<void> reconcile(Database& db, const processors::Registry& registry,
                                MerchantId merchant, PaymentId id, const Rules& rules);
// Gives up a payment that waits for the buyer, at the processor first.
asio::awaitable<void> abandon(Database& db, const processors::Registry& registry,
                              MerchantId merchant, PaymentId id, const Rules& rules);

inline constexpr std::string_view kExpireJob = "payments.expire_request";
inline constexpr std::string_view kAbandonJob = "payments.abandon";
inline constexpr std::string_view kReconcileJob = "payments.reconcile";

}  // namespace bottega::payments
