// API keys: shown once, kept as a hash, limited to their scopes and their merchant, dead when
// revoked.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/identity/merchants.hpp"

namespace bottega::test {
namespace merchants_keys_test {

using identity::Role, identity::Scope, identity::Who;

class ApiKeys : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  identity::IssuedApiKey issue(std::vector<Scope> scopes, const std::string& name = "Till") const {
    identity::NewApiKey given;
    given.name = from_text<Line<1, 100>>(name);
    given.scopes.items = std::move(scopes);
    return world->transact(
        [&](Tx& tx) { return identity::issue_api_key(tx, owner, merchant, given); });
  }
  std::vector<identity::ApiKey> list() const {
    return world->transact([&](Tx& tx) { return identity::list_api_keys(tx, merchant); });
  }
  static Who authenticate(const std::string& token) {
    return run(world->db.read([&](Tx& tx) { return identity::authenticate(tx, token); }));
  }
  static std::optional<Code> refusal(const Who& who, identity::MerchantId of, Role least,
                                     Scope scope) {
    return code_of([&] {
      world->transact([&](Tx& tx) { identity::require_member(tx, who, of, least, scope); });
    });
  }
  static inline std::unique_ptr<World> world;
  const Who owner = world->person("Otto Owner");
  const identity::MerchantId merchant = world->merchant(owner).id;
};

TEST_F(ApiKeys, AKeyActsForItsMerchantWithItsScopes) {
  const auto issued = issue({Scope::chat, Scope::orders});
  EXPECT_TRUE(issued.secret.starts_with("sk_"));
  const auto who = authenticate(issued.secret);
  EXPECT_EQ(who.kind, identity::Kind::api_key);
  EXPECT_EQ(who.merchant, merchant);
  EXPECT_EQ(who.api_key, issued.api_key.id);
  EXPECT_EQ(who.account, owner.account);
  EXPECT_EQ(who.scopes, (std::vector<Scope>{Scope::chat, Scope::orders}));
  EXPECT_EQ(who.actor(), text_of(issued.api_key.id));
  EXPECT_FALSE(who.staff);
}

TEST_F(ApiKeys, AKeyMayDoWhatItsScopesSayAndNothingElse) {
  const auto all = {Scope::read, Scope::chat, Scope::payments, Scope::orders};
  for (const auto given : all) {
    const auto who = authenticate(issue({given}).secret);
    for (const auto asked : all)
      EXPECT_EQ(refusal(who, merchant, Role::agent, asked),
                asked == given ? std::nullopt : std::optional(Code::forbidden))
          << text_of(given) << " asked for " << text_of(asked);
  }
}

TEST_F(ApiKeys, AKeyNeverDoesWhatTakesAnOwner) {
  const auto who =
      authenticate(issue({Scope::read, Scope::chat, Scope::payments, Scope::orders}).secret);
  EXPECT_EQ(refusal(who, merchant, Role::manager, Scope::payments), std::nullopt);
  EXPECT_EQ(refusal(who, merchant, Role::owner, Scope::payments), Code::forbidden);
}

TEST_F(ApiKeys, AKeyOfOneMerchantSeesNoOtherEvenOfTheSameOwner) {
  const auto second = world->merchant(owner).id;
  const auto who = authenticate(issue({Scope::read}).secret);
  EXPECT_EQ(refusal(who, second, Role::agent, Scope::read), Code::not_found);
  const auto mine = world->transact([&](Tx& tx) { return identity::merchants_of(tx, who); });
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0].id, merchant);
}

TEST_F(ApiKeys, TheSecretIsInNoTable) {
  const auto issued = issue({Scope::read});
  const auto found = [&](const std::string& text) {
    return execute(
        world->urls.superuser,
        "SELECT count(*) FROM bottega.api_keys k WHERE strpos(k::text, '" + text + "') > 0");
  };
  EXPECT_EQ(found(issued.secret), "0");
  EXPECT_EQ(found(issued.secret.substr(3, 20)), "0");
  EXPECT_EQ(found(sha256_hex(issued.secret)), "1");
}

TEST_F(ApiKeys, TheListShowsTheLastFourNewestFirst) {
  const auto first = issue({Scope::read}, "First"), second = issue({Scope::chat}, "Second");
  const auto keys = list();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].id, second.api_key.id);
  EXPECT_EQ(keys[0].name, "Second");
  EXPECT_EQ(keys[1].id, first.api_key.id);
  EXPECT_EQ(keys[1].last_four, first.secret.substr(first.secret.size() - 4));
  EXPECT_EQ(keys[1].scopes, std::vector<Scope>{Scope::read});
  EXPECT_FALSE(keys[1].last_used_at);
}

TEST_F(ApiKeys, ARevokedKeyIsDeadAndGoneFromTheList) {
  const auto dead = issue({Scope::read}), alive = issue({Scope::read});
  const auto revoke = [&](identity::MerchantId of) {
    return code_of([&] {
      world->transact([&](Tx& tx) { identity::revoke_api_key(tx, of, dead.api_key.id); });
    });
  };
  const auto stranger = world->merchant(world->person()).id;
  EXPECT_EQ(revoke(stranger), Code::not_found) << "another merchant's key does not exist";
  EXPECT_NO_THROW(authenticate(dead.secret));
  EXPECT_EQ(revoke(merchant), std::nullopt);
  EXPECT_EQ(code_of([&] { authenticate(dead.secret); }), Code::unauthenticated);
  EXPECT_NO_THROW(authenticate(alive.secret));
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(revoke(merchant), Code::not_found);
}

TEST_F(ApiKeys, AGuessedKeyIsNobodys) {
  const auto secret = issue({Scope::read}).secret;
  for (const auto& token : {secret + "x", secret.substr(0, secret.size() - 1),
                            "bat_" + secret.substr(3), "sk_" + sha256_hex(secret)})
    EXPECT_EQ(code_of([&] { authenticate(token); }), Code::unauthenticated);
}

TEST_F(ApiKeys, TheListShowsWhenAKeyWasLastUsed) {
  const auto issued = issue({Scope::read});
  ASSERT_FALSE(list().at(0).last_used_at);
  const auto who = authenticate(issued.secret);
  world->transact([&](Tx& tx) { identity::note_use(tx, who); });
  ASSERT_EQ(list().size(), 1u);
  EXPECT_TRUE(list()[0].last_used_at);
}

// ---- whoever made the key -----------------------------------------------------------------------

TEST_F(ApiKeys, TheListShowsWhoMadeAKey) {
  issue({Scope::read});
  EXPECT_EQ(list().at(0).created_by, owner.account);
}

TEST_F(ApiKeys, AKeyEndsWithTheOwnershipOfWhoMadeIt) {
  const auto second = world->person();
  world->transact([&](Tx& tx) { identity::add_member(tx, merchant, second.account, Role::owner); });
  const auto issued = issue({Scope::read});
  const auto step_down = [&](Role role) {
    world->transact([&](Tx& tx) { identity::change_role(tx, merchant, owner.account, role); });
  };
  step_down(Role::owner);
  EXPECT_NO_THROW(authenticate(issued.secret));
  step_down(Role::manager);
  EXPECT_EQ(code_of([&] { authenticate(issued.secret); }), Code::unauthenticated);
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(world->notices.back().text, "end") << "its sockets hear of it";
  step_down(Role::owner);
  const auto another = issue({Scope::read});
  world->transact([&](Tx& tx) { identity::remove_member(tx, merchant, owner.account); });
  EXPECT_EQ(code_of([&] { authenticate(another.secret); }), Code::unauthenticated);
}

TEST_F(ApiKeys, AKeyOfASuspendedPersonWaitsForTheirReturn) {
  const auto issued = issue({Scope::read});
  const auto set = [&](identity::AccountState state) {
    world->transact([&](Tx& tx) { identity::set_account_state(tx, owner.account, state); });
  };
  set(identity::AccountState::suspended);
  EXPECT_EQ(code_of([&] { authenticate(issued.secret); }), Code::unauthenticated);
  set(identity::AccountState::active);
  EXPECT_NO_THROW(authenticate(issued.secret));
}

TEST_F(ApiKeys, AreNotWithoutEnd) {
  for (std::size_t i = 0; i < identity::kApiKeysMax; ++i) issue({Scope::read});
  EXPECT_EQ(code_of([&] { issue({Scope::read}); }), Code::conflict);
  EXPECT_EQ(list().size(), identity::kApiKeysMax);
}

}  // namespace merchants_keys_test
}  // namespace bottega::test
