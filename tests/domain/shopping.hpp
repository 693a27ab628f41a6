#pragma once
// A shop with products, and what is said about them in its conversation.
#include "domain/catalog.hpp"
#include "bottega/checkout/cards.hpp"
#include "bottega/checkout/carts.hpp"

namespace bottega::test {

class Shopping : public Shelf {
 protected:
  using Who = identity::Who;

  // The way the gateway does it: what is offered is looked up, then the message is sent.
  conversations::Event say(const Who& who, const Json& body) {
    const auto given = from_json<conversations::NewMessage>(body);
    const auto ready =
        in([&](Tx& tx) { return checkout::prepare(tx, who, shop.conversation, given); });
    if (ready.sent) return *ready.sent;
    return in(
        [&](Tx& tx) { return conversations::send(tx, who, shop.conversation, ready.message); });
  }
  conversations::Event last() {
    return in([&](Tx& tx) {
      return conversations::log_before(tx, shop.buyer, shop.conversation, INT64_MAX, 1).at(0);
    });
  }
  checkout::Cart cart(const Who& who) {
    return in([&](Tx& tx) { return checkout::fetch_cart(tx, who, shop.conversation); });
  }
  checkout::Cart put(std::int64_t version, const Json& lines) {
    return put(shop.buyer, version, lines);
  }
  checkout::Cart put(const Who& who, std::int64_t version, const Json& lines) {
    const auto given = from_json<checkout::NewCart>({{"version", version}, {"lines", lines}});
    return in([&](Tx& tx) { return checkout::put_cart(tx, who, shop.conversation, given); });
  }
  static Json lines(std::initializer_list<Json> all) {
    Json out = Json::array();
    for (const auto& one : all) out.push_back(one);
    return out;
  }
  static Json line(catalog::VariantId id, std::int64_t quantity) {
    return {{"variant_id", text_of(id)}, {"quantity", quantity}};
  }
  // A new price for the product's only variant.
  catalog::Product reprice(const catalog::Product& product, std::int64_t amount) {
    const Json edit = {{"prices", {{{"currency", "USD"}, {"amount", amount}}}}};
    return in([&](Tx& tx) {
      return catalog::change_variant(tx, shop.owner, product.variants[0].id, product.version, edit);
    });
  }
  // How many notices of this event were announced.
  int told(const std::string& event) const {
    return static_cast<int>(std::ranges::count_if(world.notices, [&](const Notice& notice) {
      return notice.text.find("\"event\":\"" + event + '"') != notice.text.npos;
    }));
  }
};

}  // namespace bottega::test
