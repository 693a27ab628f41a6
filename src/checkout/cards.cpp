#include "bottega/checkout/cards.hpp"

#include <map>

#include "checkout/items.hpp"

namespace bottega::checkout {
namespace {

using namespace conversations;

constexpr const char* kUnknown = "is nothing that this shop has published";

// What is looked up for one message, and what is wrong with it.
struct Lookup {
  Tx& tx;
  const Stall& stall;
  Faults faults = {};
};

// In the shop's default currency, or else in the first that the variant has a price in.
Offered priced(const catalog::Offer& offer, const Currency& currency, Instant now) {
  auto out = offered_of(offer, currency, now);
  if (!out.price && offer.prices.size() > 0)
    out = offered_of(offer, offer.prices.items.front().currency, now);
  return out;
}

std::optional<Offered> find(Lookup& in, const ProductRef& ref, const std::string& pointer) {
  const auto& shop = in.stall;
  if (ref.variant_id) {
    const auto found = catalog::offer(in.tx, shop.merchant_id, {*ref.variant_id});
    if (!found.empty()) return priced(found.front(), shop.currency, in.tx.now());
    in.faults.push_back({pointer + "/variant_id", kUnknown});
    return std::nullopt;
  }
  const auto found =
      catalog::cards(in.tx, shop.merchant_id, {ref.product_id.value()}, shop.currency);
  if (!found.empty()) return offered_of(found.front());
  in.faults.push_back({pointer + "/product_id", kUnknown});
  return std::nullopt;
}

OfferedList find(Lookup& in, const NewProductList& given) {
  std::vector<ProductId> ids;
  for (const auto& section : given.sections)
    ids.insert(ids.end(), section.product_ids.begin(), section.product_ids.end());
  std::map<ProductId, Offered> found;
  for (const auto& card : catalog::cards(in.tx, in.stall.merchant_id, ids, in.stall.currency))
    found.emplace(card.product_id, offered_of(card));
  OfferedList out{given.header.value, {}};
  for (std::size_t i = 0; i < given.sections.size(); ++i) {
    const auto& section = given.sections.items[i];
    out.sections.push_back({section.title.value, {}});
    for (std::size_t j = 0; j < section.product_ids.size(); ++j) {
      const auto one = found.find(section.product_ids.items[j]);
      if (one != found.end())
        out.sections.back().products.push_back(one->second);
      else
        in.faults.push_back(
            {"/products/sections/" + std::to_string(i) + "/product_ids/" + std::to_string(j),
             kUnknown});
    }
  }
  return out;
}

std::string words_of(const Offered& product) {
  return name_of(product) + (product.price ? ", " + display(*product.price) : "");
}

std::string words_of(const OfferedList& list) {
  auto out = list.header;
  const char* before = ": ";
  for (const auto& section : list.sections)
    for (const auto& product : section.products)
      out += std::exchange(before, "; ") + words_of(product);
  return out;
}

Offer look_up(Lookup& in, const NewMessage& given) {
  Offer out;
  if (given.product) {
    out.product = find(in, *given.product, "/product");
    if (out.product) out.fallback = words_of(*out.product);
  }
  if (given.products) {
    out.products = find(in, *given.products);
    out.fallback = words_of(*out.products);
  }
  if (given.catalogue) {
    out.catalogue = OfferedCatalogue{in.stall.name};
    out.fallback = "The catalogue of " + in.stall.name;
  }
  if (given.about) {
    out.about = find(in, *given.about, "/about");
    if (out.about) out.fallback = "About " + words_of(*out.about);
  }
  return out;
}

void require_side(Side side, const NewMessage& given) {
  if (side == Side::buyer && !given.about)
    throw Error(Code::forbidden, "only the shop offers; ask with `about`");
  if (side == Side::merchant && given.about)
    throw Error(Code::forbidden, "only the buyer asks about a product; offer it with `product`");
}

}  // namespace

Prepared prepare(Tx& tx, const Who& who, ConversationId id, NewMessage given) {
  if (!has_offer(given)) return {std::move(given), std::nullopt};
  const auto place = place_of(tx, who, id, identity::Scope::chat);
  require_side(place.side, given);
  Lookup in{tx, place.stall};
  auto offer = look_up(in, given);
  if (in.faults.empty()) {
    given.offer = std::move(offer);
    return {std::move(given), std::nullopt};
  }
  // A message that was written is answered as it was then, whatever has become of the product.
  if (auto sent = find_sent(tx, who, id, given)) return {std::move(given), std::move(sent)};
  const auto count = std::to_string(in.faults.size());
  throw Error(Code::invalid, count + " field(s) are not valid", std::move(in.faults));
}

}  // namespace bottega::checkout
