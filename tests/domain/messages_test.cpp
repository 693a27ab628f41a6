// What may be done to a message after it was sent: replied to, edited, deleted, reacted to. The log
// keeps a trace, the message shows how it is now.
#include "bottega/conversations/messages.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace messages_test {

using namespace std::chrono_literals;
using conversations::Event, conversations::NewMessage;
using identity::Who;

class Messages : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  Event say(const Who& who, const Json& given) const {
    const auto message = from_json<NewMessage>(given);
    return world->transact(
        [&](Tx& tx) { return conversations::send(tx, who, shop.conversation, message); });
  }
  Event edit(const Who& who, std::int64_t seq, const std::string& text) const {
    return world->transact([&](Tx& tx) {
      return conversations::edit(tx, who, shop.conversation, seq,
                                 from_json<conversations::NewText>({{"text", text}}), 15min);
    });
  }
  Event remove(const Who& who, std::int64_t seq) const {
    return world->transact([&](Tx& tx) {
      return conversations::remove(tx, who, shop.conversation, seq, std::chrono::days(2));
    });
  }
  Event react(const Who& who, std::int64_t seq, const std::string& emoji) const {
    std::optional<Emoji> given;
    if (!emoji.empty()) given = from_text<Emoji>(emoji);
    return world->transact(
        [&](Tx& tx) { return conversations::react(tx, who, shop.conversation, seq, given); });
  }
  std::vector<Event> log() const {
    return world->transact([&](Tx& tx) {
      return conversations::log_after(tx, shop.buyer, shop.conversation, 0, 100);
    });
  }
  std::int64_t unread(const Who& who) const {
    return world->transact(
        [&](Tx& tx) { return conversations::fetch(tx, who, shop.conversation).unread; });
  }
  void TearDown() override { world->clock.set_offset(0us); }

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

TEST_F(Messages, AReplyNamesAMessageOfTheConversation) {
  say(shop.buyer, {{"text", "Is it brass?"}});
  const auto reply = say(shop.owner, {{"text", "It is"}, {"reply_to", 1}, {"client_id", "r1"}});
  EXPECT_EQ(reply.data["reply_to"], 1);
  EXPECT_EQ(say(shop.owner, {{"text", "It is"}, {"reply_to", 1}, {"client_id", "r1"}}).seq, 2);
  EXPECT_EQ(code_of([&] {
              say(shop.owner, {{"text", "It is"}, {"client_id", "r1"}});
            }),
            Code::conflict)
      << "it was a reply";
  for (const auto wrong : {3, 100})
    EXPECT_EQ(code_of([&] {
                say(shop.owner, {{"text", "?"}, {"reply_to", wrong}});
              }),
              Code::invalid);
  react(shop.buyer, 2, "👍");
  EXPECT_EQ(code_of([&] {
              say(shop.owner, {{"text", "?"}, {"reply_to", 3}});
            }),
            Code::invalid)
      << "a trace is no message";
}

TEST_F(Messages, AnEditIsInTheLogAndInTheMessage) {
  say(shop.buyer, {{"text", "How mutch?"}, {"client_id", "c1"}});
  const auto edited = edit(shop.buyer, 1, "How much?");
  EXPECT_EQ(edited.seq, 1);
  EXPECT_EQ(edited.data["text"], "How much?");
  EXPECT_EQ(edited.data["client_id"], "c1");
  EXPECT_TRUE(edited.data.contains("edited_at"));
  const auto entries = log();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].data, edited.data);
  EXPECT_EQ(entries[1].event, "message.edited");
  EXPECT_EQ(entries[1].data["message_seq"], 1);
  EXPECT_EQ(entries[1].data["text"], "How much?");
  EXPECT_EQ(entries[1].data["author"], "buyer");
  EXPECT_EQ(world->notices.back().position, 2);
  edit(shop.buyer, 1, "How much?");
  EXPECT_EQ(log().size(), 2u) << "the same again changes nothing";
  EXPECT_EQ(say(shop.buyer, {{"text", "How mutch?"}, {"client_id", "c1"}}).seq, 1)
      << "a retry of what has been edited since is still the same message";
}

TEST_F(Messages, ADeletedOneSaysNothingAnyMoreNotEvenInItsTraces) {
  say(shop.buyer, {{"text", "My card is 4111"}, {"client_id", "c1"}});
  edit(shop.buyer, 1, "My card is 4111 1111");
  react(shop.owner, 1, "😮");
  const auto deleted = remove(shop.buyer, 1);
  EXPECT_TRUE(deleted.data.contains("deleted_at"));
  for (const auto* gone : {"text", "reactions", "edited_at"})
    EXPECT_FALSE(deleted.data.contains(gone)) << gone;
  const auto entries = log();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[3].event, "message.deleted");
  EXPECT_EQ(entries[3].data["message_seq"], 1);
  for (const auto& entry : entries)
    EXPECT_EQ(to_frame(entry).dump().find("4111"), std::string::npos) << entry.event;
  remove(shop.buyer, 1);
  EXPECT_EQ(log().size(), 4u);
  EXPECT_EQ(code_of([&] { edit(shop.buyer, 1, "Back"); }), Code::conflict);
  EXPECT_EQ(code_of([&] { react(shop.owner, 1, "👍"); }), Code::conflict);
  EXPECT_EQ(code_of([&] { say(shop.owner, {{"text", "?"}, {"reply_to", 1}}); }), Code::invalid);
  EXPECT_EQ(say(shop.buyer, {{"text", "My card is 4111"}, {"client_id", "c1"}}).seq, 1)
      << "a late retry does not bring it back";
}

TEST_F(Messages, OnlyTheirAuthorChangesThemAndNotForEver) {
  say(shop.buyer, {{"text", "Mine"}});
  const auto agent = world->member(shop, identity::Role::agent);
  say(agent, {{"text", "The shop's"}});
  EXPECT_EQ(code_of([&] { edit(shop.owner, 1, "Yours"); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { remove(shop.owner, 1); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { edit(shop.owner, 2, "A colleague's"); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { edit(world->person(), 1, "A stranger's"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { edit(shop.buyer, 3, "Nobody's"); }), Code::not_found);
  world->advance(14min);
  EXPECT_EQ(edit(shop.buyer, 1, "Just in time").data["text"], "Just in time");
  world->advance(1min);
  EXPECT_EQ(code_of([&] { edit(shop.buyer, 1, "Too late"); }), Code::conflict);
  world->advance(48h);
  EXPECT_EQ(code_of([&] { remove(shop.buyer, 1); }), Code::conflict);
}

TEST_F(Messages, EverybodyHasOneReaction) {
  say(shop.buyer, {{"text", "Sold!"}});
  react(shop.owner, 1, "👍");
  react(shop.buyer, 1, "❤️");
  const auto changed = react(shop.owner, 1, "🎉");
  const Json both = {{text_of(shop.owner.account), "🎉"}, {text_of(shop.buyer.account), "❤️"}};
  EXPECT_EQ(changed.data["reactions"], both);
  react(shop.owner, 1, "🎉");
  EXPECT_EQ(log().size(), 4u);
  const Json one = {{text_of(shop.buyer.account), "❤️"}};
  EXPECT_EQ(react(shop.owner, 1, "").data["reactions"], one);
  const auto trace = log().back();
  EXPECT_EQ(trace.event, "message.reacted");
  EXPECT_TRUE(trace.data["emoji"].is_null());
  EXPECT_EQ(code_of([&] { react(world->person(), 1, "👍"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { react(shop.owner, 2, "👍"); }), Code::not_found) << "that is a trace";
}

TEST_F(Messages, TracesAreNotNews) {
  say(shop.buyer, {{"text", "Hello"}});
  EXPECT_EQ(unread(shop.owner), 1);
  EXPECT_EQ(unread(shop.buyer), 0);
  edit(shop.buyer, 1, "Hello there");
  react(shop.buyer, 1, "👋");
  EXPECT_EQ(unread(shop.owner), 1);
  react(shop.owner, 1, "👋");
  EXPECT_EQ(unread(shop.buyer), 0);
}

TEST_F(Messages, OtherEntriesSayWhatAClientMayShowInstead) {
  const auto request = world->ask(shop, 1250);
  const auto entry = log().back();
  EXPECT_EQ(entry.event, "payment_request.created");
  EXPECT_EQ(entry.data["fallback"], "Payment request " + request.title + ", 12.50 USD: open.");
}

TEST_F(Messages, WhatIsNoMessageCannotBeChangedEvenByMistake) {
  world->ask(shop, 1250);
  const auto change = "UPDATE bottega.entries SET data = '{}' WHERE conversation_id = '" +
                      uuid_text(shop.conversation.uuid) + "'";
  EXPECT_THROW(execute(world->urls.app, change), std::exception);
  EXPECT_TRUE(log().back().data.contains("payment_request"));
}

TEST_F(Messages, TheLogIsReadBackwardsToo) {
  for (int i = 1; i <= 5; ++i) say(shop.buyer, {{"text", std::to_string(i)}});
  const auto back = world->transact(
      [&](Tx& tx) { return conversations::log_before(tx, shop.owner, shop.conversation, 5, 3); });
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].seq, 4);
  EXPECT_EQ(back[2].seq, 2);
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                return conversations::log_before(tx, world->person(), shop.conversation, 5, 3);
              });
            }),
            Code::not_found);
}

}  // namespace messages_test
}  // namespace bottega::test
