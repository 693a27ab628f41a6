// Where somebody sits in many conversations at once.
#include "conversations/rows.hpp"
#include "bottega/conversations/conversations.hpp"

namespace bottega::conversations {
namespace {

// For so few, planning the statement for many takes longer than one small statement for each.
constexpr std::size_t kFew = 8;

struct SeatOf {
  MerchantId merchant_id;
  ConversationId id;
  AccountId buyer_id;
  std::int64_t last_seq = 0, forgotten_seq = 0;
  bool is_member = false;
  SeatRow row() const { return {buyer_id, last_seq, forgotten_seq, is_member}; }
};
BOOST_DESCRIBE_STRUCT(SeatOf, (), (merchant_id, id, buyer_id, last_seq, forgotten_seq, is_member))

const Sql<SeatOf(std::vector<ConversationId>, AccountId)> kSeats{"conversations.seats", R"(
    SELECT c.merchant_id, c.id, c.buyer_id, c.last_seq, c.forgotten_seq,
           m.account_id IS NOT NULL AS is_member
    FROM unnest($1::uuid[]) u (id) JOIN directory d ON d.id = u.id
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id
         LEFT JOIN merchant_members m ON m.merchant_id = c.merchant_id AND m.account_id = $2)"};

std::optional<Seat> seat_of(Tx& tx, const Who& who, ConversationId id) {
  try {
    return enter(tx, who, id, identity::Scope::read, Lock::no);
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    return std::nullopt;
  }
}

std::vector<Seat> seats_of_many(Tx& tx, const Who& who, const std::vector<ConversationId>& ids) {
  const bool is_key = who.kind == identity::Kind::api_key;
  if (is_key)
    identity::require_member(tx, who, who.merchant, identity::Role::agent, identity::Scope::read);
  std::vector<Seat> seats;
  for (const auto& row : tx.all(kSeats, ids, who.account)) {
    if (is_key && row.merchant_id != who.merchant) continue;
    if (const auto side = find_side(who, row.row()))
      seats.push_back(
          {row.merchant_id, row.id, row.buyer_id, row.last_seq, *side, row.forgotten_seq});
  }
  return seats;
}

}  // namespace

std::vector<Seat> seats_of(Tx& tx, const Who& who, const std::vector<ConversationId>& ids) {
  if (ids.size() > kFew) return seats_of_many(tx, who, ids);
  std::vector<Seat> seats;
  for (const auto& id : ids)
    if (const auto seat = seat_of(tx, who, id)) seats.push_back(*seat);
  return seats;
}

}  // namespace bottega::conversations
