// A transfer that a card pays for, while the rest of the balance goes elsewhere.
#include <future>

#include "http/story.hpp"

namespace bottega::test {
namespace wallet_charged_test {

Json gift(const Person& to, std::int64_t amount) {
  return {{"to", {{"account_id", to.id}}}, {"amount", amount}, {"currency", "USD"}};
}

TEST(WalletCharged, TransferThatWasNotSentSaysWhereTheMoneyIs) {
  House house({"sandbox.slow_ms=2000", "payments.call_timeout_ms=10000"});
  auto ada = person(house.server, "Ada"), ben = person(house.server, "Ben");
  const Json charge = {
      {"amount", 100}, {"currency", "USD"}, {"payment_method", {{"token", "tok_approved"}}}};
  ASSERT_EQ(ada.api.post("/v1/wallet/top_ups", charge).status, 201);
  const auto card = ada.api.post("/v1/payment_methods", {{"token", "tok_slow"}}).json()["id"];
  auto sending = std::async(std::launch::async, [&, api = ada.api]() mutable {
    auto body = gift(ben, 5'000);
    body["payment_method"] = {{"id", card}};
    return api.post("/v1/transfers", body);
  });
  ASSERT_TRUE(soon([&] { return ada.api.get("/v1/wallet/top_ups").json()["data"].size() == 2; }));
  ASSERT_EQ(ada.api.post("/v1/transfers", gift(ben, 100)).status, 201);
  const auto answer = sending.get();
  EXPECT_TRUE(is_problem(answer, 409, "conflict")) << answer.body;
  EXPECT_EQ(answer.json()["reason"], "charged_not_sent");
  EXPECT_NE(answer.body.find("49.00 USD"), answer.body.npos) << answer.body;
  const auto balance = ada.api.get("/v1/wallet").json()["balances"][0];
  EXPECT_EQ(balance["available"], 4'900);
}

}  // namespace wallet_charged_test
}  // namespace bottega::test
