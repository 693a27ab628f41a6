#pragma once
// The double-entry ledger: money moves from one account to another, once, for ever. The database
// itself refuses to change or delete a transfer and to overdraw an account.
#include "bottega/identity/merchants.hpp"

namespace bottega::ledger {

using TransferId = Id<"tra">;

// Every account belongs to the merchant whose sale moved the money; the platform's fees are kept
// per merchant too, so that one busy row does not hold up every sale.
enum class Kind : std::uint8_t { processor_clearing, held, merchant_payable, platform_fees };
BOOST_DESCRIBE_ENUM(Kind, processor_clearing, held, merchant_payable, platform_fees)

enum class Why : std::uint8_t { capture, refund, release, platform_fee, payout };
BOOST_DESCRIBE_ENUM(Why, capture, refund, release, platform_fee, payout)

struct Transfer {
  Why why{};
  Uuid about;  // the payment, refund or payout: with `why` the transfer's identity
  Kind debit{}, credit{};
  identity::MerchantId owner;
  Money amount;
};

// Posts a transfer. The same one again does nothing; another one with the same cause throws
// Error(internal). A transfer that would overdraw an account fails in the database.
void post(Tx& tx, const Transfer& transfer);

struct Balance {
  Kind kind{};
  std::string currency;
  std::int64_t debits = 0, credits = 0;
};
BOOST_DESCRIBE_STRUCT(Balance, (), (kind, currency, debits, credits))

// All accounts of a merchant.
std::vector<Balance> balances(Tx& tx, identity::MerchantId owner);

// Sums over the whole platform, per kind and currency.
std::vector<Balance> trial_balance(Tx& tx);

// What is wrong with the books, in words; empty when debits equal credits in every currency and
// every account is the sum of its transfers.
std::vector<std::string> audit(Tx& tx);

struct Entry {
  TransferId id;
  Why why{};
  Kind debit_kind{}, credit_kind{};
  Money amount;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(Entry, (), (id, why, debit_kind, credit_kind, amount, at))

// The transfers of a merchant after an id, oldest first.
std::vector<Entry> history(Tx& tx, identity::MerchantId owner, std::optional<TransferId> after,
                           std::int64_t limit);

}  // namespace bottega::ledger
