#include "payments/stock.hpp"

#include <algorithm>

#include "payments/link_uses.hpp"
#include "payments/refund_rows.hpp"
#include "bottega/pricing/discounts.hpp"

namespace bottega::payments {
namespace {

struct HeldRow {
  Held held;
};
BOOST_DESCRIBE_STRUCT(HeldRow, (), (held))

const Sql<HeldRow(MerchantId, PaymentId)> kHeld{"payments.held", R"(
    SELECT held FROM payments WHERE merchant_id = $1 AND id = $2 AND held IS NOT NULL)"};

// Once: what is put back is held no more.
const Sql<HeldRow(MerchantId, PaymentId)> kForget{"payments.forget_held", R"(
    UPDATE payments p SET held = NULL
    FROM (SELECT merchant_id, id, held FROM payments
          WHERE merchant_id = $1 AND id = $2 AND held IS NOT NULL FOR UPDATE) old
    WHERE p.merchant_id = old.merchant_id AND p.id = old.id RETURNING old.held)"};

}  // namespace

std::vector<catalog::Item> items_of(const orders::Lines& lines) {
  std::vector<catalog::Item> items;
  for (const auto& line : lines)
    if (line.variant_id) items.push_back({*line.variant_id, line.quantity.value});
  return items;
}

Error out_of_stock(const Request& request, const std::vector<catalog::Lack>& lacking) {
  Faults faults;
  for (std::size_t i = 0; i < request.lines.size(); ++i) {
    const auto& id = request.lines.items[i].variant_id;
    const auto lack = std::ranges::find_if(
        lacking, [&](const catalog::Lack& one) { return id && one.variant_id == *id; });
    if (lack == lacking.end()) continue;
    const auto detail = lack->left == 0
                            ? std::string("is sold out")
                            : "is more than the " + std::to_string(lack->left) + " left";
    faults.push_back({"/lines/" + std::to_string(i) + "/quantity", detail});
  }
  return Error(Code::conflict, "not all of it is there any more; nothing was charged",
               std::move(faults))
      .reason("out_of_stock");
}

bool is_of_catalogue(const Request& request) {
  return std::ranges::any_of(request.lines.items,
                             [](const auto& line) { return line.variant_id.has_value(); });
}

void require_published(Tx& tx, const Request& request) {
  std::vector<catalog::VariantId> ids;
  for (const auto& item : items_of(request.lines)) ids.push_back(item.variant_id);
  const auto offers = catalog::offer(tx, request.merchant_id, ids);
  Faults faults;
  for (std::size_t i = 0; i < request.lines.size(); ++i) {
    const auto& id = request.lines.items[i].variant_id;
    if (id && std::ranges::find(offers, *id, &catalog::Offer::variant_id) == offers.end())
      faults.push_back({"/lines/" + std::to_string(i) + "/variant_id", "is not sold any more"});
  }
  if (!faults.empty())
    throw Error(Code::conflict, "not all of it is sold any more; nothing was charged",
                std::move(faults))
        .reason("out_of_stock");
}

std::optional<Held> set_aside(Tx& tx, const Request& request) {
  const auto items = items_of(request.lines);
  if (items.empty()) return std::nullopt;
  // A purchase that was declined is tried again later.
  if (request.origin != Origin::merchant) require_published(tx, request);
  auto reserved = catalog::reserve(tx, request.merchant_id, items);
  if (!reserved.lacking.empty()) throw out_of_stock(request, reserved.lacking);
  if (reserved.held.empty()) return std::nullopt;
  return Held{std::move(reserved.held)};
}

void sell(Tx& tx, const Payment& payment, const Request& request) {
  if (!is_of_catalogue(request)) return;
  if (const auto row = tx.find(kHeld, payment.merchant_id, payment.id))
    catalog::take(tx, payment.merchant_id, row->held.items);
}

void let_go(Tx& tx, const Payment& payment, const Request& request) {
  if (request.breakdown && request.breakdown->discount_code)
    pricing::give_back(tx, request.merchant_id, request.id.uuid);
  if (request.payment_link_id) unuse_link(tx, request.merchant_id, request.id);
  if (!is_of_catalogue(request)) return;
  if (const auto row = tx.find(kForget, payment.merchant_id, payment.id))
    catalog::release(tx, payment.merchant_id, row->held.items);
}

void put_back(Tx& tx, const orders::Order& order) {
  if (const auto row = tx.find(kForget, order.merchant_id, order.payment_id))
    catalog::put_back(tx, order.merchant_id, row->held.items);
}

}  // namespace bottega::payments
