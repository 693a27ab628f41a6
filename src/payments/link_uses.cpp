#include "payments/link_uses.hpp"

namespace bottega::payments {
namespace {

struct Counted {
  std::int64_t first = 0, counted = 0;
};
BOOST_DESCRIBE_STRUCT(Counted, (), (first, counted))

// A request that has used it before is not counted again. Where others have used it up meanwhile
// the row that was waited for is looked at once more, and nothing is counted.
const Sql<Counted(MerchantId, LinkId, RequestId, Instant)> kUse{"payments.use_link", R"(
    WITH first AS (
      INSERT INTO payment_link_uses (merchant_id, request_id, link_id, at)
      VALUES ($1, $3, $2, $4) ON CONFLICT (merchant_id, request_id) DO NOTHING
      RETURNING link_id),
    counted AS (
      UPDATE payment_links l SET used = l.used + 1 FROM first f
      WHERE l.merchant_id = $1 AND l.id = f.link_id AND l.active
        AND (l.expires_at IS NULL OR l.expires_at > $4)
        AND (l.uses_max IS NULL OR l.used < l.uses_max)
      RETURNING l.id)
    SELECT (SELECT count(*) FROM first) AS first, (SELECT count(*) FROM counted) AS counted)"};

const Sql<void(MerchantId, RequestId)> kUnuse{"payments.unuse_link", R"(
    WITH gone AS (
      DELETE FROM payment_link_uses WHERE merchant_id = $1 AND request_id = $2
      RETURNING link_id)
    UPDATE payment_links l SET used = l.used - 1 FROM gone g
    WHERE l.merchant_id = $1 AND l.id = g.link_id)"};

}  // namespace

void use_link(Tx& tx, MerchantId merchant, LinkId id, RequestId request) {
  const auto done = tx.one(kUse, merchant, id, request, tx.now());
  if (done.first > 0 && done.counted == 0)
    throw Error(Code::conflict, "this link has been used up, switched off or is too old")
        .reason("link_not_usable");
}

void unuse_link(Tx& tx, MerchantId merchant, RequestId request) {
  tx.run(kUnuse, merchant, request);
}

}  // namespace bottega::payments
