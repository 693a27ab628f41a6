// Checkouts that begin together: what their prices depend on is read for all of them at once.
#include "bottega/checkout/together.hpp"

#include <algorithm>

#include "checkout/basket.hpp"

namespace bottega::checkout {
namespace {

template <class T>
using Column = std::vector<T>;

// Where somebody buys, with all of the shop that a sale depends on.
struct Spot {
  std::int64_t n = 0;  // whose it is, from 1
  AccountId buyer_id;
  bool is_member = false, is_blocked = false;
  MerchantId id;
  std::int64_t number = 0;
  std::string name;
  Country country;
  Currency currency;
  std::vector<Currency> currencies;
  identity::Onboarding onboarding{};
  std::string processor;
  std::optional<std::string> processor_account;
  Instant created_at{};
  std::int64_t basis_points = 0, fixed = 0;
  std::optional<std::int64_t> request_max;
};
BOOST_DESCRIBE_STRUCT(Spot, (),
                      (n, buyer_id, is_member, is_blocked, id, number, name, country, currency,
                       currencies, onboarding, processor, processor_account, created_at,
                       basis_points, fixed, request_max))

// The shops stay as they are until the transaction ends. The limit says how many they are (see
// conversations.write_entries).
const Sql<Spot(Column<ConversationId>, Column<AccountId>, Column<std::optional<Currency>>, Instant,
               std::int64_t)>
    kSpots{"checkout.spots", R"(
    SELECT u.n, c.buyer_id, c.blocked_by_merchant AS is_blocked,
           EXISTS (SELECT FROM merchant_members x
                   WHERE x.merchant_id = c.merchant_id AND x.account_id = u.account_id)
             AS is_member,
           m.id, m.number, m.name, m.country, m.currency,
           array_to_json(m.currencies) AS currencies, m.onboarding, m.processor,
           m.processor_account, m.created_at, f.basis_points, f.fixed,
           (SELECT l.request_max FROM merchant_limits l WHERE l.merchant_id = m.id) AS request_max
    FROM (SELECT id, account_id, currency, n
          FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY
                 AS one (id, account_id, currency, n)
          LIMIT $5::bigint) u
         JOIN directory d ON d.id = u.id
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = u.id
         JOIN merchants m ON m.id = c.merchant_id
         CROSS JOIN LATERAL (
           SELECT x.basis_points, x.fixed FROM fee_plans x
           WHERE x.merchant_id = m.id
             AND (x.currency = coalesce(u.currency, m.currency) OR x.currency IS NULL)
             AND x.effective_from <= $4::timestamptz
           ORDER BY x.effective_from DESC, x.currency NULLS LAST LIMIT 1) f
    ORDER BY m.id FOR SHARE OF m)"};

// One on its way to what is paid for.
struct Draft {
  std::size_t place = 0;
  const Spot* spot = nullptr;
  NewCheckout given;
  Basket basket;
  Chosen chosen;
};

bool is_plain(const Asked& one) {
  const auto* ordering = std::get_if<Ordering>(&one.what);
  return ordering != nullptr && !ordering->given.payment_link && !ordering->given.discount_code;
}

const Ordering& ordering_of(const Asked& one) { return std::get<Ordering>(one.what); }

Stall stall_of(const Spot& spot) {
  return {spot.id, spot.buyer_id, spot.name, spot.currency, spot.is_member};
}

identity::Merchant merchant_of(const Spot& spot) {
  return {
      spot.id,         spot.number,     spot.name,      spot.country,           spot.currency,
      spot.currencies, spot.onboarding, spot.processor, spot.processor_account, spot.created_at};
}

class Checkouts {
 public:
  Checkouts(Tx& tx, const std::vector<Asked>& asked, const payments::Rules& rules)
      : tx_(tx), asked_(asked), rules_(rules), outcomes_(asked.size()) {}

  payments::Beginnings run() {
    choose();
    price();
    for (std::size_t i = 0; i < asked_.size(); ++i)
      if (const auto* accepting = std::get_if<Accepting>(&asked_[i].what))
        add(i, {asked_[i].who, accepting->acceptance, accepting->request});
    auto begun = payments::begin(tx_, beginnings_, rules_);
    for (std::size_t k = 0; k < begun.size(); ++k) {
      if (begun[k]) note_cart(*begun[k]);
      outcomes_[places_[k]] = std::move(begun[k]);
    }
    return std::move(outcomes_);
  }

 private:
  void add(std::size_t place, payments::Beginning beginning) {
    places_.push_back(place);
    beginnings_.push_back(std::move(beginning));
  }

  void note_cart(const std::variant<payments::Begun, Error>& outcome) {
    const auto* begun = std::get_if<payments::Begun>(&outcome);
    if (begun == nullptr || begun->is_again || begun->request.origin != payments::Origin::cart)
      return;
    const auto& request = begun->request;
    note_paying(tx_, request.merchant_id, request.conversation_id, request.id);
  }

  // Does the work of one; where it is refused, the others go on.
  template <class Work>
  void guarded(std::size_t place, const Work& work) {
    try {
      work();
    } catch (const Error& refusal) {
      if (!payments::is_refusal(refusal)) throw;
      outcomes_[place] = refusal;
    }
  }

  // What is in the baskets of those who may buy.
  void choose() {
    Column<ConversationId> conversations;
    Column<AccountId> accounts;
    Column<std::optional<Currency>> currencies;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      if (!is_plain(asked_[i])) continue;
      places.push_back(i);
      conversations.push_back(ordering_of(asked_[i]).conversation);
      accounts.push_back(asked_[i].who.account);
      currencies.push_back(ordering_of(asked_[i]).given.currency);
    }
    if (places.empty()) return;
    spots_ = tx_.all(kSpots, conversations, accounts, currencies, tx_.now(), std::ssize(places));
    std::ranges::sort(spots_, {}, &Spot::n);
    for (const auto& spot : spots_) {
      const auto place = places.at(static_cast<std::size_t>(spot.n - 1));
      guarded(place, [&] { choose(place, spot); });
    }
  }

  void choose(std::size_t place, const Spot& spot) {
    const auto& [who, what] = asked_[place];
    if (who.kind != identity::Kind::person || spot.is_member || spot.is_blocked ||
        spot.buyer_id != who.account)
      return;
    const auto& ordering = ordering_of(asked_[place]);
    // Whether a cart can be bought depends on what becomes of whoever buys it first.
    const bool is_cart = ordering.given.cart_version.has_value();
    if (is_cart && carts_.contains(ordering.conversation)) return;
    Draft draft{place, &spot, ordering.given, basket_of(stall_of(spot)), {}};
    add_contact(tx_, who, draft.given);
    draft.chosen =
        chosen_of(tx_, draft.basket, stall_of(spot), ordering.conversation, draft.given.quoted());
    if (is_cart) carts_.insert(ordering.conversation);
    drafts_.push_back(std::move(draft));
  }

  void price() {
    std::set<std::pair<MerchantId, catalog::VariantId>> wanted;
    std::set<MerchantId> merchants;
    for (const auto& draft : drafts_) {
      merchants.insert(draft.spot->id);
      for (const auto& line : draft.chosen.lines)
        if (line.variant_id) wanted.emplace(draft.spot->id, *line.variant_id);
    }
    Offers offers;
    for (auto& offer : catalog::offer(tx_, wanted)) {
      const std::pair key(offer.merchant_id, offer.variant_id);
      offers.emplace(key, std::move(offer));
    }
    const auto rules = pricing::read_rules(tx_, merchants);
    for (auto& draft : drafts_) guarded(draft.place, [&] { price(draft, offers, rules); });
  }

  void price(Draft& draft, const Offers& offers,
             const std::map<MerchantId, pricing::ShopRules>& rules) {
    const auto& spot = *draft.spot;
    const auto& given = draft.given;
    put_in(draft.basket, draft.chosen, offers, tx_.now());
    draft.basket.rules = rules.at(spot.id);
    set_price(draft.basket, given.quoted(), std::nullopt);
    const auto& conversation = ordering_of(asked_[draft.place]).conversation;
    payments::Buying buying{merchant_of(spot),
                            {spot.basis_points, spot.fixed},
                            spot.request_max,
                            draft.basket.rules.pre_checkout.ask,
                            purchase_of(draft.basket, conversation, given)};
    payments::Acceptance acceptance{given.payment_method, std::nullopt, given.billing, given.pin};
    add(draft.place, {asked_[draft.place].who, std::move(acceptance), std::move(buying)});
  }

  Tx& tx_;
  const std::vector<Asked>& asked_;
  const payments::Rules& rules_;
  payments::Beginnings outcomes_;
  std::vector<Spot> spots_;
  std::vector<Draft> drafts_;
  std::set<ConversationId> carts_;
  // What is left to begin, and whose it is.
  std::vector<payments::Beginning> beginnings_;
  std::vector<std::size_t> places_;
};

}  // namespace

payments::Beginnings begin(Tx& tx, const std::vector<Asked>& asked, const payments::Rules& rules) {
  if (asked.empty()) return {};
  return Checkouts(tx, asked, rules).run();
}

}  // namespace bottega::checkout
