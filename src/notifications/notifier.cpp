// Rounds: what was heard becomes deliveries, and deliveries calls that go on by themselves.
#include "bottega/notifications/notifier.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "notifications/circuits.hpp"
#include "notifications/outbox.hpp"
#include "bottega/core/log.hpp"

namespace bottega::notifications {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kConversationsAtOnce = 200;
constexpr auto kLookEvery = 1s, kKeepEvery = 5s;
// How long a transaction that has taken its time may go on before its entries are heard of.
constexpr auto kLate = 60s;
constexpr std::int64_t kAttemptsMax = 8;
constexpr std::chrono::seconds kBackOffFirst = 5s, kBackOffMost = 3600s;
constexpr auto kLeaseSlack = 30s;

std::chrono::seconds back_off(std::int64_t attempts) {
  const auto doublings = std::clamp<std::int64_t>(attempts - 1, 0, 10);
  return std::min(kBackOffFirst * (std::int64_t{1} << doublings), kBackOffMost);
}

}  // namespace

struct Notifier::Claimed {
  Delivery delivery;
  Time began{};
};

Notifier::Notifier(Database& db, const Clock& clock, NodeId node, NotifierOptions options,
                   std::unique_ptr<Pusher> pusher)
    : db_(db),
      clock_(clock),
      node_(node),
      options_(options),
      pusher_(std::move(pusher)),
      circuits_(std::make_unique<Circuits>(std::max<std::int64_t>(options.calls_max / 4, 1))) {}
Notifier::~Notifier() = default;

void Notifier::hear(const Notice& notice) {
  if (notice.position == 0 || !is_wanted_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (heard_.contains(notice.stream)) return;
  if (heard_.size() >= options_.waiting_max) {
    has_missed_ = true;
    return;
  }
  heard_.emplace(notice.stream, Heard{std::chrono::steady_clock::now(), clock_.now()});
}

asio::awaitable<void> Notifier::round(Time now) {
  co_await look_whether_wanted(now);
  if (!is_wanted_) co_return;
  co_await write_down(now);
  co_await keep_position(now);
  co_await send_due(now);
}

void Notifier::end(Tx& tx) {
  // Only looked at: the transaction may be run again.
  const auto all = heard();
  if (!all.empty()) queue_news(tx, all, options_.ttl);
}

Notifier::Counts Notifier::counts() const {
  return {delivered_, gone_, retried_, failed_, under_way_, circuits_open_};
}

// Another node may have taken the first subscription. What was written since the last look is then
// searched for.
asio::awaitable<void> Notifier::look_whether_wanted(Time now) {
  if (now < looked_at_ + kLookEvery && looked_at_ != Time::min()) co_return;
  const bool was_wanted = is_wanted_;
  const bool is_wanted = co_await db_.read([](Tx& tx) { return has_subscriptions(tx); });
  looked_at_ = now;
  if (!is_wanted) {
    is_wanted_ = false;
    kept_.reset();
  } else if (!was_wanted) {
    is_wanted_ = true;
    const std::lock_guard lock(mutex_);
    has_missed_ = true;
  }
}

asio::awaitable<void> Notifier::write_down(Time now) {
  const auto due = take(now - options_.delay);
  for (std::size_t i = 0; i < due.size(); i += kConversationsAtOnce) {
    const auto first = due.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kConversationsAtOnce, due.size() - i);
    const std::vector<ConversationId> part(first, first + static_cast<std::ptrdiff_t>(count));
    std::exception_ptr failure;
    try {
      co_await db_.transact([&](Tx& tx) { queue_news(tx, part, options_.ttl); });
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) continue;
    const std::vector<ConversationId> rest(first, due.end());
    put_back(rest, now);
    std::rethrow_exception(failure);
  }
}

// Says in the database up to where nothing is lost if this node dies now, and looks for what dead
// nodes have left.
asio::awaitable<void> Notifier::keep_position(Time now) {
  bool has_missed = false;
  {
    const std::lock_guard lock(mutex_);
    has_missed = std::exchange(has_missed_, false);
  }
  if (!has_missed && kept_at_ != Time::min() && now < kept_at_ + kKeepEvery) co_return;
  const auto reached = position();
  const auto known = co_await db_.read([&](Tx& tx) { return position_of(tx, node_); });
  if (!known) co_return;
  if (has_missed || !kept_ || *known < *kept_) {
    std::exception_ptr failure;
    try {
      co_await search(*known);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      const std::lock_guard lock(mutex_);
      has_missed_ = has_missed;
      std::rethrow_exception(failure);
    }
  }
  const auto to = std::max(reached, *known);
  co_await db_.transact([&](Tx& tx) { move_position(tx, node_, *known, to); });
  kept_ = to;
  kept_at_ = now;
}

asio::awaitable<void> Notifier::search(Instant since) {
  AccountId after;
  while (true) {
    const auto found = co_await db_.read([&](Tx& tx) { return search_news(tx, since, after); });
    for (std::size_t i = 0; i < found.conversations.size(); i += kConversationsAtOnce) {
      const auto first = found.conversations.begin() + static_cast<std::ptrdiff_t>(i);
      const auto count = std::min(kConversationsAtOnce, found.conversations.size() - i);
      const std::vector<ConversationId> part(first, first + static_cast<std::ptrdiff_t>(count));
      co_await db_.transact([&](Tx& tx) { queue_news(tx, part, options_.ttl); });
    }
    if (!found.last) co_return;
    after = *found.last;
  }
}

asio::awaitable<void> Notifier::send_due(Time now) {
  const auto executor = co_await asio::this_coro::executor;
  while (under_way_ < options_.calls_max) {
    auto rooms = circuits_->rooms(now);
    ClaimOptions ask;
    ask.limit = options_.calls_max - under_way_;
    ask.service_max = circuits_->calls_max();
    ask.origins = std::move(rooms.origins);
    ask.rooms = std::move(rooms.rooms);
    ask.lease = std::chrono::ceil<std::chrono::seconds>(options_.call_timeout) + kLeaseSlack;
    const auto taken = co_await db_.transact([&](Tx& tx) { return claim(tx, ask); });
    for (const auto& delivery : taken) {
      ++under_way_;
      circuits_->begun(delivery.origin);
      const Claimed claimed{delivery, now};
      asio::co_spawn(
          executor, [this, claimed] { return deliver(claimed); }, asio::detached);
    }
    if (taken.empty()) co_return;
  }
}

asio::awaitable<void> Notifier::deliver(Claimed claimed) {
  const auto& delivery = claimed.delivery;
  const auto began = std::chrono::steady_clock::now();
  Outcome outcome;
  bool was_called = false;
  try {
    const auto notification = co_await db_.read([&](Tx& tx) { return compose(tx, delivery); });
    if (notification) {
      was_called = true;
      outcome = co_await call(*notification);
    }
    if (was_called)
      co_await record(claimed, outcome);
    else
      co_await db_.transact([&](Tx& tx) { finish(tx, delivery); });
  } catch (const std::exception& error) {
    // The lease runs out, and it is tried again.
    log::warning("push.unrecorded", {{"error", std::string(error.what())}});
  }
  const bool badly = was_called && outcome.fate == Fate::retry;
  const auto took = std::chrono::steady_clock::now() - began;
  circuits_->ended(delivery.origin, badly ? Call::badly : Call::well, claimed.began + took);
  circuits_open_ = circuits_->open(claimed.began + took);
  --under_way_;
  if (on_room_) on_room_();
}

asio::awaitable<Outcome> Notifier::call(const Notification& notification) {
  try {
    co_return co_await pusher_->send(notification);
  } catch (const Error& error) {
    co_return Outcome{Fate::failed, std::nullopt, error.what()};
  }
}

asio::awaitable<void> Notifier::record(const Claimed& claimed, const Outcome& outcome) {
  const auto& delivery = claimed.delivery;
  auto fate = outcome.fate;
  if (fate == Fate::retry && delivery.attempts >= kAttemptsMax) fate = Fate::failed;
  auto wait = outcome.after.value_or(back_off(delivery.attempts));
  wait = std::clamp(wait, 1s, kBackOffMost);
  co_await db_.transact([&](Tx& tx) {
    if (fate == Fate::gone)
      forget(tx, delivery.subscription_id);
    else if (fate == Fate::retry)
      try_again(tx, delivery, wait);
    else
      finish(tx, delivery);
  });
  if (fate == Fate::delivered) ++delivered_;
  if (fate == Fate::gone) ++gone_;
  if (fate == Fate::retry) ++retried_;
  if (fate != Fate::failed) co_return;
  ++failed_;
  log::warning("push.failed", {{"service", delivery.origin}, {"why", outcome.why}});
}

std::vector<ConversationId> Notifier::heard() const {
  std::vector<ConversationId> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [stream, heard] : heard_)
    if (const auto id = Form<ConversationId>::parse(stream)) all.push_back(*id);
  return all;
}

std::vector<ConversationId> Notifier::take(Time latest) {
  std::vector<ConversationId> taken;
  const std::lock_guard lock(mutex_);
  std::erase_if(heard_, [&](const auto& one) {
    if (one.second.at > latest) return false;
    if (const auto id = Form<ConversationId>::parse(one.first)) taken.push_back(*id);
    return true;
  });
  return taken;
}

void Notifier::put_back(const std::vector<ConversationId>& conversations, Time now) {
  const std::lock_guard lock(mutex_);
  for (const auto& id : conversations)
    heard_.emplace(text_of(id), Heard{now - options_.delay, clock_.now()});
  // When they were written is forgotten: the search finds what is lost with this node.
  has_missed_ = true;
}

Instant Notifier::position() const {
  const std::lock_guard lock(mutex_);
  auto oldest = clock_.now();
  for (const auto& [stream, heard] : heard_) oldest = std::min(oldest, heard.wrote);
  return oldest - kLate;
}

}  // namespace bottega::notifications
