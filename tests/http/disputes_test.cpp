// Disputes through the front door: opened at the bank, seen by managers, answered with evidence
// that anybody can verify.
#include <fstream>

#include "http/attachments.hpp"
#include "http/routes.hpp"
#include "http/story.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace disputes_test {

class DisputeRoutes : public testing::Test {
 protected:
  // A server of its own: its clock is moved.
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static std::string path_of(const Json& dispute) {
    return "/v1/disputes/" + dispute["id"].get<std::string>();
  }
  static bool becomes(const Json& dispute, const std::string& state) {
    auto owner = shop_->owner.api;
    return soon([&] { return owner.get(path_of(dispute)).json()["state"] == state; });
  }
  static Person member(const std::string& role) {
    auto owner = shop_->owner.api;
    const auto who = person(house_->server);
    const auto made = owner.post("/v1/merchants/" + shop_->merchant + "/invitations",
                                 {{"name", "Hal"}, {"role", role}});
    auto api = who.api;
    EXPECT_EQ(api.post("/v1/invitations/accept", {{"code", made.json()["code"]}}).status / 100, 2);
    return who;
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(DisputeRoutes, AreToldToBothSidesAndShownToManagersOnly) {
  const auto order = sell(*shop_, 5'000);
  const auto dispute = disputed(*shop_, order, 1'200);
  EXPECT_EQ(dispute["state"], "evidence_due");
  EXPECT_EQ(dispute["amount"], (Json{{"amount", 1'200}, {"currency", "USD"}}));
  EXPECT_EQ(dispute["reserved"], 1'200);
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  EXPECT_EQ(owner.get(path_of(dispute)).json()["id"], dispute["id"]);
  const auto payment = buyer.get("/v1/payments/" + std::string(order["payment_id"])).json();
  EXPECT_EQ(payment["disputed"], 1'200);
  EXPECT_EQ(payment["state"], "captured");
  const auto agent = member("agent").api, manager = member("manager").api;
  const auto list = "/v1/disputes?merchant_id=" + shop_->merchant;
  for (const auto& path : {path_of(dispute), path_of(dispute) + "/evidence", list}) {
    EXPECT_TRUE(is_problem(buyer.get(path), 404, "not_found")) << path;
    EXPECT_TRUE(is_problem(Client(agent).get(path), 403, "forbidden")) << path;
  }
  EXPECT_EQ(Client(manager).get(path_of(dispute)).status, 200);
  EXPECT_EQ(Client(manager).get(list).status, 200);
  EXPECT_TRUE(is_problem(owner.get("/v1/disputes"), 400, "malformed"));
  EXPECT_TRUE(is_problem(owner.get(list + "&state=nonsense"), 422, "invalid"));
  EXPECT_EQ(owner.get(list + "&state=won").json()["data"].size(), 0u);
  const auto log = buyer.get(shop_->path("/messages?after=0")).body;
  EXPECT_NE(log.find("dispute.opened"), std::string::npos);
  EXPECT_EQ(log.find("product_not_received"), std::string::npos) << "between merchant and bank";
}

TEST_F(DisputeRoutes, NameWhatIsWrongWithTheEvidence) {
  const auto dispute = disputed(*shop_, sell(*shop_, 5'000));
  auto owner = shop_->owner.api;
  const auto path = path_of(dispute) + "/evidence";
  const auto mine = uploaded(*shop_, shop_->owner.api, {"in no message"})["id"];
  const std::vector<std::pair<Json, std::string>> rows = {
      {{{"text", ""}}, "/text"},
      {{{"text", std::string(4'097, 'x')}}, "/text"},
      {{{"text", 5}}, "/text"},
      {{{"attachments", "att"}}, "/attachments"},
      {{{"attachments", Json::array({"not-an-id"})}}, "/attachments/0"},
      {{{"attachments", Json::array({mine})}}, "/attachments/0"},
      {{{"unknown", 1}}, "/unknown"}};
  for (const auto& [body, pointer] : rows) {
    const auto answer = owner.post(path, body);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << body.dump();
    EXPECT_TRUE(points_at(answer.json(), pointer)) << body.dump() << answer.body;
  }
  EXPECT_TRUE(is_problem(owner.get(path), 404, "not_found")) << "nothing was submitted";
}

TEST_F(DisputeRoutes, SendEvidenceThatOpensslVerifies) {
  const auto order = sell(*shop_, 5'000);
  const auto dispute = disputed(*shop_, order);
  auto owner = shop_->owner.api;
  const auto file = uploaded(*shop_, shop_->owner.api, {"signed for by Bea"});
  ASSERT_EQ(
      owner.post(shop_->path("/messages"), {{"attachments", Json::array({file["id"]})}}).status,
      201);
  const auto path = path_of(dispute);
  const auto added = owner.post(path + "/evidence", {{"text", "Bea signed for it."},
                                                     {"attachments", Json::array({file["id"]})}});
  ASSERT_EQ(added.status, 200) << added.body;
  const auto key = new_key();
  const auto first = owner.post(path + "/submit", nullptr, {{"Idempotency-Key", key}});
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json()["response"], "contest");
  EXPECT_EQ(owner.post(path + "/submit", nullptr, {{"Idempotency-Key", key}}).body, first.body);
  EXPECT_TRUE(is_problem(owner.post(path + "/accept"), 409, "conflict"));
  EXPECT_TRUE(becomes(dispute, "under_review"));
  const auto evidence = owner.get(path + "/evidence").json();
  const auto document = evidence["document"].get<std::string>();
  const auto files = Json::parse(document)["attachments"];
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0]["sha256"], sha256_hex("signed for by Bea"));

  const TempDir dir;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(dir.path() / name, std::ios::binary) << text;
  };
  write("key.pem", Client(house_->server.port()).get("/v1/evidence_key").json()["public_key"]);
  write("signature.hex", evidence["signature"]);
  const auto verify = [&](const std::string& text) {
    write("evidence.json", text);
    return run_program("cd " + dir.path().string() +
                       " && xxd -r -p signature.hex evidence.sig && openssl pkeyutl -verify -pubin "
                       "-inkey key.pem -rawin -in evidence.json -sigfile evidence.sig");
  };
  const auto fine = verify(document);
  EXPECT_EQ(fine.status, 0) << fine.output;
  auto changed = document;
  changed[document.size() / 2] = static_cast<char>(changed[document.size() / 2] ^ 1);
  EXPECT_NE(verify(changed).status, 0);
}

TEST_F(DisputeRoutes, AreLostWhenTheyAreAccepted) {
  const auto order = sell(*shop_, 5'000);
  const auto dispute = disputed(*shop_, order);
  auto owner = shop_->owner.api;
  const auto refunds = "/v1/payments/" + std::string(order["payment_id"]) + "/refunds";
  EXPECT_TRUE(
      is_problem(owner.post(refunds, {{"amount", 1}, {"reason", "Sorry"}}), 409, "conflict"));
  ASSERT_EQ(owner.post(path_of(dispute) + "/accept").status, 200);
  EXPECT_TRUE(becomes(dispute, "lost"));
  EXPECT_EQ(owner.get("/v1/orders/" + std::string(order["id"])).json()["state"], "cancelled");
}

TEST_F(DisputeRoutes, OfTheStaffAreWrittenDown) {
  const auto dispute = disputed(*shop_, sell(*shop_, 5'000));
  auto owner = shop_->owner.api;
  auto support = staff(house_->server, "support"), finance = staff(house_->server, "finance");
  const auto list = support.get("/v1/admin/disputes?state=evidence_due&limit=100").json()["data"];
  const bool found = std::any_of(list.begin(), list.end(),
                                 [&](const Json& one) { return one["id"] == dispute["id"]; });
  EXPECT_TRUE(found);
  const auto path = "/v1/admin" + path_of(dispute).substr(3) + "/evidence";
  EXPECT_TRUE(is_problem(support.get(path), 403, "forbidden"));
  EXPECT_TRUE(is_problem(finance.get(path), 404, "not_found")) << "nothing was submitted";
  ASSERT_EQ(owner.post(path_of(dispute) + "/submit").status, 200);
  EXPECT_EQ(finance.get(path).status, 200);
  const auto log = staff(house_->server)
                       .get("/v1/admin/audit_log?subject=" + std::string(dispute["id"]))
                       .json()["data"];
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0]["action"], "dispute.evidence");
}

TEST_F(DisputeRoutes, AboutATopUpAreTheStaffsAndShowInTheWallet) {
  auto ada = person(house_->server, "Ada").api;
  const auto charged = ada.post(
      "/v1/wallet/top_ups",
      {{"amount", 5'000}, {"currency", "USD"}, {"payment_method", {{"token", "tok_approved"}}}});
  ASSERT_EQ(charged.status, 201) << charged.body;
  Client bank(house_->server.sandbox_port());
  ASSERT_EQ(bank.post("/disputes", {{"charge", charged.json()["reference"]}}).status / 100, 2);
  auto support = staff(house_->server, "support"), finance = staff(house_->server, "finance");
  const auto me = ada.get("/v1/accounts/me").json()["id"].get<std::string>();
  const auto list = "/v1/admin/top_up_disputes?account_id=" + me;
  Json found;
  EXPECT_TRUE(soon([&] {
    found = support.get(list).json()["data"];
    return found.size() == 1 && found[0]["state"] == "evidence_due";
  }));
  const auto path = "/v1/admin/top_up_disputes/" + found.at(0)["id"].get<std::string>();
  const auto balance = ada.get("/v1/wallet").json()["balances"][0];
  EXPECT_EQ(balance["balance"], 0);
  EXPECT_EQ(balance["reserved"], 5'000);
  EXPECT_EQ(balance["owed"], 0);
  EXPECT_TRUE(is_problem(ada.get(path), 404, "not_found"));
  EXPECT_EQ(support.get(path).json()["reserved"], 5'000);
  EXPECT_TRUE(is_problem(support.post(path + "/accept"), 403, "forbidden"));
  EXPECT_TRUE(is_problem(finance.get(path + "/evidence"), 404, "not_found"));
  EXPECT_TRUE(points_at(finance.post(path + "/submit", {{"text", ""}}).json(), "/text"));
  const auto sent = finance.post(path + "/submit", {{"text", "It was spent."}});
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_EQ(sent.json()["response"], "contest");
  EXPECT_TRUE(is_problem(finance.post(path + "/accept"), 409, "conflict"));
  EXPECT_TRUE(soon([&] { return support.get(path).json()["state"] == "under_review"; }));
  EXPECT_EQ(finance.get(path + "/evidence").status, 200);
}

}  // namespace disputes_test
}  // namespace bottega::test
