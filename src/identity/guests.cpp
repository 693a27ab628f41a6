#include "bottega/identity/guests.hpp"

#include "bottega/core/digest.hpp"

namespace bottega::identity {
namespace {

// RFC 2606, 2: nobody has an address there.
constexpr std::string_view kNowhere = "@guest.invalid";

struct Said {
  std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(Said, (), (name))

const Sql<Account(AccountId, Email, std::string, Instant)> kInsert{"identity.insert_guest", R"(
    INSERT INTO accounts (id, email, name, password_hash, is_guest, created_at)
    VALUES ($1, $2, $3, '', true, $4)
    RETURNING id, number, email, name, staff_role, state, created_at, is_guest)"};

const Sql<void(AccountId, std::string, Email, Instant)> kKeep{"identity.keep_guest", R"(
    INSERT INTO guests (account_id, name, email, created_at) VALUES ($1, $2, $3, $4))"};

const Sql<Guest(AccountId)> kFind{"identity.guest", R"(
    SELECT name, email FROM guests WHERE account_id = $1)"};

const Sql<Email(AccountId)> kMail{"identity.mail_of", R"(
    SELECT coalesce(g.email, a.email) FROM accounts a LEFT JOIN guests g ON g.account_id = a.id
    WHERE a.id = $1 AND (NOT a.is_guest OR g.email IS NOT NULL))"};

const Sql<Said(AccountId)> kHold{"identity.hold_guest", R"(
    SELECT g.name FROM accounts a LEFT JOIN guests g ON g.account_id = a.id
    WHERE a.id = $1 AND a.is_guest AND a.state = 'active' FOR NO KEY UPDATE OF a)"};

const Sql<Account(AccountId, Email, std::string, std::string)> kUpgrade{"identity.upgrade_guest",
                                                                        R"(
    UPDATE accounts a SET email = $2, name = $3, password_hash = $4, is_guest = false
    WHERE a.id = $1 AND NOT EXISTS (SELECT FROM accounts o WHERE o.email = $2)
    RETURNING id, number, email, name, staff_role, state, created_at, is_guest)"};

const Sql<void(AccountId)> kForget{"identity.forget_guest", R"(
    DELETE FROM guests WHERE account_id = $1)"};

const Sql<AccountId(Instant, std::int64_t)> kSweep{"identity.sweep_guests", R"(
    DELETE FROM guests WHERE account_id IN (
      SELECT g.account_id FROM guests g
      WHERE NOT EXISTS (SELECT FROM sessions s
                        WHERE s.account_id = g.account_id AND s.revoked_at IS NULL
                          AND s.expires_at > $1)
      LIMIT $2 FOR UPDATE OF g SKIP LOCKED)
    RETURNING account_id)"};

}  // namespace

void require_account(const Who& who) {
  if (who.is_guest)
    throw Error(Code::forbidden, "a guest cannot do this; it takes an account of one's own")
        .reason("guest");
}

Account make_guest(Tx& tx, const NewGuest& given) {
  const auto id = AccountId::make();
  const Email made_up{"guest-" + sha256_hex(random_token(32)).substr(0, 32) +
                      std::string(kNowhere)};
  const auto account = tx.one(kInsert, id, made_up, std::string(kGuestName), tx.now());
  tx.run(kKeep, id, given.name.value, given.email, tx.now());
  return account;
}

std::optional<Guest> find_guest(Tx& tx, AccountId account) { return tx.find(kFind, account); }

std::optional<Email> find_mail(Tx& tx, AccountId account) { return tx.find(kMail, account); }

Account upgrade_guest(Tx& tx, const Who& who, const GuestUpgrade& given, const std::string& hash) {
  const auto said = tx.find(kHold, who.account);
  if (!said) throw Error(Code::conflict, "this is a full account already");
  auto name = said->name.value_or(std::string(kGuestName));
  if (given.name) name = given.name->value;
  const auto account = tx.find(kUpgrade, who.account, given.email, name, hash);
  if (!account) throw Error(Code::conflict, "this mail address has an account already");
  tx.run(kForget, who.account);
  end_all_sessions(tx, who.account, "the guest has an account now", who.session);
  return *account;
}

std::int64_t sweep_guests(Tx& tx, std::int64_t most) {
  return static_cast<std::int64_t>(tx.all(kSweep, tx.now(), most).size());
}

}  // namespace bottega::identity
