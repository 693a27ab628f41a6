#pragma once
// What protects people from each other: muting, blocking, and telling the staff.
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {

using ReportId = Id<"rep">;

struct NewMute {
  std::optional<Instant> until;  // none: until it is taken back
};
BOOST_DESCRIBE_STRUCT(NewMute, (), (until))
// How it stands between the one who asks and a conversation.
struct Protection {
  bool is_muted = false;
  std::optional<Instant> muted_until;
  bool is_blocked = false;  // by one's own side; that the other side has blocked one is not told
};
BOOST_DESCRIBE_STRUCT(Protection, (), (is_muted, muted_until, is_blocked))

Protection protection(Tx& tx, const Who& who, ConversationId id);

// A muted conversation notifies nobody's devices; it goes on all the same. Throws Error(invalid)
// for a time that is past.
Protection mute(Tx& tx, const Who& who, ConversationId id, const NewMute& given);
Protection unmute(Tx& tx, const Who& who, ConversationId id);

// Whom a side has blocked cannot write to it any more, nor ask it for money; what was agreed before
// goes on. The merchant's side is blocked, and blocks, as one.
Protection block(Tx& tx, const Who& who, ConversationId id);
Protection unblock(Tx& tx, const Who& who, ConversationId id);
// Whether the other side has blocked this one; that is told to nobody. The second throws
// Error(forbidden) then, in words that do not say why.
bool is_blocked(Tx& tx, const Seat& seat);
void require_not_blocked(Tx& tx, const Seat& seat);
// Whether either side has blocked the other: then neither hears when the other is there.
bool has_block(Tx& tx, const Seat& seat);

enum class ReportReason : std::uint8_t { spam, fraud, abuse, illegal, other };
BOOST_DESCRIBE_ENUM(ReportReason, spam, fraud, abuse, illegal, other)
enum class ReportState : std::uint8_t { open, resolved };
BOOST_DESCRIBE_ENUM(ReportState, open, resolved)

inline constexpr std::size_t kReportedMax = 50;

struct NewReport {
  ReportReason reason{};
  std::optional<Text<1, 1000>> text;
  // The entries that are meant; without any, the newest twenty.
  std::optional<List<Count<1, INT64_MAX>, 1, kReportedMax>> seqs;
};
BOOST_DESCRIBE_STRUCT(NewReport, (), (reason, text, seqs))

struct Report {
  ReportId id;
  ConversationId conversation_id;
  MerchantId merchant_id;
  AccountId reported_by;
  Side side{};
  ReportReason reason{};
  std::optional<std::string> text;
  Json entries;  // events of the log, as they were
  ReportState state{};
  std::optional<std::string> resolution;
  std::optional<AccountId> resolved_by;
  std::optional<Instant> resolved_at;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Report, (),
                      (id, conversation_id, merchant_id, reported_by, side, reason, text, entries,
                       state, resolution, resolved_by, resolved_at, created_at))

// What whoever reported gets back.
struct Reported {
  ReportId id;
  Instant created_at{};
};
BOOST_DESCRIBE_STRUCT(Reported, (), (id, created_at))

// Throws Error(invalid) that points at each seq that is not there. The other side is not told.
Reported report(Tx& tx, const Who& who, ConversationId id, const NewReport& given);

// For the staff: oldest first, for these are work to be done.
std::vector<Report> reports(Tx& tx, std::optional<ReportState> state, std::optional<ReportId> after,
                            std::int64_t limit);
struct Resolution {
  Text<1, 1000> resolution;
};
BOOST_DESCRIBE_STRUCT(Resolution, (), (resolution))
// Throws Error(not_found), and Error(conflict) for one that is resolved already.
Report resolve(Tx& tx, const Who& who, ReportId id, const Resolution& given);

}  // namespace bottega::conversations
