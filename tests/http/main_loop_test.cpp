// The whole sale as its people live it: over HTTP, over the socket and on the processor's own
// pages.
#include "http/story.hpp"

namespace bottega::test {
namespace main_loop_test {

constexpr const char* kDeclinedCard = "4000000000000002";
constexpr const char* kConfirmCard = "4000002500003155";
constexpr int kDay = 86'400;

// A server of its own: these tests move its clock.
class MainLoop : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"payments.call_timeout_ms=300", "sandbox.slow_ms=20"});
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static const Server& server() { return house->server; }

  // Time passes; everybody's access token is too old afterwards.
  static Client pass(std::int64_t seconds) {
    auto ops = staff(server());
    const auto moved = ops.post("/v1/admin/clock/advance", {{"advance_s", seconds}});
    EXPECT_EQ(moved.status, 200) << moved.body;
    return staff(server());
  }
  static Storefront again(const Storefront& before) {
    auto shop = before;
    shop.owner = log_in(server(), before.owner.email);
    shop.buyer = log_in(server(), before.buyer.email);
    return shop;
  }
  // Does what is due until the thing at the path is in this state.
  static bool becomes(const Client& who, const std::string& path, const std::string& state) {
    auto client = who;
    auto ops = staff(server());
    return soon([&] {
      ops.post("/v1/admin/jobs/run");
      return client.get(path).json().value("state", "") == state;
    });
  }
  static Json balance() { return staff(server()).get("/v1/admin/ledger/trial_balance").json(); }

  static House* house;
};
House* MainLoop::house = nullptr;

std::string id_of(const Json& thing) { return thing["id"]; }

TEST_F(MainLoop, GoesFromTheFirstQuestionToThePayoutAndTheBooksBalance) {
  const auto shop = test::shop(server());
  Socket buyer(server().port(), shop.buyer.api.token());
  Socket owner(server().port(), shop.owner.api.token());
  listen(owner);
  const auto asked = buyer.call("POST", shop.path("/messages"), {{"text", "Is it still there?"}});
  ASSERT_EQ(asked["status"], 201) << asked.dump();
  EXPECT_EQ(owner.event("message.created")["data"]["text"], "Is it still there?");
  ASSERT_EQ(send_text(shop, shop.owner.api, "It is.").status, 201);
  EXPECT_EQ(buyer.event("message.created")["data"]["text"], "Is it still there?");
  EXPECT_EQ(buyer.event("message.created")["data"]["text"], "It is.");
  const auto request = ask(shop, 10'000);
  EXPECT_EQ(request["total"], (Json{{"amount", 10'000}, {"currency", "USD"}}));
  EXPECT_EQ(buyer.event("payment_request.created")["data"]["payment_request"]["id"], request["id"]);
  const auto token = card_token(shop.sandbox_port, "4242424242424242");
  const auto paid =
      buyer.call("POST", "/v1/payment_requests/" + id_of(request) + "/accept", pay_with(token));
  ASSERT_EQ(paid["status"], 200) << paid.dump();
  EXPECT_EQ(paid["body"]["payment_request"]["state"], "paid");
  EXPECT_EQ(paid["body"]["payment"]["state"], "captured");
  const auto order = paid["body"]["order"];
  EXPECT_EQ(order["state"], "paid");
  EXPECT_EQ(owner.event("order.created")["data"]["order"]["id"], order["id"]);
  const auto shipped = ship(shop, order);
  ASSERT_EQ(shipped.status, 200) << shipped.body;
  EXPECT_EQ(buyer.event("order.shipped")["data"]["order"]["carrier"], "USPS");
  const auto payout = shipped.json()["payout"];
  EXPECT_EQ(payout["amount"]["amount"], 10'000 - 320);
  EXPECT_EQ(payout["fee"], 320);
  auto ops = staff(server());
  ops.post("/v1/admin/jobs/run");
  auto api = shop.owner.api;
  EXPECT_EQ(api.get("/v1/payouts/" + id_of(payout)).json()["state"], "scheduled");
  pass(7 * kDay);
  const auto later = again(shop);
  ASSERT_TRUE(becomes(later.owner.api, "/v1/payouts/" + id_of(payout), "paid"));
  const auto books = balance();
  EXPECT_TRUE(books["is_balanced"].get<bool>()) << books.dump();
  EXPECT_TRUE(books["faults"].empty()) << books.dump();
}

TEST_F(MainLoop, LeavesALogWithoutGapsThatBothSidesReadAlike) {
  const auto shop = test::shop(server());
  send_text(shop, shop.buyer.api, "One lamp, please");
  ASSERT_EQ(ship(shop, sell(shop)).status, 200);
  auto buyer = shop.buyer.api, owner = shop.owner.api;
  const auto log = buyer.get(shop.path("/messages?limit=100")).json()["data"];
  EXPECT_EQ(log, owner.get(shop.path("/messages?limit=100")).json()["data"]);
  std::vector<std::string> events;
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i]["seq"], i + 1);
    events.push_back(log[i]["event"]);
  }
  const std::vector<std::string> expected = {
      "message.created",      "payment_request.created", "payment_request.accepted",
      "payment_request.paid", "order.created",           "order.shipped"};
  EXPECT_EQ(events, expected);
}

TEST_F(MainLoop, OpensTheRequestAgainAfterADeclinedCardAndTheNextCardPays) {
  const auto shop = test::shop(server());
  const auto request = ask(shop);
  const auto declined = accept(shop, request, card_token(shop.sandbox_port, kDeclinedCard));
  EXPECT_TRUE(is_problem(declined, 402, "declined"));
  EXPECT_EQ(declined.json()["reason"], "card_declined");
  auto buyer = shop.buyer.api;
  const auto path = "/v1/payment_requests/" + id_of(request);
  EXPECT_EQ(buyer.get(path).json()["state"], "open");
  EXPECT_EQ(buyer.get(path).json()["reason"], "card_declined");
  const auto paid = accept(shop, request);
  EXPECT_EQ(paid.status, 200) << paid.body;
  EXPECT_EQ(buyer.get(path).json()["state"], "paid");
  EXPECT_TRUE(is_problem(accept(shop, request), 409, "conflict"));
}

TEST_F(MainLoop, WaitsForTheBuyersConfirmationOnTheProcessorsPage) {
  const auto shop = test::shop(server());
  Socket owner(server().port(), shop.owner.api.token());
  listen(owner);
  const auto waiting = accept(shop, ask(shop), card_token(shop.sandbox_port, kConfirmCard));
  ASSERT_EQ(waiting.status, 202) << waiting.body;
  const auto payment = waiting.json()["payment"];
  EXPECT_EQ(payment["state"], "requires_action");
  EXPECT_TRUE(waiting.json()["order"].is_null());
  const auto url = payment["action_url"].get<std::string>();
  const auto page = url.substr(url.find("/confirm/"));
  EXPECT_EQ(Client(shop.sandbox_port).get(page).status, 200);
  const auto path = "/v1/payments/" + id_of(payment);
  auto buyer = shop.buyer.api, seller = shop.owner.api;
  EXPECT_EQ(buyer.get(path).json()["action_url"], url);
  EXPECT_TRUE(seller.get(path).json()["action_url"].is_null()) << "the page is the buyer's alone";
  EXPECT_EQ(post_form(shop.sandbox_port, page, "answer=yes").status, 303);
  EXPECT_EQ(owner.event("order.created")["data"]["order"]["payment_id"], payment["id"]);
  EXPECT_EQ(buyer.get(path).json()["state"], "captured");
}

TEST_F(MainLoop, OpensTheRequestAgainWhenTheBuyerRefusesToConfirm) {
  const auto shop = test::shop(server());
  const auto request = ask(shop);
  const auto waiting = accept(shop, request, "tok_confirm");
  const auto url = waiting.json()["payment"]["action_url"].get<std::string>();
  post_form(shop.sandbox_port, url.substr(url.find("/confirm/")), "answer=no");
  EXPECT_TRUE(becomes(shop.buyer.api, "/v1/payment_requests/" + id_of(request), "open"));
  auto buyer = shop.buyer.api;
  EXPECT_EQ(buyer.get("/v1/orders").json()["data"], Json::array());
}

TEST_F(MainLoop, LetsTheBuyerGiveUpAPaymentThatWaits) {
  const auto shop = test::shop(server());
  const auto request = ask(shop);
  const auto payment = accept(shop, request, "tok_confirm").json()["payment"];
  auto buyer = shop.buyer.api, owner = shop.owner.api;
  const auto path = "/v1/payments/" + id_of(payment);
  EXPECT_TRUE(is_problem(owner.post(path + "/cancel"), 403, "forbidden"));
  const auto given_up = buyer.post(path + "/cancel");
  ASSERT_EQ(given_up.status, 200) << given_up.body;
  EXPECT_EQ(given_up.json()["state"], "voided");
  EXPECT_EQ(buyer.get("/v1/payment_requests/" + id_of(request)).json()["state"], "open");
  const auto url = payment["action_url"].get<std::string>();
  post_form(shop.sandbox_port, url.substr(url.find("/confirm/")), "answer=yes");
  staff(server()).post("/v1/admin/jobs/run");
  EXPECT_EQ(buyer.get(path).json()["state"], "voided") << "what was given up cannot be paid";
}

TEST_F(MainLoop, ChargesOnceWhenTheProcessorsAnswerIsLost) {
  const auto shop = test::shop(server());
  const auto open = accept(shop, ask(shop), "tok_answer_lost");
  // The processor's webhook may have come before we stopped waiting for its answer.
  ASSERT_TRUE(open.status == 202 || open.status == 200) << open.body;
  pass(120);
  const auto path = "/v1/payments/" + id_of(open.json()["payment"]);
  ASSERT_TRUE(becomes(shop.buyer.api, path, "captured"));
  auto buyer = shop.buyer.api;
  EXPECT_EQ(buyer.get("/v1/orders").json()["data"].size(), 1u);
  const auto reference = buyer.get(path).json()["reference"];
  int charges = 0;
  for (const auto& row : Client(shop.sandbox_port).get("/books").json())
    charges += row["reference"] == reference && row["state"] == "succeeded" ? 1 : 0;
  EXPECT_EQ(charges, 1);
}

TEST_F(MainLoop, OpensTheRequestAgainWhenTheProcessorNeverSawThePayment) {
  const auto shop = test::shop(server());
  const auto request = ask(shop);
  const auto open = accept(shop, request, "tok_no_answer");
  ASSERT_EQ(open.status, 202) << open.body;
  EXPECT_EQ(open.json()["payment"]["state"], "unknown");
  const auto path = "/v1/payment_requests/" + id_of(request);
  auto buyer = shop.buyer.api;
  EXPECT_EQ(buyer.get(path).json()["state"], "paying");
  EXPECT_TRUE(is_problem(accept(shop, request), 409, "conflict")) << "one attempt at a time";
  pass(120);
  ASSERT_TRUE(becomes(buyer, path, "open"));
  EXPECT_EQ(accept(shop, request).status, 200);
}

TEST_F(MainLoop, LetsTheBuyerDeclineAndNobodyElse) {
  const auto shop = test::shop(server());
  const auto path = "/v1/payment_requests/" + id_of(ask(shop));
  auto buyer = shop.buyer.api, owner = shop.owner.api;
  EXPECT_TRUE(is_problem(owner.post(path + "/decline", Json::object()), 403, "forbidden"));
  EXPECT_TRUE(is_problem(buyer.post(path + "/cancel", Json::object()), 403, "forbidden"));
  const auto declined = buyer.post(path + "/decline", {{"reason", "Too dear"}});
  ASSERT_EQ(declined.status, 200) << declined.body;
  EXPECT_EQ(declined.json()["state"], "declined");
  EXPECT_EQ(declined.json()["reason"], "Too dear");
  EXPECT_TRUE(is_problem(owner.post(path + "/cancel", Json::object()), 409, "conflict"));
}

TEST_F(MainLoop, KeepsAMerchantWhomTheProcessorRejectedFromAskingForMoney) {
  const auto shop = chat(server());
  auto owner = shop.owner.api;
  EXPECT_TRUE(is_problem(owner.post("/v1/payment_requests", new_request(shop)), 409, "conflict"));
  ASSERT_EQ(onboard(shop, "123450000").status, 303);
  const auto path = "/v1/merchants/" + shop.merchant;
  EXPECT_TRUE(soon([&] { return owner.get(path).json()["onboarding"] == "rejected"; }));
  EXPECT_TRUE(is_problem(owner.post("/v1/payment_requests", new_request(shop)), 409, "conflict"));
}

TEST_F(MainLoop, RefundsACancelledOrderInFull) {
  const auto shop = test::shop(server());
  const auto order = sell(shop);
  auto owner = shop.owner.api, buyer = shop.buyer.api;
  const auto path = "/v1/orders/" + id_of(order);
  const auto cancelled = owner.post(path + "/cancel", {{"reason", "Broken"}});
  ASSERT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(cancelled.json()["state"], "cancelled");
  const auto payment = "/v1/payments/" + order["payment_id"].get<std::string>();
  EXPECT_TRUE(becomes(buyer, payment, "refunded"));
  const auto refunds = buyer.get(payment + "/refunds").json()["data"];
  ASSERT_EQ(refunds.size(), 1u);
  EXPECT_EQ(refunds[0]["amount"], order["total"]);
  EXPECT_TRUE(is_problem(ship(shop, order), 409, "conflict"));
}

TEST_F(MainLoop, RefundsAnOrderThatWasNotSentWithinSevenDays) {
  const auto before = test::shop(server());
  const auto order = sell(before);
  pass(7 * kDay + 60);
  const auto shop = again(before);
  ASSERT_TRUE(becomes(shop.buyer.api, "/v1/orders/" + id_of(order), "cancelled"));
  EXPECT_TRUE(becomes(shop.buyer.api, "/v1/payments/" + order["payment_id"].get<std::string>(),
                      "refunded"));
}

TEST_F(MainLoop, DoesNotTakeMoneyForARequestThatHasExpired) {
  const auto before = test::shop(server());
  const auto request = ask(before);
  pass(kDay + 60);
  const auto shop = again(before);
  EXPECT_TRUE(is_problem(accept(shop, request), 409, "conflict"));
  EXPECT_TRUE(becomes(shop.buyer.api, "/v1/payment_requests/" + id_of(request), "expired"));
}

TEST_F(MainLoop, PaysOutNothingWhileOpsHoldIt) {
  const auto before = test::shop(server());
  const auto payout = ship(before, sell(before)).json()["payout"];
  const auto admin_path = "/v1/admin/payouts/" + id_of(payout);
  auto ops = staff(server());
  ASSERT_EQ(ops.post(admin_path + "/hold", {{"reason", "Looks odd"}}).json()["state"], "held");
  ops = pass(7 * kDay);
  ops.post("/v1/admin/jobs/run");
  auto shop = again(before);
  const auto path = "/v1/payouts/" + id_of(payout);
  EXPECT_EQ(shop.owner.api.get(path).json()["state"], "held");
  EXPECT_EQ(shop.owner.api.get(path).json()["reason"], "Looks odd");
  ASSERT_EQ(ops.post(admin_path + "/release", {{"reason", "All is well"}}).status, 200);
  EXPECT_TRUE(becomes(shop.owner.api, path, "paid"));
  const auto acts = ops.get("/v1/admin/audit_log?subject=" + id_of(payout)).json()["data"];
  ASSERT_EQ(acts.size(), 2u);
  EXPECT_EQ(acts[0]["action"], "payout.release");
  EXPECT_EQ(acts[1]["action"], "payout.hold");
  EXPECT_EQ(acts[1]["reason"], "Looks odd");
}

}  // namespace main_loop_test
}  // namespace bottega::test
