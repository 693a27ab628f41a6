// The socket: who may open it, what it takes, and that it speaks as HTTP does.

#include "http/story.hpp"

namespace bottega::test {
namespace socket_test {

const Server& server() { return Server::shared(); }
const Storefront& the_chat() {
  static const Storefront shop = chat(server());
  return shop;
}
Socket opened(const Client& who) { return Socket(server().port(), who.token()); }

std::string upgrade(const std::string& fields, const std::string& path = "/v1/socket") {
  return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server().port()) +
         "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         fields + "\r\n";
}
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";

TEST(SocketUpgrade, AnswersAsTheRfcSays) {
  const auto answer =
      raw(server().port(), upgrade(kVersion + "Sec-WebSocket-Protocol: bottega.v1\r\n"
                                              "X-Request-Id: mine\r\n"));
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.header("sec-websocket-protocol"), "bottega.v1");
  EXPECT_EQ(answer.header("x-request-id"), "mine");
  EXPECT_EQ(answer.header("sec-websocket-extensions"), "");
}

TEST(SocketUpgrade, IsRefusedAsAProblemBeforeThereIsASocket) {
  const auto with = [](const std::string& fields) { return raw(server().port(), upgrade(fields)); };
  EXPECT_TRUE(
      is_problem(with(kVersion + "Authorization: Bearer bat_x\r\n"), 401, "unauthenticated"));
  EXPECT_TRUE(is_problem(with(kVersion + "Sec-WebSocket-Protocol: other.v9\r\n"), 422, "invalid"));
  EXPECT_TRUE(is_problem(with(kVersion + "Origin: https://evil.example\r\n"), 403, "forbidden"));
  const auto old = with("Sec-WebSocket-Version: 8\r\n");
  EXPECT_TRUE(is_problem(old, 426, "upgrade_required"));
  EXPECT_EQ(old.header("sec-websocket-version"), "13");
  const auto elsewhere = raw(server().port(), upgrade(kVersion, "/v1/orders"));
  EXPECT_TRUE(is_problem(elsewhere, 404, "not_found"));
  const auto plain = Client(server().port()).get("/v1/socket");
  EXPECT_TRUE(is_problem(plain, 426, "upgrade_required"));
}

TEST(SocketUpgrade, NeverTakesATokenFromTheAddress) {
  const auto target = "/v1/socket?token=" + the_chat().buyer.api.token();
  const auto answer = raw(server().port(), upgrade(kVersion, target));
  EXPECT_TRUE(is_problem(answer, 404, "not_found"));
}

TEST(SocketUpgrade, TakesAPageOfOurOwnOrigin) {
  const auto own = "Origin: http://127.0.0.1:" + std::to_string(server().port()) + "\r\n";
  EXPECT_EQ(raw(server().port(), upgrade(kVersion + own)).status, 101);
}

// ---- who it is ----------------------------------------------------------------------------------

TEST(SocketAuth, TakesTheTokenOfTheHeader) {
  auto socket = opened(the_chat().buyer.api);
  const auto me = socket.call("GET", "/v1/accounts/me");
  EXPECT_EQ(me["status"], 200);
  EXPECT_EQ(me["body"]["id"], the_chat().buyer.id);
}

TEST(SocketAuth, TakesTheTokenOfAnAuthFrame) {
  Socket socket(server().port(), "");
  EXPECT_TRUE(is_problem(socket.call("GET", "/v1/accounts/me"), 401, "unauthenticated"));
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", the_chat().buyer.api.token()}});
  const auto done = socket.reply("a");
  EXPECT_EQ(done["status"], 200) << done.dump();
  EXPECT_EQ(done["body"]["actor"], the_chat().buyer.id);
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["status"], 200);
}

TEST(SocketAuth, TakesAnApiKeyWhichNeverExpires) {
  auto owner = the_chat().owner.api;
  const auto made = owner
                        .post("/v1/merchants/" + the_chat().merchant + "/api_keys",
                              {{"name", "Bot"}, {"scopes", {"read", "chat"}}})
                        .json();
  Socket socket(server().port(), "");
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", made["secret"]}});
  const auto done = socket.reply("a");
  ASSERT_EQ(done["status"], 200) << done.dump();
  EXPECT_EQ(done["body"]["actor"], made["api_key"]["id"]);
  EXPECT_TRUE(done["body"]["expires_at"].is_null());
  listen(socket);
  send_text(the_chat(), the_chat().buyer.api, "For the bot");
  EXPECT_EQ(socket.event("message.created")["data"]["text"], "For the bot");
  EXPECT_EQ(socket.call("POST", the_chat().path("/messages"), {{"text", "From the bot"}})["status"],
            201);
}

TEST(SocketAuth, ClosesAfterATokenThatIsNotValid) {
  Socket socket(server().port(), "");
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", "bat_garbage"}});
  EXPECT_TRUE(is_problem(socket.reply("a"), 401, "unauthenticated"));
  EXPECT_EQ(socket.close_code(), 3500);
}

TEST(SocketAuth, DoesNotBecomeSomebodyElse) {
  auto socket = opened(the_chat().buyer.api);
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", the_chat().owner.api.token()}});
  EXPECT_TRUE(is_problem(socket.reply("a"), 403, "forbidden"));
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["body"]["id"], the_chat().buyer.id);
}

TEST(SocketAuth, ClosesWhenItsSessionEnds) {
  const auto who = person(server());
  auto socket = opened(who.api);
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["status"], 200);
  auto other = log_in(server(), who.email).api;
  EXPECT_EQ(other.remove("/v1/sessions/" + who.session).status, 204);
  EXPECT_EQ(socket.close_code(), 3500);
  EXPECT_EQ(other.get("/v1/accounts/me").status, 200) << "the other session goes on";
}

TEST(SocketAuth, BelongsToTheSessionThatItSignedInWithLast) {
  const auto who = person(server());
  const auto later = log_in(server(), who.email), third = log_in(server(), who.email);
  auto socket = opened(who.api);
  socket.send({{"id", "a"}, {"method", "AUTH"}, {"token", later.api.token()}});
  EXPECT_EQ(socket.reply("a")["status"], 200);
  auto api = third.api;
  EXPECT_EQ(api.remove("/v1/sessions/" + who.session).status, 204);
  EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["status"], 200) << "that one is not its own";
  EXPECT_EQ(api.remove("/v1/sessions/" + later.session).status, 204);
  EXPECT_EQ(socket.close_code(), 3500);
}

// ---- frames -------------------------------------------------------------------------------------

struct BadFrame {
  const char* name;
  std::string text;
};
void PrintTo(const BadFrame& one, std::ostream* out) { *out << one.name; }
class MalformedFrame : public testing::TestWithParam<BadFrame> {};

TEST_P(MalformedFrame, ClosesTheSocketOfABrokenClient) {
  auto socket = opened(the_chat().buyer.api);
  socket.send_text(GetParam().text);
  EXPECT_EQ(socket.close_code(), 3501);
}

INSTANTIATE_TEST_SUITE_P(
    Http, MalformedFrame,
    testing::Values(
        BadFrame{"NotJson", "hello"}, BadFrame{"Empty", ""}, BadFrame{"Array", "[]"},
        BadFrame{"NoMethod", R"({"id":"1"})"},
        BadFrame{"NoId", R"({"method":"GET","path":"/healthz"})"},
        BadFrame{"NumericId", R"({"id":1,"method":"GET","path":"/healthz"})"},
        BadFrame{"UnknownMethod", R"({"id":"1","method":"BREW","path":"/healthz"})"},
        BadFrame{"UnknownMember", R"({"id":"1","method":"GET","path":"/healthz","token":"x"})"},
        BadFrame{"DuplicateKey", R"({"id":"1","id":"2","method":"GET","path":"/healthz"})"},
        BadFrame{"RelativePath", R"({"id":"1","method":"GET","path":"healthz"})"},
        BadFrame{"PathWithSpace", R"({"id":"1","method":"GET","path":"/a b"})"},
        BadFrame{"BadPositions", R"({"method":"RESUME","positions":{"conv_x":1}})"},
        BadFrame{"NegativePosition",
                 R"({"method":"RESUME","positions":{"conv_01h2xcejqtf2nbrexx3vqjhp41":-1}})"},
        BadFrame{"BadSince", R"({"method":"RESUME","since":"yesterday"})"},
        BadFrame{"LongId",
                 R"({"id":")" + std::string(65, 'a') + R"(","method":"GET","path":"/healthz"})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(SocketFrames, ThatAreBinaryCloseTheSocket) {
  auto socket = opened(the_chat().buyer.api);
  socket.send_binary("hello");
  EXPECT_EQ(socket.close_code(), 3501);
}

TEST(SocketFrames, ThatAreTooLargeCloseTheSocket) {
  auto socket = opened(the_chat().buyer.api);
  socket.send_text(std::string(65'537, ' '));
  EXPECT_EQ(socket.close_code(), 1009);
}

TEST(SocketFrames, OfTheLargestSizeAreTaken) {
  auto socket = opened(the_chat().buyer.api);
  std::string frame = R"({"id":"1","method":"GET","path":"/healthz"})";
  frame += std::string(65'536 - frame.size(), ' ');
  socket.send_text(frame);
  EXPECT_EQ(socket.reply("1")["status"], 200);
}

TEST(SocketFrames, GetTheSameProblemsAsOverHttp) {
  auto socket = opened(the_chat().buyer.api);
  auto http = the_chat().buyer.api;
  struct Case {
    const char* method;
    std::string path;
    Json body;
  };
  const auto missing = "/v1/conversations/conv_01h2xcejqtf2nbrexx3vqjhp41";
  for (const auto& [method, path, body] :
       {Case{"GET", missing, nullptr}, Case{"GET", "/v1/nothing", nullptr},
        Case{"PUT", "/v1/orders", nullptr}, Case{"GET", "/v1/admin/accounts", nullptr},
        Case{"POST", the_chat().path("/messages"), {{"text", 42}}},
        Case{"POST", the_chat().path("/messages"), {{"text", "a"}, {"color", "red"}}},
        Case{"GET", the_chat().path("/messages?limit=0"), nullptr},
        Case{"GET", the_chat().path("/messages?cursor=x"), nullptr}}) {
    auto framed = socket.call(method, path, body)["body"];
    auto plain = http.send(method, path, body.is_null() ? "" : body.dump(),
                           {{"Content-Type", "application/json"}})
                     .json();
    framed.erase("instance");
    plain.erase("instance");
    EXPECT_EQ(framed, plain) << method << ' ' << path;
  }
}

TEST(SocketFrames, WantAnIdempotencyKeyWhereMoneyMoves) {
  auto socket = opened(the_chat().owner.api);
  const auto reply =
      socket.call("POST", "/v1/payment_requests", new_request(the_chat()), /*key=*/"");
  EXPECT_TRUE(is_problem(reply, 400, "idempotency_key_required"));
}

TEST(SocketFrames, ShareTheirIdempotencyKeysWithHttp) {
  auto socket = opened(the_chat().buyer.api);
  const auto key = new_key();
  const Json body = {{"text", "Once, on both ways"}};
  const auto first = socket.call("POST", the_chat().path("/messages"), body, key);
  EXPECT_EQ(first["status"], 201);
  EXPECT_FALSE(first.contains("replayed"));
  const auto again = socket.call("POST", the_chat().path("/messages"), body, key);
  EXPECT_EQ(again["replayed"], true);
  EXPECT_EQ(again["body"], first["body"]);
  auto http = the_chat().buyer.api;
  const auto third = http.post(the_chat().path("/messages"), body, {{"Idempotency-Key", key}});
  EXPECT_EQ(third.header("idempotent-replayed"), "true");
  EXPECT_EQ(third.json(), first["body"]);
}

TEST(SocketFrames, AreAnsweredUnderTheirOwnIds) {
  auto socket = opened(the_chat().buyer.api);
  for (int i = 0; i < 20; ++i)
    socket.send({{"id", "q" + std::to_string(i)},
                 {"method", "GET"},
                 {"path", i % 2 == 0 ? "/v1/accounts/me" : the_chat().path()}});
  for (int i = 19; i >= 0; --i) {
    const auto reply = socket.reply("q" + std::to_string(i));
    EXPECT_EQ(reply["status"], 200);
    EXPECT_EQ(reply["body"]["id"], i % 2 == 0 ? the_chat().buyer.id : the_chat().conversation);
  }
}

TEST(SocketFrames, CanSayATextTwiceWithOneClientId) {
  auto socket = opened(the_chat().buyer.api);
  const Json body = {{"text", "Mine"}, {"client_id", "c-" + new_key()}};
  const auto first = socket.call("POST", the_chat().path("/messages"), body, "");
  const auto again = socket.call("POST", the_chat().path("/messages"), body, "");
  EXPECT_EQ(first["status"], 201) << first.dump();
  EXPECT_EQ(again["body"]["seq"], first["body"]["seq"]);
}

}  // namespace socket_test
}  // namespace bottega::test
