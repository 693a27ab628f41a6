// Merchants: where we may sell, who may do what for one, and what the processor decided.
#include "bottega/identity/merchants.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/world.hpp"
#include "bottega/identity/fees.hpp"
#include "bottega/identity/onboarding.hpp"

namespace bottega::test {
namespace merchants_test {

using identity::MerchantId, identity::Onboarding, identity::Role, identity::Scope, identity::Who;

class Merchants : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  static identity::Merchant create(const Who& who, const std::string& country,
                                   const std::string& countries) {
    const identity::NewMerchant given{from_text<Line<1, 100>>("Ada's Lamps"),
                                      from_text<Country>(country), from_text<Currency>("EUR")};
    return world->transact([&](Tx& tx) {
      return identity::create_merchant(tx, who, given, {290, 30}, "sandbox", countries);
    });
  }
  static std::optional<Code> refusal(const Who& who, MerchantId merchant, Role least,
                                     Scope scope = Scope::read) {
    return code_of([&] {
      world->transact([&](Tx& tx) { identity::require_member(tx, who, merchant, least, scope); });
    });
  }
  static void put(MerchantId merchant, const Who& who, Role role) {
    world->transact([&](Tx& tx) { identity::add_member(tx, merchant, who.account, role); });
  }
  static identity::Member change(MerchantId merchant, const Who& who, Role role) {
    return world->transact(
        [&](Tx& tx) { return identity::change_role(tx, merchant, who.account, role); });
  }
  static std::optional<Code> removal(MerchantId merchant, const Who& who) {
    return code_of([&] {
      world->transact([&](Tx& tx) { identity::remove_member(tx, merchant, who.account); });
    });
  }
  static std::vector<identity::Member> members(MerchantId merchant) {
    return world->transact([&](Tx& tx) { return identity::list_members(tx, merchant); });
  }
  static inline std::unique_ptr<World> world;
  const Who owner = world->person("Otto Owner");
  const MerchantId merchant = world->merchant(owner).id;
};

TEST_F(Merchants, BeginPendingWithTheFeesOfTheirDay) {
  const auto made = create(owner, "IT", "US,IT");
  EXPECT_EQ(made.onboarding, Onboarding::pending);
  const auto fees =
      world->transact([&](Tx& tx) { return identity::fee_rate(tx, made.id, made.currency); });
  EXPECT_EQ(fees.basis_points, 290);
  EXPECT_EQ(fees.fixed, 30);
  EXPECT_EQ(made.country.value, "IT");
  EXPECT_EQ(text_of(made.currency), "EUR");
  EXPECT_FALSE(made.processor_account);
  ASSERT_EQ(members(made.id).size(), 1u);
  EXPECT_EQ(members(made.id)[0].account_id, owner.account);
  EXPECT_EQ(members(made.id)[0].role, Role::owner);
}

struct CountryRow {
  const char *country, *countries;
  bool allowed;
};
class Countries : public Merchants, public testing::WithParamInterface<CountryRow> {};

TEST_P(Countries, AreTheOnesOfTheSettingAndNoOthers) {
  const auto& row = GetParam();
  try {
    create(owner, row.country, row.countries);
    EXPECT_TRUE(row.allowed);
  } catch (const Error& error) {
    EXPECT_FALSE(row.allowed);
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/country");
  }
}
INSTANTIATE_TEST_SUITE_P(
    Merchants, Countries,
    testing::Values(CountryRow{"US", "US", true}, CountryRow{"IT", "US", false},
                    CountryRow{"IT", "US,IT", true}, CountryRow{"US", "US,IT", true},
                    CountryRow{"DE", "US,IT,DE", true}, CountryRow{"FR", "US,IT,DE", false},
                    CountryRow{"US", "", false}));

// Who may do what asks at least for which role.
TEST_F(Merchants, EachRoleMayDoWhatTheOnesBelowItMay) {
  const std::vector<std::pair<Role, Who>> people = {
      {Role::agent, world->person()}, {Role::manager, world->person()}, {Role::owner, owner}};
  for (const auto& [role, who] : people)
    if (role != Role::owner) put(merchant, who, role);
  for (const auto& [role, who] : people)
    for (const auto least : {Role::agent, Role::manager, Role::owner})
      EXPECT_EQ(refusal(who, merchant, least),
                role >= least ? std::nullopt : std::optional(Code::forbidden))
          << text_of(role) << " where " << text_of(least) << " is needed";
}

TEST_F(Merchants, SomebodyElsesMerchantDoesNotExist) {
  const auto stranger = world->person();
  const auto staff = world->staff();
  for (const auto& who : {stranger, staff, Who{}})
    EXPECT_EQ(refusal(who, merchant, Role::agent), Code::not_found);
  EXPECT_EQ(refusal(owner, MerchantId::make(), Role::agent), Code::not_found);
  const auto other = world->merchant(stranger).id;
  EXPECT_EQ(refusal(owner, other, Role::agent), Code::not_found);
}

TEST_F(Merchants, APersonSeesTheirOwnMerchantsOnly) {
  const auto second = world->merchant(owner).id;
  world->merchant(world->person());
  const auto mine = world->transact([&](Tx& tx) { return identity::merchants_of(tx, owner); });
  ASSERT_EQ(mine.size(), 2u);
  EXPECT_EQ(mine[0].id, merchant);
  EXPECT_EQ(mine[1].id, second);
  EXPECT_TRUE(
      world->transact([&](Tx& tx) { return identity::merchants_of(tx, world->person()); }).empty());
}

TEST_F(Merchants, AMemberIsAddedOnceAndTheRoleIsTheLastGiven) {
  const auto helper = world->person("Hal Helper");
  put(merchant, helper, Role::agent);
  EXPECT_EQ(code_of([&] { put(merchant, helper, Role::owner); }), Code::conflict);
  EXPECT_EQ(refusal(helper, merchant, Role::manager), Code::forbidden);
  const auto changed = change(merchant, helper, Role::manager);
  EXPECT_EQ(changed.account_id, helper.account);
  EXPECT_EQ(changed.name, "Hal Helper");
  EXPECT_EQ(changed.role, Role::manager);
  EXPECT_EQ(members(merchant).size(), 2u);
  EXPECT_EQ(refusal(helper, merchant, Role::manager), std::nullopt);
  const auto stranger = world->person();
  EXPECT_EQ(code_of([&] { change(merchant, stranger, Role::agent); }), Code::not_found);
}

TEST_F(Merchants, AMemberWhoWasRemovedIsAStrangerAgain) {
  const auto helper = world->person();
  put(merchant, helper, Role::manager);
  EXPECT_EQ(removal(merchant, helper), std::nullopt);
  EXPECT_EQ(refusal(helper, merchant, Role::agent), Code::not_found);
  EXPECT_EQ(removal(merchant, helper), Code::not_found);
}

TEST_F(Merchants, TheLastOwnerCanNeitherLeaveNorStepDown) {
  EXPECT_EQ(removal(merchant, owner), Code::conflict);
  for (const auto role : {Role::agent, Role::manager})
    EXPECT_EQ(code_of([&] { change(merchant, owner, role); }), Code::conflict);
  EXPECT_EQ(change(merchant, owner, Role::owner).role, Role::owner);
  const auto second = world->person();
  put(merchant, second, Role::owner);
  EXPECT_EQ(removal(merchant, owner), std::nullopt);
  EXPECT_EQ(removal(merchant, second), Code::conflict);
}

TEST_F(Merchants, ConcurrentlyLeavingOwnersLeaveOneBehind) {
  for (int round = 0; round < 5; ++round) {
    const auto shop = world->merchant(owner).id;
    const auto second = world->person();
    put(shop, second, Role::owner);
    auto one = std::async(std::launch::async, [&] { return removal(shop, owner); });
    auto two = std::async(std::launch::async, [&] { return removal(shop, second); });
    const bool first_left = !one.get(), second_left = !two.get();
    EXPECT_NE(first_left, second_left);
    ASSERT_EQ(members(shop).size(), 1u);
    EXPECT_EQ(members(shop)[0].role, Role::owner);
  }
}

// ---- what the processor decided -----------------------------------------------------------------

struct Decisions {
  const char* name;
  std::vector<Onboarding> given;
  Onboarding expected;
};
class OnboardingOrder : public Merchants, public testing::WithParamInterface<Decisions> {};

TEST_P(OnboardingOrder, EndsWhereItShouldWhateverComesFirst) {
  const auto account = "acct_" + text_of(merchant);
  const auto state = [&] {
    return world->transact([&](Tx& tx) { return identity::fetch_merchant(tx, merchant); })
        .onboarding;
  };
  world->transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, account); });
  EXPECT_EQ(state(), Onboarding::in_progress);
  for (const auto decision : GetParam().given)
    world->transact([&](Tx& tx) { identity::settle_onboarding(tx, "sandbox", account, decision); });
  EXPECT_EQ(state(), GetParam().expected);
  // Asking for the page once more takes nothing back, and whoever was accepted keeps their account.
  const auto again = code_of([&] {
    world->transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, account + "b"); });
  });
  const bool is_active = state() == Onboarding::active;
  EXPECT_EQ(again, is_active ? std::optional(Code::conflict) : std::nullopt);
  EXPECT_EQ(state(), GetParam().expected);
  const auto kept = world->transact([&](Tx& tx) { return identity::fetch_merchant(tx, merchant); });
  EXPECT_EQ(kept.processor_account, is_active ? account : account + "b");
}
constexpr auto kActive = Onboarding::active, kRejected = Onboarding::rejected;
INSTANTIATE_TEST_SUITE_P(
    Merchants, OnboardingOrder,
    testing::Values(Decisions{"Accepted", {kActive}, kActive},
                    Decisions{"Rejected", {kRejected}, kRejected},
                    Decisions{"AcceptedTwice", {kActive, kActive}, kActive},
                    Decisions{"RejectedThenAccepted", {kRejected, kActive}, kActive},
                    Decisions{"AcceptedThenALateRejection", {kActive, kRejected}, kActive},
                    Decisions{"All", {kRejected, kActive, kRejected, kActive, kRejected}, kActive}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Merchants, ADecisionAboutAnotherAccountOrByAnotherProcessorChangesNothing) {
  world->transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, "acct_mine"); });
  world->transact([&](Tx& tx) {
    identity::settle_onboarding(tx, "sandbox", "acct_other", kActive);
    identity::settle_onboarding(tx, "paypal", "acct_mine", kActive);
  });
  const auto after =
      world->transact([&](Tx& tx) { return identity::fetch_merchant(tx, merchant); });
  EXPECT_EQ(after.onboarding, Onboarding::in_progress);
  EXPECT_EQ(after.processor_account, "acct_mine");
}

// A business whose questions are answered at the processor, which nobody has heard of yet.
class LostNews : public Merchants {
 protected:
  std::string answered() {
    const processors::Onboarding ask{text_of(merchant), "http://shop.example/back"};
    const auto page = run(world->registry.get("sandbox").onboard(ask));
    const processors::Application application{Secret("Ada Lamp"), Secret("1 Main St, Springfield"),
                                              Secret("123-45-6789")};
    run(world->sandbox.apply(page.account, application));
    return page.account;
  }
  void begin(const std::string& account) {
    world->transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, account); });
  }
  void ask() { run(identity::ask_onboarding(world->db, world->registry)); }
  Onboarding state() {
    return world->transact([&](Tx& tx) { return identity::fetch_merchant(tx, merchant); })
        .onboarding;
  }
};

TEST_F(LostNews, ThatCameBeforeTheAccountWasWrittenDownIsHeardAgain) {
  const auto account = answered();
  world->deliver_webhooks();
  world->run_jobs();
  EXPECT_EQ(state(), Onboarding::pending);
  begin(account);
  world->advance(std::chrono::seconds(6));
  world->run_jobs();
  EXPECT_EQ(state(), Onboarding::active);
}

TEST_F(LostNews, IsMadeUpForByAskingOnceADay) {
  const processors::Onboarding call{text_of(merchant), "http://shop.example/back"};
  begin(run(world->registry.get("sandbox").onboard(call)).account);
  ask();
  EXPECT_EQ(state(), Onboarding::in_progress) << "it has not decided";
  answered();
  ask();
  EXPECT_EQ(state(), Onboarding::in_progress) << "asked today already";
  world->advance(std::chrono::days(1));
  ask();
  EXPECT_EQ(state(), Onboarding::active);
}

TEST_F(Merchants, TwoMerchantsCannotShareAProcessorsAccount) {
  const auto other = world->merchant(world->person()).id;
  world->transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, "acct_shared"); });
  EXPECT_EQ(
      code_of([&] {
        world->transact([&](Tx& tx) { identity::begin_onboarding(tx, other, "acct_shared"); });
      }),
      Code::internal);
}

TEST_F(Merchants, TheDirectoryKnowsWhoseAThingIs) {
  const auto thing = make_uuid_v7();
  world->transact([&](Tx& tx) { identity::enter_directory(tx, thing, merchant); });
  EXPECT_EQ(world->transact([&](Tx& tx) { return identity::merchant_of(tx, thing); }), merchant);
  EXPECT_EQ(
      code_of([] { world->transact([](Tx& tx) { identity::merchant_of(tx, make_uuid_v7()); }); }),
      Code::not_found);
}

}  // namespace merchants_test
}  // namespace bottega::test
