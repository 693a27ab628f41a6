#include "checkout/items.hpp"

namespace bottega::checkout {
namespace {

const Sql<Stall(ConversationId, AccountId)> kStall{"checkout.stall", R"(
    SELECT c.merchant_id, c.buyer_id, s.name, s.currency, m.account_id IS NOT NULL AS is_member
    FROM directory d
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id
         JOIN merchants s ON s.id = c.merchant_id
         LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $2
    WHERE d.id = $1)"};

std::optional<conversations::OfferedImage> image_of(const std::optional<catalog::Image>& image) {
  if (!image) return std::nullopt;
  conversations::OfferedImage out;
  if (image->url) out.url = image->url->value;
  out.attachment_id = image->attachment_id;
  return out;
}

std::optional<Money> money_of(const std::optional<std::int64_t>& amount, const Currency& currency) {
  if (!amount) return std::nullopt;
  return Money{*amount, currency};
}

}  // namespace

Place place_of(Tx& tx, const Who& who, ConversationId id, identity::Scope scope) {
  const auto stall = tx.one(kStall, id, who.account);
  if (who.kind == identity::Kind::api_key) {
    identity::require_member(tx, who, stall.merchant_id, identity::Role::agent, scope);
    return {stall, Side::merchant};
  }
  if (stall.is_member) return {stall, Side::merchant};
  if (stall.buyer_id == who.account) return {stall, Side::buyer};
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

Offered offered_of(const catalog::Offer& offer, const Currency& currency, Instant now) {
  Offered out;
  out.product_id = offer.product_id;
  out.version = offer.version;
  out.variant_id = offer.variant_id;
  out.title = offer.title;
  out.sku = offer.sku;
  const auto& names = offer.option_names.items;
  for (std::size_t i = 0; i < offer.options.size() && i < names.size(); ++i)
    out.options.push_back({names[i].value, offer.options.items[i].value});
  out.image = image_of(offer.image);
  const auto price = catalog::price_now(offer.prices, currency, now);
  if (!price) return out;
  out.price = Money{price->amount, currency};
  out.compare_at = money_of(price->compare_at, currency);
  return out;
}

Offered offered_of(const catalog::Card& card) {
  Offered out;
  out.product_id = card.product_id;
  out.version = card.version;
  out.variant_id = card.variant_id;
  out.title = card.title;
  out.sku = card.sku;
  out.image = image_of(card.image);
  out.price = money_of(card.amount, card.currency);
  out.compare_at = money_of(card.compare_at, card.currency);
  out.highest = money_of(card.highest, card.currency);
  out.variants = card.variants;
  return out;
}

std::string name_of(const Offered& product) {
  auto out = product.title;
  for (const auto& option : product.options) out += ' ' + option.value;
  return out;
}

}  // namespace bottega::checkout
