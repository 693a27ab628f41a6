#include "payments/begin_rows.hpp"

#include <set>

namespace bottega::payments {
namespace {

template <class T>
using Column = std::vector<T>;

// Requests that are new begin as they are being paid. Each holds on to its conversation: in the
// order in which everybody locks several of them.
const Sql<void(
    Column<bool>, Column<MerchantId>, Column<RequestId>, Column<PaymentId>, Column<ConversationId>,
    Column<AccountId>, Column<std::string>, Column<std::string>, Column<orders::Lines>,
    Column<std::int64_t>, Column<Currency>, Column<ShippingAddress>, Column<Instant>,
    Column<std::string>, Column<Origin>, Column<std::optional<pricing::Breakdown>>,
    Column<std::optional<Contact>>, Column<std::optional<orders::Address>>, Column<std::string>,
    Column<std::optional<orders::Address>>, Column<std::optional<Held>>, Instant, std::int64_t)>
    kWrite{"payments.begin_all", R"(
    WITH given AS MATERIALIZED (
      SELECT is_new, merchant_id, request_id, payment_id, conversation_id, buyer_id, title,
             description, lines, total, currency, shipping_address, expires_at, created_by, origin,
             breakdown, contact, priced_for, processor, ship_to, held
      FROM unnest($1::boolean[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
                  $7::text[], $8::text[], $9::jsonb[], $10::bigint[], $11::text[], $12::text[],
                  $13::timestamptz[], $14::text[], $15::text[], $16::jsonb[], $17::jsonb[],
                  $18::jsonb[], $19::text[], $20::jsonb[], $21::jsonb[])
             AS one (is_new, merchant_id, request_id, payment_id, conversation_id, buyer_id, title,
                     description, lines, total, currency, shipping_address, expires_at, created_by,
                     origin, breakdown, contact, priced_for, processor, ship_to, held)
      LIMIT $23::bigint),
    requested AS (
      INSERT INTO payment_requests (merchant_id, id, conversation_id, buyer_id, title, description,
                                    lines, total, currency, shipping_address, expires_at,
                                    created_by, state, created_at, updated_at, origin, breakdown,
                                    contact, ship_to)
      SELECT merchant_id, request_id, conversation_id, buyer_id, title, description, lines, total,
             currency, shipping_address, expires_at, created_by, 'paying', $22::timestamptz,
             $22::timestamptz, origin, breakdown, contact, priced_for
      FROM given WHERE is_new ORDER BY conversation_id),
    moved AS (
      UPDATE payment_requests r
      SET state = 'paying', reason = NULL, updated_at = $22::timestamptz
      FROM given g
      WHERE NOT g.is_new AND r.merchant_id = g.merchant_id AND r.id = g.request_id)
    INSERT INTO payments (merchant_id, id, payment_request_id, conversation_id, buyer_id, amount,
                          currency, processor, ship_to, state, created_at, updated_at, held)
    SELECT merchant_id, payment_id, request_id, conversation_id, buyer_id, total, currency,
           processor, ship_to, 'created', $22::timestamptz, $22::timestamptz, held
    FROM given)"};

struct Open {
  MerchantId merchant_id;
  PaymentId id;
};
BOOST_DESCRIBE_STRUCT(Open, (), (merchant_id, id))

const Sql<Open(PaymentId, PaymentId)> kOpen{"payments.open_between", R"(
    SELECT merchant_id, id FROM payments
    WHERE state IN ('created', 'requires_action', 'authorized', 'unknown') AND id >= $1 AND id < $2
    ORDER BY id)"};

// Those that are made within this share a job.
using Window = std::chrono::seconds;

// Nodes do not wait for each other where they write theirs.
const std::string& process() {
  static const std::string kName = typeid_suffix(make_uuid_v7());
  return kName;
}

struct Columns {
  Column<bool> is_new;
  Column<MerchantId> merchants;
  Column<RequestId> requests;
  Column<PaymentId> payments;
  Column<ConversationId> conversations;
  Column<AccountId> buyers;
  Column<std::string> titles, descriptions, makers, processors;
  Column<orders::Lines> lines;
  Column<std::int64_t> totals;
  Column<Currency> currencies;
  Column<ShippingAddress> shippings;
  Column<Instant> expiries;
  Column<Origin> origins;
  Column<std::optional<pricing::Breakdown>> breakdowns;
  Column<std::optional<Contact>> contacts;
  Column<std::optional<orders::Address>> priced_for, addresses;
  Column<std::optional<Held>> held;

  void add(const Draft& draft) {
    const auto& request = draft.request;
    is_new.push_back(draft.is_new);
    merchants.push_back(request.merchant_id);
    requests.push_back(request.id);
    payments.push_back(draft.payment_id);
    conversations.push_back(request.conversation_id);
    buyers.push_back(request.buyer_id);
    titles.push_back(request.title);
    descriptions.push_back(request.description);
    makers.push_back(draft.made_by);
    processors.push_back(draft.to.processor);
    lines.push_back(request.lines);
    totals.push_back(request.total.amount);
    currencies.push_back(request.total.currency);
    shippings.push_back(request.shipping_address);
    expiries.push_back(request.expires_at);
    origins.push_back(request.origin);
    breakdowns.push_back(request.breakdown);
    contacts.push_back(request.contact);
    priced_for.push_back(request.ship_to);
    addresses.push_back(draft.ship_to);
    held.push_back(draft.held.empty() ? std::nullopt : std::optional(Held{draft.held}));
  }
  void write(Tx& tx) const {
    tx.run(kWrite, is_new, merchants, requests, payments, conversations, buyers, titles,
           descriptions, lines, totals, currencies, shippings, expiries, makers, origins,
           breakdowns, contacts, priced_for, processors, addresses, held, tx.now(),
           std::ssize(merchants));
  }
};

}  // namespace

void write_begun(Tx& tx, const std::vector<Draft*>& drafts) {
  Columns columns;
  for (const auto* draft : drafts) columns.add(*draft);
  columns.write(tx);
}

void want_reconciliation(Tx& tx, const std::vector<Draft*>& drafts, Instant at) {
  std::set<std::int64_t> windows;
  for (const auto* draft : drafts)
    windows.insert(
        std::chrono::floor<Window>(made_at(draft->payment_id.uuid)).time_since_epoch().count());
  std::vector<jobs::Planned> planned;
  for (const auto window : windows)
    planned.push_back(
        {std::to_string(window) + "." + process(), {{"second", window}}, at + Window(1)});
  jobs::enqueue(tx, kReconcileManyJob, planned);
}

asio::awaitable<void> reconcile_each(Database& db, const jobs::Job& job) {
  const Instant from{Window(job.arguments.at("second").get<std::int64_t>())};
  const auto first = PaymentId::least_of(from), last = PaymentId::least_of(from + Window(1));
  co_await db.transact([&](Tx& tx) {
    std::vector<jobs::Planned> planned;
    for (const auto& open : tx.all(kOpen, first, last))
      planned.push_back({text_of(open.id), {{"merchant_id", text_of(open.merchant_id)}}, tx.now()});
    jobs::enqueue(tx, kReconcileJob, planned);
  });
}

}  // namespace bottega::payments
