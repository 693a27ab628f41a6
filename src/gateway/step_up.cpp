#include "gateway/step_up.hpp"

namespace bottega::gateway {

using namespace identity;

void Guard::check() const {
  const auto window = std::chrono::seconds(app.config.auth_tries_window_s);
  for (const auto& [name, quota] : {std::pair(account, app.config.auth_tries_per_account),
                                    std::pair(address, app.config.auth_tries_per_address)}) {
    const auto left = app.limits.look(name, quota, window);
    if (left.exceeded)
      throw Error(Code::rate_limited, "too many failed tries")
          .retry_after(std::max(left.resets_in, std::chrono::seconds(1)));
  }
}

void Guard::begin() const {
  check();
  const auto window = std::chrono::seconds(app.config.auth_tries_window_s);
  app.limits.take(account, app.config.auth_tries_per_account, window);
  app.limits.take(address, app.config.auth_tries_per_address, window);
}

void Guard::succeeded() const {
  app.limits.give_back(account);
  app.limits.give_back(address);
}

Guard guard_of(Call& call, const std::string& account) {
  return {call.app, "tries:" + account, "tries:" + network_of(call.request.address)};
}

asio::awaitable<void> require_password(const Guard& guard,
                                       const std::optional<Credential>& credential,
                                       const Secret& given, const Error& refusal) {
  guard.begin();
  std::optional<std::string> hash;
  if (credential && credential->state == AccountState::active && !credential->password_hash.empty())
    hash = credential->password_hash;
  bool matches = false;
  std::exception_ptr failure;
  try {
    matches = co_await guard.app.passwords.matches(hash, given);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure || matches) guard.succeeded();
  if (failure) std::rethrow_exception(failure);
  if (!matches) throw refusal;
}

asio::awaitable<Credential> step_up(Call& call, const Secret& password, std::string pointer) {
  Email email;
  const auto known = co_await call.app.db.read([&](Tx& tx) {
    email = fetch_account(tx, call.who().account).email;
    return find_credential(tx, email);
  });
  const auto guard = guard_of(call, email.value);
  const Error refusal(Code::invalid, "the password is wrong",
                      {{pointer, "is not the password of this account"}});
  co_await require_password(guard, known, password, refusal);
  co_return known.value();
}

namespace {

Error step_up_required() {
  return Error(Code::forbidden, "give your PIN, or sign in again").reason("step_up_required");
}

}  // namespace

void require_given(Proof proof) {
  if (proof != Proof::given) throw step_up_required();
}

std::exception_ptr missing_proof(Proof proof) {
  return proof == Proof::given ? nullptr : std::make_exception_ptr(step_up_required());
}

asio::awaitable<Proof> step_up_to_pay(Call& call, const std::optional<Pin>& pin) {
  const auto& who = call.who();
  if (!pin) {
    const auto fresh = std::chrono::seconds(call.app.config.auth_fresh_login_s);
    if (call.app.clock.now() - who.opened_at < fresh) co_return Proof::given;
  }
  const bool is_repeat = co_await call.is_repeat();
  if (is_repeat) co_return Proof::earlier;
  if (!pin) throw step_up_required();
  require_digits(*pin, "/pin");
  // A try counts from its beginning: whoever is turned away by a full queue must not have tried.
  Passwords::Place place(call.app.passwords);
  const auto tried =
      co_await call.app.db.transact([&](Tx& tx) { return begin_pin_try(tx, who.account); });
  const std::optional<std::string> hash = tried.hash;
  const bool matches = co_await call.app.passwords.matches(place, hash, pin->value);
  if (!matches) throw wrong_pin(tried);
  co_await call.app.db.transact([&](Tx& tx) { pin_matched(tx, who.account, tried); });
  co_return Proof::given;
}

}  // namespace bottega::gateway
