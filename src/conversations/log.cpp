// The conversation's row is the lock of its log: whoever holds it writes the next numbers.
#include "bottega/conversations/log.hpp"

#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

template <class T>
using Column = std::vector<T>;

struct Numbered {
  std::int64_t place = 0;
  AccountId buyer_id;
  std::int64_t before = 0;  // the last seq that was there
};
BOOST_DESCRIBE_STRUCT(Numbered, (), (place, buyer_id, before))

// One entry alone, in two thirds of the time that the statement for many takes for it.
const Sql<Numbered(MerchantId, ConversationId, EntryId, std::string, Author,
                   std::optional<AccountId>, std::optional<ClientKey>, std::string, Instant, bool)>
    kWriteOne{"conversations.write_entry", R"(
    WITH next AS (
      UPDATE conversations
      SET last_seq = last_seq + 1, last_entry_at = greatest(last_entry_at, $9),
          for_buyer = for_buyer + ($10 AND $5 <> 'buyer')::int,
          for_merchant = for_merchant + ($10 AND $5 <> 'merchant')::int,
          status = CASE WHEN $10 AND $5 = 'buyer' THEN 'open' ELSE status END,
          snoozed_until = CASE WHEN $10 AND $5 = 'buyer' THEN NULL ELSE snoozed_until END
      WHERE merchant_id = $1 AND id = $2 RETURNING last_seq, buyer_id),
    written AS (
      INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id,
                           client_key, data, at)
      SELECT $1, $2, last_seq, $3, $4, $5, $6, $7, $8, $9 FROM next)
    SELECT 1::bigint AS place, buyer_id, last_seq - 1 AS before FROM next)"};

// Several rows are taken in one order by everybody, so that nobody waits in a circle; of one alone
// the update is lock enough. That so many are to be read is said as a limit ($17) and not left to
// be guessed: a plan for few is kept, where to make one anew takes longer than the statement.
const Sql<Numbered(Column<MerchantId>, Column<ConversationId>, Column<std::int64_t>,
                   Column<std::int64_t>, Column<std::int64_t>, Column<bool>, Column<std::int64_t>,
                   Column<std::int64_t>, Column<EntryId>, Column<std::string>, Column<Author>,
                   Column<std::optional<AccountId>>, Column<std::optional<ClientKey>>,
                   Column<std::string>, Instant, bool, std::int64_t)>
    kWrite{"conversations.write_entries", R"(
    WITH held AS MATERIALIZED (
      SELECT c.id
      FROM (SELECT merchant_id, id FROM unnest($1::uuid[], $2::uuid[]) AS one (merchant_id, id)
            LIMIT $17::bigint) u
           JOIN conversations c ON c.merchant_id = u.merchant_id AND c.id = u.id
      WHERE $16::boolean ORDER BY c.id FOR NO KEY UPDATE OF c),
    moved AS (
      UPDATE conversations c
      SET last_seq = c.last_seq + u.entries,
          last_entry_at = greatest(c.last_entry_at, $15::timestamptz),
          for_buyer = c.for_buyer + u.for_buyer, for_merchant = c.for_merchant + u.for_merchant,
          status = CASE WHEN u.is_from_buyer THEN 'open' ELSE c.status END,
          snoozed_until = CASE WHEN NOT u.is_from_buyer THEN c.snoozed_until END
      FROM (SELECT merchant_id, id, entries, for_buyer, for_merchant, is_from_buyer, place
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[],
                        $6::boolean[]) WITH ORDINALITY
                   AS one (merchant_id, id, entries, for_buyer, for_merchant, is_from_buyer, place)
            LIMIT $17::bigint) u
      WHERE c.merchant_id = u.merchant_id AND c.id = u.id AND (SELECT count(*) FROM held) >= 0
      RETURNING u.place, c.merchant_id, c.id, c.buyer_id, c.last_seq - u.entries AS before),
    written AS (
      INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id,
                           client_key, data, at)
      SELECT m.merchant_id, m.id, m.before + e.nth, e.id, e.event, e.author, e.author_id,
             e.client_key, e.data, $15::timestamptz
      FROM unnest($7::bigint[], $8::bigint[], $9::uuid[], $10::text[], $11::text[], $12::uuid[],
                  $13::uuid[], $14::jsonb[])
             AS e (place, nth, id, event, author, author_id, client_key, data)
           JOIN moved m ON m.place = e.place)
    SELECT place, buyer_id, before FROM moved)"};

}  // namespace

struct Log::Columns {
  Column<MerchantId> merchants;
  Column<ConversationId> conversations;
  Column<std::int64_t> counts, for_buyer, for_merchant;
  Column<bool> from_buyer;
  Column<std::int64_t> places, nths;
  Column<EntryId> ids;
  Column<std::string> events;
  Column<Author> authors;
  Column<std::optional<AccountId>> author_ids;
  Column<std::optional<ClientKey>> client_keys;
  Column<std::string> data;    // as JSON
  std::vector<EntryRow> rows;  // of which the seq is not known yet

  std::vector<Numbered> write(Tx& tx) const;
  void add(const Place& place) {
    merchants.push_back(place.merchant);
    counts.push_back(place.entries);
    for_buyer.push_back(place.for_buyer);
    for_merchant.push_back(place.for_merchant);
    from_buyer.push_back(place.is_from_buyer);
  }
  void add(const EntryRow& row) {
    ids.push_back(row.id);
    events.push_back(row.event);
    authors.push_back(row.author);
    author_ids.push_back(row.author_id);
    data.push_back(row.data.dump());
  }
};

std::vector<Numbered> Log::Columns::write(Tx& tx) const {
  if (rows.size() == 1) {
    const auto& row = rows.front();
    return tx.all(kWriteOne, merchants.front(), row.conversation_id, row.id, row.event, row.author,
                  row.author_id, client_keys.front(), data.front(), row.at, is_news(row.event));
  }
  const auto count = std::ssize(conversations);
  return tx.all(kWrite, merchants, conversations, counts, for_buyer, for_merchant, from_buyer,
                places, nths, ids, events, authors, author_ids, client_keys, data, rows.front().at,
                count > 1, count);
}

void Log::append(MerchantId merchant, ConversationId conversation, Draft draft,
                 std::optional<std::int64_t> seq) {
  auto& place = places_[conversation];
  place.merchant = merchant;
  ++place.entries;
  if (is_news(draft.event)) {
    if (draft.author != Author::buyer) ++place.for_buyer;
    if (draft.author != Author::merchant) ++place.for_merchant;
    if (draft.author == Author::buyer) place.is_from_buyer = true;
  }
  entries_.push_back({conversation, std::move(draft), place.entries, seq});
}

std::int64_t Log::gathered(ConversationId conversation) const {
  const auto found = places_.find(conversation);
  return found == places_.end() ? 0 : found->second.entries;
}

Log::Columns Log::columns_of(Instant at) {
  Columns columns;
  for (auto& [id, place] : places_) {
    columns.conversations.push_back(id);
    columns.add(place);
    place.number = std::ssize(columns.conversations);
  }
  for (auto& entry : entries_) {
    auto& draft = entry.draft;
    EntryRow row{draft.event,     entry.conversation,    0, EntryId::make(), draft.author,
                 draft.author_id, std::move(draft.data), at};
    if (!draft.fallback.empty()) row.data["fallback"] = draft.fallback;
    std::optional<ClientKey> key;
    if (draft.client_id && draft.author_id) {
      key = client_key_of(*draft.author_id, *draft.client_id);
      row.data["client_id"] = *draft.client_id;
    }
    columns.places.push_back(places_.at(entry.conversation).number);
    columns.nths.push_back(entry.nth);
    columns.client_keys.push_back(key);
    columns.add(row);
    columns.rows.push_back(std::move(row));
  }
  return columns;
}

std::vector<Event> Log::write(Tx& tx) {
  std::vector<Event> events;
  if (entries_.empty()) return events;
  auto all = columns_of(tx.now());
  const auto numbered = all.write(tx);
  if (numbered.size() < places_.size())
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  std::map<std::int64_t, const Numbered*> of_place;
  for (const auto& row : numbered) of_place.emplace(row.place, &row);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    const auto& place = places_.at(entry.conversation);
    const auto& known = *of_place.at(place.number);
    auto& row = all.rows[i];
    row.seq = known.before + entry.nth;
    if (entry.seq && *entry.seq != row.seq)
      throw std::logic_error("an entry has another number than it was given");
    // The text that was written is told as it is: to make it anew takes longer than to write it.
    auto notice = notice_of(place.merchant, known.buyer_id, row.conversation_id, row.seq,
                            frame_text(row, all.data[i]));
    notice.rewrites = !is_news(row.event);
    tx.announce(std::move(notice));
    events.push_back(event_of(std::move(row)));
  }
  places_.clear();
  entries_.clear();
  return events;
}

Event append(Tx& tx, MerchantId merchant, ConversationId conversation, const Draft& draft) {
  Log log;
  log.append(merchant, conversation, draft);
  return std::move(log.write(tx).front());
}

}  // namespace bottega::conversations
