#include "gateway/event_mark.hpp"

#include <algorithm>

#include "bottega/core/digest.hpp"

namespace bottega::gateway {
namespace {

using conversations::ConversationId;

constexpr std::size_t kSealSize = 8, kTextMax = 8'192;

std::string seal_of(std::string_view actor) {
  return sha256_hex("events " + std::string(actor)).substr(0, kSealSize);
}

[[noreturn]] void refuse() {
  throw Error(Code::bad_cursor, "take Last-Event-ID from an event of this stream");
}

// The next word, up to a space.
std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

// "<seal>2026-03-01T12:00:00Z conv_…:41 conv_…:7", in base64url.
std::string mark_text(const Mark& mark, std::string_view actor) {
  std::string text = seal_of(actor) + text_of(mark.since);
  for (const auto& [id, position] : mark.positions)
    text += ' ' + text_of(id) + ':' + std::to_string(position);
  return base64url(text);
}

Mark read_mark(std::string_view given, std::string_view actor) {
  const auto bytes = given.size() > kTextMax ? std::nullopt : from_base64url(given);
  if (!bytes || !bytes->starts_with(seal_of(actor))) refuse();
  auto text = std::string_view(*bytes).substr(kSealSize);
  Mark mark;
  mark.since = from_text<Instant>(take_word(text), Code::bad_cursor);
  if (mark.since < Instant{}) refuse();
  while (!text.empty()) {
    const auto word = take_word(text);
    const auto colon = std::min(word.find(':'), word.size());
    const auto id = Form<ConversationId>::parse(word.substr(0, colon));
    const auto position = Form<std::int64_t>::parse(word.substr(std::min(colon + 1, word.size())));
    if (!id || !position || *position < 0 || mark.positions.size() == kMarkPositionsMax ||
        !mark.positions.emplace(*id, *position).second)
      refuse();
  }
  return mark;
}

std::optional<Mark> resumed_from(const Request& request, const identity::Who& who) {
  const auto id = request.header("last-event-id");
  if (id.empty()) return std::nullopt;
  return read_mark(id, who.actor());
}

bool is_event_stream(const Reply& reply) {
  return reply.status == 200 && reply.media_type == kEventStream;
}

void Trail::sent(ConversationId id, std::int64_t position, Instant at) {
  if (!mark_.positions.contains(id) && mark_.positions.size() == kMarkPositionsMax) {
    // Whoever comes back gets some of this one's events again: better than not at all.
    const auto oldest = std::ranges::min_element(mark_.positions, {},
                                                 [&](const auto& one) { return at_[one.first]; });
    at_.erase(oldest->first);
    mark_.positions.erase(oldest);
  }
  mark_.positions[id] = position;
  at_[id] = std::max(at_[id], at);
}

void Trail::settled(Instant upto) {
  mark_.since = std::max(mark_.since, upto);
  std::erase_if(mark_.positions, [&](const auto& one) { return at_[one.first] < mark_.since; });
  std::erase_if(at_, [&](const auto& one) { return !mark_.positions.contains(one.first); });
}

}  // namespace bottega::gateway
