// The search itself. Which conversations are searched is a condition of the index and of the rows
// alike: the first makes it quick, the second makes it right.
#include "bottega/conversations/search.hpp"

#include <algorithm>

namespace bottega::conversations {
namespace {

// The parts of a text that match stand between these, which no text can contain.
constexpr char kBegin = '\x02', kEnd = '\x03';

// In code points: of a snippet, and of what comes before the first match in it.
constexpr std::int64_t kSnippetMax = 200, kBefore = 60;
constexpr std::string_view kCut = "…";

struct Hit {
  EntryId id;
  MerchantId merchant_id;
  ConversationId conversation_id;
  std::int64_t seq = 0;
  Author author{};
  std::optional<AccountId> author_id;
  Instant at{};
  std::string marked, text;
};
BOOST_DESCRIBE_STRUCT(Hit, (),
                      (id, merchant_id, conversation_id, seq, author, author_id, at, marked, text))

// A language, and whether anything is left of the words in it.
struct Asked {
  Language language{};
  bool is_usable = false;
};
BOOST_DESCRIBE_STRUCT(Asked, (), (language, is_usable))

const Sql<SearchSettings(MerchantId)> kSettings{"search.settings", R"(
    SELECT language FROM search_settings WHERE merchant_id = $1)"};

const Sql<void(MerchantId, Language, Instant)> kSetSettings{"search.set_settings", R"(
    INSERT INTO search_settings (merchant_id, language, updated_at) VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id) DO UPDATE
    SET language = excluded.language, updated_at = excluded.updated_at)"};

const Sql<void(MerchantId)> kWalkAgain{"search.walk_again", R"(
    INSERT INTO search_walks (merchant_id, after_id)
    VALUES ($1, '00000000-0000-0000-0000-000000000000')
    ON CONFLICT (merchant_id) DO UPDATE SET after_id = excluded.after_id)"};

// The languages of the shops that the asker has to do with, unless one is named: $1 is a person,
// $2 a merchant where a key asks.
const Sql<Asked(AccountId, std::optional<MerchantId>, std::optional<MerchantId>,
                std::optional<Language>, std::string)>
    kLanguages{"search.languages", R"(
    SELECT l.language, numnode(websearch_to_tsquery(l.language::regconfig, $5)) > 0 AS is_usable
    FROM (SELECT $4::text AS language WHERE $4::text IS NOT NULL
          UNION SELECT 'simple' WHERE $4::text IS NULL
          UNION SELECT s.language FROM search_settings s
                WHERE $4::text IS NULL AND ($3::uuid IS NULL OR s.merchant_id = $3)
                  AND s.merchant_id IN (
                    SELECT m.merchant_id FROM merchant_members m
                    WHERE $2::uuid IS NULL AND m.account_id = $1
                    UNION SELECT c.merchant_id FROM conversations c
                          WHERE $2::uuid IS NULL AND c.buyer_id = $1
                    UNION SELECT $2 WHERE $2::uuid IS NOT NULL)) l)"};

// A message is shown as it is now: one that was deleted is not found, and one that was edited only
// by what it says, even where the edit has not been taken in yet.
const Sql<Hit(AccountId, std::optional<MerchantId>, std::vector<Language>, std::string,
              std::optional<MerchantId>, std::optional<ConversationId>, std::optional<Side>,
              std::optional<Instant>, Instant, EntryId, std::int64_t)>
    kSearch{"search.messages", R"(
    WITH scope AS MATERIALIZED (
      SELECT ('(' || coalesce(string_agg(quote_literal(p.place), ' | '), quote_literal('nowhere'))
              || ')' || coalesce(' & ' || quote_literal('m ' || $5::uuid), '')
              || coalesce(' & ' || quote_literal('c ' || $6::uuid), ''))::tsquery AS places
      FROM (SELECT 'b ' || $1::uuid AS place WHERE $2::uuid IS NULL
            UNION ALL SELECT 'm ' || m.merchant_id FROM merchant_members m
                      WHERE $2::uuid IS NULL AND m.account_id = $1
            UNION ALL SELECT 'm ' || $2::uuid WHERE $2::uuid IS NOT NULL) p),
    asked AS MATERIALIZED (
      SELECT l.language, websearch_to_tsquery(l.language::regconfig, $4) AS words
      FROM unnest($3::text[]) AS l (language)),
    hits AS MATERIALIZED (
      SELECT t.merchant_id, t.conversation_id, t.seq, t.id, t.at, a.language, a.words
      FROM asked a CROSS JOIN scope s
           JOIN entry_texts t ON t.document @@ (a.words && s.places) AND t.language = a.language
      WHERE (t.at, t.id) < ($9, $10) AND ($8::timestamptz IS NULL OR t.at < $8)),
    found AS MATERIALIZED (
      SELECT t.merchant_id, t.conversation_id, t.seq, t.id, t.at, t.language, t.words, e.author,
             e.author_id, e.data->>'text' AS text
      FROM hits t
           JOIN conversations c ON c.merchant_id = t.merchant_id AND c.id = t.conversation_id
           JOIN entries e ON e.merchant_id = t.merchant_id
                             AND e.conversation_id = t.conversation_id AND e.seq = t.seq
      WHERE CASE WHEN $2::uuid IS NOT NULL THEN t.merchant_id = $2
                 ELSE c.buyer_id = $1 OR EXISTS (
                        SELECT FROM merchant_members m
                        WHERE m.merchant_id = t.merchant_id AND m.account_id = $1) END
        AND ($5::uuid IS NULL OR t.merchant_id = $5)
        AND ($6::uuid IS NULL OR t.conversation_id = $6)
        AND ($7::text IS NULL OR e.author = $7)
        AND NOT e.data ? 'deleted_at'
        AND (NOT e.data ? 'edited_at'
             OR to_tsvector(t.language::regconfig, search_plain(e.data->>'text')) @@ t.words)
      ORDER BY t.at DESC, t.id DESC LIMIT $11)
    SELECT f.id, f.merchant_id, f.conversation_id, f.seq, f.author, f.author_id, f.at,
           ts_headline(f.language::regconfig, search_plain(f.text), f.words,
                       E'StartSel=\x02, StopSel=\x03, HighlightAll=true') AS marked, f.text
    FROM found f ORDER BY f.at DESC, f.id DESC)"};

// A text as code points, and the parts of it that match.
struct Marked {
  std::vector<std::string_view> points;
  std::vector<Highlight> highlights;
};

Marked read_marked(std::string_view text) {
  Marked out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
    const auto here = static_cast<std::int64_t>(out.points.size());
    if (text[i] == kBegin)
      out.highlights.push_back({here, 0});
    else if (text[i] == kEnd)
      out.highlights.back().length = here - out.highlights.back().start;
    else
      out.points.push_back(text.substr(i, next - i));
    i = next;
  }
  return out;
}

bool is_space(std::string_view point) { return point == " " || point == "\n" || point == "\t"; }

// Cuts a text down to what is around its first match; words stay whole where that is possible.
void cut(const Marked& marked, Found& out) {
  const auto& points = marked.points;
  const auto size = static_cast<std::int64_t>(points.size());
  const auto space_at = [&](std::int64_t i) {
    return is_space(points[static_cast<std::size_t>(i)]);
  };
  const auto first = marked.highlights.empty() ? 0 : marked.highlights.front().start;
  auto begin = std::max<std::int64_t>(0, first - kBefore);
  while (begin > 0 && begin < first && !space_at(begin - 1)) ++begin;
  auto end = std::min(size, begin + kSnippetMax);
  if (end < size) {
    auto whole = end;
    while (whole > begin && !space_at(whole)) --whole;
    if (whole > first) end = whole;
  }
  const std::int64_t shift = begin > 0 ? 1 : 0;
  if (begin > 0) out.snippet = kCut;
  for (auto i = begin; i < end; ++i) out.snippet += points[static_cast<std::size_t>(i)];
  if (end < size) out.snippet += kCut;
  for (const auto& [start, length] : marked.highlights)
    if (start < end)
      out.highlights.push_back({start - begin + shift, std::min(length, end - start)});
}

Found shown(const Hit& hit) {
  Found out{
      hit.id, hit.merchant_id, hit.conversation_id, hit.seq, hit.author, hit.author_id, hit.at, {},
      {}};
  // What matches is looked for without the signs, each of which is a space there.
  auto marked = read_marked(hit.marked);
  auto written = read_marked(hit.text);
  if (written.points.size() == marked.points.size()) marked.points = std::move(written.points);
  cut(marked, out);
  return out;
}

void require_place(Tx& tx, const Who& who, const Query& query) {
  if (query.conversation) {
    enter(tx, who, *query.conversation, identity::Scope::read, Lock::no);
  } else if (who.kind == identity::Kind::api_key) {
    identity::require_member(tx, who, query.merchant.value_or(who.merchant), identity::Role::agent,
                             identity::Scope::read);
  } else if (query.merchant &&
             !identity::is_member(tx, who, *query.merchant, identity::Role::agent,
                                  identity::Scope::read) &&
             !find_of_buyer(tx, *query.merchant, who.account)) {
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  }
}

// The signs that search_plain() makes spaces of (0020_search_words.sql).
constexpr std::string_view kSigns = "!#$%&()*+,-./:;<=>?@[\\]^_`{|}~";

// What stands between the signs, with single spaces.
std::string plain(std::string_view given) {
  std::string out;
  for (const char c : given) {
    const bool is_gap = c == ' ' || kSigns.find(c) != kSigns.npos;
    if (!is_gap)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

// The words as websearch_to_tsquery() takes them, without what it would read differently from a
// text: one that has signs within it is words in a row, and one minus is as good as many, of which
// it takes 32 at most.
std::string as_asked(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const auto begin = std::min(words.find_first_not_of(" -"), words.size());
    const bool is_not = begin > 0 && words[begin - 1] == '-';
    words.remove_prefix(begin);
    if (words.empty()) break;
    const bool is_quoted = words.front() == '"';
    if (is_quoted) words.remove_prefix(1);
    const auto end = std::min(words.find_first_of(is_quoted ? "\"" : " \""), words.size());
    const auto word = plain(words.substr(0, end));
    words.remove_prefix(is_quoted ? std::min(end + 1, words.size()) : end);
    if (word.empty()) continue;
    if (!out.empty()) out += ' ';
    if (is_not) out += '-';
    const bool is_row = is_quoted || word.find(' ') != word.npos;
    out += is_row ? '"' + word + '"' : word;
  }
  return out;
}

std::vector<Language> usable(const std::vector<Asked>& asked) {
  std::vector<Language> out;
  for (const auto& row : asked)
    if (row.is_usable) out.push_back(row.language);
  if (out.empty())
    throw Error(Code::invalid, "nothing is left to look for",
                {{"q", "has only signs, or words that are too common in this language"}});
  return out;
}

FoundPosition start_of(std::optional<FoundPosition> after) {
  if (after) return *after;
  return {Instant(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)), EntryId::newest()};
}

}  // namespace

SearchSettings search_settings(Tx& tx, MerchantId merchant) {
  return tx.find(kSettings, merchant).value_or(SearchSettings{});
}

SearchSettings set_search_settings(Tx& tx, MerchantId merchant, const SearchSettings& given) {
  if (search_settings(tx, merchant).language != given.language) {
    tx.run(kSetSettings, merchant, given.language, tx.now());
    tx.run(kWalkAgain, merchant);
  }
  return given;
}

std::vector<Found> search(Tx& tx, const Who& who, const Query& query,
                          std::optional<FoundPosition> after, std::int64_t limit) {
  require_place(tx, who, query);
  std::optional<MerchantId> key_merchant;
  if (who.kind == identity::Kind::api_key) key_merchant = who.merchant;
  const auto words = as_asked(query.words.value);
  const auto languages =
      usable(tx.all(kLanguages, who.account, key_merchant, query.merchant, query.language, words));
  const auto start = start_of(after);
  std::vector<Found> out;
  for (const auto& hit :
       tx.all(kSearch, who.account, key_merchant, languages, words, query.merchant,
              query.conversation, query.author, query.sent_before, start.at, start.id, limit))
    out.push_back(shown(hit));
  return out;
}

}  // namespace bottega::conversations
