// Discount codes as the shop's members keep them.
#include "bottega/pricing/discounts.hpp"

#include <algorithm>

#include "pricing/rows.hpp"

namespace bottega::pricing {
namespace {

const Sql<DiscountCode(MerchantId, DiscountId, std::int64_t)> kList{"pricing.codes", R"(
    SELECT id, code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
           uses_max, uses_per_buyer_max, used, created_at, updated_at
    FROM discount_codes WHERE merchant_id = $1 AND id < $2 AND removed_at IS NULL
    ORDER BY id DESC LIMIT $3)"};

const Sql<DiscountCode(MerchantId, DiscountId)> kFetch{"pricing.code", R"(
    SELECT id, code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
           uses_max, uses_per_buyer_max, used, created_at, updated_at
    FROM discount_codes WHERE merchant_id = $1 AND id = $2 AND removed_at IS NULL)"};

const Sql<std::int64_t(MerchantId, Instant)> kCountLive{"pricing.count_live_codes", R"(
    SELECT count(*) FROM discount_codes
    WHERE merchant_id = $1 AND removed_at IS NULL AND (ends_at IS NULL OR ends_at > $2))"};

const Sql<DiscountId(MerchantId, std::string)> kOfCode{"pricing.id_of_code", R"(
    SELECT id FROM discount_codes WHERE merchant_id = $1 AND code = $2 AND removed_at IS NULL)"};

using Number = std::optional<std::int64_t>;
using When = std::optional<Instant>;

const Sql<DiscountCode(MerchantId, DiscountId, std::string, DiscountKind, std::optional<Currency>,
                       Number, Number, Number, When, When, Number, Number, Instant)>
    kAdd{"pricing.add_code", R"(
    INSERT INTO discount_codes (merchant_id, id, code, kind, currency, amount, basis_points,
                                least_total, starts_at, ends_at, uses_max, uses_per_buyer_max,
                                created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
    RETURNING id, code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
              uses_max, uses_per_buyer_max, used, created_at, updated_at)"};

const Sql<DiscountCode(MerchantId, DiscountId, std::string, DiscountKind, std::optional<Currency>,
                       Number, Number, Number, When, When, Number, Number, Instant)>
    kChange{"pricing.change_code", R"(
    UPDATE discount_codes
    SET code = $3, kind = $4, currency = $5, amount = $6, basis_points = $7, least_total = $8,
        starts_at = $9, ends_at = $10, uses_max = $11, uses_per_buyer_max = $12, updated_at = $13
    WHERE merchant_id = $1 AND id = $2 AND removed_at IS NULL
    RETURNING id, code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
              uses_max, uses_per_buyer_max, used, created_at, updated_at)"};

const Sql<void(MerchantId, DiscountId, Instant)> kRemove{"pricing.remove_code", R"(
    UPDATE discount_codes SET removed_at = $3
    WHERE merchant_id = $1 AND id = $2 AND removed_at IS NULL)"};

// The shop's rules are held, so that nobody adds the same meanwhile.
void require_only_one(Tx& tx, MerchantId merchant, DiscountId id, const CouponCode& code) {
  const auto holder = tx.find(kOfCode, merchant, code.value);
  if (holder && *holder != id)
    throw Error(Code::conflict, "there is this code already",
                {{"/code", "must be one that is not taken"}});
}

DiscountCode write(Tx& tx, const decltype(kAdd)& sql, MerchantId merchant, DiscountId id,
                   const NewDiscountCode& given) {
  return tx.one(sql, merchant, id, given.code.value, given.kind, given.currency,
                number_of(given.amount), number_of(given.basis_points),
                number_of(given.least_total), given.starts_at, given.ends_at,
                number_of(given.uses_max), number_of(given.uses_per_buyer_max), tx.now());
}

}  // namespace

std::vector<DiscountCode> list_codes(Tx& tx, MerchantId merchant, std::optional<DiscountId> after,
                                     std::int64_t limit) {
  return tx.all(kList, merchant, after.value_or(DiscountId::newest()), limit);
}

DiscountCode fetch_code(Tx& tx, MerchantId merchant, DiscountId id) {
  return tx.one(kFetch, merchant, id);
}

DiscountCode add_code(Tx& tx, MerchantId merchant, const NewDiscountCode& given) {
  hold_rules(tx, merchant);
  if (tx.one(kCountLive, merchant, tx.now()) >= kLiveCodesMax)
    throw Error(Code::conflict, "no more codes can be in force; remove some first");
  const auto id = DiscountId::make();
  require_only_one(tx, merchant, id, given.code);
  return write(tx, kAdd, merchant, id, given);
}

DiscountCode change_code(Tx& tx, MerchantId merchant, DiscountId id, const NewDiscountCode& given) {
  hold_rules(tx, merchant);
  const auto before = fetch_code(tx, merchant, id);
  require_only_one(tx, merchant, id, given.code);
  const bool is_live = !before.ends_at || *before.ends_at > tx.now();
  if (!is_live && tx.one(kCountLive, merchant, tx.now()) >= kLiveCodesMax)
    throw Error(Code::conflict, "no more codes can be in force; remove some first");
  return write(tx, kChange, merchant, id, given);
}

void remove_code(Tx& tx, MerchantId merchant, DiscountId id) {
  if (tx.run(kRemove, merchant, id, tx.now()) == 0) not_there();
}

}  // namespace bottega::pricing
