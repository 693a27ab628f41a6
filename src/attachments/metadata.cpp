#include "attachments/metadata.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace bottega::attachments {
namespace {

using View = std::string_view;
using namespace std::string_view_literals;

constexpr View kExif = "Exif\0\0"sv;

unsigned byte_at(View bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

enum class Order : std::uint8_t { big, little };

// Bytes that are not there are 0.
std::uint32_t number_at(View bytes, std::size_t at, std::size_t size, Order order) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto place = at + (order == Order::big ? i : size - 1 - i);
    value = (value << 8) | (place < bytes.size() ? byte_at(bytes, place) : 0);
  }
  return value;
}

void put_number(std::string& out, std::uint32_t value, std::size_t size) {
  for (auto shift = 8 * size; shift > 0; shift -= 8)
    out += static_cast<char>((value >> (shift - 8)) & 0xff);
}

// ---- JPEG (ITU-T T.81, B.1) ---------------------------------------------------------------------

constexpr unsigned kEnd = 0xd9, kScan = 0xda, kComment = 0xfe, kApp0 = 0xe0, kApp1 = 0xe1,
                   kApp2 = 0xe2, kApp14 = 0xee, kApp15 = 0xef;

bool is_kept(unsigned marker, View payload) {
  if (marker == kComment) return false;
  if (marker < kApp0 || marker > kApp15) return true;
  // How the numbers become colours: JFIF, the colour profile, Adobe's transform.
  return marker == kApp0 || marker == kApp14 ||
         (marker == kApp2 && payload.starts_with("ICC_PROFILE"));
}

// The smallest EXIF there is: one tag, the orientation (CIPA DC-008, 4.6).
std::string exif_with(unsigned orientation) {
  std::string tiff("MM\0*\0\0\0\x08\0\x01", 10);
  put_number(tiff, 0x0112, 2);
  put_number(tiff, 3, 2);
  put_number(tiff, 1, 4);
  put_number(tiff, orientation << 16, 4);
  put_number(tiff, 0, 4);
  std::string out = "\xff\xe1";
  put_number(out, static_cast<std::uint32_t>(2 + kExif.size() + tiff.size()), 2);
  return out.append(kExif) + tiff;
}

// The length of the entropy-coded data at the beginning: up to a marker that is not part of it.
std::size_t scan_length(View bytes) {
  for (std::size_t at = 0; at + 1 < bytes.size(); ++at) {
    if (byte_at(bytes, at) != 0xff) continue;
    const auto next = byte_at(bytes, at + 1);
    if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.size();
}

// Those without a length, which stand at the beginning or within a scan only: what follows one
// elsewhere would be taken for a scan once a segment before it is gone.
bool is_misplaced(unsigned marker) { return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8); }

std::optional<std::string> clean_jpeg(View image) {
  std::string out(image.substr(0, 2));
  image.remove_prefix(std::min<std::size_t>(2, image.size()));
  while (image.size() >= 2 && byte_at(image, 0) == 0xff) {
    const auto marker = byte_at(image, 1);
    if (marker == 0xff) {  // fill bytes
      image.remove_prefix(1);
      continue;
    }
    if (marker == kEnd) return out.append("\xff\xd9");
    if (image.size() < 4 || is_misplaced(marker)) return std::nullopt;
    const std::size_t length = number_at(image, 2, 2, Order::big);
    if (length < 2 || length + 2 > image.size()) return std::nullopt;
    const auto segment = image.substr(0, length + 2), payload = segment.substr(4);
    if (is_kept(marker, payload)) out += segment;
    if (const auto turned = orientation_of(payload); marker == kApp1 && turned > 1)
      out += exif_with(turned);
    image.remove_prefix(segment.size());
    if (marker != kScan) continue;
    const auto scan = scan_length(image);
    out += image.substr(0, scan);
    image.remove_prefix(scan);
  }
  return std::nullopt;
}

// ---- PNG (ISO 15948, 5.3) -----------------------------------------------------------------------

bool is_kept_chunk(View type) {
  constexpr auto kKept = std::to_array<View>({"tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT",
                                              "bKGD", "pHYs", "cICP", "acTL", "fcTL", "fdAT"});
  const bool critical = type[0] >= 'A' && type[0] <= 'Z';
  return critical || std::ranges::find(kKept, type) != kKept.end();
}

std::optional<std::string> clean_png(View image) {
  constexpr std::size_t kSignature = 8, kAround = 12;
  if (image.size() < kSignature) return std::nullopt;
  std::string out(image.substr(0, kSignature));
  image.remove_prefix(kSignature);
  while (image.size() >= kAround) {
    const std::size_t length = number_at(image, 0, 4, Order::big);
    if (length > image.size() - kAround) return std::nullopt;
    const auto type = image.substr(4, 4);
    if (is_kept_chunk(type)) out += image.substr(0, length + kAround);
    if (type == "IEND") return out;
    image.remove_prefix(length + kAround);
  }
  return std::nullopt;
}

// ---- WebP (RFC 9649, 2.7) -----------------------------------------------------------------------

std::optional<std::string> clean_webp(View image) {
  constexpr std::size_t kHeader = 12;
  if (image.size() < kHeader) return std::nullopt;
  const std::size_t size = std::size_t{number_at(image, 4, 4, Order::little)} + 8;
  if (size > image.size() || size < kHeader) return std::nullopt;
  std::string out(image.substr(0, kHeader));
  image = image.substr(kHeader, size - kHeader);
  while (image.size() >= 8) {
    const std::size_t length = number_at(image, 4, 4, Order::little);
    const auto whole = 8 + length + (length & 1);
    if (whole > image.size()) return std::nullopt;
    const auto type = image.substr(0, 4);
    if (type != "EXIF" && type != "XMP ") {
      const auto at = out.size();
      out += image.substr(0, whole);
      // The flags of the extended header say that EXIF and XMP are there.
      if (type == "VP8X" && length > 0)
        out[at + 8] = static_cast<char>(out[at + 8] & ~(0x08 | 0x04));
    }
    image.remove_prefix(whole);
  }
  const auto left = static_cast<std::uint32_t>(out.size() - 8);
  for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<char>((left >> (8 * i)) & 0xff);
  return out;
}

}  // namespace

unsigned orientation_of(View exif) {
  if (!exif.starts_with(kExif)) return 1;
  const auto tiff = exif.substr(kExif.size());
  const bool little = tiff.starts_with("II");
  if (!little && !tiff.starts_with("MM")) return 1;
  const auto order = little ? Order::little : Order::big;
  const std::size_t directory = number_at(tiff, 4, 4, order);
  if (directory >= tiff.size()) return 1;
  const auto count = number_at(tiff, directory, 2, order);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) break;
    if (number_at(tiff, entry, 2, order) != 0x0112) continue;
    const auto value = number_at(tiff, entry + 8, 2, order);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

std::optional<std::string> without_metadata(View image, View media_type) {
  if (media_type == "image/jpeg") return clean_jpeg(image);
  if (media_type == "image/png") return clean_png(image);
  if (media_type == "image/webp") return clean_webp(image);
  return std::string(image);
}

}  // namespace bottega::attachments
