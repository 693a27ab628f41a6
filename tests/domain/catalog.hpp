#pragma once
// A shop with products, made by the operations of the catalogue.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/catalog/browse.hpp"
#include "bottega/catalog/stock.hpp"

namespace bottega::test {

class Shelf : public testing::Test {
 protected:
  void SetUp() override { shop = world.shop(); }

  template <class Op>
  auto in(Op op) {
    return world.transact(std::move(op));
  }
  // A body that makes a product with one variant at this price.
  Json tea(const std::string& sku, std::int64_t amount = 1'250) const {
    return {
        {"merchant_id", text_of(shop.merchant)},
        {"title", "Green tea"},
        {"variants", {{{"sku", sku}, {"prices", {{{"currency", "USD"}, {"amount", amount}}}}}}}};
  }
  catalog::Product make(const Json& body) {
    const auto given = from_json<catalog::NewProduct>(body);
    return in([&](Tx& tx) { return catalog::create(tx, shop.owner, given); });
  }
  catalog::Product move(const catalog::Product& product, catalog::Event on) {
    return in(
        [&](Tx& tx) { return catalog::move(tx, shop.owner, product.id, product.version, on); });
  }
  catalog::Product published(const Json& body) { return move(make(body), catalog::Event::publish); }
  catalog::Product change(const catalog::Product& product, const Json& edit) {
    return in(
        [&](Tx& tx) { return catalog::change(tx, shop.owner, product.id, product.version, edit); });
  }
  // A published product with one variant, and so many pieces of it.
  catalog::VariantId counted(const std::string& sku, std::int64_t on_hand) {
    const auto id = published(tea(sku)).variants[0].id;
    count(id, on_hand);
    return id;
  }
  catalog::Stock count(catalog::VariantId id, std::int64_t on_hand) {
    const auto given = from_json<catalog::CountedStock>({{"on_hand", on_hand}});
    return in([&](Tx& tx) { return catalog::set_stock(tx, shop.owner, id, given); });
  }
  catalog::Stock stock(catalog::VariantId id) {
    return in([&](Tx& tx) { return catalog::fetch_stock(tx, shop.owner, id); });
  }
  catalog::Reserved reserve(const std::vector<catalog::Item>& items) {
    return in([&](Tx& tx) { return catalog::reserve(tx, shop.merchant, items); });
  }
  std::optional<catalog::Offer> offer(catalog::VariantId id) {
    const auto found = in([&](Tx& tx) { return catalog::offer(tx, shop.merchant, {id}); });
    if (found.empty()) return std::nullopt;
    return found.front();
  }
  // The pointers of the faults that the work ends with.
  template <class Work>
  static std::vector<std::string> faults_of(Work work) {
    std::vector<std::string> out;
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid) << error.what();
      for (const auto& fault : error.faults()) out.push_back(fault.pointer);
    }
    return out;
  }
  using Pointers = std::vector<std::string>;

  World world;
  Shop shop;
};

}  // namespace bottega::test
