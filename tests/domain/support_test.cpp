// Help between a buyer and a shop: how a case is told, moved, timed and handed over.
#include "domain/support.hpp"

#include "support/uploads.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/support/times.hpp"

namespace bottega::test {
namespace support_test {

using namespace std::chrono_literals;
using namespace support;

using Support = SupportTest;

TEST_F(Support, ACaseIsAnEntryAndItsWordsAreAMessage) {
  const auto order = world->sell(shop);
  const auto made = open_about(order);
  EXPECT_EQ(made.state, State::open);
  EXPECT_EQ(made.desk, Desk::merchant);
  EXPECT_EQ(made.order_id, order.id);
  const auto entries = log();
  const auto& told = entries[entries.size() - 2];
  EXPECT_EQ(told.event, "support_case.created");
  EXPECT_EQ(told.data["author"], "buyer");
  EXPECT_EQ(told.data["support_case"]["id"], text_of(made.id));
  EXPECT_TRUE(told.data["support_case"]["work"].is_null()) << "that is the shop's alone";
  EXPECT_EQ(entries.back().event, "message.created");
  EXPECT_EQ(entries.back().data["text"], "It is broken");
  EXPECT_EQ(entries.back().data["author_id"], text_of(shop.buyer.account));
  EXPECT_EQ(entries.back().data["support_case_id"], text_of(made.id));
}

TEST_F(Support, FilesOfACaseAreTheMessages) {
  const auto file = upload(*world, shop, shop.buyer, "a photo");
  open(shop.buyer,
       {{"conversation_id", text_of(shop.conversation)}, {"attachments", {text_of(file)}}});
  EXPECT_EQ(log().back().data["attachments"][0]["id"], text_of(file));
  const auto foreign = upload(*world, shop, shop.owner, "not theirs");
  const auto order = world->sell(shop);
  const auto with = [&] {
    open(shop.buyer, {{"order_id", text_of(order.id)}, {"attachments", {text_of(foreign)}}});
  };
  EXPECT_EQ(code_of(with), Code::invalid);
}

TEST_F(Support, IsAskedForOnceAboutTheSameThing) {
  const auto first = world->sell(shop), second = world->sell(shop);
  const auto made = open_about(first);
  EXPECT_EQ(code_of([&] { open_about(first); }), Code::conflict);
  open_about(second);
  open_in_conversation();
  EXPECT_EQ(code_of([&] { open_in_conversation(); }), Code::conflict);
  solve(shop.owner, made.id);
  EXPECT_EQ(code_of([&] { open_about(first); }), Code::conflict) << "a reply reopens it";
  world->advance(std::chrono::days(8));
  close_due();
  EXPECT_NE(open_about(first).id, made.id);
}

TEST_F(Support, TellsWhatIsMissingInAQuestion) {
  const auto order = text_of(world->sell(shop).id), talk = text_of(shop.conversation);
  EXPECT_EQ(code_of([&] { open(shop.buyer, Json::object()); }), Code::invalid);
  const auto both = [&] { open(shop.buyer, {{"order_id", order}, {"conversation_id", talk}}); };
  EXPECT_EQ(code_of(both), Code::invalid);
  const auto chosen = [&] { open(shop.buyer, {{"order_id", order}, {"subject", "withdrawal"}}); };
  EXPECT_EQ(code_of(chosen), Code::invalid);
}

TEST_F(Support, DoesNotExistForOthers) {
  const auto order = world->sell(shop);
  const auto made = open_about(order);
  const auto stranger = world->person();
  const auto other = world->shop();
  EXPECT_EQ(code_of([&] { open(stranger, {{"order_id", text_of(order.id)}}); }), Code::not_found);
  EXPECT_EQ(code_of([&] {
              open(shop.owner, {{"order_id", text_of(order.id)}});
            }),
            Code::not_found)
      << "it is the buyer who asks";
  for (const auto& who : {stranger, other.owner, other.buyer}) {
    EXPECT_EQ(code_of([&] { seen_by(who, made.id); }), Code::not_found);
    EXPECT_EQ(code_of([&] { reply(who, made.id); }), Code::not_found);
    EXPECT_EQ(code_of([&] { solve(who, made.id); }), Code::not_found);
    EXPECT_EQ(code_of([&] { hand_over(who, made.id); }), Code::not_found);
  }
  EXPECT_FALSE(seen_by(shop.buyer, made.id).work);
  EXPECT_EQ(seen_by(shop.owner, made.id).work.value().priority, Priority::normal);
}

TEST_F(Support, KeysAnswerWithTheScopeOfTheChat) {
  const auto made = open_in_conversation();
  const auto reader = world->key_with(shop, identity::Scope::read);
  EXPECT_EQ(seen_by(reader, made.id).id, made.id);
  EXPECT_EQ(code_of([&] { reply(reader, made.id); }), Code::forbidden);
  const auto bot = world->key_with(shop, identity::Scope::chat);
  const auto answered = reply(bot, made.id, "Beep");
  EXPECT_EQ(answered.state, State::pending);
  EXPECT_EQ(answered.work.value().assignee_id, std::nullopt) << "nobody has it yet";
}

TEST_F(Support, MeasuresTheFirstAnswerAndTheSolution) {
  const auto made = open_in_conversation();
  world->advance(90s);
  const auto answered = reply(shop.owner, made.id, "Have you switched it on?");
  EXPECT_EQ(answered.state, State::pending);
  EXPECT_EQ(answered.work.value().assignee_id, shop.owner.account);
  EXPECT_EQ(answered.work->due_at, std::nullopt);
  const auto first = answered.work->first_answer_s.value();
  EXPECT_GE(first, 90);
  EXPECT_LT(first, 120);
  world->advance(200s);
  EXPECT_EQ(reply(shop.buyer, made.id).state, State::open);
  EXPECT_EQ(reply(shop.owner, made.id).work->first_answer_s, first) << "the first stays the first";
  const auto solved = solve(shop.owner, made.id);
  EXPECT_GE(solved.work->solve_s.value(), 290);
  EXPECT_LT(solved.work->solve_s.value(), 330);
}

TEST_F(Support, AReplyReopensAndWhatIsClosedStaysSo) {
  const auto made = open_in_conversation();
  EXPECT_EQ(solve(shop.buyer, made.id).state, State::solved) << "whoever asked may say so";
  const auto again = reply(shop.buyer, made.id, "It broke again");
  EXPECT_EQ(again.state, State::open);
  EXPECT_EQ(again.solved_at, std::nullopt);
  const auto entries = log();
  EXPECT_EQ(entries[entries.size() - 2].event, "support_case.reopened");
  solve(shop.owner, made.id);
  EXPECT_EQ(code_of([&] { reply(shop.owner, made.id); }), Code::conflict);
  world->advance(std::chrono::days(6));
  close_due();
  EXPECT_EQ(seen_by(shop.buyer, made.id).state, State::solved);
  world->advance(std::chrono::days(1));
  close_due();
  EXPECT_EQ(close_due(), 0) << "once";
  EXPECT_EQ(seen_by(shop.buyer, made.id).state, State::closed);
  EXPECT_EQ(log().back().event, "support_case.closed");
  EXPECT_EQ(code_of([&] { reply(shop.buyer, made.id); }), Code::conflict);
  EXPECT_EQ(code_of([&] { solve(shop.buyer, made.id); }), Code::conflict);
  EXPECT_EQ(code_of([&] { hand_over(shop.owner, made.id); }), Code::conflict);
}

TEST_F(Support, ABuyerHandsOverAfterTwoBusinessDaysWithoutAnAnswer) {
  const auto made = open_in_conversation();
  const auto from = made.hand_over_from.value();
  EXPECT_GT(from - made.created_at, 46h) << "an hour less where clocks are put forward";
  EXPECT_EQ(code_of([&] { hand_over(shop.buyer, made.id); }), Code::conflict);
  set_time(from - 1min);
  EXPECT_EQ(code_of([&] { hand_over(shop.buyer, made.id); }), Code::conflict);
  set_time(from + 1s);
  const auto handed = hand_over(shop.buyer, made.id);
  EXPECT_EQ(handed.desk, Desk::ops);
  EXPECT_EQ(handed.hand_over_from, std::nullopt);
  EXPECT_EQ(log().back().event, "support_case.handed_over");
  EXPECT_EQ(code_of([&] { hand_over(shop.owner, made.id); }), Code::conflict);
}

TEST_F(Support, AMessageOfTheShopIsAnAnswerToo) {
  const auto made = open_in_conversation();
  say(shop.owner, "We are looking for a spare part");
  set_time(made.hand_over_from.value() + 1s);
  EXPECT_EQ(code_of([&] { hand_over(shop.buyer, made.id); }), Code::conflict);
  const auto again = reply(shop.buyer, made.id, "Have you found it?");
  EXPECT_GT(again.hand_over_from, made.hand_over_from) << "they wait for the next answer";
  set_time(again.hand_over_from.value() + 1s);
  reply(shop.owner, made.id, "It is here");
  EXPECT_EQ(code_of([&] { hand_over(shop.buyer, made.id); }), Code::conflict)
      << "what was answered is not overdue";
}

TEST_F(Support, TheShopHandsOverAtAnyTimeAndIsOutOfIt) {
  const auto made = open_in_conversation();
  NewHandOver given;
  given.note = from_text<Text<1, 1000>>("A difficult one");
  in([&](Tx& tx) { return support::hand_over(tx, shop.owner, made.id, given); });
  EXPECT_EQ(code_of([&] { reply(shop.owner, made.id); }), Code::conflict);
  EXPECT_EQ(code_of([&] { solve(shop.owner, made.id); }), Code::conflict);
  EXPECT_EQ(refusal([&](Tx& tx) { return prioritize(tx, shop.owner, made.id, {Priority::low}); }),
            Code::conflict);
  EXPECT_EQ(reply(shop.buyer, made.id, "Is anybody there?").state, State::open);
  const auto none = in([&](Tx& tx) { return messages(tx, shop.owner, made.id, std::nullopt, 10); });
  EXPECT_TRUE(none.empty()) << "the note is the staff's";
  EXPECT_NE(log().back().data["text"], "A difficult one");
}

TEST_F(Support, IsAskedForAlsoByWhomTheShopHasBlockedWhereTheyBought) {
  const auto order = world->sell(shop);
  in([&](Tx& tx) { return conversations::block(tx, shop.owner, shop.conversation); });
  EXPECT_EQ(code_of([&] { open_in_conversation(); }), Code::forbidden);
  const auto made = open_about(order);
  EXPECT_EQ(reply(shop.buyer, made.id).state, State::open);
}

TEST_F(Support, IsGivenToMembersOnly) {
  const auto made = open_in_conversation();
  const auto agent = world->member(shop, identity::Role::agent);
  const auto give = [&](const Who& who, const Who& to) {
    return in([&](Tx& tx) { return assign(tx, who, made.id, {to.account}); });
  };
  EXPECT_EQ(give(shop.owner, agent).work.value().assignee_id, agent.account);
  EXPECT_EQ(code_of([&] { give(shop.owner, shop.buyer); }), Code::invalid);
  EXPECT_EQ(code_of([&] { give(shop.buyer, agent); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { give(world->person(), agent); }), Code::not_found);
  const auto nobodys = in([&](Tx& tx) { return assign(tx, agent, made.id, {}); });
  EXPECT_EQ(nobodys.work.value().assignee_id, std::nullopt);
  give(agent, agent);
  in([&](Tx& tx) { support::release_all(tx, shop.merchant, agent.account); });
  EXPECT_EQ(seen_by(shop.owner, made.id).work.value().assignee_id, std::nullopt) << "they left";
}

TEST_F(Support, ThePriorityMovesWhenTheAnswerIsDueAndNotTheBuyersRight) {
  const auto made = open_in_conversation();
  const auto set = [&](Priority priority) {
    return in([&](Tx& tx) { return prioritize(tx, shop.owner, made.id, {priority}); });
  };
  const auto urgent = set(Priority::urgent);
  EXPECT_EQ(urgent.work.value().due_at, made.created_at + 4h);
  const auto low = set(Priority::low);
  EXPECT_GT(low.work.value().due_at.value() - made.created_at, 70h);
  EXPECT_EQ(low.hand_over_from, made.hand_over_from);
}

TEST_F(Support, IsRatedOnceByWhoeverAskedWhenItIsSolved) {
  const auto made = open_in_conversation();
  const auto given = from_json<NewCaseRating>({{"rating", 4}, {"comment", "Friendly"}});
  const auto rate_as = [&](const Who& who) {
    return in([&](Tx& tx) { return rate(tx, who, made.id, given); });
  };
  EXPECT_EQ(code_of([&] { rate_as(shop.buyer); }), Code::conflict) << "it is open";
  solve(shop.owner, made.id);
  EXPECT_EQ(code_of([&] { rate_as(shop.owner); }), Code::forbidden);
  EXPECT_EQ(rate_as(shop.buyer).rating, 4);
  EXPECT_EQ(code_of([&] { rate_as(shop.buyer); }), Code::conflict);
  EXPECT_EQ(seen_by(shop.owner, made.id).work.value().comment, "Friendly");
  reply(shop.buyer, made.id);
  EXPECT_EQ(log()[log().size() - 2].data.dump().find("Friendly"), std::string::npos)
      << "a log keeps no words that it cannot forget";
}

TEST_F(Support, AQueueIsInTheOrderInWhichAnswersAreDue) {
  std::vector<CaseId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(open_about(world->sell(shop)).id);
  in([&](Tx& tx) { return prioritize(tx, shop.owner, ids[2], {Priority::urgent}); });
  solve(shop.owner, ids[0]);
  const auto page = [&](const Filter& filter, const Position& after, std::int64_t limit) {
    return in([&](Tx& tx) { return queue_of_merchant(tx, shop.merchant, filter, after, limit); });
  };
  std::vector<CaseId> seen;
  Position after;
  for (auto found = page({}, after, 2); !found.empty(); found = page({}, after, 2))
    for (const auto& one : found) {
      seen.push_back(one.id);
      after = {one.work.value().due_at, one.id};
    }
  EXPECT_EQ(seen, (std::vector<CaseId>{ids[2], ids[1], ids[3], ids[0]}));
  Filter filter;
  filter.priority = Priority::urgent;
  EXPECT_EQ(page(filter, {}, 10).size(), 1u);
  filter = {};
  filter.state = State::solved;
  EXPECT_EQ(page(filter, {}, 10).at(0).id, ids[0]);
  filter = {};
  filter.only_unassigned = true;
  EXPECT_EQ(page(filter, {}, 10).size(), 4u);
  filter.subject = Subject::payment;
  EXPECT_TRUE(page(filter, {}, 10).empty());
  filter = {};
  filter.assignee = shop.owner.account;
  EXPECT_TRUE(page(filter, {}, 10).empty());
}

TEST_F(Support, TheReportHasTheMiddleAndTheNinthOfTen) {
  for (int i = 1; i <= 10; ++i) {
    world->clock.set_offset(0us);
    const auto made = open_about(world->sell(shop));
    world->advance(std::chrono::seconds(100 * i));
    reply(shop.owner, made.id);
    if (i <= 5) solve(shop.owner, made.id);
  }
  world->clock.set_offset(0us);
  const auto today = std::chrono::floor<std::chrono::days>(world->clock.now());
  const Days days{today - std::chrono::days(7), today + std::chrono::days(1)};
  const auto report = in([&](Tx& tx) { return times_of_merchant(tx, shop.merchant, days); });
  ASSERT_EQ(report.weeks.size(), 1u);
  const auto& week = report.weeks[0];
  EXPECT_EQ(std::chrono::weekday(week.week), std::chrono::Monday);
  EXPECT_EQ(week.cases, 10);
  EXPECT_EQ(week.answered, 10);
  EXPECT_EQ(week.solved, 5);
  EXPECT_EQ(week.answer_median_s.value() / 100, 5);
  EXPECT_EQ(week.answer_p90_s.value() / 100, 9);
  EXPECT_EQ(week.solve_median_s.value() / 100, 3);
  const Days backwards{today, today - std::chrono::days(1)};
  for (const auto& bad : {backwards, Days{today - std::chrono::days(400), today}})
    EXPECT_EQ(refusal([&](Tx& tx) { return times_of_merchant(tx, shop.merchant, bad); }),
              Code::invalid);
}

}  // namespace support_test
}  // namespace bottega::test
