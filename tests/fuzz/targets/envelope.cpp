// What comes from NATS, and the webhooks of the sandbox.
#include "bus/envelope.hpp"
#include "fuzz/fuzz.hpp"
#include "processors/sandbox_rows.hpp"

namespace bottega::fuzz {
namespace {

void check_envelope(std::string_view bytes) {
  const auto envelope = bus::read_envelope(bytes);
  if (!envelope) return;
  auto again = bus::open_envelope(envelope->node, envelope->number);
  for (const auto& parcel : envelope->parcels)
    again += bus::pack(parcel.topics, parcel.event, bus::kEnvelopeMax);
  check(again == bytes, "an envelope has one form");
}

void check_webhook(std::string_view signature, std::string_view body) {
  using namespace processors;
  const Secret secret("a secret");
  const auto verify = [&](std::string_view with, std::int64_t now) {
    return answer_of([&] { return verify_webhook(secret, body, with, now), true; }).has_value();
  };
  check(!verify(signature, 1'700'000'000), "nobody guesses a signature");
  const auto genuine = sign_webhook(secret, body, 1'700'000'000);
  check(verify(genuine, 1'700'000'000), "what we sign is genuine");
  check(!verify(genuine, 1'700'001'000), "for a while");
  answer_of([&] { return read_event(body); });
}

}  // namespace

void run(std::string_view input) {
  check_envelope(input);
  Input in(input);
  const auto signature = in.piece();
  check_webhook(signature, in.rest());
}

}  // namespace bottega::fuzz
