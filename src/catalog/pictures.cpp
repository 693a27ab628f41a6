// The pictures of products that are the shop's own files: a file is kept for as long as a product
// shows it.
#include "catalog/rows.hpp"
#include "bottega/attachments/attachments.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

const Sql<AttachmentId(MerchantId, ProductId)> kPictures{"catalog.pictures", R"(
    SELECT attachment_id FROM product_pictures WHERE merchant_id = $1 AND product_id = $2
    ORDER BY attachment_id)"};

const Sql<void(MerchantId, ProductId)> kClear{"catalog.clear_pictures", R"(
    DELETE FROM product_pictures WHERE merchant_id = $1 AND product_id = $2)"};

const Sql<void(MerchantId, ProductId, std::vector<AttachmentId>)> kFill{"catalog.fill_pictures", R"(
    INSERT INTO product_pictures (merchant_id, attachment_id, product_id)
    SELECT $1, u.id, $2 FROM unnest($3::uuid[]) AS u (id))"};

// Those of the files that no product shows any more.
const Sql<AttachmentId(MerchantId, std::vector<AttachmentId>)> kOrphans{"catalog.orphans", R"(
    SELECT u.id FROM unnest($2::uuid[]) AS u (id)
    WHERE NOT EXISTS (SELECT FROM product_pictures p
                      WHERE p.merchant_id = $1 AND p.attachment_id = u.id))"};

const Sql<ProductId(MerchantId, AttachmentId)> kShownBy{"catalog.shown_by", R"(
    SELECT f.product_id
    FROM product_pictures f
         JOIN products p ON p.merchant_id = $1 AND p.id = f.product_id AND p.state = 'published'
    WHERE f.merchant_id = $1 AND f.attachment_id = $2 LIMIT 1)"};

// Each file once, with the first place that names it.
using Wanted = std::map<AttachmentId, std::string>;

Wanted wanted_of(const ProductRow& row, const std::vector<Variant>& variants,
                 std::string_view variant_pointer) {
  Wanted out;
  const auto add = [&](const Image& image, const std::string& pointer) {
    if (image.attachment_id) out.emplace(*image.attachment_id, pointer);
  };
  for (std::size_t i = 0; i < row.images.size(); ++i)
    add(row.images.items[i], "/images/" + std::to_string(i));
  for (std::size_t i = 0; i < variants.size(); ++i)
    if (variants[i].image)
      add(*variants[i].image, variant_pointer.empty() ? "/variants/" + std::to_string(i) + "/image"
                                                      : std::string(variant_pointer));
  return out;
}

void require_taken(const Wanted& wanted, const std::vector<AttachmentId>& taken) {
  Faults faults;
  for (const auto& [id, pointer] : wanted)
    if (std::ranges::find(taken, id) == taken.end())
      faults.push_back(
          {pointer + "/attachment_id", "is no picture that was uploaded for the shop"});
  if (!faults.empty()) refuse(std::move(faults));
}

void show(Tx& tx, const ProductRow& row, const Wanted& wanted) {
  const auto before = tx.all(kPictures, row.merchant_id, row.id);
  std::vector<AttachmentId> after;
  for (const auto& [id, pointer] : wanted) after.push_back(id);
  if (before == after) return;
  // All of them are held, so that nobody takes up what is let go of here.
  auto touched = after;
  touched.insert(touched.end(), before.begin(), before.end());
  require_taken(wanted, attachments::take_for_shop(tx, row.merchant_id, touched));
  tx.run(kClear, row.merchant_id, row.id);
  if (!after.empty()) tx.run(kFill, row.merchant_id, row.id, after);
  attachments::remove(tx, row.merchant_id, tx.all(kOrphans, row.merchant_id, before));
}

}  // namespace

void take_pictures(Tx& tx, const ProductRow& product, const std::vector<Variant>& variants,
                   std::string_view variant_pointer) {
  show(tx, product, wanted_of(product, variants, variant_pointer));
}

void let_go_of_pictures(Tx& tx, const ProductRow& product) { show(tx, product, {}); }

bool is_shown(Tx& tx, MerchantId merchant, AttachmentId id) {
  return tx.find(kShownBy, merchant, id).has_value();
}

}  // namespace bottega::catalog
