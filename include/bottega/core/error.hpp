#pragma once
// The one way a request fails: an Error with a code from one table. The gateway alone turns it into
// an RFC 9457 problem document; an outcome that the domain expects is a value, not an Error.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bottega {

enum class Code : std::uint8_t {
  malformed,
  bad_cursor,
  idempotency_key_required,
  unauthenticated,
  token_expired,
  declined,
  forbidden,
  not_found,
  method_not_allowed,
  not_acceptable,
  request_timeout,
  conflict,
  in_flight,
  link_expired,
  length_required,
  precondition_failed,
  too_large,
  uri_too_long,
  unsupported_media_type,
  range_not_satisfiable,
  expectation_failed,
  invalid,
  idempotency_key_reused,
  upgrade_required,
  precondition_required,
  rate_limited,
  headers_too_large,
  internal,
  not_implemented,
  processor_failed,
  busy,
  stopping,
  http_version,
  storage_full,
};

// Whether the same request may succeed later without being changed.
enum class Retry : std::uint8_t { never, later };

struct CodeInfo {
  Code code;
  unsigned status;        // HTTP status (RFC 9110)
  std::string_view slug;  // last segment of the problem's type URL, and its `code`
  std::string_view title;
  Retry retry;
};

inline constexpr auto kCodes = std::to_array<CodeInfo>({
    {Code::malformed, 400, "malformed", "The request cannot be read", Retry::never},
    {Code::bad_cursor, 400, "bad_cursor", "This cursor is not one of ours", Retry::never},
    {Code::idempotency_key_required, 400, "idempotency_key_required",
     "An Idempotency-Key is required here", Retry::never},
    {Code::unauthenticated, 401, "unauthenticated", "Who are you?", Retry::never},
    {Code::token_expired, 401, "token_expired", "The access token has expired", Retry::never},
    {Code::declined, 402, "declined", "The payment was declined", Retry::never},
    {Code::forbidden, 403, "forbidden", "You may not do this", Retry::never},
    {Code::not_found, 404, "not_found", "There is no such thing", Retry::never},
    {Code::method_not_allowed, 405, "method_not_allowed", "This method is not offered here",
     Retry::never},
    {Code::not_acceptable, 406, "not_acceptable", "No acceptable form of the answer", Retry::never},
    {Code::request_timeout, 408, "request_timeout", "The request took too long to arrive",
     Retry::later},
    {Code::conflict, 409, "conflict", "Not possible in the present state", Retry::never},
    {Code::in_flight, 409, "in_flight", "The same request is still being worked on", Retry::later},
    {Code::link_expired, 410, "link_expired", "This link has expired", Retry::never},
    {Code::length_required, 411, "length_required", "The length of the body must be known",
     Retry::never},
    {Code::precondition_failed, 412, "precondition_failed", "It has changed since you read it",
     Retry::never},
    {Code::too_large, 413, "too_large", "The request is too large", Retry::never},
    {Code::uri_too_long, 414, "uri_too_long", "The address is too long", Retry::never},
    {Code::unsupported_media_type, 415, "unsupported_media_type",
     "This kind of content is not taken here", Retry::never},
    {Code::range_not_satisfiable, 416, "range_not_satisfiable", "There is nothing in this range",
     Retry::never},
    {Code::expectation_failed, 417, "expectation_failed", "This expectation cannot be met",
     Retry::never},
    {Code::invalid, 422, "invalid", "The request is not valid", Retry::never},
    {Code::idempotency_key_reused, 422, "idempotency_key_reused",
     "This Idempotency-Key belongs to another request", Retry::never},
    {Code::upgrade_required, 426, "upgrade_required", "This address speaks WebSocket",
     Retry::never},
    {Code::precondition_required, 428, "precondition_required", "Say which version you mean",
     Retry::never},
    {Code::rate_limited, 429, "rate_limited", "Too many requests", Retry::later},
    {Code::headers_too_large, 431, "headers_too_large", "The headers are too large", Retry::never},
    {Code::internal, 500, "internal", "Something broke on our side", Retry::later},
    {Code::not_implemented, 501, "not_implemented", "This is not offered", Retry::never},
    {Code::processor_failed, 502, "processor_failed", "The payment processor did not take it",
     Retry::later},
    {Code::busy, 503, "busy", "Try again in a moment", Retry::later},
    {Code::stopping, 503, "stopping", "This server is stopping", Retry::later},
    {Code::http_version, 505, "http_version", "This version of HTTP is not spoken here",
     Retry::never},
    {Code::storage_full, 507, "storage_full", "There is no room for more", Retry::later},
});
static_assert(std::ranges::all_of(kCodes,
                                  [i = 0](const CodeInfo& row) mutable {
                                    return static_cast<int>(row.code) == i++;
                                  }),
              "one row per code, in the order of the enum");

constexpr const CodeInfo& info(Code code) { return kCodes[static_cast<std::size_t>(code)]; }

// One bad field: where it is (RFC 6901 pointer into the body, or the name of a parameter) and what
// is wrong with it. Never holds the offending value: it may be a secret.
struct Fault {
  std::string pointer;
  std::string detail;
  friend bool operator==(const Fault&, const Fault&) = default;
};
using Faults = std::vector<Fault>;

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& detail) : std::runtime_error(detail), code_(code) {}
  Error(Code code, const std::string& detail, Faults faults)
      : std::runtime_error(detail), code_(code), faults_(std::move(faults)) {}

  Error& retry_after(std::chrono::seconds wait) & {
    retry_after_ = wait;
    return *this;
  }
  Error&& retry_after(std::chrono::seconds wait) && {
    retry_after_ = wait;
    return std::move(*this);
  }
  // The value of the Allow header of a 405 (RFC 9110, 15.5.6).
  Error&& allow(std::string methods) && {
    allow_ = std::move(methods);
    return std::move(*this);
  }
  // A short machine-readable reason below the code, such as a processor's decline code.
  Error&& reason(std::string reason) && {
    reason_ = std::move(reason);
    return std::move(*this);
  }

  Code code() const { return code_; }
  const Faults& faults() const { return faults_; }
  const std::optional<std::chrono::seconds>& retry_after() const { return retry_after_; }
  const std::string& allow() const { return allow_; }
  const std::string& reason() const { return reason_; }

 private:
  Code code_;
  Faults faults_;
  std::optional<std::chrono::seconds> retry_after_;
  std::string allow_, reason_;
};

}  // namespace bottega
