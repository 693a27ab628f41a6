// A chunked body, and byte ranges. However the bytes come, the body is the same; the first byte
// says in which pieces.
#include "gateway/chunked.hpp"
#include "fuzz/fuzz.hpp"
#include "gateway/range.hpp"

namespace bottega::fuzz {
namespace {

using namespace gateway;

constexpr std::size_t kBodyMax = 4'096;

struct Decoded {
  std::string body;
  std::size_t taken = 0;
  bool done = false;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

std::optional<Decoded> decode(std::string_view bytes, std::size_t piece) {
  return answer_of([&] {
    ChunkedDecoder decoder(kBodyMax);
    Decoded out;
    while (!bytes.empty() && !decoder.done()) {
      const auto some = bytes.substr(0, piece);
      const auto taken = decoder.feed(some);
      check(taken == some.size() || decoder.done(), "it takes all until it is done");
      bytes.remove_prefix(taken);
      out.taken += taken;
      out.body += decoder.take();
    }
    out.done = decoder.done();
    return out;
  });
}

std::string encode(std::string_view body, std::size_t piece) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    const auto some = body.substr(0, piece);
    out += kHex[some.size() >> 8 & 15];
    out += kHex[some.size() >> 4 & 15];
    out += kHex[some.size() & 15];
    out.append("\r\n").append(some).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

void check_range(std::string_view range, std::string_view if_range, std::uint64_t size) {
  const auto asked = read_range(range, if_range, "\"etag\"", size);
  if (asked.kind != RangeKind::part) return;
  check(asked.range.first <= asked.range.last && asked.range.last < size, "a part is within");
  const auto told =
      "bytes=" + std::to_string(asked.range.first) + '-' + std::to_string(asked.range.last);
  const auto again = read_range(told, if_range, "\"etag\"", size);
  check(again.kind == RangeKind::part && again.range == asked.range, "a part can be asked for");
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto piece = in.number() + 1;
  const auto bytes = in.rest();
  const auto whole = decode(bytes, bytes.size() + 1);
  check(decode(bytes, piece) == whole && decode(bytes, 1) == whole, "pieces do not matter");
  check(!whole || whole->body.size() <= kBodyMax, "a body is not longer than it may be");
  if (bytes.size() <= kBodyMax) {
    const auto coded = encode(bytes, piece);
    const Decoded back{std::string(bytes), coded.size(), true};
    check(decode(coded, piece) == back, "what is coded decodes to the same");
  }
  const auto range = in.piece();
  check_range(range, in.rest(), piece);
  check_range(range, "", UINT64_MAX);
  check_range(range, "", 0);
}

}  // namespace bottega::fuzz
