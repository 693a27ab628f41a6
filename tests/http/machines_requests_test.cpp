// Every pair of state and event of a payment request. What becomes of a payment under way is told
// by the processor; that nobody answered in time is told by the clock.
#include "http/machines.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::test {
namespace machines_requests_test {

using payments::RequestEvent, payments::RequestState;

void must(const Answer& answer) { EXPECT_EQ(answer.status / 100, 2) << answer.body; }

// A request, and the key of the last payment that was tried for it.
struct Wanted {
  Thing thing;
  Json request;
  std::string key;
};

std::string payment_of(Stage& stage, const Json& request) {
  const auto all = stage.admin
                       .get("/v1/admin/payments?limit=100&merchant_id=" +
                            request["merchant_id"].get<std::string>())
                       .json()["data"];
  for (const auto& payment : all)
    if (payment["payment_request_id"] == request["id"]) return payment["id"];
  throw std::runtime_error("nobody has paid " + request.dump());
}

Answer ask_state(Stage& stage, const Thing& request, RequestEvent on) {
  auto &owner = stage.front.owner.api, &buyer = stage.front.buyer.api;
  if (on == RequestEvent::accept)
    return buyer.post(request.path + "/accept", pay_with("tok_confirm"));
  if (on == RequestEvent::decline) return buyer.post(request.path + "/decline", Json::object());
  return owner.post(request.path + "/cancel", Json::object());
}

// Each was tried to be paid by a card that was declined, so that there is something to hear about.
// What is to expire is open.
Wanted request_in(Stage& stage, RequestState state) {
  Wanted asked;
  asked.request = ask(stage.front);
  asked.thing = {&stage.front.owner.api,
                 "/v1/payment_requests/" + asked.request["id"].get<std::string>(),
                 stage.conversation()};
  EXPECT_EQ(accept(stage.front, asked.request, "tok_declined").status, 402);
  if (state == RequestState::paying) must(ask_state(stage, asked.thing, RequestEvent::accept));
  if (state == RequestState::paid) must(accept(stage.front, asked.request));
  if (state == RequestState::declined) must(ask_state(stage, asked.thing, RequestEvent::decline));
  if (state == RequestState::cancelled) must(ask_state(stage, asked.thing, RequestEvent::cancel));
  asked.key = stage.key_of(payment_of(stage, asked.request));
  stage.settle();
  return asked;
}

const std::map<RequestEvent, std::string> kNews = {{RequestEvent::pay, "succeeded"},
                                                   {RequestEvent::fail, "declined"}};

using Requests = Walk<payments::kRequestLifecycle>;

void try_all_but_expiry(Stage& stage, Requests& walk, RequestState state,
                        const std::map<RequestEvent, Wanted>& prepared) {
  for (const auto& [event, asked] : prepared) {
    if (event == RequestEvent::expire) continue;
    if (const auto news = kNews.find(event); news != kNews.end())
      walk.tries(state, event, Asked::elsewhere, asked.thing, [&, &one = asked] {
        return stage.tell(news_of("charge", one.key, news->second, "card_declined"));
      });
    else
      walk.tries(state, event, Asked::directly, asked.thing,
                 [&, on = event, &one = asked] { return ask_state(stage, one.thing, on); });
  }
}

std::map<RequestEvent, Wanted> one_for_each_event(Stage& stage, RequestState state) {
  std::map<RequestEvent, Wanted> prepared;
  for (const auto event : all_of<RequestEvent>()) prepared[event] = request_in(stage, state);
  return prepared;
}

TEST(MachinesOfRequests, EveryPairOfAPaymentRequest) {
  Stage stage;
  Requests walk([&] { stage.settle(); });
  for (const auto state : all_of<RequestState>())
    if (state != RequestState::expired)
      try_all_but_expiry(stage, walk, state, one_for_each_event(stage, state));
  const auto late = one_for_each_event(stage, RequestState::open);
  std::vector<Requests::Try> timed;
  for (const auto state :
       {RequestState::open, RequestState::paid, RequestState::declined, RequestState::cancelled})
    timed.push_back(
        walk.begin(state, RequestEvent::expire, Asked::elsewhere, request_in(stage, state).thing));
  Answer moved;
  moved.status = 200;
  stage.advance(48);
  for (const auto& one : timed) walk.end(one, moved);
  try_all_but_expiry(stage, walk, RequestState::expired, late);
  const auto& expired = late.at(RequestEvent::expire).thing;
  const auto again =
      walk.begin(RequestState::expired, RequestEvent::expire, Asked::elsewhere, expired);
  stage.advance(48);
  walk.end(again, moved);
  walk.leave_out({RequestState::paying}, {RequestEvent::expire},
                 "a payment that waits for its buyer is given up first, so that what expires is "
                 "open; one that waits for the processor is waited for");
  walk.expect_whole();
}

}  // namespace machines_requests_test
}  // namespace bottega::test
