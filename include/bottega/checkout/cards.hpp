#pragma once
// What a message offers is looked up in the catalogue before it is sent, and stays in it as it was.
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/conversations.hpp"

namespace bottega::checkout {

using conversations::ConversationId;
using identity::AccountId, identity::MerchantId, identity::Who;

// A message that may be sent, or what was written when it was sent before.
struct Prepared {
  conversations::NewMessage message;
  std::optional<conversations::Event> sent;
};

// Looks up what the message offers or asks about; only what the conversation's shop has published
// is. Throws Error(not_found) for a conversation of others, Error(forbidden) for an offer of the
// buyer's side or a question of the merchant's, Error(invalid) with each product that is not there.
Prepared prepare(Tx& tx, const Who& who, ConversationId id, conversations::NewMessage given);

}  // namespace bottega::checkout
