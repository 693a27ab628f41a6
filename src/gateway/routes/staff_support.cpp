// The platform's desk: each look at a case, and each act, is in the audit log.
#include "gateway/routes/staff.hpp"
#include "gateway/routes/support.hpp"
#include "bottega/support/staff.hpp"

namespace bottega::gateway {
namespace {

using conversations::CannedReply, conversations::CannedReplyId, conversations::NewCannedReply;
using conversations::NewAssignee;
using identity::MerchantId;
using support::SupportCase, support::CaseId, support::CaseMessage, support::CaseMessageId;
namespace desk = support::staff;

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto filter = case_filter_in(call);
  const auto after = queue_position_in(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, "support_cases.list", "list"));
    return desk::queue(tx, merchant, filter, after, limit + 1);
  });
  co_return call.page(found, limit, position_of);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<CaseId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto found = desk::fetch(tx, id);
    ops::record(tx, call.who(), act_of(call, "support_case.show", text_of(id)));
    return ok(found);
  });
}

// What people wrote to each other: that it was read is written down, with how far.
asio::awaitable<Reply> read_entries(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto limit = call.limit();
  std::int64_t after = 0;
  if (const auto given = call.parameter_as<Count<0, INT64_MAX>>("after")) after = given->value;
  if (const auto cursor = call.cursor()) after = from_text<std::int64_t>(*cursor, Code::bad_cursor);
  const auto frames = co_await call.app.db.transact([&](Tx& tx) {
    std::vector<Json> all;
    for (const auto& event : desk::entries(tx, id, after, limit + 1))
      all.push_back(to_frame(event));
    Json read = {{"after", after},
                 {"entries", std::min(static_cast<std::int64_t>(all.size()), limit)}};
    ops::record(tx, call.who(),
                act_of(call, "support_case.read", text_of(id), std::nullopt, std::move(read)));
    return all;
  });
  co_return call.page(frames, limit, [](const Json& frame) { return frame.at("seq").dump(); });
}

asio::awaitable<Reply> list_messages(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto after = cursor_id<CaseMessageId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.transact([&](Tx& tx) {
    auto all = desk::messages(tx, id, after, limit + 1);
    ops::record(tx, call.who(), act_of(call, "support_case.messages", text_of(id)));
    return all;
  });
  co_return call.page(found, limit, id_of<CaseMessage>);
}

asio::awaitable<Reply> answer(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto given = call.body<desk::NewCaseAnswer>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto done = desk::answer(tx, call.who(), id, given);
    ops::record(tx, call.who(), act_of(call, "support_case.answer", text_of(id)));
    return ok(done);
  });
}

asio::awaitable<Reply> post_note(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto given = call.body<desk::NewCaseAnswer>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto note = desk::add_note(tx, call.who(), id, given);
    ops::record(tx, call.who(), act_of(call, "support_case.note", text_of(id)));
    return created(note);
  });
}

asio::awaitable<Reply> assign(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto given = call.body<support::NewAssignee>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto done = desk::assign(tx, id, given);
    ops::record(tx, call.who(),
                act_of(call, "support_case.assign", text_of(id), std::nullopt, to_json(given)));
    return ok(done);
  });
}

asio::awaitable<Reply> prioritize(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto given = call.body<support::NewCasePriority>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto done = desk::prioritize(tx, id, given);
    ops::record(tx, call.who(),
                act_of(call, "support_case.priority", text_of(id), std::nullopt, to_json(given)));
    return ok(done);
  });
}

asio::awaitable<Reply> solve(Call& call) {
  const auto id = call.at<CaseId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto done = desk::solve(tx, id);
    ops::record(tx, call.who(), act_of(call, "support_case.solve", text_of(id)));
    return ok(done);
  });
}

asio::awaitable<Reply> times(Call& call) {
  const auto days = days_in(call, call.app.clock.now());
  co_return co_await call.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, "support_times.show", "list"));
    return ok(support::times_of_ops(tx, days));
  });
}

asio::awaitable<Reply> list_answers(Call& call) {
  const auto all = co_await call.app.db.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, "canned_answers.list", "list"));
    return desk::canned_answers(tx);
  });
  co_return call.page(all, 1000, id_of<CannedReply>);
}

asio::awaitable<Reply> add_answer(Call& call) {
  const auto given = call.body<NewCannedReply>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto kept = desk::add_canned_answer(tx, call.who(), given);
    ops::record(tx, call.who(), act_of(call, "canned_answer.add", text_of(kept.id)));
    return created(kept);
  });
}

asio::awaitable<Reply> change_answer(Call& call) {
  const auto id = call.at<CannedReplyId>(0);
  const auto given = call.body<NewCannedReply>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto kept = desk::change_canned_answer(tx, call.who(), id, given);
    ops::record(tx, call.who(), act_of(call, "canned_answer.change", text_of(id)));
    return ok(kept);
  });
}

asio::awaitable<Reply> remove_answer(Call& call) {
  const auto id = call.at<CannedReplyId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    desk::remove_canned_answer(tx, id);
    ops::record(tx, call.who(), act_of(call, "canned_answer.remove", text_of(id)));
    return no_content();
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/admin/support_cases",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "adminListSupportCases",
     .summary = "What was handed over and what shops ask, by when answers are due",
     .gives = kGivesPage<SupportCase>,
     .parameters = "limit cursor merchant_id state priority assignee subject"},
    {.verb = Verb::get,
     .path = "/v1/admin/support_cases/{id}",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "adminGetSupportCase",
     .summary = "One case",
     .gives = kGives<SupportCase>},
    {.verb = Verb::get,
     .path = "/v1/admin/support_cases/{id}/entries",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = read_entries,
     .name = "adminReadSupportCase",
     .summary = "The conversation from the case on, until it is closed",
     .gives = event_page_schema,
     .parameters = "limit cursor after"},
    {.verb = Verb::get,
     .path = "/v1/admin/support_cases/{id}/messages",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_messages,
     .name = "adminListCaseMessages",
     .summary = "A shop's thread, and the notes of the staff",
     .gives = kGivesPage<CaseMessage>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/admin/support_cases/{id}/reply",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = answer,
     .name = "adminAnswerSupportCase",
     .summary = "Answer in the conversation or the thread, as Help",
     .takes = kTakes<support::staff::NewCaseAnswer>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/admin/support_cases/{id}/notes",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_note,
     .name = "adminAddCaseNote",
     .summary = "Write down what only the staff reads",
     .takes = kTakes<support::staff::NewCaseAnswer>,
     .status = 201,
     .gives = kGives<CaseMessage>},
    {.verb = Verb::post,
     .path = "/v1/admin/support_cases/{id}/assign",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = assign,
     .name = "adminAssignSupportCase",
     .summary = "Give it to one of the staff, or to nobody",
     .takes = kTakes<NewAssignee>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/admin/support_cases/{id}/priority",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = prioritize,
     .name = "adminSetSupportCasePriority",
     .summary = "Say how urgent it is",
     .takes = kTakes<support::NewCasePriority>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/admin/support_cases/{id}/solve",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = solve,
     .name = "adminSolveSupportCase",
     .summary = "Say that it is solved",
     .gives = kGives<SupportCase>},
    {.verb = Verb::get,
     .path = "/v1/admin/support_times",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = times,
     .name = "adminGetSupportTimes",
     .summary = "How long the staff's answers took, by week",
     .gives = kGives<support::SupportTimes>,
     .parameters = "from to"},
    {.verb = Verb::get,
     .path = "/v1/admin/canned_answers",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_answers,
     .name = "adminListCannedAnswers",
     .summary = "The answers that the staff keeps ready, by their shortcut",
     .gives = kGivesPage<CannedReply>},
    {.verb = Verb::post,
     .path = "/v1/admin/canned_answers",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_answer,
     .name = "adminAddCannedAnswer",
     .summary = "Keep an answer ready",
     .takes = kTakes<NewCannedReply>,
     .status = 201,
     .gives = kGives<CannedReply>},
    {.verb = Verb::post,
     .path = "/v1/admin/canned_answers/{id}",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = change_answer,
     .name = "adminChangeCannedAnswer",
     .summary = "Change an answer that is kept ready",
     .takes = kTakes<NewCannedReply>,
     .gives = kGives<CannedReply>},
    {.verb = Verb::del,
     .path = "/v1/admin/canned_answers/{id}",
     .access = Access::support,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove_answer,
     .name = "adminRemoveCannedAnswer",
     .summary = "Keep an answer no longer",
     .status = 204},
};

}  // namespace

std::span<const Route> staff_support_routes() { return kRoutes; }

}  // namespace bottega::gateway
