// Browsing: words, filters, sorts and pages; what follows a sale or the last piece; and that every
// step of it reads an index.
#include "domain/catalog.hpp"

namespace bottega::test {
namespace catalog_browse_test {

using namespace catalog;
using namespace std::chrono_literals;

class Browsing : public Shelf {
 protected:
  Browse all() const {
    Browse query;
    query.merchant = shop.merchant;
    return query;
  }
  Browse of(const std::string& words) const {
    auto query = all();
    query.words = Line<1, 200>{words};
    return query;
  }
  // The handles of what is found, page by page.
  std::vector<std::string> found(const Browse& query, std::int64_t limit = 100) {
    std::vector<std::string> out;
    std::optional<BrowsePosition> after;
    for (;;) {
      const auto page = in([&](Tx& tx) { return browse(tx, shop.owner, query, after, limit); });
      std::vector<ProductId> ids;
      for (const auto& row : page) ids.push_back(row.product_id);
      for (const auto& card : in([&](Tx& tx) {
             return cards(tx, shop.merchant, ids, *Currency::find("USD"), query.state);
           }))
        out.push_back(card.handle);
      if (static_cast<std::int64_t>(page.size()) < limit) return out;
      after = BrowsePosition{page.back().low, page.back().product_id};
    }
  }
  Json body(const std::string& sku, const std::string& title, std::int64_t amount) const {
    auto out = tea(sku, amount);
    out["title"] = title;
    return out;
  }
  std::int64_t reindex() {
    return in([&](Tx& tx) { return reindex_due(tx, 1'000); });
  }
  using Handles = std::vector<std::string>;
};

TEST_F(Browsing, ShowsTheNewestFirstOrTheCheapestOrTheDearest) {
  published(body("A", "Lamp", 300));
  published(body("B", "Chair", 100));
  published(body("C", "Table", 200));
  make(body("D", "Draft", 50));
  for (const auto limit : {1, 2, 100}) {
    auto query = all();
    EXPECT_EQ(found(query, limit), (Handles{"C", "B", "A"}));
    query.sort = Sort::price_up;
    EXPECT_EQ(found(query, limit), (Handles{"B", "C", "A"}));
    query.sort = Sort::price_down;
    EXPECT_EQ(found(query, limit), (Handles{"A", "C", "B"}));
  }
}

TEST_F(Browsing, FindsWordsByTheirBeginning) {
  auto lamp = body("LMP-1", "Brass lamp", 300);
  lamp["brand"] = "Lumière";
  lamp["description"] = "It glows, softly/warmly.";
  lamp["category"] = "Home > Light";
  published(lamp);
  published(body("CHR-1", "Chair", 100));
  for (const auto* words :
       {"brass", "BRASS lamp", "lam", "lumière", "glow", "warmly", "lmp-1", "1 lmp", "light home"})
    EXPECT_EQ(found(of(words)), Handles{"LMP-1"}) << words;
  for (const auto* words : {"la", "brass chair", "amp", "x"})
    EXPECT_TRUE(found(of(words)).empty()) << words;
  EXPECT_EQ(faults_of([&] { found(of("-!?")); }), Pointers{"q"});
}

TEST_F(Browsing, CannotBeToldAFilterByAText) {
  auto sly = body("A", "k:used p:published m:" + uuid_text(shop.merchant.uuid), 300);
  sly["description"] = "'k:used' s:in_stock";
  sly["condition"] = "new";
  published(sly);
  auto query = all();
  query.condition = Condition::used;
  EXPECT_TRUE(found(query).empty());
  EXPECT_EQ(found(of("k:used")), Handles{"A"}) << "they are words like others";
}

TEST_F(Browsing, FiltersByWhatAProductIs) {
  auto green = body("A", "Green tea", 300);
  green["brand"] = "TeaCo";
  green["category"] = "Food > Drinks > Tea";
  published(green);
  auto cup = body("B", "Cup", 100);
  cup["condition"] = "used";
  cup["category"] = "Food > Dishes";
  published(cup);
  const auto with = [&](auto set) {
    auto query = all();
    set(query);
    return found(query);
  };
  const auto category = [&](const std::string& path) {
    return with([&](Browse& q) { q.category = from_text<Category>(path); });
  };
  EXPECT_EQ(with([](Browse& q) { q.brand = Line<1, 70>{"teaco"}; }), Handles{"A"});
  EXPECT_EQ(with([](Browse& q) { q.condition = Condition::used; }), Handles{"B"});
  EXPECT_EQ(category("food"), (Handles{"B", "A"}));
  EXPECT_EQ(category("Food>Drinks"), Handles{"A"});
  EXPECT_TRUE(category("Drinks").empty()) << "a path begins at its beginning";
  EXPECT_EQ(with([](Browse& q) { q.price_from = 101; }), Handles{"A"});
  EXPECT_EQ(with([](Browse& q) { q.price_to = 100; }), Handles{"B"});
  EXPECT_EQ(with([](Browse& q) {
              q.price_to = 300;
              q.price_from = 100;
              q.sort = Sort::price_up;
            }),
            (Handles{"B", "A"}));
}

TEST_F(Browsing, KnowsAMomentLaterThatTheLastPieceIsGone) {
  const auto id = counted("A", 1);
  published(body("B", "Cup", 100));
  reindex();
  auto query = all();
  query.in_stock = true;
  EXPECT_EQ(found(query), (Handles{"B", "A"}));
  const auto held = reserve({{id, 1}}).held;
  EXPECT_EQ(reindex(), 1);
  EXPECT_EQ(found(query), Handles{"B"});
  in([&](Tx& tx) { release(tx, shop.merchant, held); });
  EXPECT_EQ(reindex(), 1);
  EXPECT_EQ(found(query), (Handles{"B", "A"}));
  EXPECT_EQ(reindex(), 0);
}

TEST_F(Browsing, FollowsASaleThatBeginsAndEnds) {
  auto sale = body("A", "Tea", 1'000);
  sale["variants"][0]["prices"][0]["sale"] = {{"amount", 10},
                                              {"starts_at", to_text(world.clock.now() + 1h)},
                                              {"ends_at", to_text(world.clock.now() + 2h)}};
  published(sale);
  published(body("B", "Cup", 100));
  auto query = all();
  query.sort = Sort::price_up;
  EXPECT_EQ(found(query), (Handles{"B", "A"}));
  world.advance(61min);
  EXPECT_EQ(reindex(), 1);
  EXPECT_EQ(found(query), (Handles{"A", "B"}));
  world.advance(60min);
  EXPECT_EQ(reindex(), 1);
  EXPECT_EQ(found(query), (Handles{"B", "A"}));
}

// The database and the program work out the same price.
TEST_F(Browsing, KnowsThePriceThatACardShows) {
  const auto now = world.clock.now();
  const std::vector<Json> sales = {
      nullptr,
      {{"amount", 1}},
      {{"amount", 2}, {"starts_at", to_text(now + 1h)}},
      {{"amount", 3}, {"starts_at", to_text(now - 1h)}},
      {{"amount", 4}, {"ends_at", to_text(now - 1h)}},
      {{"amount", 5}, {"starts_at", to_text(now - 1h)}, {"ends_at", to_text(now + 1h)}}};
  for (std::size_t i = 0; i < sales.size(); ++i) {
    auto one = body("S" + std::to_string(i), "Tea", 100);
    one["variants"][0]["prices"][0]["sale"] = sales[i];
    const auto product = published(one);
    const auto rows = in([&](Tx& tx) { return browse(tx, shop.owner, all(), std::nullopt, 1); });
    const auto card = in([&](Tx& tx) {
      return cards(tx, shop.merchant, {product.id}, *Currency::find("USD")).at(0);
    });
    ASSERT_EQ(rows.at(0).product_id, product.id);
    EXPECT_EQ(rows[0].low, card.amount) << sales[i];
  }
}

TEST_F(Browsing, FollowsTheDefaultCurrency) {
  auto both = body("A", "Tea", 1'000);
  both["variants"][0]["prices"].push_back({{"currency", "EUR"}, {"amount", 5}});
  published(both);
  published(body("B", "Cup", 100));
  world.take(shop, {"EUR", "USD"});
  in([&](Tx& tx) { reindex_later(tx, shop.merchant); });
  world.run_jobs();
  auto query = all();
  query.sort = Sort::price_up;
  EXPECT_EQ(found(query), Handles{"A"}) << "what has no price in it has no place in this order";
  EXPECT_EQ(found(all()), (Handles{"B", "A"}));
}

TEST_F(Browsing, ShowsDraftsToMembersAlone) {
  make(body("A", "Tea", 1'000));
  auto query = all();
  query.state = State::draft;
  EXPECT_EQ(found(query), Handles{"A"});
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { return browse(tx, shop.buyer, query, std::nullopt, 10); }); }),
      Code::not_found);
}

// ---- many products ------------------------------------------------------------------------------

class ManyProducts : public Browsing {
 protected:
  static constexpr int kMany = 4'000;

  // Rows as an import writes them; the oldest 30 are rare ones.
  void SetUp() override {
    Browsing::SetUp();
    const auto own = "'" + uuid_text(shop.merchant.uuid) + "'::uuid";
    execute(world.urls.superuser, R"(
      SET search_path = bottega;
      CREATE TEMP TABLE given AS
      SELECT n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
      FROM generate_series(1, )" + std::to_string(kMany) +
                                      R"() n;
      INSERT INTO products (merchant_id, id, handle, state, title, brand, category, created_at,
                            updated_at, published_at)
      SELECT )" + own + R"(, id, 'h' || n, 'published',
             CASE WHEN n <= 30 THEN 'Rare thing' ELSE 'Common thing' END,
             CASE WHEN n <= 30 THEN 'Rarebrand' ELSE 'Brand' END, 'Food > Tea', now(), now(), now()
      FROM given;
      INSERT INTO variants (merchant_id, id, product_id, position, sku, prices)
      SELECT )" + own + R"(, id, id, 0, 'h' || n,
             jsonb_build_array(jsonb_build_object('currency', 'USD', 'amount', 1000 + n))
      FROM given)");
    const auto ids = in([&](Tx& tx) { return tx.all(kIds, shop.merchant); });
    in([&](Tx& tx) { index(tx, shop.merchant, ids); });
    execute(world.urls.superuser, "ANALYZE");
  }

  static inline const Sql<ProductId(identity::MerchantId)> kIds{"test.catalog.ids", R"(
    SELECT id FROM products WHERE merchant_id = $1)"};
};

TEST_F(ManyProducts, AreFoundBehindWhatIsLookedAtToo) {
  auto query = of("rare");
  const auto newest = found(query, 7);
  ASSERT_EQ(newest.size(), 30u);
  EXPECT_EQ(newest.front(), "h30");
  EXPECT_EQ(newest.back(), "h1");
  query.sort = Sort::price_down;
  EXPECT_EQ(found(query, 7), newest);
  query.sort = Sort::price_up;
  EXPECT_EQ(found(query, 7), Handles(newest.rbegin(), newest.rend()));
  query = all();
  query.price_to = 1'030;
  EXPECT_EQ(found(query, 7), newest) << "the first prices are the last products";
  query.brand = Line<1, 70>{"rarebrand"};
  EXPECT_EQ(found(query, 7), newest);
  EXPECT_EQ(found(of("common"), 100).size(), kMany - 30u);
}

// What a statement would do with the settings of the program's connections.
std::string plan_of(const World& world, const std::string& statement,
                    const std::string& arguments) {
  std::string text;
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (sql->name == statement) text = sql->text;
  EXPECT_NE(text, "") << statement;
  return execute(world.urls.superuser,
                 "SET search_path = bottega; SET enable_seqscan = off; PREPARE it AS " + text +
                     "; CREATE TEMP TABLE plan (line text); DO $$ DECLARE row text; BEGIN FOR row "
                     "IN EXECUTE 'EXPLAIN EXECUTE it(' || $q$" +
                     arguments +
                     "$q$ || ')' LOOP INSERT INTO plan VALUES (row); END LOOP; END $$; "
                     "SELECT string_agg(line, E'\\n') FROM plan");
}

TEST_F(ManyProducts, AreReadByIndexesAlone) {
  const auto own = "'" + uuid_text(shop.merchant.uuid) + "'";
  const std::string id = "'01900000-0000-7000-8000-000000000800'";
  const auto ids = "ARRAY[" + id + "]::uuid[]";
  const std::string rare = "'''p:published'' & ''rare'':*'";
  struct Row {
    std::string statement, arguments, index;
  };
  const std::string shelf = own + ", 'published', ";
  const std::vector<Row> rows = {
      {"catalog.probe_newest", shelf + id + ", " + rare + ", -1, 9223372036854775807, 1000, 20",
       "product_index_"},
      {"catalog.probe_price_up", shelf + id + ", " + rare + ", -1, 5000, 1000, 20, 2000",
       "product_index_price"},
      {"catalog.probe_price_down", shelf + id + ", " + rare + ", -1, 5000, 1000, 20, 2000",
       "product_index_price"},
      {"catalog.rest_newest", shelf + id + ", " + rare + ", -1, 5000, 20, 0",
       "product_index_words"},
      {"catalog.rest_price_up", shelf + id + ", " + rare + ", -1, 5000, 20, 0",
       "product_index_words"},
      {"catalog.rest_price_down", shelf + id + ", " + rare + ", -1, 5000, 20, 0",
       "product_index_words"},
      {"catalog.rest_of_prices", shelf + id + ", 1000, 1030, 20", "product_index_price"},
      {"catalog.cards", own + ", " + ids + ", 'USD', now(), 'published'", "variants_product"},
      {"catalog.offers", "ARRAY[" + own + "]::uuid[], " + ids + ", 1", "variants_pkey"},
      {"catalog.reserve", own + ", " + ids + ", ARRAY[1]::bigint[]", "stock_pkey"},
      {"catalog.due_index", "now(), 100", "product_index_due"},
  };
  for (const auto& row : rows) {
    const auto plan = plan_of(world, row.statement, row.arguments);
    EXPECT_NE(plan.find(row.index), plan.npos) << row.statement << '\n' << plan;
    EXPECT_EQ(plan.find("Seq Scan"), plan.npos) << row.statement << '\n' << plan;
  }
}

}  // namespace catalog_browse_test
}  // namespace bottega::test
