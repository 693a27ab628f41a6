// A shop's prices through the front door: shipping, taxes, discount codes and checkout settings,
// and who may see and change them.
#include "http/prices.hpp"

#include <algorithm>

#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace prices_test {

class PriceRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = new Storefront(chat(Server::shared())); }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static std::string path(const std::string& below) {
    return "/v1/merchants/" + shop_->merchant + below;
  }
  static Client owner() { return shop_->owner.api; }
  // A new member with this role.
  static Client member(const std::string& role) {
    auto who = person(Server::shared()).api;
    auto by = owner();
    const auto invited = by.post(path("/invitations"), {{"name", "Ann"}, {"role", role}});
    who.post("/v1/invitations/accept", {{"code", invited.json()["code"]}});
    return who;
  }
  static Client key_with(const std::string& scope) {
    auto by = owner();
    const auto key = by.post(path("/api_keys"), {{"name", "Till"}, {"scopes", {scope}}});
    return Client(by.port(), key.json()["secret"].get<std::string>());
  }
  static std::string id_of(const Answer& answer) {
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json().value("id", "");
  }

  static inline Storefront* shop_ = nullptr;
};

// ---- settings -----------------------------------------------------------------------------------

TEST_F(PriceRoutes, TellAnybodyWhoSellsAndWhatIsAskedFor) {
  auto by = owner();
  auto body = checkout_settings();
  body["disclosures"] = {{"legal_name", "Ada's Lamps Inc."},
                         {"phone", "+1 555 123 4567"},
                         {"contact", {{"name", "Ada"}, {"email", "Ada@Lamps.example"}}}};
  const auto set = by.put(path("/checkout_settings"), body);
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(set.json()["pre_checkout"], body["pre_checkout"]);
  EXPECT_EQ(set.json()["withdrawal_days"], 14);
  Client nobody(Server::shared().port());
  const auto told = nobody.get(path("/checkout_settings"));
  ASSERT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(told.json()["buyer"], body["buyer"]);
  EXPECT_EQ(told.json()["tips"], body["tips"]);
  EXPECT_EQ(told.json()["tax_mode"], "exclusive");
  EXPECT_EQ(told.json()["disclosures"]["phone"], "+15551234567");
  EXPECT_EQ(told.json()["disclosures"]["contact"]["email"], "ada@lamps.example");
  EXPECT_FALSE(told.json().contains("pre_checkout")) << "how the shop decides is its own";
  EXPECT_FALSE(told.json().contains("updated_by"));
  const auto all = by.get(path("/checkout_settings/all"));
  EXPECT_EQ(all.json(), set.json());
  auto buyer = shop_->buyer.api;
  EXPECT_TRUE(is_problem(buyer.get(path("/checkout_settings/all")), 404, "not_found"));
  EXPECT_TRUE(
      is_problem(nobody.get("/v1/merchants/mer_01h2xcejqtf2nbrexx3vqjhp41/checkout_settings"), 404,
                 "not_found"));
}

TEST_F(PriceRoutes, NameAllThatIsWrongWithTheSettingsAtOnce) {
  auto by = owner();
  auto body = checkout_settings();
  body["tax_mode"] = "some";
  body["buyer"]["phone"] = "maybe";
  body["withdrawal_days"] = 366;
  body["disclosures"] = {{"legal_name", ""}, {"vat_id", "1"}, {"phone", "555"}};
  const auto before = by.get(path("/checkout_settings/all")).json();
  const auto answer = by.put(path("/checkout_settings"), body);
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  for (const auto* pointer :
       {"/tax_mode", "/buyer/phone", "/withdrawal_days", "/disclosures/legal_name",
        "/disclosures/vat_id", "/disclosures/phone"})
    EXPECT_TRUE(points_at(answer.json(), pointer)) << pointer << answer.body;
  body = checkout_settings();
  body["tips"]["suggested_percent"] = {10, 5, 40};
  const auto tips = by.put(path("/checkout_settings"), body);
  EXPECT_EQ(pointers(tips.json()),
            (std::vector<std::string>{"/tips/suggested_percent/1", "/tips/suggested_percent/2"}));
  EXPECT_EQ(by.get(path("/checkout_settings/all")).json(), before);
}

// ---- shipping -----------------------------------------------------------------------------------

TEST_F(PriceRoutes, KeepZonesWithTheirRates) {
  auto by = owner();
  const Json west = {{"name", "West"}, {"countries", {"US"}}, {"regions", {"us-or", "CA"}}};
  const auto made = by.post(path("/shipping_zones"), west);
  const auto zone = path("/shipping_zones/") + id_of(made);
  EXPECT_EQ(made.json()["regions"], (Json{"CA", "OR"}));
  const auto rate = zone + "/rates/" + id_of(by.post(zone + "/rates", shipping_rate(500)));
  const auto changed = by.put(rate, shipping_rate(700));
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.json()["prices"][0]["amount"], 700);
  EXPECT_EQ(changed.json()["active"], true);
  EXPECT_EQ(by.get(zone + "/rates").json()["data"][0], changed.json());
  auto renamed = west;
  renamed["name"] = "Pacific";
  EXPECT_EQ(by.put(zone, renamed).json()["name"], "Pacific");
  const auto listed = by.get(path("/shipping_zones")).json()["data"];
  EXPECT_TRUE(
      std::ranges::any_of(listed, [](const Json& one) { return one["name"] == "Pacific"; }));
  EXPECT_EQ(by.remove(rate).status, 204);
  EXPECT_TRUE(is_problem(by.remove(rate), 404, "not_found"));
  EXPECT_EQ(by.remove(zone).status, 204);
  EXPECT_TRUE(is_problem(by.get(zone + "/rates"), 404, "not_found"));
  EXPECT_TRUE(is_problem(by.put(zone, west), 404, "not_found"));
}

TEST_F(PriceRoutes, NameWhatIsWrongWithZonesAndRates) {
  auto by = owner();
  const auto zones = path("/shipping_zones");
  const auto zone = id_of(by.post(zones, {{"name", "All"}, {"countries", Json::array()}}));
  const auto rates = zones + "/" + zone + "/rates";
  const Json nowhere = {{"name", "x"}, {"countries", Json::array()}, {"regions", {"CA"}}};
  EXPECT_TRUE(points_at(by.post(zones, nowhere).json(), "/regions"));
  EXPECT_TRUE(
      points_at(by.post(zones, {{"name", "x"}, {"countries", {"us"}}}).json(), "/countries/0"));
  const std::vector<std::pair<Json, std::string>> rows = {
      {{{"prices", Json::array()}}, "/prices"},
      {{{"prices", Json::array({{{"currency", "usd"}, {"amount", 1}}})}}, "/prices/0/currency"},
      {{{"prices", Json::array({{{"currency", "USD"}, {"amount", -1}}})}}, "/prices/0/amount"},
      {{{"weight_over_g", 5}, {"weight_up_to_g", 5}}, "/weight_up_to_g"},
      {{{"days_min", 5}, {"days_max", 4}}, "/days_max"},
      {{{"active", 1}}, "/active"},
      {{{"free", true}}, "/free"},
  };
  for (const auto& [more, pointer] : rows) {
    auto body = shipping_rate();
    body.update(more);
    const auto answer = by.post(rates, body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body;
    EXPECT_TRUE(points_at(answer.json(), pointer)) << body << answer.body;
  }
  EXPECT_TRUE(by.get(rates).json()["data"].empty());
}

// ---- taxes --------------------------------------------------------------------------------------

TEST_F(PriceRoutes, KeepATableOfTaxes) {
  auto by = owner();
  const auto taxes = path("/tax_rates");
  const Json tax = {
      {"name", "Sales tax"}, {"country", "US"}, {"region", "US-CA"}, {"parts_per_million", 72'500}};
  const auto made = by.post(taxes, tax);
  const auto one = taxes + "/" + id_of(made);
  EXPECT_EQ(made.json()["region"], "CA");
  EXPECT_EQ(made.json()["tax_class"], "standard");
  EXPECT_EQ(made.json()["applies_to_shipping"], false);
  EXPECT_TRUE(is_problem(by.post(taxes, tax), 409, "conflict"));
  auto books = tax;
  books["tax_class"] = "books";
  id_of(by.post(taxes, books));
  const auto page = by.get(taxes + "?limit=1").json();
  EXPECT_EQ(page["data"][0]["tax_class"], "books");
  const auto next = by.get(taxes + "?limit=1&cursor=" + std::string(page["next_cursor"])).json();
  EXPECT_EQ(next["data"][0]["id"], made.json()["id"]);
  EXPECT_TRUE(is_problem(by.put(one, books), 409, "conflict"));
  auto more = tax;
  more["parts_per_million"] = 1'000'001;
  EXPECT_TRUE(points_at(by.put(one, more).json(), "/parts_per_million"));
  more["parts_per_million"] = 80'000;
  EXPECT_EQ(by.put(one, more).json()["parts_per_million"], 80'000);
  EXPECT_EQ(by.remove(one).status, 204);
  EXPECT_TRUE(is_problem(by.remove(one), 404, "not_found"));
}

// ---- discount codes -----------------------------------------------------------------------------

TEST_F(PriceRoutes, KeepDiscountCodes) {
  auto by = owner();
  const auto codes = path("/discount_codes");
  const Json spring = {
      {"code", "Spring"}, {"kind", "amount"}, {"amount", 500}, {"currency", "USD"}};
  const auto made = by.post(codes, spring);
  const auto one = codes + "/" + id_of(made);
  EXPECT_EQ(made.json()["code"], "SPRING");
  EXPECT_EQ(made.json()["used"], 0);
  EXPECT_TRUE(is_problem(by.post(codes, spring), 409, "conflict"));
  const auto shown = by.get(one);
  EXPECT_EQ(shown.json(), made.json());
  EXPECT_NE(shown.header("etag"), "");
  EXPECT_EQ(by.get(codes + "?limit=1").json()["data"][0], made.json());
  const Json share = {{"code", "spring"}, {"kind", "percent"}, {"basis_points", 1'000}};
  const auto changed = by.put(one, share);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.json()["kind"], "percent");
  EXPECT_EQ(changed.json()["amount"], nullptr);
  auto wrong = share;
  wrong["amount"] = 5;
  wrong["least_total"] = 5;
  const auto refused = by.put(one, wrong);
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_EQ(pointers(refused.json()), (std::vector<std::string>{"/amount", "/currency"}));
  EXPECT_EQ(by.remove(one).status, 204);
  EXPECT_TRUE(is_problem(by.get(one), 404, "not_found"));
}

// ---- who may ------------------------------------------------------------------------------------

TEST_F(PriceRoutes, AreReadByMembersAndChangedByManagers) {
  const std::vector<std::pair<std::string, Json>> rows = {
      {"/shipping_zones", {{"name", "All"}, {"countries", Json::array()}}},
      {"/tax_rates", {{"name", new_key()}, {"country", "US"}, {"parts_per_million", 1}}},
      {"/discount_codes", {{"code", "MANAGERS"}, {"kind", "free_shipping"}}}};
  auto agent = member("agent"), manager = member("manager");
  auto buyer = shop_->buyer.api;
  for (const auto& [below, body] : rows) {
    EXPECT_TRUE(is_problem(buyer.get(path(below)), 404, "not_found")) << below;
    EXPECT_TRUE(is_problem(buyer.post(path(below), body), 404, "not_found")) << below;
    EXPECT_EQ(agent.get(path(below)).status, 200) << below;
    EXPECT_TRUE(is_problem(agent.post(path(below), body), 403, "forbidden")) << below;
    const auto made = manager.post(path(below), body);
    const auto one = path(below) + "/" + id_of(made);
    EXPECT_TRUE(is_problem(agent.put(one, body), 403, "forbidden")) << below;
    EXPECT_TRUE(is_problem(agent.remove(one), 403, "forbidden")) << below;
    EXPECT_EQ(manager.put(one, body).status, 200) << below;
    EXPECT_EQ(manager.remove(one).status, 204) << below;
  }
  EXPECT_EQ(agent.get(path("/checkout_settings/all")).status, 200);
  EXPECT_TRUE(
      is_problem(agent.put(path("/checkout_settings"), checkout_settings()), 403, "forbidden"));
  EXPECT_EQ(manager.put(path("/checkout_settings"), checkout_settings()).status, 200);
}

TEST_F(PriceRoutes, TakeTheKeysWhoseScopesCoverThem) {
  auto reads = key_with("read"), sells = key_with("orders"), chats = key_with("chat");
  const Json code = {{"code", "BYKEY"}, {"kind", "free_shipping"}};
  const auto codes = path("/discount_codes");
  EXPECT_EQ(reads.get(codes).status, 200);
  EXPECT_TRUE(is_problem(reads.post(codes, code), 403, "forbidden"));
  EXPECT_TRUE(is_problem(chats.get(codes), 403, "forbidden"));
  EXPECT_EQ(sells.post(codes, code).status, 201);
}

TEST_F(PriceRoutes, MakeOneThingForOneKey) {
  auto by = owner();
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const Json code = {{"code", "ONLYONE"}, {"kind", "free_shipping"}};
  const auto first = by.post(path("/discount_codes"), code, key);
  const auto again = by.post(path("/discount_codes"), code, key);
  EXPECT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
}

}  // namespace prices_test
}  // namespace bottega::test
