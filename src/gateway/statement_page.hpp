#pragma once
// A merchant's statement as a file, and as a page that prints.
#include "bottega/payouts/statements.hpp"

namespace bottega::gateway {

// RFC 4180; amounts as people write them, in the currency's unit.
std::string csv_of(const payouts::MerchantStatement& statement);
std::string page_of(const payouts::MerchantStatement& statement);

}  // namespace bottega::gateway
