#pragma once
// Money from one person to another: set aside when it is sent, theirs when they accept it, and back
// by itself when they do not.
#include <variant>

#include "bottega/wallet/wallet.hpp"

namespace bottega::wallet {

enum class TransferState : std::uint8_t {
  funding,
  pending,
  accepted,
  declined,
  cancelled,
  returned,
  failed,
};
BOOST_DESCRIBE_ENUM(TransferState, funding, pending, accepted, declined, cancelled, returned,
                    failed)
enum class TransferEvent : std::uint8_t { fund, fail, accept, decline, cancel, expire };
BOOST_DESCRIBE_ENUM(TransferEvent, fund, fail, accept, decline, cancel, expire)

// While it is funded by a charge nothing is set aside, and the other side does not know of it.
inline constexpr Machine kTransferLifecycle{std::to_array<Edge<TransferState, TransferEvent>>({
    {TransferState::funding, TransferEvent::fund, TransferState::pending},
    {TransferState::funding, TransferEvent::fail, TransferState::failed},
    {TransferState::pending, TransferEvent::accept, TransferState::accepted},
    {TransferState::pending, TransferEvent::decline, TransferState::declined},
    {TransferState::pending, TransferEvent::cancel, TransferState::cancelled},
    {TransferState::pending, TransferEvent::expire, TransferState::returned},
})};
static_assert(kTransferLifecycle.deterministic());

struct Transfer {
  TransferId id;
  AccountId sender_id, recipient_id;
  std::string sender_name, recipient_name;
  Money amount;
  std::optional<std::string> note;
  TransferState state{};
  std::optional<std::string> reason;  // why it failed
  std::optional<TopUpId> top_up_id;   // what was missing; the sender's to know
  Instant created_at{}, expires_at{};
  std::optional<Instant> ended_at;
};
BOOST_DESCRIBE_STRUCT(Transfer, (),
                      (id, sender_id, recipient_id, sender_name, recipient_name, amount, note,
                       state, reason, top_up_id, created_at, expires_at, ended_at))

// Somebody by their account or their mail address.
struct Recipient {
  std::optional<AccountId> account_id;
  std::optional<Email> email;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(Recipient, (), (account_id, email))

struct NewTransfer {
  Recipient to;
  Count<1, kAmountMax> amount;
  Currency currency;
  std::optional<Text<1, 200>> note;
  std::optional<SavedMethod> payment_method;  // a card for what the balance lacks
  std::optional<identity::Pin> pin;
};
BOOST_DESCRIBE_STRUCT(NewTransfer, (), (to, amount, currency, note, payment_method, pin))

// Sets the money aside. Where the balance is less and a card is named, what is missing is first
// charged: then the transfer is `funding` and names its top-up, for which charge() is to be called
// with the token. Throws Error(invalid) for nobody, oneself and what is more than one transfer may
// be, Error(conflict) where the balance or a limit is not enough.
struct Sent {
  Transfer transfer;
  std::optional<std::string> token;
};
Sent send(Tx& tx, AccountId sender, const NewTransfer& given, const Rules& rules);

// Throw Error(not_found) for who is neither of the two, Error(forbidden) for the other one.
Transfer accept(Tx& tx, AccountId who, TransferId id);
Transfer decline(Tx& tx, AccountId who, TransferId id);
Transfer cancel(Tx& tx, AccountId who, TransferId id);

// One of several changes that are written together: what is sent, or accepted, declined or
// cancelled.
struct Ending {
  TransferId id;
  TransferEvent on{};
};
struct Move {
  AccountId who;
  std::variant<NewTransfer, Ending> what;
};
using Moved = std::variant<Transfer, Error>;
// Does all of them by the rules of the functions above, in few statements. One that is refused
// leaves nothing and is answered with what the function would throw; no card is charged.
std::vector<Moved> move(Tx& tx, const std::vector<Move>& given, const Rules& rules);

// For the job: gives back what nobody has accepted in time.
void return_late(Tx& tx, TransferId id);

Transfer fetch_transfer(Tx& tx, AccountId who, TransferId id);
// Sent and received, newest first.
std::vector<Transfer> list_transfers(Tx& tx, AccountId who, std::optional<TransferId> after,
                                     std::int64_t limit);

inline constexpr std::string_view kReturnJob = "wallet.return_transfer";

}  // namespace bottega::wallet
