// Migrations: each is applied once however many nodes start, and a database that is not the one of
// this program is refused.
#include "bottega/storage/migrate.hpp"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "support/world.hpp"

namespace bottega::test {
namespace migrate_test {

std::optional<std::string> refusal_of(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::internal);
    return error.what();
  }
}

int migrate_product(const Urls& urls) {
  return migrate(urls.owner, "bottega", bottega_migrations());
}
std::string names_in(const Urls& urls) {
  return execute(urls.owner,
                 "SELECT string_agg(name, ' ' ORDER BY name) FROM bottega.schema_migrations");
}
std::string names_of(std::span<const Migration> migrations) {
  std::string names;
  for (const auto& migration : migrations)
    names += (names.empty() ? "" : " ") + std::string(migration.name);
  return names;
}
int size_of(std::span<const Migration> migrations) { return static_cast<int>(migrations.size()); }

class MigrateConcurrently : public testing::TestWithParam<int> {};

TEST_P(MigrateConcurrently, AnEmptyDatabaseGetsEachMigrationOnce) {
  const auto urls = Cluster::shared().empty_database();
  std::latch start(GetParam());
  std::vector<std::future<int>> nodes;
  for (int node = 0; node < GetParam(); ++node)
    nodes.push_back(std::async(std::launch::async, [&] {
      start.arrive_and_wait();
      return migrate_product(urls);
    }));
  std::vector<int> applied;
  for (auto& node : nodes) applied.push_back(node.get());
  std::ranges::sort(applied);
  EXPECT_EQ(applied.back(), size_of(bottega_migrations())) << "one node has applied all";
  EXPECT_EQ(std::ranges::count(applied, 0), GetParam() - 1) << "and the others none";
  EXPECT_EQ(names_in(urls), names_of(bottega_migrations()));
}
INSTANTIATE_TEST_SUITE_P(Migrate, MigrateConcurrently, testing::Values(2, 8));

TEST(Migrate, ASecondRunAppliesNothing) {
  const auto urls = Cluster::shared().empty_database();
  EXPECT_EQ(migrate_product(urls), size_of(bottega_migrations()));
  EXPECT_EQ(migrate_product(urls), 0);
  EXPECT_EQ(names_in(urls), names_of(bottega_migrations()));
}

TEST(Migrate, WhatIsMissingIsAddedToWhatIsThere) {
  const auto urls = Cluster::shared().empty_database();
  const auto all = bottega_migrations();
  EXPECT_EQ(migrate(urls.owner, "bottega", all.first(2)), 2);
  EXPECT_EQ(names_in(urls), names_of(all.first(2)));
  EXPECT_EQ(migrate_product(urls), size_of(all) - 2);
}

TEST(Migrate, TheMigrationsAreNumberedWithoutAGap) {
  int expected = 0;
  for (const auto& migration : bottega_migrations())
    EXPECT_EQ(std::stoi(std::string(migration.name.substr(0, 4))), ++expected) << migration.name;
  EXPECT_GE(expected, 7);
}

TEST(Migrate, AFileThatWasChangedAfterwardsIsRefusedByName) {
  const auto urls = Cluster::shared().fresh_database();
  std::vector<Migration> changed(bottega_migrations().begin(), bottega_migrations().end());
  const auto sql = std::string(changed[1].sql) + "-- one more word\n";
  changed[1].sql = sql;
  const auto words = refusal_of([&] { migrate(urls.owner, "bottega", changed); });
  ASSERT_TRUE(words);
  EXPECT_NE(words->find(changed[1].name), std::string::npos) << *words;
  EXPECT_TRUE(refusal_of([&] { check_database(urls.app, "bottega", changed); }));
  EXPECT_EQ(names_in(urls), names_of(bottega_migrations()));
}

TEST(Migrate, ADatabaseAheadOfTheProgramIsRefused) {
  const auto urls = Cluster::shared().fresh_database();
  const auto older = bottega_migrations().first(bottega_migrations().size() - 1);
  const auto words = refusal_of([&] { migrate(urls.owner, "bottega", older); });
  ASSERT_TRUE(words);
  EXPECT_NE(words->find("ahead"), std::string::npos) << *words;
  EXPECT_TRUE(refusal_of([&] { check_database(urls.app, "bottega", older); }));
}

TEST(Migrate, ADatabaseBehindTheProgramIsMigratedButNotServedFrom) {
  const auto urls = Cluster::shared().empty_database();
  migrate(urls.owner, "bottega", bottega_migrations().first(3));
  EXPECT_TRUE(refusal_of([&] { check_database(urls.app, "bottega", bottega_migrations()); }));
  migrate_product(urls);
  EXPECT_EQ(refusal_of([&] { check_database(urls.app, "bottega", bottega_migrations()); }),
            std::nullopt);
}

TEST(Migrate, AMigrationThatFailsLeavesNothingOfItselfBehind) {
  const auto urls = Cluster::shared().empty_database();
  const std::vector<Migration> broken = {
      {"0001_fine", "CREATE TABLE fine (n bigint)"},
      {"0002_broken", "CREATE TABLE half (n bigint); SELECT 1 / 0"},
  };
  EXPECT_THROW(migrate(urls.owner, "bottega", broken), std::exception);
  EXPECT_EQ(names_in(urls), "0001_fine");
  EXPECT_EQ(execute(urls.owner, "SELECT to_regclass('bottega.half')"), "");
  const std::vector<Migration> mended = {broken[0], {"0002_broken", "CREATE TABLE half (n text)"}};
  EXPECT_EQ(migrate(urls.owner, "bottega", mended), 1);
}

TEST(Migrate, TheTwoSchemasAreMigratedApart) {
  const auto urls = Cluster::shared().empty_database();
  EXPECT_EQ(migrate(urls.owner, "sandbox", sandbox_migrations()), size_of(sandbox_migrations()));
  EXPECT_EQ(execute(urls.owner, "SELECT to_regclass('bottega.accounts')"), "");
  EXPECT_EQ(migrate_product(urls), size_of(bottega_migrations()));
  EXPECT_NE(execute(urls.owner, "SELECT to_regclass('bottega.accounts')"), "");
}

TEST(Migrate, PreparingAClusterTwiceChangesNothing) {
  const auto urls = Cluster::shared().fresh_database();
  const auto database = execute(urls.superuser, "SELECT current_database()");
  EXPECT_NO_THROW(prepare_cluster(urls.superuser, database));
  EXPECT_EQ(execute(urls.superuser,
                    "SELECT count(*) FROM pg_roles WHERE rolname IN "
                    "('bottega_owner', 'bottega_app', 'bottega_sandbox')"),
            "3");
  EXPECT_EQ(execute(urls.superuser,
                    "SELECT count(*) FROM pg_roles WHERE rolname IN ('bottega_owner', "
                    "'bottega_app', 'bottega_sandbox') AND (rolsuper OR rolcreaterole OR "
                    "rolcreatedb OR rolbypassrls OR rolreplication)"),
            "0");
}

}  // namespace migrate_test
}  // namespace bottega::test
