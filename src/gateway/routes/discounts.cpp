// A shop's discount codes, which only its members see.
#include "bottega/pricing/discounts.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace pricing;
using identity::Role, identity::Scope;

asio::awaitable<Reply> list(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto after = cursor_id<DiscountId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return list_codes(tx, id, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<DiscountCode>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto code = call.at<DiscountId>(1);
  co_return co_await call.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return ok(fetch_code(tx, id, code));
  });
}

asio::awaitable<Reply> add(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewDiscountCode>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return created(add_code(tx, id, given));
  });
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto code = call.at<DiscountId>(1);
  const auto given = call.body<NewDiscountCode>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    return ok(change_code(tx, id, code, given));
  });
}

asio::awaitable<Reply> remove(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto code = call.at<DiscountId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::orders);
    remove_code(tx, id, code);
    return no_content();
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/discount_codes",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listDiscountCodes",
     .summary = "The shop's discount codes with how often each was used, the newest first",
     .gives = kGivesPage<DiscountCode>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/discount_codes",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add,
     .name = "addDiscountCode",
     .summary = "A code for an amount or a share off, or for free shipping",
     .takes = kTakes<NewDiscountCode>,
     .status = 201,
     .gives = kGives<DiscountCode>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/discount_codes/{code}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getDiscountCode",
     .summary = "A discount code with how often it was used",
     .gives = kGives<DiscountCode>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/discount_codes/{code}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeDiscountCode",
     .summary = "Change a discount code; its uses count on",
     .takes = kTakes<NewDiscountCode>,
     .gives = kGives<DiscountCode>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/discount_codes/{code}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove,
     .name = "removeDiscountCode",
     .summary = "End a discount code; what was bought with it stays as it is",
     .status = 204},
};

}  // namespace

std::span<const Route> discount_routes() { return kRoutes; }

}  // namespace bottega::gateway
