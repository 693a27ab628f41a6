// Exactly once: a keyed request takes effect and is answered once, whatever becomes of the client.
#include "gateway/once.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace once_test {

using namespace std::chrono_literals;
using gateway::OnceKey, gateway::Replayed, gateway::Reply, gateway::Request, gateway::Verb;

const Sql<void()> kDeed{"test.once.deed", "INSERT INTO deeds DEFAULT VALUES"};
const Sql<std::int64_t()> kDeeds{"test.once.deeds", "SELECT count(*) FROM deeds"};
const Sql<void()> kAge{"test.once.age", R"(
    UPDATE idempotency_keys SET locked_until = clock_timestamp() - interval '1 second')"};

Request request_of(const std::string& key, const std::string& body = "{}",
                   const std::string& path = "/v1/things") {
  Request request;
  request.verb = Verb::post;
  request.path = path;
  request.body = body;
  request.media_type = "application/json";
  request.headers = {{"idempotency-key", key}};
  request.address = "192.0.2.1";
  request.who.kind = identity::Kind::person;
  request.who.account = identity::AccountId::make();
  return request;
}

std::optional<OnceKey> key_of(const Request& request) { return gateway::once_key(request); }

class OnceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world = std::make_unique<World>();
    execute(world->urls.owner,
            "CREATE TABLE bottega.deeds (n bigint GENERATED ALWAYS AS IDENTITY);"
            "GRANT SELECT, INSERT, DELETE ON bottega.deeds TO bottega_app");
  }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override { execute(world->urls.app, "DELETE FROM bottega.deeds"); }

  // What the gateway does with a request of one transaction.
  static Reply serve(const OnceKey& key, const std::string& secret = "a secret word") {
    try {
      return world->transact([&](Tx& tx) {
        gateway::claim(tx, key);
        tx.run(kDeed);
        Reply reply = gateway::created(Json{{"n", tx.one(kDeeds)}, {"secret", secret}});
        reply.headers.emplace_back("Location", "/v1/things/1");
        gateway::keep(tx, key, reply);
        return reply;
      });
    } catch (const Replayed& replayed) {
      return replayed.reply;
    }
  }
  static bool is_replayed(const Reply& reply) {
    return std::ranges::find(reply.headers, std::pair(std::string("Idempotent-Replayed"),
                                                      std::string("true"))) != reply.headers.end();
  }
  static std::int64_t deeds() {
    return world->transact([](Tx& tx) { return tx.one(kDeeds); });
  }
  static std::optional<std::string> flow(const OnceKey& key) {
    return world->transact([&](Tx& tx) { return gateway::claim_flow(tx, key, 60s); });
  }
  static inline std::unique_ptr<World> world;
  const Request request = request_of("key-" + random_token(8), R"({"a":1,"b":[2]})");
  const OnceKey key = *key_of(request);
};

TEST_F(OnceTest, IsLookedAtWithoutBeingClaimed) {
  const auto is_begun = [&](const OnceKey& which) {
    return world->transact([&](Tx& tx) { return gateway::is_begun(tx, which); });
  };
  EXPECT_FALSE(is_begun(key));
  EXPECT_FALSE(is_begun(key)) << "looking leaves nothing behind";
  flow(key);
  EXPECT_TRUE(is_begun(key));
  auto other = key;
  other.digest = key_of(request_of(key.key, R"({"a":2})"))->digest;
  EXPECT_FALSE(is_begun(other)) << "another body is another request";
  world->transact([&](Tx& tx) { gateway::keep(tx, key, gateway::created(Json{{"n", 1}})); });
  EXPECT_THROW(is_begun(key), Replayed);
  EXPECT_FALSE(is_begun(other));
}

TEST_F(OnceTest, ARepeatGetsTheFirstReplyAndHasNoEffect) {
  const auto first = serve(key), again = serve(key), third = serve(key);
  EXPECT_FALSE(is_replayed(first));
  for (const auto& reply : {again, third}) {
    EXPECT_TRUE(is_replayed(reply));
    EXPECT_EQ(reply.status, 201u);
    EXPECT_EQ(reply.body, first.body);
    EXPECT_EQ(reply.headers.front(), first.headers.front());
  }
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, AnotherBodyUnderTheKeyIsRefused) {
  serve(key);
  auto other = request;
  other.body = R"({"a":2,"b":[2]})";
  EXPECT_EQ(code_of([&] { serve(*key_of(other)); }), Code::idempotency_key_reused);
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, TheSameBodySpeltOtherwiseIsTheSame) {
  serve(key);
  for (const auto* body : {R"({"b":[2],"a":1})", "{ \"a\" : 1.0, \"b\": [ 2 ] }\n"}) {
    auto other = request;
    other.body = body;
    EXPECT_TRUE(is_replayed(serve(*key_of(other)))) << body;
  }
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, AQuotedKeyIsTheBareOne) {
  serve(key);
  auto quoted = request;
  quoted.headers["idempotency-key"] = '"' + key.key + '"';
  EXPECT_TRUE(is_replayed(serve(*key_of(quoted))));
}

TEST_F(OnceTest, TheKeyBelongsToOneIdentityAndOnePath) {
  serve(key);
  auto stranger = request, elsewhere = request;
  stranger.who.account = identity::AccountId::make();
  elsewhere.path = "/v1/other_things";
  EXPECT_FALSE(is_replayed(serve(*key_of(stranger))));
  EXPECT_FALSE(is_replayed(serve(*key_of(elsewhere))));
  EXPECT_EQ(deeds(), 3);
}

TEST_F(OnceTest, PeopleWithoutANameAreToldApartByTheirAddress) {
  auto one = request, two = request;
  one.who = two.who = identity::Who{};
  two.address = "192.0.2.2";
  EXPECT_NE(key_of(one)->identity, key_of(two)->identity);
}

TEST_F(OnceTest, WhatFailsLeavesTheKeyFree) {
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                gateway::claim(tx, key);
                tx.run(kDeed);
                throw Error(Code::internal, "broke");
              });
            }),
            Code::internal);
  EXPECT_EQ(deeds(), 0);
  EXPECT_FALSE(is_replayed(serve(key)));
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, NeitherTheKeyNorTheReplyCanBeReadFromTheTable) {
  serve(key, "hunter2hunter2");
  const auto found = [&](const std::string& text) {
    return execute(world->urls.superuser,
                   "SELECT count(*) FROM bottega.idempotency_keys k WHERE strpos(k::text, '" +
                       text + "') > 0");
  };
  EXPECT_EQ(found(key.key), "0");
  EXPECT_EQ(found("hunter2hunter2"), "0");
  EXPECT_EQ(found(sha256_hex("idempotency:" + key.key)), "1");
  EXPECT_EQ(serve(key).body.at("secret"), "hunter2hunter2");
}

TEST_F(OnceTest, AReplyThatWasTamperedWithIsNotGivenOut) {
  serve(key);
  execute(world->urls.superuser,
          "UPDATE bottega.idempotency_keys SET reply = translate(reply, 'abcdef', 'bcdefa')");
  EXPECT_EQ(code_of([&] { serve(key); }), Code::internal);
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, ConcurrentRepeatsTakeEffectOnce) {
  std::vector<std::future<Reply>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(std::async(std::launch::async, [&] { return serve(key); }));
  int first = 0;
  for (auto& one : tries) {
    const auto reply = one.get();
    EXPECT_EQ(reply.status, 201u);
    EXPECT_EQ(reply.body.at("n"), 1);
    first += is_replayed(reply) ? 0 : 1;
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(deeds(), 1);
}

TEST_F(OnceTest, AReplyIsKeptForSevenDays) {
  serve(key);
  const auto sweep = [] { return world->transact([](Tx& tx) { return gateway::sweep_once(tx); }); };
  world->advance(std::chrono::days(7) - 1min);
  sweep();
  EXPECT_TRUE(is_replayed(serve(key)));
  world->advance(2min);
  EXPECT_GE(sweep(), 1);
  EXPECT_FALSE(is_replayed(serve(key)));
  world->clock.set_offset(0s);
}

TEST_F(OnceTest, AFlowUnderWayIsInFlightAndADeadOnesIsTakenUp) {
  const auto resource = "pay_1";
  EXPECT_EQ(flow(key), std::nullopt);
  world->transact([&](Tx& tx) { gateway::note_resource(tx, key, resource); });
  EXPECT_EQ(code_of([&] { flow(key); }), Code::in_flight);
  world->transact([](Tx& tx) { tx.run(kAge); });
  EXPECT_EQ(flow(key), resource) << "the server that was at it has died";
  EXPECT_EQ(code_of([&] { flow(key); }), Code::in_flight) << "now this one is at it";
  world->transact([&](Tx& tx) { gateway::let_go(tx, key); });
  EXPECT_EQ(flow(key), resource);
  world->transact([&](Tx& tx) { gateway::keep(tx, key, gateway::ok(Json{{"done", true}})); });
  try {
    flow(key);
    ADD_FAILURE() << "the flow was begun again";
  } catch (const Replayed& replayed) {
    EXPECT_EQ(replayed.reply.body, (Json{{"done", true}}));
  }
}

TEST_F(OnceTest, FlowsThatBeginTogetherAreEachInFlight) {
  auto others = request;
  others.path = "/v1/other_things";
  const auto other = *key_of(others);
  const gateway::Flow one{"pay_1", 60s}, two{"pay_2", 60s};
  using Flows = std::vector<std::pair<const OnceKey*, const gateway::Flow*>>;
  const auto claim = [&](const Flows& flows) {
    return world->transact([&](Tx& tx) { return gateway::claim_flows(tx, flows); });
  };
  EXPECT_TRUE(claim({}));
  EXPECT_TRUE(claim({{&key, &one}, {&other, &two}}));
  EXPECT_FALSE(claim({{&other, &two}})) << "somebody has used it";
  EXPECT_EQ(code_of([&] { flow(key); }), Code::in_flight);
  world->transact([](Tx& tx) { tx.run(kAge); });
  EXPECT_EQ(flow(key), "pay_1");
  EXPECT_EQ(flow(other), "pay_2");
  const auto reply = gateway::ok(Json{{"n", 1}}), second = gateway::ok(Json{{"n", 2}});
  world->transact([&](Tx& tx) { gateway::keep_all(tx, {{&key, &reply}, {&other, &second}}); });
  for (const auto& [which, body] : {std::pair(&key, reply.body), std::pair(&other, second.body)})
    try {
      flow(*which);
      ADD_FAILURE() << "the flow was begun again";
    } catch (const Replayed& replayed) {
      EXPECT_EQ(replayed.reply.body, body);
    }
}

TEST_F(OnceTest, ConcurrentFlowsOfOneKeyHaveOneBeginner) {
  std::vector<std::future<int>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(std::async(std::launch::async, [&] {
      try {
        return flow(key) ? 0 : 1;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::in_flight);
        EXPECT_TRUE(error.retry_after());
        return 0;
      }
    }));
  int begun = 0;
  for (auto& one : tries) begun += one.get();
  EXPECT_EQ(begun, 1);
}

class BadKeys : public testing::TestWithParam<std::string> {};
TEST_P(BadKeys, AreMalformed) {
  EXPECT_EQ(code_of([] { key_of(request_of(GetParam())); }), Code::malformed);
}
INSTANTIATE_TEST_SUITE_P(Once, BadKeys,
                         testing::Values("", "\"\"", "two words", "ümlaut", "tab\there",
                                         std::string(256, 'k'), '"' + std::string(256, 'k') + '"'));

TEST(OnceKeys, UpTo255CharactersAreTaken) {
  const auto key = key_of(request_of(std::string(255, 'k')));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->key.size(), 255u);
  EXPECT_EQ(key->path, "/v1/things");
  EXPECT_EQ(key->method, "post");
}

TEST(OnceKeys, NoHeaderIsNoKey) {
  auto request = request_of("x");
  request.headers.clear();
  EXPECT_FALSE(key_of(request));
}

}  // namespace once_test
}  // namespace bottega::test
