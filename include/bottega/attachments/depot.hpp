#pragma once
// Everything that uploads and downloads need beside the database: the store, its threads, its
// limits, and the way in.
#include <atomic>
#include <functional>

#include "bottega/attachments/attachments.hpp"
#include "bottega/attachments/store.hpp"
#include "bottega/core/config.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::attachments {

enum class Variant : std::uint8_t { original, thumbnail };
BOOST_DESCRIBE_ENUM(Variant, original, thumbnail)

class Depot {
 public:
  // `folder` is where files are kept, or wait for S3. Throws Error(internal) with words for the
  // operator. `url_secret` signs the links.
  Depot(const Config& config, const std::filesystem::path& folder, const Clock& clock,
        Secret url_secret);

  std::int64_t bytes_max(Kind kind) const;
  std::int64_t largest() const;  // of all kinds
  std::int64_t pixels_max() const { return limits_.pixels; }
  const Quotas& quotas() const { return limits_.quotas; }
  Store& store() { return *store_; }
  Workers& files() { return files_; }
  Workers& images() { return images_; }
  // A file that nobody uses yet, beside the store.
  std::filesystem::path spool_file();
  // Removes files of uploads that a server which died has left; the hourly sweep calls it.
  asio::awaitable<void> sweep();
  // Ends the threads, after whoever uses them.
  void stop();

  // Links are good for the setting's time at least and twice that at most, and stay the same for
  // as long, so that they can be kept by whoever got them. HMAC-SHA256 over id, variant and time.
  std::int64_t link_expiry(Instant now) const;  // seconds since 1970
  std::string signature(AttachmentId id, Variant variant, std::int64_t expires) const;
  // The same for anything else in the store, in words that name it.
  std::string seal(const std::string& words, std::int64_t expires) const;
  void check_seal(const std::string& words, std::int64_t expires, std::string_view given,
                  Instant now) const;
  // Throws Error(not_found) for a signature that is not ours, Error(link_expired) for an old link.
  void check_link(AttachmentId id, Variant variant, std::int64_t expires, std::string_view given,
                  Instant now) const;

 private:
  struct Limits {
    std::int64_t image_bytes, audio_bytes, video_bytes, document_bytes, pixels;
    Quotas quotas;
    std::int64_t link_s;
  };
  static Limits limits_of(const Config& config);

  Limits limits_;
  std::filesystem::path folder_;
  Secret url_secret_;
  Workers files_, images_;
  std::unique_ptr<Store> store_;
};

// Where the bytes of an attachment are in the store.
std::string key_of(AttachmentId id, Variant variant);

// What the job kClearJob does: removes the bytes and then the row, unless it is in a message. Safe
// to do again.
asio::awaitable<void> clear(Database& db, Depot& depot, MerchantId merchant, AttachmentId id);

}  // namespace bottega::attachments
