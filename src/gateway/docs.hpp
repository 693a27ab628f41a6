#pragma once
// The pages that people read: the contract, and what each problem means. No scripts, nothing from
// elsewhere.
#include <string>

#include "bottega/core/error.hpp"
#include "bottega/core/json.hpp"

namespace bottega::gateway {

std::string docs_page(const Json& openapi);
std::string problem_page(const CodeInfo& row);
std::string problems_index();
// For whoever comes back from a processor's page.
std::string back_page();

}  // namespace bottega::gateway
