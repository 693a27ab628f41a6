// Limits of payments: to the exact amount, at both ends of their time, in every kind of currency,
// and what they leave as it was.
#include <gtest/gtest.h>

#include <map>

#include "support/world.hpp"

namespace bottega::test {
namespace limits_test {

using namespace std::chrono_literals;
using payments::RequestState, processors::Outcome, processors::Verdict;

struct Refused {
  Code code{};
  std::string reason, words;
  std::optional<std::chrono::seconds> wait;
  Faults faults;
};

template <class Work>
std::optional<Refused> refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return Refused{error.code(), error.reason(), error.what(), error.retry_after(), error.faults()};
  }
  return std::nullopt;
}

std::string reason_of(const std::optional<Refused>& refused) {
  return refused ? refused->reason : "none";
}

wallet::MethodChoice card(const std::string& token) {
  return {std::nullopt, from_text<wallet::MethodToken>(token)};
}

class Limits : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }
  void TearDown() override {
    rules() = {};
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  static risk::Rules& rules() { return world_->payment_rules.limits; }
  payments::Payment begin(const Shop& shop, const payments::Request& request,
                          const wallet::MethodChoice& method = card("tok_approved")) const {
    const payments::Acceptance given{method, an_address(), std::nullopt, std::nullopt};
    return world_->transact([&](Tx& tx) {
      return payments::begin(tx, shop.buyer, request.id, given, world_->payment_rules);
    });
  }
  payments::Payment begin(std::int64_t amount) const {
    return begin(shop_, world_->ask(shop_, amount));
  }
  std::optional<Refused> refused(std::int64_t amount) const {
    return refusal([&] { begin(amount); });
  }
  payments::Accepted settle(const payments::Payment& payment, const Outcome& outcome) const {
    return world_->transact([&](Tx& tx) {
      return payments::settle(tx, payment.merchant_id, payment.id, outcome, world_->payment_rules);
    });
  }
  void decline(const payments::Payment& payment) const {
    settle(payment, {Verdict::declined, "", "card_declined", ""});
  }
  RequestState now(const payments::Request& request) const {
    return world_
        ->transact([&](Tx& tx) { return payments::fetch_request(tx, shop_.buyer, request.id); })
        .state;
  }
  // Somebody else who buys there, and another shop of the same buyer.
  Shop another_buyer() const {
    auto shop = shop_;
    shop.buyer = world_->person("Ben");
    shop.conversation = conversation(shop);
    return shop;
  }
  Shop another_shop() const {
    auto shop = world_->shop();
    shop.buyer = shop_.buyer;
    shop.conversation = conversation(shop);
    return shop;
  }
  static conversations::ConversationId conversation(const Shop& shop) {
    return world_->transact([&](Tx& tx) {
      return conversations::open(tx, shop.buyer, {shop.merchant}).conversation.id;
    });
  }
  wallet::MethodId keep(const std::string& token) const {
    const auto facts = run(world_->registry.get("sandbox").describe_method(token));
    const wallet::NewMethod given{from_text<wallet::MethodToken>(token), {}};
    return world_
        ->transact([&](Tx& tx) {
          return wallet::add_method(tx, shop_.buyer.account, "sandbox", given, facts.value());
        })
        .id;
  }
  std::int64_t taken() const {
    return world_->transact([&](Tx& tx) { return risk::limits_of(tx, shop_.merchant, rules()); })
        .taken.amount;
  }
  void set_own(const Json& given) const {
    const auto limits = from_json<risk::NewLimits>(given);
    world_->transact([&](Tx& tx) { risk::set_limits(tx, shop_.merchant, limits, "staff"); });
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

// ---- one request --------------------------------------------------------------------------------

TEST_F(Limits, LetARequestAskForAsMuchAsOneMayAndNoMore) {
  rules().request_max = 100;
  world_->ask(shop_, 10'000);
  const auto refused = refusal([&] { world_->ask(shop_, 10'001); });
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Code::invalid);
  EXPECT_EQ(refused->faults, (Faults{{"/lines", "must add up to 1 to 10000"}}));
}

TEST_F(Limits, AreInWholeUnitsOfTheCurrency) {
  rules().request_max = 100;
  rules().merchant_week_max = 150;
  const std::map<std::string, std::int64_t> rows = {{"JPY", 100}, {"BHD", 100'000}};
  for (const auto& row : rows) {
    const auto& code = row.first;
    const auto most = row.second;
    const auto shop = world_->shop(code);
    const auto first = world_->ask(shop, most, code);
    EXPECT_EQ(code_of([&] { world_->ask(shop, most + 1, code); }), Code::invalid) << code;
    begin(shop, first);
    const auto much = world_->ask(shop, most / 2 + 1, code);
    const auto half = world_->ask(shop, most / 2, code);
    EXPECT_EQ(code_of([&] { begin(shop, much); }), Code::conflict) << code;
    EXPECT_EQ(code_of([&] { begin(shop, half); }), std::nullopt) << code;
  }
}

TEST_F(Limits, AreScaledWithoutOverflow) {
  EXPECT_EQ(risk::in_minor(7, *Currency::find("JPY")).amount, 7);
  EXPECT_EQ(risk::in_minor(7, *Currency::find("USD")).amount, 700);
  EXPECT_EQ(risk::in_minor(7, *Currency::find("BHD")).amount, 7'000);
  EXPECT_EQ(code_of([] { risk::in_minor(INT64_MAX, *Currency::find("USD")); }), Code::invalid);
}

// ---- what a merchant takes ----------------------------------------------------------------------

TEST_F(Limits, OfAMerchantAreKeptToTheUnit) {
  rules().merchant_week_max = 100;
  begin(6'000);
  const auto request = world_->ask(shop_, 4'001);
  const auto refused = refusal([&] { begin(shop_, request); });
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Code::conflict);
  EXPECT_EQ(refused->reason, "not_possible_now");
  EXPECT_EQ(refused->words.find_first_of("0123456789"), std::string::npos)
      << "a shop's sales are not its buyers' to know: " << refused->words;
  EXPECT_EQ(now(request), RequestState::open) << "nothing is lost";
  EXPECT_EQ(taken(), 6'000);
  begin(4'000);
  EXPECT_EQ(reason_of(this->refused(100)), "not_possible_now");
  rules().merchant_week_max = 0;
  begin(shop_, request);
}

TEST_F(Limits, OfAMerchantEndAfterSevenDays) {
  rules().merchant_week_max = 100;
  begin(10'000);
  world_->advance(7 * 24h - 60s);
  EXPECT_EQ(reason_of(refused(100)), "not_possible_now");
  world_->advance(1h + 60s);
  EXPECT_EQ(reason_of(refused(10'000)), "none");
}

TEST_F(Limits, OfAMerchantAreItsOwn) {
  rules().merchant_week_max = 100;
  begin(10'000);
  const auto other = another_shop();
  begin(other, world_->ask(other, 10'000));
  const auto buyer = another_buyer();
  EXPECT_EQ(code_of([&] { begin(buyer, world_->ask(buyer, 100)); }), Code::conflict)
      << "whoever pays";
}

TEST_F(Limits, OfAMerchantCountWhatIsUnderWayAndNotWhatHasFailed) {
  rules().merchant_week_max = 100;
  const auto declined = begin(10'000);
  EXPECT_EQ(reason_of(refused(100)), "not_possible_now");
  decline(declined);
  EXPECT_EQ(taken(), 0);
  decline(declined);
  const auto given_up = begin(10'000);
  settle(given_up, {Verdict::declined, "", "cancelled", ""});
  EXPECT_EQ(taken(), 0);
  const auto lost = begin(10'000);
  settle(lost, {});
  EXPECT_EQ(taken(), 10'000) << "it may have been charged";
  EXPECT_EQ(reason_of(refused(100)), "not_possible_now");
  decline(lost);
  EXPECT_EQ(reason_of(refused(10'000)), "none");
}

TEST_F(Limits, OfAMerchantCountWhatWasRefunded) {
  rules().merchant_week_max = 100;
  const auto order = world_->sell(shop_, 10'000);
  world_->cancel(shop_, order);
  world_->run_jobs();
  EXPECT_EQ(taken(), 10'000);
  EXPECT_EQ(reason_of(refused(100)), "not_possible_now");
}

TEST_F(Limits, OfAFailureDaysLaterAreGivenBackWhereTheyWereCounted) {
  rules().merchant_week_max = 100;
  const auto payment = begin(6'000);
  world_->advance(2 * 24h);
  begin(4'000);
  decline(payment);
  EXPECT_EQ(taken(), 4'000);
}

TEST_F(Limits, MayBeAMerchantsOwn) {
  rules().request_max = 100;
  rules().merchant_week_max = 100;
  set_own({{"request_max", 50}, {"week_max", 200}, {"reason", "well known"}});
  EXPECT_EQ(code_of([&] { world_->ask(shop_, 5'001); }), Code::invalid);
  for (int i = 0; i < 4; ++i) begin(5'000);
  EXPECT_EQ(reason_of(refused(100)), "not_possible_now");
  set_own({{"week_max", 0}, {"reason", "no limit"}});
  begin(10'000);
  const auto limits =
      world_->transact([&](Tx& tx) { return risk::limits_of(tx, shop_.merchant, rules()); });
  EXPECT_EQ(limits.request_max, 100) << "as the settings say";
  EXPECT_EQ(limits.week_max, 0);
  EXPECT_EQ(limits.taken.amount, 30'000);
  EXPECT_EQ(limits.reason, "no limit");
}

// ---- what a buyer pays --------------------------------------------------------------------------

TEST_F(Limits, OfABuyerCountPaymentsOfAnHour) {
  rules().buyer_count_hour_max = 2;
  begin(100);
  const auto other = another_shop();
  begin(other, world_->ask(other, 100));
  const auto refused = this->refused(100);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Code::rate_limited);
  EXPECT_EQ(refused->reason, "buyer_count_hour_limit");
  ASSERT_TRUE(refused->wait.has_value());
  EXPECT_GT(*refused->wait, 0s);
  EXPECT_LE(*refused->wait, 10min);
  const auto buyer = another_buyer();
  begin(buyer, world_->ask(buyer, 100));
  world_->advance(1h - 60s);
  EXPECT_EQ(reason_of(this->refused(100)), "buyer_count_hour_limit");
  world_->advance(11min);
  EXPECT_EQ(reason_of(this->refused(100)), "none");
}

TEST_F(Limits, OfABuyerCountPaymentsOfADay) {
  rules().buyer_count_day_max = 2;
  begin(100);
  world_->advance(2h);
  decline(begin(100));
  begin(100);
  EXPECT_EQ(reason_of(refused(100)), "buyer_count_day_limit");
  world_->advance(22h + 11min);
  EXPECT_EQ(reason_of(refused(100)), "none");
  EXPECT_EQ(reason_of(refused(100)), "buyer_count_day_limit");
}

TEST_F(Limits, OfABuyerAddUpWhatIsPaid) {
  rules().buyer_sum_hour_max = 100;
  rules().buyer_sum_day_max = 150;
  begin(6'000);
  const auto refused = this->refused(4'001);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Code::conflict);
  EXPECT_EQ(refused->reason, "buyer_sum_hour_limit");
  EXPECT_NE(refused->words.find("40.00 USD is left"), std::string::npos) << refused->words;
  begin(4'000);
  world_->advance(1h + 11min);
  EXPECT_EQ(reason_of(this->refused(5'001)), "buyer_sum_day_limit");
  begin(5'000);
  world_->advance(24h + 11min);
  EXPECT_EQ(reason_of(this->refused(10'000)), "none");
}

// ---- with what is paid --------------------------------------------------------------------------

TEST_F(Limits, OfAPaymentMethodCountTriesThatFailed) {
  rules().method_tries_hour_max = 2;
  const wallet::MethodChoice kept{keep("tok_approved"), std::nullopt};
  const auto request = world_->ask(shop_, 1'000);
  decline(begin(shop_, request, kept));
  decline(begin(shop_, request, kept));
  const auto refused = refusal([&] { begin(shop_, request, kept); });
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Code::rate_limited);
  EXPECT_EQ(refused->reason, "method_hour_limit");
  EXPECT_EQ(now(request), RequestState::open);
  const wallet::MethodChoice spare{keep("tok_slow"), std::nullopt};
  decline(begin(shop_, request, spare));
  world_->advance(1h + 11min);
  EXPECT_EQ(reason_of(refusal([&] { begin(shop_, request, kept); })), "none");
}

TEST_F(Limits, SeeAllTokensThatAreUsedOnceAsOneMethod) {
  rules().method_tries_day_max = 2;
  const auto request = world_->ask(shop_, 1'000);
  decline(begin(shop_, request, card("tok_approved")));
  decline(begin(shop_, request, card("tok_confirm")));
  EXPECT_EQ(reason_of(refusal([&] { begin(shop_, request, card("tok_slow")); })),
            "method_day_limit");
  const auto buyer = another_buyer();
  begin(buyer, world_->ask(buyer, 1'000));
  const wallet::MethodChoice kept{keep("tok_approved"), std::nullopt};
  begin(shop_, request, kept);
}

TEST_F(Limits, OfAPaymentMethodCountWhatElseItPaysFor) {
  rules().method_tries_hour_max = 2;
  const wallet::MethodChoice kept{keep("tok_approved"), std::nullopt};
  const auto for_a_wallet = [&](const wallet::MethodChoice& method) {
    world_->transact([&](Tx& tx) { risk::count_try(tx, shop_.buyer.account, method, rules()); });
  };
  for_a_wallet(kept);
  begin(shop_, world_->ask(shop_, 1'000), kept);
  EXPECT_EQ(reason_of(refusal([&] { for_a_wallet(kept); })), "method_hour_limit");
  for_a_wallet(card("tok_approved"));
  for_a_wallet(card("tok_slow"));
  EXPECT_EQ(reason_of(refused(1'000)), "method_hour_limit");
  world_->advance(1h + 11min);
  for_a_wallet(kept);
}

TEST_F(Limits, AreNoneWhereTheyAreZero) {
  const auto request = world_->ask(shop_, 1'000);
  for (int i = 0; i < 20; ++i) decline(begin(shop_, request));
  for (int i = 0; i < 20; ++i) begin(1'000'000);
  EXPECT_EQ(taken(), 20'000'000);
}

}  // namespace limits_test
}  // namespace bottega::test
