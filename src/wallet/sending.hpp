#pragma once
// Whether somebody may send: to whom, by which limits, out of what. Several in one transaction each
// count with those before them.
#include "wallet/funding.hpp"

namespace bottega::wallet {

struct Person {
  AccountId id;
  std::optional<std::string> email;
  std::string name;
  bool is_active = false;
};
BOOST_DESCRIBE_STRUCT(Person, (), (id, email, name, is_active))

struct Wish {
  AccountId sender;
  const NewTransfer* given = nullptr;
};
// Why an amount cannot leave a balance of which so much is free, and so much owed.
Error lacks(std::int64_t free, std::int64_t owed, Money amount);

// What to do where the balance is not enough.
enum class Lacking : std::uint8_t { refuse, charge_card };

class Sending {
 public:
  // Locks the balances of all of them, and looks at what the limits and balances leave.
  Sending(Tx& tx, const std::vector<Wish>& wishes, const Rules& rules);

  // A transfer that is not stored yet: pending, or to be funded with what is missing by the card
  // that it names. Throws as send() does.
  struct Prepared {
    Transfer transfer;
    std::int64_t missing = 0;
  };
  Prepared prepare(AccountId sender, const NewTransfer& given, Lacking lacking);

 private:
  const Person& recipient_of(AccountId sender, const Recipient& to) const;
  Flow& flow_of(AccountId person, const Currency& currency);

  const Rules& rules_;
  const Instant now_;
  std::vector<Person> people_;
  std::map<std::pair<AccountId, std::string>, Flow> flows_;
  ledger::Funds funds_, owed_;
};

}  // namespace bottega::wallet
