#include "bottega/core/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "core/openssl.hpp"
#include "bottega/core/error.hpp"

namespace bottega {
namespace {

using openssl::bytes_of;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

[[noreturn]] void failed() { throw Error(Code::internal, "SHA-256 failed"); }

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view text) {
  std::array<std::uint8_t, 32> sum{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_sha256(), nullptr) != 1) failed();
  return sum;
}

std::string sha256_hex(std::string_view text) { return hex_of(sha256(text)); }

struct Sha256Stream::Context {
  openssl::Digest digest{EVP_MD_CTX_new()};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  const auto& digest = context_->digest;
  if (!digest || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1) failed();
}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::add(std::string_view piece) {
  if (EVP_DigestUpdate(context_->digest.get(), piece.data(), piece.size()) != 1) failed();
}

std::string Sha256Stream::hex() {
  std::array<unsigned char, 32> sum{};
  if (EVP_DigestFinal_ex(context_->digest.get(), sum.data(), nullptr) != 1) failed();
  return hex_of(sum);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string sum(32, '\0');
  unsigned size = 0;
  // A view of nothing has no address, and the library takes that for a missing key.
  const char* const begin = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), begin, static_cast<int>(key.size()), bytes_of(text), text.size(),
           bytes_of(sum), &size) == nullptr)
    throw Error(Code::internal, "HMAC failed");
  return sum;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  const auto sum = hmac_sha256(key, text);
  return hex_of({bytes_of(sum), sum.size()});
}

std::string hex_of(std::span<const unsigned char> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace {

void draw_random(std::span<std::byte> out) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
    throw Error(Code::internal, "no random bytes");
}

}  // namespace

// Drawn in larger pieces, for a draw costs more than its bytes. What is handed out is wiped.
void fill_random(std::span<std::byte> out) {
  thread_local std::array<std::byte, 1'024> pool;
  thread_local std::size_t left = 0;
  if (out.size() > pool.size() / 4) return draw_random(out);
  if (left < out.size()) {
    draw_random(pool);
    left = pool.size();
  }
  left -= out.size();
  const auto piece = std::span(pool).subspan(left, out.size());
  std::ranges::copy(piece, out.begin());
  std::ranges::fill(piece, std::byte{0});
}

std::string base64url(std::string_view bytes) {
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kAlphabet[(bits >> (count - 6)) & 63];
  }
  if (count > 0) out += kAlphabet[(bits << (6 - count)) & 63];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == kAlphabet.npos) return std::nullopt;
    bits = (bits << 6) | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 255);
    }
  }
  // What is left over must be padding bits of zero: one text for each value.
  if (count >= 6 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

std::string random_token(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill_random(std::as_writable_bytes(std::span(raw.data(), raw.size())));
  return base64url(raw);
}

}  // namespace bottega
