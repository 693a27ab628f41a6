#pragma once
// Who may open a socket, and how it is asked for.
#include "gateway/app.hpp"

namespace bottega::gateway {

inline constexpr std::string_view kProtocol = "bottega.v1";

// Throws the Error that refuses the upgrade.
void check_upgrade(const App& app, const Request& request, const std::string& target);

}  // namespace bottega::gateway
