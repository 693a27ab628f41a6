#pragma once
// Files in conversations: uploaded first, by a member, and named by a message then. And pictures of
// a shop, which its products name. The bytes are in a store; here is what is known about them, what
// may be done with them and by whom.
#include <span>

#include "bottega/attachments/content.hpp"
#include "bottega/core/machine.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::attachments {

using identity::AccountId, identity::MerchantId;
using AttachmentId = Id<"att">;
// The same ids as in `conversations`, which stands above.
using ConversationId = Id<"conv">;

enum class State : std::uint8_t { pending, ready, attached, deleted };
BOOST_DESCRIBE_ENUM(State, pending, ready, attached, deleted)
enum class Event : std::uint8_t { finish, attach, remove };
BOOST_DESCRIBE_ENUM(Event, finish, attach, remove)

inline constexpr Machine kLifecycle{std::to_array<Edge<State, Event>>({
    {State::pending, Event::finish, State::ready},
    {State::ready, Event::attach, State::attached},
    {State::pending, Event::remove, State::deleted},
    {State::ready, Event::remove, State::deleted},
    {State::attached, Event::remove, State::deleted},
    {State::deleted, Event::remove, State::deleted},
})};
static_assert(kLifecycle.deterministic());

inline constexpr std::size_t kPerMessageMax = 10;
inline constexpr std::size_t kNameMax = 255;
using Name = Line<1, kNameMax>;

// An attachment as it is stored. What its bytes tell is there from `ready` on.
struct Stored {
  AttachmentId id;
  MerchantId merchant_id;
  std::optional<ConversationId> conversation_id;  // none: it is the shop's
  AccountId uploaded_by;
  State state{};
  std::optional<Kind> kind;
  std::optional<std::string> media_type;
  std::string name;
  std::int64_t bytes = 0;
  std::optional<std::string> sha256;
  std::optional<std::int64_t> width, height, thumbnail_bytes;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Stored, (),
                      (id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name,
                       bytes, sha256, width, height, thumbnail_bytes, created_at))

// What a message says about a file that goes with it.
struct Description {
  AttachmentId id;
  Kind kind{};
  std::string media_type, name;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> width, height;
};
BOOST_DESCRIBE_STRUCT(Description, (), (id, kind, media_type, name, bytes, width, height))

// Where an upload goes, and by whom.
struct Place {
  MerchantId merchant;
  std::optional<ConversationId> conversation;  // none: it is the shop's
  AccountId uploader;
};

struct Quotas {
  std::int64_t per_account_bytes_per_day, total_bytes;
  std::chrono::hours keep;  // of what is in no message
};

// What the bytes told.
struct Facts {
  Kind kind{};
  std::string media_type, name, sha256;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> width, height, thumbnail_bytes;
};

// Makes room for an upload of at most so many bytes, before the first one is taken. Throws
// Error(rate_limited) over the account's quota, Error(storage_full) over all together. An upload
// that comes to nothing is removed by a job.
Stored begin(Tx& tx, const Place& place, const std::string& name, std::int64_t bytes,
             const Quotas& quotas);
// Writes down what has been uploaded, once its bytes are in the store. Throws Error(conflict) where
// it took so long that it was removed.
Stored finish(Tx& tx, MerchantId merchant, AttachmentId id, const Facts& facts);
// Has an upload removed that came to nothing.
void discard(Tx& tx, MerchantId merchant, AttachmentId id);

// Throws Error(not_found), also where it was removed. Who may see it is for the caller to ask.
Stored fetch(Tx& tx, AttachmentId id);
// Whether this account may see it: once it is in a message whoever is in the conversation may,
// before only its uploader.
bool is_visible_to(const Stored& stored, AccountId account);

// Takes uploads into a message of this conversation, each once and in this order. Throws
// Error(invalid) that points at /attachments/N for each that is not ready, was uploaded by somebody
// else or for another conversation, or is named twice.
std::vector<Description> take(Tx& tx, MerchantId merchant, ConversationId conversation,
                              AccountId uploader, std::span<const AttachmentId> ids);

// Takes pictures that were uploaded for the shop itself, again and again; answers those of the ids
// that are such. They are held until the transaction ends.
std::vector<AttachmentId> take_for_shop(Tx& tx, MerchantId merchant,
                                        const std::vector<AttachmentId>& ids);

// Has files removed for good, for whoever erases a conversation or a person: from now on nobody
// gets them, and a job removes the bytes. At most kRemoveMax at a time; answers how many, so that
// it may be called until it answers 0. An upload that is under way is left to its own job: whatever
// becomes of it is in no message.
inline constexpr std::int64_t kRemoveMax = 500;
std::size_t remove_of_conversation(Tx& tx, MerchantId merchant, ConversationId conversation);
// What they uploaded for a shop stays the shop's.
std::size_t remove_of_person(Tx& tx, AccountId uploader);
// The same for the files of a message that was taken back.
void remove(Tx& tx, MerchantId merchant, const std::vector<AttachmentId>& ids);

// The job that removes one: it is enqueued with the upload for the time when nobody can want it any
// more, and at once where it is known to be unwanted.
inline constexpr std::string_view kClearJob = "attachments.clear";
// Marks it as removed unless it is in a message; answers whether its bytes are to be removed.
bool condemn(Tx& tx, MerchantId merchant, AttachmentId id);
// Removes the row, after the bytes.
void forget(Tx& tx, MerchantId merchant, AttachmentId id);

// The secret that all nodes sign download links with: the first one makes it.
Secret shared_url_secret(Tx& tx);

}  // namespace bottega::attachments
