#pragma once
// What Web Push does with keys: a message is encrypted for one browser (RFC 8291, in the coding
// aes128gcm of RFC 8188), and the server signs who it is (VAPID, RFC 8292).
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bottega/core/instant.hpp"
#include "bottega/core/text.hpp"

namespace bottega::notifications {

// RFC 8291, 4: what every push service must take.
inline constexpr std::size_t kBodyMax = 4'096;
// The header of the coding, the delimiter and the tag leave so much of it.
inline constexpr std::size_t kPlaintextMax = kBodyMax - 86 - 1 - 16;

// Whether the bytes are an uncompressed point of P-256.
bool is_public_key(std::string_view bytes);

// A key pair of P-256.
class KeyPair {
 public:
  static KeyPair make();
  // From the private scalar of 32 bytes; throws Error(internal) where it is none.
  explicit KeyPair(const Secret& scalar);
  ~KeyPair();
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;

  const std::string& public_key() const;  // 65 bytes
  Secret scalar() const;                  // 32 bytes
  // ECDH with the point of somebody else.
  std::string shared_secret(std::string_view public_key) const;
  std::string sign_es256(std::string_view text) const;  // r and s, 64 bytes (RFC 7518, 3.4)

 private:
  struct Key;
  explicit KeyPair(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

struct Receiver {
  std::string public_key;  // 65 bytes
  std::string auth;        // 16 bytes
};

// The whole body for the push service. The text is padded to the next step, so that its length
// tells little. Throws Error(invalid) where it is longer than kPlaintextMax.
std::string encrypt(const Receiver& receiver, std::string_view text);
// The same with a given key, salt (16 bytes) and number of zeros behind the text, as the examples
// of the standard have it.
std::string encrypt_with(const Receiver& receiver, std::string_view text, const KeyPair& key,
                         std::string_view salt, std::size_t padding);

// Signs requests to push services; a signature is used again for half of its life.
class Vapid {
 public:
  // The private key in base64url. Throws Error(internal) where it is none, or where the subject is
  // no mailto: or https: address.
  Vapid(const Secret& private_key, std::string subject);

  std::string public_key() const;  // base64url, what browsers subscribe with
  // The value of the Authorization header. `now` is the machine's time.
  std::string authorization(const std::string& origin, Instant now);

 private:
  struct Signed {
    std::string value;
    Instant until{};
  };
  KeyPair key_;
  std::string subject_;
  std::mutex mutex_;                                // owns signed_
  std::unordered_map<std::string, Signed> signed_;  // by origin
};

}  // namespace bottega::notifications
