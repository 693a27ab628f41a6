#pragma once
// Messages that are signed as Standard Webhooks 1.0 has it, with a secret that both sides know:
// https://github.com/standard-webhooks/standard-webhooks.
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/instant.hpp"
#include "bottega/core/text.hpp"

namespace bottega {

// What came with the headers webhook-id, webhook-timestamp and webhook-signature.
struct SignedMessage {
  std::string_view id, timestamp, signatures, body;
};

// "whsec_" and 32 random bytes in base 64.
std::string make_signing_secret();
// One "v1,…" for the header. Throws Error(invalid) for a secret that is none.
std::string signature_of(const Secret& secret, std::string_view id, std::string_view timestamp,
                         std::string_view body);
// Throws Error(forbidden) unless one of the secrets has signed the message within five minutes of
// `now`. How long it takes does not tell how near a forgery came.
void require_genuine(const SignedMessage& message, const std::vector<Secret>& secrets, Instant now);

}  // namespace bottega
