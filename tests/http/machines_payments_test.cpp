// Every pair of state and event of a payment. Most of its events are news of the processor, which
// nobody is there to refuse: news that cannot be changes nothing. What the shop and the buyer ask
// for is refused to them.
#include <future>

#include "http/machines.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::test {
namespace machines_payments_test {

using payments::Event, payments::State;

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// A payment, the key of its charge, and what was refunded last.
struct Paid {
  Thing thing;
  std::string id, key, refund;
};

class Payments {
 public:
  Walk<payments::kLifecycle> walk{[this] { stage.settle(); }};

  Paid in(State state, Event on) {
    if (state == State::created || state == State::unknown) return waiting_in(state);
    const auto request = ask(stage.front, 5'000);
    const auto* token = state == State::failed ? "tok_declined"
                        : state == State::requires_action || state == State::voided
                            ? "tok_confirm"
                            : "tok_approved";
    const auto answer = accept(stage.front, request, token);
    auto paid = of(request);
    if (state == State::voided) must(buyer().post(paid.thing.path + "/cancel"));
    if (state == State::partially_refunded || state == State::refunded)
      refund_into(paid, answer.json()["order"], state, on);
    stage.settle();
    return paid;
  }

  Answer act(const Paid& paid, Event on) {
    switch (on) {
      case Event::ask_buyer:
        return stage.tell(news_of("charge", paid.key, "buyer_action"));
      case Event::capture:
      case Event::capture_late:
        return stage.tell(news_of("charge", paid.key, "succeeded"));
      case Event::fail:
        return stage.tell(news_of("charge", paid.key, "declined", "card_declined"));
      case Event::cancel:
        return stage.tell(news_of("charge", paid.key, "declined", "cancelled"));
      case Event::refund_part:
        return give_back(paid, 200);
      case Event::refund_rest:
        return give_back(paid, std::nullopt);
      case Event::return_part:
      case Event::return_rest:
        return stage.tell(
            news_of("refund", stage.key_of(paid.refund), "declined", "account_closed"));
      case Event::authorize:
      case Event::lose:
        break;
    }
    return stage.tell(news_of("charge", paid.key, "unknown"));
  }

  // Only what waits for its buyer is given up by them.
  void expect_no_giving_up(const Paid& paid, const std::string& name) {
    expect_conflict(before(paid.thing), buyer().post(paid.thing.path + "/cancel"), name);
  }

  Stage stage{{"sandbox.slow_ms=8000", "payments.call_timeout_ms=20000"}};

 private:
  Client& buyer() { return stage.front.buyer.api; }

  Answer give_back(const Paid& paid, std::optional<std::int64_t> amount) {
    Json body = {{"reason", "a scratch"}};
    if (amount) body["amount"] = *amount;
    return stage.front.owner.api.post(paid.thing.path + "/refunds", body);
  }

  // What is to come back in part was refunded twice.
  void refund_into(Paid& paid, const Json& order, State state, Event on) {
    must(ship(stage.front, order));
    std::vector<std::optional<std::int64_t>> amounts;
    if (on == Event::return_part) amounts.push_back(100);
    amounts.push_back(state == State::refunded ? std::nullopt : std::optional<std::int64_t>(200));
    for (const auto& amount : amounts) {
      const auto made = give_back(paid, amount);
      must(made);
      paid.refund = made.json()["id"];
      stage.settle();
    }
  }

  // The payment of a request, also where the call to the processor is still under way.
  Paid of(const Json& request) {
    Paid paid;
    const auto list =
        "/v1/admin/payments?limit=100&merchant_id=" + request["merchant_id"].get<std::string>();
    const bool is_there = soon([&] {
      const auto found = stage.admin.get(list).json();
      for (const auto& payment : found["data"])
        if (payment["payment_request_id"] == request["id"]) paid.id = payment["id"];
      return !paid.id.empty();
    });
    if (!is_there) throw std::runtime_error("nobody has paid " + request.dump());
    paid.thing = {&stage.front.owner.api, "/v1/payments/" + paid.id, stage.conversation()};
    paid.key = stage.key_of(paid.id);
    return paid;
  }

  // By a card that takes its time: the call is under way for as long as that.
  Paid waiting_in(State state) {
    const auto request = ask(stage.front, 5'000);
    slow_.push_back(std::async(std::launch::async, [front = stage.front, request] {
      return accept(front, request, "tok_slow");
    }));
    auto paid = of(request);
    if (state == State::created) return paid;
    must(act(paid, Event::lose));
    EXPECT_TRUE(soon([&] { return paid.thing.look()["state"] == "unknown"; }));
    return paid;
  }

  std::vector<std::future<Answer>> slow_;
};

bool is_given_up(State state) { return state == State::failed || state == State::voided; }

bool has_refund(State state) {
  return state == State::partially_refunded || state == State::refunded;
}

bool comes(State state, Event on) {
  if (on == Event::authorize) return false;
  if (on == Event::capture) return !is_given_up(state);
  if (on == Event::capture_late) return is_given_up(state);
  if (on == Event::return_part || on == Event::return_rest) return has_refund(state);
  return true;
}

void name_what_cannot_be_tried(Walk<payments::kLifecycle>& walk) {
  walk.leave_out({State::authorized}, {}, "no processor answers with an authorization yet");
  for (const auto state : all_of<State>()) {
    if (state == State::authorized) continue;
    walk.leave_out({state}, {Event::authorize}, "no processor says so yet");
    if (is_given_up(state))
      walk.leave_out({state}, {Event::capture}, "after it was given up it is captured late");
    else
      walk.leave_out({state}, {Event::capture_late}, "what was not given up is not late");
    if (!has_refund(state))
      walk.leave_out({state}, {Event::return_part, Event::return_rest},
                     "nothing was refunded that could come back");
  }
}

TEST(MachinesOfPayments, EveryPairOfAPayment) {
  Payments payments;
  for (const auto state : all_of<State>())
    for (const auto event : all_of<Event>()) {
      if (state == State::authorized || !comes(state, event)) continue;
      const auto paid = payments.in(state, event);
      const bool is_call = event == Event::refund_part || event == Event::refund_rest;
      std::vector<Event> then;
      if (event == Event::capture_late) then.push_back(Event::refund_rest);
      payments.walk.tries(
          state, event, is_call ? Asked::directly : Asked::elsewhere, paid.thing,
          [&] { return payments.act(paid, event); }, then);
    }
  name_what_cannot_be_tried(payments.walk);
  payments.walk.expect_whole();
}

TEST(MachinesOfPayments, OnlyWhatWaitsForItsBuyerIsGivenUp) {
  Payments payments;
  for (const auto state : all_of<State>())
    if (state != State::authorized && state != State::requires_action)
      payments.expect_no_giving_up(payments.in(state, Event::cancel),
                                   "giving up " + text_of(state));
}

}  // namespace machines_payments_test
}  // namespace bottega::test
