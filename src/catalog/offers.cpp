// What is offered: one statement each, for it is read with every card and every sale. The rows are
// looked up by their keys one after the other (OFFSET 0 keeps it so), whatever the tables hold.
#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {
namespace {

// The limit says how many they are (see conversations.write_entries).
const Sql<Offer(std::vector<MerchantId>, std::vector<VariantId>, std::int64_t)> kOffers{
    "catalog.offers", R"(
    SELECT u.merchant_id, v.id AS variant_id, v.product_id, p.state, p.version, p.title, v.sku,
           coalesce(v.image, p.images -> 0) AS image, p.option_names, v.options, v.prices,
           v.availability, v.available_at, coalesce(v.weight_g, 0) AS weight_g, p.tax_class,
           p.needs_shipping, s.rest AS left
    FROM (SELECT merchant_id, id, place
          FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS one (merchant_id, id, place)
          LIMIT $3::bigint) u
         CROSS JOIN LATERAL (
           SELECT x.id, x.product_id, x.sku, x.image, x.options, x.prices, x.availability,
                  x.available_at, x.weight_g
           FROM variants x WHERE x.merchant_id = u.merchant_id AND x.id = u.id OFFSET 0) v
         CROSS JOIN LATERAL (
           SELECT x.state, x.version, x.title, x.images, x.option_names, x.tax_class,
                  x.needs_shipping
           FROM products x
           WHERE x.merchant_id = u.merchant_id AND x.id = v.product_id AND x.state = 'published'
           OFFSET 0) p
         LEFT JOIN LATERAL (
           SELECT x.on_hand - x.reserved AS rest
           FROM stock x WHERE x.merchant_id = u.merchant_id AND x.variant_id = u.id OFFSET 0) s
           ON true
    ORDER BY u.place)"};

// A card before its price is worked out of the prices of the variant that it shows.
struct CardRow {
  ProductId product_id;
  State state{};
  std::int64_t version = 0;
  std::string handle, title;
  std::optional<std::string> brand;
  std::optional<Image> image;
  std::optional<VariantId> variant_id;
  std::optional<std::string> sku;
  std::optional<Prices> prices;
  std::optional<std::int64_t> highest;
  std::int64_t variants = 0;
  bool is_available = false;
  std::optional<std::int64_t> left;
};
BOOST_DESCRIBE_STRUCT(CardRow, (),
                      (product_id, state, version, handle, title, brand, image, variant_id, sku,
                       prices, highest, variants, is_available, left))

// The variant that is shown is the cheapest of those that are there.
const Sql<CardRow(MerchantId, std::vector<ProductId>, Currency, Instant, State)> kCards{
    "catalog.cards", R"(
    SELECT p.id AS product_id, p.state, p.version, p.handle, p.title, p.brand,
           coalesce(p.images -> 0, v.image) AS image, v.id AS variant_id, v.sku, v.prices,
           v.highest, coalesce(v.variants, 0) AS variants,
           coalesce(v.is_available, false) AS is_available, v.total AS left
    FROM unnest($2::uuid[]) WITH ORDINALITY AS u (id, place)
         CROSS JOIN LATERAL (
           SELECT x.id, x.state, x.version, x.handle, x.title, x.brand, x.images
           FROM products x WHERE x.merchant_id = $1 AND x.id = u.id AND x.state = $5 OFFSET 0) p
         LEFT JOIN LATERAL (
           SELECT r.id, r.sku, r.image, r.prices, count(*) OVER () AS variants,
                  max(r.amount) OVER () AS highest, bool_or(r.is_there) OVER () AS is_available,
                  CASE WHEN bool_and(r.rest IS NOT NULL) OVER ()
                       THEN (sum(r.rest) OVER ())::bigint END AS total
           FROM (SELECT x.id, x.position, x.sku, x.image, x.prices, s.rest,
                        price_at(x.prices, $3, $4) AS amount,
                        x.availability <> 'out_of_stock'
                          AND (s.rest IS NULL OR s.rest > 0
                               OR x.availability IN ('preorder', 'backorder')) AS is_there
                 FROM variants x
                      LEFT JOIN LATERAL (
                        SELECT y.on_hand - y.reserved AS rest
                        FROM stock y WHERE y.merchant_id = $1 AND y.variant_id = x.id
                        OFFSET 0) s ON true
                 WHERE x.merchant_id = $1 AND x.product_id = p.id) r
           ORDER BY r.amount IS NULL, NOT r.is_there, r.amount, r.position, r.id LIMIT 1) v ON true
    ORDER BY u.place)"};

Card card_of(const CardRow& row, Currency currency, Instant now) {
  Card out{.product_id = row.product_id,
           .state = row.state,
           .version = row.version,
           .handle = row.handle,
           .title = row.title,
           .brand = row.brand,
           .image = row.image,
           .variant_id = row.variant_id,
           .sku = row.sku,
           .currency = currency,
           .amount = std::nullopt,
           .compare_at = std::nullopt,
           .highest = row.highest,
           .variants = row.variants,
           .is_available = row.is_available,
           .left = row.left};
  const auto price = row.prices ? price_now(*row.prices, currency, now) : std::nullopt;
  if (!price) return out;
  out.amount = price->amount;
  out.compare_at = price->compare_at;
  return out;
}

// At most so many characters, the last of which says that there were more.
std::string shortened(const std::string& text, std::size_t most) {
  if (code_points(text) <= most) return text;
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  auto end = text.begin();
  for (std::size_t left = most; left > 0 && end != text.end(); --left)
    end = std::find_if(std::next(end), text.end(), begins);
  end = std::prev(end);
  while (!begins(*end)) --end;
  return std::string(text.begin(), end) + "\u2026";
}

}  // namespace

bool Offer::has(std::int64_t quantity) const {
  if (availability == Availability::out_of_stock) return false;
  if (availability != Availability::in_stock) return true;
  return !left || *left >= quantity;
}

std::string Offer::name(std::size_t most) const {
  constexpr std::size_t kTitleLeast = 40;
  std::string chosen;
  for (const auto& value : options) chosen += ", " + value.value;
  const auto room = most - std::min(most, code_points(chosen));
  return shortened(shortened(title, std::max(room, kTitleLeast)) + chosen, most);
}

std::vector<Offer> offer(Tx& tx, MerchantId merchant, const std::vector<VariantId>& ids) {
  return tx.all(kOffers, std::vector(ids.size(), merchant), ids, std::ssize(ids));
}

std::vector<Offer> offer(Tx& tx, const std::set<std::pair<MerchantId, VariantId>>& wanted) {
  if (wanted.empty()) return {};
  std::vector<MerchantId> merchants;
  std::vector<VariantId> ids;
  for (const auto& [merchant, id] : wanted) {
    merchants.push_back(merchant);
    ids.push_back(id);
  }
  return tx.all(kOffers, merchants, ids, std::ssize(ids));
}

std::vector<Card> cards(Tx& tx, MerchantId merchant, const std::vector<ProductId>& ids,
                        Currency currency, State state) {
  std::vector<Card> out;
  if (ids.empty()) return out;
  for (const auto& row : tx.all(kCards, merchant, ids, currency, tx.now(), state))
    out.push_back(card_of(row, currency, tx.now()));
  return out;
}

}  // namespace bottega::catalog
