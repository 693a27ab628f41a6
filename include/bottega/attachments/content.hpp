#pragma once
// What a file is, judged by its bytes: the name and the declared type only choose among what the
// bytes allow. Whatever is not on the list of types is refused.
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/scalar.hpp"

namespace bottega::attachments {

enum class Kind : std::uint8_t { image, audio, video, document };
BOOST_DESCRIBE_ENUM(Kind, image, audio, video, document)

// Whether a browser may show it in place: never what could hold a script.
enum class Show : std::uint8_t { inside, download };

struct Type {
  std::string_view media_type;
  Kind kind;
  Show show;
  std::string_view extensions;  // "jpg jpeg"; the first one is given to a name without one of them
};
std::span<const Type> accepted_types();
std::vector<std::string> accepted_media_types();
// The row of a media type that was stored; throws Error(internal) for one that is not on the list.
const Type& type_named(std::string_view media_type);

// How much of the beginning is looked at.
inline constexpr std::size_t kSniffBytes = 16'384;

// The type of a file by its beginning (at most kSniffBytes) and what the client says it is, which
// may be empty. Throws Error(unsupported_media_type) where the content is not on the list or is not
// what the client says.
const Type& identify(std::string_view beginning, std::string_view declared);

// The name to offer for a download: no folders, and an extension that fits the type.
std::string file_name(std::string_view given, const Type& type);

// Whether bytes, given piece by piece, are text: UTF-8 (RFC 3629) without control characters but
// white space.
class TextCheck {
 public:
  // False as soon as they are not.
  bool take(std::string_view bytes);
  // Whether the text ends where it may.
  bool is_whole() const { return left_ == 0; }

 private:
  bool step(unsigned char byte);

  unsigned left_ = 0;                         // bytes of the present character still to come
  unsigned char least_ = 0x80, most_ = 0xbf;  // what the next one may be
};

}  // namespace bottega::attachments
