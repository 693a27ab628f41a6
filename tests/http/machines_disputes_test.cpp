// Every pair of state and event of a dispute. The bank says how it stands, and nobody is there to
// refuse it: what it takes back of an end changes nothing. The shop answers only what is open.
#include "http/machines.hpp"
#include "bottega/disputes/disputes.hpp"

namespace bottega::test {
namespace machines_disputes_test {

using disputes::Event, disputes::State;

struct Disputed {
  Thing thing;
  Json news;
};

State told_by(Event on) {
  switch (on) {
    case Event::ask:
      return State::evidence_due;
    case Event::review:
      return State::under_review;
    case Event::win:
      return State::won;
    case Event::lose:
      break;
  }
  return State::lost;
}

Answer tell(Stage& stage, Json news, State state) {
  news["dispute"]["state"] = text_of(state);
  return stage.tell(news);
}

Disputed in(Stage& stage, State state) {
  const auto order = sell(stage.front, 5'000);
  auto news = news_of("dispute", stage.key_of(order["payment_id"]), "succeeded");
  const auto reference = "bank_" + new_key();
  news["dispute"] = {{"charge", news["key"]},
                     {"reference", reference},
                     {"amount", {{"amount", 500}, {"currency", "USD"}}},
                     {"reason", "product_not_received"},
                     {"state", "opened"},
                     {"evidence_due_at", nullptr}};
  EXPECT_EQ(stage.tell(news).status, 204);
  stage.settle();
  EXPECT_EQ(tell(stage, news, state).status, 204);
  stage.settle();
  const auto& owner = stage.front.owner.api;
  auto client = owner;
  const auto heard =
      client.get("/v1/disputes?limit=100&merchant_id=" + stage.front.merchant).json();
  for (const auto& one : heard["data"])
    if (one["reference"] == reference)
      return {{&owner, "/v1/disputes/" + one["id"].get<std::string>(), stage.conversation()}, news};
  throw std::runtime_error("the dispute was not heard of");
}

TEST(MachinesOfDisputes, EveryPairOfADispute) {
  Stage stage;
  Walk<disputes::kLifecycle> walk([&] { stage.settle(); });
  for (const auto state : all_of<State>())
    for (const auto event : all_of<Event>()) {
      const auto disputed = in(stage, state);
      walk.tries(state, event, Asked::elsewhere, disputed.thing,
                 [&] { return tell(stage, disputed.news, told_by(event)); });
    }
  walk.expect_whole();
}

TEST(MachinesOfDisputes, OnlyWhatIsOpenIsAnswered) {
  Stage stage;
  auto& owner = stage.front.owner.api;
  for (const auto state : {State::under_review, State::won, State::lost}) {
    const auto was = before(in(stage, state).thing);
    const auto& path = was.thing.path;
    const auto name = " on " + text_of(state);
    expect_conflict(was, owner.post(path + "/submit"), "submit" + name);
    expect_conflict(was, owner.post(path + "/accept"), "accept" + name);
    expect_conflict(was, owner.post(path + "/evidence", {{"text", "It was there"}}),
                    "evidence" + name);
  }
}

}  // namespace machines_disputes_test
}  // namespace bottega::test
