#pragma once
// Takes out of an image what it tells about its maker, such as where it was taken; the pixels stay
// as they are, bit for bit.
#include <optional>
#include <string>
#include <string_view>

namespace bottega::attachments {

// The image without EXIF (but for its orientation), XMP, IPTC, comments, text and whatever is
// behind its end. GIF is left as it is. None where the image is not built as it should be.
std::optional<std::string> without_metadata(std::string_view image, std::string_view media_type);

// The EXIF orientation (1 to 8) in the payload of a JPEG APP1 segment; 1 where there is none.
unsigned orientation_of(std::string_view exif);

}  // namespace bottega::attachments
