#pragma once
// What is to be sent, as the database keeps it: whom to tell of a conversation, what is due, and
// what has become of it.
#include "bottega/notifications/notifier.hpp"

namespace bottega::notifications {

// A device that is to hear of a conversation.
struct Delivery {
  MerchantId merchant_id;
  ConversationId conversation_id;
  SubscriptionId subscription_id;
  std::int64_t seq = 0;
  std::string origin;
  std::int64_t attempts = 0;  // including this one
  Instant expires_at{};
};
BOOST_DESCRIBE_STRUCT(Delivery, (),
                      (merchant_id, conversation_id, subscription_id, seq, origin, attempts,
                       expires_at))

// Writes down whom to tell of these conversations. Safe to repeat: nobody is told twice of the same
// entry.
void queue_news(Tx& tx, std::vector<ConversationId> conversations, std::chrono::seconds ttl);

struct ClaimOptions {
  std::int64_t limit = 0;            // of all services
  std::int64_t service_max = 0;      // of one
  std::vector<std::string> origins;  // services that may take less
  std::vector<std::int64_t> rooms;   // so many
  std::chrono::seconds lease{0};     // after which another node may take it
};
std::vector<Delivery> claim(Tx& tx, const ClaimOptions& options);

// What the device is to get; none where there is nobody to tell any more, or nothing that they have
// not seen.
std::optional<Notification> compose(Tx& tx, const Delivery& delivery);

// It was sent, or is not to be: news that came meanwhile are due now.
void finish(Tx& tx, const Delivery& delivery);
void try_again(Tx& tx, const Delivery& delivery, std::chrono::seconds after);
// The device is gone for good.
void forget(Tx& tx, SubscriptionId subscription);

bool has_subscriptions(Tx& tx);

// Conversations that are to be looked at after a time in which nobody listened: those with activity
// since then of the next people with subscriptions.
struct Searched {
  std::vector<ConversationId> conversations;
  std::optional<AccountId> last;  // of these people; none where there were none
};
Searched search_news(Tx& tx, Instant since, AccountId after);

// Up to when this node has written down all that it heard; lower than it said where it has
// inherited from a dead one. None where the node was buried itself.
std::optional<Instant> position_of(Tx& tx, NodeId node);
// Moves it, unless somebody has moved it since it was `known`.
void move_position(Tx& tx, NodeId node, Instant known, Instant to);

}  // namespace bottega::notifications
