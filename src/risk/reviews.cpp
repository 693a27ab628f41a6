#include "bottega/risk/reviews.hpp"

#include <set>

#include "risk/rows.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::risk {
namespace {

const Sql<Review(MerchantId, ReviewId, orders::PaymentId, orders::OrderId, AccountId, std::int64_t,
                 Currency, std::vector<Concern>, Instant)>
    kInsert{"risk.insert_review", R"(
    INSERT INTO reviews (merchant_id, id, payment_id, order_id, buyer_id, amount, currency, reasons,
                         state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9)
    RETURNING id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
              to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision)"};

const Sql<Review(MerchantId, ReviewId)> kFetch{"risk.fetch_review", R"(
    SELECT id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
           to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision
    FROM reviews WHERE merchant_id = $1 AND id = $2)"};

const Sql<Review(MerchantId, ReviewId)> kLock{"risk.lock_review", R"(
    SELECT id, merchant_id, payment_id, order_id, buyer_id, amount, currency,
           to_jsonb(reasons) AS reasons, state, created_at, decided_at, decided_by, decision
    FROM reviews WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<void(MerchantId, ReviewId, ReviewState, Instant, std::string, std::string)> kDecide{
    "risk.decide_review", R"(
    UPDATE reviews SET state = $3, decided_at = $4, decided_by = $5, decision = $6
    WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t()> kCountOpen{"risk.count_open_reviews", R"(
    SELECT count(*) FROM reviews WHERE state = 'open')"};

const Sql<ReviewId(MerchantId, orders::PaymentId)> kRejected{"risk.rejected_review", R"(
    SELECT id FROM reviews WHERE merchant_id = $1 AND payment_id = $2 AND state = 'rejected')"};

bool is_above(std::int64_t amount, std::int64_t units, Currency currency) {
  return units > 0 && amount > in_minor(units, currency).amount;
}

using Kind = std::pair<MerchantId, Currency>;

// What the rules ask of a merchant.
struct Standing {
  std::int64_t n = 0;
  bool has_sold = false;  // anything but these
  std::int64_t taken = 0;
};
BOOST_DESCRIBE_STRUCT(Standing, (), (n, has_sold, taken))

const Sql<Standing(std::vector<MerchantId>, std::vector<Currency>, std::vector<bool>,
                   std::vector<orders::OrderId>, Instant)>
    kStandings{"risk.standings", R"(
    SELECT u.n,
           u.is_first_asked AND EXISTS (
             SELECT FROM orders o
             WHERE o.merchant_id = u.merchant_id AND o.state <> 'cancelled'
               AND o.id <> ALL($4::uuid[])) AS has_sold,
           (SELECT coalesce(sum(t.taken), 0)::bigint FROM merchant_takings t
            WHERE t.merchant_id = u.merchant_id AND t.currency = u.currency
              AND t.hour >= $5::timestamptz) AS taken
    FROM unnest($1::uuid[], $2::text[], $3::boolean[]) WITH ORDINALITY
           AS u (merchant_id, currency, is_first_asked, n))"};

bool is_first_asked(const orders::Order& order, const Rules& rules) {
  return is_above(order.total.amount, rules.review_first_sale, order.total.currency);
}

// Of those alone that a rule asks something of; no statement where there are none.
std::map<Kind, Standing> standings_of(Tx& tx, const std::vector<orders::Order>& orders,
                                      const Rules& rules) {
  std::map<Kind, bool> asked;
  std::vector<orders::OrderId> ids;
  for (const auto& order : orders) {
    ids.push_back(order.id);
    const bool is_first = is_first_asked(order, rules);
    if (!is_first && rules.review_week == 0) continue;
    auto& any = asked[{order.merchant_id, order.total.currency}];
    any = any || is_first;
  }
  std::map<Kind, Standing> found;
  if (asked.empty()) return found;
  std::vector<MerchantId> merchants;
  std::vector<Currency> currencies;
  std::vector<bool> firsts;
  std::vector<Kind> kinds;
  for (const auto& [kind, is_first] : asked) {
    kinds.push_back(kind);
    merchants.push_back(kind.first);
    currencies.push_back(kind.second);
    firsts.push_back(is_first);
  }
  for (const auto& row :
       tx.all(kStandings, merchants, currencies, firsts, ids, week_before(tx.now())))
    found.emplace(kinds.at(static_cast<std::size_t>(row.n - 1)), row);
  return found;
}

std::vector<Concern> concerns_of(const orders::Order& order, const Standing& standing,
                                 const Rules& rules) {
  const auto& [amount, currency] = order.total;
  std::vector<Concern> found;
  if (is_first_asked(order, rules) && !standing.has_sold) found.push_back(Concern::first_sale);
  if (is_above(amount, rules.review_amount, currency)) found.push_back(Concern::amount);
  if (is_above(standing.taken, rules.review_week, currency))
    found.push_back(Concern::merchant_week);
  return found;
}

payouts::Hold hold_of(const Review& review) { return {payouts::Cause::risk, review.id.uuid}; }

Review open(Tx& tx, const orders::Order& order, const std::vector<Concern>& concerns) {
  const auto id = ReviewId::make();
  identity::enter_directory(tx, id.uuid, order.merchant_id);
  const auto review =
      tx.one(kInsert, order.merchant_id, id, order.payment_id, order.id, order.buyer_id,
             order.total.amount, order.total.currency, concerns, tx.now());
  payouts::hold(tx, order.merchant_id, order.id, hold_of(review), "the payment is being reviewed");
  return review;
}

}  // namespace

std::vector<std::optional<Review>> assess(Tx& tx, const std::vector<orders::Order>& orders,
                                          const Rules& rules) {
  const auto standings = standings_of(tx, orders, rules);
  std::vector<std::optional<Review>> reviews;
  std::set<MerchantId> sold;
  for (const auto& order : orders) {
    const auto known = standings.find({order.merchant_id, order.total.currency});
    auto standing = known == standings.end() ? Standing{} : known->second;
    // What was sold together was sold one after the other.
    standing.has_sold = standing.has_sold || !sold.insert(order.merchant_id).second;
    const auto concerns = concerns_of(order, standing, rules);
    reviews.push_back(concerns.empty() ? std::nullopt : std::optional(open(tx, order, concerns)));
  }
  return reviews;
}

std::optional<Review> assess(Tx& tx, const orders::Order& order, const Rules& rules) {
  return assess(tx, std::vector{order}, rules).front();
}

Review fetch_review(Tx& tx, ReviewId id) {
  return tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
}

bool is_rejected(Tx& tx, MerchantId merchant, orders::PaymentId payment) {
  return tx.find(kRejected, merchant, payment).has_value();
}

std::int64_t count_open(Tx& tx) { return tx.one(kCountOpen); }

Review lock_review(Tx& tx, ReviewId id) {
  return tx.one(kLock, identity::merchant_of(tx, id.uuid), id);
}

Review decide(Tx& tx, Review review, const Decision& decision) {
  review.state = kReviewLifecycle.advance(review.state, decision.event);
  review.decided_at = tx.now();
  review.decided_by = decision.by;
  review.decision = decision.reason;
  tx.run(kDecide, review.merchant_id, review.id, review.state, tx.now(), decision.by,
         decision.reason);
  if (review.state == ReviewState::approved)
    payouts::lift(tx, review.merchant_id, review.order_id, hold_of(review));
  return review;
}

}  // namespace bottega::risk
