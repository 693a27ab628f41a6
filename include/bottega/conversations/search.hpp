#pragma once
// Search in the messages that somebody may read, and the loop that takes messages into it some
// seconds after they were written. Notes and other entries of the log are not searched.
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "bottega/conversations/conversations.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::conversations {

// Those that PostgreSQL knows: how words are reduced to their stems, and which say nothing.
// `simple` does neither.
enum class Language : std::uint8_t {
  simple,
  arabic,
  armenian,
  basque,
  catalan,
  danish,
  dutch,
  english,
  finnish,
  french,
  german,
  greek,
  hindi,
  hungarian,
  indonesian,
  irish,
  italian,
  lithuanian,
  nepali,
  norwegian,
  portuguese,
  romanian,
  russian,
  serbian,
  spanish,
  swedish,
  tamil,
  turkish,
  yiddish
};
BOOST_DESCRIBE_ENUM(Language, simple, arabic, armenian, basque, catalan, danish, dutch, english,
                    finnish, french, german, greek, hindi, hungarian, indonesian, irish, italian,
                    lithuanian, nepali, norwegian, portuguese, romanian, russian, serbian, spanish,
                    swedish, tamil, turkish, yiddish)

// In which language a shop's conversations are searched.
struct SearchSettings {
  Language language{};
};
BOOST_DESCRIBE_STRUCT(SearchSettings, (), (language))

SearchSettings search_settings(Tx& tx, MerchantId merchant);
// The shop's messages are taken in anew, and are found by their old language until then.
SearchSettings set_search_settings(Tx& tx, MerchantId merchant, const SearchSettings& given);

using Words = Line<1, 200>;

struct Query {
  Words words;
  std::optional<Language> language;  // none: of each shop its own
  std::optional<MerchantId> merchant;
  std::optional<ConversationId> conversation;
  std::optional<Side> author;
  std::optional<Instant> sent_before;
};

// A part of a snippet, counted in code points.
struct Highlight {
  std::int64_t start = 0, length = 0;
};
BOOST_DESCRIBE_STRUCT(Highlight, (), (start, length))

// A message that was found. The snippet is plain text of the message, never markup.
struct Found {
  EntryId id;
  MerchantId merchant_id;
  ConversationId conversation_id;
  std::int64_t seq = 0;
  Author author{};
  std::optional<AccountId> author_id;
  Instant at{};
  std::string snippet;
  std::vector<Highlight> highlights;
};
BOOST_DESCRIBE_STRUCT(Found, (),
                      (id, merchant_id, conversation_id, seq, author, author_id, at, snippet,
                       highlights))

struct FoundPosition {
  Instant at{};
  EntryId id;
};

// Newest first, only in conversations that the asker sits in. Throws Error(not_found) for a
// conversation or merchant of others, Error(invalid) for words that are not searched for in the
// language.
std::vector<Found> search(Tx& tx, const Who& who, const Query& query,
                          std::optional<FoundPosition> after, std::int64_t limit);

// Looks for conversations that have more than was taken in; answers how many it found.
std::int64_t gather(Tx& tx);
// Takes in at most so many entries of conversations that were found; answers how many conversations
// it has worked on. Several may run at once.
std::int64_t take_in(Tx& tx, std::int64_t entries_max);
// The conversations in which this node has written since they were last asked for: looking for them
// in the log costs the more the more is written. Any thread.
class Written {
 public:
  // The conversation's id as text.
  void note(const std::string& conversation);
  // Something may have been written that was not noted, as before the first call of take().
  void doubt();

  struct Noted {
    std::vector<ConversationId> list;
    bool is_all = false;
  };
  Noted take();

 private:
  std::mutex mutex_;  // owns both
  std::unordered_set<std::string> names_;
  bool is_all_ = false;
};

// Takes in some of what was written, so that a rush is taken in later and does not slow down those
// who write. Each transaction is short.
asio::awaitable<void> take_some(Database& db, Written& written, std::int64_t entries_max);
// The same until there is nothing left, or it has been at it for a while.
asio::awaitable<void> keep_up(Database& db, std::int64_t entries_max);
// For whoever needs all that was written before a moment: keeps up, and throws Error(busy) where it
// is not all taken in yet.
asio::awaitable<void> take_in_all(Database& db, Instant before);

}  // namespace bottega::conversations
