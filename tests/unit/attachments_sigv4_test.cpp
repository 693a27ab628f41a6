// AWS Signature Version 4 against the examples of the documentation of Amazon S3.
#include "attachments/sigv4.hpp"

#include <gtest/gtest.h>

#include "attachments/s3_link.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace attachments_sigv4_test {

using namespace attachments;

// The keys and the day of all examples.
SigV4Keys keys() {
  return {"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "us-east-1"};
}
Instant at() { return parse_instant("2013-05-24T00:00:00Z").value(); }

SigV4Request request(const std::string& method, const std::string& path, Pairs query = {},
                     Pairs headers = {}, const std::string& body = "") {
  SigV4Request out{method, path, std::move(query), std::move(headers), sha256_hex(body)};
  out.headers.emplace_back("host", "examplebucket.s3.amazonaws.com");
  out.headers.emplace_back("x-amz-content-sha256", out.payload_sha256);
  out.headers.emplace_back("x-amz-date", "20130524T000000Z");
  return out;
}

std::string signature_of(const SigV4Request& request) {
  const auto header = authorization(request, keys(), at());
  return header.substr(header.find("Signature=") + 10);
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
TEST(SigV4, SignsTheExampleOfAGetWithARange) {
  const auto header =
      authorization(request("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}), keys(), at());
  EXPECT_EQ(header,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, SignsTheExampleOfAPut) {
  EXPECT_EQ(signature_of(request("PUT", "/test$file.text", {},
                                 {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                  {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                                 "Welcome to Amazon S3.")),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, SignsTheExamplesOfQueries) {
  EXPECT_EQ(signature_of(request("GET", "/", {{"lifecycle", ""}})),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_of(request("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}})),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
TEST(SigV4, SignsTheExampleOfAnAddress) {
  const SigV4Request asked{
      "GET", "/test.txt", {}, {{"host", "examplebucket.s3.amazonaws.com"}}, {}};
  EXPECT_EQ(presigned_query(asked, keys(), at(), std::chrono::seconds(86'400)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, EncodesWhatIsNotUnreserved) {
  EXPECT_EQ(uri_encode("a/b c~-._é", Slash::keep), "a/b%20c~-._%C3%A9");
  EXPECT_EQ(uri_encode("a/b", Slash::encode), "a%2Fb");
}

TEST(SigV4, WritesTheDateWithoutAFraction) {
  EXPECT_EQ(amz_date(parse_instant("2026-03-01T12:34:56.789Z").value()), "20260301T123456Z");
}

TEST(S3Address, IsAHostAndNothingElse) {
  const auto plain = s3_address("http://127.0.0.1:9000/");
  ASSERT_TRUE(plain.has_value());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, "9000");
  EXPECT_EQ(plain->authority, "127.0.0.1:9000");
  const auto secure = s3_address("https://s3.eu-central-1.amazonaws.com");
  ASSERT_TRUE(secure.has_value());
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->port, "443");
  for (const std::string wrong : {"", "s3.example", "ftp://s3.example", "https://", "https://a/b",
                                  "https://user@host", "https://host:port", "https://host:99999"})
    EXPECT_EQ(s3_address(wrong).has_value(), false) << wrong;
}

}  // namespace attachments_sigv4_test
}  // namespace bottega::test
