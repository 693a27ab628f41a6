// What the fields of a body must be together.
#include <algorithm>

#include "bottega/identity/merchants.hpp"

namespace bottega::identity {

void ChangedMerchant::check(Faults& faults, const std::string& pointer) const {
  const auto& items = currencies.items;
  for (auto one = items.begin(); one != items.end(); ++one)
    if (std::find(items.begin(), one, *one) != one)
      faults.push_back({pointer + "/currencies/" + std::to_string(one - items.begin()),
                        "is in the list already"});
}

}  // namespace bottega::identity
