#include "bottega/privacy/exports.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/use_awaitable.hpp>
#include <fstream>

#include "privacy/collect.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::privacy {
namespace {

const Sql<Export(AccountId)> kNewest{"privacy.newest_export", R"(
    SELECT id, account_id, requested_by, created_at, expires_at, ready_at, bytes, sha256
    FROM exports WHERE account_id = $1 ORDER BY id DESC LIMIT 1)"};

const Sql<Export(ExportId, AccountId, std::string, Instant, Instant)> kAsk{"privacy.ask_export", R"(
    INSERT INTO exports (id, account_id, requested_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)
    RETURNING id, account_id, requested_by, created_at, expires_at, ready_at, bytes, sha256)"};

const Sql<Export(AccountId, Instant)> kExports{"privacy.exports_of", R"(
    SELECT id, account_id, requested_by, created_at, expires_at, ready_at, bytes, sha256
    FROM exports WHERE account_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT 100)"};

const Sql<Export(ExportId)> kExport{"privacy.export", R"(
    SELECT id, account_id, requested_by, created_at, expires_at, ready_at, bytes, sha256
    FROM exports WHERE id = $1)"};

const Sql<void(ExportId, Instant, std::int64_t, std::string)> kReady{"privacy.export_ready", R"(
    UPDATE exports SET ready_at = $2, bytes = $3, sha256 = $4 WHERE id = $1)"};

const Sql<ExportId(AccountId, Instant)> kExpireAll{"privacy.expire_exports", R"(
    UPDATE exports SET expires_at = least(expires_at, $2) WHERE account_id = $1 RETURNING id)"};

const Sql<void(ExportId)> kForget{"privacy.forget_export", R"(
    DELETE FROM exports WHERE id = $1)"};

void clear_at(Tx& tx, ExportId id, Instant at) {
  jobs::enqueue(tx, kClearExportJob, text_of(id), Json::object(), at);
}

// A file that is written piece by piece, with its length and its sum.
class Spool {
 public:
  explicit Spool(std::filesystem::path path)
      : path_(std::move(path)), file_(path_, std::ios::binary) {
    std::filesystem::permissions(
        path_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  ~Spool() {
    std::error_code gone;
    std::filesystem::remove(path_, gone);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  void write(const std::string& text) {
    file_.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file_) broken();
    sum_.add(text);
    bytes_ += text.size();
  }
  attachments::Spooled finish() {
    file_.close();
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_durable = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!file_ || !is_durable) broken();
    return {path_, bytes_, sum_.hex()};
  }

 private:
  [[noreturn]] static void broken() { throw Error(Code::internal, "an export cannot be written"); }

  std::filesystem::path path_;
  std::ofstream file_;
  Sha256Stream sum_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Export ask_export(Tx& tx, AccountId account, const std::string& actor, const ExportRules& rules) {
  identity::hold_account(tx, account);
  const auto newest = tx.find(kNewest, account);
  if (newest && tx.now() < newest->created_at + rules.every) {
    const auto wait =
        std::chrono::ceil<std::chrono::seconds>(newest->created_at + rules.every - tx.now());
    throw Error(Code::rate_limited, "the last export was made a short time ago").retry_after(wait);
  }
  const auto made = tx.one(kAsk, ExportId::make(), account, actor, tx.now(), tx.now() + rules.keep);
  jobs::enqueue(tx, kExportJob, text_of(made.id), Json::object(), tx.now());
  clear_at(tx, made.id, made.expires_at);
  return made;
}

std::vector<Export> exports_of(Tx& tx, AccountId account) {
  return tx.all(kExports, account, tx.now());
}

Export fetch_export(Tx& tx, ExportId id) {
  const auto row = tx.one(kExport, id);
  if (!row.ready_at || row.expires_at <= tx.now())
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  return row;
}

void drop_exports(Tx& tx, AccountId account) {
  for (const auto& id : tx.all(kExpireAll, account, tx.now())) clear_at(tx, id, tx.now());
}

std::string key_of(ExportId id) {
  const auto name = uuid_text(id.uuid);
  return name.substr(name.size() - 2) + '/' + name + ".export";
}

std::string words_of(ExportId id) { return "export " + text_of(id); }

asio::awaitable<void> make_export(Database& db, attachments::Depot& depot, ExportId id) {
  const auto row = co_await db.read([&](Tx& tx) { return tx.find(kExport, id); });
  if (!row || row->ready_at) co_return;
  // What they wrote for shops is found by the search.
  co_await conversations::take_in_all(db, row->created_at);
  Spool spool(depot.spool_file());
  const Put put = [&](const std::string& text) -> asio::awaitable<void> {
    auto work = [&] { spool.write(text); };
    co_await depot.files().run(work);
  };
  co_await collect(db, row->account_id, put);
  auto finish = [&] { return spool.finish(); };
  const auto file = co_await depot.files().run(finish);
  const auto key = key_of(id);
  co_await depot.store().put(key, file);
  const auto bytes = static_cast<std::int64_t>(file.bytes);
  const auto kept = co_await db.transact(
      [&](Tx& tx) { return tx.run(kReady, id, tx.now(), bytes, file.sha256); });
  if (kept == 0) co_await depot.store().remove(key);  // it was dropped meanwhile
}

asio::awaitable<void> clear_export(Database& db, attachments::Depot& depot, ExportId id) {
  const auto row = co_await db.read([&](Tx& tx) { return tx.find(kExport, id); });
  if (!row) co_return;
  const auto key = key_of(id);
  co_await depot.store().remove(key);
  co_await db.transact([&](Tx& tx) { tx.run(kForget, id); });
}

}  // namespace bottega::privacy
