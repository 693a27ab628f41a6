#pragma once
// scripts/bench writers: ways to write messages into the log, side by side on one database.
#include <string>

namespace bottega::bench {

void measure_writers(const std::string& binary, int pairs, double seconds);

}  // namespace bottega::bench
