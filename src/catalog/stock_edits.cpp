// What people do to the stock, each with a row that says who, when and why.
#include "catalog/rows.hpp"
#include "bottega/catalog/stock.hpp"

namespace bottega::catalog {
namespace {

struct StockRow {
  std::int64_t on_hand = 0, reserved = 0;
};
BOOST_DESCRIBE_STRUCT(StockRow, (), (on_hand, reserved))

const Sql<StockRow(MerchantId, VariantId)> kFetch{"catalog.fetch_stock", R"(
    SELECT on_hand, reserved FROM stock WHERE merchant_id = $1 AND variant_id = $2)"};

const Sql<StockRow(MerchantId, VariantId)> kLock{"catalog.lock_stock", R"(
    SELECT on_hand, reserved FROM stock WHERE merchant_id = $1 AND variant_id = $2 FOR UPDATE)"};

// Two counts of one variant at once come one after the other; it stays until then.
const Sql<VariantId(MerchantId, VariantId)> kHoldVariant{"catalog.hold_variant", R"(
    SELECT id FROM variants WHERE merchant_id = $1 AND id = $2 FOR NO KEY UPDATE)"};

const Sql<StockRow(MerchantId, VariantId, std::int64_t)> kSet{"catalog.set_stock", R"(
    INSERT INTO stock (merchant_id, variant_id, on_hand) VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id, variant_id) DO UPDATE SET on_hand = excluded.on_hand
    RETURNING on_hand, reserved)"};

const Sql<void(MerchantId, VariantId)> kUncount{"catalog.uncount_stock", R"(
    DELETE FROM stock WHERE merchant_id = $1 AND variant_id = $2)"};

const Sql<void(MerchantId, VariantId, StockChangeId, std::int64_t, std::optional<std::int64_t>,
               std::string, std::string, Instant)>
    kNote{"catalog.note_stock_change", R"(
    INSERT INTO stock_changes (merchant_id, variant_id, id, delta, on_hand, reason, changed_by, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

const Sql<StockChange(MerchantId, VariantId, StockChangeId, std::int64_t)> kChanges{
    "catalog.stock_changes", R"(
    SELECT id, variant_id, delta, on_hand, reason, changed_by, at
    FROM stock_changes WHERE merchant_id = $1 AND variant_id = $2 AND id < $3
    ORDER BY id DESC LIMIT $4)"};

Stock stock_of(VariantId id, const std::optional<StockRow>& row) {
  if (!row) return {id, std::nullopt, 0, std::nullopt};
  return {id, row->on_hand, row->reserved, row->on_hand - row->reserved};
}

// The shop of a variant, for whoever may edit; the variant is held, and then its stock.
struct Edit {
  MerchantId merchant;
  std::optional<StockRow> before;
};
Edit begin(Tx& tx, const Who& who, VariantId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_editor(tx, who, merchant);
  tx.one(kHoldVariant, merchant, id);
  return {merchant, tx.find(kLock, merchant, id)};
}

void note(Tx& tx, const Who& who, const Edit& edit, VariantId id,
          std::optional<std::int64_t> on_hand, const std::string& reason) {
  const auto before = edit.before ? edit.before->on_hand : 0;
  tx.run(kNote, edit.merchant, id, StockChangeId::make(), on_hand.value_or(0) - before, on_hand,
         reason, who.actor(), tx.now());
  tell_index_of(tx, edit.merchant, {id});
}

// What somebody is paying for just now stays counted.
void require_unreserved(const Edit& edit, std::int64_t on_hand) {
  if (edit.before && on_hand < edit.before->reserved)
    throw Error(Code::conflict,
                std::to_string(edit.before->reserved) + " of them are being paid for just now");
}

Stock count(Tx& tx, const Who& who, const Edit& edit, VariantId id, std::int64_t on_hand,
            const std::string& reason) {
  require_unreserved(edit, on_hand);
  const auto after = tx.one(kSet, edit.merchant, id, on_hand);
  note(tx, who, edit, id, on_hand, reason);
  return stock_of(id, after);
}

void require_insight(Tx& tx, const Who& who, MerchantId merchant) {
  if (!sees_all(tx, who, merchant))
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
}

}  // namespace

Stock fetch_stock(Tx& tx, const Who& who, VariantId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_insight(tx, who, merchant);
  return stock_of(id, tx.find(kFetch, merchant, id));
}

Stock set_stock(Tx& tx, const Who& who, VariantId id, const CountedStock& given) {
  const auto edit = begin(tx, who, id);
  const auto reason = given.reason ? given.reason->value : std::string("counted");
  if (given.on_hand) return count(tx, who, edit, id, given.on_hand->value, reason);
  if (!edit.before) return stock_of(id, std::nullopt);
  require_unreserved(edit, 0);
  tx.run(kUncount, edit.merchant, id);
  note(tx, who, edit, id, std::nullopt, reason);
  return stock_of(id, std::nullopt);
}

Stock adjust_stock(Tx& tx, const Who& who, VariantId id, const StockAdjustment& given) {
  const auto edit = begin(tx, who, id);
  if (!edit.before) throw Error(Code::conflict, "it is not counted; say how many there are first");
  const auto on_hand = edit.before->on_hand + given.delta.value;
  if (on_hand < 0 || on_hand > kStockMax)
    throw Error(Code::conflict, "there are " + std::to_string(edit.before->on_hand) + " of them");
  return count(tx, who, edit, id, on_hand, given.reason.value);
}

std::vector<StockChange> stock_changes(Tx& tx, const Who& who, VariantId id,
                                       std::optional<StockChangeId> after, std::int64_t limit) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  require_insight(tx, who, merchant);
  return tx.all(kChanges, merchant, id, after.value_or(StockChangeId::newest()), limit);
}

}  // namespace bottega::catalog
