// Passwords: argon2id with the given cost, the same work for whoever does not exist, and a bounded
// queue.
#include "bottega/identity/passwords.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "support/errors.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace identity_passwords_test {

using identity::PasswordCost, identity::Passwords;

// The least that libsodium takes: these tests are not about the cost.
constexpr PasswordCost kCheap{1, 8192};

TEST(Passwords, AreKeptAsArgon2idInThePhcForm) {
  const auto hash = identity::hash_password(Secret("correct horse"), {2, 64 * 1024});
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=64,t=2,p=1$")) << hash;
  EXPECT_EQ(std::ranges::count(hash, '$'), 5);
  EXPECT_EQ(hash.find("correct"), hash.npos);
}

TEST(Passwords, AreSaltedSoThatTwoHashesOfOneDiffer) {
  const Secret password("correct horse");
  const auto one = identity::hash_password(password, kCheap);
  const auto two = identity::hash_password(password, kCheap);
  EXPECT_NE(one, two);
  EXPECT_TRUE(identity::password_matches(one, password));
  EXPECT_TRUE(identity::password_matches(two, password));
}

TEST(Passwords, MatchOnlyThemselves) {
  const auto hash = identity::hash_password(Secret("pässwörd 10"), kCheap);
  EXPECT_TRUE(identity::password_matches(hash, Secret("pässwörd 10")));
  for (const auto* wrong : {"pässwörd 1", "pässwörd 100", "Pässwörd 10", "passwörd 10", "", " "})
    EXPECT_FALSE(identity::password_matches(hash, Secret(wrong))) << wrong;
}

TEST(Passwords, NothingMatchesWhatIsNoHash) {
  for (const auto* hash : {"", "no password", "$argon2id$", "$2b$10$abcdefghijklmnopqrstuv"})
    EXPECT_FALSE(identity::password_matches(hash, Secret(hash))) << hash;
}

TEST(Passwords, ALongOneCountsToItsLastByte) {
  const std::string text(200, 'x');
  const auto hash = identity::hash_password(Secret(text), kCheap);
  EXPECT_TRUE(identity::password_matches(hash, Secret(text)));
  EXPECT_FALSE(identity::password_matches(hash, Secret(text.substr(1) + "y")));
}

TEST(Passwords, ThePoolHashesAndMatches) {
  Passwords passwords(kCheap, 1, 8);
  const Secret password("correct horse"), wrong("wrong horse!");
  const std::optional<std::string> hash = run(passwords.hash(password));
  EXPECT_TRUE(run(passwords.matches(hash, password)));
  EXPECT_FALSE(run(passwords.matches(hash, wrong)));
}

// With a cost that dwarfs everything else, whoever does not exist must take as long.
TEST(Passwords, SomebodyWhoDoesNotExistTakesAsMuchWork) {
  Passwords passwords({8, 8 * 1024 * 1024}, 1, 8);
  const Secret password("correct horse");
  const std::optional<std::string> hash = run(passwords.hash(password));
  const auto time = [&](const std::optional<std::string>& known, bool expected) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      const auto began = std::chrono::steady_clock::now();
      EXPECT_EQ(run(passwords.matches(known, password)), expected);
      best = std::min(best, std::chrono::steady_clock::now() - began);
    }
    return best;
  };
  const auto known = time(hash, true), unknown = time(std::nullopt, false);
  EXPECT_GT(unknown, known / 3);
  EXPECT_LT(unknown, known * 3);
}

TEST(PasswordsConcurrency, MoreThanMayWaitAreRefusedAndTheRestIsServed) {
  Passwords passwords({4, 8 * 1024 * 1024}, 1, 2);
  const Secret password("correct horse");
  Context io;
  std::vector<std::future<std::string>> tries;
  for (int i = 0; i < 6; ++i)
    tries.push_back(asio::co_spawn(*io, passwords.hash(password), asio::use_future));
  io->run();
  int served = 0, refused = 0;
  for (auto& one : tries) try {
      EXPECT_TRUE(identity::password_matches(one.get(), password));
      ++served;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::busy);
      EXPECT_TRUE(error.retry_after());
      ++refused;
    }
  EXPECT_GE(served, 2);
  EXPECT_GE(refused, 1);
  EXPECT_TRUE(run(passwords.matches(run(passwords.hash(password)), password)))
      << "the places are free again";
}

TEST(Passwords, APlaceIsKeptUntilItIsUsedOrGivenUp) {
  Passwords passwords(kCheap, 1, 1);
  const Secret password("correct horse");
  const std::optional<std::string> hash = identity::hash_password(password, kCheap);
  const auto others = [&] { return code_of([&] { run(passwords.matches(hash, password)); }); };
  {
    Passwords::Place place(passwords);
    EXPECT_EQ(others(), Code::busy);
    EXPECT_EQ(code_of([&] { Passwords::Place another(passwords); }), Code::busy);
    EXPECT_TRUE(run(passwords.matches(place, hash, password)));
    EXPECT_EQ(others(), std::nullopt) << "it was used";
  }
  { Passwords::Place place(passwords); }
  EXPECT_EQ(others(), std::nullopt);
}

// ---- changing a password ------------------------------------------------------------------------

class PasswordChange : public testing::Test {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  identity::Credential credential() {
    return world->transact([&](Tx& tx) {
      return identity::find_credential(tx, identity::fetch_account(tx, who.account).email).value();
    });
  }
  std::optional<Code> change(const identity::Credential& checked, const std::string& hash) {
    return code_of(
        [&] { world->transact([&](Tx& tx) { identity::set_password(tx, checked, hash, {}); }); });
  }
  static inline std::unique_ptr<World> world;
  const identity::Who who = world->person();
};

TEST_F(PasswordChange, IsRefusedWhereTheOldOneIsNoLongerTheOldOne) {
  const auto checked = credential();
  EXPECT_EQ(change(checked, "new"), std::nullopt);
  EXPECT_EQ(change(checked, "the attacker's"), Code::conflict);
  EXPECT_EQ(credential().password_hash, "new");
}

TEST_F(PasswordChange, IsRefusedToASessionThatHasEnded) {
  const auto checked = credential();
  world->transact([&](Tx& tx) { identity::end_all_sessions(tx, who.account, "a test"); });
  EXPECT_EQ(
      code_of([&] {
        world->transact([&](Tx& tx) { identity::set_password(tx, checked, "new", who.session); });
      }),
      Code::unauthenticated);
  EXPECT_EQ(credential().password_hash, checked.password_hash);
}

TEST_F(PasswordChange, IsDoneOnceConcurrently) {
  const auto checked = credential();
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { done += change(checked, std::to_string(i)) ? 0 : 1; });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 1);
}

TEST_F(PasswordChange, MakesALoginThatWasCheckedBeforeItWorthless) {
  const auto checked = credential();
  ASSERT_EQ(change(checked, "new"), std::nullopt);
  EXPECT_EQ(
      code_of([&] { world->transact([&](Tx& tx) { identity::hold_credential(tx, checked); }); }),
      Code::unauthenticated);
}

}  // namespace identity_passwords_test
}  // namespace bottega::test
