// What the sandbox's hosted pages decide. The answers are looked at and forgotten: no column could
// hold them.
#include <algorithm>

#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::processors {
namespace {

struct AccountRow {
  std::string reference;
  AccountState state{};
  std::string return_url;
};
BOOST_DESCRIBE_STRUCT(AccountRow, (), (reference, state, return_url))

const Sql<AccountRow(std::string)> kLockAccount{"sandbox.lock_account", R"(
    SELECT reference, state, return_url FROM accounts WHERE reference = $1 FOR UPDATE)"};

const Sql<void(std::string, AccountState)> kSetAccount{"sandbox.set_account", R"(
    UPDATE accounts SET state = $2 WHERE reference = $1)"};

const Sql<void(std::string, Behaviour, std::string, std::string, std::int64_t, std::int64_t,
               Instant)>
    kKeepMethod{"sandbox.keep_method", R"(
    INSERT INTO methods (token, behaviour, brand, last_four, expiry_month, expiry_year, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7))"};

struct MethodRow {
  std::string brand, last_four;
  std::optional<std::int64_t> expiry_month, expiry_year;
};
BOOST_DESCRIBE_STRUCT(MethodRow, (), (brand, last_four, expiry_month, expiry_year))

const Sql<MethodRow(std::string)> kDescribe{"sandbox.describe_method", R"(
    SELECT brand, last_four, expiry_month, expiry_year FROM methods WHERE token = $1)"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "123-45-6789" or nine digits.
bool is_tax_number(std::string_view text) {
  if (text.size() == 9) return std::ranges::all_of(text, is_digit);
  if (text.size() != 11 || text[3] != '-' || text[6] != '-') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i != 3 && i != 6 && !is_digit(text[i])) return false;
  return true;
}

void check(const Application& application) {
  Faults faults;
  const auto between = [](const Secret& secret, std::size_t least, std::size_t most) {
    return secret.reveal().size() >= least && secret.reveal().size() <= most;
  };
  if (!between(application.name, 1, 200)) faults.push_back({"name", "1 to 200 characters"});
  if (!between(application.address, 5, 500)) faults.push_back({"address", "5 to 500 characters"});
  if (!is_tax_number(application.tax_number.reveal()))
    faults.push_back({"tax_number", "nine digits, such as 123-45-6789"});
  if (!faults.empty()) throw Error(Code::invalid, "some answers are not valid", faults);
}

std::string digits_of(const Secret& number) {
  std::string digits;
  for (const char c : number.reveal()) {
    if (is_digit(c))
      digits += c;
    else if (c != ' ' && c != '-')
      throw Error(Code::invalid, "the card is not valid", {{"/number", "must be digits"}});
  }
  return digits;
}

std::string brand_of(std::string_view digits) {
  if (digits.starts_with('4')) return "visa";
  if (digits.starts_with('5') || digits.starts_with('2')) return "mastercard";
  if (digits.starts_with("34") || digits.starts_with("37")) return "american_express";
  return "other";
}

// The last digits of the card that a well-known token is named after.
std::string last_four_of(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::approved:
      return "4242";
    case Behaviour::declined:
      return "0002";
    case Behaviour::insufficient_funds:
      return "9995";
    case Behaviour::confirm:
      return "3155";
    case Behaviour::no_answer:
      return "0119";
    case Behaviour::answer_lost:
      return "0259";
    case Behaviour::slow:
      return "0077";
    case Behaviour::bank:
      return "6789";
  }
  return "0000";
}

MethodFacts well_known(Behaviour behaviour) {
  if (behaviour == Behaviour::bank) return {Brand::bank, last_four_of(behaviour), {}, {}};
  return {Brand::visa, last_four_of(behaviour), 12, 2099};
}

Brand brand_from(const std::string& text) {
  if (text == "american_express") return Brand::amex;
  return Form<Brand>::parse(text).value_or(Brand::other);
}

}  // namespace

// ISO/IEC 7812-1, annex B.
bool passes_luhn(std::string_view digits) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    unsigned digit = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return digits.size() >= 12 && digits.size() <= 19 && sum % 10 == 0;
}

std::optional<Behaviour> behaviour_of_number(std::string_view digits) {
  if (!passes_luhn(digits)) return std::nullopt;
  struct Row {
    std::string_view number;
    Behaviour behaviour;
  };
  static constexpr Row kRows[] = {{"4000000000000002", Behaviour::declined},
                                  {"4000000000009995", Behaviour::insufficient_funds},
                                  {"4000002500003155", Behaviour::confirm},
                                  {"4000000000000119", Behaviour::no_answer},
                                  {"4000000000000259", Behaviour::answer_lost},
                                  {"4000000000000077", Behaviour::slow}};
  const auto* row = std::ranges::find(kRows, digits, &Row::number);
  return row == std::end(kRows) ? Behaviour::approved : row->behaviour;
}

asio::awaitable<AccountState> Sandbox::account_state(const std::string& given) {
  const std::string reference = given;
  co_return co_await books_.transact([&](Tx& tx) { return tx.one(kLockAccount, reference).state; });
}

asio::awaitable<std::string> Sandbox::apply(const std::string& given,
                                            const Application& application) {
  check(application);
  const std::string reference = given;
  const bool rejected = application.tax_number.reveal().ends_with("0000");
  const auto account = co_await books_.transact([&](Tx& tx) {
    auto found = tx.one(kLockAccount, reference);
    if (found.state == AccountState::active) return found;
    found.state = rejected ? AccountState::rejected : AccountState::active;
    tx.run(kSetAccount, reference, found.state);
    const Outcome told{rejected ? Verdict::declined : Verdict::succeeded, reference, {}, {}};
    queue_event(tx, Operation::onboarding, reference, told);
    return found;
  });
  queued();
  co_return account.return_url;
}

asio::awaitable<Token> Sandbox::tokenize(const Card& card) {
  const auto digits = digits_of(card.number.value);
  const auto behaviour = behaviour_of_number(digits);
  if (!behaviour)
    throw Error(Code::invalid, "the card is not valid", {{"/number", "is not a card number"}});
  const Token token{"tok_" + random_token(18), brand_of(digits), digits.substr(digits.size() - 4)};
  const std::chrono::year_month good_until(
      std::chrono::year(static_cast<int>(card.year.value)),
      std::chrono::month(static_cast<unsigned>(card.month.value)));
  co_await books_.transact([&](Tx& tx) {
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(tx.now()));
    if (good_until < today.year() / today.month())
      throw Error(Code::invalid, "the card is not valid", {{"/year", "has expired"}});
    tx.run(kKeepMethod, token.token, *behaviour, token.brand, token.last_four, card.month.value,
           card.year.value, tx.now());
  });
  co_return token;
}

asio::awaitable<std::optional<MethodFacts>> Sandbox::describe_method(const std::string& given) {
  const std::string token = given;
  if (token.starts_with(kWellKnown))
    if (const auto known = Form<Behaviour>::parse(token.substr(kWellKnown.size())))
      co_return well_known(*known);
  const auto row = co_await books_.read([&](Tx& tx) { return tx.find(kDescribe, token); });
  if (!row) co_return std::nullopt;
  co_return MethodFacts{brand_from(row->brand), row->last_four, row->expiry_month,
                        row->expiry_year};
}

}  // namespace bottega::processors
