#pragma once
// Files as the operating system has them. Everything here blocks: call it on the workers' threads.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bottega::attachments {

// An open file, closed in the end.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();

  // Both throw Error(internal); reading a file that is not there throws Error(not_found).
  static File create(const std::filesystem::path& path);
  static File open(const std::filesystem::path& path);

  void write(std::string_view bytes);
  void sync();
  // Bytes from a position, fewer only at the end of the file.
  std::size_t read(char* into, std::size_t size, std::uint64_t from) const;

 private:
  int descriptor_ = -1;
};

// Makes the names in a folder durable. Throws Error(internal).
void sync_folder(const std::filesystem::path& folder);
// Makes a folder that only we can look into, with those above it.
void make_folder(const std::filesystem::path& folder);
// Removes a file that may be there.
void remove_file(const std::filesystem::path& path);

}  // namespace bottega::attachments
