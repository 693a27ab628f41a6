#include "catalog/feed_writer.hpp"
#include "bottega/catalog/feeds.hpp"

namespace bottega::catalog {
namespace {

constexpr std::int64_t kPage = 500;

// In the order of variants_product, from behind a variant on.
const Sql<FeedLine(MerchantId, ProductId, std::int64_t, VariantId, std::int64_t)> kLines{
    "catalog.feed_lines", R"(
    WITH page AS MATERIALIZED (
      SELECT x.product_id, x.id, x.position, x.sku, x.options, x.gtin, x.mpn, x.prices, x.weight_g,
             x.availability, x.available_at, x.image
      FROM variants x
      WHERE x.merchant_id = $1 AND (x.product_id, x.position, x.id) > ($2, $3::integer, $4)
      ORDER BY x.product_id, x.position, x.id LIMIT $5)
    SELECT v.product_id, p.handle, p.state, p.title, p.description, p.brand, p.condition,
           p.category, p.google_category, p.url, p.images, p.option_names, p.tax_class,
           p.needs_shipping, v.id AS variant_id, v.position, v.sku, v.options, v.gtin, v.mpn,
           v.prices, v.weight_g, v.availability, v.available_at, v.image, s.on_hand
    FROM page v
         CROSS JOIN LATERAL (
           SELECT x.handle, x.state, x.title, x.description, x.brand, x.condition, x.category,
                  x.google_category, x.url, x.images, x.option_names, x.tax_class,
                  x.needs_shipping
           FROM products x WHERE x.merchant_id = $1 AND x.id = v.product_id OFFSET 0) p
         LEFT JOIN LATERAL (
           SELECT x.on_hand FROM stock x
           WHERE x.merchant_id = $1 AND x.variant_id = v.id OFFSET 0) s ON true
    ORDER BY v.product_id, v.position, v.id)"};

struct Page {
  std::string text;
  ProductId product;  // the last one of the page, and so on
  std::int64_t position = -1;
  VariantId variant;
  bool is_last = false;
};

}  // namespace

struct FeedExport::State {
  // What comes behind a page.
  Page after(Tx& tx, const Page& before) const {
    Page out = before;
    out.text.clear();
    const auto lines =
        tx.all(kLines, merchant, before.product, before.position, before.variant, kPage);
    for (const auto& line : lines) {
      const bool is_first = line.product_id != out.product;
      out.text += writer.line(line, is_first ? FeedWriter::Place::first : FeedWriter::Place::later);
      out.product = line.product_id;
      out.position = line.position;
      out.variant = line.variant_id;
    }
    out.is_last = std::ssize(lines) < kPage;
    if (out.is_last) out.text += writer.foot();
    return out;
  }

  Database& db;
  MerchantId merchant;
  std::string shop;
  FeedWriter writer;
  Page page = {};
  bool has_begun = false;
};

FeedExport::FeedExport(Database& db, const identity::Merchant& shop, FeedFormat format)
    : state_(new State{db, shop.id, shop.name, FeedWriter(format, shop.currencies)}) {}

FeedExport::~FeedExport() = default;

asio::awaitable<std::string_view> FeedExport::next() {
  auto& state = *state_;
  if (!state.has_begun) {
    state.has_begun = true;
    state.page.text = state.writer.head(state.shop);
  } else if (state.page.is_last) {
    state.page.text.clear();
  } else {
    state.page = co_await state.db.read([&](Tx& tx) { return state.after(tx, state.page); });
  }
  co_return std::string_view(state.page.text);
}

}  // namespace bottega::catalog
