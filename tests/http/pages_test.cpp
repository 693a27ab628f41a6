// Lists and single things: cursors, Link, ETag, HEAD, and the headers that every answer carries.
#include <set>

#include "http/story.hpp"
#include "bottega/core/error.hpp"

namespace bottega::test {
namespace pages_test {

constexpr int kMessages = 25;

class Pages : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = new Storefront(chat(Server::shared()));
    for (int i = 1; i <= kMessages; ++i)
      send_text(*shop_, shop_->buyer.api, "Message " + std::to_string(i));
  }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static const Storefront& the_chat() { return *shop_; }
  static Answer get(const std::string& path, const HeaderList& headers = {}) {
    auto buyer = shop_->buyer.api;
    return buyer.get(path, headers);
  }
  static std::string log_path(const std::string& query) {
    return shop_->path("/messages?" + query);
  }

 private:
  static Storefront* shop_;
};
Storefront* Pages::shop_ = nullptr;

// The target of a Link header with this relation (RFC 8288).
std::string link_of(const Answer& answer, const std::string& relation) {
  const auto link = answer.header("link");
  const auto at = link.find(">; rel=\"" + relation + '"');
  if (at == std::string::npos) return "";
  const auto start = link.rfind('<', at);
  return link.substr(start + 1, at - start - 1);
}

std::vector<int> seqs_of(const Answer& page) {
  std::vector<int> seqs;
  const auto body = page.json();
  for (const auto& entry : body["data"]) seqs.push_back(entry["seq"]);
  return seqs;
}

TEST_F(Pages, AreFollowedByTheirLinksToTheEnd) {
  std::vector<int> seen;
  int pages = 0;
  for (auto path = log_path("limit=10"); !path.empty(); ++pages) {
    const auto page = get(path);
    ASSERT_EQ(page.status, 200) << path;
    const auto seqs = seqs_of(page);
    seen.insert(seen.end(), seqs.begin(), seqs.end());
    path = link_of(page, "next");
    EXPECT_EQ(page.json()["has_more"].get<bool>(), !path.empty());
    EXPECT_EQ(page.json()["next_cursor"].is_null(), path.empty());
    EXPECT_EQ(link_of(page, "first"), log_path("limit=10"));
  }
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kMessages));
  for (int i = 0; i < kMessages; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i + 1);
}

TEST_F(Pages, HaveTwentyItemsWhereNobodySaysHowMany) {
  EXPECT_EQ(seqs_of(get(the_chat().path("/messages"))).size(), 20u);
  EXPECT_EQ(seqs_of(get(log_path("limit=1"))).size(), 1u);
  EXPECT_EQ(seqs_of(get(log_path("limit=100"))).size(), static_cast<std::size_t>(kMessages));
}

TEST_F(Pages, EndExactlyWhereTheListDoes) {
  const auto page = get(log_path("limit=25"));
  EXPECT_FALSE(page.json()["has_more"].get<bool>());
  EXPECT_EQ(link_of(page, "next"), "");
  EXPECT_EQ(seqs_of(get(log_path("after=24"))), std::vector<int>{25});
  EXPECT_EQ(seqs_of(get(log_path("after=25"))), std::vector<int>{});
}

TEST_F(Pages, RefuseALimitOutsideOfItsBounds) {
  for (const auto* limit : {"0", "101", "-1", "ten", "", "1.5", "99999999999999999999", "0x10"}) {
    const auto answer = get(log_path(std::string("limit=") + limit));
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << limit;
    EXPECT_TRUE(points_at(answer.json(), "limit")) << answer.body;
  }
  EXPECT_TRUE(is_problem(get(log_path("limit=1&limit=2")), 400, "malformed"));
  EXPECT_TRUE(is_problem(get(log_path("after=-1")), 422, "invalid"));
}

TEST_F(Pages, RefuseACursorThatIsNotTheirs) {
  const auto cursor = get(log_path("limit=5")).json()["next_cursor"].get<std::string>();
  EXPECT_EQ(get(log_path("cursor=" + cursor)).status, 200);
  auto tampered = cursor;
  tampered[2] = tampered[2] == 'A' ? 'B' : 'A';
  for (const auto& bad : {tampered, std::string("x"), std::string("!!!"), cursor.substr(0, 8),
                          std::string(), std::string(500, 'A')})
    EXPECT_TRUE(is_problem(get(log_path("cursor=" + bad)), 400, "bad_cursor")) << bad;
}

TEST_F(Pages, RefuseACursorOfAnotherListOrAnotherPerson) {
  const auto cursor = get(log_path("limit=5")).json()["next_cursor"].get<std::string>();
  EXPECT_TRUE(is_problem(get("/v1/conversations?cursor=" + cursor), 400, "bad_cursor"));
  EXPECT_TRUE(is_problem(get("/v1/orders?cursor=" + cursor), 400, "bad_cursor"));
  auto owner = the_chat().owner.api;
  EXPECT_TRUE(is_problem(owner.get(log_path("cursor=" + cursor)), 400, "bad_cursor"));
}

TEST_F(Pages, GoOnWithoutGapsWhileTheListGrows) {
  const auto shop = chat(Server::shared());
  for (int i = 0; i < 4; ++i) send_text(shop, shop.buyer.api, "Before");
  auto buyer = shop.buyer.api;
  const auto first = buyer.get(shop.path("/messages?limit=2"));
  for (int i = 0; i < 2; ++i) send_text(shop, shop.owner.api, "Meanwhile");
  const auto cursor = first.json()["next_cursor"].get<std::string>();
  const auto rest = buyer.get(shop.path("/messages?limit=100&cursor=" + cursor));
  EXPECT_EQ(seqs_of(rest), (std::vector<int>{3, 4, 5, 6}));
}

TEST_F(Pages, OfConversationsAreNewestFirstAndComplete) {
  const auto buyer = person(Server::shared());
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) {
    const auto other = chat(Server::shared());
    auto api = buyer.api;
    made.insert(api.post("/v1/conversations", {{"merchant_id", other.merchant}}).json()["id"]);
  }
  std::set<std::string> seen;
  std::string last = "9999";
  auto api = buyer.api;
  for (std::string path = "/v1/conversations?limit=2"; !path.empty();) {
    const auto page = api.get(path);
    const auto body = page.json();
    for (const auto& one : body["data"]) {
      seen.insert(one["id"]);
      EXPECT_LE(one["last_entry_at"], last);
      last = one["last_entry_at"];
    }
    path = link_of(page, "next");
  }
  EXPECT_EQ(seen, made);
}

// ---- one thing ----------------------------------------------------------------------------------

TEST_F(Pages, SaveASecondAnswerToAClientThatHasTheThing) {
  const auto path = the_chat().path();
  const auto first = get(path);
  const auto etag = first.header("etag");
  ASSERT_TRUE(etag.starts_with('"') && etag.ends_with('"') && etag.size() > 10) << etag;
  EXPECT_EQ(get(path).header("etag"), etag);
  for (const auto& seen : {etag, "\"x\", " + etag, std::string("*")}) {
    const auto again = get(path, {{"If-None-Match", seen}});
    EXPECT_EQ(again.status, 304) << seen;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.header("etag"), etag);
  }
  EXPECT_EQ(get(path, {{"If-None-Match", "\"x\""}}).status, 200);
}

TEST_F(Pages, GiveAnotherTagOnceTheThingHasChanged) {
  const auto shop = chat(Server::shared());
  auto buyer = shop.buyer.api;
  const auto etag = buyer.get(shop.path()).header("etag");
  send_text(shop, shop.buyer.api, "News");
  const auto again = buyer.get(shop.path(), {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(again.header("etag"), etag);
}

TEST_F(Pages, AnswerHeadLikeGetWithoutABody) {
  auto buyer = the_chat().buyer.api;
  for (const auto& path : {the_chat().path(), std::string("/healthz"), std::string("/openapi.json"),
                           std::string("/v1/no_such_thing")}) {
    const auto got = buyer.get(path), head = buyer.send("HEAD", path, "", {});
    EXPECT_EQ(head.status, got.status) << path;
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("etag"), got.header("etag"));
    EXPECT_EQ(head.header("content-type"), got.header("content-type"));
    if (got.status != 200) continue;
    EXPECT_EQ(head.header("content-length"), std::to_string(got.body.size())) << path;
  }
}

// ---- what every answer carries ------------------------------------------------------------------

TEST(Headers, CarryTheRequestsIdInAndOut) {
  Client client(Server::shared().port());
  EXPECT_EQ(client.get("/healthz", {{"X-Request-Id", "mine-42"}}).header("x-request-id"),
            "mine-42");
  const auto problem = client.get("/v1/orders", {{"X-Request-Id", "mine-43"}});
  EXPECT_EQ(problem.header("x-request-id"), "mine-43");
  EXPECT_EQ(problem.json()["instance"], "mine-43");
  for (const auto& bad : {std::string(65, 'a'), std::string("a b"), std::string("<script>")}) {
    const auto id = client.get("/healthz", {{"X-Request-Id", bad}}).header("x-request-id");
    EXPECT_TRUE(id.starts_with("req_")) << id;
  }
  EXPECT_NE(client.get("/healthz").header("x-request-id"),
            client.get("/healthz").header("x-request-id"));
}

TEST(Headers, ContinueTheCallersTrace) {
  Client client(Server::shared().port());
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", span = "00f067aa0ba902b7";
  const auto given = "00-" + trace + "-" + span + "-01";
  const auto answered = client.get("/healthz", {{"traceparent", given}}).header("traceparent");
  EXPECT_EQ(answered.substr(0, 36), "00-" + trace + "-");
  EXPECT_NE(answered.substr(36, 16), span);
  EXPECT_EQ(answered.substr(52), "-01");
  for (const auto& bad : {"00-" + std::string(32, '0') + "-" + span + "-01", std::string("garbage"),
                          "ff-" + trace + "-" + span + "-01"}) {
    const auto fresh = client.get("/healthz", {{"traceparent", bad}}).header("traceparent");
    EXPECT_EQ(fresh.size(), 55u) << fresh;
    EXPECT_EQ(fresh.find(trace), std::string::npos) << bad;
    EXPECT_EQ(fresh.find(std::string(32, '0')), std::string::npos) << bad;
  }
}

// A paying client can be written from what the server itself says.
TEST(Guide, TellsASaleCallByCallWithTheSandboxsCards) {
  Client client(Server::shared().port());
  const auto page = client.get("/docs").body;
  const auto told = client.get("/openapi.json").json()["info"]["description"].get<std::string>();
  for (const auto* word : {"tok_approved", "tok_declined", "tok_insufficient_funds", "tok_confirm",
                           "tok_slow", "tok_answer_lost", "tok_no_answer",
                           "/v1/payment_requests/{id}/accept", "Idempotency-Key"}) {
    EXPECT_NE(page.find(word), std::string::npos) << word;
    EXPECT_NE(told.find(word), std::string::npos) << word;
  }
  EXPECT_NE(page.find("<code>tok_approved</code>"), std::string::npos);
}

TEST(Headers, KeepBrowsersFromDoingHarm) {
  const auto who = person(Server::shared());
  auto api = who.api;
  for (const auto* path : {"/healthz", "/v1/accounts/me", "/v1/no_such_thing", "/docs"}) {
    const auto answer = api.get(path);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << path;
  }
  const auto policy = api.get("/docs").header("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << policy;
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << policy;
}

TEST(Headers, KeepWhatIsPrivateOutOfCaches) {
  const auto shop = test::shop(Server::shared());
  auto owner = shop.owner.api;
  Client nobody(Server::shared().port());
  const Json login = {{"email", shop.owner.email}, {"password", kPassword}};
  EXPECT_EQ(nobody.post("/v1/sessions", login).header("cache-control"), "no-store");
  for (const auto& path : {std::string("/v1/payouts?merchant_id=") + shop.merchant,
                           std::string("/v1/orders"), shop.path("/messages")})
    EXPECT_EQ(owner.get(path).header("cache-control"), "no-store") << path;
}

TEST(Headers, LetNoOtherOriginInUnlessItIsListed) {
  Client client(Server::shared().port());
  const auto answer = client.get("/healthz", {{"Origin", "https://evil.example"}});
  EXPECT_EQ(answer.header("access-control-allow-origin"), "");
}

TEST(Headers, SayWhatIsLeftOfTheAllowance) {
  const auto who = person(Server::shared());
  auto api = who.api;
  const auto left = [&] {
    const auto answer = api.get("/v1/accounts/me");
    EXPECT_EQ(answer.header("ratelimit-policy"), "\"minute\";q=1000000;w=60");
    const auto limit = answer.header("ratelimit");
    return std::stol(limit.substr(limit.find("r=") + 2));
  };
  const auto before = left();
  EXPECT_EQ(left(), before - 1);
}

TEST(Problems, HaveAPageForEachOfTheirTypes) {
  Client client(Server::shared().port());
  const auto type = client.get("/v1/orders").json()["type"].get<std::string>();
  const auto page = client.get(type.substr(type.find("/problems/")));
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.header("content-type").starts_with("text/html"));
  EXPECT_NE(page.body.find("unauthenticated"), std::string::npos);
  for (const auto& row : kCodes)
    EXPECT_EQ(client.get("/problems/" + std::string(row.slug)).status, 200) << row.slug;
  EXPECT_TRUE(is_problem(client.get("/problems/no_such_problem"), 404, "not_found"));
}

}  // namespace pages_test
}  // namespace bottega::test
