#include "gateway/feed.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <map>

namespace bottega::gateway {
namespace {

constexpr std::int64_t kChunk = 100;
constexpr std::int64_t kFirstMax = 500;
// Nodes have clocks of their own, and what was written may have waited for its turn.
constexpr auto kSlack = std::chrono::seconds(15);

std::size_t bytes_of(const std::vector<bus::EventPtr>& events) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += event->text.size();
  return bytes;
}

std::vector<bus::EventPtr> rendered(const std::vector<conversations::Event>& events) {
  std::vector<bus::EventPtr> frames;
  frames.reserve(events.size());
  for (const auto& event : events)
    frames.push_back(std::make_shared<const bus::Event>(
        bus::Event{text_of(event.conversation), event.seq, conversations::to_frame(event).dump()}));
  return frames;
}

}  // namespace

bool Feed::hear(const bus::EventPtr& event) {
  if (event->position == 0) {
    send_(event->text);
    return false;
  }
  const auto known = sent_.find(event->stream);
  if (known != sent_.end() && event->position <= known->second) return false;
  const auto before = known == sent_.end() ? 0 : known->second;
  const bool is_live = !event->text.empty();
  if (is_live && event->position == before + 1 && !holding_ && !wanted_.contains(event->stream)) {
    if (before == 0) first_.emplace(event->stream, event->position);
    send_(event->text);
    sent_[event->stream] = event->position;
    return false;
  }
  auto& wanted = wanted_[event->stream];
  if (!is_live && known != sent_.end() && wanted.position < event->position) ++app_.metrics.healed;
  wanted.position = std::max(wanted.position, event->position);
  if (is_live)
    wanted.live = wanted.live == 0 ? event->position : std::min(wanted.live, event->position);
  return !holding_;
}

bool Feed::release() {
  holding_ = false;
  return !wanted_.empty();
}

asio::awaitable<void> Feed::catch_up() {
  while (!wanted_.empty()) {
    const auto stream = wanted_.begin()->first;
    co_await fill(stream);
  }
}

// Reads on until what is wanted has been sent; events heard meanwhile only raise the mark.
asio::awaitable<void> Feed::fill(std::string stream) {
  const auto id = from_text<ConversationId>(stream);
  if (!sent_.contains(stream)) co_await first_contact(stream, wanted_[stream]);
  while (sent_[stream] < wanted_[stream].position) {
    const auto after = sent_[stream];
    const auto events = co_await app_.db.read([&](Tx& tx) {
      return conversations::log_of(tx, identity::merchant_of(tx, id.uuid), id, after, kChunk);
    });
    if (events.empty()) break;
    send_all(stream, rendered(events));
  }
  wanted_.erase(stream);
}

// The first event of a conversation that the client has not named: it gets what was written since
// it connected, for another event may have overtaken that one on its way here. What was not heard
// of live may be older, and is not news then.
asio::awaitable<void> Feed::first_contact(std::string stream, Wanted wanted) {
  const auto id = from_text<ConversationId>(stream);
  const auto upto = wanted.position;
  const auto events = co_await app_.db.read([&](Tx& tx) {
    const auto merchant = identity::merchant_of(tx, id.uuid);
    return conversations::log_since(tx, merchant, id, upto + 1, since_, kFirstMax);
  });
  if (sent_.contains(stream)) co_return;
  auto before = wanted.live > 0 ? wanted.live - 1 : upto;
  if (!events.empty()) before = std::min(before, events.front().seq - 1);
  sent_[stream] = before;
  first_.emplace(stream, before + 1);
  const bool is_next = !events.empty() && events.front().seq == before + 1;
  if (is_next) send_all(stream, rendered(events));  // else the log is read on from there
}

void Feed::send_all(const std::string& stream, const std::vector<bus::EventPtr>& events) {
  for (const auto& event : events) {
    if (event->position <= sent_[stream]) continue;
    send_(event->text);
    sent_[stream] = event->position;
  }
}

// What comes after the client's position; where live events went out before it told us, only up to
// them.
void Feed::send_missed(const std::string& stream, std::int64_t position,
                       const std::vector<bus::EventPtr>& events) {
  const auto first = first_.find(stream);
  if (first == first_.end()) {
    auto& sent = sent_[stream];
    sent = std::max(sent, position);
    return send_all(stream, events);
  }
  for (const auto& event : events)
    if (event->position < first->second) send_(event->text);
  first->second = std::min(first->second, position + 1);
}

asio::awaitable<Feed::Starts> Feed::starts_of(const identity::Who& who, const Frame& frame) {
  co_return co_await app_.db.read([&](Tx& tx) {
    Starts starts;
    std::vector<ConversationId> named;
    for (const auto& [id, position] : frame.positions) named.push_back(id);
    std::map<ConversationId, conversations::Seat> seats;
    for (const auto& seat : conversations::seats_of(tx, who, named))
      seats.emplace(seat.conversation, seat);
    for (const auto& [id, position] : frame.positions) {
      const auto found = seats.find(id);
      if (found == seats.end()) {
        starts.list.push_back({id, {}, position, 0, 0, false});
        continue;
      }
      const auto& seat = found->second;
      starts.list.push_back({id, seat.merchant, position, seat.last_seq, seat.forgotten_seq, true});
    }
    if (!frame.since) return starts;
    auto active = conversations::active_since(tx, who, *frame.since - kSlack, kSinceMax + 1,
                                              app_.config.socket_resume_max + 2);
    starts.is_complete = active.size() <= kSinceMax;
    if (!starts.is_complete) active.pop_back();
    for (const auto& missed : active)
      if (!frame.positions.contains(missed.id))
        starts.list.push_back(
            {missed.id, missed.merchant_id, missed.position, missed.last_seq, 0, true});
    return starts;
  });
}

asio::awaitable<std::vector<bus::EventPtr>> Feed::missed(const Start& start, std::int64_t most) {
  // Most who come back have missed nothing.
  if (start.position == start.last) co_return std::vector<bus::EventPtr>{};
  if (app_.recent != nullptr) {
    auto events = app_.recent->between(text_of(start.id), start.position, start.last);
    if (!events.empty()) {
      ++app_.metrics.from_memory;
      co_return events;
    }
  }
  const auto events = co_await app_.db.read([&](Tx& tx) {
    return conversations::log_of(tx, start.merchant, start.id, start.position, most);
  });
  co_return rendered(events);
}

asio::awaitable<Json> Feed::resume(const identity::Who& who, const Frame& frame) {
  const auto starts = co_await starts_of(who, frame);
  Json told = Json::array();
  // What a client asks for must not make it a slow reader.
  auto room = static_cast<std::size_t>(app_.config.socket_queue_max_bytes) / 2;
  for (const auto& start : starts.list) {
    const auto name = text_of(start.id);
    if (!start.exists) {
      told.push_back({{"conversation", name}, {"recovered", false}, {"position", 0}});
      continue;
    }
    const auto most = app_.config.socket_resume_max;
    // What the client lacks may have been deleted for good.
    const bool gone = start.position < start.forgotten;
    std::vector<bus::EventPtr> events;
    // Where there is no room left it is not read either.
    const bool is_full = room == 0 && start.position != start.last;
    if (!gone && !is_full) events = co_await missed(start, most + 1);
    const bool ahead = start.position > start.last;
    const auto bytes = bytes_of(events);
    const bool fits = static_cast<std::int64_t>(events.size()) <= most && bytes <= room;
    const bool recovered = fits && !is_full && !ahead && !gone;
    if (recovered) room -= bytes;
    // What was read in vain counts too: a client cannot have us read log after log.
    else
      room -= std::min(room, bytes);
    if (recovered) {
      send_missed(name, start.position, events);
    } else {
      // Too much to push: the client pages the log up to here, and live events go on behind it.
      sent_[name] = std::max(sent_[name], start.last);
    }
    told.push_back({{"conversation", name}, {"recovered", recovered}, {"position", sent_[name]}});
  }
  co_return Json{{"conversations", told}, {"complete", starts.is_complete}};
}

}  // namespace bottega::gateway
