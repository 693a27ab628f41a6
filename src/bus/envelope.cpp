// The bytes between nodes. Every length is checked against what is there before it is believed.
#include "bus/envelope.hpp"

#include <algorithm>

namespace bottega::bus {
namespace {

constexpr std::string_view kMagic = "BTGA\x02";

template <class T>
void put(std::string& out, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

void put_name(std::string& out, const std::string& name) {
  put(out, static_cast<std::uint8_t>(name.size()));
  out += name;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool is_at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  std::string_view bytes(std::size_t count) {
    if (rest_.size() < count) failed_ = true;
    if (failed_) return {};
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : bytes(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string name() { return std::string(bytes(number(1))); }
  std::string rest() const { return std::string(rest_); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. A text frame that is none
// makes a client close its socket.
bool is_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const auto first = at(i);
    const std::size_t more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || text.size() - i <= more) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((at(i + k) & 0xC0) != 0x80) return false;
    const auto second = more == 0 ? 0 : at(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return false;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return false;
    i += more + 1;
  }
  return true;
}

// What a node may tell another: a client's frame, the end of a session, a change of membership, or
// that a stream has got further.
bool is_news(const Event& event) {
  if (event.position > 0 && event.text.empty()) return true;
  if (event.position == 0 && (event.text == "end" || event.text == "join")) return true;
  return event.text.starts_with('{') && is_utf8(event.text);
}

std::optional<Parcel> read_parcel(std::string_view bytes) {
  Reader in(bytes);
  Parcel parcel;
  const auto topics = in.number(1);
  if (topics == 0 || topics > kTopicsMax) return std::nullopt;
  for (std::uint64_t i = 0; i < topics; ++i) parcel.topics.push_back(in.name());
  parcel.event.stream = in.name();
  const auto position = in.number(8);
  const auto rewrites = in.number(1);
  if (in.failed() || position > INT64_MAX || rewrites > 1) return std::nullopt;
  parcel.event.position = static_cast<std::int64_t>(position);
  parcel.event.rewrites = rewrites == 1;
  parcel.event.text = in.rest();
  if (!is_news(parcel.event)) return std::nullopt;
  return parcel;
}

}  // namespace

std::string open_envelope(const NodeId& node, std::uint64_t number) {
  std::string out(kMagic);
  out.append(node.data(), node.size());
  put(out, number);
  return out;
}

std::string pack(const std::vector<std::string>& topics, const Event& event, std::size_t size_max) {
  const auto is_long = [](const std::string& name) { return name.size() > kNameMax; };
  const bool fits = !topics.empty() && topics.size() <= kTopicsMax && event.position >= 0 &&
                    std::ranges::none_of(topics, is_long) && !is_long(event.stream);
  if (!fits) return {};
  std::string body;
  put(body, static_cast<std::uint8_t>(topics.size()));
  for (const auto& topic : topics) put_name(body, topic);
  put_name(body, event.stream);
  put(body, static_cast<std::uint64_t>(event.position));
  put(body, static_cast<std::uint8_t>(event.rewrites));
  constexpr std::size_t kLength = 4;
  if (body.size() + kLength + event.text.size() <= size_max)
    body += event.text;
  else if (event.position == 0)
    return {};
  std::string out;
  put(out, static_cast<std::uint32_t>(body.size()));
  return out + body;
}

std::optional<Envelope> read_envelope(std::string_view bytes) {
  if (bytes.size() > kEnvelopeMax) return std::nullopt;
  Reader in(bytes);
  if (in.bytes(kMagic.size()) != kMagic) return std::nullopt;
  Envelope envelope;
  const auto node = in.bytes(envelope.node.size());
  envelope.number = in.number(8);
  if (in.failed()) return std::nullopt;
  std::ranges::copy(node, envelope.node.begin());
  while (!in.is_at_end()) {
    const auto length = in.number(4);
    const auto parcel = read_parcel(in.bytes(length));
    if (in.failed() || !parcel) return std::nullopt;
    envelope.parcels.push_back(*parcel);
  }
  return envelope;
}

}  // namespace bottega::bus
