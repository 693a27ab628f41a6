// The currencies that a merchant takes: of new requests alone. What was begun in another runs to
// its end, and no request is made beside a removal.
#include <gtest/gtest.h>

#include <future>

#include "support/at_once.hpp"
#include "support/world.hpp"
#include "bottega/payouts/statements.hpp"
#include "bottega/storage/migrate.hpp"

namespace bottega::test {
namespace currencies_test {

using namespace std::chrono_literals;
using Codes = std::vector<std::string>;

Codes codes_of(const identity::Merchant& merchant) {
  Codes codes;
  for (const auto& one : merchant.currencies) codes.push_back(text_of(one));
  return codes;
}

class Currencies : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }
  void TearDown() override {
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  identity::Merchant merchant() const {
    return world_->transact([&](Tx& tx) { return identity::fetch_merchant(tx, shop_.merchant); });
  }
  payments::NewRequest request_in(const Json& currency) const {
    Json given = {{"conversation_id", text_of(shop_.conversation)},
                  {"title", "Lamp"},
                  {"description", "A lamp of brass"},
                  {"currency", currency},
                  {"lines", {{{"name", "Lamp"}, {"quantity", 1}, {"unit_amount", 1'980}}}}};
    return from_json<payments::NewRequest>(given);
  }
  payments::Request ask(const Json& currency) const {
    const auto given = request_in(currency);
    return world_->transact(
        [&](Tx& tx) { return payments::ask(tx, shop_.owner, given, world_->payment_rules); });
  }
  std::optional<Code> refusal(const std::string& currency) const {
    return code_of([&] { ask(currency); });
  }
  // Whether a transaction has come to wait for another one.
  static bool somebody_waits() {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end)
      if (execute(world_->urls.superuser,
                  "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                  "AND wait_event_type = 'Lock'") != "0")
        return true;
    return false;
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

// ---- the settings -------------------------------------------------------------------------------

TEST_F(Currencies, BeginWithTheOneThatTheMerchantCameWith) {
  EXPECT_EQ(text_of(merchant().currency), "USD");
  EXPECT_EQ(codes_of(merchant()), Codes{"USD"});
}

TEST_F(Currencies, AreSetAllTogetherWithTheDefaultFirst) {
  const Codes three = {"KWD", "USD", "JPY"};
  const auto changed = world_->take(shop_, three);
  EXPECT_EQ(text_of(changed.currency), "KWD");
  EXPECT_EQ(codes_of(changed), three);
  EXPECT_EQ(to_json(merchant()), to_json(changed));
  const auto mine =
      world_->transact([&](Tx& tx) { return identity::merchants_of(tx, shop_.owner); });
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(codes_of(mine[0]), three);
  const auto seen = world_->transact(
      [](Tx& tx) { return ops::find_merchants(tx, std::nullopt, std::nullopt, 1); });
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(codes_of(seen[0]), three) << "the staff sees the newest first";
  EXPECT_EQ(codes_of(world_->take(shop_, {"JPY"})), Codes{"JPY"});
}

TEST_F(Currencies, OfAnotherMerchantAreItsOwn) {
  const auto other = world_->shop("JPY");
  world_->take(shop_, {"USD", "KWD"});
  const auto theirs =
      world_->transact([&](Tx& tx) { return identity::fetch_merchant(tx, other.merchant); });
  EXPECT_EQ(codes_of(theirs), Codes{"JPY"});
}

struct BadRow {
  const char* name;
  Json body;
  Codes pointers;
  friend std::ostream& operator<<(std::ostream& out, const BadRow& row) { return out << row.name; }
};
class BadCurrencies : public ::testing::TestWithParam<BadRow> {};

TEST_P(BadCurrencies, AreNamedOneByOne) {
  try {
    from_json<identity::ChangedMerchant>(GetParam().body);
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    Codes pointers;
    for (const auto& fault : error.faults()) pointers.push_back(fault.pointer);
    EXPECT_EQ(pointers, GetParam().pointers);
  }
}

const Json kEleven = {"USD", "EUR", "JPY", "KWD", "BHD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN"};
INSTANTIATE_TEST_SUITE_P(
    Table, BadCurrencies,
    ::testing::Values(BadRow{"Nothing", Json::object(), {"/currencies"}},
                      BadRow{"None", {{"currencies", Json::array()}}, {"/currencies"}},
                      BadRow{"Eleven", {{"currencies", kEleven}}, {"/currencies"}},
                      BadRow{"OneAsText", {{"currencies", "USD"}}, {"/currencies"}},
                      BadRow{"SeveralThatAreNone",
                             {{"currencies", {"usd", "USD", "XAU", 5}}},
                             {"/currencies/0", "/currencies/2", "/currencies/3"}},
                      BadRow{"SomeTwice",
                             {{"currencies", {"USD", "JPY", "USD", "JPY", "USD"}}},
                             {"/currencies/2", "/currencies/3", "/currencies/4"}},
                      BadRow{"TheDefaultByItself",
                             {{"currencies", {"USD"}}, {"currency", "USD"}},
                             {"/currency"}}),
    [](const auto& row) { return std::string(row.param.name); });

// Every row of before takes what it took.
TEST(CurrenciesMigration, GivesEachMerchantTheOneThatItHad) {
  const auto urls = Cluster::shared().empty_database();
  const auto all = bottega_migrations();
  const auto own =
      std::ranges::find_if(all, [](const Migration& one) { return one.name.starts_with("0030"); });
  ASSERT_NE(own, all.end());
  migrate(urls.owner, "bottega", all.first(static_cast<std::size_t>(own - all.begin())));
  for (const std::string currency : {"JPY", "KWD"})
    execute(urls.owner,
            "INSERT INTO bottega.merchants (id, name, country, currency, onboarding, processor, "
            "created_at) VALUES (gen_random_uuid(), 'Lamps', 'US', '" +
                currency + "', 'active', 'sandbox', now())");
  migrate(urls.owner, "bottega", all);
  EXPECT_EQ(execute(urls.owner,
                    "SELECT string_agg(currency || ' ' || currencies::text, ' ' ORDER BY currency) "
                    "FROM bottega.merchants"),
            "JPY {JPY} KWD {KWD}");
  for (const std::string none : {"{}", "{usd}", "{USD,NULL}", "{{USD},{EUR}}", "{\"USD,EUR\"}"})
    EXPECT_THROW(execute(urls.owner, "UPDATE bottega.merchants SET currencies = '" + none + "'"),
                 std::exception)
        << none;
}

// ---- new requests -------------------------------------------------------------------------------

TEST_F(Currencies, OfARequestAreTheDefaultWhereNoneIsNamed) {
  world_->take(shop_, {"KWD", "USD", "JPY"});
  EXPECT_EQ(text_of(ask(nullptr).total.currency), "KWD");
  world_->take(shop_, {"JPY", "KWD"});
  EXPECT_EQ(ask(nullptr).total, (Money{1'980, parse_currency("JPY")}));
  EXPECT_EQ(ask("KWD").total, (Money{1'980, parse_currency("KWD")}));
}

TEST_F(Currencies, ThatAreNotTakenAreRefusedWithTheOnesThatAre) {
  world_->take(shop_, {"JPY", "USD"});
  const auto before = world_->last_seq(shop_);
  try {
    ask("EUR");
    ADD_FAILURE() << "it was asked for";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/currency");
    EXPECT_EQ(error.faults()[0].detail, "must be one of: JPY, USD");
  }
  EXPECT_EQ(world_->last_seq(shop_), before);
}

// ---- what was begun -----------------------------------------------------------------------------

TEST_F(Currencies, ThatAreTakenNoMoreLetWhatWasBegunRunToItsEnd) {
  world_->take(shop_, {"USD", "JPY"});
  const auto owed = world_->sell(shop_, 1'980, "JPY");
  world_->ship(shop_, owed);
  world_->advance(8 * 24h);
  world_->run_jobs();
  const auto open = world_->ask(shop_, 5'000, "JPY"), unpaid = world_->ask(shop_, 700, "JPY");
  const auto paid = world_->sell(shop_, 3'000, "JPY");
  const auto sent = world_->ship(shop_, world_->sell(shop_, 4'000, "JPY")).payout.value();

  world_->take(shop_, {"USD"});
  EXPECT_EQ(refusal("JPY"), Code::invalid);
  const auto order = world_->pay(shop_, open).order.value();
  EXPECT_EQ(order.total, (Money{5'000, parse_currency("JPY")}));
  const payments::Refusal no{std::nullopt};
  world_->transact([&](Tx& tx) { return payments::decline(tx, shop_.buyer, unpaid.id, no); });
  world_->cancel(shop_, paid);
  world_->give_back(shop_, owed);
  world_->ship(shop_, order);
  world_->run_jobs();
  world_->advance(8 * 24h);
  world_->run_jobs();
  const auto now =
      world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, sent.id); });
  EXPECT_EQ(now.state, payouts::State::paid);
  const auto money =
      world_->transact([&](Tx& tx) { return payouts::standing(tx, shop_.merchant); });
  ASSERT_EQ(money.size(), 1u);
  const payouts::Standing settled{parse_currency("JPY")};
  EXPECT_EQ(to_json(money[0]), to_json(settled)) << "all was paid out, given back and recovered";
  std::int64_t sent_to_bank = 0;
  for (const auto& batch : world_->transact(
           [&](Tx& tx) { return payouts::list_batches(tx, shop_.merchant, std::nullopt, 100); })) {
    EXPECT_EQ(batch.state, payouts::BatchState::paid);
    EXPECT_EQ(text_of(batch.amount.currency), "JPY");
    sent_to_bank += batch.amount.amount;
  }
  // 1,980 of which 1,893 came and were owed again; 4,000 less 146, 5,000 less 175.
  EXPECT_EQ(sent_to_bank, 3'854 + 4'825);

  world_->take(shop_, {"USD", "JPY"});
  EXPECT_FALSE(refusal("JPY"));
}

// ---- at one moment ------------------------------------------------------------------------------

TEST_F(Currencies, WaitToBeRemovedForTheRequestThatIsBeingMade) {
  world_->take(shop_, {"USD", "JPY"});
  const auto given = request_in("JPY");
  std::future<void> removal;
  const auto request = world_->transact([&](Tx& tx) {
    auto made = payments::ask(tx, shop_.owner, given, world_->payment_rules);
    if (!removal.valid())
      removal = std::async(std::launch::async, [&] { world_->take(shop_, {"USD"}); });
    EXPECT_TRUE(somebody_waits());
    return made;
  });
  removal.get();
  EXPECT_EQ(refusal("JPY"), Code::invalid);
  EXPECT_EQ(world_->pay(shop_, request).order->total.amount, 1'980) << "it was made before";
}

TEST_F(Currencies, ThatAreBeingRemovedRefuseTheRequestThatHasWaited) {
  world_->take(shop_, {"USD", "JPY"});
  const auto before = world_->last_seq(shop_);
  const auto without = from_json<identity::ChangedMerchant>({{"currencies", {"USD"}}});
  std::future<std::optional<Code>> refused;
  world_->transact([&](Tx& tx) {
    identity::change_merchant(tx, shop_.merchant, without);
    if (!refused.valid()) refused = std::async(std::launch::async, [&] { return refusal("JPY"); });
    EXPECT_TRUE(somebody_waits());
  });
  EXPECT_EQ(refused.get(), Code::invalid);
  EXPECT_EQ(world_->last_seq(shop_), before);
}

TEST_F(Currencies, RemovedWhileManyAskAreRefusedOrAskedFor) {
  for (int round = 0; round < 10; ++round) {
    world_->take(shop_, {"USD", "JPY"});
    const auto before = world_->last_seq(shop_);
    const auto in_yen = [&] { ask("JPY"); };
    const int refused = all_at_once({in_yen, in_yen, [&] { world_->take(shop_, {"USD"}); }, in_yen},
                                    {Code::invalid});
    EXPECT_EQ(world_->last_seq(shop_), before + 3 - refused);
    EXPECT_EQ(refusal("JPY"), Code::invalid);
  }
}

}  // namespace currencies_test
}  // namespace bottega::test
