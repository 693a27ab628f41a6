#include "attachments/signatures.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "bottega/attachments/content.hpp"

namespace bottega::attachments {
namespace {

using View = std::string_view;
using namespace std::string_view_literals;

unsigned byte_at(View bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

struct Magic {
  std::size_t at;
  View bytes;
  View media_type;
};
constexpr Magic kMagic[] = {
    {0, "\xff\xd8\xff"sv, "image/jpeg"}, {0, "\x89PNG\r\n\x1a\n"sv, "image/png"},
    {0, "GIF87a"sv, "image/gif"},        {0, "GIF89a"sv, "image/gif"},
    {0, "ID3"sv, "audio/mpeg"},          {0, "%PDF-"sv, "application/pdf"},
};

// RIFF (WebP, WAVE): the form's name is at 8.
View riff_type(View bytes) {
  if (bytes.size() < 12 || !bytes.starts_with("RIFF")) return {};
  const auto form = bytes.substr(8, 4);
  if (form == "WEBP") return "image/webp";
  return form == "WAVE" ? "audio/wav" : View{};
}

// ISO 14496-12, 4.3: the major brand says what the file is to be used as.
View ftyp_type(View bytes) {
  if (bytes.size() < 16 || bytes.substr(4, 4) != "ftyp") return {};
  const auto brand = bytes.substr(8, 4);
  constexpr auto kVideo = std::to_array<View>({"isom", "iso2", "iso4", "iso5", "iso6", "mp41",
                                               "mp42", "avc1", "dash", "M4V ", "MSNV", "mmp4"});
  if (brand == "M4A " || brand == "M4B ") return "audio/mp4";
  if (brand.starts_with("3gp") || brand.starts_with("3g2")) return "video/3gpp";
  return std::ranges::find(kVideo, brand) != kVideo.end() ? "video/mp4"sv : View{};
}

// EBML whose DocType is "webm"; Matroska is not taken.
View ebml_type(View bytes) {
  if (!bytes.starts_with("\x1a\x45\xdf\xa3")) return {};
  return bytes.substr(0, 64).find("\x42\x82\x84webm") != View::npos ? "video/webm"sv : View{};
}

// Ogg with sound in its first page (RFC 5334): Opus, Vorbis, FLAC, Speex.
View ogg_type(View bytes) {
  if (!bytes.starts_with("OggS") || bytes.size() < 40) return {};
  const auto packet = bytes.substr(28);
  const bool sound = packet.starts_with("OpusHead") || packet.starts_with("\x01vorbis") ||
                     packet.starts_with(
                         "\x7f"
                         "FLAC") ||
                     packet.starts_with("Speex   ");
  return sound ? "audio/ogg"sv : View{};
}

// The length of an MPEG audio frame of layer III (ISO 11172-3, 2.4.1.3) at the beginning.
std::optional<std::size_t> mp3_frame(View bytes) {
  if (bytes.size() < 4 || byte_at(bytes, 0) != 0xff || (byte_at(bytes, 1) & 0xe6) != 0xe2)
    return std::nullopt;
  const unsigned version = (byte_at(bytes, 1) >> 3) & 3, rate = (byte_at(bytes, 2) >> 2) & 3;
  const unsigned index = byte_at(bytes, 2) >> 4;
  if (version == 1 || rate == 3 || index == 0 || index == 15) return std::nullopt;
  static constexpr unsigned kFirst[] = {0,   32,  40,  48,  56,  64,  80, 96,
                                        112, 128, 160, 192, 224, 256, 320};
  static constexpr unsigned kSecond[] = {0,  8,  16, 24,  32,  40,  48, 56,
                                         64, 80, 96, 112, 128, 144, 160};
  static constexpr unsigned kRates[] = {44'100, 48'000, 32'000};
  const bool first = version == 3;
  const unsigned hertz = kRates[rate] / (first ? 1 : version == 2 ? 2 : 4);
  const unsigned bits = (first ? kFirst : kSecond)[index] * 1'000;
  return (first ? 144 : 72) * bits / hertz + ((byte_at(bytes, 2) >> 1) & 1);
}

// The length of an ADTS frame (ISO 13818-7, 6.2) at the beginning.
std::optional<std::size_t> adts_frame(View bytes) {
  if (bytes.size() < 7 || byte_at(bytes, 0) != 0xff || (byte_at(bytes, 1) & 0xf6) != 0xf0)
    return std::nullopt;
  const auto length =
      ((byte_at(bytes, 3) & 3) << 11) | (byte_at(bytes, 4) << 3) | (byte_at(bytes, 5) >> 5);
  return length >= 7 ? std::optional<std::size_t>(length) : std::nullopt;
}

// Eleven bits of a frame are soon found in anything: two frames must follow each other.
template <class Frame>
bool begins_with_two(View bytes, Frame frame) {
  const auto first = frame(bytes);
  return first && *first < bytes.size() && frame(bytes.substr(*first)).has_value();
}

// The names of the entries whose local headers are in the beginning of a ZIP file (APPNOTE 4.3.7).
std::vector<View> zip_names(View bytes) {
  std::vector<View> names;
  constexpr View kLocal = "PK\x03\x04";
  for (auto at = bytes.find(kLocal); at != View::npos; at = bytes.find(kLocal, at + 4)) {
    if (at + 30 > bytes.size()) break;
    const auto length = byte_at(bytes, at + 26) | (byte_at(bytes, at + 27) << 8);
    names.push_back(bytes.substr(at + 30, length));
  }
  return names;
}

bool has_entry(const std::vector<View>& names, View beginning) {
  return std::ranges::any_of(names, [&](View name) { return name.starts_with(beginning); });
}

// Programs for phones and Java are ZIP files as well, and are refused.
View zip_type(View bytes) {
  const auto names = zip_names(bytes);
  if (!bytes.starts_with("PK\x03\x04") || names.empty()) return {};
  for (const auto program : {"META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"})
    if (has_entry(names, program)) return {};
  constexpr View kDocument = "application/vnd.oasis.opendocument.";
  if (names.front() == "mimetype") {
    const auto declared = bytes.substr(std::min<std::size_t>(38, bytes.size()));
    for (const auto& type : accepted_types())
      if (type.media_type.starts_with(kDocument) && declared.starts_with(type.media_type) &&
          !declared.substr(type.media_type.size()).starts_with("-"))
        return type.media_type;
    return {};
  }
  if (is_office_package(bytes)) {
    if (has_entry(names, "word/"))
      return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    if (has_entry(names, "xl/"))
      return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    if (has_entry(names, "ppt/"))
      return "application/vnd.openxmlformats-officedocument.presentationml.presentation";
  }
  return "application/zip";
}

bool has_word_at(const std::string& text, std::size_t at, View word) {
  if (text.compare(at, word.size(), word) != 0) return false;
  const auto end = at + word.size();
  return end >= text.size() || std::isalnum(static_cast<unsigned char>(text[end])) == 0;
}

// What a browser could take for a page (WHATWG MIME Sniffing, 7.1), or a shell for a script.
bool is_active_text(View bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  std::string text(bytes);
  std::ranges::transform(text, text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  const auto start = text.find_first_not_of(" \t\r\n\f");
  if (start == std::string::npos) return false;
  if (text.compare(start, 2, "#!") == 0) return true;
  for (const auto word : {"<!doctype", "<!--", "<?xml", "<?php", "<a", "<b", "<body", "<br", "<div",
                          "<font", "<h1", "<head", "<p", "<style", "<table", "<title"})
    if (has_word_at(text, start, word) || text.compare(start, 4, "<!--") == 0) return true;
  for (const auto word : {"<script", "<iframe", "<svg", "<html", "<object", "<embed"})
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      if (has_word_at(text, at, word)) return true;
  return false;
}

View text_type(View bytes) {
  TextCheck check;
  return check.take(bytes) && !is_active_text(bytes) ? "text/plain"sv : View{};
}

}  // namespace

View media_type_of(View beginning) {
  if (beginning.empty()) return {};
  for (const auto& magic : kMagic)
    if (beginning.size() > magic.at && beginning.substr(magic.at).starts_with(magic.bytes))
      return magic.media_type;
  for (auto* look : {&riff_type, &ftyp_type, &ebml_type, &ogg_type, &zip_type})
    if (const auto type = (*look)(beginning); !type.empty()) return type;
  if (begins_with_two(beginning, mp3_frame)) return "audio/mpeg";
  if (begins_with_two(beginning, adts_frame)) return "audio/aac";
  return text_type(beginning);
}

bool is_office_package(View beginning) {
  const auto names = zip_names(beginning);
  return has_entry(names, "[Content_Types].xml") || has_entry(names, "_rels/.rels");
}

}  // namespace bottega::attachments
