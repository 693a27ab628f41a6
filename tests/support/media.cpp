#include "support/media.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

constexpr std::string_view kJpeg =
    "_9j_2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeF"
    "xlZ2P_2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj"
    "Y2NjY2P_wAARCAAwAEADASIAAhEBAxEB_8QAFQABAQAAAAAAAAAAAAAAAAAAAAX_xAAUEAEAAAAAAAAAAAAAAAAAAA"
    "AA_8QAFwEBAQEBAAAAAAAAAAAAAAAAAAUEBv_EABoRAQABBQAAAAAAAAAAAAAAAAAUFWFioeH_2gAMAwEAAhEDEQA_"
    "AJACY7gABTAU3DgAJgpjNHuuVjDfEwUwj3KxhvgA0oYAAAAAAAAAD__Z";
constexpr std::string_view kWebp =
    "UklGRjABAABXRUJQVlA4WAoAAAAIAAAAPwAALwAAVlA4IFAAAADQAwCdASpAADAAPu1orE8ppiQiLUgBMB2JQBom0A"
    "ANfvXdvIliX3AA_ug4v68p8Tbf_5mj9JvpN3Vi2fc9YlLvP9xuT-v5b9gOAESmBAAAAEVYSUa6AAAARXhpZgAASUkq"
    "AAgAAAAGABIBAwABAAAAAQAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgBAwABAAAAAgAAABMCAwABAAAAAQAAAG"
    "mHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAABgAAkAcABAAAADAyMTABkQcABAAAAAECAwAAoAcABAAAADAx"
    "MDABoAMAAQAAAP__AAACoAQAAQAAAEAAAAADoAQAAQAAADAAAAAAAAAA";
constexpr std::string_view kGif =
    "R0lGODlhQAAwAIEAAEdwTHh4ePoKCgAAACH_C05FVFNDQVBFMi4wAwEAAAAh-QQFAAAAACwAAAAAQAAwAAACdJSPqY"
    "vhD6OckNmbqN4Re8uF2kdm4lmVKsoG6tqebxnL81eLN55zu9fz_S7BzZBYpBxBycmS0XQ-FVHJlFpNXQ9Z7VbQfXy5"
    "YdcYXD6jw-qyeexuu-f0uv2Oz-v3_L7_DxgoOEhYaHiImKi4yNjo-AgZGVgAADs";

// With as many bytes, the lowest first or last.
std::string little(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}
std::string big(std::uint32_t value, std::size_t size) {
  auto out = little(value, size);
  std::ranges::reverse(out);
  return out;
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

std::uint32_t adler32(std::string_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65'521;
    b = (b + a) % 65'521;
  }
  return (b << 16) | a;
}

// RFC 1950 and 1951 without compression.
std::string zlib(std::string_view bytes) {
  constexpr std::size_t kBlock = 65'535;
  std::string out = "\x78\x01";
  const auto sum = adler32(bytes);
  do {
    const auto block = bytes.substr(0, kBlock);
    bytes.remove_prefix(block.size());
    const auto size = static_cast<std::uint32_t>(block.size());
    out += bytes.empty() ? '\1' : '\0';
    out += little(size, 2) + little(~size & 0xffff, 2);
    out += block;
  } while (!bytes.empty());
  return out + big(sum, 4);
}

std::string chunk(const std::string& type, const std::string& data) {
  return big(static_cast<std::uint32_t>(data.size()), 4) + type + data + big(crc32(type + data), 4);
}

std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& chunks,
                   const std::string& rows) {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big(width, 4) + big(height, 4) + std::string("\x08\0\0\0\0", 5)) + chunks +
         chunk("IDAT", zlib(rows)) + chunk("IEND", "");
}

}  // namespace

std::string a_jpeg() { return from_base64url(kJpeg).value(); }
std::string a_webp() { return from_base64url(kWebp).value(); }
std::string a_gif() { return from_base64url(kGif).value(); }

std::string a_png(std::uint32_t width, std::uint32_t height, const std::string& text) {
  std::string rows;
  for (std::uint32_t y = 0; y < height; ++y) rows += '\0' + std::string(width, '\x80');
  const auto comment = text.empty() ? "" : chunk("tEXt", "Comment" + std::string(1, '\0') + text);
  return png_of(width, height, comment, rows);
}

std::string a_bomb(std::uint32_t width, std::uint32_t height) {
  return png_of(width, height, "", std::string(1'000, '\0'));
}

std::string jpeg_segment(unsigned marker, const std::string& payload) {
  std::string out = "\xff";
  out += static_cast<char>(marker);
  return out + big(static_cast<std::uint32_t>(payload.size() + 2), 2) + payload;
}

std::string exif_of_a_camera(unsigned orientation) {
  const auto entry = [](std::uint32_t tag, std::uint32_t type, std::uint32_t count,
                        std::uint32_t value) {
    return little(tag, 2) + little(type, 2) + little(count, 4) + little(value, 4);
  };
  const auto size = static_cast<std::uint32_t>(kSecretPlace.size());
  // The maker's words, the orientation, and the text behind the directory.
  const std::string tiff = std::string("II*\0\x08\0\0\0", 8) + little(2, 2) +
                           entry(0x010e, 2, size, 38) + entry(0x0112, 3, 1, orientation) +
                           little(0, 4);
  return jpeg_segment(0xe1, std::string("Exif\0\0", 6) + tiff + std::string(kSecretPlace));
}

std::string jpeg_with(const std::string& segments, const std::string& behind) {
  const auto plain = a_jpeg();
  return plain.substr(0, 2) + segments + plain.substr(2) + behind;
}

std::string a_zip(const std::vector<ZipEntry>& entries) {
  std::string out, directory;
  for (const auto& [name, content] : entries) {
    const auto size = static_cast<std::uint32_t>(content.size());
    const auto common = little(10, 2) + little(0, 4) + little(0, 4) + little(crc32(content), 4) +
                        little(size, 4) + little(size, 4) +
                        little(static_cast<std::uint32_t>(name.size()), 2) + little(0, 2);
    const auto at = static_cast<std::uint32_t>(out.size());
    out += "PK\x03\x04" + common + name + content;
    directory +=
        "PK\x01\x02" + little(10, 2) + common + little(0, 6) + little(0, 4) + little(at, 4) + name;
  }
  const auto count = static_cast<std::uint32_t>(entries.size());
  return out + directory + "PK\x05\x06" + little(0, 4) + little(count, 2) + little(count, 2) +
         little(static_cast<std::uint32_t>(directory.size()), 4) +
         little(static_cast<std::uint32_t>(out.size()), 4) + little(0, 2);
}

std::string a_text(std::size_t size) {
  std::string out;
  out.reserve(size + 40);
  for (int line = 1; out.size() < size; ++line)
    out += "line " + std::to_string(line) + " of a text\n";
  out.resize(size);
  return out;
}

std::string a_pdf(std::size_t size) {
  auto out = "%PDF-1.7\n%" + a_text(size);
  out.resize(size);
  return out;
}

}  // namespace bottega::test
