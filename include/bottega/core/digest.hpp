#pragma once
// Hashes, random bytes and comparisons that do not tell by their time how far they got.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bottega {

std::array<std::uint8_t, 32> sha256(std::string_view text);  // FIPS 180-4
std::string sha256_hex(std::string_view text);
// The same of what comes piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void add(std::string_view piece);
  std::string hex();  // once, at the end

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};
std::string hmac_sha256(std::string_view key, std::string_view text);  // RFC 2104, 32 bytes
std::string hmac_sha256_hex(std::string_view key, std::string_view text);
// Bytes in lower-case hexadecimal.
std::string hex_of(std::span<const unsigned char> bytes);
bool constant_time_equal(std::string_view a, std::string_view b);
// From the operating system's generator; throws Error(internal) where it fails.
void fill_random(std::span<std::byte> out);
// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);
// A secret that cannot be guessed, in base64url.
std::string random_token(std::size_t bytes);

}  // namespace bottega
