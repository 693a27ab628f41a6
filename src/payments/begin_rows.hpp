#pragma once
// What payments that begin together write.
#include "payments/stock.hpp"
#include "bottega/payments/together.hpp"

namespace bottega::payments {

// One of them on its way to be written.
struct Draft {
  std::size_t place = 0;  // among those that were asked for
  bool is_new = false, asks = false;
  Request request;
  PaymentId payment_id;
  std::string made_by;
  attempts::Destination to;
  std::string token;
  std::optional<orders::Address> ship_to;
  catalog::Basket basket;
  std::vector<catalog::Item> held;
};

// The requests, which are new or are moved, and their payments, in one statement.
void write_begun(Tx& tx, const std::vector<Draft*>& drafts);
// Covers our own death before the outcomes are written. One job for all that begin within a second,
// which nobody takes back.
void want_reconciliation(Tx& tx, const std::vector<Draft*>& drafts, Instant at);

}  // namespace bottega::payments
