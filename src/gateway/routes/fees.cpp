// What the platform takes of sales, and what it has earned in the end.
#include "bottega/identity/fees.hpp"

#include "gateway/routes/staff.hpp"
#include "bottega/ledger/revenue.hpp"

namespace bottega::gateway {
namespace {

using namespace identity;

constexpr auto kDaysMost = std::chrono::days(366);
constexpr auto kDaysDefault = std::chrono::days(30);

enum class ReportFormat : std::uint8_t { json, csv };
BOOST_DESCRIBE_ENUM(ReportFormat, json, csv)

asio::awaitable<Reply> plans(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto after = cursor_id<FeePlanId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::manager, Scope::read);
    std::vector<FeePlan> shown;
    for (const auto& plan : list_fee_plans(tx, id, after, limit + 1))
      shown.push_back(plan.for_merchant());
    return shown;
  });
  co_return call.page(found, limit, id_of<FeePlan>);
}

asio::awaitable<Reply> plans_for_staff(Call& call) {
  const auto id = call.at<MerchantId>(0);
  auto find = [&](Tx& tx, std::optional<FeePlanId> after, std::int64_t limit) {
    fetch_merchant(tx, id);
    return list_fee_plans(tx, id, after, limit);
  };
  co_return co_await listing<FeePlanId>(call, "fees.list", find);
}

asio::awaitable<Reply> add_plan(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewFeePlan>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto plan = add_fee_plan(tx, call.who(), id, given);
    ops::record(tx, call.who(),
                act_of(call, "fees.add", text_of(id), plan.reason,
                       {{"plan", text_of(plan.id)},
                        {"currency", to_json(plan.currency)},
                        {"basis_points", plan.basis_points},
                        {"fixed", plan.fixed},
                        {"effective_from", text_of(plan.effective_from)}}));
    return created(plan);
  });
}

// The first of the types in Accept that we have; weights are not looked at.
ReportFormat accepted_format(std::string_view accept) {
  while (!accept.empty()) {
    auto type = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(type.size() + 1, accept.size()));
    type = type.substr(0, type.find(';'));
    while (type.starts_with(' ')) type.remove_prefix(1);
    while (type.ends_with(' ')) type.remove_suffix(1);
    if (type == "text/csv") return ReportFormat::csv;
    if (type == "application/json" || type == "*/*") return ReportFormat::json;
  }
  return ReportFormat::json;
}

struct Days {
  Date from{}, until{};
};

Days days_of(const Call& call) {
  const auto today = std::chrono::floor<std::chrono::days>(call.app.clock.now());
  const auto until = call.parameter_as<Date>("until").value_or(today);
  const auto from =
      call.parameter_as<Date>("from").value_or(until - kDaysDefault + std::chrono::days(1));
  if (from > until)
    throw Error(Code::invalid, "the days are not possible", {{"from", "must not be after until"}});
  if (until - from >= kDaysMost)
    throw Error(Code::invalid, "these are too many days",
                {{"from", "must be at most 365 days before until"}});
  return {from, until};
}

Reply csv_of(const ledger::Revenue& report) {
  Reply reply;
  reply.text = ledger::revenue_csv(report);
  reply.media_type = "text/csv; charset=utf-8";
  reply.headers = {{"Content-Disposition", "attachment; filename=\"revenue.csv\""}};
  return reply;
}

asio::awaitable<Reply> revenue(Call& call) {
  const auto format = call.parameter_as<ReportFormat>("format").value_or(
      accepted_format(call.request.header("accept")));
  const auto days = days_of(call);
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  auto reply = co_await call.transact([&](Tx& tx) {
    ops::record(
        tx, call.who(),
        act_of(call, "ledger.revenue", merchant ? text_of(*merchant) : "ledger", std::nullopt,
               {{"from", text_of(days.from)}, {"until", text_of(days.until)}}));
    const auto report = ledger::revenue(tx, days.from, days.until, merchant);
    return format == ReportFormat::csv ? csv_of(report) : ok(report);
  });
  reply.headers.emplace_back("Vary", "Accept");
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/fees",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = plans,
     .name = "listFees",
     .summary = "What the platform takes: the plans with their dates, the latest first",
     .gives = kGivesPage<FeePlan>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/merchants/{id}/fees",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = plans_for_staff,
     .name = "adminListFees",
     .summary = "A merchant's fee plans, with who made them",
     .gives = kGivesPage<StaffFeePlan>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/admin/merchants/{id}/fees",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_plan,
     .name = "adminAddFees",
     .summary = "A fee plan from now or from a day on, with a reason that the merchant sees",
     .takes = kTakes<NewFeePlan>,
     .status = 201,
     .gives = kGives<StaffFeePlan>},
    {.verb = Verb::get,
     .path = "/v1/admin/revenue",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = revenue,
     .name = "adminGetRevenue",
     .summary = "What was captured, given back and earned, by days (UTC) and currencies",
     .gives = kGives<ledger::Revenue>,
     .parameters = "from until merchant_id format"},
};

}  // namespace

std::span<const Route> fee_routes() { return kRoutes; }

}  // namespace bottega::gateway
