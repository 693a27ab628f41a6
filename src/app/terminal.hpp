#pragma once
// What the program asks at a terminal, or of a server that runs.
#include "bottega/core/config.hpp"

namespace bottega {

// Reads a line without showing it; from a pipe, just a line.
Secret read_password(const std::string& prompt);
// Whether the server of these settings answers /readyz with 200.
bool is_ready(const Config& config);

}  // namespace bottega
