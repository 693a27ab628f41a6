// A transaction from BEGIN to a commit whose outcome is known.
#include "storage/session.hpp"

#include <sys/socket.h>

#include <pqxx/nontransaction>
#include <thread>

#include "bottega/core/log.hpp"

namespace bottega::storage {
namespace {

constexpr const char* kBegin = "BEGIN READ WRITE";
// The times are in milliseconds.
constexpr const char* kBeginBatch =
    "BEGIN READ WRITE; SET LOCAL lock_timeout = 500; "
    "SET LOCAL plan_cache_mode = force_generic_plan";
constexpr int kTriesMax = 3;
constexpr auto kLookUpPatience = std::chrono::seconds(20);
constexpr auto kLookUpPause = std::chrono::milliseconds(50);

class PgRows final : public Rows {
 public:
  explicit PgRows(pqxx::result rows) : rows_(std::move(rows)) {}
  std::size_t size() const override { return rows_.size(); }
  std::size_t affected() const override { return rows_.affected_rows(); }
  std::size_t column(const char* name) const override {
    try {
      return static_cast<std::size_t>(rows_.column_number(name));
    } catch (const pqxx::argument_error&) {
      throw std::logic_error(std::string("a statement does not return the column ") + name);
    }
  }
  std::optional<std::string_view> at(std::size_t row, std::size_t column) const override {
    const auto field =
        rows_[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)];
    if (field.is_null()) return std::nullopt;
    return std::string_view(field.c_str(), field.size());
  }

 private:
  pqxx::result rows_;
};

// While it lives, a statement is on its way.
struct OnItsWay {
  explicit OnItsWay(Lifeline& given) : lifeline(given) { lifeline.begin(); }
  OnItsWay(const OnItsWay&) = delete;
  OnItsWay& operator=(const OnItsWay&) = delete;
  ~OnItsWay() { lifeline.end(); }
  Lifeline& lifeline;
};

class PgTx final : public Tx {
 public:
  PgTx(Session::Connection& connection, Instant now)
      : Tx(now), connection_(connection), work_(*connection.link) {}
  PgTx(Session::Connection& connection, Instant now, std::string commit_token, bool was_committed)
      : Tx(now, std::move(commit_token), was_committed),
        connection_(connection),
        work_(*connection.link) {}
  using Tx::take_notices;

  void command(const std::string& sql) {
    const OnItsWay statement(*connection_.lifeline);
    work_.exec(sql);
  }

  // Ends the transaction without effect; a lost connection has done so already.
  void roll_back() noexcept { try_command("ROLLBACK"); }
  bool lost() const { return lost_; }
  bool answers() noexcept {
    try_command("SELECT 1");
    return !lost_;
  }

 private:
  std::unique_ptr<Rows> execute(const SqlText& sql, const SqlArguments& arguments) override {
    const OnItsWay statement(*connection_.lifeline);
    if (connection_.prepared.insert(sql.name).second)
      connection_.link->prepare(std::string(sql.name), std::string(sql.text));
    std::vector<const char*> values;
    values.reserve(arguments.size());
    for (const auto& argument : arguments) values.push_back(argument ? argument->c_str() : nullptr);
    return std::make_unique<PgRows>(
        work_.exec_prepared(std::string(sql.name), pqxx::prepare::make_dynamic_params(values)));
  }

  void try_command(const char* sql) noexcept {
    try {
      command(sql);
    } catch (const std::exception&) {
      lost_ = true;
    }
  }

  Session::Connection& connection_;
  pqxx::nontransaction work_;
  bool lost_ = false;
};

// What a statement that failed means to the request. 57014: cancelled by statement_timeout;
// 55P03: lock_timeout; class 53: the server lacks resources; 25006: a write in a read-only
// transaction.
[[noreturn]] void rethrow(const pqxx::sql_error& failure) {
  const auto& state = failure.sqlstate();
  if (state == "55P03") throw Contended("the database is too busy");
  if (state == "57014" || state.starts_with("53"))
    throw Error(Code::busy, "the database is too busy").retry_after(std::chrono::seconds(1));
  // The first line only: what comes after it (DETAIL) quotes the row, and so people's addresses.
  const std::string message = failure.what();
  log::error("database.statement_failed",
             {{"sqlstate", state}, {"message", message.substr(0, message.find('\n'))}});
  throw Error(Code::internal, "a statement failed");
}

// 57P01 to 57P03: the server is going down or coming up. Class 08: the connection is no more.
bool connection_is_lost(const pqxx::sql_error& failure) {
  return failure.sqlstate().starts_with("57P") || failure.sqlstate().starts_with("08");
}

template <class F>
struct Finally {
  explicit Finally(F given) : action(std::move(given)) {}
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;
  ~Finally() { action(); }
  F action;
};

Error unreachable() {
  return Error(Code::busy, "the database cannot be reached").retry_after(std::chrono::seconds(2));
}

}  // namespace

std::unique_ptr<pqxx::connection> connect(const DatabaseOptions& options) {
  const auto seconds = std::max<std::int64_t>(
      2, std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count());
  const std::string url = options.url;
  const bool is_uri = url.starts_with("postgresql://") || url.starts_with("postgres://");
  const std::string limit = "connect_timeout=" + std::to_string(seconds);
  const std::string separator = is_uri ? (url.find('?') == url.npos ? "?" : "&") : " ";
  auto link = std::make_unique<pqxx::connection>(url + separator + limit);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // A connection that comes back by itself would carry on in the middle of a transaction it has
  // lost.
  link->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  pqxx::nontransaction work(*link);
  const auto ms = [](std::chrono::milliseconds value) { return std::to_string(value.count()); };
  work.exec("SET search_path = " + work.quote_name(options.schema) +
            "; SET TIME ZONE 'UTC'; SET datestyle = ISO; SET client_encoding = 'UTF8'"
            "; SET client_min_messages = warning; SET default_transaction_read_only = on"
            "; SET statement_timeout = " +
            ms(options.statement_timeout) + "; SET lock_timeout = " + ms(options.lock_timeout) +
            "; SET idle_in_transaction_session_timeout = " + ms(options.statement_timeout * 2));
  for (const auto& [name, value] : options.parameters)
    work.exec("SET " + work.quote_name(name) + " = " + work.quote(value));
  return link;
}

void Lifeline::hold(int socket) {
  const std::lock_guard lock(mutex_);
  socket_ = socket;
  since_.reset();
}

void Lifeline::begin() {
  const std::lock_guard lock(mutex_);
  since_ = std::chrono::steady_clock::now();
}

void Lifeline::end() {
  const std::lock_guard lock(mutex_);
  since_.reset();
}

void Lifeline::cut_before(Time then) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0 && since_ && *since_ < then) shutdown(socket_, SHUT_RDWR);
}

void Session::run(Mode mode, const Operation& operation) {
  for (int tries = 1;; ++tries) {
    try {
      if (!connection_) open();
      attempt(mode, operation);
      return;
    } catch (const pqxx::transaction_rollback&) {  // serialization failure or deadlock
      ++counters_.retries;
      if (tries == kTriesMax) throw Contended("too many did the same at once");
    } catch (const pqxx::broken_connection& lost) {
      reconnect(lost.what());
      if (tries == kTriesMax) throw unreachable();
    } catch (const pqxx::unique_violation& failure) {
      if (mode == Mode::single) throw Collision();
      // Somebody else was quicker: what the operation asks for first it now finds.
      if (tries > 1) rethrow(failure);
      ++counters_.retries;
    } catch (const pqxx::sql_error& failure) {
      if (!connection_is_lost(failure)) rethrow(failure);
      reconnect(failure.what());
      if (tries == kTriesMax) throw unreachable();
    }
  }
}

void Session::let_go() {
  lifeline_.hold(-1);
  connection_.reset();
}

void Session::reconnect(const char* reason) {
  let_go();
  ++counters_.reconnects;
  if (!is_down_) log::warning("database.connection_lost", {{"message", std::string(reason)}});
  is_down_ = true;  // said once, not at every try
}

void Session::open() {
  Connection fresh;
  fresh.link = connect(options_);
  pqxx::nontransaction work(*fresh.link);
  const auto row = work.exec1(
      "SELECT pg_backend_pid(), coalesce((SELECT backend_start::text FROM pg_stat_activity "
      "WHERE pid = pg_backend_pid()), '')");
  fresh.backend = row[0].as<int>();
  fresh.backend_start = row[1].as<std::string>();
  work.abort();
  fresh.lifeline = &lifeline_;
  connection_.emplace(std::move(fresh));
  lifeline_.hold(connection_->link->sock());
  if (is_down_) log::info("database.connection_restored");
  is_down_ = false;
}

void Session::attempt(Mode mode, const Operation& operation) {
  if (mode == Mode::write) return attempt_write(kBegin, operation);
  if (mode == Mode::batch) return attempt_write(kBeginBatch, operation);
  if (mode == Mode::single) return attempt_single(operation);
  PgTx tx(*connection_, clock_.now());
  operation(tx);
}

// The commit carries a token row of its own. Where the answer to the commit is lost, the token says
// what became of it: there or not there, never a guess.
void Session::attempt_write(const char* begin, const Operation& operation) {
  const auto token = uuid_text(make_uuid_v7());
  std::vector<Notice> notices;
  bool lost = false;
  const auto forget_lost = Finally([&] {
    if (lost) let_go();
  });
  {
    PgTx tx(*connection_, clock_.now());
    tx.command(begin);
    try {
      operation(tx);
    } catch (...) {
      tx.roll_back();
      lost = tx.lost();
      throw;
    }
    notices = tx.take_notices();
    try {
      tx.command("INSERT INTO commit_tokens (token) VALUES ('" + token + "'); COMMIT");
    } catch (const pqxx::failure&) {
      tx.roll_back();
      // A connection that still answers has refused the commit; a broken one has told us nothing.
      lost = tx.lost();
      if (!lost || look_up(token) == Commit::undone) throw;
    }
  }
  if (sink_ && !notices.empty()) sink_(std::move(notices));
}

// The same with one statement, which carries the token itself.
void Session::attempt_single(const Operation& operation) {
  const auto token = uuid_text(make_uuid_v7());
  std::vector<Notice> notices;
  bool lost = false;
  const auto forget_lost = Finally([&] {
    if (lost) let_go();
  });
  {
    PgTx tx(*connection_, clock_.now(), token, false);
    try {
      operation(tx);
      notices = tx.take_notices();
    } catch (const pqxx::failure&) {
      lost = !tx.answers();
      if (!lost || look_up(token) == Commit::undone) throw;
    }
  }
  if (lost) notices = read_committed(token, operation);
  lost = false;
  if (sink_ && !notices.empty()) sink_(std::move(notices));
}

// It must not be tried from the top any more, for it has been done.
std::vector<Notice> Session::read_committed(const std::string& token, const Operation& operation) {
  for (int tries = 1; tries <= kTriesMax; ++tries) {
    try {
      let_go();
      open();
      PgTx tx(*connection_, clock_.now(), token, true);
      operation(tx);
      return tx.take_notices();
    } catch (const pqxx::failure& lost_again) {
      reconnect(lost_again.what());
    }
  }
  throw Error(Code::busy, "it was done, but the database cannot tell what it answered; ask again")
      .retry_after(std::chrono::seconds(2));
}

Session::Commit Session::look_up(const std::string& token) {
  ++counters_.in_doubt;
  const int backend = connection_->backend;
  const std::string backend_start = connection_->backend_start;
  const auto deadline = std::chrono::steady_clock::now() + kLookUpPatience;
  for (;;) {
    try {
      const bool found = token_exists(token, backend, backend_start);
      log::warning("database.commit_looked_up", {{"committed", found}});
      return found ? Commit::done : Commit::undone;
    } catch (const pqxx::failure&) {
      if (std::chrono::steady_clock::now() > deadline) {
        log::error("database.commit_unknown", {{"token", token}});
        throw Error(Code::busy,
                    "the database did not say whether it was done; ask again with the "
                    "same Idempotency-Key")
            .retry_after(std::chrono::seconds(5));
      }
    }
    std::this_thread::sleep_for(
        kLookUpPause);  // Waits for another process, on a thread of its own.
  }
}

// Answers only when the server process that had the commit is gone: until then it may still commit.
bool Session::token_exists(const std::string& token, int backend,
                           const std::string& backend_start) {
  const auto link = connect(options_);
  pqxx::nontransaction work(*link);
  const auto ended = work.exec_params(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 "
      "AND backend_start::text = $2",
      backend, backend_start);
  if (!ended.empty()) throw pqxx::failure("the old server process still runs");
  return !work.exec_params("SELECT 1 FROM commit_tokens WHERE token = $1", token).empty();
}

}  // namespace bottega::storage
