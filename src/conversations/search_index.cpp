// Follows the log. What was written lately is found by its time; a walk over all conversations
// finds whatever that misses: a transaction that took long, a clock that differs, a restored
// database. Which entries are missing says the position of each conversation alone.
#include "bottega/conversations/search.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bottega::conversations {
namespace {

// How far the time of an entry may lie before the moment at which it can be seen; the walk finds
// the rest.
constexpr auto kSlack = std::chrono::seconds(5);
constexpr std::int64_t kWalkPage = 1'000;
// Where a page had nothing new, and where it was the last.
constexpr std::int64_t kWalkEverySeconds = 5, kWalkAgainSeconds = 60;
// The last is a guess: how many conversations are held for the entries of a transaction.
constexpr std::int64_t kEntriesAtOnce = 500, kEntriesPerConversation = 8;
constexpr int kRoundsMax = 20, kTakesMax = 100, kTakesAtOnce = 40;
constexpr int kPatience = 10;
// Between two transactions of the loop: whoever writes meanwhile has the processor.
constexpr auto kBreath = std::chrono::milliseconds(20), kNoBreath = std::chrono::milliseconds(0);
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr std::size_t kNotedMax = 100'000;

struct State {
  Instant looked_until{};
  MerchantId walk_merchant;
  ConversationId walk_conversation;
  bool is_walk_due = false;
};
BOOST_DESCRIBE_STRUCT(State, (), (looked_until, walk_merchant, walk_conversation, is_walk_due))

struct Walk {
  MerchantId merchant_id;
  ConversationId after_id;
};
BOOST_DESCRIBE_STRUCT(Walk, (), (merchant_id, after_id))

// The last conversation of a page, where the page is full.
struct Walked {
  std::int64_t added = 0;
  std::optional<MerchantId> merchant_id;
  std::optional<ConversationId> id;
};
BOOST_DESCRIBE_STRUCT(Walked, (), (added, merchant_id, id))

struct Due {
  MerchantId merchant_id;
  ConversationId conversation_id;
};
BOOST_DESCRIBE_STRUCT(Due, (), (merchant_id, conversation_id))

// Whether there is anything to write: a server at rest writes nothing.
const Sql<bool(Instant, std::int64_t)> kIsDue{"search.is_due", R"(
    SELECT s.walk_at <= clock_timestamp() OR EXISTS (SELECT FROM search_due)
             OR EXISTS (SELECT FROM search_walks)
             OR EXISTS (
               SELECT FROM entries e
                    JOIN conversations c ON c.merchant_id = e.merchant_id
                                            AND c.id = e.conversation_id
                    LEFT JOIN search_positions p ON p.merchant_id = c.merchant_id
                                                    AND p.conversation_id = c.id
               WHERE e.at >= least(s.looked_until, $1) - make_interval(secs => $2)
                 AND c.last_seq > coalesce(p.indexed_seq, 0)) AS is_due
    FROM search_state s)"};

// The same without a look into the log.
const Sql<bool()> kIsOpen{"search.is_open", R"(
    SELECT s.walk_at <= clock_timestamp() OR EXISTS (SELECT FROM search_due)
             OR EXISTS (SELECT FROM search_walks) AS is_due
    FROM search_state s)"};

// Also what another node has under way. Only after the walk has been everywhere once is it known
// what was written before there was a search.
const Sql<bool(Instant, std::int64_t)> kHasAll{"search.has_all", R"(
    SELECT s.is_walked AND NOT EXISTS (SELECT FROM search_due WHERE since <= $1)
             AND NOT EXISTS (
               SELECT FROM entries e
                    LEFT JOIN search_positions p ON p.merchant_id = e.merchant_id
                                                    AND p.conversation_id = e.conversation_id
               WHERE e.at >= least(s.looked_until, $1) - make_interval(secs => $2) AND e.at <= $1
                 AND e.seq > coalesce(p.indexed_seq, 0)) AS has_all
    FROM search_state s)"};

// In one order, for other nodes add theirs.
const Sql<void(std::vector<ConversationId>, Instant)> kAddNoted{"search.add_noted", R"(
    INSERT INTO search_due (merchant_id, conversation_id, since)
    SELECT c.merchant_id, c.id, $2
    FROM unnest($1::uuid[]) u (id) JOIN directory d ON d.id = u.id
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id
         LEFT JOIN search_positions p ON p.merchant_id = c.merchant_id AND p.conversation_id = c.id
    WHERE c.last_seq > coalesce(p.indexed_seq, 0)
    ORDER BY c.merchant_id, c.id
    ON CONFLICT (merchant_id, conversation_id) DO NOTHING)"};

const Sql<State()> kHold{"search.hold", R"(
    SELECT looked_until, walk_merchant, walk_conversation,
           walk_at <= clock_timestamp() AS is_walk_due
    FROM search_state FOR UPDATE SKIP LOCKED)"};

const Sql<void(Instant, Instant)> kAddRecent{"search.add_recent", R"(
    INSERT INTO search_due (merchant_id, conversation_id, since)
    SELECT c.merchant_id, c.id, $2
    FROM (SELECT DISTINCT merchant_id, conversation_id FROM entries WHERE at >= $1) e
         JOIN conversations c ON c.merchant_id = e.merchant_id AND c.id = e.conversation_id
         LEFT JOIN search_positions p ON p.merchant_id = c.merchant_id AND p.conversation_id = c.id
    WHERE c.last_seq > coalesce(p.indexed_seq, 0)
    ON CONFLICT (merchant_id, conversation_id) DO NOTHING)"};

// A page of conversations from one (without itself) to another.
const Sql<Walked(MerchantId, ConversationId, MerchantId, ConversationId, std::int64_t, Instant)>
    kWalk{"search.walk", R"(
    WITH page AS MATERIALIZED (
      SELECT merchant_id, id, last_seq FROM conversations
      WHERE (merchant_id, id) > ($1, $2) AND (merchant_id, id) <= ($3, $4)
      ORDER BY merchant_id, id LIMIT $5),
    added AS (
      INSERT INTO search_due (merchant_id, conversation_id, since)
      SELECT c.merchant_id, c.id, $6
      FROM page c
           LEFT JOIN search_positions p
             ON p.merchant_id = c.merchant_id AND p.conversation_id = c.id
           LEFT JOIN search_settings s ON s.merchant_id = c.merchant_id
      WHERE c.last_seq > coalesce(p.indexed_seq, 0)
         OR p.language <> coalesce(s.language, 'simple')
      ON CONFLICT (merchant_id, conversation_id) DO NOTHING RETURNING 1)
    SELECT (SELECT count(*) FROM added) AS added, l.merchant_id, l.id
    FROM (SELECT count(*) AS n FROM page) size
         LEFT JOIN LATERAL (SELECT merchant_id, id FROM page
                            ORDER BY merchant_id DESC, id DESC LIMIT 1) l ON size.n = $5)"};

const Sql<void(Instant)> kSetLooked{"search.set_looked", R"(
    UPDATE search_state SET looked_until = $1)"};

const Sql<void(MerchantId, ConversationId, std::int64_t, bool)> kSetWalk{"search.set_walk", R"(
    UPDATE search_state SET walk_merchant = $1, walk_conversation = $2,
                            walk_at = clock_timestamp() + make_interval(secs => $3),
                            is_walked = is_walked OR $4)"};

const Sql<Walk()> kNextWalk{"search.next_walk", R"(
    SELECT merchant_id, after_id FROM search_walks LIMIT 1)"};
const Sql<void(MerchantId, ConversationId)> kMoveWalk{"search.move_walk", R"(
    UPDATE search_walks SET after_id = $2 WHERE merchant_id = $1)"};
const Sql<void(MerchantId, ConversationId)> kEndWalk{"search.end_walk", R"(
    DELETE FROM search_walks WHERE merchant_id = $1 AND after_id = $2)"};

// What a crash takes of the search is taken in again, for positions and texts are written together;
// so its transactions do not wait for the disk, and hold up nobody who does. Its statements, many a
// second, are planned once.
const Sql<void()> kLazily{"search.lazily", R"(
    SELECT set_config('synchronous_commit', 'off', true),
           set_config('plan_cache_mode', 'force_generic_plan', true))"};

// Whoever holds these rows takes in these conversations, and nobody else.
const Sql<Due(std::int64_t)> kTakeDue{"search.take_due", R"(
    SELECT merchant_id, conversation_id FROM search_due
    ORDER BY since LIMIT $1 FOR UPDATE SKIP LOCKED)"};

// Not in the statement that takes the rows: it must see what was done by whoever held them before.
// A trace stands for the message that it is about, which is read as it is now; what other entries
// say may be long, and is not looked at. A message is looked up by itself: joined, its whole
// conversation is read for it. Conversations are done in their order, and where the entries are not
// all, only the last of them is not done.
const Sql<void(std::vector<MerchantId>, std::vector<ConversationId>, std::int64_t)> kTakeIn{
    "search.take_in", R"(
    WITH held AS MATERIALIZED (
      SELECT n.place, c.merchant_id, c.id, c.buyer_id, c.last_seq,
             coalesce(s.language, 'simple') AS language,
             CASE WHEN p.language = coalesce(s.language, 'simple') THEN p.indexed_seq
                  ELSE 0 END AS from_seq
      FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS n (merchant_id, id, place)
           JOIN conversations c ON c.merchant_id = n.merchant_id AND c.id = n.id
           LEFT JOIN search_settings s ON s.merchant_id = c.merchant_id
           LEFT JOIN search_positions p
             ON p.merchant_id = c.merchant_id AND p.conversation_id = c.id),
    fresh AS MATERIALIZED (
      SELECT h.place, e.seq, e.event, e.message_seq
      FROM held h CROSS JOIN LATERAL (
             SELECT seq, event,
                    CASE WHEN event IN ('message.edited', 'message.deleted')
                         THEN (data->>'message_seq')::bigint END AS message_seq
             FROM entries
             WHERE merchant_id = h.merchant_id AND conversation_id = h.id AND seq > h.from_seq
             ORDER BY seq LIMIT $3) e
      ORDER BY h.place, e.seq LIMIT $3),
    reached AS MATERIALIZED (
      SELECT h.merchant_id, h.id, h.language, r.is_done,
             CASE WHEN r.is_done THEN h.last_seq ELSE a.seq END AS seq
      FROM held h
           CROSS JOIN (SELECT count(*) < $3 AS are_all FROM fresh) f
           LEFT JOIN (SELECT place, seq FROM fresh ORDER BY place DESC, seq DESC LIMIT 1) a
             ON true
           CROSS JOIN LATERAL (SELECT f.are_all OR h.place < a.place AS is_done) r
      WHERE f.are_all OR h.place <= a.place),
    touched AS (
      SELECT DISTINCT place, CASE WHEN event = 'message.created' THEN seq
                                  ELSE message_seq END AS seq
      FROM fresh WHERE event IN ('message.created', 'message.edited', 'message.deleted')),
    read AS MATERIALIZED (
      SELECT h.merchant_id, h.id AS conversation_id, h.buyer_id, h.language, e.seq, e.id,
             e.author_id, e.at, e.text
      FROM touched t JOIN held h ON h.place = t.place
           CROSS JOIN LATERAL (
             SELECT seq, id, author_id, at, data->>'text' AS text FROM entries
             WHERE merchant_id = h.merchant_id AND conversation_id = h.id AND seq = t.seq
               AND event = 'message.created' LIMIT 1) e),
    gone AS (
      DELETE FROM entry_texts x USING read r
      WHERE x.merchant_id = r.merchant_id AND x.conversation_id = r.conversation_id
        AND x.seq = r.seq AND r.text IS NULL),
    written AS (
      INSERT INTO entry_texts (merchant_id, conversation_id, seq, id, author_id, language,
                               document, at)
      SELECT merchant_id, conversation_id, seq, id, author_id, language,
             to_tsvector(language::regconfig, search_plain(text))
               || array_to_tsvector(ARRAY['m ' || merchant_id, 'b ' || buyer_id,
                                          'c ' || conversation_id]), at
      FROM read WHERE text IS NOT NULL
      ON CONFLICT (merchant_id, conversation_id, seq) DO UPDATE
      SET language = excluded.language, document = excluded.document),
    moved AS (
      INSERT INTO search_positions (merchant_id, conversation_id, language, indexed_seq)
      SELECT merchant_id, id, language, seq FROM reached
      ON CONFLICT (merchant_id, conversation_id) DO UPDATE
      SET language = excluded.language, indexed_seq = excluded.indexed_seq)
    DELETE FROM search_due d USING reached r
    WHERE d.merchant_id = r.merchant_id AND d.conversation_id = r.id AND r.is_done)"};

std::int64_t walk_all(Tx& tx, const State& state) {
  const auto page = tx.one(kWalk, state.walk_merchant, state.walk_conversation,
                           MerchantId::newest(), ConversationId::newest(), kWalkPage, tx.now());
  tx.run(kSetWalk, page.merchant_id.value_or(MerchantId{}), page.id.value_or(ConversationId{}),
         page.added > 0 ? 0
         : page.id      ? kWalkEverySeconds
                        : kWalkAgainSeconds,
         !page.id.has_value());
  return page.added;
}

std::int64_t walk_shop(Tx& tx, const Walk& walk) {
  const auto page = tx.one(kWalk, walk.merchant_id, walk.after_id, walk.merchant_id,
                           ConversationId::newest(), kWalkPage, tx.now());
  if (page.id)
    tx.run(kMoveWalk, walk.merchant_id, *page.id);
  else
    tx.run(kEndWalk, walk.merchant_id, walk.after_id);
  return page.added;
}

// Remembers that the log was looked at, and goes on with the walks; answers what they have found.
std::int64_t walk_on(Tx& tx, const State& state) {
  tx.run(kSetLooked, tx.now());
  std::int64_t found = 0;
  if (state.is_walk_due) found += walk_all(tx, state);
  if (const auto walk = tx.find(kNextWalk)) found += walk_shop(tx, *walk);
  return found;
}

void gather(Tx& tx, const Written::Noted& noted) {
  tx.run(kLazily);
  if (!noted.list.empty()) tx.run(kAddNoted, noted.list, tx.now());
  if (!noted.is_all)
    conversations::gather(tx);
  else if (const auto state = tx.find(kHold))
    walk_on(tx, *state);
}

asio::awaitable<void> take_in_some(Database& db, std::int64_t entries_max, int takes_max,
                                   std::chrono::milliseconds pause) {
  for (int take = 0; take < takes_max; ++take) {
    const auto worked = co_await db.transact([&](Tx& tx) { return take_in(tx, entries_max); });
    if (worked == 0) break;
    if (pause.count() > 0) {
      asio::steady_timer timer(co_await asio::this_coro::executor, pause);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
}

}  // namespace

std::int64_t gather(Tx& tx) {
  const auto state = tx.find(kHold);
  if (!state) return 0;  // another node is at it
  const auto from = std::min(state->looked_until, tx.now()) - kSlack;
  const auto found = static_cast<std::int64_t>(tx.run(kAddRecent, from, tx.now()));
  return found + walk_on(tx, *state);
}

void Written::note(const std::string& conversation) {
  const std::lock_guard lock(mutex_);
  if (names_.size() < kNotedMax)
    names_.insert(conversation);
  else
    is_all_ = false;
}

void Written::doubt() {
  const std::lock_guard lock(mutex_);
  is_all_ = false;
}

Written::Noted Written::take() {
  Noted noted;
  const std::lock_guard lock(mutex_);
  for (const auto& name : names_)
    if (const auto id = Form<ConversationId>::parse(name)) noted.list.push_back(*id);
  names_.clear();
  noted.is_all = std::exchange(is_all_, true);
  return noted;
}

std::int64_t take_in(Tx& tx, std::int64_t entries_max) {
  std::vector<MerchantId> merchants;
  std::vector<ConversationId> ids;
  tx.run(kLazily);
  for (const auto& due : tx.all(kTakeDue, entries_max / kEntriesPerConversation + 1)) {
    merchants.push_back(due.merchant_id);
    ids.push_back(due.conversation_id);
  }
  if (ids.empty()) return 0;
  tx.run(kTakeIn, merchants, ids, entries_max);
  return static_cast<std::int64_t>(ids.size());
}

asio::awaitable<void> take_some(Database& db, Written& written, std::int64_t entries_max) {
  const auto noted = written.take();
  try {
    if (noted.list.empty() && noted.is_all) {
      const bool is_open = co_await db.read([](Tx& tx) { return tx.one(kIsOpen); });
      if (!is_open) co_return;
    }
    co_await db.transact([&](Tx& tx) { gather(tx, noted); });
    co_await take_in_some(db, entries_max, kTakesAtOnce, kBreath);
  } catch (...) {
    written.doubt();
    throw;
  }
}

asio::awaitable<void> keep_up(Database& db, std::int64_t entries_max) {
  for (int round = 0; round < kRoundsMax; ++round) {
    const bool is_due =
        co_await db.read([](Tx& tx) { return tx.one(kIsDue, tx.now(), kSlack.count()); });
    if (!is_due) co_return;
    const auto found = co_await db.transact([](Tx& tx) { return gather(tx); });
    co_await take_in_some(db, entries_max, kTakesMax, kNoBreath);
    if (found == 0) break;
  }
}

// Another node may be at it this very moment.
asio::awaitable<void> take_in_all(Database& db, Instant before) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  for (int round = 0; round < kPatience; ++round) {
    if (round > 0) {
      pause.expires_after(kPause);
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_await keep_up(db, kEntriesAtOnce);
    const bool has_all =
        co_await db.read([&](Tx& tx) { return tx.one(kHasAll, before, kSlack.count()); });
    if (has_all) co_return;
  }
  throw Error(Code::busy, "the search has not taken everything in yet");
}

}  // namespace bottega::conversations
