// The wallet through the front door: what is asked for before money leaves, who sees what, and
// what is told of bad input.
#include "http/story.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace wallet_test {

constexpr const char* kPin = "203040";

class WalletRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() { house_ = new House({"log.level=debug"}); }
  static void TearDownTestSuite() { delete house_; }

  static Json usd(std::int64_t amount) { return {{"amount", amount}, {"currency", "USD"}}; }
  static Json top_up(std::int64_t amount, const std::string& token = "tok_approved") {
    auto body = usd(amount);
    body["payment_method"] = {{"token", token}};
    return body;
  }
  static Json gift(const Person& to, std::int64_t amount) {
    auto body = usd(amount);
    body["to"] = {{"account_id", to.id}};
    return body;
  }
  static Json with_pin(Json body, const std::string& pin = kPin) {
    body["pin"] = pin;
    return body;
  }
  Answer set_pin(const std::string& password = kPassword, const std::string& pin = kPin) {
    return ada_.api.put("/v1/me/pin", {{"password", password}, {"pin", pin}});
  }
  std::string keep(const std::string& token) {
    const auto kept = ada_.api.post("/v1/payment_methods", {{"token", token}});
    EXPECT_EQ(kept.status, 201) << kept.body;
    return kept.json()["id"];
  }
  void pass(int seconds) {
    auto ops = staff(house_->server);
    ASSERT_EQ(ops.post("/v1/admin/clock/advance", {{"advance_s", seconds}}).status, 200);
  }
  // Nobody's session is fresh any more.
  void grow_stale() { pass(660); }
  std::int64_t available(Person& who) {
    const auto balances = who.api.get("/v1/wallet").json()["balances"];
    return balances.empty() ? 0 : balances[0]["available"].get<std::int64_t>();
  }

  static inline House* house_ = nullptr;
  Person ada_ = person(house_->server, "Ada");
};

TEST_F(WalletRoutes, MoveMoneyFromACardToAFriendAndToTheirBank) {
  auto ben = person(house_->server, "Ben");
  const auto charged = ada_.api.post("/v1/wallet/top_ups", top_up(5'000));
  ASSERT_EQ(charged.status, 201) << charged.body;
  EXPECT_EQ(charged.json()["state"], "succeeded");
  auto body = gift(ben, 2'000);
  body["note"] = "For the lamp";
  const auto sent = ada_.api.post("/v1/transfers", body);
  ASSERT_EQ(sent.status, 201) << sent.body;
  const auto path = "/v1/transfers/" + std::string(sent.json()["id"]);
  EXPECT_EQ(ben.api.get(path).json()["note"], "For the lamp");
  EXPECT_EQ(ben.api.post(path + "/accept").json()["state"], "accepted");
  EXPECT_TRUE(is_problem(ben.api.post(path + "/decline"), 409, "conflict"));
  EXPECT_EQ(available(ada_), 3'000);
  EXPECT_EQ(available(ben), 2'000);
  EXPECT_TRUE(is_problem(ben.api.post("/v1/wallet/withdrawals", usd(500)), 409, "conflict"));
  ASSERT_EQ(ben.api.post("/v1/payment_methods", {{"token", "tok_bank"}}).status, 201);
  const auto home = ben.api.post("/v1/wallet/withdrawals", usd(500));
  ASSERT_EQ(home.status, 201) << home.body;
  const auto withdrawal = "/v1/wallet/withdrawals/" + std::string(home.json()["id"]);
  EXPECT_TRUE(soon([&] { return ben.api.get(withdrawal).json()["state"] == "succeeded"; }));
  EXPECT_EQ(available(ben), 1'500);
  pass(61);
  const auto statement = ben.api.get("/v1/wallet/statement").json()["currencies"][0];
  EXPECT_EQ(statement["opening"], 0);
  EXPECT_EQ(statement["closing"], 1'500);
  EXPECT_EQ(statement["lines"].size(), 2u);
  const auto csv = ben.api.get("/v1/wallet/statement?format=csv");
  EXPECT_TRUE(csv.header("content-type").starts_with("text/csv"));
  EXPECT_NE(csv.body.find("closing,,,,15.00"), csv.body.npos) << csv.body;
}

TEST_F(WalletRoutes, AnswerADeclineAndKeepIt) {
  const auto key = new_key();
  const auto refused = ada_.api.post("/v1/wallet/top_ups", top_up(5'000, "tok_declined"),
                                     {{"Idempotency-Key", key}});
  EXPECT_TRUE(is_problem(refused, 402, "declined"));
  EXPECT_EQ(refused.json()["reason"], "card_declined");
  const auto again = ada_.api.post("/v1/wallet/top_ups", top_up(5'000, "tok_declined"),
                                   {{"Idempotency-Key", key}});
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(ada_.api.get("/v1/wallet/top_ups").json()["data"].size(), 1u);
}

TEST_F(WalletRoutes, TakeWhatIsMissingFromAKeptCard) {
  auto ben = person(house_->server, "Ben");
  auto body = gift(ben, 900);
  body["payment_method"] = {{"id", keep("tok_approved")}};
  const auto sent = ada_.api.post("/v1/transfers", body);
  ASSERT_EQ(sent.status, 201) << sent.body;
  EXPECT_EQ(sent.json()["state"], "pending");
  const auto top_up = "/v1/wallet/top_ups/" + std::string(sent.json()["top_up_id"]);
  EXPECT_EQ(ada_.api.get(top_up).json()["amount"]["amount"], 900);
  const auto seen = ben.api.get("/v1/transfers").json()["data"].at(0);
  EXPECT_EQ(seen["top_up_id"], nullptr) << "how she pays is hers";
  body["payment_method"] = {{"id", keep("tok_declined")}};
  EXPECT_TRUE(is_problem(ada_.api.post("/v1/transfers", body), 402, "declined"));
}

TEST_F(WalletRoutes, PayARequestWithAKeptCard) {
  auto shop = test::shop(house_->server);
  auto buyer = shop.buyer.api;
  const auto card = buyer.post("/v1/payment_methods", {{"token", "tok_approved"}}).json();
  auto body = pay_with("tok_approved");
  body["payment_method"]["id"] = card["id"];
  const auto path = "/v1/payment_requests/" + std::string(ask(shop)["id"]) + "/accept";
  EXPECT_TRUE(points_at(buyer.post(path, body).json(), "/payment_method"));
  body["payment_method"].erase("token");
  grow_stale();
  EXPECT_TRUE(is_problem(buyer.post(path, body), 403, "forbidden"));
  ASSERT_EQ(buyer.put("/v1/me/pin", {{"password", kPassword}, {"pin", kPin}}).status, 204);
  const auto key = new_key();
  const auto paid = buyer.post(path, with_pin(body), {{"Idempotency-Key", key}});
  ASSERT_EQ(paid.status, 200) << paid.body;
  EXPECT_EQ(paid.json()["payment"]["state"], "captured");
  const auto other = Json{{"password", kPassword}, {"pin", "908070"}};
  ASSERT_EQ(buyer.put("/v1/me/pin", other).status, 204);
  const auto again = buyer.post(path, with_pin(body), {{"Idempotency-Key", key}});
  EXPECT_EQ(again.body, paid.body) << "by the PIN of then";
}

TEST_F(WalletRoutes, GiveUpATopUpThatWaitsForItsOwner) {
  auto ben = person(house_->server, "Ben");
  const auto waiting = ada_.api.post("/v1/wallet/top_ups", top_up(5'000, "tok_confirm"));
  ASSERT_EQ(waiting.status, 202) << waiting.body;
  const auto path = "/v1/wallet/top_ups/" + std::string(waiting.json()["id"]);
  EXPECT_TRUE(is_problem(ben.api.post(path + "/cancel"), 404, "not_found"));
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const auto given_up = ada_.api.post(path + "/cancel", nullptr, key);
  ASSERT_EQ(given_up.status, 200) << given_up.body;
  EXPECT_EQ(given_up.json()["state"], "failed");
  EXPECT_EQ(given_up.json()["reason"], "cancelled");
  EXPECT_EQ(ada_.api.post(path + "/cancel", nullptr, key).body, given_up.body);
  EXPECT_EQ(available(ada_), 0);
  const auto done = ada_.api.post("/v1/wallet/top_ups", top_up(100)).json();
  EXPECT_TRUE(is_problem(ada_.api.post("/v1/wallet/top_ups/" + std::string(done["id"]) + "/cancel"),
                         409, "conflict"));
}

// ---- before money leaves ------------------------------------------------------------------------

TEST_F(WalletRoutes, WantAPinWhereTheSessionIsNotFresh) {
  auto ben = person(house_->server, "Ben");
  ada_.api.post("/v1/wallet/top_ups", top_up(5'000));
  grow_stale();
  const auto refused = ada_.api.post("/v1/transfers", gift(ben, 100));
  EXPECT_TRUE(is_problem(refused, 403, "forbidden"));
  EXPECT_EQ(refused.json()["reason"], "step_up_required");
  const auto none = ada_.api.post("/v1/transfers", with_pin(gift(ben, 100)));
  EXPECT_EQ(none.json()["reason"], "no_pin");
  EXPECT_EQ(ada_.api.post("/v1/wallet/withdrawals", usd(100)).status, 403);
  ASSERT_EQ(set_pin().status, 204);
  EXPECT_EQ(ada_.api.post("/v1/transfers", with_pin(gift(ben, 100))).status, 201);
  EXPECT_EQ(ada_.api.post("/v1/wallet/top_ups", top_up(100)).status, 201) << "nothing leaves";
}

TEST_F(WalletRoutes, AnswerARepeatWhenTheSessionIsNotFreshAnyMore) {
  auto ben = person(house_->server, "Ben");
  ASSERT_EQ(ada_.api.post("/v1/wallet/top_ups", top_up(5'000)).status, 201);
  auto with_card = usd(700), gift_by_card = gift(ben, 9'000);
  with_card["payment_method"] = {{"id", keep("tok_approved")}};
  gift_by_card["payment_method"] = with_card["payment_method"];
  keep("tok_bank");
  const std::vector<std::pair<std::string, Json>> requests = {{"/v1/wallet/top_ups", with_card},
                                                              {"/v1/wallet/withdrawals", usd(100)},
                                                              {"/v1/transfers", gift(ben, 200)},
                                                              {"/v1/transfers", gift_by_card}};
  const auto send = [&](const std::pair<std::string, Json>& request, const std::string& key) {
    return ada_.api.post(request.first, request.second, {{"Idempotency-Key", key}});
  };
  std::vector<std::string> keys;
  std::vector<Answer> first;
  for (const auto& request : requests) {
    keys.push_back(new_key());
    first.push_back(send(request, keys.back()));
    ASSERT_EQ(first.back().status, 201) << first.back().body;
  }
  grow_stale();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto again = send(requests[i], keys[i]);
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.body, first[i].body);
    EXPECT_EQ(again.header("idempotent-replayed"), "true");
    EXPECT_EQ(send(requests[i], new_key()).json()["reason"], "step_up_required");
    auto changed = requests[i];
    changed.second["amount"] = 150;
    EXPECT_EQ(send(changed, keys[i]).json()["reason"], "step_up_required") << "not the same";
  }
  EXPECT_EQ(ada_.api.get("/v1/transfers").json()["data"].size(), 2u);
}

TEST_F(WalletRoutes, LockThePinAfterFiveWrongTries) {
  auto ben = person(house_->server, "Ben");
  ASSERT_EQ(set_pin().status, 204);
  const auto attempt = [&](const std::string& pin) {
    return ada_.api.post("/v1/transfers", with_pin(gift(ben, 100), pin));
  };
  for (const auto* left : {"4 tries are left", "3 tries are left", "2 tries are left",
                           "1 try is left", "locked now"}) {
    const auto wrong = attempt("000000");
    EXPECT_TRUE(is_problem(wrong, 403, "forbidden"));
    EXPECT_EQ(wrong.json()["reason"], "wrong_pin");
    EXPECT_NE(wrong.json()["detail"].get<std::string>().find(left), std::string::npos)
        << wrong.body;
  }
  const auto locked = attempt(kPin);
  EXPECT_EQ(locked.json()["reason"], "pin_locked");
  EXPECT_NE(locked.header("retry-after"), "");
  ASSERT_EQ(set_pin().status, 204) << "the password opens it";
  EXPECT_TRUE(is_problem(attempt(kPin), 409, "conflict")) << "there is no balance";
}

TEST_F(WalletRoutes, SetAPinWithThePasswordOnly) {
  EXPECT_TRUE(points_at(set_pin("not the password").json(), "/password"));
  EXPECT_TRUE(points_at(set_pin(kPassword, "12345").json(), "/pin"));
  EXPECT_TRUE(points_at(set_pin(kPassword, "1234567").json(), "/pin"));
  EXPECT_TRUE(points_at(set_pin(kPassword, "12345x").json(), "/pin"));
}

// ---- what is not shown --------------------------------------------------------------------------

TEST_F(WalletRoutes, NeverShowATokenOrAPin) {
  const auto token = card_token(house_->server.sandbox_port(), "4000056655665556");
  std::string answers =
      set_pin().body + ada_.api.post("/v1/wallet/top_ups", top_up(100, token)).body;
  const auto kept = ada_.api.post("/v1/payment_methods", {{"token", token}});
  ASSERT_EQ(kept.status, 201) << kept.body;
  EXPECT_EQ(kept.json()["last_four"], "5556");
  const auto id = kept.json()["id"].get<std::string>();
  answers += kept.body + ada_.api.patch("/v1/payment_methods/" + id, {{"is_default", true}}).body;
  auto body = usd(100);
  body["payment_method"] = {{"id", id}};
  answers += ada_.api.post("/v1/wallet/top_ups", with_pin(body)).body;
  answers += ada_.api.post("/v1/payment_methods", {{"token", token}}).body;
  for (const auto* path : {"/v1/payment_methods", "/v1/wallet", "/v1/wallet/top_ups",
                           "/v1/wallet/statement", "/v1/transfers"})
    answers += ada_.api.get(path).body;
  EXPECT_EQ(answers.find(token), std::string::npos);
  EXPECT_EQ(answers.find("\"pin\""), std::string::npos);
  const auto log = read_file(house_->server.log_file());
  EXPECT_NE(log.find("addPaymentMethod"), std::string::npos) << "what is not secret is found";
  EXPECT_EQ(log.find(token), std::string::npos);
  EXPECT_EQ(execute(house_->urls.superuser,
                    "SELECT count(*) FROM bottega.pins WHERE hash NOT LIKE '$argon2id$%'"),
            "0");
}

TEST_F(WalletRoutes, RefuseACardNumberForAToken) {
  const auto refused = ada_.api.post("/v1/payment_methods", {{"token", "4242424242424242"}});
  EXPECT_TRUE(points_at(refused.json(), "/token"));
  EXPECT_EQ(refused.body.find("4242"), std::string::npos);
  EXPECT_TRUE(
      points_at(ada_.api.post("/v1/wallet/top_ups", top_up(100, "4242-4242-4242-4242")).json(),
                "/payment_method/token"));
  EXPECT_TRUE(
      points_at(ada_.api.post("/v1/payment_methods", {{"token", "tok_x"}}).json(), "/token"));
}

TEST_F(WalletRoutes, NameWhatIsWrongWithATransfer) {
  auto ben = person(house_->server, "Ben");
  const auto good = gift(ben, 100);
  const std::vector<std::pair<Json, std::string>> rows = {
      {{{"amount", 0}}, "/amount"},
      {{{"amount", 1.5}}, "/amount"},
      {{{"amount", 100'001}}, "/amount"},
      {{{"currency", "XXX"}}, "/currency"},
      {{{"note", std::string(201, 'x')}}, "/note"},
      {{{"to", Json::object()}}, "/to"},
      {{{"to", {{"email", "nobody@people.example"}}}}, "/to"},
      {{{"to", {{"account_id", ada_.id}}}}, "/to"},
      {{{"to", {{"account_id", "usr_x"}}}}, "/to/account_id"},
      {{{"pin", "12"}}, "/pin"},
      {{{"payment_method", {{"id", "pm_01h2xcejqtf2nbrexx3vqjhp41"}}}}, "/payment_method/id"}};
  for (const auto& [change, pointer] : rows) {
    auto body = good;
    body.update(change);
    const auto answer = ada_.api.post("/v1/transfers", body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << pointer;
    EXPECT_TRUE(points_at(answer.json(), pointer)) << pointer << ' ' << answer.body;
  }
  EXPECT_EQ(ada_.api.get("/v1/transfers").json()["data"].size(), 0u);
}

TEST_F(WalletRoutes, AreOnesOwn) {
  auto ben = person(house_->server, "Ben");
  ada_.api.post("/v1/wallet/top_ups", top_up(5'000));
  const auto card = keep("tok_approved");
  auto body = usd(100);
  body["payment_method"] = {{"id", card}};
  EXPECT_TRUE(points_at(ben.api.post("/v1/wallet/top_ups", body).json(), "/payment_method/id"));
  EXPECT_EQ(ben.api.remove("/v1/payment_methods/" + card).status, 404);
  EXPECT_EQ(ben.api.get("/v1/wallet").json()["balances"].size(), 0u);
  EXPECT_EQ(ben.api.get("/v1/payment_methods").json()["data"].size(), 0u);
  EXPECT_EQ(ada_.api.remove("/v1/payment_methods/" + card).status, 204);
  EXPECT_EQ(ada_.api.get("/v1/payment_methods").json()["data"].size(), 0u);
}

TEST_F(WalletRoutes, AreToldLive) {
  auto ben = person(house_->server, "Ben");
  ada_.api.post("/v1/wallet/top_ups", top_up(5'000));
  Socket socket(house_->server.port(), ben.api.token());
  listen(socket);
  const auto sent = ada_.api.post("/v1/transfers", gift(ben, 100)).json();
  const auto heard = socket.event("transfer.created");
  EXPECT_EQ(heard["data"]["transfer"]["id"], sent["id"]);
  EXPECT_EQ(heard["conversation"], nullptr);
  const auto charged = ben.api.post("/v1/wallet/top_ups", top_up(700)).json();
  EXPECT_EQ(socket.event("top_up.succeeded")["data"]["top_up"], charged);
  ASSERT_EQ(ben.api.post("/v1/payment_methods", {{"token", "tok_bank"}}).status, 201);
  const auto home = ben.api.post("/v1/wallet/withdrawals", usd(500)).json();
  const auto sent_home = socket.event("withdrawal.succeeded");
  EXPECT_EQ(sent_home["data"]["withdrawal"]["id"], home["id"]);
}

TEST_F(WalletRoutes, AreNotLeftBehindByWhoIsErased) {
  ada_.api.post("/v1/wallet/top_ups", top_up(5'000));
  const auto refused = ada_.api.post("/v1/accounts/me/erasure", {{"password", kPassword}});
  EXPECT_TRUE(is_problem(refused, 409, "conflict"));
  EXPECT_TRUE(points_at(refused.json(), "USD"));
  auto nobody = person(house_->server, "Nora");
  nobody.api.post("/v1/payment_methods", {{"token", "tok_approved"}});
  EXPECT_EQ(nobody.api.post("/v1/accounts/me/erasure", {{"password", kPassword}}).status, 204);
  EXPECT_EQ(execute(house_->urls.superuser,
                    "SELECT count(*) FROM bottega.payment_methods m JOIN bottega.accounts a "
                    "ON a.id = m.account_id WHERE a.erased_at IS NOT NULL"),
            "0");
}

}  // namespace wallet_test
}  // namespace bottega::test
