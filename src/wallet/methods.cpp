#include "bottega/wallet/methods.hpp"

namespace bottega::wallet {
namespace {

struct Kept {
  std::int64_t n = 0;  // whose it is, from 1
  std::string processor, token;
  Brand brand{};
  std::optional<std::int64_t> expiry_month, expiry_year;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (n, processor, token, brand, expiry_month, expiry_year))

const Sql<PaymentMethod(AccountId)> kList{"wallet.list_methods", R"(
    SELECT id, brand, last_four, expiry_month, expiry_year, is_default, created_at
    FROM payment_methods WHERE account_id = $1 ORDER BY id DESC LIMIT 100)"};

const Sql<PaymentMethod(MethodId, AccountId, std::string, std::string, Brand, std::string,
                        std::optional<std::int64_t>, std::optional<std::int64_t>, bool, Instant)>
    kInsert{"wallet.add_method", R"(
    INSERT INTO payment_methods (id, account_id, processor, token, brand, last_four, expiry_month,
                                 expiry_year, is_default, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (account_id, processor, token) DO NOTHING
    RETURNING id, brand, last_four, expiry_month, expiry_year, is_default, created_at)"};

const Sql<PaymentMethod(AccountId, MethodId)> kFetch{"wallet.fetch_method", R"(
    SELECT id, brand, last_four, expiry_month, expiry_year, is_default, created_at
    FROM payment_methods WHERE account_id = $1 AND id = $2)"};

const Sql<Kept(std::vector<AccountId>, std::vector<MethodId>)> kKept{"wallet.kept_methods", R"(
    SELECT u.n, m.processor, m.token, m.brand, m.expiry_month, m.expiry_year
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (account_id, id, n)
         JOIN payment_methods m ON m.account_id = u.account_id AND m.id = u.id)"};

const Sql<void(AccountId)> kNoDefault{"wallet.no_default_method", R"(
    UPDATE payment_methods SET is_default = false WHERE account_id = $1 AND is_default)"};

const Sql<void(AccountId, MethodId)> kDefault{"wallet.default_method", R"(
    UPDATE payment_methods SET is_default = true WHERE account_id = $1 AND id = $2)"};

const Sql<void(AccountId, MethodId)> kRemove{"wallet.remove_method", R"(
    DELETE FROM payment_methods WHERE account_id = $1 AND id = $2)"};

const Sql<MethodId(AccountId, std::string)> kNewestBank{"wallet.newest_bank", R"(
    SELECT id FROM payment_methods
    WHERE account_id = $1 AND processor = $2 AND brand = 'bank' ORDER BY id DESC LIMIT 1)"};

const Sql<std::int64_t(AccountId, MethodId)> kUnderWay{"wallet.withdrawals_under_way", R"(
    SELECT count(*) FROM withdrawals
    WHERE account_id = $1 AND payment_method_id = $2 AND state IN ('pending', 'unknown'))"};

// A card is good until the end of its month.
bool has_expired(const std::optional<std::int64_t>& month, const std::optional<std::int64_t>& year,
                 Instant now) {
  if (!month || !year) return false;
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const auto this_year = static_cast<std::int64_t>(static_cast<int>(today.year()));
  const auto this_month = static_cast<std::int64_t>(static_cast<unsigned>(today.month()));
  return *year < this_year || (*year == this_year && *month < this_month);
}

Error not_theirs(const std::string& what) {
  return Error(Code::invalid, "there is no such payment method",
               {{"/payment_method/id", "must be " + what}});
}

std::optional<Kept> find_kept(Tx& tx, AccountId account, MethodId id) {
  return tx.find(kKept, {account}, {id});
}

std::string token_of(const Charging& charging, const Kept* kept, Instant now) {
  if (const auto& token = charging.choice.token) {
    refuse_card_number(token->value, "/payment_method/token");
    return token->value;
  }
  if (kept == nullptr) throw not_theirs("one of your payment methods");
  if (kept->brand == Brand::bank) throw not_theirs("a card");
  if (kept->processor != charging.processor)
    throw not_theirs("one of the processor that is paid through");
  if (has_expired(kept->expiry_month, kept->expiry_year, now))
    throw Error(Code::conflict, "this card has expired").reason("expired_card");
  return kept->token;
}

}  // namespace

void refuse_card_number(const std::string& token, const std::string& pointer) {
  std::size_t digits = 0;
  for (const char c : token) {
    if (c >= '0' && c <= '9')
      ++digits;
    else if (c != '-' && c != '.')
      return;
  }
  if (digits >= 12 && digits <= 19)
    throw Error(Code::invalid, "a card number is not taken here",
                {{pointer, "must be a token of the processor"}});
}

std::vector<PaymentMethod> list_methods(Tx& tx, AccountId account) {
  return tx.all(kList, account);
}

PaymentMethod add_method(Tx& tx, AccountId account, const std::string& processor,
                         const NewMethod& given, const processors::MethodFacts& facts) {
  if (has_expired(facts.expiry_month, facts.expiry_year, tx.now()))
    throw Error(Code::invalid, "this card has expired", {{"/token", "must be of a valid card"}});
  const bool is_bank = facts.brand == Brand::bank;
  if (is_bank && given.is_default.value_or(false))
    throw Error(Code::invalid, "nobody pays with this",
                {{"/is_default", "must be false for a bank account"}});
  identity::hold_account(tx, account);
  const auto had = tx.all(kList, account);
  if (std::ssize(had) >= kMethodsMax)
    throw Error(Code::conflict,
                "there are " + std::to_string(kMethodsMax) + " payment methods already");
  const bool is_first =
      std::ranges::none_of(had, [](const PaymentMethod& one) { return one.is_default; });
  const bool is_default = !is_bank && (is_first || given.is_default.value_or(false));
  if (is_default) tx.run(kNoDefault, account);
  const auto made =
      tx.find(kInsert, MethodId::make(), account, processor, given.token.value, facts.brand,
              facts.last_four, facts.expiry_month, facts.expiry_year, is_default, tx.now());
  if (!made) throw Error(Code::conflict, "this payment method is kept already");
  return *made;
}

PaymentMethod make_default(Tx& tx, AccountId account, MethodId id) {
  identity::hold_account(tx, account);
  auto method = tx.one(kFetch, account, id);
  if (method.brand == Brand::bank)
    throw Error(Code::conflict, "nobody pays with a bank account; it is for withdrawals");
  tx.run(kNoDefault, account);
  tx.run(kDefault, account, id);
  method.is_default = true;
  return method;
}

void remove_method(Tx& tx, AccountId account, MethodId id) {
  identity::hold_account(tx, account);
  const auto method = tx.one(kFetch, account, id);
  if (tx.one(kUnderWay, account, id) > 0)
    throw Error(Code::conflict, "a withdrawal to this account is under way");
  tx.run(kRemove, account, id);
  if (!method.is_default) return;
  for (const auto& one : tx.all(kList, account))
    if (one.brand != Brand::bank) {
      tx.run(kDefault, account, one.id);
      return;
    }
}

std::vector<std::variant<std::string, Error>> tokens_to_charge(Tx& tx,
                                                               const std::vector<Charging>& all) {
  std::vector<AccountId> accounts;
  std::vector<MethodId> ids;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].choice.token) continue;
    places.push_back(i);
    accounts.push_back(all[i].account);
    ids.push_back(all[i].choice.id.value());
  }
  std::map<std::size_t, Kept> kept;
  if (!places.empty())
    for (auto& row : tx.all(kKept, accounts, ids))
      kept.emplace(places.at(static_cast<std::size_t>(row.n - 1)), std::move(row));
  std::vector<std::variant<std::string, Error>> tokens;
  for (std::size_t i = 0; i < all.size(); ++i) try {
      const auto found = kept.find(i);
      tokens.emplace_back(
          token_of(all[i], found == kept.end() ? nullptr : &found->second, tx.now()));
    } catch (const Error& refusal) {
      tokens.emplace_back(refusal);
    }
  return tokens;
}

std::string token_to_charge(Tx& tx, AccountId account, const MethodChoice& choice,
                            const std::string& processor) {
  auto token = tokens_to_charge(tx, {{account, choice, processor}}).front();
  if (const auto* refusal = std::get_if<Error>(&token)) throw Error(*refusal);
  return std::get<std::string>(std::move(token));
}

MethodId bank_of(Tx& tx, AccountId account, const std::optional<SavedMethod>& choice,
                 const std::string& processor) {
  // It is not removed before the withdrawal is there.
  identity::hold_account(tx, account);
  if (!choice) {
    const auto newest = tx.find(kNewestBank, account, processor);
    if (!newest) throw Error(Code::conflict, "a bank account must be kept first").reason("no_bank");
    return *newest;
  }
  const auto kept = find_kept(tx, account, choice->id);
  if (!kept || kept->brand != Brand::bank || kept->processor != processor)
    throw not_theirs("one of your bank accounts");
  return choice->id;
}

std::string token_of_bank(Tx& tx, AccountId account, MethodId id) {
  const auto kept = find_kept(tx, account, id);
  if (!kept) throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return kept->token;
}

}  // namespace bottega::wallet
