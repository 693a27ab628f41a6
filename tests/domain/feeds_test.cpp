// Feeds into the catalogue: all that is good, once, and nothing half; and out of it again.
#include "domain/feeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/uploads.hpp"

namespace bottega::test {
namespace feeds_test {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

class Feeds : public testing::Test {
 protected:
  FeedImport take_in(const Feed& feed) { return import_feed(world, shop, feed); }
  Words remarks(const FeedImport& of) { return remarks_of(world, shop, of.id); }
  std::string value(const std::string& what, const std::string& table,
                    const std::string& where = "true") {
    return value_of(world, shop, what, table, where);
  }
  // Runs the job in small steps, of which each does so many batches.
  jobs::Runner in_steps(std::int64_t batch, std::int64_t batches) {
    catalog::FeedRules rules;
    rules.batch = batch;
    rules.batches_most = batches;
    jobs::Kind kind{catalog::kFeedJob, 30s, 10,
                    [this, rules](const jobs::Job& job) {
                      return catalog::run_feed(world.db, world.depot, job, rules);
                    },
                    jobs::Lane::files};
    return {world.db, {kind}, 16};
  }

  World world;
  const Shop shop = world.shop();
};

TEST_F(Feeds, MakeProductsWithTheirVariantsAndStock) {
  const auto done =
      take_in({"id,title,description,availability,price,sale_price,item_group_id,color,"
               "image_link,quantity_to_sell_on_facebook,product_type,gtin\n"
               "T-1,Tea,Loose,in stock,12.50 USD,9.99 USD,TEA,green,"
               "https://a.example/1.jpg,5,Food > Tea,4006381333931\n"
               "T-2,Tea,Loose,out of stock,13 USD,,TEA,black,"
               "https://a.example/2.jpg,,,\n"
               "CUP,Cup,,in stock,3 USD,,,,https://a.example/3.jpg,0,,\n"});
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.rows_read, 3);
  EXPECT_EQ(done.rows_applied, 3);
  EXPECT_EQ(done.bytes_read, done.bytes);
  EXPECT_EQ(remarks(done), Words{});
  EXPECT_EQ(value("count(*)", "products"), "2");
  EXPECT_EQ(value("string_agg(handle || ' ' || state || ' ' || option_names, ', ' ORDER BY handle)",
                  "products"),
            "CUP published [], TEA published [\"color\"]");
  EXPECT_EQ(value("string_agg(sku || ' ' || options || ' ' || coalesce(image ->> 'url', '-'), ', ' "
                  "ORDER BY sku)",
                  "variants"),
            "CUP [] -, T-1 [\"green\"] -, T-2 [\"black\"] https://a.example/2.jpg");
  EXPECT_EQ(value("string_agg(on_hand::text, ' ' ORDER BY on_hand)", "stock"), "0 5");
  EXPECT_EQ(value("count(*)", "product_index"), "2");
  EXPECT_EQ(files_in(world), 0u) << "the file is not kept";
  const auto id = catalog::ProductId{*parse_uuid(value("id", "products", "handle = 'TEA'"))};
  const auto product = world.transact([&](Tx& tx) { return catalog::fetch(tx, shop.buyer, id); });
  EXPECT_EQ(product.variants.size(), 2u);
  EXPECT_EQ(product.variants[0].prices.items[0].sale->amount.value, 999);
}

TEST_F(Feeds, LeaveOutBadRowsAndSayWhichAndWhy) {
  const auto done =
      take_in({"id,title,availability,price,whatever\nA,Lamp,in stock,1 USD,x\n"
               "B,,maybe,1,\nC,Lamp,in stock,usd 2,\n"});
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.rows_good, 2);
  EXPECT_EQ(done.rows_bad, 1);
  EXPECT_EQ(done.faults, 3);
  EXPECT_EQ(done.warnings, 2);
  EXPECT_EQ(remarks(done),
            (Words{"3: title: is required",
                   "3: price: needs a currency behind the number, as in 12.50 EUR",
                   "3: availability: must be one of in_stock, out_of_stock, preorder, backorder",
                   "4: (warning) price: has its currency before the number",
                   "0: (warning) these fields are not known and are ignored: whatever"}));
  EXPECT_EQ(value("string_agg(sku, ' ' ORDER BY sku)", "variants"), "A C");
}

TEST_F(Feeds, KeepTheFirstTenThousandThings) {
  std::string rows = "id,title,availability,price\n";
  for (int i = 0; i < 12'000; ++i) rows += "A,Lamp,in stock,1\n";
  const auto done = take_in({rows + "B,Lamp,in stock,1 USD\n"});
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.faults, 12'000);
  EXPECT_EQ(remarks(done).size(), 10'000u);
}

TEST_F(Feeds, AreRefusedWhole) {
  const auto stopped =
      take_in({plain_rows(3) + "X,Lamp,in stock,1\n", FeedFormat::csv, OnError::stop});
  EXPECT_EQ(stopped.state, FeedState::refused);
  EXPECT_EQ(stopped.reason, "bad rows: 1");
  const auto cut =
      take_in({"<rss><item><id>A</id><title>T</title><price>1 USD</price>"
               "<availability>in stock</availability></item><item>",
               FeedFormat::xml});
  EXPECT_EQ(cut.state, FeedState::refused);
  EXPECT_EQ(remarks(cut).size(), 1u);
  EXPECT_EQ(take_in({"id,title\nA,B\n"}).state, FeedState::refused);
  EXPECT_EQ(take_in({"id,title,availability,price\n"}).reason, "there is no row in the file");
  EXPECT_EQ(take_in({"id,title,availability,price\nA,B,C,D\n"}).reason,
            "no row of the file is good");
  EXPECT_EQ(value("count(*)", "products"), "0");
  EXPECT_EQ(files_in(world), 0u);
}

TEST_F(Feeds, ChangeNothingTheSecondTime) {
  const Feed feed{plain_rows(50)};
  take_in(feed);
  const auto before =
      value("string_agg(id || ' ' || version || ' ' || updated_at, ',' ORDER BY id)", "products");
  world.advance(1h);
  EXPECT_EQ(take_in(feed).state, FeedState::done);
  EXPECT_EQ(
      value("string_agg(id || ' ' || version || ' ' || updated_at, ',' ORDER BY id)", "products"),
      before);
}

TEST_F(Feeds, ChangeWhatTheySayAndLeaveTheRest) {
  take_in({"id,title,availability,price,brand,mpn\nA,Lamp,in stock,1 USD,Lux,M1\n"});
  world.take(shop, {"USD", "EUR"});
  take_in({"id,title,availability,price,brand\nA,Lamp,out of stock,2 EUR,\n"});
  EXPECT_EQ(value("concat_ws(' ', version, coalesce(brand, '-'))", "products"), "2 -");
  EXPECT_EQ(value("concat_ws(' ', availability, mpn, prices -> 0 ->> 'currency', "
                  "prices -> 1 ->> 'currency')",
                  "variants"),
            "out_of_stock M1 EUR USD");
}

TEST_F(Feeds, GoOnWhereTheyStopped) {
  const auto made = upload_feed(world, shop, {plain_rows(25)});
  auto runner = in_steps(10, 1);
  std::vector<std::int64_t> reached;
  for (int i = 0; i < 4; ++i) {
    run(runner.run_due(jobs::Lane::files));
    reached.push_back(feed_now(world, shop, made.id).rows_applied);
    EXPECT_EQ(value("count(*)", "products"), std::to_string(reached.back()));
  }
  EXPECT_EQ(reached, (std::vector<std::int64_t>{10, 20, 25, 25}));
  EXPECT_EQ(feed_now(world, shop, made.id).state, FeedState::done);
}

TEST_F(Feeds, BeginTheirCheckAnew) {
  const auto made = upload_feed(world, shop, {plain_rows(5) + "X,Lamp,in stock,1\n"});
  execute(world.urls.superuser, "UPDATE bottega.feed_imports SET state = 'checking'");
  execute(
      world.urls.superuser,
      "INSERT INTO bottega.feed_import_remarks (merchant_id, import_id, number, line, severity, "
      "detail) SELECT merchant_id, id, 1, 1, 'error', 'of another try' "
      "FROM bottega.feed_imports");
  world.run_jobs();
  const auto done = feed_now(world, shop, made.id);
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.faults, 1);
  EXPECT_EQ(remarks(done).size(), 1u);
}

TEST_F(Feeds, WriteTheRowsOfAProductTogether) {
  std::string rows = "id,title,availability,price,item_group_id,size\n";
  for (int i = 0; i < 9; ++i) {
    const auto number = std::to_string(i);
    rows += "S" + number + ",Lamp,in stock,1 USD,G" + std::to_string(i / 3) + "," + number + "\n";
  }
  const auto made = upload_feed(world, shop, {rows});
  auto runner = in_steps(2, 1);
  run(runner.run_due(jobs::Lane::files));
  EXPECT_EQ(feed_now(world, shop, made.id).rows_applied, 3) << "not two";
  run(runner.drain(10, jobs::Lane::files));
  EXPECT_EQ(feed_now(world, shop, made.id).state, FeedState::done);
  EXPECT_EQ(value("count(DISTINCT product_id)", "variants"), "3");
}

TEST_F(Feeds, ArchiveWhatTheyDoNotHave) {
  take_in({plain_rows(5)});
  auto rows = plain_rows(2) + "S-2,Lamp,maybe,1 USD,7\n";
  const auto done = take_in({rows, FeedFormat::csv, OnError::skip, Missing::archive});
  EXPECT_EQ(done.state, FeedState::done);
  EXPECT_EQ(done.products_archived, 2);
  EXPECT_EQ(value("string_agg(handle, ' ' ORDER BY handle)", "products", "state = 'archived'"),
            "S-3 S-4")
      << "a bad row is no missing one";
  EXPECT_EQ(value("count(*)", "feed_import_seen"), "0");
  take_in({plain_rows(5)});
  EXPECT_EQ(value("string_agg(DISTINCT state, ' ')", "products"), "published");
}

// What a row is of may be what it seems to miss.
TEST_F(Feeds, ArchiveNothingWhereARowCannotBeTold) {
  const std::string head = "id,title,availability,price\n";
  const std::string good = "S-0,Lamp 0,in stock,10.50 USD\n";
  for (const std::string bad : {"\"S-1\"x,Lamp,in stock,1 USD\n", "S-1,\"Lamp,in stock,1 USD\n",
                                "S-1,L\xe9mp,in stock,1 USD\n", ",Lamp,in stock,1 USD\n",
                                "S-1,\"Lamp,in stock,1 USD\nS-2,Bulb 3\",in stock,1 USD\n"}) {
    take_in({plain_rows(3)});
    const auto done =
        take_in({head + good + bad, FeedFormat::csv, OnError::skip, Missing::archive});
    EXPECT_EQ(done.state, FeedState::done) << bad;
    EXPECT_EQ(done.products_archived, 0) << bad;
    const std::string why =
        "nothing is archived: of which products 1 rows are cannot be told, the first of them at "
        "line 3";
    EXPECT_EQ(done.reason, why) << bad;
    EXPECT_EQ(remarks(done).back(), "0: (warning) " + why) << bad;
    EXPECT_EQ(value("string_agg(DISTINCT state, ' ')", "products"), "published") << bad;
    EXPECT_EQ(value("string_agg(DISTINCT availability, ' ')", "variants"), "in_stock") << bad;
  }
}

TEST_F(Feeds, TakeVariantsThatAreMissingOutOfStock) {
  const std::string head = "id,title,availability,price,item_group_id,size\n";
  const std::string small = "S,Lamp,in stock,1 USD,L,small\n",
                    large = "B,Lamp,in stock,1 USD,L,big\n";
  take_in({head + small + large});
  take_in({head + small, FeedFormat::csv, OnError::skip, Missing::archive});
  EXPECT_EQ(value("string_agg(sku || ' ' || availability, ', ' ORDER BY sku)", "variants"),
            "B out_of_stock, S in_stock");
}

TEST_F(Feeds, MoveAVariantToAnotherProduct) {
  take_in({"id,title,availability,price,item_group_id,size\nS,Lamp,in stock,1 USD,L,small\n"});
  take_in({"id,title,availability,price,item_group_id,size\nS,Lamp,in stock,1 USD,M,small\n"});
  EXPECT_EQ(value("string_agg(handle || ' ' || state, ', ' ORDER BY handle)", "products"),
            "L archived, M published");
  EXPECT_EQ(value("count(*)", "variants"), "1");
}

TEST_F(Feeds, NeverTakeAwayWhatSomebodyIsPayingFor) {
  take_in({plain_rows(1)});
  execute(world.urls.superuser, "UPDATE bottega.stock SET reserved = 4");
  take_in({"id,title,availability,price,inventory\nS-0,Lamp 0,in stock,10.50 USD,1\n"});
  EXPECT_EQ(value("on_hand || ' ' || reserved", "stock"), "4 4");
}

TEST_F(Feeds, AreCancelled) {
  const auto made = upload_feed(world, shop, {plain_rows(30)});
  auto runner = in_steps(10, 1);
  run(runner.run_due(jobs::Lane::files));
  const auto cancel = [&] {
    world.transact([&](Tx& tx) { catalog::cancel_feed(tx, shop.owner, made.id); });
  };
  cancel();
  EXPECT_EQ(code_of(cancel), Code::conflict);
  world.run_jobs();
  const auto now = feed_now(world, shop, made.id);
  EXPECT_EQ(now.state, FeedState::cancelled);
  EXPECT_EQ(now.rows_applied, 10);
  EXPECT_EQ(value("count(*)", "products"), "10");
  EXPECT_EQ(files_in(world), 0u);
}

TEST_F(Feeds, AreForMembersWhoMayEditAndNotTooManyAtOnce) {
  const auto agent = world.member(shop, identity::Role::agent);
  const auto expect = [&](const identity::Who& who) {
    const auto id = catalog::FeedImportId::make();
    return code_of(
        [&] { world.transact([&](Tx& tx) { catalog::expect_feed(tx, who, shop.merchant, id); }); });
  };
  EXPECT_EQ(expect(agent), Code::forbidden);
  EXPECT_EQ(expect(shop.buyer), Code::not_found);
  EXPECT_EQ(expect(world.key_with(shop, identity::Scope::chat)), Code::forbidden);
  EXPECT_EQ(expect(world.key_with(shop, identity::Scope::catalog)), std::nullopt);
  for (int i = 0; i < catalog::kFeedsAtOnceMax; ++i) upload_feed(world, shop, {plain_rows(1)});
  EXPECT_EQ(expect(shop.owner), Code::rate_limited);
}

TEST_F(Feeds, AreRemovedWhenTheUploadCameToNothing) {
  const auto id = catalog::FeedImportId::make();
  world.transact([&](Tx& tx) { catalog::expect_feed(tx, shop.owner, shop.merchant, id); });
  {
    catalog::FeedIntake intake(world.depot, id);
    auto work = [&]() -> asio::awaitable<void> {
      co_await intake.take("id\n");
      co_await intake.put();
    };
    run(work());
  }
  EXPECT_EQ(files_in(world), 1u);
  world.run_jobs();
  EXPECT_EQ(files_in(world), 1u);
  world.advance(25h);
  world.run_jobs();
  EXPECT_EQ(files_in(world), 0u);
}

TEST_F(Feeds, TellTheMerchantsSide) {
  world.notices.clear();
  const auto done = take_in({plain_rows(3)});
  std::vector<std::string> states;
  for (const auto& notice : world.notices) {
    const auto frame = Json::parse(notice.text, nullptr, false);
    if (frame.is_discarded() || frame.value("event", "") != "feed_import.updated") continue;
    EXPECT_EQ(notice.topics, Words{identity::merchant_topic(shop.merchant)});
    EXPECT_EQ(frame["data"]["feed_import"]["id"], text_of(done.id));
    states.push_back(frame["data"]["feed_import"]["state"]);
  }
  states.erase(std::unique(states.begin(), states.end()), states.end());
  EXPECT_EQ(states, (Words{"uploaded", "checking", "importing", "done"}));
}

// ---- out ----------------------------------------------------------------------------------------

class FeedsOut : public Feeds, public testing::WithParamInterface<FeedFormat> {
 protected:
  void make_odd_products() {
    const auto make = [&](Json product) {
      product["merchant_id"] = text_of(shop.merchant);
      const auto given = from_json<catalog::NewProduct>(product);
      world.transact([&](Tx& tx) { catalog::create(tx, shop.owner, given); });
    };
    const Json dollars = {{"currency", "USD"}, {"amount", 1250}};
    make(
        {{"title", " Kaffee \"stark\", <b>&amp;</b> "},
         {"description", "Line 1\nLine 2\r\n"},
         {"handle", "KAFFEE"},
         {"option_names", {"Grind", "size"}},
         {"images", {{{"url", "https://a.example/1,2.jpg"}}, {{"url", "https://a.example/3.jpg"}}}},
         {"needs_shipping", false},
         {"tax_class", "food"},
         {"variants",
          {{{"sku", "K-1"},
            {"options", {"coarse", "1 kg"}},
            {"prices",
             {{{"currency", "USD"}, {"amount", 1000}, {"compare_at", 1500}},
              {{"currency", "EUR"}, {"amount", 900}}}},
            {"image", {{"url", "https://a.example/4.jpg"}}}},
           {{"sku", "K-2"},
            {"options", {"fine", "1 kg"}},
            {"availability", "preorder"},
            {"available_at", "2031-01-01T00:00:00.000001Z"},
            {"weight_g", 1000},
            {"image", {{"url", "https://a.example/3.jpg"}}}}}}});
    make(
        {{"title", "Lamp"},
         {"variants",
          {{{"sku", "LAMP"}, {"gtin", "4006381333931"}, {"mpn", "=1+1"}, {"prices", {dollars}}}}}});
  }
};

TEST_P(FeedsOut, AreReadBackAsTheSameCatalogue) {
  take_in(
      {"id,title,description,availability,price,sale_price,sale_price_effective_date,"
       "item_group_id,color,size,image_link,additional_image_link,inventory,status,condition\n"
       "T-1,Tea,\"Loose, \"\"leaf\"\"\",in stock,12.50 USD,9.99 USD,2026-12-01/2026-12-24,TEA,"
       "green,S,https://a.example/1.jpg,https://a.example/9.jpg,5,active,used\n"
       "T-2,Tea,x,backorder,13 USD,,,TEA,black,S,https://a.example/2.jpg,,0,,new\n"
       "CUP,Cup,,in stock,3 USD,,,,,,,,,archived,\n"});
  make_odd_products();
  const auto before = catalogue_of(world, shop);
  EXPECT_EQ(value("count(*)", "variants"), "6");
  const auto file = export_feed(world, shop, GetParam());
  const auto other = world.shop();
  const auto done = import_feed(world, other, {file, GetParam(), OnError::stop});
  EXPECT_EQ(done.state, FeedState::done) << done.reason.value_or("");
  EXPECT_EQ(remarks_of(world, other, done.id), Words{});
  EXPECT_EQ(catalogue_of(world, other), before);
  EXPECT_EQ(export_feed(world, shop, GetParam()), file);
  take_in({file, GetParam(), OnError::stop});
  EXPECT_EQ(catalogue_of(world, shop), before) << "it changes nothing where it came from";
}

TEST_P(FeedsOut, AreWholeOverManyPages) {
  const auto count = 1'203;
  take_in({plain_rows(count)});
  const auto file = export_feed(world, shop, GetParam());
  const auto other = world.shop();
  const auto done = import_feed(world, other, {file, GetParam()});
  EXPECT_EQ(done.rows_good, count);
  EXPECT_EQ(catalogue_of(world, other), catalogue_of(world, shop));
}

TEST_P(FeedsOut, AreEmptyOfAnEmptyShop) {
  const auto done = take_in({export_feed(world, shop, GetParam()), GetParam()});
  EXPECT_EQ(done.reason, "there is no row in the file");
}

INSTANTIATE_TEST_SUITE_P(Formats, FeedsOut,
                         testing::Values(FeedFormat::csv, FeedFormat::tsv, FeedFormat::xml),
                         [](const auto& row) { return text_of(row.param); });

}  // namespace feeds_test
}  // namespace bottega::test
