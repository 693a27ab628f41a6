#include "bottega/core/typeid.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>

#include "bottega/core/digest.hpp"

namespace bottega {
namespace {

constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kPrefixMax = 63;

// Milliseconds in the upper 48 bits, a fraction in the lower 12: one number that never repeats.
std::uint64_t next_stamp() {
  static std::atomic<std::uint64_t> last{0};
  using namespace std::chrono;
  const auto ns = static_cast<std::uint64_t>(
      duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
  const std::uint64_t now = ((ns / 1'000'000) << 12) | ((ns % 1'000'000) * 4096 / 1'000'000);
  auto seen = last.load();
  for (;;) {
    const auto next = std::max(now, seen + 1);
    if (last.compare_exchange_weak(seen, next)) return next;
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_prefix(std::string_view text) {
  if (text.size() > kPrefixMax || text.starts_with('_') || text.ends_with('_')) return false;
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

Uuid make_uuid_v7() {
  Uuid uuid;
  fill_random(std::as_writable_bytes(std::span(uuid.bytes)));
  const auto stamp = next_stamp();
  for (std::size_t i = 0; i < 6; ++i)
    uuid.bytes[i] = static_cast<std::uint8_t>(stamp >> (52 - 8 * i));
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70 | ((stamp >> 8) & 0x0f));
  uuid.bytes[7] = static_cast<std::uint8_t>(stamp);
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80 | (uuid.bytes[8] & 0x3f));
  return uuid;
}

Uuid least_uuid_v7(Instant at) {
  using namespace std::chrono;
  constexpr std::int64_t kMost = (std::int64_t{1} << 48) - 1;
  const auto ms = floor<milliseconds>(at).time_since_epoch().count();
  const auto stamp = static_cast<std::uint64_t>(std::clamp<std::int64_t>(ms, 0, kMost));
  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i)
    uuid.bytes[i] = static_cast<std::uint8_t>(stamp >> (40 - 8 * i));
  uuid.bytes[6] = 0x70;
  uuid.bytes[8] = 0x80;
  return uuid;
}

Instant made_at(const Uuid& uuid) {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | uuid.bytes[i];
  return Instant{std::chrono::milliseconds(ms)};
}

std::string uuid_text(const Uuid& uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    out[at++] = kHex[uuid.bytes[i] >> 4];
    out[at++] = kHex[uuid.bytes[i] & 15];
  }
  return out;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    auto& byte = uuid.bytes[digit / 2];
    byte = static_cast<std::uint8_t>(byte * 16 + value);
    ++digit;
  }
  return uuid;
}

// 128 bits in 26 characters of 5: the first has only 3.
std::string typeid_suffix(const Uuid& uuid) {
  std::string out(26, '0');
  std::size_t at = 0;
  unsigned bits = 0, count = 2;  // two leading zero bits make 130
  for (const auto byte : uuid.bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) out[at++] = kBase32[(bits >> (count - 5)) & 31];
  }
  return out;
}

std::optional<Uuid> parse_typeid_suffix(std::string_view text) {
  if (text.size() != 26 || text.front() > '7') return std::nullopt;
  Uuid uuid;
  unsigned bits = 0, count = 0;
  std::size_t byte = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = kBase32.find(text[i]);
    if (value == kBase32.npos) return std::nullopt;
    bits = (bits << 5) | static_cast<unsigned>(value);
    count += i == 0 ? 3 : 5;
    if (count >= 8) {
      count -= 8;
      uuid.bytes[byte++] = static_cast<std::uint8_t>(bits >> count);
    }
  }
  return uuid;
}

std::optional<TypeId> parse_typeid(std::string_view text) {
  const auto underscore = text.rfind('_');
  const bool has_prefix = underscore != text.npos;
  const auto prefix = has_prefix ? text.substr(0, underscore) : std::string_view{};
  if (has_prefix && (prefix.empty() || !is_prefix(prefix))) return std::nullopt;
  const auto uuid = parse_typeid_suffix(has_prefix ? text.substr(underscore + 1) : text);
  if (!uuid) return std::nullopt;
  return TypeId{std::string(prefix), *uuid};
}

std::string typeid_text(const TypeId& id) {
  return id.prefix.empty() ? typeid_suffix(id.uuid) : id.prefix + '_' + typeid_suffix(id.uuid);
}

}  // namespace bottega
