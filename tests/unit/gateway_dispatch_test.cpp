// The dispatcher: which route an address means, whom it lets in, what it counts, and that every
// failure is a problem.
#include "gateway/dispatch.hpp"

#include <gtest/gtest.h>

#include "unit/gateway_app.hpp"

namespace bottega::test {
namespace gateway_dispatch_test {

using namespace gateway;
using identity::StaffRole;

asio::awaitable<Reply> echo(Call& call) {
  Reply reply;
  reply.body = {{"actor", call.who().actor()}, {"path", call.request.path}};
  co_return reply;
}
asio::awaitable<Reply> first_segment(Call& call) {
  Reply reply;
  reply.body = std::string(call.segment(0));
  co_return reply;
}
asio::awaitable<Reply> fixed(Call&) {
  Reply reply;
  reply.body = {{"n", 1}};
  co_return reply;
}
asio::awaitable<Reply> broken(Call&) {
  throw std::runtime_error("password=hunter2 at 10.0.0.7");
  co_return Reply{};
}
asio::awaitable<Reply> very_broken(Call&) {
  throw 42;
  co_return Reply{};
}
asio::awaitable<Reply> refusing(Call&) {
  throw Error(Code::conflict, "not now", {{"/a/0", "is bad"}});
  co_return Reply{};
}
Json any(Components&) { return Json::object(); }

constexpr Route route(Verb verb, std::string_view path, Access access, Handler handler) {
  return {verb, path, access, Budget::reads, Once::none, handler, path, "A test."};
}

const Route kRoutes[] = {
    route(Verb::get, "/", Access::anyone, fixed),
    route(Verb::get, "/open", Access::anyone, fixed),
    route(Verb::get, "/nobody", Access::nobody, fixed),
    route(Verb::get, "/person", Access::person, echo),
    route(Verb::get, "/member", Access::member, echo),
    route(Verb::get, "/support", Access::support, echo),
    route(Verb::get, "/finance", Access::finance, echo),
    route(Verb::get, "/admin", Access::admin, echo),
    route(Verb::get, "/things/{id}", Access::anyone, first_segment),
    route(Verb::del, "/things/{id}", Access::anyone, first_segment),
    route(Verb::get, "/things/{id}/parts", Access::anyone, fixed),
    route(Verb::get, "/broken", Access::anyone, broken),
    route(Verb::get, "/very_broken", Access::anyone, very_broken),
    route(Verb::get, "/refusing", Access::anyone, refusing),
    {Verb::post, "/writes", Access::anyone, Budget::writes, Once::none, fixed, "w", "A test.", any},
    {Verb::post, "/empty", Access::anyone, Budget::writes, Once::none, fixed, "e", "A test."},
    {Verb::post, "/pays", Access::anyone, Budget::writes, Once::required, fixed, "p", "A test.",
     any},
};

class Dispatch : public testing::Test {
 protected:
  unsigned status(Verb verb, const std::string& path) { return ask(verb, path).status; }
  Reply ask(Verb verb, const std::string& path) { return gate.ask(a_request(verb, path)); }
  unsigned status_as(const identity::Who& who, const std::string& path) {
    gate.know("bat_token", who);
    return gate.ask(a_request(Verb::get, path), "bat_token").status;
  }

  GatewayApp gate{kRoutes};
};

TEST_F(Dispatch, AnAddressMeansExactlyOneRoute) {
  EXPECT_EQ(ask(Verb::get, "/open").body, (Json{{"n", 1}}));
  EXPECT_EQ(ask(Verb::get, "/").status, 200u);
  EXPECT_EQ(ask(Verb::get, "/things/a").body, "a");
  EXPECT_EQ(ask(Verb::get, "/things/a/parts").body, (Json{{"n", 1}}));
}

TEST_F(Dispatch, WhatIsNotAnAddressIsNotFound) {
  for (const std::string path : {"",
                                 "/nothing",
                                 "/open/",
                                 "//open",
                                 "/open//",
                                 "/Open",
                                 "/opens",
                                 "/ope",
                                 "/things",
                                 "/things/",
                                 "/things//parts",
                                 "/things/a/",
                                 "/things/a/parts/",
                                 "/things/a/parts/b",
                                 "open",
                                 "/./open",
                                 "/things/../open",
                                 "/things/a/../../open",
                                 "/%6fpen",
                                 "/open;a=b",
                                 "*"}) {
    const auto reply = ask(Verb::get, path);
    EXPECT_EQ(reply.status, 404u) << path;
    EXPECT_EQ(reply.body["code"], "not_found") << path;
  }
}

TEST_F(Dispatch, ACapturedSegmentIsDecodedAfterItIsCut) {
  EXPECT_EQ(ask(Verb::get, "/things/a%2Fparts").body, "a/parts");
  EXPECT_EQ(ask(Verb::get, "/things/%2e%2e%2fopen").body, "../open");
  EXPECT_EQ(ask(Verb::get, "/things/a+b").body, "a+b");
  EXPECT_EQ(status(Verb::get, "/things/%zz"), 400u);
  EXPECT_EQ(status(Verb::get, "/things/%00"), 400u);
  EXPECT_EQ(status(Verb::get, "/things/%c0%ae"), 400u);
}

TEST_F(Dispatch, AnotherMethodIsToldWhichOnesThereAre) {
  const auto one = ask(Verb::post, "/open");
  EXPECT_EQ(one.status, 405u);
  EXPECT_EQ(one.body["code"], "method_not_allowed");
  EXPECT_EQ(header_of(one, "Allow"), "GET, HEAD");
  EXPECT_EQ(header_of(ask(Verb::patch, "/things/a"), "Allow"), "GET, HEAD, DELETE");
  EXPECT_EQ(header_of(ask(Verb::get, "/writes"), "Allow"), "POST");
}

TEST_F(Dispatch, WithoutATokenOnlyOpenRoutesAnswer) {
  EXPECT_EQ(status(Verb::get, "/open"), 200u);
  for (const std::string path :
       {"/person", "/member", "/support", "/finance", "/admin", "/nobody"}) {
    const auto reply = ask(Verb::get, path);
    EXPECT_EQ(reply.status, 401u) << path;
    EXPECT_EQ(header_of(reply, "WWW-Authenticate"), "Bearer") << path;
  }
}

struct Admission {
  const char* who;
  unsigned person, member, support, finance, admin;
};

TEST_F(Dispatch, EachAccessLetsInWhomItNames) {
  const std::pair<identity::Who, Admission> rows[] = {
      {a_person(), {"a person", 200, 200, 404, 404, 404}},
      {an_api_key(), {"an API key", 403, 200, 404, 404, 404}},
      {a_person(StaffRole::support), {"support", 200, 200, 200, 403, 403}},
      {a_person(StaffRole::finance), {"finance", 200, 200, 200, 200, 403}},
      {a_person(StaffRole::admin), {"admin", 200, 200, 200, 200, 200}},
  };
  for (const auto& [who, wanted] : rows) {
    EXPECT_EQ(status_as(who, "/person"), wanted.person) << wanted.who;
    EXPECT_EQ(status_as(who, "/member"), wanted.member) << wanted.who;
    EXPECT_EQ(status_as(who, "/support"), wanted.support) << wanted.who;
    EXPECT_EQ(status_as(who, "/finance"), wanted.finance) << wanted.who;
    EXPECT_EQ(status_as(who, "/admin"), wanted.admin) << wanted.who;
    EXPECT_NE(status_as(who, "/nobody"), 200u) << wanted.who;
  }
}

TEST_F(Dispatch, AStaffAddressLooksToOthersAsIfThereWereNone) {
  gate.know("bat_token", a_person());
  auto hidden = gate.ask(a_request(Verb::get, "/admin"), "bat_token").body;
  auto absent = gate.ask(a_request(Verb::get, "/nothing"), "bat_token").body;
  EXPECT_EQ(hidden, absent);
}

TEST_F(Dispatch, AnExpiredTokenIsRefusedEvenWhereItIsRemembered) {
  auto who = a_person();
  who.expires_at = gate.clock.now() - std::chrono::seconds(1);
  gate.know("bat_old", who);
  const auto reply = gate.ask(a_request(Verb::get, "/person"), "bat_old");
  EXPECT_EQ(reply.status, 401u);
  EXPECT_EQ(reply.body["code"], "token_expired");
  EXPECT_EQ(header_of(reply, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
}

TEST_F(Dispatch, ABodyIsTakenOnlyWhereOneIsExpectedAndAsJson) {
  const auto send = [&](const std::string& path, const std::string& body, const char* type) {
    auto request = a_request(Verb::post, path, body);
    request.media_type = type;
    return gate.ask(request).status;
  };
  EXPECT_EQ(send("/writes", "{}", "application/json"), 200u);
  EXPECT_EQ(send("/writes", "{}", "text/plain"), 415u);
  EXPECT_EQ(send("/writes", "{}", "application/json;charset=utf-16"), 415u);
  EXPECT_EQ(send("/writes", "{}", ""), 415u);
  EXPECT_EQ(send("/writes", "", ""), 200u);
  EXPECT_EQ(send("/empty", "{}", "application/json"), 200u);
  EXPECT_EQ(send("/empty", R"({"a":1})", "application/json"), 422u);
}

TEST_F(Dispatch, WhereMoneyMovesAKeyIsRequired) {
  const auto without = ask(Verb::post, "/pays");
  EXPECT_EQ(without.status, 400u);
  EXPECT_EQ(without.body["code"], "idempotency_key_required");
  auto with = a_request(Verb::post, "/pays");
  with.headers["idempotency-key"] = "k";
  EXPECT_EQ(gate.ask(with).status, 200u);
}

TEST_F(Dispatch, WhatBreaksInsideIsToldToTheLogAndToNobodyElse) {
  for (const std::string path : {"/broken", "/very_broken"}) {
    const auto reply = ask(Verb::get, path);
    EXPECT_EQ(reply.status, 500u) << path;
    EXPECT_EQ(reply.body["code"], "internal") << path;
    EXPECT_EQ(reply.body["instance"], "req_test") << path;
    EXPECT_EQ(reply.body.dump().find("hunter2"), std::string::npos) << path;
    EXPECT_EQ(reply.body.dump().find("10.0.0.7"), std::string::npos) << path;
  }
}

TEST_F(Dispatch, AnErrorOfAHandlerIsAProblemWithItsFaults) {
  const auto reply = ask(Verb::get, "/refusing");
  EXPECT_EQ(reply.status, 409u);
  EXPECT_EQ(reply.media_type, "application/problem+json");
  EXPECT_EQ(reply.body["errors"], Json::parse(R"([{"pointer":"/a/0","detail":"is bad"}])"));
}

TEST_F(Dispatch, ADatabaseThatCannotServeIsA503WithRetryAfter) {
  const auto reply = gate.ask(a_request(Verb::get, "/person"), "bat_unknown");
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.body["retry"], "later");
  EXPECT_EQ(header_of(reply, "Retry-After"), "1");
}

TEST_F(Dispatch, TheLimitsAreToldWithEveryAnswer) {
  gate.config.limits_requests_per_minute = 2;
  for (const auto* left : {"1", "0"}) {
    const auto reply = ask(Verb::get, "/open");
    EXPECT_EQ(reply.status, 200u);
    EXPECT_EQ(header_of(reply, "RateLimit-Policy"), "\"minute\";q=2;w=60");
    EXPECT_TRUE(
        header_of(reply, "RateLimit").starts_with("\"minute\";r=" + std::string(left) + ";t="));
  }
  const auto over = ask(Verb::get, "/open");
  EXPECT_EQ(over.status, 429u);
  EXPECT_EQ(over.body["code"], "rate_limited");
  const auto wait = header_of(over, "Retry-After");
  EXPECT_TRUE(wait == "60" || wait == "59") << wait;
}

TEST_F(Dispatch, WhoeverIsRefusedIsToldTheLimitsToo) {
  gate.config.limits_requests_per_minute = 1;
  ask(Verb::get, "/open");
  const auto over = ask(Verb::get, "/open");
  EXPECT_EQ(over.status, 429u);
  EXPECT_EQ(header_of(over, "RateLimit-Policy"), "\"minute\";q=1;w=60");
  EXPECT_TRUE(header_of(over, "RateLimit").starts_with("\"minute\";r=0;t="));
}

TEST_F(Dispatch, ReadsAndWritesAndPeopleAreCountedApart) {
  gate.config.limits_requests_per_minute = 1;
  gate.config.limits_writes_per_minute = 1;
  EXPECT_EQ(status(Verb::get, "/open"), 200u);
  EXPECT_EQ(status(Verb::post, "/writes"), 200u);
  EXPECT_EQ(status(Verb::get, "/open"), 429u);
  EXPECT_EQ(status(Verb::post, "/writes"), 429u);
  EXPECT_EQ(status_as(a_person(), "/person"), 200u);
  EXPECT_EQ(status_as(a_person(), "/person"), 200u) << "somebody else";
  auto elsewhere = a_request(Verb::get, "/open");
  elsewhere.address = "192.0.2.2";
  EXPECT_EQ(gate.ask(elsewhere).status, 200u);
}

TEST_F(Dispatch, AnAddressIsLimitedWhateverItAsksFor) {
  gate.config.limits_address_per_minute = 3;
  EXPECT_EQ(status(Verb::get, "/nothing"), 404u);
  EXPECT_EQ(status(Verb::get, "/person"), 401u);
  EXPECT_EQ(status(Verb::put, "/open"), 405u);
  EXPECT_EQ(status(Verb::get, "/open"), 429u);
}

TEST_F(Dispatch, AnAnswerThatTheClientHasIsNotSentAgain) {
  const auto first = ask(Verb::get, "/open");
  const auto etag = header_of(first, "ETag");
  ASSERT_GE(etag.size(), 3u);
  EXPECT_TRUE(etag.front() == '"' && etag.back() == '"') << "strong and quoted: " << etag;
  for (const auto& seen : {etag, "\"x\", " + etag, std::string("*")}) {
    auto again = a_request(Verb::get, "/open");
    again.headers["if-none-match"] = seen;
    const auto reply = gate.ask(again);
    EXPECT_EQ(reply.status, 304u) << seen;
    EXPECT_EQ(body_text(reply), "") << seen;
    EXPECT_EQ(header_of(reply, "ETag"), etag) << seen;
  }
  auto other = a_request(Verb::get, "/open");
  other.headers["if-none-match"] = "\"x\"";
  EXPECT_EQ(gate.ask(other).status, 200u);
  EXPECT_NE(header_of(ask(Verb::get, "/things/a"), "ETag"), etag);
  EXPECT_EQ(header_of(ask(Verb::post, "/writes"), "ETag"), "") << "only what was read has one";
}

TEST(Replies, TheTextAndMediaTypeFollowFromWhatTheyHold) {
  Reply reply;
  EXPECT_EQ(body_text(reply), "");
  EXPECT_EQ(media_type(reply), "");
  reply.body = {{"a", 1}};
  EXPECT_EQ(body_text(reply), R"({"a":1})");
  EXPECT_EQ(media_type(reply), "application/json");
  const auto page = html("<p>", 404);
  EXPECT_EQ(body_text(page), "<p>");
  EXPECT_EQ(media_type(page), "text/html; charset=utf-8");
  EXPECT_EQ(page.status, 404u);
}

}  // namespace gateway_dispatch_test
}  // namespace bottega::test
