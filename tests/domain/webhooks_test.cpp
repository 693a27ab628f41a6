// News of a processor at the front door: how much of it is taken, and how much that pretends to be.
#include <gtest/gtest.h>

#include "domain/gateway.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/attempts/attempts.hpp"

namespace bottega::test {
namespace webhooks_test {

class Webhooks : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void TearDown() override { world_->config = {}; }

  static Json an_event() {
    return {{"id", "evt_" + std::to_string(++count_)},
            {"operation", "charge"},
            {"key", "att_of_nobody"},
            {"verdict", "succeeded"},
            {"reference", "sch_1"},
            {"reason", ""},
            {"action_url", ""}};
  }
  // An event as it comes, signed with this.
  static gateway::Request request_of(const Json& event, const Secret& secret,
                                     const std::string& processor = "sandbox") {
    const auto now = world_->clock.now() - world_->clock.offset();
    const auto now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    gateway::Request request;
    request.verb = gateway::Verb::post;
    request.path = "/v1/webhooks/processors/" + processor;
    request.body = event.dump();
    request.media_type = "application/json";
    request.headers = {
        {"bottega-sandbox-signature", processors::sign_webhook(secret, request.body, now_s)}};
    request.address = "192.0.2.1";
    request.request_id = "req_test";
    return request;
  }
  // The status that an event gets.
  unsigned send(const Secret& secret, const std::string& processor = "sandbox") {
    auto request = request_of(an_event(), secret, processor);
    return run(gateway::dispatch(gate_.app, std::move(request), std::nullopt)).status;
  }
  // The statuses of all of them, at once.
  std::vector<unsigned> send(const std::vector<Json>& events) {
    Context io;
    std::vector<std::future<gateway::Reply>> waiting;
    for (const auto& event : events) {
      auto request = request_of(event, world_->sandbox.options().webhook_secret);
      waiting.push_back(asio::co_spawn(
          *io, gateway::dispatch(gate_.app, std::move(request), std::nullopt), asio::use_future));
    }
    io->run();
    std::vector<unsigned> statuses;
    for (auto& each : waiting) statuses.push_back(each.get().status);
    return statuses;
  }
  static std::string count(const std::string& what) {
    return execute(world_->urls.superuser, "SELECT count(*) FROM bottega." + what);
  }
  unsigned genuine() { return send(world_->sandbox.options().webhook_secret); }
  unsigned forged() { return send(Secret("another secret")); }

  static inline std::unique_ptr<World> world_;
  static inline int count_ = 0;
  Gate gate_{*world_, gateway::all_routes()};
};

TEST_F(Webhooks, ThatAreGenuineAreNotCountedAsAnybodysWrites) {
  world_->config.limits_writes_per_minute = 3;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(genuine(), 204u);
}

TEST_F(Webhooks, ThatAreForgedAreCountedAndTakeNothingFromTheGenuine) {
  world_->config.limits_writes_per_minute = 3;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(forged(), 403u);
  EXPECT_EQ(send(Secret("x"), "nobody"), 404u) << "nor may anybody look for processors";
  EXPECT_EQ(forged(), 429u);
  EXPECT_EQ(send(Secret("x"), "nobody"), 429u);
  EXPECT_EQ(genuine(), 204u) << "from the same address";
}

TEST_F(Webhooks, OfOneProcessorHaveALimitOfTheirOwn) {
  world_->config.limits_events_per_minute = 2;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(forged(), 403u);
  EXPECT_EQ(genuine(), 204u);
  EXPECT_EQ(genuine(), 204u);
  EXPECT_EQ(genuine(), 429u);
}

TEST_F(Webhooks, ThatComeAtOnceAreKeptOnceEachWhenTheyAreAnswered) {
  std::vector<Json> events;
  for (int i = 0; i < 40; ++i) events.push_back(an_event());
  auto all = events;
  all.insert(all.end(), events.begin(), events.end());
  const auto kept = count("processor_events"), jobs = count("jobs");
  EXPECT_EQ(send(all), std::vector<unsigned>(80, 204u));
  EXPECT_EQ(std::stoi(count("processor_events")) - std::stoi(kept), 40);
  EXPECT_EQ(std::stoi(count("jobs")) - std::stoi(jobs), 40);
  EXPECT_EQ(send(events), std::vector<unsigned>(40, 204u));
  EXPECT_EQ(std::stoi(count("processor_events")) - std::stoi(kept), 40);
  EXPECT_EQ(std::stoi(count("jobs")) - std::stoi(jobs), 40);
}

TEST_F(Webhooks, ThatSayWhatIsKnownAreNoWork) {
  const auto shop = world_->shop();
  std::vector<Json> events;
  for (int i = 0; i < 5; ++i) {
    const auto payment = world_->pay(shop, world_->ask(shop)).payment;
    const auto attempt = world_->transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, shop.merchant, payment.id.uuid, {}); });
    auto event = an_event();
    event["key"] = attempt.key();
    event["reference"] = attempt.reference.value();
    events.push_back(event);
  }
  const auto jobs = count("jobs");
  int pokes = 0;
  gate_.app.poke_jobs = [&] { ++pokes; };
  EXPECT_EQ(send(events), std::vector<unsigned>(5, 204u));
  EXPECT_EQ(count("jobs"), jobs);
  EXPECT_EQ(pokes, 0);
  EXPECT_EQ(genuine(), 204u);
  EXPECT_EQ(pokes, 1);
}

// One that the database cannot take does not take the others with it.
TEST_F(Webhooks, ThatCannotBeKeptSpareTheOthers) {
  std::vector<Json> events = {an_event(), an_event(), an_event(), an_event()};
  events[2]["operation"] = "dispute";
  const processors::DisputeNews dispute{"att_of_nobody",
                                        "sdp_1",
                                        {1, parse_currency("USD")},
                                        std::string("x\0y", 3),
                                        processors::DisputeState::opened,
                                        std::nullopt};
  events[2]["dispute"] = to_json(dispute);
  const auto kept = count("processor_events");
  const auto statuses = send(events);
  for (const auto at : {0u, 1u, 3u}) EXPECT_EQ(statuses[at], 204u) << at;
  EXPECT_GE(statuses[2], 400u);
  EXPECT_EQ(std::stoi(count("processor_events")) - std::stoi(kept), 3);
}

}  // namespace webhooks_test
}  // namespace bottega::test
