#pragma once
// Who is there. A node keeps the accounts that have a live socket on it in memory and writes what
// has changed in batches: ten thousand clients that come back at once are a few statements, not ten
// thousand. The rows of a node that dies run out with its lease.
#include <deque>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "bottega/conversations/conversations.hpp"
#include "bottega/identity/preferences.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::notifications {

using conversations::ConversationId;
using identity::AccountId, identity::MerchantId;
using NodeId = Id<"node">;

// `unknown` is said of somebody who does not show it.
enum class State : std::uint8_t { unknown, offline, online };
BOOST_DESCRIBE_ENUM(State, unknown, offline, online)

struct Present {
  State state{};
  std::optional<Instant> last_seen_at;  // to five minutes; none while online
};
BOOST_DESCRIBE_STRUCT(Present, (), (state, last_seen_at))

// Both sides of a conversation; the merchant's as one: it is online where any member is.
struct ConversationPresence {
  Present buyer, merchant;
};
BOOST_DESCRIBE_STRUCT(ConversationPresence, (), (buyer, merchant))

// Throws Error(not_found) for whoever has no seat in the conversation.
ConversationPresence presence_in(Tx& tx, const identity::Who& who, ConversationId id);

// Tells the other sides after somebody has decided to show, or no longer to show, when they are
// there.
void tell_visibility(Tx& tx, AccountId account, const identity::Preferences& preferences);

struct PresenceOptions {
  std::chrono::seconds lease{60};           // without a sign of life for so long, a node is dead
  std::chrono::milliseconds grace{8'000};   // without a socket for so long, somebody is offline
  std::chrono::milliseconds every{10'000};  // between two changes that are told of one account
};

class Presence {
 public:
  using Time = std::chrono::steady_clock::time_point;
  Presence(Database& db, NodeId node, PresenceOptions options)
      : db_(db), node_(node), options_(options) {}

  // A socket of theirs was opened or closed; from any thread.
  void arrived(AccountId account);
  void left(AccountId account, Time now = std::chrono::steady_clock::now());

  // Writes and tells what has changed, and gives the sign of life. Called every so often, one at a
  // time; where it throws, the next one does what is left.
  asio::awaitable<void> flush(Time now = std::chrono::steady_clock::now());
  // This node has no sockets any more. Whoever has not come back to another one when the grace is
  // over is told to be offline by whichever node finds this one dead.
  void end(Tx& tx);

 private:
  // What the database says of an account on this node.
  enum class Written : std::uint8_t { gone, leaving, there };
  struct Entry {
    int sockets = 0;
    Time left_at{}, told_at = Time::min();
    Written written = Written::gone;
    bool is_told = false;
  };
  struct Plan {
    bool renew = false;
    std::vector<AccountId> gone, leaving, there, online, offline;
  };
  struct Hash {
    std::size_t operator()(const AccountId& id) const;
  };

  Plan plan(Time now);
  void note(AccountId account, Entry& entry, Time now, Plan& plan);
  // False where the node was taken for dead: then all of it must be written anew.
  bool write(Tx& tx, const Plan& plan, bool is_first);
  void bury_the_dead(Tx& tx);
  void settle(const Plan& plan, Time now);
  void forget_what_was_written();

  Database& db_;
  const NodeId node_;
  const PresenceOptions options_;
  std::mutex mutex_;  // owns entries_, changed_ and queue_
  std::unordered_map<AccountId, Entry, Hash> entries_;
  std::unordered_set<AccountId, Hash> changed_;  // the accounts in queue_
  std::deque<AccountId> queue_;
  // Touched by flush() only.
  bool is_known_ = false;
  Time renewed_at_ = Time::min();
};

}  // namespace bottega::notifications
