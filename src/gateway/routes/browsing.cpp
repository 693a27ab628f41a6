#include "gateway/routes/browsing.hpp"

#include "gateway/app.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

std::optional<std::int64_t> price_of(const Call& call, std::string_view name) {
  const auto given = call.parameter_as<Count<0, kAmountMax>>(name);
  if (!given) return std::nullopt;
  return given->value;
}

Browse browse_of(const Call& call) {
  Browse query;
  query.state = call.parameter_as<catalog::State>("state").value_or(catalog::State::published);
  query.words = call.parameter_as<Line<1, 200>>("q");
  query.collection = call.parameter_as<CollectionId>("collection_id");
  query.brand = call.parameter_as<Line<1, 70>>("brand");
  query.category = call.parameter_as<Category>("category");
  query.condition = call.parameter_as<Condition>("condition");
  query.in_stock = call.parameter_as<bool>("in_stock").value_or(false);
  query.price_from = price_of(call, "price_from");
  query.price_to = price_of(call, "price_to");
  query.sort = call.parameter_as<Sort>("sort").value_or(Sort::newest);
  return query;
}

// "prod_… 1250": where the next page begins, and the price there, if there is one.
std::string text_of_position(const Browsed& last) {
  return text_of(last.product_id) + (last.low ? ' ' + std::to_string(*last.low) : "");
}

std::optional<BrowsePosition> position_of(const Call& call) {
  const auto text = call.cursor();
  if (!text) return std::nullopt;
  const auto space = std::min(text->find(' '), text->size());
  BrowsePosition out;
  out.id = from_text<ProductId>(std::string_view(*text).substr(0, space), Code::bad_cursor);
  if (space < text->size())
    out.low = from_text<std::int64_t>(std::string_view(*text).substr(space + 1), Code::bad_cursor);
  return out;
}

struct Listed {
  std::vector<Card> cards;
  std::optional<std::string> next;
};

Listed look_through(Tx& tx, const identity::Who& who, const Browse& query,
                    const std::optional<BrowsePosition>& after, std::int64_t limit) {
  const auto shop = identity::fetch_merchant(tx, query.merchant);
  auto found = browse(tx, who, query, after, limit + 1);
  Listed out;
  if (static_cast<std::int64_t>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    out.next = text_of_position(found.back());
  }
  std::vector<ProductId> ids;
  for (const auto& row : found) ids.push_back(row.product_id);
  out.cards = cards(tx, shop.id, ids, shop.currency, query.state);
  return out;
}

}  // namespace

asio::awaitable<Reply> browse_shop(Call& call, ShopOf shop_of) {
  auto query = browse_of(call);
  const auto after = position_of(call);
  const auto limit = call.limit();
  const auto page = co_await call.app.db.read([&](Tx& tx) {
    query.merchant = shop_of(tx);
    return look_through(tx, call.who(), query, after, limit);
  });
  co_return call.page_of(to_json(page.cards), page.next);
}

}  // namespace bottega::gateway
