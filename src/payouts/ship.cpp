// Marking orders as sent, which schedules their payouts: of many in a few statements.
#include <set>

#include "payouts/rows.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::payouts {
namespace {

template <class T>
using Column = std::vector<T>;

constexpr int kBusinessDaysMost = 5;

struct Scheduled {
  PayoutId id;
  std::optional<std::string> reason;  // why it is held
};
BOOST_DESCRIBE_STRUCT(Scheduled, (), (id, reason))

// What is held already is scheduled as such.
const Sql<Scheduled(Column<MerchantId>, Column<PayoutId>, Column<OrderId>, Column<std::int64_t>,
                    Column<std::int64_t>, Column<Currency>, Column<Instant>, Column<Date>, Instant)>
    kInsert{"payouts.insert", R"(
    INSERT INTO payouts (merchant_id, id, order_id, amount, fee, currency, state, reason,
                         shipped_at, due_at, due_on, created_at)
    SELECT p.merchant_id, p.id, p.order_id, p.amount, p.fee, p.currency,
           CASE WHEN h.reason IS NULL THEN 'scheduled' ELSE 'held' END, h.reason,
           $9::timestamptz, p.due_at, p.due_on, $9::timestamptz
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[],
                $7::timestamptz[], $8::date[])
           AS p (merchant_id, id, order_id, amount, fee, currency, due_at, due_on)
         LEFT JOIN LATERAL (
           SELECT reason FROM payout_holds
           WHERE merchant_id = p.merchant_id AND order_id = p.order_id AND lifted_at IS NULL
           ORDER BY created_at DESC, cause LIMIT 1) h ON true
    RETURNING id, reason)"};

struct Waiting {
  MerchantId merchant_id;
  PayoutId id;
};
BOOST_DESCRIBE_STRUCT(Waiting, (), (merchant_id, id))

const Sql<Waiting(Column<PayoutId>)> kWaiting{"payouts.waiting", R"(
    SELECT p.merchant_id, p.id
    FROM unnest($1::uuid[]) AS u (id) JOIN directory d ON d.id = u.id
         JOIN payouts p ON p.merchant_id = d.merchant_id AND p.id = u.id
    WHERE p.state = 'scheduled' ORDER BY p.id)"};

// When what is sent now is due: so many business days later, and with the batch of that day or the
// next, but never behind the fifth.
Instant due_at(const Calendar& calendar, Instant now, const Rules& rules) {
  const auto due = calendar.add_business_days(now, static_cast<int>(rules.business_days));
  if (!rules.batch_at) return due;
  const auto batch = calendar.next_at(due, *rules.batch_at);
  return batch <= calendar.add_business_days(now, kBusinessDaysMost) ? batch : due;
}

// An order of which the merchant has something left, and by whose calendar that is due.
struct Earned {
  const orders::Order* order;
  const orders::Share* share;
  Country country;
};

Payout payout_of(const Earned& earned, Instant now, const Rules& rules) {
  const auto& calendar = Calendars::built_in().of(earned.country.value);
  Payout payout;
  payout.id = PayoutId::make();
  payout.merchant_id = earned.order->merchant_id;
  payout.order_id = earned.order->id;
  payout.amount = {earned.share->merchants(), earned.share->total.currency};
  payout.fee = earned.share->fee_left();
  payout.state = State::scheduled;
  payout.shipped_at = payout.created_at = now;
  payout.due_at = due_at(calendar, now, rules);
  payout.due_on = calendar.date_at(payout.due_at);
  return payout;
}

void insert(Tx& tx, std::map<PayoutId, Payout>& payouts) {
  Column<MerchantId> merchants;
  Column<PayoutId> ids;
  Column<OrderId> orders;
  Column<std::int64_t> amounts, fees;
  Column<Currency> currencies;
  Column<Instant> dues;
  Column<Date> days;
  std::vector<std::pair<Uuid, MerchantId>> entered;
  for (const auto& [id, payout] : payouts) {
    merchants.push_back(payout.merchant_id);
    ids.push_back(id);
    orders.push_back(payout.order_id);
    amounts.push_back(payout.amount.amount);
    fees.push_back(payout.fee);
    currencies.push_back(payout.amount.currency);
    dues.push_back(payout.due_at);
    days.push_back(payout.due_on);
    entered.emplace_back(id.uuid, payout.merchant_id);
  }
  for (auto& row :
       tx.all(kInsert, merchants, ids, orders, amounts, fees, currencies, dues, days, tx.now())) {
    auto& payout = payouts.at(row.id);
    payout.reason = std::move(row.reason);
    if (payout.reason) payout.state = kLifecycle.advance(payout.state, Event::hold);
  }
  identity::enter_directory(tx, entered);
}

// Of several that are due at one moment there is one job, which is nobody's to take back: it looks
// for itself which of them are still to be paid.
void plan_payments(Tx& tx, const std::map<PayoutId, Payout>& payouts) {
  std::map<Instant, std::vector<const Payout*>> dues;
  for (const auto& [id, payout] : payouts)
    if (payout.state == State::scheduled) dues[payout.due_at].push_back(&payout);
  std::vector<jobs::Planned> single, together;
  for (const auto& [at, due] : dues) {
    const auto about = text_of(due.front()->id);
    if (due.size() == 1) {
      single.push_back({about, {{"merchant_id", text_of(due.front()->merchant_id)}}, at});
      continue;
    }
    Json ids = Json::array();
    for (const auto* payout : due) ids.push_back(text_of(payout->id));
    together.push_back({about, {{"payouts", std::move(ids)}}, at});
  }
  jobs::enqueue(tx, kPayJob, single);
  jobs::enqueue(tx, kPayManyJob, together);
}

void want_each(Tx& tx, const std::vector<PayoutId>& ids) {
  std::vector<jobs::Planned> planned;
  for (const auto& payout : tx.all(kWaiting, ids))
    planned.push_back(
        {text_of(payout.id), {{"merchant_id", text_of(payout.merchant_id)}}, tx.now()});
  jobs::enqueue(tx, kPayJob, planned);
}

// By their orders; none of what the buyer has had back.
std::map<OrderId, Payout> schedule(Tx& tx, const std::vector<Earned>& all, const Rules& rules) {
  std::map<PayoutId, Payout> payouts;
  for (const auto& earned : all) {
    if (earned.share->refunded >= earned.share->total.amount) continue;
    auto payout = payout_of(earned, tx.now(), rules);
    payouts.emplace(payout.id, std::move(payout));
  }
  std::map<OrderId, Payout> scheduled;
  if (payouts.empty()) return scheduled;
  insert(tx, payouts);
  plan_payments(tx, payouts);
  for (auto& [id, payout] : payouts) scheduled.emplace(payout.order_id, std::move(payout));
  return scheduled;
}

// Requests that are done together, each by the same rules as alone.
class Shipping {
 public:
  Shipping(Tx& tx, const std::vector<Sending>& asked, const Rules& rules)
      : tx_(tx), asked_(asked), rules_(rules), outcomes_(asked.size()) {}

  std::vector<std::variant<Shipped, Error>> run() {
    auto left = let_in();
    while (!left.empty()) {
      std::vector<std::size_t> now, later;
      std::set<OrderId> seen;
      for (const auto i : left) (seen.insert(asked_[i].order).second ? now : later).push_back(i);
      ship_each_once(now);
      left = std::move(later);
    }
    log_.write(tx_);
    std::vector<std::variant<Shipped, Error>> outcomes;
    for (auto& outcome : outcomes_) outcomes.push_back(*std::move(outcome));
    return outcomes;
  }

 private:
  // Those who may.
  std::vector<std::size_t> let_in() {
    std::vector<std::pair<identity::AccountId, Uuid>> named;
    for (const auto& one : asked_) named.emplace_back(one.who.account, one.order.uuid);
    standings_ = identity::standings(tx_, named);
    std::vector<std::size_t> allowed;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      const auto& standing = standings_[i];
      try {
        if (!standing) throw missing();
        identity::require_standing(asked_[i].who, *standing, identity::Role::agent,
                                   identity::Scope::orders);
        allowed.push_back(i);
      } catch (const Error& refusal) {
        outcomes_[i] = refusal;
      }
    }
    return allowed;
  }

  // Whoever asks for the same order again finds it as the one before has left it.
  void ship_each_once(const std::vector<std::size_t>& now) {
    std::vector<std::pair<MerchantId, OrderId>> named;
    for (const auto i : now) named.emplace_back(standings_[i]->merchant, asked_[i].order);
    std::map<OrderId, orders::Order> held;
    for (auto& order : orders::lock(tx_, named)) held.emplace(order.id, std::move(order));
    std::vector<std::size_t> found;
    std::vector<orders::Sending> sendings;
    for (const auto i : now) {
      const auto order = held.find(asked_[i].order);
      if (order == held.end()) {
        outcomes_[i] = missing();
        continue;
      }
      found.push_back(i);
      sendings.push_back({std::move(order->second), &asked_[i].given});
    }
    finish(found, orders::ship(tx_, sendings, log_));
  }

  void finish(const std::vector<std::size_t>& found,
              std::vector<std::variant<orders::Sent, Error>> all) {
    std::vector<Earned> earned;
    for (std::size_t k = 0; k < all.size(); ++k)
      if (const auto* sent = std::get_if<orders::Sent>(&all[k]);
          sent != nullptr && sent->order.state == orders::State::shipped)
        earned.push_back({&sent->order, &sent->share, standings_[found[k]]->country});
    const auto payouts = schedule(tx_, earned, rules_);
    for (std::size_t k = 0; k < all.size(); ++k) {
      const auto i = found[k];
      if (const auto* refusal = std::get_if<Error>(&all[k])) {
        outcomes_[i] = *refusal;
        continue;
      }
      auto& sent = std::get<orders::Sent>(all[k]);
      Shipped shipped{std::move(sent.order), std::move(sent.shipment), std::nullopt,
                      std::move(sent.warnings)};
      const auto payout = payouts.find(shipped.order.id);
      if (payout != payouts.end() &&
          identity::has_standing(asked_[i].who, *standings_[i], identity::Role::manager,
                                 identity::Scope::read))
        shipped.payout = payout->second;
      outcomes_[i] = std::move(shipped);
    }
  }

  static Error missing() { return {Code::not_found, "there is no such thing, or it is not yours"}; }

  Tx& tx_;
  const std::vector<Sending>& asked_;
  const Rules& rules_;
  conversations::Log log_;
  std::vector<std::optional<identity::Standing>> standings_;
  std::vector<std::optional<std::variant<Shipped, Error>>> outcomes_;
};

}  // namespace

std::vector<std::variant<Shipped, Error>> ship(Tx& tx, const std::vector<Sending>& asked,
                                               const Rules& rules) {
  if (asked.empty()) return {};
  return Shipping(tx, asked, rules).run();
}

Shipped ship(Tx& tx, const Who& who, OrderId order, const orders::NewShipment& given,
             const Rules& rules) {
  auto outcomes = ship(tx, {{who, order, given}}, rules);
  if (const auto* refusal = std::get_if<Error>(&outcomes.front())) throw Error(*refusal);
  return std::get<Shipped>(std::move(outcomes.front()));
}

std::optional<Payout> schedule(Tx& tx, const orders::Order& order, const orders::Share& share,
                               const Rules& rules) {
  const auto country = identity::fetch_merchant(tx, order.merchant_id).country;
  const auto scheduled = schedule(tx, {{&order, &share, country}}, rules);
  if (scheduled.empty()) return std::nullopt;
  return scheduled.begin()->second;
}

asio::awaitable<void> pay_each(Database& db, const jobs::Job& job) {
  const auto ids = from_json<std::vector<PayoutId>>(job.arguments.at("payouts"));
  co_await db.transact([&](Tx& tx) { want_each(tx, ids); });
}

}  // namespace bottega::payouts
