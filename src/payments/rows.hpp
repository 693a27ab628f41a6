#pragma once
// What the files of this module share: the rows' locks and moves.
#include "bottega/payments/payments.hpp"

namespace bottega::payments {

// Who an entry of the conversation is by; the system where nothing is said.
struct Author {
  conversations::Author side = conversations::Author::system;
  std::optional<AccountId> account;
};

// The platform's fee on a total, by the merchant's plan in force; rounded half to even once.
std::int64_t fee_of(Tx& tx, MerchantId merchant, Money total);
std::int64_t fee_of(const identity::FeeRate& rate, Money total);

// What a shop sells has a price between these two.
struct Bounds {
  std::int64_t most = 0, fee = 0;
};
// Throws as open_purchase() does.
void check_purchase(const identity::Merchant& merchant, Money total, const Bounds& bounds);
// Where it goes to: the price is that for the address of the checkout. Throws Error(invalid).
std::optional<orders::Address> address_of(const Request& request, const Acceptance& acceptance);
// Throws Error(conflict) where the buyer cannot pay it now.
RequestState accepted_state(const Request& request, Instant now);

Request lock_request(Tx& tx, MerchantId merchant, RequestId id);
Request move_request(Tx& tx, Request request, RequestEvent on, std::optional<std::string> reason);
// A request that nobody pays ends at its time.
void want_end(Tx& tx, const Request& request);
void tell_request(Tx& tx, const Request& request, const std::string& event, const Author& author);
// The same, written by the caller.
void tell_request(conversations::Log& log, const Request& request, const std::string& event,
                  const Author& author);
// Throws Error(not_found) for strangers and Error(forbidden) for the merchant's side.
void require_buyer(Tx& tx, const Who& who, const Request& request);

Payment lock_payment(Tx& tx, MerchantId merchant, PaymentId id);
Payment move_payment(Tx& tx, Payment payment, Event on);
void write_payment(Tx& tx, Payment& payment);

}  // namespace bottega::payments
