// The sandbox's news: queued in the transaction that made it, signed, and sent until it is taken.
#include "processors/http_post.hpp"
#include "processors/sandbox_rows.hpp"
#include "bottega/core/log.hpp"

namespace bottega::processors {
namespace {

constexpr std::int64_t kBatch = 32;
constexpr auto kPostTimeout = std::chrono::seconds(20);

struct Due {
  std::string id, body;
  std::int64_t tries = 0;
};
BOOST_DESCRIBE_STRUCT(Due, (), (id, body, tries))

const Sql<void(std::string, std::string)> kQueue{"sandbox.queue_event", R"(
    INSERT INTO events (id, body, next_at) VALUES ($1, $2, clock_timestamp()))"};

// Claimed by moving the time of the next try on before sending: 5 s, 30 s, 5 min, then hourly.
const Sql<Due(std::int64_t)> kClaim{"sandbox.claim_events", R"(
    UPDATE events SET tries = tries + 1, next_at = clock_timestamp() + CASE tries
             WHEN 0 THEN interval '5 seconds' WHEN 1 THEN interval '30 seconds'
             WHEN 2 THEN interval '5 minutes' ELSE interval '1 hour' END
    WHERE id IN (SELECT id FROM events WHERE delivered_at IS NULL AND next_at <= clock_timestamp()
                 ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, body, tries)"};

const Sql<void(std::string)> kDelivered{"sandbox.event_delivered", R"(
    UPDATE events SET delivered_at = clock_timestamp() WHERE id = $1)"};

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void queue_event(Tx& tx, Operation operation, const std::string& key, const Outcome& outcome,
                 const std::optional<DisputeNews>& dispute) {
  const auto id = "evt_" + typeid_suffix(make_uuid_v7());
  Json body = {{"id", id},
               {"operation", text_of(operation)},
               {"key", key},
               {"verdict", text_of(outcome.verdict)},
               {"reference", outcome.reference},
               {"reason", outcome.reason},
               {"action_url", outcome.action_url},
               {"fee", to_json(outcome.fee)},
               {"amount", to_json(outcome.amount)}};
  if (dispute) body["dispute"] = to_json(*dispute);
  tx.run(kQueue, id, body.dump());
}

asio::awaitable<int> Sandbox::deliver_events() {
  const auto due = co_await books_.transact([&](Tx& tx) { return tx.all(kClaim, kBatch); });
  for (const auto& event : due) {
    const PostCall call{options_.webhook_url, event.body,
                        sign_webhook(options_.webhook_secret, event.body, now_s()), kPostTimeout};
    const unsigned status = co_await post(call);
    if (status == 0) {
      // Nobody is there; the others of the batch are tried again at their time as well.
      log::warning("sandbox.webhooks_not_taken", {{"webhook", event.id}});
      co_return 0;
    }
    if (status < 200 || status > 299) {
      log::warning("sandbox.webhook_not_taken", {{"webhook", event.id}, {"status", status}});
      continue;
    }
    co_await books_.transact([&](Tx& tx) { tx.run(kDelivered, event.id); });
  }
  co_return static_cast<int>(due.size());
}

}  // namespace bottega::processors
