// Every pair of state and event of a return over HTTP: what the table has goes where it says, all
// else is 409 and changes nothing. Nobody lets one expire by hand, and what the bank sends back is
// its own news.
#include "http/story.hpp"
#include "bottega/returns/returns.hpp"

namespace bottega::test {
namespace returns_states_test {

using returns::Event, returns::State;

constexpr State kStates[] = {State::requested, State::approved, State::rejected, State::cancelled,
                             State::expired,   State::received, State::refunded};
constexpr Event kEvents[] = {Event::approve, Event::reject, Event::cancel, Event::receive,
                             Event::refund};

struct Shop {
  Client owner, buyer;
};

Answer act(Shop& shop, const std::string& path, Event on) {
  switch (on) {
    case Event::approve:
      return shop.owner.post(path + "/approve", {{"words", "Send it"}});
    case Event::reject:
      return shop.owner.post(path + "/reject", {{"words", "It is worn"}});
    case Event::cancel:
      return shop.buyer.post(path + "/cancel");
    case Event::receive:
      return shop.owner.post(path + "/receive", Json::object());
    case Event::refund:
    case Event::expire:
    case Event::come_back:
      break;
  }
  return shop.owner.post(path + "/refund", Json::object());
}

struct Pair {
  State state{};
  Event event{};
  std::string path, order;
};

void must(const Answer& answer) { EXPECT_EQ(answer.status, 200) << answer.body; }

// A return of an order of its own, as far as HTTP brings it; what is to expire is approved.
Pair prepared(const Storefront& front, Shop& shop, State state, Event event) {
  const auto order = sell(front);
  ship(front, order);
  Pair pair{state, event, "", "/v1/orders/" + order["id"].get<std::string>()};
  const auto made = shop.buyer.post(pair.order + "/returns", {{"reason", "damaged"}});
  EXPECT_EQ(made.status, 201) << made.body;
  pair.path = "/v1/returns/" + made.json()["id"].get<std::string>();
  if (state == State::requested) return pair;
  if (state == State::rejected || state == State::cancelled) {
    must(act(shop, pair.path, state == State::rejected ? Event::reject : Event::cancel));
    return pair;
  }
  must(act(shop, pair.path, Event::approve));
  if (state == State::approved || state == State::expired) return pair;
  must(act(shop, pair.path, Event::receive));
  if (state == State::refunded) must(shop.owner.post(pair.path + "/refund", {{"amount", 0}}));
  return pair;
}

void expect_the_table(Shop& shop, const Pair& pair) {
  const auto name = text_of(pair.event) + " on " + text_of(pair.state);
  const auto before = shop.owner.get(pair.path).json();
  const auto order = shop.owner.get(pair.order).json();
  ASSERT_EQ(before["state"], text_of(pair.state)) << name;
  const auto answer = act(shop, pair.path, pair.event);
  if (const auto next = returns::kLifecycle.next(pair.state, pair.event)) {
    EXPECT_EQ(answer.status, 200) << name << answer.body;
    EXPECT_TRUE(soon([&] { return shop.owner.get(pair.path).json()["state"] == text_of(*next); }))
        << name;
  } else {
    EXPECT_TRUE(is_problem(answer, 409, "conflict")) << name;
    EXPECT_EQ(shop.owner.get(pair.path).json(), before) << name;
    EXPECT_EQ(shop.owner.get(pair.order).json(), order) << name;
  }
}

TEST(ReturnsStates, EveryPairGoesWhereTheTableSaysOrIsAConflict) {
  const House house({"orders.return_within_days=1"});
  const auto front = test::shop(house.server);
  Shop shop{front.owner.api, front.buyer.api};
  std::vector<Pair> pairs, expired;
  for (const auto state : kStates)
    for (const auto event : kEvents)
      (state == State::expired ? expired : pairs).push_back(prepared(front, shop, state, event));
  for (const auto& pair : pairs) expect_the_table(shop, pair);
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 2 * 86'400}}).status, 200);
  shop = {log_in(house.server, front.owner.email).api, log_in(house.server, front.buyer.email).api};
  for (const auto& pair : expired) {
    ASSERT_TRUE(soon([&] { return shop.owner.get(pair.path).json()["state"] == "expired"; }));
    expect_the_table(shop, pair);
  }
}

// ---- the rest of the front door -----------------------------------------------------------------

class ReturnRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() { front_ = new Storefront(shop(Server::shared())); }
  static void TearDownTestSuite() {
    delete front_;
    front_ = nullptr;
  }
  // A return of an order that was sent, as the buyer has asked for it.
  static Json asked(const Json& more = Json::object()) {
    const auto order = sell(*front_, 5'000);
    ship(*front_, order);
    Json body = {{"reason", "wrong_item"}, {"note", "It is green"}};
    body.update(more);
    auto buyer = front_->buyer.api;
    const auto made = buyer.post("/v1/orders/" + order["id"].get<std::string>() + "/returns", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.json();
  }
  static std::string path_of(const Json& item) {
    return "/v1/returns/" + item["id"].get<std::string>();
  }

  static inline Storefront* front_ = nullptr;
};

TEST_F(ReturnRoutes, ListWhatIsOnesOwnAndWhatIsTheShops) {
  const auto item = asked();
  auto owner = front_->owner.api, buyer = front_->buyer.api;
  EXPECT_EQ(buyer.get("/v1/returns?limit=1").json()["data"][0], item);
  const auto shops = "/v1/returns?merchant_id=" + front_->merchant;
  EXPECT_EQ(owner.get(shops + "&state=requested&limit=1").json()["data"][0], item);
  EXPECT_TRUE(owner.get(shops + "&state=expired").json()["data"].empty());
  const auto of_order = "/v1/orders/" + item["order_id"].get<std::string>() + "/returns";
  for (auto* who : {&owner, &buyer}) EXPECT_EQ(who->get(of_order).json()["data"][0], item);
  EXPECT_TRUE(is_problem(buyer.get(shops), 404, "not_found"));
  EXPECT_TRUE(is_problem(buyer.get("/v1/returns?state=requested"), 422, "invalid"));
  EXPECT_TRUE(is_problem(owner.get(shops + "&state=lost"), 422, "invalid"));
}

TEST_F(ReturnRoutes, SayWhatIsWrongWithABody) {
  const auto item = asked();
  auto owner = front_->owner.api, buyer = front_->buyer.api;
  const auto refused = owner.post(path_of(item) + "/reject", Json::object());
  EXPECT_TRUE(is_problem(refused, 422, "invalid"));
  EXPECT_TRUE(points_at(refused.json(), "/words"));
  EXPECT_EQ(owner.post(path_of(item) + "/approve", Json::object()).status, 200);
  const Json lines = {{"lines", {{{"line", 0}, {"good", 2}, {"damaged", 0}}}}};
  const auto too_many = owner.post(path_of(item) + "/receive", lines);
  EXPECT_TRUE(is_problem(too_many, 422, "invalid"));
  EXPECT_TRUE(points_at(too_many.json(), "/lines/0/good"));
  EXPECT_EQ(owner.post(path_of(item) + "/receive", Json::object()).status, 200);
  const auto too_much = owner.post(path_of(item) + "/refund", {{"amount", 5'001}});
  EXPECT_TRUE(is_problem(too_much, 422, "invalid"));
  EXPECT_TRUE(points_at(too_much.json(), "/amount"));
  EXPECT_TRUE(is_problem(buyer.post(path_of(item) + "/refund", Json::object()), 403, "forbidden"));
}

TEST_F(ReturnRoutes, RefundOnceForOneKey) {
  const auto item = asked();
  auto owner = front_->owner.api;
  owner.post(path_of(item) + "/approve", Json::object());
  owner.post(path_of(item) + "/receive", Json::object());
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const auto first = owner.post(path_of(item) + "/refund", {{"amount", 4'000}}, key);
  ASSERT_EQ(first.status, 200) << first.body;
  const auto again = owner.post(path_of(item) + "/refund", {{"amount", 4'000}}, key);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_TRUE(soon([&] { return owner.get(path_of(item)).json()["state"] == "refunded"; }));
  const auto refund = owner.get("/v1/refunds/" + first.json()["refund_id"].get<std::string>());
  EXPECT_EQ(refund.json()["amount"]["amount"], 4'000);
}

TEST_F(ReturnRoutes, CancelAnOrderWithItsStockOrWithout) {
  auto owner = front_->owner.api;
  for (const auto& restock : {Json(true), Json(false), Json(nullptr)}) {
    const auto order = sell(*front_);
    const auto answer = owner.post("/v1/orders/" + order["id"].get<std::string>() + "/cancel",
                                   {{"reason", "sold out"}, {"restock", restock}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json()["state"], "cancelled");
  }
}

}  // namespace returns_states_test
}  // namespace bottega::test
