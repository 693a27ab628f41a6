#pragma once
// Limits of payments: of one request, of what a merchant takes in 7 days, of what and how often one
// buyer pays, and of how often a payment method is tried. All are decided before the charge.
#include "bottega/identity/merchants.hpp"
#include "bottega/wallet/methods.hpp"

namespace bottega::risk {

using identity::AccountId, identity::MerchantId;

inline constexpr std::int64_t kUnitsMax = 1'000'000'000;

// Amounts are in whole units of the currency, whatever its decimals: 100 is 100.00 USD, 100 JPY and
// 100.000 BHD. 0 is no limit, and nothing to review.
struct Rules {
  std::int64_t request_max = 0;
  std::int64_t merchant_week_max = 0;
  std::int64_t buyer_count_hour_max = 0, buyer_count_day_max = 0;
  std::int64_t buyer_sum_hour_max = 0, buyer_sum_day_max = 0;
  std::int64_t method_tries_hour_max = 0, method_tries_day_max = 0;
  // More than this is charged and reviewed: a merchant's first sale, any sale, and what a merchant
  // takes in 7 days.
  std::int64_t review_first_sale = 0, review_amount = 0, review_week = 0;
};

// Whole units in minor ones. Throws Error(invalid) for what does not fit.
Money in_minor(std::int64_t units, Currency currency);

// The most that one request of this merchant may ask for, in minor units; nothing: no limit.
std::optional<std::int64_t> request_max(Tx& tx, MerchantId merchant, Currency currency,
                                        const Rules& rules);

// The same where the merchant's own limit, in whole units, is known: nothing where the settings
// apply.
std::optional<std::int64_t> request_max(std::optional<std::int64_t> own, Currency currency,
                                        const Rules& rules);

// A payment that is about to begin.
struct Try {
  MerchantId merchant;
  AccountId buyer;
  Money amount;
  wallet::MethodChoice method;
};
// Counts it, or throws: Error(rate_limited) for a buyer or a payment method that comes too often,
// Error(conflict) for what is too much at present. Of the merchant's limit the buyer is told
// nothing but that. Others who count for the same merchant or buyer wait for the commit.
void count(Tx& tx, const Try& payment, const Rules& rules);
// The same for many, one after the other: with what it was refused for, or nothing. Neither what is
// refused counts, nor does it stop the others.
std::vector<std::optional<Error>> count(Tx& tx, const std::vector<Try>& payments,
                                        const Rules& rules);

// Counts a try to charge a payment method for anything but a payment; throws as count() does.
void count_try(Tx& tx, AccountId account, const wallet::MethodChoice& method, const Rules& rules);

// A payment that was counted at this time.
struct Counted {
  MerchantId merchant;
  AccountId buyer;
  Money amount;
  Instant at{};
};
// Gives back what was counted for a payment that failed; the try with its method stays one.
void release(Tx& tx, const Counted& payment);

// What a merchant has taken in 7 days; what is under way counts.
std::int64_t taken_in_week(Tx& tx, MerchantId merchant, Currency currency);

// What is in force for a merchant. Who has set it, when and why: nothing where the settings apply.
struct MerchantLimits {
  std::int64_t request_max = 0, week_max = 0;  // whole units; 0: no limit
  Money taken;                                 // in 7 days
  std::optional<std::string> reason, set_by;
  std::optional<Instant> set_at;
};
BOOST_DESCRIBE_STRUCT(MerchantLimits, (), (request_max, week_max, taken, reason, set_by, set_at))

// In whole units, in place of the settings; what is not given is as the settings say.
struct NewLimits {
  std::optional<Count<0, kUnitsMax>> request_max, week_max;
  Text<1, 255> reason;
};
BOOST_DESCRIBE_STRUCT(NewLimits, (), (request_max, week_max, reason))

MerchantLimits limits_of(Tx& tx, MerchantId merchant, const Rules& rules);
void set_limits(Tx& tx, MerchantId merchant, const NewLimits& given, const std::string& set_by);

}  // namespace bottega::risk
