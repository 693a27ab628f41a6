#pragma once
// Looking through a shop, wherever the shop's name comes from.
#include "bottega/catalog/browse.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// A page of cards by the query's words, filters and order. `shop_of` says of which shop, and throws
// where that is not for them to see.
using ShopOf = std::function<catalog::MerchantId(Tx&)>;
asio::awaitable<Reply> browse_shop(Call& call, ShopOf shop_of);

}  // namespace bottega::gateway
