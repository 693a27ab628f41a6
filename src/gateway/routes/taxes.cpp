// A shop's own table of taxes.
#include "gateway/routes/routes.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::gateway {
namespace {

using namespace pricing;
using identity::Role, identity::Scope;

asio::awaitable<Reply> list(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto after = cursor_id<TaxRateId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return list_tax_rates(tx, id, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<TaxRate>);
}

asio::awaitable<Reply> add(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewTaxRate>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return created(add_tax_rate(tx, id, given));
  });
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto rate = call.at<TaxRateId>(1);
  const auto given = call.body<NewTaxRate>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return ok(change_tax_rate(tx, id, rate, given));
  });
}

asio::awaitable<Reply> remove(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto rate = call.at<TaxRateId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    remove_tax_rate(tx, id, rate);
    return no_content();
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/tax_rates",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listTaxRates",
     .summary = "The shop's taxes by place and class, the newest first",
     .gives = kGivesPage<TaxRate>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/tax_rates",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add,
     .name = "addTaxRate",
     .summary = "A tax of a country, or of a region in place of its country's",
     .takes = kTakes<NewTaxRate>,
     .status = 201,
     .gives = kGives<TaxRate>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/tax_rates/{rate}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeTaxRate",
     .summary = "Change a tax for what is priced from now on",
     .takes = kTakes<NewTaxRate>,
     .gives = kGives<TaxRate>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/tax_rates/{rate}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove,
     .name = "removeTaxRate",
     .summary = "Take a tax no longer",
     .status = 204},
};

}  // namespace

std::span<const Route> tax_routes() { return kRoutes; }

}  // namespace bottega::gateway
