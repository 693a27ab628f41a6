// A feed on its way into the store.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "catalog/feed_rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::catalog {

struct FeedIntake::Writing {
  explicit Writing(std::filesystem::path at) : path(std::move(at)) {}
  ~Writing() {
    std::error_code gone;
    std::filesystem::remove(path, gone);  // the depot's sweep finds what cannot be removed now
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  [[noreturn]] static void broken() {
    throw Error(Code::storage_full, "the feed cannot be written down")
        .retry_after(std::chrono::hours(1));
  }
  void write(std::string_view piece) {
    if (!file.is_open()) {
      file.open(path, std::ios::binary);
      using std::filesystem::perms;
      std::filesystem::permissions(path, perms::owner_read | perms::owner_write);
    }
    file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!file) broken();
    sum.add(piece);
    bytes += piece.size();
  }
  void finish() {
    file.close();
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_durable = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!file || !is_durable) broken();
    sha256 = sum.hex();
  }

  std::filesystem::path path;
  std::ofstream file;
  Sha256Stream sum;
  std::uint64_t bytes = 0;
  std::string sha256;
};

FeedIntake::FeedIntake(attachments::Depot& depot, FeedImportId id)
    : depot_(depot), id_(id), writing_(std::make_unique<Writing>(depot.spool_file())) {}

FeedIntake::~FeedIntake() = default;

asio::awaitable<void> FeedIntake::take(std::string_view bytes) {
  auto work = [&] { writing_->write(bytes); };
  co_await depot_.files().run(work);
}

asio::awaitable<void> FeedIntake::put() {
  if (writing_->bytes == 0)
    throw Error(Code::invalid, "there is nothing in the body", {{"", "must not be empty"}});
  auto work = [&] { writing_->finish(); };
  co_await depot_.files().run(work);
  const attachments::Spooled file{writing_->path, writing_->bytes, writing_->sha256};
  const auto key = key_of(id_);
  co_await depot_.store().put(key, file);
}

std::int64_t FeedIntake::bytes() const { return static_cast<std::int64_t>(writing_->bytes); }

const std::string& FeedIntake::sha256() const { return writing_->sha256; }

}  // namespace bottega::catalog
