// The merchant's inbox: what its members do with a conversation.
#include "bottega/conversations/inbox.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;

template <StatusEvent event>
asio::awaitable<Reply> move(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(move_status(tx, call.who(), id, event, std::nullopt)); });
}

asio::awaitable<Reply> snooze(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<Snooze>();
  co_return co_await call.transact([&](Tx& tx) {
    return ok(move_status(tx, call.who(), id, StatusEvent::snooze, given.until));
  });
}

asio::awaitable<Reply> put_assignee(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewAssignee>();
  co_return co_await call.transact([&](Tx& tx) { return ok(assign(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> put_labels(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewLabels>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(set_labels(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> post_note(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewNote>();
  co_return co_await call.transact(
      [&](Tx& tx) { return created(add_note(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> list_notes(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto after = cursor_id<NoteId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return notes(tx, call.who(), id, after, limit + 1); });
  co_return call.page(found, limit, id_of<Note>);
}

asio::awaitable<Reply> delete_note(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto note = call.at<NoteId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    remove_note(tx, call.who(), id, note);
    return no_content();
  });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/reopen",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = move<StatusEvent::reopen>,
     .name = "reopenConversation",
     .summary = "Take up again what was put aside or closed",
     .gives = kGives<Inbox>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/park",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = move<StatusEvent::park>,
     .name = "parkConversation",
     .summary = "Wait for something before going on",
     .gives = kGives<Inbox>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/snooze",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = snooze,
     .name = "snoozeConversation",
     .summary = "Put aside until a time; it opens by itself then, or when the buyer writes",
     .takes = kTakes<Snooze>,
     .gives = kGives<Inbox>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/close",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = move<StatusEvent::close>,
     .name = "closeConversation",
     .summary = "Be done with it until the buyer writes again",
     .gives = kGives<Inbox>},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/assignee",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_assignee,
     .name = "assignConversation",
     .summary = "Make it one member's, or nobody's",
     .takes = kTakes<NewAssignee>,
     .gives = kGives<Inbox>},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/labels",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_labels,
     .name = "labelConversation",
     .summary = "Set all labels of a conversation",
     .takes = kTakes<NewLabels>,
     .gives = kGives<Inbox>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/notes",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_note,
     .name = "addNote",
     .summary = "Write a note that the buyer never sees",
     .takes = kTakes<NewNote>,
     .status = 201,
     .gives = kGives<Note>},
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/notes",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_notes,
     .name = "listNotes",
     .summary = "Notes on a conversation, oldest first",
     .gives = kGivesPage<Note>,
     .parameters = "limit cursor"},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/notes/{note}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_note,
     .name = "removeNote",
     .summary = "Take back a note that one wrote",
     .status = 204},
};

}  // namespace

std::span<const Route> inbox_routes() { return kRoutes; }

}  // namespace bottega::gateway
