// Products: who may make and see them, what an edit may do, and what publishing asks for.
#include "domain/catalog.hpp"

namespace bottega::test {
namespace catalog_products_test {

using namespace catalog;

class Products : public Shelf {
 protected:
  std::optional<Code> seen_by(const identity::Who& who, ProductId id) {
    return code_of([&] { in([&](Tx& tx) { return fetch(tx, who, id); }); });
  }
  std::optional<Code> edited_by(const identity::Who& who, const Product& product) {
    return code_of([&] {
      in([&](Tx& tx) {
        return catalog::change(tx, who, product.id, product.version, {{"title", "Tea"}});
      });
    });
  }
};

TEST_F(Products, AreMadeAsDraftsWithWhatWasNotSaid) {
  const auto product = make(tea("TEA-1"));
  EXPECT_EQ(product.state, State::draft);
  EXPECT_EQ(product.version, 1);
  EXPECT_EQ(product.handle, "TEA-1") << "the SKU of the first variant";
  EXPECT_EQ(product.condition, Condition::brand_new);
  EXPECT_EQ(product.tax_class, "standard");
  EXPECT_TRUE(product.needs_shipping);
  ASSERT_EQ(product.variants.size(), 1u);
  EXPECT_EQ(product.variants[0].availability, Availability::in_stock);
  const auto again = in([&](Tx& tx) { return fetch(tx, shop.owner, product.id); });
  EXPECT_EQ(to_json(again), to_json(product));
}

TEST_F(Products, AreSeenByOthersOnceTheyArePublished) {
  const auto draft = make(tea("TEA-1"));
  const auto agent = world.member(shop, identity::Role::agent);
  const auto reader = world.key_with(shop, identity::Scope::read);
  EXPECT_EQ(seen_by(shop.buyer, draft.id), Code::not_found);
  EXPECT_EQ(seen_by(world.shop().owner, draft.id), Code::not_found);
  for (const auto& who : {shop.owner, agent, reader})
    EXPECT_EQ(seen_by(who, draft.id), std::nullopt);
  move(draft, catalog::Event::publish);
  EXPECT_EQ(seen_by(shop.buyer, draft.id), std::nullopt);
}

TEST_F(Products, AreEditedByManagersAndKeysWithTheScope) {
  auto product = make(tea("TEA-1"));
  EXPECT_EQ(edited_by(shop.buyer, product), Code::not_found);
  EXPECT_EQ(edited_by(world.member(shop, identity::Role::agent), product), Code::forbidden);
  EXPECT_EQ(edited_by(world.key_with(shop, identity::Scope::read), product), Code::forbidden);
  EXPECT_EQ(edited_by(world.member(shop, identity::Role::manager), product), std::nullopt);
  product.version = 2;
  EXPECT_EQ(edited_by(world.key_with(shop, identity::Scope::catalog), product), std::nullopt);
}

TEST_F(Products, RiseInVersionAndRefuseAnEditOfAnOlderOne) {
  const auto first = make(tea("TEA-1"));
  const auto second = change(first, {{"title", "Black tea"}, {"brand", "TeaCo"}});
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(code_of([&] { change(first, {{"title", "Red tea"}}); }), Code::precondition_failed);
  EXPECT_EQ(in([&](Tx& tx) { return fetch(tx, shop.owner, first.id); }).title, "Black tea");
  const auto third = change(second, {{"brand", nullptr}});
  EXPECT_EQ(third.brand, std::nullopt);
  EXPECT_EQ(third.title, "Black tea") << "what an edit does not name stays";
  EXPECT_EQ(faults_of([&] { change(third, {{"title", nullptr}}); }), Pointers{"/title"});
}

TEST_F(Products, HaveHandlesAndSkusOfTheirOwn) {
  const auto first = make(tea("TEA-1"));
  EXPECT_EQ(faults_of([&] { make(tea("TEA-1")); }), Pointers{"/variants/0/sku"});
  auto taken = tea("TEA-9");
  taken["handle"] = "TEA-1";
  EXPECT_EQ(faults_of([&] { make(taken); }), Pointers{"/handle"});
  try {
    make(taken);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "1 field(s) are not possible");
  }
  auto other = tea("TEA-1");
  other["handle"] = "another";
  EXPECT_EQ(faults_of([&] { make(other); }), Pointers{"/variants/0/sku"});
  EXPECT_EQ(make(tea("tea-1")).handle, "tea-1") << "capitals matter";
  const auto second = make(tea("TEA-2"));
  EXPECT_EQ(faults_of([&] { change(second, {{"handle", first.handle}}); }), Pointers{"/handle"});
  const auto elsewhere = world.shop();
  auto body = tea("TEA-1");
  body["merchant_id"] = text_of(elsewhere.merchant);
  const auto given = from_json<NewProduct>(body);
  EXPECT_EQ(in([&](Tx& tx) { return create(tx, elsewhere.owner, given); }).handle, "TEA-1");
}

TEST_F(Products, GoThroughTheirStatesAndNoOthers) {
  auto product = make(tea("TEA-1"));
  using enum catalog::Event;
  EXPECT_EQ(code_of([&] { move(product, archive); }), Code::conflict);
  EXPECT_EQ(code_of([&] { move(product, restore); }), Code::conflict);
  product = move(product, publish);
  EXPECT_EQ(product.state, State::published);
  const auto since = product.published_at;
  EXPECT_EQ(code_of([&] { move(product, publish); }), Code::conflict);
  product = move(product, archive);
  EXPECT_EQ(seen_by(shop.buyer, product.id), Code::not_found);
  product = move(product, restore);
  EXPECT_EQ(product.state, State::draft);
  EXPECT_EQ(move(product, publish).published_at, since);
}

TEST_F(Products, ArePublishedWithAPriceThatTheShopTakes) {
  auto body = tea("TEA-1");
  body["variants"][0]["prices"][0]["currency"] = "EUR";
  const auto product = make(body);
  EXPECT_EQ(faults_of([&] { move(product, catalog::Event::publish); }), Pointers{"/variants"});
  world.take(shop, {"USD", "EUR"});
  EXPECT_EQ(move(product, catalog::Event::publish).state, State::published);
}

TEST_F(Products, ThatArePublishedStayFitToBeBought) {
  const auto product = published(tea("TEA-1"));
  const auto id = product.variants[0].id;
  const auto edit = [&](const Json& given) {
    return in([&](Tx& tx) { return change_variant(tx, shop.owner, id, product.version, given); });
  };
  EXPECT_EQ(faults_of([&] { edit({{"prices", Json::array()}}); }), Pointers{"/variants"});
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) { return remove_variant(tx, shop.owner, id, product.version); });
            }),
            Code::conflict);
  EXPECT_EQ(faults_of([&] {
              change(product, {{"option_names", {"size"}}});
            }),
            Pointers{"/variants/0/options"});
  EXPECT_EQ(edit({{"mpn", "T/1"}}).version, product.version + 1);
}

TEST_F(Products, HaveVariantsThatDiffer) {
  auto product = make(tea("TEA-1"));
  product = change(product, {{"option_names", {"size"}}});
  const auto first = product.variants[0].id;
  const auto set = [&](VariantId id, const Json& given) {
    return in([&](Tx& tx) { return change_variant(tx, shop.owner, id, product.version, given); });
  };
  EXPECT_EQ(faults_of([&] { set(first, {{"sku", "TEA-2"}}); }), Pointers{"/options"});
  product = set(first, {{"options", {"100 g"}}});
  const auto add = [&](const Json& given) {
    const auto variant = from_json<NewVariant>(given);
    return in(
        [&](Tx& tx) { return add_variant(tx, shop.owner, product.id, product.version, variant); });
  };
  EXPECT_EQ(faults_of([&] {
              add({{"sku", "TEA-2"}, {"options", {"100 g"}}});
            }),
            Pointers{"/options"});
  EXPECT_EQ(faults_of([&] { add({{"sku", "TEA-1"}, {"options", {"200 g"}}}); }), Pointers{"/sku"});
  product = add({{"sku", "TEA-2"}, {"options", {"200 g"}}, {"gtin", "4006381333931"}});
  ASSERT_EQ(product.variants.size(), 2u);
  EXPECT_EQ(product.variants[1].sku, "TEA-2");
  EXPECT_EQ(product.variants[1].gtin, "4006381333931");
  EXPECT_EQ(faults_of([&] { set(product.variants[1].id, {{"sku", "TEA-1"}}); }), Pointers{"/sku"});
  product = in([&](Tx& tx) { return remove_variant(tx, shop.owner, first, product.version); });
  ASSERT_EQ(product.variants.size(), 1u);
  EXPECT_EQ(product.variants[0].sku, "TEA-2");
}

TEST_F(Products, ReplaceAPictureAsAWhole) {
  auto product = make(tea("TEA-1"));
  const auto id = product.variants[0].id;
  const auto set = [&](const Json& image) {
    product = in([&](Tx& tx) {
      return change_variant(tx, shop.owner, id, product.version, {{"image", image}});
    });
    return product.variants[0].image;
  };
  EXPECT_EQ(set({{"url", "https://shop.example/1.jpg"}})->url->value, "https://shop.example/1.jpg");
  EXPECT_EQ(set({{"url", "https://shop.example/2.jpg"}})->url->value, "https://shop.example/2.jpg");
  EXPECT_FALSE(set(nullptr));
  const Json strange = {{"attachment_id", text_of(AttachmentId::make())}};
  EXPECT_EQ(faults_of([&] { set(strange); }), Pointers{"/image/attachment_id"});
  EXPECT_EQ(faults_of([&] {
              change(product, {{"images", Json::array({strange})}});
            }),
            Pointers{"/images/0/attachment_id"});
}

TEST_F(Products, AreRemovedOnlyWhereNobodyEverSawThem) {
  const auto draft = make(tea("TEA-1"));
  in([&](Tx& tx) { catalog::remove(tx, shop.owner, draft.id, draft.version); });
  EXPECT_EQ(seen_by(shop.owner, draft.id), Code::not_found);
  auto sold = published(tea("TEA-1"));
  sold = move(move(sold, catalog::Event::archive), catalog::Event::restore);
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { catalog::remove(tx, shop.owner, sold.id, sold.version); }); }),
      Code::conflict);
}

// ---- what is offered ----------------------------------------------------------------------------

TEST_F(Products, AreOfferedAsTheyAreNow) {
  auto body = tea("TEA-1");
  body["option_names"] = {"size"};
  body["images"] = {{{"url", "https://shop.example/1.jpg"}}};
  body["tax_class"] = "food";
  body["variants"][0]["options"] = {"100 g"};
  body["variants"][0]["weight_g"] = 120;
  const auto product = make(body);
  const auto id = product.variants[0].id;
  EXPECT_FALSE(offer(id)) << "not as a draft";
  move(product, catalog::Event::publish);
  const auto one = offer(id);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->name(), "Green tea, 100 g");
  EXPECT_EQ(one->image->url->value, "https://shop.example/1.jpg");
  EXPECT_EQ(one->weight_g, 120);
  EXPECT_EQ(one->tax_class, "food");
  EXPECT_EQ(one->left, std::nullopt);
  EXPECT_TRUE(one->has(1'000));
  count(id, 3);
  EXPECT_TRUE(offer(id)->has(3));
  EXPECT_FALSE(offer(id)->has(4));
  EXPECT_TRUE(in([&](Tx& tx) { return catalog::offer(tx, world.shop().merchant, {id}); }).empty())
      << "not by another shop";
}

TEST_F(Products, AreShownAtTheLowestPriceOfWhatIsThere) {
  auto body = tea("TEA-1", 1'000);
  body["option_names"] = {"size"};
  body["variants"][0]["options"] = {"100 g"};
  body["variants"].push_back(
      {{"sku", "TEA-2"},
       {"options", {"200 g"}},
       {"prices", {{{"currency", "USD"}, {"amount", 2'000}, {"sale", {{"amount", 1'500}}}}}}});
  const auto product = published(body);
  const auto card = [&] {
    return in([&](Tx& tx) {
      return cards(tx, shop.merchant, {product.id}, *Currency::find("USD")).at(0);
    });
  };
  EXPECT_EQ(card().amount, 1'000);
  EXPECT_EQ(card().highest, 1'500);
  EXPECT_EQ(card().variants, 2);
  EXPECT_EQ(card().left, std::nullopt);
  count(product.variants[0].id, 0);
  EXPECT_EQ(card().sku, "TEA-2") << "the cheaper one is gone";
  EXPECT_EQ(card().amount, 1'500);
  EXPECT_EQ(card().compare_at, 2'000);
  EXPECT_TRUE(card().is_available);
  count(product.variants[1].id, 0);
  EXPECT_FALSE(card().is_available);
  EXPECT_EQ(card().left, 0);
}

}  // namespace catalog_products_test
}  // namespace bottega::test
