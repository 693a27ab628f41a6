// Accounts, sessions and tokens: who is let in, for how long, and what a stolen token is worth.
#include "bottega/identity/identity.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace identity_test {

using namespace std::chrono_literals;
using identity::TokenLife, identity::Tokens, identity::Who;

constexpr TokenLife kLife{15min, std::chrono::days(30)};

class Identity : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }
  void TearDown() override { world->clock.set_offset(0s); }

  static Tokens log_in(const Who& who, const std::string& agent = "Browser/1") {
    return world->transact([&](Tx& tx) {
      return identity::open_session(tx, who.account, {agent, "192.0.2.7"}, kLife);
    });
  }
  static Who authenticate(const std::string& token) {
    return run(world->db.read([&](Tx& tx) { return identity::authenticate(tx, token); }));
  }
  static std::optional<Code> refusal(const std::string& token) {
    return code_of([&] { authenticate(token); });
  }
  static std::optional<Tokens> rotate(const std::string& token) {
    return world->transact([&](Tx& tx) { return identity::rotate(tx, Secret(token), kLife); });
  }
  static std::vector<identity::Session> sessions(const Who& who) {
    return world->transact([&](Tx& tx) { return identity::list_sessions(tx, who.account); });
  }
  static identity::Account add(const std::string& email) {
    return world->transact([&](Tx& tx) {
      return identity::register_account(tx, from_text<Email>(email), "Pat", "hash", std::nullopt);
    });
  }
  static inline std::unique_ptr<World> world;
};

TEST_F(Identity, AnAccountIsRegisteredActiveAndWithoutRights) {
  const auto account = add("new.person@people.example");
  EXPECT_EQ(account.email.value, "new.person@people.example");
  EXPECT_EQ(account.state, identity::AccountState::active);
  EXPECT_FALSE(account.staff_role);
  EXPECT_GT(account.number, 0);
  const auto again =
      world->transact([&](Tx& tx) { return identity::fetch_account(tx, account.id); });
  EXPECT_EQ(to_json(again), to_json(account));
}

TEST_F(Identity, AMailAddressHasOneAccountHoweverItIsSpelt) {
  add("Twice@People.Example");
  for (const auto* spelling : {"twice@people.example", "TWICE@PEOPLE.EXAMPLE"})
    EXPECT_EQ(code_of([&] { add(spelling); }), Code::conflict) << spelling;
  const auto credential = world->transact([](Tx& tx) {
    return identity::find_credential(tx, from_text<Email>("tWiCe@people.example"));
  });
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->password_hash, "hash");
}

TEST_F(Identity, ConcurrentRegistrationsOfOneAddressMakeOneAccount) {
  std::vector<std::future<std::optional<Code>>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(
        std::async(std::launch::async, [] { return code_of([] { add("race@people.example"); }); }));
  int made = 0;
  for (auto& one : tries) {
    const auto code = one.get();
    if (code)
      EXPECT_EQ(*code, Code::conflict);
    else
      ++made;
  }
  EXPECT_EQ(made, 1);
}

TEST_F(Identity, AnAccessTokenSaysWhoItsOwnerIs) {
  const auto person = world->person();
  const auto staff = world->staff(identity::StaffRole::finance);
  const auto tokens = log_in(person);
  const auto who = authenticate(tokens.access_token);
  EXPECT_EQ(who.kind, identity::Kind::person);
  EXPECT_EQ(who.account, person.account);
  EXPECT_EQ(who.session, tokens.session_id);
  EXPECT_EQ(who.expires_at, tokens.access_expires_at);
  EXPECT_EQ(who.actor(), text_of(person.account));
  EXPECT_FALSE(who.staff);
  EXPECT_EQ(authenticate(log_in(staff).access_token).staff, identity::StaffRole::finance);
}

TEST_F(Identity, NobodysWordIsTaken) {
  const auto tokens = log_in(world->person());
  auto almost = tokens.access_token;
  almost.back() = almost.back() == 'A' ? 'B' : 'A';
  for (const auto& token :
       {std::string(), std::string("bat_"), std::string("bat_x"), std::string("sk_x"), almost,
        tokens.access_token + "A", tokens.refresh_token, tokens.access_token.substr(4),
        sha256_hex(tokens.access_token), "bat_" + sha256_hex(tokens.access_token),
        std::string(5000, 'x'), "bat_" + std::string(5000, 'x'), std::string("bat_' OR '1'='1")})
    EXPECT_EQ(refusal(token), Code::unauthenticated) << token.substr(0, 40);
  EXPECT_EQ(refusal(tokens.access_token), std::nullopt);
}

TEST_F(Identity, NoTableHoldsATokenAsItIs) {
  const auto tokens = log_in(world->person());
  ASSERT_TRUE(rotate(tokens.refresh_token));
  const auto found = [&](const std::string& text) {
    std::string sql = "SELECT 0";
    for (const auto* table : {"access_tokens", "refresh_tokens", "sessions", "accounts",
                              "audit_log", "jobs", "idempotency_keys"})
      sql += std::string(" + (SELECT count(*) FROM bottega.") + table +
             " t WHERE strpos(t::text, '" + text + "') > 0)";
    return execute(world->urls.superuser, sql);
  };
  for (const auto& token : {tokens.access_token, tokens.refresh_token}) {
    EXPECT_EQ(found(token), "0");
    EXPECT_EQ(found(token.substr(4)), "0");
    EXPECT_EQ(found(sha256_hex(token)), "1") << "the search itself finds nothing";
  }
}

TEST_F(Identity, AnAccessTokenEndsWithItsTime) {
  const auto token = log_in(world->person()).access_token;
  world->advance(kLife.access - 5s);
  EXPECT_EQ(refusal(token), std::nullopt);
  world->advance(6s);
  EXPECT_EQ(refusal(token), Code::token_expired);
}

TEST_F(Identity, ARefreshTokenBuysOneNewPairInTheSameSession) {
  const auto person = world->person();
  const auto first = log_in(person);
  const auto second = rotate(first.refresh_token);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->session_id, first.session_id);
  EXPECT_EQ(second->account_id, person.account);
  EXPECT_NE(second->access_token, first.access_token);
  EXPECT_NE(second->refresh_token, first.refresh_token);
  EXPECT_EQ(authenticate(second->access_token).account, person.account);
  world->advance(5min);
  const auto third = rotate(second->refresh_token);
  ASSERT_TRUE(third);
  EXPECT_EQ(authenticate(third->access_token).opened_at, sessions(person)[0].created_at);
  EXPECT_GE(world->clock.now() - sessions(person)[0].created_at, 5min) << "it is not younger";
  EXPECT_EQ(sessions(person).size(), 1u);
}

TEST_F(Identity, ARefreshTokenThatComesASecondTimeEndsTheSession) {
  const auto person = world->person();
  const auto other = log_in(person, "Phone/1");
  const auto first = log_in(person);
  const auto second = rotate(first.refresh_token);
  ASSERT_TRUE(second);
  world->notices.clear();
  EXPECT_FALSE(rotate(first.refresh_token));
  EXPECT_EQ(refusal(second->access_token), Code::unauthenticated);
  EXPECT_EQ(code_of([&] { rotate(second->refresh_token); }), Code::unauthenticated);
  EXPECT_EQ(refusal(other.access_token), std::nullopt) << "another session is not touched";
  ASSERT_EQ(world->notices.size(), 1u);
  EXPECT_EQ(world->notices[0].topics,
            std::vector<std::string>{identity::session_topic(first.session_id)});
  EXPECT_EQ(execute(world->urls.superuser, "SELECT revoked_why FROM bottega.sessions WHERE id = '" +
                                               uuid_text(first.session_id.uuid) + "'"),
            "a refresh token came twice");
}

TEST_F(Identity, ConcurrentRefreshesWithOneTokenYieldOnePair) {
  const auto token = log_in(world->person()).refresh_token;
  std::vector<std::future<int>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(std::async(std::launch::async, [&] {
      try {
        return rotate(token) ? 1 : 0;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::unauthenticated);
        return 0;
      }
    }));
  int pairs = 0;
  for (auto& one : tries) pairs += one.get();
  EXPECT_EQ(pairs, 1);
}

TEST_F(Identity, AnOldOrForeignRefreshTokenBuysNothing) {
  const auto tokens = log_in(world->person());
  for (const auto& token : {tokens.access_token, std::string("brt_x"), std::string()})
    EXPECT_EQ(code_of([&] { rotate(token); }), Code::unauthenticated);
  world->advance(std::chrono::days(30) + 1s);
  EXPECT_EQ(code_of([&] { rotate(tokens.refresh_token); }), Code::unauthenticated);
}

TEST_F(Identity, ARefreshLengthensTheSession) {
  const auto person = world->person();
  const auto first = log_in(person);
  world->advance(std::chrono::days(20));
  const auto second = rotate(first.refresh_token);
  ASSERT_TRUE(second);
  EXPECT_EQ(sessions(person).at(0).expires_at, second->refresh_expires_at);
  world->advance(std::chrono::days(20));
  EXPECT_TRUE(rotate(second->refresh_token)) << "day 40 of a session that was used on day 20";
}

TEST_F(Identity, SessionsAreListedNewestFirstWithTheirDevices) {
  const auto person = world->person();
  const auto phone = log_in(person, "Phone/1"), browser = log_in(person, "Browser/2");
  log_in(world->person(), "Foreign/1");
  const auto list = sessions(person);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, browser.session_id);
  EXPECT_EQ(list[0].user_agent, "Browser/2");
  EXPECT_EQ(list[1].id, phone.session_id);
  EXPECT_EQ(list[1].address, "192.0.2.7");
}

TEST_F(Identity, AnEndedSessionLetsNobodyInAndIsNotListed) {
  const auto person = world->person();
  const auto ended = log_in(person), kept = log_in(person);
  world->transact(
      [&](Tx& tx) { identity::end_session(tx, person.account, ended.session_id, "logged out"); });
  EXPECT_EQ(refusal(ended.access_token), Code::unauthenticated);
  EXPECT_EQ(code_of([&] { rotate(ended.refresh_token); }), Code::unauthenticated);
  EXPECT_EQ(refusal(kept.access_token), std::nullopt);
  ASSERT_EQ(sessions(person).size(), 1u);
  EXPECT_EQ(sessions(person)[0].id, kept.session_id);
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                identity::end_session(tx, person.account, ended.session_id, "again");
              });
            }),
            Code::not_found);
}

TEST_F(Identity, AnotherPersonsSessionDoesNotExist) {
  const auto mine = log_in(world->person());
  const auto stranger = world->person();
  EXPECT_EQ(code_of([&] {
              world->transact([&](Tx& tx) {
                identity::end_session(tx, stranger.account, mine.session_id, "mischief");
              });
            }),
            Code::not_found);
  EXPECT_EQ(refusal(mine.access_token), std::nullopt);
}

TEST_F(Identity, ASuspendedAccountIsLockedOutAtOnceAndComesBack) {
  const auto person = world->person();
  const auto tokens = log_in(person);
  const auto set = [&](identity::AccountState state) {
    world->transact([&](Tx& tx) { identity::set_account_state(tx, person.account, state); });
  };
  set(identity::AccountState::suspended);
  EXPECT_EQ(refusal(tokens.access_token), Code::unauthenticated);
  EXPECT_EQ(code_of([&] { rotate(tokens.refresh_token); }), Code::unauthenticated);
  set(identity::AccountState::active);
  EXPECT_EQ(refusal(tokens.access_token), Code::unauthenticated) << "old sessions stay ended";
  EXPECT_EQ(refusal(log_in(person).access_token), std::nullopt);
  EXPECT_EQ(code_of([&] {
              world->transact([](Tx& tx) {
                identity::set_account_state(tx, identity::AccountId::make(),
                                            identity::AccountState::suspended);
              });
            }),
            Code::not_found);
}

TEST_F(Identity, AllSessionsOfAnAccountEndTogether) {
  const auto person = world->person();
  const auto one = log_in(person), two = log_in(person);
  const auto bystander = log_in(world->person());
  world->notices.clear();
  const auto ended = world->transact(
      [&](Tx& tx) { return identity::end_all_sessions(tx, person.account, "suspended"); });
  EXPECT_EQ(ended.size(), 2u);
  EXPECT_EQ(world->notices.size(), 2u);
  for (const auto& tokens : {one, two})
    EXPECT_EQ(refusal(tokens.access_token), Code::unauthenticated);
  EXPECT_EQ(refusal(bystander.access_token), std::nullopt);
  EXPECT_TRUE(sessions(person).empty());
}

TEST_F(Identity, TheSweepTakesOnlyWhatIsOver) {
  World own;
  const auto person = own.person();
  const auto open = [&] {
    return own.transact([&](Tx& tx) {
      return identity::open_session(tx, person.account, {"a", "b"}, kLife);
    });
  };
  open();
  const auto sweep = [&] {
    return own.transact([](Tx& tx) { return identity::sweep_tokens(tx); });
  };
  EXPECT_EQ(sweep(), 0);
  own.advance(kLife.access + 1s);
  EXPECT_EQ(sweep(), 1) << "the access token";
  const auto fresh = open();
  own.advance(kLife.refresh - 10min);
  EXPECT_EQ(sweep(), 2) << "the old refresh token and the second access token";
  EXPECT_TRUE(
      own.transact([&](Tx& tx) { return identity::rotate(tx, Secret(fresh.refresh_token), kLife); })
          .has_value());
}

}  // namespace identity_test
}  // namespace bottega::test
