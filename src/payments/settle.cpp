// Payments whose money came as it was asked for, together: the plain end of a sale. What is not
// plain is left as it is, for settle() of one.
#include "payments/rows.hpp"
#include "payments/stock.hpp"
#include "bottega/payments/together.hpp"
#include "bottega/risk/reviews.hpp"

namespace bottega::payments {
namespace {

using processors::Outcome, processors::Verdict;

template <class T>
using Column = std::vector<T>;

// A payment of which nothing was heard before, with its request and its attempt.
struct Ready {
  PaymentId id;
  MerchantId merchant_id;
  RequestId payment_request_id;
  ConversationId conversation_id;
  AccountId buyer_id;
  std::string processor;
  std::optional<orders::Address> ship_to;
  std::optional<Held> held;
  Instant created_at{};
  // Nothing of these where the request is known.
  std::optional<std::string> title, description;
  std::optional<orders::Lines> lines;
  std::optional<pricing::Breakdown> breakdown;
  std::optional<Contact> contact;
  std::optional<orders::Address> priced_for;
  Money total;
  ShippingAddress shipping_address{};
  Instant expires_at{}, asked_at{};
  Origin origin{};
  std::optional<LinkId> payment_link_id;
  attempts::AttemptId attempt_id;
  Country country;
  std::int64_t basis_points = 0, fixed = 0;
};
BOOST_DESCRIBE_STRUCT(Ready, (),
                      (id, merchant_id, payment_request_id, conversation_id, buyer_id, processor,
                       ship_to, held, created_at, title, description, lines, breakdown, contact,
                       priced_for, total, shipping_address, expires_at, asked_at, origin,
                       payment_link_id, attempt_id, country, basis_points, fixed))

// Of each the request is locked first, then the payment, then the attempt; those of which the news
// came another way, while this waited for the lock, are left out. The limit says how many they are
// (see conversations.write_entries).
const Sql<Ready(Column<MerchantId>, Column<PaymentId>, Column<bool>, std::int64_t, Instant)>
    kHoldReady{"payments.hold_ready", R"(
    SELECT p.id, p.merchant_id, p.payment_request_id, p.conversation_id, p.buyer_id, p.processor,
           p.ship_to, p.held, p.created_at,
           CASE WHEN NOT u.is_known THEN r.title END AS title,
           CASE WHEN NOT u.is_known THEN r.description END AS description,
           CASE WHEN NOT u.is_known THEN r.lines END AS lines,
           CASE WHEN NOT u.is_known THEN r.breakdown END AS breakdown,
           CASE WHEN NOT u.is_known THEN r.contact END AS contact,
           CASE WHEN NOT u.is_known THEN r.ship_to END AS priced_for,
           r.total, r.currency, r.shipping_address, r.expires_at, r.created_at AS asked_at,
           r.origin, r.payment_link_id, a.id AS attempt_id, m.country, f.basis_points, f.fixed
    FROM (SELECT merchant_id, id, is_known
          FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS one (merchant_id, id, is_known)
          LIMIT $4::bigint) u
         JOIN payments p ON p.merchant_id = u.merchant_id AND p.id = u.id
         JOIN payment_requests r
           ON r.merchant_id = p.merchant_id AND r.id = p.payment_request_id
         JOIN attempts a ON a.merchant_id = p.merchant_id AND a.subject_id = p.id
         JOIN merchants m ON m.id = p.merchant_id
         CROSS JOIN LATERAL (
           SELECT x.basis_points, x.fixed FROM fee_plans x
           WHERE x.merchant_id = p.merchant_id
             AND (x.currency = p.currency OR x.currency IS NULL) AND x.effective_from <= $5
           ORDER BY x.effective_from DESC, x.currency NULLS LAST LIMIT 1) f
    WHERE r.state = 'paying' AND p.state = 'created' AND p.reference IS NULL
      AND p.processor_fee IS NULL AND NOT p.is_late AND a.state = 'sent'
    ORDER BY r.id FOR UPDATE OF r, p, a)"};

const Sql<void(Column<MerchantId>, Column<RequestId>, Column<PaymentId>, Column<std::string>,
               Column<std::optional<std::int64_t>>, Instant, std::int64_t)>
    kWrite{"payments.capture_all", R"(
    WITH given AS MATERIALIZED (
      SELECT merchant_id, request_id, payment_id, reference, fee
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[])
             AS one (merchant_id, request_id, payment_id, reference, fee)
      LIMIT $7::bigint),
    paid AS (
      UPDATE payment_requests r SET state = 'paid', reason = NULL, updated_at = $6::timestamptz
      FROM given g WHERE r.merchant_id = g.merchant_id AND r.id = g.request_id)
    UPDATE payments p
    SET state = 'captured', reference = g.reference, processor_fee = g.fee,
        updated_at = $6::timestamptz
    FROM given g WHERE p.merchant_id = g.merchant_id AND p.id = g.payment_id)"};

// Says that it was charged, and nothing that a person or the reconciler must look at.
bool is_plain(const Outcome& outcome) {
  const bool is_fee_possible = !outcome.fee || (*outcome.fee >= 0 && *outcome.fee <= kAmountMax);
  return outcome.verdict == Verdict::succeeded && !outcome.reference.empty() &&
         outcome.reason.empty() && outcome.action_url.empty() && is_fee_possible;
}

bool is_about(const Outcome& outcome, const Ready& ready) {
  const bool is_newest = outcome.key.empty() || outcome.key == text_of(ready.attempt_id);
  return is_newest && (!outcome.amount || *outcome.amount == ready.total);
}

Request request_of(const Ready& ready) {
  Request out;
  out.id = ready.payment_request_id;
  out.merchant_id = ready.merchant_id;
  out.conversation_id = ready.conversation_id;
  out.buyer_id = ready.buyer_id;
  out.title = ready.title.value();
  out.description = ready.description.value();
  out.lines = ready.lines.value();
  out.total = ready.total;
  out.shipping_address = ready.shipping_address;
  out.state = RequestState::paying;
  out.expires_at = ready.expires_at;
  out.created_at = ready.asked_at;
  out.origin = ready.origin;
  out.breakdown = ready.breakdown;
  out.contact = ready.contact;
  out.ship_to = ready.priced_for;
  out.payment_link_id = ready.payment_link_id;
  return out;
}

Request paid(Request request, Instant now) {
  request.state = kRequestLifecycle.advance(RequestState::paying, RequestEvent::pay);
  request.reason.reset();
  request.updated_at = now;
  return request;
}

Payment payment_of(const Ready& ready, const Outcome& outcome, Instant now) {
  Payment out;
  out.id = ready.id;
  out.merchant_id = ready.merchant_id;
  out.payment_request_id = ready.payment_request_id;
  out.conversation_id = ready.conversation_id;
  out.buyer_id = ready.buyer_id;
  out.amount = ready.total;
  out.state = kLifecycle.advance(State::created, Event::capture);
  out.processor = ready.processor;
  out.reference = outcome.reference;
  out.created_at = ready.created_at;
  out.updated_at = now;
  return out;
}

orders::Sale sale_of(const Ready& ready, const Request& request) {
  const auto due = fee_of(identity::FeeRate{ready.basis_points, ready.fixed}, ready.total);
  return {ready.merchant_id, ready.conversation_id,
          ready.buyer_id,    ready.id,
          request.title,     request.lines,
          ready.total,       std::min(due, ready.total.amount - 1),
          ready.ship_to,     ready.country,
          request.breakdown};
}

// One of them, and where it was told.
struct Capture {
  std::size_t place = 0;
  Ready ready;
  const Told* told = nullptr;
};

// In the order of the locks: those of the rows are held.
class Captures {
 public:
  Captures(Tx& tx, std::vector<Capture> all, const Rules& rules)
      : tx_(tx), all_(std::move(all)), rules_(rules) {}

  std::vector<Accepted> write() {
    write_rows();
    std::vector<Accepted> done;
    for (const auto& [place, ready, told] : all_)
      done.push_back({paid(told->request ? *told->request : request_of(ready), tx_.now()),
                      payment_of(ready, told->outcome, tx_.now()),
                      {}});
    for (const auto& one : done)
      if (rules_.paid) rules_.paid(tx_, one.payment_request);
    post();
    take_stock();
    forget_ends();
    make_orders(done);
    return done;
  }

 private:
  void write_rows() {
    Column<MerchantId> merchants;
    Column<RequestId> requests;
    Column<PaymentId> payments;
    Column<std::string> references;
    Column<std::optional<std::int64_t>> fees;
    std::vector<attempts::Charged> charged;
    for (const auto& [place, ready, told] : all_) {
      const auto& outcome = told->outcome;
      merchants.push_back(ready.merchant_id);
      requests.push_back(ready.payment_request_id);
      payments.push_back(ready.id);
      references.push_back(outcome.reference);
      fees.push_back(outcome.fee);
      charged.push_back({ready.merchant_id, ready.attempt_id, outcome.reference, outcome.fee});
    }
    tx_.run(kWrite, merchants, requests, payments, references, fees, tx_.now(),
            std::ssize(payments));
    attempts::succeed(tx_, charged);
  }

  void post() {
    using ledger::Kind, ledger::Why;
    ledger::Batch batch;
    for (const auto& [place, ready, told] : all_) {
      batch.post(ledger::transfer_within(ready.merchant_id, Why::capture, ready.id.uuid,
                                         Kind::processor_clearing, Kind::held, ready.total));
      const auto fee = told->outcome.fee.value_or(0);
      if (fee == 0) continue;
      batch.post(ledger::transfer_within(ready.merchant_id, Why::processor_fee, ready.id.uuid,
                                         Kind::processor_fees, Kind::processor_clearing,
                                         {fee, ready.total.currency}));
    }
    batch.write(tx_);
  }

  void take_stock() {
    std::vector<catalog::Basket> baskets;
    for (const auto& capture : all_)
      if (const auto& held = capture.ready.held)
        baskets.push_back({capture.ready.merchant_id, held->items});
    catalog::take(tx_, baskets);
  }

  // Of a purchase that was paid at the first try nobody has planned the end.
  void forget_ends() {
    std::vector<std::string> ids;
    for (const auto& capture : all_)
      if (capture.ready.asked_at != capture.ready.created_at)
        ids.push_back(text_of(capture.ready.payment_request_id));
    jobs::cancel(tx_, kExpireJob, ids);
  }

  void make_orders(std::vector<Accepted>& done) {
    conversations::Log log;
    std::vector<orders::Sale> sales;
    for (const auto& one : done) tell_request(log, one.payment_request, "payment_request.paid", {});
    for (std::size_t i = 0; i < done.size(); ++i)
      sales.push_back(sale_of(all_[i].ready, done[i].payment_request));
    const auto orders = orders::place(tx_, sales, rules_.cancel_after, log);
    risk::assess(tx_, orders, rules_.limits);
    log.write(tx_);
    for (std::size_t i = 0; i < done.size(); ++i) done[i].order = orders[i];
  }

  Tx& tx_;
  std::vector<Capture> all_;
  const Rules& rules_;
};

// Those that are plain, each once.
std::vector<Capture> hold(Tx& tx, const std::vector<Told>& told) {
  std::map<PaymentId, std::size_t> places;
  for (std::size_t i = 0; i < told.size(); ++i)
    if (is_plain(told[i].outcome)) places.emplace(told[i].payment, i);
  std::vector<Capture> all;
  if (places.empty()) return all;
  Column<MerchantId> merchants;
  Column<PaymentId> payments;
  Column<bool> known;
  for (const auto& [id, place] : places) {
    merchants.push_back(told[place].merchant);
    payments.push_back(id);
    known.push_back(told[place].request.has_value());
  }
  const auto count = std::ssize(payments);
  for (auto& ready : tx.all(kHoldReady, merchants, payments, known, count, tx.now())) {
    const auto place = places.at(ready.id);
    if (is_about(told[place].outcome, ready))
      all.push_back({place, std::move(ready), &told[place]});
  }
  return all;
}

}  // namespace

std::vector<std::optional<Accepted>> settle(Tx& tx, const std::vector<Told>& told,
                                            const Rules& rules) {
  std::vector<std::optional<Accepted>> outcomes(told.size());
  auto all = hold(tx, told);
  if (all.empty()) return outcomes;
  std::vector<std::size_t> places;
  for (const auto& capture : all) places.push_back(capture.place);
  auto done = Captures(tx, std::move(all), rules).write();
  for (std::size_t i = 0; i < done.size(); ++i) outcomes[places[i]] = std::move(done[i]);
  return outcomes;
}

}  // namespace bottega::payments
