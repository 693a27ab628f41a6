// Every pair of state and event of a case over HTTP: what the table has goes where it says, all
// else is 409 and changes nothing. Nobody closes a case by hand.
#include "http/story.hpp"
#include "bottega/support/support.hpp"

namespace bottega::test {
namespace support_states_test {

using support::Event, support::State;

constexpr State kStates[] = {State::open, State::pending, State::solved, State::closed};
constexpr Event kEvents[] = {Event::ask,     Event::answer, Event::hand_over,
                             Event::arrange, Event::solve,  Event::rate};

struct Shop {
  Client owner, buyer;
};

Answer act(Shop& shop, const std::string& path, Event on) {
  switch (on) {
    case Event::ask:
      return shop.buyer.post(path + "/reply", {{"text", "And now?"}});
    case Event::answer:
      return shop.owner.post(path + "/reply", {{"text", "Wait"}});
    case Event::hand_over:
      return shop.owner.post(path + "/hand_over", Json::object());
    case Event::arrange:
      return shop.owner.post(path + "/priority", {{"priority", "high"}});
    case Event::solve:
      return shop.owner.post(path + "/solve");
    case Event::rate:
    case Event::close:
      break;
  }
  return shop.buyer.post(path + "/rate", {{"rating", 3}});
}

struct Pair {
  State state{};
  Event event{};
  std::string path;
};

// A case about an order of its own, as far as HTTP brings it.
Pair prepared(const Storefront& front, Shop& shop, State state, Event event) {
  const Json asked = {
      {"subject", "damaged"}, {"text", "It is broken"}, {"order_id", sell(front)["id"]}};
  const auto made = shop.buyer.post("/v1/support_cases", asked);
  EXPECT_EQ(made.status, 201) << made.body;
  Pair pair{state, event, "/v1/support_cases/" + made.json()["id"].get<std::string>()};
  if (state == State::pending) act(shop, pair.path, Event::answer);
  if (state >= State::solved) act(shop, pair.path, Event::solve);
  return pair;
}

void expect_the_table(Shop& shop, const Pair& pair) {
  const auto name = text_of(pair.event) + " on " + text_of(pair.state);
  const auto before = shop.owner.get(pair.path).json();
  ASSERT_EQ(before["state"], text_of(pair.state)) << name;
  const auto answer = act(shop, pair.path, pair.event);
  const auto after = shop.owner.get(pair.path).json();
  if (const auto next = support::kLifecycle.next(pair.state, pair.event)) {
    EXPECT_EQ(answer.status, 200) << name << answer.body;
    EXPECT_EQ(after["state"], text_of(*next)) << name;
  } else {
    EXPECT_TRUE(is_problem(answer, 409, "conflict")) << name;
    EXPECT_EQ(after, before) << name;
  }
}

TEST(SupportStates, EveryPairGoesWhereTheTableSaysOrIsAConflict) {
  const House house({"support.close_after_days=1"});
  const auto front = test::shop(house.server);
  Shop shop{front.owner.api, front.buyer.api};
  std::vector<Pair> pairs, closed;
  for (const auto state : kStates)
    for (const auto event : kEvents)
      (state == State::closed ? closed : pairs).push_back(prepared(front, shop, state, event));
  for (const auto& pair : pairs) expect_the_table(shop, pair);
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 2 * 86'400}}).status, 200);
  shop = {log_in(house.server, front.owner.email).api, log_in(house.server, front.buyer.email).api};
  for (const auto& pair : closed) {
    ASSERT_TRUE(soon([&] { return shop.owner.get(pair.path).json()["state"] == "closed"; }));
    expect_the_table(shop, pair);
  }
}

}  // namespace support_states_test
}  // namespace bottega::test
