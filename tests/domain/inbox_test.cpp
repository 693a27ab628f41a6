// The inbox that the members of a merchant share.
#include "bottega/conversations/inbox.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace inbox_test {

using namespace std::chrono_literals;
using conversations::Inbox, conversations::Status, conversations::StatusEvent;
using identity::Role, identity::Who;

class InboxTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void TearDown() override { world->clock.set_offset(0us); }

  void say(const Who& who, const std::string& text) const {
    const auto message = from_json<conversations::NewMessage>({{"text", text}});
    world->transact(
        [&](Tx& tx) { return conversations::send(tx, who, shop.conversation, message); });
  }
  Inbox move(const Who& who, StatusEvent on, std::optional<Instant> until = {}) const {
    return world->transact(
        [&](Tx& tx) { return conversations::move_status(tx, who, shop.conversation, on, until); });
  }
  Inbox assign(const Who& who, std::optional<identity::AccountId> to) const {
    return world->transact(
        [&](Tx& tx) { return conversations::assign(tx, who, shop.conversation, {to}); });
  }
  Inbox label(const Json& labels) const {
    const auto given = from_json<conversations::NewLabels>({{"labels", labels}});
    return world->transact([&](Tx& tx) {
      return conversations::set_labels(tx, shop.owner, shop.conversation, given);
    });
  }
  conversations::Conversation seen_by(const Who& who) const {
    return world->transact(
        [&](Tx& tx) { return conversations::fetch(tx, who, shop.conversation); });
  }
  std::size_t listed(std::optional<Status> status, std::optional<identity::AccountId> assignee = {},
                     bool only_unassigned = false, std::optional<std::string> label = {}) const {
    const conversations::Filter filter{status, assignee, only_unassigned, std::move(label)};
    return world
        ->transact([&](Tx& tx) {
          return conversations::list_of_merchant(tx, shop.merchant, shop.owner.account, filter, {},
                                                 10);
        })
        .size();
  }

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

TEST_F(InboxTest, StatusMovesAsTheTableSays) {
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::open);
  EXPECT_EQ(move(shop.owner, StatusEvent::park).status, Status::pending);
  EXPECT_EQ(move(shop.owner, StatusEvent::close).status, Status::closed);
  EXPECT_EQ(code_of([&] { move(shop.owner, StatusEvent::park); }), Code::conflict);
  EXPECT_EQ(code_of([&] { move(shop.owner, StatusEvent::snooze, world->clock.now() + 1h); }),
            Code::conflict);
  EXPECT_EQ(move(shop.owner, StatusEvent::reopen).status, Status::open);
  const auto told = Json::parse(world->notices.back().text);
  EXPECT_EQ(told["event"], "conversation.updated");
  EXPECT_EQ(told["data"]["status"], "open");
  EXPECT_EQ(world->notices.back().topics, std::vector{identity::merchant_topic(shop.merchant)})
      << "the buyer is not told";
}

TEST_F(InboxTest, TheBuyersMessageReopensItAndTheMerchantsDoesNot) {
  move(shop.owner, StatusEvent::close);
  say(shop.owner, "By the way");
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::closed);
  say(shop.buyer, "One more question");
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::open);
}

TEST_F(InboxTest, ASnoozeEndsByItselfOrWhenTheBuyerWrites) {
  const auto until = world->clock.now() + 1h;
  EXPECT_EQ(move(shop.owner, StatusEvent::snooze, until).snoozed_until, until);
  for (const auto wrong : {world->clock.now(), world->clock.now() + std::chrono::days(400)})
    EXPECT_EQ(code_of([&] { move(shop.owner, StatusEvent::snooze, wrong); }), Code::invalid);
  EXPECT_EQ(code_of([&] { move(shop.owner, StatusEvent::snooze); }), Code::invalid);
  world->advance(59min);
  world->run_jobs();
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::snoozed);
  world->advance(1min);
  EXPECT_EQ(world->run_jobs(), 1);
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::open);
  EXPECT_FALSE(seen_by(shop.owner).inbox->snoozed_until);
  move(shop.owner, StatusEvent::snooze, world->clock.now() + 1h);
  say(shop.buyer, "Hello?");
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::open);
  move(shop.owner, StatusEvent::snooze, world->clock.now() + 3h);
  world->advance(2h);
  world->run_jobs();
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::snoozed)
      << "the job of the snooze before wakes nobody";
  world->advance(1h);
  world->run_jobs();
  EXPECT_EQ(seen_by(shop.owner).inbox->status, Status::open);
}

TEST_F(InboxTest, AConversationIsOneMembersAtATime) {
  const auto agent = world->member(shop, Role::agent), other = world->member(shop, Role::agent);
  EXPECT_EQ(code_of([&] { assign(agent, other.account); }), Code::forbidden);
  EXPECT_EQ(assign(agent, agent.account).assignee_id, agent.account);
  EXPECT_EQ(code_of([&] { assign(other, other.account); }), Code::conflict);
  EXPECT_EQ(code_of([&] { assign(other, std::nullopt); }), Code::conflict);
  EXPECT_EQ(assign(agent, other.account).assignee_id, other.account) << "one's own is handed on";
  EXPECT_EQ(assign(shop.owner, shop.owner.account).assignee_id, shop.owner.account);
  EXPECT_EQ(code_of([&] { assign(shop.owner, shop.buyer.account); }), Code::invalid);
  EXPECT_EQ(assign(shop.owner, agent.account).assignee_id, agent.account);
  world->transact([&](Tx& tx) {
    conversations::release_all(tx, shop.merchant, agent.account);
    return 0;
  });
  EXPECT_FALSE(seen_by(shop.owner).inbox->assignee_id);
}

TEST_F(InboxTest, WhatSomebodyHadIsReleasedByAJobWhereItIsMuch) {
  const auto agent = world->member(shop, Role::agent);
  assign(agent, agent.account);
  const auto uuid = [](const auto& id) { return "'" + uuid_text(id.uuid) + "'"; };
  const auto mine =
      "WHERE merchant_id = " + uuid(shop.merchant) + " AND assignee_id = " + uuid(agent.account);
  execute(world->urls.superuser,
          "SET search_path = bottega;"
          "INSERT INTO accounts (id, email, name, password_hash, created_at)"
          " SELECT gen_random_uuid(), 'b' || n || '@many.test', 'B', '', now()"
          " FROM generate_series(1, 450) n;"
          "INSERT INTO conversations (merchant_id, id, buyer_id, created_at, last_entry_at, "
          "assignee_id)"
          " SELECT " +
              uuid(shop.merchant) + ", gen_random_uuid(), id, now(), now(), " +
              uuid(agent.account) + " FROM accounts WHERE email LIKE '%@many.test'");
  const auto count = [&] {
    return execute(world->urls.superuser,
                   "SET search_path = bottega; SELECT count(*) FROM conversations " + mine);
  };
  ASSERT_EQ(count(), "451");
  world->transact([&](Tx& tx) {
    conversations::release_all(tx, shop.merchant, agent.account);
    return 0;
  });
  EXPECT_EQ(count(), "251");
  world->run_jobs();
  EXPECT_EQ(count(), "0");
}

TEST_F(InboxTest, IsListedByStatusAssigneeAndLabel) {
  const auto agent = world->member(shop, Role::agent);
  assign(agent, agent.account);
  EXPECT_EQ(label({"vip", "refund"}).labels, (std::vector<std::string>{"refund", "vip"}));
  EXPECT_EQ(code_of([&] { label({"vip", "vip"}); }), Code::invalid);
  EXPECT_EQ(listed({}), 1u);
  EXPECT_EQ(listed(Status::open), 1u);
  EXPECT_EQ(listed(Status::closed), 0u);
  EXPECT_EQ(listed({}, agent.account, false, "vip"), 1u);
  EXPECT_EQ(listed({}, shop.owner.account), 0u);
  EXPECT_EQ(listed({}, {}, true), 0u);
  EXPECT_EQ(listed({}, {}, false, "other"), 0u);
  label({"refund"});
  EXPECT_EQ(listed({}, {}, false, "vip"), 0u);
  const auto labels =
      world->transact([&](Tx& tx) { return conversations::labels_of(tx, shop.merchant); });
  ASSERT_EQ(labels.size(), 1u);
  EXPECT_EQ(labels[0].label, "refund");
  EXPECT_EQ(labels[0].conversations, 1);
}

TEST_F(InboxTest, TheBuyerSeesNoneOfIt) {
  EXPECT_FALSE(seen_by(shop.buyer).inbox);
  EXPECT_EQ(code_of([&] { move(shop.buyer, StatusEvent::close); }), Code::not_found);
  EXPECT_EQ(code_of([&] { assign(shop.buyer, std::nullopt); }), Code::not_found);
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                return conversations::notes(tx, shop.buyer, shop.conversation, {}, 10);
              });
            }),
            Code::not_found);
}

TEST_F(InboxTest, NotesAreForTheMerchantOnly) {
  say(shop.buyer, "Hello");
  world->notices.clear();
  const auto given = from_json<conversations::NewNote>({{"text", "He always haggles"}});
  const auto note = world->transact(
      [&](Tx& tx) { return conversations::add_note(tx, shop.owner, shop.conversation, given); });
  EXPECT_EQ(note.after_seq, 1);
  ASSERT_EQ(world->notices.size(), 1u);
  EXPECT_EQ(world->notices[0].topics, std::vector{identity::merchant_topic(shop.merchant)});
  EXPECT_EQ(world->notices[0].position, 0);
  EXPECT_EQ(world->last_seq(shop), 1) << "the buyer's log has no gap where a note is";
  const auto agent = world->member(shop, Role::agent);
  const auto remove = [&](const Who& who) {
    world->transact([&](Tx& tx) {
      conversations::remove_note(tx, who, shop.conversation, note.id);
      return 0;
    });
  };
  EXPECT_EQ(code_of([&] { remove(agent); }), Code::forbidden);
  remove(shop.owner);
  EXPECT_EQ(code_of([&] { remove(shop.owner); }), Code::not_found);
}

TEST_F(InboxTest, UnreadIsWhatTheOtherSideWroteSinceOneRead) {
  const auto agent = world->member(shop, Role::agent);
  for (int i = 0; i < 3; ++i) say(shop.buyer, "?");
  say(shop.owner, "!");
  const auto read = [&](const Who& who, std::int64_t seq) {
    const auto receipt = from_json<conversations::Receipt>({{"read_seq", seq}});
    world->transact(
        [&](Tx& tx) { return conversations::mark(tx, who, shop.conversation, receipt); });
  };
  EXPECT_EQ(seen_by(shop.owner).unread, 3);
  EXPECT_EQ(seen_by(shop.buyer).unread, 1);
  read(shop.owner, 2);
  EXPECT_EQ(seen_by(shop.owner).unread, 1);
  EXPECT_EQ(seen_by(agent).unread, 3) << "each member reads for themselves";
  read(shop.owner, 1);
  EXPECT_EQ(seen_by(shop.owner).unread, 1) << "never back";
  read(shop.buyer, 4);
  EXPECT_EQ(seen_by(shop.buyer).unread, 0);
  say(shop.owner, "And?");
  EXPECT_EQ(seen_by(shop.buyer).unread, 1);
  EXPECT_EQ(seen_by(shop.buyer).last_entry->at("data").at("text"), "And?");
}

TEST_F(InboxTest, ShortcutsAreTakenOnce) {
  const auto give = [](const std::string& shortcut) {
    return from_json<conversations::NewCannedReply>({{"shortcut", shortcut}, {"text", "Thanks!"}});
  };
  const auto add = [&](const std::string& shortcut) {
    return world->transact([&](Tx& tx) {
      return conversations::add_canned_reply(tx, shop.owner, shop.merchant, give(shortcut));
    });
  };
  const auto thanks = add("thanks"), hello = add("hello");
  EXPECT_EQ(code_of([&] { add("thanks"); }), Code::conflict);
  const auto change = [&](conversations::CannedReplyId id, const std::string& shortcut) {
    return world->transact([&](Tx& tx) {
      return conversations::change_canned_reply(tx, shop.owner, shop.merchant, id, give(shortcut));
    });
  };
  EXPECT_EQ(code_of([&] { change(hello.id, "thanks"); }), Code::conflict);
  EXPECT_EQ(change(hello.id, "hi").shortcut, "hi");
  EXPECT_EQ(code_of([&] { change(conversations::CannedReplyId::make(), "x"); }), Code::not_found);
  world->transact([&](Tx& tx) {
    conversations::remove_canned_reply(tx, shop.merchant, thanks.id);
    return 0;
  });
  const auto left =
      world->transact([&](Tx& tx) { return conversations::canned_replies(tx, shop.merchant); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].shortcut, "hi");
}

// 2026-03-02 was a Monday.
class OfficeHours : public InboxTest {
 protected:
  void at(const std::string& time) {
    world->clock.set_offset(0us);
    world->clock.set_offset(*parse_instant(time) - world->clock.now());
  }
  void set(const std::string& zone, const Json& hours, const Json& message = "Back on Monday") {
    const auto given = from_json<conversations::NewInboxSettings>(
        {{"time_zone", zone}, {"hours", hours}, {"away_message", message}});
    world->transact(
        [&](Tx& tx) { return conversations::set_inbox_settings(tx, shop.merchant, given); });
  }
  // How many entries there are after the buyer has written.
  std::int64_t written() {
    say(shop.buyer, "Is anybody there?");
    return world->last_seq(shop);
  }
  const Json weekday = {{{"day", "monday"}, {"from", "09:00"}, {"to", "17:00"}}};
};

TEST_F(OfficeHours, OutsideOfThemTheBuyerIsAnsweredOnceInAWhile) {
  set("Europe/Berlin", weekday);
  at("2026-03-02T07:59:00Z");
  EXPECT_EQ(written(), 2) << "08:59 in Berlin";
  const auto last = seen_by(shop.buyer).last_entry->at("data");
  EXPECT_EQ(last.at("text"), "Back on Monday");
  EXPECT_EQ(last.at("author"), "merchant");
  EXPECT_EQ(last.at("automatic"), true);
  EXPECT_EQ(written(), 3) << "once is enough";
  at("2026-03-02T20:01:00Z");
  EXPECT_EQ(written(), 5) << "twelve hours later";
}

TEST_F(OfficeHours, WithinThemNobodyIs) {
  set("Europe/Berlin", weekday);
  at("2026-03-02T08:00:00Z");
  EXPECT_EQ(written(), 1);
  at("2026-03-02T15:59:00Z");
  EXPECT_EQ(written(), 2);
  at("2026-03-02T16:00:00Z");
  EXPECT_EQ(written(), 4) << "17:00 is too late";
  say(shop.owner, "I am still here");
  EXPECT_EQ(world->last_seq(shop), 5) << "the merchant is not answered";
}

TEST_F(OfficeHours, WithoutAnyTheMerchantIsAlwaysThere) {
  set("UTC", Json::array());
  EXPECT_EQ(written(), 1);
  set("UTC", weekday, nullptr);
  at("2026-03-03T12:00:00Z");
  EXPECT_EQ(written(), 2) << "without a message";
}

TEST_F(OfficeHours, MustMakeSense) {
  EXPECT_EQ(code_of([&] { set("Mars/Olympus", weekday); }), Code::invalid);
  for (const Json& wrong :
       std::vector<Json>{{{{"day", "monday"}, {"from", "17:00"}, {"to", "09:00"}}},
                         {{{"day", "monday"}, {"from", "09:00"}, {"to", "24:01"}}},
                         {{{"day", "monday"}, {"from", "9:00"}, {"to", "17:00"}}},
                         {{{"day", "someday"}, {"from", "09:00"}, {"to", "17:00"}}}})
    EXPECT_EQ(code_of([&] { set("UTC", wrong); }), Code::invalid) << wrong;
  set("UTC", {{{"day", "sunday"}, {"from", "00:00"}, {"to", "24:00"}}});
  EXPECT_EQ(
      text_of(
          world->transact([&](Tx& tx) { return conversations::inbox_settings(tx, shop.merchant); })
              .hours[0]
              .to),
      "24:00");
}

}  // namespace inbox_test
}  // namespace bottega::test
