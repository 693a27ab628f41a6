// Products: made as drafts, edited by version, published when a buyer can buy them.
#include "catalog/rows.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

using Title = Line<1, 150>;
using Description = Text<0, 9'999>;
using Brand = std::optional<Line<1, 70>>;
using Path = std::optional<Category>;
using GoogleCategory = std::optional<Line<1, 100>>;
using Url = std::optional<WebUrl>;

const Sql<ProductRow(MerchantId, ProductId, std::string, Title, Description, Brand, Condition, Path,
                     GoogleCategory, Url, Images, OptionNames, TaxClass, bool, Instant)>
    kInsert{"catalog.insert_product", R"(
    INSERT INTO products (merchant_id, id, handle, state, title, description, brand, condition,
                          category, google_category, url, images, option_names, tax_class,
                          needs_shipping, created_at, updated_at)
    VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
    ON CONFLICT (merchant_id, handle) DO NOTHING
    RETURNING id, merchant_id, handle, version, state, title, description, brand, condition,
              category, google_category, url, images, option_names, tax_class, needs_shipping,
              created_at, updated_at, published_at)"};

const Sql<ProductRow(MerchantId, ProductId)> kFetch{"catalog.fetch_product", R"(
    SELECT id, merchant_id, handle, version, state, title, description, brand, condition, category,
           google_category, url, images, option_names, tax_class, needs_shipping, created_at,
           updated_at, published_at
    FROM products WHERE merchant_id = $1 AND id = $2)"};

const Sql<ProductRow(MerchantId, ProductId)> kLock{"catalog.lock_product", R"(
    SELECT id, merchant_id, handle, version, state, title, description, brand, condition, category,
           google_category, url, images, option_names, tax_class, needs_shipping, created_at,
           updated_at, published_at
    FROM products WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<ProductRow(MerchantId, ProductId, Handle, Title, Description, Brand, Condition, Path,
                     GoogleCategory, Url, Images, OptionNames, TaxClass, bool, Instant)>
    kUpdate{"catalog.update_product", R"(
    UPDATE products
    SET handle = $3, title = $4, description = $5, brand = $6, condition = $7, category = $8,
        google_category = $9, url = $10, images = $11, option_names = $12, tax_class = $13,
        needs_shipping = $14, updated_at = $15, version = version + 1
    WHERE merchant_id = $1 AND id = $2
      AND NOT EXISTS (SELECT FROM products o
                      WHERE o.merchant_id = $1 AND o.handle = $3 AND o.id <> $2)
    RETURNING id, merchant_id, handle, version, state, title, description, brand, condition,
              category, google_category, url, images, option_names, tax_class, needs_shipping,
              created_at, updated_at, published_at)"};

const Sql<ProductRow(MerchantId, ProductId, State, std::optional<Instant>, Instant)> kSetState{
    "catalog.set_product_state", R"(
    UPDATE products SET state = $3, published_at = $4, updated_at = $5, version = version + 1
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, merchant_id, handle, version, state, title, description, brand, condition,
              category, google_category, url, images, option_names, tax_class, needs_shipping,
              created_at, updated_at, published_at)"};

const Sql<ProductRow(MerchantId, ProductId, Instant)> kRaise{"catalog.raise_version", R"(
    UPDATE products SET updated_at = $3, version = version + 1
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, merchant_id, handle, version, state, title, description, brand, condition,
              category, google_category, url, images, option_names, tax_class, needs_shipping,
              created_at, updated_at, published_at)"};

const Sql<VariantId(MerchantId, ProductId)> kRemoveVariants{"catalog.remove_variants", R"(
    DELETE FROM variants WHERE merchant_id = $1 AND product_id = $2 RETURNING id)"};

// They have one product less.
const Sql<void(MerchantId, ProductId, Instant)> kRaiseCollections{"catalog.raise_collections", R"(
    UPDATE collections SET updated_at = $3, version = version + 1
    WHERE merchant_id = $1 AND id IN (
      SELECT collection_id FROM collection_products WHERE merchant_id = $1 AND product_id = $2))"};

const Sql<void(MerchantId, ProductId)> kRemove{"catalog.remove_product", R"(
    DELETE FROM products WHERE merchant_id = $1 AND id = $2)"};

// What somebody who names no handle calls the product: the SKU, as their own books do.
std::optional<std::string> handle_of(const NewProduct& given) {
  if (given.handle) return given.handle->value;
  if (given.variants && given.variants->size() > 0) return given.variants->items[0].sku.value;
  return std::nullopt;
}

std::optional<ProductRow> insert(Tx& tx, const NewProduct& given, ProductId id,
                                 const std::string& handle) {
  return tx.find(kInsert, given.merchant_id, id, handle, given.title,
                 given.description.value_or(Description{}), given.brand,
                 given.condition.value_or(Condition::brand_new), given.category,
                 given.google_category, given.url, given.images.value_or(Images{}),
                 given.option_names.value_or(OptionNames{}),
                 given.tax_class.value_or(TaxClass{"standard"}),
                 given.needs_shipping.value_or(true), tx.now());
}

ProductRow insert(Tx& tx, const NewProduct& given) {
  const auto id = ProductId::make();
  const auto own = text_of(id);
  auto row = insert(tx, given, id, handle_of(given).value_or(own));
  // Nobody asked for that one.
  if (!row && !given.handle) row = insert(tx, given, id, own);
  if (!row) refuse({{"/handle", "is another product's already"}});
  identity::enter_directory(tx, id.uuid, given.merchant_id);
  return *std::move(row);
}

ProductRow update(Tx& tx, const ProductRow& row, const NewProduct& next) {
  auto changed = tx.find(
      kUpdate, row.merchant_id, row.id, next.handle.value(), next.title,
      next.description.value_or(Description{}), next.brand,
      next.condition.value_or(Condition::brand_new), next.category, next.google_category, next.url,
      next.images.value_or(Images{}), next.option_names.value_or(OptionNames{}),
      next.tax_class.value_or(TaxClass{"standard"}), next.needs_shipping.value_or(true), tx.now());
  if (!changed) refuse({{"/handle", "is another product's already"}});
  return *std::move(changed);
}

// What is published stays fit to be bought; pictures and the index follow.
Product settle(Tx& tx, const ProductRow& row, std::string_view variant_pointer = "") {
  auto product = with_variants(row, variants_of(tx, row.merchant_id, row.id));
  take_pictures(tx, row, product.variants, variant_pointer);
  if (row.state == State::published) require_sellable(tx, product);
  index(tx, row.merchant_id, {row.id});
  return product;
}

}  // namespace

void require_editor(Tx& tx, const Who& who, MerchantId merchant) {
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::catalog);
}

bool sees_all(Tx& tx, const Who& who, MerchantId merchant) {
  const auto may = [&](identity::Scope scope) {
    return identity::is_member(tx, who, merchant, identity::Role::agent, scope);
  };
  return may(identity::Scope::read) ||
         (who.kind == identity::Kind::api_key && may(identity::Scope::catalog));
}

void require_version(std::int64_t current, std::int64_t given) {
  if (current != given)
    throw Error(Code::precondition_failed,
                "this is version " + std::to_string(current) + " now; read it again");
}

ProductRow lock_for_edit(Tx& tx, const Who& who, ProductId id, std::int64_t version) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  auto row = tx.one(kLock, merchant, id);
  require_version(row.version, version);
  return row;
}

Product finish_edit(Tx& tx, const ProductRow& row) {
  return settle(tx, tx.one(kRaise, row.merchant_id, row.id, tx.now()), "/image");
}

Product create(Tx& tx, const Who& who, const NewProduct& given) {
  require_editor(tx, who, given.merchant_id);
  const auto row = insert(tx, given);
  if (given.variants) insert_variants(tx, row, given.variants->items, "/variants");
  return settle(tx, row);
}

Product change(Tx& tx, const Who& who, ProductId id, std::int64_t version, const Json& edit) {
  from_json<ChangedProduct>(edit);
  const auto row = lock_for_edit(tx, who, id, version);
  auto merged = fields_of(row);
  merged.merge_patch(edit);
  auto next = from_json<NewProduct>(merged);
  if (!next.handle) next.handle = Handle{row.handle};
  const auto changed = update(tx, row, next);
  return settle(tx, changed);
}

Product move(Tx& tx, const Who& who, ProductId id, std::int64_t version, Event on) {
  auto row = lock_for_edit(tx, who, id, version);
  const auto state = kLifecycle.advance(row.state, on);
  if (state == State::published && !row.published_at) row.published_at = tx.now();
  return settle(tx, tx.one(kSetState, row.merchant_id, row.id, state, row.published_at, tx.now()));
}

void remove(Tx& tx, const Who& who, ProductId id, std::int64_t version) {
  const auto row = lock_for_edit(tx, who, id, version);
  if (row.state != State::draft || row.published_at)
    throw Error(Code::conflict, "what was published is archived, and not removed");
  for (const auto& variant : tx.all(kRemoveVariants, row.merchant_id, id))
    identity::leave_directory(tx, variant.uuid);
  let_go_of_pictures(tx, row);
  tx.run(kRaiseCollections, row.merchant_id, id, tx.now());
  tx.run(kRemove, row.merchant_id, id);
  identity::leave_directory(tx, id.uuid);
}

Product fetch(Tx& tx, const Who& who, ProductId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  const auto row = tx.one(kFetch, merchant, id);
  if (row.state != State::published && !sees_all(tx, who, merchant))
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return with_variants(row, variants_of(tx, merchant, id));
}

Product fetch_of_variant(Tx& tx, const Who& who, VariantId id) {
  return fetch(tx, who, product_of(tx, identity::merchant_of(tx, id.uuid), id));
}

}  // namespace bottega::catalog
