// What the members of a merchant share for all conversations: labels, replies kept ready, office
// hours.
#include "gateway/routes/routes.hpp"
#include "bottega/conversations/inbox.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;
using identity::Role, identity::Scope;

asio::awaitable<Reply> list_labels(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return labels_of(tx, id);
  });
  co_return call.page(all, 1000, [](const LabelCount& row) { return row.label; });
}

asio::awaitable<Reply> list_replies(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return canned_replies(tx, id);
  });
  co_return call.page(all, 1000, id_of<CannedReply>);
}

asio::awaitable<Reply> post_reply(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewCannedReply>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::chat);
    return created(add_canned_reply(tx, call.who(), id, given));
  });
}

asio::awaitable<Reply> put_reply(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto reply = call.at<CannedReplyId>(1);
  const auto given = call.body<NewCannedReply>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::chat);
    return ok(change_canned_reply(tx, call.who(), id, reply, given));
  });
}

asio::awaitable<Reply> delete_reply(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto reply = call.at<CannedReplyId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::chat);
    remove_canned_reply(tx, id, reply);
    return no_content();
  });
}

asio::awaitable<Reply> get_settings(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return ok(inbox_settings(tx, id));
  });
}

asio::awaitable<Reply> put_settings(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewInboxSettings>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::chat);
    return ok(set_inbox_settings(tx, id, given));
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/labels",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_labels,
     .name = "listLabels",
     .summary = "The labels in use, and on how many conversations",
     .gives = kGivesPage<LabelCount>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/canned_replies",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_replies,
     .name = "listCannedReplies",
     .summary = "The replies that the shop keeps ready, by their shortcut",
     .gives = kGivesPage<CannedReply>},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/canned_replies",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_reply,
     .name = "addCannedReply",
     .summary = "Keep a reply ready",
     .takes = kTakes<NewCannedReply>,
     .status = 201,
     .gives = kGives<CannedReply>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/canned_replies/{reply}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_reply,
     .name = "changeCannedReply",
     .summary = "Change a reply that is kept ready",
     .takes = kTakes<NewCannedReply>,
     .gives = kGives<CannedReply>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/canned_replies/{reply}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_reply,
     .name = "removeCannedReply",
     .summary = "Keep a reply no longer",
     .status = 204},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/inbox_settings",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = get_settings,
     .name = "getInboxSettings",
     .summary = "Office hours and the message outside of them",
     .gives = kGives<InboxSettings>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/inbox_settings",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_settings,
     .name = "setInboxSettings",
     .summary = "Set the office hours, and what a buyer is told outside of them",
     .takes = kTakes<NewInboxSettings>,
     .gives = kGives<InboxSettings>},
};

}  // namespace

std::span<const Route> inbox_tool_routes() { return kRoutes; }

}  // namespace bottega::gateway
