#pragma once
// Many transfers at once among few wallets, beside pgbench's TPC-B on the same database.
#include <string>

namespace bottega::bench {

// Throws where money was made or lost, a balance is below zero, or somebody was shown a failure.
void measure_transfers(const std::string& binary, double seconds, bool json);

}  // namespace bottega::bench
