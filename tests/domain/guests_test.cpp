// Guests: what is kept of them, that nobody signs in as one, and how one becomes an account.
#include "bottega/identity/guests.hpp"

#include <gtest/gtest.h>

#include "privacy/collect.hpp"
#include "support/at_once.hpp"
#include "support/world.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/identity/invitations.hpp"
#include "bottega/privacy/erasure.hpp"

namespace bottega::test {
namespace guests_test {

using namespace identity;
using namespace std::chrono_literals;

class Guests : public testing::Test {
 protected:
  template <class Op>
  auto in(Op op) {
    return world.transact(std::move(op));
  }
  struct Visit {
    Who who;
    Account account;
    Tokens tokens;
  };
  Visit visit(const std::string& email = "gus@people.example",
              std::chrono::seconds life = std::chrono::hours(24)) {
    const auto given = from_json<NewGuest>({{"name", "Gus Guest"}, {"email", email}});
    return in([&](Tx& tx) {
      const auto account = make_guest(tx, given);
      const auto tokens = open_session(tx, account.id, {"", ""}, {life, life});
      return Visit{authenticate(tx, tokens.access_token), account, tokens};
    });
  }
  Account upgrade(const Visit& guest, const std::string& email) {
    const auto given =
        from_json<GuestUpgrade>({{"email", email}, {"password", "a long enough password"}});
    return in([&](Tx& tx) { return upgrade_guest(tx, guest.who, given, "a hash"); });
  }
  std::optional<Guest> said(AccountId id) {
    return in([&](Tx& tx) { return find_guest(tx, id); });
  }

  World world;
};

TEST_F(Guests, NeitherTellNorTakeTheAddressThatTheyGave) {
  const auto email = from_text<Email>("owner@people.example");
  const auto owner =
      in([&](Tx& tx) { return register_account(tx, email, "Otto", "a hash", std::nullopt); });
  const auto one = visit(email.value), two = visit(email.value);
  EXPECT_TRUE(one.who.is_guest);
  EXPECT_TRUE(one.account.is_guest);
  EXPECT_NE(one.account.id, two.account.id);
  EXPECT_NE(one.account.email, email);
  EXPECT_TRUE(one.account.email.value.ends_with("@guest.invalid"));
  EXPECT_EQ(one.account.name, "Guest");
  EXPECT_EQ(said(one.account.id).value().email, email);
  EXPECT_EQ(said(one.account.id).value().name, "Gus Guest");
  EXPECT_EQ(said(owner.id), std::nullopt);
  EXPECT_EQ(in([&](Tx& tx) { return find_credential(tx, email); }).value().id, owner.id);
}

TEST_F(Guests, HaveNoPassword) {
  const auto guest = visit();
  const auto credential =
      in([&](Tx& tx) { return find_credential(tx, guest.account.email); }).value();
  EXPECT_EQ(credential.password_hash, "");
}

TEST_F(Guests, CannotOpenAShopNorJoinOne) {
  const auto guest = visit();
  const auto given =
      from_json<NewMerchant>({{"name", "Gus's Lamps"}, {"country", "US"}, {"currency", "USD"}});
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) { create_merchant(tx, guest.who, given, {}, "sandbox", "US"); });
            }),
            Code::forbidden);
  EXPECT_EQ(
      code_of([&] { in([&](Tx& tx) { accept_invitation(tx, guest.who, Secret("inv_code_x")); }); }),
      Code::forbidden);
}

TEST_F(Guests, AreNobodyWhomMoneyCanBeSentTo) {
  const auto guest = visit();
  const auto sender = world.person();
  world.top_up(sender, 1'000);
  EXPECT_EQ(code_of([&] { world.send(sender, guest.who, 100); }), Code::invalid);
}

TEST_F(Guests, StayForTheTimeOfTheirSessionHoweverOftenItIsRefreshed) {
  const auto guest = visit("gus@people.example", 2h);
  world.advance(1h);
  const auto next = in([&](Tx& tx) {
    return rotate(tx, Secret(guest.tokens.refresh_token), {std::chrono::hours(1), 720h}).value();
  });
  EXPECT_LE(next.refresh_expires_at, guest.tokens.refresh_expires_at);
  world.advance(90min);
  EXPECT_EQ(code_of([&] {
              in([&](Tx& tx) {
                return rotate(tx, Secret(next.refresh_token), {std::chrono::hours(1), 720h});
              });
            }),
            Code::unauthenticated);
}

TEST_F(Guests, HaveAnAccountFromThenOn) {
  const auto guest = visit();
  const auto later = in([&](Tx& tx) {
    return open_session(tx, guest.account.id, {"", ""}, {std::chrono::hours(1), 1h});
  });
  const auto account = upgrade(guest, "gus@people.example");
  EXPECT_EQ(account.id, guest.account.id);
  EXPECT_EQ(account.name, "Gus Guest");
  EXPECT_EQ(account.email.value, "gus@people.example");
  EXPECT_FALSE(account.is_guest);
  EXPECT_EQ(said(account.id), std::nullopt);
  EXPECT_FALSE(in([&](Tx& tx) { return authenticate(tx, guest.tokens.access_token); }).is_guest);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { authenticate(tx, later.access_token); }); }),
            Code::unauthenticated);
  EXPECT_EQ(code_of([&] { upgrade(guest, "other@people.example"); }), Code::conflict);
}

TEST_F(Guests, CannotTakeAnAddressThatIsAnothers) {
  const auto email = from_text<Email>("owner@people.example");
  in([&](Tx& tx) { register_account(tx, email, "Otto", "a hash", std::nullopt); });
  const auto guest = visit(email.value);
  EXPECT_EQ(code_of([&] { upgrade(guest, email.value); }), Code::conflict);
  EXPECT_TRUE(said(guest.account.id).has_value());
  EXPECT_FALSE(upgrade(guest, "gus@people.example").is_guest);
}

TEST_F(Guests, TakeAnAddressAtTheSameMomentAsOthersOnlyOnce) {
  for (int round = 0; round < 10; ++round) {
    const auto mail = "gus-" + std::to_string(round) + "@people.example";
    const auto first = visit(), second = visit();
    const auto refused = all_at_once({[&] { upgrade(first, mail); }, [&] { upgrade(second, mail); },
                                      [&] {
                                        in([&](Tx& tx) {
                                          register_account(tx, from_text<Email>(mail), "Otto",
                                                           "a hash", std::nullopt);
                                        });
                                      }},
                                     {Code::conflict});
    EXPECT_EQ(refused, 2);
  }
}

TEST_F(Guests, AreForgottenWhenTheirSessionsHaveEnded) {
  const auto guest = visit("gus@people.example", 1h);
  const auto sweep = [&] { return in([&](Tx& tx) { return sweep_guests(tx, 100); }); };
  EXPECT_EQ(sweep(), 0);
  world.advance(2h);
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(said(guest.account.id), std::nullopt);
  EXPECT_EQ(in([&](Tx& tx) { return fetch_account(tx, guest.account.id); }).name, "Guest");
}

TEST_F(Guests, GetACopyAndAreErased) {
  const auto guest = visit();
  std::string text;
  const privacy::Put keep = [&](const std::string& part) -> asio::awaitable<void> {
    text += part;
    co_return;
  };
  run(privacy::collect(world.db, guest.account.id, keep));
  const auto copy = Json::parse(text);
  ASSERT_EQ(copy["guest"].size(), 1u);
  EXPECT_EQ(copy["guest"][0]["email"], "gus@people.example");
  EXPECT_EQ(copy["account"][0]["is_guest"], true);
  run(conversations::keep_up(world.db, 500));
  in([&](Tx& tx) { privacy::begin_erasure(tx, guest.account.id); });
  EXPECT_EQ(said(guest.account.id), std::nullopt);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { authenticate(tx, guest.tokens.access_token); }); }),
            Code::unauthenticated);
}

}  // namespace guests_test
}  // namespace bottega::test
