// The settlement check through the front door: who may ask for it, what it answers, and how a
// difference is seen and resolved.
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace settlement_routes_test {

constexpr const char* kRuns = "/v1/admin/settlements";

class SettlementRoutes : public testing::Test {
 protected:
  // Two sales, of which the processor has another amount now; and three days later.
  static void SetUpTestSuite() {
    house_ = new House;
    const auto shop = test::shop(house_->server);
    sell(shop, 5'000);
    sell(shop, 2'000);
    sql("UPDATE sandbox.movements SET amount = amount + 1");
    day_ = sql("SELECT (min(settled_at) AT TIME ZONE 'UTC')::date FROM bottega.attempts");
    buyer_ = shop.buyer.email;
    auto ops = staff(house_->server);
    ASSERT_EQ(ops.post("/v1/admin/clock/advance", {{"advance_s", 3 * 86'400}}).status, 200);
  }
  static void TearDownTestSuite() { delete house_; }

  static std::string sql(const std::string& statements) {
    return execute(house_->urls.superuser, statements);
  }
  static Client finance() { return staff(house_->server, "finance"); }
  // A check of the day, to its end.
  static Json checked() {
    auto ops = finance();
    const auto begun = ops.post(kRuns, {{"day", day_}, {"processor", "sandbox"}});
    EXPECT_EQ(begun.status, 202) << begun.body;
    const auto path = std::string(kRuns) + '/' + begun.json()["id"].get<std::string>();
    Json run;
    EXPECT_TRUE(soon([&] {
      run = ops.get(path).json();
      return run.contains("finished_at") && !run["finished_at"].is_null();
    }));
    return run;
  }
  static std::string open_ones() {
    const std::string page = Client(house_->server.port()).get("/metrics").body;
    const std::string series = "\nbottega_load{kind=\"settlement_differences\"} ";
    const auto at = page.find(series) + series.size();
    return page.substr(at, page.find('\n', at) - at);
  }

  static inline House* house_ = nullptr;
  static inline std::string day_, buyer_;
};

TEST_F(SettlementRoutes, ShowWhatDiffersUntilSomebodyHasSaidWhatItWas) {
  const auto run = checked();
  EXPECT_EQ(run["state"], "differences");
  EXPECT_EQ(run["day"], day_);
  EXPECT_EQ(run["differences"], 2);
  EXPECT_EQ(run["theirs_count"], 2);
  auto ops = finance();
  const auto path = std::string(kRuns) + '/' + run["id"].get<std::string>() + "/differences";
  const auto first = ops.get(path + "?limit=1").json();
  ASSERT_TRUE(first["has_more"]);
  const auto rest =
      ops.get(path + "?limit=1&cursor=" + first["next_cursor"].get<std::string>()).json();
  ASSERT_EQ(rest["data"].size(), 1u);
  EXPECT_FALSE(rest["has_more"]);
  EXPECT_NE(first["data"][0]["id"], rest["data"][0]["id"]);
  EXPECT_EQ(first["data"][0]["kind"], "amount");
  EXPECT_EQ(open_ones(), "2");
  const auto id = first["data"][0]["id"].get<std::string>();
  const auto resolve = "/v1/admin/settlement_differences/" + id + "/resolve";
  EXPECT_TRUE(points_at(ops.post(resolve, Json::object()).json(), "/reason"));
  const auto done = ops.post(resolve, {{"reason", "a planted one"}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json()["resolution"], "a planted one");
  EXPECT_TRUE(is_problem(ops.post(resolve, {{"reason", "again"}}), 409, "conflict"));
  EXPECT_EQ(open_ones(), "1");
  const auto log = staff(house_->server).get("/v1/admin/audit_log?subject=" + id).json()["data"];
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["action"], "settlement_difference.resolve");
  EXPECT_EQ(log[0]["reason"], "a planted one");
  EXPECT_EQ(checked()["differences"], 1) << "what was resolved stays so";
}

TEST_F(SettlementRoutes, NameWhatIsWrongWithWhatIsAskedFor) {
  auto ops = finance();
  const auto today = staff(house_->server).get("/v1/admin/clock").json()["now"];
  const std::vector<std::pair<Json, std::string>> rows = {
      {Json::object(), "/day"},
      {{{"day", "yesterday"}}, "/day"},
      {{{"day", 20'260'101}}, "/day"},
      {{{"day", today.get<std::string>().substr(0, 10)}}, "/day"},
      {{{"day", "1999-12-31"}}, "/day"},
      {{{"day", "0001-01-01"}}, "/day"},
      {{{"day", "9999-12-31"}}, "/day"},
      {{{"day", day_}, {"processor", "another"}}, "/processor"},
      {{{"day", day_}, {"processor", std::string(65, 'x')}}, "/processor"},
      {{{"day", day_}, {"hour", 3}}, "/hour"},
  };
  for (const auto& [body, pointer] : rows) {
    const auto answer = ops.post(kRuns, body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_TRUE(points_at(answer.json(), pointer)) << body << answer.body;
  }
}

TEST_F(SettlementRoutes, AreForFinanceAndAreNotThereForOthers) {
  auto buyer = log_in(house_->server, buyer_).api;
  EXPECT_TRUE(is_problem(buyer.get(kRuns), 404, "not_found"));
  auto support = staff(house_->server, "support");
  EXPECT_TRUE(is_problem(support.get(kRuns), 403, "forbidden"));
  EXPECT_TRUE(is_problem(support.post(kRuns, {{"day", day_}}), 403, "forbidden"));
  auto ops = finance();
  const std::string nothing = "01h455vb4pex5vsknk084sn02q";
  const auto run = std::string(kRuns) + "/stl_" + nothing;
  EXPECT_TRUE(is_problem(ops.get(run), 404, "not_found"));
  EXPECT_TRUE(is_problem(ops.get(run + "/differences"), 404, "not_found"));
  const auto resolve = "/v1/admin/settlement_differences/sdif_" + nothing + "/resolve";
  EXPECT_TRUE(is_problem(ops.post(resolve, {{"reason", "x"}}), 404, "not_found"));
  EXPECT_TRUE(is_problem(ops.get(std::string(kRuns) + "?cursor=x"), 400, "bad_cursor"));
}

TEST_F(SettlementRoutes, ListTheRunsNewestFirst) {
  const auto first = checked(), second = checked();
  const auto all = finance().get(std::string(kRuns) + "?limit=100").json()["data"];
  std::vector<std::string> ids;
  for (const auto& run : all) ids.push_back(run["id"]);
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::greater<>()));
  EXPECT_EQ(std::ranges::count(ids, first["id"].get<std::string>()), 1);
  EXPECT_EQ(std::ranges::count(ids, second["id"].get<std::string>()), 1);
}

}  // namespace settlement_routes_test
}  // namespace bottega::test
