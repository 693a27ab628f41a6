// Discount codes: when one may be used, that a use counts once, and that it comes back.
#include "bottega/pricing/discounts.hpp"

#include <gtest/gtest.h>

#include "support/at_once.hpp"
#include "support/world.hpp"
#include "bottega/identity/guests.hpp"

namespace bottega::test {
namespace discounts_test {

using namespace pricing;
using namespace std::chrono_literals;

class DiscountCodes : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    merchant_ = world_->merchant(world_->person("Otto Owner")).id;
    buyer_ = world_->person("Bea Buyer").account;
  }

  static Json body_of(const std::string& code, const Json& more = Json::object()) {
    Json body = {{"code", code}, {"kind", "percent"}, {"basis_points", 1'000}};
    body.update(more);
    return body;
  }
  DiscountCode add(const std::string& code, const Json& more = Json::object()) const {
    const auto given = from_json<NewDiscountCode>(body_of(code, more));
    return world_->transact([&](Tx& tx) { return add_code(tx, merchant_, given); });
  }
  DiscountCode change(DiscountId id, const Json& body) const {
    const auto given = from_json<NewDiscountCode>(body);
    return world_->transact([&](Tx& tx) { return change_code(tx, merchant_, id, given); });
  }
  std::int64_t used(DiscountId id) const {
    return world_->transact([&](Tx& tx) { return fetch_code(tx, merchant_, id); }).used;
  }
  Discount use(const std::string& code, const Uuid& about,
               std::optional<identity::AccountId> buyer = std::nullopt) const {
    const auto text = from_text<CouponCode>(code);
    return world_->transact(
        [&](Tx& tx) { return claim(tx, merchant_, text, buyer.value_or(buyer_), about); });
  }
  Discount look(const std::string& code) const {
    const auto text = from_text<CouponCode>(code);
    return find(merchant_, text, buyer_);
  }
  Discount find(MerchantId merchant, const CouponCode& code, identity::AccountId buyer) const {
    Faults faults;
    auto found =
        world_->transact([&](Tx& tx) { return find_discount(tx, merchant, code, buyer, faults); });
    if (!found) throw Error(Code::invalid, "it is not for them", faults);
    return *found;
  }
  void give(const Uuid& about) const {
    world_->transact([&](Tx& tx) { give_back(tx, merchant_, about); });
  }

  static inline std::unique_ptr<World> world_;
  identity::MerchantId merchant_;
  identity::AccountId buyer_;
};

TEST_F(DiscountCodes, AreFoundWithoutRegardToCapitals) {
  const auto made = add("Summer-26", {{"currency", "USD"}, {"least_total", 1'000}});
  EXPECT_EQ(made.code, "SUMMER-26");
  const auto found = look("sUmMeR-26");
  EXPECT_EQ(found.id, made.id);
  EXPECT_EQ(found.kind, DiscountKind::percent);
  EXPECT_EQ(found.basis_points, 1'000);
  EXPECT_EQ(found.least_total, 1'000);
  EXPECT_EQ(used(made.id), 0) << "to look is no use";
}

TEST_F(DiscountCodes, AreOneOfAKindInAShop) {
  const auto made = add("ONE");
  EXPECT_EQ(code_of([&] { add("one"); }), Code::conflict);
  const auto two = add("TWO");
  EXPECT_EQ(code_of([&] { change(two.id, body_of("ONE")); }), Code::conflict);
  EXPECT_EQ(change(two.id, body_of("two")).code, "TWO");
  world_->transact([&](Tx& tx) { remove_code(tx, merchant_, made.id); });
  EXPECT_NE(add("one").id, made.id) << "a code that was removed is free again";
  EXPECT_EQ(code_of([&] { change(made.id, body_of("ONE")); }), Code::not_found);
  EXPECT_EQ(
      code_of([&] { world_->transact([&](Tx& tx) { remove_code(tx, merchant_, made.id); }); }),
      Code::not_found);
}

TEST_F(DiscountCodes, OfAnotherShopAreNotThere) {
  const auto made = add("MINE");
  const auto other = world_->merchant(world_->person()).id;
  const auto code = from_text<CouponCode>("MINE");
  EXPECT_EQ(code_of([&] { find(other, code, buyer_); }), Code::invalid);
  EXPECT_EQ(code_of([&] { world_->transact([&](Tx& tx) { fetch_code(tx, other, made.id); }); }),
            Code::not_found);
  EXPECT_EQ(code_of([&] { world_->transact([&](Tx& tx) { remove_code(tx, other, made.id); }); }),
            Code::not_found);
}

TEST_F(DiscountCodes, KnowAGuestAgainByTheirMail) {
  const auto made = add("GUESTS", {{"uses_per_buyer_max", 1}});
  const auto guest = [&](const std::string& mail) {
    const auto given = from_json<identity::NewGuest>({{"name", "Gus"}, {"email", mail}});
    return world_->transact([&](Tx& tx) { return identity::make_guest(tx, given); }).id;
  };
  const auto about = make_uuid_v7();
  use("GUESTS", about, guest("gus@shop.example"));
  EXPECT_EQ(code_of([&] { use("GUESTS", make_uuid_v7(), guest("Gus@shop.example")); }),
            Code::invalid);
  const auto text = from_text<CouponCode>("GUESTS");
  EXPECT_EQ(code_of([&] {
              const auto same = guest("gus@shop.example");
              find(merchant_, text, same);
            }),
            Code::invalid);
  EXPECT_NO_THROW(use("GUESTS", make_uuid_v7(), guest("another@shop.example")));
  give(about);
  EXPECT_NO_THROW(use("GUESTS", make_uuid_v7(), guest("gus@shop.example")));
  EXPECT_EQ(used(made.id), 2);
}

TEST_F(DiscountCodes, MayBeUsedFromTheirBeginningToTheirEnd) {
  const auto now = std::chrono::floor<std::chrono::seconds>(world_->clock.now());
  add("TIMED",
      {{"starts_at", text_of(Instant(now + 1h))}, {"ends_at", text_of(Instant(now + 2h))}});
  const auto about = make_uuid_v7();
  EXPECT_EQ(code_of([&] { look("TIMED"); }), Code::invalid);
  EXPECT_EQ(code_of([&] { use("TIMED", about); }), Code::invalid);
  world_->advance(1h);
  EXPECT_NO_THROW(look("TIMED"));
  EXPECT_NO_THROW(use("TIMED", about));
  world_->advance(1h);
  EXPECT_EQ(code_of([&] { look("TIMED"); }), Code::invalid);
  EXPECT_EQ(code_of([&] { use("TIMED", make_uuid_v7()); }), Code::invalid);
  EXPECT_NO_THROW(use("TIMED", about)) << "what was claimed stays claimed";
}

TEST_F(DiscountCodes, SayWhyNot) {
  try {
    look("NOBODYS");
    FAIL() << "there is none";
  } catch (const Error& error) {
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/discount_code");
  }
}

TEST_F(DiscountCodes, CountAUseOnceHoweverOftenItIsClaimed) {
  const auto made = add("ONCE", {{"uses_max", 1}});
  const auto about = make_uuid_v7();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(use("once", about).id, made.id);
  EXPECT_EQ(used(made.id), 1);
  EXPECT_EQ(code_of([&] { use("ONCE", make_uuid_v7()); }), Code::invalid);
  EXPECT_EQ(code_of([&] { look("ONCE"); }), Code::invalid);
  EXPECT_EQ(used(made.id), 1);
}

TEST_F(DiscountCodes, ComeBackWhereTheyWereNotUsedAfterAll) {
  const auto made = add("BACK", {{"uses_max", 1}, {"uses_per_buyer_max", 1}});
  const auto about = make_uuid_v7();
  use("BACK", about);
  for (int i = 0; i < 2; ++i) give(about);
  EXPECT_EQ(used(made.id), 0);
  EXPECT_NO_THROW(use("BACK", make_uuid_v7()));
  EXPECT_EQ(used(made.id), 1);
  give(make_uuid_v7());
  EXPECT_EQ(used(made.id), 1) << "what was never claimed is not given back";
}

TEST_F(DiscountCodes, AreForEachBuyerAsOftenAsTheyMay) {
  const auto made = add("TWICE", {{"uses_per_buyer_max", 2}});
  const auto first = make_uuid_v7();
  use("TWICE", first);
  use("TWICE", make_uuid_v7());
  EXPECT_EQ(code_of([&] { use("TWICE", make_uuid_v7()); }), Code::invalid);
  EXPECT_EQ(code_of([&] { look("TWICE"); }), Code::invalid);
  EXPECT_EQ(used(made.id), 2) << "what was refused is not counted";
  EXPECT_NO_THROW(use("TWICE", make_uuid_v7(), world_->person().account));
  give(first);
  EXPECT_NO_THROW(use("TWICE", make_uuid_v7()));
}

TEST_F(DiscountCodes, AreOneForEachThing) {
  const auto one = add("FIRST"), other = add("OTHER");
  const auto about = make_uuid_v7();
  use("FIRST", about);
  EXPECT_EQ(code_of([&] { use("OTHER", about); }), Code::conflict);
  EXPECT_EQ(used(one.id), 1);
  EXPECT_EQ(used(other.id), 0);
  give(about);
  EXPECT_NO_THROW(use("OTHER", about));
}

TEST_F(DiscountCodes, ThatAreRemovedStayForWhoeverClaimedThem) {
  const auto made = add("GONE");
  const auto about = make_uuid_v7();
  use("GONE", about);
  world_->transact([&](Tx& tx) { remove_code(tx, merchant_, made.id); });
  EXPECT_EQ(code_of([&] { look("GONE"); }), Code::invalid);
  EXPECT_EQ(use("GONE", about).id, made.id);
  EXPECT_NO_THROW(give(about));
}

TEST_F(DiscountCodes, KeepTheirUsesWhenTheyAreChanged) {
  const auto made = add("LIMITED");
  use("LIMITED", make_uuid_v7());
  EXPECT_EQ(change(made.id, body_of("LIMITED", {{"uses_max", 1}})).used, 1);
  EXPECT_EQ(code_of([&] { use("LIMITED", make_uuid_v7()); }), Code::invalid);
}

TEST_F(DiscountCodes, AreAThousandThatHaveNotEnded) {
  const auto id = "'" + uuid_text(merchant_.uuid) + "'";
  execute(world_->urls.superuser,
          "INSERT INTO bottega.discount_codes (merchant_id, id, code, kind, ends_at, created_at, "
          "updated_at) SELECT " +
              id +
              ", gen_random_uuid(), 'C' || n, 'free_shipping', CASE WHEN n = 1 THEN now() - "
              "interval '1 year' END, now(), now() FROM generate_series(1, 1000) n");
  add("LAST");
  EXPECT_EQ(code_of([&] { add("TOOMANY"); }), Code::conflict);
}

TEST_F(DiscountCodes, AreUsedConcurrentlyAsOftenAsTheyMay) {
  const auto made = add("RUSH", {{"uses_max", 3}});
  Acts acts;
  for (int i = 0; i < 8; ++i)
    acts.emplace_back(
        [this, buyer = world_->person().account] { use("RUSH", make_uuid_v7(), buyer); });
  EXPECT_EQ(all_at_once(acts, {Code::invalid}), 5);
  EXPECT_EQ(used(made.id), 3);
}

TEST_F(DiscountCodes, AreUsedConcurrentlyByOneBuyerAsOftenAsTheyMay) {
  const auto made = add("MYRUSH", {{"uses_per_buyer_max", 2}});
  Acts acts;
  for (int i = 0; i < 6; ++i) acts.emplace_back([this] { use("MYRUSH", make_uuid_v7()); });
  EXPECT_EQ(all_at_once(acts, {Code::invalid}), 4);
  EXPECT_EQ(used(made.id), 2);
}

TEST_F(DiscountCodes, AreCountedOnceWhereTheSameIsClaimedConcurrently) {
  const auto made = add("SAME", {{"uses_max", 1}});
  const auto about = make_uuid_v7();
  Acts acts;
  for (int i = 0; i < 6; ++i) acts.emplace_back([this, about] { use("SAME", about); });
  EXPECT_EQ(all_at_once(acts, {}), 0);
  EXPECT_EQ(used(made.id), 1);
}

}  // namespace discounts_test
}  // namespace bottega::test
