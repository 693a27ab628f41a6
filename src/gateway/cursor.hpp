#pragma once
// Cursors of lists: a position, tied to the list and the caller that it was made for.
#include <string>
#include <string_view>

#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

std::string sealed_cursor(const Request& request, std::string_view position);
// The position; throws Error(bad_cursor) unless it came from this list and this caller.
std::string position_of_cursor(const Request& request, std::string_view cursor);

}  // namespace bottega::gateway
