// Payment links: what one sells, when it may be used, and that its uses are counted right.
#include "payments/link_uses.hpp"
#include "bottega/checkout/links.hpp"

#include "domain/shopping.hpp"
#include "support/at_once.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace payment_links_test {

using namespace checkout;
using namespace std::chrono_literals;

class PaymentLinks : public Shopping {
 protected:
  Json body(const Json& more = Json::object()) const {
    Json out = {{"merchant_id", text_of(shop.merchant)},
                {"title", "A lamp"},
                {"lines", {{{"name", "Lamp"}, {"quantity", 2}, {"unit_amount", 1'250}}}}};
    out.update(more);
    return out;
  }
  PaymentLink link(const Json& more = Json::object()) { return link_by(shop.owner, more); }
  PaymentLink link_by(const Who& who, const Json& more = Json::object()) {
    const auto given = from_json<NewPaymentLink>(body(more));
    return in([&](Tx& tx) { return create_link(tx, who, given, world.payment_rules); });
  }
  // Of one variant.
  Json of(catalog::VariantId id, std::int64_t quantity = 1) {
    return {{"lines", lines({line(id, quantity)})}};
  }
  LinkOffer seen(const PaymentLink& link) {
    return in([&](Tx& tx) { return fetch_offer(tx, link.code); });
  }
  PaymentLink now(const PaymentLink& link) {
    return in([&](Tx& tx) { return fetch_link(tx, shop.owner, link.id); });
  }
  void put(const PaymentLink& link, LinkSwitch to) {
    in([&](Tx& tx) { switch_link(tx, shop.owner, link.id, to); });
  }
  void use(const PaymentLink& link, const Uuid& request) {
    in([&](Tx& tx) { payments::use_link(tx, shop.merchant, link.id, {request}); });
  }
  void unuse(const Uuid& request) {
    in([&](Tx& tx) { payments::unuse_link(tx, shop.merchant, {request}); });
  }
  LinkedLines bought(const PaymentLink& link) {
    return in([&](Tx& tx) { return lines_of_link(tx, shop.merchant, link.code); });
  }
  // Why it may not be bought with.
  std::string refusal(const PaymentLink& link) {
    try {
      bought(link);
    } catch (const Error& error) {
      return error.reason();
    }
    return "";
  }
};

TEST_F(PaymentLinks, ComeToWhatSomebodyCanPay) {
  const auto one = [](std::int64_t amount, std::int64_t quantity) {
    return Json{{"lines", {{{"name", "Lamp"}, {"quantity", quantity}, {"unit_amount", amount}}}}};
  };
  EXPECT_EQ(faults_of([&] { link(one(0, 3)); }), Pointers{"/lines"});
  EXPECT_EQ(faults_of([&] { link(one(world.payment_rules.amount_max, 2)); }), Pointers{"/lines"});
  EXPECT_EQ(faults_of([&] { link(of(published(tea("FREE", 0)).variants[0].id)); }),
            Pointers{"/lines"});
  EXPECT_EQ(faults_of([&] { link(one(1, 1)); }), Pointers{"/lines"}) << "the fee takes all of it";
  EXPECT_EQ(seen(link(one(32, 1))).subtotal.amount, 32);
}

TEST_F(PaymentLinks, HaveACodeThatNobodyGuesses) {
  const auto a = link(), b = link();
  EXPECT_EQ(a.code.size(), 22u);
  EXPECT_NE(a.code, b.code);
  EXPECT_EQ(a.url, "/pay/" + a.code);
  EXPECT_EQ(a.used, 0);
  EXPECT_TRUE(a.active);
  const auto all =
      in([&](Tx& tx) { return list_links(tx, shop.owner, shop.merchant, std::nullopt, 10); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, b.id);
}

TEST_F(PaymentLinks, SellAtThePriceOfTheMoment) {
  auto green = published(tea("A", 1'000));
  const auto both = lines({line(green.variants[0].id, 3),
                           {{"name", "Wrapping"}, {"quantity", 1}, {"unit_amount", 200}}});
  const auto made = link({{"lines", both}});
  EXPECT_EQ(seen(made).subtotal.amount, 3'200);
  EXPECT_EQ(seen(made).lines[0].name, "Green tea");
  EXPECT_TRUE(seen(made).needs_shipping);
  green = reprice(green, 900);
  const auto offer = seen(made);
  EXPECT_EQ(offer.subtotal, (Money{2'900, parse_currency("USD")}));
  EXPECT_EQ(offer.lines[0].price.value().amount, 900);
  EXPECT_EQ(offer.lines[1].total.value().amount, 200);
  EXPECT_EQ(offer.state, LinkState::usable);
  EXPECT_EQ(offer.terms.merchant_id, shop.merchant);
  EXPECT_EQ(bought(made).lines.size(), 2u);
}

TEST_F(PaymentLinks, AreShippedOnlyWhereTheirLinesAre) {
  EXPECT_FALSE(seen(link()).needs_shipping);
  const Json lamp = {
      {"name", "Lamp"}, {"quantity", 1}, {"unit_amount", 500}, {"needs_shipping", true}};
  EXPECT_TRUE(seen(link({{"lines", lines({lamp})}})).needs_shipping);
}

TEST_F(PaymentLinks, AreMadeOfWhatTheShopSells) {
  const auto draft = make(tea("DRAFT")).variants[0].id;
  const auto dollars = published(tea("USD")).variants[0].id;
  world.take(shop, {"USD", "JPY"});
  EXPECT_EQ(faults_of([&] { link(of(draft)); }), Pointers{"/lines/0/variant_id"});
  auto yen = of(dollars);
  yen["currency"] = "JPY";
  EXPECT_EQ(faults_of([&] { link(yen); }), Pointers{"/lines/0/variant_id"});
  EXPECT_EQ(faults_of([&] { link({{"currency", "EUR"}}); }), Pointers{"/currency"});
  EXPECT_EQ(faults_of([&] {
              link({{"expires_at", "2020-01-01T00:00:00Z"}});
            }),
            Pointers{"/expires_at"});
  auto all = of(draft);
  all.update({{"currency", "EUR"}, {"expires_at", "2020-01-01T00:00:00Z"}});
  EXPECT_EQ(faults_of([&] { link(all); }),
            (Pointers{"/currency", "/expires_at", "/lines/0/variant_id"}));
  auto named = line(dollars, 1);
  named["name"] = "Mine";
  EXPECT_EQ(faults_of([&] {
              link({{"lines", lines({named, {{"quantity", 1}}})}});
            }),
            (Pointers{"/lines/0/name", "/lines/1/name", "/lines/1/unit_amount"}));
  EXPECT_EQ(faults_of([&] {
              link({{"lines", lines({line(dollars, 1), line(dollars, 2)})}});
            }),
            Pointers{"/lines/1/variant_id"});
}

TEST_F(PaymentLinks, AreKeptByMembersAndKeysForPayments) {
  const auto made = link_by(world.key_with(shop, identity::Scope::payments));
  EXPECT_EQ(link_by(world.member(shop, identity::Role::agent)).used, 0);
  EXPECT_EQ(code_of([&] { link_by(world.key_with(shop, identity::Scope::chat)); }),
            Code::forbidden);
  EXPECT_EQ(code_of([&] { link_by(shop.buyer); }), Code::not_found);
  const auto stranger = world.person();
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { fetch_link(tx, stranger, made.id); }); }),
            Code::not_found);
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { switch_link(tx, stranger, made.id, LinkSwitch::off); }); }),
      Code::not_found);
}

TEST_F(PaymentLinks, CannotBeUsedWhereTheyAreOver) {
  const auto off = link(), old = link({{"expires_at", text_of(world.clock.now() + 1h)}}),
             spent = link({{"uses_max", 1}});
  put(off, LinkSwitch::off);
  EXPECT_EQ(seen(off).state, LinkState::disabled);
  EXPECT_EQ(refusal(off), "link_not_usable");
  put(off, LinkSwitch::on);
  EXPECT_EQ(refusal(off), "");
  world.advance(2h);
  EXPECT_EQ(seen(old).state, LinkState::expired);
  EXPECT_EQ(refusal(old), "link_not_usable");
  EXPECT_EQ(code_of([&] { use(old, make_uuid_v7()); }), Code::conflict);
  use(spent, make_uuid_v7());
  EXPECT_EQ(seen(spent).state, LinkState::used_up);
  EXPECT_EQ(refusal(spent), "link_not_usable");
}

TEST_F(PaymentLinks, SayWhatIsNotThereAnyMore) {
  const auto one = counted("ONE", 1);
  const auto gone = published(tea("GONE"));
  const auto two_of_one = link(of(one, 2)), of_gone = link(of(gone.variants[0].id));
  EXPECT_EQ(seen(two_of_one).state, LinkState::sold_out);
  EXPECT_EQ(seen(of_gone).state, LinkState::usable);
  move(gone, catalog::Event::archive);
  EXPECT_EQ(seen(of_gone).state, LinkState::unavailable);
  EXPECT_EQ(seen(of_gone).lines[0].name, "");
  EXPECT_EQ(seen(of_gone).subtotal.amount, 0);
}

TEST_F(PaymentLinks, BelongToTheirShop) {
  const auto made = link();
  const auto other = world.shop();
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { lines_of_link(tx, other.merchant, made.code); }); }),
            Code::not_found);
  for (const std::string code : {"", "short", "0123456789012345678901", "'; DROP TABLE links --"})
    EXPECT_EQ(code_of([&] { in([&](Tx& tx) { fetch_offer(tx, code); }); }), Code::not_found)
        << code;
}

TEST_F(PaymentLinks, CountEachRequestOnceAndGiveItBack) {
  const auto made = link({{"uses_max", 2}});
  const auto first = make_uuid_v7(), second = make_uuid_v7(), third = make_uuid_v7();
  use(made, first);
  use(made, first);
  EXPECT_EQ(now(made).used, 1);
  use(made, second);
  EXPECT_EQ(code_of([&] { use(made, third); }), Code::conflict);
  use(made, second);
  EXPECT_EQ(now(made).used, 2);
  unuse(first);
  unuse(first);
  unuse(third);
  EXPECT_EQ(now(made).used, 1);
  use(made, third);
  EXPECT_EQ(now(made).used, 2);
}

TEST_F(PaymentLinks, AreNeverUsedMoreOftenHoweverManyPayAtOnce) {
  constexpr int kUses = 3, kBuyers = 12;
  const auto made = link({{"uses_max", kUses}});
  Acts acts;
  for (int i = 0; i < kBuyers; ++i) acts.push_back([&, id = make_uuid_v7()] { use(made, id); });
  EXPECT_EQ(all_at_once(acts, {Code::conflict}), kBuyers - kUses);
  EXPECT_EQ(now(made).used, kUses);
}

TEST_F(PaymentLinks, CountOneRequestOnceHoweverOftenItIsTriedAtOnce) {
  const auto made = link({{"uses_max", 5}});
  const auto request = make_uuid_v7();
  Acts acts(8, [&] { use(made, request); });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(now(made).used, 1);
  Acts back(8, [&] { unuse(request); });
  EXPECT_EQ(all_at_once(back, {}), 0);
  EXPECT_EQ(now(made).used, 0);
}

}  // namespace payment_links_test
}  // namespace bottega::test
