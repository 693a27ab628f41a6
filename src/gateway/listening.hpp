#pragma once
// What a socket and an event stream have in common: whose news they hear, and for how long.
#include <chrono>
#include <set>
#include <string>

#include "gateway/app.hpp"

namespace bottega::gateway {

// News of one's own end and membership. Whoever listens to these first and asks for the others
// then misses neither.
std::set<std::string> own_topics(const identity::Who& who);
// All that one may hear now. Throws Error(unauthenticated) where the session has ended.
asio::awaitable<std::set<std::string>> topics_of(App& app, identity::Who who);

// When the access token expires, by the machine's time; never for an API key.
std::chrono::steady_clock::time_point ends_at(const App& app, const identity::Who& who);

// How long to wait before asking the database where all listeners of a node have to ask it.
std::chrono::milliseconds check_wait(std::int64_t listeners);

}  // namespace bottega::gateway
