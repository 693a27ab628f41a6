#pragma once
// What the contract says of what stands in an address behind the question mark.
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// Adds the route's query parameters, as OpenAPI describes them.
void add_query_parameters(Json& out, const Route& route);

}  // namespace bottega::gateway
