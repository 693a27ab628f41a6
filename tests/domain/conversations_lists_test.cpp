// Lists of conversations and what was missed; and many people writing at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>

#include "support/world.hpp"

namespace bottega::test {
namespace conversations_lists_test {

using namespace std::chrono_literals;
using conversations::Conversation, conversations::ConversationId, conversations::Position;
using identity::MerchantId, identity::Who;

class ConversationLists : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  static ConversationId open(const Who& buyer, MerchantId merchant) {
    return world->transact([&](Tx& tx) { return conversations::open(tx, buyer, {merchant}); })
        .conversation.id;
  }
  static conversations::Event say(const Who& who, ConversationId id, const std::string& text = "x",
                                  const std::string& client_id = "") {
    conversations::NewMessage given;
    given.text = from_text<Text<1, 4096>>(text);
    if (!client_id.empty()) given.client_id = from_text<Opaque<64>>(client_id);
    return world->transact([&](Tx& tx) { return conversations::send(tx, who, id, given); });
  }
  static std::vector<conversations::Event> log(MerchantId merchant, ConversationId id) {
    return world->transact(
        [&](Tx& tx) { return conversations::log_of(tx, merchant, id, 0, 10'000); });
  }
  // All pages of a list, three at a time.
  template <class Page>
  static std::vector<ConversationId> pages(Page page) {
    std::vector<ConversationId> ids;
    std::optional<Position> after;
    for (auto list = page(after); !list.empty(); list = page(after)) {
      EXPECT_LE(list.size(), 3u);
      for (const auto& one : list) ids.push_back(one.id);
      after = Position{list.back().last_entry_at, list.back().id};
    }
    return ids;
  }
  static inline std::unique_ptr<World> world;
  const Who owner = world->person();
  const MerchantId merchant = world->merchant(owner).id;
};

TEST_F(ConversationLists, OfAMerchantAreItsOwnByLatestActivity) {
  std::vector<ConversationId> expected;
  for (int i = 0; i < 7; ++i) expected.push_back(open(world->person(), merchant));
  open(world->person(), world->merchant(world->person()).id);
  say(owner, expected[2]);
  std::ranges::reverse(expected);
  std::rotate(expected.begin(), expected.begin() + 4, expected.begin() + 5);
  const auto listed = pages([&](const auto& after) {
    return world->transact(
        [&](Tx& tx) { return conversations::list_of_merchant(tx, merchant, {}, {}, after, 3); });
  });
  EXPECT_EQ(listed, expected) << "the latest message is on top";
}

TEST_F(ConversationLists, OfABuyerAreTheirOwnNewestFirst) {
  const auto buyer = world->person();
  std::vector<ConversationId> expected;
  for (int i = 0; i < 5; ++i) expected.push_back(open(buyer, world->merchant(world->person()).id));
  open(world->person(), merchant);
  std::ranges::reverse(expected);
  EXPECT_EQ(pages([&](const auto& after) {
              return world->transact([&](Tx& tx) {
                return conversations::list_of_buyer(tx, buyer.account, after, 3);
              });
            }),
            expected);
}

TEST_F(ConversationLists, OnesThatMovedAtTheSameInstantArePagedByTheirIds) {
  std::vector<ConversationId> expected;
  for (int i = 0; i < 5; ++i) expected.push_back(open(world->person(), merchant));
  execute(world->urls.superuser,
          "UPDATE bottega.conversations SET last_entry_at = '2026-01-01' WHERE merchant_id = '" +
              uuid_text(merchant.uuid) + "'");
  std::ranges::reverse(expected);
  EXPECT_EQ(pages([&](const auto& after) {
              return world->transact([&](Tx& tx) {
                return conversations::list_of_merchant(tx, merchant, {}, {}, after, 3);
              });
            }),
            expected);
}

TEST_F(ConversationLists, WhatMovedSinceATimeIsToldWithThePositionBeforeIt) {
  const auto buyer = world->person();
  const auto moved = open(buyer, merchant), quiet = open(world->person(), merchant);
  say(buyer, moved);
  say(buyer, moved);
  say(owner, quiet);
  world->advance(60s);
  const auto since = world->clock.now();
  world->advance(60s);
  say(owner, moved);
  say(owner, moved);
  auto missed = world->transact(
      [&](Tx& tx) { return conversations::active_since(tx, owner, since, 100, 5); });
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].id, moved);
  EXPECT_EQ(missed[0].position, 2);
  missed = world->transact(
      [&](Tx& tx) { return conversations::active_since(tx, buyer, since, 100, 5); });
  EXPECT_EQ(missed.size(), 1u);
  EXPECT_TRUE(world
                  ->transact([&](Tx& tx) {
                    return conversations::active_since(tx, world->person(), since, 100, 5);
                  })
                  .empty());
  missed = world->transact(
      [&](Tx& tx) { return conversations::active_since(tx, owner, since, 100, 1); });
  EXPECT_EQ(missed[0].position, 3) << "as far as it was looked at";
  const auto entries = world->transact(
      [&](Tx& tx) { return conversations::log_since(tx, merchant, moved, INT64_MAX, since, 100); });
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].seq, 3);
  EXPECT_EQ(entries[1].seq, 4);
}

TEST_F(ConversationLists, TheNewestOfALongAbsenceAreGivenInOrder) {
  const auto buyer = world->person();
  const auto id = open(buyer, merchant);
  const auto since = world->clock.now();
  for (int i = 0; i < 6; ++i) say(buyer, id);
  const auto entries = world->transact(
      [&](Tx& tx) { return conversations::log_since(tx, merchant, id, 6, since, 3); });
  ASSERT_EQ(entries.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(entries[i].seq, static_cast<std::int64_t>(i) + 3) << "3, 4 and 5 are before 6";
}

// ---- many at once -------------------------------------------------------------------------------

TEST_F(ConversationLists, ConcurrentSendersLeaveNoGapAndEachKeepsItsOrder) {
  constexpr int kSenders = 8, kMessages = 12;
  const auto buyer = world->person();
  const auto id = open(buyer, merchant);
  world->notices.clear();
  std::latch start(kSenders);
  std::vector<std::future<void>> senders;
  for (int sender = 0; sender < kSenders; ++sender)
    senders.push_back(std::async(std::launch::async, [&, sender] {
      start.arrive_and_wait();
      for (int i = 0; i < kMessages; ++i)
        say(sender % 2 ? buyer : owner, id, std::to_string(sender) + ":" + std::to_string(i));
    }));
  for (auto& sender : senders) sender.get();
  const auto entries = log(merchant, id);
  ASSERT_EQ(entries.size(), std::size_t{kSenders * kMessages});
  std::map<std::string, int> next;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].seq, static_cast<std::int64_t>(i) + 1);
    const auto text = entries[i].data.at("text").get<std::string>();
    const auto colon = text.find(':');
    EXPECT_EQ(std::stoi(text.substr(colon + 1)), next[text.substr(0, colon)]++) << text;
  }
  std::set<std::int64_t> told;
  for (const auto& notice : world->notices) told.insert(notice.position);
  EXPECT_EQ(world->notices.size(), entries.size()) << "each is told once";
  EXPECT_EQ(told.size(), entries.size());
}

TEST_F(ConversationLists, ConcurrentRetriesOfOneMessageAreOneEntry) {
  const auto buyer = world->person();
  const auto id = open(buyer, merchant);
  std::vector<std::future<std::int64_t>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(
        std::async(std::launch::async, [&] { return say(buyer, id, "Hello", "c-1").seq; }));
  for (auto& one : tries) EXPECT_EQ(one.get(), 1);
  EXPECT_EQ(log(merchant, id).size(), 1u);
}

TEST_F(ConversationLists, ConcurrentOpensOfOnePairAreOneConversation) {
  const auto buyer = world->person();
  std::vector<std::future<conversations::Opened>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(std::async(std::launch::async, [&] {
      return world->transact([&](Tx& tx) { return conversations::open(tx, buyer, {merchant}); });
    }));
  std::set<ConversationId> ids;
  int made = 0;
  for (auto& one : tries) {
    const auto opened = one.get();
    ids.insert(opened.conversation.id);
    made += opened.is_new ? 1 : 0;
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(made, 1);
}

TEST_F(ConversationLists, ConcurrentReceiptsEndAtTheFurthest) {
  const auto buyer = world->person();
  const auto id = open(buyer, merchant);
  for (int i = 0; i < 8; ++i) say(owner, id);
  std::vector<std::future<void>> receipts;
  for (std::int64_t seq = 1; seq <= 8; ++seq)
    receipts.push_back(std::async(std::launch::async, [&, seq] {
      conversations::Receipt receipt;
      receipt.read_seq = Count<0, INT64_MAX>{seq};
      world->transact([&](Tx& tx) { conversations::mark(tx, buyer, id, receipt); });
    }));
  for (auto& one : receipts) one.get();
  const auto markers =
      world->transact([&](Tx& tx) { return conversations::markers(tx, buyer, id); });
  ASSERT_EQ(markers.size(), 1u);
  EXPECT_EQ(markers[0].read_seq, 8);
  EXPECT_EQ(markers[0].delivered_seq, 8);
}

}  // namespace conversations_lists_test
}  // namespace bottega::test
