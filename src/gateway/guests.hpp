#pragma once
// What a guest (identity/guests.hpp) may do: read, buy and ask for help, and nothing else.
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// A route that is not listed is closed to guests; what is open to anyone is open to them.
bool is_for_guests(const Route& route);

struct ForGuests {
  Verb verb;
  std::string_view path;
};
std::span<const ForGuests> routes_for_guests();

}  // namespace bottega::gateway
