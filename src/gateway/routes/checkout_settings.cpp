// What a shop asks of its buyers and tells them, and how it wants to be asked.
#include "gateway/routes/routes.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::gateway {
namespace {

using namespace pricing;
using identity::Role, identity::Scope;

// Who sells must be known to anybody before they buy, with or without an account.
asio::awaitable<Reply> terms(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_settings(tx, id).terms()); });
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return ok(fetch_settings(tx, id));
  });
}

asio::awaitable<Reply> set(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewCheckoutSettings>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return ok(set_settings(tx, call.who(), id, given));
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/checkout_settings",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = terms,
     .name = "getCheckoutSettings",
     .summary = "What a shop asks a buyer for, its tips, and who sells",
     .gives = kGives<CheckoutTerms>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/checkout_settings",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = set,
     .name = "setCheckoutSettings",
     .summary = "Set what is asked for, taxes, tips, the seller's disclosures and pre-checkout",
     .takes = kTakes<NewCheckoutSettings>,
     .gives = kGives<CheckoutSettings>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/checkout_settings/all",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getAllCheckoutSettings",
     .summary = "The same for the shop's members, with what buyers are not told",
     .gives = kGives<CheckoutSettings>},
};

}  // namespace

std::span<const Route> checkout_setting_routes() { return kRoutes; }

}  // namespace bottega::gateway
