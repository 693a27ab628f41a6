// Payment methods that people keep: whose they are, which is the default, what may be charged.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace wallet_methods_test {

using namespace std::chrono_literals;
using processors::Brand;
using wallet::MethodId, wallet::PaymentMethod;

class Methods : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { who_ = world_->person(); }

  PaymentMethod keep(const std::string& token, std::optional<bool> is_default = {}) const {
    const auto facts = run(world_->registry.get("sandbox").describe_method(token));
    const wallet::NewMethod given{from_text<wallet::MethodToken>(token), is_default};
    return world_->transact([&](Tx& tx) {
      return wallet::add_method(tx, who_.account, "sandbox", given, facts.value());
    });
  }
  std::string card(int month, int year) const {
    const auto given = from_json<processors::Card>(
        {{"number", "5555555555554444"}, {"month", month}, {"year", year}, {"cvc", "123"}});
    return run(world_->sandbox.tokenize(given)).token;
  }
  std::vector<PaymentMethod> list() const {
    return world_->transact([&](Tx& tx) { return wallet::list_methods(tx, who_.account); });
  }
  std::string token(MethodId id, const std::string& processor = "sandbox") const {
    const wallet::MethodChoice choice{id, std::nullopt};
    return world_->transact(
        [&](Tx& tx) { return wallet::token_to_charge(tx, who_.account, choice, processor); });
  }
  void remove(MethodId id) const {
    world_->transact([&](Tx& tx) { wallet::remove_method(tx, who_.account, id); });
  }

  static inline std::unique_ptr<World> world_;
  identity::Who who_;
};

TEST_F(Methods, AreWhatTheProcessorSaysOfTheToken) {
  const auto visa = keep("tok_approved");
  EXPECT_EQ(visa.brand, Brand::visa);
  EXPECT_EQ(visa.last_four, "4242");
  EXPECT_EQ(visa.expiry_month, 12);
  const auto master = keep(card(3, 2090));
  EXPECT_EQ(master.brand, Brand::mastercard);
  EXPECT_EQ(master.last_four, "4444");
  EXPECT_EQ(master.expiry_month, 3);
  EXPECT_EQ(master.expiry_year, 2090);
  const auto bank = keep("tok_bank");
  EXPECT_EQ(bank.brand, Brand::bank);
  EXPECT_EQ(bank.expiry_year, std::nullopt);
  EXPECT_EQ(list().size(), 3u);
  EXPECT_FALSE(run(world_->registry.get("sandbox").describe_method("tok_of_nobody")).has_value());
}

TEST_F(Methods, NeverShowTheToken) {
  const auto token = card(3, 2090);
  EXPECT_EQ(to_json(keep(token)).dump().find(token), std::string::npos);
}

TEST_F(Methods, HaveOneDefaultWhichIsACard) {
  EXPECT_FALSE(keep("tok_bank").is_default);
  const auto first = keep("tok_approved");
  EXPECT_TRUE(first.is_default);
  const auto second = keep("tok_slow");
  EXPECT_FALSE(second.is_default);
  const auto third = keep("tok_confirm", true);
  EXPECT_TRUE(third.is_default);
  const auto chosen =
      world_->transact([&](Tx& tx) { return wallet::make_default(tx, who_.account, second.id); });
  EXPECT_TRUE(chosen.is_default);
  const auto is_default = [](const PaymentMethod& one) { return one.is_default; };
  const auto all = list();
  ASSERT_EQ(std::ranges::count_if(all, is_default), 1);
  EXPECT_EQ(std::ranges::find_if(all, is_default)->id, second.id);
  remove(second.id);
  const auto left = list();
  EXPECT_EQ(std::ranges::find_if(left, is_default)->id, third.id) << "the newest that is left";
}

TEST_F(Methods, OfABankAreNobodysDefault) {
  const auto bank = keep("tok_bank");
  EXPECT_EQ(code_of([&] {
              world_->transact([&](Tx& tx) { wallet::make_default(tx, who_.account, bank.id); });
            }),
            Code::conflict);
  who_ = world_->person();
  EXPECT_EQ(code_of([&] { keep("tok_bank", true); }), Code::invalid);
}

TEST_F(Methods, AreTenAtMostAndEachOnce) {
  for (int i = 0; i < 10; ++i) {
    const auto token = card(3, 2090);
    keep(token);
    if (i == 0) {
      EXPECT_EQ(code_of([&] { keep(token); }), Code::conflict);
    }
  }
  EXPECT_EQ(code_of([&] { keep("tok_approved"); }), Code::conflict);
  EXPECT_EQ(list().size(), 10u);
}

TEST_F(Methods, BelongToOnePerson) {
  const auto mine = keep("tok_approved");
  EXPECT_EQ(token(mine.id), "tok_approved");
  who_ = world_->person();
  EXPECT_EQ(code_of([&] { token(mine.id); }), Code::invalid);
  EXPECT_EQ(code_of([&] { remove(mine.id); }), Code::not_found);
  EXPECT_TRUE(list().empty());
}

TEST_F(Methods, OfAnotherProcessorOrABankAreNotCharged) {
  const auto bank = keep("tok_bank"), visa = keep("tok_approved");
  EXPECT_EQ(code_of([&] { token(bank.id); }), Code::invalid);
  EXPECT_EQ(code_of([&] { token(visa.id, "another"); }), Code::invalid);
}

TEST_F(Methods, AreGoodUntilTheEndOfTheirMonth) {
  const std::chrono::year_month_day today(
      std::chrono::floor<std::chrono::days>(world_->clock.now()));
  const auto last = today.year() / today.month() / std::chrono::last;
  const auto kept = keep(
      card(static_cast<int>(static_cast<unsigned>(today.month())), static_cast<int>(today.year())));
  const auto offset = world_->clock.offset();
  const auto end = std::chrono::sys_days(last) + 24h;
  world_->advance(std::chrono::floor<std::chrono::seconds>(end - world_->clock.now()) - 60s);
  EXPECT_FALSE(token(kept.id).empty());
  world_->advance(120s);
  EXPECT_EQ(code_of([&] { token(kept.id); }), Code::conflict);
  world_->clock.set_offset(offset);
}

TEST_F(Methods, OfAPaymentAreOneOrTheOther) {
  for (const auto& body :
       {Json{{"token", "tok_approved"}, {"id", text_of(MethodId::make())}}, Json::object()})
    EXPECT_EQ(code_of([&] { from_json<wallet::MethodChoice>(body); }), Code::invalid);
}

TEST_F(Methods, ThatAreKeptPayARequest) {
  auto shop = world_->shop();
  who_ = shop.buyer;
  const auto kept = keep("tok_approved");
  const auto request = world_->ask(shop);
  const payments::Acceptance given{{kept.id, std::nullopt}, an_address(), {}, {}};
  const auto begun = world_->transact([&](Tx& tx) {
    const auto payment = payments::begin(tx, who_, request.id, given, world_->payment_rules);
    return std::pair(payment.id, payments::token_of(tx, who_, payment, given));
  });
  EXPECT_EQ(begun.second, "tok_approved");
}

}  // namespace wallet_methods_test
}  // namespace bottega::test
