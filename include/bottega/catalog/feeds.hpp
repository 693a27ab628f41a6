#pragma once
// The catalogue as product feeds of Google and Meta: a file is taken in as it comes, checked as a
// whole, and then written into the catalogue batch by batch; and the catalogue goes out in the same
// formats.
#include "bottega/attachments/depot.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::catalog {

enum class FeedFormat : std::uint8_t { csv, tsv, xml };
BOOST_DESCRIBE_ENUM(FeedFormat, csv, tsv, xml)

// The media types of a feed, and which format each is; throws Error(unsupported_media_type).
std::vector<std::string> feed_media_types();
FeedFormat feed_format_of(std::string_view media_type);

// ---- in -----------------------------------------------------------------------------------------

using FeedImportId = Id<"fimp">;

enum class FeedState : std::uint8_t {
  uploaded,
  checking,
  importing,
  done,
  refused,    // nothing was imported: the file says why
  failed,     // by a fault of ours; what was applied stays
  cancelled,  // by somebody; what was applied stays
};
BOOST_DESCRIBE_ENUM(FeedState, uploaded, checking, importing, done, refused, failed, cancelled)
enum class FeedEvent : std::uint8_t { check, accept, refuse, finish, fail, cancel };
BOOST_DESCRIBE_ENUM(FeedEvent, check, accept, refuse, finish, fail, cancel)

inline constexpr Machine kFeedLifecycle{std::to_array<Edge<FeedState, FeedEvent>>({
    {FeedState::uploaded, FeedEvent::check, FeedState::checking},
    {FeedState::checking, FeedEvent::check, FeedState::checking},
    {FeedState::checking, FeedEvent::accept, FeedState::importing},
    {FeedState::checking, FeedEvent::refuse, FeedState::refused},
    {FeedState::importing, FeedEvent::finish, FeedState::done},
    {FeedState::uploaded, FeedEvent::fail, FeedState::failed},
    {FeedState::checking, FeedEvent::fail, FeedState::failed},
    {FeedState::importing, FeedEvent::fail, FeedState::failed},
    {FeedState::uploaded, FeedEvent::cancel, FeedState::cancelled},
    {FeedState::checking, FeedEvent::cancel, FeedState::cancelled},
    {FeedState::importing, FeedEvent::cancel, FeedState::cancelled},
})};
static_assert(kFeedLifecycle.deterministic());

// What becomes of the good rows of a file that has bad ones, and of products that it does not have.
enum class OnError : std::uint8_t { skip, stop };
BOOST_DESCRIBE_ENUM(OnError, skip, stop)
enum class Missing : std::uint8_t { keep, archive };
BOOST_DESCRIBE_ENUM(Missing, keep, archive)

// Rows are counted from the first one behind the head.
struct FeedImport {
  FeedImportId id;
  MerchantId merchant_id;
  FeedFormat format{};
  OnError on_error{};
  Missing missing{};
  FeedState state{};
  std::int64_t bytes = 0, bytes_read = 0;  // read by the check
  std::int64_t rows_read = 0, rows_good = 0, rows_bad = 0;
  std::int64_t rows_applied = 0;  // of all rows: up to here the file is in the catalogue
  std::int64_t products_archived = 0;
  std::int64_t faults = 0, warnings = 0;  // all; the report keeps the first ten thousand
  std::optional<std::string> reason;      // why it was refused, has failed, or archived nothing
  std::string created_by;
  Instant created_at{};
  std::optional<Instant> ended_at;
};
BOOST_DESCRIBE_STRUCT(FeedImport, (),
                      (id, merchant_id, format, on_error, missing, state, bytes, bytes_read,
                       rows_read, rows_good, rows_bad, rows_applied, products_archived, faults,
                       warnings, reason, created_by, created_at, ended_at))

inline constexpr std::int64_t kFeedReportMax = 10'000, kFeedsAtOnceMax = 5, kFeedsKept = 100;

enum class Severity : std::uint8_t { error, warning };
BOOST_DESCRIBE_ENUM(Severity, error, warning)

// One thing that is wrong, or was tolerated, in one row; line 0 is about the whole file.
struct FeedRemark {
  std::int64_t number = 0;  // in the report, from 1
  std::int64_t line = 0;
  Severity severity{};
  std::optional<std::string> sku, field;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(FeedRemark, (), (number, line, severity, sku, field, detail))

// What is to be done with a file.
struct NewFeedImport {
  MerchantId merchant;
  FeedFormat format{};
  OnError on_error{};
  Missing missing{};
};

// A file on its way in: written beside the store as it comes, and put into it when it is whole.
// Whatever happens, none is left behind.
class FeedIntake {
 public:
  FeedIntake(attachments::Depot& depot, FeedImportId id);
  ~FeedIntake();
  FeedIntake(const FeedIntake&) = delete;
  FeedIntake& operator=(const FeedIntake&) = delete;

  asio::awaitable<void> take(std::string_view bytes);
  // Throws Error(invalid) for nothing at all.
  asio::awaitable<void> put();
  std::int64_t bytes() const;
  const std::string& sha256() const;  // of what has come, after put()

 private:
  struct Writing;
  attachments::Depot& depot_;
  FeedImportId id_;
  std::unique_ptr<Writing> writing_;
};

// Before the first byte: who may, and whether there is room. Whatever comes to nothing is removed
// by a job. Throws Error(rate_limited) where kFeedsAtOnceMax wait or run.
void expect_feed(Tx& tx, const Who& who, MerchantId merchant, FeedImportId id);
// After the last one: a job begins.
FeedImport begin_feed(Tx& tx, const Who& who, const NewFeedImport& given, FeedImportId id,
                      std::int64_t bytes);

// These throw Error(not_found) or (forbidden) unless one may edit the catalogue.
FeedImport fetch_feed(Tx& tx, const Who& who, FeedImportId id);
std::vector<FeedImport> list_feeds(Tx& tx, const Who& who, MerchantId merchant,
                                   std::optional<FeedImportId> after, std::int64_t limit);
std::vector<FeedRemark> feed_report(Tx& tx, const Who& who, FeedImportId id, std::int64_t after,
                                    std::int64_t limit);
// Throws Error(conflict) for one that is over. What was applied stays.
FeedImport cancel_feed(Tx& tx, const Who& who, FeedImportId id);

struct FeedRules {
  std::int64_t batch = 1'000;                // rows in a transaction
  std::chrono::seconds lease{30};            // of the job, which is kept while it runs
  std::chrono::milliseconds tell{1'000};     // progress is told and written down no more often
  std::optional<std::int64_t> batches_most;  // then another gets its turn
};

// The jobs. The first goes on where an earlier one has stopped; both are safe to do again.
inline constexpr std::string_view kFeedJob = "catalog.feed";
inline constexpr std::string_view kClearFeedJob = "catalog.clear_feed";
asio::awaitable<void> run_feed(Database& db, attachments::Depot& depot, const jobs::Job& job,
                               FeedRules rules = {});
asio::awaitable<void> clear_feed(Database& db, attachments::Depot& depot, const jobs::Job& job);

// ---- out ----------------------------------------------------------------------------------------

// The whole catalogue of a shop, in the order of its products' ids: every variant is a row.
class FeedExport {
 public:
  FeedExport(Database& db, const identity::Merchant& shop, FeedFormat format);
  ~FeedExport();
  FeedExport(const FeedExport&) = delete;
  FeedExport& operator=(const FeedExport&) = delete;
  // The next bytes, valid until the next call; none at the end.
  asio::awaitable<std::string_view> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bottega::catalog
