// Which URLs may be called, and which addresses are nobody's private business.
#include <gtest/gtest.h>

#include "bottega/outbound/http.hpp"

namespace bottega::test {
namespace outbound_url_test {

using outbound::is_public_address, outbound::parse_url;

TEST(OutboundUrl, IsTakenApart) {
  const auto url = parse_url("HTTPS://Push.Example.NET:8443/send/abc?x=1").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "push.example.net");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/send/abc?x=1");
  EXPECT_EQ(url.origin(), "https://push.example.net:8443");
  EXPECT_EQ(parse_url("https://a.example")->target, "/");
  EXPECT_EQ(parse_url("https://a.example?q")->target, "/?q");
  EXPECT_EQ(parse_url("https://a.example:443/")->origin(), "https://a.example");
  EXPECT_EQ(parse_url("http://[2001:DB8::1]:81/")->origin(), "http://[2001:db8::1]:81");
  EXPECT_EQ(parse_url("http://[::1]/")->host, "::1");
}

class RefusedUrl : public testing::TestWithParam<const char*> {};
TEST_P(RefusedUrl, IsNone) { EXPECT_FALSE(parse_url(GetParam())); }
INSTANTIATE_TEST_SUITE_P(
    All, RefusedUrl,
    testing::Values("", "push.example.net", "ftp://a.example/", "https://", "https:///x",
                    "https://user@a.example/", "https://user:pw@a.example/", "https://a b/",
                    "https://a.example/\r\nHost: b", "https://a.example:0/",
                    "https://a.example:65536/", "https://a.example:/", "https://a.example:1x/",
                    "https://[::1", "https://[1.2.3.4]/", "https://[::1]x/", "https://ä.example/",
                    "https://a.example/#part", "https://a.example\\@b.example/",
                    "https://a.example/{x}", "https://a%2eb/"));

TEST(OutboundUrl, HasABoundedLength) {
  const std::string start = "https://a.example/";
  EXPECT_TRUE(parse_url(start + std::string(2'048 - start.size(), 'x')));
  EXPECT_FALSE(parse_url(start + std::string(2'049 - start.size(), 'x')));
  EXPECT_FALSE(parse_url("https://" + std::string(254, 'a') + "/"));
}

class PrivateAddress : public testing::TestWithParam<const char*> {};
TEST_P(PrivateAddress, IsNotPublic) { EXPECT_FALSE(is_public_address(GetParam())); }
INSTANTIATE_TEST_SUITE_P(All, PrivateAddress,
                         testing::Values("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1",
                                         "172.31.255.255", "192.168.1.1", "169.254.169.254",
                                         "100.64.0.1", "100.100.100.200", "0.0.0.0", "192.0.0.192",
                                         "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
                                         "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
                                         "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
                                         "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1",
                                         "64:ff9b::a00:1", "2002:a00:1::", "2001::1", "2001:db8::1",
                                         "3fff::1", "not an address", ""));

class PublicAddress : public testing::TestWithParam<const char*> {};
TEST_P(PublicAddress, IsPublic) { EXPECT_TRUE(is_public_address(GetParam())); }
INSTANTIATE_TEST_SUITE_P(All, PublicAddress,
                         testing::Values("8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.0.1",
                                         "100.128.0.1", "192.167.255.255", "198.17.0.1",
                                         "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
                                         "2001:4860:4860::8888", "::ffff:8.8.8.8"));

}  // namespace outbound_url_test
}  // namespace bottega::test
