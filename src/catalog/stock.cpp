// The stock, in the path of every sale: the rows of all that is bought are locked in the order of
// their ids, so that two sales of the same things wait for each other and never in a circle.
#include "bottega/catalog/stock.hpp"

#include <algorithm>

namespace bottega::catalog {
namespace {

struct Taken {
  VariantId variant_id;
  std::int64_t quantity = 0;  // that was asked for
  std::int64_t rest = 0;      // that was there before
  bool waits = false;         // it is sold before it is there
};
BOOST_DESCRIBE_STRUCT(Taken, (), (variant_id, quantity, rest, waits))

using Quantities = std::vector<std::int64_t>;

// What is locked is read as it is by then, also where another has changed it while this waited. It
// is decided upon here and written by a statement of its own: within one, PostgreSQL reads some of
// it as it was before (READ COMMITTED looks again only at the row that is updated).
const Sql<Taken(MerchantId, std::vector<VariantId>, Quantities)> kHold{"catalog.hold_bought", R"(
    WITH asked AS MATERIALIZED (
      SELECT u.id, sum(u.quantity)::bigint AS quantity
      FROM unnest($2::uuid[], $3::bigint[]) AS u (id, quantity) GROUP BY u.id),
    held AS MATERIALIZED (
      SELECT s.variant_id, a.quantity, s.on_hand - s.reserved AS rest
      FROM asked a JOIN stock s ON s.merchant_id = $1 AND s.variant_id = a.id
      ORDER BY s.variant_id FOR UPDATE OF s)
    SELECT h.variant_id, h.quantity, h.rest, v.availability IN ('preorder', 'backorder') AS waits
    FROM held h
         CROSS JOIN LATERAL (
           SELECT x.availability FROM variants x
           WHERE x.merchant_id = $1 AND x.id = h.variant_id OFFSET 0) v)"};

const Sql<void(MerchantId, std::vector<VariantId>, Quantities)> kReserve{"catalog.reserve", R"(
    UPDATE stock s SET reserved = s.reserved + u.quantity
    FROM unnest($2::uuid[], $3::bigint[]) AS u (id, quantity)
    WHERE s.merchant_id = $1 AND s.variant_id = u.id AND s.variant_id = ANY ($2::uuid[]))"};

const Sql<Taken(MerchantId, std::vector<VariantId>, Quantities)> kRelease{"catalog.release", R"(
    WITH asked AS MATERIALIZED (
      SELECT u.id, sum(u.quantity)::bigint AS quantity
      FROM unnest($2::uuid[], $3::bigint[]) AS u (id, quantity) GROUP BY u.id),
    held AS MATERIALIZED (
      SELECT s.variant_id, a.quantity, s.on_hand - s.reserved AS rest
      FROM asked a JOIN stock s ON s.merchant_id = $1 AND s.variant_id = a.id
      ORDER BY s.variant_id FOR UPDATE OF s),
    done AS (
      UPDATE stock s SET reserved = greatest(s.reserved - h.quantity, 0)
      FROM held h WHERE s.merchant_id = $1 AND s.variant_id = h.variant_id)
    SELECT variant_id, quantity, rest, false AS waits FROM held)"};

const Sql<Taken(MerchantId, std::vector<VariantId>, Quantities)> kTake{"catalog.take", R"(
    WITH asked AS MATERIALIZED (
      SELECT u.id, sum(u.quantity)::bigint AS quantity
      FROM unnest($2::uuid[], $3::bigint[]) AS u (id, quantity) GROUP BY u.id),
    held AS MATERIALIZED (
      SELECT s.variant_id, a.quantity, s.on_hand - s.reserved AS rest
      FROM asked a JOIN stock s ON s.merchant_id = $1 AND s.variant_id = a.id
      ORDER BY s.variant_id FOR UPDATE OF s),
    done AS (
      UPDATE stock s SET on_hand = greatest(s.on_hand - h.quantity, 0),
                         reserved = greatest(s.reserved - h.quantity, 0)
      FROM held h WHERE s.merchant_id = $1 AND s.variant_id = h.variant_id)
    SELECT variant_id, quantity, rest, false AS waits FROM held)"};

const Sql<Taken(MerchantId, std::vector<VariantId>, Quantities)> kPutBack{"catalog.put_back", R"(
    WITH asked AS MATERIALIZED (
      SELECT u.id, sum(u.quantity)::bigint AS quantity
      FROM unnest($2::uuid[], $3::bigint[]) AS u (id, quantity) GROUP BY u.id),
    held AS MATERIALIZED (
      SELECT s.variant_id, a.quantity, s.on_hand - s.reserved AS rest
      FROM asked a JOIN stock s ON s.merchant_id = $1 AND s.variant_id = a.id
      ORDER BY s.variant_id FOR UPDATE OF s),
    done AS (
      UPDATE stock s SET on_hand = least(s.on_hand + h.quantity, 1000000000)
      FROM held h WHERE s.merchant_id = $1 AND s.variant_id = h.variant_id)
    SELECT variant_id, quantity, rest, false AS waits FROM held)"};

// The index says whether there are any. It is only told when the last piece goes or the first one
// comes, and follows a moment later.
const Sql<void(MerchantId, std::vector<VariantId>, Instant)> kTellIndex{"catalog.tell_index", R"(
    WITH held AS MATERIALIZED (
      SELECT i.product_id
      FROM product_index i
      WHERE i.merchant_id = $1 AND i.product_id IN (
        SELECT v.product_id FROM variants v WHERE v.merchant_id = $1 AND v.id = ANY ($2::uuid[]))
      ORDER BY i.product_id FOR UPDATE)
    UPDATE product_index i SET changes_at = least(i.changes_at, $3) FROM held h
    WHERE i.merchant_id = $1 AND i.product_id = h.product_id)"};

std::vector<Taken> all(Tx& tx, const auto& statement, MerchantId merchant,
                       const std::vector<Item>& items) {
  if (items.empty()) return {};
  std::vector<VariantId> ids;
  Quantities quantities;
  for (const auto& item : items) {
    ids.push_back(item.variant_id);
    quantities.push_back(item.quantity);
  }
  return tx.all(statement, merchant, ids, quantities);
}

void tell_index(Tx& tx, MerchantId merchant, const std::vector<VariantId>& ids) {
  if (!ids.empty()) tx.run(kTellIndex, merchant, ids, tx.now());
}

// Of those that there were none of, there are some now.
void tell_of_first(Tx& tx, MerchantId merchant, const std::vector<Taken>& rows) {
  std::vector<VariantId> ids;
  for (const auto& row : rows)
    if (row.rest == 0) ids.push_back(row.variant_id);
  tell_index(tx, merchant, ids);
}

}  // namespace

Reserved reserve(Tx& tx, MerchantId merchant, const std::vector<Item>& items) {
  const auto rows = all(tx, kHold, merchant, items);
  Reserved out;
  for (const auto& row : rows)
    if (row.rest < row.quantity && !row.waits) out.lacking.push_back({row.variant_id, row.rest});
  if (!out.lacking.empty()) return out;
  std::vector<VariantId> ids, gone;
  Quantities quantities;
  for (const auto& row : rows) {
    // Of what is sold before it is there, as much is set aside as there is.
    const auto held = std::min(row.quantity, row.rest);
    if (held == 0) continue;
    out.held.push_back({row.variant_id, held});
    ids.push_back(row.variant_id);
    quantities.push_back(held);
    if (held == row.rest) gone.push_back(row.variant_id);
  }
  if (!ids.empty()) tx.run(kReserve, merchant, ids, quantities);
  tell_index(tx, merchant, gone);
  return out;
}

void release(Tx& tx, MerchantId merchant, const std::vector<Item>& held) {
  tell_of_first(tx, merchant, all(tx, kRelease, merchant, held));
}

void take(Tx& tx, MerchantId merchant, const std::vector<Item>& held) {
  all(tx, kTake, merchant, held);
}

void put_back(Tx& tx, MerchantId merchant, const std::vector<Item>& held) {
  tell_of_first(tx, merchant, all(tx, kPutBack, merchant, held));
}

void tell_index_of(Tx& tx, MerchantId merchant, const std::vector<VariantId>& ids) {
  tell_index(tx, merchant, ids);
}

}  // namespace bottega::catalog
