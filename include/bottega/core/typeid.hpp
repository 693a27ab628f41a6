#pragma once
// UUIDv7 (RFC 9562, 5.7) and its TypeID text (https://github.com/jetify-com/typeid, specification
// 0.3.0).
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bottega/core/instant.hpp"

namespace bottega {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// A new id that sorts after every earlier one of this process: milliseconds, a fraction kept
// rising, and 62 random bits. Safe from any thread.
Uuid make_uuid_v7();
// The least that can be made from this instant on, by the machine's time: what is older sorts
// before it.
Uuid least_uuid_v7(Instant at);
// The millisecond in which make_uuid_v7() made it (RFC 9562, section 5.7).
Instant made_at(const Uuid& uuid);
// 8-4-4-4-12 in lower case, as PostgreSQL writes it.
std::string uuid_text(const Uuid& uuid);
std::optional<Uuid> parse_uuid(std::string_view text);

// 26 characters of lower-case base 32; the parser takes nothing else.
std::string typeid_suffix(const Uuid& uuid);
std::optional<Uuid> parse_typeid_suffix(std::string_view text);

struct TypeId {
  std::string prefix;
  Uuid uuid;
};
std::optional<TypeId> parse_typeid(std::string_view text);
std::string typeid_text(const TypeId& id);

}  // namespace bottega
