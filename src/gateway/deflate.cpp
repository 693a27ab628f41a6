#include "gateway/deflate.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <charconv>

#include "bottega/core/error.hpp"

namespace bottega::gateway {
namespace {

namespace zlib = boost::beast::zlib;

constexpr int kLevel = 5, kMemoryLevel = 5;
constexpr std::size_t kMarker = 4;  // what a flush ends with, and the frame leaves out

}  // namespace

bool may_deflate(std::string_view extensions) {
  if (!extensions.starts_with("permessage-deflate")) return false;
  constexpr std::string_view name = "server_max_window_bits=";
  const auto at = extensions.find(name);
  if (at == extensions.npos) return true;
  int bits = 0;
  const auto value = extensions.substr(at + name.size());
  std::from_chars(value.data(), value.data() + value.size(), bits);
  return bits >= kDeflateWindowBits;
}

std::string deflated(std::string_view message) {
  thread_local zlib::deflate_stream stream;
  stream.reset(kLevel, kDeflateWindowBits, kMemoryLevel, zlib::Strategy::normal);
  std::string out(stream.upper_bound(message.size()) + 2 * kMarker, '\0');
  zlib::z_params io;
  io.next_in = message.data();
  io.avail_in = message.size();
  io.next_out = out.data();
  io.avail_out = out.size();
  boost::beast::error_code failed;
  stream.write(io, zlib::Flush::sync, failed);
  if (failed || io.avail_in > 0 || io.total_out < kMarker)
    throw Error(Code::internal, "a message could not be compressed");
  out.resize(io.total_out - kMarker);
  return out;
}

}  // namespace bottega::gateway
