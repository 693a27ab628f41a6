// Every pair of state and event of an order. What is sent back is moved by its return, and that an
// order is complete is told by the clock.
#include "http/machines.hpp"
#include "bottega/orders/orders.hpp"

namespace bottega::test {
namespace machines_orders_test {

using orders::Event, orders::State;

constexpr std::int64_t kMonth = 31 * 24;  // hours

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// An order of two lamps, and the last return of it.
struct Sold {
  Thing thing;
  std::string returned;  // its path
};

bool is_of_return(Event on) { return on >= Event::receive_return; }

class Orders {
 public:
  Stage stage{{"orders.cancel_after_days=60", "orders.returnable_days=365",
               "orders.return_within_days=365"}};
  Walk<orders::kLifecycle> walk{[this] { stage.settle(); }};

  // What is to be complete is delivered, until a month has passed.
  Sold in(State state, Event on) {
    auto sold = sell_two();
    if (state == State::paid) return sold;
    if (state == State::cancelled) {
      must(owner().post(sold.thing.path + "/cancel", {{"reason", "sold out"}}));
      stage.settle();  // the refund is told as well
      return sold;
    }
    must(owner().post(sold.thing.path + "/ship", {{"carrier", "other"}}));
    const bool is_requested = state == State::return_requested;
    const bool is_delivered = state == State::delivered || state == State::completed ||
                              (is_requested && on == Event::resume_delivered);
    if (is_delivered) must(owner().post(sold.thing.path + "/deliver"));
    if (state == State::returned || (is_requested && on == Event::resume_returned)) receive(sold);
    if (is_requested) ask_back(sold);
    if (is_requested && on == Event::receive_return) approve(sold);
    if (state == State::shipped || state == State::delivered) reject_where_needed(sold, on);
    return sold;
  }

  Answer act(const Sold& sold, Event on) {
    const auto& path = sold.thing.path;
    switch (on) {
      case Event::ship_part:
        return owner().post(
            path + "/ship",
            {{"carrier", "other"}, {"lines", Json::array({{{"line", 0}, {"quantity", 1}}})}});
      case Event::ship:
        return owner().post(path + "/ship", {{"carrier", "other"}});
      case Event::deliver:
        return owner().post(path + "/deliver");
      case Event::cancel:
        return owner().post(path + "/cancel", {{"reason", "sold out"}});
      case Event::request_return:
        return buyer().post(path + "/returns", one_lamp());
      case Event::receive_return:
        return owner().post(sold.returned + "/receive", Json::object());
      case Event::complete:
      case Event::resume_shipped:
      case Event::resume_delivered:
      case Event::resume_completed:
      case Event::resume_returned:
        break;
    }
    return buyer().post(sold.returned + "/cancel");
  }

  // A return that the shop has rejected: the order is what it was, and the return has ended.
  void reject_where_needed(Sold& sold, Event on) {
    if (!is_of_return(on)) return;
    ask_back(sold);
    must(owner().post(sold.returned + "/reject", {{"words", "It is worn"}}));
  }

  void ask_back(Sold& sold) {
    const auto made = buyer().post(sold.thing.path + "/returns", one_lamp());
    must(made);
    sold.returned = "/v1/returns/" + made.json()["id"].get<std::string>();
  }

 private:
  Client& owner() { return stage.front.owner.api; }
  Client& buyer() { return stage.front.buyer.api; }

  static Json one_lamp() {
    return {{"reason", "damaged"}, {"lines", Json::array({{{"line", 0}, {"quantity", 1}}})}};
  }

  Sold sell_two() {
    auto wanted = new_request(stage.front, 1'000);
    wanted["lines"][0]["quantity"] = 2;
    const auto request = owner().post("/v1/payment_requests", wanted);
    must(request);
    const auto order = accept(stage.front, request.json()).json()["order"];
    return {{&stage.front.owner.api, "/v1/orders/" + order["id"].get<std::string>(),
             stage.conversation()},
            ""};
  }

  void approve(Sold& sold) { must(owner().post(sold.returned + "/approve", Json::object())); }

  void receive(Sold& sold) {
    ask_back(sold);
    approve(sold);
    must(owner().post(sold.returned + "/receive", Json::object()));
  }
};

// The events that come by a call: of a return by its own route, which refuses it.
void try_it(Orders& orders, State state, Event event, const Sold& sold) {
  orders.walk.tries(state, event, Asked::directly, sold.thing,
                    [&] { return orders.act(sold, event); });
}

// What was completed a month later, with what is tried on each of them; the last one is for a
// return of what was completed.
std::map<Event, Sold> try_the_completed(Orders& orders) {
  std::map<Event, Sold> done;
  for (const auto event : all_of<Event>()) done[event] = orders.in(State::completed, event);
  auto again = orders.in(State::completed, Event::resume_completed);
  orders.stage.advance(kMonth);
  orders.stage.settle();
  for (auto& [event, sold] : done) {
    orders.reject_where_needed(sold, event);
    if (event != Event::complete) try_it(orders, State::completed, event, sold);
  }
  orders.ask_back(again);
  try_it(orders, State::return_requested, Event::resume_completed, again);
  return done;
}

void try_completion(Orders& orders, const Sold& completed) {
  std::vector<Walk<orders::kLifecycle>::Try> timed;
  for (const auto state : all_of<State>()) {
    const auto sold = state == State::completed ? completed : orders.in(state, Event::complete);
    timed.push_back(orders.walk.begin(state, Event::complete, Asked::elsewhere, sold.thing));
  }
  orders.stage.advance(kMonth);
  Answer moved;
  moved.status = 200;
  for (const auto& one : timed) orders.walk.end(one, moved);
}

TEST(MachinesOfOrders, EveryPairOfAnOrder) {
  Orders orders;
  const auto completed = try_the_completed(orders);
  for (const auto state : all_of<State>())
    for (const auto event : all_of<Event>()) {
      const bool is_without = state == State::paid || state == State::cancelled;
      const bool is_done = state == State::return_requested && event == Event::resume_completed;
      if (event == Event::complete || state == State::completed || is_done) continue;
      if (is_without && is_of_return(event)) continue;
      try_it(orders, state, event, orders.in(state, event));
    }
  try_completion(orders, completed.at(Event::complete));
  orders.walk.leave_out({State::paid, State::cancelled},
                        {Event::receive_return, Event::resume_shipped, Event::resume_delivered,
                         Event::resume_completed, Event::resume_returned},
                        "there is no return of what was not sent");
  orders.walk.expect_whole();
}

}  // namespace machines_orders_test
}  // namespace bottega::test
