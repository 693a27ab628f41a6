#pragma once
// How many pieces are there. What nobody counts is always there. A sale sets aside, then takes.
#include <map>

#include "bottega/catalog/catalog.hpp"

namespace bottega::catalog {

inline constexpr std::int64_t kStockMax = 1'000'000'000;

struct Item {
  VariantId variant_id;
  std::int64_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(Item, (), (variant_id, quantity))

// What cannot be had, and how many pieces could.
struct Lack {
  VariantId variant_id;
  std::int64_t left = 0;
};
BOOST_DESCRIBE_STRUCT(Lack, (), (variant_id, left))

// Where nothing lacks, `held` is what was set aside: less than was asked where a variant is not
// counted, or is sold before it is there. It is kept by whoever asked, and is what the others take.
struct Reserved {
  std::vector<Lack> lacking;
  std::vector<Item> held;
};

// Each is one statement for all items, or two, and locks the rows in the order of their ids. A
// variant may be named twice. Where one lacks, nothing at all is set aside.
Reserved reserve(Tx& tx, MerchantId merchant, const std::vector<Item>& items);

// What somebody wants of one shop.
struct Basket {
  MerchantId merchant;
  std::vector<Item> items;
};
// The stock that several baskets want, of whichever shops: locked in one statement, judged one
// basket after the other, and written in another.
class Shelves {
 public:
  // Locks the rows in the order of their ids.
  Shelves(Tx& tx, const std::vector<Basket>& wanted);
  // As reserve() says it of a basket that is among them. What one has is gone for those behind it,
  Reserved reserve(const Basket& basket);
  // until it is there again.
  void put_back(MerchantId merchant, const std::vector<Item>& held);
  // Sets aside what has not been put back.
  void write(Tx& tx);

 private:
  struct Row {
    std::int64_t rest = 0, taken = 0;
    bool waits = false;  // it is sold before it is there
  };
  std::map<std::pair<MerchantId, VariantId>, Row> rows_;
};

// What was set aside is there again.
void release(Tx& tx, MerchantId merchant, const std::vector<Item>& held);
// What was set aside is sold.
void take(Tx& tx, MerchantId merchant, const std::vector<Item>& held);
// The same of several sales.
void take(Tx& tx, const std::vector<Basket>& held);
// What was sold is back on the shelf.
void put_back(Tx& tx, MerchantId merchant, const std::vector<Item>& held);

// ---- what people do -----------------------------------------------------------------------------

struct Stock {
  VariantId variant_id;
  std::optional<std::int64_t> on_hand;  // nothing where it is not counted
  std::int64_t reserved = 0;
  std::optional<std::int64_t> left;
};
BOOST_DESCRIBE_STRUCT(Stock, (), (variant_id, on_hand, reserved, left))

struct CountedStock {
  std::optional<Count<0, kStockMax>> on_hand;  // null: it is not counted from now on
  std::optional<Line<1, 200>> reason;
};
BOOST_DESCRIBE_STRUCT(CountedStock, (), (on_hand, reason))

struct StockAdjustment {
  Count<-kStockMax, kStockMax> delta;
  Line<1, 200> reason;
};
BOOST_DESCRIBE_STRUCT(StockAdjustment, (), (delta, reason))

using StockChangeId = Id<"stk">;
struct StockChange {
  StockChangeId id;
  VariantId variant_id;
  std::int64_t delta = 0;
  std::optional<std::int64_t> on_hand;
  std::string reason, changed_by;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(StockChange, (), (id, variant_id, delta, on_hand, reason, changed_by, at))

Stock fetch_stock(Tx& tx, const Who& who, VariantId id);
// Throws Error(conflict) where fewer would be there than somebody is paying for.
Stock set_stock(Tx& tx, const Who& who, VariantId id, const CountedStock& given);
// Throws Error(conflict) also where it is not counted.
Stock adjust_stock(Tx& tx, const Who& who, VariantId id, const StockAdjustment& given);
std::vector<StockChange> stock_changes(Tx& tx, const Who& who, VariantId id,
                                       std::optional<StockChangeId> after, std::int64_t limit);

}  // namespace bottega::catalog
