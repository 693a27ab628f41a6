#include "bottega/identity/fees.hpp"

namespace bottega::identity {
namespace {

constexpr auto kAheadMost = std::chrono::days(366);

const Sql<FeeRate(MerchantId, Currency, Instant)> kRate{"identity.fee_rate", R"(
    SELECT basis_points, fixed FROM fee_plans
    WHERE merchant_id = $1 AND (currency = $2 OR currency IS NULL) AND effective_from <= $3
    ORDER BY effective_from DESC, currency NULLS LAST LIMIT 1)"};

const Sql<void(MerchantId, FeePlanId, std::optional<Currency>, std::int64_t, std::int64_t, Instant,
               std::string, std::string, Instant)>
    kInsert{"identity.insert_fee_plan", R"(
    INSERT INTO fee_plans (merchant_id, id, currency, basis_points, fixed, effective_from,
                           created_by, reason, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING)"};

const Sql<StaffFeePlan(MerchantId, FeePlanId, std::int64_t, Instant, std::optional<FeePlanId>)>
    kList{"identity.fee_plans", R"(
    SELECT id, currency, basis_points, fixed, effective_from, reason, created_by, created_at,
           id IN (
             SELECT p.id
             FROM merchants m CROSS JOIN LATERAL unnest(m.currencies) AS c (code)
                  CROSS JOIN LATERAL (
                    SELECT f.id FROM fee_plans f
                    WHERE f.merchant_id = m.id AND (f.currency = c.code OR f.currency IS NULL)
                      AND f.effective_from <= $4
                    ORDER BY f.effective_from DESC, f.currency NULLS LAST LIMIT 1) p
             WHERE m.id = $1) AS in_force
    FROM fee_plans WHERE merchant_id = $1 AND id < $2 AND ($5::uuid IS NULL OR id = $5)
    ORDER BY id DESC LIMIT $3)"};

Instant start_of(Tx& tx, const NewFeePlan& given) {
  const auto start = given.effective_from.value_or(tx.now());
  if (start < tx.now() || start > tx.now() + kAheadMost)
    throw Error(Code::invalid, "a plan cannot begin then",
                {{"/effective_from", "must be from now to 366 days ahead"}});
  return start;
}

}  // namespace

FeePlan StaffFeePlan::for_merchant() const {
  return {id, currency, basis_points, fixed, effective_from, in_force, reason, created_at};
}

FeeRate fee_rate(Tx& tx, MerchantId merchant, Currency currency) {
  return tx.one(kRate, merchant, currency, tx.now());
}

std::vector<StaffFeePlan> list_fee_plans(Tx& tx, MerchantId merchant,
                                         std::optional<FeePlanId> after, std::int64_t limit) {
  return tx.all(kList, merchant, after.value_or(FeePlanId::newest()), limit, tx.now(),
                std::nullopt);
}

void begin_fees(Tx& tx, MerchantId merchant, FeeRate rate) {
  tx.run(kInsert, merchant, FeePlanId::make(), std::nullopt, rate.basis_points, rate.fixed,
         tx.now(), "system", "as for every new merchant", tx.now());
}

StaffFeePlan add_fee_plan(Tx& tx, const Who& who, MerchantId merchant, const NewFeePlan& given) {
  fetch_merchant(tx, merchant);
  const auto start = start_of(tx, given);
  const auto id = FeePlanId::make();
  if (tx.run(kInsert, merchant, id, given.currency, given.basis_points.value, given.fixed.value,
             start, who.actor(), given.reason.value, tx.now()) == 0)
    throw Error(Code::conflict, "there is a plan from that moment already");
  return tx.one(kList, merchant, FeePlanId::newest(), 1, tx.now(), id);
}

}  // namespace bottega::identity
