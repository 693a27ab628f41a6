#pragma once
// The double-entry ledger: money moves from one account to another, once, for ever. The database
// itself refuses to change or delete a transfer and to overdraw an account.
#include <map>
#include <set>

#include "bottega/identity/merchants.hpp"

namespace bottega::ledger {

using TransferId = Id<"tra">;
// A merchant, a person with a wallet, or the platform: whoever's money an account counts.
using OwnerId = Id<"own">;
// The platform itself: the money of wallets at the processor is its own account's. No merchant and
// no person can ever have this id.
inline constexpr OwnerId kPlatform{Uuid{{0, 0, 0, 0, 0, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}}};

// What belongs to one sale is kept under its merchant, the platform's fees too, so that one busy
// row does not hold up every sale. Of these processor_clearing (money at the processor),
// processor_fees (what it kept), merchant_debt (what a merchant owes us, after a refund of money
// that was paid out), wallet_debt (what a person owes, after a dispute about a top-up that was
// spent), goodwill (what the platform has given buyers) and losses (what banks have taken that
// nobody owes) are debited first; the others, which we owe or have earned, are credited first. None
// may be overdrawn but processor_clearing, where the platform's own money stands in for a
// merchant's.
enum class Kind : std::uint8_t {
  processor_clearing,
  processor_fees,
  held,
  merchant_payable,
  merchant_debt,
  platform_fees,
  dispute_reserve,
  wallet,
  goodwill,
  wallet_reserve,
  wallet_debt,
  losses,
};
BOOST_DESCRIBE_ENUM(Kind, processor_clearing, processor_fees, held, merchant_payable, merchant_debt,
                    platform_fees, dispute_reserve, wallet, goodwill, wallet_reserve, wallet_debt,
                    losses)

// A refund's money is taken from where it is: what is held, the platform's fee, the merchant's
// balance; the rest is advanced, and recovered from what the merchant earns later. So is a
// dispute's, which is reserved first, and then gone or back; what it takes beyond what was left is
// the platform's loss, less what a failed refund has left after all. What a person owes is
// recovered from what they top up, and before they withdraw. What left the processor and came back
// is a return.
enum class Why : std::uint8_t {
  capture,
  processor_fee,
  refund,
  refund_fee,
  refund_balance,
  refund_advance,
  goodwill,
  goodwill_return,
  release,
  platform_fee,
  payout,
  recovery,
  dispute,
  dispute_fee,
  dispute_balance,
  dispute_advance,
  dispute_lost,
  dispute_won,
  dispute_won_fee,
  dispute_won_debt,
  top_up,
  withdrawal,
  transfer,
  top_up_recovery,
  withdrawal_recovery,
  dispute_loss,
  dispute_late,
  dispute_late_fee,
  dispute_late_balance,
  dispute_late_advance,
  refund_return,
  refund_return_fee,
  refund_return_balance,
  refund_return_debt,
  refund_return_goodwill,
  payout_return,
  withdrawal_return,
};
BOOST_DESCRIBE_ENUM(Why, capture, processor_fee, refund, refund_fee, refund_balance, refund_advance,
                    goodwill, goodwill_return, release, platform_fee, payout, recovery, dispute,
                    dispute_fee, dispute_balance, dispute_advance, dispute_lost, dispute_won,
                    dispute_won_fee, dispute_won_debt, top_up, withdrawal, transfer,
                    top_up_recovery, withdrawal_recovery, dispute_loss, dispute_late,
                    dispute_late_fee, dispute_late_balance, dispute_late_advance, refund_return,
                    refund_return_fee, refund_return_balance, refund_return_debt,
                    refund_return_goodwill, payout_return, withdrawal_return)

// Pending money has not moved and cannot be spent; it is posted or voided in the end, once.
enum class Phase : std::uint8_t { posted, pending, voided };
BOOST_DESCRIBE_ENUM(Phase, posted, pending, voided)

struct Account {
  Kind kind{};
  OwnerId owner;
  bool operator==(const Account&) const = default;
};
template <Literal Prefix>
OwnerId owner_of(const Id<Prefix>& whoever) {
  return OwnerId{whoever.uuid};
}

struct Transfer {
  Why why{};
  Uuid about;  // the payment, refund or payout: with `why` the transfer's identity
  Account debit, credit;
  Money amount;
};
// Between two accounts of one merchant.
Transfer transfer_within(identity::MerchantId merchant, Why why, const Uuid& about, Kind debit,
                         Kind credit, Money amount);

// Posts a transfer. The same one again does nothing; another one with the same cause throws
// Error(internal). A transfer that would overdraw an account fails in the database.
void post(Tx& tx, const Transfer& transfer);
// Sets the money of a transfer aside, by the same rules.
void pend(Tx& tx, const Transfer& transfer);
// Ends what is pending; doing it again does nothing, the other end throws Error(conflict), and
// where there is nothing pending both throw Error(not_found).
void post_pending(Tx& tx, Why why, const Uuid& about);
void void_pending(Tx& tx, Why why, const Uuid& about);

// The same for several that are written together, in one statement.
class Batch {
 public:
  void post(const Transfer& transfer);
  void pend(const Transfer& transfer);
  void post_pending(Why why, const Uuid& about);
  void void_pending(Why why, const Uuid& about);
  // Writes them all, and forgets them.
  void write(Tx& tx);

 private:
  struct Line {
    Why why{};
    Uuid about;
    Phase phase{};
    std::optional<Transfer> transfer;  // none where it ends what is pending
  };
  void add(const Transfer& transfer, Phase phase);
  void end(Why why, const Uuid& about, Phase phase);

  std::vector<Line> lines_;
};

struct Balance {
  Kind kind{};
  std::string currency;
  std::int64_t debits = 0, credits = 0, debits_pending = 0, credits_pending = 0;
};
BOOST_DESCRIBE_STRUCT(Balance, (),
                      (kind, currency, debits, credits, debits_pending, credits_pending))

// Until the transaction ends nobody else who asks for it decides by the balances of this owner.
// Taken before the transaction's first transfer.
void lock_owner(Tx& tx, OwnerId owner);
// The same for many, in an order that keeps those who want the same from waiting for each other.
void lock_owners(Tx& tx, const std::set<OwnerId>& owners);
// Whether there is a posted transfer for this cause.
bool is_posted(Tx& tx, Why why, const Uuid& about);
// What may leave an account now: its balance less what is pending; 0 where there is no account.
std::int64_t available(Tx& tx, const Account& account, const Currency& currency);
// The same of one kind of account of many owners.
using Funds = std::map<std::pair<OwnerId, Currency>, std::int64_t>;
Funds available(Tx& tx, const std::set<OwnerId>& owners, Kind kind);

// What is younger may still be under way in a transaction that began before another's end: books,
// statements and audits that are to stay true end this long ago.
inline constexpr auto kSettled = std::chrono::minutes(1);

// All accounts of an owner.
std::vector<Balance> balances(Tx& tx, OwnerId owner);
std::vector<Balance> balances_at(Tx& tx, OwnerId owner, Instant at);

// What has moved on one account, by its owner's signs: what came in is above zero. The first line
// of a currency has no id: it is the sum of all that moved until `from`.
struct Movement {
  std::optional<TransferId> id;
  std::optional<Why> why;
  std::optional<std::string> about;  // the id of what it is about
  std::string currency;
  std::int64_t amount = 0;
  std::optional<OwnerId> other;
  std::optional<Instant> at;
};
// After `from` and up to `until`, oldest first, from one look at the books; for accounts that are
// credited first.
std::vector<Movement> movements(Tx& tx, const Account& account, Instant from, Instant until,
                                std::int64_t limit);

// Sums over the whole platform, per kind and currency; as they were at an instant.
std::vector<Balance> trial_balance(Tx& tx);
std::vector<Balance> trial_balance_at(Tx& tx, Instant at);

// Writes down what every account held at the end of the next day that is over, and answers until
// when; nothing where none is due. What is asked of an instant, and every audit, begins there.
std::optional<Instant> close_books(Tx& tx);

// What is wrong with the books, in words; empty when debits equal credits in every currency and
// every account is the sum of its transfers: of those since the books were closed, and what it held
// then.
std::vector<std::string> audit(Tx& tx);
// The same of one of the closings, which come in turn.
std::vector<std::string> audit_closed(Tx& tx, std::int64_t turn);

struct Entry {
  TransferId id;
  Why why{};
  std::string about;  // the id of what it is about
  Phase phase{};
  std::optional<TransferId> pending_id;  // what it posts or voids
  Kind debit_kind{}, credit_kind{};
  std::string debit_owner, credit_owner;  // ids of merchants, and of people for wallets
  Money amount;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(Entry, (),
                      (id, why, about, phase, pending_id, debit_kind, debit_owner, credit_kind,
                       credit_owner, amount, at))

// The id of what a transfer is about, as the modules above name it.
std::string subject_of(Why why, const Uuid& about);

// The transfers from or to an owner after an id, oldest first.
std::vector<Entry> history(Tx& tx, OwnerId owner, std::optional<TransferId> after,
                           std::int64_t limit);
// All of the platform's up to an instant, likewise.
std::vector<Entry> journal(Tx& tx, std::optional<TransferId> after, Instant until,
                           std::int64_t limit);

}  // namespace bottega::ledger
