// HTTPS and WSS, with a certificate made for the purpose.
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "http/story.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace tls_test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Secure = asio::ssl::stream<beast::tcp_stream>;

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir = new TempDir;
    const auto made = run_program(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
        path("key.pem") + " -out " + path("certificate.pem"));
    ASSERT_EQ(made.status, 0) << made.output;
    server = new Server(dir->path() / "data", {"tls.certificate=" + path("certificate.pem"),
                                               "tls.key=" + path("key.pem")});
  }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
    delete dir;
    dir = nullptr;
  }
  static std::string path(const std::string& name) { return (dir->path() / name).string(); }
  static TempDir* dir;
  static Server* server;
};
TempDir* Tls::dir = nullptr;
Server* Tls::server = nullptr;

// A client that trusts only the certificate of the test.
struct SecureClient {
  asio::io_context io;
  asio::ssl::context context{asio::ssl::context::tls_client};
  std::unique_ptr<Secure> stream;

  explicit SecureClient(const std::string& certificate) {
    context.load_verify_file(certificate);
    context.set_verify_mode(asio::ssl::verify_peer);
  }
  void connect(std::uint16_t port) {
    stream = std::make_unique<Secure>(io, context);
    beast::get_lowest_layer(*stream).connect({asio::ip::address_v4::loopback(), port});
    stream->handshake(Secure::client);
  }
  Answer send(http::verb verb, const std::string& target, const Json& body,
              const std::string& token = "") {
    http::request<http::string_body> request{verb, target, 11};
    request.set(http::field::host, "127.0.0.1");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    if (!body.is_null()) {
      request.set(http::field::content_type, "application/json");
      request.body() = body.dump();
    }
    request.prepare_payload();
    http::write(*stream, request);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(*stream, buffer, response);
    return {static_cast<int>(response.result_int()), {}, response.body()};
  }
};

TEST_F(Tls, CarriesTheStorysFirstStepsOnOneConnection) {
  SecureClient client(path("certificate.pem"));
  client.connect(server->tls_port());
  const auto email = new_key() + "@people.example";
  const auto made = client.send(http::verb::post, "/v1/accounts",
                                {{"email", email}, {"password", kPassword}, {"name", "Pat"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto tokens =
      client.send(http::verb::post, "/v1/sessions", {{"email", email}, {"password", kPassword}});
  ASSERT_EQ(tokens.status, 201) << tokens.body;
  const auto token = tokens.json()["access_token"].get<std::string>();
  const auto me = client.send(http::verb::get, "/v1/accounts/me", nullptr, token);
  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(me.json()["id"], made.json()["id"]);
  const auto shop = client.send(http::verb::post, "/v1/merchants",
                                {{"name", "S"}, {"country", "US"}, {"currency", "USD"}}, token);
  EXPECT_EQ(shop.status, 201);
}

TEST_F(Tls, CarriesTheSocket) {
  const auto shop = chat(*server);
  SecureClient client(path("certificate.pem"));
  client.connect(server->tls_port());
  beast::websocket::stream<Secure> socket(std::move(*client.stream));
  socket.set_option(beast::websocket::stream_base::decorator([&](auto& request) {
    request.set(http::field::authorization, "Bearer " + shop.buyer.api.token());
    request.set(http::field::sec_websocket_protocol, "bottega.v1");
  }));
  socket.handshake("127.0.0.1", "/v1/socket");
  const Json frame = {{"id", "1"},
                      {"method", "POST"},
                      {"path", shop.path("/messages")},
                      {"body", {{"text", "Over TLS"}}}};
  socket.write(asio::buffer(frame.dump()));
  Json reply;
  do {
    beast::flat_buffer buffer;
    socket.read(buffer);
    reply = Json::parse(beast::buffers_to_string(buffer.data()));
  } while (!reply.contains("id"));
  EXPECT_EQ(reply["status"], 201) << reply.dump();
  EXPECT_EQ(reply["body"]["data"]["text"], "Over TLS");
}

// The request comes with the last words of the handshake, and whoever sent it is gone before they
// are answered.
void ask_and_vanish(const SecureClient& client, std::uint16_t port) {
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(
      SSL_new(const_cast<SecureClient&>(client).context.native_handle()), SSL_free);
  auto *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), port});
  const auto send = [&] {
    std::array<char, 8'192> bytes;
    const int count = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    asio::write(socket, asio::buffer(bytes.data(), static_cast<std::size_t>(count)));
  };
  while (SSL_do_handshake(ssl.get()) != 1) {
    if (BIO_pending(out) > 0) send();
    std::array<char, 8'192> bytes;
    const auto count = socket.read_some(asio::buffer(bytes));
    BIO_write(in, bytes.data(), static_cast<int>(count));
  }
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_GT(SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())), 0);
  send();
  socket.set_option(asio::socket_base::linger(true, 0));
  socket.close();
}

TEST_F(Tls, LetsGoOfAClientThatVanishesWithinTheHandshake) {
  const SecureClient client(path("certificate.pem"));
  for (int i = 0; i < 200; ++i) ask_and_vanish(client, server->tls_port());
  const auto one_left = [&] {
    const auto page = Client(server->port()).get("/metrics").body;
    return page.find("kind=\"connections\"} 1\n") != std::string::npos;
  };
  EXPECT_TRUE(soon(one_left));
}

TEST_F(Tls, SaysThatItEndsBeforeItEnds) {
  SecureClient client(path("certificate.pem"));
  client.connect(server->tls_port());
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  asio::write(*client.stream, asio::buffer(request));
  std::string answer;
  beast::error_code ended;
  asio::read(*client.stream, asio::dynamic_buffer(answer), ended);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_EQ(ended, asio::error::eof) << ended.message() << ": not merely cut off";
}

TEST_F(Tls, CarriesMuchInBothDirectionsAtOnce) {
  const auto shop = chat(*server);
  SecureClient client(path("certificate.pem"));
  client.connect(server->tls_port());
  beast::websocket::stream<Secure> socket(std::move(*client.stream));
  socket.set_option(beast::websocket::stream_base::decorator([&](auto& request) {
    request.set(http::field::authorization, "Bearer " + shop.buyer.api.token());
  }));
  socket.handshake("127.0.0.1", "/v1/socket");
  constexpr int kMessages = 60;  // of 4,000 characters: each comes back twice
  const std::string text(4'000, 'x');
  for (int i = 0; i < kMessages; ++i) {
    const Json frame = {{"id", std::to_string(i)},
                        {"method", "POST"},
                        {"path", shop.path("/messages")},
                        {"body", {{"text", text + std::to_string(i)}}}};
    socket.write(asio::buffer(frame.dump()));
  }
  int replies = 0, events = 0;
  while (replies < kMessages || events < kMessages) {
    beast::flat_buffer buffer;
    socket.read(buffer);
    const auto came = Json::parse(beast::buffers_to_string(buffer.data()));
    const auto& body = came.contains("id") ? came["body"] : came;
    auto& count = came.contains("id") ? replies : events;
    ASSERT_EQ(body["data"]["text"], text + std::to_string(count)) << came.dump().substr(0, 200);
    ++count;
  }
  socket.close(beast::websocket::close_code::normal);
}

TEST_F(Tls, SpeaksNothingOlderThanTlsOneTwo) {
  const auto with = [&](int version) {
    SecureClient client(path("certificate.pem"));
    SSL_CTX_set_security_level(client.context.native_handle(), 0);
    SSL_CTX_set_min_proto_version(client.context.native_handle(), version);
    SSL_CTX_set_max_proto_version(client.context.native_handle(), version);
    client.connect(server->tls_port());
    return std::string(SSL_get_version(client.stream->native_handle()));
  };
  EXPECT_THROW(with(TLS1_VERSION), boost::system::system_error);
  EXPECT_THROW(with(TLS1_1_VERSION), boost::system::system_error);
  EXPECT_EQ(with(TLS1_2_VERSION), "TLSv1.2");
  EXPECT_EQ(with(TLS1_3_VERSION), "TLSv1.3");
}

TEST_F(Tls, WantsForwardSecrecy) {
  SecureClient client(path("certificate.pem"));
  SSL_CTX_set_max_proto_version(client.context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(client.context.native_handle(), "AES128-GCM-SHA256:AES128-SHA");
  EXPECT_THROW(client.connect(server->tls_port()), boost::system::system_error);
}

TEST_F(Tls, DropsAClientThatSpeaksPlainHttpToIt) {
  const auto text =
      exchange(server->tls_port(), "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(text.find("200 OK"), std::string::npos);
  EXPECT_EQ(Client(server->port()).get("/healthz").status, 200);
}

TEST_F(Tls, StillStopsWithSuccessWhileAClientIsConnected) {
  TempDir other;
  Server own(other.path() / "data",
             {"tls.certificate=" + path("certificate.pem"), "tls.key=" + path("key.pem")});
  SecureClient client(path("certificate.pem"));
  client.connect(own.tls_port());
  EXPECT_EQ(client.send(http::verb::get, "/healthz", nullptr).status, 200);
  EXPECT_EQ(own.stop(), 0);
}

TEST_F(Tls, DoesNotStartWithoutItsKey) {
  const auto urls = Cluster::shared().fresh_database();
  const auto ran = run_program(
      std::string("'") + BOTTEGA_BINARY + "' serve --set http.port=0 --set sandbox.port=0 --set " +
      "'database.url=" + urls.app + "' --set 'database.owner_url=" + urls.owner +
      "' --set 'sandbox.url=" + urls.sandbox + "' --set tls.port=0 --set tls.certificate=" +
      path("certificate.pem") + " --set tls.key=" + path("absent.pem"));
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("tls.key cannot be read"), std::string::npos) << ran.output;
}

}  // namespace tls_test
}  // namespace bottega::test
