// What is offered in messages, as far as that can be told without the catalogue.
#include <set>

#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

bool names(const Json& offered, const std::optional<ProductRef>& ref) {
  if (!ref || offered.is_null()) return !ref && offered.is_null();
  if (ref->variant_id) return offered.value("variant_id", Json()) == to_json(ref->variant_id);
  return offered.value("product_id", Json()) == to_json(ref->product_id);
}

// The list as whoever sent it has named it.
Json named_of(const Json& list) {
  Json sections = Json::array();
  for (const auto& section : list.at("sections")) {
    Json ids = Json::array();
    for (const auto& product : section.at("products")) ids.push_back(product.at("product_id"));
    sections.push_back({{"title", section.at("title")}, {"product_ids", ids}});
  }
  return {{"header", list.at("header")}, {"sections", sections}};
}

}  // namespace

void require_looked_up(const NewMessage& message) {
  if (has_offer(message) != message.offer.has_value())
    throw std::logic_error("what a message offers has not been looked up");
}

Json data_of(const Offer& offer) {
  Json data = Json::object();
  each_member<Offer>([&](auto member) {
    const auto& value = offer.*member.pointer;
    if (value) data[member.name] = to_json(*value);
  });
  return data;
}

bool is_same_offer(const Json& sent, const NewMessage& again) {
  const auto of = [&](const char* name) { return sent.value(name, Json()); };
  const auto list = of("products");
  const Json named = list.is_null() ? Json() : named_of(list);
  return names(of("product"), again.product) && names(of("about"), again.about) &&
         named == to_json(again.products) &&
         of("catalogue").is_null() == !again.catalogue.has_value();
}

}  // namespace bottega::conversations
