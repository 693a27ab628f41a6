#pragma once
// Merchants, their members with roles, their API keys, and what the processor decided about them.
#include "bottega/identity/identity.hpp"

namespace bottega::identity {

// Each role may do what the ones before it may.
enum class Role : std::uint8_t { agent, manager, owner };
BOOST_DESCRIBE_ENUM(Role, agent, manager, owner)

enum class Onboarding : std::uint8_t { pending, in_progress, active, rejected };
BOOST_DESCRIBE_ENUM(Onboarding, pending, in_progress, active, rejected)

inline constexpr std::size_t kCurrenciesMax = 10;

struct Merchant {
  MerchantId id;
  std::int64_t number = 0;
  std::string name;
  Country country;
  Currency currency;                 // what is meant where none is named
  std::vector<Currency> currencies;  // all that they may ask for, that one first
  Onboarding onboarding{};
  std::string processor;
  std::optional<std::string> processor_account;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Merchant, (),
                      (id, number, name, country, currency, currencies, onboarding, processor,
                       processor_account, created_at))

struct NewMerchant {
  Line<1, 100> name;
  Country country;
  Currency currency;
};
BOOST_DESCRIBE_STRUCT(NewMerchant, (), (name, country, currency))

// The settings of a merchant. The first of the currencies is the default.
struct ChangedMerchant {
  List<Currency, 1, kCurrenciesMax> currencies;
  // Each is named once.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(ChangedMerchant, (), (currencies))

// Where the merchant finds the processor's questions.
struct OnboardingLink {
  Onboarding state{};
  std::string url;
};
BOOST_DESCRIBE_STRUCT(OnboardingLink, (), (state, url))

struct Member {
  AccountId account_id;
  std::string name;
  Role role{};
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Member, (), (account_id, name, role, created_at))

struct NewRole {
  Role role{};
};
BOOST_DESCRIBE_STRUCT(NewRole, (), (role))

struct ApiKey {
  ApiKeyId id;
  std::string name, last_four;
  std::vector<Scope> scopes;
  AccountId created_by;
  Instant created_at{};
  std::optional<Instant> last_used_at;
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, name, last_four, scopes, created_by, created_at, last_used_at))

struct NewApiKey {
  Line<1, 100> name;
  List<Scope, 1, 5> scopes;
};
BOOST_DESCRIBE_STRUCT(NewApiKey, (), (name, scopes))

// The key itself is in this one answer and nowhere else.
struct IssuedApiKey {
  ApiKey api_key;
  std::string secret;
};
BOOST_DESCRIBE_STRUCT(IssuedApiKey, (), (api_key, secret))

// What the platform takes of a total: ten-thousandths of it, and so many minor units.
struct FeeRate {
  std::int64_t basis_points = 0, fixed = 0;
};
BOOST_DESCRIBE_STRUCT(FeeRate, (), (basis_points, fixed))

// Makes a business account owned by the person, with these fees for its first plan. Throws
// Error(invalid) for a country where we may not sell (`countries` is the setting).
Merchant create_merchant(Tx& tx, const Who& who, const NewMerchant& given, FeeRate fees,
                         const std::string& processor, std::string_view countries);
Merchant fetch_merchant(Tx& tx, MerchantId id);
// As they are, and stay until the transaction ends: whoever changes them waits.
Merchant keep_merchant(Tx& tx, MerchantId id);
// New requests are asked for in the currencies given; what was begun in others runs to its end.
Merchant change_merchant(Tx& tx, MerchantId id, const ChangedMerchant& given);
bool takes(const Merchant& merchant, const Currency& currency);
std::vector<Merchant> merchants_of(Tx& tx, const Who& who);

// Throws Error(not_found) unless the one who asks belongs to the merchant, Error(forbidden) where
// the role or the API key's scope is not enough.
void require_member(Tx& tx, const Who& who, MerchantId merchant, Role least, Scope scope);

// What somebody is to the merchant of a thing: the role of a person, if they have one there. An API
// key has none: its scopes count.
struct Standing {
  MerchantId merchant;
  Country country;  // the merchant's
  std::optional<Role> role;
};
// Of many in one statement: nothing where there is no such thing. The two others say of one what
// require_member() and is_member() say.
std::vector<std::optional<Standing>> standings(
    Tx& tx, const std::vector<std::pair<AccountId, Uuid>>& asked);
void require_standing(const Who& who, const Standing& standing, Role least, Scope scope);
bool has_standing(const Who& who, const Standing& standing, Role least, Scope scope);

// Whether require_member() would let them.
bool is_member(Tx& tx, const Who& who, MerchantId merchant, Role least, Scope scope);

// Takes note that the processor knows the merchant under this account, before its questions are
// answered. Throws Error(conflict) for one that it has accepted: where money goes stays as it is.
void begin_onboarding(Tx& tx, MerchantId merchant, const std::string& account);
// What the processor decided. Decisions may come twice and in any order; `active` stays. Answers
// whether there is a merchant with this account: the decision may be faster than we write it down.
bool settle_onboarding(Tx& tx, const std::string& processor, const std::string& account,
                       Onboarding decision);

std::vector<Member> list_members(Tx& tx, MerchantId merchant);
// Throws Error(conflict) for somebody who is a member already.
void add_member(Tx& tx, MerchantId merchant, AccountId account, Role role);
// Both throw Error(not_found) for somebody who is no member, Error(conflict) for the last owner.
// With an owner who leaves or steps down end the API keys and invitations that they made.
Member change_role(Tx& tx, MerchantId merchant, AccountId account, Role role);
void remove_member(Tx& tx, MerchantId merchant, AccountId account);

inline constexpr std::size_t kApiKeysMax = 100;

std::vector<ApiKey> list_api_keys(Tx& tx, MerchantId merchant);
// Throws Error(conflict) where kApiKeysMax are in force already.
IssuedApiKey issue_api_key(Tx& tx, const Who& who, MerchantId merchant, const NewApiKey& given);
void revoke_api_key(Tx& tx, MerchantId merchant, ApiKeyId key);
// Notes that a key was used, to the minute.
void note_use(Tx& tx, const Who& who);

// "mer_…" as a topic of live events.
std::string merchant_topic(MerchantId merchant);

// The merchant that a thing belongs to; throws Error(not_found).
MerchantId merchant_of(Tx& tx, const Uuid& thing);
// Enters a new thing into the directory that merchant_of reads.
void enter_directory(Tx& tx, const Uuid& thing, MerchantId merchant);
void enter_directory(Tx& tx, const std::vector<Uuid>& things, MerchantId merchant);
void enter_directory(Tx& tx, const std::vector<std::pair<Uuid, MerchantId>>& things);
// Takes out what is gone for good.
void leave_directory(Tx& tx, const Uuid& thing);

}  // namespace bottega::identity
