#pragma once
// The hosted page of a payment link: one document with its own script and nothing from elsewhere,
// which buys by the same API that everybody uses.
#include "bottega/checkout/links.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// How the page asks for a card. The sandbox has a list of its test cards; the fields of a real
// processor, which come from its own site and never show us a card, would be another kind here.
enum class Cards : std::uint8_t { none, sandbox };

Reply pay_page(const checkout::LinkOffer& offer, Cards cards);
Reply no_such_link_page();

// Parts of the page (pay_script.cpp).
std::string_view pay_style();
std::string_view pay_script();

}  // namespace bottega::gateway
