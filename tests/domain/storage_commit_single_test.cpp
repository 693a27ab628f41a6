// The same as storage_commit_test for Mode::single, where the one statement is the commit, and for
// the messages that are written that way.
#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "support/pg_proxy.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace storage_commit_single_test {

using namespace std::chrono_literals;
using conversations::NewMessage;
using conversations::Sent;
using conversations::Writer;
using identity::Who;

const Sql<std::int64_t(std::int64_t, std::string)> kWrite{"test.single.write", R"(
    WITH committed AS (INSERT INTO commit_tokens (token) VALUES ($2::uuid))
    INSERT INTO deeds (number) VALUES ($1) RETURNING place)"};
const Sql<std::int64_t(std::int64_t)> kLook{"test.single.look", R"(
    SELECT place FROM deeds WHERE number = $1)"};
const Sql<std::int64_t(std::int64_t)> kCount{"test.single.count", R"(
    SELECT count(*) FROM deeds WHERE number = $1)"};
const Sql<std::int64_t()> kTokens{"test.single.tokens", "SELECT count(*) FROM commit_tokens"};

DatabaseOptions single_options(const std::string& url) {
  DatabaseOptions options;
  options.url = url;
  return Writer::options_from(options);
}

class LostSingleConcurrency : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.deeds (place bigint GENERATED ALWAYS AS IDENTITY,"
            " number bigint NOT NULL);"
            "GRANT SELECT, INSERT ON bottega.deeds TO bottega_app");
  }
  static void TearDownTestSuite() { urls.reset(); }

  // What the work saw at each of its tries, and the place that the last one answered.
  struct Deed {
    std::vector<bool> was_committed;
    std::int64_t place = 0;
    std::exception_ptr failure;
  };
  Deed deed(std::int64_t number, Cut cut) {
    run(db.reachable());
    proxy.cut_next(cut);
    Deed deed;
    std::promise<std::exception_ptr> ended;
    db.post(
        Mode::single,
        [&](Tx& tx) {
          deed.was_committed.push_back(tx.was_committed());
          deed.place = tx.was_committed() ? tx.one(kLook, number)
                                          : tx.one(kWrite, number, tx.commit_token());
          tx.announce({{"topic"}, "stream", 0, std::to_string(deed.place)});
        },
        [&](std::exception_ptr failure) { ended.set_value(failure); });
    deed.failure = ended.get_future().get();
    EXPECT_TRUE(proxy.has_cut());
    return deed;
  }
  template <class Row, class... A>
  Row direct(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    DatabaseOptions options;
    options.url = urls->app;
    options.threads = 1;
    Database other(options, clock);
    return other.transact_blocking([&](Tx& tx) { return tx.one(sql, a...); });
  }
  // It is there once, and what was answered and told is what is there.
  void expect_done_once(std::int64_t number, const Deed& deed) {
    EXPECT_FALSE(deed.failure);
    EXPECT_EQ(direct(kCount, number), 1) << number;
    EXPECT_EQ(direct(kLook, number), deed.place);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].text, std::to_string(deed.place));
    told.clear();
  }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
  PgProxy proxy{urls->app, {"test.single.write", "test.single.look"}};
  std::vector<Notice> told;  // written on the database thread while the test waits for it
  Database db{single_options(proxy.url()), clock, [this](std::vector<Notice> news) {
                for (auto& notice : news) told.push_back(std::move(notice));
              }};
  using Tries = std::vector<bool>;
};

TEST_F(LostSingleConcurrency, ThatWasDoneIsOnlyReadTheSecondTime) {
  const auto done = deed(1, Cut::after);
  EXPECT_EQ(done.was_committed, (Tries{false, true}));
  expect_done_once(1, done);
  EXPECT_EQ(db.load().in_doubt, 1u);
  EXPECT_EQ(db.load().retries, 0u);
}

TEST_F(LostSingleConcurrency, ThatNeverArrivedIsDoneAgainWithATokenOfItsOwn) {
  const auto tokens = direct(kTokens);
  const auto done = deed(2, Cut::before);
  EXPECT_EQ(done.was_committed, (Tries{false, false}));
  expect_done_once(2, done);
  EXPECT_EQ(db.load().in_doubt, 1u);
  // What asks adds one of its own each time.
  EXPECT_EQ(direct(kTokens), tokens + 1 + 3);
}

TEST_F(LostSingleConcurrency, ThatNobodyKnowsAboutIsDoneOnceEitherWay) {
  for (std::int64_t number = 100; number < 110; ++number) {
    const auto done = deed(number, Cut::at_once);
    EXPECT_EQ(done.was_committed.size(), 2u);
    expect_done_once(number, done);
  }
  EXPECT_EQ(db.load().in_doubt, 10u);
}

TEST_F(LostSingleConcurrency, ThatArrivesAfterTheLookUpDoesNotCommitASecondTime) {
  const auto done = deed(3, Cut::late);
  EXPECT_EQ(done.was_committed, (Tries{false, false}));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!proxy.is_delivered() && std::chrono::steady_clock::now() < deadline) poll(nullptr, 0, 1);
  ASSERT_TRUE(proxy.is_delivered());
  expect_done_once(3, done);
}

TEST_F(LostSingleConcurrency, ThatIsStuckOnTheWayIsGivenUpAndDoneAgain) {
  const auto done = deed(5, Cut::stuck);
  EXPECT_EQ(done.was_committed, (Tries{false, false}));
  expect_done_once(5, done);
}

TEST_F(LostSingleConcurrency, WhoseReadingIsLostTooIsReadAgain) {
  proxy.lose_looks(2);
  const auto done = deed(6, Cut::after);
  EXPECT_EQ(done.was_committed, (Tries{false, true, true, true}));
  expect_done_once(6, done);
}

TEST_F(LostSingleConcurrency, WhoseReadingIsLostAgainAndAgainIsRefusedAndNotRepeated) {
  proxy.lose_looks(3);
  const auto done = deed(7, Cut::after);
  EXPECT_EQ(done.was_committed, (Tries{false, true, true, true}));
  EXPECT_EQ(code_of([&] {
              if (done.failure) std::rethrow_exception(done.failure);
            }),
            Code::busy);
  EXPECT_EQ(direct(kCount, 7), 1);
  EXPECT_TRUE(told.empty()) << "it was told what nobody could read";
  // The connection after it is as good as new.
  expect_done_once(8, deed(8, Cut::never));
}

// ---- messages -----------------------------------------------------------------------------------

NewMessage saying(const std::string& text, const std::string& client_id = "") {
  Json given = {{"text", text}};
  if (!client_id.empty()) given["client_id"] = client_id;
  return from_json<NewMessage>(given);
}

class LostMessagesConcurrency : public testing::TestWithParam<Cut> {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  std::future<Sent> send(const Who& who, NewMessage message) {
    auto promise = std::make_shared<std::promise<Sent>>();
    writer.send(who, shop.conversation, std::move(message),
                [promise](Sent sent) { promise->set_value(std::move(sent)); });
    return promise->get_future();
  }
  std::vector<conversations::Event> log() {
    return world->transact([&](Tx& tx) {
      return conversations::log_after(tx, shop.buyer, shop.conversation, 0, 100);
    });
  }

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
  PgProxy proxy{world->urls.app, {"conversations.write_messages", ""}};
  std::vector<Notice> told;  // written by the writer's thread, read when all is answered
  Database db{single_options(proxy.url()), world->clock, [this](std::vector<Notice> news) {
                for (auto& notice : news) told.push_back(std::move(notice));
              }};
  Writer writer{db, 256, 1'000};
};

// The first message is a batch by itself; what comes while it is written is the batch that is cut.
TEST_P(LostMessagesConcurrency, AreWrittenAnsweredAndToldOnceInTheOrderOfTheLog) {
  std::promise<void> go;
  auto gone = go.get_future();
  db.post(
      Mode::read, [&](Tx&) { gone.wait(); }, [](std::exception_ptr) {});
  std::promise<Sent> first;
  writer.send(shop.buyer, shop.conversation, saying("0", "c0"), [&](Sent sent) {
    proxy.cut_next(GetParam());
    first.set_value(std::move(sent));
  });
  const auto stranger = world->person();
  std::vector<std::future<Sent>> sent;
  for (int i = 1; i <= 10; ++i)
    sent.push_back(send(i % 3 ? shop.buyer : shop.owner, saying(std::to_string(i))));
  sent.push_back(send(shop.buyer, saying("11", "c11")));
  auto same = send(shop.buyer, saying("11", "c11"));
  auto earlier = send(shop.buyer, saying("0", "c0"));
  auto refused = send(stranger, saying("Let me in"));
  go.set_value();

  std::vector<Json> answered{Json::parse(*first.get_future().get().frame)};
  for (auto& one : sent) {
    const auto got = one.get();
    ASSERT_FALSE(got.failure);
    answered.push_back(Json::parse(*got.frame));
  }
  EXPECT_TRUE(proxy.has_cut());
  EXPECT_EQ(db.load().in_doubt, GetParam() == Cut::never ? 0u : 1u);
  EXPECT_EQ(Json::parse(*same.get().frame), answered.back());
  EXPECT_EQ(Json::parse(*earlier.get().frame), answered.front());
  EXPECT_EQ(code_of([&] { std::rethrow_exception(refused.get().failure); }), Code::not_found);

  const auto entries = log();
  ASSERT_EQ(entries.size(), 12u);
  ASSERT_EQ(told.size(), 12u);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].seq, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(answered[i], conversations::to_frame(entries[i]));
    EXPECT_EQ(answered[i]["data"]["text"], std::to_string(i));
    EXPECT_EQ(told[i].position, entries[i].seq);
    EXPECT_EQ(Json::parse(told[i].text), answered[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCut, LostMessagesConcurrency,
                         testing::Values(Cut::never, Cut::before, Cut::at_once, Cut::after,
                                         Cut::late, Cut::stuck));

}  // namespace storage_commit_single_test
}  // namespace bottega::test
