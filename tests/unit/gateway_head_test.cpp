// Heads: an admitted request in our own types, its trace, its id and its token.
#include "gateway/head.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bottega/core/error.hpp"
#include "bottega/core/typeid.hpp"

namespace bottega::test {
namespace gateway_head_test {

using namespace gateway;

Head head_of(const std::string& first, const std::string& lines = "") {
  return read_head(first + " HTTP/1.1\r\nHost: shop.example\r\n" + lines + "\r\n");
}

TEST(Head, MethodPathAndQueryAreToldApart) {
  const auto head = head_of("POST /v1/orders?limit=2?x");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/orders?limit=2?x");
  EXPECT_EQ(head.request.verb, Verb::post);
  EXPECT_EQ(head.request.path, "/v1/orders");
  EXPECT_EQ(head.request.query, "limit=2?x") << "the first question mark begins the query";
  EXPECT_EQ(head_of("GET /a?").request.query, "");
}

TEST(Head, EveryMethodHasItsVerb) {
  EXPECT_EQ(head_of("GET /").request.verb, Verb::get);
  EXPECT_EQ(head_of("PUT /").request.verb, Verb::put);
  EXPECT_EQ(head_of("PATCH /").request.verb, Verb::patch);
  EXPECT_EQ(head_of("DELETE /").request.verb, Verb::del);
  const auto head = head_of("HEAD /");
  EXPECT_TRUE(head.is_head);
  EXPECT_EQ(head.request.verb, Verb::get) << "HEAD is a GET without its body";
  EXPECT_TRUE(head_of("OPTIONS /").is_options);
  EXPECT_FALSE(head_of("GET /").is_head || head_of("GET /").is_options);
}

TEST(Head, FieldsAreFoundInLowerCaseAndTrimmed) {
  const auto head = head_of("GET /", "X-ThInG: \t a b \t\r\nEmpty:\r\nColons: a:b:c\r\n");
  EXPECT_EQ(head.request.header("x-thing"), "a b");
  EXPECT_EQ(head.request.header("colons"), "a:b:c");
  EXPECT_EQ(head.request.header("empty"), "");
  EXPECT_NE(head.request.header("empty").data(), nullptr) << "it is there, and empty";
  EXPECT_EQ(head.request.header("absent").data(), nullptr);
}

TEST(Head, AListInSeveralFieldsIsOneList) {
  const auto head = head_of("GET /", "Accept: a/b\r\nX: y\r\naccept: c/d\r\n");
  EXPECT_EQ(head.request.header("accept"), "a/b, c/d");
}

TEST(Head, TheMediaTypeIsTheTypeWithoutItsParameters) {
  const auto type = [](const std::string& value) {
    return head_of("POST /", "Content-Type: " + value + "\r\n").request.media_type;
  };
  EXPECT_EQ(type("application/json"), "application/json");
  EXPECT_EQ(type("Application/JSON ; charset=UTF-8"), "application/json");
  EXPECT_EQ(type("application/json;charset=\"utf-8\""), "application/json");
  EXPECT_EQ(type("application/json; profile=x"), "application/json");
  EXPECT_NE(type("application/json; charset=utf-16"), "application/json");
  EXPECT_NE(type("application/json; charset=latin1"), "application/json");
  EXPECT_NE(type("application/json, text/plain"), "application/json");
  EXPECT_EQ(type(""), "");
}

TEST(Head, AnUpgradeNeedsBothOfItsFields) {
  const auto is_upgrade = [](const std::string& lines) {
    return head_of("GET /", lines).is_upgrade;
  };
  EXPECT_TRUE(is_upgrade("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"));
  EXPECT_FALSE(is_upgrade("Connection: Upgrade\r\n"));
  EXPECT_FALSE(is_upgrade("Upgrade: websocket\r\n"));
  EXPECT_FALSE(is_upgrade("Connection: Upgrade\r\nUpgrade: h2c\r\n"));
  EXPECT_FALSE(is_upgrade("Connection: not-upgrade\r\nUpgrade: websocket\r\n"));
}

TEST(Head, TheUserAgentIsCutShort) {
  const auto head = head_of("GET /", "User-Agent: " + std::string(500, 'u') + "\r\n");
  EXPECT_EQ(head.request.user_agent, std::string(200, 'u'));
}

TEST(Head, NobodyIsAskingUntilATokenSaysSo) {
  const auto head = head_of("GET /", "X-Who: usr_1\r\nX-Forwarded-For: 10.0.0.1\r\n");
  EXPECT_EQ(head.request.who.kind, identity::Kind::nobody);
  EXPECT_EQ(head.request.address, "") << "the transport says it, never a field";
}

std::optional<std::string> token_of(const std::string& value) {
  return bearer_token(head_of("GET /", "Authorization: " + value + "\r\n").request);
}

TEST(BearerToken, IsWhatStandsBehindTheScheme) {
  EXPECT_EQ(token_of("Bearer bat_abc"), "bat_abc");
  EXPECT_EQ(token_of("bEaReR   bat_abc"), "bat_abc");
  EXPECT_EQ(bearer_token(head_of("GET /").request), std::nullopt);
}

class OtherAuthorizations : public testing::TestWithParam<const char*> {};
TEST_P(OtherAuthorizations, AreRefusedRatherThanIgnored) {
  try {
    token_of(GetParam());
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unauthenticated);
    EXPECT_EQ(std::string(error.what()).find("dXNlcjpwYXNz"), std::string::npos);
  }
}
INSTANTIATE_TEST_SUITE_P(Values, OtherAuthorizations,
                         testing::Values("", "Bearer", "Bearer ", "Bearerbat_abc",
                                         "Basic dXNlcjpwYXNz", "Digest x", "bat_abc",
                                         "Token bat_abc", "Bearer\tbat_abc"));

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00-" + std::string(kTrace) + "-00f067aa0ba902b7-01";

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

TEST(Trace, AGoodParentKeepsItsTraceAndFlagsAndGetsANewSpan) {
  const auto child = child_trace(kParent);
  ASSERT_EQ(child.size(), 55u);
  EXPECT_EQ(child.substr(0, 36), "00-" + std::string(kTrace) + "-");
  EXPECT_EQ(child.substr(52), "-01");
  EXPECT_NE(child.substr(36, 16), "00f067aa0ba902b7");
  EXPECT_TRUE(is_hex(child.substr(36, 16)));
  EXPECT_NE(child, child_trace(kParent)) << "each request has a span of its own";
}

TEST(Trace, AHigherVersionIsReadAsFarAsWeKnowIt) {
  const auto trace = std::string(kTrace);
  EXPECT_EQ(child_trace("cc" + kParent.substr(2)).substr(3, 32), trace);
  EXPECT_EQ(child_trace("cc" + kParent.substr(2) + "-what-the-future").substr(3, 32), trace);
}

class BadParents : public testing::TestWithParam<std::string> {};
TEST_P(BadParents, BeginANewTrace) {
  const auto child = child_trace(GetParam());
  ASSERT_EQ(child.size(), 55u);
  EXPECT_EQ(child.find(kTrace), std::string::npos);
  EXPECT_TRUE(is_hex(child.substr(3, 32)));
  EXPECT_NE(child.substr(3, 32), std::string(32, '0'));
  EXPECT_TRUE(child.ends_with("-00")) << "nobody asked to record it";
}
INSTANTIATE_TEST_SUITE_P(Values, BadParents,
                         testing::Values("", "x", kParent.substr(0, 54), kParent + "-more",
                                         kParent + ",", kParent + " ", "ff" + kParent.substr(2),
                                         "0x" + kParent.substr(2), "cc" + kParent.substr(2) + "x",
                                         "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                         "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01",
                                         "00-" + std::string(kTrace) + "-0000000000000000-01",
                                         "00-" + std::string(kTrace) + "-00f067aa0ba902b7-0x",
                                         "00_" + std::string(kTrace) + "-00f067aa0ba902b7-01",
                                         kParent + ", " + kParent));

TEST(RequestId, ADecentOneOfTheCallersIsKept) {
  EXPECT_EQ(request_id_of("abc-123_x.y:z"), "abc-123_x.y:z");
  EXPECT_EQ(request_id_of(std::string(64, 'a')), std::string(64, 'a'));
}

TEST(RequestId, AnythingElseGetsANewOne) {
  std::set<std::string> seen;
  for (const auto& given :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\"b"),
        std::string("<script>"), std::string("\xc3\xa9")}) {
    const auto id = request_id_of(given);
    ASSERT_TRUE(id.starts_with("req_")) << id;
    EXPECT_TRUE(parse_typeid_suffix(id.substr(4))) << id;
    EXPECT_TRUE(seen.insert(id).second) << "each is new";
  }
}

}  // namespace gateway_head_test
}  // namespace bottega::test
