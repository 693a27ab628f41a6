// Every pair of state and event of a case over HTTP: what the table has goes where it says, all
// else is 409 and changes nothing. Nobody closes a case by hand.
#include "http/machines.hpp"
#include "bottega/support/support.hpp"

namespace bottega::test {
namespace support_states_test {

using support::Event, support::State;

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

class Cases {
 public:
  Stage stage{{"support.close_after_days=1"}};
  Walk<support::kLifecycle> walk{[this] { stage.settle(); }};

  // A case about an order of its own; what is to be closed is solved.
  Thing in(State state) {
    const Json asked = {
        {"subject", "damaged"}, {"text", "It is broken"}, {"order_id", sell(stage.front)["id"]}};
    const auto made = buyer().post("/v1/support_cases", asked);
    must(made);
    const Thing item{&owner(), "/v1/support_cases/" + made.json()["id"].get<std::string>(),
                     stage.conversation()};
    if (state == State::pending) must(act(item, Event::answer));
    if (state >= State::solved) must(act(item, Event::solve));
    return item;
  }

  Answer act(const Thing& item, Event on) {
    switch (on) {
      case Event::ask:
        return buyer().post(item.path + "/reply", {{"text", "And now?"}});
      case Event::answer:
        return owner().post(item.path + "/reply", {{"text", "Wait"}});
      case Event::hand_over:
        return owner().post(item.path + "/hand_over", Json::object());
      case Event::arrange:
        return owner().post(item.path + "/priority", {{"priority", "high"}});
      case Event::solve:
        return owner().post(item.path + "/solve");
      case Event::rate:
      case Event::close:
        break;
    }
    return buyer().post(item.path + "/rate", {{"rating", 3}});
  }

  void try_calls(State state, const std::map<Event, Thing>& prepared) {
    for (const auto& [event, item] : prepared)
      if (event != Event::close)
        walk.tries(state, event, Asked::directly, item,
                   [&, on = event, &one = item] { return act(one, on); });
  }

 private:
  Client& owner() { return stage.front.owner.api; }
  Client& buyer() { return stage.front.buyer.api; }
};

std::map<Event, Thing> one_for_each_event(Cases& cases, State state) {
  std::map<Event, Thing> prepared;
  for (const auto event : all_of<Event>()) prepared[event] = cases.in(state);
  return prepared;
}

TEST(SupportStates, EveryPairGoesWhereTheTableSaysOrIsAConflict) {
  Cases cases;
  for (const auto state : {State::open, State::pending, State::solved})
    cases.try_calls(state, one_for_each_event(cases, state));
  const auto closed = one_for_each_event(cases, State::closed);
  std::vector<Walk<support::kLifecycle>::Try> timed;
  for (const auto state : {State::open, State::pending, State::solved})
    timed.push_back(cases.walk.begin(state, Event::close, Asked::elsewhere, cases.in(state)));
  Answer moved;
  moved.status = 200;
  cases.stage.advance(48);
  for (const auto& [event, item] : closed)
    EXPECT_TRUE(soon([&, &one = item] { return one.look()["state"] == "closed"; }));
  for (const auto& one : timed) cases.walk.end(one, moved);
  cases.try_calls(State::closed, closed);
  const auto again =
      cases.walk.begin(State::closed, Event::close, Asked::elsewhere, closed.at(Event::close));
  cases.stage.advance(48);
  cases.walk.end(again, moved);
  cases.walk.expect_whole();
}

}  // namespace support_states_test
}  // namespace bottega::test
