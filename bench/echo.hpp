#pragma once
// The floor of what a WebSocket server can cost: Beast's own, which sends back what it gets.
#include <cstdint>

namespace bottega::bench {

// Serves on a free port of the loopback until the process ends; prints "echo PORT".
int serve_echo();

}  // namespace bottega::bench
