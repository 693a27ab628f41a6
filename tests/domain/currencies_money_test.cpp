// One merchant's sales in yen, dollars and dinars, beside each other: exact at every step, and none
// of it counts for another.
#include <gtest/gtest.h>

#include "domain/settlements.hpp"
#include "bottega/disputes/disputes.hpp"
#include "bottega/ledger/revenue.hpp"
#include "bottega/payouts/statements.hpp"

namespace bottega::test {
namespace currencies_money_test {

using namespace std::chrono_literals;
using ledger::Kind;

processors::SandboxOptions with_fees() {
  auto options = World::default_options();
  options.fee_basis_points = 100;
  return options;
}

class MoneyOfCurrencies : public ::testing::Test {
 protected:
  void SetUp() override {
    shop_ = world_.shop();
    world_.take(shop_, {"USD", "JPY", "KWD"});
  }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  // The balance of an account, on its own side.
  std::int64_t balance(Kind kind, const std::string& currency) {
    const bool debited = kind == Kind::merchant_debt || kind == Kind::processor_fees ||
                         kind == Kind::processor_clearing;
    for (const auto& row : world_.transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == kind && row.currency == currency)
        return debited ? row.debits - row.credits : row.credits - row.debits;
    return 0;
  }
  payouts::Standing standing(const std::string& currency) {
    const auto code = parse_currency(currency);
    for (const auto& one :
         world_.transact([&](Tx& tx) { return payouts::standing(tx, shop_.merchant); }))
      if (one.currency == code) return one;
    return {code};
  }
  payouts::Payout send(const orders::Order& order) {
    return world_.ship(shop_, order).payout.value();
  }
  payouts::Payout now(const payouts::Payout& payout) {
    return world_.transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  payouts::Batch batch_of(const payouts::Payout& payout) {
    const auto id = now(payout).batch_id.value();
    return world_.transact([&](Tx& tx) { return payouts::fetch_batch(tx, shop_.owner, id); });
  }
  void pass(std::chrono::seconds time) {
    world_.advance(time);
    world_.run_jobs();
  }
  void set_account(const std::string& state) {
    execute(world_.urls.superuser, "UPDATE sandbox.accounts SET state = '" + state +
                                       "' WHERE merchant = '" + text_of(shop_.merchant) + "'");
  }
  payouts::MerchantStatement statement(const std::string& currency) {
    const auto today = std::chrono::floor<std::chrono::days>(world_.clock.now());
    const payouts::Period period{today - std::chrono::days(100), today};
    return world_.transact([&](Tx& tx) {
      return payouts::statement(tx, shop_.merchant, parse_currency(currency), period);
    });
  }
  // A dispute that the buyer's bank opens and the merchant gives in to.
  disputes::Dispute lose(const orders::Order& order, std::int64_t amount) {
    const auto charge = world_.transact([&](Tx& tx) {
      return payments::fetch_payment(tx, shop_.owner, order.payment_id).reference.value();
    });
    const auto given = from_json<processors::NewDispute>({{"charge", charge}, {"amount", amount}});
    run(world_.sandbox.open_dispute(given));
    hear();
    const auto open = world_.transact([&](Tx& tx) {
      return disputes::list_of_merchant(tx, shop_.merchant, std::nullopt, std::nullopt, 1);
    });
    EXPECT_EQ(open.at(0).amount, (Money{amount, order.total.currency}));
    EXPECT_EQ(balance(Kind::dispute_reserve, text_of(order.total.currency)), amount);
    world_.transact([&](Tx& tx) { return disputes::accept(tx, shop_.owner, open.at(0).id); });
    hear();
    return world_.transact([&](Tx& tx) { return disputes::fetch(tx, shop_.owner, open.at(0).id); });
  }
  void hear() {
    world_.deliver_webhooks();
    world_.run_jobs();
  }

  World world_{with_fees()};
  Shop shop_;
};

// ---- a sale in each -----------------------------------------------------------------------------

// 290 basis points, half to even, and 30; the processor keeps a hundredth.
struct Sale {
  const char* currency;
  std::int64_t total, fee, kept;
  std::int64_t part, part_fee;          // given back before it was sent, and the fee that went back
  std::int64_t payout;                  // what is left of both
  std::int64_t disputed, disputed_fee;  // when it was paid out
  std::int64_t left() const { return total - part; }
  std::int64_t fee_left() const { return fee - part_fee; }
  std::int64_t debt() const { return disputed - disputed_fee; }
};
// In the order of their codes.
constexpr Sale kSales[] = {
    {"JPY", 1'980, 87, 20, 500, 22, 1'415, 300, 13},
    {"KWD", 12'345, 388, 123, 1'000, 31, 10'988, 2'000, 63},
    {"USD", 10'000, 320, 100, 2'500, 80, 7'260, 1'000, 32},
};

class SalesInEach : public MoneyOfCurrencies {
 protected:
  void sell_all() {
    for (const auto& sale : kSales) {
      const auto request = world_.ask(shop_, sale.total, sale.currency);
      EXPECT_EQ(request.total, (Money{sale.total, parse_currency(sale.currency)}));
      orders_.push_back(world_.pay(shop_, request).order.value());
      EXPECT_EQ(orders_.back().total, request.total);
    }
    for (const auto& sale : kSales) {
      EXPECT_EQ(standing(sale.currency).held, sale.total);
      EXPECT_EQ(balance(Kind::processor_fees, sale.currency), sale.kept);
      EXPECT_EQ(balance(Kind::processor_clearing, sale.currency), sale.total - sale.kept);
    }
  }
  void give_back_parts() {
    for (std::size_t i = 0; i < std::size(kSales); ++i)
      world_.give_back(shop_, orders_[i], kSales[i].part);
    world_.run_jobs();
    for (std::size_t i = 0; i < std::size(kSales); ++i) {
      const auto share = world_.transact(
          [&](Tx& tx) { return orders::share_of(tx, shop_.merchant, orders_[i].id); });
      EXPECT_EQ(share.fee, kSales[i].fee);
      EXPECT_EQ(share.refunded, kSales[i].part);
      EXPECT_EQ(share.fee_returned, kSales[i].part_fee) << kSales[i].currency;
      EXPECT_EQ(standing(kSales[i].currency).held, kSales[i].left());
    }
  }
  void send_all() {
    for (const auto& order : orders_) payouts_.push_back(send(order));
    const auto days = world_.transact([&](Tx& tx) { return payouts::coming(tx, shop_.merchant); });
    ASSERT_EQ(days.size(), std::size(kSales)) << "each by itself";
    for (std::size_t i = 0; i < std::size(kSales); ++i) {
      EXPECT_EQ(payouts_[i].fee, kSales[i].fee_left()) << kSales[i].currency;
      EXPECT_EQ(payouts_[i].amount, (Money{kSales[i].payout, orders_[i].total.currency}));
      EXPECT_EQ(text_of(days[i].currency), kSales[i].currency);
      EXPECT_EQ(days[i].amount, kSales[i].payout);
      EXPECT_EQ(days[i].count, 1);
    }
  }
  void pay_out_all() {
    pass(8 * 24h);
    for (std::size_t i = 0; i < std::size(kSales); ++i) {
      const auto batch = batch_of(payouts_[i]);
      EXPECT_EQ(batch.state, payouts::BatchState::paid);
      EXPECT_EQ(batch.payouts, 1) << "a batch has one currency";
      EXPECT_EQ(batch.amount, payouts_[i].amount);
      EXPECT_EQ(balance(Kind::platform_fees, kSales[i].currency), kSales[i].fee_left());
      EXPECT_EQ(balance(Kind::processor_clearing, kSales[i].currency),
                kSales[i].fee_left() - kSales[i].kept);
      const payouts::Standing nothing{orders_[i].total.currency};
      EXPECT_EQ(to_json(standing(kSales[i].currency)), to_json(nothing));
    }
    std::map<std::string, std::int64_t> banked;
    for (const auto& entry : world_.books())
      if (entry.operation == processors::Operation::payout)
        banked[text_of(entry.amount.currency)] += entry.amount.amount;
    for (const auto& sale : kSales) EXPECT_EQ(banked[sale.currency], sale.payout);
  }

  std::vector<orders::Order> orders_;
  std::vector<payouts::Payout> payouts_;
};

TEST_F(SalesInEach, AreExactAtEveryStep) {
  sell_all();
  give_back_parts();
  send_all();
  pay_out_all();
  for (std::size_t i = 0; i < std::size(kSales); ++i) {
    const auto& sale = kSales[i];
    const auto before = statement(sale.currency);
    ASSERT_EQ(before.lines.size(), 2u) << sale.currency;
    EXPECT_EQ(before.lines[0].why, ledger::Why::release);
    EXPECT_EQ(before.lines[0].amount, sale.payout);
    EXPECT_EQ(before.lines[0].fee, sale.fee_left());
    EXPECT_EQ(before.lines[0].order_number, orders_[i].number);
    EXPECT_EQ(before.lines[1].why, ledger::Why::payout);
    EXPECT_EQ(before.closing, 0);
    EXPECT_EQ(lose(orders_[i], sale.disputed).state, disputes::State::lost);
    EXPECT_EQ(standing(sale.currency).owed, sale.debt());
    EXPECT_EQ(standing(sale.currency).reserved, 0);
    EXPECT_EQ(balance(Kind::platform_fees, sale.currency), sale.fee_left() - sale.disputed_fee);
    EXPECT_EQ(statement(sale.currency).closing, -sale.debt());
    for (std::size_t later = i + 1; later < std::size(kSales); ++later)
      EXPECT_EQ(standing(kSales[later].currency).owed, 0) << "the others know nothing of it";
  }
}

TEST_F(SalesInEach, AreReportedEachByItself) {
  const auto first = std::chrono::floor<std::chrono::days>(world_.clock.now());
  sell_all();
  give_back_parts();
  send_all();
  pay_out_all();
  const auto last = std::chrono::floor<std::chrono::days>(world_.clock.now());
  const auto told =
      world_.transact([&](Tx& tx) { return ledger::revenue(tx, first, last, shop_.merchant); });
  ASSERT_EQ(told.totals.size(), std::size(kSales));
  for (std::size_t i = 0; i < std::size(kSales); ++i) {
    const auto& sale = kSales[i];
    const ledger::RevenueRow row{std::nullopt,
                                 parse_currency(sale.currency),
                                 sale.total,
                                 1,
                                 sale.part,
                                 sale.fee_left(),
                                 0,
                                 0,
                                 sale.kept,
                                 0,
                                 sale.fee_left() - sale.kept};
    EXPECT_EQ(to_json(told.totals[i]), to_json(row));
  }
}

// ---- debts --------------------------------------------------------------------------------------

TEST_F(MoneyOfCurrencies, IsNotTakenForADebtInAnother) {
  const auto sold = world_.sell(shop_, 1'980, "JPY");
  send(sold);
  pass(8 * 24h);
  world_.give_back(shop_, sold);
  world_.run_jobs();
  ASSERT_EQ(standing("JPY").owed, 1'893);

  const auto dollars = send(world_.sell(shop_, 10'000, "USD"));
  const auto dinars = send(world_.sell(shop_, 12'345, "KWD"));
  pass(8 * 24h);
  for (const auto& payout : {dollars, dinars}) {
    EXPECT_EQ(now(payout).state, payouts::State::paid);
    EXPECT_EQ(now(payout).recovered, 0);
    EXPECT_EQ(batch_of(payout).amount, payout.amount) << "all of it was sent";
  }
  EXPECT_EQ(standing("JPY").owed, 1'893);
  EXPECT_EQ(standing("USD").owed, 0);

  const auto yen = send(world_.sell(shop_, 5'000, "JPY"));
  pass(8 * 24h);
  EXPECT_EQ(now(yen).recovered, 1'893);
  EXPECT_EQ(batch_of(yen).amount, (Money{4'825 - 1'893, parse_currency("JPY")}));
  EXPECT_EQ(standing("JPY").owed, 0);
}

TEST_F(MoneyOfCurrencies, ThatIsThereInOneDoesNotPayForARefundInAnother) {
  world_.payout_rules.tries_max = 1;
  const auto sold = world_.sell(shop_, 1'980, "JPY");
  send(sold);
  pass(8 * 24h);
  const auto dollars = send(world_.sell(shop_, 10'000, "USD"));
  set_account("rejected");
  pass(8 * 24h);
  ASSERT_EQ(now(dollars).state, payouts::State::failed);
  ASSERT_EQ(standing("USD").available, 9'680);
  world_.give_back(shop_, sold, 1'000);
  world_.run_jobs();
  EXPECT_EQ(standing("JPY").owed, 956) << "1,000 less 44 of the fee of 87";
  EXPECT_EQ(standing("USD").available, 9'680);
  EXPECT_EQ(statement("USD").closing, 9'680);
  EXPECT_EQ(statement("JPY").closing, -956);
}

// ---- the smallest payout ------------------------------------------------------------------------

TEST_F(MoneyOfCurrencies, WaitsForTheSmallestPayoutOfItsOwnCurrency) {
  world_.payout_rules.minimum = 5'000;
  world_.payout_rules.minimums = payouts::minimums_of("JPY:1000,KWD:20000");
  const auto dollars = send(world_.sell(shop_, 3'000, "USD"));
  const auto yen = send(world_.sell(shop_, 1'980, "JPY"));
  const auto dinars = send(world_.sell(shop_, 12'345, "KWD"));
  pass(8 * 24h);
  EXPECT_EQ(now(yen).state, payouts::State::paid);
  EXPECT_EQ(now(dollars).state, payouts::State::scheduled);
  EXPECT_EQ(now(dollars).reason, "it waits until there is 50.00 USD to be paid out");
  EXPECT_EQ(now(dinars).state, payouts::State::scheduled);
  EXPECT_EQ(now(dinars).reason, "it waits until there is 20.000 KWD to be paid out");
  const auto more = send(world_.sell(shop_, 9'000, "KWD"));
  pass(8 * 24h);
  EXPECT_EQ(now(dinars).batch_id, now(more).batch_id) << "together they are enough";
  EXPECT_EQ(now(dinars).state, payouts::State::paid);
  EXPECT_EQ(now(dollars).state, payouts::State::scheduled) << "and nothing to the dollars";
}

TEST(SmallestPayouts, AreReadFromTheSettingOrRefused) {
  EXPECT_TRUE(payouts::minimums_of("").empty());
  const auto two = payouts::minimums_of("JPY:1000,KWD:0");
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two.at(parse_currency("JPY")), 1'000);
  EXPECT_EQ(two.at(parse_currency("KWD")), 0);
  payouts::Rules rules;
  rules.minimum = 7;
  rules.minimums = two;
  EXPECT_EQ(rules.least(parse_currency("KWD")).amount, 0);
  EXPECT_EQ(rules.least(parse_currency("USD")), (Money{7, parse_currency("USD")}));
  for (const auto* bad : {"JPY", "JPY:", ":5", "jpy:5", "XAU:5", "JPY:-1", "JPY:1.5", "JPY:5;KWD:6",
                          "JPY:5, KWD:6", ",JPY:5", "JPY:5,JPY:6", "JPY:1000000001"})
    EXPECT_EQ(code_of([&] { payouts::minimums_of(bad); }), Code::invalid) << bad;
}

// ---- the daily check ----------------------------------------------------------------------------

class SettlementOfCurrencies : public Settlements {};

TEST_F(SettlementOfCurrencies, IsCleanWithASumForEach) {
  world_.take(shop_, {"USD", "JPY", "KWD"});
  for (const auto& sale : kSales)
    world_.give_back(shop_, world_.sell(shop_, sale.total, sale.currency), sale.part);
  world_.run_jobs();
  const auto run = check_tomorrow();
  EXPECT_EQ(run.state, settlements::State::clean);
  ASSERT_EQ(run.sums.size(), 2 * std::size(kSales));
  for (const auto& sum : run.sums) {
    const auto* sale =
        std::ranges::find(kSales, std::string_view(sum.currency.code()), &Sale::currency);
    ASSERT_NE(sale, std::end(kSales));
    EXPECT_EQ(sum.theirs,
              sum.operation == processors::Operation::charge ? sale->total : sale->part);
    EXPECT_EQ(sum.ours, sum.theirs);
    EXPECT_EQ(sum.settled, sum.theirs);
    EXPECT_EQ(sum.ledger, sum.theirs);
    EXPECT_EQ(sum.explained, 0);
  }
}

}  // namespace currencies_money_test
}  // namespace bottega::test
