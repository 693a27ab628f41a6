#pragma once
// What the files about returns share.
#include "bottega/returns/returns.hpp"

namespace bottega::returns {

enum class Side : std::uint8_t { buyer, merchant };

// A return and its order, whose lock is that of its returns.
struct Held {
  Return item;
  orders::Order order;
};
Held lock(Tx& tx, MerchantId merchant, ReturnId id);
// For the one side: throws Error(forbidden) for the other, and Error(not_found) for strangers.
Held lock_for(Tx& tx, const Who& who, ReturnId id, Side side);

// Throws Error(forbidden) for the buyer, as identity::require_member() for others.
void require_shop(Tx& tx, const Who& who, const Return& item, identity::Role least,
                  identity::Scope scope);

// Of each line of an order.
using Pieces = std::vector<std::int64_t>;
std::size_t index_of(const auto& line) { return static_cast<std::size_t>(line.line.value); }
// What of it has come back, as far as that is written.
Pieces received_of(Tx& tx, const orders::Order& order);
// What was given back for what has come back, and has not failed.
std::int64_t refunded_of(Tx& tx, const orders::Order& order);

Return fetch_one(Tx& tx, MerchantId merchant, ReturnId id);
std::optional<ReturnId> find_of_refund(Tx& tx, MerchantId merchant, payments::RefundId id);

// Writes what a return has become.
void write(Tx& tx, Return& item);
void move(Tx& tx, Return& item, Event on);
// The order is what it was before, and its payout goes on.
void give_up(Tx& tx, Held& held);

void hold_payout(Tx& tx, const Return& item);
void let_payout_go(Tx& tx, const Return& item);

// Tells both sides, with the order for its first card; without the buyer's words and where the
// order goes.
void tell(Tx& tx, const Held& held, const std::string& event, const std::string& words,
          const conversations::Draft& by = {});
conversations::Draft by_buyer(const Who& who);
conversations::Draft by_merchant(const Who& who);

}  // namespace bottega::returns
