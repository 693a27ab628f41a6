// What a node asks that may have missed news: which conversations have entries in a span of time.
#include <gtest/gtest.h>

#include <set>

#include "support/world.hpp"

namespace bottega::test {
namespace conversations_moved_test {

using conversations::Moved, conversations::Span;

const auto hello = from_json<conversations::NewMessage>({{"text", "Hello"}});

class MovedConversations : public testing::Test {
 protected:
  void write() {
    world.transact(
        [&](Tx& tx) { return conversations::send(tx, shop.buyer, shop.conversation, hello); });
  }
  std::vector<Moved> moved(const Span& span, std::int64_t limit = 100) {
    return world.transact([&](Tx& tx) { return conversations::moved_in(tx, span, limit); });
  }
  Span since(Instant from) const { return {from, from + std::chrono::hours(24), {}, {}}; }

  World world;
  const Shop shop = world.shop();
};

TEST_F(MovedConversations, AreThoseWithEntriesInTheSpanWithTheLastOfThese) {
  write();
  world.advance(std::chrono::seconds(60));
  const auto begin = world.clock.now();
  EXPECT_TRUE(moved(since(begin)).empty());
  write();
  write();
  const auto found = moved(since(begin));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, shop.conversation);
  EXPECT_EQ(found[0].merchant_id, shop.merchant);
  EXPECT_EQ(found[0].buyer_id, shop.buyer.account);
  EXPECT_EQ(found[0].seq, world.last_seq(shop));
  world.advance(std::chrono::seconds(60));
  const auto end = world.clock.now();
  write();
  const auto bounded = moved({begin, end, {}, {}});
  ASSERT_EQ(bounded.size(), 1u);
  EXPECT_EQ(bounded[0].seq, world.last_seq(shop) - 1) << "what is younger is for another time";
}

TEST_F(MovedConversations, ComePageByPageEachOnce) {
  const auto begin = world.clock.now();
  std::set<conversations::ConversationId> expected;
  // All in one transaction, so that they have the same time.
  std::vector<Shop> shops;
  for (int i = 0; i < 7; ++i) shops.push_back(world.shop());
  world.transact([&](Tx& tx) {
    for (const auto& one : shops) {
      conversations::send(tx, one.buyer, one.conversation, hello);
      expected.insert(one.conversation);
    }
  });
  auto span = since(begin);
  std::set<conversations::ConversationId> seen;
  for (;;) {
    const auto page = moved(span, 3);
    for (const auto& one : page) EXPECT_TRUE(seen.insert(one.id).second) << "twice";
    if (page.size() < 3) break;
    span.after_at = page.back().at;
    span.after_id = page.back().id;
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(MovedConversations, AreToldToTheirListenersWithoutAText) {
  const auto begin = world.clock.now();
  write();
  const auto live = world.notices.back();
  const auto notice = conversations::notice_of(moved(since(begin)).at(0));
  EXPECT_EQ(notice.topics, live.topics);
  EXPECT_EQ(notice.stream, live.stream);
  EXPECT_EQ(notice.position, live.position);
  EXPECT_EQ(notice.text, "");
}

TEST_F(MovedConversations, AreFoundThroughAnIndexWhereTheLogIsLong) {
  execute(world.urls.superuser,
          "INSERT INTO bottega.entries (merchant_id, conversation_id, seq, id, event, author, "
          "data, at) SELECT merchant_id, id, n + 1000, gen_random_uuid(), 'message.created', "
          "'system', '{}', now() - interval '30 days' + n * interval '1 second' FROM "
          "bottega.conversations, generate_series(1, 100000) AS n");
  execute(world.urls.superuser, "VACUUM ANALYZE bottega.entries");
  const auto plan = execute(world.urls.superuser,
                            "SET search_path = bottega; CREATE TEMP TABLE plan (line text); "
                            "DO $$ DECLARE row text; BEGIN FOR row IN EXPLAIN SELECT max(seq) FROM "
                            "entries WHERE at >= now() - interval '15 seconds' GROUP BY "
                            "merchant_id, conversation_id LOOP INSERT INTO plan VALUES (row); END "
                            "LOOP; END $$; SELECT string_agg(line, E'\\n') FROM plan");
  EXPECT_NE(plan.find("entries_at"), plan.npos) << plan;
}

}  // namespace conversations_moved_test
}  // namespace bottega::test
