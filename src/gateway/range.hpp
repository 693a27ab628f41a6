#pragma once
// Which bytes a client asks for (RFC 9110, 14): one range at a time.
#include <cstdint>
#include <optional>
#include <string_view>

namespace bottega::gateway {

struct ByteRange {
  std::uint64_t first = 0, last = 0;  // both included
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeKind : std::uint8_t {
  whole,  // no Range, one that is not understood, or several: the whole is answered
  part,
  unsatisfiable,  // 416
};

struct Ranged {
  RangeKind kind = RangeKind::whole;
  ByteRange range;
};

// `range` and `if_range` are the fields' values or empty; a Range holds only where If-Range names
// the strong `etag` of what there is now (13.1.5).
Ranged read_range(std::string_view range, std::string_view if_range, std::string_view etag,
                  std::uint64_t size);

}  // namespace bottega::gateway
