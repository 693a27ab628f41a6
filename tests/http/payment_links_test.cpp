// Payment links through the front door: for the shop, for whoever has the code, and as a page.
#include <regex>
#include <set>

#include "http/prices.hpp"
#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace payment_links_test {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

class PaymentLinkRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = new Storefront(shop(Server::shared())); }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static Json body(const Json& more = Json::object()) {
    auto out = lamp_link(shop_->merchant);
    out.update(more);
    return out;
  }
  static Json link(const Json& more = Json::object()) {
    auto owner = shop_->owner.api;
    const auto made = owner.post("/v1/payment_links", body(more));
    EXPECT_EQ(made.status, 201) << made.body;
    return made.json();
  }
  static std::string code(const Json& link) { return link["code"]; }
  static Client anyone() { return Client(Server::shared().port()); }
  static Answer page(const Json& link) { return anyone().get("/pay/" + code(link)); }
  static Answer turn(const Json& link, const std::string& verb) {
    auto owner = shop_->owner.api;
    return owner.post("/v1/payment_links/" + link["id"].get<std::string>() + '/' + verb);
  }

  static inline Storefront* shop_ = nullptr;
};

TEST_F(PaymentLinkRoutes, SayWhereBuyersGo) {
  const auto made = link();
  EXPECT_TRUE(made["url"].get<std::string>().ends_with("/pay/" + code(made)));
  EXPECT_TRUE(made["url"].get<std::string>().starts_with("http"));
  auto owner = shop_->owner.api;
  const std::string path = "/v1/payment_links/" + made["id"].get<std::string>();
  EXPECT_EQ(owner.get(path).json(), made);
  const auto all = owner.get("/v1/payment_links?limit=1&merchant_id=" + shop_->merchant).json();
  EXPECT_EQ(all["data"][0], made);
  EXPECT_TRUE(is_problem(owner.get("/v1/payment_links"), 422, "invalid"));
}

TEST_F(PaymentLinkRoutes, AreReadByAnybodyWithTheCode) {
  const auto made = link();
  const auto offer = anyone().get("/v1/pay/" + code(made));
  ASSERT_EQ(offer.status, 200) << offer.body;
  const auto told = offer.json();
  EXPECT_EQ(told["state"], "usable");
  EXPECT_EQ(told["shop"], "Otto's Lamps");
  EXPECT_EQ(told["subtotal"]["amount"], 1'250);
  EXPECT_EQ(told["terms"]["merchant_id"], shop_->merchant);
  EXPECT_FALSE(told.contains("used")) << "how much is sold is the shop's own business";
  EXPECT_TRUE(is_problem(anyone().get("/v1/pay/0123456789012345678901"), 404, "not_found"));
  EXPECT_TRUE(is_problem(anyone().get("/v1/pay/short"), 404, "not_found"));
}

TEST_F(PaymentLinkRoutes, NameWhatIsWrongWithThem) {
  auto owner = shop_->owner.api;
  const Json none = Json::array();
  const auto empty = owner.post("/v1/payment_links", body({{"lines", none}}));
  EXPECT_TRUE(is_problem(empty, 422, "invalid"));
  EXPECT_TRUE(points_at(empty.json(), "/lines"));
  const Json both = {{{"quantity", 0}, {"name", "Lamp"}}};
  const auto bad = owner.post("/v1/payment_links", body({{"lines", both}, {"uses_max", 0}}));
  EXPECT_TRUE(points_at(bad.json(), "/lines/0/quantity"));
  EXPECT_TRUE(points_at(bad.json(), "/uses_max"));
}

TEST_F(PaymentLinkRoutes, AreSwitchedOffAndOn) {
  const auto made = link();
  EXPECT_EQ(turn(made, "disable").json()["active"], false);
  EXPECT_EQ(anyone().get("/v1/pay/" + code(made)).json()["state"], "disabled");
  const auto refused = anyone().post("/v1/pay/" + code(made) + "/guests",
                                     {{"name", "Gus"}, {"email", "gus@people.example"}});
  EXPECT_TRUE(is_problem(refused, 409, "conflict"));
  EXPECT_EQ(refused.json()["reason"], "link_not_usable");
  EXPECT_EQ(turn(made, "disable").status, 200);
  EXPECT_EQ(turn(made, "enable").json()["active"], true);
  EXPECT_EQ(anyone().get("/v1/pay/" + code(made)).json()["state"], "usable");
}

TEST_F(PaymentLinkRoutes, OpenTheConversationOfWhoeverIsSignedIn) {
  const auto made = link();
  auto buyer = person(Server::shared()).api;
  const auto path = "/v1/pay/" + code(made) + "/conversations";
  const auto first = buyer.post(path);
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json()["merchant_id"], shop_->merchant);
  const auto again = buyer.post(path);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json()["id"], first.json()["id"]);
  EXPECT_TRUE(is_problem(buyer.post("/v1/pay/short/conversations"), 404, "not_found"));
  auto owner = shop_->owner.api;
  EXPECT_TRUE(is_problem(owner.post(path), 409, "conflict"));
}

// ---- the page -----------------------------------------------------------------------------------

TEST_F(PaymentLinkRoutes, HaveAPageThatRunsNothingButItsOwnScript) {
  const auto shown = page(link());
  ASSERT_EQ(shown.status, 200);
  EXPECT_EQ(shown.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(shown.header("cache-control"), "no-store");
  EXPECT_EQ(shown.header("referrer-policy"), "no-referrer");
  EXPECT_EQ(shown.header("x-content-type-options"), "nosniff");
  const auto policy = shown.header("content-security-policy");
  for (const auto* part : {"default-src 'none'", "connect-src 'self'", "base-uri 'none'",
                           "form-action 'none'", "frame-ancestors 'none'"})
    EXPECT_TRUE(has(policy, part)) << policy;
  EXPECT_FALSE(has(policy, "unsafe")) << policy;
  std::smatch nonce;
  ASSERT_TRUE(std::regex_search(policy, nonce, std::regex("script-src 'nonce-([\\w-]{20,})'")));
  EXPECT_TRUE(has(shown.body, "<script nonce=\"" + nonce[1].str() + "\">"));
  EXPECT_TRUE(has(shown.body, "<style nonce=\"" + nonce[1].str() + "\">"));
  EXPECT_FALSE(
      std::regex_search(shown.body, std::regex(R"( on\w+="| style="|(src|href)="https?:)")))
      << "nothing of somebody else's, and nothing inline that the policy refuses";
  EXPECT_NE(page(link()).header("content-security-policy"), policy) << "each has its own nonce";
}

TEST_F(PaymentLinkRoutes, HaveAPageForEverybody) {
  const auto shown = page(link()).body;
  EXPECT_TRUE(has(shown, "<noscript>"));
  EXPECT_TRUE(has(shown, "width=device-width"));
  EXPECT_TRUE(has(shown, "prefers-color-scheme:dark"));
  EXPECT_TRUE(has(shown, "<html lang=\"en\">"));
  std::set<std::string> labelled;
  const std::regex label("<label for=\"([\\w-]+)\"");
  for (std::sregex_iterator i(shown.begin(), shown.end(), label), end; i != end; ++i)
    labelled.insert((*i)[1]);
  const std::regex field("<(input|select|textarea) id=\"([\\w-]+)\"");
  int fields = 0;
  for (std::sregex_iterator i(shown.begin(), shown.end(), field), end; i != end; ++i, ++fields)
    EXPECT_TRUE(labelled.contains((*i)[2])) << (*i)[2];
  EXPECT_GE(fields, 5);
}

TEST_F(PaymentLinkRoutes, PutNothingThatAShopWroteIntoThePageAsMarkup) {
  const std::string evil = "</title><script>alert(1)</script>\"'&";
  const Json lines = {{{"name", evil}, {"quantity", 1}, {"unit_amount", 105}}};
  const auto shown = page(link({{"title", evil}, {"lines", lines}})).body;
  EXPECT_FALSE(has(shown, "<script>alert"));
  EXPECT_TRUE(has(shown, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_TRUE(has(shown, "1.05 USD"));
}

TEST_F(PaymentLinkRoutes, TellWhoSells) {
  auto owner = shop_->owner.api;
  auto settings = checkout_settings();
  settings["pre_checkout"]["ask"] = false;
  settings["disclosures"] = {{"legal_name", "Lamps & Sons <Inc.>"},
                             {"returns_policy", "Send it back within 30 days."}};
  const auto set = owner.put("/v1/merchants/" + shop_->merchant + "/checkout_settings", settings);
  ASSERT_EQ(set.status, 200) << set.body;
  const auto shown = page(link()).body;
  EXPECT_TRUE(has(shown, "Lamps &amp; Sons &lt;Inc.&gt;"));
  EXPECT_TRUE(has(shown, "Send it back within 30 days."));
  EXPECT_TRUE(has(shown, "withdraw from the contract"));
}

TEST_F(PaymentLinkRoutes, SayOnThePageThatTheyAreOver) {
  const auto made = link();
  turn(made, "disable");
  const auto shown = page(made);
  EXPECT_EQ(shown.status, 200);
  EXPECT_TRUE(has(shown.body, "switched this link off"));
  EXPECT_FALSE(has(shown.body, "id=\"checkout\""));
  const auto missing = anyone().get("/pay/0123456789012345678901");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.header("content-type"), "text/html; charset=utf-8");
  EXPECT_TRUE(has(missing.body, "no such link"));
}

// ---- buying, by the calls that the page makes ---------------------------------------------------

TEST_F(PaymentLinkRoutes, SellByTheCallsOfThePage) {
  const auto made = link({{"uses_max", 1}});
  const auto in = anyone().post("/v1/pay/" + code(made) + "/guests",
                                {{"name", "Gus Guest"}, {"email", "gus@people.example"}});
  ASSERT_EQ(in.status, 201) << in.body;
  Client guest(Server::shared().port(), in.json()["access_token"]);
  const auto talk = "/v1/conversations/" + in.json()["conversation_id"].get<std::string>();
  Json choice = {{"payment_link", code(made)}};
  const auto terms = anyone().get("/v1/pay/" + code(made)).json();
  if (terms["terms"]["buyer"]["address"] == "required")
    choice["ship_to"] = {{"name", "Gus"},
                         {"street", "1 Way"},
                         {"city", "Springfield"},
                         {"postal_code", "62701"},
                         {"country", "US"}};
  const auto quote = guest.post(talk + "/quotes", choice);
  ASSERT_EQ(quote.status, 200) << quote.body;
  EXPECT_EQ(quote.json()["total"], 1'250);
  EXPECT_EQ(quote.json()["is_final"], true);
  auto order = choice;
  order["total"] = quote.json()["total"];
  order["contact"] = {{"name", "Gus Guest"}, {"email", "gus@people.example"}};
  order["payment_method"] = {{"token", "tok_approved"}};
  const auto done = guest.post(talk + "/checkouts", order);
  ASSERT_EQ(done.status, 200) << done.body;
  const auto request =
      "/v1/payment_requests/" + done.json()["payment_request"]["id"].get<std::string>();
  EXPECT_EQ(guest.get(request).json()["state"], "paid");
  const auto orders = guest.get("/v1/orders?limit=100").json()["data"];
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0]["payment_id"], done.json()["payment"]["id"]);
  EXPECT_EQ(anyone().get("/v1/pay/" + code(made)).json()["state"], "used_up");
  const auto more = guest.post(talk + "/quotes", choice);
  EXPECT_TRUE(is_problem(more, 409, "conflict"));
  EXPECT_EQ(more.json()["reason"], "link_not_usable");
}

}  // namespace payment_links_test
}  // namespace bottega::test
