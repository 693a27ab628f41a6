#pragma once
// The contract, generated from the rows that dispatch and the types that validate.
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0).
Json openapi(std::span<const Route> routes, const std::string& server_url);

}  // namespace bottega::gateway
