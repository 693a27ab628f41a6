// What a word is: signs stand between words, in a message as in what is asked for.
#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/world.hpp"
#include "bottega/conversations/search.hpp"

namespace bottega::test {
namespace search_words_test {

using namespace conversations;

class SearchWords : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  void say(const std::string& text) const {
    const auto given = from_json<NewMessage>({{"text", text}});
    world->transact([&](Tx& tx) { return send(tx, shop.buyer, shop.conversation, given); });
    run(keep_up(world->db, 500));
  }
  std::vector<Found> found(const std::string& words) const {
    const Query query{from_text<Words>(words), {}, shop.merchant, {}, {}, {}};
    return world->transact(
        [&](Tx& tx) { return search(tx, shop.buyer, query, std::nullopt, 100); });
  }
  // The rows that a plan has looked at and thrown away.
  static std::int64_t wasted(const Json& node) {
    std::int64_t rows = 0;
    for (const auto* why : {"Rows Removed by Filter", "Rows Removed by Join Filter"})
      rows += node.value(why, std::int64_t{0});
    if (node.contains("Plans"))
      for (const auto& below : node["Plans"]) rows += wasted(below);
    return rows;
  }
  static inline std::unique_ptr<World> world;
  const Shop shop = world->shop();
};

TEST_F(SearchWords, StandBetweenSigns) {
  struct Row {
    const char *text, *words;
  };
  for (const auto& [text, words] : std::initializer_list<Row>{
           {"red/blue vase", "red"},
           {"sizes S/M/L", "M"},
           {"Hello.How are you", "how"},
           {"order 2024-118", "118"},
           {"SKU-1234", "1234"},
           {"SKU-1234", "SKU-1234"},
           {"meet 10-12h", "12h"},
           {"I have 3 <sofas> here", "sofas"},
           {"see http://shop.example/table/oak", "table"},
           {"see http://shop.example/table/oak", "http://shop.example/table/oak"},
           {"a@b.example", "a@b.example"},
           {"file.txt", "file"},
           {"/etc/chair/desk", "/etc/chair"},
           {"back\\slash", "slash"}}) {
    const auto before = found(words).size();
    say(text);
    EXPECT_EQ(found(words).size(), before + 1) << text << ": " << words;
  }
}

TEST_F(SearchWords, WithSignsWithinThemStandInARow) {
  say("blue and red");
  say("red/blue");
  EXPECT_EQ(found("red/blue").size(), 1u);
  EXPECT_EQ(found("red blue").size(), 2u);
  EXPECT_EQ(found("blue -red/blue").size(), 1u);
  EXPECT_EQ(found("\"red blue\"").size(), 1u);
  EXPECT_EQ(found("red or nothing").size(), 2u);
}

TEST_F(SearchWords, AreShownAsTheyWereWritten) {
  say("Größe: S/M/L <neu>");
  const auto one = found("m");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].snippet, "Größe: S/M/L <neu>");
  ASSERT_EQ(one[0].highlights.size(), 1u);
  EXPECT_EQ(one[0].highlights[0].start, 9);
  EXPECT_EQ(one[0].highlights[0].length, 1);
}

TEST_F(SearchWords, MayHaveAnyNumberOfMinusesBeforeThem) {
  say("a lamp");
  for (const auto& nothing : {std::string(200, '-'), std::string("- \"- "), std::string("<>/")})
    EXPECT_EQ(code_of([&] { found(nothing); }), Code::invalid) << nothing;
  EXPECT_EQ(found("lamp " + std::string(100, '-') + "table").size(), 1u);
  EXPECT_EQ(found("lamp - - - - table").size(), 0u) << "a minus of its own is none";
  std::string many;
  for (int i = 0; i < 66; ++i) many += "-" + std::string(1, static_cast<char>('b' + i % 20)) + ' ';
  many.pop_back();
  EXPECT_EQ(found(many).size(), 1u);
}

TEST_F(SearchWords, AreTakenInWithoutTheRestOfTheConversation) {
  say("an old word");
  const auto of_it = "conversation_id = '" + uuid_text(shop.conversation.uuid) + "'";
  const auto arrays = "ARRAY['" + uuid_text(shop.merchant.uuid) + "']::uuid[], ARRAY['" +
                      uuid_text(shop.conversation.uuid) + "']::uuid[]";
  std::string statement;
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (sql->name == "search.take_in") statement = sql->text;
  ASSERT_NE(statement, "");
  const auto plan = execute(
      world->urls.superuser,
      "SET search_path = bottega; SET session_replication_role = replica; INSERT INTO entries "
      "SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'seq', n + "
      "1000))).* FROM entries e, generate_series(1, 3000) n WHERE event = 'message.created' AND " +
          of_it + "; UPDATE conversations SET last_seq = 4000 WHERE id = '" +
          uuid_text(shop.conversation.uuid) +
          "'; UPDATE search_positions SET indexed_seq = 3990 WHERE " + of_it +
          "; ANALYZE; SET plan_cache_mode = force_generic_plan; PREPARE taking AS " + statement +
          "; EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE taking(" + arrays + ", 200)");
  EXPECT_LE(wasted(Json::parse(plan)[0]["Plan"]), 50) << plan;
}

}  // namespace search_words_test
}  // namespace bottega::test
