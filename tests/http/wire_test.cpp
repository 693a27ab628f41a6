// HTTP/1.1 as hostile clients speak it: each head gets the right problem, and nothing is changed.
#include "http/story.hpp"

namespace bottega::test {
namespace wire_test {

const Storefront& the_chat() {
  static const Storefront shop = chat(Server::shared());
  return shop;
}

// A request that would write a message if its head were let through.
std::string message_with(const std::string& fields, const std::string& body) {
  return "POST " + the_chat().path("/messages") + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
         "Authorization: Bearer " + the_chat().buyer.api.token() +
         "\r\nContent-Type: application/json\r\n" + fields + "\r\n" + body;
}
const std::string kHello = R"({"text":"Hello"})";

std::int64_t last_seq() {
  auto buyer = the_chat().buyer.api;
  return buyer.get(the_chat().path()).json()["last_seq"];
}

struct Hostile {
  const char* name;
  int status;
  const char* code;
  std::string (*bytes)();
};
void PrintTo(const Hostile& one, std::ostream* out) { *out << one.name; }

const Hostile kHostile[] = {
    {"LengthAndChunked", 400, "malformed",
     [] {
       return message_with("Content-Length: 16\r\nTransfer-Encoding: chunked\r\n",
                           "10\r\n" + kHello + "\r\n0\r\n\r\n");
     }},
    {"TwoLengths", 400, "malformed",
     [] { return message_with("Content-Length: 16\r\nContent-Length: 17\r\n", kHello); }},
    {"TwoEqualLengths", 400, "malformed",
     [] { return message_with("Content-Length: 16\r\nContent-Length: 16\r\n", kHello); }},
    {"ListOfLengths", 400, "malformed",
     [] { return message_with("Content-Length: 16, 16\r\n", kHello); }},
    {"SignedLength", 400, "malformed",
     [] { return message_with("Content-Length: +16\r\n", kHello); }},
    {"NegativeLength", 400, "malformed",
     [] { return message_with("Content-Length: -1\r\n", kHello); }},
    {"HexLength", 400, "malformed",
     [] { return message_with("Content-Length: 0x10\r\n", kHello); }},
    {"OverflowingLength", 400, "malformed",
     [] { return message_with("Content-Length: 18446744073709551632\r\n", kHello); }},
    {"ChunkedTwice", 501, "not_implemented",
     [] { return message_with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"); }},
    {"GzipCoding", 501, "not_implemented",
     [] { return message_with("Transfer-Encoding: gzip\r\n", kHello); }},
    {"ObscuredCoding", 501, "not_implemented",
     [] { return message_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"); }},
    {"SpaceBeforeColon", 400, "malformed",
     [] { return message_with("Content-Length : 16\r\n", kHello); }},
    {"FoldedField", 400, "malformed",
     [] { return message_with("X-A: b\r\n c\r\nContent-Length: 16\r\n", kHello); }},
    {"BareLineFeed", 400, "malformed",
     [] { return message_with("X-A: b\nContent-Length: 16\r\n", kHello); }},
    {"BareCarriageReturn", 400, "malformed",
     [] { return message_with("X-A: b\rc\r\nContent-Length: 16\r\n", kHello); }},
    {"NulInField", 400, "malformed",
     [] { return message_with("X-A: b" + std::string(1, '\0') + "\r\n", kHello); }},
    {"FieldWithoutName", 400, "malformed", [] { return message_with(": b\r\n", kHello); }},
    {"BadChunkSize", 400, "malformed",
     [] { return message_with("Transfer-Encoding: chunked\r\n", "zz\r\n" + kHello + "\r\n"); }},
    {"ChunkExtension", 400, "malformed",
     [] { return message_with("Transfer-Encoding: chunked\r\n", "10;a=b\r\n" + kHello + "\r\n"); }},
    {"LongerChunk", 400, "malformed",
     [] {
       return message_with("Transfer-Encoding: chunked\r\n", "5\r\n" + kHello + "\r\n0\r\n\r\n");
     }},
    {"Trailer", 400, "malformed",
     [] {
       return message_with("Transfer-Encoding: chunked\r\n",
                           "10\r\n" + kHello + "\r\n0\r\nContent-Length: 3\r\n\r\n");
     }},
    {"NoHost", 400, "malformed", [] { return std::string("GET /healthz HTTP/1.1\r\n\r\n"); }},
    {"TwoHosts", 400, "malformed",
     [] { return std::string("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"); }},
    {"HostWithUser", 400, "malformed",
     [] { return std::string("GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n"); }},
    {"AbsoluteAddress", 400, "malformed",
     [] { return std::string("GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"SpaceInAddress", 400, "malformed",
     [] { return std::string("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"BytesInAddress", 400, "malformed",
     [] { return std::string("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"NoVersion", 400, "malformed", [] { return std::string("GET /healthz\r\n\r\n"); }},
    {"LowerCaseVersion", 400, "malformed",
     [] { return std::string("GET /healthz http/1.1\r\nHost: a\r\n\r\n"); }},
    {"HttpTwo", 505, "http_version",
     [] { return std::string("GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n"); }},
    {"UnknownMethod", 501, "not_implemented",
     [] { return std::string("BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"Connect", 501, "not_implemented",
     [] { return std::string("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"Trace", 501, "not_implemented",
     [] { return std::string("TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"TlsHello", 400, "malformed",
     [] { return std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15); }},
    {"OtherExpectation", 417, "expectation_failed",
     [] { return message_with("Expect: the-unexpected\r\nContent-Length: 16\r\n", kHello); }},
    {"LongAddress", 414, "uri_too_long",
     [] { return "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"; }},
    {"LongField", 431, "headers_too_large",
     [] { return message_with("X-A: " + std::string(9'000, 'a') + "\r\n", kHello); }},
    {"LargeHead", 431, "headers_too_large",
     [] { return "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + std::string(20'000, 'a'); }},
    {"ManyFields", 431, "headers_too_large",
     [] {
       std::string fields;
       for (int i = 0; i < 101; ++i) fields += "X-" + std::to_string(i) + ": a\r\n";
       return message_with(fields, "");
     }},
    {"LargeBody", 413, "too_large", [] { return message_with("Content-Length: 1048577\r\n", ""); }},
    {"LargeChunk", 413, "too_large",
     [] { return message_with("Transfer-Encoding: chunked\r\n", "100001\r\n"); }},
};

class HostileHead : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHead, IsRefusedWithTheRightProblemAndAClosedConnection) {
  const auto before = last_seq();
  const auto answer = raw(Server::shared().port(), GetParam().bytes());
  EXPECT_TRUE(is_problem(answer, GetParam().status, GetParam().code));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(last_seq(), before);
}

INSTANTIATE_TEST_SUITE_P(Http, HostileHead, testing::ValuesIn(kHostile),
                         [](const auto& row) { return std::string(row.param.name); });

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Wire, AnswersPipelinedRequestsInTheirOrder) {
  const std::string one = "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: ";
  const auto text =
      exchange(Server::shared().port(), one + "first\r\n\r\n" + one + "second\r\n\r\n" + one +
                                            "third\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count_of(text, "HTTP/1.1 200 OK"), 3);
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("third"));
}

TEST(Wire, ClosesAfterGarbageThatIsPipelinedBehindARequest) {
  const auto text = exchange(Server::shared().port(),
                             "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n\x01\x02garbage\r\n\r\n"
                             "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count_of(text, "HTTP/1.1 "), 2) << text;
  EXPECT_EQ(count_of(text, "HTTP/1.1 200 OK"), 1);
  EXPECT_EQ(count_of(text, "HTTP/1.1 400 Bad Request"), 1);
}

TEST(Wire, DoesNotTakeABodyForTheNextRequest) {
  const auto before = last_seq();
  const std::string inner = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto text =
      exchange(Server::shared().port(),
               "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Connection: close\r\nContent-Length: " +
                   std::to_string(inner.size()) + "\r\n\r\n" + inner);
  EXPECT_EQ(count_of(text, "HTTP/1.1 "), 1) << text;
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(last_seq(), before);
}

TEST(Wire, ReadsAChunkedBody) {
  const auto answer = raw(Server::shared().port(),
                          message_with("Transfer-Encoding: chunked\r\nConnection: close\r\n",
                                       "6\r\n{\"text\r\nA\r\n\":\"Hello\"}\r\n0\r\n\r\n"));
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.json()["data"]["text"], "Hello");
}

TEST(Wire, SaysContinueToAClientThatWaitsForIt) {
  // The body is written at once; a head that comes alone is what asks for the word.
  const auto head = message_with("Expect: 100-continue\r\nContent-Length: 16\r\n", "");
  const auto text = exchange(Server::shared().port(), head);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << text;
  const auto whole = exchange(
      Server::shared().port(),
      message_with("Expect: 100-continue\r\nConnection: close\r\nContent-Length: 16\r\n", kHello));
  EXPECT_EQ(count_of(whole, "HTTP/1.1 201 Created"), 1) << whole;
}

TEST(Wire, RefusesABodyThatIsTooLargeBeforeItSaysContinue) {
  const auto text =
      exchange(Server::shared().port(),
               message_with("Expect: 100-continue\r\nContent-Length: 99999999\r\n", ""));
  EXPECT_TRUE(text.starts_with("HTTP/1.1 413 ")) << text;
}

TEST(Wire, ClosesAfterAnAnswerToHttpOneZero) {
  const auto answer = raw(Server::shared().port(), "GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json()["status"], "alive");
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(Wire, ForgivesAnEmptyLineBeforeARequest) {
  const auto answer = raw(Server::shared().port(),
                          "\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
}

TEST(Wire, AnswersAMethodThatIsNotOfferedWithTheOnesThatAre) {
  Client client(Server::shared().port(), the_chat().buyer.api.token());
  const auto patched = client.send("PATCH", "/v1/orders", "", {});
  EXPECT_TRUE(is_problem(patched, 405, "method_not_allowed"));
  EXPECT_EQ(patched.header("allow"), "GET, HEAD");
  const auto removed = client.remove("/v1/conversations");
  EXPECT_TRUE(is_problem(removed, 405, "method_not_allowed"));
  EXPECT_NE(removed.header("allow").find("POST"), std::string::npos);
  EXPECT_NE(removed.header("allow").find("GET, HEAD"), std::string::npos);
}

TEST(Wire, TellsTheMethodsOfAnAddress) {
  Client client(Server::shared().port());
  EXPECT_EQ(client.send("OPTIONS", "/v1/orders", "", {}).header("allow"), "GET, HEAD, OPTIONS");
  const auto product = client.send("OPTIONS", "/v1/products/x", "", {});
  EXPECT_EQ(product.status, 204);
  for (const auto* method : {"GET, HEAD", "PATCH", "DELETE", "OPTIONS"})
    EXPECT_NE(product.header("allow").find(method), std::string::npos) << method;
  EXPECT_EQ(product.header("allow").find("PUT"), std::string::npos);
  EXPECT_EQ(client.send("OPTIONS", "/v1/nothing", "", {}).header("allow"),
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

TEST(Wire, HasNoAddressesButItsOwn) {
  Client client(Server::shared().port());
  for (const auto* path : {"/v1", "/v1/", "/v1/nothing", "/v1/accounts/me/", "//healthz",
                           "/healthz/../metrics", "/HEALTHZ", "/v1/orders/a/b/c", "/.git/config"})
    EXPECT_TRUE(is_problem(client.get(path), 404, "not_found")) << path;
  for (const auto* path : {"/problems/%zz", "/problems/%00", "/problems/%ff", "/problems/%"})
    EXPECT_TRUE(is_problem(client.get(path), 400, "malformed")) << path;
}

// A filter that is misspelled must not look as if everything had matched it.
TEST(Wire, KnowsTheQueryParametersOfEachAddress) {
  auto api = the_chat().owner.api;
  for (const auto* path : {"/v1/orders?sate=paid", "/v1/orders?state=paid", "/v1/accounts/me?x",
                           "/v1/payouts?merchant=m", "/v1/orders?Limit=5"})
    EXPECT_TRUE(is_problem(api.get(path), 400, "malformed")) << path;
  EXPECT_EQ(api.get("/v1/orders?limit=5").status, 200);
  EXPECT_TRUE(is_problem(api.get("/v1/payouts"), 400, "malformed")) << "whose?";
}

TEST(Wire, IsStillUpAfterAllThis) {
  Client client(Server::shared().port());
  for (const auto& one : kHostile) exchange(Server::shared().port(), one.bytes());
  EXPECT_EQ(client.get("/readyz").status, 200);
  EXPECT_EQ(send_text(the_chat(), the_chat().buyer.api, "Still here").status, 201);
}

// ---- what takes too long ------------------------------------------------------------------------

class SlowWire : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"http.read_timeout_s=1", "http.idle_timeout_s=1", "http.body_max_bytes=1024",
                       "http.header_max_bytes=1024"});
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static House* house;
};
House* SlowWire::house = nullptr;

TEST_F(SlowWire, EndsARequestThatDoesNotArriveInTime) {
  const auto begun = std::chrono::steady_clock::now();
  exchange(house->server.port(), "GET /healthz HTTP/1.1\r\nHost: a\r\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(SlowWire, SaysThatTheHeadDidNotArriveInTime) {
  const auto answer = raw(house->server.port(), "GET /healthz HTTP/1.1\r\nHost: a\r\n");
  EXPECT_TRUE(is_problem(answer, 408, "request_timeout"));
}

TEST_F(SlowWire, SaysThatTheBodyDidNotArriveInTime) {
  const auto answer = raw(house->server.port(),
                          "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_TRUE(is_problem(answer, 408, "request_timeout"));
}

TEST_F(SlowWire, ClosesAConnectionThatIsSilentWithoutAWord) {
  EXPECT_EQ(exchange(house->server.port(), ""), "");
}

TEST_F(SlowWire, KeepsTheLimitsThatItsSettingsSay) {
  Client client(house->server.port());
  const Json body = {{"email", std::string(1100, 'a')}, {"password", "x"}};
  EXPECT_TRUE(is_problem(client.post("/v1/sessions", body), 413, "too_large"));
  EXPECT_TRUE(is_problem(client.get("/healthz", {{"X-A", std::string(1100, 'a')}}), 431,
                         "headers_too_large"));
}

}  // namespace wire_test
}  // namespace bottega::test
