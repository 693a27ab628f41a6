#pragma once
// The numbers of the events that a socket gets, and those that it should have got.
#include <cstdint>
#include <vector>

#include "support/http.hpp"

namespace bottega::test {

// The next events of a conversation, as far as the sequence number.
inline std::vector<std::int64_t> seqs_upto(Socket& socket, std::int64_t last) {
  std::vector<std::int64_t> seqs;
  while (seqs.empty() || seqs.back() < last) {
    const auto event = socket.event();
    if (event.contains("seq")) seqs.push_back(event["seq"]);
  }
  return seqs;
}

inline std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> seqs;
  for (auto seq = first; seq <= last; ++seq) seqs.push_back(seq);
  return seqs;
}

}  // namespace bottega::test
