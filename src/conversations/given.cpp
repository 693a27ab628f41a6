// What clients give must be, as far as that can be told without the database.
#include <set>

#include "bottega/conversations/conversations.hpp"
#include "bottega/conversations/inbox.hpp"

namespace bottega::conversations {

void OfficeHours::check(Faults& faults, const std::string& pointer) const {
  if (to <= from) faults.push_back({pointer + "/to", "must be after from"});
}

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

bool has_offer(const NewMessage& message) {
  return message.product || message.products || message.catalogue || message.about;
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

}  // namespace bottega::conversations

namespace bottega {

using conversations::ClockTime;

std::string Form<ClockTime>::text(const ClockTime& value) {
  const auto two = [](int number) {
    return std::string(number < 10 ? "0" : "") + std::to_string(number);
  };
  return two(value.minutes / 60) + ':' + two(value.minutes % 60);
}

std::optional<ClockTime> Form<ClockTime>::parse(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const auto i : {0u, 1u, 3u, 4u})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const auto two = [&](std::size_t i) { return (text[i] - '0') * 10 + (text[i + 1] - '0'); };
  const int minutes = two(0) * 60 + two(3);
  if (two(3) > 59 || minutes > 24 * 60) return std::nullopt;
  return ClockTime{minutes};
}

}  // namespace bottega
