// Sockets that break the protocol, or end in the middle of it: each is closed with the code that
// says why, the others go on, and nothing of it stays behind.
#include "http/story.hpp"
#include "support/raw_socket.hpp"

namespace bottega::test {
namespace bad_sockets_test {

constexpr int kMore = 0x00, kFinal = 0x80;
constexpr int kRest = 0x0, kText = 0x1, kBinary = 0x2, kClose = 0x8, kPing = 0x9;

std::string text(const std::string& payload) { return ws_frame(kFinal | kText, payload); }

struct Bad {
  const char* name;
  int code;  // that the server closes with
  std::string bytes;
};
void PrintTo(const Bad& one, std::ostream* out) { *out << one.name; }

// A mask is what tells the server that no proxy was fooled; 1002 is a protocol error, 1007 text
// that is not UTF-8, 1009 too much, 3501 ours for what is no frame of ours.
const Bad kBad[] = {
    {"Unmasked", 1002, ws_frame(kFinal | kText, "{}", Masked::no)},
    {"UnmaskedPing", 1002, ws_frame(kFinal | kPing, "", Masked::no)},
    {"UnknownDataOpcode", 1002, ws_frame(kFinal | 0x3, "a")},
    {"LastDataOpcode", 1002, ws_frame(kFinal | 0x7, "a")},
    {"UnknownControlOpcode", 1002, ws_frame(kFinal | 0xb, "")},
    {"LastControlOpcode", 1002, ws_frame(kFinal | 0xf, "")},
    {"FirstReservedBit", 1002, ws_frame(kFinal | 0x40 | kText, "{}")},
    {"SecondReservedBit", 1002, ws_frame(kFinal | 0x20 | kText, "{}")},
    {"ThirdReservedBit", 1002, ws_frame(kFinal | 0x10 | kText, "{}")},
    {"ReservedBitOfAPing", 1002, ws_frame(kFinal | 0x40 | kPing, "")},
    {"FragmentedPing", 1002, ws_frame(kMore | kPing, "a")},
    {"FragmentedClose", 1002, ws_frame(kMore | kClose, ws_close(1000))},
    {"LongPing", 1002, ws_frame(kFinal | kPing, std::string(126, 'a'))},
    {"LongClose", 1002, ws_frame(kFinal | kClose, ws_close(1000, std::string(124, 'a')))},
    {"RestWithoutAStart", 1002, ws_frame(kFinal | kRest, "{}")},
    {"RestBehindAWholeMessage", 1002,
     text(R"({"id":"1","method":"GET","path":"/healthz"})") + ws_frame(kFinal | kRest, "{}")},
    {"TextInsideAMessage", 1002, ws_frame(kMore | kText, "{") + text("{}")},
    {"BinaryInsideAMessage", 1002, ws_frame(kMore | kText, "{") + ws_frame(kFinal | kBinary, "{}")},
    {"LengthInTooManyBytes", 1002, ws_frame_telling(kFinal | kText, 2, 2, "{}")},
    {"LengthInFarTooManyBytes", 1002, ws_frame_telling(kFinal | kText, 8, 200, "{}")},
    {"NotUtf8", 1007, text("{\"id\":\"\xff\"}")},
    {"OverlongUtf8", 1007, text("\xc0\xaf")},
    {"SurrogateInUtf8", 1007, text("\xed\xa0\x80")},
    {"BeyondUnicode", 1007, text("\xf4\x90\x80\x80")},
    {"CharacterCutShort", 1007, text("{\"id\":\"\xe2\x82")},
    {"NotUtf8OverTwoFragments", 1007,
     ws_frame(kMore | kText, "\xe2") + ws_frame(kFinal | kRest, "\x28\xa1")},
    {"NotUtf8BeforeTheMessageEnds", 1007, ws_frame(kMore | kText, "\xfe")},
    {"LongFrame", 1009, text(std::string(65'537, ' '))},
    // It need not be sent to be refused. The highest bit must be 0, and is too much in any case.
    {"LongFrameByItsLength", 1009, ws_frame_telling(kFinal | kText, 8, 1u << 31, "")},
    {"LengthWithTheHighestBit", 1009, ws_frame_telling(kFinal | kText, 8, 1ull << 63, "")},
    {"LengthOfAllBits", 1009, ws_frame_telling(kFinal | kText, 8, ~0ull, "")},
    {"LongMessageOfFragments", 1009,
     ws_frame(kMore | kText, std::string(40'000, ' ')) +
         ws_frame(kFinal | kRest, std::string(40'000, ' '))},
    {"FragmentThatOverflowsTheSum", 1009,
     ws_frame(kMore | kText, "{") + ws_frame_telling(kFinal | kRest, 8, ~0ull >> 1, "")},
    {"CloseOfOneByte", 1002, ws_frame(kFinal | kClose, "a")},
    {"CloseCodeThatIsNone", 1002, ws_frame(kFinal | kClose, ws_close(0))},
    {"CloseCodeBelowAll", 1002, ws_frame(kFinal | kClose, ws_close(999))},
    {"CloseCodeOfNobody", 1002, ws_frame(kFinal | kClose, ws_close(1005))},
    {"CloseCodeOfALostConnection", 1002, ws_frame(kFinal | kClose, ws_close(1006))},
    {"CloseCodeOfTheFuture", 1002, ws_frame(kFinal | kClose, ws_close(2999))},
    // The reason is no message: what is wrong with it is an error of the protocol.
    {"CloseReasonThatIsNotUtf8", 1002, ws_frame(kFinal | kClose, ws_close(1000, "\xff"))},
    {"Binary", 3501, ws_frame(kFinal | kBinary, "{}")},
    {"BinaryOfFragments", 3501, ws_frame(kMore | kBinary, "{") + ws_frame(kFinal | kRest, "}")},
    {"NotJson", 3501, text("hello")},
    {"NoText", 3501, text("")},
    {"NoFrameOfOurs", 3501, text(R"({"id":"1","method":"BREW","path":"/"})")},
    {"GoodByeInOrder", 1000, ws_frame(kFinal | kClose, ws_close(1000, "I have seen enough"))},
    {"GoodByeWithACodeOfItsOwn", 4999, ws_frame(kFinal | kClose, ws_close(4999))},
    {"GoodByeWithoutACode", 1000, ws_frame(kFinal | kClose, "")},
};

// A server with both ports, a bystander who must notice nothing, and who writes.
struct Street {
  TempDir keys;
  std::string certificate = (keys.path() / "certificate.pem").string();
  std::string key = (keys.path() / "key.pem").string();
  Ran made = run_program(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + certificate);
  House house{{"tls.certificate=" + certificate, "tls.key=" + key, "socket.ping_s=2",
               "socket.pong_s=3", "stop.grace_s=2"}};
  Storefront shop = chat(house.server);
  Socket bystander{house.server.port(), shop.owner.api.token()};
};

class BadSockets : public testing::Test {
 protected:
  static void SetUpTestSuite() { street = std::make_unique<Street>(); }
  static void TearDownTestSuite() { street.reset(); }

  static const Server& server() { return street->house.server; }
  static RawSocket opened(bool over_tls) {
    const auto token = street->shop.buyer.api.token();
    return over_tls ? RawSocket(server().tls_port(), token, street->certificate)
                    : RawSocket(server().port(), token);
  }
  static int count(const std::string& kind) {
    const auto page = Client(server().port()).get("/metrics").body;
    const auto series = "bottega_load{kind=\"" + kind + "\"} ";
    const auto at = page.find(series);
    return at == page.npos ? -1 : std::stoi(page.substr(at + series.size()));
  }
  // Nothing is left but the bystander, who answers pings while it is asked, and who looks.
  static testing::AssertionResult only_bystander_is_left() {
    int sockets = 0, connections = 0;
    const bool so = soon([&] {
      street->bystander.call("GET", "/healthz");
      sockets = count("sockets");
      connections = count("connections");
      return sockets == 1 && connections <= 2;
    });
    return (so ? testing::AssertionSuccess() : testing::AssertionFailure())
           << sockets << " sockets and " << connections << " connections are left";
  }
  static void expect_others_are_served() {
    EXPECT_EQ(street->bystander.call("GET", "/healthz")["status"], 200);
    Socket fresh(server().port(), street->shop.buyer.api.token());
    EXPECT_EQ(fresh.call("GET", "/v1/accounts/me")["status"], 200);
    fresh.close();
  }
  static std::string saying(const std::string& words) {
    return Json{{"id", "say"},
                {"method", "POST"},
                {"path", street->shop.path("/messages")},
                {"body", {{"text", words}}}}
        .dump();
  }
  // The reply to the frame of this id, whatever else comes.
  static Json reply(RawSocket& socket, const std::string& id) {
    while (const auto frame = socket.read())
      if (frame->opcode == kText)
        if (auto json = Json::parse(frame->payload); json.value("id", "") == id) return json;
    return nullptr;
  }

  static inline std::unique_ptr<Street> street;
};

class BrokenProtocol : public BadSockets,
                       public testing::WithParamInterface<std::tuple<Bad, bool>> {};

TEST_P(BrokenProtocol, IsClosedWithTheCodeThatSaysWhy) {
  const auto& [bad, over_tls] = GetParam();
  {
    auto socket = opened(over_tls);
    socket.send(bad.bytes);
    EXPECT_EQ(socket.close_code(), bad.code);
  }
  expect_others_are_served();
  EXPECT_TRUE(only_bystander_is_left());
}

INSTANTIATE_TEST_SUITE_P(Http, BrokenProtocol,
                         testing::Combine(testing::ValuesIn(kBad), testing::Bool()),
                         [](const auto& row) {
                           return std::get<0>(row.param).name +
                                  std::string(std::get<1>(row.param) ? "OverTls" : "");
                         });

class OddSockets : public BadSockets, public testing::WithParamInterface<bool> {};

TEST_P(OddSockets, AMessageMayComeInFragmentsWithAPingInside) {
  auto socket = opened(GetParam());
  std::string words;
  for (int i = 0; i < 4'096; ++i) words += "\xf0\x9f\x8e\x81";  // cut within characters
  const auto whole = saying(words);
  std::string bytes;
  for (std::size_t at = 0; at < whole.size(); at += 1'001)
    bytes += ws_frame((at + 1'001 < whole.size() ? kMore : kFinal) | (at == 0 ? kText : kRest),
                      whole.substr(at, 1'001)) +
             (at == 3'003 ? ws_frame(kFinal | kPing, "are you there?") : "");
  socket.send(bytes);
  const auto pong = socket.read();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->opcode, 0xa);
  EXPECT_EQ(pong->payload, "are you there?");
  const auto sent = reply(socket, "say");
  EXPECT_EQ(sent["status"], 201) << sent.dump();
  EXPECT_EQ(sent["body"]["data"]["text"], words);
}

TEST_P(OddSockets, AMessageMayComeInTheSmallestPieces) {
  auto socket = opened(GetParam());
  const auto whole = saying("Byte by byte");
  socket.send(ws_frame(kMore | kText, ""));
  for (const char one : whole) socket.send(ws_frame(kMore | kRest, std::string(1, one)));
  socket.send(ws_frame(kFinal | kRest, ""));
  EXPECT_EQ(reply(socket, "say")["status"], 201);
  for (const char one : text(R"({"id":"h","method":"GET","path":"/healthz"})"))
    socket.send(std::string(1, one));
  EXPECT_EQ(reply(socket, "h")["status"], 200);
}

TEST_P(OddSockets, AHalfClosedOneIsLetGo) {
  {
    auto socket = opened(GetParam());
    socket.send(text(saying("My last words")));
    EXPECT_EQ(reply(socket, "say")["status"], 201);
    socket.half_close();
    while (socket.read()) {}
    EXPECT_TRUE(only_bystander_is_left()) << "though the client still reads";
  }
  expect_others_are_served();
}

TEST_P(OddSockets, OneThatEndsInsideAFrameIsLetGo) {
  for (const std::size_t part : {1u, 2u, 5u, 20u}) {
    auto socket = opened(GetParam());
    socket.send(text(saying("Never said")).substr(0, part));
    socket.half_close();
    EXPECT_TRUE(only_bystander_is_left()) << part;
  }
  expect_others_are_served();
}

TEST_P(OddSockets, AnOffenderThatDoesNotHangUpIsCutOff) {
  auto one = opened(GetParam()), other = opened(GetParam());
  one.send(ws_frame(kFinal | kText, "{}", Masked::no));
  other.send(text("hello"));
  EXPECT_EQ(one.close_code(), 1002);
  EXPECT_EQ(other.close_code(), 3501);
  expect_others_are_served();
  EXPECT_TRUE(only_bystander_is_left());
}

TEST_P(OddSockets, WhatComesBehindAnOffenceIsNotDone) {
  const auto before = street->bystander.call("GET", street->shop.path())["body"]["last_seq"];
  auto socket = opened(GetParam());
  socket.send(text("hello") + text(saying("Too late")));
  EXPECT_EQ(socket.close_code(), 3501);
  socket.half_close();
  EXPECT_TRUE(only_bystander_is_left());
  EXPECT_EQ(street->bystander.call("GET", street->shop.path())["body"]["last_seq"], before);
}

INSTANTIATE_TEST_SUITE_P(Http, OddSockets, testing::Bool(), [](const auto& row) {
  return std::string(row.param ? "OverTls" : "Plain");
});

}  // namespace bad_sockets_test
}  // namespace bottega::test
