// Conversations: open, list, say how far one has read, and that one is typing.
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

// ?assignee= is "me", "nobody" or a member's id.
Filter filter_in(const Call& call) {
  Filter filter;
  filter.status = call.parameter_as<Status>("status");
  if (const auto label = call.parameter_as<Line<1, 32>>("label")) filter.label = label->value;
  const auto assignee = call.parameter("assignee");
  if (assignee == "me")
    filter.assignee = call.who().account;
  else if (assignee == "nobody")
    filter.only_unassigned = true;
  else
    filter.assignee = call.parameter_as<AccountId>("assignee");
  return filter;
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
  const auto filter = filter_in(call);
  const auto after = position_in(call);
  const auto limit = call.limit();
  const bool is_filtered =
      filter.status || filter.assignee || filter.only_unassigned || filter.label;
  if (is_filtered && !merchant && call.who().kind == identity::Kind::person)
    throw Error(Code::invalid, "only a shop's inbox is filtered",
                {{"merchant_id", "must be given with a filter"}});
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    if (!merchant && call.who().kind == identity::Kind::person)
      return list_of_buyer(tx, call.who().account, after, limit + 1);
    const auto shop = merchant.value_or(call.who().merchant);
    identity::require_member(tx, call.who(), shop, identity::Role::agent, identity::Scope::read);
    return list_of_merchant(tx, shop, call.who().account, filter, after, limit + 1);
  });
  co_return call.page(found, limit, position_of);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch(tx, call.who(), id)); });
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

// A client may say it at every key: what is too often is taken and not told.
asio::awaitable<Reply> typing(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto name = "typing:" + call.who().actor() + ':' + text_of(id);
  const auto every = std::chrono::seconds(call.app.config.chat_typing_every_s);
  if (call.app.limits.take(name, 1, every).exceeded) co_return no_content();
  std::exception_ptr refusal;
  try {
    co_await call.app.db.transact([&](Tx& tx) { type(tx, call.who(), id); });
  } catch (...) {
    refusal = std::current_exception();
  }
  if (!refusal) co_return no_content();
  call.app.limits.give_back(name);
  std::rethrow_exception(refusal);
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
     .summary = "Conversations by their latest activity; with merchant_id the inbox of that shop, "
                "of one status, label or assignee (me, nobody, an id)",
     .gives = kGivesPage<Conversation>,
     .parameters = "limit cursor merchant_id status label assignee"},
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
