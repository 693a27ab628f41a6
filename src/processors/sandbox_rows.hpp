#pragma once
// What the sandbox's files share: the card behaviours and the queue of events.
#include "bottega/processors/sandbox.hpp"

namespace bottega::processors {

enum class Behaviour : std::uint8_t {
  approved,
  declined,
  insufficient_funds,
  confirm,
  no_answer,
  answer_lost,
  slow,
  bank,
};
BOOST_DESCRIBE_ENUM(Behaviour, approved, declined, insufficient_funds, confirm, no_answer,
                    answer_lost, slow, bank)

// Queues a signed event about a movement or an account, in the transaction that changed it.
void queue_event(Tx& tx, Operation operation, const std::string& key, const Outcome& outcome,
                 const std::optional<DisputeNews>& dispute = std::nullopt);
// What became of the answer to a dispute with this key.
Outcome answered_dispute(Tx& tx, const std::string& key);
Event read_event(std::string_view body);

inline constexpr std::string_view kWellKnown = "tok_";

bool passes_luhn(std::string_view digits);
std::optional<Behaviour> behaviour_of_number(std::string_view digits);

}  // namespace bottega::processors
