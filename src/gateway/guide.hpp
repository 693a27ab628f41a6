#pragma once
// How a client makes a whole sale, told once: as CommonMark in the OpenAPI document and as HTML
// on /docs.
#include <string>

namespace bottega::gateway {

std::string guide_text();
std::string guide_html();

}  // namespace bottega::gateway
