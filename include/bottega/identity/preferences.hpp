#pragma once
// What a person lets others see of them: whether they are there, whether they type, and what a push
// service may be told of their messages.
#include "bottega/identity/identity.hpp"

namespace bottega::identity {

// How much of a message leaves the server in a notification: the beginning of its text, or only
// that there is one.
enum class Content : std::uint8_t { full, none };
BOOST_DESCRIBE_ENUM(Content, full, none)

struct Preferences {
  bool show_presence = true, show_typing = true;
  Content push_content = Content::full;
};
BOOST_DESCRIBE_STRUCT(Preferences, (), (show_presence, show_typing, push_content))

// The defaults where the person has said nothing.
Preferences preferences_of(Tx& tx, AccountId account);
// Replaces them; who no longer shows when they are there leaves no trace of when they were.
Preferences set_preferences(Tx& tx, AccountId account, const Preferences& given);

}  // namespace bottega::identity
