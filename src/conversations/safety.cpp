#include "bottega/conversations/safety.hpp"

#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

constexpr std::int64_t kNewestReported = 20;
// Of one person, until the staff has answered some: each holds copies of what was written.
constexpr std::int64_t kOpenReportsMax = 10;

struct Blocks {
  bool blocked_by_buyer = false, blocked_by_merchant = false;
};
BOOST_DESCRIBE_STRUCT(Blocks, (), (blocked_by_buyer, blocked_by_merchant))

// None where nothing is muted any more.
struct MuteRow {
  std::optional<Instant> until;
};
BOOST_DESCRIBE_STRUCT(MuteRow, (), (until))

const Sql<Blocks(MerchantId, ConversationId)> kBlocks{"safety.blocks", R"(
    SELECT blocked_by_buyer, blocked_by_merchant FROM conversations
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<void(MerchantId, ConversationId, Side, bool)> kBlock{"safety.block", R"(
    UPDATE conversations
    SET blocked_by_buyer = CASE WHEN $3 = 'buyer' THEN $4 ELSE blocked_by_buyer END,
        blocked_by_merchant = CASE WHEN $3 = 'merchant' THEN $4 ELSE blocked_by_merchant END
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<MuteRow(MerchantId, ConversationId, AccountId, Instant)> kMuted{"safety.muted", R"(
    SELECT until FROM mutes
    WHERE merchant_id = $1 AND conversation_id = $2 AND account_id = $3
      AND (until IS NULL OR until > $4))"};

const Sql<void(MerchantId, ConversationId, AccountId, std::optional<Instant>)> kMute{"safety.mute",
                                                                                     R"(
    INSERT INTO mutes (merchant_id, conversation_id, account_id, until) VALUES ($1, $2, $3, $4)
    ON CONFLICT (merchant_id, conversation_id, account_id) DO UPDATE SET until = excluded.until)"};

// The row stays: what was written before it ended is no news afterwards.
const Sql<void(MerchantId, ConversationId, AccountId, Instant)> kUnmute{"safety.unmute", R"(
    UPDATE mutes SET until = least(until, $4)
    WHERE merchant_id = $1 AND conversation_id = $2 AND account_id = $3)"};

const Sql<EntryRow(MerchantId, ConversationId, std::vector<std::int64_t>)> kEntries{
    "safety.entries", R"(
    SELECT event, conversation_id, seq, id, author, author_id, data, at FROM entries
    WHERE merchant_id = $1 AND conversation_id = $2 AND seq = ANY ($3::bigint[]) ORDER BY seq)"};

const Sql<void(MerchantId, ConversationId, ReportId, AccountId, Side, ReportReason,
               std::optional<std::string>, Json, Instant)>
    kReport{"safety.report", R"(
    INSERT INTO reports (merchant_id, conversation_id, id, reported_by, side, reason, text, entries,
                         created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))"};

// Of whichever merchant: the staff's queue is one.
const Sql<Report(std::optional<ReportState>, std::optional<ReportId>, std::int64_t)> kReports{
    "safety.reports", R"(
    SELECT id, conversation_id, merchant_id, reported_by, side, reason, text, entries, state,
           resolution, resolved_by, resolved_at, created_at FROM reports
    WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR id > $2)
    ORDER BY id LIMIT $3)"};

const Sql<Report(MerchantId, ReportId)> kLockReport{"safety.lock_report", R"(
    SELECT id, conversation_id, merchant_id, reported_by, side, reason, text, entries, state,
           resolution, resolved_by, resolved_at, created_at FROM reports
    WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<void(MerchantId, ReportId, std::string, AccountId, Instant)> kResolve{"safety.resolve",
                                                                                R"(
    UPDATE reports r
    SET state = 'resolved', resolution = $3, resolved_by = $4, resolved_at = $5,
        text = CASE WHEN EXISTS (SELECT FROM accounts a
                                 WHERE a.id = r.reported_by AND a.erased_at IS NULL)
               THEN r.text END
    WHERE merchant_id = $1 AND id = $2)"};

// Rows of the person's own, whichever merchant they are about.
const Sql<std::int64_t(AccountId)> kOpenReports{"safety.open_reports", R"(
    SELECT count(*) FROM reports WHERE reported_by = $1 AND state = 'open')"};

Protection protection_of(Tx& tx, const Who& who, const Seat& seat) {
  const auto blocks = tx.one(kBlocks, seat.merchant, seat.conversation);
  const auto muted = tx.find(kMuted, seat.merchant, seat.conversation, who.account, tx.now());
  return {muted.has_value(), muted ? muted->until : std::nullopt,
          seat.side == Side::buyer ? blocks.blocked_by_buyer : blocks.blocked_by_merchant};
}

// What a program does is not what the one who made it wants for themselves.
void require_person(const Who& who) {
  if (who.kind != identity::Kind::person)
    throw Error(Code::forbidden, "notifications are a person's");
}

Protection set_block(Tx& tx, const Who& who, ConversationId id, bool is_blocked) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::yes);
  tx.run(kBlock, seat.merchant, id, seat.side, is_blocked);
  return protection_of(tx, who, seat);
}

std::vector<std::int64_t> seqs_of(const NewReport& given, const Seat& seat) {
  std::vector<std::int64_t> seqs;
  if (given.seqs) {
    for (const auto& seq : *given.seqs) seqs.push_back(seq.value);
  } else {
    for (auto seq = std::max<std::int64_t>(1, seat.last_seq - kNewestReported + 1);
         seq <= seat.last_seq; ++seq)
      seqs.push_back(seq);
  }
  return seqs;
}

void require_all(const std::vector<std::int64_t>& seqs, const std::vector<EntryRow>& rows) {
  Faults faults;
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    const auto pointer = "/seqs/" + std::to_string(i);
    const auto here = seqs.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::ranges::find(rows, seqs[i], &EntryRow::seq) == rows.end())
      faults.push_back({pointer, "is not in the conversation"});
    else if (std::find(seqs.begin(), here, seqs[i]) != here)
      faults.push_back({pointer, "is there twice"});
  }
  if (!faults.empty())
    throw Error(Code::invalid, "some entries cannot be reported", std::move(faults));
}

}  // namespace

Protection protection(Tx& tx, const Who& who, ConversationId id) {
  return protection_of(tx, who, enter(tx, who, id, identity::Scope::read, Lock::no));
}

Protection mute(Tx& tx, const Who& who, ConversationId id, const NewMute& given) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  if (given.until && *given.until <= tx.now())
    throw Error(Code::invalid, "that time is past", {{"/until", "must be in the future"}});
  require_person(who);
  tx.run(kMute, seat.merchant, id, who.account, given.until);
  return protection_of(tx, who, seat);
}

Protection unmute(Tx& tx, const Who& who, ConversationId id) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  require_person(who);
  tx.run(kUnmute, seat.merchant, id, who.account, tx.now());
  return protection_of(tx, who, seat);
}

Protection block(Tx& tx, const Who& who, ConversationId id) { return set_block(tx, who, id, true); }
Protection unblock(Tx& tx, const Who& who, ConversationId id) {
  return set_block(tx, who, id, false);
}

bool is_blocked(Tx& tx, const Seat& seat) {
  const auto blocks = tx.one(kBlocks, seat.merchant, seat.conversation);
  return seat.side == Side::buyer ? blocks.blocked_by_merchant : blocks.blocked_by_buyer;
}

bool has_block(Tx& tx, const Seat& seat) {
  const auto blocks = tx.one(kBlocks, seat.merchant, seat.conversation);
  return blocks.blocked_by_buyer || blocks.blocked_by_merchant;
}

void require_not_blocked(Tx& tx, const Seat& seat) {
  if (is_blocked(tx, seat)) throw Error(Code::forbidden, "nothing can be sent here");
}

Reported report(Tx& tx, const Who& who, ConversationId id, const NewReport& given) {
  const auto seat = enter(tx, who, id, identity::Scope::chat, Lock::no);
  if (tx.one(kOpenReports, who.account) >= kOpenReportsMax)
    throw Error(Code::conflict, "your other reports must be answered first");
  const auto seqs = seqs_of(given, seat);
  const auto rows = tx.all(kEntries, seat.merchant, id, seqs);
  if (given.seqs) require_all(seqs, rows);
  Json entries = Json::array();
  for (const auto& row : rows) entries.push_back(to_frame(event_of(row)));
  const auto made = ReportId::make();
  std::optional<std::string> text;
  if (given.text) text = given.text->value;
  tx.run(kReport, seat.merchant, id, made, who.account, seat.side, given.reason, text, entries,
         tx.now());
  identity::enter_directory(tx, made.uuid, seat.merchant);
  return {made, tx.now()};
}

std::vector<Report> reports(Tx& tx, std::optional<ReportState> state, std::optional<ReportId> after,
                            std::int64_t limit) {
  return tx.all(kReports, state, after, limit);
}

Report resolve(Tx& tx, const Who& who, ReportId id, const Resolution& given) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  const auto held = tx.one(kLockReport, merchant, id);
  if (held.state == ReportState::resolved)
    throw Error(Code::conflict, "the report has been resolved already");
  tx.run(kResolve, merchant, id, given.resolution.value, who.account, tx.now());
  return tx.one(kLockReport, merchant, id);
}

}  // namespace bottega::conversations
