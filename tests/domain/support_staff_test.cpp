// The platform's desk: what it sees, and what nobody else does.
#include "domain/support.hpp"

#include "bottega/support/times.hpp"

namespace bottega::test {
namespace support_staff_test {

using namespace std::chrono_literals;
using namespace support;

class SupportDesk : public SupportTest {
 protected:
  std::vector<conversations::Event> entries(CaseId id, std::int64_t after = 0) const {
    return in([&](Tx& tx) { return support::staff::entries(tx, id, after, 100); });
  }
  std::vector<CaseMessage> thread(const Who& who, CaseId id) const {
    return in([&](Tx& tx) { return messages(tx, who, id, std::nullopt, 100); });
  }
  CaseMessage note(CaseId id, const std::string& text) const {
    const auto given = from_json<support::staff::NewCaseAnswer>({{"text", text}});
    return in([&](Tx& tx) { return support::staff::add_note(tx, sam, id, given); });
  }

  const Who sam = world->staff(identity::StaffRole::support);
};

TEST_F(SupportDesk, SeesACaseOnlyOnceItWasHandedOver) {
  const auto made = open_in_conversation();
  const auto show = [&] { in([&](Tx& tx) { return support::staff::fetch(tx, made.id); }); };
  EXPECT_EQ(code_of(show), Code::not_found);
  EXPECT_EQ(code_of([&] { entries(made.id); }), Code::not_found);
  EXPECT_EQ(code_of([&] { answer_as_ops(sam, made.id); }), Code::not_found);
  hand_over(shop.owner, made.id);
  EXPECT_EQ(code_of(show), std::nullopt);
}

TEST_F(SupportDesk, ReadsFromTheCaseOnAndNothingBeforeNorAfterItsEnd) {
  say(shop.buyer, "Between the two of us");
  const auto made = open_in_conversation();
  say(shop.owner, "We see");
  hand_over(shop.owner, made.id);
  const auto read = entries(made.id);
  ASSERT_GE(read.size(), 4u);
  EXPECT_EQ(read[0].event, "support_case.created");
  EXPECT_EQ(read[1].data["text"], "It is broken");
  EXPECT_EQ(entries(made.id, read[2].seq).size(), read.size() - 3);
  for (const auto& entry : entries(made.id, -5)) EXPECT_GE(entry.seq, read[0].seq);
  in([&](Tx& tx) { return support::staff::solve(tx, made.id); });
  EXPECT_FALSE(entries(made.id).empty()) << "it may be reopened";
  world->advance(std::chrono::days(8));
  close_due();
  EXPECT_EQ(code_of([&] { entries(made.id); }), Code::conflict);
}

TEST_F(SupportDesk, AnswersInTheConversationWithoutAName) {
  const auto made = open_in_conversation();
  hand_over(shop.owner, made.id);
  world->advance(60s);
  const auto answered = answer_as_ops(sam, made.id, "We look into it");
  EXPECT_EQ(answered.state, State::pending);
  EXPECT_EQ(answered.work.value().assignee_id, sam.account);
  EXPECT_EQ(seen_by(shop.owner, made.id).work.value().assignee_id, std::nullopt);
  EXPECT_GE(answered.work->ops_answer_s.value(), 60);
  EXPECT_LT(answered.work->ops_answer_s.value(), 90);
  const auto last = log().back();
  EXPECT_EQ(last.event, "support_case.replied");
  EXPECT_EQ(last.data["author"], "system");
  EXPECT_TRUE(last.data["author_id"].is_null());
  EXPECT_EQ(last.data["from"], "Help");
  EXPECT_EQ(last.data["text"], "We look into it");
  EXPECT_EQ(last.data.dump().find(text_of(sam.account)), std::string::npos);
  EXPECT_EQ(reply(shop.buyer, made.id).state, State::open) << "the buyer never leaves";
}

TEST_F(SupportDesk, AShopAsksInAThreadOfItsOwn) {
  const auto made = open_of_shop();
  EXPECT_EQ(made.desk, Desk::ops);
  EXPECT_EQ(made.conversation_id, std::nullopt);
  const auto before = log().size();
  answer_as_ops(sam, made.id, "Tomorrow");
  note(made.id, "They always ask");
  const auto agent = world->member(shop, identity::Role::agent);
  reply(agent, made.id, "Thank you");
  const auto lines = thread(agent, made.id);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].voice, Voice::asker);
  EXPECT_EQ(lines[0].author_id, shop.owner.account);
  EXPECT_EQ(lines[1].voice, Voice::help);
  EXPECT_EQ(lines[1].author_id, std::nullopt);
  EXPECT_EQ(lines[2].text, "Thank you");
  const auto all =
      in([&](Tx& tx) { return support::staff::messages(tx, made.id, std::nullopt, 100); });
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(all[2].internal);
  EXPECT_EQ(log().size(), before) << "no buyer hears of it";
  EXPECT_EQ(code_of([&] { thread(shop.buyer, made.id); }), Code::not_found);
  EXPECT_TRUE(entries(made.id).empty());
  EXPECT_FALSE(seen_by(agent, made.id).work) << "they are who asks";
}

TEST_F(SupportDesk, WhatAShopAskedIsListedForItsMembers) {
  const auto made = open_of_shop();
  open_in_conversation();
  const auto found =
      in([&](Tx& tx) { return list_of_merchant(tx, shop.merchant, std::nullopt, 10); });
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, made.id);
  const auto buyers = in([&](Tx& tx) { return queue_of_merchant(tx, shop.merchant, {}, {}, 10); });
  ASSERT_EQ(buyers.size(), 1u);
  EXPECT_NE(buyers[0].id, made.id);
}

TEST_F(SupportDesk, NotesOfAHandOverAreForTheStaff) {
  const auto made = open_in_conversation();
  NewHandOver given;
  given.note = from_text<Text<1, 1000>>("They shout");
  in([&](Tx& tx) { return support::hand_over(tx, shop.owner, made.id, given); });
  const auto all =
      in([&](Tx& tx) { return support::staff::messages(tx, made.id, std::nullopt, 10); });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].voice, Voice::merchant);
  EXPECT_EQ(all[0].text, "They shout");
  EXPECT_TRUE(thread(shop.buyer, made.id).empty());
  EXPECT_TRUE(thread(shop.owner, made.id).empty());
}

TEST_F(SupportDesk, IsTheStaffsWithTheRolesThatAnswer) {
  const auto made = open_of_shop();
  const auto give = [&](AccountId to) {
    return in([&](Tx& tx) { return support::staff::assign(tx, made.id, {to}); });
  };
  const auto admin = world->staff(identity::StaffRole::admin);
  EXPECT_EQ(give(admin.account).work.value().assignee_id, admin.account);
  EXPECT_EQ(give(sam.account).work.value().assignee_id, sam.account);
  const auto clerk = world->staff(identity::StaffRole::finance);
  for (const auto& who : {clerk.account, shop.owner.account, AccountId::make()})
    EXPECT_EQ(code_of([&] { give(who); }), Code::invalid);
}

TEST_F(SupportDesk, ItsQueueHasOnlyItsOwnWorkByWhenItIsDue) {
  const auto first = open_of_shop(), second = open_of_shop();
  open_in_conversation();
  in([&](Tx& tx) { return support::staff::prioritize(tx, second.id, {Priority::high}); });
  const auto queue = [&](const Filter& filter) {
    return in([&](Tx& tx) { return support::staff::queue(tx, shop.merchant, filter, {}, 10); });
  };
  const auto found = queue({});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, second.id);
  EXPECT_EQ(found[1].id, first.id);
  Filter urgent;
  urgent.priority = Priority::urgent;
  EXPECT_TRUE(queue(urgent).empty());
}

TEST_F(SupportDesk, ItsTimesBeginWhenItGotTheCase) {
  const auto today = std::chrono::floor<std::chrono::days>(world->clock.now());
  const Days days{today - std::chrono::days(7), today + std::chrono::days(40)};
  const auto cases = [&] {
    std::int64_t count = 0;
    for (const auto& week : in([&](Tx& tx) { return times_of_ops(tx, days); }).weeks)
      count += week.cases;
    return count;
  };
  const auto before = cases();
  const auto made = open_in_conversation();
  EXPECT_EQ(cases(), before);
  world->advance(1h);
  hand_over(shop.owner, made.id);
  EXPECT_EQ(cases(), before + 1);
  world->advance(10s);
  const auto answered = answer_as_ops(sam, made.id);
  EXPECT_LT(answered.work.value().ops_answer_s.value(), 60);
  EXPECT_GE(answered.work->first_answer_s.value(), 3'610) << "the buyer has waited since";
}

TEST_F(SupportDesk, KeepsAnswersReadyByTheirShortcut) {
  const auto given = from_json<conversations::NewCannedReply>(
      {{"shortcut", "photo"}, {"text", "Send us a photo"}});
  const auto kept = in([&](Tx& tx) { return support::staff::add_canned_answer(tx, sam, given); });
  EXPECT_EQ(refusal([&](Tx& tx) { return support::staff::add_canned_answer(tx, sam, given); }),
            Code::conflict);
  const auto other =
      from_json<conversations::NewCannedReply>({{"shortcut", "sorry"}, {"text", "We are sorry"}});
  const auto second = in([&](Tx& tx) { return support::staff::add_canned_answer(tx, sam, other); });
  const auto change = [&](conversations::CannedReplyId id) {
    return in([&](Tx& tx) { return support::staff::change_canned_answer(tx, sam, id, other); });
  };
  EXPECT_EQ(code_of([&] { change(kept.id); }), Code::conflict);
  EXPECT_EQ(change(second.id).text, "We are sorry");
  const auto remove = [&] {
    in([&](Tx& tx) { support::staff::remove_canned_answer(tx, kept.id); });
  };
  remove();
  EXPECT_EQ(code_of(remove), Code::not_found);
  EXPECT_EQ(in([](Tx& tx) { return support::staff::canned_answers(tx); }).size(), 1u);
}

}  // namespace support_staff_test
}  // namespace bottega::test
