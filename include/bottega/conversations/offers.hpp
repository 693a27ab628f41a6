#pragma once
// What a message offers, or asks about: a product, products in sections, or the whole catalogue. A
// sender names products; what is written was looked up when it was sent, and stays as it was then.
#include "bottega/attachments/attachments.hpp"
#include "bottega/core/id.hpp"
#include "bottega/core/money.hpp"

namespace bottega::conversations {

// The same ids as in `catalog`.
using ProductId = Id<"prod">;
using VariantId = Id<"var">;

inline constexpr std::size_t kSectionsMax = 10, kOfferedMax = 30;

// ---- what a sender names ------------------------------------------------------------------------

// One of the two.
struct ProductRef {
  std::optional<ProductId> product_id;
  std::optional<VariantId> variant_id;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(ProductRef, (), (product_id, variant_id))

struct NewSection {
  Line<1, 24> title;
  List<ProductId, 1, kOfferedMax> product_ids;
};
BOOST_DESCRIBE_STRUCT(NewSection, (), (title, product_ids))

struct NewProductList {
  Line<1, 60> header;
  List<NewSection, 1, kSectionsMax> sections;
  // At most kOfferedMax products in all, each once.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewProductList, (), (header, sections))

// ---- what is written ----------------------------------------------------------------------------

struct OfferedImage {
  std::optional<std::string> url;
  std::optional<attachments::AttachmentId> attachment_id;
};
BOOST_DESCRIBE_STRUCT(OfferedImage, (), (url, attachment_id))

struct OfferedOption {
  std::string name, value;
};
BOOST_DESCRIBE_STRUCT(OfferedOption, (), (name, value))

// A product as it was offered: this variant, or the product as a whole with the variant that cost
// least. `version` is the product's then.
struct Offered {
  ProductId product_id;
  std::int64_t version = 0;
  std::optional<VariantId> variant_id;
  std::string title;
  std::optional<std::string> sku;
  std::vector<OfferedOption> options;  // of the variant, where that one is offered
  std::optional<OfferedImage> image;
  std::optional<Money> price, compare_at;
  std::optional<Money> highest;  // what the dearest variant cost, where several are offered
  std::int64_t variants = 1;     // how many there are to choose from
};
BOOST_DESCRIBE_STRUCT(Offered, (),
                      (product_id, version, variant_id, title, sku, options, image, price,
                       compare_at, highest, variants))

struct OfferedSection {
  std::string title;
  std::vector<Offered> products;
};
BOOST_DESCRIBE_STRUCT(OfferedSection, (), (title, products))

struct OfferedList {
  std::string header;
  std::vector<OfferedSection> sections;
};
BOOST_DESCRIBE_STRUCT(OfferedList, (), (header, sections))

// Clients browse it with GET /v1/conversations/{id}/products.
struct OfferedCatalogue {
  std::string title;
};
BOOST_DESCRIBE_STRUCT(OfferedCatalogue, (), (title))

// One of them, with the text for clients that know nothing of products.
struct Offer {
  std::optional<Offered> product;
  std::optional<OfferedList> products;
  std::optional<OfferedCatalogue> catalogue;
  std::optional<Offered> about;  // what the buyer asks about
  std::optional<std::string> fallback;
};
BOOST_DESCRIBE_STRUCT(Offer, (), (product, products, catalogue, about, fallback))

}  // namespace bottega::conversations
