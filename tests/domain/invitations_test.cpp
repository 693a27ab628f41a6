// How people come to work for a merchant.
#include "bottega/identity/invitations.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/errors.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace invitations_test {

using identity::InvitationId;
using identity::MerchantId;
using identity::Role;
using identity::Who;
using std::chrono::days;

class Invitations : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  identity::IssuedInvitation invite(const Who& who, Role role = Role::agent) const {
    const auto given =
        from_json<identity::NewInvitation>({{"name", "Hal"}, {"role", text_of(role)}});
    return world->transact(
        [&](Tx& tx) { return identity::invite(tx, who, merchant, given, days(7)); });
  }
  std::vector<identity::Invitation> open() const {
    return world->transact([&](Tx& tx) { return identity::list_invitations(tx, merchant); });
  }
  static identity::Membership accept(const Who& who, const std::string& code) {
    return world->transact(
        [&](Tx& tx) { return identity::accept_invitation(tx, who, Secret(code)); });
  }
  static std::optional<Code> refusal(const Who& who, const std::string& code) {
    return code_of([&] { accept(who, code); });
  }
  void withdraw(InvitationId id) const {
    world->transact([&](Tx& tx) { identity::withdraw_invitation(tx, merchant, id); });
  }
  static inline std::unique_ptr<World> world;
  const Who owner = world->person("Otto Owner");
  const MerchantId merchant = world->merchant(owner).id;
};

TEST_F(Invitations, LetOnePersonJoinWithTheRoleThatWasGiven) {
  const auto helper = world->person("Hal Helper");
  const auto issued = invite(owner, Role::manager);
  EXPECT_EQ(issued.invitation.expires_at - issued.invitation.created_at, days(7));
  const auto joined = accept(helper, issued.code);
  EXPECT_EQ(joined.merchant.id, merchant);
  EXPECT_EQ(joined.role, Role::manager);
  EXPECT_NO_THROW(world->transact([&](Tx& tx) {
    identity::require_member(tx, helper, merchant, Role::manager, identity::Scope::read);
  }));
  EXPECT_EQ(refusal(world->person(), issued.code), Code::not_found) << "it is used up";
  EXPECT_TRUE(open().empty());
}

TEST_F(Invitations, AreListedWhileTheyAreOpen) {
  const auto first = invite(owner), second = invite(owner, Role::owner);
  const auto listed = open();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, second.invitation.id);
  EXPECT_EQ(listed[0].role, Role::owner);
  EXPECT_EQ(listed[1].name, "Hal");
  withdraw(first.invitation.id);
  EXPECT_EQ(open().size(), 1u);
  EXPECT_EQ(code_of([&] { withdraw(first.invitation.id); }), Code::not_found);
  EXPECT_EQ(refusal(world->person(), first.code), Code::not_found);
}

TEST_F(Invitations, OfAnotherMerchantCannotBeWithdrawn) {
  const auto issued = invite(owner);
  const auto other = world->merchant(world->person()).id;
  EXPECT_EQ(code_of([&] {
              world->transact(
                  [&](Tx& tx) { identity::withdraw_invitation(tx, other, issued.invitation.id); });
            }),
            Code::not_found);
  EXPECT_EQ(open().size(), 1u);
}

TEST_F(Invitations, LapseWhenTheirTimeIsOver) {
  const auto issued = invite(owner);
  world->advance(days(7));
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(refusal(world->person(), issued.code), Code::not_found);
}

TEST_F(Invitations, LapseWithTheOwnershipOfWhoMadeThem) {
  const auto second = world->person();
  world->transact([&](Tx& tx) { identity::add_member(tx, merchant, second.account, Role::owner); });
  const auto issued = invite(second, Role::owner);
  world->transact([&](Tx& tx) { identity::remove_member(tx, merchant, second.account); });
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(refusal(second, issued.code), Code::not_found) << "nobody lets themselves back in";
  world->transact([&](Tx& tx) { identity::add_member(tx, merchant, second.account, Role::owner); });
  EXPECT_EQ(refusal(world->person(), issued.code), Code::not_found) << "it does not come back";
}

TEST_F(Invitations, OfASuspendedOwnerWaitForTheirReturn) {
  const auto issued = invite(owner, Role::owner);
  const auto set = [&](identity::AccountState state) {
    world->transact([&](Tx& tx) { identity::set_account_state(tx, owner.account, state); });
  };
  set(identity::AccountState::suspended);
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(refusal(world->person(), issued.code), Code::not_found);
  set(identity::AccountState::active);
  EXPECT_EQ(accept(world->person(), issued.code).role, Role::owner);
}

TEST_F(Invitations, OfWhoIsAMemberAlreadyStayOpen) {
  const auto issued = invite(owner);
  EXPECT_EQ(refusal(owner, issued.code), Code::conflict);
  EXPECT_EQ(accept(world->person(), issued.code).role, Role::agent);
}

TEST_F(Invitations, AreNotWithoutEnd) {
  for (std::size_t i = 0; i < identity::kOpenInvitationsMax; ++i) invite(owner);
  EXPECT_EQ(code_of([&] { invite(owner); }), Code::conflict);
  withdraw(open().front().id);
  EXPECT_NO_THROW(invite(owner));
}

TEST_F(Invitations, AnUnknownCodeIsNothing) {
  for (const auto* code : {"x", "inv_code_x", "sk_x"})
    EXPECT_EQ(refusal(owner, code), Code::not_found) << code;
}

// Many accept one code at once: one joins.
TEST_F(Invitations, OneCodeIsForOnePersonAlsoConcurrently) {
  const auto issued = invite(owner);
  std::vector<Who> people;
  for (int i = 0; i < 8; ++i) people.push_back(world->person());
  std::atomic<int> joined{0};
  std::vector<std::thread> threads;
  for (const auto& who : people)
    threads.emplace_back([&] {
      if (!refusal(who, issued.code)) ++joined;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(joined, 1);
}

}  // namespace invitations_test
}  // namespace bottega::test
