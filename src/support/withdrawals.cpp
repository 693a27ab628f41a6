#include "bottega/support/withdrawals.hpp"

#include <algorithm>

#include "support/rows.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::support {
namespace {

struct Declared {
  Money refund;
  std::string content;
  Instant declared_at{};
  CaseId case_id;
};
BOOST_DESCRIBE_STRUCT(Declared, (), (refund, content, declared_at, case_id))

const Sql<Declared(MerchantId, OrderId)> kDeclared{"contract_withdrawals.one", R"(
    SELECT amount AS refund, currency, content, declared_at, case_id FROM contract_withdrawals
    WHERE merchant_id = $1 AND order_id = $2)"};

const Sql<void(MerchantId, OrderId, AccountId, CaseId, std::int64_t, Currency, std::string,
               Instant)>
    kDeclare{"contract_withdrawals.declare", R"(
    INSERT INTO contract_withdrawals (merchant_id, order_id, buyer_id, case_id, amount, currency,
                                      content, declared_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

std::chrono::days days_of(Tx& tx, const orders::Order& order) {
  const auto promised = order.breakdown ? order.breakdown->withdrawal_days : std::nullopt;
  const auto days =
      promised ? *promised : pricing::fetch_settings(tx, order.merchant_id).withdrawal_days;
  const auto country = identity::fetch_merchant(tx, order.merchant_id).country;
  const bool is_law = pricing::is_in_union(country) ||
                      (order.ship_to && pricing::is_in_union(order.ship_to->country));
  return std::chrono::days(is_law ? std::max(days, pricing::kWithdrawalDays) : days);
}

// What the buyer has not had back, whatever a bank claims of it meanwhile, and the end of the
// right. A day more than the law counts, so that the last one is whole by every clock.
ContractWithdrawal offer_of(Tx& tx, const orders::Order& order, std::chrono::days days) {
  ContractWithdrawal out;
  out.order_id = order.id;
  const auto paid = payments::fetch_sold(tx, order.merchant_id, order.payment_id);
  const auto share = orders::share_of(tx, order.merchant_id, order.id);
  // What was lost in a dispute is the buyer's already, and no refund.
  const auto left = std::min(paid.amount.amount - paid.refunded - paid.refunding,
                             share.total.amount - share.refunded);
  out.refund = {left, paid.amount.currency};
  if (order.delivered_at) out.until = *order.delivered_at + days + std::chrono::days(1);
  return out;
}

void require_possible(Tx& tx, const orders::Order& order, const ContractWithdrawal& offer) {
  if (order.state == orders::State::cancelled)
    throw Error(Code::conflict, "the order is cancelled already");
  if (offer.refund.amount == 0) throw Error(Code::conflict, "all of it was given back already");
  if (offer.until && tx.now() >= *offer.until)
    throw Error(Code::conflict, "the right to withdraw ended at " + text_of(*offer.until));
}

std::string words(const orders::Order& order, const ContractWithdrawal& offer) {
  return "Withdrawal from the contract of order " + order.number + " (" + order.title + ") of " +
         text_of(order.created_at) + ". The shop gives back " + display(offer.refund) +
         " within 14 days; what was received is sent back within 14 days.";
}

void declare(Tx& tx, const Who& who, const orders::Order& contract, ContractWithdrawal& out) {
  const auto order = orders::note_withdrawal(tx, contract);
  const auto row =
      begin(tx, who,
            {order.merchant_id, Kind::buyer, order.conversation_id, order.id, Subject::withdrawal});
  out.is_declared = true;
  out.declared_at = tx.now();
  out.case_id = row.id;
  out.content += " Declared by the buyer on " + text_of(tx.now()) + '.';
  tx.run(kDeclare, order.merchant_id, order.id, order.buyer_id, row.id, out.refund.amount,
         out.refund.currency, out.content, tx.now());
  Json told = to_json(order);
  told.erase("ship_to");
  conversations::append(tx, order.merchant_id, order.conversation_id,
                        {"order.withdrawn",
                         conversations::Author::buyer,
                         who.account,
                         std::nullopt,
                         {{"order", std::move(told)}, {"withdrawal", to_json(out)}},
                         out.content});
}

}  // namespace

ContractWithdrawal withdraw(Tx& tx, const Who& who, OrderId id, const WithdrawalStep& given) {
  const auto order = orders::lock(tx, identity::merchant_of(tx, id.uuid), id);
  if (who.kind != identity::Kind::person || order.buyer_id != who.account)
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  const auto days = days_of(tx, order);
  auto out = offer_of(tx, order, days);
  if (const auto declared = tx.find(kDeclared, order.merchant_id, id)) {
    out.is_declared = true;
    out.refund = declared->refund;
    out.content = declared->content;
    out.declared_at = declared->declared_at;
    out.case_id = declared->case_id;
    return out;
  }
  if (days == std::chrono::days(0))
    throw Error(Code::conflict, "this shop does not take back what was bought");
  require_possible(tx, order, out);
  out.content = words(order, out);
  if (given.confirm.value_or(false)) declare(tx, who, order, out);
  return out;
}

}  // namespace bottega::support
