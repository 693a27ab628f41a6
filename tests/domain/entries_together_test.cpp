// Entries that are written together: as the same entries one after the other, of whatever
// conversations they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/at_once.hpp"
#include "support/world.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/log.hpp"

namespace bottega::test {
namespace entries_together_test {

using conversations::Author, conversations::Draft, conversations::Event, conversations::Log;

class EntriesTogether : public ::testing::Test {
 protected:
  static Draft draft(const std::string& event, Author author, std::optional<identity::AccountId> by,
                     const std::string& text) {
    return {event, author, by, std::nullopt, {{"text", text}}, "Said: " + text};
  }
  // What both sides say to each other, and the system to them.
  static std::vector<Draft> talk(const Shop& shop) {
    auto named = draft("message.created", Author::buyer, shop.buyer.account, "Still there?");
    named.client_id = "one of mine";
    return {draft("message.created", Author::buyer, shop.buyer.account, "Hello"),
            draft("message.created", Author::merchant, shop.owner.account, "Good day"),
            draft("message.edited", Author::merchant, shop.owner.account, "Good evening"),
            draft("order.created", Author::system, std::nullopt, "An order"), named};
  }
  std::vector<Event> log_of(const Shop& shop) {
    return world_.transact([&](Tx& tx) {
      return conversations::log_of(tx, shop.merchant, shop.conversation, 0, 1'000);
    });
  }
  // The log without what is never the same.
  Json shown(const Shop& shop) {
    Json all = Json::array();
    for (auto event : log_of(shop)) {
      for (const auto* name : {"id", "author_id"}) event.data.erase(name);
      all.push_back({{"event", event.event}, {"seq", event.seq}, {"data", event.data}});
    }
    return all;
  }
  conversations::Conversation seen_by(const identity::Who& who, const Shop& shop) {
    return world_.transact(
        [&](Tx& tx) { return conversations::fetch(tx, who, shop.conversation); });
  }
  std::vector<std::int64_t> told(const Shop& shop) {
    std::vector<std::int64_t> positions;
    for (const auto& notice : world_.notices)
      if (notice.stream == text_of(shop.conversation) && notice.position > 0)
        positions.push_back(notice.position);
    return positions;
  }
  std::vector<Shop> shops(int count) {
    std::vector<Shop> all(static_cast<std::size_t>(count), world_.shop());
    for (auto& shop : all) {
      shop.buyer = world_.person();
      shop.conversation = world_.transact([&](Tx& tx) {
        return conversations::open(tx, shop.buyer, {shop.merchant}).conversation.id;
      });
    }
    return all;
  }

  World world_;
};

TEST_F(EntriesTogether, AreAsOneAfterTheOther) {
  const auto alone = world_.shop(), together = world_.shop();
  for (const auto& shop : {alone, together})
    world_.transact([&](Tx& tx) {
      conversations::move_status(tx, shop.owner, shop.conversation,
                                 conversations::StatusEvent::close, std::nullopt);
    });
  for (const auto& one : talk(alone))
    world_.transact(
        [&](Tx& tx) { conversations::append(tx, alone.merchant, alone.conversation, one); });
  world_.transact([&](Tx& tx) {
    Log log;
    for (const auto& one : talk(together))
      log.append(together.merchant, together.conversation, one);
    EXPECT_EQ(log.gathered(together.conversation), 5);
    EXPECT_EQ(log.write(tx).size(), 5u);
    EXPECT_EQ(log.gathered(together.conversation), 0);
    EXPECT_TRUE(log.write(tx).empty()) << "they are written once";
  });
  EXPECT_EQ(shown(together), shown(alone));
  EXPECT_EQ(seen_by(together.owner, together).unread, seen_by(alone.owner, alone).unread);
  EXPECT_EQ(seen_by(together.buyer, together).unread, seen_by(alone.buyer, alone).unread);
  EXPECT_EQ(seen_by(together.owner, together).inbox->status, conversations::Status::open);
  EXPECT_EQ(told(together), told(alone));
  EXPECT_EQ(told(together), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
}

TEST_F(EntriesTogether, HaveTheNumbersOfTheirOwnConversations) {
  const auto all = shops(5);
  std::vector<Event> written;
  world_.transact([&](Tx& tx) {
    Log log;
    for (int round = 0; round < 3; ++round)
      for (std::size_t i = 0; i < all.size(); ++i)
        if (static_cast<int>(i) >= round)
          log.append(all[i].merchant, all[i].conversation,
                     draft("order.created", Author::system, std::nullopt, std::to_string(round)),
                     round + 1);
    written = log.write(tx);
  });
  ASSERT_EQ(written.size(), 12u);
  EXPECT_EQ(written.front().conversation, all[0].conversation) << "as they were gathered";
  EXPECT_EQ(written.back().conversation, all[4].conversation);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto events = log_of(all[i]);
    ASSERT_EQ(events.size(), std::min<std::size_t>(i + 1, 3));
    for (std::size_t k = 0; k < events.size(); ++k) {
      EXPECT_EQ(events[k].seq, static_cast<std::int64_t>(k + 1));
      EXPECT_EQ(events[k].data["text"], std::to_string(k));
    }
    EXPECT_EQ(world_.last_seq(all[i]), std::ssize(events));
  }
}

TEST_F(EntriesTogether, AreNotWrittenWhereOneHasAnotherNumberThanItWasGiven) {
  const auto shop = world_.shop();
  EXPECT_THROW(world_.transact([&](Tx& tx) {
    Log log;
    for (const std::int64_t seq : {1, 3})
      log.append(shop.merchant, shop.conversation, talk(shop).front(), seq);
    log.write(tx);
  }),
               std::logic_error);
  EXPECT_EQ(world_.last_seq(shop), 0);
}

TEST_F(EntriesTogether, AreNotWrittenWhereOneOfTheConversationsIsNotThere) {
  const auto shop = world_.shop();
  for (const bool beside_another : {false, true})
    EXPECT_EQ(code_of([&] {
                world_.transact([&](Tx& tx) {
                  Log log;
                  if (beside_another)
                    log.append(shop.merchant, shop.conversation, talk(shop).front());
                  log.append(shop.merchant, conversations::ConversationId::make(),
                             talk(shop).front());
                  log.write(tx);
                });
              }),
              Code::not_found);
  EXPECT_EQ(world_.last_seq(shop), 0);
}

TEST_F(EntriesTogether, ThatConcurrentWritersHaveLeaveNoGapAndNobodyInACircle) {
  constexpr int kWriters = 8, kRounds = 10;
  const auto all = shops(4);
  Acts acts;
  for (unsigned i = 0; i < kWriters; ++i)
    acts.push_back([this, &all, i] {
      std::minstd_rand random(i + 1);
      auto mine = all;
      for (int round = 0; round < kRounds; ++round) {
        std::ranges::shuffle(mine, random);
        world_.transact([&](Tx& tx) {
          Log log;
          for (const auto& shop : mine)
            for (const auto* words : {"one", "two"})
              log.append(shop.merchant, shop.conversation,
                         draft("order.edited", Author::system, std::nullopt, words));
          log.write(tx);
        });
      }
    });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(world_.db.load().retries, 0u);
  for (const auto& shop : all) {
    const auto events = log_of(shop);
    ASSERT_EQ(events.size(), static_cast<std::size_t>(kWriters * kRounds * 2));
    for (std::size_t k = 0; k < events.size(); ++k) {
      ASSERT_EQ(events[k].seq, static_cast<std::int64_t>(k + 1));
      ASSERT_EQ(events[k].data["text"], k % 2 == 0 ? "one" : "two") << "nobody comes between";
    }
  }
}

}  // namespace entries_together_test
}  // namespace bottega::test
