// What a handler asks of its request: parameters, limits, cursors that are tied to their list, and
// the key that makes a request happen once.
#include <gtest/gtest.h>

#include "gateway/once.hpp"
#include "gateway/routes/routes.hpp"
#include "unit/gateway_app.hpp"

namespace bottega::test {
namespace gateway_call_test {

using namespace gateway;

struct Item {
  std::string id;
};
BOOST_DESCRIBE_STRUCT(Item, (), (id))

std::vector<Item> items_of(int count) {
  std::vector<Item> items;
  for (int i = 0; i < count; ++i) items.push_back({"item_" + std::to_string(i)});
  return items;
}

template <class F>
std::string refusal_of(F&& ask) {
  try {
    ask();
    return "(taken)";
  } catch (const Error& error) {
    return std::string(info(error.code()).slug);
  }
}

class Calls : public testing::Test {
 protected:
  Calls() { request.who = a_person(); }
  Call call() { return {gate.app, request, {"one", "two"}, Once::optional}; }
  // A page of three items out of more, as a client would see it.
  Reply page(std::int64_t count = 4) {
    return call().page(items_of(static_cast<int>(count)), 3,
                       [](const Item& item) { return item.id; });
  }
  std::string next_cursor() { return page().body["next_cursor"]; }
  std::optional<std::string> come_back_with(const std::string& cursor) {
    auto other = request;
    other.query += (other.query.empty() ? "" : "&") + std::string("cursor=") + cursor;
    return Call(gate.app, other, {}, Once::none).cursor();
  }

  GatewayApp gate{{}};
  Request request = a_request(Verb::get, "/v1/orders");
};

TEST_F(Calls, AParameterIsDecodedAndMayComeOnce) {
  request.query = "name=a%20b&x=&limit=5";
  EXPECT_EQ(call().parameter("name"), "a b");
  EXPECT_EQ(call().parameter("x"), "");
  EXPECT_EQ(call().parameter("y"), std::nullopt);
  request.query = "name=a&name=a";
  EXPECT_EQ(refusal_of([&] { call().parameter("name"); }), "malformed");
}

TEST_F(Calls, AParameterOfAnotherTypeIsInvalidAndNamed) {
  request.query = "merchant_id=ord_01h455vb4pex5vsknk084sn02q";
  try {
    call().parameter_as<identity::MerchantId>("merchant_id");
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "merchant_id");
  }
  request.query = "merchant_id=mer_01h455vb4pex5vsknk084sn02q";
  EXPECT_TRUE(call().parameter_as<identity::MerchantId>("merchant_id"));
}

TEST_F(Calls, TheLimitIsFromOneToAHundredAndElseTwenty) {
  EXPECT_EQ(call().limit(), 20);
  const std::pair<const char*, std::int64_t> good[] = {{"1", 1}, {"100", 100}, {"007", 7}};
  for (const auto& [text, value] : good) {
    request.query = "limit=" + std::string(text);
    EXPECT_EQ(call().limit(), value);
  }
  for (const auto* text :
       {"0", "101", "-1", "", "1.5", "1e1", "+1", "ten", "99999999999999999999"}) {
    request.query = "limit=" + std::string(text);
    EXPECT_EQ(refusal_of([&] { call().limit(); }), "invalid") << text;
  }
}

TEST_F(Calls, ASegmentThatIsNoIdIsSimplyNotThere) {
  EXPECT_EQ(call().segment(0), "one");
  EXPECT_EQ(refusal_of([&] { call().at<identity::MerchantId>(1); }), "not_found");
}

TEST_F(Calls, ABodyThatIsNotJsonIsAnUnsupportedMediaType) {
  request.body = R"({"id":"a"})";
  request.media_type = "text/plain";
  EXPECT_EQ(refusal_of([&] { call().body<Item>(); }), "unsupported_media_type");
  request.media_type = "application/json";
  EXPECT_EQ(call().body<Item>().id, "a");
  request.body = R"({"id":"a","x":1})";
  EXPECT_EQ(refusal_of([&] { call().body<Item>(); }), "invalid");
  request.body = R"({"id":"a","id":"b"})";
  EXPECT_EQ(refusal_of([&] { call().body<Item>(); }), "malformed");
}

TEST_F(Calls, APageSaysWhetherThereIsMore) {
  const auto last = page(3);
  EXPECT_EQ(last.body["data"].size(), 3u);
  EXPECT_EQ(last.body["has_more"], false);
  EXPECT_TRUE(last.body["next_cursor"].is_null());
  EXPECT_EQ(header_of(last, "Link"), "</v1/orders?limit=20>; rel=\"first\"");
  const auto more = page(4);
  EXPECT_EQ(more.body["data"].size(), 3u) << "the one too many only says that there is more";
  EXPECT_EQ(more.body["has_more"], true);
  EXPECT_EQ(come_back_with(more.body["next_cursor"]), "item_2");
}

TEST_F(Calls, TheLinkKeepsTheFiltersAndLeadsToTheNextPage) {
  request.query = "state=a%26b&limit=3";
  const auto reply = page();
  const std::string cursor = reply.body["next_cursor"];
  EXPECT_EQ(header_of(reply, "Link"), "</v1/orders?limit=3&state=a%26b&cursor=" + cursor +
                                          ">; rel=\"next\", </v1/orders?limit=3&state=a%26b>; "
                                          "rel=\"first\"");
}

TEST_F(Calls, ACursorIsOpaque) {
  const auto cursor = next_cursor();
  EXPECT_EQ(cursor.find("item_2"), std::string::npos);
  EXPECT_EQ(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
            std::string::npos)
      << "it can stand in an address as it is";
}

TEST_F(Calls, ACursorMayBeUsedWithAnotherLimitButNotWithOtherFilters) {
  request.query = "state=paid";
  const auto cursor = next_cursor();
  request.query = "state=paid&limit=7";
  EXPECT_EQ(come_back_with(cursor), "item_2");
  request.query = "state=shipped";
  EXPECT_EQ(refusal_of([&] { come_back_with(cursor); }), "bad_cursor");
  request.query = "";
  EXPECT_EQ(refusal_of([&] { come_back_with(cursor); }), "bad_cursor");
}

TEST_F(Calls, ACursorOfAnotherListOrAnotherPersonIsRefused) {
  const auto cursor = next_cursor();
  const auto mine = request;
  request.path = "/v1/payouts";
  EXPECT_EQ(refusal_of([&] { come_back_with(cursor); }), "bad_cursor");
  request = mine;
  request.who = a_person();
  EXPECT_EQ(refusal_of([&] { come_back_with(cursor); }), "bad_cursor");
  request = mine;
  EXPECT_EQ(come_back_with(cursor), "item_2");
}

TEST_F(Calls, ACursorThatWasTamperedWithIsRefused) {
  const auto cursor = next_cursor();
  int refused = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    auto other = cursor;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    refused += refusal_of([&] { come_back_with(other); }) == "bad_cursor" ? 1 : 0;
  }
  EXPECT_EQ(refused, 20) << "each character of the seal counts";
  for (const auto* other : {"", "x", "AAAA", "!!!!", "a%20b", "item_2", "aXRlbV8y"})
    EXPECT_EQ(refusal_of([&] { come_back_with(other); }), "bad_cursor") << other;
}

TEST_F(Calls, ACursorThatHoldsNoIdIsRefusedWhereAnIdIsNeeded) {
  request.query = "cursor=" + next_cursor();
  EXPECT_EQ(refusal_of([&] { cursor_id<identity::MerchantId>(call()); }), "bad_cursor");
  request.query = "";
  EXPECT_EQ(cursor_id<identity::MerchantId>(call()), std::nullopt);
}

class Keys : public testing::Test {
 protected:
  Keys() { request.who = a_person(); }
  std::optional<OnceKey> key_of(const std::string& value) {
    request.headers["idempotency-key"] = value;
    return once_key(request);
  }
  std::string digest_of(const std::string& body, const std::string& type = "application/json") {
    request.body = body;
    request.media_type = type;
    return key_of("k")->digest;
  }
  Request request = a_request(Verb::post, "/v1/orders");
};

TEST_F(Keys, ARequestWithoutAKeyHasNone) { EXPECT_EQ(once_key(request), std::nullopt); }

TEST_F(Keys, BareAndQuotedAreTheSame) {
  EXPECT_EQ(key_of("abc")->key, "abc");
  EXPECT_EQ(key_of("\"abc\"")->key, "abc");
  EXPECT_EQ(key_of("abc")->digest, key_of("\"abc\"")->digest);
  EXPECT_EQ(key_of("\"")->key, "\"") << "one quotation mark quotes nothing";
}

TEST_F(Keys, AKeyHasOneToTwoHundredAndFiftyFiveVisibleCharacters) {
  EXPECT_EQ(key_of(std::string(255, 'k'))->key.size(), 255u);
  EXPECT_EQ(key_of('"' + std::string(255, 'k') + '"')->key.size(), 255u);
  for (const auto& bad : {std::string(256, 'k'), '"' + std::string(256, 'k') + '"', std::string(),
                          std::string("\"\""), std::string("a b"), std::string("a\tb"),
                          std::string("a\x7f"), std::string("caf\xc3\xa9")})
    EXPECT_EQ(refusal_of([&] { key_of(bad); }), "malformed") << bad;
}

TEST_F(Keys, TheScopeIsWhoAsksHowAndWhere) {
  const auto key = *key_of("k");
  EXPECT_EQ(key.identity, request.who.actor());
  EXPECT_EQ(key.method, "post");
  EXPECT_EQ(key.path, "/v1/orders");
}

TEST_F(Keys, WhoeverIsNotSignedInIsTheirAddress) {
  request.who = {};
  const auto here = *key_of("k");
  request.address = "192.0.2.9";
  EXPECT_NE(key_of("k")->identity, here.identity);
  EXPECT_NE(here.identity.find("192.0.2.1"), std::string::npos);
}

TEST_F(Keys, BodiesAreComparedAsDocuments) {
  const auto digest = digest_of(R"({"a":1,"b":[1,2],"c":"é"})");
  EXPECT_EQ(digest_of("{ \"c\" : \"\\u00e9\", \"b\":[1.0,2], \"a\":1.0 }"), digest);
  EXPECT_NE(digest_of(R"({"a":1,"b":[2,1],"c":"é"})"), digest) << "arrays are ordered";
  EXPECT_NE(digest_of(R"({"a":1,"b":[1,2],"c":"é","d":null})"), digest) << "null is not absent";
  EXPECT_NE(digest_of(R"({"a":1,"b":[1,2]})"), digest);
  EXPECT_NE(digest_of(R"({"a":"1","b":[1,2],"c":"é"})"), digest);
}

TEST_F(Keys, OtherBodiesAreComparedByteForByte) {
  EXPECT_NE(digest_of("a=1", "text/plain"), digest_of("a=1 ", "text/plain"));
  EXPECT_EQ(digest_of("a=1", "text/plain"), digest_of("a=1", "text/plain"));
  EXPECT_EQ(refusal_of([&] { digest_of("{"); }), "malformed");
}

TEST_F(Keys, TheDigestTellsNothingWithoutTheKey) {
  const auto digest = digest_of(R"({"a":1})");
  request.headers["idempotency-key"] = "another";
  EXPECT_NE(once_key(request)->digest, digest);
  EXPECT_NE(sha256_hex(R"({"a":1})"), digest);
}

}  // namespace gateway_call_test
}  // namespace bottega::test
