#include "load.hpp"

#include <algorithm>
#include <cstdio>

#include "process.hpp"

namespace bottega::bench {

Json summary_of(Times times) {
  if (times.empty()) return {{"count", 0}};
  std::ranges::sort(times);
  return {{"count", times.size()},
          {"p50_ms", percentile(times, 0.5)},
          {"p90_ms", percentile(times, 0.9)},
          {"p99_ms", percentile(times, 0.99)},
          {"max_ms", times.back()}};
}

double median_of(Times times) {
  std::ranges::sort(times);
  return percentile(times, 0.5);
}

void say(const std::string& words) { std::fprintf(stderr, "  %s\n", words.c_str()); }

}  // namespace bottega::bench
