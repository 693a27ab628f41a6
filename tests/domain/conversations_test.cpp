// Conversations: one per buyer and merchant, a log without gaps that only its members see, and
// markers that only move forward.
#include "bottega/conversations/conversations.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/world.hpp"
#include "bottega/identity/invitations.hpp"

namespace bottega::test {
namespace conversations_test {

using namespace std::chrono_literals;
using conversations::ConversationId, conversations::NewMessage, conversations::Receipt;
using identity::Scope, identity::Who;

NewMessage message(const std::string& text, const std::string& client_id = "") {
  NewMessage given;
  given.text = from_text<Text<1, 4096>>(text);
  if (!client_id.empty()) given.client_id = from_text<Opaque<64>>(client_id);
  return given;
}

class Conversations : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override {
    owner = world->person("Otto Owner");
    buyer = world->person("Bea Buyer");
    merchant = world->merchant(owner).id;
    id = open(buyer).conversation.id;
    world->notices.clear();
  }

  conversations::Opened open(const Who& who) const {
    return world->transact([&](Tx& tx) { return conversations::open(tx, who, {merchant}); });
  }
  conversations::Event say(const Who& who, const std::string& text,
                           const std::string& client_id = "") const {
    const auto given = message(text, client_id);
    return world->transact([&](Tx& tx) { return conversations::send(tx, who, id, given); });
  }
  std::vector<conversations::Event> log(const Who& who, std::int64_t after = 0,
                                        std::int64_t limit = 100) const {
    return world->transact(
        [&](Tx& tx) { return conversations::log_after(tx, who, id, after, limit); });
  }
  conversations::Marker mark(const Who& who, std::optional<std::int64_t> delivered,
                             std::optional<std::int64_t> read) const {
    Receipt receipt;
    if (delivered) receipt.delivered_seq = Count<0, INT64_MAX>{*delivered};
    if (read) receipt.read_seq = Count<0, INT64_MAX>{*read};
    return world->transact([&](Tx& tx) { return conversations::mark(tx, who, id, receipt); });
  }
  Who api_key(std::vector<Scope> scopes) const {
    Who who = owner;
    who.kind = identity::Kind::api_key;
    who.merchant = merchant;
    who.scopes = std::move(scopes);
    return who;
  }
  static inline std::unique_ptr<World> world;
  Who owner, buyer;
  identity::MerchantId merchant;
  ConversationId id;
};

TEST_F(Conversations, ABuyerAndAMerchantHaveOne) {
  const auto again = open(buyer);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.conversation.id, id);
  EXPECT_EQ(again.conversation.buyer_id, buyer.account);
  EXPECT_EQ(again.conversation.buyer_name, "Bea Buyer");
  EXPECT_EQ(again.conversation.merchant_name, "Ada's Lamps");
  EXPECT_EQ(again.conversation.last_seq, 0);
  const auto other = open(world->person());
  EXPECT_TRUE(other.is_new);
  EXPECT_NE(other.conversation.id, id);
}

TEST_F(Conversations, AMemberIsNoBuyerOfTheirOwnShop) {
  EXPECT_EQ(code_of([&] { open(owner); }), Code::conflict);
}

TEST_F(Conversations, WithAMerchantThatIsNotThereThereIsNone) {
  EXPECT_EQ(code_of([&] {
              world->transact(
                  [&](Tx& tx) { conversations::open(tx, buyer, {identity::MerchantId::make()}); });
            }),
            Code::not_found);
}

TEST_F(Conversations, MessagesAreNumberedFromOneAndSayWhoWroteThem) {
  const auto first = say(buyer, "Is it brass?"), second = say(owner, "It is.");
  EXPECT_EQ(first.seq, 1);
  EXPECT_EQ(second.seq, 2);
  const auto entries = log(buyer);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event, "message.created");
  EXPECT_EQ(entries[0].data.at("text"), "Is it brass?");
  EXPECT_EQ(entries[0].data.at("author"), "buyer");
  EXPECT_EQ(entries[0].data.at("author_id"), text_of(buyer.account));
  EXPECT_EQ(entries[1].data.at("author"), "merchant");
  EXPECT_EQ(conversations::to_frame(entries[1]), conversations::to_frame(second))
      << "the log is what was told";
  EXPECT_TRUE(entries[0].data.at("id").get<std::string>().starts_with("msg_"));
}

TEST_F(Conversations, BothSidesAreToldAfterTheCommitWhatTheLogHolds) {
  const auto sent = say(buyer, "Hello");
  ASSERT_EQ(world->notices.size(), 1u);
  const auto& notice = world->notices[0];
  EXPECT_EQ(notice.topics, (std::vector<std::string>{text_of(buyer.account), text_of(merchant)}));
  EXPECT_EQ(notice.stream, text_of(id));
  EXPECT_EQ(notice.position, 1);
  EXPECT_EQ(Json::parse(notice.text), conversations::to_frame(sent));
  EXPECT_EQ(Json::parse(notice.text).at("seq"), 1);
}

TEST_F(Conversations, WhatIsRolledBackIsNeitherToldNorNumbered) {
  say(buyer, "one");
  world->notices.clear();
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                conversations::send(tx, buyer, id, message("never"));
                throw Error(Code::conflict, "after all not");
              });
            }),
            Code::conflict);
  EXPECT_TRUE(world->notices.empty());
  EXPECT_EQ(log(buyer).size(), 1u);
  EXPECT_EQ(say(buyer, "two").seq, 2) << "no gap";
}

TEST_F(Conversations, TheSameClientIdIsTheSameMessage) {
  const auto first = say(buyer, "Hello", "c-1");
  world->notices.clear();
  const auto again = say(buyer, "Hello", "c-1");
  EXPECT_EQ(conversations::to_frame(again), conversations::to_frame(first));
  EXPECT_EQ(first.data.at("client_id"), "c-1");
  EXPECT_TRUE(world->notices.empty()) << "it is not news";
  EXPECT_EQ(log(buyer).size(), 1u);
  EXPECT_EQ(say(buyer, "Hello", "c-2").seq, 2);
}

TEST_F(Conversations, AnotherMessageUnderAClientIdIsRefusedAndNotLostUnsaid) {
  say(buyer, "Hello", "c-1");
  EXPECT_EQ(code_of([&] { say(buyer, "Goodbye", "c-1"); }), Code::conflict);
  EXPECT_EQ(log(buyer).size(), 1u);
}

TEST_F(Conversations, AClientIdIsTheSendersOwn) {
  say(buyer, "mine", "c-1");
  EXPECT_EQ(say(owner, "mine too", "c-1").seq, 2);
  EXPECT_EQ(log(buyer).at(1).data.at("text"), "mine too");
}

TEST_F(Conversations, AClientIdIsOfOneConversation) {
  say(buyer, "here", "c-1");
  const auto other = world->merchant(world->person()).id;
  const auto elsewhere =
      world->transact([&](Tx& tx) { return conversations::open(tx, buyer, {other}); });
  const auto sent = world->transact([&](Tx& tx) {
    return conversations::send(tx, buyer, elsewhere.conversation.id, message("there", "c-1"));
  });
  EXPECT_EQ(sent.seq, 1);
  EXPECT_EQ(sent.data.at("text"), "there");
}

TEST_F(Conversations, AMessageHas1To4096CharactersNotBytes) {
  std::string lamps;
  for (int i = 0; i < 4096; ++i) lamps += "🏮";
  EXPECT_EQ(say(buyer, lamps).seq, 1);
  EXPECT_EQ(log(buyer).at(0).data.at("text"), lamps);
  EXPECT_EQ(code_of([&] { message(lamps + "x"); }), Code::invalid);
  EXPECT_EQ(code_of([] { message(""); }), Code::invalid);
  EXPECT_EQ(code_of([] { message(std::string("nul\0l", 5)); }), Code::invalid);
  EXPECT_NO_THROW(message("two\nlines"));
}

TEST_F(Conversations, TheLogIsReadInPagesInOrder) {
  for (int i = 1; i <= 7; ++i) say(i % 2 ? buyer : owner, "message " + std::to_string(i));
  std::vector<std::int64_t> seqs;
  for (auto page = log(owner, 0, 3); !page.empty(); page = log(owner, seqs.back(), 3)) {
    EXPECT_LE(page.size(), 3u);
    for (const auto& entry : page) seqs.push_back(entry.seq);
  }
  EXPECT_EQ(seqs, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(log(buyer, 7).empty());
  EXPECT_TRUE(log(buyer, 1000).empty());
}

TEST_F(Conversations, ForAStrangerItDoesNotExist) {
  say(buyer, "private");
  const auto shop = world->shop();
  auto foreign_key = api_key({Scope::read, Scope::chat});
  foreign_key.merchant = shop.merchant;
  for (const auto& who : {world->person(), shop.owner, shop.buyer, world->staff(), foreign_key}) {
    EXPECT_EQ(code_of([&] { log(who); }), Code::not_found);
    EXPECT_EQ(code_of([&] { say(who, "let me in"); }), Code::not_found);
    EXPECT_EQ(code_of([&] { mark(who, 1, 1); }), Code::not_found);
    const std::vector<std::function<void(Tx&)>> others = {
        [&](Tx& tx) { conversations::fetch(tx, who, id); },
        [&](Tx& tx) { conversations::markers(tx, who, id); },
        [&](Tx& tx) { conversations::type(tx, who, id); }};
    for (const auto& other : others)
      EXPECT_EQ(code_of([&] { world->transact(other); }), Code::not_found);
  }
  EXPECT_EQ(log(buyer).size(), 1u);
}

TEST_F(Conversations, AnApiKeyDoesWhatItsScopesSay) {
  say(buyer, "Hello");
  const auto reader = api_key({Scope::read}), writer = api_key({Scope::chat});
  EXPECT_EQ(log(reader).size(), 1u);
  EXPECT_EQ(code_of([&] { say(reader, "no"); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { log(writer); }), Code::forbidden);
  EXPECT_EQ(say(writer, "yes").data.at("author"), "merchant");
}

TEST_F(Conversations, SomebodyWhoLeftTheShopSeesItsConversationsNoMore) {
  const auto helper = world->person();
  world->transact(
      [&](Tx& tx) { identity::add_member(tx, merchant, helper.account, identity::Role::agent); });
  EXPECT_EQ(say(helper, "May I help?").data.at("author"), "merchant");
  world->transact([&](Tx& tx) { identity::remove_member(tx, merchant, helper.account); });
  EXPECT_EQ(code_of([&] { log(helper); }), Code::not_found);
}

// ---- markers ------------------------------------------------------------------------------------

TEST_F(Conversations, MarkersOnlyMoveForward) {
  for (int i = 0; i < 5; ++i) say(owner, "x");
  auto marker = mark(buyer, 3, 2);
  EXPECT_EQ(marker.delivered_seq, 3);
  EXPECT_EQ(marker.read_seq, 2);
  marker = mark(buyer, 1, 1);
  EXPECT_EQ(marker.delivered_seq, 3);
  EXPECT_EQ(marker.read_seq, 2);
  marker = mark(buyer, std::nullopt, 5);
  EXPECT_EQ(marker.delivered_seq, 5) << "what was read was delivered";
  EXPECT_EQ(marker.read_seq, 5);
  marker = mark(buyer, 4, std::nullopt);
  EXPECT_EQ(marker.delivered_seq, 5);
  EXPECT_EQ(marker.read_seq, 5);
}

TEST_F(Conversations, AMarkerCannotBeAheadOfTheLog) {
  say(owner, "x");
  EXPECT_EQ(code_of([&] { mark(buyer, 2, std::nullopt); }), Code::invalid);
  EXPECT_EQ(code_of([&] { mark(buyer, 1, 2); }), Code::invalid);
  EXPECT_EQ(mark(buyer, 1, 1).read_seq, 1);
}

TEST_F(Conversations, EachMemberHasAMarkerAndBothSidesSeeThem) {
  say(owner, "x");
  mark(buyer, 1, std::nullopt);
  mark(owner, 1, 1);
  const auto list = world->transact([&](Tx& tx) { return conversations::markers(tx, buyer, id); });
  ASSERT_EQ(list.size(), 2u);
  for (const auto& marker : list) {
    const bool is_buyer = marker.account_id == buyer.account;
    EXPECT_EQ(marker.side, is_buyer ? conversations::Side::buyer : conversations::Side::merchant);
    EXPECT_EQ(marker.read_seq, is_buyer ? 0 : 1);
  }
}

TEST_F(Conversations, ReceiptsAndTypingArePassingNews) {
  say(owner, "x");
  world->notices.clear();
  mark(buyer, 1, 1);
  world->transact([&](Tx& tx) { conversations::type(tx, buyer, id); });
  ASSERT_EQ(world->notices.size(), 2u);
  for (const auto& notice : world->notices) {
    EXPECT_EQ(notice.position, 0);
    EXPECT_FALSE(Json::parse(notice.text).contains("seq"));
    EXPECT_EQ(notice.topics.size(), 2u);
  }
  EXPECT_EQ(Json::parse(world->notices[0].text).at("event"), "receipt.updated");
  EXPECT_EQ(Json::parse(world->notices[1].text).at("event"), "typing.started");
  EXPECT_EQ(log(buyer).size(), 1u) << "they are in no log";
}

// Joining a shop and writing to it at once: one of the two.
TEST_F(Conversations, NobodyBecomesBuyerAndMemberConcurrently) {
  for (int round = 0; round < 5; ++round) {
    const auto who = world->person();
    const auto given = from_json<identity::NewInvitation>({{"name", "Hal"}, {"role", "agent"}});
    const auto code = world->transact([&](Tx& tx) {
      return identity::invite(tx, owner, merchant, given, std::chrono::days(1)).code;
    });
    std::atomic<int> done{0};
    std::thread joins([&] {
      done += code_of([&] {
        world->transact([&](Tx& tx) {
          const auto joined = identity::accept_invitation(tx, who, Secret(code));
          if (conversations::find_of_buyer(tx, joined.merchant.id, who.account))
            throw Error(Code::conflict, "a shop's own buyer cannot be its member");
        });
      })
                  ? 0
                  : 1;
    });
    std::thread writes([&] {
      done += code_of([&] {
        world->transact([&](Tx& tx) { conversations::open(tx, who, {merchant}); });
      })
                  ? 0
                  : 1;
    });
    joins.join();
    writes.join();
    EXPECT_EQ(done, 1);
  }
}

}  // namespace conversations_test
}  // namespace bottega::test
