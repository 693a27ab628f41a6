// The stock of several sales at once. The rows are locked in the order in which a single sale locks
// its own.
#include <algorithm>

#include "catalog/rows.hpp"
#include "bottega/catalog/stock.hpp"

namespace bottega::catalog {
namespace {

template <class T>
using Column = std::vector<T>;

struct Shelved {
  MerchantId merchant_id;
  VariantId variant_id;
  std::int64_t rest = 0;
  bool waits = false;
};
BOOST_DESCRIBE_STRUCT(Shelved, (), (merchant_id, variant_id, rest, waits))

// The limit says how many they are (see conversations.write_entries).
const Sql<Shelved(Column<MerchantId>, Column<VariantId>, std::int64_t)> kHold{
    "catalog.hold_shelves",
    R"(
    SELECT s.merchant_id, s.variant_id, s.on_hand - s.reserved AS rest,
           (SELECT v.availability IN ('preorder', 'backorder') FROM variants v
            WHERE v.merchant_id = s.merchant_id AND v.id = s.variant_id) AS waits
    FROM (SELECT merchant_id, id FROM unnest($1::uuid[], $2::uuid[]) AS one (merchant_id, id)
          LIMIT $3::bigint) u
         JOIN stock s ON s.merchant_id = u.merchant_id AND s.variant_id = u.id
    ORDER BY s.variant_id FOR UPDATE OF s)"};

// The caller holds the rows.
const Sql<void(Column<MerchantId>, Column<VariantId>, Column<std::int64_t>, std::int64_t)>
    kSetAside{"catalog.set_aside", R"(
    UPDATE stock s SET reserved = s.reserved + u.quantity
    FROM (SELECT merchant_id, id, quantity
          FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS one (merchant_id, id, quantity)
          LIMIT $4::bigint) u
    WHERE s.merchant_id = u.merchant_id AND s.variant_id = u.id)"};

const Sql<void(Column<MerchantId>, Column<VariantId>, Column<std::int64_t>, std::int64_t)> kTakeAll{
    "catalog.take_all", R"(
    WITH held AS MATERIALIZED (
      SELECT s.merchant_id, s.variant_id, u.quantity
      FROM (SELECT merchant_id, id, quantity
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS one (merchant_id, id, quantity)
            LIMIT $4::bigint) u
           JOIN stock s ON s.merchant_id = u.merchant_id AND s.variant_id = u.id
      ORDER BY s.variant_id FOR UPDATE OF s)
    UPDATE stock s SET on_hand = greatest(s.on_hand - h.quantity, 0),
                       reserved = greatest(s.reserved - h.quantity, 0)
    FROM held h WHERE s.merchant_id = h.merchant_id AND s.variant_id = h.variant_id)"};

using Sums = std::map<std::pair<MerchantId, VariantId>, std::int64_t>;

// A variant may be named twice.
Sums sums_of(const std::vector<Basket>& baskets) {
  Sums sums;
  for (const auto& basket : baskets)
    for (const auto& item : basket.items) sums[{basket.merchant, item.variant_id}] += item.quantity;
  return sums;
}

struct Columns {
  explicit Columns(const Sums& sums) {
    for (const auto& [key, quantity] : sums) {
      merchants.push_back(key.first);
      variants.push_back(key.second);
      quantities.push_back(quantity);
    }
  }
  Column<MerchantId> merchants;
  Column<VariantId> variants;
  Column<std::int64_t> quantities;
};

}  // namespace

Shelves::Shelves(Tx& tx, const std::vector<Basket>& wanted) {
  const Columns columns(sums_of(wanted));
  const auto count = std::ssize(columns.merchants);
  if (count == 0) return;
  for (const auto& row : tx.all(kHold, columns.merchants, columns.variants, count))
    rows_[{row.merchant_id, row.variant_id}] = {row.rest, 0, row.waits};
}

Reserved Shelves::reserve(const Basket& basket) {
  Reserved out;
  const auto sums = sums_of({basket});
  for (const auto& [key, quantity] : sums) {
    const auto row = rows_.find(key);
    if (row == rows_.end()) continue;  // nobody counts it
    const auto left = row->second.rest - row->second.taken;
    if (left < quantity && !row->second.waits) out.lacking.push_back({key.second, left});
    const auto held = std::min(quantity, left);
    if (held > 0) out.held.push_back({key.second, held});
  }
  if (!out.lacking.empty()) out.held.clear();
  for (const auto& item : out.held)
    rows_.at({basket.merchant, item.variant_id}).taken += item.quantity;
  return out;
}

void Shelves::put_back(MerchantId merchant, const std::vector<Item>& held) {
  for (const auto& item : held) rows_.at({merchant, item.variant_id}).taken -= item.quantity;
}

void Shelves::write(Tx& tx) {
  Sums taken;
  std::map<MerchantId, std::vector<VariantId>> gone;
  for (auto& [key, row] : rows_) {
    if (row.taken == 0) continue;
    taken[key] = row.taken;
    row.rest -= row.taken;
    row.taken = 0;
    if (row.rest == 0) gone[key.first].push_back(key.second);
  }
  if (taken.empty()) return;
  const Columns columns(taken);
  tx.run(kSetAside, columns.merchants, columns.variants, columns.quantities,
         std::ssize(columns.merchants));
  for (const auto& [merchant, variants] : gone) tell_index_of(tx, merchant, variants);
}

void take(Tx& tx, const std::vector<Basket>& held) {
  const Columns columns(sums_of(held));
  if (columns.merchants.empty()) return;
  tx.run(kTakeAll, columns.merchants, columns.variants, columns.quantities,
         std::ssize(columns.merchants));
}

}  // namespace bottega::catalog
