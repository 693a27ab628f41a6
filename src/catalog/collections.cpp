// Collections: lists of products that a shop makes, in its order.
#include <algorithm>
#include <set>

#include "catalog/rows.hpp"
#include "bottega/catalog/browse.hpp"

namespace bottega::catalog {
namespace {

const Sql<Collection(MerchantId, CollectionId, std::string, Line<1, 100>,
                     std::optional<Count<0, 9'999>>, Instant)>
    kInsert{"catalog.insert_collection", R"(
    INSERT INTO collections (merchant_id, id, handle, title, position, created_at, updated_at)
    VALUES ($1, $2, $3, $4,
            coalesce($5, (SELECT least(coalesce(max(position) + 1, 0), 9999) FROM collections
                          WHERE merchant_id = $1)), $6, $6)
    ON CONFLICT (merchant_id, handle) DO NOTHING
    RETURNING id, merchant_id, handle, version, title, position, 0 AS products, created_at,
              updated_at)"};

const Sql<Collection(MerchantId, CollectionId)> kFetch{"catalog.fetch_collection", R"(
    SELECT c.id, c.merchant_id, c.handle, c.version, c.title, c.position,
           (SELECT count(*) FROM collection_products p
            WHERE p.merchant_id = $1 AND p.collection_id = $2) AS products,
           c.created_at, c.updated_at
    FROM collections c WHERE c.merchant_id = $1 AND c.id = $2)"};

const Sql<Collection(MerchantId, CollectionId)> kLock{"catalog.lock_collection", R"(
    SELECT id, merchant_id, handle, version, title, position, 0 AS products, created_at, updated_at
    FROM collections WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<void(MerchantId, CollectionId, std::string, std::string, std::int64_t, Instant)> kUpdate{
    "catalog.update_collection", R"(
    UPDATE collections
    SET handle = $3, title = $4, position = $5, updated_at = $6, version = version + 1
    WHERE merchant_id = $1 AND id = $2
      AND NOT EXISTS (SELECT FROM collections o
                      WHERE o.merchant_id = $1 AND o.handle = $3 AND o.id <> $2))"};

const Sql<void(MerchantId, CollectionId)> kRemove{"catalog.remove_collection", R"(
    DELETE FROM collections WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t(MerchantId)> kCount{"catalog.count_collections", R"(
    SELECT count(*) FROM collections WHERE merchant_id = $1)"};

// $3 says whether those without a published product are among them.
const Sql<Collection(MerchantId, std::int64_t, bool)> kList{"catalog.collections", R"(
    SELECT c.id, c.merchant_id, c.handle, c.version, c.title, c.position,
           (SELECT count(*) FROM collection_products p
            WHERE p.merchant_id = $1 AND p.collection_id = c.id) AS products,
           c.created_at, c.updated_at
    FROM collections c
    WHERE c.merchant_id = $1
      AND ($3::boolean OR EXISTS (
             SELECT FROM collection_products p
                  JOIN products x ON x.merchant_id = $1 AND x.id = p.product_id
             WHERE p.merchant_id = $1 AND p.collection_id = c.id AND x.state = 'published'))
    ORDER BY c.position, c.id LIMIT $2)"};

const Sql<ProductId(MerchantId, CollectionId)> kClear{"catalog.clear_collection", R"(
    DELETE FROM collection_products WHERE merchant_id = $1 AND collection_id = $2
    RETURNING product_id)"};

const Sql<ProductId(MerchantId, CollectionId, std::vector<ProductId>)> kFill{
    "catalog.fill_collection", R"(
    INSERT INTO collection_products (merchant_id, collection_id, product_id, position)
    SELECT $1, $2, p.id, u.place - 1
    FROM unnest($3::uuid[]) WITH ORDINALITY AS u (id, place)
         JOIN products p ON p.merchant_id = $1 AND p.id = u.id
    ORDER BY p.id
    RETURNING product_id)"};

const Sql<InCollection(MerchantId, CollectionId, std::int64_t, ProductId, std::int64_t)> kProducts{
    "catalog.products_of_collection", R"(
    SELECT c.product_id, c.position
    FROM collection_products c
         JOIN products p ON p.merchant_id = $1 AND p.id = c.product_id AND p.state = 'published'
    WHERE c.merchant_id = $1 AND c.collection_id = $2 AND (c.position, c.product_id) > ($3, $4)
    ORDER BY c.position, c.product_id LIMIT $5)"};

Faults faults_of(const std::vector<ProductId>& wanted, const std::vector<ProductId>& found) {
  Faults faults;
  const std::set<ProductId> there(found.begin(), found.end());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!there.contains(wanted[i]))
      faults.push_back({"/products/" + std::to_string(i), "is no product of this shop"});
  return faults;
}

Faults twice(const std::vector<ProductId>& wanted) {
  Faults faults;
  std::set<ProductId> seen;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!seen.insert(wanted[i]).second)
      faults.push_back({"/products/" + std::to_string(i), "is in the list already"});
  return faults;
}

// Makes these the products of the collection; the index of all that came or went follows.
void fill(Tx& tx, MerchantId merchant, CollectionId id, const std::vector<ProductId>& wanted) {
  if (auto faults = twice(wanted); !faults.empty()) refuse(std::move(faults));
  const auto before = tx.all(kClear, merchant, id);
  const auto found = tx.all(kFill, merchant, id, wanted);
  if (auto faults = faults_of(wanted, found); !faults.empty()) refuse(std::move(faults));
  const std::set<ProductId> old(before.begin(), before.end()), now(found.begin(), found.end());
  std::vector<ProductId> moved;
  std::ranges::set_symmetric_difference(old, now, std::back_inserter(moved));
  index(tx, merchant, moved);
}

// Throws Error(not_found), (forbidden), (precondition_failed).
Collection lock(Tx& tx, const Who& who, CollectionId id, std::int64_t version) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  auto row = tx.one(kLock, merchant, id);
  require_version(row.version, version);
  return row;
}

}  // namespace

Collection create_collection(Tx& tx, const Who& who, const NewCollection& given) {
  require_editor(tx, who, given.merchant_id);
  if (tx.one(kCount, given.merchant_id) >= static_cast<std::int64_t>(kCollectionsMax))
    throw Error(Code::conflict,
                "a shop has " + std::to_string(kCollectionsMax) + " collections at most");
  const auto id = CollectionId::make();
  const auto handle = given.handle ? given.handle->value : text_of(id);
  const auto row =
      tx.find(kInsert, given.merchant_id, id, handle, given.title, given.position, tx.now());
  if (!row) refuse({{"/handle", "is another collection's already"}});
  identity::enter_directory(tx, id.uuid, given.merchant_id);
  if (given.products) fill(tx, given.merchant_id, id, given.products->items);
  return tx.one(kFetch, given.merchant_id, id);
}

Collection change_collection(Tx& tx, const Who& who, CollectionId id, std::int64_t version,
                             const ChangedCollection& given) {
  const auto row = lock(tx, who, id, version);
  const auto handle = given.handle ? given.handle->value : row.handle;
  const auto title = given.title ? given.title->value : row.title;
  const auto position = given.position ? given.position->value : row.position;
  if (tx.run(kUpdate, row.merchant_id, id, handle, title, position, tx.now()) == 0)
    refuse({{"/handle", "is another collection's already"}});
  if (given.products) fill(tx, row.merchant_id, id, given.products->items);
  return tx.one(kFetch, row.merchant_id, id);
}

void remove_collection(Tx& tx, const Who& who, CollectionId id, std::int64_t version) {
  const auto row = lock(tx, who, id, version);
  fill(tx, row.merchant_id, id, {});
  tx.run(kRemove, row.merchant_id, id);
  identity::leave_directory(tx, id.uuid);
}

Collection fetch_collection(Tx& tx, const Who& who, CollectionId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  if (products_of_collection(tx, merchant, id, std::nullopt, 1).empty() &&
      !sees_all(tx, who, merchant))
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return tx.one(kFetch, merchant, id);
}

std::vector<Collection> list_collections(Tx& tx, const Who& who, MerchantId merchant) {
  return tx.all(kList, merchant, static_cast<std::int64_t>(kCollectionsMax),
                sees_all(tx, who, merchant));
}

std::vector<InCollection> products_of_collection(Tx& tx, MerchantId merchant, CollectionId id,
                                                 std::optional<InCollection> after,
                                                 std::int64_t limit) {
  const auto start = after.value_or(InCollection{ProductId{}, -1});
  return tx.all(kProducts, merchant, id, start.position, start.product_id, limit);
}

}  // namespace bottega::catalog
