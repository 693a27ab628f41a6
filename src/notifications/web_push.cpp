#include "notifications/web_push.hpp"

#include <array>

#include "core/openssl.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/error.hpp"
#include "bottega/core/json.hpp"

namespace bottega::notifications {
namespace {

using namespace std::chrono_literals;
using openssl::bytes_of;

constexpr std::size_t kPaddingStep = 512;
constexpr std::size_t kSaltSize = 16, kKeySize = 16, kNonceSize = 12, kTagSize = 16;
constexpr auto kSignatureLife = std::chrono::hours(12);  // RFC 8292, 2: at most 24 h
constexpr std::size_t kSignaturesMax = 1'000;

void require(bool fine, const char* what) {
  if (!fine) throw Error(Code::internal, std::string(what) + " failed");
}

// RFC 5869 for at most 32 bytes.
std::string expand(std::string_view pseudo_random_key, std::string info, std::size_t size) {
  info += '\x01';
  return hmac_sha256(pseudo_random_key, info).substr(0, size);
}

// The text sealed with AES-128-GCM, the tag at its end.
std::string seal(std::string_view key, std::string_view nonce, std::string_view text) {
  const std::unique_ptr<EVP_CIPHER_CTX, openssl::Freed<EVP_CIPHER_CTX_free>> context(
      EVP_CIPHER_CTX_new());
  std::string out(text.size() + kTagSize, '\0');
  int size = 0, rest = 0;
  require(context && EVP_EncryptInit_ex2(context.get(), EVP_aes_128_gcm(), bytes_of(key),
                                         bytes_of(nonce), nullptr) == 1,
          "AES-GCM");
  require(EVP_EncryptUpdate(context.get(), bytes_of(out), &size, bytes_of(text),
                            static_cast<int>(text.size())) == 1,
          "AES-GCM");
  require(EVP_EncryptFinal_ex(context.get(), bytes_of(out) + size, &rest) == 1, "AES-GCM");
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                              bytes_of(out) + text.size()) == 1,
          "AES-GCM");
  return out;
}

std::size_t padding_of(std::size_t size) {
  const auto padded = (size / kPaddingStep + 1) * kPaddingStep;
  return std::min(padded, kPlaintextMax) - size;
}

}  // namespace

std::string encrypt_with(const Receiver& receiver, std::string_view text, const KeyPair& key,
                         std::string_view salt, std::size_t padding) {
  if (text.size() + padding > kPlaintextMax)
    throw Error(Code::invalid, "the notification is too long");
  // RFC 8291, 3.4.
  const auto mixed = hmac_sha256(receiver.auth, key.shared_secret(receiver.public_key));
  using namespace std::string_literals;
  const auto material =
      expand(mixed, "WebPush: info\0"s + receiver.public_key + key.public_key(), 32);
  // RFC 8188, 2.2 and 2.3, for its one record.
  const auto root = hmac_sha256(salt, material);
  const auto content_key = expand(root, "Content-Encoding: aes128gcm\0"s, kKeySize);
  const auto nonce = expand(root, "Content-Encoding: nonce\0"s, kNonceSize);
  std::string body(salt);
  body += "\0\0\x10\0"s;  // the record's size: 4,096
  body += static_cast<char>(key.public_key().size());
  body += key.public_key();
  return body + seal(content_key, nonce, std::string(text) + '\x02' + std::string(padding, '\0'));
}

std::string encrypt(const Receiver& receiver, std::string_view text) {
  if (text.size() > kPlaintextMax) throw Error(Code::invalid, "the notification is too long");
  std::array<std::byte, kSaltSize> salt{};
  fill_random(salt);
  const std::string_view salt_text(reinterpret_cast<const char*>(salt.data()), salt.size());
  return encrypt_with(receiver, text, KeyPair::make(), salt_text, padding_of(text.size()));
}

namespace {

Secret scalar_of(const Secret& private_key) {
  const auto bytes = from_base64url(private_key.reveal());
  if (!bytes || bytes->size() != 32)
    throw Error(Code::internal, "push.vapid_private_key is no key: see `bottega vapid-keys`");
  return Secret(*bytes);
}

}  // namespace

Vapid::Vapid(const Secret& private_key, std::string subject)
    : key_(scalar_of(private_key)), subject_(std::move(subject)) {
  if (!subject_.starts_with("mailto:") && !subject_.starts_with("https:"))
    throw Error(Code::internal, "push.vapid_subject must be a mailto: or https: address");
}

std::string Vapid::public_key() const { return base64url(key_.public_key()); }

std::string Vapid::authorization(const std::string& origin, Instant now) {
  const std::lock_guard lock(mutex_);
  if (const auto known = signed_.find(origin); known != signed_.end() && known->second.until > now)
    return known->second.value;
  if (signed_.size() >= kSignaturesMax) signed_.clear();
  const auto ends = std::chrono::floor<std::chrono::seconds>(now + kSignatureLife);
  const Json claims = {
      {"aud", origin}, {"exp", ends.time_since_epoch().count()}, {"sub", subject_}};
  const auto text = base64url(R"({"typ":"JWT","alg":"ES256"})") + '.' + base64url(claims.dump());
  auto value = "vapid t=" + text + '.' + base64url(key_.sign_es256(text)) + ", k=" + public_key();
  signed_[origin] = {value, now + kSignatureLife / 2};
  return value;
}

}  // namespace bottega::notifications
