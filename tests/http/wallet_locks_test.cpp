// The order of the locks that a top-up takes, seen from another session.
#include <future>

#include "http/story.hpp"

namespace bottega::test {
namespace wallet_locks_test {

// Holds the account until somebody waits for a lock, 30 seconds at most, and answers whether the
// counters of what this person pays were free then.
std::string hold_account(const std::string& url, const std::string& email) {
  const auto of_them = " FROM bottega.accounts WHERE lower(email) = lower('" + email + "')";
  return execute(url, "SELECT id" + of_them +
                          " FOR NO KEY UPDATE;"
                          "DO $$ BEGIN FOR i IN 1 .. 3000 LOOP "
                          "EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); "
                          "PERFORM pg_sleep(0.01); END LOOP; END $$;"
                          "SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) "
                          "THEN 'nobody waits' WHEN pg_try_advisory_xact_lock("
                          "hashtextextended('flows ' || id::text, 0)) THEN 'free' "
                          "ELSE 'taken' END" +
                          of_them);
}

// A payment holds the buyer's account before it counts. A top-up that counted first would have one
// of the two begin again.
TEST(WalletLocks, OfATopUpAreTheAccountAndThenTheCounters) {
  House house;
  auto ada = person(house.server, "Ada");
  const auto& url = house.urls.superuser;
  auto counters = std::async(std::launch::async, [&] { return hold_account(url, ada.email); });
  ASSERT_TRUE(soon([&] {
    return execute(url,
                   "SELECT count(*) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND wait_event = 'PgSleep'") == "1";
  }));
  const auto charged = ada.api.post(
      "/v1/wallet/top_ups",
      {{"amount", 5'000}, {"currency", "USD"}, {"payment_method", {{"token", "tok_approved"}}}});
  EXPECT_EQ(charged.status, 201) << charged.body;
  EXPECT_EQ(counters.get(), "free");
}

}  // namespace wallet_locks_test
}  // namespace bottega::test
