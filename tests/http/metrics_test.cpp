// How the server says that it is well, what it counts, and where it says: enough.
#include <set>
#include <sstream>

#include "http/story.hpp"

namespace bottega::test {
namespace metrics_test {

std::string page_of(const Server& server) { return Client(server.port()).get("/metrics").body; }

// The value of a series; 0 where there is none yet.
double value_of(const std::string& page, const std::string& series) {
  const auto at = page.find("\n" + series + " ");
  return at == page.npos ? 0 : std::stod(page.substr(at + series.size() + 2));
}

std::string answered(const std::string& route, int status) {
  return "bottega_requests_total{route=\"" + route + "\",status=\"" + std::to_string(status) +
         "\"}";
}

// "name value" or "name{label="…"} value", where the value is a number and the name has a type.
bool is_sample(const std::string& line, const std::set<std::string>& types) {
  const auto space = line.rfind(' ');
  if (space == line.npos) return false;
  std::size_t read = 0;
  std::stod(line.substr(space + 1), &read);
  const auto labelled = line.substr(0, space);
  const auto brace = labelled.find('{');
  if (brace != labelled.npos && !labelled.ends_with("\"}")) return false;
  auto name = labelled.substr(0, brace);
  for (const auto* part : {"_bucket", "_sum", "_count"})
    if (name.ends_with(part)) name.resize(name.size() - std::string(part).size());
  return read == line.size() - space - 1 && types.contains(name);
}

TEST(Metrics, AreAPageThatPrometheusCanRead) {
  Client client(Server::shared().port());
  client.get("/healthz");  // an answer is counted when it has been given
  const auto answer = client.get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  std::istringstream lines(answer.body);
  std::set<std::string> types;
  int samples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      types.insert(line.substr(7, line.find(' ', 7) - 7));
    } else if (!line.starts_with("# HELP ")) {
      EXPECT_TRUE(is_sample(line, types)) << line;
      ++samples;
    }
  }
  EXPECT_GT(samples, 15);
  EXPECT_EQ(types, (std::set<std::string>{"bottega_load", "bottega_request_seconds",
                                          "bottega_requests_total"}));
}

TEST(Metrics, CountWhatIsAnsweredByRouteAndStatus) {
  const auto& server = Server::shared();
  const auto shop = chat(server);
  const auto before = page_of(server);
  for (int i = 0; i < 3; ++i) send_text(shop, shop.buyer.api, "Count me");
  Client(server.port()).get("/v1/no_such_thing");
  raw(server.port(), "GARBAGE\r\n\r\n");
  const auto after = page_of(server);
  const auto moved = [&](const std::string& series) {
    return value_of(after, series) - value_of(before, series);
  };
  EXPECT_EQ(moved(answered("sendMessage", 201)), 3);
  EXPECT_EQ(moved(answered("none", 404)), 1);
  EXPECT_EQ(moved(answered("refused", 400)), 1);
  EXPECT_EQ(moved("bottega_request_seconds_count{route=\"sendMessage\"}"), 3);
  EXPECT_GT(moved("bottega_request_seconds_sum{route=\"sendMessage\"}"), 0);
}

TEST(Metrics, HaveNoNamesOfPeopleOrThingsInThem) {
  const auto& server = Server::shared();
  const auto shop = chat(server);
  send_text(shop, shop.buyer.api, "Hello");
  const auto page = page_of(server);
  for (const auto* prefix : {"conv_", "usr_", "mer_", "bat_", "@people"})
    EXPECT_EQ(page.find(prefix), std::string::npos) << prefix;
}

TEST(Metrics, SayHowManySocketsAreOpen) {
  const auto& server = Server::shared();
  const std::string series = "bottega_load{kind=\"sockets\"}";
  const auto who = person(server);
  const auto before = value_of(page_of(server), series);
  {
    Socket socket(server.port(), who.api.token());
    socket.call("GET", "/healthz");
    EXPECT_EQ(value_of(page_of(server), series), before + 1);
    socket.close();
  }
  EXPECT_TRUE(soon([&] { return value_of(page_of(server), series) == before; }));
}

TEST(Health, IsAliveAndReady) {
  Client client(Server::shared().port());
  EXPECT_EQ(client.get("/healthz").json(), (Json{{"status", "alive"}}));
  EXPECT_EQ(client.get("/readyz").json(), (Json{{"status", "ready"}}));
}

TEST(Contract, IsServedWithItsPages) {
  Client client(Server::shared().port());
  EXPECT_EQ(client.get("/openapi.json").json()["openapi"], "3.1.0");
  EXPECT_TRUE(client.get("/asyncapi.json").json()["asyncapi"].get<std::string>().starts_with("3."));
  const auto docs = client.get("/docs");
  EXPECT_TRUE(docs.header("content-type").starts_with("text/html"));
  EXPECT_NE(docs.body.find("/v1/payment_requests/{id}/accept"), std::string::npos);
  // Who comes back from a processor's page sees no document for programs.
  const auto back = client.get("/back?payment=x");
  EXPECT_EQ(back.status, 200);
  EXPECT_TRUE(back.header("content-type").starts_with("text/html"));
  EXPECT_NE(back.body.find("told in your chat"), std::string::npos);
  const auto home = client.get("/");
  EXPECT_EQ(home.status, 302);
  EXPECT_EQ(home.header("location"), "/docs");
}

// ---- enough is enough ---------------------------------------------------------------------------

void expect_limited(const Answer& answer) {
  EXPECT_TRUE(is_problem(answer, 429, "rate_limited"));
  const auto wait = answer.header("retry-after");
  ASSERT_NE(wait, "");
  EXPECT_TRUE(std::stoi(wait) >= 1 && std::stoi(wait) <= 60) << wait;
}

TEST(RateLimit, IsPerPersonAndForReadsAndWritesApart) {
  House house({"limits.requests_per_minute=5", "limits.writes_per_minute=20"});
  const auto who = person(house.server), other = person(house.server);
  auto api = who.api;
  for (int left = 4; left >= 0; --left) {
    const auto answer = api.get("/v1/accounts/me");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("ratelimit-policy"), "\"minute\";q=5;w=60");
    EXPECT_TRUE(
        answer.header("ratelimit").starts_with("\"minute\";r=" + std::to_string(left) + ";t="))
        << answer.header("ratelimit");
  }
  expect_limited(api.get("/v1/accounts/me"));
  const auto second_login = log_in(house.server, who.email);
  auto again = second_login.api, others = other.api;
  expect_limited(again.get("/v1/accounts/me"));
  EXPECT_EQ(others.get("/v1/accounts/me").status, 200) << "others are not hurt";
  const Json business = {{"name", "Lamps"}, {"country", "US"}, {"currency", "USD"}};
  EXPECT_EQ(api.post("/v1/merchants", business).status, 201) << "writes have their own";
}

TEST(RateLimit, OfAConversationIsSharedByAllAndUsedUpByNobodyElse) {
  House house({"limits.conversation_per_minute=3"});
  const auto shop = chat(house.server), other = chat(house.server);
  auto owner = shop.owner.api, buyer = shop.buyer.api, stranger = other.buyer.api;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(stranger.post(shop.path("/messages"), {{"text", "Let me in"}}).status, 404);
  EXPECT_EQ(owner.post(shop.path("/messages"), {{"text", "One"}}).status, 201);
  EXPECT_EQ(buyer.post(shop.path("/messages"), {{"text", "Two"}}, {{"Idempotency-Key", ""}}).status,
            201);
  Socket socket(house.server.port(), shop.buyer.api.token());
  const auto say = [&] {
    return socket.call("POST", shop.path("/messages"), {{"text", "Three"}}, "")["status"];
  };
  EXPECT_EQ(say(), 201);
  EXPECT_EQ(say(), 429);
  expect_limited(owner.post(shop.path("/messages"), {{"text", "Four"}}));
  EXPECT_EQ(stranger.post(other.path("/messages"), {{"text", "Elsewhere"}}).status, 201);
}

TEST(RateLimit, ClosesTheConnectionsOfAnAddressThatOpensTooMany) {
  House house({"limits.connections_per_minute=5"});
  int answered = 0;
  for (int i = 0; i < 12; ++i)
    answered += exchange(house.server.port(),
                         "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    .starts_with("HTTP/1.1 200");
  // A minute may have begun anew meanwhile.
  EXPECT_GE(answered, 5);
  EXPECT_LE(answered, 10);
}

TEST(RateLimit, HoldsOverTheSocketToo) {
  House house({"limits.requests_per_minute=3"});
  const auto who = person(house.server);
  Socket socket(house.server.port(), who.api.token());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(socket.call("GET", "/v1/accounts/me")["status"], 200);
  EXPECT_TRUE(is_problem(socket.call("GET", "/v1/accounts/me"), 429, "rate_limited"));
  auto api = who.api;
  expect_limited(api.get("/v1/accounts/me"));
}

TEST(RateLimit, IsPerAddressForThoseWhoSayNotWhoTheyAre) {
  House house({"limits.address_per_minute=6"});
  Client nobody(house.server.port());
  for (int i = 0; i < 6; ++i) EXPECT_EQ(nobody.get("/healthz").status, 200);
  expect_limited(nobody.get("/v1/accounts/me"));
}

TEST(ConnectionLimit, RefusesTheNextAndCountsIt) {
  House house({"http.connections_max=2"});
  Socket first(house.server.port(), ""), second(house.server.port(), "");
  EXPECT_THROW(Client(house.server.port()).get("/healthz"), boost::system::system_error);
  first.close();
  EXPECT_TRUE(soon([&] {
    try {
      return value_of(page_of(house.server), "bottega_load{kind=\"connections_refused\"}") >= 1;
    } catch (const boost::system::system_error&) {
      return false;
    }
  }));
}

// As a superuser could who turned the triggers off.
TEST(Metrics, SayThatTheBooksAreWrong) {
  const House house;
  const std::string series = "bottega_load{kind=\"ledger_faults\"}";
  EXPECT_EQ(value_of(page_of(house.server), series), 0);
  execute(house.urls.superuser,
          "SET session_replication_role = replica; INSERT INTO bottega.ledger_accounts (kind, "
          "owner_id, currency, credits) VALUES ('wallet', gen_random_uuid(), 'USD', 5)");
  const TempDir dir;
  const Server other(dir.path() / "data",
                     {"database.url=" + house.urls.app, "database.owner_url=" + house.urls.owner,
                      "sandbox.url=" + house.urls.sandbox});
  EXPECT_TRUE(soon([&] { return value_of(page_of(other), series) == 2; }))
      << "the sums differ, and an account has no transfers";
}

TEST(Metrics, SayThatTheBooksWereNotLookedAt) {
  const House house;
  const std::string faults = "bottega_load{kind=\"ledger_faults\"}",
                    audited_at = "bottega_load{kind=\"ledger_audited_at\"}";
  EXPECT_TRUE(soon([&] { return value_of(page_of(house.server), audited_at) > 1.7e9; }));
  execute(house.urls.superuser, "REVOKE SELECT ON bottega.ledger_accounts FROM bottega_app");
  const TempDir dir;
  const Server other(dir.path() / "data",
                     {"database.url=" + house.urls.app, "database.owner_url=" + house.urls.owner,
                      "sandbox.url=" + house.urls.sandbox});
  EXPECT_TRUE(soon([&] { return value_of(page_of(other), faults) == -1; }));
  EXPECT_EQ(value_of(page_of(other), audited_at), 0);
}

}  // namespace metrics_test
}  // namespace bottega::test
