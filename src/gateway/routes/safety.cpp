// Muting, blocking, and reports to the staff.
#include "bottega/conversations/safety.hpp"

#include "gateway/routes/routes.hpp"
#include "bottega/ops/ops.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(protection(tx, call.who(), id)); });
}

asio::awaitable<Reply> put_mute(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewMute>();
  co_return co_await call.transact([&](Tx& tx) { return ok(mute(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> delete_mute(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(unmute(tx, call.who(), id)); });
}

asio::awaitable<Reply> put_block(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(block(tx, call.who(), id)); });
}

asio::awaitable<Reply> delete_block(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(unblock(tx, call.who(), id)); });
}

asio::awaitable<Reply> post_report(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewReport>();
  co_return co_await call.transact(
      [&](Tx& tx) { return created(report(tx, call.who(), id, given)); });
}

// Reported entries are somebody's words: that the staff has read them is written down.
asio::awaitable<Reply> list_reports(Call& call) {
  const auto state = call.parameter_as<ReportState>("state");
  const auto after = cursor_id<ReportId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.transact([&](Tx& tx) {
    ops::record(tx, call.who(),
                {"reports.list", "list", {}, Json::object(), call.request.request_id});
    return reports(tx, state, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Report>);
}

asio::awaitable<Reply> post_resolution(Call& call) {
  const auto id = call.at<ReportId>(0);
  const auto given = call.body<Resolution>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto resolved = resolve(tx, call.who(), id, given);
    ops::record(tx, call.who(),
                {"report.resolve", text_of(id), given.resolution.value, Json::object(),
                 call.request.request_id});
    return ok(resolved);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/protection",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getProtection",
     .summary = "Whether one has muted or blocked the other side",
     .gives = kGives<Protection>},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/mute",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_mute,
     .name = "muteConversation",
     .summary = "Get no notifications of it, for good or until a time",
     .takes = kTakes<NewMute>,
     .gives = kGives<Protection>},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/mute",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_mute,
     .name = "unmuteConversation",
     .summary = "Get notifications of it again",
     .gives = kGives<Protection>},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/block",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_block,
     .name = "blockConversation",
     .summary = "Take nothing from the other side any more",
     .gives = kGives<Protection>},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/block",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_block,
     .name = "unblockConversation",
     .summary = "Let the other side write again",
     .gives = kGives<Protection>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/reports",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_report,
     .name = "reportConversation",
     .summary = "Tell the staff, with a copy of what is meant",
     .takes = kTakes<NewReport>,
     .status = 201,
     .gives = kGives<Reported>},
    {.verb = Verb::get,
     .path = "/v1/admin/reports",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_reports,
     .name = "adminListReports",
     .summary = "What was reported, oldest first",
     .gives = kGivesPage<Report>,
     .parameters = "limit cursor state"},
    {.verb = Verb::post,
     .path = "/v1/admin/reports/{id}/resolve",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_resolution,
     .name = "adminResolveReport",
     .summary = "Be done with a report, and say how",
     .takes = kTakes<Resolution>,
     .gives = kGives<Report>},
};

}  // namespace

std::span<const Route> safety_routes() { return kRoutes; }

}  // namespace bottega::gateway
