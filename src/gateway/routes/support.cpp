// Help for buyers and shops, and withdrawing from a contract.
#include "gateway/routes/support.hpp"

#include "bottega/support/withdrawals.hpp"

namespace bottega::gateway {
namespace {

using conversations::NewAssignee;
using identity::MerchantId, identity::Role, identity::Scope;
using support::SupportCase, support::CaseId, support::CaseMessage, support::CaseMessageId;

asio::awaitable<Reply> open_case(Call& call) {
  const auto given = call.body<support::NewCase>();
  co_return co_await call.transact(
      [&](Tx& tx) { return created(support::open(tx, call.who(), given)); });
}

asio::awaitable<Reply> list_queue(Call& call, MerchantId shop) {
  const auto filter = case_filter_in(call);
  const auto after = queue_position_in(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::agent, Scope::read);
    return support::queue_of_merchant(tx, shop, filter, after, limit + 1);
  });
  co_return call.page(found, limit, position_of);
}

// One's own, or what a shop has asked.
asio::awaitable<Reply> list_asked(Call& call, std::optional<MerchantId> shop) {
  if (call.parameter("state") || call.parameter("priority") || call.parameter("subject") ||
      call.parameter("assignee"))
    throw Error(Code::invalid, "only the queue of a shop is filtered",
                {{"merchant_id", "must be given with a filter, and no kind"}});
  const auto after = cursor_id<CaseId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    if (!shop) return support::list_of_person(tx, call.who().account, after, limit + 1);
    identity::require_member(tx, call.who(), *shop, Role::agent, Scope::read);
    return support::list_of_merchant(tx, *shop, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<SupportCase>);
}

asio::awaitable<Reply> list(Call& call) {
  auto shop = call.parameter_as<MerchantId>("merchant_id");
  const auto kind = call.parameter_as<support::Kind>("kind").value_or(support::Kind::buyer);
  if (!shop && call.who().kind == identity::Kind::api_key) shop = call.who().merchant;
  if (shop && kind == support::Kind::buyer) co_return co_await list_queue(call, *shop);
  co_return co_await list_asked(call, shop);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<CaseId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(support::fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> list_messages(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto after = cursor_id<CaseMessageId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return support::messages(tx, call.who(), id, after, limit + 1); });
  co_return call.page(found, limit, id_of<CaseMessage>);
}

// Does something to a case with what the body says.
template <class Body, SupportCase (*act)(Tx&, const identity::Who&, CaseId, const Body&)>
asio::awaitable<Reply> post(Call& call) {
  const auto id = call.at<CaseId>(0);
  const auto given = call.body<Body>();
  co_return co_await call.transact([&](Tx& tx) { return ok(act(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> solve(Call& call) {
  const auto id = call.at<CaseId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(support::solve(tx, call.who(), id)); });
}

asio::awaitable<Reply> times(Call& call) {
  const auto shop = call.at<MerchantId>(0);
  const auto days = days_in(call, call.app.clock.now());
  co_return co_await call.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    return ok(support::times_of_merchant(tx, shop, days));
  });
}

asio::awaitable<Reply> withdraw(Call& call) {
  const auto id = call.at<support::OrderId>(0);
  const auto given = call.body<support::WithdrawalStep>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(support::withdraw(tx, call.who(), id, given)); });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/support_cases",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = open_case,
     .name = "openSupportCase",
     .summary = "Get help: about an order, in a conversation, or a shop from the platform",
     .takes = kTakes<support::NewCase>,
     .status = 201,
     .gives = kGives<SupportCase>},
    {.verb = Verb::get,
     .path = "/v1/support_cases",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listSupportCases",
     .summary = "What one has asked; or by merchant_id a shop's queue, by when answers are due, "
                "and with kind=merchant what the shop has asked the platform",
     .gives = kGivesPage<SupportCase>,
     .parameters = "limit cursor merchant_id kind state priority assignee subject"},
    {.verb = Verb::get,
     .path = "/v1/support_cases/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getSupportCase",
     .summary = "One case; `work` is there for those who answer",
     .gives = kGives<SupportCase>},
    {.verb = Verb::get,
     .path = "/v1/support_cases/{id}/messages",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_messages,
     .name = "listCaseMessages",
     .summary = "The thread of what a shop has asked the platform, oldest first",
     .gives = kGivesPage<CaseMessage>,
     .parameters = "limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/reply",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post<support::NewCaseReply, support::reply>,
     .name = "replyToSupportCase",
     .summary = "Ask further, which reopens what is solved, or answer",
     .takes = kTakes<support::NewCaseReply>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/assign",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post<support::NewAssignee, support::assign>,
     .name = "assignSupportCase",
     .summary = "Give it to a member of the shop, or to nobody",
     .takes = kTakes<NewAssignee>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/priority",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post<support::NewCasePriority, support::prioritize>,
     .name = "setSupportCasePriority",
     .summary = "Say how urgent it is; that sets when its answer is due",
     .takes = kTakes<support::NewCasePriority>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/solve",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = solve,
     .name = "solveSupportCase",
     .summary = "Say that it is solved",
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/hand_over",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post<support::NewHandOver, support::hand_over>,
     .name = "handOverSupportCase",
     .summary = "Give it to the platform's staff, who read the conversation from the case on",
     .takes = kTakes<support::NewHandOver>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::post,
     .path = "/v1/support_cases/{id}/rate",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post<support::NewCaseRating, support::rate>,
     .name = "rateSupportCase",
     .summary = "Say once how it was, from 1 to 5",
     .takes = kTakes<support::NewCaseRating>,
     .gives = kGives<SupportCase>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/support_times",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = times,
     .name = "getSupportTimes",
     .summary = "How long the shop's answers took, by week",
     .gives = kGives<support::SupportTimes>,
     .parameters = "from to"},
    {.verb = Verb::post,
     .path = "/v1/orders/{id}/withdraw",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = withdraw,
     .name = "withdrawFromContract",
     .summary =
         "Withdraw from the contract of an order: what it means, and with `confirm` for good",
     .takes = kTakes<support::WithdrawalStep>,
     .gives = kGives<support::ContractWithdrawal>},
};

}  // namespace

std::span<const Route> support_routes() { return kRoutes; }

}  // namespace bottega::gateway
