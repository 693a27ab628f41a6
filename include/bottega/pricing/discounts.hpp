#pragma once
// Discount codes: who may use one, how often, and that a use counts once, however often the same
// payment is tried.
#include "bottega/pricing/settings.hpp"

namespace bottega::pricing {

// What a buyer types, without regard to capitals: kept in capitals.
struct CouponCode {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const CouponCode&, const CouponCode&) = default;
};

}  // namespace bottega::pricing

namespace bottega {

template <>
struct Form<pricing::CouponCode> {
  static std::string text(const pricing::CouponCode& value) { return value.value; }
  static std::optional<pricing::CouponCode> parse(std::string_view text);
  static std::string expected() { return "3 to 40 letters, digits or any of _ - ."; }
  static Json schema() { return schemas::text_like("^[A-Za-z0-9_.-]+$", 3, 40); }
};

}  // namespace bottega

namespace bottega::pricing {

inline constexpr std::int64_t kLiveCodesMax = 1'000;

struct DiscountCode {
  DiscountId id;
  std::string code;
  DiscountKind kind{};
  std::optional<Currency> currency;
  std::optional<std::int64_t> amount, basis_points, least_total;
  std::optional<Instant> starts_at, ends_at;
  std::optional<std::int64_t> uses_max, uses_per_buyer_max;
  std::int64_t used = 0;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(DiscountCode, (),
                      (id, code, kind, currency, amount, basis_points, least_total, starts_at,
                       ends_at, uses_max, uses_per_buyer_max, used, created_at, updated_at))

struct NewDiscountCode {
  CouponCode code;
  DiscountKind kind{};
  std::optional<Currency> currency;  // needed by an amount and a least total
  std::optional<Count<1, kAmountMax>> amount;
  std::optional<Count<1, 10'000>> basis_points;
  std::optional<Count<1, kAmountMax>> least_total;
  std::optional<Instant> starts_at, ends_at;
  std::optional<Count<1, 1'000'000'000>> uses_max, uses_per_buyer_max;
  // What each kind has, and has not.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewDiscountCode, (),
                      (code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
                       uses_max, uses_per_buyer_max))

// Newest first, without those that were removed.
std::vector<DiscountCode> list_codes(Tx& tx, MerchantId merchant, std::optional<DiscountId> after,
                                     std::int64_t limit);
DiscountCode fetch_code(Tx& tx, MerchantId merchant, DiscountId id);
// Both throw Error(conflict) where another has this code, the first also where kLiveCodesMax have
// not ended.
DiscountCode add_code(Tx& tx, MerchantId merchant, const NewDiscountCode& given);
// What was used counts on.
DiscountCode change_code(Tx& tx, MerchantId merchant, DiscountId id, const NewDiscountCode& given);
void remove_code(Tx& tx, MerchantId merchant, DiscountId id);

// The discount of a code for a price that is shown to a buyer; none and a fault of /discount_code
// where they could not use it now. Nothing is promised for later.
std::optional<Discount> find_discount(Tx& tx, MerchantId merchant, const CouponCode& code,
                                      AccountId buyer, Faults& faults);

// Counts a use of the code by the buyer for what `about` names; a repeat changes nothing. Throws
// Error(invalid) with the fault that find_discount() finds, and Error(conflict) where another code
// was used for it.
Discount claim(Tx& tx, MerchantId merchant, const CouponCode& code, AccountId buyer,
               const Uuid& about);
// Takes back what was claimed, when it was not paid after all; a repeat changes nothing.
void give_back(Tx& tx, MerchantId merchant, const Uuid& about);

}  // namespace bottega::pricing
