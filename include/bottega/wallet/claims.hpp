#pragma once
// What a dispute about a top-up claims of a wallet. What is there is set aside, never more; what is
// missing the platform advances, and the person owes it.
#include "bottega/wallet/wallet.hpp"

namespace bottega::wallet {

// Throws Error(conflict) for one that has not succeeded: its own news may be on its way.
TopUp lock_disputed(Tx& tx, TopUpId id);

// How much could be claimed, and where it is. Where other disputes have claimed the rest of the
// top-up, what this one takes beyond it is the platform's loss.
struct Claim {
  std::int64_t reserved = 0, from_balance = 0, advanced = 0, beyond = 0;
};
BOOST_DESCRIBE_STRUCT(Claim, (), (reserved, from_balance, advanced, beyond))
// The top-up is locked; these lock the balances of its owner. What waits for the recipient of a
// transfer is not the owner's to be claimed.
Claim claim(Tx& tx, const TopUp& top_up, const Uuid& dispute, std::int64_t amount);
// The money is gone. What went beyond the top-up is claimed after all, as far as another dispute
// has been won meanwhile; answers what is claimed now.
Claim claim_lost(Tx& tx, const TopUp& top_up, const Uuid& dispute, const Claim& claim);
// The money is back: what is still owed of it is forgiven, the rest is there again.
void claim_won(Tx& tx, const TopUp& top_up, const Uuid& dispute, const Claim& claim);

// News about somebody's wallet to them alone, wherever they are connected; `stream` is what they
// are about.
void tell_owner(Tx& tx, AccountId person, const std::string& event, const std::string& stream,
                Json data);

}  // namespace bottega::wallet
