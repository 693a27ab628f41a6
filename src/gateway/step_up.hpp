#pragma once
// Asking for a password: when somebody signs in, and again before what a found session must not be
// able to do.
#include "gateway/app.hpp"
#include "bottega/gateway/route.hpp"
#include "bottega/identity/pins.hpp"

namespace bottega::gateway {

// Required of everybody but a guest, who has none.
struct Confirmation {
  std::optional<SecretText<1, 200>> password;
};
BOOST_DESCRIBE_STRUCT(Confirmation, (), (password))

// Failed tries are counted per account and per address, apart: neither many accounts from one place
// nor one account from many places can be guessed through.
struct Guard {
  App& app;
  std::string account, address;

  void check() const;
  // A try counts from its beginning, so that many at once are no more than many in a row.
  void begin() const;
  void succeeded() const;
};
Guard guard_of(Call& call, const std::string& account);

// Throws the refusal for a wrong password, which stays counted.
asio::awaitable<void> require_password(const Guard& guard,
                                       const std::optional<identity::Credential>& credential,
                                       const Secret& given, const Error& refusal);

// The password of whoever asks, once more; throws Error(invalid) that points at `pointer`. What was
// checked is to be held in the transaction that follows.
asio::awaitable<identity::Credential> step_up(Call& call, const Secret& password,
                                              std::string pointer);

// Before money leaves: the right PIN, or a session that was opened a short time ago; else throws
// Error(forbidden) with its reason. A repeat of what was asked for already (by its Idempotency-Key)
// gets its answer without: it has been asked then.
enum class Proof : std::uint8_t { earlier, given };
asio::awaitable<Proof> step_up_to_pay(Call& call, const std::optional<identity::Pin>& pin);
// Called where something new begins, which the proof of an earlier try is not enough for.
void require_given(Proof proof);
// The same for one of several: what it is refused with, or nothing.
std::exception_ptr missing_proof(Proof proof);

}  // namespace bottega::gateway
