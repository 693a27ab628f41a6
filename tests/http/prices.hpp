#pragma once
// Bodies about a shop's prices, as its manager would send them.
#include "support/http.hpp"

namespace bottega::test {

inline Json checkout_settings() {
  return {{"tax_mode", "exclusive"},
          {"buyer",
           {{"address", "required"},
            {"email", "required"},
            {"phone", "optional"},
            {"name", "none"},
            {"billing", "none"}}},
          {"tips", {{"allowed", true}, {"suggested_percent", {5, 10}}, {"most_percent", 30}}},
          {"pre_checkout", {{"ask", true}, {"standing_answer", "refuse"}}}};
}

// For a lamp.
inline Json lamp_link(const std::string& merchant) {
  return {{"merchant_id", merchant},
          {"title", "A lamp"},
          {"lines", {{{"name", "Lamp"}, {"quantity", 1}, {"unit_amount", 1'250}}}}};
}

inline Json shipping_rate(std::int64_t amount = 500, const std::string& currency = "USD") {
  return {{"name", "Post"},
          {"prices", Json::array({{{"currency", currency}, {"amount", amount}}})}};
}

}  // namespace bottega::test
