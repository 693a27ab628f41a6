#pragma once
// The merchant's side of enter(): to a buyer there is no inbox.
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

Seat enter_inbox(Tx& tx, const Who& who, ConversationId id, identity::Scope scope, Lock lock);

}  // namespace bottega::conversations
