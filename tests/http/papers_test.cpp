// Papers and reports through the front door: who sees what, and in which form it comes.
#include "http/story.hpp"

namespace bottega::test {
namespace papers_test {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

class OrderPapers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = new Storefront(shop(Server::shared()));
    auto owner = shop_->owner.api;
    auto asked = new_request(*shop_);
    asked["lines"][0]["name"] = "<b>Lamp</b>";
    const auto request = owner.post("/v1/payment_requests", asked).json();
    order_ = new Json(accept(*shop_, request).json()["order"]);
  }
  static void TearDownTestSuite() {
    delete order_;
    delete shop_;
  }
  static std::string path(const std::string& below) {
    return "/v1/orders/" + (*order_)["id"].get<std::string>() + "/" + below;
  }
  static std::string number() { return (*order_)["number"].get<std::string>(); }

  Client owner = shop_->owner.api, buyer = shop_->buyer.api;
  static inline Storefront* shop_ = nullptr;
  static inline Json* order_ = nullptr;
};

TEST_F(OrderPapers, AReceiptIsAPageForBothSides) {
  for (auto* who : {&buyer, &owner}) {
    const auto page = who->get(path("receipt"));
    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_TRUE(page.header("content-type").starts_with("text/html"));
    EXPECT_TRUE(has(page.header("content-security-policy"), "default-src 'none'"));
    EXPECT_EQ(page.header("cache-control"), "no-store");
    EXPECT_TRUE(has(page.body, "&lt;b&gt;Lamp&lt;/b&gt;"));
    EXPECT_FALSE(has(page.body, "<b>Lamp"));
    EXPECT_TRUE(has(page.body, "12.50 USD")) << page.body;
    EXPECT_TRUE(has(page.body, number()));
  }
}

TEST_F(OrderPapers, AReceiptIsAPdfWhereThatIsAskedFor) {
  const auto file = buyer.get(path("receipt?format=pdf"));
  ASSERT_EQ(file.status, 200) << file.body;
  EXPECT_EQ(file.header("content-type"), "application/pdf");
  EXPECT_EQ(file.header("content-disposition"),
            "inline; filename=\"receipt-" + number() + ".pdf\"");
  EXPECT_TRUE(file.body.starts_with("%PDF-"));
  EXPECT_EQ(buyer.get(path("receipt?format=pdf"), {{"If-None-Match", file.header("etag")}}).status,
            304)
      << "the same paper is the same bytes";
}

TEST_F(OrderPapers, APackingSlipIsForTheMerchantAndHasNoPrices) {
  const auto page = owner.get(path("packing_slip"));
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_TRUE(has(page.body, "Springfield"));
  EXPECT_FALSE(has(page.body, "12.50"));
  EXPECT_TRUE(owner.get(path("packing_slip?format=pdf")).body.starts_with("%PDF-"));
  EXPECT_TRUE(is_problem(buyer.get(path("packing_slip")), 404, "not_found"));
}

TEST_F(OrderPapers, APackingSlipIsOfOneParcelWhereThatIsAskedFor) {
  auto asked = new_request(*shop_);
  asked["lines"] = {{{"name", "Lamp"}, {"quantity", 3}, {"unit_amount", 1'250}}};
  const auto order = accept(*shop_, owner.post("/v1/payment_requests", asked).json());
  const auto mine = "/v1/orders/" + order.json()["order"]["id"].get<std::string>();
  const auto sent = owner.post(
      mine + "/ship",
      {{"carrier", "USPS"}, {"tracking_number", "1"}, {"lines", {{{"line", 0}, {"quantity", 2}}}}});
  ASSERT_EQ(sent.status, 200) << sent.body;
  const auto of_it = "?shipment_id=" + sent.json()["shipment"]["id"].get<std::string>();
  const auto page = owner.get(mine + "/packing_slip" + of_it);
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_TRUE(has(page.body, "2 of 3 pieces")) << page.body;
  EXPECT_TRUE(is_problem(owner.get(path("packing_slip" + of_it)), 404, "not_found"))
      << "it is another order's";
  EXPECT_TRUE(is_problem(owner.get(path("packing_slip?shipment_id=x")), 422, "invalid"));
}

TEST_F(OrderPapers, AFormThatThereIsNotIsRefused) {
  EXPECT_TRUE(is_problem(buyer.get(path("receipt?format=docx")), 422, "invalid"));
  EXPECT_TRUE(is_problem(buyer.get(path("receipt?size=a5")), 400, "malformed"));
}

TEST_F(OrderPapers, APdfDoesNotComeInAFrame) {
  Socket socket(Server::shared().port(), buyer.token());
  EXPECT_TRUE(is_problem(socket.call("GET", path("receipt?format=pdf")), 406, "not_acceptable"));
  const auto page = socket.call("GET", path("receipt"));
  EXPECT_EQ(page["status"], 200);
  EXPECT_TRUE(has(page["body"], "<!doctype html>"));
}

TEST_F(OrderPapers, AReceiptSaysWhatWasGivenBack) {
  const auto refunds = "/v1/payments/" + (*order_)["payment_id"].get<std::string>() + "/refunds";
  ASSERT_EQ(owner.post(refunds, {{"amount", 250}, {"reason", "A scratch"}}).status, 201);
  EXPECT_TRUE(soon([&] { return has(buyer.get(path("receipt")).body, "Refunded on "); }));
  const auto page = buyer.get(path("receipt")).body;
  EXPECT_TRUE(has(page, "-2.50 USD"));
  EXPECT_TRUE(has(page, "10.00 USD"));
}

// ---- reports ------------------------------------------------------------------------------------

class Reports : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    shop_ = new Storefront(shop(Server::shared()));
    sell(*shop_, 10'000);
  }
  static void TearDownTestSuite() { delete shop_; }
  static std::string path(const std::string& query = "") {
    return "/v1/merchants/" + shop_->merchant + "/reports/" + GetParam() + query;
  }

  Client owner = shop_->owner.api;
  static inline Storefront* shop_ = nullptr;
};

TEST_P(Reports, ComeAsJsonAndAsCsv) {
  const auto told = owner.get(path());
  ASSERT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(told.json()["time_zone"], "America/New_York");
  const auto file = owner.get(path("?format=csv"));
  ASSERT_EQ(file.status, 200) << file.body;
  EXPECT_TRUE(file.header("content-type").starts_with("text/csv"));
  EXPECT_EQ(file.header("content-disposition"),
            "attachment; filename=\"" + std::string(GetParam()) + ".csv\"");
  const auto lines = static_cast<std::size_t>(std::ranges::count(file.body, '\n'));
  EXPECT_EQ(lines, 1 + told.json()["data"].size());
}

TEST_P(Reports, AreForManagersAndKeysThatMayRead) {
  const auto stranger = person(Server::shared());
  for (const auto& api : {shop_->buyer.api, stranger.api})
    EXPECT_TRUE(is_problem(Client(api).get(path()), 404, "not_found"));
  const auto keys = "/v1/merchants/" + shop_->merchant + "/api_keys";
  for (const auto& [scope, status] : {std::pair{"read", 200}, std::pair{"orders", 403}}) {
    const auto made = owner.post(keys, {{"name", "Till"}, {"scopes", {scope}}}).json();
    Client key(Server::shared().port(), made["secret"]);
    EXPECT_EQ(key.get(path()).status, status) << scope;
  }
}

TEST_P(Reports, OfDaysThatCannotBeAreRefused) {
  EXPECT_TRUE(is_problem(owner.get(path("?from=2026-02-30")), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get(path("?from=2026-02-02&to=2026-02-01")), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get(path("?from=2024-01-01&to=2026-02-01")), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get(path("?from=0001-01-01&to=0001-01-01")), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get(path("?format=xlsx")), 422, "invalid"));
  EXPECT_EQ(owner.get(path("?from=2024-01-01&to=2024-12-31")).status, 200) << "366 days";
}

TEST_P(Reports, AreNotForAgents) {
  auto agent = person(Server::shared());
  const auto invited = owner.post("/v1/merchants/" + shop_->merchant + "/invitations",
                                  {{"name", "Ann"}, {"role", "agent"}});
  const Json code = {{"code", invited.json()["code"]}};
  ASSERT_EQ(agent.api.post("/v1/invitations/accept", code).status / 100, 2);
  EXPECT_TRUE(is_problem(agent.api.get(path()), 403, "forbidden"));
}

INSTANTIATE_TEST_SUITE_P(Http, Reports,
                         testing::Values("sales", "refunds", "products", "conversion"),
                         [](const auto& row) { return std::string(row.param); });

TEST(SalesReport, IsOfTheSaleThatWasMade) {
  const auto mine = shop(Server::shared());
  sell(mine, 10'000);
  auto owner = mine.owner.api;
  const auto told = owner.get("/v1/merchants/" + mine.merchant + "/reports/sales").json();
  ASSERT_EQ(told["totals"].size(), 1u) << told;
  EXPECT_EQ(told["totals"][0]["orders"], 1);
  EXPECT_EQ(told["totals"][0]["gross"], 10'000);
  EXPECT_EQ(told["totals"][0]["currency"], "USD");
  EXPECT_EQ(told["totals"][0]["day"], nullptr);
  EXPECT_EQ(told["data"][0]["net"], told["totals"][0]["net"]);
}

}  // namespace papers_test
}  // namespace bottega::test
