// The cart of a conversation: what it costs now, who changes it, and what both sides hear.
#include "domain/shopping.hpp"
#include "privacy/collect.hpp"
#include "support/errors.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/privacy/erasure.hpp"

namespace bottega::test {
namespace shopping_carts_test {

using checkout::Problem;
using Problems = std::vector<Problem>;

class Carts : public Shopping {
 protected:
  void empty() {
    in([&](Tx& tx) { checkout::clear_cart(tx, shop.buyer, shop.conversation); });
  }
  std::int64_t sweep(std::int64_t most) {
    return in([&](Tx& tx) { return checkout::sweep_carts(tx, most); });
  }
};

TEST_F(Carts, CostWhatTheirLinesCostNow) {
  auto a = published(tea("A", 1'000));
  const auto b = counted("B", 5);
  EXPECT_EQ(cart(shop.buyer).version, 0);
  const auto first = put(0, lines({line(a.variants[0].id, 2), line(b, 3)}));
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.subtotal, (Money{5'750, parse_currency("USD")}));
  EXPECT_EQ(first.lines[0].total, (Money{2'000, parse_currency("USD")}));
  EXPECT_EQ(first.lines[1].left, 5);
  EXPECT_EQ(first.lines[0].problems, Problems{});
  a = reprice(a, 900);
  count(b, 2);
  const auto now = cart(shop.owner);
  EXPECT_EQ(now.subtotal.amount, 2 * 900 + 3 * 1'250);
  EXPECT_EQ(now.lines[0].problems, Problems{Problem::price_changed});
  EXPECT_EQ(now.lines[0].put_in_at.value().amount, 1'000);
  EXPECT_EQ(now.lines[1].problems, Problems{Problem::only_left});
  count(b, 0);
  move(a, catalog::Event::archive);
  const auto later = cart(shop.buyer);
  EXPECT_EQ(later.lines[0].problems, Problems{Problem::gone});
  EXPECT_EQ(later.lines[0].item.has_value(), false);
  EXPECT_EQ(later.lines[1].problems, Problems{Problem::out_of_stock});
  EXPECT_EQ(later.subtotal.amount, 3 * 1'250);
}

TEST_F(Carts, AreChangedFromTheVersionThatWasRead) {
  const auto a = counted("A", 9), b = counted("B", 9);
  put(0, lines({line(a, 1)}));
  EXPECT_EQ(code_of([&] { put(0, lines({line(b, 1)})); }), Code::conflict) << "the other device";
  EXPECT_EQ(put(1, lines({line(a, 1), line(b, 1)})).version, 2);
  in([&](Tx& tx) { checkout::clear_cart(tx, shop.buyer, shop.conversation); });
  EXPECT_EQ(cart(shop.buyer).version, 3);
  EXPECT_TRUE(cart(shop.buyer).lines.empty());
  EXPECT_EQ(code_of([&] { put(2, lines({line(a, 1)})); }), Code::conflict);
}

TEST_F(Carts, KeepWhatIsGoneUntilItIsTakenOut) {
  const auto a = published(tea("A"));
  const auto b = counted("B", 9);
  put(0, lines({line(a.variants[0].id, 1)}));
  move(a, catalog::Event::archive);
  EXPECT_EQ(put(1, lines({line(a.variants[0].id, 1), line(b, 1)})).version, 2);
  EXPECT_EQ(put(2, lines({line(b, 1)})).lines.size(), 1u);
  const auto draft = make(tea("C")).variants[0].id;
  EXPECT_EQ(faults_of([&] {
              put(3, lines({line(a.variants[0].id, 1), line(b, 1), line(draft, 1)}));
            }),
            (Pointers{"/lines/0/variant_id", "/lines/2/variant_id"}));
  EXPECT_EQ(faults_of([&] {
              put(3, lines({line(b, 1), line(b, 2)}));
            }),
            Pointers{"/lines/1/variant_id"});
  EXPECT_EQ(faults_of([&] { put(3, lines({line(b, 10'000)})); }), Pointers{"/lines/0/quantity"});
}

TEST_F(Carts, AreTheBuyersAndReadByBothSides) {
  const auto a = counted("A", 9);
  EXPECT_EQ(code_of([&] { put(shop.owner, 0, lines({line(a, 1)})); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { put(world.person(), 0, lines({line(a, 1)})); }), Code::not_found);
  EXPECT_EQ(code_of([&] { cart(world.person()); }), Code::not_found);
  put(0, lines({line(a, 1)}));
  EXPECT_EQ(cart(world.key_with(shop, identity::Scope::read)).lines.size(), 1u);
  EXPECT_EQ(code_of([&] { cart(world.key_with(shop, identity::Scope::payments)); }),
            Code::forbidden);
}

TEST_F(Carts, TellBothSidesAndWriteNothingIntoTheLog) {
  const auto a = counted("A", 9);
  put(0, lines({line(a, 1)}));
  ASSERT_EQ(told("cart.updated"), 1);
  EXPECT_EQ(world.notices.back().topics.size(), 2u);
  EXPECT_EQ(world.notices.back().position, 0);
  EXPECT_EQ(Json::parse(world.notices.back().text)["data"]["cart"]["version"], 1);
  EXPECT_EQ(world.last_seq(shop), 0);
  in([&](Tx& tx) { conversations::block(tx, shop.owner, shop.conversation); });
  put(1, lines({line(a, 2)}));
  EXPECT_EQ(world.notices.back().topics.size(), 1u)
      << "whoever has blocked the buyer hears nothing";
}

TEST_F(Carts, AreEmptiedByTheirBuyer) {
  const auto a = counted("A", 9);
  empty();
  EXPECT_EQ(told("cart.updated"), 0) << "there was nothing in it";
  put(0, lines({line(a, 1)}));
  empty();
  EXPECT_EQ(told("cart.updated"), 2);
  EXPECT_EQ(cart(shop.buyer).version, 2);
  EXPECT_TRUE(cart(shop.buyer).lines.empty());
  empty();
  EXPECT_EQ(cart(shop.buyer).version, 2);
}

TEST_F(Carts, AreProposedByTheShop) {
  auto a = published(tea("A", 1'000));
  const auto b = counted("B", 2);
  const auto propose = [&](const Who& who, const Json& lines) {
    const auto given = from_json<checkout::NewProposal>({{"lines", lines}});
    return in([&](Tx& tx) { return checkout::propose_cart(tx, who, shop.conversation, given); });
  };
  const auto sent = propose(shop.owner, lines({line(a.variants[0].id, 2), line(b, 1)}));
  EXPECT_EQ(sent.event, "cart.proposed");
  EXPECT_EQ(sent.data["fallback"], "A cart: 2 × Green tea; 1 × Green tea; 32.50 USD");
  a = reprice(a, 2'000);
  const auto kept = last().data["cart"];
  EXPECT_EQ(kept["subtotal"]["amount"], 3'250) << "as it was when it was proposed";
  EXPECT_EQ(kept["lines"][0]["item"]["price"]["amount"], 1'000);
  EXPECT_EQ(cart(shop.buyer).version, 0) << "the buyer's cart is the buyer's";
  EXPECT_EQ(code_of([&] { propose(shop.buyer, lines({line(b, 1)})); }), Code::forbidden);
  const auto draft = make(tea("C")).variants[0].id;
  EXPECT_EQ(faults_of([&] {
              propose(shop.owner, lines({line(b, 3), line(draft, 1)}));
            }),
            (Pointers{"/lines/0/quantity", "/lines/1/variant_id"}));
}

TEST_F(Carts, AreDroppedWhenNobodyUsesThem) {
  const auto a = counted("A", 9);
  put(0, lines({line(a, 1)}));
  world.advance(std::chrono::days(89));
  EXPECT_EQ(sweep(10), 0);
  world.advance(std::chrono::days(2));
  EXPECT_EQ(sweep(10), 1);
  EXPECT_EQ(sweep(10), 0);
  EXPECT_EQ(cart(shop.buyer).version, 0);
}

TEST_F(Carts, AreInTheCopyOfAPersonAndGoWithThem) {
  const auto a = counted("A", 9);
  put(0, lines({line(a, 4)}));
  std::string text;
  const privacy::Put keep = [&](const std::string& part) -> asio::awaitable<void> {
    text += part;
    co_return;
  };
  run(privacy::collect(world.db, shop.buyer.account, keep));
  const auto copy = Json::parse(text);
  ASSERT_EQ(copy["carts"].size(), 1u);
  EXPECT_EQ(copy["carts"][0]["id"], text_of(shop.conversation));
  EXPECT_EQ(copy["carts"][0]["lines"][0]["quantity"], 4);
  run(conversations::keep_up(world.db, 500));
  in([&](Tx& tx) { privacy::begin_erasure(tx, shop.buyer.account); });
  world.run_jobs();
  EXPECT_EQ(cart(shop.owner).version, 0);
}

}  // namespace shopping_carts_test
}  // namespace bottega::test
