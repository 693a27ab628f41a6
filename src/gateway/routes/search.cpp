// Search in one's conversations, and the language of a shop's.
#include "bottega/conversations/search.hpp"

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace conversations;
using identity::Role, identity::Scope;

// "2026-03-01T12:00:00.000001Z msg_…"
std::string position_of(const Found& found) { return text_of(found.at) + ' ' + text_of(found.id); }

std::optional<FoundPosition> position_in(const Call& call) {
  const auto text = call.cursor();
  if (!text) return std::nullopt;
  const auto space = std::min(text->find(' '), text->size() - 1);
  return FoundPosition{from_text<Instant>(text->substr(0, space), Code::bad_cursor),
                       from_text<EntryId>(text->substr(space + 1), Code::bad_cursor)};
}

// Takes a parameter where it is valid, else notes the fault: all of them are told at once.
template <class T>
void take(const Call& call, std::string_view name, std::optional<T>& into, Faults& faults) {
  const auto text = call.parameter(name);
  if (!text) return;
  into = Form<T>::parse(*text);
  if (!into) faults.push_back({std::string(name), "expected " + std::string(Form<T>::expected())});
}

Query query_in(const Call& call) {
  Query query;
  Faults faults;
  std::optional<Words> words;
  take(call, "q", words, faults);
  if (!words && faults.empty()) faults.push_back({"q", "is required"});
  take(call, "language", query.language, faults);
  take(call, "merchant_id", query.merchant, faults);
  take(call, "conversation_id", query.conversation, faults);
  take(call, "author", query.author, faults);
  take(call, "sent_before", query.sent_before, faults);
  if (!faults.empty())
    throw Error(Code::invalid, "a query parameter is not valid", std::move(faults));
  query.words = *words;
  return query;
}

asio::awaitable<Reply> find(Call& call) {
  const auto query = query_in(call);
  const auto after = position_in(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return search(tx, call.who(), query, after, limit + 1); });
  co_return call.page(found, limit, position_of);
}

asio::awaitable<Reply> get_settings(Call& call) {
  const auto id = call.at<MerchantId>(0);
  co_return co_await call.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::agent, Scope::read);
    return ok(search_settings(tx, id));
  });
}

asio::awaitable<Reply> put_settings(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<SearchSettings>();
  co_return co_await call.transact([&](Tx& tx) {
    identity::require_member(tx, call.who(), id, Role::manager, Scope::chat);
    return ok(set_search_settings(tx, id, given));
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/search/messages",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = find,
     .name = "searchMessages",
     .summary = "Messages of one's conversations that have these words, newest first",
     .gives = kGivesPage<Found>,
     .parameters = "q language merchant_id conversation_id author sent_before limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/search_settings",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = get_settings,
     .name = "getSearchSettings",
     .summary = "The language in which the shop's conversations are searched",
     .gives = kGives<SearchSettings>},
    {.verb = Verb::put,
     .path = "/v1/merchants/{id}/search_settings",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put_settings,
     .name = "setSearchSettings",
     .summary = "Set the language; what was written before is taken in anew",
     .takes = kTakes<SearchSettings>,
     .gives = kGives<SearchSettings>},
};

}  // namespace

std::span<const Route> search_routes() { return kRoutes; }

}  // namespace bottega::gateway
