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

}  // namespace search_words_test
}  // namespace bottega::test
