// The sandbox's news: queued in the transaction that made it, signed, and sent until it is taken.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "processors/http_post.hpp"
#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"

namespace bottega::processors {
namespace {

using std::chrono::steady_clock;

constexpr std::int64_t kBatch = 32;
// What is kept to be sent by this process, and how much of it in a round.
constexpr std::size_t kFreshMax = 10'000, kRoundMax = 256;
constexpr std::size_t kLines = 16;
// A round waits so long for more of it.
constexpr auto kGathered = std::chrono::milliseconds(40);
constexpr auto kPostTimeout = std::chrono::seconds(20);

const Sql<void(std::string, std::string)> kQueue{"sandbox.queue_event", R"(
    INSERT INTO events (id, body, next_at) VALUES ($1, $2, clock_timestamp()))"};

// Claimed by moving the time of the next try on before sending: 5 s, 30 s, 5 min, then hourly.
const Sql<News(std::int64_t, std::int64_t)> kClaim{"sandbox.claim_events", R"(
    UPDATE events SET tries = tries + 1, next_at = clock_timestamp() + CASE tries
             WHEN 0 THEN make_interval(secs => $2::bigint) WHEN 1 THEN interval '30 seconds'
             WHEN 2 THEN interval '5 minutes' ELSE interval '1 hour' END
    WHERE id IN (SELECT id FROM events WHERE delivered_at IS NULL AND next_at <= clock_timestamp()
                 ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, body)"};

const Sql<void(std::vector<std::string>)> kDelivered{"sandbox.events_delivered", R"(
    UPDATE events SET delivered_at = clock_timestamp() WHERE id = ANY($1))"};

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What is sent at once, over a few lines. All of it on one thread.
struct Round {
  Round(const asio::any_io_executor& executor, const SandboxOptions& given)
      : options(given), ended(executor, steady_clock::time_point::max()) {}
  const SandboxOptions& options;
  asio::steady_timer ended;
  std::vector<News> news;
  std::size_t next = 0, running = 0;
  std::vector<std::string> taken;
  bool is_nobody_there = false;
};

asio::awaitable<void> send_on(std::shared_ptr<Round> round, PostLine& line) {
  while (round->next < round->news.size() && !round->is_nobody_there) {
    const auto& news = round->news[round->next++];
    const PostCall call{round->options.webhook_url, news.body,
                        sign_webhook(round->options.webhook_secret, news.body, now_s()),
                        kPostTimeout};
    const unsigned status = co_await line.post(call);
    if (status >= 200 && status <= 299) {
      round->taken.push_back(news.id);
    } else if (status == 0) {
      // The others of the round are tried again at their time as well.
      round->is_nobody_there = true;
      log::warning("sandbox.webhooks_not_taken", {{"webhook", news.id}});
    } else {
      log::warning("sandbox.webhook_not_taken", {{"webhook", news.id}, {"status", status}});
    }
  }
}

}  // namespace

struct WebhookLines::Parts {
  std::vector<std::unique_ptr<PostLine>> lines;
};

WebhookLines::WebhookLines() : parts_(std::make_unique<Parts>()) {}
WebhookLines::~WebhookLines() = default;

News news_of(Operation operation, const std::string& key, const Outcome& outcome,
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
  return {id, body.dump()};
}

void queue_event(Tx& tx, Operation operation, const std::string& key, const Outcome& outcome,
                 const std::optional<DisputeNews>& dispute) {
  const auto news = news_of(operation, key, outcome, dispute);
  tx.run(kQueue, news.id, news.body);
}

// What is not kept is due in the books a little later, and so is what dies with this process.
void Sandbox::keep_fresh(News news) {
  if (!poke_fresh_) return;
  bool is_first = false;
  {
    const std::lock_guard lock(memory_->mutex);
    auto& fresh = memory_->fresh;
    if (fresh.size() >= kFreshMax) return;
    is_first = fresh.empty();
    fresh.push_back({std::move(news), steady_clock::now() + options_.webhook_after});
  }
  if (is_first) poke_fresh_();
}

asio::awaitable<int> Sandbox::deliver_fresh(WebhookLines& lines) {
  std::optional<steady_clock::time_point> due;
  {
    const std::lock_guard lock(memory_->mutex);
    if (!memory_->fresh.empty()) due = memory_->fresh.front().due;
  }
  if (!due) co_return 0;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*due + kGathered - steady_clock::now());
  if (left.count() > 0) co_await wait(left);
  std::vector<News> news;
  {
    const std::lock_guard lock(memory_->mutex);
    auto& fresh = memory_->fresh;
    const auto now = steady_clock::now();
    while (!fresh.empty() && fresh.front().due <= now && news.size() < kRoundMax) {
      news.push_back(std::move(fresh.front().news));
      fresh.pop_front();
    }
  }
  const auto count = static_cast<int>(news.size());
  co_await send(std::move(news), lines);
  co_return count;
}

asio::awaitable<int> Sandbox::deliver_events(WebhookLines& lines) {
  auto due = co_await books_.transact([&](Tx& tx) { return tx.all(kClaim, kBatch, kFirstWait); });
  const auto count = static_cast<int>(due.size());
  const bool is_taken = co_await send(std::move(due), lines);
  co_return is_taken ? count : 0;
}

// False where nobody was there to take it.
asio::awaitable<bool> Sandbox::send(std::vector<News> news, WebhookLines& lines) {
  if (news.empty()) co_return true;
  const auto executor = co_await asio::this_coro::executor;
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto round = std::make_shared<Round>(executor, options_);
  round->news = std::move(news);
  auto& kept = lines.parts_->lines;
  round->running = std::min(kLines, round->news.size());
  while (kept.size() < round->running) kept.push_back(std::make_unique<PostLine>());
  for (std::size_t i = 0, count = round->running; i < count; ++i)
    asio::co_spawn(executor, send_on(round, *kept[i]), [round](std::exception_ptr failure) {
      if (failure) round->is_nobody_there = true;
      if (--round->running == 0) round->ended.cancel();
    });
  while (round->running > 0) co_await round->ended.async_wait(token);
  const auto& taken = round->taken;
  if (!taken.empty()) co_await books_.transact([&](Tx& tx) { tx.run(kDelivered, taken); });
  co_return !round->is_nobody_there;
}

}  // namespace bottega::processors
