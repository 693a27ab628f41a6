// The hot path of the chat: many messages in one transaction, with the rules of one.
#include "bottega/conversations/writer.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/errors.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace writer_test {

using conversations::ConversationId;
using conversations::NewMessage;
using conversations::Sent;
using conversations::Writer;
using identity::Who;

NewMessage saying(const std::string& text, const std::string& client_id = "") {
  Json given = {{"text", text}};
  if (!client_id.empty()) given["client_id"] = client_id;
  return from_json<NewMessage>(given);
}

class ConcurrentWriting : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  std::future<Sent> send(const Who& who, NewMessage message) {
    return send(who, shop.conversation, std::move(message));
  }
  std::future<Sent> send(const Who& who, ConversationId conversation, NewMessage message) {
    auto promise = std::make_shared<std::promise<Sent>>();
    writer.send(who, conversation, std::move(message),
                [promise](Sent sent) { promise->set_value(std::move(sent)); });
    return promise->get_future();
  }
  // The event, or null where it was refused.
  static Json event(std::future<Sent> future) {
    const auto sent = future.get();
    return sent.failure ? Json() : Json::parse(*sent.frame);
  }
  static std::optional<Code> refusal(std::future<Sent> future) {
    const auto sent = future.get();
    return code_of([&] {
      if (sent.failure) std::rethrow_exception(sent.failure);
    });
  }
  std::vector<conversations::Event> log() {
    return world->transact([&](Tx& tx) {
      return conversations::log_after(tx, shop.buyer, shop.conversation, 0, 1'000);
    });
  }
  // The writer is kept at work by a batch that waits for this lock.
  class Busy {
   public:
    Busy(ConcurrentWriting& test, const Shop& other) {
      std::promise<void> held;
      thread_ = std::thread([&held, this, other] {
        world->transact([&](Tx& tx) {
          conversations::enter(tx, other.buyer, other.conversation, identity::Scope::chat,
                               conversations::Lock::yes);
          held.set_value();
          go_.get_future().wait();
        });
      });
      held.get_future().wait();
      first_ = test.send(other.buyer, other.conversation, saying("The first of all"));
    }
    void release() {
      go_.set_value();
      thread_.join();
      EXPECT_FALSE(event(std::move(first_)).is_null());
    }

   private:
    std::promise<void> go_;
    std::thread thread_;
    std::future<Sent> first_;
  };

  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
  Writer writer{world->chat_db, 256, 1'000};
};

TEST_F(ConcurrentWriting, AMessageIsWhatSendWouldHaveMadeOfIt) {
  const auto one = event(send(shop.buyer, saying("Hello", "c1")));
  const auto entries = log();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(one, conversations::to_frame(entries[0]));
  EXPECT_EQ(one["event"], "message.created");
  EXPECT_EQ(one["data"]["author"], "buyer");
  EXPECT_EQ(one["data"]["client_id"], "c1");
  EXPECT_EQ(Json::parse(world->notices.back().text), one);
  EXPECT_EQ(world->notices.back().position, 1);
  EXPECT_EQ(event(send(shop.owner, saying("Hello yourself")))["data"]["author"], "merchant");
}

TEST_F(ConcurrentWriting, WhatWaitsIsWrittenTogetherInTheOrderInWhichItCame) {
  Busy busy(*this, world->shop());
  std::vector<std::future<Sent>> waiting;
  for (int i = 0; i < 100; ++i)
    waiting.push_back(send(i % 3 ? shop.buyer : shop.owner, saying(std::to_string(i))));
  busy.release();
  std::string at;
  for (int i = 0; i < 100; ++i) {
    const auto got = event(std::move(waiting[static_cast<std::size_t>(i)]));
    EXPECT_EQ(got["seq"], i + 1);
    EXPECT_EQ(got["data"]["text"], std::to_string(i));
    EXPECT_TRUE(i == 0 || got["at"] == at) << "it is one transaction";
    at = got["at"];
  }
  EXPECT_EQ(log().size(), 100u);
}

TEST_F(ConcurrentWriting, OneThatIsRefusedTakesNoneOfTheOthersWithIt) {
  const auto key = world->key_with(shop, identity::Scope::read);
  const auto bot = world->key_with(shop, identity::Scope::chat);
  Busy busy(*this, world->shop());
  auto good = send(shop.buyer, saying("One"));
  auto stranger = send(world->person(), saying("Let me in"));
  auto nowhere = send(shop.buyer, ConversationId::make(), saying("Is there anybody?"));
  auto scope = send(key, saying("I may only read"));
  auto machine = send(bot, saying("Two"));
  busy.release();
  EXPECT_EQ(event(std::move(good))["seq"], 1);
  EXPECT_EQ(refusal(std::move(stranger)), Code::not_found);
  EXPECT_EQ(refusal(std::move(nowhere)), Code::not_found);
  EXPECT_EQ(refusal(std::move(scope)), Code::forbidden);
  EXPECT_EQ(event(std::move(machine))["seq"], 2);
  EXPECT_EQ(log().size(), 2u);
}

TEST_F(ConcurrentWriting, TheSameClientIdIsTheSameMessageInOneBatchAndLater) {
  Busy busy(*this, world->shop());
  auto first = send(shop.buyer, saying("Once", "c1")),
       again = send(shop.buyer, saying("Once", "c1"));
  auto other = send(shop.buyer, saying("Something else", "c1"));
  auto owner = send(shop.owner, saying("Mine", "c1"));
  busy.release();
  const auto sent = event(std::move(first));
  EXPECT_EQ(event(std::move(again)), sent);
  EXPECT_EQ(refusal(std::move(other)), Code::conflict);
  EXPECT_EQ(event(std::move(owner))["seq"], 2) << "another person's ids are their own";
  EXPECT_EQ(event(send(shop.buyer, saying("Once", "c1"))), sent);
  EXPECT_EQ(refusal(send(shop.buyer, saying("Something else", "c1"))), Code::conflict);
  EXPECT_EQ(log().size(), 2u);
}

TEST_F(ConcurrentWriting, ManyThatAreThereAlreadyHoldUpNeitherEachOtherNorWhatIsNew) {
  std::vector<Json> sent;
  for (int i = 0; i < 10; ++i)
    sent.push_back(event(send(shop.buyer, saying("Before", "c" + std::to_string(i)))));
  for (int round = 0; round < 3; ++round) {
    Busy busy(*this, world->shop());
    std::vector<std::future<Sent>> again, fresh;
    for (int i = 0; i < 10; ++i) {
      again.push_back(send(shop.buyer, saying("Before", "c" + std::to_string(i))));
      fresh.push_back(send(shop.owner, saying("After")));
    }
    busy.release();
    std::string at;
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(event(std::move(again[static_cast<std::size_t>(i)])),
                sent[static_cast<std::size_t>(i)]);
      const auto one = event(std::move(fresh[static_cast<std::size_t>(i)]));
      EXPECT_EQ(one["seq"], 11 + 10 * round + i);
      EXPECT_TRUE(i == 0 || one["at"] == at) << "what is new is written together";
      at = one["at"];
    }
  }
  EXPECT_EQ(log().size(), 40u);
}

TEST_F(ConcurrentWriting, SharesTheLogWithWhoeverElseWritesIt) {
  std::vector<std::thread> others;
  for (int t = 0; t < 3; ++t)
    others.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        world->transact([&](Tx& tx) {
          conversations::send(tx, shop.owner, shop.conversation, saying("By itself"));
        });
    });
  std::vector<std::future<Sent>> gathered;
  for (int i = 0; i < 100; ++i) gathered.push_back(send(shop.buyer, saying("Gathered")));
  for (auto& one : gathered) EXPECT_FALSE(event(std::move(one)).is_null());
  for (auto& thread : others) thread.join();
  const auto entries = log();
  ASSERT_EQ(entries.size(), 160u);
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(entries[i].seq, static_cast<std::int64_t>(i + 1));
}

TEST_F(ConcurrentWriting, RefusesWhatWouldWaitForTooLong) {
  Writer narrow(world->chat_db, 2, 3);
  const auto other = world->shop();
  Busy busy(*this, other);
  std::promise<Sent> held;
  narrow.send(other.buyer, other.conversation, saying("Held up"),
              [&](Sent sent) { held.set_value(std::move(sent)); });
  std::vector<std::promise<Sent>> waiting(3);
  for (auto& promise : waiting)
    narrow.send(shop.buyer, shop.conversation, saying("Waits"),
                [&](Sent sent) { promise.set_value(std::move(sent)); });
  EXPECT_EQ(
      code_of([&] { narrow.send(shop.buyer, shop.conversation, saying("Too much"), [](Sent) {}); }),
      Code::busy);
  busy.release();
  EXPECT_FALSE(event(held.get_future()).is_null());
  for (auto& promise : waiting) EXPECT_FALSE(event(promise.get_future()).is_null());
}

}  // namespace writer_test
}  // namespace bottega::test
