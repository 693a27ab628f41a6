#pragma once
// A transaction as the domain sees it: typed statements, the time, and what to tell others once it
// is committed. Nothing here knows which database driver is underneath.
#include <utility>

#include "bottega/storage/sql.hpp"

namespace bottega {

// Every statement of the program, linked into a list that a test walks: each one is PREPAREd
// against the migrated schema. The part of the name before the first dot says which module owns it.
struct SqlText {
  std::string_view name, text;
  const SqlText* rest;
  static inline const SqlText* all = nullptr;
  SqlText(std::string_view given_name, std::string_view given_text)
      : name(given_name), text(given_text), rest(std::exchange(all, this)) {}
  SqlText(const SqlText&) = delete;
  SqlText& operator=(const SqlText&) = delete;
};

// A statement is a function from arguments to rows: Sql<Order(OrderId, AccountId)>. Define it const
// at namespace scope beside its user.
template <class>
struct Sql;
template <class Row, class... Args>
struct Sql<Row(Args...)> : SqlText {
  using SqlText::SqlText;
};

// Something that others must hear of after the commit: `text` for everybody who listens to one of
// the topics. A durable notice is at `position` (from 1) of the append-only `stream`; a passing one
// is at 0.
struct Notice {
  std::vector<std::string> topics;
  std::string stream;
  std::int64_t position = 0;
  std::string text;
  bool rewrites = false;  // earlier notices of the stream are not as they were
};

class Tx {
 public:
  virtual ~Tx() = default;

  template <class Row, class... A>
  std::vector<Row> all(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    const auto rows = execute(sql, {to_sql(a)...});
    const RowReader<Row> reader(*rows);
    std::vector<Row> out;
    out.reserve(rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) out.push_back(reader.read(i));
    return out;
  }
  // The first row, if there is any.
  template <class Row, class... A>
  std::optional<Row> find(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    const auto rows = execute(sql, {to_sql(a)...});
    if (rows->size() == 0) return std::nullopt;
    return RowReader<Row>(*rows).read(0);
  }
  // The first row; throws Error(not_found) where there is none.
  template <class Row, class... A>
  Row one(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    if (auto row = find(sql, a...)) return *std::move(row);
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  }
  // Runs a statement for its effect; answers how many rows it touched.
  template <class Row, class... A>
  std::size_t run(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    return execute(sql, {to_sql(a)...})->affected();
  }

  // The time of this transaction by the product's clock; the same all through.
  Instant now() const { return now_; }

  // Tells the listeners after the commit; forgotten on a rollback.
  void announce(Notice notice) { notices_.push_back(std::move(notice)); }

  // In Mode::single: what the one statement writes into commit_tokens.
  const std::string& commit_token() const { return commit_token_; }
  // In Mode::single: the statement of an earlier try has been committed, but its answer was lost;
  // it must only be read what it did.
  bool was_committed() const { return was_committed_; }

 protected:
  explicit Tx(Instant now) : now_(now) {}
  Tx(Instant now, std::string commit_token, bool was_committed)
      : now_(now), commit_token_(std::move(commit_token)), was_committed_(was_committed) {}
  std::vector<Notice> take_notices() { return std::exchange(notices_, {}); }

 private:
  virtual std::unique_ptr<Rows> execute(const SqlText& sql, const SqlArguments& arguments) = 0;

  Instant now_;
  std::vector<Notice> notices_;
  std::string commit_token_;
  bool was_committed_ = false;
};

}  // namespace bottega
