#include "bottega/identity/pins.hpp"

#include <algorithm>

namespace bottega::identity {
namespace {

struct PinRow {
  std::string hash;
  std::int64_t tries = 0, lock_outs = 0;
  std::optional<Instant> locked_until;
};
BOOST_DESCRIBE_STRUCT(PinRow, (), (hash, tries, lock_outs, locked_until))

const Sql<void(AccountId, std::string, Instant)> kSet{"identity.set_pin", R"(
    INSERT INTO pins (account_id, hash, set_at) VALUES ($1, $2, $3)
    ON CONFLICT (account_id) DO UPDATE
    SET hash = excluded.hash, tries = 0, lock_outs = 0, locked_until = NULL,
        set_at = excluded.set_at)"};

const Sql<PinRow(AccountId)> kLock{"identity.lock_pin", R"(
    SELECT hash, tries, lock_outs, locked_until FROM pins WHERE account_id = $1 FOR UPDATE)"};

const Sql<void(AccountId, std::int64_t, std::int64_t, std::optional<Instant>)> kTry{
    "identity.try_pin", R"(
    UPDATE pins SET tries = $2, lock_outs = $3, locked_until = $4 WHERE account_id = $1)"};

const Sql<void(AccountId, std::string)> kMatched{"identity.pin_matched", R"(
    UPDATE pins SET tries = 0, lock_outs = 0, locked_until = NULL
    WHERE account_id = $1 AND hash = $2)"};

Error spent() {
  return Error(Code::forbidden,
               "the PIN was wrong too often; set a new one with the password of the account")
      .reason("pin_spent");
}

}  // namespace

void require_digits(const Pin& pin, const std::string& pointer) {
  const auto& text = pin.value.reveal();
  const bool digits = std::ranges::all_of(text, [](const char c) { return c >= '0' && c <= '9'; });
  if (text.size() != 6 || !digits)
    throw Error(Code::invalid, "a PIN has six digits", {{pointer, "must be six digits"}});
}

void set_pin(Tx& tx, AccountId account, const std::string& hash) {
  tx.run(kSet, account, hash, tx.now());
}

PinTry begin_pin_try(Tx& tx, AccountId account) {
  auto row = tx.find(kLock, account);
  if (!row) throw Error(Code::forbidden, "no PIN is set").reason("no_pin");
  const bool locked = row->locked_until && *row->locked_until > tx.now();
  if (row->lock_outs >= kPinLockOuts) throw spent();
  if (locked) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(*row->locked_until - tx.now());
    throw Error(Code::forbidden, "the PIN is locked after too many wrong tries")
        .retry_after(wait)
        .reason("pin_locked");
  }
  if (row->tries >= kPinTries) row->tries = 0;
  row->locked_until.reset();
  if (++row->tries == kPinTries) {
    ++row->lock_outs;
    row->locked_until = tx.now() + kPinLockedFor;
  }
  tx.run(kTry, account, row->tries, row->lock_outs, row->locked_until);
  return {row->hash, kPinTries - row->tries};
}

void pin_matched(Tx& tx, AccountId account, const PinTry& tried) {
  if (tx.run(kMatched, account, tried.hash) == 0)
    throw Error(Code::forbidden, "the PIN has changed in the meantime").reason("wrong_pin");
}

Error wrong_pin(const PinTry& tried) {
  const auto left = tried.left == 1 ? "1 try is" : std::to_string(tried.left) + " tries are";
  const auto words = tried.left == 0 ? std::string("the PIN is wrong, and locked now")
                                     : "the PIN is wrong; " + left + " left";
  return Error(Code::forbidden, words).reason("wrong_pin");
}

}  // namespace bottega::identity
