#pragma once
// From a committed entry to the devices of members without a live socket. Nobody who writes waits
// for it: the sink only remembers which conversation has news. A round then asks the database who
// is to be told, writes that down, and sends what is due; what a node has heard of and not yet
// written down, another finds in the log after its death.
#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>

#include "bottega/notifications/presence.hpp"
#include "bottega/notifications/pusher.hpp"
#include "bottega/notifications/subscriptions.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::notifications {

class Circuits;

struct NotifierOptions {
  std::chrono::seconds delay{5};  // between an entry and the question who has not seen it
  std::chrono::seconds ttl{86'400};
  std::chrono::milliseconds call_timeout{10'000};
  std::int64_t calls_max = 16;        // at once; a quarter of them to one service
  std::size_t waiting_max = 100'000;  // conversations that are remembered
};

class Notifier {
 public:
  using Time = std::chrono::steady_clock::time_point;
  Notifier(Database& db, const Clock& clock, NodeId node, NotifierOptions options,
           std::unique_ptr<Pusher> pusher);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Takes note of a committed entry; from any thread. Costs next to nothing, and nothing but a look
  // at a flag where nobody has subscribed.
  void hear(const Notice& notice);
  // Somebody has subscribed on this node.
  void expect() { is_wanted_ = true; }

  // Writes down whom to tell and begins to send what is due. Not twice at once; the calls go on
  // after it on the same executor.
  asio::awaitable<void> round(Time now = std::chrono::steady_clock::now());
  // Called when a call has ended and more may be due.
  void on_room(std::function<void()> call) { on_room_ = std::move(call); }
  // Writes down what has been heard, so that another node may send it.
  void end(Tx& tx);

  struct Counts {
    std::int64_t delivered, gone, retried, failed, under_way, circuits_open;
  };
  Counts counts() const;

 private:
  struct Heard {
    Time at{};        // by the steady clock
    Instant wrote{};  // by the product's
  };
  struct Claimed;

  asio::awaitable<void> look_whether_wanted(Time now);
  asio::awaitable<void> write_down(Time now);
  asio::awaitable<void> keep_position(Time now);
  asio::awaitable<void> search(Instant since);
  asio::awaitable<void> send_due(Time now);
  asio::awaitable<void> deliver(Claimed claimed);
  asio::awaitable<Outcome> call(const Notification& notification);
  asio::awaitable<void> record(const Claimed& claimed, const Outcome& outcome);
  std::vector<ConversationId> heard() const;
  std::vector<ConversationId> take(Time latest);
  void put_back(const std::vector<ConversationId>& conversations, Time now);
  // All that was written before is written down, as far as this node knows.
  Instant position() const;

  Database& db_;
  const Clock& clock_;
  const NodeId node_;
  const NotifierOptions options_;
  const std::unique_ptr<Pusher> pusher_;
  std::function<void()> on_room_;
  std::atomic<bool> is_wanted_{false};
  mutable std::mutex mutex_;                      // owns heard_ and has_missed_
  std::unordered_map<std::string, Heard> heard_;  // by conversation
  bool has_missed_ = false;                       // something was heard and not remembered
  // Touched by round() and what it begins only, on one thread.
  std::unique_ptr<Circuits> circuits_;
  Time looked_at_ = Time::min(), kept_at_ = Time::min();
  std::optional<Instant> kept_;
  std::atomic<std::int64_t> under_way_{0}, circuits_open_{0}, delivered_{0}, gone_{0}, retried_{0},
      failed_{0};
};

}  // namespace bottega::notifications
