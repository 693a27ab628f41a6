// What the staff sees and does: every act is on record, lists are complete and paged, and the test
// clock only runs ahead.
#include "bottega/ops/ops.hpp"

#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace ops_test {

using namespace std::chrono_literals;
using identity::MerchantId;

// Two shops with two sales each, made once.
class Ops : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world = std::make_unique<World>();
    for (auto* shop : {&one, &two}) {
      *shop = world->shop();
      const auto order = world->sell(*shop, 5'000);
      world->ship(*shop, order);
      world->sell(*shop, 6'000);
    }
  }
  static void TearDownTestSuite() { world.reset(); }

  static void record(const identity::Who& who, const std::string& action,
                     const std::string& subject, std::optional<std::string> reason = std::nullopt) {
    const ops::Act act{action, subject, std::move(reason), {{"n", 1}}, "req_7"};
    world->transact([&](Tx& tx) { ops::record(tx, who, act); });
  }
  // All rows of a list that is read two at a time, by its ids.
  template <class Find>
  static auto pages(Find find) {
    using Row = typename std::invoke_result_t<Find, Tx&, decltype(std::nullopt)>::value_type;
    std::vector<Row> rows;
    std::optional<decltype(Row::id)> after;
    for (;;) {
      const auto page = world->transact([&](Tx& tx) { return find(tx, after); });
      EXPECT_LE(page.size(), 2u);
      if (page.empty()) break;
      rows.insert(rows.end(), page.begin(), page.end());
      after = page.back().id;
    }
    for (std::size_t i = 1; i < rows.size(); ++i)
      EXPECT_LT(rows[i].id, rows[i - 1].id) << "newest first";
    return rows;
  }
  static inline std::unique_ptr<World> world;
  static inline Shop one, two;
};

TEST_F(Ops, AnActIsOnRecordWithEverythingThatExplainsIt) {
  const auto admin = world->staff();
  record(admin, "payout.hold", "pout_1", "a dispute");
  const auto rows =
      world->transact([](Tx& tx) { return ops::audit_log(tx, "pout_1", std::nullopt, 10); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].actor, text_of(admin.account));
  EXPECT_EQ(rows[0].action, "payout.hold");
  EXPECT_EQ(rows[0].reason, "a dispute");
  EXPECT_EQ(rows[0].details, (Json{{"n", 1}}));
  EXPECT_EQ(rows[0].request_id, "req_7");
  EXPECT_LE(rows[0].at, world->clock.now());
  EXPECT_GT(rows[0].at, world->clock.now() - 1min);
}

TEST_F(Ops, ARolledBackActLeavesNoRecord) {
  EXPECT_EQ(code_of([] {
              world->transact([](Tx& tx) {
                ops::record(tx, {}, {"x.y", "undone_1", std::nullopt, Json::object(), "r"});
                throw Error(Code::conflict, "no");
              });
            }),
            Code::conflict);
  EXPECT_TRUE(
      world->transact([](Tx& tx) { return ops::audit_log(tx, "undone_1", std::nullopt, 10); })
          .empty());
}

TEST_F(Ops, TheAuditLogIsFilteredBySubjectAndPaged) {
  for (int i = 0; i < 5; ++i) record(one.owner, "act" + std::to_string(i), "thing_a");
  record(one.owner, "other", "thing_b");
  const auto rows =
      pages([](Tx& tx, auto after) { return ops::audit_log(tx, "thing_a", after, 2); });
  ASSERT_EQ(rows.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(rows[i].action, "act" + std::to_string(4 - i));
  const auto all =
      pages([](Tx& tx, auto after) { return ops::audit_log(tx, std::nullopt, after, 2); });
  EXPECT_GE(all.size(), 6u);
}

TEST_F(Ops, AccountsAreFoundByTheirWholeAddressInAnySpelling) {
  const auto email =
      world->transact([](Tx& tx) { return identity::fetch_account(tx, one.buyer.account); })
          .email.value;
  auto loud = email;
  for (auto& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto find = [](const std::string& text) {
    return world->transact([&](Tx& tx) { return ops::find_accounts(tx, text, std::nullopt, 10); });
  };
  for (const auto& spelling : {email, loud}) {
    ASSERT_EQ(find(spelling).size(), 1u) << spelling;
    EXPECT_EQ(find(spelling)[0].id, one.buyer.account);
  }
  EXPECT_TRUE(find(email.substr(0, 5)).empty());
  EXPECT_TRUE(find("%").empty());
}

TEST_F(Ops, AllAccountsAreListedNewestFirst) {
  const auto rows =
      pages([](Tx& tx, auto after) { return ops::find_accounts(tx, std::nullopt, after, 2); });
  EXPECT_EQ(std::to_string(rows.size()),
            execute(world->urls.superuser, "SELECT count(*) FROM bottega.accounts"));
}

TEST_F(Ops, MerchantsAreFoundByAPartOfTheirNameTakenLiterally) {
  const auto owner = world->person();
  const auto add = [&](const std::string& name) {
    const identity::NewMerchant given{from_text<Line<1, 100>>(name), from_text<Country>("US"),
                                      from_text<Currency>("USD")};
    return world->transact([&](Tx& tx) {
      return identity::create_merchant(tx, owner, given, {0, 0}, "sandbox", "US").id;
    });
  };
  const auto wool = add("Wool & 100% Silk"), woollen = add("The WOOLLEN Mill");
  const auto find = [](const std::string& text) {
    std::vector<MerchantId> ids;
    for (const auto& row :
         pages([&](Tx&tx, auto after) { return ops::find_merchants(tx, text, after, 2); }))
      ids.push_back(row.id);
    return ids;
  };
  EXPECT_EQ(find("wool"), (std::vector<MerchantId>{woollen, wool}));
  EXPECT_EQ(find("100%"), std::vector<MerchantId>{wool});
  EXPECT_EQ(find("w%l"), std::vector<MerchantId>{});
  EXPECT_EQ(find("_ool"), std::vector<MerchantId>{});
}

TEST_F(Ops, ConversationsAreShownWithoutTheirText) {
  conversations::NewMessage given;
  given.text = from_text<Text<1, 4096>>("a very private word");
  world->transact([&](Tx& tx) { conversations::send(tx, one.buyer, one.conversation, given); });
  const auto rows =
      pages([](Tx& tx, auto after) { return ops::find_conversations(tx, one.merchant, after, 2); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, one.conversation);
  EXPECT_EQ(rows[0].buyer_id, one.buyer.account);
  EXPECT_GT(rows[0].last_seq, 0);
  EXPECT_EQ(to_json(rows[0]).dump().find("private"), std::string::npos);
  EXPECT_EQ(pages([](Tx& tx, auto after) {
              return ops::find_conversations(tx, std::nullopt, after, 2);
            }).size(),
            2u);
}

TEST_F(Ops, PaymentsAreFilteredByMerchantAndState) {
  const auto count = [](std::optional<MerchantId> merchant, std::optional<payments::State> state) {
    const auto rows = pages(
        [&](Tx& tx, auto after) { return ops::find_payments(tx, merchant, state, after, 2); });
    for (const auto& row : rows) {
      EXPECT_EQ(row.merchant_id, merchant.value_or(row.merchant_id));
      EXPECT_EQ(row.state, state.value_or(row.state));
      EXPECT_FALSE(row.action_url);
    }
    return rows.size();
  };
  EXPECT_EQ(count(std::nullopt, std::nullopt), 4u);
  EXPECT_EQ(count(one.merchant, std::nullopt), 2u);
  EXPECT_EQ(count(two.merchant, payments::State::captured), 2u);
  EXPECT_EQ(count(std::nullopt, payments::State::failed), 0u);
  EXPECT_EQ(count(MerchantId::make(), std::nullopt), 0u);
}

TEST_F(Ops, PaymentRequestsAreFilteredByMerchant) {
  const auto count = [](std::optional<MerchantId> merchant) {
    return pages([&](Tx& tx, auto after) { return ops::find_requests(tx, merchant, after, 2); })
        .size();
  };
  EXPECT_EQ(count(std::nullopt), 4u);
  EXPECT_EQ(count(two.merchant), 2u);
}

TEST_F(Ops, OrdersAreFilteredByMerchantAndState) {
  const auto count = [](std::optional<MerchantId> merchant, std::optional<orders::State> state) {
    return pages(
               [&](Tx& tx, auto after) { return ops::find_orders(tx, merchant, state, after, 2); })
        .size();
  };
  EXPECT_EQ(count(std::nullopt, std::nullopt), 4u);
  EXPECT_EQ(count(std::nullopt, orders::State::shipped), 2u);
  EXPECT_EQ(count(one.merchant, orders::State::paid), 1u);
  EXPECT_EQ(count(one.merchant, orders::State::cancelled), 0u);
}

TEST_F(Ops, PayoutsAreFilteredByMerchantAndState) {
  const auto count = [](std::optional<MerchantId> merchant, std::optional<payouts::State> state) {
    return pages(
               [&](Tx& tx, auto after) { return ops::find_payouts(tx, merchant, state, after, 2); })
        .size();
  };
  EXPECT_EQ(count(std::nullopt, std::nullopt), 2u);
  EXPECT_EQ(count(one.merchant, payouts::State::scheduled), 1u);
  EXPECT_EQ(count(std::nullopt, payouts::State::paid), 0u);
}

TEST_F(Ops, TheTrialBalanceNamesEveryKindOfAccountAndBalances) {
  const auto balance = world->trial_balance();
  EXPECT_TRUE(balance.is_balanced);
  EXPECT_TRUE(balance.faults.empty());
  std::int64_t debits = 0, credits = 0;
  for (const auto& row : balance.accounts) {
    EXPECT_EQ(row.currency, "USD");
    debits += row.debits;
    credits += row.credits;
  }
  EXPECT_EQ(debits, credits);
  EXPECT_GE(debits, 22'000);
}

TEST_F(Ops, TheTestClockIsKeptAndAddsUp) {
  const auto offset = [] { return world->transact([](Tx& tx) { return ops::clock_offset(tx); }); };
  const auto move = [](std::chrono::seconds by) {
    return world->transact([&](Tx& tx) { return ops::move_clock(tx, by); });
  };
  const auto before = offset();
  EXPECT_EQ(move(90s), before + 90s);
  EXPECT_EQ(move(24h), before + 24h + 90s);
  EXPECT_EQ(offset(), before + 24h + 90s);
}

TEST_F(Ops, TheTestClockIsNeverMovedBack) {
  const auto before = world->transact([](Tx& tx) { return ops::move_clock(tx, 10s); });
  for (const auto by : {-1s, -10s, -1'000'000s, 0s})
    EXPECT_EQ(code_of([&] { world->transact([&](Tx& tx) { return ops::move_clock(tx, by); }); }),
              Code::invalid)
        << by.count();
  EXPECT_EQ(world->transact([](Tx& tx) { return ops::clock_offset(tx); }), before);
  for (const auto by : {0, -1, 31'536'001})
    EXPECT_EQ(code_of([&] { from_json<ops::ClockMove>({{"advance_s", by}}); }), Code::invalid);
  EXPECT_EQ(from_json<ops::ClockMove>({{"advance_s", 1}}).advance_s.value, 1);
}

}  // namespace ops_test
}  // namespace bottega::test
