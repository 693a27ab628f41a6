// Files: what they are by their bytes, their names, and their metadata. The first byte says what
// the client calls it.
#include "bottega/attachments/content.hpp"
#include "attachments/metadata.hpp"
#include "attachments/signatures.hpp"
#include "fuzz/fuzz.hpp"

namespace bottega::fuzz {
namespace {

using namespace attachments;

void check_text(std::string_view bytes, std::size_t piece) {
  TextCheck whole, parts;
  const bool is_text = whole.take(bytes) && whole.is_whole();
  bool in_parts = true;
  for (auto left = bytes; !left.empty() && in_parts;
       left.remove_prefix(std::min(piece, left.size())))
    in_parts = parts.take(left.substr(0, piece));
  check(is_text == (in_parts && parts.is_whole()), "pieces do not matter");
  check(!is_text || is_utf8(bytes), "text is UTF-8");
}

void check_metadata(std::string_view image, std::string_view media_type) {
  const auto clean = without_metadata(image, media_type);
  if (!clean) return;
  const auto again = without_metadata(*clean, media_type);
  check(again && *again == *clean, "what is clean stays as it is");
  check(media_type_of(image) != media_type || media_type_of(*clean) == media_type,
        "an image stays what it is");
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto choice = in.number();
  const auto bytes = in.rest();
  const auto types = accepted_types();
  const auto& declared = types[choice % types.size()];
  const auto beginning = bytes.substr(0, kSniffBytes);
  for (const auto name : {declared.media_type, std::string_view(), bytes.substr(0, 40)}) {
    const auto* type = answer_of([&] { return &identify(beginning, name); }).value_or(nullptr);
    if (type == nullptr) continue;
    check(&type_named(type->media_type) == type, "a type has a row");
  }
  is_office_package(beginning);
  const auto name = file_name(bytes.substr(0, 300), declared);
  check(!name.empty() && name.find_first_of("/\\") == std::string::npos, "a name has no folder");
  check(!is_utf8(bytes.substr(0, 300)) || is_utf8(name), "a name is UTF-8");
  check_text(bytes, choice + 1);
  for (const auto* image : {"image/jpeg", "image/png", "image/webp", "image/gif"})
    check_metadata(bytes, image);
  const auto orientation = orientation_of(bytes);
  check(orientation >= 1 && orientation <= 8, "an orientation is one of eight");
}

}  // namespace bottega::fuzz
