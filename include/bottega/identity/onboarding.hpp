#pragma once
// What a processor decides about a merchant, where its news was lost: it is asked.
#include <boost/asio/awaitable.hpp>

#include "bottega/identity/merchants.hpp"
#include "bottega/processors/processor.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::identity {

namespace asio = boost::asio;

// None as long as it has not decided.
std::optional<Onboarding> decision_of(processors::Verdict verdict);

// Asks about the merchants who wait for a decision, each once a day; several nodes share the work.
// Whoever cannot be asked now is asked the next day.
asio::awaitable<void> ask_onboarding(Database& db, const processors::Registry& registry);

}  // namespace bottega::identity
