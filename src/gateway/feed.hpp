#pragma once
// What one listener has been sent of each conversation. Live events are taken as they come; where
// one is not the next, the gap is read from the log: nothing is missing, doubled or out of order.
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <set>

#include "gateway/app.hpp"
#include "gateway/frames.hpp"
#include "bottega/bus/hub.hpp"

namespace bottega::gateway {

// Lives on one thread.
class Feed {
 public:
  // `send` puts a frame into the listener's queue. Only what is committed after `since` is live.
  Feed(App& app, Instant since, std::function<void(const std::string&)> send)
      : app_(app), since_(since), send_(std::move(send)) {}

  // Takes a live event; true where catch_up() must be run because there is a gap before it.
  bool hear(const bus::EventPtr& event);
  // Sends what is missing, from the log. It must not run twice at once; where it throws, what is
  // still missing is remembered for the next time.
  asio::awaitable<void> catch_up();
  // Sends what the client says it has missed, and answers per conversation whether all of it was
  // sent. Durable events are still held back then; release() comes next.
  asio::awaitable<Json> resume(const identity::Who& who, const Frame& frame);
  // Durable events are held back until the client has said RESUME, or that it will not: an event
  // that came before what it has missed could not be put in order. True where catch_up() must be
  // run.
  bool release();

 private:
  using ConversationId = conversations::ConversationId;
  struct Start {
    ConversationId id;
    identity::MerchantId merchant;
    std::int64_t position = 0, last = 0, forgotten = 0;
    bool exists = false;
  };

  // A position that is known to exist, and the first that was heard of live: from there on all has
  // been committed since we listen.
  struct Wanted {
    std::int64_t position = 0, live = 0;
  };

  asio::awaitable<void> fill(std::string stream);
  asio::awaitable<void> first_contact(std::string stream, Wanted wanted);
  struct Starts {
    std::vector<Start> list;
    bool is_complete = true;
  };
  asio::awaitable<Starts> starts_of(const identity::Who& who, const Frame& frame);
  void send_missed(const std::string& stream, std::int64_t position,
                   const std::vector<bus::EventPtr>& events);
  void send_all(const std::string& stream, const std::vector<bus::EventPtr>& events);
  // What comes behind the start's position, `most` events at most; from memory where it is there.
  asio::awaitable<std::vector<bus::EventPtr>> missed(const Start& start, std::int64_t most);

  App& app_;
  Instant since_;
  std::function<void(const std::string&)> send_;
  std::map<std::string, std::int64_t> sent_;  // conversation -> last position sent
  std::map<std::string, Wanted> wanted_;
  std::map<std::string, std::int64_t>
      first_;  // conversation -> first position, where none was named
  bool holding_ = true;
};

}  // namespace bottega::gateway
