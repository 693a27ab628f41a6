// What is unread and the order of the inbox, after eight people did ten thousand things at once,
// are what a recount of the log gives.
#include <gtest/gtest.h>

#include <future>
#include <random>

#include "support/errors.hpp"
#include "support/world.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/messages.hpp"

namespace bottega::test {
namespace inbox_concurrent_test {

using namespace conversations;
using identity::Role;

constexpr int kConversations = 12, kPeople = 8, kOperations = 4'000;

struct Recount {
  ConversationId conversation_id;
  AccountId account_id;
  std::int64_t unread = 0;
};
BOOST_DESCRIBE_STRUCT(Recount, (), (conversation_id, account_id, unread))

// By each member and buyer of the shop, from nothing but the log and how far they have read.
const Sql<Recount(MerchantId)> kRecount{"test.inbox.recount", R"(
    SELECT c.id AS conversation_id, p.account_id,
           (SELECT count(*) FROM entries e
            WHERE e.merchant_id = c.merchant_id AND e.conversation_id = c.id
              AND e.seq > coalesce(m.read_seq, 0) AND e.author <> p.side
              AND e.event = 'message.created') AS unread
    FROM conversations c
         JOIN LATERAL (SELECT c.buyer_id AS account_id, 'buyer' AS side UNION ALL
                       SELECT account_id, 'merchant' FROM merchant_members
                       WHERE merchant_id = c.merchant_id) p ON true
         LEFT JOIN markers m ON m.merchant_id = c.merchant_id AND m.conversation_id = c.id
                                AND m.account_id = p.account_id
    WHERE c.merchant_id = $1)"};

const Sql<ConversationId(MerchantId)> kByActivity{"test.inbox.by_activity", R"(
    SELECT conversation_id FROM entries WHERE merchant_id = $1
    GROUP BY conversation_id ORDER BY max(at) DESC, conversation_id DESC)"};

const Sql<std::int64_t(MerchantId)> kGaps{"test.inbox.gaps", R"(
    SELECT count(*) FROM (SELECT seq - row_number() OVER (PARTITION BY conversation_id ORDER BY seq)
                                 AS off FROM entries WHERE merchant_id = $1) n WHERE off <> 0)"};

class ConcurrentInbox : public testing::Test {
 protected:
  struct Person {
    Who who;
    std::vector<ConversationId> conversations;
  };

  ConcurrentInbox() {
    const auto owner = world.person();
    shop.merchant = world.merchant(owner).id;
    shop.owner = owner;
    for (int i = 0; i < kPeople / 2; ++i) people.push_back({world.member(shop, Role::manager), {}});
    for (int i = 0; i < kPeople / 2; ++i) people.push_back({world.person(), {}});
    for (int i = 0; i < kConversations; ++i) {
      // The first have a buyer who takes part, the others one who only opened them.
      const auto buyer =
          i < kPeople / 2 ? people[static_cast<std::size_t>(kPeople / 2 + i)].who : world.person();
      const auto id =
          world.transact([&](Tx& tx) { return open(tx, buyer, {shop.merchant}); }).conversation.id;
      for (int k = 0; k < kPeople / 2; ++k)
        people[static_cast<std::size_t>(k)].conversations.push_back(id);
      if (i < kPeople / 2)
        people[static_cast<std::size_t>(kPeople / 2 + i)].conversations.push_back(id);
      all.push_back(id);
      send(buyer, id, "Hello");
    }
  }

  void send(const Who& who, ConversationId id, const std::string& text) {
    std::promise<void> done;
    writer.send(who, id, from_json<NewMessage>({{"text", text}}), [&](Sent sent) {
      sent.failure ? done.set_exception(sent.failure) : done.set_value();
    });
    done.get_future().get();
  }

  // One thing that somebody does; what is refused is as good as what is done.
  void act(const Person& person, std::mt19937& random) {
    const auto pick = [&](std::size_t below) { return random() % below; };
    const auto& who = person.who;
    const auto id = person.conversations[pick(person.conversations.size())];
    const auto seq = static_cast<std::int64_t>(1 + pick(200));
    const auto text = std::to_string(random());
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return send(who, id, text);
      case 3:
        return do_it([&](Tx& tx) {
          conversations::send(tx, who, id, from_json<NewMessage>({{"text", text}}));
        });
      case 4:
      case 5:
        return do_it([&](Tx& tx) { mark(tx, who, id, from_json<Receipt>({{"read_seq", seq}})); });
      case 6:
        return do_it([&](Tx& tx) {
          const auto last = fetch(tx, who, id).last_seq;
          mark(tx, who, id, from_json<Receipt>({{"read_seq", last}}));
        });
      case 7:
        return do_it([&](Tx& tx) { react(tx, who, id, seq, from_text<Emoji>("👍")); });
      case 8:
        return do_it([&](Tx& tx) { remove(tx, who, id, seq, std::chrono::hours(1)); });
      default:
        return do_it([&](Tx& tx) { move_status(tx, who, id, StatusEvent::close, std::nullopt); });
    }
  }
  template <class Op>
  void do_it(Op op) {
    code_of([&] {
      world.transact([&](Tx& tx) {
        op(tx);
        return 0;
      });
    });
  }

  World world;
  Writer writer{world.chat_db, 64, 1'000};
  Shop shop;
  std::vector<Person> people;
  std::vector<ConversationId> all;
};

TEST_F(ConcurrentInbox, CountsAndOrderAreThoseOfARecount) {
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < people.size(); ++p)
    threads.emplace_back([this, p] {
      std::mt19937 random(static_cast<unsigned>(p + 1));
      for (int i = 0; i < kOperations / kPeople; ++i) act(people[p], random);
    });
  for (auto& thread : threads) thread.join();

  const auto counts = world.transact([&](Tx& tx) { return tx.all(kRecount, shop.merchant); });
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(kConversations * (kPeople / 2 + 2)));
  std::int64_t in_all = 0;
  for (const auto& counted : counts) {
    Who who;
    who.kind = identity::Kind::person;
    who.account = counted.account_id;
    EXPECT_EQ(
        world.transact([&](Tx& tx) { return fetch(tx, who, counted.conversation_id); }).unread,
        counted.unread);
    in_all += counted.unread;
  }
  EXPECT_GT(in_all, 100);
  std::vector<ConversationId> listed;
  for (const auto& one : world.transact([&](Tx& tx) {
         return list_of_merchant(tx, shop.merchant, shop.owner.account, {}, {}, 100);
       }))
    listed.push_back(one.id);
  EXPECT_EQ(listed, world.transact([&](Tx& tx) { return tx.all(kByActivity, shop.merchant); }));
  EXPECT_EQ(world.transact([&](Tx& tx) { return tx.one(kGaps, shop.merchant); }), 0);
}

}  // namespace inbox_concurrent_test
}  // namespace bottega::test
