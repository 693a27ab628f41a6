#include "bottega/wallet/claims.hpp"

#include "wallet/funding.hpp"

namespace bottega::wallet {
namespace {

using ledger::Kind, ledger::Why;

const Sql<void(TopUpId, std::int64_t, Instant)> kDispute{"wallet.dispute_top_up", R"(
    UPDATE top_ups SET disputed = disputed + $2, updated_at = $3 WHERE id = $1)"};

void post(Tx& tx, Why why, const Uuid& about, const ledger::Account& from,
          const ledger::Account& to, Money amount) {
  if (amount.amount > 0) ledger::post(tx, {why, about, from, to, amount});
}

constexpr ledger::Account kLosses{Kind::losses, ledger::kPlatform};

ledger::Account account_of(Kind kind, AccountId person) { return {kind, ledger::owner_of(person)}; }

// Where another dispute was won meanwhile, what it had claimed is with the person again: so much of
// what is beyond is theirs to bear, and no loss of the platform's. Their balances are locked.
Claim claim_late(Tx& tx, const TopUp& top_up, const Uuid& dispute, const Claim& claim) {
  if (claim.beyond <= 0) return claim;
  const auto person = top_up.account_id;
  const auto currency = top_up.amount.currency;
  const auto left = top_up.amount.amount - lock_top_up(tx, top_up.id).disputed;  // as it is now
  const auto late = std::min(claim.beyond, left);
  const auto from_balance = std::min(late, ledger::available(tx, wallet_account(person), currency));
  const auto advanced = late - from_balance;
  post(tx, Why::dispute_late_balance, dispute, wallet_account(person), kLosses,
       {from_balance, currency});
  post(tx, Why::dispute_late_advance, dispute, account_of(Kind::wallet_debt, person), kLosses,
       {advanced, currency});
  tx.run(kDispute, top_up.id, late, tx.now());
  return {claim.reserved + late, claim.from_balance + from_balance, claim.advanced + advanced,
          claim.beyond - late};
}

}  // namespace

TopUp lock_disputed(Tx& tx, TopUpId id) {
  auto top_up = lock_top_up(tx, id);
  if (top_up.state != TopUpState::succeeded)
    throw Error(Code::conflict, "cannot dispute what is " + text_of(top_up.state));
  return top_up;
}

Claim claim(Tx& tx, const TopUp& top_up, const Uuid& dispute, std::int64_t amount) {
  const auto person = top_up.account_id;
  const auto currency = top_up.amount.currency;
  const auto reserve = account_of(Kind::wallet_reserve, person);
  ledger::lock_owner(tx, reserve.owner);
  Claim claim;
  claim.reserved = std::min(amount, top_up.amount.amount - top_up.disputed);
  claim.from_balance =
      std::min(claim.reserved, ledger::available(tx, wallet_account(person), currency));
  claim.advanced = claim.reserved - claim.from_balance;
  claim.beyond = amount - claim.reserved;
  post(tx, Why::dispute_balance, dispute, wallet_account(person), reserve,
       {claim.from_balance, currency});
  post(tx, Why::dispute_advance, dispute, account_of(Kind::wallet_debt, person), reserve,
       {claim.advanced, currency});
  if (claim.beyond > 0)
    ledger::pend(tx, {Why::dispute_loss, dispute, kLosses, kClearing, {claim.beyond, currency}});
  tx.run(kDispute, top_up.id, claim.reserved, tx.now());
  return claim;
}

Claim claim_lost(Tx& tx, const TopUp& top_up, const Uuid& dispute, const Claim& claim) {
  const auto reserve = account_of(Kind::wallet_reserve, top_up.account_id);
  ledger::lock_owner(tx, reserve.owner);
  post(tx, Why::dispute_lost, dispute, reserve, kClearing,
       {claim.reserved, top_up.amount.currency});
  if (claim.beyond > 0) ledger::post_pending(tx, Why::dispute_loss, dispute);
  return claim_late(tx, top_up, dispute, claim);
}

void claim_won(Tx& tx, const TopUp& top_up, const Uuid& dispute, const Claim& claim) {
  const auto person = top_up.account_id;
  const auto currency = top_up.amount.currency;
  const auto reserve = account_of(Kind::wallet_reserve, person);
  ledger::lock_owner(tx, reserve.owner);
  const auto forgiven = std::min(claim.advanced, owed_by(tx, person, currency));
  post(tx, Why::dispute_won_debt, dispute, reserve, account_of(Kind::wallet_debt, person),
       {forgiven, currency});
  post(tx, Why::dispute_won, dispute, reserve, wallet_account(person),
       {claim.reserved - forgiven, currency});
  if (claim.beyond > 0) ledger::void_pending(tx, Why::dispute_loss, dispute);
  tx.run(kDispute, top_up.id, -claim.reserved, tx.now());
}

void tell_owner(Tx& tx, AccountId person, const std::string& event, const std::string& stream,
                Json data) {
  const Json frame = {{"event", event},
                      {"conversation", nullptr},
                      {"at", text_of(tx.now())},
                      {"data", std::move(data)}};
  tx.announce({{identity::account_topic(person)}, stream, 0, frame.dump()});
}

std::int64_t owed_by(Tx& tx, AccountId person, const Currency& currency) {
  return ledger::available(tx, account_of(Kind::wallet_debt, person), currency);
}

void recover(Tx& tx, AccountId person, const Currency& currency, Why why, const Uuid& about) {
  const auto there = ledger::available(tx, wallet_account(person), currency);
  post(tx, why, about, wallet_account(person), account_of(Kind::wallet_debt, person),
       {std::min(there, owed_by(tx, person, currency)), currency});
}

}  // namespace bottega::wallet
