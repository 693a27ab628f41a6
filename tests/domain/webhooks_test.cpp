// News of a processor at the front door: how much of it is taken, and how much that pretends to be.
#include <gtest/gtest.h>

#include "domain/gateway.hpp"
#include "gateway/dispatch.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::test {
namespace webhooks_test {

class Webhooks : public testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void TearDown() override { world_->config = {}; }

  // The status that an event gets, signed with this.
  unsigned send(const Secret& secret, const std::string& processor = "sandbox") {
    const Json event = {{"id", "evt_" + std::to_string(++count_)},
                        {"operation", "charge"},
                        {"key", "att_of_nobody"},
                        {"verdict", "succeeded"},
                        {"reference", "sch_1"},
                        {"reason", ""},
                        {"action_url", ""}};
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
    return run(gateway::dispatch(gate_.app, std::move(request), std::nullopt)).status;
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

}  // namespace webhooks_test
}  // namespace bottega::test
