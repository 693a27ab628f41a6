#pragma once
// Small files of every kind that is taken, made here so that nothing has to be kept beside the
// tests.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bottega::test {

// 64 x 48 pixels: a red corner at the top left on grey.
std::string a_jpeg();
std::string a_gif();
// The same with an EXIF chunk.
std::string a_webp();
// Grey, of any size; `text` is in a tEXt chunk where it is not empty.
std::string a_png(std::uint32_t width, std::uint32_t height, const std::string& text = "");
// A head that says how large it is, and next to nothing behind it.
std::string a_bomb(std::uint32_t width, std::uint32_t height);

// The segment that a camera puts into a JPEG: orientation, and where the picture was taken.
inline constexpr std::string_view kSecretPlace = "48 12.345 N 16 23.456 E";
std::string jpeg_segment(unsigned marker, const std::string& payload);
std::string exif_of_a_camera(unsigned orientation);
// With its segments behind the start of the image, and more bytes behind its end.
std::string jpeg_with(const std::string& segments, const std::string& behind = "");

// A ZIP file with these entries, not compressed.
struct ZipEntry {
  std::string name, content;
};
std::string a_zip(const std::vector<ZipEntry>& entries);

// Text of so many bytes.
std::string a_text(std::size_t size);
// A PDF of so many bytes, as far as its beginning tells.
std::string a_pdf(std::size_t size);

}  // namespace bottega::test
