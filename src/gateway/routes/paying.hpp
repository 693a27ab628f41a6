#pragma once
// The flow of a payment, whatever is paid: two transactions with the processor's call between them.
#include "gateway/app.hpp"
#include "gateway/step_up.hpp"
#include "bottega/checkout/together.hpp"

namespace bottega::gateway {

struct Paying {
  // What begins in the first transaction, together with others;
  checkout::Asked asked;
  payments::Acceptance acceptance;
  // and the same by itself.
  std::function<payments::Payment(Tx&)> begin;
  // Where a buyer comes back to who has confirmed it elsewhere; the request where nothing is said.
  std::string return_url = {};
};

// Safe to run again from the top: the key gives back the payment that an earlier, interrupted try
// began, and it is never charged twice. A shop that wants to be asked is asked before the charge.
asio::awaitable<Reply> pay(Call& call, Paying paying);

}  // namespace bottega::gateway
