// Where a shop ships to, and what that costs.
#include "gateway/routes/routes.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::gateway {
namespace {

using namespace pricing;
using identity::Role, identity::Scope;

constexpr std::int64_t kPage = 100;
static_assert(kZonesMax <= kPage && kRatesMax <= kPage, "these lists are one page");

asio::awaitable<Reply> list(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return list_zones(tx, id);
  });
  co_return call.page(all, kPage, id_of<ShippingZone>);
}

asio::awaitable<Reply> add(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewShippingZone>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return created(add_zone(tx, id, given));
  });
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  const auto given = call.body<NewShippingZone>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return ok(change_zone(tx, id, zone, given));
  });
}

asio::awaitable<Reply> remove(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    remove_zone(tx, id, zone);
    return no_content();
  });
}

asio::awaitable<Reply> rates(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return list_rates(tx, id, zone);
  });
  co_return call.page(all, kPage, id_of<ShippingRate>);
}

asio::awaitable<Reply> add_one(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  const auto given = call.body<NewShippingRate>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return created(add_rate(tx, id, zone, given));
  });
}

asio::awaitable<Reply> change_one(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  const auto rate = call.at<ShippingRateId>(2);
  const auto given = call.body<NewShippingRate>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return ok(change_rate(tx, id, zone, rate, given));
  });
}

asio::awaitable<Reply> remove_one(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto zone = call.at<ZoneId>(1);
  const auto rate = call.at<ShippingRateId>(2);
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    remove_rate(tx, id, zone, rate);
    return no_content();
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/shipping_zones",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listShippingZones",
     .summary = "Where the shop ships to, the oldest zone first",
     .gives = kGivesPage<ShippingZone>},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/shipping_zones",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add,
     .name = "addShippingZone",
     .summary = "Ship somewhere; the most exact zone decides, one without countries is the rest",
     .takes = kTakes<NewShippingZone>,
     .status = 201,
     .gives = kGives<ShippingZone>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeShippingZone",
     .summary = "Change what a zone covers",
     .takes = kTakes<NewShippingZone>,
     .gives = kGives<ShippingZone>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove,
     .name = "removeShippingZone",
     .summary = "Remove a zone with its rates",
     .status = 204},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}/rates",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = rates,
     .name = "listShippingRates",
     .summary = "The rates of a zone, the oldest first",
     .gives = kGivesPage<ShippingRate>},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}/rates",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_one,
     .name = "addShippingRate",
     .summary = "A way to ship to a zone: for some weights, with a price per currency",
     .takes = kTakes<NewShippingRate>,
     .status = 201,
     .gives = kGives<ShippingRate>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}/rates/{rate}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change_one,
     .name = "changeShippingRate",
     .summary = "Change a rate; what is not active is not offered",
     .takes = kTakes<NewShippingRate>,
     .gives = kGives<ShippingRate>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/shipping_zones/{zone}/rates/{rate}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove_one,
     .name = "removeShippingRate",
     .summary = "Remove a rate",
     .status = 204},
};

}  // namespace

std::span<const Route> shipping_routes() { return kRoutes; }

}  // namespace bottega::gateway
