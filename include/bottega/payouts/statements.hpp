#pragma once
// What a merchant has, what comes when, and what has happened to their balance: all of it adds up
// to the ledger.
#include "bottega/payouts/payouts.hpp"

namespace bottega::payouts {

// One currency of a merchant's money, in minor units.
struct Standing {
  Currency currency;
  std::int64_t held = 0;        // paid by buyers, not earned yet
  std::int64_t available = 0;   // earned, and not on its way to the bank
  std::int64_t on_the_way = 0;  // to the bank
  std::int64_t owed = 0;        // by the merchant, and taken from what they earn next
  std::int64_t reserved = 0;    // for disputes
};
BOOST_DESCRIBE_STRUCT(Standing, (), (currency, held, available, on_the_way, owed, reserved))
std::vector<Standing> standing(Tx& tx, MerchantId merchant);

// What is to be paid out on a day, and what of it is held.
struct Coming {
  Date due_on{};
  Currency currency;
  std::int64_t amount = 0, held = 0, count = 0;
};
BOOST_DESCRIBE_STRUCT(Coming, (), (due_on, currency, amount, held, count))
std::vector<Coming> coming(Tx& tx, MerchantId merchant);

// One change of a balance: what the merchant has earned less what they owe.
struct MerchantStatementLine {
  Instant at{};
  ledger::Why why{};
  std::string about;                        // the payout, refund or batch
  std::optional<std::string> order_number;  // where it is about one
  std::int64_t fee = 0;                     // what the platform kept of what was earned
  std::int64_t amount = 0, balance = 0;     // minor units; the balance after it
};
BOOST_DESCRIBE_STRUCT(MerchantStatementLine, (),
                      (at, why, about, order_number, fee, amount, balance))

struct MerchantStatement {
  MerchantId merchant_id;
  std::string name;
  Currency currency;
  Date from{}, until{};    // both included, UTC
  bool is_closed = false;  // the last day is over: nothing will be added
  std::int64_t opening = 0, closing = 0;
  std::vector<MerchantStatementLine> lines;
};
BOOST_DESCRIBE_STRUCT(MerchantStatement, (),
                      (merchant_id, name, currency, from, until, is_closed, opening, closing,
                       lines))

struct Period {
  Date from{}, until{};
};
// Throws Error(invalid) for more than 366 days, or more than ten thousand lines.
MerchantStatement statement(Tx& tx, MerchantId merchant, const Currency& currency, Period period);

}  // namespace bottega::payouts
