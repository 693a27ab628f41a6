#pragma once
// What the sandbox's files share: the card behaviours, the entries of its books and the queue of
// events.
#include <deque>
#include <mutex>
#include <unordered_map>

#include "bottega/processors/sandbox.hpp"

namespace bottega::processors {

enum class Behaviour : std::uint8_t {
  approved,
  declined,
  insufficient_funds,
  confirm,
  no_answer,
  answer_lost,
  slow,
  bank,
};
BOOST_DESCRIBE_ENUM(Behaviour, approved, declined, insufficient_funds, confirm, no_answer,
                    answer_lost, slow, bank)

// A movement to be entered; `about` ties a refund to its charge.
struct Ask {
  std::string key;
  Operation operation{};
  std::string account, about;
  Money amount;
  MovementState state{};
  std::string reason, return_url;
  std::optional<std::int64_t> fee = {};
};
std::string new_reference(Operation operation);
std::optional<Behaviour> behaviour_of(Tx& tx, const std::string& method);
bool is_active(Tx& tx, const std::string& account);
struct Entered {
  BookEntry entry;
  bool is_new = false, fits = false;
};
// Enters a movement, or finds the one that has the key; another one under the same key does not
// fit.
Entered enter(Tx& tx, const Ask& ask);
// Enters what was asked for and queues the news of it, once; `say` puts an entry into words.
using Say = std::function<Outcome(const BookEntry&)>;
Outcome take(Tx& tx, const Ask& ask, const Say& say);
// What the caller hears: the outcome, or nothing for as long as anybody waits.
asio::awaitable<Outcome> answer(Outcome told, bool is_lost, std::chrono::milliseconds time);

// An event that is to be sent.
struct News {
  std::string id, body;
};
BOOST_DESCRIBE_STRUCT(News, (), (id, body))
News news_of(Operation operation, const std::string& key, const Outcome& outcome,
             const std::optional<DisputeNews>& dispute = std::nullopt);
// How long an event whose sender has died with it waits for another, in seconds: the first of the
// waits between the tries.
inline constexpr std::int64_t kFirstWait = 5;

// What a sandbox knows without asking its books.
struct Sandbox::Memory {
  struct Fresh {
    News news;
    std::chrono::steady_clock::time_point due;
  };
  std::mutex mutex;  // owns both
  // News that this process has queued and will send itself.
  std::deque<Fresh> fresh;
  // Methods whose behaviour was read: it never changes.
  std::unordered_map<std::string, Behaviour> methods;
};

// Queues a signed event about a movement or an account, in the transaction that changed it.
void queue_event(Tx& tx, Operation operation, const std::string& key, const Outcome& outcome,
                 const std::optional<DisputeNews>& dispute = std::nullopt);
// What became of the answer to a dispute with this key.
Outcome answered_dispute(Tx& tx, const std::string& key);
Event read_event(std::string_view body);

inline constexpr std::string_view kWellKnown = "tok_";

bool passes_luhn(std::string_view digits);
std::optional<Behaviour> behaviour_of_number(std::string_view digits);

}  // namespace bottega::processors
