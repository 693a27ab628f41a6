#pragma once
// Who takes which part in a case, and how they speak.
#include "support/rows.hpp"

namespace bottega::support {

enum class Part : std::uint8_t { asker, desk };

// Throws Error(not_found) for strangers. Of a shop's own case all its members are who asks.
Part part_of(Tx& tx, const Who& who, const Row& row, identity::Scope scope);
SupportCase seen_by(Part part, const Row& row);
[[noreturn]] void refuse_files();

// A message of the conversation, like any other: it can be edited, taken back and found.
void say(Tx& tx, const Row& row, const Speaker& speaker, const std::string& text,
         const std::optional<Files>& files);
// The same of whoever asks, or their line in the thread.
void say_as_asker(Tx& tx, const Row& row, const Who& who, const std::string& text,
                  const std::optional<Files>& files);

}  // namespace bottega::support
