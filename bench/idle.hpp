#pragma once
// scripts/bench idle: what a socket costs that says nothing, and what it costs when all come back
// at once.
#include <string>

namespace bottega::bench {

void measure_idle(const std::string& binary, int sockets, bool is_tls, bool json);

}  // namespace bottega::bench
