// What is wrong with what clients give, as far as that can be told without the database.
#include "bottega/support/support.hpp"

namespace bottega::support {

void NewCase::check(Faults& faults, const std::string& pointer) const {
  const int places = (order_id ? 1 : 0) + (conversation_id ? 1 : 0) + (merchant_id ? 1 : 0);
  if (places != 1)
    faults.push_back({pointer + "/order_id",
                      "exactly one of order_id, conversation_id and merchant_id must be given"});
  if (subject == Subject::withdrawal)
    faults.push_back(
        {pointer + "/subject", "is made by withdrawing from the contract of an order"});
}

}  // namespace bottega::support
