// What is kept of somebody's cases: theirs in a copy, and gone with them.
#include "domain/support.hpp"
#include "privacy/collect.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/privacy/erasure.hpp"

namespace bottega::test {
namespace support_privacy_test {

class SupportPrivacy : public SupportTest {
 protected:
  static Json copy_of(const Who& who) {
    std::string text;
    const privacy::Put put = [&](const std::string& part) -> asio::awaitable<void> {
      text += part;
      co_return;
    };
    run(privacy::collect(world->db, who.account, put));
    return Json::parse(text);
  }
  static void erase(const Who& who) {
    run(conversations::keep_up(world->db, 500));
    in([&](Tx& tx) { privacy::begin_erasure(tx, who.account); });
    world->run_jobs();
  }
  static std::string asked(const std::string& sql) {
    return execute(world->urls.superuser, "SET search_path = bottega; " + sql);
  }
  static SupportCase rate(const Who& who, CaseId id, const std::string& comment) {
    const auto given = from_json<support::NewCaseRating>({{"rating", 2}, {"comment", comment}});
    return in([&](Tx& tx) { return support::rate(tx, who, id, given); });
  }
};

TEST_F(SupportPrivacy, ACopyHasTheCasesAndTheWordsOfWhoeverAsked) {
  const auto order = world->sell(shop);
  const auto made = open_about(order);
  solve(shop.owner, made.id);
  rate(shop.buyer, made.id, "Slow as a sloth");
  const auto declared =
      in([&](Tx& tx) { return support::withdraw(tx, shop.buyer, order.id, {true}); });
  const auto all = copy_of(shop.buyer);
  ASSERT_EQ(all["support_cases"].size(), 2u);
  EXPECT_EQ(all["support_cases"][0]["id"], text_of(made.id));
  EXPECT_EQ(all["support_cases"][0]["comment"], "Slow as a sloth");
  ASSERT_EQ(all["contract_withdrawals"].size(), 1u);
  EXPECT_EQ(all["contract_withdrawals"][0]["content"], declared.content);
  EXPECT_NE(all["entries"].dump().find("It is broken"), std::string::npos);
  EXPECT_EQ(copy_of(shop.owner)["support_cases"], Json::array());
}

TEST_F(SupportPrivacy, ACopyHasTheThreadOfAShopAsFarAsTheyWroteIt) {
  const auto made = open_of_shop();
  answer_as_ops(world->staff(), made.id, "Not in the copy");
  const auto all = copy_of(shop.owner);
  ASSERT_EQ(all["case_messages"].size(), 1u);
  EXPECT_EQ(all["case_messages"][0]["text"], "It is broken");
  EXPECT_EQ(all["support_cases"][0]["kind"], "merchant");
}

TEST_F(SupportPrivacy, WhoeverIsErasedTakesTheirWordsAlongAndWaitsForNobody) {
  const auto made = open(shop.buyer, {{"conversation_id", text_of(shop.conversation)},
                                      {"text", "My axolotl is broken"}});
  solve(shop.owner, made.id);
  rate(shop.buyer, made.id, "Slow as a pangolin");
  reply(shop.buyer, made.id, "Still broken");
  support::NewHandOver given;
  given.note = from_text<Text<1, 1000>>("They sold me a narwhal");
  const auto from = seen_by(shop.buyer, made.id).hand_over_from.value();
  set_time(from + std::chrono::seconds(1));
  in([&](Tx& tx) { return support::hand_over(tx, shop.buyer, made.id, given); });
  erase(shop.buyer);
  const auto left = seen_by(shop.owner, made.id);
  EXPECT_EQ(left.state, State::closed);
  EXPECT_EQ(left.rating, 2) << "a number says nothing of anybody";
  EXPECT_EQ(left.work.value().comment, std::nullopt);
  EXPECT_EQ(asked("SELECT count(*) FROM case_messages WHERE text LIKE '%narwhal%'"), "0");
  EXPECT_EQ(asked("SELECT count(*) FROM entries WHERE data::text LIKE '%axolotl%'"), "0");
  EXPECT_EQ(asked("SELECT count(*) FROM support_cases WHERE comment LIKE '%pangolin%'"), "0");
  EXPECT_EQ(code_of([&] { reply(shop.owner, made.id); }), Code::conflict);
}

}  // namespace support_privacy_test
}  // namespace bottega::test
