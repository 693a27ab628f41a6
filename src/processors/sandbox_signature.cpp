// What the sandbox sends is signed, and read again only where the signature is genuine.
#include <algorithm>

#include "processors/sandbox_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::processors {
namespace {

constexpr std::int64_t kToleranceSeconds = 300;

[[noreturn]] void forged() {
  throw Error(Code::forbidden, "the signature of this message is not genuine");
}

struct Signature {
  std::optional<std::int64_t> at_s;
  std::vector<std::string_view> sums;
};

Signature parse_signature(std::string_view text) {
  Signature signature;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.starts_with("t=")) {
      if (signature.at_s) forged();
      signature.at_s = Form<std::int64_t>::parse(part.substr(2));
      if (!signature.at_s) forged();
    } else if (part.starts_with("v1=")) {
      signature.sums.push_back(part.substr(3));
    }
  }
  return signature;
}

// Missing in the news of a sandbox that knew of no fees.
std::optional<std::int64_t> fee_in(const Json& event) {
  std::optional<std::int64_t> fee;
  Faults faults;
  if (event.contains("fee")) read_json(event["fee"], fee, "/fee", faults);
  if (!faults.empty()) throw Error(Code::malformed, "the event's fee is no number");
  return fee;
}

// Missing in the news of a sandbox that did not say what has moved.
std::optional<Money> amount_in(const Json& event) {
  std::optional<Money> amount;
  Faults faults;
  if (event.contains("amount")) read_json(event["amount"], amount, "/amount", faults);
  if (!faults.empty()) throw Error(Code::malformed, "the event's amount is no money");
  return amount;
}

}  // namespace

std::string sign_webhook(const Secret& secret, std::string_view body, std::int64_t at_s) {
  const auto at = std::to_string(at_s);
  return "t=" + at + ",v1=" + hmac_sha256_hex(secret.reveal(), at + '.' + std::string(body));
}

void verify_webhook(const Secret& secret, std::string_view body, std::string_view signature,
                    std::int64_t now) {
  if (secret.empty()) forged();
  const auto parsed = parse_signature(signature);
  // Bounds, not a difference: the sender chooses the time, and the farthest would overflow.
  const bool fresh = parsed.at_s && *parsed.at_s >= now - kToleranceSeconds &&
                     *parsed.at_s <= now + kToleranceSeconds;
  if (!fresh) forged();
  const auto genuine =
      hmac_sha256_hex(secret.reveal(), std::to_string(*parsed.at_s) + '.' + std::string(body));
  const bool found = std::ranges::any_of(
      parsed.sums, [&](std::string_view sum) { return constant_time_equal(sum, genuine); });
  if (!found) forged();
}

Event read_event(std::string_view body) {
  const auto json = parse_json(body);
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string())
      throw Error(Code::malformed, "the event has no " + std::string(name));
    auto word = found->get<std::string>();
    if (word.find('\0') != word.npos)
      throw Error(Code::malformed, "the event's " + std::string(name) + " is no text");
    return word;
  };
  if (!json.is_object()) throw Error(Code::malformed, "the event is not an object");
  Event event{text("id"),
              from_text<Operation>(text("operation"), Code::malformed),
              text("key"),
              {from_text<Verdict>(text("verdict"), Code::malformed),
               text("reference"),
               text("reason"),
               text("action_url"),
               {},
               fee_in(json),
               amount_in(json)}};
  if (const auto dispute = json.find("dispute"); dispute != json.end())
    event.dispute = from_json<DisputeNews>(*dispute);
  if (event.dispute.has_value() != (event.operation == Operation::dispute))
    throw Error(Code::malformed, "an event about a dispute says how that stands");
  return event;
}

}  // namespace bottega::processors
