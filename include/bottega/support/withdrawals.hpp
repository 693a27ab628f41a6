#pragma once
// "Withdraw from contract here" (Directive 2011/83/EU, 11a): the buyer sees what it means, confirms
// it, and both sides have it in the conversation, with its date and words, for good.
#include "bottega/support/support.hpp"

namespace bottega::support {

struct WithdrawalStep {
  std::optional<bool> confirm;
};
BOOST_DESCRIBE_STRUCT(WithdrawalStep, (), (confirm))

struct ContractWithdrawal {
  OrderId order_id;
  bool is_declared = false;
  Money refund;                  // what there is to give back
  std::optional<Instant> until;  // the end of the right; none before delivery
  std::string content;
  std::optional<Instant> declared_at;
  std::optional<CaseId> case_id;
};
BOOST_DESCRIBE_STRUCT(ContractWithdrawal, (),
                      (order_id, is_declared, refund, until, content, declared_at, case_id))

// Without `confirm` it changes nothing and says what would be. What was declared stays so, and is
// answered again. Counted from the day after delivery, for as many days as the shop had promised
// when it was bought, or says now where it was asked for by hand; 14 at least where the shop or the
// address is in the European Union. Throws Error(not_found) for somebody else's order,
// Error(conflict) for one from which nobody can withdraw any more, or ever could.
ContractWithdrawal withdraw(Tx& tx, const Who& who, OrderId id, const WithdrawalStep& given);

}  // namespace bottega::support
