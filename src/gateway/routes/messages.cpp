// The log of a conversation: write to it, read it, and change what one has written.
#include "bottega/conversations/messages.hpp"

#include "gateway/dispatch.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/checkout/cards.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;
using Seq = Count<1, INT64_MAX>;

Event send_prepared(Tx& tx, const Who& who, ConversationId id, const NewMessage& given) {
  const auto ready = checkout::prepare(tx, who, id, given);
  return ready.sent ? *ready.sent : send(tx, who, id, ready.message);
}

asio::awaitable<Reply> post_message(Call& call) {
  const auto id = call.at<ConversationId>(0);
  auto given = call.body<NewMessage>();
  check_conversation(call.app, id);
  // With a key the reply must be kept in the transaction of the message.
  if (!call.request.header("idempotency-key").empty()) {
    auto reply = co_await call.transact(
        [&](Tx& tx) { return created(to_frame(send_prepared(tx, call.who(), id, given))); });
    count_message(call.app, id);
    co_return reply;
  }
  // What is offered is looked up beforehand, so that the writer has no more to do than for a text.
  if (has_offer(given)) {
    auto ready = co_await call.app.db.read(
        [&](Tx& tx) { return checkout::prepare(tx, call.who(), id, given); });
    if (ready.sent) co_return created(to_frame(*ready.sent));
    given = std::move(ready.message);
  }
  const auto frame = co_await call.app.writer.send(call.who(), id, given);
  count_message(call.app, id);
  co_return Reply{201, nullptr, {}, *frame, "application/json"};
}

Reply page_of_log(const Call& call, const std::vector<Event>& events, std::int64_t limit) {
  std::vector<Json> frames;
  for (const auto& event : events) frames.push_back(to_frame(event));
  return call.page(frames, limit, [](const Json& frame) { return frame.at("seq").dump(); });
}

asio::awaitable<Reply> log(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto limit = call.limit();
  const auto after = call.parameter_as<Count<0, INT64_MAX>>("after");
  const auto before = call.parameter_as<Count<1, INT64_MAX>>("before");
  if (after && before)
    throw Error(Code::invalid, "after and before exclude each other",
                {{"before", "must not be given together with after"}});
  std::optional<std::int64_t> position;
  if (const auto cursor = call.cursor())
    position = from_text<std::int64_t>(*cursor, Code::bad_cursor);
  const auto events = co_await call.app.db.read([&](Tx& tx) {
    if (before) return log_before(tx, call.who(), id, position.value_or(before->value), limit + 1);
    return log_after(tx, call.who(), id, position.value_or(after ? after->value : 0), limit + 1);
  });
  co_return page_of_log(call, events, limit);
}

asio::awaitable<Reply> edit_message(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto seq = call.at<Seq>(1);
  const auto given = call.body<NewText>();
  const std::chrono::seconds window(call.app.config.chat_edit_window_s);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(to_frame(edit(tx, call.who(), id, seq, given, window))); });
}

asio::awaitable<Reply> delete_message(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto seq = call.at<Seq>(1);
  const std::chrono::seconds window(call.app.config.chat_delete_window_s);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(to_frame(remove(tx, call.who(), id, seq, window))); });
}

asio::awaitable<Reply> put_reaction(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto seq = call.at<Seq>(1);
  const auto given = call.body<NewReaction>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(to_frame(react(tx, call.who(), id, seq, given.emoji))); });
}

asio::awaitable<Reply> delete_reaction(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto seq = call.at<Seq>(1);
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(to_frame(react(tx, call.who(), id, seq, std::nullopt))); });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/messages",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_message,
     .name = "sendMessage",
     .summary = "Write a message, or offer products; answered when it is durable",
     .takes = kTakes<NewMessage>,
     .status = 201,
     .gives = event_schema},
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/messages",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = log,
     .name = "listMessages",
     .summary = "The log: every entry in order after a seq, or newest first before one",
     .gives = event_page_schema,
     .parameters = "limit cursor after before"},
    {.verb = Verb::patch,
     .path = "/v1/conversations/{id}/messages/{seq}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = edit_message,
     .name = "editMessage",
     .summary = "Change what one wrote a while ago",
     .takes = kTakes<NewText>,
     .gives = event_schema},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/messages/{seq}",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_message,
     .name = "deleteMessage",
     .summary = "Take back for everybody what one wrote a while ago",
     .gives = event_schema},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/messages/{seq}/reaction",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_reaction,
     .name = "reactToMessage",
     .summary = "React to a message; there is one reaction of each person",
     .takes = kTakes<NewReaction>,
     .gives = event_schema},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/messages/{seq}/reaction",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = delete_reaction,
     .name = "removeReaction",
     .summary = "Take one's reaction back",
     .gives = event_schema},
};

}  // namespace

Json event_page_schema(Components& components) {
  return {{"type", "object"},
          {"required", {"data", "has_more", "next_cursor"}},
          {"additionalProperties", false},
          {"properties",
           {{"data", {{"type", "array"}, {"items", event_schema(components)}}},
            {"has_more", {{"type", "boolean"}}},
            {"next_cursor", {{"type", {"string", "null"}}}}}}};
}

Json event_schema(Components& components) {
  components["Event"] = {{"type", "object"},
                         {"required", {"event", "conversation", "seq", "at", "data"}},
                         {"additionalProperties", false},
                         {"properties",
                          {{"event", {{"type", "string"}}},
                           {"conversation", schema_of<ConversationId>(components)},
                           {"seq", {{"type", "integer"}, {"minimum", 1}}},
                           {"at", {{"type", "string"}, {"format", "date-time"}}},
                           {"data", {{"type", "object"}}}}}};
  return {{"$ref", "#/components/schemas/Event"}};
}

std::span<const Route> message_routes() { return kRoutes; }

}  // namespace bottega::gateway
