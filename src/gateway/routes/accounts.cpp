// Accounts of people, their sessions, and how one signs in.
#include <algorithm>

#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"

namespace bottega::gateway {
namespace {

using namespace identity;

TokenLife life_of(const App& app) {
  return {std::chrono::seconds(app.config.auth_access_token_s),
          std::chrono::seconds(app.config.auth_refresh_token_s)};
}

Device device_of(const Request& request) { return {request.user_agent, request.address}; }

asio::awaitable<Reply> register_person(Call& call) {
  const auto given = call.body<Registration>();
  const auto guard = guard_of(call, "registration:" + network_of(call.request.address));
  guard.check();
  const auto hash = co_await call.app.passwords.hash(given.password.value);
  co_return co_await call.transact([&](Tx& tx) {
    return created(register_account(tx, given.email, given.name.value, hash, std::nullopt));
  });
}

asio::awaitable<Reply> log_in(Call& call) {
  const auto given = call.body<Login>();
  const auto guard = guard_of(call, given.email.value);
  const auto known =
      co_await call.app.db.read([&](Tx& tx) { return find_credential(tx, given.email); });
  const Error refusal(Code::unauthenticated, "the mail address or the password is wrong");
  co_await require_password(guard, known, given.password.value, refusal);
  const auto device = device_of(call.request);
  co_return co_await call.transact([&](Tx& tx) {
    hold_credential(tx, *known);
    return created(open_session(tx, known->id, device, life_of(call.app)));
  });
}

// The old password is asked for again: whoever finds an open session must not be able to keep it.
asio::awaitable<Reply> change_password(Call& call) {
  const auto given = call.body<PasswordChange>();
  const auto known = co_await step_up(call, given.current_password.value, "/current_password");
  const auto hash = co_await call.app.passwords.hash(given.new_password.value);
  const auto reply = co_await call.transact([&](Tx& tx) {
    set_password(tx, known, hash, call.who().session);
    return no_content();
  });
  call.app.tokens.clear();
  co_return reply;
}

asio::awaitable<Reply> refresh(Call& call) {
  const auto given = call.body<Refresh>();
  const auto guard = guard_of(call, "refresh:" + network_of(call.request.address));
  guard.check();
  // The end of a stolen session must be committed, so it is an answer of the transaction, not an
  // error.
  const auto tokens = co_await call.app.db.transact(
      [&](Tx& tx) { return rotate(tx, given.refresh_token.value, life_of(call.app)); });
  if (tokens) co_return created(*tokens);
  call.app.tokens.clear();
  throw Error(Code::unauthenticated, "this token was used before; the session has been ended");
}

asio::awaitable<Reply> me(Call& call) {
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_account(tx, call.who().account)); });
}

asio::awaitable<Reply> sessions(Call& call) {
  const auto list =
      co_await call.app.db.read([&](Tx& tx) { return list_sessions(tx, call.who().account); });
  co_return call.page(list, 100, id_of<Session>);
}

asio::awaitable<Reply> end(Call& call) {
  const auto id = call.at<SessionId>(0);
  const auto reply = co_await call.transact([&](Tx& tx) {
    end_session(tx, call.who().account, id, "by its owner");
    return no_content();
  });
  call.app.tokens.clear();
  co_return reply;
}

asio::awaitable<Reply> end_all(Call& call) {
  const auto reply = co_await call.transact([&](Tx& tx) {
    end_all_sessions(tx, call.who().account, "all, by their owner");
    return no_content();
  });
  call.app.tokens.clear();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/accounts",
     .access = Access::anyone,
     .budget = Budget::logins,
     .once = Once::optional,
     .handler = register_person,
     .name = "registerAccount",
     .summary = "Register a person",
     .takes = kTakes<Registration>,
     .status = 201,
     .gives = kGives<Account>},
    {.verb = Verb::get,
     .path = "/v1/accounts/me",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = me,
     .name = "getMyAccount",
     .summary = "The account that asks",
     .gives = kGives<Account>},
    {.verb = Verb::put,
     .path = "/v1/accounts/me/password",
     .access = Access::person,
     .budget = Budget::logins,
     .once = Once::none,
     .handler = change_password,
     .name = "changePassword",
     .summary = "Change one's password; all other sessions end",
     .takes = kTakes<PasswordChange>,
     .status = 204},
    {.verb = Verb::post,
     .path = "/v1/sessions",
     .access = Access::anyone,
     .budget = Budget::logins,
     .once = Once::optional,
     .handler = log_in,
     .name = "logIn",
     .summary = "Log in: a short access token and a refresh token",
     .takes = kTakes<Login>,
     .status = 201,
     .gives = kGives<Tokens>},
    {.verb = Verb::post,
     .path = "/v1/sessions/refresh",
     .access = Access::anyone,
     .budget = Budget::logins,
     .once = Once::none,
     .handler = refresh,
     .name = "refreshSession",
     .summary = "Exchange a refresh token for the next pair; a second use ends the session",
     .takes = kTakes<Refresh>,
     .status = 201,
     .gives = kGives<Tokens>},
    {.verb = Verb::get,
     .path = "/v1/sessions",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = sessions,
     .name = "listSessions",
     .summary = "Where this account is logged in",
     .gives = kGivesPage<Session>},
    {.verb = Verb::del,
     .path = "/v1/sessions/{id}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = end,
     .name = "endSession",
     .summary = "Log out one session; its tokens and sockets end at once",
     .status = 204},
    {.verb = Verb::del,
     .path = "/v1/sessions",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = end_all,
     .name = "endAllSessions",
     .summary = "Log out everywhere",
     .status = 204},
};

}  // namespace

std::span<const Route> account_routes() { return kRoutes; }

}  // namespace bottega::gateway
