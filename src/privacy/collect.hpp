#pragma once
// All that the server has on a person, as one JSON document that is never in memory as a whole.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "bottega/identity/identity.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::privacy {

using Put = std::function<asio::awaitable<void>(const std::string& text)>;

asio::awaitable<void> collect(Database& db, identity::AccountId account, const Put& put);

}  // namespace bottega::privacy
