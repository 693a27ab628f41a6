#pragma once
// Asking the shop, as a payment begins.
#include "bottega/payments/questions.hpp"

namespace bottega::payments {

// Where the shop wants to be asked before a charge: its side is told, and has until then.
void ask_shop(Tx& tx, const Request& request, const Payment& payment, const Rules& rules);

}  // namespace bottega::payments
