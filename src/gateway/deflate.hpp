#pragma once
// permessage-deflate (RFC 7692) for what goes out: each message by itself, so that a socket keeps
// no window and one compressor serves all sockets of a thread.
#include <string>
#include <string_view>

namespace bottega::gateway {

constexpr int kDeflateWindowBits = 12;

// Whether the extension's parameters, as they were agreed on, let us compress with our window.
bool may_deflate(std::string_view extensions);

// The payload of a frame with RSV1 set (RFC 7692, 7.2.1).
std::string deflated(std::string_view message);

}  // namespace bottega::gateway
