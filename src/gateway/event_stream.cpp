#include "gateway/event_stream.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "gateway/listening.hpp"

namespace bottega::gateway {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// How long what is committed may take to get here: another node's transaction, a lost message that
// is read from the log. Earlier events need not be named one conversation at a time.
constexpr auto kSettled = seconds(60);
constexpr std::size_t kFewPositions = 2, kIdEvery = 16;
constexpr std::int64_t kReconnectMs = 2'000;
constexpr std::size_t kHeardMax = 65'536;  // bytes of a client that talks into the stream
constexpr std::size_t kKeepBytes = 4'096;  // of an idle stream's memory

// What an event says of itself; none of what another node would not have sent.
struct Told {
  std::string event;
  conversations::ConversationId conversation;
  std::optional<std::int64_t> position;
  Instant at{};
};

std::optional<Told> read_told(const std::string& frame) {
  const auto json = Json::parse(frame, nullptr, false);
  try {
    Told told;
    told.event = json.at("event").get<std::string>();
    if (!json.contains("seq")) return told;
    told.position = json.at("seq").get<std::int64_t>();
    told.conversation =
        from_text<conversations::ConversationId>(json.at("conversation").get<std::string>());
    told.at = from_text<Instant>(json.at("at").get<std::string>());
    return told;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// RFC 9112, 7.1.
std::string chunk_of(const std::string& bytes) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  return std::string(size.data(), end) + "\r\n" + bytes + "\r\n";
}

}  // namespace

EventStream::EventStream(App& app, OpenList& list, Stream& stream, identity::Who who,
                         std::optional<Mark> resumed)
    : app_(app),
      list_(list),
      stream_(stream),
      executor_(stream.get_executor()),
      who_(std::move(who)),
      resumed_(std::move(resumed)),
      progress_(resumed_.value_or(Mark{app.clock.now(), {}})),
      topics_(app.hub),
      wake_(stream.get_executor()),
      idle_(stream.get_executor()),
      patience_(stream.get_executor()),
      feed_(app, app.clock.now(), [this](const std::string& frame) { send(frame); }) {
  ++app_.metrics.sockets;
}

void EventStream::offer(const bus::EventPtr& event) {
  if (!mail_.put(event)) return;
  asio::post(executor_, [self = shared_from_this()] { self->read_mail(); });
}

void EventStream::read_mail() {
  for (const auto& event : mail_.take()) hear(event);
}

void EventStream::wind_down() { end(Close::restarting, "the server is restarting"); }

// At a moment of one's own: all listeners at once would be more than the database has time for.
void EventStream::check() {
  if (check_at_ != asio::steady_timer::time_point::max()) return;
  const auto wait = check_wait(app_.metrics.sockets);
  check_at_ = steady_clock::now() + wait;
  wake_.cancel();
}

asio::awaitable<void> EventStream::run(bool chunked) {
  const auto self = shared_from_this();
  list_.add(this);
  stream_.expires_never();
  if (app_.stopping) wind_down();
  ++working_;
  asio::co_spawn(
      executor_, [self] { return self->watch(); }, asio::detached);
  ++working_;
  asio::co_spawn(
      executor_, [self] { return self->begin(); }, asio::detached);
  co_await write_loop(chunked);
  list_.remove(this);
  gone_ = true;
  patience_.cancel();
  attendance_.end();
  topics_.set({}, self);
  stream_.tcp().cancel();
  co_await settle();
}

// Where the database has no time now, the client comes back a little later.
asio::awaitable<void> EventStream::begin() {
  try {
    const auto pass = co_await app_.doorway.enter();
    co_await join();
    if (!gone_ && !ending_) {
      attendance_.begin(app_.presence, who_);
      co_await resume();
    }
  } catch (const std::exception& failure) {
    const auto* error = dynamic_cast<const Error*>(&failure);
    if (error != nullptr && error->code() == Code::unauthenticated)
      end(Close::bad_token, "the session has ended");
    else
      end(Close::overloaded, "too busy to begin");
  }
  --working_;
  idle_.cancel();
}

asio::awaitable<void> EventStream::resume() {
  Json told = {{"conversations", Json::array()}, {"complete", true}};
  if (resumed_) {
    Frame frame;
    frame.since = resumed_->since;
    frame.positions = resumed_->positions;
    told = co_await feed_.resume(who_, frame);
    // What was not recovered is behind the client now as well: it is told, and pages the log.
    for (const auto& one : told.at("conversations"))
      progress_.sent(
          from_text<conversations::ConversationId>(one.at("conversation").get<std::string>()),
          one.at("position"), app_.clock.now());
  }
  if (gone_ || ending_) co_return;
  live_ = true;
  send_block(resumed_ ? "resumed" : "ready", told.dump());
  if (feed_.release()) catch_up();
}

asio::awaitable<void> EventStream::join() {
  const auto who = who_;
  topics_.add(own_topics(who), shared_from_this());
  auto topics = co_await topics_of(app_, who);
  if (!gone_ && !ending_) topics_.set(std::move(topics), shared_from_this());
}

asio::awaitable<void> EventStream::join_or_end() {
  try {
    co_await join();
  } catch (const Error& error) {
    if (error.code() != Code::unauthenticated) throw;
    end(Close::bad_token, "the session has ended");
  }
}

void EventStream::hear(const bus::EventPtr& event) {
  if (gone_ || ending_) return;
  if (event->position == 0 && event->text == "end")
    return end(Close::bad_token, "the session has ended");
  if (event->position == 0 && event->text == "join")
    return insist_on([self = shared_from_this()] { return self->join_or_end(); });
  if (feed_.hear(event)) catch_up();
}

void EventStream::catch_up() {
  if (std::exchange(filling_, true)) return;
  insist_on([self = shared_from_this()]() -> asio::awaitable<void> {
    co_await self->feed_.catch_up();
    self->filling_ = false;
  });
}

void EventStream::insist_on(Work work) {
  ++working_;
  asio::co_spawn(
      executor_,
      [self = shared_from_this(), work = std::move(work)] { return self->keep_on(work); },
      asio::detached);
}

asio::awaitable<void> EventStream::keep_on(Work work) {
  const auto given_up = [this] { return gone_ || ending_; };
  const bool done = co_await insist(work, given_up);
  if (!done) end(Close::overloaded, "too busy to keep up");
  --working_;
  idle_.cancel();
}

void EventStream::send(const std::string& frame) {
  if (gone_ || ending_) return;
  const auto told = read_told(frame);
  if (!told) return;
  const auto& name = told->event;
  if (!told->position) return put("event: " + name + "\ndata: " + frame + "\n\n");
  progress_.sent(told->conversation, *told->position, told->at);
  if (live_ && !filling_) progress_.settled(app_.clock.now() - kSettled);
  // What was missed is queued at once, and ids of many conversations are long.
  const bool has_id =
      live_ || progress_.mark().positions.size() <= kFewPositions || ++without_id_ % kIdEvery == 0;
  if (has_id) return send_block(name, frame);
  put("event: " + name + "\ndata: " + frame + "\n\n");
}

void EventStream::send_block(std::string_view event, std::string_view data) {
  std::string block = "id: " + mark_text(progress_.mark(), who_.actor());
  block.append("\nevent: ").append(event).append("\ndata: ").append(data) += "\n\n";
  put(std::move(block));
}

void EventStream::put(std::string block) {
  if (gone_ || ending_) return;
  if (pending_.size() + sending_.size() + block.size() >
      static_cast<std::size_t>(app_.config.socket_queue_max_bytes)) {
    ++app_.metrics.slow_closed;
    pending_.clear();
    return end(Close::slow, "too slow");
  }
  pending_ += block;
  wake_.cancel();
}

void EventStream::end(Close why, std::string_view reason) {
  if (gone_ || ending_) return;
  const auto code = static_cast<unsigned>(why);
  const Json data = {{"code", code}, {"reason", reason}, {"reconnect", code < 3'500}};
  // Those that are sent away together must not come back together.
  const auto wait = kReconnectMs / 2 + randombytes_uniform(kReconnectMs);
  pending_ += "retry: " + std::to_string(wait) + "\nevent: closing\ndata: " + data.dump() + "\n\n";
  ending_ = true;
  wake_.cancel();
  patience_.expires_after(seconds(app_.config.stop_grace_s));
  patience_.async_wait([self = shared_from_this()](beast::error_code cancelled) {
    if (!cancelled && !self->gone_) self->stream_.tcp().close();
  });
}

// Comments keep the connection, and the id does not grow old on a silent stream.
void EventStream::keep_alive() {
  std::string block = ":\n\n";
  if (live_) {
    if (!filling_) progress_.settled(app_.clock.now() - kSettled);
    block = ":\nid: " + mark_text(progress_.mark(), who_.actor()) + "\n\n";
  }
  put(std::move(block));
}

asio::awaitable<void> EventStream::write_loop(bool chunked) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  pending_ = "retry: " + std::to_string(kReconnectMs) + "\n:\n\n" + pending_;
  auto beat_at = steady_clock::now() + seconds(app_.config.socket_ping_s);
  while (!gone_) {
    if (!pending_.empty()) {
      sending_ = std::exchange(pending_, {});
      beat_at = steady_clock::now() + seconds(app_.config.socket_ping_s);
      const auto bytes = chunked ? chunk_of(sending_) : sending_;
      const bool written = co_await write(bytes);
      if (!written) co_return;
      sending_.clear();
      if (sending_.capacity() > kKeepBytes) sending_ = {};
      continue;
    }
    if (ending_) break;
    wake_.expires_at(std::min({beat_at, check_at_, ends_at(app_, who_)}));
    co_await wake_.async_wait(token);
    const auto now = steady_clock::now();
    if (now >= ends_at(app_, who_))
      end(Close::expired, "the access token has expired");
    else if (now >= beat_at)
      keep_alive();
    if (now < check_at_) continue;
    check_at_ = asio::steady_timer::time_point::max();
    insist_on([self = shared_from_this()] { return self->join_or_end(); });
  }
  if (chunked && !gone_) co_await write("0\r\n\r\n");
}

asio::awaitable<bool> EventStream::write(std::string_view bytes) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  stream_.expires_after(seconds(app_.config.http_write_timeout_s));
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  const auto [failed, count] = co_await asio::async_write(stream_, buffer, token);
  if (failed == beast::error::timeout && !ending_) ++app_.metrics.slow_closed;
  co_return !failed;
}

asio::awaitable<void> EventStream::watch() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  std::array<char, 512> buffer{};
  const auto space = asio::buffer(buffer);
  for (std::size_t heard = 0; !gone_ && heard <= kHeardMax;) {
    const auto [failed, count] = co_await stream_.async_read_some(space, token);
    if (failed) break;
    heard += count;
  }
  gone_ = true;
  wake_.cancel();
  --working_;
  idle_.cancel();
}

asio::awaitable<void> EventStream::settle() {
  const auto token = asio::as_tuple(asio::use_awaitable);
  while (working_ > 0) {
    idle_.expires_after(std::chrono::milliseconds(100));
    co_await idle_.async_wait(token);
  }
}

asio::awaitable<void> serve_events(App& app, OpenList& list, Stream& stream, const Request& request,
                                   identity::Who who, bool chunked) {
  auto resumed = resumed_from(request, who);
  const auto events =
      std::make_shared<EventStream>(app, list, stream, std::move(who), std::move(resumed));
  co_await events->run(chunked);
}

}  // namespace bottega::gateway
