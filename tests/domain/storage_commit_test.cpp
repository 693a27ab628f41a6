// A commit whose answer is lost: a proxy between the client library and PostgreSQL cuts the
// connection at the worst moments, and the effect is there exactly once all the same.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <future>
#include <thread>

#include "support/world.hpp"

namespace bottega::test {
namespace {

using namespace std::chrono_literals;

// Where the proxy cuts the next commit that passes. `late`: the client is cut off, and the server
// gets the commit only after the client has asked what became of it; `stuck`: the server never gets
// it, nor hears that the client is gone.
enum class Cut : std::uint8_t { never, before, at_once, after, late, stuck };

void send_all(int to, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto n = ::send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

// What came, or nothing where the other side has closed or is silent for 5 s.
std::string receive(int from) {
  pollfd waiting{from, POLLIN, 0};
  if (poll(&waiting, 1, 5'000) != 1) return "";
  std::array<char, 16'384> buffer{};
  const auto n = ::recv(from, buffer.data(), buffer.size(), 0);
  return n <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(n));
}

class Proxy {
 public:
  explicit Proxy(std::string server) : server_(std::move(server)), stop_(eventfd(0, EFD_CLOEXEC)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0)
      throw std::runtime_error("the proxy cannot listen");
    port_ = ntohs(here.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Proxy() {
    eventfd_write(stop_, 1);
    acceptor_.join();
    for (auto& relay : relays_) relay.join();
    for (const int descriptor : {listener_, stop_, late_server_.load()})
      if (descriptor >= 0) close(descriptor);
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint16_t port() const { return port_; }
  void cut_next(Cut where) { next_ = where; }
  bool has_cut() const { return next_ == Cut::never; }
  // Whether the commit that was held back has been given to the server, or found it gone.
  bool is_delivered() const { return late_server_ < 0; }

 private:
  void accept_all() {
    std::array<pollfd, 2> waiting{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) relays_.emplace_back([this, client] { serve(client); });
    }
  }

  int connect_server() const {
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    server_.copy(there.sun_path, sizeof there.sun_path - 1);
    if (connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
      throw std::runtime_error("the proxy cannot reach the server");
    return server;
  }

  void serve(int client) {
    const int server = connect_server();
    const bool keeps_server = relay(client, server);
    close(client);
    if (!keeps_server) {
      close(server);
      deliver_late();
    }
  }

  // Answers true where it kept the server's side for later.
  bool relay(int client, int server) {
    std::array<pollfd, 3> waiting{{{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[2].revents == 0) {
      if (waiting[1].revents != 0) {
        const auto bytes = receive(server);
        if (bytes.empty()) return false;
        send_all(client, bytes);
      }
      if (waiting[0].revents == 0) continue;
      const auto bytes = receive(client);
      if (bytes.empty()) return false;
      const bool commits = bytes.find("INSERT INTO commit_tokens") != bytes.npos;
      const auto cut = commits ? next_.exchange(Cut::never) : Cut::never;
      if (cut == Cut::late || cut == Cut::stuck) {
        late_bytes_ = cut == Cut::late ? bytes : "";
        late_server_ = server;
        return true;
      }
      if (cut != Cut::before) send_all(server, bytes);
      if (cut == Cut::after) receive(server);
      if (cut != Cut::never) return false;
    }
    return false;
  }

  void deliver_late() {
    const int server = late_server_;
    if (server < 0 || late_bytes_.empty() || is_delivering_.exchange(true)) return;
    send_all(server, late_bytes_);
    receive(server);
    late_server_ = -1;
    close(server);
  }

  const std::string server_;
  const int stop_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<Cut> next_{Cut::never};
  std::string late_bytes_;  // written before late_server_, read after it
  std::atomic<int> late_server_{-1};
  std::atomic<bool> is_delivering_{false};
  std::vector<std::thread> relays_;  // only the acceptor's until it has ended
  std::thread acceptor_;
};

std::string word_of(const std::string& url, const std::string& key) {
  const auto start = url.find(key + "=") + key.size() + 1;
  auto word = url.substr(start, url.find(' ', start) - start);
  std::erase(word, '\'');
  return word;
}

const Sql<void(std::int64_t)> kInsert{"test.commit.insert", R"(
    INSERT INTO deeds (number) VALUES ($1))"};
const Sql<std::int64_t(std::int64_t)> kCount{"test.commit.count", R"(
    SELECT count(*) FROM deeds WHERE number = $1)"};

class LostCommitConcurrency : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    urls = std::make_unique<Urls>(Cluster::shared().fresh_database());
    execute(urls->owner,
            "CREATE TABLE bottega.deeds (number bigint NOT NULL);"
            "GRANT SELECT, INSERT ON bottega.deeds TO bottega_app");
  }
  static void TearDownTestSuite() { urls.reset(); }

  DatabaseOptions options() {
    DatabaseOptions options;
    options.url = "host=127.0.0.1 port=" + std::to_string(proxy.port()) +
                  " sslmode=disable gssencmode=disable user=bottega_app dbname=" +
                  word_of(urls->app, "dbname");
    options.threads = 1;
    return options;
  }
  Database::Sink sink() {
    return [this](std::vector<Notice> news) { told += static_cast<int>(news.size()); };
  }
  // Does one deed with a cut at its first commit; answers how often it was tried.
  int deed(Database& db, std::int64_t number, Cut cut) {
    run(db.reachable());
    proxy.cut_next(cut);
    int tries = 0;
    const auto answer = db.transact_blocking([&](Tx& tx) {
      tx.run(kInsert, number);
      tx.announce({{"topic"}, "stream", 0, "done"});
      return ++tries;
    });
    EXPECT_TRUE(proxy.has_cut());
    EXPECT_EQ(answer, tries) << "the answer is not the one of the last try";
    return tries;
  }
  std::int64_t count(std::int64_t number) {
    DatabaseOptions direct;
    direct.url = urls->app;
    direct.threads = 1;
    Database db(direct, clock);
    return db.transact_blocking([&](Tx& tx) { return tx.one(kCount, number); });
  }

  static inline std::unique_ptr<Urls> urls;
  Clock clock;
  Proxy proxy{word_of(urls->app, "host") + "/.s.PGSQL." + word_of(urls->app, "port")};
  std::atomic<int> told{0};
};

TEST_F(LostCommitConcurrency, ThatWasDoneIsLookedUpAndNotRepeated) {
  Database db(options(), clock, sink());
  EXPECT_EQ(deed(db, 1, Cut::after), 1);
  EXPECT_EQ(count(1), 1);
  EXPECT_EQ(db.load().in_doubt, 1u);
  EXPECT_EQ(db.load().retries, 0u);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, ThatWasNeverSentIsLookedUpAndDoneAgain) {
  Database db(options(), clock, sink());
  EXPECT_EQ(deed(db, 2, Cut::before), 2);
  EXPECT_EQ(count(2), 1);
  EXPECT_EQ(db.load().in_doubt, 1u);
  EXPECT_EQ(told, 1) << "what was not committed was told";
}

TEST_F(LostCommitConcurrency, ThatNobodyKnowsAboutIsDoneOnceEitherWay) {
  Database db(options(), clock, sink());
  for (std::int64_t number = 100; number < 110; ++number) {
    EXPECT_LE(deed(db, number, Cut::at_once), 2);
    EXPECT_EQ(count(number), 1) << number;
  }
  EXPECT_EQ(db.load().in_doubt, 10u);
  EXPECT_EQ(told, 10);
}

TEST_F(LostCommitConcurrency, ThatArrivesAfterTheLookUpDoesNotCommitASecondTime) {
  Database db(options(), clock, sink());
  EXPECT_LE(deed(db, 3, Cut::late), 2);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!proxy.is_delivered() && std::chrono::steady_clock::now() < deadline) poll(nullptr, 0, 1);
  ASSERT_TRUE(proxy.is_delivered());
  EXPECT_EQ(count(3), 1);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, ThatIsStuckOnTheWayIsGivenUpAndDoneAgain) {
  Database db(options(), clock, sink());
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(deed(db, 5, Cut::stuck), 2);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 15s) << "it waited for the server to notice";
  EXPECT_EQ(count(5), 1);
  EXPECT_EQ(told, 1);
}

TEST_F(LostCommitConcurrency, LeavesTheDatabaseAsUsableAsBefore) {
  Database db(options(), clock, sink());
  for (const auto cut : {Cut::after, Cut::before, Cut::never, Cut::after}) deed(db, 4, cut);
  EXPECT_EQ(count(4), 4);
  EXPECT_EQ(db.load().in_doubt, 3u);
  EXPECT_EQ(told, 4);
}

// ---- a server that hangs ------------------------------------------------------------------------

const Sql<std::int64_t()> kBackend{"test.commit.backend", "SELECT pg_backend_pid()::bigint"};

class Watchdog : public testing::Test {
 protected:
  DatabaseOptions options(std::chrono::milliseconds statement_timeout) const {
    DatabaseOptions options;
    options.url = urls.app;
    options.threads = 1;
    options.statement_timeout = statement_timeout;
    return options;
  }
  const Urls urls = Cluster::shared().fresh_database();
  Clock clock;
};

TEST_F(Watchdog, CutsAConnectionWhoseServerNoLongerAnswers) {
  Database db(options(300ms), clock);
  const auto backend = [&] {
    return db.transact_blocking([](Tx& tx) { return tx.one(kBackend); });
  };
  const auto stuck = static_cast<pid_t>(backend());
  ASSERT_EQ(kill(stuck, SIGSTOP), 0);
  EXPECT_NE(backend(), stuck) << "another connection was opened";
  EXPECT_GE(db.load().reconnects, 1u);
  kill(stuck, SIGCONT);
}

TEST_F(Watchdog, AStopDoesNotWaitForIt) {
  auto db = std::make_unique<Database>(options(10min), clock);
  const auto stuck =
      static_cast<pid_t>(db->transact_blocking([](Tx& tx) { return tx.one(kBackend); }));
  ASSERT_EQ(kill(stuck, SIGSTOP), 0);
  std::promise<std::exception_ptr> ended;
  db->post(
      Mode::read, [](Tx& tx) { tx.one(kBackend); },
      [&](std::exception_ptr failure) { ended.set_value(failure); });
  db->stop(std::chrono::steady_clock::now());
  auto answer = ended.get_future();
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  kill(stuck, SIGCONT);
}

}  // namespace
}  // namespace bottega::test
