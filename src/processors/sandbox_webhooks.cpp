// The sandbox's news: queued in the transaction that made it, signed, and sent until it is taken.
#include <algorithm>
#include <charconv>

#include "processors/http_post.hpp"
#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"

namespace bottega::processors {
namespace {

constexpr std::int64_t kToleranceSeconds = 300;
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

[[noreturn]] void forged() {
  throw Error(Code::forbidden, "the signature of this message is not genuine");
}

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Signature {
  std::optional<std::int64_t> at_s;
  std::vector<std::string_view> sums;
};

Signature parse_signature(std::string_view text) {
  Signature signature;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.starts_with("t=")) {
      if (signature.at_s) forged();
      signature.at_s = Form<std::int64_t>::parse(part.substr(2));
      if (!signature.at_s) forged();
    } else if (part.starts_with("v1=")) {
      signature.sums.push_back(part.substr(3));
    }
  }
  return signature;
}

}  // namespace

std::string sign_webhook(const Secret& secret, std::string_view body, std::int64_t at_s) {
  const auto at = std::to_string(at_s);
  return "t=" + at + ",v1=" + hmac_sha256_hex(secret.reveal(), at + '.' + std::string(body));
}

void verify_webhook(const Secret& secret, std::string_view body, std::string_view signature,
                    std::int64_t now) {
  if (secret.empty()) forged();
  const auto parsed = parse_signature(signature);
  // Bounds, not a difference: the sender chooses the time, and the farthest would overflow.
  const bool fresh = parsed.at_s && *parsed.at_s >= now - kToleranceSeconds &&
                     *parsed.at_s <= now + kToleranceSeconds;
  if (!fresh) forged();
  const auto genuine =
      hmac_sha256_hex(secret.reveal(), std::to_string(*parsed.at_s) + '.' + std::string(body));
  const bool found = std::ranges::any_of(
      parsed.sums, [&](std::string_view sum) { return constant_time_equal(sum, genuine); });
  if (!found) forged();
}

void queue_event(Tx& tx, Operation operation, const std::string& key, const Outcome& outcome) {
  const auto id = "evt_" + typeid_suffix(make_uuid_v7());
  const Json body = {{"id", id},
                     {"operation", text_of(operation)},
                     {"key", key},
                     {"verdict", text_of(outcome.verdict)},
                     {"reference", outcome.reference},
                     {"reason", outcome.reason},
                     {"action_url", outcome.action_url}};
  tx.run(kQueue, id, body.dump());
}

Event read_event(std::string_view body) {
  const auto json = parse_json(body);
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string())
      throw Error(Code::malformed, "the event has no " + std::string(name));
    return found->get<std::string>();
  };
  if (!json.is_object()) throw Error(Code::malformed, "the event is not an object");
  return {text("id"),
          from_text<Operation>(text("operation"), Code::malformed),
          text("key"),
          {from_text<Verdict>(text("verdict"), Code::malformed), text("reference"), text("reason"),
           text("action_url")}};
}

asio::awaitable<int> Sandbox::deliver_events() {
  const auto due = co_await books_.transact([&](Tx& tx) { return tx.all(kClaim, kBatch); });
  for (const auto& event : due) {
    const PostCall call{options_.webhook_url, event.body,
                        sign_webhook(options_.webhook_secret, event.body, now_s()), kPostTimeout};
    const unsigned status = co_await post(call);
    if (status < 200 || status > 299) {
      log::warning("sandbox.webhook_not_taken", {{"webhook", event.id}, {"status", status}});
      continue;
    }
    co_await books_.transact([&](Tx& tx) { tx.run(kDelivered, event.id); });
  }
  co_return static_cast<int>(due.size());
}

}  // namespace bottega::processors
