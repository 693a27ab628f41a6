// Fees and the revenue report through the front door: who sees what, and what is refused.
#include <sstream>

#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace fees_test {

class FeeRoutes : public testing::Test {
 protected:
  // A server of its own: nobody else is in its report.
  static void SetUpTestSuite() {
    house_ = new House({"sandbox.fee_basis_points=100"});
    shop_ = new Storefront(shop(house_->server));
    finance_ = new Client(staff(house_->server, "finance"));
    sell(*shop_, 10'000);
  }
  static void TearDownTestSuite() {
    delete finance_;
    delete shop_;
    delete house_;
  }
  static std::string fees() { return "/v1/merchants/" + shop_->merchant + "/fees"; }
  static std::string staff_fees() { return "/v1/admin" + fees().substr(3); }
  static Client& finance() { return *finance_; }
  static Answer report(const std::string& query, const HeaderList& headers = {}) {
    return finance().get("/v1/admin/revenue" + query, headers);
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
  static inline Client* finance_ = nullptr;
};

// ---- plans --------------------------------------------------------------------------------------

TEST_F(FeeRoutes, ShowTheMerchantItsPlansAndNotWhoMadeThem) {
  const Json plan = {{"basis_points", 250}, {"fixed", 20}, {"reason", "They sell a lot"}};
  const auto made = finance().post(staff_fees(), plan);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json()["basis_points"], 250);
  EXPECT_EQ(made.json()["currency"], nullptr);
  EXPECT_EQ(made.json()["in_force"], true);
  auto owner = shop_->owner.api;
  const auto shown = owner.get(fees());
  ASSERT_EQ(shown.status, 200) << shown.body;
  const auto plans = shown.json()["data"];
  EXPECT_EQ(plans[0]["id"], made.json()["id"]);
  EXPECT_EQ(plans[0]["reason"], "They sell a lot");
  EXPECT_FALSE(plans[0].contains("created_by"));
  EXPECT_EQ(plans.back()["basis_points"], 290);
  EXPECT_EQ(plans.back()["in_force"], false);
  const auto first = owner.get(fees() + "?limit=1").json();
  EXPECT_TRUE(first["has_more"]);
  const std::string cursor = first["next_cursor"];
  EXPECT_EQ(owner.get(fees() + "?limit=1&cursor=" + cursor).json()["data"][0]["id"],
            plans[1]["id"]);
  const auto staffs = finance().get(staff_fees()).json()["data"];
  EXPECT_TRUE(staffs[0]["created_by"].get<std::string>().starts_with("usr_"));
}

TEST_F(FeeRoutes, AreForManagersAndForTheStaffOfFinance) {
  auto stranger = person(house_->server).api, buyer = shop_->buyer.api, owner = shop_->owner.api;
  EXPECT_TRUE(is_problem(stranger.get(fees()), 404, "not_found"));
  EXPECT_TRUE(is_problem(buyer.get(fees()), 404, "not_found"));
  auto agent = person(house_->server).api;
  const auto invited = owner.post("/v1/merchants/" + shop_->merchant + "/invitations",
                                  {{"name", "Ann"}, {"role", "agent"}});
  ASSERT_EQ(agent.post("/v1/invitations/accept", {{"code", invited.json()["code"]}}).status / 100,
            2);
  EXPECT_TRUE(is_problem(agent.get(fees()), 403, "forbidden"));
  auto support = staff(house_->server, "support");
  const Json plan = {{"basis_points", 0}, {"fixed", 0}, {"reason", "A gift"}};
  EXPECT_EQ(support.get(staff_fees()).status, 403);
  EXPECT_EQ(support.post(staff_fees(), plan).status, 403);
  EXPECT_EQ(support.get("/v1/admin/revenue").status, 403);
  EXPECT_TRUE(is_problem(owner.post(staff_fees(), plan), 404, "not_found"));
  EXPECT_TRUE(is_problem(owner.get("/v1/admin/revenue"), 404, "not_found"));
}

TEST_F(FeeRoutes, NameWhatIsWrongWithAPlan) {
  const Json good = {{"basis_points", 250}, {"fixed", 20}, {"reason", "x"}};
  struct Row {
    const char* field;
    Json value;
  };
  const std::vector<Row> rows = {{"basis_points", -1},
                                 {"basis_points", 10'001},
                                 {"basis_points", 2.5},
                                 {"basis_points", "250"},
                                 {"basis_points", nullptr},
                                 {"fixed", -1},
                                 {"fixed", 1'000'001},
                                 {"fixed", 0.5},
                                 {"currency", "usd"},
                                 {"currency", "XXX"},
                                 {"currency", 5},
                                 {"reason", ""},
                                 {"reason", std::string(256, 'x')},
                                 {"effective_from", "2020-01-01T00:00:00Z"},
                                 {"effective_from", "2099-01-01T00:00:00Z"},
                                 {"effective_from", "tomorrow"},
                                 {"merchant_id", shop_->merchant}};
  const auto before = finance().get(staff_fees()).json();
  for (const auto& row : rows) {
    auto body = good;
    body[row.field] = row.value;
    const auto answer = finance().post(staff_fees(), body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_TRUE(points_at(answer.json(), '/' + std::string(row.field))) << body << answer.body;
  }
  for (const auto* field : {"basis_points", "fixed", "reason"}) {
    auto body = good;
    body.erase(field);
    EXPECT_TRUE(points_at(finance().post(staff_fees(), body).json(), '/' + std::string(field)));
  }
  EXPECT_EQ(finance().get(staff_fees()).json(), before);
}

TEST_F(FeeRoutes, WriteDownWhoMadeAPlanAndWhy) {
  const auto other = shop(house_->server);
  const Json plan = {
      {"currency", "USD"}, {"basis_points", 100}, {"fixed", 0}, {"reason", "A good year"}};
  const auto path = "/v1/admin/merchants/" + other.merchant + "/fees";
  ASSERT_EQ(finance().post(path, plan).status, 201);
  const auto log =
      staff(house_->server).get("/v1/admin/audit_log?subject=" + other.merchant).json()["data"];
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["action"], "fees.add");
  EXPECT_EQ(log[0]["reason"], "A good year");
  EXPECT_EQ(log[0]["details"]["basis_points"], 100);
  const auto order = sell(other, 10'000);
  EXPECT_EQ(ship(other, order).json()["payout"]["fee"], 100);
}

TEST_F(FeeRoutes, OfTheProcessorAreNotShownToTheBuyerOrTheMerchant) {
  const auto order = sell(*shop_, 10'000);
  const auto path = "/v1/payments/" + std::string(order["payment_id"]);
  for (auto api : {shop_->buyer.api, shop_->owner.api})
    EXPECT_EQ(api.get(path).body.find("processor_fee"), std::string::npos);
  const auto ledger =
      finance().get("/v1/admin/merchants/" + shop_->merchant + "/ledger?limit=100").json()["data"];
  const auto found = std::ranges::find_if(ledger, [&](const Json& entry) {
    return entry["why"] == "processor_fee" && entry["about"] == order["payment_id"];
  });
  ASSERT_NE(found, ledger.end());
  EXPECT_EQ((*found)["amount"]["amount"], 100);
}

// ---- the report ---------------------------------------------------------------------------------

TEST_F(FeeRoutes, AddUpToARevenueByDaysAndCurrencies) {
  const auto alone = shop(house_->server);
  sell(alone, 20'000);
  const auto answer = report("?merchant_id=" + alone.merchant);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("vary"), "Accept");
  const auto told = answer.json();
  ASSERT_EQ(told["data"].size(), 1u);
  const Json row = {{"day", told["data"][0]["day"]},
                    {"currency", "USD"},
                    {"captured", 20'000},
                    {"captures", 1},
                    {"refunded", 0},
                    {"fees_earned", 0},
                    {"fees_returned", 0},
                    {"goodwill", 0},
                    {"processor_fees", 200},
                    {"losses", 0},
                    {"net_revenue", -200}};
  EXPECT_EQ(told["data"][0], row);
  ASSERT_EQ(told["totals"].size(), 1u);
  EXPECT_EQ(told["totals"][0]["day"], nullptr);
  EXPECT_EQ(told["totals"][0]["net_revenue"], -200);
  EXPECT_GE(report("").json()["totals"][0]["captures"], 2) << "of all merchants";
  const auto before = report("?from=2001-01-01&until=2001-12-31").json();
  EXPECT_TRUE(before["data"].empty());
  EXPECT_TRUE(before["totals"].empty());
}

TEST_F(FeeRoutes, ComeAsAFileForASpreadsheet) {
  const std::string head =
      "day,currency,captured,captures,refunded,fees_earned,fees_returned,goodwill,"
      "processor_fees,losses,net_revenue\r\n";
  for (const auto& [query, accept] :
       std::vector<std::pair<std::string, std::string>>{{"?format=csv", "application/json"},
                                                        {"", "text/csv"},
                                                        {"", "text/html, text/csv;q=0.9, */*"}}) {
    const auto answer = report(query, {{"Accept", accept}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("content-type"), "text/csv; charset=utf-8") << accept;
    EXPECT_NE(answer.header("content-disposition").find("revenue.csv"), std::string::npos);
    EXPECT_TRUE(answer.body.starts_with(head)) << answer.body;
    std::istringstream lines(answer.body.substr(head.size()));
    std::size_t rows = 0;
    for (std::string line; std::getline(lines, line); ++rows)
      EXPECT_EQ(std::ranges::count(line, ','), 10) << line;
    EXPECT_EQ(rows, report("").json()["data"].size());
  }
  for (const auto& [query, accept] : std::vector<std::pair<std::string, std::string>>{
           {"?format=json", "text/csv"}, {"", "*/*"}, {"", "application/json, text/csv"}, {"", ""}})
    EXPECT_TRUE(report(query, {{"Accept", accept}}).json().contains("totals")) << accept;
}

TEST_F(FeeRoutes, NameWhatIsWrongWithTheDays) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"?from=yesterday", "from"},
      {"?from=2026-02-30", "from"},
      {"?from=2026-02-01T00:00:00Z", "from"},
      {"?until=2026-13-01", "until"},
      {"?from=2026-02-02&until=2026-02-01", "from"},
      {"?from=2025-01-01&until=2026-01-02", "from"},
      {"?from=2001-01-01", "from"},
      {"?merchant_id=nobody", "merchant_id"},
      {"?format=xlsx", "format"},
  };
  for (const auto& [query, name] : rows) {
    const auto answer = report(query);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << query;
    EXPECT_TRUE(points_at(answer.json(), name)) << query << answer.body;
  }
  EXPECT_TRUE(is_problem(report("?to=2026-01-01"), 400, "malformed"));
  EXPECT_EQ(report("?from=2025-01-01&until=2026-01-01").status, 200) << "366 days";
  EXPECT_EQ(report("?from=2026-01-01&until=2026-01-01").status, 200);
}

}  // namespace fees_test
}  // namespace bottega::test
