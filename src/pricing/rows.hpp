#pragma once
// What the operations on a shop's rules share.
#include "bottega/pricing/settings.hpp"

namespace bottega::pricing {

// Whoever else changes this shop's rules or codes waits for the end of the transaction. First of
// all in each of them.
void hold_rules(Tx& tx, MerchantId merchant);
// Writes down what sales read, after a change of zones, rates or taxes.
void renew_rules(Tx& tx, MerchantId merchant);

template <class CountType>
std::optional<std::int64_t> number_of(const std::optional<CountType>& given) {
  if (!given) return std::nullopt;
  return given->value;
}

[[noreturn]] inline void not_there() {
  throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

}  // namespace bottega::pricing
