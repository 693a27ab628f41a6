// Orders, and marking them as sent.
#include "gateway/routes/orders.hpp"

#include "gateway/routes/routes.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId;
using orders::Order, orders::OrderId;

// As it is written here, of what may have been read aloud.
std::optional<std::string> number_in(const Call& call) {
  const auto given = call.parameter("number");
  if (!given) return std::nullopt;
  if (auto number = orders::parse_number(*given)) return number;
  throw Error(Code::invalid, "a query parameter is not valid",
              {{"number", "is no order's: a character of it is wrong"}});
}

std::vector<Order> with_number(Tx& tx, MerchantId merchant, const std::string& number) {
  const auto found = orders::find_of_number(tx, merchant, number);
  return found ? std::vector{*found} : std::vector<Order>{};
}

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto number = number_in(call);
  const auto after = cursor_id<OrderId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    const bool is_person = call.who().kind == identity::Kind::person;
    if (!merchant && is_person && number)
      throw Error(Code::invalid, "a number is a shop's own", {{"merchant_id", "is required"}});
    if (!merchant && is_person)
      return orders::list_of_buyer(tx, call.who().account, after, limit + 1);
    const auto shop = merchant.value_or(call.who().merchant);
    identity::require_member(tx, call.who(), shop, identity::Role::agent, identity::Scope::read);
    if (number) return with_number(tx, shop, *number);
    return orders::list_of_merchant(tx, shop, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Order>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(orders::fetch(tx, call.who(), id)); });
}

struct Shipment : GroupCommit::Part {
  explicit Shipment(payouts::Sending given) : asked(std::move(given)) {}
  payouts::Sending asked;
};

asio::awaitable<Reply> ship(Call& call) {
  payouts::Sending asked{call.who(), call.at<OrderId>(0), call.body<orders::NewShipment>()};
  auto part = std::make_shared<Shipment>(std::move(asked));
  part->key = once_key(call.request);
  auto reply = co_await call.app.shipments.write(part);
  if (reply) co_return *std::move(reply);
  const auto& one = part->asked;
  co_return co_await call.transact([&](Tx& tx) {
    return ok(payouts::ship(tx, one.who, one.order, one.given, call.app.payout_rules));
  });
}

asio::awaitable<Reply> close_rest(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<payments::NewClosing>();
  const auto& app = call.app;
  const auto reply = co_await call.transact([&](Tx& tx) {
    return ok(payments::close_rest(tx, call.who(), id, given, app.payment_rules, app.payout_rules));
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<orders::ChangedOrder>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(orders::change(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> notes(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto after = cursor_id<orders::NoteId>(call);
  const auto limit = call.limit();
  co_return co_await call.read([&](Tx& tx) {
    return call.page(orders::list_notes(tx, call.who(), id, after, limit + 1), limit,
                     id_of<orders::OrderNote>);
  });
}

asio::awaitable<Reply> add_note(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<orders::NewOrderNote>();
  co_return co_await call.transact(
      [&](Tx& tx) { return created(orders::add_note(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> deliver(Call& call) {
  const auto id = call.at<OrderId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto order = orders::lock_for_merchant(tx, call.who(), id, identity::Role::agent);
    return ok(orders::deliver(tx, order));
  });
}

asio::awaitable<Reply> cancel(Call& call) {
  const auto id = call.at<OrderId>(0);
  const auto given = call.body<payments::NewCancellation>();
  const auto restock =
      given.restock.value_or(true) ? payments::Restock::yes : payments::Restock::no;
  const auto reply = co_await call.transact([&](Tx& tx) {
    return ok(payments::cancel_order(tx, call.who(), id, given.reason.value, call.app.payment_rules,
                                     restock)
                  .order);
  });
  call.app.poke_jobs();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/orders",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listOrders",
     .summary = "One's own orders, or a shop's by merchant_id; newest first",
     .gives = kGivesPage<Order>,
     .parameters = "limit cursor merchant_id number"},
    {.verb = Verb::get,
     .path = "/v1/orders/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getOrder",
     .summary = "One order",
     .gives = kGives<Order>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/ship",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = ship,
     .name = "shipOrder",
     .summary = "Mark as sent, or a part of it; the last part schedules the payout",
     .takes = kTakes<orders::NewShipment>,
     .gives = kGives<payouts::Shipped>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/close_rest",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = close_rest,
     .name = "closeRestOfOrder",
     .summary = "Give back what is not sent of an order of which a part was",
     .takes = kTakes<payments::NewClosing>,
     .gives = kGives<payments::Closed>},
    {.verb = Verb::patch,
     .path = "/v1/orders/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeOrder",
     .summary = "Correct the address, as long as nothing was sent",
     .takes = kTakes<orders::ChangedOrder>,
     .gives = kGives<Order>},
    {.verb = Verb::get,
     .path = "/v1/orders/{id}/notes",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = notes,
     .name = "listOrderNotes",
     .summary = "What the merchant's side has noted about an order, the latest first",
     .gives = kGivesPage<orders::OrderNote>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/notes",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_note,
     .name = "addOrderNote",
     .summary = "Note something about an order, which the buyer never sees",
     .takes = kTakes<orders::NewOrderNote>,
     .status = 201,
     .gives = kGives<orders::OrderNote>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/deliver",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = deliver,
     .name = "deliverOrder",
     .summary = "Mark as delivered",
     .gives = kGives<Order>},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/cancel",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = cancel,
     .name = "cancelOrder",
     .summary = "Cancel what was not sent, with a full refund; it is in stock again unless said so",
     .takes = kTakes<payments::NewCancellation>,
     .gives = kGives<Order>},
};

}  // namespace

std::span<const Route> order_routes() { return kRoutes; }

GroupCommit::Write shipment_writer(const payouts::Rules& rules) {
  return [&rules](Tx& tx, std::span<GroupCommit::Part* const> parts) {
    std::vector<payouts::Sending> asked;
    for (auto* part : parts) asked.push_back(static_cast<Shipment&>(*part).asked);
    auto outcomes = payouts::ship(tx, asked, rules);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (const auto* refusal = std::get_if<Error>(&outcomes[i]))
        parts[i]->refusal = std::make_exception_ptr(Error(*refusal));
      else
        parts[i]->reply = ok(std::get<payouts::Shipped>(outcomes[i]));
    }
  };
}

}  // namespace bottega::gateway
