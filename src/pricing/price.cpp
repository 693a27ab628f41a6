// The price of a basket, from the goods to the total. Discounts come before tax, tips after it.
#include "bottega/pricing/price.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "pricing/sums.hpp"

namespace bottega::pricing {
namespace {

constexpr std::int64_t kWholeBasisPoints = 10'000;

// What a line that only our own bug can make is refused with.
void require_sound(const BasketLine& line) {
  if (line.unit_amount < 0 || line.quantity < 1 || line.weight_g < 0)
    throw Error(Code::invalid, "a basket holds no negative numbers");
}

Priced goods_of(const Basket& basket) {
  Priced out;
  out.currency = basket.currency;
  out.lines.reserve(basket.lines.size());
  for (const auto& line : basket.lines) {
    require_sound(line);
    out.lines.push_back({times(line.unit_amount, line.quantity), 0});
    out.items = plus(out.items, out.lines.back().amount);
  }
  return out;
}

// Why the discount is not for this basket; nothing where it is.
std::string why_not(const Discount& discount, const Priced& goods) {
  if (discount.currency && *discount.currency != goods.currency)
    return "must be one for this currency";
  if (discount.least_total && goods.items < *discount.least_total)
    return "must be used from a total of " + display({*discount.least_total, goods.currency}) +
           " on";
  return {};
}

std::int64_t off_the_goods(const Discount& discount, std::int64_t items) {
  switch (discount.kind) {
    case DiscountKind::amount:
      return std::min(discount.amount.value_or(0), items);
    case DiscountKind::percent:
      return part_half_even(items, discount.basis_points.value_or(0), kWholeBasisPoints);
    case DiscountKind::free_shipping:
      break;
  }
  return 0;
}

void take_off(Priced& out, const std::optional<Discount>& discount, Faults& faults) {
  if (!discount) return;
  if (auto reason = why_not(*discount, out); !reason.empty())
    return faults.push_back({"/discount_code", std::move(reason)});
  out.discount = off_the_goods(*discount, out.items);
  std::vector<std::int64_t> shares;
  for (const auto& line : out.lines) shares.push_back(line.amount);
  const auto parts = spread(out.discount, shares);
  for (std::size_t i = 0; i < parts.size(); ++i) out.lines[i].discount = parts[i];
}

bool is_shipped(const Basket& basket, const ShopRules& rules) {
  return std::ranges::any_of(basket.lines, &BasketLine::needs_shipping) &&
         std::ranges::any_of(rules.zones, [](const ZoneRule& zone) { return !zone.rates.empty(); });
}

void ship(Priced& out, const Basket& basket, const Destination* destination, const ShopRules& rules,
          const Choice& choice, Faults& faults) {
  out.shipping_asked = is_shipped(basket, rules);
  if (!choice.shipping_rate) return;
  const auto options = shipping_options(basket, destination, rules);
  const auto chosen = std::ranges::find(options, *choice.shipping_rate, &ShippingOption::id);
  if (chosen == options.end())
    return faults.push_back({"/shipping_rate", "must be one that is offered for this address"});
  out.shipping = chosen->price.amount;
  const bool is_free = choice.discount && choice.discount->kind == DiscountKind::free_shipping;
  if (!is_free || !why_not(*choice.discount, out).empty()) return;
  out.shipping_discount = out.shipping;
  out.discount = plus(out.discount, out.shipping_discount);
}

std::int64_t goods_after_discount(const Priced& priced) {
  return priced.items - (priced.discount - priced.shipping_discount);
}

void add_tip(Priced& out, std::int64_t tip, const Tips& tips, Faults& faults) {
  if (tip == 0) return;
  const auto most =
      tips.allowed ? part_half_even(goods_after_discount(out), tips.most_percent.value, 100) : 0;
  if (tip < 0 || tip > most)
    return faults.push_back({"/tip", "must be 0 to " + std::to_string(most)});
  out.tip = tip;
}

// Amounts that the same taxes are taken of.
struct Taxed {
  TaxParts parts;
  std::int64_t base = 0;
};

void add_base(std::vector<Taxed>& all, const TaxParts& parts, std::int64_t base) {
  if (base == 0 || parts.empty()) return;
  const auto found = std::ranges::find(all, parts, &Taxed::parts);
  if (found == all.end())
    all.push_back({parts, base});
  else
    found->base = plus(found->base, base);
}

// What an amount contains depends on all of its taxes; what is added to it is each tax's own.
void add_taxed(std::vector<Taxed>& all, bool is_included, const TaxParts& parts,
               std::int64_t base) {
  if (is_included) return add_base(all, parts, base);
  for (const auto& part : parts) add_base(all, {part}, base);
}

std::vector<Taxed> taxed(const Priced& out, const Basket& basket, const Destination& place,
                         const TaxTable& taxes) {
  std::vector<Taxed> all;
  std::map<std::string_view, TaxParts> classes;  // each is looked up once
  for (std::size_t i = 0; i < out.lines.size(); ++i) {
    const std::string_view name = basket.lines[i].tax_class;
    auto found = classes.find(name);
    if (found == classes.end()) found = classes.emplace(name, taxes.of_goods(place, name)).first;
    const auto base = out.lines[i].amount - out.lines[i].discount;
    add_taxed(all, out.tax_included, found->second, base);
  }
  if (out.shipping > out.shipping_discount)
    add_taxed(all, out.tax_included, taxes.of_shipping(place),
              out.shipping - out.shipping_discount);
  return all;
}

void add_taxes(Priced& out, const Taxed& group) {
  // Of an amount that contains its taxes, 19 % are 19/119.
  auto whole = kMillion;
  if (out.tax_included)
    for (const auto& part : group.parts) whole = plus(whole, part.parts_per_million);
  auto left = group.base;
  for (const auto& part : group.parts) {
    auto amount = part_half_even(group.base, part.parts_per_million, whole);
    // Several halves that were rounded up must not come to more than there is.
    if (out.tax_included) amount = std::min(amount, left);
    left -= out.tax_included ? amount : 0;
    out.taxes.push_back({part.id, part.name, part.parts_per_million, group.base, amount});
    out.tax = plus(out.tax, amount);
  }
}

}  // namespace

std::vector<std::int64_t> spread(std::int64_t amount, const std::vector<std::int64_t>& shares) {
  const auto whole = std::accumulate(shares.begin(), shares.end(), std::int64_t{0}, plus);
  std::vector<std::int64_t> parts(shares.size(), 0);
  if (amount < 0 || amount > whole) too_large();
  if (amount == 0) return parts;
  __extension__ using Wide = __int128;
  std::vector<std::int64_t> rests(shares.size(), 0);
  auto left = amount;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Wide product = Wide{amount} * shares[i];
    parts[i] = static_cast<std::int64_t>(product / whole);
    rests[i] = static_cast<std::int64_t>(product % whole);
    left -= parts[i];
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return rests[i]; });
  for (std::size_t i = 0; left > 0; ++i, --left) ++parts[order[i]];
  return parts;
}

Priced price(const Basket& basket, const Destination* destination, const ShopRules& rules,
             const Choice& choice, const TaxTable& taxes, Faults& faults) {
  auto out = goods_of(basket);
  take_off(out, choice.discount, faults);
  ship(out, basket, destination, rules, choice, faults);
  add_tip(out, choice.tip, rules.tips, faults);
  out.tax_included = rules.tax_mode == TaxMode::inclusive;
  if (rules.tax_mode != TaxMode::none) {
    const auto place = destination ? *destination : Destination{rules.country, {}, {}};
    for (const auto& group : taxed(out, basket, place, taxes)) add_taxes(out, group);
  }
  out.total = plus(plus(out.items - out.discount, out.shipping), out.tip);
  if (!out.tax_included) out.total = plus(out.total, out.tax);
  return out;
}

Priced price(const Basket& basket, const Destination* destination, const ShopRules& rules,
             const Choice& choice) {
  Faults faults;
  auto priced = price(basket, destination, rules, choice, ShopTaxes(rules.taxes), faults);
  if (!faults.empty()) throw Error(Code::invalid, "this cannot be bought so", faults);
  return priced;
}

std::vector<std::int64_t> suggested_tips(const Priced& priced, const Tips& tips) {
  std::vector<std::int64_t> amounts;
  if (!tips.allowed) return amounts;
  for (const auto& percent : tips.suggested_percent) {
    const auto amount = part_half_even(goods_after_discount(priced), percent.value, 100);
    if (amount > (amounts.empty() ? 0 : amounts.back())) amounts.push_back(amount);
  }
  return amounts;
}

}  // namespace bottega::pricing
