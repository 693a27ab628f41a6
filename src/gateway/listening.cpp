#include "gateway/listening.hpp"

#include <sodium.h>

#include <algorithm>

namespace bottega::gateway {
namespace {

// All sockets of a node at once would be more than the database has time for.
constexpr std::int64_t kChecksPerSecond = 500;

}  // namespace

std::set<std::string> own_topics(const identity::Who& who) {
  if (who.kind != identity::Kind::person) return {text_of(who.api_key)};
  return {identity::account_topic(who.account), identity::session_topic(who.session)};
}

asio::awaitable<std::set<std::string>> topics_of(App& app, identity::Who who) {
  const auto shops = co_await app.db.read([&](Tx& tx) {
    identity::require_current(tx, who);
    return identity::merchants_of(tx, who);
  });
  auto topics = own_topics(who);
  const bool reads =
      who.kind == identity::Kind::person || std::ranges::count(who.scopes, identity::Scope::read);
  for (const auto& shop : shops)
    if (reads) topics.insert(identity::merchant_topic(shop.id));
  co_return topics;
}

std::chrono::steady_clock::time_point ends_at(const App& app, const identity::Who& who) {
  if (who.kind != identity::Kind::person) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::now() + (who.expires_at - app.clock.now());
}

std::chrono::milliseconds check_wait(std::int64_t listeners) {
  const auto most = listeners / kChecksPerSecond * 1'000 + 100;
  return std::chrono::milliseconds(randombytes_uniform(static_cast<std::uint32_t>(most)));
}

}  // namespace bottega::gateway
