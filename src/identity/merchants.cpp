#include "bottega/identity/merchants.hpp"

#include <algorithm>

#include "bottega/core/digest.hpp"
#include "bottega/identity/fees.hpp"
#include "bottega/identity/guests.hpp"

namespace bottega::identity {
namespace {

// A uuid whose kind does not matter: the directory holds every kind.
using ThingId = Id<"thing">;

const Sql<Merchant(MerchantId, std::string, Country, Currency, std::string, Instant)>
    kInsertMerchant{"identity.insert_merchant", R"(
    INSERT INTO merchants (id, name, country, currencies, onboarding, processor, created_at)
    VALUES ($1, $2, $3, ARRAY[$4], 'pending', $5, $6)
    RETURNING id, number, name, country, currency, array_to_json(currencies) AS currencies,
              onboarding, processor, processor_account, created_at)"};

const Sql<Merchant(MerchantId)> kFetchMerchant{"identity.fetch_merchant", R"(
    SELECT id, number, name, country, currency, array_to_json(currencies) AS currencies,
           onboarding, processor, processor_account, created_at
    FROM merchants WHERE id = $1)"};

const Sql<Merchant(MerchantId)> kKeepMerchant{"identity.keep_merchant", R"(
    SELECT id, number, name, country, currency, array_to_json(currencies) AS currencies,
           onboarding, processor, processor_account, created_at
    FROM merchants WHERE id = $1 FOR SHARE)"};

const Sql<Merchant(MerchantId, std::vector<Currency>)> kChangeMerchant{"identity.change_merchant",
                                                                       R"(
    UPDATE merchants SET currencies = $2 WHERE id = $1
    RETURNING id, number, name, country, currency, array_to_json(currencies) AS currencies,
              onboarding, processor, processor_account, created_at)"};

const Sql<Merchant(AccountId)> kMerchantsOf{"identity.merchants_of", R"(
    SELECT id, number, name, country, currency, array_to_json(currencies) AS currencies,
           onboarding, processor, processor_account, created_at
    FROM merchants
    WHERE id IN (SELECT merchant_id FROM merchant_members WHERE account_id = $1)
    ORDER BY id LIMIT 100)"};

const Sql<Role(MerchantId, AccountId)> kRole{"identity.role", R"(
    SELECT role FROM merchant_members WHERE merchant_id = $1 AND account_id = $2)"};

const Sql<void(MerchantId, std::string)> kBeginOnboarding{"identity.begin_onboarding", R"(
    UPDATE merchants SET processor_account = $2,
           onboarding = CASE onboarding WHEN 'pending' THEN 'in_progress' ELSE onboarding END
    WHERE id = $1 AND onboarding <> 'active')"};

const Sql<void(std::string, std::string, Onboarding)> kSettleOnboarding{
    "identity.settle_onboarding", R"(
    UPDATE merchants SET onboarding = $3
    WHERE processor = $1 AND processor_account = $2 AND onboarding <> 'active')"};

const Sql<MerchantId(std::string, std::string)> kOfAccount{"identity.merchant_of_account", R"(
    SELECT id FROM merchants WHERE processor = $1 AND processor_account = $2)"};

const Sql<Member(MerchantId)> kMembers{"identity.members", R"(
    SELECT m.account_id, a.name, m.role, m.created_at
    FROM merchant_members m JOIN accounts a ON a.id = m.account_id
    WHERE m.merchant_id = $1 ORDER BY m.created_at, m.account_id LIMIT 1000)"};

const Sql<void(MerchantId, AccountId, Role, Instant)> kInsertMember{"identity.insert_member", R"(
    INSERT INTO merchant_members (merchant_id, account_id, role, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (merchant_id, account_id) DO NOTHING)"};

const Sql<Member(MerchantId, AccountId, Role)> kChangeRole{"identity.change_role", R"(
    UPDATE merchant_members m SET role = $3 FROM accounts a
    WHERE m.merchant_id = $1 AND m.account_id = $2 AND a.id = m.account_id
    RETURNING m.account_id, a.name, m.role, m.created_at)"};

const Sql<void(MerchantId, AccountId)> kRemoveMember{"identity.remove_member", R"(
    DELETE FROM merchant_members WHERE merchant_id = $1 AND account_id = $2)"};

const Sql<AccountId(MerchantId)> kLockOwners{"identity.lock_owners", R"(
    SELECT account_id FROM merchant_members WHERE merchant_id = $1 AND role = 'owner'
    ORDER BY account_id FOR UPDATE)"};

struct ApiKeyRow {
  ApiKeyId id;
  std::string name, last_four, scopes;
  AccountId created_by;
  Instant created_at{};
  std::optional<Instant> last_used_at;
};
BOOST_DESCRIBE_STRUCT(ApiKeyRow, (),
                      (id, name, last_four, scopes, created_by, created_at, last_used_at))

const Sql<ApiKeyRow(MerchantId)> kApiKeys{"identity.api_keys", R"(
    SELECT id, name, last_four, array_to_json(scopes)::text AS scopes, created_by, created_at,
           last_used_at
    FROM api_keys WHERE merchant_id = $1 AND revoked_at IS NULL ORDER BY id DESC LIMIT 1000)"};

const Sql<ApiKeyId(MerchantId, AccountId, Instant)> kRevokeKeysOf{"identity.revoke_keys_of", R"(
    UPDATE api_keys SET revoked_at = $3
    WHERE merchant_id = $1 AND created_by = $2 AND revoked_at IS NULL RETURNING id)"};

const Sql<void(MerchantId, AccountId, Instant)> kEndInvitationsOf{"identity.end_invitations_of",
                                                                  R"(
    UPDATE invitations SET ended_at = $3
    WHERE merchant_id = $1 AND invited_by = $2 AND ended_at IS NULL)"};

const Sql<void(MerchantId, ApiKeyId, std::string, std::string, std::string, std::vector<Scope>,
               AccountId, Instant)>
    kInsertKey{"identity.insert_api_key", R"(
    INSERT INTO api_keys (merchant_id, id, name, hash, last_four, scopes, created_by, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

const Sql<void(MerchantId, ApiKeyId, Instant)> kRevokeKey{"identity.revoke_api_key", R"(
    UPDATE api_keys SET revoked_at = $3
    WHERE merchant_id = $1 AND id = $2 AND revoked_at IS NULL)"};

const Sql<void(MerchantId, ApiKeyId, Instant)> kNoteUse{"identity.note_use", R"(
    UPDATE api_keys SET last_used_at = $3 WHERE merchant_id = $1 AND id = $2
      AND (last_used_at IS NULL OR last_used_at < $3::timestamptz - interval '1 minute'))"};

const Sql<MerchantId(ThingId)> kDirectory{"identity.directory", R"(
    SELECT merchant_id FROM directory WHERE id = $1)"};

const Sql<void(std::vector<ThingId>, std::vector<MerchantId>)> kEnterDirectory{
    "identity.enter_directory", R"(
    INSERT INTO directory (id, merchant_id)
    SELECT id, merchant_id FROM unnest($1::uuid[], $2::uuid[]) AS u (id, merchant_id))"};

struct Stood {
  std::int64_t n = 0;
  MerchantId merchant_id;
  Country country;
  std::optional<Role> role;
};
BOOST_DESCRIBE_STRUCT(Stood, (), (n, merchant_id, country, role))

const Sql<Stood(std::vector<AccountId>, std::vector<ThingId>)> kStandings{"identity.standings", R"(
    SELECT u.n, d.merchant_id, c.country, m.role
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (account_id, thing_id, n)
         JOIN directory d ON d.id = u.thing_id
         JOIN merchants c ON c.id = d.merchant_id
         LEFT JOIN merchant_members m
           ON m.merchant_id = d.merchant_id AND m.account_id = u.account_id)"};

const Sql<void(ThingId)> kLeaveDirectory{"identity.leave_directory", R"(
    DELETE FROM directory WHERE id = $1)"};

// Open sockets of the account begin, or cease, to listen to the shop.
void announce_membership(Tx& tx, AccountId account) {
  tx.announce({{account_topic(account)}, account_topic(account), 0, "join"});
}

// The last owner can neither leave nor step down.
void keep_an_owner(Tx& tx, MerchantId merchant, AccountId leaves) {
  const auto owners = tx.all(kLockOwners, merchant);
  if (owners.size() == 1 && owners.front() == leaves)
    throw Error(Code::conflict, "a merchant needs an owner");
}

void announce_end(Tx& tx, ApiKeyId key) { tx.announce({{text_of(key)}, text_of(key), 0, "end"}); }

// What somebody gave in the shop's name is not worth more than their own word.
void end_grants(Tx& tx, MerchantId merchant, AccountId account) {
  for (const auto& key : tx.all(kRevokeKeysOf, merchant, account, tx.now())) announce_end(tx, key);
  tx.run(kEndInvitationsOf, merchant, account, tx.now());
}

ApiKey api_key_of(const ApiKeyRow& row) {
  const auto scopes = from_json<std::vector<Scope>>(Json::parse(row.scopes));
  return {row.id,         row.name,       row.last_four,   scopes,
          row.created_by, row.created_at, row.last_used_at};
}

}  // namespace

Merchant create_merchant(Tx& tx, const Who& who, const NewMerchant& given, FeeRate fees,
                         const std::string& processor, std::string_view countries) {
  require_account(who);
  if (!list_has(countries, given.country.value))
    throw Error(Code::invalid, "we may not sell from this country",
                {{"/country", "one of: " + std::string(countries)}});
  auto merchant = tx.one(kInsertMerchant, MerchantId::make(), given.name.value, given.country,
                         given.currency, processor, tx.now());
  begin_fees(tx, merchant.id, fees);
  add_member(tx, merchant.id, who.account, Role::owner);
  return merchant;
}

Merchant fetch_merchant(Tx& tx, MerchantId id) { return tx.one(kFetchMerchant, id); }

Merchant keep_merchant(Tx& tx, MerchantId id) { return tx.one(kKeepMerchant, id); }

Merchant change_merchant(Tx& tx, MerchantId id, const ChangedMerchant& given) {
  return tx.one(kChangeMerchant, id, given.currencies.items);
}

bool takes(const Merchant& merchant, const Currency& currency) {
  return std::ranges::find(merchant.currencies, currency) != merchant.currencies.end();
}

std::vector<Merchant> merchants_of(Tx& tx, const Who& who) {
  if (who.kind == Kind::api_key) return {fetch_merchant(tx, who.merchant)};
  return tx.all(kMerchantsOf, who.account);
}

void require_standing(const Who& who, const Standing& standing, Role least, Scope scope) {
  const Error missing(Code::not_found, "there is no such thing, or it is not yours");
  if (who.kind == Kind::api_key) {
    if (who.merchant != standing.merchant) throw missing;
    if (std::ranges::find(who.scopes, scope) == who.scopes.end() || least == Role::owner)
      throw Error(Code::forbidden, "the API key's scopes do not cover this");
    return;
  }
  if (!standing.role) throw missing;
  if (*standing.role < least)
    throw Error(Code::forbidden, "this takes the role of " + text_of(least));
}

bool has_standing(const Who& who, const Standing& standing, Role least, Scope scope) {
  try {
    require_standing(who, standing, least, scope);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::optional<Standing>> standings(
    Tx& tx, const std::vector<std::pair<AccountId, Uuid>>& asked) {
  std::vector<std::optional<Standing>> found(asked.size());
  if (asked.empty()) return found;
  std::vector<AccountId> accounts;
  std::vector<ThingId> things;
  for (const auto& [account, thing] : asked) {
    accounts.push_back(account);
    things.push_back(ThingId{thing});
  }
  for (const auto& row : tx.all(kStandings, accounts, things))
    found.at(static_cast<std::size_t>(row.n - 1)) = {row.merchant_id, row.country, row.role};
  return found;
}

void require_member(Tx& tx, const Who& who, MerchantId merchant, Role least, Scope scope) {
  Standing standing{merchant, {}, std::nullopt};
  if (who.kind != Kind::api_key) standing.role = tx.find(kRole, merchant, who.account);
  require_standing(who, standing, least, scope);
}

bool is_member(Tx& tx, const Who& who, MerchantId merchant, Role least, Scope scope) {
  try {
    require_member(tx, who, merchant, least, scope);
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::forbidden && error.code() != Code::not_found) throw;
    return false;
  }
}

void begin_onboarding(Tx& tx, MerchantId merchant, const std::string& account) {
  if (tx.run(kBeginOnboarding, merchant, account) == 0)
    throw Error(Code::conflict, "the processor has accepted this business already");
}

bool settle_onboarding(Tx& tx, const std::string& processor, const std::string& account,
                       Onboarding decision) {
  if (tx.run(kSettleOnboarding, processor, account, decision) > 0) return true;
  return tx.find(kOfAccount, processor, account).has_value();
}

std::vector<Member> list_members(Tx& tx, MerchantId merchant) { return tx.all(kMembers, merchant); }

void add_member(Tx& tx, MerchantId merchant, AccountId account, Role role) {
  if (tx.run(kInsertMember, merchant, account, role, tx.now()) == 0)
    throw Error(Code::conflict, "this person is a member already");
  announce_membership(tx, account);
}

Member change_role(Tx& tx, MerchantId merchant, AccountId account, Role role) {
  if (role != Role::owner) {
    keep_an_owner(tx, merchant, account);
    end_grants(tx, merchant, account);
  }
  const auto member = tx.find(kChangeRole, merchant, account, role);
  if (!member) throw Error(Code::not_found, "there is no such member");
  return *member;
}

void remove_member(Tx& tx, MerchantId merchant, AccountId account) {
  keep_an_owner(tx, merchant, account);
  if (tx.run(kRemoveMember, merchant, account) == 0)
    throw Error(Code::not_found, "there is no such member");
  end_grants(tx, merchant, account);
  announce_membership(tx, account);
}

std::vector<ApiKey> list_api_keys(Tx& tx, MerchantId merchant) {
  std::vector<ApiKey> keys;
  for (const auto& row : tx.all(kApiKeys, merchant)) keys.push_back(api_key_of(row));
  return keys;
}

IssuedApiKey issue_api_key(Tx& tx, const Who& who, MerchantId merchant, const NewApiKey& given) {
  if (tx.all(kApiKeys, merchant).size() >= kApiKeysMax)
    throw Error(Code::conflict, "too many API keys are in force; revoke some");
  IssuedApiKey issued;
  issued.secret = "sk_" + random_token(32);
  issued.api_key = {
      ApiKeyId::make(),   given.name.value, issued.secret.substr(issued.secret.size() - 4),
      given.scopes.items, who.account,      tx.now(),
      std::nullopt};
  const auto& key = issued.api_key;
  tx.run(kInsertKey, merchant, key.id, key.name, sha256_hex(issued.secret), key.last_four,
         key.scopes, who.account, tx.now());
  return issued;
}

void note_use(Tx& tx, const Who& who) { tx.run(kNoteUse, who.merchant, who.api_key, tx.now()); }

void revoke_api_key(Tx& tx, MerchantId merchant, ApiKeyId key) {
  if (tx.run(kRevokeKey, merchant, key, tx.now()) == 0)
    throw Error(Code::not_found, "there is no such API key");
  announce_end(tx, key);
}

std::string merchant_topic(MerchantId merchant) { return text_of(merchant); }

MerchantId merchant_of(Tx& tx, const Uuid& thing) { return tx.one(kDirectory, ThingId{thing}); }

void enter_directory(Tx& tx, const Uuid& thing, MerchantId merchant) {
  enter_directory(tx, std::vector{thing}, merchant);
}

void enter_directory(Tx& tx, const std::vector<Uuid>& things, MerchantId merchant) {
  std::vector<std::pair<Uuid, MerchantId>> entered;
  for (const auto& thing : things) entered.emplace_back(thing, merchant);
  enter_directory(tx, entered);
}

void enter_directory(Tx& tx, const std::vector<std::pair<Uuid, MerchantId>>& things) {
  if (things.empty()) return;
  std::vector<ThingId> ids;
  std::vector<MerchantId> merchants;
  for (const auto& [thing, merchant] : things) {
    ids.push_back(ThingId{thing});
    merchants.push_back(merchant);
  }
  tx.run(kEnterDirectory, ids, merchants);
}

void leave_directory(Tx& tx, const Uuid& thing) { tx.run(kLeaveDirectory, ThingId{thing}); }

}  // namespace bottega::identity
