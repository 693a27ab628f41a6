#pragma once
// A PIN of six digits, which is asked for before money leaves. It is few digits, so that tries are
// few: five wrong ones lock it for a quarter of an hour, three locks until it is set anew.
#include "bottega/identity/identity.hpp"

namespace bottega::identity {

using Pin = SecretText<6, 6>;

inline constexpr std::int64_t kPinTries = 5, kPinLockOuts = 3;
inline constexpr auto kPinLockedFor = std::chrono::minutes(15);

struct NewPin {
  SecretText<1, 200> password;
  Pin pin;
};
BOOST_DESCRIBE_STRUCT(NewPin, (), (password, pin))

// Throws Error(invalid) that points at `pointer` unless it is six digits.
void require_digits(const Pin& pin, const std::string& pointer);
// Sets it, and forgets what was tried before.
void set_pin(Tx& tx, AccountId account, const std::string& hash);

// A try counts from its beginning, so that many at once are no more than many in a row. Committed
// before the hash is compared.
struct PinTry {
  std::string hash;
  std::int64_t left = 0;  // after this one
};
// Throws Error(forbidden) with its reason where there is no PIN, or it is locked.
PinTry begin_pin_try(Tx& tx, AccountId account);
// It was right. Throws Error(forbidden) where it has been set anew in the meantime.
void pin_matched(Tx& tx, AccountId account, const PinTry& tried);
// It was wrong: says how many tries are left.
Error wrong_pin(const PinTry& tried);

}  // namespace bottega::identity
