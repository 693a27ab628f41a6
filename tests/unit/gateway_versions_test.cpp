// Versions: a handler's own ETag, and which If-Match names a version.
#include <gtest/gtest.h>

#include "gateway/frames.hpp"
#include "unit/gateway_app.hpp"

namespace bottega::test {
namespace gateway_versions_test {

using namespace gateway;

asio::awaitable<Reply> seventh(Call&) {
  Reply reply;
  reply.body = {{"n", 7}};
  co_return with_version(std::move(reply), 7);
}
asio::awaitable<Reply> named(Call& call) {
  Reply reply;
  reply.body = call.version();
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/thing",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = seventh,
     .name = "getThing",
     .summary = "A test.",
     .versions = Versions::tagged},
    {.verb = Verb::put,
     .path = "/thing",
     .access = Access::anyone,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = named,
     .name = "setThing",
     .summary = "A test.",
     .versions = Versions::required},
};

class GatewayVersions : public testing::Test {
 protected:
  Reply ask(Verb verb, const std::string& header, const std::string& value) {
    auto request = a_request(verb, "/thing");
    if (!header.empty()) request.headers[header] = value;
    return gate.ask(request);
  }
  static std::vector<std::string> etags(const Reply& reply) {
    std::vector<std::string> out;
    for (const auto& [name, value] : reply.headers)
      if (name == "ETag") out.push_back(value);
    return out;
  }

  GatewayApp gate{kRoutes};
};

TEST_F(GatewayVersions, OfTheHandlerAreTheTag) {
  EXPECT_EQ(etags(ask(Verb::get, "", "")), std::vector<std::string>{"\"7\""});
  EXPECT_EQ(ask(Verb::get, "if-none-match", "\"7\"").status, 304u);
  EXPECT_EQ(ask(Verb::get, "if-none-match", "\"77\"").status, 200u);
  EXPECT_EQ(ask(Verb::get, "if-none-match", "\"6\"").status, 200u);
}

TEST_F(GatewayVersions, AreNamedByWhoeverEdits) {
  EXPECT_EQ(ask(Verb::put, "", "").status, 428u);
  EXPECT_EQ(ask(Verb::put, "if-match", "").status, 428u);
  EXPECT_EQ(ask(Verb::put, "if-match", "*").status, 428u);
  const auto taken = ask(Verb::put, "if-match", "\"7\"");
  EXPECT_EQ(taken.status, 200u);
  EXPECT_EQ(taken.body, 7);
  for (const auto* none :
       {"7", "\"\"", "\"7", "W/\"7\"", "\"7\",\"8\"", "\"x\"", "\"99999999999999999999\""})
    EXPECT_EQ(ask(Verb::put, "if-match", none).status, 412u) << none;
}

TEST(VersionsOverASocket, AreAMemberOfTheFrame) {
  const auto frame = read_frame(
      R"({"id":"1","method":"PATCH","path":"/v1/products/x","if_match":"\"3\"","body":{}})");
  EXPECT_EQ(frame.request.header("if-match"), "\"3\"");
  EXPECT_EQ(code_of([] { read_frame(R"({"id":"1","method":"PATCH","path":"/","if_match":3})"); }),
            Code::malformed);
}

}  // namespace gateway_versions_test
}  // namespace bottega::test
