#pragma once
// What a test asks of a refusal, and where it does not mind one.
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

// Answers whether it was done. What the domain refuses in the state that it is in is no fault;
// anything else is.
template <class Act>
bool attempt(
    Act&& act, bool (*is_refusal)(Code) = [](Code code) {
      return code == Code::conflict || code == Code::invalid;
    }) {
  try {
    act();
  } catch (const Error& error) {
    if (!is_refusal(error.code())) throw;
    return false;
  }
  return true;
}

}  // namespace bottega::test
