// Orders are made by what was paid for: those of many payments in a few statements.
#include "orders/rows.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::orders {
namespace {

template <class T>
using Column = std::vector<T>;

constexpr int kShipByBusinessDays = 3, kNumberTries = 5;

struct Placed {
  OrderId id;
  std::int64_t card_seq = 0;
};
BOOST_DESCRIBE_STRUCT(Placed, (), (id, card_seq))

// Its card is an entry that is gathered already, so many behind the last that is written: the
// conversation's row is held from here to the entries, and nobody else can come between. No row
// where the shop has given out the number. The limit says how many they are (see
// conversations.write_entries).
const Sql<Placed(Column<MerchantId>, Column<OrderId>, Column<ConversationId>, Column<AccountId>,
                 Column<PaymentId>, Column<std::string>, Column<Lines>, Column<std::int64_t>,
                 Column<Currency>, Column<std::int64_t>, Column<std::optional<Address>>,
                 Column<Instant>, Column<std::string>, Column<std::int64_t>, Instant, std::int64_t,
                 Column<std::optional<pricing::Breakdown>>)>
    kInsert{"orders.insert", R"(
    INSERT INTO orders (merchant_id, id, conversation_id, buyer_id, payment_id, title, lines, total,
                        currency, fee, ship_to, ship_by, state, fulfilment, created_at, number,
                        card_seq, breakdown)
    SELECT s.merchant_id, s.id, s.conversation_id, s.buyer_id, s.payment_id, s.title, s.lines,
           s.total, s.currency, s.fee, s.ship_to, s.ship_by, 'paid', 'none', $15::timestamptz,
           s.number, c.last_seq + s.nth, s.breakdown
    FROM (SELECT merchant_id, id, conversation_id, buyer_id, payment_id, title, lines, total,
                 currency, fee, ship_to, ship_by, number, nth, breakdown
          FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
                      $7::jsonb[], $8::bigint[], $9::text[], $10::bigint[], $11::jsonb[],
                      $12::timestamptz[], $13::text[], $14::bigint[], $17::jsonb[])
                 AS sale (merchant_id, id, conversation_id, buyer_id, payment_id, title, lines,
                          total, currency, fee, ship_to, ship_by, number, nth, breakdown)
          LIMIT $16::bigint) s
         JOIN conversations c ON c.merchant_id = s.merchant_id AND c.id = s.conversation_id
    ORDER BY c.id FOR NO KEY UPDATE OF c
    ON CONFLICT (merchant_id, number) DO NOTHING
    RETURNING id, card_seq)"};

struct Unsent {
  MerchantId merchant_id;
  OrderId id;
};
BOOST_DESCRIBE_STRUCT(Unsent, (), (merchant_id, id))

const Sql<Unsent(Column<OrderId>)> kUnsent{"orders.unsent", R"(
    SELECT o.merchant_id, o.id
    FROM unnest($1::uuid[]) AS u (id) JOIN directory d ON d.id = u.id
         JOIN orders o ON o.merchant_id = d.merchant_id AND o.id = u.id
    WHERE o.state = 'paid' ORDER BY o.id)"};

struct Columns {
  Column<MerchantId> merchants;
  Column<OrderId> ids;
  Column<ConversationId> conversations;
  Column<AccountId> buyers;
  Column<PaymentId> payments;
  Column<std::string> titles;
  Column<Lines> lines;
  Column<std::int64_t> totals;
  Column<Currency> currencies;
  Column<std::int64_t> fees;
  Column<std::optional<Address>> addresses;
  Column<Instant> ship_bys;
  Column<std::string> numbers;
  Column<std::int64_t> nths;
  Column<std::optional<pricing::Breakdown>> breakdowns;

  void add(const Order& order, std::int64_t fee, std::int64_t nth) {
    merchants.push_back(order.merchant_id);
    ids.push_back(order.id);
    conversations.push_back(order.conversation_id);
    buyers.push_back(order.buyer_id);
    payments.push_back(order.payment_id);
    titles.push_back(order.title);
    lines.push_back(order.lines);
    totals.push_back(order.total.amount);
    currencies.push_back(order.total.currency);
    fees.push_back(fee);
    addresses.push_back(order.ship_to);
    ship_bys.push_back(order.ship_by);
    numbers.push_back(order.number);
    nths.push_back(nth);
    breakdowns.push_back(order.breakdown);
  }
  std::vector<Placed> insert(Tx& tx) const {
    return tx.all(kInsert, merchants, ids, conversations, buyers, payments, titles, lines, totals,
                  currencies, fees, addresses, ship_bys, numbers, nths, tx.now(), std::ssize(ids),
                  breakdowns);
  }
};

// All but what the database has a word in: its number, and the seq of its card.
Order order_of(const Sale& sale, Instant now) {
  const auto& calendar = Calendars::built_in().of(sale.country.value);
  Order order;
  order.merchant_id = sale.merchant_id;
  order.conversation_id = sale.conversation_id;
  order.buyer_id = sale.buyer_id;
  order.payment_id = sale.payment_id;
  order.title = sale.title;
  order.lines = sale.lines;
  order.total = sale.total;
  order.state = State::paid;
  order.fulfilment = Fulfilment::none;
  order.ship_to = sale.ship_to;
  order.breakdown = sale.breakdown;
  order.ship_by = calendar.add_business_days(now, kShipByBusinessDays);
  order.created_at = now;
  return order;
}

// How far behind the last entry of its conversation the card of each will be.
std::vector<std::int64_t> places_of(const std::vector<Sale>& sales, const conversations::Log& log) {
  std::map<ConversationId, std::int64_t> cards;
  std::vector<std::int64_t> nths;
  for (const auto& sale : sales)
    nths.push_back(log.gathered(sale.conversation_id) + ++cards[sale.conversation_id]);
  return nths;
}

// A number that the shop has given out, as one in thirty thousand millions is for each order that
// it has, is tried again with another id.
void insert(Tx& tx, std::vector<Order>& orders, const std::vector<Sale>& sales,
            const std::vector<std::int64_t>& nths) {
  for (int tries = 0; tries < kNumberTries; ++tries) {
    Columns columns;
    std::map<OrderId, Order*> fresh;
    for (std::size_t i = 0; i < orders.size(); ++i) {
      auto& order = orders[i];
      if (order.card_seq) continue;
      order.id = OrderId::make();
      order.number = number_of(order.id);
      columns.add(order, sales[i].fee, nths[i]);
      fresh.emplace(order.id, &order);
    }
    if (fresh.empty()) return;
    const auto placed = columns.insert(tx);
    for (const auto& row : placed) fresh.at(row.id)->card_seq = row.card_seq;
    if (placed.size() == fresh.size()) return;
  }
  throw Error(Code::internal, "no number is free for the order");
}

void want_cancelling(Tx& tx, const std::vector<Unsent>& orders, Instant at) {
  std::vector<jobs::Planned> planned;
  for (const auto& order : orders)
    planned.push_back({text_of(order.id), {{"merchant_id", text_of(order.merchant_id)}}, at});
  jobs::enqueue(tx, kCancelJob, planned);
}

// Of several together there is one job, which is nobody's to take back: it looks for itself which
// of them were sent.
void plan_cancelling(Tx& tx, const std::vector<Order>& orders, Instant at) {
  if (orders.size() == 1)
    return want_cancelling(tx, {{orders.front().merchant_id, orders.front().id}}, at);
  Json ids = Json::array();
  for (const auto& order : orders) ids.push_back(text_of(order.id));
  const Json arguments = {{"orders", std::move(ids)}};
  jobs::enqueue(tx, kCancelManyJob, text_of(orders.front().id), arguments, at);
}

}  // namespace

std::vector<Order> place(Tx& tx, const std::vector<Sale>& sales, std::chrono::days cancel_after,
                         conversations::Log& log) {
  std::vector<Order> orders;
  if (sales.empty()) return orders;
  for (const auto& sale : sales) orders.push_back(order_of(sale, tx.now()));
  insert(tx, orders, sales, places_of(sales, log));
  std::vector<std::pair<Uuid, MerchantId>> entered;
  for (const auto& order : orders) entered.emplace_back(order.id.uuid, order.merchant_id);
  identity::enter_directory(tx, entered);
  plan_cancelling(tx, orders, tx.now() + cancel_after);
  for (const auto& order : orders)
    tell(log, order, "order.created", text_of(order.state), nullptr, order.card_seq);
  return orders;
}

Order place(Tx& tx, const Sale& sale, std::chrono::days cancel_after) {
  conversations::Log log;
  auto orders = place(tx, std::vector{sale}, cancel_after, log);
  log.write(tx);
  return std::move(orders.front());
}

asio::awaitable<void> cancel_each(Database& db, const jobs::Job& job) {
  const auto ids = from_json<std::vector<OrderId>>(job.arguments.at("orders"));
  co_await db.transact([&](Tx& tx) { want_cancelling(tx, tx.all(kUnsent, ids), tx.now()); });
}

}  // namespace bottega::orders
