#pragma once
// Who is asking: accounts of people and staff, their sessions and tokens, and merchants' API keys.
// Every transport asks authenticate() and nothing else.
#include <boost/describe/enum.hpp>
#include <set>
#include <vector>

#include "bottega/core/config.hpp"
#include "bottega/core/describe.hpp"
#include "bottega/storage/tx.hpp"

namespace bottega::identity {

using AccountId = Id<"usr">;
using SessionId = Id<"sess">;
using MerchantId = Id<"mer">;
using ApiKeyId = Id<"key">;

enum class StaffRole : std::uint8_t { support, finance, admin };
BOOST_DESCRIBE_ENUM(StaffRole, support, finance, admin)
enum class AccountState : std::uint8_t { active, suspended };
BOOST_DESCRIBE_ENUM(AccountState, active, suspended)
// What an API key may do.
enum class Scope : std::uint8_t { read, chat, payments, orders, catalog };
BOOST_DESCRIBE_ENUM(Scope, read, chat, payments, orders, catalog)

// The zero value is nobody.
enum class Kind : std::uint8_t { nobody, person, api_key };

struct Who {
  Kind kind = Kind::nobody;
  AccountId account;  // a person, or whoever made the API key
  SessionId session;  // a person's
  std::optional<StaffRole> staff;
  bool is_guest = false;  // a person without a full account (guests.hpp)
  MerchantId merchant;    // an API key's
  ApiKeyId api_key;
  std::vector<Scope> scopes;
  Instant expires_at{};
  Instant opened_at{};  // when a person's session was opened with a password
  // "usr_…" or "key_…": the scope of rate limits and idempotency keys, and the actor in the audit
  // log.
  std::string actor() const;
};

struct Account {
  AccountId id;
  std::int64_t number = 0;
  Email email;
  std::string name;
  std::optional<StaffRole> staff_role;
  AccountState state{};
  Instant created_at{};
  bool is_guest = false;
};
BOOST_DESCRIBE_STRUCT(Account, (),
                      (id, number, email, name, staff_role, state, created_at, is_guest))

using Password = SecretText<10, 200>;

struct Registration {
  Email email;
  Password password;
  Line<1, 100> name;
};
BOOST_DESCRIBE_STRUCT(Registration, (), (email, password, name))

struct Login {
  Email email;
  SecretText<1, 200> password;
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password))

struct PasswordChange {
  SecretText<1, 200> current_password;
  Password new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordChange, (), (current_password, new_password))

struct Refresh {
  SecretText<1, 200> refresh_token;
};
BOOST_DESCRIBE_STRUCT(Refresh, (), (refresh_token))

// What a client gets at login, once. The only described type whose values are secrets: it goes out
// to their owner and nowhere else.
struct Tokens {
  SessionId session_id;
  AccountId account_id;
  std::string access_token;
  Instant access_expires_at{};
  std::string refresh_token;
  Instant refresh_expires_at{};
};
BOOST_DESCRIBE_STRUCT(Tokens, (),
                      (session_id, account_id, access_token, access_expires_at, refresh_token,
                       refresh_expires_at))

struct Session {
  SessionId id;
  std::string user_agent, address;
  Instant created_at{}, last_used_at{}, expires_at{};
};
BOOST_DESCRIBE_STRUCT(Session, (), (id, user_agent, address, created_at, last_used_at, expires_at))

struct Device {
  std::string user_agent, address;
};

struct TokenLife {
  std::chrono::seconds access, refresh;
};

// Who a bearer token or API key belongs to; throws Error(unauthenticated) or Error(token_expired).
Who authenticate(Tx& tx, std::string_view token);

// Throws Error(unauthenticated) where the session or the key has ended in the meantime.
void require_current(Tx& tx, const Who& who);
// Whatever else changes what this person is to a shop waits for the end of this transaction.
void hold_account(Tx& tx, AccountId account);
// The same; throws Error(unauthenticated) where the account was erased or suspended meanwhile.
void hold_active(Tx& tx, AccountId account);
// The same of many, in the order of their ids: those who are active.
std::set<AccountId> hold_active(Tx& tx, const std::set<AccountId>& accounts);

// Throws Error(conflict) where the address is taken.
Account register_account(Tx& tx, const Email& email, const std::string& name,
                         const std::string& password_hash, std::optional<StaffRole> staff);
Account fetch_account(Tx& tx, AccountId id);

struct Credential {
  AccountId id;
  std::string password_hash;
  AccountState state{};
};
BOOST_DESCRIBE_STRUCT(Credential, (), (id, password_hash, state))
std::optional<Credential> find_credential(Tx& tx, const Email& email);
// Checking a password takes a while. Makes sure that what was checked is still so, until the
// commit; throws Error(unauthenticated) where the password or the state has changed since.
void hold_credential(Tx& tx, const Credential& checked);
// Sets the password and ends all sessions but the one to keep. Throws Error(conflict) where the
// password or the state has changed since they were checked, Error(unauthenticated) where the
// session to keep has ended.
void set_password(Tx& tx, const Credential& checked, const std::string& hash,
                  std::optional<SessionId> keep);

Tokens open_session(Tx& tx, AccountId account, const Device& device, TokenLife life);

// The next pair of tokens, or none where the token was used before: then its session has been
// ended. A guest's session is not prolonged. Throws Error(unauthenticated) for a token that is
// unknown or too old.
std::optional<Tokens> rotate(Tx& tx, const Secret& refresh_token, TokenLife life);

std::vector<Session> list_sessions(Tx& tx, AccountId account);
// Ends a session of the account; its tokens are dead when this is committed.
void end_session(Tx& tx, AccountId account, SessionId session, const std::string& why);
// Ends all sessions of an account but the one to keep, as when it is suspended.
std::vector<SessionId> end_all_sessions(Tx& tx, AccountId account, const std::string& why,
                                        std::optional<SessionId> keep = {});
// A suspended person's sessions end; their API keys do not work until they are reinstated.
void set_account_state(Tx& tx, AccountId account, AccountState state);

// Removes tokens that nobody can use any more; answers how many.
std::int64_t sweep_tokens(Tx& tx);

// "usr_…" as a topic of live events.
std::string account_topic(AccountId account);
// Ends live sockets of a session.
std::string session_topic(SessionId session);

}  // namespace bottega::identity
