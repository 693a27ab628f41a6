#include "bottega/identity/passwords.hpp"

#include <sodium.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bottega/core/digest.hpp"

namespace bottega::identity {
namespace {

void start_sodium() {
  static const int started = sodium_init();
  if (started < 0) throw Error(Code::internal, "libsodium does not start");
}

}  // namespace

std::string hash_password(const Secret& password, PasswordCost cost) {
  start_sodium();
  std::array<char, crypto_pwhash_STRBYTES> out{};
  const auto& text = password.reveal();
  if (crypto_pwhash_str_alg(out.data(), text.data(), text.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw Error(Code::busy, "not enough memory to hash a password");
  return out.data();
}

bool password_matches(const std::string& hash, const Secret& password) {
  start_sodium();
  const auto& text = password.reveal();
  return crypto_pwhash_str_verify(hash.c_str(), text.data(), text.size()) == 0;
}

Passwords::Passwords(PasswordCost cost, unsigned threads, unsigned waiting_max)
    : cost_(cost),
      waiting_max_(waiting_max),
      nobody_(hash_password(Secret(random_token(16)), cost)),
      threads_(threads) {}

Passwords::~Passwords() { threads_.join(); }

Passwords::Place::Place(Passwords& in) : waiting_(&in.waiting_) {
  if (waiting_->fetch_add(1) < in.waiting_max_) return;
  --*waiting_;
  throw Error(Code::busy, "too many logins at once").retry_after(std::chrono::seconds(2));
}

Passwords::Place::~Place() { leave(); }

void Passwords::Place::leave() {
  if (waiting_ != nullptr) --*waiting_;
  waiting_ = nullptr;
}

asio::awaitable<std::string> Passwords::hash(const Secret& password) {
  Place place(*this);
  auto work = [&]() -> asio::awaitable<std::string> {
    place.leave();
    co_return hash_password(password, cost_);
  };
  co_return co_await asio::co_spawn(threads_, work, asio::use_awaitable);
}

asio::awaitable<bool> Passwords::matches(const std::optional<std::string>& hash,
                                         const Secret& password) {
  Place place(*this);
  co_return co_await matches(place, hash, password);
}

asio::awaitable<bool> Passwords::matches(Place& place, const std::optional<std::string>& hash,
                                         const Secret& password) {
  auto work = [&]() -> asio::awaitable<bool> {
    place.leave();
    const bool matched = password_matches(hash.value_or(nobody_), password);
    co_return matched&& hash.has_value();
  };
  co_return co_await asio::co_spawn(threads_, work, asio::use_awaitable);
}

}  // namespace bottega::identity
