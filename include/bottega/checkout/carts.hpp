#pragma once
// The cart of a conversation: what its buyer has put together there. It shows what everything costs
// and whether it can be had at the moment when it is read; nothing is set aside for it.
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/conversations.hpp"

namespace bottega::checkout {

using conversations::ConversationId;
using identity::AccountId, identity::MerchantId, identity::Who;

inline constexpr std::size_t kCartLinesMax = 100;

struct CartItem {
  catalog::VariantId variant_id;
  Count<1, 9'999> quantity;
};
BOOST_DESCRIBE_STRUCT(CartItem, (), (variant_id, quantity))

// The whole cart, as it is to be from now on; `version` is the one that it was made from.
struct NewCart {
  Count<0, INT64_MAX> version;
  List<CartItem, 0, kCartLinesMax> lines;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewCart, (), (version, lines))

// What the merchant's side proposes.
struct NewProposal {
  List<CartItem, 1, kCartLinesMax> lines;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewProposal, (), (lines))

// What keeps a line from being bought as it is, or has changed: `gone` is not published any more,
// `only_left` is less than was asked for.
enum class Problem : std::uint8_t { gone, no_price, out_of_stock, only_left, price_changed };
BOOST_DESCRIBE_ENUM(Problem, gone, no_price, out_of_stock, only_left, price_changed)

struct CartLine {
  catalog::VariantId variant_id;
  std::int64_t quantity = 0;
  std::optional<conversations::Offered> item;  // as it is now; nothing where it is gone
  std::optional<catalog::Availability> availability;
  std::optional<Instant> available_at;
  std::optional<std::int64_t> left;  // nothing where it is not counted
  std::optional<Money> put_in_at;    // what one cost when it was put in
  std::optional<Money> total;
  std::vector<Problem> problems;
};
BOOST_DESCRIBE_STRUCT(CartLine, (),
                      (variant_id, quantity, item, availability, available_at, left, put_in_at,
                       total, problems))

struct Cart {
  ConversationId conversation_id;
  MerchantId merchant_id;
  std::int64_t version = 0;  // 0 where nothing was ever put in
  std::vector<CartLine> lines;
  Money subtotal;  // of the lines that have a price
  std::optional<Instant> updated_at;
};
BOOST_DESCRIBE_STRUCT(Cart, (),
                      (conversation_id, merchant_id, version, lines, subtotal, updated_at))

struct ProposedLine {
  conversations::Offered item;  // as it was when it was proposed
  std::int64_t quantity = 0;
  Money total;
};
BOOST_DESCRIBE_STRUCT(ProposedLine, (), (item, quantity, total))

struct ProposedCart {
  std::vector<ProposedLine> lines;
  Money subtotal;
};
BOOST_DESCRIBE_STRUCT(ProposedCart, (), (lines, subtotal))

// Both sides see it. Throws Error(not_found) for a conversation of others.
Cart fetch_cart(Tx& tx, const Who& who, ConversationId id);
// By the buyer alone; throws Error(conflict) where it has been changed since that version, and
// Error(invalid) with each thing that was not in it and that the shop has not published.
Cart put_cart(Tx& tx, const Who& who, ConversationId id, const NewCart& given);
// By the buyer alone.
void clear_cart(Tx& tx, const Who& who, ConversationId id);
// By the merchant's side: an entry of the log. The buyer's cart stays as it is.
conversations::Event propose_cart(Tx& tx, const Who& who, ConversationId id,
                                  const NewProposal& given);

// Drops at most so many of those that nobody has changed for 90 days; answers how many.
std::int64_t sweep_carts(Tx& tx, std::int64_t most);

}  // namespace bottega::checkout
