// Idempotency-Key: the same request twice has one effect and one answer (api.md).
#include <future>

#include "http/routes.hpp"
#include "http/story.hpp"

namespace bottega::test {
namespace idempotency_test {

class Idempotency : public testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = new Storefront(shop(Server::shared())); }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static const Storefront& the_shop() { return *shop_; }

  static Answer post(const Client& who, const std::string& path, const Json& body,
                     const std::string& key) {
    auto client = who;
    return client.post(path, body, {{"Idempotency-Key", key}});
  }
  static Answer write(const std::string& text, const std::string& key) {
    return post(the_shop().buyer.api, the_shop().path("/messages"), {{"text", text}}, key);
  }
  static std::int64_t last_seq() {
    auto buyer = the_shop().buyer.api;
    return buyer.get(the_shop().path()).json()["last_seq"];
  }

 private:
  static Storefront* shop_;
};
Storefront* Idempotency::shop_ = nullptr;

TEST_F(Idempotency, GivesTheSameAnswerAgainAndSaysSo) {
  const auto key = new_key();
  const auto first = write("Once", key);
  const auto seq = last_seq();
  const auto again = write("Once", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(first.header("idempotent-replayed"), "");
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(again.header("content-type"), first.header("content-type"));
  EXPECT_EQ(last_seq(), seq);
}

TEST_F(Idempotency, RefusesAnotherBodyUnderTheSameKey) {
  const auto key = new_key();
  ASSERT_EQ(write("One", key).status, 201);
  const auto seq = last_seq();
  EXPECT_TRUE(is_problem(write("Two", key), 422, "idempotency_key_reused"));
  EXPECT_EQ(last_seq(), seq);
}

TEST_F(Idempotency, DoesNotCareHowTheSameJsonIsWritten) {
  const auto key = new_key();
  auto buyer = the_shop().buyer.api;
  const auto send = [&](const std::string& body) {
    return buyer.send("POST", the_shop().path("/messages"), body,
                      {{"Content-Type", "application/json"}, {"Idempotency-Key", key}});
  };
  const auto first = send(R"({"text":"Lamp","client_id":"c1"})");
  ASSERT_EQ(first.status, 201) << first.body;
  const auto again = send(R"({ "client_id" : "c1",  "text" : "\u004camp" })");
  EXPECT_EQ(again.header("idempotent-replayed"), "true") << again.body;
  EXPECT_EQ(again.body, first.body);
}

TEST_F(Idempotency, TakesAKeyInQuotesForTheBareOne) {
  const auto key = new_key();
  const auto first = write("Quoted", key);
  const auto again = write("Quoted", '"' + key + '"');
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(again.body, first.body);
}

TEST_F(Idempotency, RefusesAKeyThatIsNotOne) {
  const auto seq = last_seq();
  EXPECT_TRUE(is_problem(write("x", std::string(256, 'k')), 400, "malformed"));
  EXPECT_TRUE(is_problem(write("x", "\"\""), 400, "malformed"));
  EXPECT_TRUE(is_problem(write("x", "two words"), 400, "malformed"));
  EXPECT_TRUE(is_problem(write("x", "k\xc3\xa9y"), 400, "malformed"));
  EXPECT_EQ(last_seq(), seq);
  EXPECT_EQ(write("x", std::string(255 - 24, 'k') + new_key()).status, 201);
}

TEST_F(Idempotency, KeepsTheSameKeyOfTwoPeopleApart) {
  const auto key = new_key();
  const auto path = the_shop().path("/messages");
  const auto buyers = post(the_shop().buyer.api, path, {{"text", "Mine"}}, key);
  const auto owners = post(the_shop().owner.api, path, {{"text", "Yours"}}, key);
  EXPECT_EQ(buyers.status, 201);
  EXPECT_EQ(owners.status, 201);
  EXPECT_NE(buyers.json()["data"]["id"], owners.json()["data"]["id"]);
  EXPECT_EQ(owners.json()["data"]["text"], "Yours");
}

TEST_F(Idempotency, KeepsTheSameKeyOfTwoAddressesApart) {
  const auto key = new_key();
  const auto other = chat(Server::shared());
  auto owner = the_shop().owner.api;
  const auto request = post(owner, "/v1/payment_requests", new_request(the_shop()), key);
  EXPECT_EQ(request.status, 201) << request.body;
  const auto message = post(owner, the_shop().path("/messages"), {{"text", "Hello"}}, key);
  EXPECT_EQ(message.status, 201) << message.body;
  EXPECT_EQ(message.header("idempotent-replayed"), "");
}

TEST_F(Idempotency, StoresARefusalOnlyWhereItIsAnOutcome) {
  const auto request = ask(the_shop());
  const auto path = "/v1/payment_requests/" + request["id"].get<std::string>() + "/accept";
  const auto key = new_key();
  const auto& buyer = the_shop().buyer.api;
  const auto declined = post(buyer, path, pay_with("tok_declined"), key);
  EXPECT_TRUE(is_problem(declined, 402, "declined"));
  const auto again = post(buyer, path, pay_with("tok_declined"), key);
  EXPECT_EQ(again.status, 402);
  EXPECT_EQ(again.header("idempotent-replayed"), "true") << "a decline is not tried again";
  EXPECT_EQ(again.json()["reason"], "card_declined");
  auto body = pay_with("tok_approved");
  body.erase("ship_to");
  const auto second = new_key();
  EXPECT_TRUE(is_problem(post(buyer, path, body, second), 422, "invalid"));
  EXPECT_EQ(post(buyer, path, pay_with("tok_approved"), second).status, 200)
      << "what was refused before it began leaves its key free";
}

TEST_F(Idempotency, PaysOnceHoweverOftenTheSameAcceptIsSent) {
  const auto request = ask(the_shop());
  const auto path = "/v1/payment_requests/" + request["id"].get<std::string>() + "/accept";
  const auto key = new_key();
  const auto first = post(the_shop().buyer.api, path, pay_with("tok_approved"), key);
  ASSERT_EQ(first.status, 200) << first.body;
  for (int i = 0; i < 3; ++i) {
    const auto again = post(the_shop().buyer.api, path, pay_with("tok_approved"), key);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("idempotent-replayed"), "true");
  }
}

TEST_F(Idempotency, KeepsALoginsTokensForItsKeyOnly) {
  const auto who = person(Server::shared());
  Client nobody(Server::shared().port());
  const auto key = new_key();
  const Json login = {{"email", who.email}, {"password", kPassword}};
  const auto first = post(nobody, "/v1/sessions", login, key);
  const auto again = post(nobody, "/v1/sessions", login, key);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(again.body, first.body);
  const auto wrong =
      post(nobody, "/v1/sessions", {{"email", who.email}, {"password", "not the password"}}, key);
  EXPECT_NE(wrong.status, 201) << wrong.body;
  EXPECT_EQ(wrong.body.find("bat_"), std::string::npos);
}

// ---- at the same time ---------------------------------------------------------------------------

template <class Send>
std::vector<Answer> at_once(int count, Send send) {
  std::vector<std::future<Answer>> sent;
  for (int i = 0; i < count; ++i) sent.push_back(std::async(std::launch::async, send, i));
  std::vector<Answer> answers;
  for (auto& one : sent) answers.push_back(one.get());
  return answers;
}

int count_of(const std::vector<Answer>& answers, int status) {
  return static_cast<int>(
      std::ranges::count_if(answers, [&](const Answer& one) { return one.status == status; }));
}

TEST_F(Idempotency, HasOneEffectWhereTheSameKeyComesConcurrently) {
  const auto seq = last_seq();
  const auto key = new_key();
  const auto answers = at_once(6, [&](int) { return write("All at once", key); });
  EXPECT_EQ(last_seq(), seq + 1);
  std::string body;
  for (const auto& one : answers) {
    if (one.status == 409) {
      EXPECT_TRUE(is_problem(one, 409, "in_flight"));
      EXPECT_NE(one.header("retry-after"), "");
      continue;
    }
    EXPECT_EQ(one.status, 201) << one.body;
    if (body.empty()) body = one.body;
    EXPECT_EQ(one.body, body);
  }
  EXPECT_FALSE(body.empty());
}

TEST_F(Idempotency, ChargesOnceWhereTheSameAcceptComesConcurrently) {
  const auto request = ask(the_shop(), 4321);
  const auto path = "/v1/payment_requests/" + request["id"].get<std::string>() + "/accept";
  const auto key = new_key();
  const auto answers = at_once(
      6, [&](int) { return post(the_shop().buyer.api, path, pay_with("tok_approved"), key); });
  EXPECT_GE(count_of(answers, 200), 1);
  EXPECT_EQ(count_of(answers, 200) + count_of(answers, 409), 6);
  int charges = 0;
  for (const auto& row : Client(the_shop().sandbox_port).get("/books").json())
    charges += row["amount"]["amount"] == 4321 ? 1 : 0;
  EXPECT_EQ(charges, 1);
}

TEST_F(Idempotency, ChargesOnceWhereTwoDevicesPayConcurrentlyWithKeysOfTheirOwn) {
  const auto request = ask(the_shop(), 8765);
  const auto answers = at_once(4, [&](int) { return accept(the_shop(), request); });
  EXPECT_EQ(count_of(answers, 200), 1);
  EXPECT_EQ(count_of(answers, 409), 3);
  int charges = 0;
  for (const auto& row : Client(the_shop().sandbox_port).get("/books").json())
    charges += row["amount"]["amount"] == 8765 ? 1 : 0;
  EXPECT_EQ(charges, 1);
}

TEST_F(Idempotency, AnswersInFlightWhileTheProcessorIsThinkingConcurrently) {
  const auto request = ask(the_shop());
  const auto path = "/v1/payment_requests/" + request["id"].get<std::string>() + "/accept";
  const auto key = new_key();
  const auto& buyer = the_shop().buyer.api;
  auto slow =
      std::async(std::launch::async, [&] { return post(buyer, path, pay_with("tok_slow"), key); });
  Answer meanwhile;
  const bool seen = soon([&] {
    auto client = buyer;
    return client.get("/v1/payment_requests/" + request["id"].get<std::string>()).json()["state"] ==
           "paying";
  });
  ASSERT_TRUE(seen);
  meanwhile = post(buyer, path, pay_with("tok_slow"), key);
  EXPECT_TRUE(is_problem(meanwhile, 409, "in_flight"));
  EXPECT_NE(meanwhile.header("retry-after"), "");
  const auto first = slow.get();
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(post(buyer, path, pay_with("tok_slow"), key).body, first.body);
}

// ---- where money moves --------------------------------------------------------------------------

class MoneyRoute : public testing::TestWithParam<gateway::Route> {};

TEST_P(MoneyRoute, WantsAnIdempotencyKey) {
  static const Client admin = staff(Server::shared());
  static const Client member = person(Server::shared()).api;
  auto caller = GetParam().access >= gateway::Access::support ? admin : member;
  const auto answer = caller.post(somewhere(GetParam()), nullptr, {{"Idempotency-Key", ""}});
  EXPECT_TRUE(is_problem(answer, 400, "idempotency_key_required"));
}

bool moves_money(const gateway::Route& route) { return route.once == gateway::Once::required; }
INSTANTIATE_TEST_SUITE_P(Http, MoneyRoute, testing::ValuesIn(routes_where(moves_money)),
                         route_name);

TEST(MoneyRoutes, AreTheOnesThatMoveMoney) {
  std::vector<std::string> names;
  for (const auto& route : routes_where(moves_money)) names.emplace_back(route.name);
  std::ranges::sort(names);
  const std::vector<std::string> expected = {"acceptDispute",
                                             "acceptPaymentRequest",
                                             "acceptTransfer",
                                             "adminAcceptTopUpDispute",
                                             "adminApproveReview",
                                             "adminCreateRefund",
                                             "adminHoldPayout",
                                             "adminRejectReview",
                                             "adminReleasePayout",
                                             "adminSubmitTopUpDispute",
                                             "cancelOrder",
                                             "cancelPayment",
                                             "cancelTopUp",
                                             "cancelTransfer",
                                             "checkout",
                                             "closeRestOfOrder",
                                             "createPaymentRequest",
                                             "createRefund",
                                             "createTopUp",
                                             "createTransfer",
                                             "createWithdrawal",
                                             "declineTransfer",
                                             "refundReturn",
                                             "retryPayout",
                                             "shipOrder",
                                             "submitDispute"};
  EXPECT_EQ(names, expected);
}

// ---- our own faults -----------------------------------------------------------------------------

TEST(IdempotencyOfFaults, DoesNotStoreAnAnswerThatWasOurFault) {
  House house;
  const auto shop = chat(house.server);
  auto buyer = shop.buyer.api;
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const auto& url = house.urls.superuser;
  execute(url, "ALTER TABLE bottega.entries RENAME TO entries_away");
  const auto broken = buyer.post(shop.path("/messages"), {{"text", "Hello"}}, key);
  execute(url, "ALTER TABLE bottega.entries_away RENAME TO entries");
  EXPECT_TRUE(is_problem(broken, 500, "internal"));
  EXPECT_EQ(broken.body.find("entries"), std::string::npos) << "says nothing of our inside";
  const auto again = buyer.post(shop.path("/messages"), {{"text", "Hello"}}, key);
  EXPECT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(again.header("idempotent-replayed"), "");
}

}  // namespace idempotency_test
}  // namespace bottega::test
