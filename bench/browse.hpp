#pragma once
// scripts/bench browse: looking through large shops at a given rate.
#include <string>

namespace bottega::bench {

struct BrowseBench {
  std::string binary;
  std::int64_t products = 100'000;
  double per_second = 200, seconds = 30;
};
void measure_browse(const BrowseBench& bench);

}  // namespace bottega::bench
