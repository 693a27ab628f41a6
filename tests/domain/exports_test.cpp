// A copy of everything that is kept of a person.
#include "bottega/privacy/exports.hpp"

#include <gtest/gtest.h>

#include "support/uploads.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/privacy/erasure.hpp"

namespace bottega::test {
namespace exports_test {

using namespace std::chrono_literals;
using namespace privacy;
using identity::Who;

class Exports : public testing::Test {
 protected:
  template <class Op>
  auto in(Op op) {
    return world.transact([&](Tx& tx) { return op(tx); });
  }
  void say(const Who& who, const std::string& text) {
    const auto given = from_json<conversations::NewMessage>({{"text", text}});
    in([&](Tx& tx) { return conversations::send(tx, who, shop.conversation, given); });
  }
  Export ask(const Who& who) {
    return in([&](Tx& tx) { return ask_export(tx, who.account, who.actor(), rules); });
  }
  std::string content_of(ExportId id) {
    const auto row = in([&](Tx& tx) { return fetch_export(tx, id); });
    const attachments::Piece all{0, static_cast<std::uint64_t>(row.bytes.value())};
    std::string text;
    auto work = [&]() -> asio::awaitable<void> {
      const auto key = key_of(id);
      auto reading = co_await world.depot.store().get(key, all);
      for (bool more = true; more;) {
        const auto bytes = co_await reading->next();
        text += bytes;
        more = !bytes.empty();
      }
    };
    run(work());
    EXPECT_EQ(sha256_hex(text), row.sha256);
    return text;
  }
  Json made(const Who& who) {
    const auto asked = ask(who);
    world.run_jobs();
    return Json::parse(content_of(asked.id));
  }

  World world;
  const Shop shop = world.shop();
  const ExportRules rules{24h, 24h};
};

TEST_F(Exports, HaveAllThatIsKeptOfABuyer) {
  for (int i = 0; i < 250; ++i) say(shop.buyer, "Number " + std::to_string(i));
  say(shop.owner, "\"Quoted\"\nand broken");
  const auto file = upload(world, shop, shop.buyer, "some text");
  const auto order = world.sell(shop);
  in([&](Tx& tx) {
    identity::open_session(tx, shop.buyer.account, {"A browser", "198.51.100.7"}, {10min, 1h});
  });
  const auto all = made(shop.buyer);
  EXPECT_EQ(all["account"][0]["name"], "Bea Buyer");
  EXPECT_EQ(all["account"][0]["id"], text_of(shop.buyer.account));
  EXPECT_EQ(all["sessions"][0]["user_agent"], "A browser");
  EXPECT_EQ(all["conversations"][0]["id"], text_of(shop.conversation));
  EXPECT_GE(all["entries"].size(), 252u);
  for (std::size_t i = 0; i < all["entries"].size(); ++i)
    EXPECT_EQ(all["entries"][i]["seq"], i + 1);
  EXPECT_EQ(all["entries"][250]["data"]["text"], "\"Quoted\"\nand broken");
  EXPECT_EQ(all["attachments"][0]["id"], text_of(file));
  EXPECT_EQ(all["orders"][0]["id"], text_of(order.id));
  EXPECT_EQ(all["orders"][0]["ship_to"]["street"], "1 Main St");
  EXPECT_EQ(all["payments"].size(), 1u);
  EXPECT_EQ(all["payment_requests"].size(), 1u);
  EXPECT_EQ(all["refunds"], Json::array());
}

TEST_F(Exports, HaveNothingOfOthers) {
  say(shop.buyer, "A secret of the buyer");
  const auto stranger = made(world.person("Sid"));
  EXPECT_EQ(stranger["account"][0]["name"], "Sid");
  for (const auto& [name, list] : stranger.items()) {
    if (name == "account" || name == "format") continue;
    EXPECT_EQ(list, Json::array()) << name;
  }
}

TEST_F(Exports, OfAMemberHaveWhatTheyWroteForTheShop) {
  say(shop.buyer, "What does it cost?");
  say(shop.owner, "Nothing at all");
  const auto note = from_json<conversations::NewNote>({{"text", "Is curious"}});
  in([&](Tx& tx) { return conversations::add_note(tx, shop.owner, shop.conversation, note); });
  run(conversations::keep_up(world.db, 500));
  const auto all = made(shop.owner);
  ASSERT_EQ(all["written_for_shops"].size(), 1u);
  EXPECT_EQ(all["written_for_shops"][0]["text"], "Nothing at all");
  EXPECT_EQ(all["notes"][0]["text"], "Is curious");
  EXPECT_EQ(all["memberships"][0]["role"], "owner");
  EXPECT_EQ(all["entries"], Json::array()) << "the buyer's words are the buyer's";
}

TEST_F(Exports, HaveNoSecrets) {
  world.key_with(shop, identity::Scope::read);
  in([&](Tx& tx) { identity::open_session(tx, shop.owner.account, {"A", "B"}, {10min, 1h}); });
  const auto text = made(shop.owner).dump();
  for (const auto* word : {"password", "hash", "token", "p256dh", "sk_"})
    EXPECT_EQ(text.find(word), text.npos) << word;
}

TEST_F(Exports, AreMadeOnceADayAndForgottenWithTheirFile) {
  const auto first = ask(shop.buyer);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { fetch_export(tx, first.id); }); }), Code::not_found);
  world.run_jobs();
  EXPECT_EQ(files_in(world), 1u);
  EXPECT_EQ(code_of([&] { ask(shop.buyer); }), Code::rate_limited);
  world.advance(25h);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { fetch_export(tx, first.id); }); }), Code::not_found);
  EXPECT_TRUE(in([&](Tx& tx) { return exports_of(tx, shop.buyer.account); }).empty());
  world.run_jobs();
  EXPECT_EQ(files_in(world), 0u);
  EXPECT_EQ(ask(shop.buyer).ready_at, std::nullopt);
}

TEST_F(Exports, AreMadeAgainWithoutHarm) {
  const auto asked = ask(shop.buyer);
  run(make_export(world.db, world.depot, asked.id));
  const auto before = content_of(asked.id);
  run(make_export(world.db, world.depot, asked.id));
  EXPECT_EQ(content_of(asked.id), before);
  run(clear_export(world.db, world.depot, asked.id));
  run(clear_export(world.db, world.depot, asked.id));
  run(make_export(world.db, world.depot, asked.id));
  EXPECT_EQ(files_in(world), 0u);
}

TEST_F(Exports, GoWithThePerson) {
  const auto asked = ask(shop.buyer);
  world.run_jobs();
  in([&](Tx& tx) { begin_erasure(tx, shop.buyer.account); });
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { fetch_export(tx, asked.id); }); }), Code::not_found);
  world.run_jobs();
  EXPECT_EQ(files_in(world), 0u);
}

}  // namespace exports_test
}  // namespace bottega::test
