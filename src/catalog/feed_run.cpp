// The job that imports a feed: the whole file is read and judged first, and read again to be
// written into the catalogue. Rows are read and judged on the threads for files, and written on
// those of the database, so that nobody's request waits for them.
#include <deque>

#include "catalog/feed_batch.hpp"
#include "catalog/feed_rows.hpp"
#include "bottega/core/log.hpp"

namespace bottega::catalog {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kBatchBytes = 4 * 1'048'576, kQueuedMax = 1'000;
constexpr std::int64_t kTries = 5;  // within some 65 minutes, while others of the shop wait

struct Run {
  Database& db;
  attachments::Depot& depot;
  const jobs::Job& job;
  const FeedRules& rules;
  FeedImport import;
  std::vector<Currency> taken;  // by the shop
  steady_clock::time_point told = steady_clock::now();

  bool is_time_to_tell() const { return steady_clock::now() - told >= rules.tell; }
};

// Thrown where somebody else goes on, or nobody is to.
struct Stopped {};

// The job is still ours.
void keep(Tx& tx, const Run& run) {
  if (!jobs::renew(tx, run.job, run.rules.lease)) throw Stopped{};
}

// The rows of a file, each judged against those before it.
class File {
 public:
  explicit File(const Run& run)
      : reader_(make_feed_reader(run.import.format)), mapper_(*reader_, run.taken) {}
  virtual ~File() = default;

  // Takes the next bytes, none at the end. Where the file cannot be read on, broken() says why.
  void take(std::string_view bytes) {
    const auto each = [this](const FeedRow& row) {
      check_head();
      const auto* item = mapper_.judge(row);
      if (!mapper_.is_identified() && unidentified_++ == 0) first_unidentified_ = row.line;
      judged(++rows_, row, item);
    };
    try {
      if (bytes.empty())
        reader_->finish(each);
      else
        reader_->feed(bytes, each);
      bytes_ += std::ssize(bytes);
    } catch (const Error& error) {
      if (error.code() != Code::invalid) throw;
      broken_ = error;
    }
  }
  const std::optional<Error>& broken() const { return broken_; }

  // Why it cannot be told what the file does not have, if so.
  std::optional<std::string> doubt() const {
    if (unidentified_ == 0) return std::nullopt;
    return "nothing is archived: of which products " + std::to_string(unidentified_) +
           " rows are cannot be told, the first of them at line " +
           std::to_string(first_unidentified_);
  }

 protected:
  // On a thread for files.
  virtual void judged(std::int64_t number, const FeedRow& row, const FeedItem* item) = 0;

  const FeedMapper& mapper() const { return mapper_; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t rows() const { return rows_; }

 private:
  void check_head() {
    if (rows_ == 0) mapper_.check_head();
  }

  std::unique_ptr<FeedReader> reader_;
  FeedMapper mapper_;
  std::int64_t rows_ = 0, bytes_ = 0, unidentified_ = 0, first_unidentified_ = 0;
  std::optional<Error> broken_;
};

// Reads it to its end, or until it is broken or `pause`, which is called after each piece, says so.
template <class Pause>
asio::awaitable<void> read_through(Run& run, File& file, const Pause& pause) {
  const attachments::Piece all{0, static_cast<std::uint64_t>(run.import.bytes)};
  const auto key = key_of(run.import.id);
  auto reading = co_await run.depot.store().get(key, all);
  for (bool more = true; more;) {
    const auto bytes = co_await reading->next();
    auto work = [&] { file.take(bytes); };
    co_await run.depot.files().run(work);
    const bool goes_on = co_await pause();
    more = !bytes.empty() && !file.broken() && goes_on;
  }
}

// ---- the check ----------------------------------------------------------------------------------

class Check final : public File {
 public:
  explicit Check(const Run& run) : File(run) {}

  bool is_full() const { return part_.remarks.size() >= kQueuedMax; }
  // What was found since the last time; it stays until saved().
  const CheckedPart& part() {
    part_.bytes_read = bytes();
    part_.rows_read = rows();
    return part_;
  }
  void saved() { part_.remarks.clear(); }

  // About the file as a whole.
  void close(Missing missing) {
    if (broken()) {
      for (const auto& fault : broken()->faults())
        remark({0, 0, Severity::error, std::nullopt, fault.pointer, fault.detail});
      if (broken()->faults().empty())
        remark({0, 0, Severity::error, std::nullopt, std::nullopt, broken()->what()});
    }
    std::string names;
    for (const auto& name : mapper().unknown()) names += (names.empty() ? "" : ", ") + name;
    if (!names.empty())
      remark({0, 0, Severity::warning, std::nullopt, std::nullopt,
              "these fields are not known and are ignored: " + names.substr(0, 1'000)});
    if (missing == Missing::archive && doubt())
      remark({0, 0, Severity::warning, std::nullopt, std::nullopt, *doubt()});
  }

  // Why nothing is to be imported, if so.
  std::optional<std::string> refusal(OnError on_error) const {
    if (broken()) return broken()->what();
    if (rows() == 0) return "there is no row in the file";
    if (part_.rows_good == 0) return "no row of the file is good";
    if (on_error == OnError::stop && part_.rows_bad > 0)
      return "bad rows: " + std::to_string(part_.rows_bad);
    return std::nullopt;
  }

 private:
  void judged(std::int64_t, const FeedRow& row, const FeedItem* item) override {
    ++(item == nullptr ? part_.rows_bad : part_.rows_good);
    const auto sku =
        mapper().sku().empty() ? std::nullopt : std::optional<std::string>(mapper().sku());
    for (const auto& one : mapper().remarks())
      remark({0, row.line, one.severity, sku,
              one.field.empty() ? std::nullopt : std::optional<std::string>(one.field),
              one.detail});
  }

  void remark(FeedRemark one) {
    ++(one.severity == Severity::error ? part_.faults : part_.warnings);
    if (kept_ >= kFeedReportMax) return;
    one.number = ++kept_;
    part_.remarks.push_back(std::move(one));
  }

  CheckedPart part_;
  std::int64_t kept_ = 0;
};

void save(Tx& tx, const Run& run, const CheckedPart& part, bool tells) {
  keep(tx, run);
  if (!save_check(tx, run.import, part)) throw Stopped{};
  if (tells) tell_progress(tx, run.import);
}

asio::awaitable<void> check(Run& run) {
  auto& db = run.db;
  const auto turn = co_await db.transact([&](Tx& tx) { return begin_check(tx, run.import); });
  // Whoever is before it asks again at its end.
  if (turn.is != Turn::Is::now) throw Stopped{};
  run.import = turn.import;
  Check file(run);
  const auto pause = [&]() -> asio::awaitable<bool> {
    const bool tells = run.is_time_to_tell();
    if (!tells && !file.is_full()) co_return true;
    const auto& part = file.part();
    co_await db.transact([&](Tx& tx) { save(tx, run, part, tells); });
    file.saved();
    if (tells) run.told = steady_clock::now();
    co_return true;
  };
  co_await read_through(run, file, pause);
  file.close(run.import.missing);
  const auto& part = file.part();
  const auto refusal = file.refusal(run.import.on_error);
  co_await db.transact([&](Tx& tx) {
    save(tx, run, part, false);
    end_feed(tx, run.import, refusal ? FeedEvent::refuse : FeedEvent::accept, refusal);
  });
}

// ---- the import ---------------------------------------------------------------------------------

class Apply final : public File {
 public:
  explicit Apply(const Run& run)
      : File(run),
        done_(run.import.rows_applied),
        batch_(static_cast<std::size_t>(run.rules.batch)) {}

  // The oldest batch that is to be written now; none where there is none.
  FeedBatch* next() { return full_.empty() ? nullptr : &full_.front(); }
  void written() { full_.pop_front(); }
  // Nothing more comes.
  void close() {
    if (open_.upto() > 0) full_.push_back(std::exchange(open_, {}));
  }

 private:
  // The rows of a product that stand together are written together.
  void judged(std::int64_t number, const FeedRow&, const FeedItem* item) override {
    if (number <= done_) return;
    if (item == nullptr) return open_.leave_out(number, mapper().sku(), mapper().handle());
    const bool is_large = open_.rows() >= batch_ || open_.bytes() >= kBatchBytes;
    if ((is_large && open_.last_handle() != item->handle) || open_.has(item->sku)) close();
    open_.add(number, *item);
  }

  std::int64_t done_;
  std::size_t batch_;
  FeedBatch open_;
  std::deque<FeedBatch> full_;
};

asio::awaitable<void> write(Run& run, FeedBatch& batch) {
  const bool tells = run.is_time_to_tell();
  co_await run.db.transact([&](Tx& tx) {
    keep(tx, run);
    if (!advance_feed(tx, run.import, run.import.rows_applied, batch.upto())) throw Stopped{};
    batch.write(tx, run.import.merchant_id, run.taken);
    if (run.import.missing == Missing::archive)
      batch.note_seen(tx, run.import.merchant_id, run.import.id);
    if (tells) tell_progress(tx, run.import);
  });
  run.import.rows_applied = batch.upto();
  if (tells) run.told = steady_clock::now();
}

struct Applied {
  bool is_all = false;  // else it is another's turn
  std::optional<std::string> doubt;
};

asio::awaitable<Applied> apply(Run& run) {
  Apply file(run);
  auto left = run.rules.batches_most.value_or(INT64_MAX);
  const auto pause = [&]() -> asio::awaitable<bool> {
    for (; file.next() != nullptr && left > 0; --left) {
      co_await write(run, *file.next());
      file.written();
    }
    co_return left > 0;
  };
  co_await read_through(run, file, pause);
  if (file.broken()) throw Error(Code::internal, "a feed was good and is not any more");
  if (left > 0) file.close();
  co_await pause();
  co_return Applied{file.next() == nullptr && left > 0, file.doubt()};
}

asio::awaitable<void> finish(Run& run, const std::optional<std::string>& doubt) {
  const bool archives = run.import.missing == Missing::archive;
  std::optional<ProductId> after = ProductId{};
  while (after && archives && !doubt)
    after = co_await run.db.transact([&](Tx& tx) {
      keep(tx, run);
      return archive_missing(tx, run.import, *after);
    });
  co_await run.db.transact([&](Tx& tx) {
    keep(tx, run);
    end_feed(tx, run.import, FeedEvent::finish, archives ? doubt : std::nullopt);
  });
}

void go_on_later(Tx& tx, const Run& run) {
  jobs::enqueue(tx, kFeedJob, text_of(run.import.id),
                {{"merchant_id", text_of(run.import.merchant_id)}}, tx.now());
}

asio::awaitable<void> go_on(Run& run) {
  auto& db = run.db;
  const auto merchant = run.import.merchant_id;
  const auto id = run.import.id;
  if (run.import.state != FeedState::importing) co_await check(run);
  const auto checked = co_await db.read([&](Tx& tx) { return open_feed(tx, merchant, id); });
  if (!checked) co_return;  // it was refused
  run.import = *checked;
  const auto applied = co_await apply(run);
  if (applied.is_all)
    co_await finish(run, applied.doubt);
  else
    co_await db.transact([&](Tx& tx) { go_on_later(tx, run); });
}

}  // namespace

asio::awaitable<void> run_feed(Database& db, attachments::Depot& depot, const jobs::Job& job,
                               FeedRules rules) {
  const auto id = from_text<FeedImportId>(job.about);
  const auto merchant = from_text<MerchantId>(job.arguments.at("merchant_id").get<std::string>());
  const auto import = co_await db.read([&](Tx& tx) { return open_feed(tx, merchant, id); });
  if (!import) co_return;
  const auto shop =
      co_await db.read([&](Tx& tx) { return identity::fetch_merchant(tx, merchant); });
  Run run{db, depot, job, rules, *import, shop.currencies};
  std::exception_ptr failure;
  try {
    co_await go_on(run);
  } catch (const Stopped&) {
    log::info("feed.stopped", {{"id", job.about}});
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  if (job.attempts >= kTries)
    co_await db.transact(
        [&](Tx& tx) { end_feed(tx, run.import, FeedEvent::fail, "it could not be carried out"); });
  std::rethrow_exception(failure);
}

}  // namespace bottega::catalog
