// Presence, what people show of themselves, and the devices that are told while nobody is there.
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace notifications;
using identity::Preferences;

struct PushKey {
  std::string public_key;
};
BOOST_DESCRIBE_STRUCT(PushKey, (), (public_key))

void require_push(const App& app) {
  if (app.notifier == nullptr)
    throw Error(Code::not_implemented, "this server has no key for Web Push");
}

asio::awaitable<Reply> push_key(Call& call) {
  require_push(call.app);
  co_return ok(PushKey{call.app.push_key});
}

asio::awaitable<Reply> subscribe_device(Call& call) {
  const auto given = call.body<NewSubscription>();
  require_push(call.app);
  const auto network =
      call.app.config.push_allow_private == "yes" ? Network::any : Network::public_only;
  const auto reply = co_await call.transact(
      [&](Tx& tx) { return created(subscribe(tx, call.who(), given, network)); });
  call.app.notifier->expect();
  co_return reply;
}

asio::awaitable<Reply> devices(Call& call) {
  const auto list =
      co_await call.app.db.read([&](Tx& tx) { return list_subscriptions(tx, call.who().account); });
  co_return call.page(list, kSubscriptionsMax, id_of<Subscription>);
}

asio::awaitable<Reply> unsubscribe_device(Call& call) {
  const auto id = call.at<SubscriptionId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    unsubscribe(tx, call.who().account, id);
    return no_content();
  });
}

asio::awaitable<Reply> preferences(Call& call) {
  co_return co_await call.read(
      [&](Tx& tx) { return ok(identity::preferences_of(tx, call.who().account)); });
}

asio::awaitable<Reply> put_preferences(Call& call) {
  const auto given = call.body<Preferences>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto account = call.who().account;
    identity::hold_account(tx, account);
    const auto before = identity::preferences_of(tx, account);
    const auto now = identity::set_preferences(tx, account, given);
    if (now.show_presence != before.show_presence) tell_visibility(tx, account, now);
    return ok(now);
  });
}

asio::awaitable<Reply> presence(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(presence_in(tx, call.who(), id)); });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/presence",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = presence,
     .name = "getPresence",
     .summary = "Whether the buyer and the shop are there, as far as they show it",
     .gives = kGives<ConversationPresence>},
    {.verb = Verb::get,
     .path = "/v1/accounts/me/preferences",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = preferences,
     .name = "getMyPreferences",
     .summary = "What one shows of oneself",
     .gives = kGives<Preferences>},
    {.verb = Verb::put,
     .path = "/v1/accounts/me/preferences",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_preferences,
     .name = "setMyPreferences",
     .summary = "Decide whether others see that one is there or types, and what a push says",
     .takes = kTakes<Preferences>,
     .gives = kGives<Preferences>},
    {.verb = Verb::get,
     .path = "/v1/push/key",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = push_key,
     .name = "getPushKey",
     .summary = "The server's public key, with which a browser subscribes; 501 where push is off",
     .gives = kGives<PushKey>},
    {.verb = Verb::post,
     .path = "/v1/push/subscriptions",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = subscribe_device,
     .name = "subscribeToPush",
     .summary = "Be told on this device while no socket is open; ends with the session",
     .takes = kTakes<NewSubscription>,
     .status = 201,
     .gives = kGives<Subscription>},
    {.verb = Verb::get,
     .path = "/v1/push/subscriptions",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = devices,
     .name = "listPushSubscriptions",
     .summary = "The devices that are told",
     .gives = kGivesPage<Subscription>},
    {.verb = Verb::del,
     .path = "/v1/push/subscriptions/{id}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = unsubscribe_device,
     .name = "unsubscribeFromPush",
     .summary = "Tell this device no more",
     .status = 204},
};

}  // namespace

std::span<const Route> notification_routes() { return kRoutes; }

}  // namespace bottega::gateway
