// What a feed publishes: what a buyer could buy, and nothing else; and what is not finished goes
// out and comes back as it is.
#include <algorithm>

#include "domain/catalog.hpp"
#include "domain/feeds.hpp"

namespace bottega::test {
namespace feeds_states_test {

using Words = std::vector<std::string>;

class FeedStates : public Shelf {
 protected:
  // A row with these words of our own.
  std::string row(const std::string& sku, const std::string& price, const std::string& status,
                  const Json& extra) {
    std::string text;
    for (const char c : extra.dump()) text.append(c == '"' ? 2 : 1, c);
    return sku + ",Lamp,in stock," + price + ',' + status + ",\"" + text + "\"\n";
  }
  FeedImport take_in(const std::string& rows) {
    return import_feed(world, shop, {"id,title,availability,price,status,bottega_extra\n" + rows});
  }
  std::string products() {
    return value_of(world, shop, "string_agg(handle || ' ' || state, ', ' ORDER BY handle)",
                    "products");
  }
  Words remarks(const FeedImport& of) { return remarks_of(world, shop, of.id); }
};

const Json kNoPrice = {{"prices", Json::array()}};
const Json kEuros = {{"prices", {{{"currency", "EUR"}, {"amount", 100}}}}};

TEST_F(FeedStates, ArePublishedOnlyWithAPriceThatTheShopTakes) {
  const auto rows = row("A", "", "", kNoPrice) + row("B", "1 EUR", "active", kEuros) +
                    row("C", "", "archived", kNoPrice) +
                    row("D", "1 USD", "active", Json::object());
  const auto done = take_in(rows);
  EXPECT_EQ(products(), "A draft, B draft, C archived, D published");
  const std::string why =
      ": (warning) price: is in no currency that the shop takes: a product without such a price is "
      "not published";
  EXPECT_EQ(remarks(done), (Words{"2" + why, "3" + why}));
  const auto before = catalogue_of(world, shop);
  const auto versions = value_of(world, shop, "sum(version)", "products");
  take_in(rows);
  EXPECT_EQ(catalogue_of(world, shop), before);
  EXPECT_EQ(value_of(world, shop, "sum(version)", "products"), versions);
}

// The statistics of the tables know another shop alone; a thousand rows, each of which reads all of
// them, would take longer than a statement may.
TEST_F(FeedStates, ComeIntoAShopThatIsNewerThanTheStatistics) {
  const auto rows_of = [](int count) {
    std::string rows;
    for (int i = 0; i < count; ++i)
      rows += "SKU-" + std::to_string(i) + ",Lamp,in stock,1 USD,active,\n";
    return rows;
  };
  EXPECT_EQ(take_in(rows_of(100)).rows_applied, 100);
  execute(world.urls.superuser, "ANALYZE");
  const auto next = world.shop();
  const auto done = import_feed(
      world, next, {"id,title,availability,price,status,bottega_extra\n" + rows_of(1'000)});
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.rows_applied, 1'000);
  EXPECT_EQ(value_of(world, next, "count(*)", "variants"), "1000");
}

TEST_F(FeedStates, NeedOnePriceForAllVariants) {
  const auto group = [&](const std::string& sku, const std::string& option, const Json& prices) {
    return row(
        sku, "", "active",
        {{"handle", "L"}, {"prices", prices}, {"option_names", {"Size"}}, {"options", {option}}});
  };
  const Json dollars = {{{"currency", "USD"}, {"amount", 100}}};
  take_in(group("L-1", "small", Json::array()) + group("L-2", "large", dollars));
  EXPECT_EQ(products(), "L published");
  take_in(group("L-1", "small", Json::array()));
  EXPECT_EQ(products(), "L published") << "the other variant has its price still";
  take_in(group("L-2", "large", Json::array()));
  EXPECT_EQ(products(), "L archived") << "nobody could buy it";
}

TEST_F(FeedStates, AreInACurrencyOfTheShopAlsoWhereWeSayIt) {
  const auto done = take_in(row("A", "1 EUR", "", {{"state", "published"}}) +
                            row("B", "1 EUR", "", {{"state", "draft"}}));
  EXPECT_EQ(remarks(done), Words{"2: price: is in a currency that the shop does not take"});
  EXPECT_EQ(products(), "B draft");
}

TEST_F(FeedStates, HaveOptionsOfDifferentNames) {
  const auto done =
      take_in(row("A", "1 USD", "", {{"option_names", {"Size", "size"}}, {"options", {"S", "S"}}}) +
              row("B", "1 USD", "", {{"option_names", {"Size", "Cut"}}, {"options", {"S"}}}) +
              row("C", "1 USD", "", Json::object()));
  EXPECT_EQ(remarks(done), (Words{"2: bottega_extra: has two options of one name",
                                  "3: bottega_extra: must have as many options as names of them"}));
}

// Each in small steps, between which the other would have its turn.
TEST_F(FeedStates, OfTwoFilesAreThoseOfTheLaterOne) {
  catalog::FeedRules rules;
  rules.batch = rules.batches_most.emplace(1);
  const jobs::Kind kind{
      catalog::kFeedJob, std::chrono::seconds(30), 10,
      [&](const jobs::Job& job) { return catalog::run_feed(world.db, world.depot, job, rules); },
      jobs::Lane::files};
  const auto file = [](int from) {
    return Feed{plain_rows(4, from), FeedFormat::csv, OnError::skip, Missing::archive};
  };
  const auto first = upload_feed(world, shop, file(0));
  world.advance(std::chrono::seconds(1));
  const auto second = upload_feed(world, shop, file(2));
  jobs::Runner runner(world.db, {kind}, 16);
  for (int i = 0; i < 40; ++i) {
    run(runner.run_due(jobs::Lane::files));
    const auto one = feed_now(world, shop, first.id), two = feed_now(world, shop, second.id);
    EXPECT_TRUE(one.ended_at || two.state == FeedState::uploaded);
  }
  EXPECT_EQ(feed_now(world, shop, first.id).state, FeedState::done);
  EXPECT_EQ(feed_now(world, shop, second.id).state, FeedState::done);
  EXPECT_EQ(products(),
            "S-0 archived, S-1 archived, S-2 published, S-3 published, S-4 published, "
            "S-5 published");
}

// ---- what a file says nothing of ----------------------------------------------------------------

TEST_F(FeedStates, LeaveTheSaleWhereAFileHasNoneToTellOf) {
  const auto prices = [&] {
    return value_of(world, shop, "string_agg(prices::text, ' ')", "variants");
  };
  const auto file = [&](const std::string& columns, const std::string& cells) {
    const auto head = "id,title,availability,price" + columns + '\n';
    EXPECT_EQ(import_feed(world, shop, {head + "A,Lamp,in stock," + cells + '\n'}).rows_bad, 0);
  };
  auto body = tea("A", 1'000);
  auto& price = body["variants"][0]["prices"][0];
  price["compare_at"] = 1'500;
  price["sale"] = {{"amount", 700}, {"ends_at", "2040-01-01T00:00:00Z"}};
  published(body);
  const auto before = prices();
  file("", "10.00 USD");
  EXPECT_EQ(prices(), before);
  file(",sale_price", "10.00 USD,6.00 USD");
  EXPECT_NE(prices().find(R"("sale": {"amount": 600, "ends_at": "2040-01-01)"), std::string::npos)
      << prices();
  file(",sale_price", "10.00 USD,");
  EXPECT_NE(prices().find(R"("sale": null)"), std::string::npos) << prices();
  EXPECT_NE(prices().find(R"("compare_at": 1500)"), std::string::npos) << prices();
  file("", "20.00 USD");
  EXPECT_NE(prices().find(R"("compare_at": null)"), std::string::npos) << "it would be no saving";
}

TEST_F(FeedStates, BeginASaleWhereTheLastOneIsOver) {
  auto body = tea("A", 1'000);
  body["variants"][0]["prices"][0]["sale"] = {{"amount", 700}, {"ends_at", "2020-01-01T00:00:00Z"}};
  const auto made = published(body);
  import_feed(world, shop,
              {"id,title,availability,price,sale_price\nA,Lamp,in stock,10.00 USD,6.00 USD\n"});
  const auto price = in([&](Tx& tx) {
    return catalog::price_now(catalog::fetch(tx, shop.owner, made.id).variants[0].prices,
                              parse_currency("USD"), tx.now());
  });
  EXPECT_EQ(price.value().amount, 600) << "it is in force, without the dates of that one";
}

TEST_F(FeedStates, LeaveTheDayOfWhatComesLater) {
  auto body = tea("A");
  body["variants"][0]["availability"] = "backorder";
  body["variants"][0]["available_at"] = "2040-01-01T00:00:00Z";
  published(body);
  const auto day = [&] {
    return value_of(world, shop, "coalesce(max(available_at)::date::text, 'none')", "variants");
  };
  take_in(row("A", "10 USD", "", Json::object()));
  EXPECT_EQ(day(), "none") << "it is there now";
  const std::string head = "id,title,availability,price,availability_date\n";
  import_feed(world, shop, {head + "A,Lamp,backorder,10 USD,2040-01-01\n"});
  import_feed(world, shop, {"id,title,availability,price\nA,Lamp,backorder,10 USD\n"});
  EXPECT_EQ(day(), "2040-01-01");
}

TEST_F(FeedStates, LeaveAVariantWhereItIsUnlessAGroupIsNamed) {
  auto body = tea("L-1");
  body["handle"] = "nice-lamp";
  body["description"] = "Of brass.";
  body["option_names"] = {"color"};
  auto other = body["variants"][0];
  other["sku"] = "L-2";
  body["variants"][0]["options"] = {"red"};
  other["options"] = {"blue"};
  body["variants"].push_back(other);
  const auto lamp = published(body);
  const auto done =
      import_feed(world, shop,
                  {"id,title,availability,price,color\nL-1,Nice lamp,in stock,11 USD,green\n"
                   "L-2,Nice lamp,in stock,12 USD,green\nNEW,A cup,in stock,3 USD,\n"});
  EXPECT_EQ(done.rows_bad, 0);
  EXPECT_EQ(products(), "NEW published, nice-lamp published");
  const auto now = in([&](Tx& tx) { return catalog::fetch(tx, shop.owner, lamp.id); });
  EXPECT_EQ(now.title, "Nice lamp");
  EXPECT_EQ(now.description, "Of brass.");
  ASSERT_EQ(now.variants.size(), 2u);
  EXPECT_EQ(now.variants[0].sku, "L-1");
  EXPECT_EQ(to_json(now.variants[0].options), Json({"red"}));
  EXPECT_EQ(now.variants[1].prices.items.at(0).amount, 1'200);
  auto cup = body;
  cup["handle"] = "C-1";
  cup["variants"][0]["sku"] = "C-1";
  cup["variants"][1]["sku"] = "C-2";
  const auto called = published(cup);
  import_feed(world, shop,
              {"id,title,availability,price,size\nC-2,Cup,in stock,1 USD,big\n"
               "C-1,Cup,in stock,1 USD,big\n"});
  const auto cups = in([&](Tx& tx) { return catalog::fetch(tx, shop.owner, called.id); });
  EXPECT_EQ(to_json(cups.option_names), Json({"color"})) << "though it is called as one of them";
  EXPECT_EQ(to_json(cups.variants[0].options), Json({"red"}));
  EXPECT_EQ(to_json(cups.variants[1].options), Json({"blue"}));
  import_feed(world, shop,
              {"id,title,availability,price,item_group_id\nL-1,Lamp,in stock,11 USD,\n"});
  EXPECT_EQ(products(), "C-1 published, L-1 published, NEW published, nice-lamp published")
      << "the file says that it stands alone";
}

TEST_F(FeedStates, LeaveNoTwoVariantsAlike) {
  const auto file = [&](const std::string& option, const std::string& rows) {
    import_feed(world, shop, {"id,title,availability,price,item_group_id," + option + '\n' + rows});
  };
  const auto options = [&] {
    return value_of(world, shop, "string_agg(sku || ' ' || (options ->> 0), ', ' ORDER BY sku)",
                    "variants");
  };
  file("color", "HA,Hat,in stock,9 USD,HG,red\nHB,Hat,in stock,9 USD,HG,blue\n");
  file("color", "HC,Hat,in stock,8 USD,HG,red\n");
  EXPECT_EQ(options(), "HA red (HA), HB blue, HC red");
  const auto hat = value_of(world, shop, "max(id::text)", "products");
  const auto id = catalog::ProductId{parse_uuid(hat).value()};
  const auto now = in([&](Tx& tx) { return catalog::fetch(tx, shop.owner, id); });
  EXPECT_EQ(change(now, {{"title", "A hat"}}).title, "A hat") << "it can be edited as before";
  file("size", "HA,Hat,in stock,9 USD,ONE,\n");
  file("size", "HD,Hat,in stock,9 USD,ONE,\n");
  EXPECT_EQ(options(), "HA - (HA), HB blue, HC red, HD -");
}

TEST_F(FeedStates, OfWhatIsNotFinishedComeBackTheSame) {
  auto body = tea("TEA-1");
  body["option_names"] = Json::array();
  change(make(body), {{"option_names", {"Size"}}});
  published(tea("CUP"));
  const auto before = catalogue_of(world, shop);
  for (const auto format : {FeedFormat::csv, FeedFormat::tsv, FeedFormat::xml}) {
    const auto file = export_feed(world, shop, format);
    const auto other = world.shop();
    const auto done = import_feed(world, other, {file, format, OnError::stop});
    EXPECT_EQ(done.state, FeedState::done) << done.reason.value_or("");
    EXPECT_EQ(remarks_of(world, other, done.id), Words{});
    EXPECT_EQ(catalogue_of(world, other), before);
  }
}

}  // namespace feeds_states_test
}  // namespace bottega::test
