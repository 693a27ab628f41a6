// The store that needs nothing else: a directory, which several nodes may share by a network file
// system.
#include <vector>

#include "attachments/files.hpp"
#include "bottega/attachments/store.hpp"

namespace bottega::attachments {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadSize = 65'536;

class FileReading final : public Reading {
 public:
  FileReading(Workers& files, File file, Piece piece)
      : files_(files), file_(std::move(file)), piece_(piece) {}

  asio::awaitable<std::string_view> next() override {
    if (piece_.length == 0) {
      co_return std::string_view();
    }
    buffer_.resize(kReadSize);
    auto work = [&] {
      const auto wanted = std::min<std::uint64_t>(piece_.length, kReadSize);
      return file_.read(buffer_.data(), static_cast<std::size_t>(wanted), piece_.first);
    };
    const auto got = co_await files_.run(work);
    if (got == 0) throw Error(Code::internal, "a file of an attachment is too short");
    piece_.first += got;
    piece_.length -= got;
    co_return std::string_view(buffer_.data(), got);
  }

 private:
  Workers& files_;
  File file_;
  Piece piece_;
  std::vector<char> buffer_;
};

class DirectoryStore final : public Store {
 public:
  DirectoryStore(fs::path folder, Workers& files) : folder_(std::move(folder)), files_(files) {
    make_folder(folder_);
  }

  // The spooled file was synced by whoever wrote it, and lies in the same file system.
  asio::awaitable<void> put(const std::string& key, const Spooled& file) override {
    const auto target = folder_ / key;
    auto work = [&] {
      make_folder(target.parent_path());
      fs::rename(file.path, target);
      sync_folder(target.parent_path());
    };
    co_await files_.run(work);
  }

  asio::awaitable<std::unique_ptr<Reading>> get(const std::string& key, Piece piece) override {
    const auto target = folder_ / key;
    File file;
    auto work = [&] { file = File::open(target); };
    co_await files_.run(work);
    co_return std::make_unique<FileReading>(files_, std::move(file), piece);
  }

  asio::awaitable<void> remove(const std::string& key) override {
    const auto target = folder_ / key;
    auto work = [&] { remove_file(target); };
    co_await files_.run(work);
  }

  std::string link(const std::string&, const Presented&) override { return {}; }

 private:
  fs::path folder_;
  Workers& files_;
};

}  // namespace

std::unique_ptr<Store> make_directory_store(const fs::path& folder, Workers& files) {
  return std::make_unique<DirectoryStore>(folder, files);
}

}  // namespace bottega::attachments
