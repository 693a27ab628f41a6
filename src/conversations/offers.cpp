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

void ProductRef::check(Faults& faults, const std::string& pointer) const {
  if (product_id.has_value() == variant_id.has_value())
    faults.push_back({pointer, "must name either a product_id or a variant_id"});
}

void NewProductList::check(Faults& faults, const std::string& pointer) const {
  std::set<ProductId> seen;
  std::size_t count = 0;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto& ids = sections.items[i].product_ids.items;
    for (std::size_t j = 0; j < ids.size(); ++j, ++count)
      if (!seen.insert(ids[j]).second)
        faults.push_back(
            {pointer + "/sections/" + std::to_string(i) + "/product_ids/" + std::to_string(j),
             "is there already"});
  }
  if (count > kOfferedMax)
    faults.push_back({pointer + "/sections",
                      "must have at most " + std::to_string(kOfferedMax) + " products in all"});
}

void NewMessage::check(Faults& faults, const std::string& pointer) const {
  if (!text && !attachments && !has_offer(*this))
    faults.push_back({pointer + "/text", "is required where there is nothing else"});
  if (catalogue && !*catalogue)
    faults.push_back({pointer + "/catalogue", "must be true where it is there"});
  const std::pair<const char*, bool> offers[] = {{"/product", product.has_value()},
                                                 {"/products", products.has_value()},
                                                 {"/catalogue", catalogue.has_value()},
                                                 {"/about", about.has_value()}};
  bool is_second = false;
  for (const auto& [name, is_there] : offers) {
    if (is_there && is_second)
      faults.push_back({pointer + name,
                        "must be the only one of product, products, catalogue "
                        "and about"});
    is_second = is_second || is_there;
  }
}

bool has_offer(const NewMessage& message) {
  return message.product || message.products || message.catalogue || message.about;
}

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
