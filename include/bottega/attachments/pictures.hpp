#pragma once
// Images are decoded by libvips, once, when they come: for their size, for a thumbnail, and to know
// that they are images. It blocks and takes memory: call it on the workers' threads.
#include <cstdint>
#include <filesystem>
#include <string>

namespace bottega::attachments {

inline constexpr int kThumbnailSide = 320;  // the longer one, in pixels
inline constexpr std::string_view kThumbnailType = "image/jpeg";

struct Picture {
  std::int64_t width = 0, height = 0;  // as it is seen, turned by its EXIF orientation
  std::string thumbnail;               // JPEG, without metadata
};

// Throws Error(invalid) for what cannot be decoded, or has more pixels than that: the pixels are
// counted before any is decoded.
Picture read_picture(const std::filesystem::path& file, std::string_view media_type,
                     std::int64_t pixels_max);

}  // namespace bottega::attachments
