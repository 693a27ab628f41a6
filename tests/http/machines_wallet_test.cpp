// Every pair of state and event of a top-up and of a transfer between people. A top-up is moved by
// the processor's news; its owner may give it up while it waits for them.
#include <future>

#include "http/machines.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::test {
namespace machines_wallet_test {

using wallet::TopUpEvent, wallet::TopUpState, wallet::TransferEvent, wallet::TransferState;

constexpr std::int64_t kLong = 31 * 24;  // hours, after which what nobody has answered goes back

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// ---- top-ups ------------------------------------------------------------------------------------

class TopUps {
 public:
  Stage stage{{"sandbox.slow_ms=8000", "payments.call_timeout_ms=20000"}};
  Walk<wallet::kTopUpLifecycle> walk{[this] { stage.settle(); }};

  Thing in(TopUpState state) {
    const bool is_slow = state == TopUpState::created || state == TopUpState::unknown;
    const auto* token = is_slow                                ? "tok_slow"
                        : state == TopUpState::requires_action ? "tok_confirm"
                        : state == TopUpState::failed          ? "tok_declined"
                                                               : "tok_approved";
    const auto last = newest();
    begun_.push_back(std::async(std::launch::async, [api = owner(), token]() mutable {
      return api.post(
          "/v1/wallet/top_ups",
          {{"amount", 1'000}, {"currency", "USD"}, {"payment_method", {{"token", token}}}});
    }));
    if (!is_slow) begun_.back().wait();
    EXPECT_TRUE(soon([&] { return newest() != last; }));
    const Thing top_up{&owner(), "/v1/wallet/top_ups/" + newest(), ""};
    if (state == TopUpState::unknown) {
      must(tell(top_up, TopUpEvent::lose));
      EXPECT_TRUE(soon([&] { return top_up.look()["state"] == "unknown"; }));
    }
    if (!is_slow) stage.settle();
    return top_up;
  }

  Answer tell(const Thing& top_up, TopUpEvent on) {
    static const std::map<TopUpEvent, std::string> verdicts = {
        {TopUpEvent::ask_owner, "buyer_action"},
        {TopUpEvent::succeed, "succeeded"},
        {TopUpEvent::fail, "declined"},
        {TopUpEvent::lose, "unknown"}};
    const auto key = stage.key_of(top_up.id());
    const auto* reason = on == TopUpEvent::fail ? "card_declined" : "";
    return stage.tell(news_of("charge", key, verdicts.at(on), reason));
  }

 private:
  Client& owner() { return stage.front.buyer.api; }
  std::string newest() {
    const auto all = owner().get("/v1/wallet/top_ups?limit=1").json()["data"];
    return all.empty() ? "" : all[0]["id"].get<std::string>();
  }

  std::vector<std::future<Answer>> begun_;
};

TEST(MachinesOfTheWallet, EveryPairOfATopUp) {
  TopUps top_ups;
  for (const auto state : all_of<TopUpState>())
    for (const auto event : all_of<TopUpEvent>()) {
      const auto top_up = top_ups.in(state);
      top_ups.walk.tries(state, event, Asked::elsewhere, top_up,
                         [&] { return top_ups.tell(top_up, event); });
    }
  top_ups.walk.expect_whole();
}

TEST(MachinesOfTheWallet, OnlyATopUpThatWaitsForItsOwnerIsGivenUp) {
  TopUps top_ups;
  for (const auto state : all_of<TopUpState>()) {
    if (state == TopUpState::requires_action) continue;
    const auto top_up = top_ups.in(state);
    auto owner = *top_up.who;
    const auto was = before(top_up);
    expect_conflict(was, owner.post(top_up.path + "/cancel"), "giving up " + text_of(state));
  }
}

// ---- transfers ----------------------------------------------------------------------------------

// A transfer of somebody who has nothing yet, so that their card pays for it.
struct Sent {
  std::shared_ptr<Person> sender;
  Thing thing;
  std::string key;
};

class Transfers {
 public:
  Stage stage;
  Walk<wallet::kTransferLifecycle> walk{[this] { stage.settle(); }};

  // What is to be returned is pending, until nobody has answered for long enough.
  Sent in(TransferState state) {
    auto sent = funding();
    if (state == TransferState::funding) return sent;
    must(act(sent, state == TransferState::failed ? TransferEvent::fail : TransferEvent::fund));
    stage.settle();
    if (state == TransferState::accepted) must(act(sent, TransferEvent::accept));
    if (state == TransferState::declined) must(act(sent, TransferEvent::decline));
    if (state == TransferState::cancelled) must(act(sent, TransferEvent::cancel));
    return sent;
  }

  Answer act(const Sent& sent, TransferEvent on) {
    auto& recipient = stage.front.owner.api;
    const auto& path = sent.thing.path;
    if (on == TransferEvent::fund) return stage.tell(news_of("charge", sent.key, "succeeded"));
    if (on == TransferEvent::fail)
      return stage.tell(news_of("charge", sent.key, "declined", "card_declined"));
    if (on == TransferEvent::cancel) return sent.sender->api.post(path + "/cancel");
    return recipient.post(path + '/' + text_of(on));
  }

  void try_calls_and_news(TransferState state, const std::map<TransferEvent, Sent>& prepared) {
    for (const auto& [event, sent] : prepared) {
      if (event == TransferEvent::expire) continue;
      const bool is_news = event == TransferEvent::fund || event == TransferEvent::fail;
      walk.tries(state, event, is_news ? Asked::elsewhere : Asked::directly, sent.thing,
                 [&, on = event, &one = sent] { return act(one, on); });
    }
  }

  void advance(const std::vector<Sent>& all) {
    stage.advance(kLong);
    for (const auto& sent : all) *sent.sender = log_in(stage.house.server, sent.sender->email);
    stage.settle();
  }

 private:
  Sent funding() {
    const auto sender = std::make_shared<Person>(person(stage.house.server, "Ada"));
    const auto card = sender->api.post("/v1/payment_methods", {{"token", "tok_confirm"}});
    must(card);
    const auto made =
        sender->api.post("/v1/transfers", {{"to", {{"account_id", stage.front.owner.id}}},
                                           {"amount", 100},
                                           {"currency", "USD"},
                                           {"payment_method", {{"id", card.json()["id"]}}}});
    EXPECT_EQ(made.status, 202) << made.body;
    const auto top_up = made.json()["top_up_id"].get<std::string>();
    return {sender,
            {&sender->api, "/v1/transfers/" + made.json()["id"].get<std::string>(), ""},
            stage.key_of(top_up)};
  }
};

// What has not been paid for is nothing that its recipient knows of.
bool is_unborn(TransferState state) {
  return state == TransferState::funding || state == TransferState::failed;
}

std::map<TransferEvent, Sent> one_for_each_event(Transfers& transfers, TransferState state) {
  std::map<TransferEvent, Sent> prepared;
  for (const auto event : all_of<TransferEvent>()) {
    const bool is_answer = event == TransferEvent::accept || event == TransferEvent::decline;
    if (is_unborn(state) && is_answer) continue;
    prepared[event] = transfers.in(state);
  }
  return prepared;
}

std::vector<Sent> all_in(const std::map<TransferEvent, Sent>& prepared) {
  std::vector<Sent> all;
  for (const auto& [event, sent] : prepared) all.push_back(sent);
  return all;
}

void try_to_expire(Transfers& transfers) {
  const auto returned = one_for_each_event(transfers, TransferState::pending);
  auto all = all_in(returned);
  std::vector<Walk<wallet::kTransferLifecycle>::Try> timed;
  for (const auto state : {TransferState::pending, TransferState::accepted, TransferState::declined,
                           TransferState::cancelled, TransferState::failed}) {
    all.push_back(transfers.in(state));
    timed.push_back(
        transfers.walk.begin(state, TransferEvent::expire, Asked::elsewhere, all.back().thing));
  }
  Answer moved;
  moved.status = 200;
  transfers.advance(all);
  for (const auto& one : timed) transfers.walk.end(one, moved);
  transfers.try_calls_and_news(TransferState::returned, returned);
  const auto again =
      transfers.walk.begin(TransferState::returned, TransferEvent::expire, Asked::elsewhere,
                           returned.at(TransferEvent::expire).thing);
  transfers.advance(all);
  transfers.walk.end(again, moved);
}

TEST(MachinesOfTheWallet, EveryPairOfATransfer) {
  Transfers transfers;
  for (const auto state : all_of<TransferState>())
    if (state != TransferState::returned)
      transfers.try_calls_and_news(state, one_for_each_event(transfers, state));
  try_to_expire(transfers);
  transfers.walk.leave_out({TransferState::funding, TransferState::failed},
                           {TransferEvent::accept, TransferEvent::decline},
                           "it is not there for its recipient: the answer is 404");
  transfers.walk.leave_out({TransferState::funding}, {TransferEvent::expire},
                           "a charge that nobody confirms has failed by then");
  transfers.walk.expect_whole();
}

TEST(MachinesOfTheWallet, ATransferThatIsNotPaidForIsNotThereForItsRecipient) {
  Transfers transfers;
  for (const auto state : {TransferState::funding, TransferState::failed})
    for (const auto event : {TransferEvent::accept, TransferEvent::decline}) {
      const auto sent = transfers.in(state);
      const auto was = before(sent.thing);
      EXPECT_TRUE(is_problem(transfers.act(sent, event), 404, "not_found"));
      expect_the_same(was, text_of(event) + " on " + text_of(state));
    }
}

}  // namespace machines_wallet_test
}  // namespace bottega::test
