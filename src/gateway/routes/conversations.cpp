// Conversations: open, write, read the log, say how far one has read.
#include "bottega/conversations/conversations.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;

// "2026-03-01T12:00:00.000001Z conv_…"
std::string position_of(const Conversation& item) {
  return text_of(item.last_entry_at) + ' ' + text_of(item.id);
}

std::optional<Position> position_in(const Call& call) {
  const auto text = call.cursor();
  if (!text) return std::nullopt;
  const auto space = std::min(text->find(' '), text->size() - 1);
  return Position{from_text<Instant>(text->substr(0, space), Code::bad_cursor),
                  from_text<ConversationId>(text->substr(space + 1), Code::bad_cursor)};
}

asio::awaitable<Reply> open_one(Call& call) {
  const auto given = call.body<NewConversation>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto opened = open(tx, call.who(), given);
    return opened.is_new ? created(opened.conversation) : ok(opened.conversation);
  });
}

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto after = position_in(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    if (!merchant && call.who().kind == identity::Kind::person)
      return list_of_buyer(tx, call.who().account, after, limit + 1);
    const auto shop = merchant.value_or(call.who().merchant);
    identity::require_member(tx, call.who(), shop, identity::Role::agent, identity::Scope::read);
    return list_of_merchant(tx, shop, after, limit + 1);
  });
  co_return call.page(found, limit, position_of);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> post_message(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewMessage>();
  // With a key the reply must be kept in the transaction of the message.
  if (!call.request.header("idempotency-key").empty())
    co_return co_await call.transact(
        [&](Tx& tx) { return created(to_frame(send(tx, call.who(), id, given))); });
  const auto frame = co_await call.app.writer.send(call.who(), id, given);
  co_return Reply{201, nullptr, {}, *frame, "application/json"};
}

asio::awaitable<Reply> log(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto limit = call.limit();
  std::int64_t after =
      call.parameter_as<Count<0, INT64_MAX>>("after").value_or(Count<0, INT64_MAX>{0});
  if (const auto cursor = call.cursor()) after = from_text<std::int64_t>(*cursor, Code::bad_cursor);
  const auto events = co_await call.app.db.read(
      [&](Tx& tx) { return log_after(tx, call.who(), id, after, limit + 1); });
  std::vector<Json> frames;
  for (const auto& event : events) frames.push_back(to_frame(event));
  co_return call.page(frames, limit, [](const Json& frame) { return frame.at("seq").dump(); });
}

asio::awaitable<Reply> put_receipt(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<Receipt>();
  co_return co_await call.transact([&](Tx& tx) { return ok(mark(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> receipts(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) { return markers(tx, call.who(), id); });
  co_return call.page(all, 1000, [](const Marker& marker) { return text_of(marker.account_id); });
}

asio::awaitable<Reply> typing(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    type(tx, call.who(), id);
    return no_content();
  });
}

// The schema of an entry: every event has the same envelope.
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

Json event_page_schema(Components& components) {
  return {{"type", "object"},
          {"required", {"data", "has_more", "next_cursor"}},
          {"additionalProperties", false},
          {"properties",
           {{"data", {{"type", "array"}, {"items", event_schema(components)}}},
            {"has_more", {{"type", "boolean"}}},
            {"next_cursor", {{"type", {"string", "null"}}}}}}};
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/conversations",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = open_one,
     .name = "openConversation",
     .summary = "Open the conversation with a merchant, or get the one there is",
     .takes = kTakes<NewConversation>,
     .status = 201,
     .gives = kGives<Conversation>},
    {.verb = Verb::get,
     .path = "/v1/conversations",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listConversations",
     .summary = "Conversations by their latest activity; a member's shop by merchant_id",
     .gives = kGivesPage<Conversation>,
     .parameters = "limit cursor merchant_id"},
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getConversation",
     .summary = "One conversation",
     .gives = kGives<Conversation>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/messages",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = post_message,
     .name = "sendMessage",
     .summary = "Write a message; answered when it is durable",
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
     .summary = "The log: every entry in order, after a sequence number",
     .gives = event_page_schema,
     .parameters = "limit cursor after"},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/receipts",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = put_receipt,
     .name = "markConversation",
     .summary = "Say how far one has received and read; never back",
     .takes = kTakes<Receipt>,
     .gives = kGives<Marker>},
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/receipts",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = receipts,
     .name = "listReceipts",
     .summary = "How far everybody has received and read",
     .gives = kGivesPage<Marker>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/typing",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = typing,
     .name = "startTyping",
     .summary = "Tell the other side that one is typing; nothing is kept",
     .status = 204},
};

}  // namespace

std::span<const Route> conversation_routes() { return kRoutes; }

}  // namespace bottega::gateway
