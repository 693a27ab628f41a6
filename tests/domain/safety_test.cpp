// Muting, blocking, and reports to the staff.
#include "bottega/conversations/safety.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/errors.hpp"
#include "support/world.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/writer.hpp"

namespace bottega::test {
namespace safety_test {

using namespace std::chrono_literals;
using namespace conversations;

class Safety : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void TearDown() override { world->clock.set_offset(0us); }

  template <class Op>
  auto in(Op op) const {
    return world->transact([&](Tx& tx) { return op(tx); });
  }
  conversations::Event say(const Who& who, const std::string& text) const {
    const auto given = from_json<NewMessage>({{"text", text}});
    return in([&](Tx& tx) { return send(tx, who, shop.conversation, given); });
  }
  // By way of the batch.
  std::optional<Code> gathered(const Who& who, const std::string& text) const {
    Writer writer(world->chat_db, 16, 16);
    std::promise<Sent> done;
    writer.send(who, shop.conversation, from_json<NewMessage>({{"text", text}}),
                [&](Sent sent) { done.set_value(std::move(sent)); });
    const auto sent = done.get_future().get();
    return code_of([&] {
      if (sent.failure) std::rethrow_exception(sent.failure);
    });
  }
  Report only_report() const {
    const auto all =
        in([&](Tx& tx) { return conversations::reports(tx, std::nullopt, std::nullopt, 1'000); });
    for (const auto& report : all)
      if (report.conversation_id == shop.conversation) return report;
    throw std::runtime_error("nothing was reported");
  }

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

TEST_F(Safety, WhomTheOtherSideHasBlockedCannotWriteNorAskForMoney) {
  say(shop.buyer, "Hello");
  EXPECT_TRUE(in([&](Tx& tx) { return block(tx, shop.buyer, shop.conversation); }).is_blocked);
  EXPECT_EQ(code_of([&] { say(shop.owner, "Buy more!"); }), Code::forbidden);
  EXPECT_EQ(gathered(shop.owner, "Buy more!"), Code::forbidden);
  EXPECT_EQ(code_of([&] { world->ask(shop); }), Code::forbidden);
  EXPECT_EQ(gathered(shop.buyer, "I still may"), std::nullopt);
  EXPECT_FALSE(in([&](Tx& tx) { return protection(tx, shop.owner, shop.conversation); }).is_blocked)
      << "that one is blocked is not told";
  world->notices.clear();
  in([&](Tx& tx) {
    type(tx, shop.owner, shop.conversation);
    return 0;
  });
  EXPECT_TRUE(world->notices.empty());
  EXPECT_FALSE(in([&](Tx& tx) { return unblock(tx, shop.buyer, shop.conversation); }).is_blocked);
  EXPECT_EQ(gathered(shop.owner, "Thank you"), std::nullopt);
}

// By nothing that the other side would see or be told of.
TEST_F(Safety, WhomTheOtherSideHasBlockedDoesNotReachItInAnyOtherWay) {
  say(shop.owner, "Hello");
  say(shop.buyer, "Hello");
  in([&](Tx& tx) { return block(tx, shop.buyer, shop.conversation); });
  const auto text = from_json<NewText>({{"text", "Buy more!"}});
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) { return edit(tx, shop.owner, shop.conversation, 1, text, 1h); });
            }),
            Code::forbidden);
  const std::optional emoji = from_text<Emoji>("👍");
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) { return react(tx, shop.owner, shop.conversation, 2, emoji); });
            }),
            Code::forbidden);
  in([&](Tx& tx) { return react(tx, shop.buyer, shop.conversation, 1, emoji); });
  world->notices.clear();
  const auto read = from_json<Receipt>({{"read_seq", 2}});
  in([&](Tx& tx) { return mark(tx, shop.owner, shop.conversation, read); });
  const auto seen = [&](const Who& who) {
    return in([&](Tx& tx) { return markers(tx, who, shop.conversation); });
  };
  EXPECT_TRUE(seen(shop.buyer).empty());
  EXPECT_EQ(seen(shop.owner).size(), 1u);
  ASSERT_EQ(world->notices.size(), 1u);
  EXPECT_EQ(world->notices[0].topics,
            std::vector<std::string>{identity::merchant_topic(shop.merchant)});
  in([&](Tx& tx) { return remove(tx, shop.owner, shop.conversation, 1, 1h); });
  const auto log = in([&](Tx& tx) { return log_after(tx, shop.buyer, shop.conversation, 0, 100); });
  EXPECT_EQ(log.back().event, "message.deleted") << "taking back is allowed";
}

TEST_F(Safety, NoAutomaticMessageReachesWhoeverHasBlockedTheShop) {
  const auto settings = from_json<NewInboxSettings>(
      {{"time_zone", "UTC"}, {"hours", Json::array()}, {"away_message", "We are away"}});
  in([&](Tx& tx) { return set_inbox_settings(tx, shop.merchant, settings); });
  world->advance(24h);
  in([&](Tx& tx) { return block(tx, shop.buyer, shop.conversation); });
  say(shop.buyer, "One last thing");
  const auto log = in([&](Tx& tx) { return log_after(tx, shop.buyer, shop.conversation, 0, 100); });
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(Safety, AProgramNeitherMutesNorReadsForItsMaker) {
  say(shop.buyer, "Hello");
  const auto bot = world->key_with(shop, identity::Scope::chat);
  const auto read = from_json<Receipt>({{"read_seq", 1}});
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return mute(tx, bot, shop.conversation, {}); }); }),
            Code::forbidden);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return unmute(tx, bot, shop.conversation); }); }),
            Code::forbidden);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return mark(tx, bot, shop.conversation, read); }); }),
            Code::forbidden);
  EXPECT_EQ(in([&](Tx& tx) { return fetch(tx, shop.owner, shop.conversation); }).unread, 1);
}

TEST_F(Safety, AMerchantBlocksForAllItsMembers) {
  const auto agent = world->member(shop, identity::Role::agent);
  in([&](Tx& tx) { return block(tx, agent, shop.conversation); });
  EXPECT_EQ(gathered(shop.buyer, "Hello?"), Code::forbidden);
  EXPECT_TRUE(in([&](Tx& tx) { return protection(tx, shop.owner, shop.conversation); }).is_blocked);
  EXPECT_EQ(gathered(shop.owner, "We have had enough"), std::nullopt);
}

TEST_F(Safety, WhatWasAgreedBeforeGoesOn) {
  const auto request = world->ask(shop);
  in([&](Tx& tx) { return block(tx, shop.owner, shop.conversation); });
  const auto paid = world->pay(shop, request);
  EXPECT_EQ(paid.payment_request.state, payments::RequestState::paid);
}

TEST_F(Safety, AMuteEndsAtItsTime) {
  const auto until = world->clock.now() + 1h;
  const auto muted =
      in([&](Tx& tx) { return mute(tx, shop.buyer, shop.conversation, NewMute{until}); });
  EXPECT_TRUE(muted.is_muted);
  EXPECT_EQ(muted.muted_until, until);
  const auto look = [&](const Who& who) {
    return in([&](Tx& tx) { return protection(tx, who, shop.conversation); });
  };
  EXPECT_FALSE(look(shop.owner).is_muted);
  world->advance(61min);
  EXPECT_FALSE(look(shop.buyer).is_muted);
  in([&](Tx& tx) { return mute(tx, shop.buyer, shop.conversation, NewMute{}); });
  EXPECT_TRUE(look(shop.buyer).is_muted);
  EXPECT_FALSE(in([&](Tx& tx) { return unmute(tx, shop.buyer, shop.conversation); }).is_muted);
  const NewMute past{world->clock.now()};
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { return mute(tx, shop.buyer, shop.conversation, past); }); }),
      Code::invalid);
}

TEST_F(Safety, AReportKeepsWhatWasSaidAsItWas) {
  say(shop.owner, "Pay me elsewhere");
  say(shop.buyer, "No");
  const auto given =
      from_json<NewReport>({{"reason", "fraud"}, {"text", "Wants my card"}, {"seqs", {1}}});
  const auto made = in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  in([&](Tx& tx) { return remove(tx, shop.owner, shop.conversation, 1, 1h); });
  const auto kept = only_report();
  EXPECT_EQ(kept.id, made.id);
  EXPECT_EQ(kept.reported_by, shop.buyer.account);
  ASSERT_EQ(kept.entries.size(), 1u);
  EXPECT_EQ(kept.entries[0]["data"]["text"], "Pay me elsewhere");
  const auto twice = from_json<NewReport>({{"reason", "spam"}, {"seqs", {1, 1}}});
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, twice); });
            }),
            Code::invalid);
  const auto wrong = from_json<NewReport>({{"reason", "spam"}, {"seqs", {1, 99}}});
  try {
    in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, wrong); });
    FAIL() << "there is no entry 99";
  } catch (const Error& error) {
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/seqs/1");
  }
}

TEST_F(Safety, AReportWithoutSeqsMeansTheNewest) {
  for (int i = 1; i <= 25; ++i) say(shop.owner, std::to_string(i));
  const auto given = from_json<NewReport>({{"reason", "spam"}});
  in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  const auto kept = only_report();
  ASSERT_EQ(kept.entries.size(), 20u);
  EXPECT_EQ(kept.entries[0]["seq"], 6);
  EXPECT_EQ(kept.entries[19]["seq"], 25);
}

TEST_F(Safety, SomebodyHasAFewReportsOpenAtATime) {
  say(shop.owner, "Hello");
  const auto given = from_json<NewReport>({{"reason", "spam"}});
  const auto complain = [&](const Who& who) {
    return in([&](Tx& tx) { return report(tx, who, shop.conversation, given); });
  };
  const auto first = complain(shop.buyer);
  for (int i = 1; i < 10; ++i) complain(shop.buyer);
  EXPECT_EQ(code_of([&] { complain(shop.buyer); }), Code::conflict);
  complain(shop.owner);
  const auto how = from_json<Resolution>({{"resolution", "Seen"}});
  const auto staff = world->staff(identity::StaffRole::support);
  in([&](Tx& tx) { return resolve(tx, staff, first.id, how); });
  complain(shop.buyer);
}

TEST_F(Safety, AReportIsResolvedOnce) {
  say(shop.owner, "Hello");
  const auto given = from_json<NewReport>({{"reason", "other"}});
  const auto made = in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  const auto staff = world->staff(identity::StaffRole::support);
  const auto how = from_json<Resolution>({{"resolution", "A misunderstanding"}});
  const auto resolved = in([&](Tx& tx) { return resolve(tx, staff, made.id, how); });
  EXPECT_EQ(resolved.state, ReportState::resolved);
  EXPECT_EQ(resolved.resolved_by, staff.account);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return resolve(tx, staff, made.id, how); }); }),
            Code::conflict);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { return resolve(tx, staff, ReportId::make(), how); }); }),
            Code::not_found);
}

}  // namespace safety_test
}  // namespace bottega::test
