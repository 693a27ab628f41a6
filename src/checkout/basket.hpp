#pragma once
// What a buyer has chosen, looked up and priced, as a quote shows it and a checkout sells it.
#include "bottega/checkout/quotes.hpp"

namespace bottega::checkout {

struct BasketItem {
  std::optional<catalog::VariantId> variant_id;
  std::optional<std::string> sku;
  std::string name;
  std::int64_t quantity = 0, unit_amount = 0;
};

struct Basket {
  MerchantId merchant_id;
  std::string shop;
  payments::Origin origin{};
  std::vector<BasketItem> lines;
  pricing::ShopRules rules;
  pricing::Basket priced_from;
  pricing::Priced priced;
  std::optional<std::string> shipping_name;
  bool needs_shipping = false;
  std::optional<payments::LinkId> link;
  std::optional<std::string> title;  // of what a link sells
};

// Throws Error(invalid) with everything that cannot be bought so, Error(conflict) for what lacks.
Basket fill(Tx& tx, const Who& who, ConversationId id, const NewQuote& given);

std::optional<pricing::Destination> destination_of(const std::optional<orders::Address>& address);
// What is missing before it can be paid: where it goes, and which way it is shipped.
Faults missing_address(const Basket& basket, const NewQuote& given);
Faults missing_way(const Basket& basket, const NewQuote& given);

}  // namespace bottega::checkout
