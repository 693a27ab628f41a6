// The uses of discount codes. Whoever claims one holds its row first: what others have claimed is
// committed and seen when the uses of a buyer are counted, by a statement of its own.
#include "pricing/rows.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/identity/guests.hpp"
#include "bottega/pricing/discounts.hpp"

namespace bottega::pricing {
namespace {

using AboutId = Id<"about">;

constexpr const char* kPointer = "/discount_code";

struct Row {
  DiscountId id;
  std::string code;
  DiscountKind kind{};
  std::optional<Currency> currency;
  std::optional<std::int64_t> amount, basis_points, least_total;
  std::optional<Instant> starts_at, ends_at;
  std::optional<std::int64_t> uses_max, uses_per_buyer_max;
  std::int64_t used = 0;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (id, code, kind, currency, amount, basis_points, least_total, starts_at,
                       ends_at, uses_max, uses_per_buyer_max, used))

const Sql<Row(MerchantId, std::string)> kFind{"pricing.find_code", R"(
    SELECT c.id, c.code, c.kind, c.currency, c.amount, c.basis_points, c.least_total, c.starts_at,
           c.ends_at, c.uses_max, c.uses_per_buyer_max, c.used
    FROM discount_codes c
    WHERE c.merchant_id = $1 AND c.code = $2 AND c.removed_at IS NULL)"};

// Locks the code where it may be used at all.
const Sql<Row(MerchantId, std::string, Instant)> kTake{"pricing.take_code", R"(
    UPDATE discount_codes SET used = used + 1
    WHERE merchant_id = $1 AND code = $2 AND removed_at IS NULL
      AND (starts_at IS NULL OR starts_at <= $3) AND (ends_at IS NULL OR ends_at > $3)
      AND (uses_max IS NULL OR used < uses_max)
    RETURNING id, code, kind, currency, amount, basis_points, least_total, starts_at, ends_at,
              uses_max, uses_per_buyer_max, used)"};

// By whoever signs in, and by whoever gives the same mail address.
const Sql<std::int64_t(MerchantId, DiscountId, AccountId, std::optional<std::string>)> kUsedBy{
    "pricing.code_used_by", R"(
    SELECT count(*) FROM discount_uses
    WHERE merchant_id = $1 AND code_id = $2 AND (buyer_id = $3 OR mail_digest = $4))"};

const Sql<void(MerchantId, AboutId, DiscountId, AccountId, Instant, std::optional<std::int64_t>,
               std::optional<std::string>)>
    kUse{"pricing.use_code", R"(
    INSERT INTO discount_uses (merchant_id, about_id, code_id, buyer_id, at, mail_digest)
    SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::timestamptz, $7::text
    WHERE $6::bigint IS NULL
       OR (SELECT count(*) FROM discount_uses
           WHERE merchant_id = $1 AND code_id = $3 AND (buyer_id = $4 OR mail_digest = $7)) < $6
    ON CONFLICT (merchant_id, about_id) DO NOTHING)"};

const Sql<void(MerchantId, DiscountId)> kPutBack{"pricing.put_back_code", R"(
    UPDATE discount_codes SET used = used - 1 WHERE merchant_id = $1 AND id = $2)"};

// The code that was used for it, which may have been removed since.
const Sql<Row(MerchantId, AboutId)> kUsed{"pricing.code_used", R"(
    SELECT c.id, c.code, c.kind, c.currency, c.amount, c.basis_points, c.least_total, c.starts_at,
           c.ends_at, c.uses_max, c.uses_per_buyer_max, c.used
    FROM discount_uses u
         JOIN discount_codes c ON c.merchant_id = u.merchant_id AND c.id = u.code_id
    WHERE u.merchant_id = $1 AND u.about_id = $2)"};

const Sql<void(MerchantId, AboutId)> kGiveBack{"pricing.give_back_code", R"(
    WITH gone AS (
      DELETE FROM discount_uses WHERE merchant_id = $1 AND about_id = $2 RETURNING code_id)
    UPDATE discount_codes c SET used = c.used - 1 FROM gone
    WHERE c.merchant_id = $1 AND c.id = gone.code_id)"};

Discount discount_of(const Row& row) {
  return {row.id, row.code, row.kind, row.currency, row.amount, row.basis_points, row.least_total};
}

[[noreturn]] void refuse(Faults faults) {
  throw Error(Code::invalid, "this discount code cannot be used", std::move(faults));
}

// Of one code, so that it says nothing about another.
std::optional<std::string> digest_of(Tx& tx, MerchantId merchant, DiscountId code,
                                     AccountId buyer) {
  const auto mail = identity::find_mail(tx, buyer);
  if (!mail) return std::nullopt;
  return sha256_hex(text_of(merchant) + ' ' + text_of(code) + ' ' + mail->value);
}

// Why the buyer cannot use it now; nothing where they can.
const char* why_not(Tx& tx, MerchantId merchant, const std::optional<Row>& row, AccountId buyer) {
  const auto now = tx.now();
  if (!row) return "must be a code of this shop";
  if (row->starts_at && now < *row->starts_at) return "must be used from its first day on";
  if (row->ends_at && now >= *row->ends_at) return "must be used before its end";
  if (row->uses_max && row->used >= *row->uses_max) return "must have uses left: it has none";
  if (!row->uses_per_buyer_max) return nullptr;
  const auto used =
      tx.one(kUsedBy, merchant, row->id, buyer, digest_of(tx, merchant, row->id, buyer));
  return used < *row->uses_per_buyer_max ? nullptr : "must not be used by one buyer so often";
}

// The discount where the code was claimed for this before.
std::optional<Discount> find_claimed(Tx& tx, MerchantId merchant, const CouponCode& code,
                                     AboutId about) {
  const auto used = tx.find(kUsed, merchant, about);
  if (!used) return std::nullopt;
  if (used->code != code.value)
    throw Error(Code::conflict, "another discount code was used for this");
  return discount_of(*used);
}

}  // namespace

std::optional<Discount> find_discount(Tx& tx, MerchantId merchant, const CouponCode& code,
                                      AccountId buyer, Faults& faults) {
  const auto row = tx.find(kFind, merchant, code.value);
  if (const auto* why = why_not(tx, merchant, row, buyer)) {
    faults.push_back({kPointer, why});
    return std::nullopt;
  }
  return discount_of(*row);
}

Discount claim(Tx& tx, MerchantId merchant, const CouponCode& code, AccountId buyer,
               const Uuid& about) {
  const auto taken = tx.find(kTake, merchant, code.value, tx.now());
  if (taken) {
    const auto digest = digest_of(tx, merchant, taken->id, buyer);
    if (tx.run(kUse, merchant, AboutId{about}, taken->id, buyer, tx.now(),
               taken->uses_per_buyer_max, digest) > 0)
      return discount_of(*taken);
    tx.run(kPutBack, merchant, taken->id);
  }
  if (const auto claimed = find_claimed(tx, merchant, code, AboutId{about})) return *claimed;
  if (const auto* why = why_not(tx, merchant, tx.find(kFind, merchant, code.value), buyer))
    refuse({{kPointer, why}});
  throw Error(Code::busy, "the discount code was given back at this moment; try again");
}

void give_back(Tx& tx, MerchantId merchant, const Uuid& about) {
  tx.run(kGiveBack, merchant, AboutId{about});
}

}  // namespace bottega::pricing
