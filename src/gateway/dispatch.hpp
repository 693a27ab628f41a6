#pragma once
// From a request, whichever transport brought it, to its reply: match the route, know who asks,
// count, call, and turn every failure into a problem document. It never throws.
#include "gateway/app.hpp"
#include "gateway/frames.hpp"

namespace bottega::gateway {

// Who the bearer token belongs to; the one way in for every transport.
asio::awaitable<identity::Who> authenticate(App& app, std::string token);

// Whether the handler that the request is for reads the body itself, as it comes.
bool streams_body(const App& app, const Request& request);

// `token` is the bearer token, if the transport has not settled already who asks.
asio::awaitable<Reply> dispatch(App& app, Request request, std::optional<std::string> token);

// A message on its way to the writer, for whoever needs no coroutine: the checks are those of
// dispatch() and of its route.
struct Spoken {
  conversations::ConversationId conversation;
  conversations::NewMessage message;
};
Spoken admit_message(App& app, const identity::Who& who, const std::string& address,
                     std::string_view conversation, const Request& request);

// The methods that an address takes, as Allow has them (RFC 9110, 10.2.1); all of them where it is
// none of the routes.
std::string allowed_at(const App& app, std::string_view path);

// Counts a request of this address; throws Error(rate_limited).
void admit_address(App& app, const std::string& address);
// Counts a genuine event of a processor, apart from all else; and what was none, as a write of
// whoever sent it. Both throw Error(rate_limited).
void admit_event(App& app, const std::string& processor);
void admit_forgery(App& app, const identity::Who& who, const std::string& address);
// Counts a RESUME like the reads that it stands for; throws Error(rate_limited).
void admit_resume(App& app, const identity::Who& who, const std::string& address,
                  const Frame& frame);

// A conversation takes so many messages a minute, whoever sends them; throws Error(rate_limited).
// Only what was written counts: nobody from outside uses up what others may say.
void check_conversation(App& app, conversations::ConversationId id);
void count_message(App& app, conversations::ConversationId id);

// The text of a reply's body, and its media type.
std::string body_text(const Reply& reply);
std::string media_type(const Reply& reply);

}  // namespace bottega::gateway
