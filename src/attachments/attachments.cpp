// The rows of attachments. A row outlives its bytes: first the bytes go, then the row.
#include "bottega/attachments/attachments.hpp"

#include <algorithm>

#include "bottega/core/digest.hpp"

namespace bottega::attachments {
namespace {

constexpr auto kDay = std::chrono::hours(24);

const Sql<Stored(MerchantId, std::optional<ConversationId>, AttachmentId, AccountId, std::string,
                 std::int64_t, Instant)>
    kBegin{"attachments.begin", R"(
    INSERT INTO attachments (merchant_id, conversation_id, id, uploaded_by, state, name, bytes,
                             created_at)
    VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7)
    RETURNING id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
              sha256, width, height, thumbnail_bytes, created_at)"};

const Sql<Stored(MerchantId, AttachmentId)> kLock{"attachments.lock", R"(
    SELECT id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
           sha256, width, height, thumbnail_bytes, created_at
    FROM attachments WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Stored(MerchantId, AttachmentId)> kFetch{"attachments.fetch", R"(
    SELECT id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
           sha256, width, height, thumbnail_bytes, created_at
    FROM attachments WHERE merchant_id = $1 AND id = $2 AND state IN ('ready', 'attached'))"};

const Sql<Stored(MerchantId, AttachmentId, State, Kind, std::string, std::string, std::int64_t,
                 std::optional<std::int64_t>, std::optional<std::int64_t>,
                 std::optional<std::int64_t>, std::string)>
    kFinish{"attachments.finish", R"(
    UPDATE attachments SET state = $3, kind = $4, media_type = $5, sha256 = $6, bytes = $7,
                           width = $8, height = $9, thumbnail_bytes = $10, name = $11
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
              sha256, width, height, thumbnail_bytes, created_at)"};

const Sql<void(MerchantId, AttachmentId, State, Instant)> kAttach{"attachments.attach", R"(
    UPDATE attachments SET state = $3, attached_at = $4 WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, AttachmentId, State)> kSetState{"attachments.set_state", R"(
    UPDATE attachments SET state = $3 WHERE merchant_id = $1 AND id = $2)"};

// Ids in their order, so that two messages with the same files do not wait for each other.
const Sql<Stored(MerchantId, ConversationId, AccountId, std::vector<AttachmentId>)> kLockReady{
    "attachments.lock_ready", R"(
    SELECT id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
           sha256, width, height, thumbnail_bytes, created_at
    FROM attachments
    WHERE merchant_id = $1 AND conversation_id = $2 AND uploaded_by = $3 AND id = ANY($4)
      AND state = 'ready'
    ORDER BY id FOR UPDATE)"};

const Sql<Stored(MerchantId, std::vector<AttachmentId>)> kLockOfShop{"attachments.lock_of_shop", R"(
    SELECT id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
           sha256, width, height, thumbnail_bytes, created_at
    FROM attachments
    WHERE merchant_id = $1 AND id = ANY ($2::uuid[]) AND conversation_id IS NULL
      AND kind = 'image' AND state IN ('ready', 'attached')
    ORDER BY id FOR UPDATE)"};

// Of one person, with whichever merchant: a query without merchant_id.
const Sql<std::int64_t(AccountId, Instant)> kUsed{"attachments.used", R"(
    SELECT coalesce(sum(bytes), 0)::bigint FROM attachments
    WHERE uploaded_by = $1 AND created_at > $2 AND state <> 'deleted')"};

// Of the whole server.
const Sql<std::int64_t()> kTotal{"attachments.total", R"(
    SELECT coalesce(sum(bytes), 0)::bigint FROM attachment_totals)"};

struct Condemned {
  MerchantId merchant_id;
  AttachmentId id;
};
BOOST_DESCRIBE_STRUCT(Condemned, (), (merchant_id, id))

const Sql<Condemned(MerchantId, std::vector<AttachmentId>, State)> kRemove{"attachments.remove", R"(
    UPDATE attachments SET state = $3
    WHERE merchant_id = $1 AND id = ANY ($2::uuid[]) AND state IN ('ready', 'attached')
    RETURNING merchant_id, id)"};

const Sql<Condemned(MerchantId, ConversationId, State, std::int64_t)> kRemoveOfConversation{
    "attachments.remove_of_conversation", R"(
    UPDATE attachments SET state = $3
    WHERE merchant_id = $1 AND id IN (
      SELECT id FROM attachments
      WHERE merchant_id = $1 AND conversation_id = $2 AND state IN ('ready', 'attached')
      ORDER BY id LIMIT $4 FOR UPDATE)
    RETURNING merchant_id, id)"};

// Of one person, with whichever merchant: a query without merchant_id.
const Sql<Condemned(AccountId, State, std::int64_t)> kRemoveOfPerson{"attachments.remove_of_person",
                                                                     R"(
    UPDATE attachments SET state = $2
    WHERE (merchant_id, id) IN (
      SELECT merchant_id, id FROM attachments
      WHERE uploaded_by = $1 AND conversation_id IS NOT NULL AND state IN ('ready', 'attached')
      ORDER BY id LIMIT $3 FOR UPDATE)
    RETURNING merchant_id, id)"};

const Sql<void(MerchantId, AttachmentId)> kForget{"attachments.forget", R"(
    DELETE FROM attachments WHERE merchant_id = $1 AND id = $2 AND state = 'deleted')"};

const Sql<void(std::string)> kMakeSecret{"attachments.make_secret", R"(
    INSERT INTO attachment_secret (url_secret) VALUES ($1) ON CONFLICT DO NOTHING)"};
const Sql<std::string()> kSecret{"attachments.secret", R"(
    SELECT url_secret FROM attachment_secret)"};

void clear_at(Tx& tx, MerchantId merchant, AttachmentId id, Instant at) {
  jobs::enqueue(tx, kClearJob, text_of(id), {{"merchant_id", text_of(merchant)}}, at);
}

void keep_quotas(Tx& tx, AccountId uploader, std::int64_t bytes, const Quotas& quotas) {
  // Two uploads of one account at once are counted one after the other.
  identity::hold_account(tx, uploader);
  const auto used = tx.one(kUsed, uploader, tx.now() - kDay);
  if (bytes > quotas.per_account_bytes_per_day - used)
    throw Error(Code::rate_limited, "that is more than may be uploaded within a day")
        .retry_after(std::chrono::hours(1));
  // Those who come at the same moment do not see each other: it is kept to a few uploads.
  if (bytes > quotas.total_bytes - tx.one(kTotal))
    throw Error(Code::storage_full, "this server takes no more files for now")
        .retry_after(std::chrono::hours(1));
}

std::size_t clear_all(Tx& tx, const std::vector<Condemned>& rows) {
  for (const auto& row : rows) clear_at(tx, row.merchant_id, row.id, tx.now());
  return rows.size();
}

Description description_of(const Stored& row) {
  return {row.id,    row.kind.value(), row.media_type.value(), row.name, row.bytes,
          row.width, row.height};
}

Faults faults_of(std::span<const AttachmentId> ids, const std::vector<Stored>& ready) {
  Faults faults;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto place = "/attachments/" + std::to_string(i);
    if (std::ranges::find(ready, ids[i], &Stored::id) == ready.end())
      faults.push_back({place, "is not an upload of yours that waits in this conversation"});
    else if (std::ranges::find(ids.first(i), ids[i]) !=
             ids.begin() + static_cast<std::ptrdiff_t>(i))
      faults.push_back({place, "is named twice"});
  }
  return faults;
}

}  // namespace

Stored begin(Tx& tx, const Place& place, const std::string& name, std::int64_t bytes,
             const Quotas& quotas) {
  keep_quotas(tx, place.uploader, bytes, quotas);
  const auto id = AttachmentId::make();
  auto stored =
      tx.one(kBegin, place.merchant, place.conversation, id, place.uploader, name, bytes, tx.now());
  identity::enter_directory(tx, id.uuid, place.merchant);
  clear_at(tx, place.merchant, id, tx.now() + quotas.keep);
  return stored;
}

Stored finish(Tx& tx, MerchantId merchant, AttachmentId id, const Facts& facts) {
  const auto row = tx.find(kLock, merchant, id);
  if (!row) throw Error(Code::conflict, "the upload took too long and was removed");
  const auto state = kLifecycle.advance(row->state, Event::finish);
  return tx.one(kFinish, merchant, id, state, facts.kind, facts.media_type, facts.sha256,
                facts.bytes, facts.width, facts.height, facts.thumbnail_bytes, facts.name);
}

void discard(Tx& tx, MerchantId merchant, AttachmentId id) {
  if (condemn(tx, merchant, id)) clear_at(tx, merchant, id, tx.now());
}

Stored fetch(Tx& tx, AttachmentId id) {
  return tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
}

bool is_visible_to(const Stored& stored, AccountId account) {
  return stored.state == State::attached || stored.uploaded_by == account;
}

std::vector<Description> take(Tx& tx, MerchantId merchant, ConversationId conversation,
                              AccountId uploader, std::span<const AttachmentId> ids) {
  if (ids.empty()) return {};
  if (ids.size() > kPerMessageMax)
    throw Error(Code::invalid, "too many attachments",
                {{"/attachments", "at most " + std::to_string(kPerMessageMax)}});
  const std::vector<AttachmentId> wanted(ids.begin(), ids.end());
  const auto ready = tx.all(kLockReady, merchant, conversation, uploader, wanted);
  if (auto faults = faults_of(ids, ready); !faults.empty())
    throw Error(Code::invalid, "not all attachments can be taken", std::move(faults));
  std::vector<Description> out;
  for (const auto& id : ids) {
    const auto& row = *std::ranges::find(ready, id, &Stored::id);
    tx.run(kAttach, merchant, id, kLifecycle.advance(row.state, Event::attach), tx.now());
    jobs::cancel(tx, kClearJob, text_of(id));
    out.push_back(description_of(row));
  }
  return out;
}

std::vector<AttachmentId> take_for_shop(Tx& tx, MerchantId merchant,
                                        const std::vector<AttachmentId>& ids) {
  std::vector<AttachmentId> out;
  if (ids.empty()) return out;
  for (const auto& row : tx.all(kLockOfShop, merchant, ids)) {
    out.push_back(row.id);
    if (row.state == State::attached) continue;
    tx.run(kAttach, merchant, row.id, kLifecycle.advance(row.state, Event::attach), tx.now());
    jobs::cancel(tx, kClearJob, text_of(row.id));
  }
  return out;
}

std::size_t remove_of_conversation(Tx& tx, MerchantId merchant, ConversationId conversation) {
  return clear_all(
      tx, tx.all(kRemoveOfConversation, merchant, conversation, State::deleted, kRemoveMax));
}

std::size_t remove_of_person(Tx& tx, AccountId uploader) {
  return clear_all(tx, tx.all(kRemoveOfPerson, uploader, State::deleted, kRemoveMax));
}

void remove(Tx& tx, MerchantId merchant, const std::vector<AttachmentId>& ids) {
  if (!ids.empty()) clear_all(tx, tx.all(kRemove, merchant, ids, State::deleted));
}

bool condemn(Tx& tx, MerchantId merchant, AttachmentId id) {
  const auto row = tx.find(kLock, merchant, id);
  if (!row || row->state == State::attached) return false;
  tx.run(kSetState, merchant, id, kLifecycle.advance(row->state, Event::remove));
  return true;
}

void forget(Tx& tx, MerchantId merchant, AttachmentId id) {
  if (tx.run(kForget, merchant, id) == 1) identity::leave_directory(tx, id.uuid);
}

Secret shared_url_secret(Tx& tx) {
  tx.run(kMakeSecret, random_token(32));
  return Secret(tx.one(kSecret));
}

}  // namespace bottega::attachments
