// Notifications from end to end: the real server, a push service with TLS, and a browser that
// decrypts what comes.
#include "http/push_house.hpp"
#include "support/shared.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace push_test {

class Push : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificate = new Certificate;
    house = new House(push_settings(*certificate, {"push.call_timeout_ms=1500"}));
  }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
    delete certificate;
    certificate = nullptr;
  }
  static Server& server() { return house->server; }

  std::string url(const std::string& path = "/send") const {
    return service.url(path, "localhost");
  }
  bool is_online(const Client& who, const char* side) {
    auto api = who;
    return api.get(shop.path("/presence")).json()[side]["state"] == "online";
  }

  static Certificate* certificate;
  static House* house;
  PushService service{certificate->file("certificate.pem"), certificate->file("key.pem")};
  Storefront shop = chat(server());
  Device device;
};
Certificate* Push::certificate = nullptr;
House* Push::house = nullptr;

TEST_F(Push, TellsABrowserThatIsAway) {
  const auto key = shop.buyer.api.get("/v1/push/key").json()["public_key"];
  subscribe(shop.buyer, device, url("/send/abc?x=1"));
  send_text(shop, shop.owner.api, "Your lamp is ready");
  const auto came = service.next();
  ASSERT_TRUE(came);
  EXPECT_EQ(came->path, "/send/abc?x=1");
  EXPECT_EQ(came->headers.at("content-encoding"), "aes128gcm");
  EXPECT_EQ(came->headers.at("urgency"), "high");
  EXPECT_GT(std::stoi(came->headers.at("ttl")), 86'000);
  EXPECT_EQ(came->headers.at("topic").size(), 32u);
  const auto who = came->headers.at("authorization");
  EXPECT_TRUE(who.starts_with("vapid t=")) << who;
  EXPECT_TRUE(who.ends_with(", k=" + key.get<std::string>())) << who;
  EXPECT_EQ(came->body.find("lamp"), std::string::npos);
  const auto told = device.read(came->body);
  EXPECT_EQ(told["text"], "Your lamp is ready");
  EXPECT_EQ(told["conversation"], shop.conversation);
  EXPECT_EQ(told["type"], "message");
}

TEST_F(Push, IsSilentWhileASocketIsOpen) {
  subscribe(shop.buyer, device, url());
  {
    Socket socket(server().port(), shop.buyer.api.token());
    listen(socket);
    ASSERT_TRUE(soon([&] { return is_online(shop.owner.api, "buyer"); }));
    send_text(shop, shop.owner.api, "Heard at once");
    socket.event("message.created");
    // A round that would have told of it has passed when this one's message has been told.
    Device other;
    auto second = chat(server());
    subscribe(second.buyer, other, url("/other"));
    send_text(second, second.owner.api, "To somebody who is away");
    EXPECT_EQ(service.next()->path, "/other");
    socket.close();
  }
  ASSERT_TRUE(soon([&] { return !is_online(shop.owner.api, "buyer"); }));
  send_text(shop, shop.owner.api, "Heard later");
  EXPECT_EQ(device.read(service.next()->body)["text"], "Heard later");
}

TEST_F(Push, ForgetsABrowserThatIsGone) {
  subscribe(shop.buyer, device, url());
  service.answer(410);
  send_text(shop, shop.owner.api, "Anybody there?");
  ASSERT_TRUE(service.next());
  EXPECT_TRUE(
      soon([&] { return shop.buyer.api.get("/v1/push/subscriptions").json()["data"].empty(); }));
}

TEST_F(Push, AsksABusyServiceAgain) {
  subscribe(shop.buyer, device, url());
  service.answer(429, {{"Retry-After", "1"}});
  send_text(shop, shop.owner.api, "When you have time");
  ASSERT_TRUE(service.next());
  service.answer(201);
  const auto again = service.next();
  ASSERT_TRUE(again);
  EXPECT_EQ(device.read(again->body)["text"], "When you have time");
}

TEST_F(Push, SlowsNobodyWhereAPushServiceHangs) {
  PushService good(certificate->file("certificate.pem"), certificate->file("key.pem"));
  service.hang();
  std::vector<Storefront> shops;
  for (int i = 0; i < 8; ++i) {
    shops.push_back(chat(server()));
    subscribe(shops.back().buyer, device, url("/" + std::to_string(i)));
    send_text(shops.back(), shops.back().owner.api, "Into the void");
  }
  ASSERT_TRUE(service.next());
  subscribe(shop.buyer, device, good.url("/good", "localhost"));
  Socket socket(server().port(), shop.owner.api.token());
  listen(socket);
  for (int i = 0; i < 50; ++i) {
    const auto sent = socket.call("POST", shop.path("/messages"), {{"text", "Still quick"}});
    ASSERT_EQ(sent["status"], 201);
  }
  const auto came = good.next();
  ASSERT_TRUE(came) << "another service is not held up";
  EXPECT_EQ(device.read(came->body)["text"], "Still quick");
  EXPECT_TRUE(soon([&] { return load_of(server(), "push_retried") >= 1; })) << "given up in time";
}

TEST_F(Push, DoesNotFollowARedirect) {
  PushService elsewhere(certificate->file("certificate.pem"), certificate->file("key.pem"));
  const auto failed = load_of(server(), "push_failed");
  subscribe(shop.buyer, device, url());
  service.answer(307, {{"Location", elsewhere.url("/", "localhost")}});
  send_text(shop, shop.owner.api, "Here and nowhere else");
  EXPECT_TRUE(soon([&] { return load_of(server(), "push_failed") == failed + 1; }));
  EXPECT_EQ(elsewhere.count(), 0u);
}

TEST_F(Push, ShowsNoAddressAndNoKeyAgain) {
  const auto id = subscribe(shop.buyer, device, url("/a-secret-path"));
  const auto list = shop.buyer.api.get("/v1/push/subscriptions");
  ASSERT_EQ(list.status, 200);
  const auto one = list.json()["data"][0];
  EXPECT_EQ(one["id"], id);
  EXPECT_EQ(one["service"], url("").substr(0, url("").find_last_not_of('/') + 1));
  EXPECT_EQ(one.size(), 4u) << one.dump();
  EXPECT_EQ(list.body.find("a-secret-path"), std::string::npos);
  service.answer(500);
  send_text(shop, shop.owner.api, "Fail");
  ASSERT_TRUE(service.next());
  ASSERT_TRUE(soon([&] { return load_of(server(), "push_retried") >= 1; }));
  const auto text = read_file(server().log_file());
  EXPECT_EQ(text.find("a-secret-path"), std::string::npos);
}

TEST_F(Push, NamesEveryFaultOfASubscription) {
  const auto answer = shop.buyer.api.post(
      "/v1/push/subscriptions",
      {{"endpoint", "nowhere"}, {"keys", {{"p256dh", "x"}, {"auth", "y"}}}, {"more", 1}});
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  for (const auto* pointer : {"/endpoint", "/keys/p256dh", "/keys/auth", "/more"})
    EXPECT_TRUE(points_at(answer.json(), pointer)) << pointer;
}

TEST_F(Push, IsAnswersToItsOwnerAlone) {
  const auto id = subscribe(shop.buyer, device, url());
  const auto path = "/v1/push/subscriptions/" + id;
  EXPECT_EQ(shop.owner.api.remove(path).status, 404);
  EXPECT_EQ(shop.owner.api.get("/v1/push/subscriptions").json()["data"].size(), 0u);
  EXPECT_EQ(shop.buyer.api.remove(path).status, 204);
  EXPECT_EQ(shop.buyer.api.remove(path).status, 404);
}

TEST_F(Push, EndsWithALogout) {
  subscribe(shop.buyer, device, url());
  EXPECT_EQ(shop.buyer.api.remove("/v1/sessions/" + shop.buyer.session).status, 204);
  send_text(shop, shop.owner.api, "Nobody is signed in");
  auto second = chat(server());
  subscribe(second.buyer, device, url("/second"));
  send_text(second, second.owner.api, "To somebody who is");
  EXPECT_EQ(service.next()->path, "/second");
  EXPECT_EQ(service.count(), 1u);
}

// Addresses that lead into the operator's own network are judged when they are connected to.
TEST(PushNetwork, IsClosedToPrivateAddressesUnlessTheOperatorOpensIt) {
  const Certificate certificate;
  auto settings = push_settings(certificate);
  settings.push_back("push.allow_private=no");
  House house(settings);
  PushService service(certificate.file("certificate.pem"), certificate.file("key.pem"));
  auto shop = chat(house.server);
  const Device device;
  for (const auto* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"})
    subscribe(shop.buyer, device, service.url("/", host));
  EXPECT_TRUE(is_problem(
      shop.buyer.api.post("/v1/push/subscriptions", device.subscription("http://push.example/")),
      422, "invalid"));
  send_text(shop, shop.owner.api, "Knock knock");
  EXPECT_TRUE(soon([&] { return load_of(house.server, "push_failed") == 3; }));
  EXPECT_EQ(service.count(), 0u);
}

// A server that trusts one certificate tells nothing to a service that shows the other.
void expect_mistrusted(const Certificate& trusted, const Certificate& shown) {
  House house(push_settings(trusted));
  PushService service(shown.file("certificate.pem"), shown.file("key.pem"));
  auto shop = chat(house.server);
  const Device device;
  subscribe(shop.buyer, device, service.url("/", "localhost"));
  send_text(shop, shop.owner.api, "For whom?");
  EXPECT_TRUE(soon([&] { return load_of(house.server, "push_retried") == 1; }));
  EXPECT_EQ(service.count(), 0u);
}

TEST(PushNetwork, TrustsNoServiceWithoutAValidCertificate) {
  const Certificate ours, theirs;
  expect_mistrusted(ours, theirs);
}

TEST(PushNetwork, KnowsAServiceByItsName) {
  // Trusted, but for another name than the one that is called.
  const Certificate certificate("DNS:push.example");
  expect_mistrusted(certificate, certificate);
}

TEST(PushNotSetUp, SaysSo) {
  House house;
  auto shop = chat(house.server);
  const Device device;
  EXPECT_TRUE(is_problem(shop.buyer.api.get("/v1/push/key"), 501, "not_implemented"));
  EXPECT_TRUE(is_problem(
      shop.buyer.api.post("/v1/push/subscriptions", device.subscription("https://push.example/x")),
      501, "not_implemented"));
  EXPECT_TRUE(shop.buyer.api.get("/v1/push/subscriptions").json()["data"].empty());
}

TEST(PushNotSetUp, DoesNotStartWithAKeyThatIsNone) {
  const TempDir dir;
  const auto start = [&](const std::string& settings) {
    return run_program(std::string(BOTTEGA_BINARY) + " serve --set http.port=0 " +
                       "--set sandbox.port=0 --set data.dir=" + (dir.path() / "data").string() +
                       settings);
  };
  const auto bad =
      start(" --set push.vapid_private_key=c2VjcmV0 --set push.vapid_subject=mailto:a@b");
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.output.find("push.vapid_private_key"), std::string::npos) << bad.output;
  EXPECT_EQ(bad.output.find("c2VjcmV0"), std::string::npos);
}

TEST(PushKeys, ArePrintedAsAPairThatWorks) {
  const auto printed = run_program(std::string(BOTTEGA_BINARY) + " vapid-keys");
  ASSERT_EQ(printed.status, 0) << printed.output;
  std::istringstream in(printed.output);
  std::string setting, words, public_key;
  std::getline(in, setting);
  std::getline(in, words);
  std::getline(in, public_key);
  const std::string name = "push.vapid_private_key=";
  ASSERT_TRUE(setting.starts_with(name)) << printed.output;
  EXPECT_EQ(from_base64url(setting.substr(name.size()))->size(), 32u);
  EXPECT_EQ(from_base64url(public_key)->size(), 65u);
}

// What was heard and not yet written down when the server was killed is found in the log.
TEST(PushAfterACrash, TellsOfWhatWasWrittenBeforeIt) {
  const Certificate certificate;
  const TempDir dir;
  PushService service(certificate.file("certificate.pem"), certificate.file("key.pem"));
  const Device device;
  auto settings = push_settings(certificate, {"presence.lease_s=5"});
  auto patient = settings;
  patient.push_back("push.delay_s=3600");
  auto first = std::make_unique<Server>(dir.path() / "data", patient);
  auto shop = chat(*first);
  subscribe(shop.buyer, device, service.url("/send", "localhost"));
  ASSERT_EQ(send_text(shop, shop.owner.api, "Just before the end").status, 201);
  first->kill();
  const Server second(dir.path() / "data", settings);
  std::optional<PushService::Received> came;
  ASSERT_TRUE(soon([&] { return service.count() > 0; }, std::chrono::seconds(30)));
  came = service.next();
  EXPECT_EQ(device.read(came->body)["text"], "Just before the end");
}

}  // namespace push_test
}  // namespace bottega::test
