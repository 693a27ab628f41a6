#include "bottega/attachments/depot.hpp"

#include "attachments/files.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"

namespace bottega::attachments {
namespace {

namespace fs = std::filesystem;

// Longer than the slowest upload of the largest file that the defaults allow.
constexpr auto kStale = std::chrono::hours(24);
constexpr const char* kTooMany = "too many files at once";

std::unique_ptr<Store> make_store(const Config& config, const fs::path& folder, const Clock& clock,
                                  Workers& files) {
  if (config.attachments_s3_url.empty()) return make_directory_store(folder / "kept", files);
  const S3Options options{config.attachments_s3_url,
                          config.attachments_s3_bucket,
                          config.attachments_s3_region,
                          config.attachments_s3_access_key,
                          config.attachments_s3_secret_key,
                          std::chrono::milliseconds(config.attachments_s3_timeout_ms)};
  return make_s3_store(options, clock, files);
}

// Files that nobody has touched for long, by the file system's own time.
void remove_stale(const fs::path& folder) {
  const auto oldest = fs::file_time_type::clock::now() - kStale;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code gone;
    const auto touched = entry.last_write_time(gone);
    if (!gone && touched < oldest) remove_file(entry.path());
  }
}

}  // namespace

Depot::Depot(const Config& config, const fs::path& folder, const Clock& clock, Secret url_secret)
    : limits_(limits_of(config)),
      folder_(folder),
      url_secret_(std::move(url_secret)),
      // How many wait is bounded by the connections.
      files_(static_cast<unsigned>(config.attachments_threads), 2 * config.http_connections_max,
             kTooMany),
      images_(static_cast<unsigned>(config.attachments_image_threads),
              config.attachments_image_waiting_max, kTooMany),
      store_(make_store(config, folder, clock, files_)) {
  make_folder(folder_ / "incoming");
}

Depot::Limits Depot::limits_of(const Config& config) {
  return {config.attachments_image_max_bytes,
          config.attachments_audio_max_bytes,
          config.attachments_video_max_bytes,
          config.attachments_document_max_bytes,
          config.attachments_pixels_max,
          {config.attachments_per_account_bytes_per_day, config.attachments_total_max_bytes,
           std::chrono::hours(config.attachments_keep_hours)},
          config.attachments_url_s};
}

std::int64_t Depot::bytes_max(Kind kind) const {
  switch (kind) {
    case Kind::image:
      return limits_.image_bytes;
    case Kind::audio:
      return limits_.audio_bytes;
    case Kind::video:
      return limits_.video_bytes;
    case Kind::document:
      break;
  }
  return limits_.document_bytes;
}

std::int64_t Depot::largest() const {
  return std::max({bytes_max(Kind::image), bytes_max(Kind::audio), bytes_max(Kind::video),
                   bytes_max(Kind::document)});
}

fs::path Depot::spool_file() { return folder_ / "incoming" / uuid_text(make_uuid_v7()); }

asio::awaitable<void> Depot::sweep() {
  auto work = [&] { remove_stale(folder_ / "incoming"); };
  co_await files_.run(work);
}

void Depot::stop() {
  images_.stop();
  files_.stop();
}

std::int64_t Depot::link_expiry(Instant now) const {
  const auto life = limits_.link_s;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return (seconds / life + 2) * life;
}

std::string Depot::signature(AttachmentId id, Variant variant, std::int64_t expires) const {
  return seal("attachment " + text_of(id) + ' ' + text_of(variant), expires);
}

void Depot::check_link(AttachmentId id, Variant variant, std::int64_t expires,
                       std::string_view given, Instant now) const {
  check_seal("attachment " + text_of(id) + ' ' + text_of(variant), expires, given, now);
}

std::string Depot::seal(const std::string& words, std::int64_t expires) const {
  return hmac_sha256_hex(url_secret_.reveal(), words + ' ' + std::to_string(expires));
}

void Depot::check_seal(const std::string& words, std::int64_t expires, std::string_view given,
                       Instant now) const {
  if (!constant_time_equal(seal(words, expires), given))
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  if (Instant(std::chrono::seconds(expires)) <= now)
    throw Error(Code::link_expired, "the link has expired: ask for another");
}

std::string key_of(AttachmentId id, Variant variant) {
  const auto name = uuid_text(id.uuid);
  // The last digits are random, the first ones are the time.
  const auto folder = name.substr(name.size() - 2);
  return folder + '/' + name + (variant == Variant::thumbnail ? ".thumbnail" : "");
}

asio::awaitable<void> clear(Database& db, Depot& depot, MerchantId merchant, AttachmentId id) {
  const bool unwanted = co_await db.transact([&](Tx& tx) { return condemn(tx, merchant, id); });
  if (!unwanted) co_return;
  for (const auto variant : {Variant::thumbnail, Variant::original}) {
    const auto key = key_of(id, variant);
    co_await depot.store().remove(key);
  }
  co_await db.transact([&](Tx& tx) { forget(tx, merchant, id); });
}

}  // namespace bottega::attachments
