#pragma once
// A payment link sells the same things to whoever has its address, with or without an account. Its
// code is the key to it: long, random, and in no list that a stranger can read.
#include "bottega/catalog/catalog.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::checkout {

using identity::AccountId, identity::MerchantId, identity::Who;
using payments::LinkId;

inline constexpr std::size_t kLinkLinesMax = 100;
inline constexpr std::int64_t kActiveLinksMax = 10'000;
inline constexpr std::int64_t kLinkUsesMax = 1'000'000'000;

// A variant of the catalogue, at its price of the moment when it is bought, or something else with
// a name and a price of its own.
struct LinkLine {
  std::optional<catalog::VariantId> variant_id;
  std::optional<Line<1, 100>> name;
  Count<1, 9'999> quantity;
  std::optional<Count<0, kAmountMax>> unit_amount;
  std::optional<bool> needs_shipping;  // of what is not of the catalogue; no where nothing is said
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(LinkLine, (), (variant_id, name, quantity, unit_amount, needs_shipping))
using LinkLines = List<LinkLine, 1, kLinkLinesMax>;

struct NewPaymentLink {
  MerchantId merchant_id;
  Line<1, 100> title;
  LinkLines lines;
  std::optional<Currency> currency;  // one of the shop's; its default where none is given
  std::optional<Count<1, kLinkUsesMax>> uses_max;
  std::optional<Instant> expires_at;
  // A variant is in it once.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewPaymentLink, (),
                      (merchant_id, title, lines, currency, uses_max, expires_at))

// As the shop's members see it.
struct PaymentLink {
  LinkId id;
  MerchantId merchant_id;
  std::string code, title;
  LinkLines lines;
  Currency currency;
  std::optional<std::int64_t> uses_max;
  std::int64_t used = 0;
  std::optional<Instant> expires_at;
  bool active = true;
  std::string created_by;
  Instant created_at{}, updated_at{};
  std::string url;  // "/pay/…", to which the gateway adds its own address
};
BOOST_DESCRIBE_STRUCT(PaymentLink, (),
                      (id, merchant_id, code, title, lines, currency, uses_max, used, expires_at,
                       active, created_by, created_at, updated_at, url))

// Why a link cannot be used now. `unavailable`: the shop does not sell one of the lines any more,
// or not in this currency, or does not sell at all yet.
enum class LinkState : std::uint8_t {
  usable,
  disabled,
  expired,
  used_up,
  sold_out,
  unavailable,
};
BOOST_DESCRIBE_ENUM(LinkState, usable, disabled, expired, used_up, sold_out, unavailable)

struct OfferedLine {
  std::optional<catalog::VariantId> variant_id;
  std::string name;  // empty where it is gone
  std::int64_t quantity = 0;
  std::optional<Money> price, total;  // as it is now; of one piece, and of all
};
BOOST_DESCRIBE_STRUCT(OfferedLine, (), (variant_id, name, quantity, price, total))

// What whoever opens the link sees.
struct LinkOffer {
  std::string code, title;
  MerchantId merchant_id;
  std::string shop;
  LinkState state{};
  std::vector<OfferedLine> lines;
  Money subtotal;  // of the lines that have a price, before shipping, tax and discounts
  bool needs_shipping = false;
  pricing::Asked address{};  // whether where the buyer is has to be said
  std::optional<Instant> expires_at;
  pricing::CheckoutTerms terms;
};
BOOST_DESCRIBE_STRUCT(LinkOffer, (),
                      (code, title, merchant_id, shop, state, lines, subtotal, needs_shipping,
                       address, expires_at, terms))

// ---- for the shop's members ---------------------------------------------------------------------

// All throw as require_member() does.

// Throws Error(invalid) with each line that cannot be sold, or where nobody could pay what they
// come to, Error(conflict) where kActiveLinksMax are active.
PaymentLink create_link(Tx& tx, const Who& who, const NewPaymentLink& given,
                        const payments::Rules& rules);
// Newest first.
std::vector<PaymentLink> list_links(Tx& tx, const Who& who, MerchantId merchant,
                                    std::optional<LinkId> after, std::int64_t limit);
PaymentLink fetch_link(Tx& tx, const Who& who, LinkId id);
// No effect where it is so already.
enum class LinkSwitch : std::uint8_t { off, on };
PaymentLink switch_link(Tx& tx, const Who& who, LinkId id, LinkSwitch to);

// ---- for whoever has the code -------------------------------------------------------------------

// Throws Error(not_found) for a code that is none.
LinkOffer fetch_offer(Tx& tx, const std::string& code);
// The shop of a link that may be used; throws Error(conflict) with the reason `link_not_usable`
// where it is disabled, used up or too old.
MerchantId shop_of_link(Tx& tx, const std::string& code);

// ---- for the checkout ---------------------------------------------------------------------------

struct LinkedLines {
  LinkId id;
  std::string code, title;
  Currency currency;
  LinkLines lines;
};
// What is bought with it. One statement; throws as shop_of_link() does, and Error(not_found) for
// the link of another shop.
LinkedLines lines_of_link(Tx& tx, MerchantId merchant, const std::string& code);

}  // namespace bottega::checkout
