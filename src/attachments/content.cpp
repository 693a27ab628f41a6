// The list of types, and which of them the client may choose by what it declares.
#include "bottega/attachments/content.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "attachments/signatures.hpp"
#include "bottega/core/error.hpp"

namespace bottega::attachments {
namespace {

constexpr std::string_view kOffice = "application/vnd.openxmlformats-officedocument.";

constexpr auto kTypes = std::to_array<Type>({
    {"image/jpeg", Kind::image, Show::inside, "jpg jpeg jpe jfif"},
    {"image/png", Kind::image, Show::inside, "png"},
    {"image/webp", Kind::image, Show::inside, "webp"},
    {"image/gif", Kind::image, Show::inside, "gif"},
    {"audio/mpeg", Kind::audio, Show::inside, "mp3 mpga"},
    {"audio/mp4", Kind::audio, Show::inside, "m4a mp4"},
    {"audio/aac", Kind::audio, Show::inside, "aac"},
    {"audio/ogg", Kind::audio, Show::inside, "ogg oga opus"},
    {"audio/wav", Kind::audio, Show::inside, "wav"},
    {"audio/webm", Kind::audio, Show::inside, "weba webm"},
    {"audio/3gpp", Kind::audio, Show::inside, "3gp 3gpp"},
    {"video/mp4", Kind::video, Show::inside, "mp4 m4v"},
    {"video/webm", Kind::video, Show::inside, "webm"},
    {"video/3gpp", Kind::video, Show::inside, "3gp 3gpp"},
    // A PDF may hold scripts of its own: it is saved and opened by a reader.
    {"application/pdf", Kind::document, Show::download, "pdf"},
    {"text/plain", Kind::document, Show::download, "txt text log md"},
    {"text/csv", Kind::document, Show::download, "csv"},
    {"application/zip", Kind::document, Show::download, "zip"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", Kind::document,
     Show::download, "docx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Kind::document,
     Show::download, "xlsx"},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", Kind::document,
     Show::download, "pptx"},
    {"application/vnd.oasis.opendocument.text", Kind::document, Show::download, "odt"},
    {"application/vnd.oasis.opendocument.spreadsheet", Kind::document, Show::download, "ods"},
    {"application/vnd.oasis.opendocument.presentation", Kind::document, Show::download, "odp"},
});

// Other names of the same types, as browsers and phones send them.
struct Alias {
  std::string_view given, meant;
};
constexpr Alias kAliases[] = {
    {"image/jpg", "image/jpeg"},      {"image/pjpeg", "image/jpeg"},
    {"audio/mp3", "audio/mpeg"},      {"audio/x-m4a", "audio/mp4"},
    {"audio/m4a", "audio/mp4"},       {"audio/aacp", "audio/aac"},
    {"audio/x-aac", "audio/aac"},     {"audio/opus", "audio/ogg"},
    {"application/ogg", "audio/ogg"}, {"audio/wave", "audio/wav"},
    {"audio/x-wav", "audio/wav"},     {"audio/vnd.wave", "audio/wav"},
    {"video/x-m4v", "video/mp4"},     {"application/x-zip-compressed", "application/zip"},
    {"application/csv", "text/csv"},
};

// What bytes alone cannot tell apart: a container with sound only, text with commas.
struct Choice {
  std::string_view found, declared;
};
constexpr Choice kChoices[] = {
    {"video/mp4", "audio/mp4"},   {"audio/mp4", "video/mp4"},  {"video/webm", "audio/webm"},
    {"video/3gpp", "audio/3gpp"}, {"video/3gpp", "video/mp4"}, {"video/mp4", "video/3gpp"},
    {"video/mp4", "audio/3gpp"},  {"video/3gpp", "audio/mp4"}, {"text/plain", "text/csv"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

std::string meaning_of(std::string_view declared) {
  auto type = lower(declared.substr(0, declared.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  for (const auto& alias : kAliases)
    if (alias.given == type) return std::string(alias.meant);
  return type == "application/octet-stream" ? "" : type;
}

bool may_choose(std::string_view found, std::string_view declared, std::string_view beginning) {
  if (found == "application/zip" && declared.starts_with(kOffice))
    return is_office_package(beginning);
  return std::ranges::any_of(
      kChoices, [&](const Choice& row) { return row.found == found && row.declared == declared; });
}

const Type* find_type(std::string_view media_type) {
  const auto* row = std::ranges::find(kTypes, media_type, &Type::media_type);
  return row == kTypes.end() ? nullptr : row;
}

std::string list_of_types() {
  std::string list;
  for (const auto& type : kTypes) list += (list.empty() ? "" : ", ") + std::string(type.media_type);
  return list;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const auto one = words.substr(0, words.find(' '));
    if (one == word) return true;
    words.remove_prefix(std::min(one.size() + 1, words.size()));
  }
  return false;
}

}  // namespace

std::span<const Type> accepted_types() { return kTypes; }

std::vector<std::string> accepted_media_types() {
  std::vector<std::string> names;
  for (const auto& type : kTypes) names.emplace_back(type.media_type);
  return names;
}

const Type& type_named(std::string_view media_type) {
  if (const auto* row = find_type(media_type)) return *row;
  throw Error(Code::internal, "an attachment has a type that is not on the list");
}

const Type& identify(std::string_view beginning, std::string_view declared) {
  const auto found = media_type_of(beginning);
  const auto* row = find_type(found);
  if (row == nullptr)
    throw Error(Code::unsupported_media_type, "the content is none of these: " + list_of_types());
  const auto meant = meaning_of(declared);
  if (meant.empty() || meant == found) return *row;
  if (may_choose(found, meant, beginning)) return type_named(meant);
  throw Error(Code::unsupported_media_type,
              "the content is " + std::string(found) + ", and Content-Type says something else");
}

std::string file_name(std::string_view given, const Type& type) {
  if (const auto slash = given.find_last_of("/\\"); slash != given.npos)
    given.remove_prefix(slash + 1);
  while (!given.empty() && (given.front() == '.' || given.front() == ' ')) given.remove_prefix(1);
  while (!given.empty() && (given.back() == '.' || given.back() == ' ')) given.remove_suffix(1);
  std::string name(given.empty() ? std::string_view("attachment") : given);
  const auto dot = name.rfind('.');
  const bool fits =
      dot != std::string::npos && has_word(type.extensions, lower(name.substr(dot + 1)));
  if (fits) return name;
  return name + '.' + std::string(type.extensions.substr(0, type.extensions.find(' ')));
}

bool TextCheck::take(std::string_view bytes) {
  return std::ranges::all_of(bytes, [&](char c) { return step(static_cast<unsigned char>(c)); });
}

// RFC 3629, 4: the second byte's bounds depend on the first.
bool TextCheck::step(unsigned char byte) {
  if (left_ > 0) {
    if (byte < least_ || byte > most_) return false;
    least_ = 0x80;
    most_ = 0xbf;
    --left_;
    return true;
  }
  if (byte < 0x20) return byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
  if (byte < 0x7f) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) least_ = 0xa0;
  if (byte == 0xed) most_ = 0x9f;
  if (byte == 0xf0) least_ = 0x90;
  if (byte == 0xf4) most_ = 0x8f;
  return true;
}

}  // namespace bottega::attachments
