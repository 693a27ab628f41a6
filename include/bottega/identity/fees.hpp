#pragma once
// What the platform takes of a sale: plans with dates, for every currency or for one. A plan is
// never changed; what applies from a day on is another plan.
#include "bottega/identity/merchants.hpp"

namespace bottega::identity {

using FeePlanId = Id<"fee">;

// As the merchant sees it.
struct FeePlan {
  FeePlanId id;
  std::optional<Currency> currency;  // none: whatever the currency
  std::int64_t basis_points = 0, fixed = 0;
  Instant effective_from{};
  bool in_force = false;  // for what is captured now in one of the merchant's currencies
  std::string reason;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(FeePlan, (),
                      (id, currency, basis_points, fixed, effective_from, in_force, reason,
                       created_at))

// As the staff does, with who made it.
struct StaffFeePlan {
  FeePlanId id;
  std::optional<Currency> currency;
  std::int64_t basis_points = 0, fixed = 0;
  Instant effective_from{};
  bool in_force = false;
  std::string reason, created_by;
  Instant created_at{};
  FeePlan for_merchant() const;
};
BOOST_DESCRIBE_STRUCT(StaffFeePlan, (),
                      (id, currency, basis_points, fixed, effective_from, in_force, reason,
                       created_by, created_at))

struct NewFeePlan {
  std::optional<Currency> currency;
  Count<0, 10'000> basis_points;
  Count<0, 1'000'000> fixed;              // minor units of whatever currency it is
  std::optional<Instant> effective_from;  // at once where none is given, at most a year ahead
  Text<1, 255> reason;                    // which the merchant sees too
};
BOOST_DESCRIBE_STRUCT(NewFeePlan, (), (currency, basis_points, fixed, effective_from, reason))

// Of the plans that fit the currency and whose time has come the one with the latest date applies;
// of two from the same moment the one that names the currency.
FeeRate fee_rate(Tx& tx, MerchantId merchant, Currency currency);

// The latest that was made first; what is still to come is among them.
std::vector<StaffFeePlan> list_fee_plans(Tx& tx, MerchantId merchant,
                                         std::optional<FeePlanId> after, std::int64_t limit);

// The plan that a merchant begins with.
void begin_fees(Tx& tx, MerchantId merchant, FeeRate rate);
// Throws Error(invalid) for a date that is past or too far ahead, Error(conflict) where there is a
// plan from that moment already.
StaffFeePlan add_fee_plan(Tx& tx, const Who& who, MerchantId merchant, const NewFeePlan& given);

}  // namespace bottega::identity
