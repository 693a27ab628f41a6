// Every pair of state and event of a return over HTTP: what the table has goes where it says, all
// else is 409 and changes nothing, neither it nor its order. Nobody lets one expire by hand, and
// what the bank sends back is its own news.
#include "http/machines.hpp"
#include "bottega/returns/returns.hpp"

namespace bottega::test {
namespace returns_states_test {

using returns::Event, returns::State;

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

class Returns {
 public:
  Stage stage{{"orders.return_within_days=1"}};
  Walk<returns::kLifecycle> walk{[this] { stage.settle(); }};

  // A return of an order of its own; what is to expire is approved.
  Thing in(State state) {
    const auto order = sell(stage.front);
    must(ship(stage.front, order));
    const auto path = "/v1/orders/" + order["id"].get<std::string>();
    const auto made = buyer().post(path + "/returns", {{"reason", "damaged"}});
    must(made);
    const Thing item{&owner(), "/v1/returns/" + made.json()["id"].get<std::string>(),
                     stage.conversation(), "/state", path};
    if (state == State::requested) return item;
    if (state == State::rejected || state == State::cancelled) {
      must(act(item, state == State::rejected ? Event::reject : Event::cancel));
      return item;
    }
    must(act(item, Event::approve));
    if (state == State::approved || state == State::expired) return item;
    must(act(item, Event::receive));
    if (state == State::refunded) must(act(item, Event::refund));
    stage.settle();
    return item;
  }

  Answer act(const Thing& item, Event on) {
    switch (on) {
      case Event::approve:
        return owner().post(item.path + "/approve", {{"words", "Send it"}});
      case Event::reject:
        return owner().post(item.path + "/reject", {{"words", "It is worn"}});
      case Event::cancel:
        return buyer().post(item.path + "/cancel");
      case Event::receive:
        return owner().post(item.path + "/receive", Json::object());
      case Event::come_back:
        return stage.tell(news_of("refund", stage.key_of(item.look()["refund_id"]), "declined",
                                  "account_closed"));
      case Event::refund:
      case Event::expire:
        break;
    }
    return owner().post(item.path + "/refund", Json::object());
  }

  void try_calls(State state, const std::map<Event, Thing>& prepared) {
    for (const auto& [event, item] : prepared)
      if (event != Event::expire && event != Event::come_back)
        walk.tries(state, event, Asked::directly, item,
                   [&, on = event, &one = item] { return act(one, on); });
  }

 private:
  Client& owner() { return stage.front.owner.api; }
  Client& buyer() { return stage.front.buyer.api; }
};

std::map<Event, Thing> one_for_each_event(Returns& returns, State state) {
  std::map<Event, Thing> prepared;
  for (const auto event : all_of<Event>()) prepared[event] = returns.in(state);
  return prepared;
}

void try_to_expire(Returns& returns) {
  const auto expired = one_for_each_event(returns, State::expired);
  std::vector<Walk<returns::kLifecycle>::Try> timed;
  for (const auto state : all_of<State>())
    if (state != State::expired)
      timed.push_back(
          returns.walk.begin(state, Event::expire, Asked::elsewhere, returns.in(state)));
  Answer moved;
  moved.status = 200;
  returns.stage.advance(48);
  for (const auto& one : timed) returns.walk.end(one, moved);
  returns.try_calls(State::expired, expired);
  const auto again = returns.walk.begin(State::expired, Event::expire, Asked::elsewhere,
                                        expired.at(Event::expire));
  returns.stage.advance(48);
  returns.walk.end(again, moved);
}

TEST(ReturnsStates, EveryPairGoesWhereTheTableSaysOrIsAConflict) {
  Returns returns;
  for (const auto state : all_of<State>())
    if (state != State::expired) returns.try_calls(state, one_for_each_event(returns, state));
  const auto refunded = returns.in(State::refunded);
  returns.walk.tries(State::refunded, Event::come_back, Asked::elsewhere, refunded,
                     [&] { return returns.act(refunded, Event::come_back); });
  try_to_expire(returns);
  returns.walk.leave_out({State::requested, State::approved, State::rejected, State::cancelled,
                          State::expired, State::received},
                         {Event::come_back}, "nothing was refunded that could come back");
  returns.walk.expect_whole();
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
