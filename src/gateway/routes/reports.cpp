// A merchant's reports: sales, refunds, products, and what becomes of conversations.
#include "bottega/reports/reports.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId, identity::Role, identity::Scope;

enum class TableFormat : std::uint8_t { json, csv };
BOOST_DESCRIBE_ENUM(TableFormat, json, csv)

template <class Report>
Reply answer_of(const Report& report, TableFormat format, const std::string& name) {
  if (format == TableFormat::json) return ok(report);
  Reply reply;
  reply.text = reports::csv_of(report);
  reply.media_type = "text/csv; charset=utf-8";
  reply.headers = {{"Content-Disposition", "attachment; filename=\"" + name + ".csv\""}};
  return reply;
}

template <auto make>
asio::awaitable<Reply> answer(Call& call, std::string name) {
  const auto shop = call.at<MerchantId>(0);
  const auto from = call.parameter_as<Date>("from"), to = call.parameter_as<Date>("to");
  const auto format = call.parameter_as<TableFormat>("format").value_or(TableFormat::json);
  const auto report = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    const auto merchant = identity::fetch_merchant(tx, shop);
    return make(tx, reports::days_of(merchant, from, to, tx.now(), call.app.clock.offset()));
  });
  co_return answer_of(report, format, name);
}

asio::awaitable<Reply> sales(Call& call) { return answer<reports::sales>(call, "sales"); }
asio::awaitable<Reply> refunds(Call& call) { return answer<reports::refunds>(call, "refunds"); }
asio::awaitable<Reply> products(Call& call) { return answer<reports::products>(call, "products"); }
asio::awaitable<Reply> conversion(Call& call) {
  return answer<reports::conversion>(call, "conversion");
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/reports/sales",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = sales,
     .name = "getSalesReport",
     .summary = "The orders of each day: gross, refunds, fees and net by currency",
     .gives = kGives<reports::SalesReport>,
     .parameters = "from to format"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/reports/refunds",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = refunds,
     .name = "getRefundsReport",
     .summary = "The refunds that were asked for on each day, and what has become of them",
     .gives = kGives<reports::RefundsReport>,
     .parameters = "from to format"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/reports/products",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = products,
     .name = "getProductsReport",
     .summary = "What was sold on each day: pieces and gross by name",
     .gives = kGives<reports::ProductsReport>,
     .parameters = "from to format"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/reports/conversion",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = conversion,
     .name = "getConversionReport",
     .summary = "How many conversations of each day came to a request, and how many were paid",
     .gives = kGives<reports::ConversionReport>,
     .parameters = "from to format"},
};

}  // namespace

std::span<const Route> report_routes() { return kRoutes; }

}  // namespace bottega::gateway
