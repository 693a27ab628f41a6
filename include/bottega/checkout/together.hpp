#pragma once
// Checkouts, and payment requests that are accepted, which begin together.
#include "bottega/checkout/quotes.hpp"
#include "bottega/payments/together.hpp"

namespace bottega::checkout {

struct Ordering {
  ConversationId conversation;
  NewCheckout given;
};
struct Accepting {
  payments::RequestId request;
  payments::Acceptance acceptance;
};
struct Asked {
  Who who;
  std::variant<Ordering, Accepting> what;
};

// What becomes of each: as payments::begin() has it of several. Nothing also for what is bought
// with a payment link or a discount code, and where the one who asks is not a buyer who may buy
// there: begin() of one says it best.
payments::Beginnings begin(Tx& tx, const std::vector<Asked>& asked, const payments::Rules& rules);

}  // namespace bottega::checkout
