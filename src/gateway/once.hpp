#pragma once
// Exactly once: the reply to a keyed request commits with its effect, and a repeat gets it again
// (draft-ietf-httpapi-idempotency-key-header, and the sharper rules of api.md).
#include <optional>
#include <set>
#include <string>

#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

// Thrown to end a request with the reply that an earlier one has got.
struct Replayed {
  Reply reply;
};

struct OnceKey {
  std::string identity, method, path;
  std::string key;     // the client's, never stored
  std::string digest;  // of the body, under the key
};

// The key of a request, if it has one; throws Error(malformed) where it is not one.
std::optional<OnceKey> once_key(const Request& request);

// Looks, and claims nothing: throws Replayed where the same request was answered before; else
// whether it was begun. The same key with another body is not the same request.
bool is_begun(Tx& tx, const OnceKey& key);
// Claims the key for a request of one transaction. Throws Replayed, or
// Error(idempotency_key_reused).
void claim(Tx& tx, const OnceKey& key);
// Claims it for a flow of several: answers what an earlier, interrupted try began. Throws
// Error(in_flight) while another try is at work, which it is taken to be for `patience`: the server
// that was at it may have died.
std::optional<std::string> claim_flow(Tx& tx, const OnceKey& key, std::chrono::seconds patience);
void note_resource(Tx& tx, const OnceKey& key, const std::string& resource);
// Keeps the reply; a 5xx never comes here, because it rolls back.
void keep(Tx& tx, const OnceKey& key, const Reply& reply);

// For requests that are written together. Those of the keys that have been used before.
std::set<const OnceKey*> known_among(Tx& tx, const std::vector<const OnceKey*>& keys);
// Claims the keys and keeps the replies; false where somebody has used one meanwhile.
bool keep_new(Tx& tx, const std::vector<std::pair<const OnceKey*, const Reply*>>& replies);

// The same for flows that begin together: claims the keys, in flight, with what was begun under
// them; false where somebody has used one meanwhile.
struct Flow {
  std::string resource;
  std::chrono::seconds patience{};
};
bool claim_flows(Tx& tx, const std::vector<std::pair<const OnceKey*, const Flow*>>& flows);
// And for those that end together: keeps the replies under the keys that they hold.
void keep_all(Tx& tx, const std::vector<std::pair<const OnceKey*, const Reply*>>& replies);

// Lets the next try of a flow go on at once.
void let_go(Tx& tx, const OnceKey& key);
// Forgets what is older than seven days; answers how much.
std::int64_t sweep_once(Tx& tx);

}  // namespace bottega::gateway
