#pragma once
// How long what people wrote is kept. Orders, payments and the ledger are not touched: they are
// kept for as long as the law wants the books.
#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "bottega/storage/database.hpp"

namespace bottega::privacy {

// Zero days: for ever.
struct RetentionRules {
  std::chrono::days chats;    // entries of conversations without an order
  std::chrono::days orders;   // entries of conversations with one
  std::chrono::days reports;  // reports, once they are resolved
  std::chrono::seconds every;
  std::int64_t batch;  // entries or reports deleted in one transaction
};

// Goes on with the walk over all conversations, where one is due, for a while, and deletes what is
// too old; answers how many entries. A conversation with an open request, or an order that is not
// done with, is left as it is. Safe on any number of nodes.
asio::awaitable<std::int64_t> retain(Database& db, const RetentionRules& rules);

}  // namespace bottega::privacy
