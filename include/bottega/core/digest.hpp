#pragma once
// Hashes, random bytes and comparisons that do not tell by their time how far they got.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bottega {

std::array<std::uint8_t, 32> sha256(std::string_view text);  // FIPS 180-4
std::string sha256_hex(std::string_view text);
std::string hmac_sha256_hex(std::string_view key, std::string_view text);  // RFC 2104
bool constant_time_equal(std::string_view a, std::string_view b);
// From the operating system's generator; throws Error(internal) where it fails.
void fill_random(std::span<std::byte> out);
// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);
// A secret that cannot be guessed, in base64url.
std::string random_token(std::size_t bytes);

}  // namespace bottega
