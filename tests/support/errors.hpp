#pragma once
// What a test asks of a refusal.
#include <optional>

#include "bottega/core/error.hpp"

namespace bottega::test {

// What the work was refused with; nothing where it was not.
template <class Work>
std::optional<Code> code_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

}  // namespace bottega::test
