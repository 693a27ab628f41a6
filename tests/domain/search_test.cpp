// Search: what is found, by whom, and that everything that was written is taken in.
#include "bottega/conversations/search.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "support/errors.hpp"
#include "support/world.hpp"
#include "bottega/conversations/messages.hpp"

namespace bottega::test {
namespace search_test {

using namespace std::chrono_literals;
using namespace conversations;

class Search : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  template <class Op>
  auto in(Op op) const {
    return world->transact([&](Tx& tx) { return op(tx); });
  }
  std::int64_t say(const Who& who, ConversationId id, const std::string& text) const {
    const auto given = from_json<NewMessage>({{"text", text}});
    return in([&](Tx& tx) { return send(tx, who, id, given); }).seq;
  }
  auto say(const std::string& text) const { return say(shop.buyer, shop.conversation, text); }
  static void take_all_in(std::int64_t entries_max = 500) { run(keep_up(world->db, entries_max)); }
  static Query of(const std::string& words) {
    return {from_text<Words>(words), {}, {}, {}, {}, {}};
  }
  std::vector<Found> found(const Who& who, const Query& query) const {
    return in([&](Tx& tx) { return search(tx, who, query, std::nullopt, 100); });
  }
  // The numbers of what is found in the shop's conversation.
  std::vector<std::int64_t> seqs(const std::string& words) const {
    auto query = of(words);
    query.conversation = shop.conversation;
    std::vector<std::int64_t> out;
    for (const auto& one : found(shop.buyer, query)) out.push_back(one.seq);
    return out;
  }
  std::optional<Code> refusal(const Who& who, const Query& query) const {
    return code_of([&] { found(who, query); });
  }
  Who another_buyer(ConversationId& conversation) const {
    const auto who = world->person("Bob Buyer");
    conversation = in([&](Tx& tx) { return open(tx, who, {shop.merchant}); }).conversation.id;
    return who;
  }
  void speak(const char* language) const {
    const SearchSettings given{from_text<Language>(language)};
    in([&](Tx& tx) { return set_search_settings(tx, shop.merchant, given); });
  }
  static std::string count(const std::string& what) {
    return execute(world->urls.superuser,
                   "SET search_path = bottega; SELECT count(*) FROM " + what);
  }
  static void let_the_walk_go_on() {
    execute(world->urls.superuser, "UPDATE bottega.search_state SET walk_at = now()");
  }

  using Seqs = std::vector<std::int64_t>;
  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

TEST_F(Search, FindsWhatWasWrittenOnceItWasTakenIn) {
  say("Is the <b>green</b> lämp still there?");
  EXPECT_EQ(seqs("lämp"), Seqs{});
  take_all_in();
  const auto all = found(shop.owner, of("Lämp"));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].conversation_id, shop.conversation);
  EXPECT_EQ(all[0].merchant_id, shop.merchant);
  EXPECT_EQ(all[0].seq, 1);
  EXPECT_EQ(all[0].author, Author::buyer);
  EXPECT_EQ(all[0].author_id, shop.buyer.account);
  EXPECT_EQ(all[0].snippet, "Is the <b>green</b> lämp still there?");
  ASSERT_EQ(all[0].highlights.size(), 1u);
  EXPECT_EQ(all[0].highlights[0].start, 20);
  EXPECT_EQ(all[0].highlights[0].length, 4);
}

TEST_F(Search, CutsALongMessageAroundWhatWasFound) {
  std::string words;
  for (int i = 0; i < 100; ++i) words += "wörd ";
  say(words + "ibex, " + words + "ibex");
  take_all_in();
  const auto all = found(shop.buyer, of("ibex"));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_LE(code_points(all[0].snippet), 202u);
  EXPECT_TRUE(all[0].snippet.starts_with("…wörd ")) << all[0].snippet;
  EXPECT_TRUE(all[0].snippet.ends_with("wörd…")) << all[0].snippet;
  ASSERT_EQ(all[0].highlights.size(), 1u);
  EXPECT_EQ(all[0].highlights[0].start, 61);
  EXPECT_EQ(all[0].highlights[0].length, 4);
}

TEST_F(Search, MarksEveryMatchInTheSnippet) {
  say("Impala and impala\nand\timpala: <impala>");
  take_all_in();
  const auto all = found(shop.buyer, of("impala"));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].snippet, "Impala and impala\nand\timpala: <impala>");
  std::vector<std::int64_t> starts;
  for (const auto& part : all[0].highlights) starts.push_back(part.start);
  EXPECT_EQ(starts, (Seqs{0, 11, 22, 31})) << "a tag is words too";
}

TEST_F(Search, KnowsPhrasesAlternativesAndExclusions) {
  say("A lamp of brass");
  say("Brass, of a lamp");
  say("A chair");
  take_all_in();
  EXPECT_EQ(seqs("lamp brass"), (Seqs{2, 1}));
  EXPECT_EQ(seqs("\"lamp of brass\""), Seqs{1});
  EXPECT_EQ(seqs("chair or \"of brass\""), (Seqs{3, 1}));
  EXPECT_EQ(seqs("a -lamp"), Seqs{3});
  EXPECT_EQ(seqs("-lamp"), Seqs{3});
  EXPECT_EQ(seqs("'); DROP TABLE entries; --"), Seqs{});
}

TEST_F(Search, IsForThoseInTheConversation) {
  ConversationId other;
  const auto bob = another_buyer(other);
  const auto elsewhere = world->shop();
  say("The zebra is mine");
  say(bob, other, "The zebra is his");
  say(elsewhere.owner, elsewhere.conversation, "The zebra is elsewhere");
  take_all_in();
  const auto seen_by = [&](const Who& who) {
    std::multiset<ConversationId> ids;
    for (const auto& one : found(who, of("zebra"))) ids.insert(one.conversation_id);
    return ids;
  };
  using Ids = std::multiset<ConversationId>;
  EXPECT_EQ(seen_by(shop.buyer), Ids{shop.conversation});
  EXPECT_EQ(seen_by(bob), Ids{other});
  EXPECT_EQ(seen_by(shop.owner), (Ids{shop.conversation, other}));
  EXPECT_EQ(seen_by(world->member(shop, identity::Role::agent)), (Ids{shop.conversation, other}));
  EXPECT_EQ(seen_by(world->key_with(shop, identity::Scope::read)), (Ids{shop.conversation, other}));
  EXPECT_EQ(seen_by(elsewhere.owner), Ids{elsewhere.conversation});
  EXPECT_EQ(seen_by(elsewhere.buyer), Ids{elsewhere.conversation});
  EXPECT_EQ(seen_by(world->person()), Ids{});
  EXPECT_EQ(seen_by(world->staff()), Ids{});
  EXPECT_EQ(refusal(world->key_with(shop, identity::Scope::chat), of("zebra")), Code::forbidden);
}

TEST_F(Search, EndsWithTheMembership) {
  say("The quagga is mine");
  take_all_in();
  const auto agent = world->member(shop, identity::Role::agent);
  EXPECT_EQ(found(agent, of("quagga")).size(), 1u);
  in([&](Tx& tx) { identity::remove_member(tx, shop.merchant, agent.account); });
  EXPECT_EQ(found(agent, of("quagga")).size(), 0u);
}

TEST_F(Search, OfOneConversationOrShopIsForThoseWhoAreInIt) {
  ConversationId other;
  const auto bob = another_buyer(other);
  const auto elsewhere = world->shop();
  say("The okapi is mine");
  say(bob, other, "The okapi is his");
  take_all_in();
  auto query = of("okapi");
  query.merchant = shop.merchant;
  EXPECT_EQ(found(shop.owner, query).size(), 2u);
  EXPECT_EQ(found(bob, query).size(), 1u);
  EXPECT_EQ(refusal(elsewhere.buyer, query), Code::not_found);
  EXPECT_EQ(refusal(world->key_with(elsewhere, identity::Scope::read), query), Code::not_found);
  query.conversation = other;
  EXPECT_EQ(found(shop.owner, query).size(), 1u);
  EXPECT_EQ(found(bob, query).size(), 1u);
  EXPECT_EQ(refusal(shop.buyer, query), Code::not_found);
  query = of("okapi");
  query.conversation = ConversationId::make();
  EXPECT_EQ(refusal(shop.owner, query), Code::not_found);
}

TEST_F(Search, NarrowsDownBySideAndTime) {
  say("A gnu");
  say(shop.owner, shop.conversation, "Two gnu");
  take_all_in();
  auto query = of("gnu");
  query.author = Side::merchant;
  ASSERT_EQ(found(shop.buyer, query).size(), 1u);
  const auto later = found(shop.buyer, query)[0].at;
  EXPECT_EQ(found(shop.buyer, query)[0].seq, 2);
  query.author.reset();
  query.sent_before = later;
  ASSERT_EQ(found(shop.buyer, query).size(), 1u);
  EXPECT_EQ(found(shop.buyer, query)[0].seq, 1);
}

TEST_F(Search, FindsADeletedMessageNoMoreAtOnce) {
  const auto seq = say("The secret of the tapir");
  take_all_in();
  EXPECT_EQ(seqs("tapir"), Seqs{seq});
  in([&](Tx& tx) { return remove(tx, shop.buyer, shop.conversation, seq, 1h); });
  EXPECT_EQ(seqs("tapir"), Seqs{});
  take_all_in();
  EXPECT_EQ(seqs("tapir"), Seqs{});
  EXPECT_EQ(
      count("entry_texts WHERE conversation_id = '" + uuid_text(shop.conversation.uuid) + "'"),
      "0");
}

TEST_F(Search, FindsAnEditedMessageByItsNewText) {
  const auto seq = say("A lemur");
  take_all_in();
  const auto now = from_json<NewText>({{"text", "An indri"}});
  in([&](Tx& tx) { return edit(tx, shop.buyer, shop.conversation, seq, now, 1h); });
  EXPECT_EQ(seqs("lemur"), Seqs{}) << "before it was taken in";
  take_all_in();
  EXPECT_EQ(seqs("lemur"), Seqs{});
  EXPECT_EQ(seqs("indri"), Seqs{seq});
}

TEST_F(Search, SpeaksTheLanguageOfTheShop) {
  say("Die alten Häuser");
  take_all_in();
  EXPECT_EQ(seqs("Haus"), Seqs{});
  EXPECT_EQ(seqs("die"), Seqs{1}) << "simple leaves nothing out";
  speak("german");
  take_all_in();
  EXPECT_EQ(seqs("Haus"), Seqs{1});
  EXPECT_EQ(found(shop.owner, of("Haus")).size(), 1u);
  auto query = of("Häusern");
  query.language = Language::german;
  EXPECT_EQ(found(shop.buyer, query).size(), 1u);
  EXPECT_EQ(found(shop.buyer, query)[0].highlights.size(), 1u);
  query.language = Language::english;
  EXPECT_EQ(found(shop.buyer, query).size(), 0u);
}

TEST_F(Search, RefusesWordsOfWhichNothingIsLeft) {
  speak("german");
  auto query = of("die und der");
  query.language = Language::german;
  try {
    found(shop.buyer, query);
    FAIL() << "it was searched for";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "q");
  }
  EXPECT_EQ(refusal(shop.buyer, of("?! …")), Code::invalid);
  query = of("die und der");
  EXPECT_EQ(refusal(shop.buyer, query), std::nullopt) << "another shop's words may be simple";
}

TEST_F(Search, GoesThroughPagesNewestFirst) {
  for (int i = 0; i < 7; ++i) say("An addax");
  take_all_in();
  auto query = of("addax");
  query.merchant = shop.merchant;
  Seqs all;
  std::optional<FoundPosition> after;
  for (;;) {
    const auto page = in([&](Tx& tx) { return search(tx, shop.buyer, query, after, 3); });
    for (const auto& one : page) all.push_back(one.seq);
    if (page.size() < 3) break;
    after = FoundPosition{page.back().at, page.back().id};
  }
  EXPECT_EQ(all, (Seqs{7, 6, 5, 4, 3, 2, 1}));
}

TEST_F(Search, TakesInLittleAtATimeAndAll) {
  ConversationId other;
  const auto bob = another_buyer(other);
  for (int i = 0; i < 7; ++i) {
    say("A bongo");
    say(bob, other, "A bongo");
  }
  in([](Tx& tx) { return gather(tx); });
  int takes = 0;
  while (in([](Tx& tx) { return take_in(tx, 3); }) > 0) ASSERT_LT(++takes, 100);
  EXPECT_GE(takes, 5);
  EXPECT_EQ(found(shop.owner, of("bongo")).size(), 14u);
  EXPECT_EQ(count("search_due"), "0");
}

TEST_F(Search, TheWalkFindsWhatTheLookAtTheTimeHasMissed) {
  take_all_in();
  const auto offset = world->clock.offset();
  world->advance(-1h);  // another node's clock, or a transaction that took long
  say("A kudu");
  world->clock.set_offset(offset);
  execute(world->urls.superuser,
          "UPDATE bottega.search_state SET walk_at = now() + interval '1 hour'");
  take_all_in();
  EXPECT_EQ(seqs("kudu"), Seqs{});
  let_the_walk_go_on();
  take_all_in();
  EXPECT_EQ(seqs("kudu"), Seqs{1});
}

// Nothing is missed and nothing is left, however writing and taking in fall together.
TEST_F(Search, FindsAllThatWasWrittenWhileItWasTakenIn) {
  constexpr int kEach = 40;
  ConversationId other;
  const auto bob = another_buyer(other);
  std::atomic<int> writing{3};
  const auto write = [&](const Who& who, ConversationId id) {
    for (int i = 0; i < kEach; ++i) say(who, id, "The nyala number " + std::to_string(i));
    --writing;
  };
  std::thread one(write, shop.buyer, shop.conversation), two(write, bob, other);
  std::thread three([&] {
    const auto now = from_json<NewText>({{"text", "An oryx"}});
    for (int i = 0; i < kEach; ++i) {
      const auto seq = say(shop.owner, shop.conversation, "The nyala to be changed");
      if (i % 2 == 0)
        in([&](Tx& tx) { return remove(tx, shop.owner, shop.conversation, seq, 1h); });
      else
        in([&](Tx& tx) { return edit(tx, shop.owner, shop.conversation, seq, now, 1h); });
    }
    --writing;
  });
  std::thread follower([&] {
    while (writing > 0) take_all_in(7);
  });
  while (writing > 0) take_all_in(11);
  for (auto* thread : {&one, &two, &three, &follower}) thread->join();
  take_all_in();
  const auto all = [&](const std::string& words) {
    std::size_t total = 0;
    auto query = of(words);
    query.merchant = shop.merchant;
    std::optional<FoundPosition> after;
    for (;;) {
      const auto page = in([&](Tx& tx) { return search(tx, shop.owner, query, after, 100); });
      total += page.size();
      if (page.size() < 100) return total;
      after = FoundPosition{page.back().at, page.back().id};
    }
  };
  EXPECT_EQ(all("nyala"), 2u * kEach);
  EXPECT_EQ(all("oryx"), kEach / 2u);
  EXPECT_EQ(count("entry_texts WHERE merchant_id = '" + uuid_text(shop.merchant.uuid) + "'"),
            std::to_string(2 * kEach + kEach / 2));
}

TEST_F(Search, UsesTheIndexOfWords) {
  execute(world->urls.superuser,
          "SET search_path = bottega; INSERT INTO entry_texts (merchant_id, conversation_id, seq, "
          "id, language, document, at) SELECT c.merchant_id, c.id, n + 1000, gen_random_uuid(), "
          "'simple', to_tsvector('simple', 'word' || n % 500) || array_to_tsvector(ARRAY['m ' || "
          "c.merchant_id]), now() FROM (SELECT merchant_id, id FROM conversations LIMIT 1) c, "
          "generate_series(1, 20000) AS n; ANALYZE entry_texts");
  std::string_view statement;
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (sql->name == "search.messages") statement = sql->text;
  ASSERT_FALSE(statement.empty());
  const auto who = "'" + uuid_text(shop.owner.account.uuid) + "'";
  const auto plan = execute(
      world->urls.superuser,
      "SET search_path = bottega; CREATE TEMP TABLE plan (line text); PREPARE searching AS " +
          std::string(statement) +
          "; DO $$ DECLARE row text; BEGIN FOR row IN EXECUTE 'EXPLAIN EXECUTE searching(' || "
          "quote_literal(" +
          who +
          ") || ', NULL, ''{simple}'', ''word7'', NULL, NULL, NULL, NULL, ''9999-12-31'', "
          "''ffffffff-ffff-ffff-ffff-ffffffffffff'', 21)' LOOP INSERT INTO plan VALUES (row); END "
          "LOOP; END $$; SELECT string_agg(line, E'\\n') FROM plan");
  EXPECT_NE(plan.find("entry_texts_document"), plan.npos) << plan;
  EXPECT_EQ(plan.find("Seq Scan on entry_texts"), plan.npos) << plan;
}

TEST_F(Search, KnowsTheLanguagesOfPostgreSQL) {
  std::string ours;
  std::set<std::string> names;
  Form<Language>::each([&](const char* name) { names.insert(name); });
  for (const auto& name : names) ours += (ours.empty() ? "" : " ") + name;
  EXPECT_EQ(execute(world->urls.superuser,
                    "SELECT string_agg(cfgname, ' ' ORDER BY cfgname COLLATE \"C\") FROM "
                    "pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace"),
            ours);
}

TEST_F(Search, FollowsWhatThisNodeWroteAndTheLogWhereItIsInDoubt) {
  conversations::Written written;
  for (const auto* word : {"Antelope", "Giraffe"}) {
    say(word);
    written.note(text_of(shop.conversation));
    run(take_some(world->db, written, 500));
    EXPECT_EQ(seqs(word).size(), 1u);
  }
}

}  // namespace search_test
}  // namespace bottega::test
