// After a whole story nothing that is secret lies anywhere: not in a log, not in any column.
#include "http/story.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace secrets_test {

constexpr const char* kTaxNumber = "987-65-4321";
constexpr const char* kCard = "4000056655665556";
constexpr const char* kWord = "a very secret password";

// The columns of all tables that have this text in them, by name.
std::string found_in_database(const std::string& url, const std::string& text) {
  return execute(url, R"(
    SELECT coalesce(string_agg(place, ', '), '') FROM (
      SELECT table_schema || '.' || table_name || '.' || column_name AS place,
        (xpath('/row/n/text()', query_to_xml(format(
          'SELECT count(*) AS n FROM %I.%I WHERE strpos(%s, %L) > 0', table_schema, table_name,
          CASE data_type WHEN 'bytea' THEN format('encode(%I, ''escape'')', column_name)
                         ELSE format('%I::text', column_name) END, ')" +
                          text + R"('),
          false, true, '')))[1]::text::bigint AS n
      FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name)
      WHERE table_schema IN ('bottega', 'sandbox') AND table_type = 'BASE TABLE') AS places
    WHERE n > 0)");
}

struct Planted {
  std::string what, text;
};

class Secrets : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"log.level=debug", "sandbox.webhook_secret=the-webhooks-own-secret"},
                      Postgres::own);
    plant();
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
    planted.clear();
  }

  static void remember(const std::string& what, const std::string& text) {
    planted.push_back({what, text});
  }

  static void plant_people() {
    const auto email = "secretive-" + new_key() + "@people.example";
    Client nobody(house->server.port());
    nobody.post("/v1/accounts", {{"email", email}, {"password", kWord}, {"name", "Pat"}});
    const auto who = log_in(house->server, email, kWord);
    const auto next = nobody.post("/v1/sessions/refresh", {{"refresh_token", who.refresh}}).json();
    nobody.post("/v1/sessions", {{"email", email}, {"password", "a wrong and secret word"}});
    nobody.post("/v1/sessions", {{"email", email}, {"pass", "a misplaced secret word"}});
    nobody.send("POST", "/v1/sessions", "{\"password\":\"a truncated secret word",
                {{"Content-Type", "application/json"}});
    remember("password", kWord);
    remember("wrong password", "a wrong and secret word");
    remember("misplaced password", "a misplaced secret word");
    remember("truncated password", "a truncated secret word");
    remember("access token", who.api.token());
    remember("refresh token", who.refresh);
    remember("second access token", next["access_token"]);
    remember("second refresh token", next["refresh_token"]);
  }

  static void plant_merchant(const Storefront& shop) {
    ASSERT_EQ(onboard(shop, "12-345-6789").status, 422);  // a mistake in it is not repeated either
    ASSERT_EQ(onboard(shop, kTaxNumber).status, 303);
    auto owner = shop.owner.api;
    ASSERT_TRUE(soon([&] {
      return owner.get("/v1/merchants/" + shop.merchant).json()["onboarding"] == "active";
    }));
    const auto key = owner.post("/v1/merchants/" + shop.merchant + "/api_keys",
                                {{"name", "Till"}, {"scopes", {"read"}}},
                                {{"Idempotency-Key", "the-idempotency-key-itself"}});
    remember("tax number", kTaxNumber);
    remember("mistaken tax number", "12-345-6789");
    remember("merchant's address", "2 Lamp Lane");
    remember("API key", key.json()["secret"]);
    remember("idempotency key", "the-idempotency-key-itself");
  }

  static void plant_cards(const Storefront& shop) {
    const auto token = card_token(shop.sandbox_port, kCard);
    ASSERT_EQ(accept(shop, ask(shop), token).status, 200);
    auto by_mistake = pay_with(kCard);
    by_mistake["billing"] = by_mistake["ship_to"];
    by_mistake["billing"]["street"] = "77 Billing Boulevard";
    const auto path = "/v1/payment_requests/" + ask(shop)["id"].get<std::string>() + "/accept";
    auto buyer = shop.buyer.api;
    refused = buyer.post(path, by_mistake);
    buyer.post(path, {{"payment_method", {{"token", "tok_approved"}, {"number", kCard}}}});
    remember("card number", kCard);
    remember("billing address", "77 Billing Boulevard");
    remember("webhook secret", "the-webhooks-own-secret");
  }

  static void plant() {
    plant_people();
    const auto shop = chat(house->server);
    plant_merchant(shop);
    ASSERT_EQ(send_text(shop, shop.buyer.api, "Nothing secret about this").status, 201);
    plant_cards(shop);
    Socket socket(house->server.port(), "");
    socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", shop.buyer.api.token()}});
    EXPECT_EQ(socket.reply("a")["status"], 200);
    socket.send({{"id", "b"}, {"method", "AUTH"}, {"token", "bat_a-token-of-nobody-at-all"}});
    socket.reply("b");
    remember("socket's token", shop.buyer.api.token());
    remember("socket's bad token", "bat_a-token-of-nobody-at-all");
  }

  static House* house;
  static std::vector<Planted> planted;
  static Answer refused;
};
House* Secrets::house = nullptr;
std::vector<Planted> Secrets::planted;
Answer Secrets::refused;

TEST_F(Secrets, AreInNoColumnOfAnyTable) {
  const auto url = superuser_url(house->server);
  ASSERT_EQ(found_in_database(url, "Nothing secret about this"), "bottega.entries.data")
      << "what is not secret is found";
  for (const auto& one : planted) EXPECT_EQ(found_in_database(url, one.text), "") << one.what;
}

TEST_F(Secrets, AreInNoLog) {
  const auto log = read_file(house->server.log_file());
  ASSERT_NE(log.find("acceptPaymentRequest"), std::string::npos) << "what is not secret is found";
  for (const auto& one : planted) EXPECT_EQ(log.find(one.text), std::string::npos) << one.what;
  EXPECT_EQ(log.find("Nothing secret about this"), std::string::npos) << "nor what people say";
}

TEST_F(Secrets, AreNotInTheLogOfTheDatabase) {
  const auto log = read_file(house->dir.path() / "data" / "postgres.log");
  for (const auto& one : planted) EXPECT_EQ(log.find(one.text), std::string::npos) << one.what;
}

TEST_F(Secrets, AreNotOnThePageOfMetrics) {
  const auto page = Client(house->server.port()).get("/metrics").body;
  for (const auto& one : planted) EXPECT_EQ(page.find(one.text), std::string::npos) << one.what;
}

TEST_F(Secrets, AreRefusedWhereACardNumberStandsForAToken) {
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_TRUE(points_at(refused.json(), "/payment_method/token")) << refused.body;
  EXPECT_EQ(refused.body.find(kCard), std::string::npos);
}

TEST_F(Secrets, StandInTheDatabaseAsHashesOnly) {
  const auto url = superuser_url(house->server);
  EXPECT_EQ(execute(url, "SELECT bool_and(password_hash LIKE '$argon2id$%') FROM bottega.accounts"),
            "t");
  EXPECT_EQ(execute(url, "SELECT bool_and(hash ~ '^[0-9a-f]{64}$') FROM bottega.access_tokens"),
            "t");
  EXPECT_EQ(execute(url, "SELECT bool_and(hash ~ '^[0-9a-f]{64}$') FROM bottega.api_keys"), "t");
}

}  // namespace secrets_test
}  // namespace bottega::test
