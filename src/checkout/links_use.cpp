// Payment links as buyers use them. A use is counted by whoever pays, on the link's row.
#include <algorithm>

#include "checkout/link_rows.hpp"

namespace bottega::checkout {
namespace {

struct Row {
  MerchantId merchant_id;
  LinkId id;
  std::string code, title;
  LinkLines lines;
  Currency currency;
  std::optional<std::int64_t> uses_max;
  std::int64_t used = 0;
  std::optional<Instant> expires_at;
  bool active = false;
  std::string shop;
  bool sells = false;  // the processor has accepted the shop, and it takes the currency
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (merchant_id, id, code, title, lines, currency, uses_max, used, expires_at,
                       active, shop, sells))

// The code says which shop it is of: there is no other way to know it.
const Sql<Row(std::string)> kByCode{"checkout.link_by_code", R"(
    SELECT l.merchant_id, l.id, l.code, l.title, l.lines, l.currency, l.uses_max, l.used,
           l.expires_at, l.active, m.name AS shop,
           m.onboarding = 'active' AND l.currency = ANY(m.currencies) AS sells
    FROM payment_links l JOIN merchants m ON m.id = l.merchant_id
    WHERE l.code = $1)"};

Row row_of(Tx& tx, const std::string& code) {
  const auto is_letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  if (code.size() == kLinkCodeLength && std::ranges::all_of(code, is_letter))
    if (auto row = tx.find(kByCode, code)) return std::move(*row);
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

LinkState state_of(const Row& row, Instant now) {
  if (!row.active) return LinkState::disabled;
  if (row.expires_at && *row.expires_at <= now) return LinkState::expired;
  if (row.uses_max && row.used >= *row.uses_max) return LinkState::used_up;
  return row.sells ? LinkState::usable : LinkState::unavailable;
}

Error not_usable(const std::string& why) {
  return Error(Code::conflict, why).reason("link_not_usable");
}

void require_usable(const Row& row, Instant now) {
  switch (state_of(row, now)) {
    case LinkState::disabled:
      throw not_usable("the shop has switched this link off");
    case LinkState::expired:
      throw not_usable("this link is too old");
    case LinkState::used_up:
      throw not_usable("this link has been used up");
    case LinkState::unavailable:
      throw not_usable("the shop does not sell this now");
    case LinkState::usable:
    case LinkState::sold_out:
      return;
  }
}

OfferedLine free_line(const LinkLine& line, Currency currency) {
  OfferedLine out;
  out.quantity = line.quantity;
  out.name = line.name.value().value;
  out.price = Money{line.unit_amount.value().value, currency};
  out.total = *out.price * out.quantity;
  return out;
}

// What keeps a link from being used is told by the first of its lines that does.
void add_line(LinkOffer& offer, const LinkLine& line, const catalog::Offer* now, Instant at) {
  OfferedLine out;
  out.variant_id = line.variant_id;
  out.quantity = line.quantity;
  auto state = LinkState::usable;
  if (now == nullptr) {
    state = LinkState::unavailable;
  } else {
    out.name = now->name();
    offer.needs_shipping = offer.needs_shipping || now->needs_shipping;
    const auto price = catalog::price_now(now->prices, offer.subtotal.currency, at);
    if (price) {
      out.price = Money{price->amount, offer.subtotal.currency};
      out.total = *out.price * out.quantity;
    } else {
      state = LinkState::unavailable;
    }
    if (price && !now->has(out.quantity)) state = LinkState::sold_out;
  }
  if (offer.state == LinkState::usable) offer.state = state;
  offer.lines.push_back(std::move(out));
}

}  // namespace

std::map<catalog::VariantId, catalog::Offer> offers_of_link(Tx& tx, MerchantId merchant,
                                                            const LinkLines& lines) {
  std::map<catalog::VariantId, catalog::Offer> out;
  std::vector<catalog::VariantId> ids;
  for (const auto& line : lines)
    if (line.variant_id) ids.push_back(*line.variant_id);
  if (ids.empty()) return out;
  for (auto& offer : catalog::offer(tx, merchant, ids)) out.emplace(offer.variant_id, offer);
  return out;
}

LinkOffer fetch_offer(Tx& tx, const std::string& code) {
  const auto row = row_of(tx, code);
  LinkOffer out;
  out.code = row.code;
  out.title = row.title;
  out.merchant_id = row.merchant_id;
  out.shop = row.shop;
  out.state = state_of(row, tx.now());
  out.subtotal = {0, row.currency};
  out.expires_at = row.expires_at;
  out.terms = pricing::fetch_settings(tx, row.merchant_id).terms();
  const auto offers = offers_of_link(tx, row.merchant_id, row.lines);
  for (const auto& line : row.lines) {
    if (line.variant_id) {
      const auto found = offers.find(*line.variant_id);
      add_line(out, line, found == offers.end() ? nullptr : &found->second, tx.now());
    } else {
      out.lines.push_back(free_line(line, row.currency));
      out.needs_shipping = out.needs_shipping || line.needs_shipping.value_or(false);
    }
    if (const auto& total = out.lines.back().total) out.subtotal = out.subtotal + *total;
  }
  out.address =
      pricing::asked_address(pricing::read_rules(tx, row.merchant_id), out.needs_shipping);
  return out;
}

MerchantId shop_of_link(Tx& tx, const std::string& code) {
  const auto row = row_of(tx, code);
  require_usable(row, tx.now());
  return row.merchant_id;
}

LinkedLines lines_of_link(Tx& tx, MerchantId merchant, const std::string& code) {
  const auto row = row_of(tx, code);
  if (row.merchant_id != merchant)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  require_usable(row, tx.now());
  return {row.id, row.code, row.title, row.currency, row.lines};
}

}  // namespace bottega::checkout
