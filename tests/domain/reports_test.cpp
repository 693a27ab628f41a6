// A merchant's reports: the same as the ledger says, on the days of the merchant's country, and
// read by the primary keys.
#include "bottega/reports/reports.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/world.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::test {
namespace reports_test {

using namespace std::chrono_literals;
using reports::Days;

constexpr std::chrono::days kDay{1};

const Calendar& new_york() { return Calendars::built_in().of("US"); }

Days days_of(World& world, const Shop& shop, std::optional<Date> from = {},
             std::optional<Date> to = {}) {
  return world.transact([&](Tx& tx) {
    return reports::days_of(identity::fetch_merchant(tx, shop.merchant), from, to, tx.now(),
                            world.clock.offset());
  });
}

reports::SalesReport sales(World& world, const Days& days) {
  return world.transact([&](Tx& tx) { return reports::sales(tx, days); });
}
reports::RefundsReport refunds(World& world, const Days& days) {
  return world.transact([&](Tx& tx) { return reports::refunds(tx, days); });
}
reports::ProductsReport products(World& world, const Days& days) {
  return world.transact([&](Tx& tx) { return reports::products(tx, days); });
}
reports::ConversionReport conversion(World& world, const Days& days) {
  return world.transact([&](Tx& tx) { return reports::conversion(tx, days); });
}

// So long after the next midnight of New York, or before it; answers the day on which that is.
Date go_to(World& world, std::chrono::minutes after_midnight) {
  const auto next = new_york().begin_of(new_york().date_at(world.clock.now()) + kDay);
  world.clock.set_offset(world.clock.offset() + (next + after_midnight - world.clock.now()));
  return new_york().date_at(world.clock.now());
}

payments::Refund by_platform(World& world, const orders::Order& order, std::int64_t amount) {
  const auto given = from_json<payments::StaffRefund>(
      {{"amount", amount}, {"reason", "it was late"}, {"funded_by", "platform"}});
  const auto who = world.staff();
  return world.transact([&](Tx& tx) {
    return payments::give_back(tx, who, order.payment_id, given, world.payment_rules);
  });
}

// ---- sales --------------------------------------------------------------------------------------

using Sums = std::map<std::pair<Date, std::string>, std::pair<std::int64_t, std::int64_t>>;

// What the ledger has captured for a merchant: how often and how much, by day and currency.
Sums captures(World& world, const Shop& shop) {
  const auto entries = world.transact([&](Tx& tx) {
    return ledger::history(tx, ledger::owner_of(shop.merchant), std::nullopt, 100'000);
  });
  Sums sums;
  for (const auto& entry : entries) {
    if (entry.why != ledger::Why::capture || entry.phase != ledger::Phase::posted) continue;
    auto& [count, sum] = sums[{new_york().date_at(entry.at), to_text(entry.amount.currency)}];
    ++count;
    sum += entry.amount.amount;
  }
  return sums;
}

Sums sums_of(const reports::SalesReport& report) {
  Sums sums;
  for (const auto& row : report.data)
    sums[{row.day.value(), to_text(row.currency)}] = {row.orders, row.gross};
  return sums;
}

TEST(Sales, OfADayAreTheCapturesOfTheLedger) {
  World world;
  const auto shop = world.shop(), other = world.shop();
  world.take(shop, {"USD", "JPY"});
  for (const bool is_cancelled : {true, false}) {
    for (const auto minutes : {-1min, 0min, 700min}) {
      go_to(world, minutes);
      const auto order = world.sell(shop, is_cancelled ? 1'000 : 2'000);
      world.sell(shop, 500, "JPY");
      world.sell(other, 77);
      if (is_cancelled)
        world.cancel(shop, order);
      else
        world.give_back(shop, order, 100);
    }
    world.run_jobs();
  }
  const auto report = sales(world, days_of(world, shop));
  EXPECT_EQ(report.time_zone, "America/New_York");
  EXPECT_EQ(report.data.size(), 10u) << "five days in two currencies";
  EXPECT_EQ(sums_of(report), captures(world, shop));
  ASSERT_EQ(report.totals.size(), 2u);
  EXPECT_EQ(report.totals[0].orders, 6);
  EXPECT_EQ(report.totals[0].gross, 6 * 500) << "JPY";
  EXPECT_EQ(report.totals[1].gross, 3 * 1'000 + 3 * 2'000);
  EXPECT_EQ(report.totals[1].refunds, 3 * 1'000 + 3 * 100);
  for (const auto& row : report.data) EXPECT_EQ(row.net, row.gross - row.refunds - row.fees);
}

TEST(Sales, SayWhatIsLeftForTheMerchant) {
  World world;
  const auto day = go_to(world, 600min);
  const auto shop = world.shop();
  const auto kept = world.sell(shop, 10'000), gone = world.sell(shop, 10'000);
  world.ship(shop, kept);
  world.give_back(shop, kept, 2'500);
  by_platform(world, kept, 700);
  by_platform(world, gone, 500);
  world.run_jobs();
  world.cancel(shop, gone);
  world.run_jobs();
  const auto report = sales(world, days_of(world, shop, day, day));
  ASSERT_EQ(report.data.size(), 1u);
  const reports::SalesRow told{day, parse_currency("USD"), 2, 20'000, 12'500, 240, 7'260};
  EXPECT_EQ(to_json(report.data[0]), to_json(told));
  world.advance(10 * 24h);
  world.run_jobs();
  const auto there =
      world.transact([&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop.merchant)); });
  std::int64_t earned = 0;
  for (const auto& balance : there)
    if (balance.kind == ledger::Kind::merchant_payable) earned += balance.credits;
  EXPECT_EQ(earned, 7'260) << "which the ledger has released";
  EXPECT_EQ(to_json(sales(world, days_of(world, shop, day, day)).data[0]), to_json(told));
}

TEST(Sales, AreOfTheDaysThatAreAskedForAndOfNobodyElse) {
  World world;
  const auto shop = world.shop(), other = world.shop();
  const auto first = go_to(world, -1min);
  world.sell(shop, 100);
  const auto second = go_to(world, 0min);
  EXPECT_EQ(second, first + kDay);
  world.sell(shop, 200);
  const auto gross = [&](Date from, Date to) {
    const auto report = sales(world, days_of(world, shop, from, to));
    return report.totals.empty() ? 0 : report.totals.at(0).gross;
  };
  EXPECT_EQ(gross(first, first), 100);
  EXPECT_EQ(gross(second, second), 200);
  EXPECT_EQ(gross(first, second), 300);
  EXPECT_EQ(gross(first - 300 * kDay, first - kDay), 0);
  EXPECT_EQ(gross(second + kDay, second + 9 * kDay), 0);
  EXPECT_TRUE(sales(world, days_of(world, other, first, second)).data.empty());
}

TEST(Sales, AreFoundWhenTheTestClockHasBeenMovedMeanwhile) {
  World world;
  const auto shop = world.shop();
  const auto before = go_to(world, 600min);
  world.sell(shop, 100);
  world.advance(40 * 24h);
  const auto after = new_york().date_at(world.clock.now());
  world.sell(shop, 200);
  EXPECT_EQ(sales(world, days_of(world, shop, before, after)).totals.at(0).gross, 300);
  EXPECT_EQ(sales(world, days_of(world, shop, after, after + kDay)).totals.at(0).gross, 200);
  EXPECT_EQ(sales(world, days_of(world, shop, before - kDay, before + kDay)).totals.at(0).gross,
            100);
}

// ---- refunds ------------------------------------------------------------------------------------

TEST(RefundsReport, SaysWhatHasBecomeOfThem) {
  World world;
  const auto day = go_to(world, 600min);
  const auto shop = world.shop();
  const auto order = world.sell(shop, 10'000);
  world.give_back(shop, order, 300);
  by_platform(world, order, 200);
  world.give_back(shop, order, 1'017);  // done, and no answer comes
  world.run_jobs();
  const auto usd = parse_currency("USD");
  const reports::RefundsRow open{day, usd, 3, 2, 0, 500, 200, 1'017};
  const auto told = refunds(world, days_of(world, shop, day, day));
  ASSERT_EQ(told.data.size(), 1u);
  EXPECT_EQ(to_json(told.data[0]), to_json(open));
  world.advance(6s);
  world.run_jobs();
  const reports::RefundsRow ended{day, usd, 3, 3, 0, 1'517, 200, 0};
  EXPECT_EQ(to_json(refunds(world, days_of(world, shop, day, day)).data[0]), to_json(ended));
  EXPECT_TRUE(refunds(world, days_of(world, shop, day + kDay, day + 2 * kDay)).data.empty());
}

// ---- products -----------------------------------------------------------------------------------

orders::Order sell_lines(World& world, const Shop& shop, const Json& lines) {
  const auto given =
      from_json<payments::NewRequest>({{"conversation_id", text_of(shop.conversation)},
                                       {"title", "Lamps"},
                                       {"description", "Lamps and more"},
                                       {"lines", lines}});
  const auto request = world.transact(
      [&](Tx& tx) { return payments::ask(tx, shop.owner, given, world.payment_rules); });
  return world.pay(shop, request).order.value();
}

Json line(const std::string& name, int quantity, int unit_amount) {
  return {{"name", name}, {"quantity", quantity}, {"unit_amount", unit_amount}};
}

TEST(ProductsReport, AddsUpTheLinesOfTheOrders) {
  World world;
  const auto day = go_to(world, 600min);
  const auto shop = world.shop();
  sell_lines(world, shop, Json::array({line("Lamp", 2, 1'000), line("Bulb", 10, 50)}));
  sell_lines(world, shop, Json::array({line("Lamp", 1, 900), line("=1+1", 1, 0)}));
  world.advance(24h);
  sell_lines(world, shop, Json::array({line("Bulb", 1, 50)}));
  const auto both = days_of(world, shop, day, day + kDay);
  const auto report = products(world, both);
  Json told = Json::array();
  for (const auto& row : report.data)
    told.push_back({to_text(*row.day), row.name, row.pieces, row.gross});
  const auto first = to_text(day), second = to_text(day + kDay);
  const Json wanted = Json::array({{first, "Lamp", 3, 2'900},
                                   {first, "Bulb", 10, 500},
                                   {first, "=1+1", 1, 0},
                                   {second, "Bulb", 1, 50}});
  EXPECT_EQ(told, wanted);
  ASSERT_EQ(report.totals.size(), 3u);
  EXPECT_EQ(report.totals[1].name, "Bulb");
  EXPECT_EQ(report.totals[1].pieces, 11);
  std::int64_t gross = 0;
  for (const auto& row : report.totals) gross += row.gross;
  EXPECT_EQ(gross, sales(world, both).totals.at(0).gross);
}

// ---- conversion ---------------------------------------------------------------------------------

TEST(ConversionReport, CountsEachConversationOnceADay) {
  World world;
  const auto first = go_to(world, 600min);
  auto shop = world.shop();
  auto silent = shop;
  silent.buyer = world.person("Sue Silent");
  silent.conversation =
      world.transact([&](Tx& tx) { return conversations::open(tx, silent.buyer, {shop.merchant}); })
          .conversation.id;
  world.sell(shop);
  world.sell(shop);
  world.advance(24h);
  const auto late = world.ask(silent);
  world.ask(silent);
  world.advance(18h);  // another day, but what counts is when it was asked for
  const auto report_before = conversion(world, days_of(world, shop, first, first + 2 * kDay));
  ASSERT_EQ(report_before.data.size(), 2u);
  const reports::ConversionRow one{first, 2, 2, 1, 1}, open{first + kDay, 0, 1, 1, 0};
  EXPECT_EQ(to_json(report_before.data[0]), to_json(one));
  EXPECT_EQ(to_json(report_before.data[1]), to_json(open));
  world.pay(silent, late);
  const auto report = conversion(world, days_of(world, shop, first, first + 2 * kDay));
  const reports::ConversionRow paid{first + kDay, 0, 1, 1, 1}, all{std::nullopt, 2, 2, 2, 2};
  EXPECT_EQ(to_json(report.data.at(1)), to_json(paid));
  EXPECT_EQ(to_json(report.totals), to_json(all));
}

TEST(ConversionReport, OfNothingIsNothing) {
  World world;
  const auto shop = world.shop();
  const auto today = new_york().date_at(world.clock.now());
  const auto report = conversion(world, days_of(world, shop, today - 9 * kDay, today - 8 * kDay));
  EXPECT_TRUE(report.data.empty());
  EXPECT_EQ(report.totals.conversations, 0);
}

// ---- what they read -----------------------------------------------------------------------------

class Plans : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
    world_->give_back(shop_, world_->sell(shop_), 100);
    world_->run_jobs();
    multiply("orders",
             "'payment_id', gen_random_uuid(), 'number', lpad(n::text, 4, '0') || '-0000'");
    multiply("refunds", "'reason', 'a scratch'");
    multiply("payment_requests", "'title', 'Lamp'");
    multiply("conversations", "'buyer_id', gen_random_uuid()");
    execute(world_->urls.superuser, "ANALYZE");
  }
  static void TearDownTestSuite() { world_.reset(); }

  // Three weeks of rows like the one that is there, one every ten minutes.
  static void multiply(const std::string& table, const std::string& but) {
    const auto columns =
        execute(world_->urls.superuser,
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE "
                "table_schema = 'bottega' AND is_generated = 'NEVER' AND table_name = '" +
                    table + "'");
    execute(world_->urls.superuser,
            "SET search_path = bottega; SET session_replication_role = replica; INSERT INTO " +
                table + " (" + columns + ") OVERRIDING USER VALUE SELECT " + columns +
                " FROM (SELECT (jsonb_populate_record(t, jsonb_build_object("
                "'id', (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - n * 600000), 12, "
                "'0') || '7' || lpad(to_hex(n), 3, '0') || '8000000000000000')::uuid, "
                "'created_at', now() - n * interval '10 minutes', " +
                but + "))).* FROM " + table + " t, generate_series(1::bigint, 3000) AS n) AS made");
  }

  static void look(const Json& node, std::set<std::string>& indexes, std::int64_t& thrown_away) {
    EXPECT_NE(node["Node Type"], "Seq Scan") << node.dump();
    if (node.contains("Index Name")) indexes.insert(node["Index Name"]);
    thrown_away += node.value("Rows Removed by Filter", std::int64_t{0});
    if (node.contains("Plans"))
      for (const auto& below : node["Plans"]) look(below, indexes, thrown_away);
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

TEST_P(Plans, ReadTheRowsOfTheirDaysByTheirIdsAndNoOthers) {
  const std::string name = GetParam();
  std::string statement;
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (sql->name == name) statement = std::string(sql->text);
  ASSERT_NE(statement, "");
  const auto day = new_york().date_at(world_->clock.now()) - 7 * kDay;
  const auto asked = days_of(*world_, shop_, day, day);
  const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
  const auto arguments = quoted(uuid_text(shop_.merchant.uuid)) + ", " +
                         quoted(uuid_text(asked.first.uuid)) + ", " +
                         quoted(uuid_text(asked.last.uuid)) + ", " + quoted(to_text(asked.begin)) +
                         ", " + quoted(to_text(asked.end)) + ", " + quoted(asked.time_zone) +
                         (name == "reports.products" ? ", 10001" : "");
  for (const auto* mode : {"force_custom_plan", "force_generic_plan"}) {
    // As the server's connections have it.
    const auto plan =
        execute(world_->urls.superuser,
                "SET search_path = bottega; SET enable_seqscan = off; SET "
                "plan_cache_mode = " +
                    std::string(mode) + "; PREPARE asking AS " + statement +
                    "; EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asking(" + arguments + ")");
    std::set<std::string> indexes;
    std::int64_t thrown_away = 0;
    look(Json::parse(plan)[0]["Plan"], indexes, thrown_away);
    EXPECT_FALSE(indexes.empty()) << plan;
    for (const auto& index : indexes)
      EXPECT_TRUE(index.ends_with("_pkey") || index.ends_with("_id")) << plan;
    EXPECT_LE(thrown_away, 10) << plan;
  }
}

INSTANTIATE_TEST_SUITE_P(Reports, Plans,
                         testing::Values("reports.sales", "reports.refunds", "reports.products",
                                         "reports.conversion"),
                         [](const auto& row) {
                           return std::string(row.param).substr(std::string("reports.").size());
                         });

}  // namespace reports_test
}  // namespace bottega::test
