#include "attachments/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bottega/core/error.hpp"

namespace bottega::attachments {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* doing) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT)
    throw Error(Code::storage_full, "the disk is full").retry_after(std::chrono::hours(1));
  throw Error(Code::internal, std::string("attachments: ") + doing + ": " + std::strerror(error));
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File File::create(const fs::path& path) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) fail("a file cannot be made");
  return File(descriptor);
}

File File::open(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ENOENT)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  if (descriptor < 0) fail("a file cannot be opened");
  return File(descriptor);
}

void File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("a file cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void File::sync() {
  if (::fsync(descriptor_) != 0) fail("a file cannot be synced");
}

std::size_t File::read(char* into, std::size_t size, std::uint64_t from) const {
  std::size_t done = 0;
  while (done < size) {
    const auto got =
        ::pread(descriptor_, into + done, size - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("a file cannot be read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("a folder cannot be opened");
  File(descriptor).sync();
}

void make_folder(const fs::path& folder) {
  if (fs::is_directory(folder)) return;
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed)
    throw Error(Code::internal, "attachments: the folder " + folder.string() +
                                    " cannot be made: " + failed.message());
  if (folder.has_parent_path()) sync_folder(folder.parent_path());
}

void remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("a file cannot be removed");
}

}  // namespace bottega::attachments
