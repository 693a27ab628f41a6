// Frames of the socket: what a request, AUTH and RESUME may hold, and which requests wait for
// others.
#include "gateway/frames.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace gateway_frames_test {

using conversations::ConversationId;
using gateway::lane_of, gateway::read_frame, gateway::Verb;

std::string refusal_of(const std::string& text) {
  try {
    read_frame(text);
    return "(read)";
  } catch (const Error& error) {
    return std::string(info(error.code()).slug);
  }
}

std::string quoted(const std::string& text) { return Json(text).dump(); }
std::string request_to(const std::string& path) {
  return R"({"id":"1","method":"GET","path":)" + quoted(path) + "}";
}

TEST(Frames, ARequestIsReadWholly) {
  const auto frame = read_frame(
      R"({"id":"7","method":"POST","path":"/v1/orders?a=b","idempotency_key":"k","body":{"x":1}})");
  EXPECT_EQ(frame.id, "7");
  EXPECT_EQ(frame.method, "POST");
  EXPECT_EQ(frame.request.verb, Verb::post);
  EXPECT_EQ(frame.request.path, "/v1/orders");
  EXPECT_EQ(frame.request.query, "a=b");
  EXPECT_EQ(frame.request.header("idempotency-key"), "k");
  EXPECT_EQ(frame.request.json, (Json{{"x", 1}}));
  EXPECT_EQ(frame.request.media_type, "application/json");
}

TEST(Frames, ARequestWithoutABodyHasNone) {
  for (const std::string end : {"}", R"(,"body":null})"}) {
    const auto frame = read_frame(R"({"id":"7","method":"DELETE","path":"/v1/sessions")" + end);
    EXPECT_EQ(frame.request.verb, Verb::del);
    EXPECT_FALSE(frame.request.json);
    EXPECT_EQ(frame.request.media_type, "");
    EXPECT_EQ(frame.request.header("idempotency-key").data(), nullptr);
  }
}

TEST(Frames, AFrameCannotSpeakForAnybody) {
  const auto frame = read_frame(request_to("/v1/orders"));
  EXPECT_EQ(frame.request.who.kind, identity::Kind::nobody);
  EXPECT_TRUE(frame.request.headers.empty());
  EXPECT_EQ(refusal_of(R"({"id":"1","method":"GET","path":"/","who":"usr_1"})"), "malformed");
  EXPECT_EQ(refusal_of(R"({"id":"1","method":"GET","path":"/","headers":{}})"), "malformed");
}

TEST(Frames, EveryVerbOfARouteCanBeSent) {
  const std::pair<const char*, Verb> verbs[] = {{"GET", Verb::get},
                                                {"POST", Verb::post},
                                                {"PUT", Verb::put},
                                                {"PATCH", Verb::patch},
                                                {"DELETE", Verb::del}};
  for (const auto& [name, verb] : verbs) {
    const auto frame = read_frame(R"({"id":"1","path":"/","method":)" + quoted(name) + "}");
    EXPECT_EQ(frame.request.verb, verb) << name;
  }
}

TEST(Frames, AuthHoldsATokenThatNothingPrints) {
  const auto frame = read_frame(R"({"id":"1","method":"AUTH","token":"bat_abc"})");
  EXPECT_EQ(frame.method, "AUTH");
  EXPECT_EQ(frame.token.reveal(), "bat_abc");
  EXPECT_EQ(frame.id, "1");
}

TEST(Frames, ResumeHoldsPositionsAndATime) {
  const auto id = ConversationId::make();
  const auto frame =
      read_frame(R"({"method":"RESUME","since":"2026-03-01T12:00:00Z","positions":{)" +
                 quoted(text_of(id)) + ":41}}");
  ASSERT_EQ(frame.positions.size(), 1u);
  EXPECT_EQ(frame.positions.at(id), 41);
  ASSERT_TRUE(frame.since);
  EXPECT_EQ(text_of(*frame.since), "2026-03-01T12:00:00Z");
  EXPECT_TRUE(read_frame(R"({"method":"RESUME"})").positions.empty());
}

TEST(Frames, ResumeTakesAThousandConversationsAndNoMore) {
  const auto resume_of = [](int count) {
    Json positions = Json::object();
    for (int i = 0; i < count; ++i) positions[text_of(ConversationId::make())] = i;
    return Json{{"method", "RESUME"}, {"positions", positions}}.dump();
  };
  EXPECT_EQ(read_frame(resume_of(1'000)).positions.size(), 1'000u);
  EXPECT_EQ(refusal_of(resume_of(1'001)), "malformed");
}

TEST(Frames, TheLengthOfEachMemberIsBounded) {
  const auto with_id = [](std::size_t size) {
    return R"({"method":"GET","path":"/","id":")" + std::string(size, 'i') + "\"}";
  };
  EXPECT_EQ(refusal_of(with_id(64)), "(read)");
  EXPECT_EQ(refusal_of(with_id(65)), "malformed");
  EXPECT_EQ(refusal_of(with_id(0)), "malformed") << "a request without an id cannot be answered";
  EXPECT_EQ(refusal_of(request_to("/" + std::string(8'191, 'a'))), "(read)");
  EXPECT_EQ(refusal_of(request_to("/" + std::string(8'192, 'a'))), "malformed");
  const auto with_key = [](std::size_t size) {
    return R"({"id":"1","method":"POST","path":"/","idempotency_key":")" + std::string(size, 'k') +
           "\"}";
  };
  EXPECT_EQ(refusal_of(with_key(257)), "(read)");
  EXPECT_EQ(refusal_of(with_key(258)), "malformed");
  EXPECT_EQ(refusal_of(R"({"method":"AUTH","token":")" + std::string(257, 't') + "\"}"),
            "malformed");
}

class BadFrames : public testing::TestWithParam<const char*> {};
TEST_P(BadFrames, AreMalformed) { EXPECT_EQ(refusal_of(GetParam()), "malformed"); }
INSTANTIATE_TEST_SUITE_P(
    Frames, BadFrames,
    testing::Values(
        "", " ", "null", "[]", "\"GET\"", "1", "{", "{}", "{}{}", "\xff", R"({"id":"1"})",
        R"({"id":"1","method":"GET"})", R"({"id":"1","method":"GET","path":""})",
        R"({"id":"1","path":"/"})", R"({"id":1,"method":"GET","path":"/"})",
        R"({"id":null,"method":"GET","path":"/"})", R"({"id":"1","method":"get","path":"/"})",
        R"({"id":"1","method":"HEAD","path":"/"})", R"({"id":"1","method":"OPTIONS","path":"/"})",
        R"({"id":"1","method":"CONNECT","path":"/"})",
        R"({"id":"1","method":"SUBSCRIBE","path":"/"})",
        R"({"id":"1","method":["GET"],"path":"/"})",
        R"({"id":"1","method":"GETGETGETGETGETGET","path":"/"})",
        R"({"id":"1","method":"GET","path":"v1"})",
        R"({"id":"1","method":"GET","path":"http://evil.example/"})",
        R"({"id":"1","method":"GET","path":"/a b"})",
        R"({"id":"1","method":"GET","path":"/a\r\nX: y"})",
        R"({"id":"1","method":"GET","path":"/a\u0000"})",
        R"({"id":"1","method":"GET","path":"/a#b"})",
        R"({"id":"1","method":"GET","path":"/caf\u00e9"})",
        R"({"id":"1","method":"GET","path":["/"]})",
        R"({"id":"1","id":"2","method":"GET","path":"/"})",
        R"({"id":"1","method":"POST","path":"/","idempotency_key":5})",
        R"({"id":"1","method":"GET","path":"/","token":"t"})", R"({"method":"AUTH","token":5})",
        R"({"method":"AUTH","path":"/"})", R"({"method":"RESUME","positions":[]})",
        R"({"method":"RESUME","positions":{"x":1}})",
        R"({"method":"RESUME","positions":{"ord_01h455vb4pex5vsknk084sn02q":1}})",
        R"({"method":"RESUME","positions":{"conv_01h455vb4pex5vsknk084sn02q":-1}})",
        R"({"method":"RESUME","positions":{"conv_01h455vb4pex5vsknk084sn02q":1.5}})",
        R"({"method":"RESUME","positions":{"conv_01h455vb4pex5vsknk084sn02q":"1"}})",
        R"({"method":"RESUME","positions":
                        {"conv_01h455vb4pex5vsknk084sn02q":9223372036854775808}})",
        R"({"method":"RESUME","since":"yesterday"})",
        R"({"method":"RESUME","since":"0001-01-01T00:00:00Z"})", R"({"method":"RESUME","since":5})",
        R"({"method":"RESUME","body":{}})"));

TEST(Lanes, WritesToOneConversationShareALaneAndNothingElseDoes) {
  const auto lane = [](const std::string& method, const std::string& path) {
    return lane_of(read_frame(Json{{"id", "1"}, {"method", method}, {"path", path}}.dump()));
  };
  EXPECT_EQ(lane("POST", "/v1/conversations/conv_a/messages"), "conv_a");
  EXPECT_EQ(lane("POST", "/v1/conversations/conv_a/messages?x=y"), "conv_a");
  EXPECT_EQ(lane("PUT", "/v1/conversations/conv_a/receipts"), "conv_a");
  EXPECT_EQ(lane("POST", "/v1/conversations/conv_b/messages"), "conv_b");
  EXPECT_EQ(lane("GET", "/v1/conversations/conv_a/messages"), "") << "reads wait for nobody";
  EXPECT_EQ(lane("POST", "/v1/orders"), "");
  EXPECT_EQ(lane("POST", "/v1/conversations"), "");
}

TEST(Lanes, SigningInAndResumingWaitForEachOther) {
  EXPECT_EQ(lane_of(read_frame(R"({"method":"AUTH","token":"t"})")), "session");
  EXPECT_EQ(lane_of(read_frame(R"({"method":"RESUME"})")), "session");
}

TEST(Lanes, WhatIsAskedForInAConversationKeepsItsOrderToo) {
  const auto lane = [](const std::string& path, const Json& body) {
    return lane_of(
        read_frame(Json{{"id", "1"}, {"method", "POST"}, {"path", path}, {"body", body}}.dump()));
  };
  EXPECT_EQ(lane("/v1/payment_requests", {{"conversation_id", "conv_a"}}), "conv_a");
  for (const Json& body : {Json(nullptr), Json(1), Json::array(), Json{{"conversation_id", 7}}})
    EXPECT_EQ(lane("/v1/payment_requests", body), "") << body;
  EXPECT_EQ(lane("/v1/payment_requests/preq_a/accept", nullptr), "preq_a");
  EXPECT_EQ(lane("/v1/orders/ord_a/ship", nullptr), "ord_a");
  EXPECT_EQ(lane("/v1/payments/pay_a/cancel", nullptr), "pay_a");
}

TEST(Lanes, OnlyAPlainMessageGoesToTheWriter) {
  const auto is_message = [](Json frame) {
    frame["id"] = "1";
    const auto read = read_frame(frame.dump());
    return gateway::is_message(read, lane_of(read));
  };
  const std::string path = "/v1/conversations/conv_a/messages";
  EXPECT_TRUE(is_message({{"method", "POST"}, {"path", path}}));
  EXPECT_FALSE(is_message({{"method", "GET"}, {"path", path}}));
  EXPECT_FALSE(is_message({{"method", "POST"}, {"path", path + "?x=y"}}));
  EXPECT_FALSE(is_message({{"method", "POST"}, {"path", path}, {"idempotency_key", "k"}}));
  EXPECT_TRUE(is_message({{"method", "POST"}, {"path", path}, {"body", {{"text", "product"}}}}));
  EXPECT_TRUE(is_message({{"method", "POST"}, {"path", path}, {"body", {"product"}}}));
  for (const auto* offer : {"product", "products", "catalogue", "about"})
    EXPECT_FALSE(is_message({{"method", "POST"}, {"path", path}, {"body", {{offer, nullptr}}}}))
        << offer;
  for (const auto* other :
       {"/v1/conversations/conv_a/messages/messages", "/v1/orders/ord_a/messages",
        "/v1/conversations/messages", "/v1/conversations//messages"})
    EXPECT_FALSE(is_message({{"method", "POST"}, {"path", other}})) << other;
}

}  // namespace gateway_frames_test
}  // namespace bottega::test
