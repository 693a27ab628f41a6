// What the fields of a body must be together.
#include "bottega/wallet/transfers.hpp"

namespace bottega::wallet {

void ChangedMethod::check(Faults& faults, const std::string& pointer) const {
  if (!is_default)
    faults.push_back({pointer + "/is_default", "must be true: make another one the default"});
}

void MethodChoice::check(Faults& faults, const std::string& pointer) const {
  if (id.has_value() == token.has_value())
    faults.push_back({pointer, "must have an id or a token, and not both"});
}

void Recipient::check(Faults& faults, const std::string& pointer) const {
  if (account_id.has_value() == email.has_value())
    faults.push_back({pointer, "must have an account_id or an email, and not both"});
}

}  // namespace bottega::wallet
