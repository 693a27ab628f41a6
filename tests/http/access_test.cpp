// Who may call which route: every row of the table, as the running server keeps it.
#include <map>
#include <set>

#include "http/attachments.hpp"
#include "http/prices.hpp"
#include "http/route_bodies.hpp"
#include "http/routes.hpp"
#include "http/story.hpp"
#include "support/http_push_service.hpp"

namespace bottega::test {
namespace access_test {

using gateway::Access, gateway::Route, gateway::Verb;

// A body that passes where the route takes one.
std::string body_for(const Route& route) {
  if (route.name == "setCheckoutSettings") return checkout_settings().dump();
  if (route.name == "acceptPaymentRequest") return pay_with("tok_approved").dump();
  const auto found = kRouteBodies.find(route.name);
  return found == kRouteBodies.end() ? "" : std::string(found->second);
}

Answer call(const Route& route, const std::string& path, const std::string& token,
            const std::string& body) {
  HeaderList headers;
  if (!body.empty()) headers["Content-Type"] = "application/json";
  if (route.verb == Verb::post) headers["Idempotency-Key"] = new_key();
  if (route.versions == gateway::Versions::required) headers["If-Match"] = "\"1\"";
  return Client(Server::shared().port(), token).send(method_of(route), path, body, headers);
}

bool is_closed(const Route& route) { return route.access != Access::anyone; }
bool is_staffs(const Route& route) { return route.access >= Access::support; }
bool has_id(const Route& route) {
  return is_closed(route) && route.path.find("{id}") != route.path.npos;  // a link's code is none
}

// ---- without a valid token ----------------------------------------------------------------------

struct DeadTokens {
  std::string expired, ended;
  DeadTokens() {
    const auto& server = Server::shared();
    const auto late = person(server), gone = person(server);
    execute(superuser_url(server),
            "UPDATE bottega.access_tokens SET expires_at = now() - interval '1 second' "
            "WHERE session_id IN (SELECT s.id FROM bottega.sessions s JOIN bottega.accounts a "
            "ON a.id = s.account_id WHERE a.email = lower('" +
                late.email + "'))");
    auto api = gone.api;
    if (api.remove("/v1/sessions/" + gone.session).status != 204)
      throw std::runtime_error("the session was not ended");
    expired = late.api.token();
    ended = gone.api.token();
  }
  static const DeadTokens& get() {
    static const DeadTokens tokens;
    return tokens;
  }
};

class ClosedRoute : public testing::TestWithParam<Route> {
 protected:
  Answer with(const std::string& token) const {
    return call(GetParam(), somewhere(GetParam()), token, body_for(GetParam()));
  }
};

TEST_P(ClosedRoute, AnswersNobodyWithoutAToken) {
  const auto answer = with("");
  EXPECT_TRUE(is_problem(answer, 401, "unauthenticated"));
  EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
}

TEST_P(ClosedRoute, AnswersNobodyWithATokenThatIsNotOne) {
  EXPECT_TRUE(
      is_problem(with("bat_0000000000000000000000000000000000000000000"), 401, "unauthenticated"));
  EXPECT_TRUE(is_problem(with("sk_garbage"), 401, "unauthenticated"));
  EXPECT_TRUE(is_problem(with(std::string(3000, 'x')), 401, "unauthenticated"));
}

TEST_P(ClosedRoute, AnswersNobodyWithATokenThatHasExpired) {
  const auto answer = with(DeadTokens::get().expired);
  EXPECT_TRUE(is_problem(answer, 401, "token_expired"));
  EXPECT_EQ(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

TEST_P(ClosedRoute, AnswersNobodyWhoseSessionHasEnded) {
  EXPECT_TRUE(is_problem(with(DeadTokens::get().ended), 401, "unauthenticated"));
}

INSTANTIATE_TEST_SUITE_P(Http, ClosedRoute, testing::ValuesIn(routes_where(is_closed)), route_name);

TEST(Access, IsDeclaredInTheContractAsItIsKept) {
  const auto contract = Client(Server::shared().port()).get("/openapi.json").json();
  std::set<std::string> told, kept;
  for (const auto& [path, verbs] : contract["paths"].items())
    for (const auto& [verb, operation] : verbs.items())
      told.insert(operation["operationId"].get<std::string>() +
                  (operation["security"].empty() ? " open" : " closed"));
  for (const auto& route : gateway::all_routes())
    if (route.status != 101)
      kept.insert(std::string(route.name) + (is_closed(route) ? " closed" : " open"));
  EXPECT_EQ(told, kept);
  EXPECT_GT(kept.size(), 50u);
}

TEST(Access, TakesNoOtherSchemeThanBearer) {
  Client nobody(Server::shared().port());
  for (const auto* value : {"Basic b3BzOm9wcw==", "Bearer", "bat_x", "Digest a=b"})
    EXPECT_TRUE(is_problem(nobody.get("/v1/accounts/me", {{"Authorization", value}}), 401,
                           "unauthenticated"))
        << value;
}

TEST(Access, NeverTakesATokenFromTheAddress) {
  const auto who = person(Server::shared());
  const auto path = "/v1/accounts/me?access_token=" + who.api.token();
  EXPECT_TRUE(is_problem(Client(Server::shared().port()).get(path), 401, "unauthenticated"));
}

// ---- the staff's routes -------------------------------------------------------------------------

const std::string& token_of(const std::string& role) {
  static std::map<std::string, std::string> tokens;
  auto& token = tokens[role];
  if (token.empty())
    token = role == "person" ? person(Server::shared()).api.token()
                             : staff(Server::shared(), role).token();
  return token;
}

class StaffRoute : public testing::TestWithParam<Route> {
 protected:
  // A body with an unknown field never gets as far as changing anything.
  int status_for(const std::string& role) const {
    const auto body = GetParam().verb == Verb::post ? R"({"no such field":1})" : "";
    return call(GetParam(), somewhere(GetParam()), token_of(role), body).status;
  }
  static bool lets_in(int status) { return status == 200 || status == 422 || status == 404; }
};

TEST_P(StaffRoute, DoesNotExistForAPerson) {
  const auto answer = call(GetParam(), somewhere(GetParam()), token_of("person"), "");
  EXPECT_TRUE(is_problem(answer, 404, "not_found"));
  EXPECT_EQ(answer.json()["detail"], "there is no such address");
}

TEST_P(StaffRoute, TakesTheRoleThatItNeeds) {
  const auto access = GetParam().access;
  EXPECT_EQ(status_for("support") != 403, access == Access::support);
  EXPECT_EQ(status_for("finance") != 403, access != Access::admin);
  EXPECT_TRUE(lets_in(status_for("admin"))) << status_for("admin");
}

INSTANTIATE_TEST_SUITE_P(Http, StaffRoute, testing::ValuesIn(routes_where(is_staffs)), route_name);

// ---- what belongs to somebody else --------------------------------------------------------------

// A zone with a rate, a tax and a discount code of a shop.
std::map<std::string, std::string> rules_of(const Storefront& shop) {
  auto owner = shop.owner.api;
  const auto mine = "/v1/merchants/" + shop.merchant;
  const auto zones = mine + "/shipping_zones";
  const std::string zone =
      owner.post(zones, {{"name", "All"}, {"countries", Json::array()}}).json().at("id");
  const Json tax = {{"name", "Tax"}, {"country", "US"}, {"parts_per_million", 50'000}};
  const Json code = {{"code", "SHIPFREE"}, {"kind", "free_shipping"}};
  return {{"shipping_zones", zone},
          {"rates", owner.post(zones + "/" + zone + "/rates", shipping_rate()).json().at("id")},
          {"tax_rates", owner.post(mine + "/tax_rates", tax).json().at("id")},
          {"discount_codes", owner.post(mine + "/discount_codes", code).json().at("id")}};
}

// What it sells.
std::map<std::string, std::string> goods_of(const Storefront& shop) {
  auto owner = shop.owner.api;
  const auto feed = owner.send("POST", "/v1/merchants/" + shop.merchant + "/feed_imports", "id\n",
                               {{"Content-Type", "text/csv"}});
  const auto product = owner.post(
      "/v1/products",
      {{"merchant_id", shop.merchant}, {"title", "Tea"}, {"variants", {{{"sku", "TEA"}}}}});
  const auto collection =
      owner.post("/v1/collections", {{"merchant_id", shop.merchant}, {"title", "Teas"}});
  return {{"products", product.json()["id"]},
          {"payment_links", owner.post("/v1/payment_links", lamp_link(shop.merchant)).json()["id"]},
          {"variants", product.json()["variants"][0]["id"]},
          {"collections", collection.json()["id"]},
          {"feed_imports", feed.json()["id"]}};
}

// What its buyer asks for about an order that was sent.
std::map<std::string, std::string> asked_about(const Storefront& shop, const Json& order) {
  auto buyer = shop.buyer.api;
  const auto help =
      buyer.post("/v1/support_cases",
                 {{"subject", "damaged"}, {"text", "It is broken"}, {"order_id", order["id"]}});
  const auto back = buyer.post("/v1/orders/" + order["id"].get<std::string>() + "/returns",
                               {{"reason", "damaged"}});
  return {{"support_cases", help.json()["id"]}, {"returns", back.json()["id"]}};
}

// One of everything, and it is all somebody else's.
const std::map<std::string, std::string>& others() {
  static const auto things = [] {
    const auto shop = test::shop(Server::shared());
    auto owner = shop.owner.api;
    const auto order = sell(shop);
    const auto shipped = ship(shop, order).json();
    const auto payout = shipped["payout"];
    const auto key = owner.post("/v1/merchants/" + shop.merchant + "/api_keys",
                                {{"name", "Till"}, {"scopes", {"read"}}});
    const auto invitation = owner.post("/v1/merchants/" + shop.merchant + "/invitations",
                                       {{"name", "Hal"}, {"role", "agent"}});
    const auto talk = "/v1/conversations/" + shop.conversation;
    const auto message = owner.post(talk + "/messages", {{"text", "Hello"}});
    const auto note = owner.post(talk + "/notes", {{"text", "Likes brass"}});
    const auto reply = owner.post("/v1/merchants/" + shop.merchant + "/canned_replies",
                                  {{"shortcut", "thanks"}, {"text", "Thank you!"}});
    const auto device = owner.post("/v1/push/subscriptions",
                                   Device().subscription("https://push.invalid/" + new_key()));
    const auto refund = owner.post("/v1/payments/" + std::string(order["payment_id"]) + "/refunds",
                                   {{"amount", 1}, {"reason", "A scratch"}});
    const auto dispute = disputed(shop, order);
    const auto card = owner.post("/v1/payment_methods", {{"token", "tok_approved"}});
    owner.post("/v1/payment_methods", {{"token", "tok_bank"}});
    const Json money = {{"amount", 1'000}, {"currency", "USD"}};
    auto charge = money, gift = money, home = money;
    charge["payment_method"] = {{"token", "tok_approved"}};
    gift["to"] = {{"account_id", shop.buyer.id}};
    gift["amount"] = 100;
    home["amount"] = 100;
    const auto top_up = owner.post("/v1/wallet/top_ups", charge);
    const auto transfer = owner.post("/v1/transfers", gift);
    const auto withdrawal = owner.post("/v1/wallet/withdrawals", home);
    const auto report = owner.post(talk + "/reports", {{"reason", "other"}});
    std::map<std::string, std::string> all{
        {"reports", report.json()["id"]},
        {"payment_methods", card.json()["id"]},
        {"top_ups", top_up.json()["id"]},
        {"transfers", transfer.json()["id"]},
        {"withdrawals", withdrawal.json()["id"]},
        {"messages", message.json()["seq"].dump()},
        {"notes", note.json()["id"]},
        {"canned_replies", reply.json()["id"]},
        {"merchants", shop.merchant},
        {"conversations", shop.conversation},
        {"payment_requests", ask(shop)["id"]},
        {"orders", order["id"]},
        {"shipments", shipped["shipment"]["id"]},
        {"payments", order["payment_id"]},
        {"refunds", refund.json()["id"]},
        {"disputes", dispute["id"]},
        {"payouts", payout["id"]},
        {"payout_batches", "batch_01h2xcejqtf2nbrexx3vqjhp42"},  // tests/domain knows real ones
        {"sessions", shop.owner.session},
        {"members", shop.owner.id},
        {"api_keys", key.json()["api_key"]["id"]},
        {"invitations", invitation.json()["invitation"]["id"]},
        {"subscriptions", device.json()["id"]},
        {"attachments", uploaded(shop, owner, {"some text"})["id"]}};
    for (auto part : {rules_of(shop), goods_of(shop), asked_about(shop, order)}) all.merge(part);
    return all;
  }();
  return things;
}

std::string others_path(const Route& route) {
  return path_with(route, [](const std::string& collection) { return others().at(collection); });
}

Json without_instance(const Answer& answer) {
  auto body = answer.json();
  body.erase("instance");
  return body;
}

class ThingRoute : public testing::TestWithParam<Route> {};

TEST_P(ThingRoute, AnswersAlikeForWhatIsAnothersAndWhatDoesNotExist) {
  const auto& route = GetParam();
  const auto& token = token_of("person");
  const auto body = body_for(route);
  const auto absent = call(route, somewhere(route), token, body);
  const auto anothers = call(route, others_path(route), token, body);
  EXPECT_TRUE(is_problem(absent, 404, "not_found"));
  EXPECT_TRUE(is_problem(anothers, 404, "not_found"));
  EXPECT_EQ(without_instance(absent), without_instance(anothers));
}

TEST_P(ThingRoute, AnswersAlikeForWhatIsNotAnIdAtAll) {
  const auto& route = GetParam();
  auto path = std::string(route.path);
  for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
    path.replace(at, path.find('}') - at + 1, "not-an-id");
  EXPECT_TRUE(is_problem(call(route, path, token_of("person"), body_for(route)), 404, "not_found"));
}

bool is_a_members(const Route& route) { return has_id(route) && route.access < Access::support; }
INSTANTIATE_TEST_SUITE_P(Http, ThingRoute, testing::ValuesIn(routes_where(is_a_members)),
                         route_name);

class StaffThingRoute : public testing::TestWithParam<Route> {};

TEST_P(StaffThingRoute, AnswersTheStaffThatThereIsNoSuchThing) {
  const auto& route = GetParam();
  const auto answer = call(route, somewhere(route), token_of("admin"), body_for(route));
  EXPECT_TRUE(is_problem(answer, 404, "not_found"));
}

bool is_a_staffs_thing(const Route& route) { return has_id(route) && is_staffs(route); }
INSTANTIATE_TEST_SUITE_P(Http, StaffThingRoute, testing::ValuesIn(routes_where(is_a_staffs_thing)),
                         route_name);

}  // namespace access_test
}  // namespace bottega::test
