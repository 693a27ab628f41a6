#pragma once
// What the files about refunds share.
#include "bottega/payments/claims.hpp"

namespace bottega::payments {

// Where the money of a refund comes from, in minor units. What of it is neither the fee's, nor the
// balance's, nor advanced is held; of held money fee_returned only says how much smaller the fee
// becomes.
struct Funding {
  Funder funded_by{};
  Source source{};
  std::int64_t fee_returned = 0, from_balance = 0, advanced = 0;
};
BOOST_DESCRIBE_STRUCT(Funding, (), (funded_by, source, fee_returned, from_balance, advanced))
Funding funding_of(Tx& tx, const Refund& refund);

// What was given back of a payment and is on its way back, by whom, and of its fee.
struct Given {
  std::int64_t by_merchant = 0, by_platform = 0, platform_open = 0, fee = 0, count = 0;
  std::int64_t for_returns = 0;  // of the merchant's
};
BOOST_DESCRIBE_STRUCT(Given, (), (by_merchant, by_platform, platform_open, fee, count, for_returns))

// One refund as it is asked for.
struct Asked {
  Money amount;
  std::string reason;
  Funder funded_by{};
  std::string created_by;
  bool for_return = false;
};
// Begins it. The conversation is not told yet: its lock comes after those of the balances.
Refund start_refund(Tx& tx, Payment payment, const orders::Order& order, const Asked& asked,
                    const Rules& rules);
// Closes what was sent in part; `amount` is what is given back, by the prices of what was not sent
// where there is none.
struct CloseOf {
  std::string reason, created_by;
  std::optional<std::int64_t> amount;
};
Closed close_rest_of(Tx& tx, Sale sale, const CloseOf& asked, const Rules& rules,
                     const payouts::Rules& payout_rules);

// What is disputed, or was lost in a dispute, counts as given back by the merchant.
Given given_back(Tx& tx, MerchantId merchant, PaymentId payment);
// A part of the order was sent and the rest never will be.
bool is_closed_in_part(const orders::Order& order);
// Holds the payout of such an order where not all that is due for the rest has gone back, or is on
// its way, and `is_worse`: something that was has failed. Lets it go where all has. The caller
// holds the locks of the order and of its payout.
void keep_for_unsent(Tx& tx, const orders::Order& order, bool is_worse);
// Begins the refund of all that is left of a payment whose order was cancelled.
void refund_rest(Tx& tx, MerchantId merchant, PaymentId id, const std::string& reason,
                 const Rules& rules);

// Begins the refund of all that is left, and cancels an order that was not sent; nothing where all
// of it is gone already.
std::optional<Refund> take_back(Tx& tx, MerchantId merchant, PaymentId id,
                                const std::string& reason, const std::string& created_by,
                                const Rules& rules);
// Cancels the order of a charge that has succeeded too late, and begins its refund.
void refund_late(Tx& tx, const Payment& payment, const Rules& rules);

// What of the fee goes back with this amount: together with what went back before it is always the
// share of all that was given back, rounded once.
std::int64_t fee_share(const orders::Share& share, const Given& given, std::int64_t amount,
                       FeeOnRefund policy);
// The same of held money once it has gone: by what has succeeded and nothing else, for what was
// under way when this was asked for may have failed since.
std::int64_t fee_gone(const orders::Share& share, std::int64_t amount, FeeOnRefund policy);
// Writes that down for a refund that has succeeded, and answers it; where the money was released,
// it is what has moved.
std::int64_t settle_fee(Tx& tx, const Refund& refund, const Funding& funding, FeeOnRefund policy);
// Out of what the merchant was paid, or is owed; the rest is advanced. Locks the merchant's
// balances.
Funding fund_released(Tx& tx, MerchantId merchant, const Money& amount, std::int64_t fee_share);

// Sets the money of a refund aside, spends it, or lets it go.
void set_aside(Tx& tx, const Refund& refund, const Funding& funding);
void spend(Tx& tx, const Refund& refund, const Funding& funding);
void let_go(Tx& tx, const Refund& refund, const Funding& funding);
// What was spent has come back to the processor: it is where it came from, or where it would be by
// now. Locks the merchant's balances.
void take_back(Tx& tx, const Refund& refund, const Funding& funding, const orders::Order& order);

// What was sold and is not sent is back on the shelf, as far as it is counted. After the balances
// and before the conversation.
void put_back(Tx& tx, const orders::Order& order);

void tell_refund(Tx& tx, const Refund& refund, const Payment& payment, const std::string& event);

}  // namespace bottega::payments
