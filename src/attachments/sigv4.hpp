#pragma once
// AWS Signature Version 4 for S3
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html and
// …/sigv4-query-string-auth.html).
#include <string>
#include <utility>
#include <vector>

#include "bottega/core/instant.hpp"
#include "bottega/core/text.hpp"

namespace bottega::attachments {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct SigV4Keys {
  std::string access_key;
  Secret secret_key;
  std::string region;
};

struct SigV4Request {
  std::string method;
  std::string path;  // not encoded; begins with '/'
  Pairs query;       // not encoded
  Pairs headers;     // names in lower case; all of them are signed
  std::string payload_sha256;
};

// RFC 3986 encoding as S3 wants it: everything but unreserved characters, '/' only on wish.
enum class Slash : std::uint8_t { keep, encode };
std::string uri_encode(std::string_view text, Slash slash);

// "20130524T000000Z", by the machine's time.
std::string amz_date(Instant at);

// The value of the Authorization header. The request must hold host, x-amz-date and
// x-amz-content-sha256 among its headers.
std::string authorization(const SigV4Request& request, const SigV4Keys& keys, Instant at);

// The query string of an address that may be used by anybody for so long (at most 7 days). The
// request holds the host among its headers, and nothing else.
std::string presigned_query(SigV4Request request, const SigV4Keys& keys, Instant at,
                            std::chrono::seconds life);

}  // namespace bottega::attachments
