// The stock of variants, as the shop counts it.
#include "bottega/catalog/stock.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace catalog;

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<VariantId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_stock(tx, call.who(), id)); });
}

asio::awaitable<Reply> put(Call& call) {
  const auto id = call.at<VariantId>(0);
  const auto given = call.body<CountedStock>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(set_stock(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> adjust(Call& call) {
  const auto id = call.at<VariantId>(0);
  const auto given = call.body<StockAdjustment>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(adjust_stock(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> changes(Call& call) {
  const auto id = call.at<VariantId>(0);
  const auto after = cursor_id<StockChangeId>(call);
  const auto limit = call.limit();
  auto page = co_await call.app.db.read(
      [&](Tx& tx) { return stock_changes(tx, call.who(), id, after, limit + 1); });
  co_return call.page(std::move(page), limit, id_of<StockChange>);
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/variants/{id}/stock",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getStock",
     .summary = "How many pieces there are, and how many are being paid for",
     .gives = kGives<Stock>},
    {.verb = Verb::put,
     .path = "/v1/variants/{id}/stock",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put,
     .name = "setStock",
     .summary = "Say how many there are; null where nobody counts them",
     .takes = kTakes<CountedStock>,
     .gives = kGives<Stock>},
    {.verb = Verb::post,
     .path = "/v1/variants/{id}/stock/adjust",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = adjust,
     .name = "adjustStock",
     .summary = "So many more, or less, and why",
     .takes = kTakes<StockAdjustment>,
     .gives = kGives<Stock>},
    {.verb = Verb::get,
     .path = "/v1/variants/{id}/stock/changes",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = changes,
     .name = "listStockChanges",
     .summary = "What people have changed about it, newest first",
     .gives = kGivesPage<StockChange>,
     .parameters = "limit cursor"},
};

}  // namespace

std::span<const Route> stock_routes() { return kRoutes; }

}  // namespace bottega::gateway
