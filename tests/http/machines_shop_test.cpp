// Every pair of state and event of what the shop itself moves: products, reviews of the staff, and
// the status of a conversation in the inbox.
#include "http/machines.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::test {
namespace machines_shop_test {

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// ---- products -----------------------------------------------------------------------------------

Answer move_product(const Stage& stage, const Thing& product, const std::string& verb) {
  auto owner = stage.front.owner.api;
  const auto version = product.look()["version"].dump();
  return owner.post(product.path + '/' + verb, nullptr, {{"If-Match", '"' + version + '"'}});
}

Thing product_in(const Stage& stage, catalog::State state, const std::string& sku) {
  auto owner = stage.front.owner.api;
  const Json tea = {
      {"merchant_id", stage.front.merchant},
      {"title", "Green tea"},
      {"variants", {{{"sku", sku}, {"prices", {{{"currency", "USD"}, {"amount", 900}}}}}}}};
  const auto made = owner.post("/v1/products", tea);
  must(made);
  const Thing product{&stage.front.owner.api,
                      "/v1/products/" + made.json()["id"].get<std::string>(), ""};
  if (state == catalog::State::draft) return product;
  must(move_product(stage, product, "publish"));
  if (state == catalog::State::archived) must(move_product(stage, product, "archive"));
  return product;
}

TEST(MachinesOfAShop, EveryPairOfAProduct) {
  Stage stage;
  Walk<catalog::kLifecycle> walk([&] { stage.settle(); });
  for (const auto state : all_of<catalog::State>())
    for (const auto event : all_of<catalog::Event>()) {
      const auto product = product_in(stage, state, text_of(state) + '-' + text_of(event));
      walk.tries(state, event, Asked::directly, product,
                 [&] { return move_product(stage, product, text_of(event)); });
    }
  walk.expect_whole();
}

// ---- reviews ------------------------------------------------------------------------------------

Thing review_in(Stage& stage, risk::ReviewState state) {
  const auto order = sell(stage.front, 20'000);
  const auto open =
      stage.admin.get("/v1/admin/reviews?state=open&merchant_id=" + stage.front.merchant)
          .json()["data"];
  const Thing review{&stage.admin, "/v1/admin/reviews/" + open.at(0)["id"].get<std::string>(), ""};
  EXPECT_EQ(open.at(0)["order_id"], order["id"]);
  const Json why = {{"reason", "as it is"}};
  if (state == risk::ReviewState::approved) must(stage.admin.post(review.path + "/approve", why));
  if (state == risk::ReviewState::rejected) must(stage.admin.post(review.path + "/reject", why));
  return review;
}

TEST(MachinesOfAShop, EveryPairOfAReview) {
  Stage stage({"risk.review_amount=100"});
  Walk<risk::kReviewLifecycle> walk([&] { stage.settle(); });
  for (const auto state : all_of<risk::ReviewState>())
    for (const auto event : all_of<risk::ReviewEvent>()) {
      const auto review = review_in(stage, state);
      walk.tries(state, event, Asked::directly, review, [&] {
        return stage.admin.post(review.path + '/' + text_of(event), {{"reason", "once more"}});
      });
    }
  walk.expect_whole();
}

// ---- the inbox ----------------------------------------------------------------------------------

Answer set_status(const Thing& conversation, const std::string& verb) {
  auto owner = *conversation.who;
  const Instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const Json until = {{"until", text_of(Instant(now + std::chrono::hours(24)))}};
  const bool is_snooze = verb == "snooze";
  return owner.post(conversation.path + '/' + verb, is_snooze ? until : Json());
}

const std::map<conversations::Status, std::string> kVerbs = {
    {conversations::Status::open, "reopen"},
    {conversations::Status::pending, "park"},
    {conversations::Status::snoozed, "snooze"},
    {conversations::Status::closed, "close"}};

TEST(MachinesOfAShop, EveryPairOfAConversationsStatus) {
  Stage stage;
  Walk<conversations::kStatusLifecycle> walk([&] { stage.settle(); });
  const Thing conversation{&stage.front.owner.api, stage.conversation(), "", "/inbox/status"};
  for (const auto state : all_of<conversations::Status>())
    for (const auto event : all_of<conversations::StatusEvent>()) {
      must(set_status(conversation, "reopen"));
      must(set_status(conversation, kVerbs.at(state)));
      walk.tries(state, event, Asked::directly, conversation,
                 [&] { return set_status(conversation, text_of(event)); });
    }
  walk.expect_whole();
}

}  // namespace machines_shop_test
}  // namespace bottega::test
