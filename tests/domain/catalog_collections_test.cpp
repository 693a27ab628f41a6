// Collections: in the shop's order, a product in many, and seen by others where there is something
// to see.
#include "domain/catalog.hpp"

namespace bottega::test {
namespace catalog_collections_test {

using namespace catalog;

class Collections : public Shelf {
 protected:
  Collection make_list(const std::string& title, const std::vector<ProductId>& products) {
    Json given = {
        {"merchant_id", text_of(shop.merchant)}, {"title", title}, {"products", to_json(products)}};
    const auto body = from_json<NewCollection>(given);
    return in([&](Tx& tx) { return create_collection(tx, shop.owner, body); });
  }
  Collection edit(const Collection& collection, const Json& given) {
    const auto body = from_json<ChangedCollection>(given);
    return in([&](Tx& tx) {
      return change_collection(tx, shop.owner, collection.id, collection.version, body);
    });
  }
  std::vector<ProductId> products(CollectionId id, std::int64_t limit = 100) {
    std::vector<ProductId> out;
    std::optional<InCollection> after;
    for (;;) {
      const auto page =
          in([&](Tx& tx) { return products_of_collection(tx, shop.merchant, id, after, limit); });
      for (const auto& row : page) out.push_back(row.product_id);
      if (static_cast<std::int64_t>(page.size()) < limit) return out;
      after = page.back();
    }
  }
  std::vector<std::string> titles(const identity::Who& who) {
    std::vector<std::string> out;
    for (const auto& row : in([&](Tx& tx) { return list_collections(tx, who, shop.merchant); }))
      out.push_back(row.title);
    return out;
  }
  using Titles = std::vector<std::string>;
};

TEST_F(Collections, KeepTheOrderThatTheyWereGiven) {
  const auto a = published(tea("A")).id, b = published(tea("B")).id, c = published(tea("C")).id;
  const auto list = make_list("Teas", {b, c, a});
  EXPECT_EQ(list.version, 1);
  EXPECT_EQ(list.products, 3);
  for (const auto limit : {1, 2, 100})
    EXPECT_EQ(products(list.id, limit), (std::vector<ProductId>{b, c, a}));
  const auto next = edit(list, {{"products", to_json(std::vector<ProductId>{a, b})}});
  EXPECT_EQ(next.version, 2);
  EXPECT_EQ(products(list.id), (std::vector<ProductId>{a, b}));
  EXPECT_EQ(code_of([&] { edit(list, {{"title", "Old"}}); }), Code::precondition_failed);
}

TEST_F(Collections, HaveEachProductOfTheirShopOnce) {
  const auto a = published(tea("A")).id;
  EXPECT_EQ(faults_of([&] { make_list("Teas", {a, a}); }), Pointers{"/products/1"});
  EXPECT_EQ(faults_of([&] { make_list("Teas", {a, ProductId::make()}); }), Pointers{"/products/1"});
  make_list("Teas", {a});
  make_list("Gifts", {a});
  EXPECT_EQ(titles(shop.owner), (Titles{"Teas", "Gifts"})) << "a product may be in many";
}

TEST_F(Collections, AreSeenByOthersWhereSomethingInThemIsPublished) {
  const auto draft = make(tea("A"));
  const auto list = make_list("Teas", {draft.id});
  make_list("Nothing", {});
  EXPECT_TRUE(titles(shop.buyer).empty());
  EXPECT_EQ(titles(shop.owner), (Titles{"Teas", "Nothing"}));
  const auto seen = [&] {
    return code_of([&] { in([&](Tx& tx) { return fetch_collection(tx, shop.buyer, list.id); }); });
  };
  EXPECT_EQ(seen(), Code::not_found);
  move(draft, catalog::Event::publish);
  EXPECT_EQ(seen(), std::nullopt);
  EXPECT_EQ(titles(shop.buyer), Titles{"Teas"});
}

TEST_F(Collections, AreAFilterOfBrowsing) {
  const auto a = published(tea("A")).id;
  published(tea("B"));
  const auto list = make_list("Teas", {a});
  const auto found = [&] {
    Browse query;
    query.merchant = shop.merchant;
    query.collection = list.id;
    return in([&](Tx& tx) { return browse(tx, shop.buyer, query, std::nullopt, 10); });
  };
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].product_id, a);
  edit(list, {{"products", Json::array()}});
  EXPECT_TRUE(found().empty());
}

TEST_F(Collections, GoWithoutTheirProducts) {
  const auto a = published(tea("A")).id;
  const auto list = make_list("Teas", {a});
  in([&](Tx& tx) { remove_collection(tx, shop.owner, list.id, list.version); });
  EXPECT_TRUE(titles(shop.owner).empty());
  EXPECT_EQ(in([&](Tx& tx) { return fetch(tx, shop.buyer, a); }).state, State::published);
  EXPECT_EQ(make_list("Teas", {a}).products, 1);
}

TEST_F(Collections, HaveHandlesOfTheirOwnAndPlaces) {
  const auto one = make_list("One", {}), two = make_list("Two", {});
  EXPECT_EQ(two.position, one.position + 1);
  const auto named = edit(one, {{"handle", "front"}, {"position", 9}});
  EXPECT_EQ(titles(shop.owner), (Titles{"Two", "One"}));
  EXPECT_EQ(faults_of([&] { edit(two, {{"handle", "front"}}); }), Pointers{"/handle"});
  EXPECT_EQ(named.handle, "front");
  EXPECT_EQ(code_of([&] {
              const auto agent = world.member(shop, identity::Role::agent);
              in([&](Tx& tx) { remove_collection(tx, agent, named.id, named.version); });
            }),
            Code::forbidden);
}

}  // namespace catalog_collections_test
}  // namespace bottega::test
