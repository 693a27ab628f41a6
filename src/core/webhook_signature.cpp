#include "bottega/core/webhook_signature.hpp"

#include <algorithm>

#include "bottega/core/digest.hpp"

namespace bottega {
namespace {

constexpr std::string_view kPrefix = "whsec_", kScheme = "v1,";
constexpr std::size_t kSecretBytes = 32;
constexpr std::int64_t kToleranceSeconds = 300;

[[noreturn]] void forged() {
  throw Error(Code::forbidden, "the signature of this message is not genuine");
}

// The alphabet of RFC 4648, 4, with padding.
std::string base64_of(std::string url) {
  std::ranges::replace(url, '-', '+');
  std::ranges::replace(url, '_', '/');
  url.append((4 - url.size() % 4) % 4, '=');
  return url;
}

std::optional<std::string> from_base64(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return from_base64url(text);
}

std::string key_of(const Secret& secret) {
  std::string text = secret.reveal();
  if (text.starts_with(kPrefix)) text.erase(0, kPrefix.size());
  const auto key = from_base64(std::move(text));
  if (!key || key->empty()) throw Error(Code::invalid, "this is no secret of a webhook");
  return *key;
}

bool is_fresh(std::string_view timestamp, Instant now) {
  const auto at = Form<std::int64_t>::parse(timestamp);
  const auto here = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  // Bounds, not a difference: the sender chooses the time, and the farthest would overflow.
  return at && *at >= here - kToleranceSeconds && *at <= here + kToleranceSeconds;
}

}  // namespace

std::string make_signing_secret() {
  return std::string(kPrefix) + base64_of(random_token(kSecretBytes));
}

std::string signature_of(const Secret& secret, std::string_view id, std::string_view timestamp,
                         std::string_view body) {
  std::string content(id);
  content.append(".").append(timestamp).append(".").append(body);
  return std::string(kScheme) + base64_of(base64url(hmac_sha256(key_of(secret), content)));
}

void require_genuine(const SignedMessage& message, const std::vector<Secret>& secrets,
                     Instant now) {
  if (message.id.empty() || !is_fresh(message.timestamp, now)) forged();
  bool found = false;
  for (const auto& secret : secrets) {
    const auto genuine = signature_of(secret, message.id, message.timestamp, message.body);
    for (std::string_view rest = message.signatures; !rest.empty();) {
      const auto one = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      found |= constant_time_equal(one, genuine);
    }
  }
  if (!found) forged();
}

}  // namespace bottega
