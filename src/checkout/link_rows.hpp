#pragma once
// What the two sides of payment links share.
#include <map>

#include "bottega/checkout/links.hpp"

namespace bottega::checkout {

inline constexpr std::size_t kLinkCodeLength = 22;

// What is published of the lines that are of the catalogue. No statement where none is.
std::map<catalog::VariantId, catalog::Offer> offers_of_link(Tx& tx, MerchantId merchant,
                                                            const LinkLines& lines);

}  // namespace bottega::checkout
