// What processors tell us: verified over the raw bytes, kept by their event id, answered at once.
#include "gateway/routes/processors.hpp"

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

struct Hearing : GroupCommit::Part {
  attempts::Heard heard;
  attempts::Seen seen{};
};

asio::awaitable<Reply> webhook(Call& call) {
  auto& app = call.app;
  const auto name = std::string(call.segment(0));
  auto part = std::make_shared<Hearing>();
  part->heard = {name, genuine_event(call, name)};
  admit_event(app, name);
  const auto reply = co_await app.events.write(part);
  auto seen = part->seen;
  if (!reply)
    seen = co_await app.db.transact(
        [&](Tx& tx) { return attempts::keep_event(tx, name, part->heard.event); });
  if (seen == attempts::Seen::first) app.poke_jobs();
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

GroupCommit::Write event_writer() {
  return [](Tx& tx, std::span<GroupCommit::Part* const> parts) {
    std::vector<attempts::Heard> heard;
    for (const auto* part : parts) heard.push_back(static_cast<const Hearing&>(*part).heard);
    const auto seen = attempts::keep_events(tx, heard);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      static_cast<Hearing&>(*parts[i]).seen = seen[i];
      parts[i]->reply = no_content();
    }
  };
}

std::span<const Route> processor_routes() { return kRoutes; }

}  // namespace bottega::gateway
