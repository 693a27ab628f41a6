// What processors tell us: verified over the raw bytes, kept by their event id, answered at once.
#include "gateway/dispatch.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/attempts/attempts.hpp"

namespace bottega::gateway {
namespace {

processors::Event genuine_event(const Call& call, const std::string& processor) {
  auto& app = call.app;
  try {
    // A processor signs by the machine's time: the test clock does not move it.
    const auto now = app.clock.now() - app.clock.offset();
    return app.registry.get(processor).read_webhook(call.request.body, call.request.headers, now);
  } catch (...) {
    admit_forgery(app, call.who(), call.request.address);
    throw;
  }
}

asio::awaitable<Reply> webhook(Call& call) {
  auto& app = call.app;
  const auto name = std::string(call.segment(0));
  const auto event = genuine_event(call, name);
  admit_event(app, name);
  co_await app.db.transact([&](Tx& tx) { attempts::keep_event(tx, name, event); });
  app.poke_jobs();
  co_return no_content();
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/webhooks/processors/{processor}",
     .access = Access::anyone,
     .budget = Budget::events,
     .once = Once::none,
     .handler = webhook,
     .name = "receiveWebhook",
     .summary = "Signed events of a payment processor",
     .status = 204,
     .media_type = "*/*"},
};

}  // namespace

std::span<const Route> processor_routes() { return kRoutes; }

}  // namespace bottega::gateway
