// The private PostgreSQL with the real programs, in a directory of its own under /tmp: it must come
// back from kill -9 of either side, and refuse with words that help.
#include "storage/embedded_postgres.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "bottega/core/error.hpp"

namespace bottega::storage {
namespace embedded_postgres_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Waits for another process to get there: looks again and again, at most 20 s.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = steady_clock::now() + 20s;
  while (steady_clock::now() < deadline) {
    if (condition()) return true;
    poll(nullptr, 0, 2);
  }
  return false;
}

// What psql prints; empty where it fails.
std::string psql(const std::string& url, const std::string& sql) {
  const auto command = "psql -X -At -d \"" + url + "\" -c \"" + sql + "\" 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  std::string output;
  std::array<char, 256> buffer{};
  while (fgets(buffer.data(), buffer.size(), pipe.get())) output += buffer.data();
  return output.substr(0, output.find_last_not_of('\n') + 1);
}

std::string query(const EmbeddedPostgres& postgres, const std::string& sql) {
  return psql(postgres.url(EmbeddedPostgres::kSuperuser, "postgres"), sql);
}

// Its backend sees neither the end of its client nor that of its postmaster, for a moment.
pid_t start_busy_client(const std::string& url) {
  const char* busy =
      "do $$ declare stop timestamptz = now() + '0.7 s'; begin "
      "while clock_timestamp() < stop loop end loop; end $$";
  const auto client = fork();
  if (client == 0) {
    execlp("psql", "psql", "-X", "-q", "-d", url.c_str(), "-c", busy, static_cast<char*>(nullptr));
    _exit(1);
  }
  EXPECT_TRUE(eventually(
      [&] { return psql(url, "select 1 from pg_stat_activity where query like 'do %'") == "1"; }));
  return client;
}

ProcessUser cluster_user() { return choose_user({"postgres", "nobody"}); }

pid_t postmaster_of(const fs::path& data_dir) {
  return std::atoi(contents(data_dir / "postgres/postmaster.pid").c_str());
}

// Never a whole group: what could not be started or was not found has the id 0 or -1.
void signal_to(pid_t pid, int number) { ASSERT_TRUE(pid > 1 && kill(pid, number) == 0); }

bool exists(pid_t pid) { return fs::exists("/proc/" + std::to_string(pid)); }
// A zombie has no arguments any more; an orphan's is for init to remove.
bool runs(pid_t pid) { return !contents("/proc/" + std::to_string(pid) + "/cmdline").empty(); }

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

std::string refusal(const EmbeddedOptions& options, Code code) {
  try {
    const EmbeddedPostgres postgres(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "it was not refused";
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// One directory for all tests, and in it a cluster that most share: whoever is first makes it.
class EmbeddedPostgresTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    char pattern[] = "/tmp/bottega-embedded-XXXXXX";
    root_ = mkdtemp(pattern);
    fs::permissions(root_, fs::perms{0755});
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static EmbeddedOptions options(const std::string& name) {
    EmbeddedOptions result;
    result.data_dir = root_ / name;
    return result;
  }
  static EmbeddedOptions shared() { return options("shared"); }

  // A server process of ours that runs the cluster, and does nothing else until it is killed.
  static pid_t start_elsewhere(const EmbeddedOptions& options) {
    const auto child = fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child != 0) return child;
    try {
      const EmbeddedPostgres postgres(options);
      std::ofstream(root_ / "elsewhere") << "ready";
      for (;;) pause();
    } catch (...) {
      _exit(1);
    }
  }
  static void kill_and_reap(pid_t child) {
    signal_to(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  // The cluster runs, and the process that started it is gone without a word.
  static pid_t orphaned_postmaster(const EmbeddedOptions& options) {
    fs::remove(root_ / "elsewhere");
    const auto child = start_elsewhere(options);
    const bool ready = eventually([] { return contents(root_ / "elsewhere") == "ready"; });
    const auto postmaster = postmaster_of(options.data_dir);
    kill_and_reap(child);
    EXPECT_TRUE(ready && runs(postmaster));
    return postmaster;
  }

  static inline fs::path root_;
};

TEST_F(EmbeddedPostgresTest, first_start_makes_a_private_durable_cluster_and_later_ones_keep_it) {
  const auto chosen = options("it's first");
  const auto data = chosen.data_dir;
  ASSERT_EQ(mkdir(data.c_str(), 0700), 0);  // as mktemp -d makes it
  {
    const EmbeddedPostgres postgres(chosen);
    EXPECT_HAS(postgres.url("o'role", "d"), "it\\'s first/socket' port=5432 user='o\\'role'");
    EXPECT_EQ(query(postgres, "create table kept as select 42 as answer"), "SELECT 1");
    EXPECT_EQ(
        query(postgres,
              "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings "
              "where name in ('listen_addresses', 'data_checksums', 'fsync', 'TimeZone', "
              "'server_encoding', 'synchronous_commit', 'full_page_writes', 'jit', 'DateStyle', "
              "'lc_collate', 'max_connections')"),
        "DateStyle=ISO, MDY TimeZone=UTC data_checksums=on fsync=on full_page_writes=on jit=off "
        "lc_collate=C.UTF-8 listen_addresses= max_connections=100 server_encoding=UTF8 "
        "synchronous_commit=on");
    EXPECT_EQ(mode_of(data / "socket"), 0700u);
    EXPECT_EQ(mode_of(data) & 07u, 0u);
    EXPECT_EQ(mode_of(data / "postgres.log"), 0600u);
    EXPECT_FALSE(fs::exists(data / "postgres.tmp"));
  }
  const EmbeddedPostgres postgres(chosen);
  EXPECT_EQ(query(postgres, "select answer from kept"), "42");
}

TEST_F(EmbeddedPostgresTest, stop_is_clean_and_leaves_no_process) {
  EmbeddedPostgres postgres(shared());
  const auto postmaster = postmaster_of(shared().data_dir);
  ASSERT_TRUE(runs(postmaster));
  postgres.stop();
  EXPECT_FALSE(exists(postmaster));  // not even a zombie
  EXPECT_FALSE(fs::exists(shared().data_dir / "postgres/postmaster.pid"));
  EXPECT_EQ(query(postgres, "select 1"), "");
  postgres.stop();
}

TEST_F(EmbeddedPostgresTest, a_second_server_on_the_same_directory_is_refused) {
  const EmbeddedPostgres postgres(shared());
  const auto words = refusal(shared(), Code::conflict);
  EXPECT_HAS(words, "another bottega serve uses this data directory");
  EXPECT_EQ(query(postgres, "select 1"), "1");
}

TEST_F(EmbeddedPostgresTest, a_killed_postmaster_comes_back_though_a_busy_backend_lingers) {
  auto chosen = shared();
  std::atomic<int> errors = 0;
  chosen.log = [&](std::string_view level, std::string_view) { errors += level == "error"; };
  EmbeddedPostgres postgres(chosen);
  query(postgres, "create table survivor as select 7 as answer");
  const auto client = start_busy_client(postgres.url(EmbeddedPostgres::kSuperuser, "postgres"));
  const auto before = postmaster_of(chosen.data_dir);
  signal_to(before, SIGKILL);
  EXPECT_TRUE(eventually([&] { return query(postgres, "select answer from survivor") == "7"; }));
  EXPECT_NE(postmaster_of(chosen.data_dir), before);
  EXPECT_FALSE(exists(before));
  EXPECT_GE(errors, 1);
  waitpid(client, nullptr, 0);
  query(postgres, "drop table survivor");
}

TEST_F(EmbeddedPostgresTest, a_start_waits_for_the_backends_of_a_killed_postmaster) {
  const auto postmaster = orphaned_postmaster(shared());
  const auto url = "host=" + (shared().data_dir / "socket").string() +
                   " user=" + std::string(EmbeddedPostgres::kSuperuser) + " dbname=postgres";
  const auto client = start_busy_client(url);
  signal_to(postmaster, SIGKILL);
  const EmbeddedPostgres postgres(shared());
  EXPECT_EQ(query(postgres, "select 1"), "1");
  EXPECT_HAS(contents(shared().data_dir / "postgres.log"), "shared memory block");
  waitpid(client, nullptr, 0);
}

TEST_F(EmbeddedPostgresTest, a_postmaster_that_outlived_its_server_is_adopted_watched_and_stopped) {
  const auto postmaster = orphaned_postmaster(shared());
  EmbeddedPostgres postgres(shared());
  EXPECT_EQ(postmaster_of(shared().data_dir), postmaster);
  EXPECT_EQ(query(postgres, "select 1"), "1");
  signal_to(postmaster, SIGKILL);
  EXPECT_TRUE(eventually([&] { return query(postgres, "select 2") == "2"; }));
  const auto next = postmaster_of(shared().data_dir);
  EXPECT_NE(next, postmaster);
  postgres.stop();
  EXPECT_FALSE(exists(next));
}

TEST_F(EmbeddedPostgresTest, a_postmaster_that_is_stopping_is_waited_for) {
  const auto postmaster = orphaned_postmaster(shared());
  signal_to(postmaster, SIGINT);
  const EmbeddedPostgres postgres(shared());
  EXPECT_TRUE(eventually([&] {
    return query(postgres, "select 1") == "1" && postmaster_of(shared().data_dir) != postmaster;
  }));
}

TEST_F(EmbeddedPostgresTest, a_postmaster_with_other_settings_is_replaced) {
  const auto data = shared().data_dir;
  std::vector<std::string> command;
  {
    const EmbeddedPostgres postgres(shared());
    command = look_at_process(postmaster_of(data), data).arguments;
  }
  command.resize(command.size() - 2);  // without "-c log_checkpoints=off"
  auto stranger =
      Process::start({.arguments = command, .user = cluster_user(), .lifetime = Lifetime::its_own});
  ASSERT_TRUE(eventually([&] { return postmaster_of(data) == stranger.pid(); }));
  const EmbeddedPostgres postgres(shared());
  EXPECT_EQ(stranger.wait(0ms), Wake::exited);
  EXPECT_EQ(query(postgres, "show log_checkpoints"), "off");
}

TEST_F(EmbeddedPostgresTest, a_stale_pid_file_that_names_another_living_process_is_no_obstacle) {
  std::string file;
  {
    const EmbeddedPostgres postgres(shared());
    file = contents(shared().data_dir / "postgres/postmaster.pid");
  }
  // Of the cluster's own user, so that PostgreSQL itself would take it for a postmaster.
  auto sleeper = Process::start({.arguments = {"/bin/sleep", "60"}, .user = cluster_user()});
  const auto path = shared().data_dir / "postgres/postmaster.pid";
  std::ofstream(path) << sleeper.pid() << file.substr(file.find('\n'));
  fs::permissions(path, fs::perms{0644});
  {
    const EmbeddedPostgres postgres(shared());
    EXPECT_EQ(query(postgres, "select 1"), "1");
    EXPECT_TRUE(runs(sleeper.pid()));
  }
  sleeper.signal(SIGKILL);
  EXPECT_EQ(sleeper.wait(10s), Wake::exited);
}

TEST_F(EmbeddedPostgresTest, a_server_killed_while_it_makes_the_cluster_leaves_nothing_half_made) {
  const auto data = options("half").data_dir;
  const auto child = start_elsewhere(options("half"));
  EXPECT_TRUE(eventually([&] { return fs::exists(data / "postgres.tmp/base/1"); }));
  kill_and_reap(child);
  EXPECT_FALSE(fs::exists(data / "postgres"));
  const EmbeddedPostgres postgres(options("half"));
  EXPECT_EQ(query(postgres, "select 1"), "1");
  EXPECT_FALSE(fs::exists(data / "postgres.tmp"));
}

TEST_F(EmbeddedPostgresTest, the_log_holds_no_statement_and_no_row) {
  const EmbeddedPostgres postgres(shared());
  // One transaction, which the second row undoes.
  query(postgres,
        "create table people (name text primary key); insert into people values "
        "('Ada Secretive'); insert into people values ('Ada Secretive')");
  const auto log = contents(shared().data_dir / "postgres.log");
  EXPECT_HAS(log, "duplicate key value");
  EXPECT_EQ(log.find("Secretive"), std::string::npos);
}

TEST_F(EmbeddedPostgresTest, an_overlong_path_gets_a_short_private_socket_directory) {
  const auto chosen = options(std::string(100, 'a') + "/it's");
  fs::path host;
  {
    const EmbeddedPostgres postgres(chosen);
    EXPECT_EQ(query(postgres, "select 1"), "1");
    const auto url = postgres.url("role", "database");
    host = url.substr(6, url.find('\'', 6) - 6);
    EXPECT_LT(host.native().size(), 90u);
    EXPECT_EQ(mode_of(host), 0700u);
  }
  fs::permissions(host, fs::perms{0777});
  EXPECT_HAS(refusal(chosen, Code::internal), "others may write into it");
  fs::remove_all(host);
  fs::create_symlink(root_, host);
  EXPECT_HAS(refusal(chosen, Code::internal), host.string());
  fs::remove(host);
}

TEST_F(EmbeddedPostgresTest, missing_programs_are_named_with_both_ways_out) {
  auto chosen = options("programs");
  chosen.bin_dir = "/nowhere";
  const auto words = refusal(chosen, Code::internal);
  EXPECT_HAS(words, "apt-get install postgresql-15");
  EXPECT_HAS(words, "set database.url");
}

TEST_F(EmbeddedPostgresTest, a_cluster_of_a_version_that_is_not_installed_is_left_alone) {
  const auto file = options("old").data_dir / "postgres/PG_VERSION";
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "9\n";
  ASSERT_EQ(chown(file.c_str(), cluster_user().uid, cluster_user().gid), 0);
  const auto words = refusal(options("old"), Code::internal);
  EXPECT_HAS(words, "made by PostgreSQL 9,");
  EXPECT_HAS(words, "apt-get install postgresql-9)");
  EXPECT_EQ(contents(file), "9\n");
}

TEST_F(EmbeddedPostgresTest, a_directory_that_the_user_cannot_reach_is_named_and_left_as_it_is) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs PostgreSQL as another user";
  const auto closed = root_ / "closed";
  ASSERT_EQ(mkdir(closed.c_str(), 0700), 0);
  const auto words = refusal(options("closed/data"), Code::internal);
  EXPECT_HAS(words, "may not enter " + closed.string() + " ");
  EXPECT_HAS(words, "set data.dir");
  EXPECT_EQ(mode_of(closed), 0700u);
  EXPECT_TRUE(fs::is_empty(closed));
}

TEST_F(EmbeddedPostgresTest, the_postmaster_has_a_session_and_descriptors_of_its_own) {
  const auto marked = root_ / "unmarked descriptor";
  const int leak = open(marked.c_str(), O_RDWR | O_CREAT, 0600);  // as a careless library opens it
  const EmbeddedPostgres postgres(shared());
  const auto postmaster = postmaster_of(shared().data_dir);
  EXPECT_EQ(getsid(postmaster), postmaster);
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(postmaster) + "/fd"))
    EXPECT_NE(fs::read_symlink(entry.path()), marked);
  close(leak);
}

TEST(ChildProcess, starts_with_no_signal_blocked_or_ignored_and_nothing_of_our_environment) {
  setenv("BOTTEGA_SECRET_OF_THE_TEST", "1", 1);
  setenv("PGOPTIONS", "-c fsync=off", 1);
  const auto before = signal(SIGUSR1, SIG_IGN);
  Outcome status{}, environment{};
  {
    const SignalsBlocked blocked;
    const auto user = cluster_user();
    status = run_program({"/bin/cat", "/proc/self/status"}, user, 10s);
    environment = run_program({"/usr/bin/env"}, user, 10s);
  }
  signal(SIGUSR1, before);
  unsetenv("BOTTEGA_SECRET_OF_THE_TEST");
  unsetenv("PGOPTIONS");
  EXPECT_TRUE(status.succeeded && environment.succeeded);
  EXPECT_HAS(status.output, "SigBlk:\t0000000000000000");
  EXPECT_HAS(status.output, "SigIgn:\t0000000000000000");
  EXPECT_EQ(status.output.find("Uid:\t0"), std::string::npos);
  EXPECT_HAS(environment.output, "LC_ALL=C.UTF-8");
  EXPECT_EQ(environment.output.find("BOTTEGA"), std::string::npos);
  EXPECT_EQ(environment.output.find("PGOPTIONS"), std::string::npos);
}

TEST(ChildProcess, a_program_that_cannot_start_or_hangs_is_told_apart_from_one_that_ends) {
  const auto user = cluster_user();
  EXPECT_THROW(run_program({"/nowhere/program"}, user, 10s), Error);
  EXPECT_TRUE(run_program({"/bin/true"}, user, 10s).succeeded);
  EXPECT_FALSE(run_program({"/bin/false"}, user, 10s).succeeded);
  EXPECT_FALSE(run_program({"/bin/sleep", "60"}, user, 0s).succeeded);
  EXPECT_LE(waitpid(-1, nullptr, WNOHANG), 0);  // and leaves no zombie
}

}  // namespace embedded_postgres_test
}  // namespace bottega::storage
