#pragma once
// The contract of the WebSocket, generated from the table of events.
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

enum class Durable : std::uint8_t { no, yes };

struct EventRow {
  std::string_view name;
  Durable durable;
  std::string_view summary;
  std::string_view member;  // of the data, beside id and author
  SchemaOf schema;          // of that member
};
std::span<const EventRow> event_rows();

// An AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0).
Json asyncapi(const std::string& host);

}  // namespace bottega::gateway
