#pragma once
// The merchant's inbox, which its members share: whose a conversation is and how far it has come,
// labels, notes that the buyer never sees, replies kept ready, and office hours. Only members of
// the merchant and its API keys reach any of it; to a buyer it does not exist.
#include "bottega/conversations/conversations.hpp"
#include "bottega/core/machine.hpp"

namespace bottega::conversations {

using NoteId = Id<"note">;
using CannedReplyId = Id<"canned">;

// What members do to a conversation. That the buyer writes opens it again, whatever it is.
enum class StatusEvent : std::uint8_t { reopen, park, snooze, close };
BOOST_DESCRIBE_ENUM(StatusEvent, reopen, park, snooze, close)
inline constexpr Machine kStatusLifecycle{std::to_array<Edge<Status, StatusEvent>>({
    {Status::open, StatusEvent::reopen, Status::open},
    {Status::pending, StatusEvent::reopen, Status::open},
    {Status::snoozed, StatusEvent::reopen, Status::open},
    {Status::closed, StatusEvent::reopen, Status::open},
    {Status::open, StatusEvent::park, Status::pending},
    {Status::pending, StatusEvent::park, Status::pending},
    {Status::snoozed, StatusEvent::park, Status::pending},
    {Status::open, StatusEvent::snooze, Status::snoozed},
    {Status::pending, StatusEvent::snooze, Status::snoozed},
    {Status::snoozed, StatusEvent::snooze, Status::snoozed},
    {Status::open, StatusEvent::close, Status::closed},
    {Status::pending, StatusEvent::close, Status::closed},
    {Status::snoozed, StatusEvent::close, Status::closed},
    {Status::closed, StatusEvent::close, Status::closed},
})};
static_assert(kStatusLifecycle.deterministic());

struct Snooze {
  Instant until{};
};
BOOST_DESCRIBE_STRUCT(Snooze, (), (until))

// Moves the conversation's status. A snooze ends at `until`, which lies in the future, at most a
// year away; the others take none. Throws Error(conflict) for a move that the table has not.
Inbox move_status(Tx& tx, const Who& who, ConversationId id, StatusEvent on,
                  std::optional<Instant> until);
// Opens what was snoozed until now: the job of that snooze.
inline constexpr std::string_view kWakeJob = "conversations.wake";
inline constexpr std::string_view kReleaseJob = "conversations.release";
void wake(Tx& tx, ConversationId id);

struct NewAssignee {
  std::optional<AccountId> account_id;
};
BOOST_DESCRIBE_STRUCT(NewAssignee, (), (account_id))

// A conversation is one member's at a time. Anybody takes one that is nobody's and gives up their
// own; managers give any to any member. Throws Error(conflict) for what is somebody else's,
// Error(invalid) for somebody who is no member.
Inbox assign(Tx& tx, const Who& who, ConversationId id, const NewAssignee& given);
// What was theirs is nobody's: they have left the merchant. A job goes on where that is much.
void release_all(Tx& tx, MerchantId merchant, AccountId account);

struct NewLabels {
  List<Line<1, 32>, 0, 10> labels;
};
BOOST_DESCRIBE_STRUCT(NewLabels, (), (labels))
struct LabelCount {
  std::string label;
  std::int64_t conversations = 0;
};
BOOST_DESCRIBE_STRUCT(LabelCount, (), (label, conversations))

// These labels and no others.
Inbox set_labels(Tx& tx, const Who& who, ConversationId id, const NewLabels& given);
std::vector<LabelCount> labels_of(Tx& tx, MerchantId merchant);

struct NewNote {
  Text<1, 4096> text;
};
BOOST_DESCRIBE_STRUCT(NewNote, (), (text))
struct Note {
  NoteId id;
  AccountId author_id;
  std::string author_name, text;
  std::int64_t after_seq = 0;  // the last entry of the log when it was written
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Note, (), (id, author_id, author_name, text, after_seq, created_at))

Note add_note(Tx& tx, const Who& who, ConversationId id, const NewNote& given);
// Oldest first.
std::vector<Note> notes(Tx& tx, const Who& who, ConversationId id, std::optional<NoteId> after,
                        std::int64_t limit);
// Whoever wrote it takes it back.
void remove_note(Tx& tx, const Who& who, ConversationId id, NoteId note);

struct NewCannedReply {
  Opaque<32> shortcut;
  Text<1, 4096> text;
};
BOOST_DESCRIBE_STRUCT(NewCannedReply, (), (shortcut, text))
struct CannedReply {
  CannedReplyId id;
  std::string shortcut, text;
  AccountId updated_by;
  Instant updated_at{};
};
BOOST_DESCRIBE_STRUCT(CannedReply, (), (id, shortcut, text, updated_by, updated_at))

inline constexpr std::size_t kCannedRepliesMax = 500;

// By their shortcut, of which there is one; throws Error(conflict) where it is taken, or where
// kCannedRepliesMax are there.
CannedReply add_canned_reply(Tx& tx, const Who& who, MerchantId merchant,
                             const NewCannedReply& given);
CannedReply change_canned_reply(Tx& tx, const Who& who, MerchantId merchant, CannedReplyId id,
                                const NewCannedReply& given);
void remove_canned_reply(Tx& tx, MerchantId merchant, CannedReplyId id);
std::vector<CannedReply> canned_replies(Tx& tx, MerchantId merchant);

// "09:00" to "24:00", the end of the day.
struct ClockTime {
  int minutes = 0;
  friend auto operator<=>(const ClockTime&, const ClockTime&) = default;
};

enum class Weekday : std::uint8_t {
  monday,
  tuesday,
  wednesday,
  thursday,
  friday,
  saturday,
  sunday
};
BOOST_DESCRIBE_ENUM(Weekday, monday, tuesday, wednesday, thursday, friday, saturday, sunday)

}  // namespace bottega::conversations

namespace bottega {

template <>
struct Form<conversations::ClockTime> {
  static std::string text(const conversations::ClockTime& value);
  static std::optional<conversations::ClockTime> parse(std::string_view text);
  static std::string expected() { return "a time of the day from 00:00 to 24:00"; }
  static Json schema() { return schemas::text_like("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"); }
};

}  // namespace bottega

namespace bottega::conversations {

// Until after midnight is two of them.
struct OfficeHours {
  Weekday day{};
  ClockTime from, to;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(OfficeHours, (), (day, from, to))

struct NewInboxSettings {
  Line<1, 64> time_zone;  // of the IANA database, such as Europe/Berlin
  List<OfficeHours, 0, 28> hours;
  std::optional<Text<1, 1024>> away_message;
};
BOOST_DESCRIBE_STRUCT(NewInboxSettings, (), (time_zone, hours, away_message))
struct InboxSettings {
  std::string time_zone;
  std::vector<OfficeHours> hours;
  std::optional<std::string> away_message;
};
BOOST_DESCRIBE_STRUCT(InboxSettings, (), (time_zone, hours, away_message))

// Without any set: always there, in UTC.
InboxSettings inbox_settings(Tx& tx, MerchantId merchant);
// Throws Error(invalid) for a time zone that is not known.
InboxSettings set_inbox_settings(Tx& tx, MerchantId merchant, const NewInboxSettings& given);

// Answers a buyer outside office hours with the merchant's away message: once in twelve hours of a
// conversation.
void answer_if_away(Tx& tx, MerchantId merchant, ConversationId id);

}  // namespace bottega::conversations
