#pragma once
// Ways to pay that a person keeps: the processor's token stands for the card or bank account. The
// token goes to the processor and nowhere else.
#include <variant>

#include "bottega/identity/identity.hpp"
#include "bottega/processors/processor.hpp"

namespace bottega::wallet {

using identity::AccountId;
using processors::Brand;
using MethodId = Id<"pm">;
using MethodToken = Opaque<128>;

inline constexpr std::int64_t kMethodsMax = 10;

struct PaymentMethod {
  MethodId id;
  Brand brand{};
  std::string last_four;
  std::optional<std::int64_t> expiry_month, expiry_year;
  bool is_default = false;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(PaymentMethod, (),
                      (id, brand, last_four, expiry_month, expiry_year, is_default, created_at))

struct NewMethod {
  MethodToken token;  // from the processor; a card number is refused
  std::optional<bool> is_default;
};
BOOST_DESCRIBE_STRUCT(NewMethod, (), (token, is_default))

struct ChangedMethod {
  bool is_default = false;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(ChangedMethod, (), (is_default))

// How somebody pays: with one that they keep, or with a token that is used once.
struct MethodChoice {
  std::optional<MethodId> id;
  std::optional<MethodToken> token;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(MethodChoice, (), (id, token))

struct SavedMethod {
  MethodId id;
};
BOOST_DESCRIBE_STRUCT(SavedMethod, (), (id))

// A client that sends the card instead of the processor's token must learn it at once: throws
// Error(invalid) that points at `pointer`.
void refuse_card_number(const std::string& token, const std::string& pointer);

std::vector<PaymentMethod> list_methods(Tx& tx, AccountId account);
// Keeps what the processor says the token stands for. The first card is the default. Throws
// Error(conflict) where there are kMethodsMax, or this one is kept already.
PaymentMethod add_method(Tx& tx, AccountId account, const std::string& processor,
                         const NewMethod& given, const processors::MethodFacts& facts);
PaymentMethod make_default(Tx& tx, AccountId account, MethodId id);
// Where it was the default, the newest card that is left is. Throws Error(conflict) while a
// withdrawal to it is under way.
void remove_method(Tx& tx, AccountId account, MethodId id);

// What the processor is to charge. Throws Error(invalid) for what is not theirs, is a bank account
// or belongs to another processor, Error(conflict) for what has expired.
std::string token_to_charge(Tx& tx, AccountId account, const MethodChoice& choice,
                            const std::string& processor);
// The same for several, in one statement where any is kept: the token, or what it is refused with.
struct Charging {
  AccountId account;
  MethodChoice choice;
  std::string processor;
};
std::vector<std::variant<std::string, Error>> tokens_to_charge(Tx& tx,
                                                               const std::vector<Charging>& all);
// Where a withdrawal goes: to this bank account, or to the newest one. Throws Error(invalid).
MethodId bank_of(Tx& tx, AccountId account, const std::optional<SavedMethod>& choice,
                 const std::string& processor);
std::string token_of_bank(Tx& tx, AccountId account, MethodId id);

}  // namespace bottega::wallet
