// Business accounts, their API keys, and the way to the processor's own questions.
#include "bottega/identity/merchants.hpp"

#include "gateway/routes/routes.hpp"
#include "bottega/catalog/browse.hpp"

namespace bottega::gateway {
namespace {

using namespace identity;

asio::awaitable<Reply> create(Call& call) {
  const auto given = call.body<NewMerchant>();
  const auto& config = call.app.config;
  const FeeRate fees{config.fees_basis_points, config.fees_fixed};
  co_return co_await call.transact([&](Tx& tx) {
    return created(
        create_merchant(tx, call.who(), given, fees, "sandbox", config.merchants_countries));
  });
}

asio::awaitable<Reply> list(Call& call) {
  const auto mine = co_await call.app.db.read([&](Tx& tx) {
    if (call.who().kind == Kind::api_key)
      require_member(tx, call.who(), call.who().merchant, Role::agent, Scope::read);
    return merchants_of(tx, call.who());
  });
  co_return call.page(mine, 100, id_of<Merchant>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.read([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::agent, Scope::read);
    return ok(fetch_merchant(tx, id));
  });
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<ChangedMerchant>();
  co_return co_await call.transact([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::manager, Scope::payments);
    const auto before = fetch_merchant(tx, id).currency;
    const auto after = change_merchant(tx, id, given);
    // By the new default its products stand in another order.
    if (after.currency != before) catalog::reindex_later(tx, id);
    return ok(after);
  });
}

// The link is the processor's: what the merchant answers there never passes through us.
asio::awaitable<Reply> onboard(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto merchant = co_await call.app.db.read([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::owner, Scope::read);
    return fetch_merchant(tx, id);
  });
  if (merchant.onboarding == identity::Onboarding::active)
    throw Error(Code::conflict, "the processor has accepted this business already");
  const processors::Onboarding ask{text_of(id),
                                   call.app.public_url + "/v1/merchants/" + text_of(id)};
  const auto page = co_await call.app.registry.get(merchant.processor).onboard(ask);
  co_return co_await call.transact([&](Tx& tx) {
    begin_onboarding(tx, id, page.account);
    return created(OnboardingLink{fetch_merchant(tx, id).onboarding, page.url});
  });
}

asio::awaitable<Reply> keys(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::owner, Scope::read);
    return list_api_keys(tx, id);
  });
  co_return call.page(all, 100, id_of<ApiKey>);
}

asio::awaitable<Reply> issue(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewApiKey>();
  co_return co_await call.transact([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::owner, Scope::read);
    return created(issue_api_key(tx, call.who(), id, given));
  });
}

asio::awaitable<Reply> revoke(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto key = call.at<ApiKeyId>(1);
  const auto reply = co_await call.transact([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::owner, Scope::read);
    revoke_api_key(tx, id, key);
    return no_content();
  });
  call.app.tokens.clear();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/merchants",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = create,
     .name = "createMerchant",
     .summary = "Open a business account; whoever opens it is its owner",
     .takes = kTakes<NewMerchant>,
     .status = 201,
     .gives = kGives<Merchant>},
    {.verb = Verb::get,
     .path = "/v1/merchants",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listMerchants",
     .summary = "The business accounts that one belongs to",
     .gives = kGivesPage<Merchant>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getMerchant",
     .summary = "A business account, with what the processor decided",
     .gives = kGives<Merchant>},
    {.verb = Verb::patch,
     .path = "/v1/merchants/{id}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeMerchant",
     .summary = "Set the currencies of new payment requests; the first is the default",
     .takes = kTakes<ChangedMerchant>,
     .gives = kGives<Merchant>},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/onboarding",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = onboard,
     .name = "onboardMerchant",
     .summary = "The processor's own page that asks for name, address and tax number",
     .status = 201,
     .gives = kGives<OnboardingLink>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/api_keys",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = keys,
     .name = "listApiKeys",
     .summary = "The API keys in force, without their secrets",
     .gives = kGivesPage<ApiKey>},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/api_keys",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = issue,
     .name = "createApiKey",
     .summary = "Issue an API key; its secret is in this answer only",
     .takes = kTakes<NewApiKey>,
     .status = 201,
     .gives = kGives<IssuedApiKey>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/api_keys/{key}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = revoke,
     .name = "revokeApiKey",
     .summary = "Revoke an API key",
     .status = 204},
};

}  // namespace

std::span<const Route> merchant_routes() { return kRoutes; }

}  // namespace bottega::gateway
