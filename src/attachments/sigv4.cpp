#include "attachments/sigv4.hpp"

#include <algorithm>
#include <array>

#include "bottega/core/digest.hpp"
#include "bottega/core/error.hpp"

namespace bottega::attachments {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256", kEnd = "aws4_request";

std::string day_of(Instant at) { return amz_date(at).substr(0, 8); }

std::string scope_of(const SigV4Keys& keys, Instant at) {
  return day_of(at) + '/' + keys.region + "/s3/" + std::string(kEnd);
}

std::string canonical_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(uri_encode(name, Slash::encode), uri_encode(value, Slash::encode));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) out += (out.empty() ? "" : "&") + name + '=' + value;
  return out;
}

std::string signed_names(const Pairs& sorted) {
  std::string out;
  for (const auto& [name, value] : sorted) out += (out.empty() ? "" : ";") + name;
  return out;
}

Pairs sorted_headers(const SigV4Request& request) {
  auto sorted = request.headers;
  std::ranges::sort(sorted);
  return sorted;
}

std::string signature(const SigV4Request& request, const SigV4Keys& keys, Instant at) {
  const auto headers = sorted_headers(request);
  std::string canonical = request.method + '\n' + uri_encode(request.path, Slash::keep) + '\n' +
                          canonical_query(request.query) + '\n';
  for (const auto& [name, value] : headers) canonical += name + ':' + value + '\n';
  canonical += '\n' + signed_names(headers) + '\n' + request.payload_sha256;
  const auto text = std::string(kAlgorithm) + '\n' + amz_date(at) + '\n' + scope_of(keys, at) +
                    '\n' + sha256_hex(canonical);
  auto key = hmac_sha256("AWS4" + keys.secret_key.reveal(), day_of(at));
  for (const auto part : {std::string_view(keys.region), std::string_view("s3"), kEnd})
    key = hmac_sha256(key, part);
  return hmac_sha256_hex(key, text);
}

}  // namespace

std::string uri_encode(std::string_view text, Slash slash) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' ||
                       (c == '/' && slash == Slash::keep);
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      (out += '%').append({kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

std::string amz_date(Instant at) {
  auto text = to_text(std::chrono::floor<std::chrono::seconds>(at));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string authorization(const SigV4Request& request, const SigV4Keys& keys, Instant at) {
  std::string out(kAlgorithm);
  out.append(" Credential=").append(keys.access_key).append("/").append(scope_of(keys, at));
  out.append(",SignedHeaders=").append(signed_names(sorted_headers(request)));
  return out.append(",Signature=").append(signature(request, keys, at));
}

std::string presigned_query(SigV4Request request, const SigV4Keys& keys, Instant at,
                            std::chrono::seconds life) {
  request.payload_sha256 = "UNSIGNED-PAYLOAD";
  auto& query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", keys.access_key + '/' + scope_of(keys, at));
  query.emplace_back("X-Amz-Date", amz_date(at));
  query.emplace_back("X-Amz-Expires", std::to_string(life.count()));
  query.emplace_back("X-Amz-SignedHeaders", signed_names(sorted_headers(request)));
  return canonical_query(query) + "&X-Amz-Signature=" + signature(request, keys, at);
}

}  // namespace bottega::attachments
