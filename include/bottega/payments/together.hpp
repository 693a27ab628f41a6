#pragma once
// Payments that begin together, and those whose money came together: the same as one after the
// other, in a few statements whatever their number.
#include <variant>

#include "bottega/payments/payments.hpp"

namespace bottega::payments {

// What is bought, from a shop as it is until the transaction ends.
struct Buying {
  identity::Merchant merchant;
  identity::FeeRate fee;                    // for the purchase's currency
  std::optional<std::int64_t> request_max;  // the shop's own limit, in whole units
  bool asks = false;                        // the shop is asked before the charge
  Purchase purchase;
};

// A request that there is, or a purchase that becomes one.
struct Beginning {
  Who who;
  Acceptance acceptance;
  std::variant<RequestId, Buying> what;
};

struct Begun {
  Payment payment;
  Request request;
  processors::Charge charge;  // without where the buyer comes back to
  bool is_asked = false;      // the shop: its answer is waited for
  bool is_again = false;      // the request was there before
};

// What became of each: it has begun, or was refused as begin() and open_purchase() refuse it, and
// has left nothing behind. Nothing: it must begin by itself, for it has a discount code or a
// payment link, is tried once more by the buyer who took it, or is for a request that another of
// these is for.
using Beginnings = std::vector<std::optional<std::variant<Begun, Error>>>;
Beginnings begin(Tx& tx, const std::vector<Beginning>& asked, const Rules& rules);

// Whether it is about one of several alone: where the database fails, or has no time, nobody is
// refused anything.
bool is_refusal(const Error& error);

// What a processor said about a payment.
struct Told {
  MerchantId merchant;
  PaymentId payment;
  processors::Outcome outcome;
  // As it has begun, where that is at hand still: what it asks for never changes, and is not read
  // again.
  std::optional<Request> request = {};
};
// Settles those that were charged as they were asked for, and of which nothing was heard before.
// Nothing for the others, with which settle() must be done.
std::vector<std::optional<Accepted>> settle(Tx& tx, const std::vector<Told>& told,
                                            const Rules& rules);

// Calls the processor for what has begun, as the other call() does; the charge outlives it.
asio::awaitable<processors::Outcome> call(processors::Processor& processor,
                                          const processors::Charge& charge);

// Of the payments that begin together within a second one job wants the reconciler for those that
// have no definite outcome by then.
inline constexpr std::string_view kReconcileManyJob = "payments.reconcile_many";
asio::awaitable<void> reconcile_each(Database& db, const jobs::Job& job);

}  // namespace bottega::payments
