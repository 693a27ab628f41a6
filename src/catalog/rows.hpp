#pragma once
// Rows of the catalogue as the statements of this module read them.
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {

// A product without its variants.
struct ProductRow {
  ProductId id;
  MerchantId merchant_id;
  std::string handle;
  std::int64_t version = 0;
  State state{};
  std::string title, description;
  std::optional<std::string> brand;
  Condition condition{};
  std::optional<std::string> category, google_category, url;
  Images images;
  OptionNames option_names;
  std::string tax_class;
  bool needs_shipping = true;
  Instant created_at{}, updated_at{};
  std::optional<Instant> published_at;
};
BOOST_DESCRIBE_STRUCT(ProductRow, (),
                      (id, merchant_id, handle, version, state, title, description, brand,
                       condition, category, google_category, url, images, option_names, tax_class,
                       needs_shipping, created_at, updated_at, published_at))

// Locks the product for an edit of this version by whoever may edit; its variants are only changed
// under this lock. Throws Error(not_found), (forbidden), (precondition_failed).
ProductRow lock_for_edit(Tx& tx, const Who& who, ProductId id, std::int64_t version);
// Throws Error(precondition_failed) unless they are the same.
void require_version(std::int64_t current, std::int64_t given);
// Raises the version after an edit of the variants, and has the index follow; answers the product.
Product finish_edit(Tx& tx, const ProductRow& row);
std::vector<Variant> variants_of(Tx& tx, MerchantId merchant, ProductId product);
Product with_variants(const ProductRow& row, std::vector<Variant> variants);

// The product of a variant; throws Error(not_found).
ProductId product_of(Tx& tx, MerchantId merchant, VariantId id);

// What is there as an edit would write it, so that an edit can be merged with it.
Json fields_of(const ProductRow& row);
Json fields_of(const Variant& variant);

// Throws Error(invalid) that points below the prefix at each SKU that is another variant's.
void insert_variants(Tx& tx, const ProductRow& product, const std::vector<NewVariant>& given,
                     const std::string& prefix, std::int64_t first_position = 0);
// All pictures of a product after an edit: takes what they name of the shop's own files, and lets
// go of what they name no more. Throws Error(invalid) that points at each that is none. Where they
// were given, pictures of variants stand at `variant_pointer`, or below /variants.
void take_pictures(Tx& tx, const ProductRow& product, const std::vector<Variant>& variants,
                   std::string_view variant_pointer = "");
void let_go_of_pictures(Tx& tx, const ProductRow& product);

// Throws Error(invalid) with each thing that keeps a buyer from buying it.
void require_sellable(Tx& tx, const Product& product);
// Adds a fault for each name that is there twice.
void check_names(const OptionNames& names, Faults& faults, const std::string& pointer);
// Adds a fault where the values do not fit the names.
void check_options(const OptionNames& names, const OptionValues& values, Faults& faults,
                   const std::string& pointer);
// Has the index follow the stock of a variant, a moment later.
void tell_index_of(Tx& tx, MerchantId merchant, const std::vector<VariantId>& ids);
[[noreturn]] void refuse(Faults faults);

}  // namespace bottega::catalog
