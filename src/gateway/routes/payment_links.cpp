// Payment links: for the members of a shop, and for whoever has the address of one.
#include "bottega/checkout/links.hpp"

#include "gateway/pay_page.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/conversations/conversations.hpp"

namespace bottega::gateway {
namespace {

using namespace checkout;

PaymentLink addressed(const Call& call, PaymentLink link) {
  link.url = call.app.public_url + link.url;
  return link;
}

asio::awaitable<Reply> create(Call& call) {
  const auto given = call.body<NewPaymentLink>();
  co_return co_await call.transact([&](Tx& tx) {
    return created(addressed(call, create_link(tx, call.who(), given, call.app.payment_rules)));
  });
}

asio::awaitable<Reply> list(Call& call) {
  auto merchant = call.parameter_as<MerchantId>("merchant_id");
  if (!merchant && call.who().kind == identity::Kind::api_key) merchant = call.who().merchant;
  if (!merchant) throw Error(Code::invalid, "whose links?", {{"merchant_id", "is required"}});
  const auto after = cursor_id<LinkId>(call);
  const auto limit = call.limit();
  auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_links(tx, call.who(), *merchant, after, limit + 1); });
  for (auto& link : found) link = addressed(call, std::move(link));
  co_return call.page(found, limit, id_of<PaymentLink>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<LinkId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(addressed(call, fetch_link(tx, call.who(), id))); });
}

template <LinkSwitch to>
asio::awaitable<Reply> switched(Call& call) {
  const auto id = call.at<LinkId>(0);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(addressed(call, switch_link(tx, call.who(), id, to))); });
}

asio::awaitable<Reply> offer(Call& call) {
  const std::string code(call.segment(0));
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_offer(tx, code)); });
}

asio::awaitable<Reply> open_conversation(Call& call) {
  const std::string code(call.segment(0));
  co_return co_await call.transact([&](Tx& tx) {
    return ok(conversations::open(tx, call.who(), {shop_of_link(tx, code)}).conversation);
  });
}

asio::awaitable<Reply> page(Call& call) {
  const std::string code(call.segment(0));
  const auto found = co_await call.app.db.read([&](Tx& tx) -> std::optional<LinkOffer> {
    try {
      return fetch_offer(tx, code);
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
      return std::nullopt;
    }
  });
  if (!found) co_return no_such_link_page();
  const auto cards = call.app.sandbox != nullptr ? Cards::sandbox : Cards::none;
  co_return pay_page(*found, cards);
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/payment_links",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = create,
     .name = "createPaymentLink",
     .summary = "Make a link that sells these things to whoever has it",
     .takes = kTakes<NewPaymentLink>,
     .status = 201,
     .gives = kGives<PaymentLink>},
    {.verb = Verb::get,
     .path = "/v1/payment_links",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listPaymentLinks",
     .summary = "The payment links of a shop, newest first",
     .gives = kGivesPage<PaymentLink>,
     .parameters = "merchant_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/payment_links/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getPaymentLink",
     .summary = "A payment link with how often it was used",
     .gives = kGives<PaymentLink>},
    {.verb = Verb::post,
     .path = "/v1/payment_links/{id}/disable",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = switched<LinkSwitch::off>,
     .name = "disablePaymentLink",
     .summary = "Nobody buys by it any more; what was bought stays as it is",
     .gives = kGives<PaymentLink>},
    {.verb = Verb::post,
     .path = "/v1/payment_links/{id}/enable",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = switched<LinkSwitch::on>,
     .name = "enablePaymentLink",
     .summary = "It sells again",
     .gives = kGives<PaymentLink>},
    {.verb = Verb::get,
     .path = "/v1/pay/{code}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = offer,
     .name = "getPaymentLinkOffer",
     .summary = "What a payment link sells, what it costs now, and what the shop asks for",
     .gives = kGives<LinkOffer>},
    {.verb = Verb::post,
     .path = "/v1/pay/{code}/conversations",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = open_conversation,
     .name = "openPaymentLinkConversation",
     .summary = "The conversation in which a signed-in person buys by the link",
     .gives = kGives<conversations::Conversation>},
    {.verb = Verb::get,
     .path = "/pay/{code}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = page,
     .name = "getPaymentPage",
     .summary = "The payment link as a page, for people without an account",
     .gives = any_text,
     .media_type = "text/html"},
};

}  // namespace

std::span<const Route> payment_link_routes() { return kRoutes; }

}  // namespace bottega::gateway
