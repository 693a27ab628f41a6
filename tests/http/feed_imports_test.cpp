// Feeds through the front door: a file in, how far it is, what is wrong with it, and the catalogue
// out as the file that it came from.
#include <algorithm>

#include "http/story.hpp"

namespace bottega::test {
namespace feed_imports_test {

constexpr const char* kHead = "id,title,availability,price,item_group_id,color\n";

class FeedRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House({"catalog.feed_bytes_max=20000"});
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }

  static std::string mine(const std::string& below, const Storefront& of = *shop_) {
    return "/v1/merchants/" + of.merchant + below;
  }
  static Answer post(const std::string& bytes, const std::string& query = "",
                     const std::string& type = "text/csv", const std::string& key = "",
                     const Storefront& to = *shop_) {
    HeaderList headers{{"Content-Type", type}};
    if (!key.empty()) headers["Idempotency-Key"] = key;
    auto owner = to.owner.api;
    return owner.send("POST", mine("/feed_imports" + query, to), bytes, headers);
  }
  // How it ended.
  static Json finished(const Answer& made, const Storefront& of = *shop_) {
    EXPECT_EQ(made.status, 201) << made.body;
    auto owner = of.owner.api;
    Json now;
    EXPECT_TRUE(soon([&] {
      now = owner.get(path_of(made)).json();
      return !now["ended_at"].is_null();
    }));
    return now;
  }
  static std::string path_of(const Answer& made) {
    return "/v1/feed_imports/" + made.json()["id"].get<std::string>();
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(FeedRoutes, ImportAFileAndSayHowFarItIs) {
  const auto made = post(std::string(kHead) +
                         "T-1,Tea,in stock,1 USD,TEA,green\n"
                         "T-2,Tea,in stock,2,TEA,black\n");
  EXPECT_EQ(made.json()["state"], "uploaded");
  EXPECT_EQ(made.json()["format"], "csv");
  const auto done = finished(made);
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["rows_good"], 1);
  EXPECT_EQ(done["rows_bad"], 1);
  auto owner = shop_->owner.api;
  const auto report = owner.get(path_of(made) + "/report").json();
  ASSERT_EQ(report["data"].size(), 1u);
  EXPECT_EQ(report["data"][0]["line"], 3);
  EXPECT_EQ(report["data"][0]["sku"], "T-2");
  EXPECT_EQ(report["data"][0]["field"], "price");
  EXPECT_EQ(report["data"][0]["severity"], "error");
  const auto csv = owner.get(path_of(made) + "/report?format=csv");
  EXPECT_EQ(csv.header("content-type"), "text/csv; charset=utf-8");
  EXPECT_TRUE(csv.body.starts_with("line,severity,sku,field,detail\r\n3,error,T-2,price,"));
  const auto list = owner.get(mine("/feed_imports?limit=1")).json();
  EXPECT_EQ(list["data"][0]["id"], done["id"]);
}

TEST_F(FeedRoutes, DoNotFitIntoAFrame) {
  Socket socket(house_->server.port(), shop_->owner.api.token());
  for (const auto* format : {"csv", "tsv", "xml"})
    EXPECT_TRUE(
        is_problem(socket.call("GET", mine("/feed?format=") + format), 406, "not_acceptable"))
        << format;
}

TEST_F(FeedRoutes, PageTheReport) {
  std::string rows = kHead;
  for (int i = 0; i < 30; ++i) rows += "P,Tea,in stock,1,,\n";
  const auto made = post(rows + "Q,Tea,in stock,1 USD,,\n");
  finished(made);
  auto owner = shop_->owner.api;
  const auto first = owner.get(path_of(made) + "/report?limit=20").json();
  ASSERT_TRUE(first["has_more"].get<bool>());
  const auto second =
      owner
          .get(path_of(made) + "/report?limit=20&cursor=" + first["next_cursor"].get<std::string>())
          .json();
  EXPECT_EQ(second["data"].size(), 10u);
  EXPECT_EQ(second["data"][0]["number"], 21);
}

TEST_F(FeedRoutes, RefuseWhatIsNoFeed) {
  EXPECT_TRUE(is_problem(post("{}", "", "application/json"), 415, "unsupported_media_type"));
  EXPECT_TRUE(
      is_problem(post(kHead, "", "application/octet-stream"), 415, "unsupported_media_type"));
  EXPECT_TRUE(is_problem(post(""), 422, "invalid"));
  EXPECT_TRUE(is_problem(post(std::string(20'001, 'x')), 413, "too_large"));
  EXPECT_TRUE(is_problem(post(kHead, "?on_error=maybe"), 422, "invalid"));
  EXPECT_TRUE(is_problem(post(kHead, "?mising=keep"), 400, "malformed"));
  EXPECT_EQ(finished(post(kHead))["state"], "refused");
  const auto stopped =
      finished(post(std::string(kHead) + "Z,Tea,in stock,1 USD,,\nY\n", "?on_error=stop"));
  EXPECT_EQ(stopped["state"], "refused");
  EXPECT_EQ(stopped["rows_applied"], 0);
}

TEST_F(FeedRoutes, ImportOnceUnderOneKey) {
  const auto key = new_key();
  const auto file = std::string(kHead) + "O,Tea,in stock,1 USD,,\n";
  const auto first = post(file, "", "text/csv", key), again = post(file, "", "text/csv", key);
  EXPECT_EQ(first.json()["id"], again.json()["id"]);
  EXPECT_TRUE(is_problem(post(file + "\n", "", "text/csv", key), 422, "idempotency_key_reused"));
  finished(first);
}

TEST_F(FeedRoutes, CancelOnlyWhatIsNotOver) {
  const auto made = post(std::string(kHead) + "C,Tea,in stock,1 USD,,\n");
  finished(made);
  auto owner = shop_->owner.api;
  EXPECT_TRUE(is_problem(owner.post(path_of(made) + "/cancel"), 409, "conflict"));
}

TEST_F(FeedRoutes, AreTheShopsOwn) {
  const auto made = post(std::string(kHead) + "N,Tea,in stock,1 USD,,\n");
  finished(made);
  auto stranger = person(house_->server).api;
  for (const auto* below : {"", "/report"})
    EXPECT_TRUE(is_problem(stranger.get(path_of(made) + below), 404, "not_found"));
  EXPECT_TRUE(is_problem(stranger.get(mine("/feed")), 404, "not_found"));
  EXPECT_TRUE(is_problem(stranger.get(mine("/feed_imports")), 404, "not_found"));
}

TEST_F(FeedRoutes, TellTheMerchantsSideLive) {
  Socket socket(house_->server.port(), shop_->owner.api.token());
  listen(socket);
  const auto made = post(std::string(kHead) + "L,Tea,in stock,1 USD,,\n");
  Json event;
  do event = socket.event("feed_import.updated");
  while (event["data"]["feed_import"]["state"] != "done");
  EXPECT_EQ(event["data"]["feed_import"]["id"], made.json()["id"]);
  EXPECT_EQ(event["conversation"], nullptr);
}

struct Form {
  const char *format, *type;
};
class FeedForms : public FeedRoutes, public testing::WithParamInterface<Form> {};

TEST_P(FeedForms, GoOutAndComeBack) {
  finished(post(std::string(kHead) + "T-1,\"Tea, \"\"green\"\" & <loose>\",in stock,1.50 USD,TEA,"
                                     "green\nCUP,Cup,out of stock,3 USD,,\n"));
  auto owner = shop_->owner.api;
  const auto path = std::string("/feed?format=") + GetParam().format;
  const auto file = owner.get(mine(path));
  ASSERT_EQ(file.status, 200);
  EXPECT_TRUE(file.header("content-type").starts_with(GetParam().type));
  EXPECT_NE(file.header("content-disposition").find("catalogue."), std::string::npos);
  const auto other = shop(house_->server);
  const auto done = finished(post(file.body, "?on_error=stop", GetParam().type, "", other), other);
  EXPECT_EQ(done["state"], "done") << done;
  auto theirs = other.owner.api;
  const auto again = theirs.get(mine(path, other)).body;
  EXPECT_EQ(std::ranges::count(again, '\n'), std::ranges::count(file.body, '\n'));
  EXPECT_NE(again.find("CUP"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Http, FeedForms,
                         testing::Values(Form{"csv", "text/csv"},
                                         Form{"tsv", "text/tab-separated-values"},
                                         Form{"xml", "application/xml"}),
                         [](const auto& row) { return std::string(row.param.format); });

}  // namespace feed_imports_test
}  // namespace bottega::test
