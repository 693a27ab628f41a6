// What limits there are, and who has set them.
#include "bottega/risk/limits.hpp"

namespace bottega::risk {
namespace {

struct Own {
  std::optional<std::int64_t> request_max, week_max;
  std::string reason, set_by;
  Instant set_at{};
};
BOOST_DESCRIBE_STRUCT(Own, (), (request_max, week_max, reason, set_by, set_at))

const Sql<Own(MerchantId)> kOwn{"risk.own_limits", R"(
    SELECT request_max, week_max, reason, set_by, set_at FROM merchant_limits
    WHERE merchant_id = $1)"};

const Sql<void(MerchantId, std::optional<std::int64_t>, std::optional<std::int64_t>, std::string,
               std::string, Instant)>
    kSet{"risk.set_limits", R"(
    INSERT INTO merchant_limits (merchant_id, request_max, week_max, reason, set_by, set_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id)
    DO UPDATE SET request_max = excluded.request_max, week_max = excluded.week_max,
                  reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at)"};

}  // namespace

Money in_minor(std::int64_t units, Currency currency) {
  Money money{units, currency};
  for (unsigned i = 0; i < currency.decimals(); ++i) money = money * 10;
  return money;
}

std::optional<std::int64_t> request_max(Tx& tx, MerchantId merchant, Currency currency,
                                        const Rules& rules) {
  const auto own = tx.find(kOwn, merchant);
  return request_max(own ? own->request_max : std::nullopt, currency, rules);
}

std::optional<std::int64_t> request_max(std::optional<std::int64_t> own, Currency currency,
                                        const Rules& rules) {
  const auto most = own.value_or(rules.request_max);
  if (most == 0) return std::nullopt;
  return in_minor(most, currency).amount;
}

MerchantLimits limits_of(Tx& tx, MerchantId id, const Rules& rules) {
  const auto currency = identity::fetch_merchant(tx, id).currency;
  MerchantLimits limits{rules.request_max,
                        rules.merchant_week_max,
                        {taken_in_week(tx, id, currency), currency},
                        std::nullopt,
                        std::nullopt,
                        std::nullopt};
  if (const auto own = tx.find(kOwn, id)) {
    limits.request_max = own->request_max.value_or(limits.request_max);
    limits.week_max = own->week_max.value_or(limits.week_max);
    limits.reason = own->reason;
    limits.set_by = own->set_by;
    limits.set_at = own->set_at;
  }
  return limits;
}

void set_limits(Tx& tx, MerchantId merchant, const NewLimits& given, const std::string& set_by) {
  identity::fetch_merchant(tx, merchant);
  const auto units = [](const std::optional<Count<0, kUnitsMax>>& one) {
    return one ? std::optional(one->value) : std::nullopt;
  };
  tx.run(kSet, merchant, units(given.request_max), units(given.week_max), given.reason.value,
         set_by, tx.now());
}

}  // namespace bottega::risk
