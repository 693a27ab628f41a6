#pragma once
// What the files of this module share: how a top-up ends the wait of its transfer, what somebody
// owes, and the sums that the limits look at.
#include "bottega/wallet/transfers.hpp"

namespace bottega::wallet {

// Whom the platform's own calls go to; the account of a person, and the platform's at the
// processor.
attempts::Destination platform_of(const Rules& rules);
ledger::Account wallet_account(AccountId person);
inline constexpr ledger::Account kClearing{ledger::Kind::processor_clearing, ledger::kPlatform};

TopUp lock_top_up(Tx& tx, TopUpId id);

// What somebody owes after a dispute about a top-up. The second takes what is there of it from the
// balance, once for each cause. Who decides by it holds the balances.
std::int64_t owed_by(Tx& tx, AccountId person, const Currency& currency);
void recover(Tx& tx, AccountId person, const Currency& currency, ledger::Why why,
             const Uuid& about);

// Locks the transfer and the balances of both, before anything is posted.
void hold_transfer(Tx& tx, TransferId id);
// The charge has succeeded and is posted: the money is set aside. Where the rest has been spent
// meanwhile, the transfer fails and the charge stays in the balance.
void fund_transfer(Tx& tx, TransferId id);
void fail_transfer(Tx& tx, TransferId id, const std::string& reason);

// What somebody has sent and been sent in a currency that has not come back.
struct Flow {
  AccountId account_id;
  std::string currency;
  std::int64_t sent_day = 0, sent_month = 0, received_day = 0, received_month = 0;
};
BOOST_DESCRIBE_STRUCT(Flow, (),
                      (account_id, currency, sent_day, sent_month, received_day, received_month))
std::vector<Flow> flows_of(Tx& tx, AccountId person);
LimitsLeft left_of(const Flow& flow, const Rules& rules);

}  // namespace bottega::wallet
