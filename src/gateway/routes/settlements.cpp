// The daily settlement check, as the staff sees it and asks for it.
#include "bottega/settlements/settlements.hpp"

#include "gateway/routes/staff.hpp"

namespace bottega::gateway {
namespace {

using settlements::DifferenceId, settlements::RunId;

asio::awaitable<Reply> check(Call& call) {
  const auto given = call.body<settlements::NewRun>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto run = settlements::begin(tx, call.app.registry, given, call.who().actor());
    ops::record(tx, call.who(),
                act_of(call, "settlement.check", text_of(run.id), std::nullopt,
                       {{"processor", run.processor}, {"day", text_of(run.day)}}));
    return accepted(run);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> runs(Call& call) {
  auto find = [](Tx& tx, auto after, std::int64_t limit) {
    return settlements::list(tx, after, limit);
  };
  co_return co_await listing<RunId>(call, "settlements.list", find);
}

asio::awaitable<Reply> run(Call& call) {
  const auto id = call.at<RunId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto found = settlements::fetch(tx, id);
    ops::record(tx, call.who(), act_of(call, "settlement.read", text_of(id)));
    return ok(found);
  });
}

asio::awaitable<Reply> differences(Call& call) {
  const auto id = call.at<RunId>(0);
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return settlements::differences(tx, id, after, limit);
  };
  co_return co_await listing<DifferenceId>(call, "settlement_differences.list", find);
}

asio::awaitable<Reply> resolve(Call& call) {
  const auto id = call.at<DifferenceId>(0);
  const auto given = call.body<payouts::Reason>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto resolved = settlements::resolve(tx, id, call.who().actor(), given.reason.value);
    ops::record(tx, call.who(),
                act_of(call, "settlement_difference.resolve", text_of(id), given.reason.value,
                       {{"kind", text_of(resolved.kind)}, {"key", resolved.key}}));
    return ok(resolved);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/admin/settlements",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = check,
     .name = "adminCheckSettlement",
     .summary = "Compare a processor's list of a day with ours; its end is seen by the run",
     .takes = kTakes<settlements::NewRun>,
     .status = 202,
     .gives = kGives<settlements::Run>},
    {.verb = Verb::get,
     .path = "/v1/admin/settlements",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = runs,
     .name = "adminListSettlements",
     .summary = "The checks of all days, newest first",
     .gives = kGivesPage<settlements::Run>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/settlements/{id}",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = run,
     .name = "adminGetSettlement",
     .summary = "How far a check is, and what it came to",
     .gives = kGives<settlements::Run>},
    {.verb = Verb::get,
     .path = "/v1/admin/settlements/{id}/differences",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = differences,
     .name = "adminListSettlementDifferences",
     .summary = "What a check has found, oldest first",
     .gives = kGivesPage<settlements::Difference>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/admin/settlement_differences/{id}/resolve",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = resolve,
     .name = "adminResolveSettlementDifference",
     .summary = "Say what a difference was, with a reason",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<settlements::Difference>},
};

}  // namespace

std::span<const Route> settlement_routes() { return kRoutes; }

}  // namespace bottega::gateway
