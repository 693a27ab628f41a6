#pragma once
// scripts/bench sale: whole sales in a large database, beside the same ones in an empty one.
#include <string>
#include <vector>

namespace bottega::bench {

struct SaleBench {
  std::string binary, scripts;
  std::int64_t products = 100'000, orders = 100'000;
  std::vector<int> buyers = {8, 32};
  double seconds = 10;
};
// Throws where a sale is refused or the books do not balance in the end.
void measure_sale(const SaleBench& bench);

}  // namespace bottega::bench
