// The check before serving: settings that lose commits and roles that could change history are
// refused, with words that say why.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/embedded_postgres.hpp"
#include "support/shared.hpp"
#include "support/world.hpp"
#include "bottega/storage/migrate.hpp"

namespace bottega::test {
namespace migrate_check_test {

// The words of the refusal; "" where the database is fit.
std::string check(const std::string& url) {
  try {
    check_database(url, "bottega", bottega_migrations());
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::internal);
    return error.what();
  }
}

std::string with_user(std::string url, const std::string& role) {
  const std::string user = "bottega_app";
  return url.replace(url.find(user), user.size(), role);
}

bool mentions(const std::string& words, const std::string& word) {
  return words.find(word) != std::string::npos;
}

TEST(CheckDatabase, AMigratedDatabaseOfTheAppsRoleIsFit) {
  const auto urls = Cluster::shared().fresh_database();
  EXPECT_EQ(check(urls.app), "");
  EXPECT_NO_THROW(check_database(urls.sandbox, "sandbox", sandbox_migrations()));
}

TEST(CheckDatabase, AnEmptyDatabaseHasNoSchemaYet) {
  const auto urls = Cluster::shared().empty_database();
  EXPECT_TRUE(mentions(check(urls.app), "no schema yet"));
}

TEST(CheckDatabase, ASchemaThatTheRoleMayNotSeeCountsAsNone) {
  const auto urls = Cluster::shared().fresh_database();
  EXPECT_TRUE(mentions(check(urls.sandbox), "no schema yet"));
}

TEST(CheckDatabase, SynchronousCommitOffIsRefused) {
  const auto urls = Cluster::shared().fresh_database();
  const auto name = execute(urls.superuser, "SELECT current_database()");
  execute(urls.superuser, "ALTER DATABASE " + name + " SET synchronous_commit = off");
  EXPECT_TRUE(mentions(check(urls.app), "synchronous_commit"));
  for (const auto* durable : {"on", "local", "remote_apply"}) {
    execute(urls.superuser, "ALTER DATABASE " + name + " SET synchronous_commit = " + durable);
    EXPECT_EQ(check(urls.app), "") << durable;
  }
}

TEST(CheckDatabase, SynchronousCommitOffForTheRoleAloneIsRefused) {
  const auto urls = Cluster::shared().fresh_database();
  execute(urls.superuser, "CREATE ROLE hasty LOGIN IN ROLE bottega_app");
  execute(urls.superuser, "ALTER ROLE hasty SET synchronous_commit = off");
  EXPECT_TRUE(mentions(check(with_user(urls.app, "hasty")), "synchronous_commit"));
  execute(urls.superuser, "DROP ROLE hasty");
}

// A private cluster that somebody started by hand, with a setting of their own.
class UnsafeCluster : public testing::TestWithParam<const char*> {
 protected:
  UnsafeCluster() {
    const auto data = dir.path() / "data";
    storage::EmbeddedPostgres postgres({data, "", "postgres", [](auto, const auto&) {}});
    const auto superuser = postgres.url(storage::EmbeddedPostgres::kSuperuser, "postgres");
    prepare_cluster(superuser, "bottega");
    migrate(postgres.url("bottega_owner", "bottega"), "bottega", bottega_migrations());
    url = postgres.url("bottega_app", "bottega");
    struct stat owner {};
    if (stat((data / "postgres").c_str(), &owner) != 0) throw std::runtime_error("no cluster");
    user = storage::user_of_id(owner.st_uid, owner.st_gid);
    const auto pid = std::stoi(read_file(data / "postgres" / "postmaster.pid"));
    command = storage::look_at_process(pid, data / "postgres").arguments;
  }
  // Starts it and waits until it answers.
  storage::Process start(const std::string& setting, const std::string& value) {
    auto words = command;
    std::ranges::replace(words, setting + "=on", setting + "=" + value);
    EXPECT_EQ(words == command, value == "on");
    auto process = storage::Process::start({.arguments = words, .user = user});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) try {
        execute(url, "SELECT 1");
        return process;
      } catch (const std::exception&) {
        if (std::chrono::steady_clock::now() > deadline) throw;
        process.wait(std::chrono::milliseconds(10));
      }
  }
  static void stop(storage::Process process) {
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(std::chrono::seconds(30)), storage::Wake::exited);
  }
  TempDir dir;
  std::string url;
  storage::ProcessUser user{};
  std::vector<std::string> command;
};

TEST_P(UnsafeCluster, IsRefusedUntilTheSettingIsOnAgain) {
  const std::string setting = GetParam();
  auto unsafe = start(setting, "off");
  EXPECT_TRUE(mentions(check(url), setting + " is off")) << check(url);
  stop(std::move(unsafe));
  auto safe = start(setting, "on");
  EXPECT_EQ(check(url), "");
  stop(std::move(safe));
}
INSTANTIATE_TEST_SUITE_P(CheckDatabase, UnsafeCluster,
                         testing::Values("fsync", "full_page_writes"));

TEST(CheckDatabase, ASuperuserIsRefused) {
  const auto urls = Cluster::shared().fresh_database();
  EXPECT_TRUE(mentions(check(urls.superuser), "more than ordinary rights"));
}

TEST(CheckDatabase, TheOwnerOfTheSchemaIsRefused) {
  const auto urls = Cluster::shared().fresh_database();
  EXPECT_TRUE(mentions(check(urls.owner), "may change the schema"));
}

// A right that the server's role must not have, and how it might have come to it.
struct Right {
  const char* name;
  const char* grant;  // to the role `server`, which is a member of bottega_app
  const char* words;
};
class TooManyRights : public testing::TestWithParam<Right> {};

TEST_P(TooManyRights, AreRefused) {
  const auto urls = Cluster::shared().fresh_database();
  execute(urls.superuser, "CREATE ROLE server LOGIN IN ROLE bottega_app");
  const auto url = with_user(urls.app, "server");
  EXPECT_EQ(check(url), "") << "a member of bottega_app is fit";
  execute(urls.superuser, GetParam().grant);
  EXPECT_TRUE(mentions(check(url), GetParam().words)) << check(url);
  execute(urls.superuser, "DROP OWNED BY server; DROP ROLE server");
}
INSTANTIATE_TEST_SUITE_P(
    CheckDatabase, TooManyRights,
    testing::Values(
        Right{"CreateRole", "ALTER ROLE server CREATEROLE", "more than ordinary rights"},
        Right{"CreateDatabase", "ALTER ROLE server CREATEDB", "more than ordinary rights"},
        Right{"BypassRowSecurity", "ALTER ROLE server BYPASSRLS", "more than ordinary rights"},
        Right{"MembershipInTheOwner", "GRANT bottega_owner TO server", "may change the schema"},
        Right{"CreateInTheSchema", "GRANT CREATE ON SCHEMA bottega TO server",
              "may change the schema"},
        Right{"UpdateOfTransfers", "GRANT UPDATE ON bottega.ledger_transfers TO server",
              "may alter the ledger"},
        Right{"UpdateOfOneColumn", "GRANT UPDATE (amount) ON bottega.ledger_transfers TO server",
              "may alter the ledger"},
        Right{"DeleteOfTransfers", "GRANT DELETE ON bottega.ledger_transfers TO server",
              "may alter the ledger"},
        Right{"TruncateOfTransfers", "GRANT TRUNCATE ON bottega.ledger_transfers TO server",
              "may alter the ledger"},
        Right{"UpdateOfBalances", "GRANT UPDATE ON bottega.ledger_accounts TO server",
              "may alter the ledger"},
        Right{"InsertOfBalances", "GRANT INSERT ON bottega.ledger_accounts TO server",
              "may alter the ledger"},
        Right{"DeleteOfTheAuditLog", "GRANT DELETE ON bottega.audit_log TO server",
              "may alter the ledger or the audit log"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace migrate_check_test
}  // namespace bottega::test
