// How long what people wrote is kept.
#include "bottega/privacy/retention.hpp"

#include <gtest/gtest.h>

#include "support/uploads.hpp"
#include "bottega/conversations/forget.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/conversations/search.hpp"

namespace bottega::test {
namespace retention_test {

using namespace std::chrono_literals;
using namespace conversations;
using std::chrono::days;

class Retention : public testing::Test {
 protected:
  template <class Op>
  auto in(Op op) {
    return world.transact([&](Tx& tx) { return op(tx); });
  }
  std::int64_t say(const Who& who, const std::string& text) {
    const auto given = from_json<NewMessage>({{"text", text}});
    return in([&](Tx& tx) { return send(tx, who, shop.conversation, given); }).seq;
  }
  Conversation seen_by(const Who& who) {
    return in([&](Tx& tx) { return fetch(tx, who, shop.conversation); });
  }
  std::vector<std::int64_t> log() {
    std::vector<std::int64_t> seqs;
    for (const auto& event :
         in([&](Tx& tx) { return log_after(tx, shop.buyer, shop.conversation, 0, 1'000); }))
      seqs.push_back(event.seq);
    return seqs;
  }
  std::int64_t retain(privacy::RetentionRules rules) {
    rules.every = 0s;
    return run(privacy::retain(world.db, rules));
  }
  static privacy::RetentionRules keep_chats(int how_many_days, std::int64_t batch = 500) {
    return {days(how_many_days), days(0), days(0), 0s, batch};
  }
  std::string count(const std::string& what) {
    return execute(world.urls.superuser, "SET search_path = bottega; SELECT count(*) FROM " + what);
  }

  using Seqs = std::vector<std::int64_t>;
  World world;
  const Shop shop = world.shop();
};

TEST_F(Retention, KeepsAllForEverWhereNothingIsSet) {
  say(shop.buyer, "Hello");
  world.advance(days(10'000));
  EXPECT_EQ(retain(keep_chats(0)), 0);
  EXPECT_EQ(log(), Seqs{1});
}

TEST_F(Retention, DeletesWhatIsTooOldAndKeepsTheNumbers) {
  for (int i = 0; i < 3; ++i) say(shop.buyer, "Long ago");
  world.advance(days(20));
  say(shop.owner, "Of late");
  world.advance(days(15));
  EXPECT_EQ(retain(keep_chats(30)), 3);
  EXPECT_EQ(log(), Seqs{4});
  EXPECT_EQ(say(shop.buyer, "Today"), 5);
  EXPECT_EQ(log(), (Seqs{4, 5}));
  const auto seen = seen_by(shop.buyer);
  EXPECT_EQ(seen.forgotten_seq, 3);
  EXPECT_EQ(seen.last_seq, 5);
  EXPECT_EQ(retain(keep_chats(30)), 0);
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30)), 2);
  EXPECT_EQ(log(), Seqs{});
  EXPECT_FALSE(seen_by(shop.buyer).last_entry);
  EXPECT_EQ(say(shop.buyer, "Still here"), 6);
}

TEST_F(Retention, CountsAsUnreadOnlyWhatIsStillThere) {
  for (int i = 0; i < 3; ++i) say(shop.buyer, "Long ago");
  world.advance(days(31));
  say(shop.buyer, "Today");
  EXPECT_EQ(seen_by(shop.owner).unread, 4);
  retain(keep_chats(30));
  EXPECT_EQ(seen_by(shop.owner).unread, 1);
  const auto read = from_json<Receipt>({{"read_seq", 2}});
  in([&](Tx& tx) { return mark(tx, shop.owner, shop.conversation, read); });
  EXPECT_EQ(seen_by(shop.owner).unread, 1);
  const auto all = from_json<Receipt>({{"read_seq", 4}});
  in([&](Tx& tx) { return mark(tx, shop.owner, shop.conversation, all); });
  EXPECT_EQ(seen_by(shop.owner).unread, 0);
  say(shop.buyer, "Again");
  EXPECT_EQ(seen_by(shop.owner).unread, 1);
}

TEST_F(Retention, TakesTheSearchAndTheNotesAlong) {
  say(shop.buyer, "A lamp");
  const auto note = from_json<NewNote>({{"text", "Likes lamps"}});
  in([&](Tx& tx) { return add_note(tx, shop.owner, shop.conversation, note); });
  run(keep_up(world.db, 500));
  EXPECT_EQ(count("entry_texts"), "1");
  world.advance(days(31));
  in([&](Tx& tx) { return add_note(tx, shop.owner, shop.conversation, note); });
  retain(keep_chats(30));
  EXPECT_EQ(count("entry_texts"), "0");
  EXPECT_EQ(count("notes"), "1");
  run(keep_up(world.db, 500));
  EXPECT_EQ(count("entry_texts"), "0");
  EXPECT_EQ(count("search_due"), "0");
}

TEST_F(Retention, TakesNotesThatAreYoungerThanAllMessages) {
  say(shop.buyer, "A lamp");
  world.advance(days(1));
  const auto note = from_json<NewNote>({{"text", "Likes lamps"}});
  in([&](Tx& tx) { return add_note(tx, shop.owner, shop.conversation, note); });
  world.advance(days(29) + 1h);
  retain(keep_chats(30));
  EXPECT_EQ(log(), Seqs{});
  EXPECT_EQ(count("notes"), "1");
  world.advance(days(2));
  retain(keep_chats(30));
  EXPECT_EQ(count("notes"), "0");
}

TEST_F(Retention, TakesTheFilesAlong) {
  const auto file = upload(world, shop, shop.buyer, "some text");
  const auto given = from_json<NewMessage>({{"attachments", {text_of(file)}}});
  in([&](Tx& tx) { return send(tx, shop.buyer, shop.conversation, given); });
  EXPECT_EQ(files_in(world), 1u);
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30)), 1);
  world.run_jobs();
  EXPECT_EQ(files_in(world), 0u);
  EXPECT_EQ(count("attachments"), "0");
}

TEST_F(Retention, WhatWasNotTakenIntoTheSearchYetDoesNotGetThere) {
  for (int i = 0; i < 5; ++i) say(shop.buyer, "A lamp");
  world.advance(days(31));
  in([](Tx& tx) { return gather(tx); });
  retain(keep_chats(30));
  say(shop.buyer, "A shade");
  run(keep_up(world.db, 2));
  EXPECT_EQ(count("entry_texts"), "1");
  EXPECT_EQ(count("search_due"), "0");
}

TEST_F(Retention, WorksInSmallSteps) {
  for (int i = 0; i < 7; ++i) say(shop.buyer, "Long ago");
  world.advance(days(31));
  const auto before = world.clock.now() - days(30);
  const auto step = [&] {
    return in([&](Tx& tx) { return forget(tx, shop.merchant, shop.conversation, before, 3); });
  };
  EXPECT_EQ(step(), 3);
  EXPECT_EQ(log(), (Seqs{4, 5, 6, 7}));
  EXPECT_EQ(step(), 3);
  EXPECT_EQ(step(), 1);
  EXPECT_EQ(step(), 0);
  EXPECT_EQ(seen_by(shop.buyer).forgotten_seq, 7);
}

TEST_F(Retention, GoesThroughAllConversations) {
  const auto second = world.shop();
  const auto given = from_json<NewMessage>({{"text", "Long ago"}});
  for (int i = 0; i < 5; ++i) say(shop.buyer, "Long ago");
  in([&](Tx& tx) { return send(tx, second.buyer, second.conversation, given); });
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30, 2)), 6);
  EXPECT_EQ(count("entries"), "0");
}

TEST_F(Retention, KeepsConversationsWithAnOrderForTheirOwnTime) {
  const auto order = world.sell(shop);
  world.ship(shop, order);
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30)), 0);
  const privacy::RetentionRules both{days(30), days(60), days(0), 0s, 500};
  EXPECT_EQ(retain(both), 0);
  world.advance(days(31));
  EXPECT_EQ(retain(both), 0) << "the order is under way";
  execute(world.urls.superuser, "UPDATE bottega.orders SET state = 'completed'");
  EXPECT_GT(retain(both), 0);
  EXPECT_EQ(log(), Seqs{});
  EXPECT_EQ(count("orders"), "1");
  EXPECT_GT(std::stoi(count("ledger_transfers")), 0);
}

TEST_F(Retention, LeavesAConversationWithAnOpenRequest) {
  world.ask(shop);
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30)), 0);
  world.run_jobs();  // it expires
  world.advance(days(31));
  EXPECT_EQ(retain(keep_chats(30)), 2);
}

TEST_F(Retention, DeletesReportsSomeTimeAfterTheyWereResolved) {
  say(shop.owner, "Pay me elsewhere");
  const auto given = from_json<NewReport>({{"reason", "fraud"}});
  const auto made = in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  const auto staff = world.staff(identity::StaffRole::support);
  const auto how = from_json<Resolution>({{"resolution", "Talked to them"}});
  world.advance(days(100));
  in([&](Tx& tx) { return resolve(tx, staff, made.id, how); });
  const privacy::RetentionRules rules{days(0), days(0), days(90), 0s, 500};
  world.advance(days(89));
  retain(rules);
  EXPECT_EQ(count("reports"), "2");
  world.advance(days(2));
  retain(rules);
  EXPECT_EQ(count("reports"), "1") << "one is still open";
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return resolve(tx, staff, made.id, how); }); }),
            Code::not_found);
  EXPECT_EQ(log(), Seqs{1});
}

TEST_F(Retention, ARoleOfTheServerCannotDeleteFromTheMiddleOfALog) {
  say(shop.buyer, "One");
  say(shop.buyer, "Two");
  EXPECT_THROW(execute(world.urls.app, "DELETE FROM bottega.entries WHERE seq = 2"),
               std::exception);
  EXPECT_EQ(log(), (Seqs{1, 2}));
}

TEST_F(Retention, NothingCanBeRepliedToThatIsGone) {
  say(shop.buyer, "Long ago");
  world.advance(days(31));
  retain(keep_chats(30));
  const auto reply = from_json<NewMessage>({{"text", "What?"}, {"reply_to", 1}});
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { return send(tx, shop.buyer, shop.conversation, reply); }); }),
      Code::invalid);
}

TEST_F(Retention, OnlyOneNodeWalksAtATime) {
  say(shop.buyer, "Long ago");
  world.advance(days(31));
  execute(world.urls.superuser,
          "UPDATE bottega.retention_state SET busy_until = now() + interval '1 hour'");
  EXPECT_EQ(retain(keep_chats(30)), 0);
  execute(world.urls.superuser, "UPDATE bottega.retention_state SET busy_until = now()");
  EXPECT_EQ(retain(keep_chats(30)), 1);
}

}  // namespace retention_test
}  // namespace bottega::test
