#pragma once
// The one place where a failure becomes an answer: RFC 9457 problem documents.
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// `base` is the server's own public URL: the type of a problem is a page that it serves.
Reply problem(const Error& error, const std::string& request_id, const std::string& base);

// The Error behind any exception; what is not an Error is logged and becomes `internal` without
// details.
Error error_of(std::exception_ptr failure, const std::string& request_id);

}  // namespace bottega::gateway
