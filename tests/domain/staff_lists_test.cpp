// What the staff lists, and what a person may take home, is read from an index: as many rows as are
// asked for, however many there are.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace staff_lists_test {

constexpr std::int64_t kLimit = 20;

struct List {
  const char* name;
  const char* statement;
  const char* arguments;
  const char* after = "ffffffff-ffff-ffff-ffff-ffffffffffff";
};

class Lists : public testing::TestWithParam<List> {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    const auto shop = world_->shop();
    world_->ship(shop, world_->sell(shop));
    multiply("payments",
             "'id', gen_random_uuid(), 'payment_request_id', gen_random_uuid(), "
             "'reference', NULL");
    multiply("orders",
             "'id', gen_random_uuid(), 'payment_id', gen_random_uuid(), "
             "'number', gen_random_uuid()");
    multiply("payment_requests", "'id', gen_random_uuid()");
    multiply("payouts", "'id', gen_random_uuid(), 'order_id', gen_random_uuid()");
    execute(world_->urls.superuser, "ANALYZE");
  }
  static void TearDownTestSuite() { world_.reset(); }

  // Thousands of rows like the one that is there, but for what must differ.
  static void multiply(const std::string& table, const std::string& but) {
    execute(world_->urls.superuser,
            "SET search_path = bottega; SET session_replication_role = replica; INSERT INTO " +
                table +
                " OVERRIDING USER VALUE SELECT (jsonb_populate_record(t, jsonb_build_object(" +
                but + "))).* FROM " + table + " t, generate_series(1, 3000)");
  }
  static std::string text_of_statement(std::string_view name) {
    for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
      if (sql->name == name) return std::string(sql->text);
    return "";
  }
  // The rows that a plan has looked at and thrown away, or has had to sort.
  static std::int64_t wasted(const Json& node) {
    std::int64_t rows = node.value("Rows Removed by Filter", std::int64_t{0});
    if (node["Node Type"] == "Sort") rows += node["Plans"][0].value("Actual Rows", kLimit + 1);
    if (node.contains("Plans"))
      for (const auto& below : node["Plans"]) rows += wasted(below);
    return rows;
  }

  static inline std::unique_ptr<World> world_;
};

TEST_P(Lists, LookAtNoMoreThanIsAskedFor) {
  const auto statement = text_of_statement(GetParam().statement);
  ASSERT_NE(statement, "");
  const auto execution = "EXECUTE listing(" + std::string(GetParam().arguments) + "'" +
                         GetParam().after + "', " + std::to_string(kLimit) + ")";
  const auto plan =
      execute(world_->urls.superuser, "SET search_path = bottega; PREPARE listing AS " + statement +
                                          "; EXPLAIN (ANALYZE, FORMAT JSON) " + execution);
  EXPECT_LE(wasted(Json::parse(plan)[0]["Plan"]), kLimit) << plan;
}

INSTANTIATE_TEST_SUITE_P(All, Lists,
                         testing::Values(List{"Payments", "ops.payments", "NULL, NULL, "},
                                         List{"PaymentsOfAState", "ops.payments",
                                              "NULL, 'unknown', "},
                                         List{"Orders", "ops.orders", "NULL, NULL, "},
                                         List{"OrdersOfAState", "ops.orders", "NULL, 'returned', "},
                                         List{"Payouts", "ops.payouts", "NULL, NULL, "},
                                         List{"PayoutsOfAState", "ops.payouts", "NULL, 'failed', "},
                                         List{"Requests", "ops.payment_requests", "NULL, "},
                                         List{"PaymentsOfAPerson", "privacy.payments",
                                              "'00000000-0000-7000-8000-000000000001', ",
                                              "00000000-0000-0000-0000-000000000000"}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace staff_lists_test
}  // namespace bottega::test
