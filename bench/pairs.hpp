#pragma once
// People who have something to say to each other.
#include <string>
#include <vector>

#include "process.hpp"

namespace bottega::bench {

struct Pair {
  std::string owner_token, buyer_token, conversation;
};

// Signs up an owner and a buyer each, with a shop of its own for every buyer, so that nobody hears
// what is not for them.
std::vector<Pair> make_pairs(const Server& server, int count);

}  // namespace bottega::bench
