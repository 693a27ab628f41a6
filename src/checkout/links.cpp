// Payment links as a shop's members keep them.
#include "bottega/checkout/links.hpp"

#include <array>
#include <set>

#include "checkout/link_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::checkout {
namespace {

using catalog::VariantId;
using identity::Role, identity::Scope;

using Number = std::optional<std::int64_t>;
using When = std::optional<Instant>;

const Sql<PaymentLink(MerchantId, LinkId, std::string, std::string, LinkLines, Currency, Number,
                      When, std::string, Instant)>
    kInsert{"checkout.insert_link", R"(
    INSERT INTO payment_links (merchant_id, id, code, title, lines, currency, uses_max, expires_at,
                               created_by, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
    RETURNING id, merchant_id, code, title, lines, currency, uses_max, used, expires_at, active,
              created_by, created_at, updated_at, '/pay/' || code AS url)"};

const Sql<PaymentLink(MerchantId, LinkId, std::int64_t)> kList{"checkout.links", R"(
    SELECT id, merchant_id, code, title, lines, currency, uses_max, used, expires_at, active,
           created_by, created_at, updated_at, '/pay/' || code AS url
    FROM payment_links WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<PaymentLink(MerchantId, LinkId)> kFetch{"checkout.link", R"(
    SELECT id, merchant_id, code, title, lines, currency, uses_max, used, expires_at, active,
           created_by, created_at, updated_at, '/pay/' || code AS url
    FROM payment_links WHERE merchant_id = $1 AND id = $2)"};

const Sql<PaymentLink(MerchantId, LinkId, bool, Instant)> kSwitch{"checkout.switch_link", R"(
    UPDATE payment_links
    SET active = $3, updated_at = CASE WHEN active = $3 THEN updated_at ELSE $4 END
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, merchant_id, code, title, lines, currency, uses_max, used, expires_at, active,
              created_by, created_at, updated_at, '/pay/' || code AS url)"};

const Sql<std::int64_t(MerchantId)> kCountActive{"checkout.count_active_links", R"(
    SELECT count(*) FROM payment_links WHERE merchant_id = $1 AND active)"};

// 131 bits; every letter and digit as likely as any other.
std::string make_code() {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr unsigned kEven = 256 / kLetters.size() * kLetters.size();
  std::string code;
  while (code.size() < kLinkCodeLength) {
    std::array<std::byte, 32> bytes{};
    fill_random(bytes);
    for (const auto byte : bytes) {
      const auto number = std::to_integer<unsigned>(byte);
      if (number < kEven && code.size() < kLinkCodeLength)
        code += kLetters[number % kLetters.size()];
    }
  }
  return code;
}

Currency currency_of(const identity::Merchant& shop, const std::optional<Currency>& given,
                     Faults& faults) {
  if (given && !identity::takes(shop, *given))
    faults.push_back({"/currency", "must be one of the shop's"});
  return given.value_or(shop.currency);
}

// What all of it comes to now; everything of the catalogue that is in it is to be sold now, in this
// currency.
Money sum_of(Tx& tx, MerchantId merchant, const LinkLines& lines, Currency currency,
             Faults& faults) {
  const auto offers = offers_of_link(tx, merchant, lines);
  Money total{0, currency};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines.items[i];
    const auto add = [&](std::int64_t amount) {
      total = total + Money{amount, currency} * line.quantity.value;
    };
    if (!line.variant_id) {
      add(line.unit_amount.value());
      continue;
    }
    const auto pointer = "/lines/" + std::to_string(i) + "/variant_id";
    const auto offer = offers.find(*line.variant_id);
    if (offer == offers.end())
      faults.push_back({pointer, "is nothing that this shop has published"});
    else if (const auto price = catalog::price_now(offer->second.prices, currency, tx.now()))
      add(price->amount);
    else
      faults.push_back({pointer, "has no price in this currency"});
  }
  return total;
}

void require_room(Tx& tx, MerchantId merchant) {
  if (tx.one(kCountActive, merchant) >= kActiveLinksMax)
    throw Error(Code::conflict, "no more links can be active; disable some first");
}

}  // namespace

PaymentLink create_link(Tx& tx, const Who& who, const NewPaymentLink& given,
                        const payments::Rules& rules) {
  const auto merchant = given.merchant_id;
  identity::require_member(tx, who, merchant, Role::agent, Scope::payments);
  const auto shop = identity::keep_merchant(tx, merchant);
  Faults faults;
  const auto currency = currency_of(shop, given.currency, faults);
  if (given.expires_at && *given.expires_at <= tx.now())
    faults.push_back({"/expires_at", "must be to come"});
  const auto sum = sum_of(tx, merchant, given.lines, currency, faults);
  const auto count = std::to_string(faults.size());
  if (!faults.empty())
    throw Error(Code::invalid, count + " field(s) are not valid", std::move(faults));
  payments::check_sum(tx, shop, sum, rules);
  require_room(tx, merchant);
  const auto id = LinkId::make();
  Number uses_max;
  if (given.uses_max) uses_max = given.uses_max->value;
  auto link = tx.one(kInsert, merchant, id, make_code(), given.title.value, given.lines, currency,
                     uses_max, given.expires_at, who.actor(), tx.now());
  identity::enter_directory(tx, id.uuid, merchant);
  return link;
}

std::vector<PaymentLink> list_links(Tx& tx, const Who& who, MerchantId merchant,
                                    std::optional<LinkId> after, std::int64_t limit) {
  identity::require_member(tx, who, merchant, Role::agent, Scope::payments);
  return tx.all(kList, merchant, after.value_or(LinkId::newest()), limit);
}

PaymentLink fetch_link(Tx& tx, const Who& who, LinkId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, Role::agent, Scope::payments);
  return tx.one(kFetch, merchant, id);
}

PaymentLink switch_link(Tx& tx, const Who& who, LinkId id, LinkSwitch to) {
  const auto link = fetch_link(tx, who, id);
  const bool on = to == LinkSwitch::on;
  if (on && !link.active) require_room(tx, link.merchant_id);
  return tx.one(kSwitch, link.merchant_id, id, on, tx.now());
}

}  // namespace bottega::checkout
