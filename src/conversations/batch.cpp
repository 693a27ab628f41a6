#include "conversations/batch.hpp"

#include <algorithm>

namespace bottega::conversations {
namespace {

// The rows of the conversations are locked in one order by everybody, so that two nodes cannot wait
// for each other. Looking for each client_key costs a tenth of the whole, so only a careful batch
// does ($12): of the others the unique key refuses the one that has a message which is there
// already. So it does with a careful one where another transaction has written the message while
// this one waited for its lock.
const Sql<Placed(Column<ConversationId>, Column<std::optional<MerchantId>>, Column<std::int64_t>,
                 Column<AccountId>, Column<std::optional<MerchantId>>,
                 Column<std::optional<ClientKey>>, Column<EntryId>, Column<std::string>, Instant,
                 std::string, Column<std::optional<std::int64_t>>, bool)>
    kWrite{"conversations.write_messages", R"(
    WITH named AS MATERIALIZED (
      SELECT u.place, u.id, u.merchant_id IS NULL AS is_unknown,
             coalesce(u.merchant_id, (SELECT d.merchant_id FROM directory d
                                      WHERE d.id = u.id)) AS merchant_id
      FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (id, merchant_id, place)),
    held AS MATERIALIZED (
      SELECT n.place, c.merchant_id, c.id, c.buyer_id, c.last_seq, c.away_at,
             c.blocked_by_buyer, c.blocked_by_merchant, n.is_unknown
      FROM named n JOIN conversations c ON c.merchant_id = n.merchant_id AND c.id = n.id
      ORDER BY c.id FOR UPDATE OF c),
    seated AS MATERIALIZED (
      SELECT g.n, g.account_id, g.client_key, g.id AS entry_id, g.data, h.merchant_id, h.id,
             h.buyer_id, h.last_seq, h.away_at, h.blocked_by_buyer, h.blocked_by_merchant,
             h.is_unknown,
             CASE WHEN g.key_merchant_id IS NOT NULL
                    THEN CASE WHEN g.key_merchant_id = h.merchant_id THEN 'merchant' END
                  WHEN EXISTS (SELECT FROM merchant_members m
                               WHERE m.merchant_id = h.merchant_id
                                 AND m.account_id = g.account_id) THEN 'merchant'
                  WHEN h.buyer_id = g.account_id THEN 'buyer' END AS side,
             CASE WHEN $12 AND g.client_key IS NOT NULL
                    THEN (SELECT e.seq FROM entries e
                          WHERE e.merchant_id = h.merchant_id AND e.conversation_id = h.id
                            AND e.client_key = g.client_key) END AS known_seq,
             g.reply_to IS NULL OR EXISTS (
               SELECT FROM entries e
               WHERE e.merchant_id = h.merchant_id AND e.conversation_id = h.id
                 AND e.seq = g.reply_to AND e.event = 'message.created'
                 AND NOT e.data ? 'deleted_at') AS is_fit
      FROM unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[],
                  $11::bigint[])
             WITH ORDINALITY
             AS g (place, account_id, key_merchant_id, client_key, id, data, reply_to, n)
           JOIN held h ON h.place = g.place),
    judged AS (
      SELECT s.n, s.account_id, s.client_key, s.entry_id, s.data, s.merchant_id, s.id, s.buyer_id,
             s.last_seq, s.away_at, s.is_unknown, s.side,
             s.side IS NOT NULL AND s.known_seq IS NULL AND s.is_fit
               AND NOT CASE WHEN s.side = 'buyer' THEN s.blocked_by_merchant
                            ELSE s.blocked_by_buyer END AS is_new
      FROM seated s),
    placed AS MATERIALIZED (
      SELECT j.n, j.account_id, j.client_key, j.entry_id, j.data, j.merchant_id, j.id, j.buyer_id,
             j.away_at, j.is_unknown, j.side,
             CASE WHEN j.is_new
                    THEN j.last_seq + count(*) FILTER (WHERE j.is_new)
                                      OVER (PARTITION BY j.id ORDER BY j.n) END AS seq
      FROM judged j),
    moved AS (
      UPDATE conversations c
      SET last_seq = p.last_seq, last_entry_at = greatest(c.last_entry_at, $9),
          for_buyer = c.for_buyer + p.by_merchant, for_merchant = c.for_merchant + p.by_buyer,
          status = CASE WHEN p.by_buyer > 0 THEN 'open' ELSE c.status END,
          snoozed_until = CASE WHEN p.by_buyer = 0 THEN c.snoozed_until END
      FROM (SELECT merchant_id, id, max(seq) AS last_seq,
                   count(*) FILTER (WHERE side = 'buyer') AS by_buyer,
                   count(*) FILTER (WHERE side = 'merchant') AS by_merchant
            FROM placed WHERE seq IS NOT NULL GROUP BY merchant_id, id) p
      WHERE c.merchant_id = p.merchant_id AND c.id = p.id),
    written AS (
      INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id,
                           client_key, data, at)
      SELECT merchant_id, id, seq, entry_id, 'message.created', side, account_id, client_key,
             data::jsonb, $9
      FROM placed WHERE seq IS NOT NULL),
    committed AS (
      INSERT INTO commit_tokens (token) VALUES ($10::uuid))
    SELECT n, CASE WHEN is_unknown THEN merchant_id END AS merchant_id,
           CASE WHEN is_unknown THEN buyer_id END AS buyer_id, side, seq,
           side = 'buyer' AND (away_at IS NULL OR away_at < $9::timestamptz - interval '12 hours')
             AND EXISTS (SELECT FROM inbox_settings i WHERE i.merchant_id = placed.merchant_id
                                                        AND i.away_message IS NOT NULL)
             AS is_away_due
    FROM placed)"};

// What a statement wrote whose answer was lost.
const Sql<Placed(Column<ConversationId>, Column<std::int64_t>, Column<EntryId>, Instant)> kWritten{
    "conversations.written_messages", R"(
    SELECT g.n, c.merchant_id, c.buyer_id, e.author AS side, e.seq,
           e.author = 'buyer'
             AND (c.away_at IS NULL OR c.away_at < $4::timestamptz - interval '12 hours')
             AND EXISTS (SELECT FROM inbox_settings i
                         WHERE i.merchant_id = c.merchant_id AND i.away_message IS NOT NULL)
             AS is_away_due
    FROM unnest($2::bigint[], $3::uuid[]) WITH ORDINALITY AS g (place, id, n)
         JOIN directory d ON d.id = ($1::uuid[])[g.place]
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id
         JOIN entries e ON e.merchant_id = c.merchant_id AND e.conversation_id = c.id
                           AND e.id = g.id)"};

std::string data_of(const NewMessage& message) {
  std::string out = "{";
  if (message.client_id) out += "\"client_id\":" + json_quoted(message.client_id->value) + ',';
  if (message.reply_to) out += "\"reply_to\":" + std::to_string(message.reply_to->value) + ',';
  if (message.offer) {
    const auto offer = data_of(*message.offer).dump();
    out.append(offer, 1, offer.size() - 2) += ',';
  }
  if (message.text) out += "\"text\":" + json_quoted(message.text->value) + ',';
  out.back() = '}';
  return out;
}

std::optional<MerchantId> merchant_of_key(const Who& who) {
  if (who.kind != identity::Kind::api_key) return std::nullopt;
  return who.merchant;
}

}  // namespace

Writer::Batch::Batch(std::vector<Waiting> waiting, const Homes& homes)
    : messages(std::move(waiting)), outcomes(messages.size()) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& id = messages[i].conversation;
    const auto place = static_cast<std::int64_t>(places_.size()) + 1;  // SQL counts from 1
    if (places_.try_emplace(id, place).second) {
      const auto known = homes.find(id);
      conversations_.push_back(id);
      if (known != homes.end()) homes_.insert(*known);
      known_merchants_.push_back(known == homes.end() ? std::nullopt
                                                      : std::optional(known->second.merchant));
    }
    add(i);
  }
}

template <class T>
void Writer::Batch::put(Column<std::optional<T>>& column, std::optional<T> value) {
  if (!value) return;  // unnest() of several arrays fills up the shorter ones with NULL
  column.resize(given_.size() - 1);
  column.push_back(std::move(value));
}

void Writer::Batch::add(std::size_t i) {
  const auto& [who, conversation, message, done] = messages[i];
  // A key that may not write is told by send() which of the reasons it is; files are its work too.
  const bool mute = who.kind == identity::Kind::api_key &&
                    std::ranges::count(who.scopes, identity::Scope::chat) == 0;
  if (mute || message.attachments) {
    alone_.insert(i);
    return;
  }
  std::optional<ClientKey> key;
  if (message.client_id) {
    key = client_key_of(who.account, message.client_id->value);
    const auto [first, is_new] = firsts_.try_emplace({conversation, *key}, i);
    if (!is_new) return repeats_.emplace_back(i, first->second), void();
  }
  given_.push_back(i);
  at_place_.push_back(places_.at(conversation));
  accounts_.push_back(who.account);
  put(key_merchants_, merchant_of_key(who));
  put(client_keys_, key);
  ids_.push_back(EntryId::make());
  data_.push_back(data_of(message));
  put(replies_to_, message.reply_to ? std::optional(message.reply_to->value) : std::nullopt);
}

void Writer::Batch::write(Tx& tx, bool is_careful) {
  if (given_.empty()) return;
  if (!tx.was_committed()) at_ = tx.now();
  const auto rows =
      tx.was_committed()
          ? tx.all(kWritten, conversations_, at_place_, ids_, at_)
          : tx.all(kWrite, conversations_, known_merchants_, at_place_, accounts_, key_merchants_,
                   client_keys_, ids_, data_, at_, tx.commit_token(), replies_to_, is_careful);
  std::set<std::size_t> left(given_.begin(), given_.end());
  for (const auto& row : rows) {
    if (!row.seq) continue;
    take(row, tx);
    left.erase(given_[static_cast<std::size_t>(row.n - 1)]);
  }
  alone_.merge(left);
}

void Writer::Batch::take(const Placed& placed, Tx& tx) {
  const auto at = static_cast<std::size_t>(placed.n - 1);
  const auto& waiting = messages[given_[at]];
  if (placed.merchant_id && placed.buyer_id)
    homes_.insert_or_assign(waiting.conversation, Home{*placed.merchant_id, *placed.buyer_id});
  const auto& home = homes_.at(waiting.conversation);
  EntryRow row;
  row.event = "message.created";
  row.conversation_id = waiting.conversation;
  row.seq = *placed.seq;
  row.id = ids_[at];
  row.author = author_of(*placed.side);
  row.author_id = waiting.who.account;
  row.at = at_;
  auto text = std::make_shared<const std::string>(frame_text(row, data_[at]));
  tx.announce(notice_of(home.merchant, home.buyer, waiting.conversation, row.seq, *text));
  outcomes[given_[at]].frame = std::move(text);
  if (placed.is_away_due.value_or(false)) away_.emplace(waiting.conversation, home.merchant);
}

std::vector<std::size_t> Writer::Batch::alone() {
  for (const auto& [index, first] : repeats_) {
    EntryRow sent;
    sent.data = Json::parse(data_of(messages[first].message));
    if (alone_.contains(first) || !is_same(sent, messages[index].message))
      alone_.insert(index);
    else
      outcomes[index] = outcomes[first];
  }
  return {alone_.begin(), alone_.end()};
}

void Writer::Batch::learn(Homes& homes) const { homes.insert(homes_.begin(), homes_.end()); }

}  // namespace bottega::conversations
