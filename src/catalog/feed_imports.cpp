#include <algorithm>

#include "catalog/feed_rows.hpp"

namespace bottega::catalog {
namespace {

using namespace std::chrono_literals;

// What an upload that came to nothing has put into the store is removed after so long.
constexpr auto kAbandoned = 24h;

const Sql<std::int64_t(MerchantId)> kRunning{"catalog.running_feeds", R"(
    SELECT count(*) FROM feed_imports WHERE merchant_id = $1 AND ended_at IS NULL)"};

const Sql<FeedImport(MerchantId, FeedImportId, FeedFormat, OnError, Missing, std::int64_t,
                     std::string, Instant)>
    kBegin{"catalog.begin_feed", R"(
    INSERT INTO feed_imports (merchant_id, id, format, on_error, missing, state, bytes, created_by,
                              created_at)
    VALUES ($1, $2, $3, $4, $5, 'uploaded', $6, $7, $8)
    RETURNING id, merchant_id, format, on_error, missing, state, bytes, bytes_read, rows_read,
              rows_good, rows_bad, rows_applied, products_archived, faults, warnings, reason,
              created_by, created_at, ended_at)"};

const Sql<FeedImportId(MerchantId, std::int64_t)> kForgetOld{"catalog.forget_feeds", R"(
    DELETE FROM feed_imports
    WHERE merchant_id = $1 AND ended_at IS NOT NULL
      AND id NOT IN (SELECT id FROM feed_imports WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2)
    RETURNING id)"};

const Sql<FeedImport(MerchantId, FeedImportId)> kFetch{"catalog.fetch_feed", R"(
    SELECT id, merchant_id, format, on_error, missing, state, bytes, bytes_read, rows_read,
           rows_good, rows_bad, rows_applied, products_archived, faults, warnings, reason,
           created_by, created_at, ended_at
    FROM feed_imports WHERE merchant_id = $1 AND id = $2)"};

const Sql<FeedImport(MerchantId, FeedImportId)> kLock{"catalog.lock_feed", R"(
    SELECT id, merchant_id, format, on_error, missing, state, bytes, bytes_read, rows_read,
           rows_good, rows_bad, rows_applied, products_archived, faults, warnings, reason,
           created_by, created_at, ended_at
    FROM feed_imports WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

struct Open {
  FeedImportId id;
  FeedState state{};
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Open, (), (id, state, created_at))

const Sql<Open(MerchantId)> kLockOpen{"catalog.lock_open_feeds", R"(
    SELECT id, state, created_at FROM feed_imports
    WHERE merchant_id = $1 AND ended_at IS NULL ORDER BY id FOR UPDATE)"};

const Sql<FeedImportId(MerchantId)> kNext{"catalog.next_feed", R"(
    SELECT id FROM feed_imports
    WHERE merchant_id = $1 AND ended_at IS NULL AND state = 'uploaded'
    ORDER BY created_at, id LIMIT 1)"};

const Sql<FeedImport(MerchantId, FeedImportId, std::int64_t)> kList{"catalog.list_feeds", R"(
    SELECT id, merchant_id, format, on_error, missing, state, bytes, bytes_read, rows_read,
           rows_good, rows_bad, rows_applied, products_archived, faults, warnings, reason,
           created_by, created_at, ended_at
    FROM feed_imports WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<FeedRemark(MerchantId, FeedImportId, std::int64_t, std::int64_t)> kReport{
    "catalog.feed_report", R"(
    SELECT number, line, severity, sku, field, detail FROM feed_import_remarks
    WHERE merchant_id = $1 AND import_id = $2 AND number > $3 ORDER BY number LIMIT $4)"};

const Sql<FeedImport(MerchantId, FeedImportId, FeedState, std::optional<std::string>,
                     std::optional<Instant>)>
    kMove{"catalog.move_feed", R"(
    UPDATE feed_imports SET state = $3, reason = $4, ended_at = $5
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, merchant_id, format, on_error, missing, state, bytes, bytes_read, rows_read,
              rows_good, rows_bad, rows_applied, products_archived, faults, warnings, reason,
              created_by, created_at, ended_at)"};

const Sql<void(MerchantId, FeedImportId)> kForgetRemarks{"catalog.forget_remarks", R"(
    DELETE FROM feed_import_remarks WHERE merchant_id = $1 AND import_id = $2)"};

const Sql<void(MerchantId, FeedImportId, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
               std::int64_t, std::int64_t)>
    kChecked{"catalog.feed_checked", R"(
    UPDATE feed_imports SET bytes_read = $3, rows_read = $4, rows_good = $5, rows_bad = $6,
           faults = $7, warnings = $8
    WHERE merchant_id = $1 AND id = $2 AND state = 'checking')"};

const Sql<void(MerchantId, FeedImportId, std::vector<std::int64_t>, std::vector<std::int64_t>,
               std::vector<Severity>, std::vector<std::optional<std::string>>,
               std::vector<std::optional<std::string>>, std::vector<std::string>)>
    kRemarks{"catalog.feed_remarks", R"(
    INSERT INTO feed_import_remarks (merchant_id, import_id, number, line, severity, sku, field,
                                     detail)
    SELECT $1, $2, f.number, f.line, f.severity, f.sku, f.field, f.detail
    FROM unnest($3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
           AS f (number, line, severity, sku, field, detail))"};

const Sql<void(MerchantId, FeedImportId, std::int64_t, std::int64_t)> kAdvance{
    "catalog.advance_feed", R"(
    UPDATE feed_imports SET rows_applied = $4
    WHERE merchant_id = $1 AND id = $2 AND state = 'importing' AND rows_applied = $3)"};

void tell(Tx& tx, const FeedImport& import) {
  const Json frame = {{"event", "feed_import.updated"},
                      {"conversation", nullptr},
                      {"at", text_of(tx.now())},
                      {"data", {{"feed_import", to_json(import)}}}};
  tx.announce(
      {{identity::merchant_topic(import.merchant_id)}, text_of(import.id), 0, frame.dump()});
}

// The file is not needed any more.
void clear_at(Tx& tx, MerchantId merchant, FeedImportId id, Instant at) {
  jobs::enqueue(tx, kClearFeedJob, text_of(id), {{"merchant_id", text_of(merchant)}}, at);
}

void go_on(Tx& tx, MerchantId merchant, FeedImportId id) {
  jobs::enqueue(tx, kFeedJob, text_of(id), {{"merchant_id", text_of(merchant)}}, tx.now());
}

// The one whose job has found it waiting.
void wake_next(Tx& tx, MerchantId merchant) {
  if (const auto next = tx.find(kNext, merchant)) go_on(tx, merchant, *next);
}

FeedImport move(Tx& tx, const FeedImport& import, FeedEvent on,
                std::optional<std::string> reason = std::nullopt) {
  const auto state = kFeedLifecycle.advance(import.state, on);
  const bool is_over = state > FeedState::importing;
  const auto ended = is_over ? std::optional(tx.now()) : std::nullopt;
  auto moved = tx.one(kMove, import.merchant_id, import.id, state, std::move(reason), ended);
  if (is_over) clear_at(tx, import.merchant_id, import.id, tx.now());
  if (is_over) wake_next(tx, import.merchant_id);
  tell(tx, moved);
  return moved;
}

struct Type {
  std::string_view name;
  FeedFormat format;
};
constexpr Type kTypes[] = {{"text/csv", FeedFormat::csv},
                           {"text/tab-separated-values", FeedFormat::tsv},
                           {"application/xml", FeedFormat::xml},
                           {"text/xml", FeedFormat::xml},
                           {"application/rss+xml", FeedFormat::xml},
                           {"application/atom+xml", FeedFormat::xml}};

FeedImport fetch(Tx& tx, const Who& who, FeedImportId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  return tx.one(kFetch, merchant, id);
}

}  // namespace

std::vector<std::string> feed_media_types() {
  std::vector<std::string> names;
  for (const auto& type : kTypes) names.emplace_back(type.name);
  return names;
}

FeedFormat feed_format_of(std::string_view media_type) {
  const auto* type = std::ranges::find(kTypes, media_type, &Type::name);
  if (type == std::end(kTypes))
    throw Error(Code::unsupported_media_type,
                "a feed is text/csv, text/tab-separated-values or application/xml");
  return type->format;
}

void expect_feed(Tx& tx, const Who& who, MerchantId merchant, FeedImportId id) {
  require_editor(tx, who, merchant);
  if (tx.one(kRunning, merchant) >= kFeedsAtOnceMax)
    throw Error(Code::rate_limited, "other feeds of this shop wait already")
        .retry_after(std::chrono::minutes(1));
  clear_at(tx, merchant, id, tx.now() + kAbandoned);
}

FeedImport begin_feed(Tx& tx, const Who& who, const NewFeedImport& given, FeedImportId id,
                      std::int64_t bytes) {
  require_editor(tx, who, given.merchant);
  auto made = tx.one(kBegin, given.merchant, id, given.format, given.on_error, given.missing, bytes,
                     who.actor(), tx.now());
  identity::enter_directory(tx, id.uuid, given.merchant);
  for (const auto& old : tx.all(kForgetOld, given.merchant, kFeedsKept))
    identity::leave_directory(tx, old.uuid);
  go_on(tx, given.merchant, id);
  tell(tx, made);
  return made;
}

FeedImport fetch_feed(Tx& tx, const Who& who, FeedImportId id) { return fetch(tx, who, id); }

std::vector<FeedImport> list_feeds(Tx& tx, const Who& who, MerchantId merchant,
                                   std::optional<FeedImportId> after, std::int64_t limit) {
  require_editor(tx, who, merchant);
  return tx.all(kList, merchant, after.value_or(FeedImportId::newest()), limit);
}

std::vector<FeedRemark> feed_report(Tx& tx, const Who& who, FeedImportId id, std::int64_t after,
                                    std::int64_t limit) {
  const auto import = fetch(tx, who, id);
  return tx.all(kReport, import.merchant_id, id, after, limit);
}

FeedImport cancel_feed(Tx& tx, const Who& who, FeedImportId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  return move(tx, tx.one(kLock, merchant, id), FeedEvent::cancel, "cancelled by " + who.actor());
}

// ---- for the job --------------------------------------------------------------------------------

std::string key_of(FeedImportId id) {
  const auto name = uuid_text(id.uuid);
  return name.substr(name.size() - 2) + '/' + name + ".feed";
}

std::optional<FeedImport> open_feed(Tx& tx, MerchantId merchant, FeedImportId id) {
  auto import = tx.find(kFetch, merchant, id);
  if (!import || import->ended_at) return std::nullopt;
  return import;
}

Turn begin_check(Tx& tx, const FeedImport& import) {
  const auto open = tx.all(kLockOpen, import.merchant_id);
  const auto locked = tx.one(kLock, import.merchant_id, import.id);
  if (locked.ended_at) return {Turn::Is::over};
  for (const auto& other : open) {
    const bool came_first =
        std::tie(other.created_at, other.id) < std::tie(locked.created_at, locked.id);
    const bool is_first = came_first || other.state != FeedState::uploaded;
    if (locked.state == FeedState::uploaded && other.id != locked.id && is_first)
      return {Turn::Is::later};
  }
  tx.run(kForgetRemarks, import.merchant_id, import.id);
  return {Turn::Is::now, move(tx, locked, FeedEvent::check)};
}

bool save_check(Tx& tx, const FeedImport& import, const CheckedPart& part) {
  if (tx.run(kChecked, import.merchant_id, import.id, part.bytes_read, part.rows_read,
             part.rows_good, part.rows_bad, part.faults, part.warnings) == 0)
    return false;
  if (part.remarks.empty()) return true;
  std::vector<std::int64_t> numbers, lines;
  std::vector<Severity> severities;
  std::vector<std::optional<std::string>> skus, fields;
  std::vector<std::string> details;
  for (const auto& remark : part.remarks) {
    numbers.push_back(remark.number);
    lines.push_back(remark.line);
    severities.push_back(remark.severity);
    skus.push_back(remark.sku);
    fields.push_back(remark.field);
    details.push_back(remark.detail);
  }
  tx.run(kRemarks, import.merchant_id, import.id, numbers, lines, severities, skus, fields,
         details);
  return true;
}

void end_feed(Tx& tx, const FeedImport& import, FeedEvent on, std::optional<std::string> reason) {
  const auto locked = tx.one(kLock, import.merchant_id, import.id);
  if (!locked.ended_at) move(tx, locked, on, std::move(reason));
}

bool advance_feed(Tx& tx, const FeedImport& import, std::int64_t from, std::int64_t upto) {
  return tx.run(kAdvance, import.merchant_id, import.id, from, upto) == 1;
}

void tell_progress(Tx& tx, const FeedImport& import) {
  tell(tx, tx.one(kFetch, import.merchant_id, import.id));
}

}  // namespace bottega::catalog
