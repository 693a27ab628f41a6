#pragma once
// How the beginning of a file tells what it is (WHATWG MIME Sniffing, 6, and the formats' own
// specifications), for the few formats that are taken.
#include <string_view>

namespace bottega::attachments {

// The media type by the bytes; empty where it is none that is known, or one that is refused.
std::string_view media_type_of(std::string_view beginning);

// Whether a ZIP file says that it is a package of Office Open XML (ECMA-376, part 2).
bool is_office_package(std::string_view beginning);

}  // namespace bottega::attachments
