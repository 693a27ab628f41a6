// Accounts, sessions and tokens. Only SHA-256 sums of tokens are stored: they are long and random,
// so a fast hash suffices (OWASP ASVS 4.0, 2.9).
#include "bottega/identity/identity.hpp"

#include "bottega/core/digest.hpp"

namespace bottega::identity {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::string_view kAccess = "bat_", kRefresh = "brt_", kKey = "sk_";
constexpr std::size_t kTokenMax = 128;

struct TokenOwner {
  AccountId account;
  SessionId session;
  std::optional<StaffRole> staff_role;
  bool is_guest = false;
  Instant expires_at{}, opened_at{};
};
BOOST_DESCRIBE_STRUCT(TokenOwner, (),
                      (account, session, staff_role, is_guest, expires_at, opened_at))

struct KeyOwner {
  ApiKeyId id;
  MerchantId merchant_id;
  AccountId created_by;
  std::string scopes;
};
BOOST_DESCRIBE_STRUCT(KeyOwner, (), (id, merchant_id, created_by, scopes))

struct RefreshRow {
  SessionId session_id;
  AccountId account_id;
  Instant expires_at{}, session_ends{};
  bool used = false, ended = false, is_guest = false;
};
BOOST_DESCRIBE_STRUCT(RefreshRow, (),
                      (session_id, account_id, expires_at, session_ends, used, ended, is_guest))

const Sql<TokenOwner(std::string)> kFindAccess{"identity.find_access", R"(
    SELECT a.id AS account, s.id AS session, a.staff_role, a.is_guest, t.expires_at,
           s.created_at AS opened_at
    FROM access_tokens t JOIN sessions s ON s.id = t.session_id
         JOIN accounts a ON a.id = s.account_id
    WHERE t.hash = $1 AND s.revoked_at IS NULL AND a.state = 'active')"};

const Sql<KeyOwner(std::string)> kFindKey{"identity.find_key", R"(
    SELECT id, merchant_id, created_by, array_to_string(scopes, ',') AS scopes
    FROM api_keys WHERE hash = $1 AND revoked_at IS NULL
      AND (SELECT state FROM accounts WHERE id = created_by) = 'active')"};

const Sql<std::int64_t(AccountId, SessionId)> kSessionLives{"identity.session_lives", R"(
    SELECT 1::bigint FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.account_id = $1 AND s.id = $2 AND s.revoked_at IS NULL AND a.state = 'active')"};

const Sql<std::int64_t(MerchantId, ApiKeyId)> kKeyLives{"identity.key_lives", R"(
    SELECT 1::bigint FROM api_keys k JOIN accounts a ON a.id = k.created_by
    WHERE k.merchant_id = $1 AND k.id = $2 AND k.revoked_at IS NULL AND a.state = 'active')"};

const Sql<ApiKeyId(AccountId)> kKeysMadeBy{"identity.keys_made_by", R"(
    SELECT id FROM api_keys WHERE created_by = $1 AND revoked_at IS NULL)"};

const Sql<AccountState(AccountId)> kHoldAccount{"identity.hold_account", R"(
    SELECT state FROM accounts WHERE id = $1 FOR NO KEY UPDATE)"};

struct HeldAccount {
  AccountId id;
  AccountState state{};
};
BOOST_DESCRIBE_STRUCT(HeldAccount, (), (id, state))

const Sql<HeldAccount(std::vector<AccountId>, std::int64_t)> kHoldAccounts{"identity.hold_accounts",
                                                                           R"(
    SELECT a.id, a.state
    FROM (SELECT id FROM unnest($1::uuid[]) AS one (id) LIMIT $2::bigint) u
         JOIN accounts a ON a.id = u.id
    ORDER BY a.id FOR NO KEY UPDATE OF a)"};

const Sql<Account(AccountId, Email, std::string, std::string, std::optional<StaffRole>, Instant)>
    kInsertAccount{"identity.insert_account", R"(
    INSERT INTO accounts (id, email, name, password_hash, staff_role, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING
    RETURNING id, number, email, name, staff_role, state, created_at, is_guest)"};

const Sql<Account(AccountId)> kFetchAccount{"identity.fetch_account", R"(
    SELECT id, number, email, name, staff_role, state, created_at, is_guest
    FROM accounts WHERE id = $1)"};

const Sql<Credential(Email)> kCredential{"identity.credential", R"(
    SELECT id, password_hash, state FROM accounts WHERE email = $1)"};

const Sql<Credential(AccountId)> kHoldCredential{"identity.hold_credential", R"(
    SELECT id, password_hash, state FROM accounts WHERE id = $1 FOR SHARE)"};

const Sql<void(AccountId, std::string, std::string, AccountState)> kSetPassword{
    "identity.set_password", R"(
    UPDATE accounts SET password_hash = $3
    WHERE id = $1 AND password_hash = $2 AND state = $4)"};

const Sql<void(SessionId, AccountId, std::string, std::string, Instant, Instant)> kInsertSession{
    "identity.insert_session", R"(
    INSERT INTO sessions (id, account_id, user_agent, address, created_at, last_used_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $5, $6))"};

const Sql<void(std::string, SessionId, Instant)> kInsertAccess{"identity.insert_access", R"(
    INSERT INTO access_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3))"};

const Sql<void(std::string, SessionId, Instant)> kInsertRefresh{"identity.insert_refresh", R"(
    INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3))"};

const Sql<RefreshRow(std::string)> kLockRefresh{"identity.lock_refresh", R"(
    SELECT r.session_id, s.account_id, r.expires_at, s.expires_at AS session_ends,
           r.used_at IS NOT NULL AS used,
           (s.revoked_at IS NOT NULL OR a.state <> 'active') AS ended, a.is_guest
    FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id
         JOIN accounts a ON a.id = s.account_id
    WHERE r.hash = $1 FOR UPDATE OF r, s)"};

const Sql<void(std::string, Instant)> kUseRefresh{"identity.use_refresh", R"(
    UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1)"};

const Sql<void(SessionId, Instant, Instant)> kTouchSession{"identity.touch_session", R"(
    UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1)"};

const Sql<Session(AccountId, Instant)> kListSessions{"identity.list_sessions", R"(
    SELECT id, user_agent, address, created_at, last_used_at, expires_at FROM sessions
    WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY id DESC LIMIT 100)"};

const Sql<SessionId(AccountId, SessionId, Instant, std::string)> kEndSession{"identity.end_session",
                                                                             R"(
    UPDATE sessions SET revoked_at = $3, revoked_why = $4
    WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id)"};

const Sql<SessionId(AccountId, Instant, std::string, std::optional<SessionId>)> kEndAll{
    "identity.end_all_sessions", R"(
    UPDATE sessions SET revoked_at = $2, revoked_why = $3
    WHERE account_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $4::uuid RETURNING id)"};

const Sql<void(AccountId, AccountState)> kSetState{"identity.set_account_state", R"(
    UPDATE accounts SET state = $2 WHERE id = $1 AND erased_at IS NULL)"};

const Sql<void(Instant)> kSweepAccess{"identity.sweep_access", R"(
    DELETE FROM access_tokens WHERE expires_at < $1)"};
const Sql<void(Instant)> kSweepRefresh{"identity.sweep_refresh", R"(
    DELETE FROM refresh_tokens WHERE expires_at < $1)"};

Error unknown_token() { return Error(Code::unauthenticated, "the token is not valid"); }

Who person_of(Tx& tx, std::string_view token) {
  const auto owner = tx.find(kFindAccess, sha256_hex(token));
  if (!owner) throw unknown_token();
  if (owner->expires_at <= tx.now())
    throw Error(Code::token_expired, "the access token has expired; refresh it");
  Who who;
  who.kind = Kind::person;
  who.account = owner->account;
  who.session = owner->session;
  who.staff = owner->staff_role;
  who.is_guest = owner->is_guest;
  who.expires_at = owner->expires_at;
  who.opened_at = owner->opened_at;
  return who;
}

Who key_of(Tx& tx, std::string_view token) {
  const auto owner = tx.find(kFindKey, sha256_hex(token));
  if (!owner) throw unknown_token();
  Who who;
  who.kind = Kind::api_key;
  who.account = owner->created_by;
  who.merchant = owner->merchant_id;
  who.api_key = owner->id;
  who.expires_at = Instant::max();
  for (std::size_t start = 0; start < owner->scopes.size();) {
    const auto end = std::min(owner->scopes.find(',', start), owner->scopes.size());
    who.scopes.push_back(from_text<Scope>(owner->scopes.substr(start, end - start)));
    start = end + 1;
  }
  return who;
}

Tokens issue(Tx& tx, SessionId session, AccountId account, TokenLife life) {
  Tokens tokens;
  tokens.session_id = session;
  tokens.account_id = account;
  tokens.access_token = std::string(kAccess) + random_token(kTokenBytes);
  tokens.refresh_token = std::string(kRefresh) + random_token(kTokenBytes);
  tokens.access_expires_at = tx.now() + life.access;
  tokens.refresh_expires_at = tx.now() + life.refresh;
  tx.run(kInsertAccess, sha256_hex(tokens.access_token), session, tokens.access_expires_at);
  tx.run(kInsertRefresh, sha256_hex(tokens.refresh_token), session, tokens.refresh_expires_at);
  return tokens;
}

void announce_end(Tx& tx, SessionId session) {
  tx.announce({{session_topic(session)}, session_topic(session), 0, "end"});
}

}  // namespace

std::string Who::actor() const {
  switch (kind) {
    case Kind::nobody:
      return "anyone";
    case Kind::person:
      return text_of(account);
    case Kind::api_key:
      return text_of(api_key);
  }
  return "anyone";
}

Who authenticate(Tx& tx, std::string_view token) {
  if (token.size() > kTokenMax) throw unknown_token();
  if (token.starts_with(kAccess)) return person_of(tx, token);
  if (token.starts_with(kKey)) return key_of(tx, token);
  throw unknown_token();
}

Account register_account(Tx& tx, const Email& email, const std::string& name,
                         const std::string& password_hash, std::optional<StaffRole> staff) {
  const auto account =
      tx.find(kInsertAccount, AccountId::make(), email, name, password_hash, staff, tx.now());
  if (!account) throw Error(Code::conflict, "this mail address has an account already");
  return *account;
}

Account fetch_account(Tx& tx, AccountId id) { return tx.one(kFetchAccount, id); }

std::optional<Credential> find_credential(Tx& tx, const Email& email) {
  return tx.find(kCredential, email);
}

void hold_credential(Tx& tx, const Credential& checked) {
  const auto held = tx.one(kHoldCredential, checked.id);
  if (held.password_hash != checked.password_hash || held.state != AccountState::active)
    throw Error(Code::unauthenticated, "the password has changed in the meantime");
}

void set_password(Tx& tx, const Credential& checked, const std::string& hash,
                  std::optional<SessionId> keep) {
  if (tx.run(kSetPassword, checked.id, checked.password_hash, hash, checked.state) == 0)
    throw Error(Code::conflict, "the password has changed in the meantime");
  if (keep && !tx.find(kSessionLives, checked.id, *keep)) throw unknown_token();
  end_all_sessions(tx, checked.id, "the password was changed", keep);
}

void require_current(Tx& tx, const Who& who) {
  const auto alive = who.kind == Kind::api_key ? tx.find(kKeyLives, who.merchant, who.api_key)
                                               : tx.find(kSessionLives, who.account, who.session);
  if (!alive) throw unknown_token();
}

void hold_account(Tx& tx, AccountId account) { tx.one(kHoldAccount, account); }

void hold_active(Tx& tx, AccountId account) {
  if (tx.one(kHoldAccount, account) != AccountState::active)
    throw Error(Code::unauthenticated, "this account was closed in the meantime");
}

std::set<AccountId> hold_active(Tx& tx, const std::set<AccountId>& accounts) {
  std::set<AccountId> active;
  if (accounts.empty()) return active;
  const std::vector<AccountId> ids(accounts.begin(), accounts.end());
  for (const auto& row : tx.all(kHoldAccounts, ids, std::ssize(ids)))
    if (row.state == AccountState::active) active.insert(row.id);
  return active;
}

Tokens open_session(Tx& tx, AccountId account, const Device& device, TokenLife life) {
  const auto session = SessionId::make();
  tx.run(kInsertSession, session, account, device.user_agent, device.address, tx.now(),
         tx.now() + life.refresh);
  return issue(tx, session, account, life);
}

std::optional<Tokens> rotate(Tx& tx, const Secret& refresh_token, TokenLife life) {
  if (!refresh_token.reveal().starts_with(kRefresh)) throw unknown_token();
  const auto hash = sha256_hex(refresh_token.reveal());
  const auto row = tx.find(kLockRefresh, hash);
  if (!row || row->ended || row->expires_at <= tx.now()) throw unknown_token();
  if (row->used) {  // RFC 9700, 4.14.2: somebody else has it too
    end_session(tx, row->account_id, row->session_id, "a refresh token came twice");
    return std::nullopt;
  }
  if (row->is_guest) {
    const auto left = std::chrono::floor<std::chrono::seconds>(row->session_ends - tx.now());
    life = {std::min(life.access, left), std::min(life.refresh, left)};
  }
  tx.run(kUseRefresh, hash, tx.now());
  tx.run(kTouchSession, row->session_id, tx.now(), tx.now() + life.refresh);
  return issue(tx, row->session_id, row->account_id, life);
}

std::vector<Session> list_sessions(Tx& tx, AccountId account) {
  return tx.all(kListSessions, account, tx.now());
}

void end_session(Tx& tx, AccountId account, SessionId session, const std::string& why) {
  if (!tx.find(kEndSession, account, session, tx.now(), why))
    throw Error(Code::not_found, "there is no such session");
  announce_end(tx, session);
}

std::vector<SessionId> end_all_sessions(Tx& tx, AccountId account, const std::string& why,
                                        std::optional<SessionId> keep) {
  const auto ended = tx.all(kEndAll, account, tx.now(), why, keep);
  for (const auto& session : ended) announce_end(tx, session);
  return ended;
}

void set_account_state(Tx& tx, AccountId account, AccountState state) {
  if (tx.run(kSetState, account, state) == 0)
    throw Error(Code::not_found, "there is no such account");
  if (state != AccountState::suspended) return;
  end_all_sessions(tx, account, "suspended");
  for (const auto& key : tx.all(kKeysMadeBy, account))
    tx.announce({{text_of(key)}, text_of(key), 0, "end"});
}

std::int64_t sweep_tokens(Tx& tx) {
  return static_cast<std::int64_t>(tx.run(kSweepAccess, tx.now()) +
                                   tx.run(kSweepRefresh, tx.now()));
}

std::string account_topic(AccountId account) { return text_of(account); }
std::string session_topic(SessionId session) { return text_of(session); }

}  // namespace bottega::identity
