#pragma once
// What is bought of the catalogue is set aside while it is being paid, and sold once it is.
#include "bottega/catalog/stock.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::payments {

using Held = List<catalog::Item, 0, 100>;

// Whether paying it takes something off what others can buy.
bool is_of_catalogue(const Request& request);
// What is of the catalogue.
std::vector<catalog::Item> items_of(const orders::Lines& lines);
// Why it cannot be sold.
Error out_of_stock(const Request& request, const std::vector<catalog::Lack>& lacking);
// Before a payment begins; nothing where nothing of the request is counted. Throws Error(conflict)
// with the lines of what is sold out, and nothing is set aside.
std::optional<Held> set_aside(Tx& tx, const Request& request);
// The payment was captured: what it held is sold.
void sell(Tx& tx, const Payment& payment, const Request& request);
// The payment failed: what it held may be bought by others, and its discount code used again.
void let_go(Tx& tx, const Payment& payment, const Request& request);

}  // namespace bottega::payments
