// People who buy by a payment link without an account of their own.
#include "bottega/identity/guests.hpp"

#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"
#include "bottega/checkout/links.hpp"
#include "bottega/conversations/conversations.hpp"

namespace bottega::gateway {
namespace {

using namespace identity;
using conversations::ConversationId;

// The tokens of a guest, who gets them once and has nothing to log in with again, and where they
// buy.
struct GuestTokens {
  SessionId session_id;
  AccountId account_id;
  std::string access_token;
  Instant access_expires_at{};
  std::string refresh_token;
  Instant refresh_expires_at{};
  ConversationId conversation_id;
};
BOOST_DESCRIBE_STRUCT(GuestTokens, (),
                      (session_id, account_id, access_token, access_expires_at, refresh_token,
                       refresh_expires_at, conversation_id))

// Nothing that takes time is between a stranger and a new account here.
void count_guest(Call& call) {
  const auto allowance =
      call.app.limits.take("guests:" + network_of(call.request.address),
                           call.app.config.limits_guests_per_minute, std::chrono::minutes(1));
  if (allowance.exceeded)
    throw Error(Code::rate_limited, "too many guests from one address")
        .retry_after(std::max(allowance.resets_in, std::chrono::seconds(1)));
}

GuestTokens let_in(Tx& tx, const Call& call, const NewGuest& given, MerchantId merchant) {
  const auto account = make_guest(tx, given);
  const std::chrono::hours life(call.app.config.checkout_guest_session_hours);
  auto tokens =
      open_session(tx, account.id, {call.request.user_agent, call.request.address}, {life, life});
  Who who;
  who.kind = Kind::person;
  who.account = account.id;
  who.is_guest = true;
  const auto opened = conversations::open(tx, who, {merchant});
  return {tokens.session_id,        account.id,           tokens.access_token,
          tokens.access_expires_at, tokens.refresh_token, tokens.refresh_expires_at,
          opened.conversation.id};
}

asio::awaitable<Reply> enter(Call& call) {
  const auto given = call.body<NewGuest>();
  const std::string code(call.segment(0));
  count_guest(call);
  co_return co_await call.transact(
      [&](Tx& tx) { return created(let_in(tx, call, given, checkout::shop_of_link(tx, code))); });
}

asio::awaitable<Reply> upgrade(Call& call) {
  const auto given = call.body<GuestUpgrade>();
  const auto guard = guard_of(call, "registration:" + network_of(call.request.address));
  guard.check();
  const auto hash = co_await call.app.passwords.hash(given.password.value);
  const auto reply = co_await call.transact(
      [&](Tx& tx) { return ok(upgrade_guest(tx, call.who(), given, hash)); });
  call.app.tokens.clear();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/pay/{code}/guests",
     .access = Access::anyone,
     .budget = Budget::logins,
     .once = Once::none,
     .handler = enter,
     .name = "enterAsGuest",
     .summary = "Buy by a payment link without an account: tokens for a while, and a conversation",
     .takes = kTakes<NewGuest>,
     .status = 201,
     .gives = kGives<GuestTokens>},
    {.verb = Verb::post,
     .path = "/v1/guests/upgrade",
     .access = Access::person,
     .budget = Budget::logins,
     .once = Once::none,
     .handler = upgrade,
     .name = "upgradeGuest",
     .summary = "As a guest: have an account from now on, with what was bought and said",
     .takes = kTakes<GuestUpgrade>,
     .gives = kGives<Account>},
};

}  // namespace

std::span<const Route> guest_routes() { return kRoutes; }

}  // namespace bottega::gateway
