// Each section is a list, read in pages by the id of its rows. These statements begin with a person
// and name no merchant.
#include "privacy/collect.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "privacy/collect_rows.hpp"
#include "bottega/disputes/top_ups.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::privacy {
namespace {

// The id of a row of whichever kind, as the position of a page.
using RowId = Id<"row">;
template <class Row>
using Pages = Sql<Row(AccountId, RowId, std::int64_t)>;

constexpr std::int64_t kPage = 200;

const Pages<identity::Account> kAccount{"privacy.account", R"(
    SELECT id, number, email, name, staff_role, state, created_at, is_guest FROM accounts
    WHERE id = $1 AND id > $2 LIMIT $3)"};

const Pages<GuestWords> kGuest{"privacy.guest", R"(
    SELECT account_id AS id, name, email, created_at FROM guests
    WHERE account_id = $1 AND account_id > $2 LIMIT $3)"};

const Pages<Preferences> kPreferences{"privacy.preferences", R"(
    SELECT account_id AS id, show_presence, show_typing, push_content FROM preferences
    WHERE account_id = $1 AND account_id > $2 LIMIT $3)"};

const Pages<LastSeen> kLastSeen{"privacy.last_seen", R"(
    SELECT account_id AS id, at FROM last_seen
    WHERE account_id = $1 AND account_id > $2 LIMIT $3)"};

const Pages<Session> kSessions{"privacy.sessions", R"(
    SELECT id, user_agent, address, created_at, last_used_at, expires_at, revoked_at FROM sessions
    WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<Device> kDevices{"privacy.devices", R"(
    SELECT id, kind, origin, content, created_at FROM push_subscriptions
    WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<Membership> kMemberships{"privacy.memberships", R"(
    SELECT m.merchant_id AS id, s.name, m.role, m.created_at
    FROM merchant_members m JOIN merchants s ON s.id = m.merchant_id
    WHERE m.account_id = $1 AND m.merchant_id > $2 ORDER BY m.merchant_id LIMIT $3)"};

const Pages<Key> kKeys{"privacy.api_keys", R"(
    SELECT id, merchant_id, name, last_four, created_at, last_used_at, revoked_at FROM api_keys
    WHERE created_by = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<Talk> kTalks{"privacy.conversations", R"(
    SELECT c.id, c.merchant_id, m.name AS merchant_name, c.last_seq, c.created_at, c.last_entry_at,
           c.blocked_by_buyer, k.delivered_seq, k.read_seq
    FROM conversations c JOIN merchants m ON m.id = c.merchant_id
         LEFT JOIN markers k ON k.merchant_id = c.merchant_id AND k.conversation_id = c.id
                                AND k.account_id = c.buyer_id
    WHERE c.buyer_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3)"};

// What somebody wrote as a member of a shop; the conversations are the buyers'.
const Pages<Written> kWritten{"privacy.written_for_shops", R"(
    SELECT t.id, t.merchant_id, t.conversation_id, t.seq, t.at, e.data->>'text' AS text
    FROM entry_texts t
         JOIN entries e ON e.merchant_id = t.merchant_id AND e.conversation_id = t.conversation_id
                           AND e.seq = t.seq
         JOIN conversations c ON c.merchant_id = t.merchant_id AND c.id = t.conversation_id
    WHERE t.author_id = $1 AND t.id > $2 AND c.buyer_id <> $1 ORDER BY t.id LIMIT $3)"};

const Pages<OwnNote> kNotes{"privacy.notes", R"(
    SELECT id, merchant_id, conversation_id, text, created_at FROM notes
    WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<OwnOrderNote> kOrderNotes{"privacy.order_notes", R"(
    SELECT id, merchant_id, order_id, text, created_at FROM order_notes
    WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<OwnReport> kReports{"privacy.reports", R"(
    SELECT id, conversation_id, reason, text, created_at FROM reports
    WHERE reported_by = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<OwnCase> kCases{"privacy.support_cases", R"(
    SELECT id, merchant_id, kind, subject, state, order_id, rating, comment, created_at, solved_at,
           closed_at
    FROM support_cases WHERE opened_by = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<CaseWords> kCaseWords{"privacy.case_messages", R"(
    SELECT id, case_id, text, created_at FROM case_messages
    WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<Withdrawn> kWithdrawn{"privacy.contract_withdrawals", R"(
    SELECT order_id AS id, merchant_id, amount AS refund, currency, content, declared_at
    FROM contract_withdrawals WHERE buyer_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3)"};

const Pages<returns::Return> kReturns{"privacy.returns", R"(
    SELECT id, merchant_id, order_id, conversation_id, buyer_id, state, reason, note, lines,
           decision, return_by, received, restocked, currency, proposed, amount, refund_id,
           created_at, updated_at, decided_at, received_at, ended_at
    FROM returns WHERE buyer_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};
// By the conversation, of which each has one.
const Pages<OwnCart> kCarts{"privacy.carts", R"(
    SELECT k.conversation_id AS id, k.merchant_id, k.lines, k.updated_at
    FROM conversations c
         JOIN carts k ON k.merchant_id = c.merchant_id AND k.conversation_id = c.id
    WHERE c.buyer_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3)"};

const Pages<attachments::Stored> kFiles{"privacy.attachments", R"(
    SELECT id, merchant_id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
           sha256, width, height, thumbnail_bytes, created_at
    FROM attachments WHERE uploaded_by = $1 AND id > $2 AND state <> 'deleted'
    ORDER BY id LIMIT $3)"};

const Pages<payments::Request> kRequests{"privacy.payment_requests", R"(
    SELECT id, merchant_id, conversation_id, buyer_id, title, description, lines, total, currency,
           shipping_address, state, reason, expires_at, created_at, updated_at, origin, breakdown,
           contact, ship_to, payment_link_id
    FROM payment_requests WHERE buyer_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<payments::Payment> kPayments{"privacy.payments", R"(
    SELECT p.id, p.merchant_id, p.payment_request_id, p.conversation_id, p.buyer_id, p.amount,
           p.currency, p.refunded, p.refunding, p.disputed, p.state, p.processor, p.reference,
           p.reason, NULL::text AS action_url, p.created_at, p.updated_at
    FROM payments p WHERE p.buyer_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3)"};

const Pages<orders::Order> kOrders{"privacy.orders", R"(
    SELECT id, number, merchant_id, conversation_id, buyer_id, payment_id, title, lines, total,
           currency, state, fulfilment, ship_to, ship_by, carrier, tracking_number, reason,
           card_seq, breakdown, created_at, shipped_at, delivered_at, completed_at,
           cancelled_at, withdrawn_at
    FROM orders WHERE buyer_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

// The first parcel of an order has the order's id.
const Pages<orders::Shipment> kShipments{"privacy.shipments", R"(
    SELECT s.id, s.order_id, s.carrier, s.tracking_number, s.tracking_url, s.lines, s.status,
           s.status_at, s.created_at, s.shipped_at, s.delivered_at
    FROM orders o
         CROSS JOIN LATERAL (
           SELECT f.id FROM shipments f WHERE f.merchant_id = o.merchant_id AND f.id = o.id
           UNION ALL
           SELECT m.id FROM shipments m
           WHERE m.merchant_id = o.merchant_id AND m.order_id = o.id AND m.id <> m.order_id) parcel
         JOIN shipments s ON s.merchant_id = o.merchant_id AND s.id = parcel.id
    WHERE o.buyer_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3)"};

const Pages<payments::Refund> kRefunds{"privacy.refunds", R"(
    SELECT f.id, f.merchant_id, f.payment_id, f.order_id, f.amount, f.currency, f.reason, f.state,
           f.reference, f.failure, f.created_at, f.updated_at
    FROM orders o JOIN refunds f ON f.merchant_id = o.merchant_id AND f.payment_id = o.payment_id
    WHERE o.buyer_id = $1 AND f.id > $2 ORDER BY f.id LIMIT $3)"};

const Pages<wallet::PaymentMethod> kMethods{"privacy.payment_methods", R"(
    SELECT id, brand, last_four, expiry_month, expiry_year, is_default, created_at
    FROM payment_methods WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<wallet::TopUp> kTopUps{"privacy.top_ups", R"(
    SELECT id, account_id, amount, currency, state, transfer_id, processor, reference, reason,
           NULL::text AS action_url, disputed, created_at, updated_at
    FROM top_ups WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<disputes::TopUpDisputeShown> kTopUpDisputes{"privacy.top_up_disputes", R"(
    SELECT id, top_up_id, amount, currency, state FROM top_up_disputes
    WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<wallet::Withdrawal> kWithdrawals{"privacy.withdrawals", R"(
    SELECT id, account_id, payment_method_id, amount, currency, state, processor, reference, reason,
           created_at, updated_at
    FROM withdrawals WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3)"};

const Pages<wallet::Transfer> kTransfers{"privacy.transfers", R"(
    SELECT t.id, t.sender_id, t.recipient_id, s.name AS sender_name, r.name AS recipient_name,
           t.amount, t.currency, t.note, t.state, t.reason, NULL::uuid AS top_up_id, t.created_at,
           t.expires_at, t.ended_at
    FROM transfers t JOIN accounts s ON s.id = t.sender_id JOIN accounts r ON r.id = t.recipient_id
    WHERE (t.sender_id = $1
           OR t.recipient_id = $1 AND t.state NOT IN ('funding', 'failed'))
      AND t.id > $2 ORDER BY t.id LIMIT $3)"};

// The document as it grows.
class Sheet {
 public:
  Sheet(Database& with, AccountId whose, const Put& into) : db(with), account(whose), put_(into) {}

  Database& db;
  const AccountId account;

  void open(std::string_view name) {
    text_ += ",\n\"" + std::string(name) + "\": [";
    is_first_ = true;
  }
  void add(const Json& item) {
    text_ += (is_first_ ? "\n" : ",\n") + item.dump();
    is_first_ = false;
  }
  void close() { text_ += "\n]"; }
  void write(std::string_view text) { text_ += text; }
  asio::awaitable<void> flush() {
    const auto ready = std::exchange(text_, {});
    co_await put_(ready);
  }

 private:
  const Put& put_;
  std::string text_;
  bool is_first_ = true;
};

template <class Row>
asio::awaitable<void> section(Sheet& sheet, std::string_view name, const Pages<Row>& pages) {
  sheet.open(name);
  RowId after;
  for (bool more = true; more;) {
    const auto rows =
        co_await sheet.db.read([&](Tx& tx) { return tx.all(pages, sheet.account, after, kPage); });
    for (const auto& row : rows) {
      sheet.add(to_json(row));
      after = RowId{row.id.uuid};
    }
    co_await sheet.flush();
    more = rows.size() == static_cast<std::size_t>(kPage);
  }
  sheet.close();
}

// The whole log of a conversation in which the person is the buyer.
asio::awaitable<void> log_of(Sheet& sheet, MerchantId merchant, ConversationId id) {
  std::int64_t after = 0;
  for (bool more = true; more;) {
    const auto events = co_await sheet.db.read(
        [&](Tx& tx) { return conversations::log_of(tx, merchant, id, after, kPage); });
    for (const auto& event : events) {
      sheet.add(to_frame(event));
      after = event.seq;
    }
    co_await sheet.flush();
    more = events.size() == static_cast<std::size_t>(kPage);
  }
}

asio::awaitable<void> entries(Sheet& sheet) {
  sheet.open("entries");
  RowId after;
  for (bool more = true; more;) {
    const auto talks =
        co_await sheet.db.read([&](Tx& tx) { return tx.all(kTalks, sheet.account, after, kPage); });
    for (const auto& talk : talks) {
      co_await log_of(sheet, talk.merchant_id, talk.id);
      after = RowId{talk.id.uuid};
    }
    more = talks.size() == static_cast<std::size_t>(kPage);
  }
  sheet.close();
}

}  // namespace

asio::awaitable<void> collect(Database& db, AccountId account, const Put& put) {
  Sheet sheet(db, account, put);
  sheet.write("{\"format\": \"bottega.export.1\"");
  co_await section(sheet, "account", kAccount);
  co_await section(sheet, "guest", kGuest);
  co_await section(sheet, "preferences", kPreferences);
  co_await section(sheet, "last_seen", kLastSeen);
  co_await section(sheet, "sessions", kSessions);
  co_await section(sheet, "push_subscriptions", kDevices);
  co_await section(sheet, "memberships", kMemberships);
  co_await section(sheet, "api_keys", kKeys);
  co_await section(sheet, "conversations", kTalks);
  co_await entries(sheet);
  co_await section(sheet, "written_for_shops", kWritten);
  co_await section(sheet, "notes", kNotes);
  co_await section(sheet, "order_notes", kOrderNotes);
  co_await section(sheet, "reports", kReports);
  co_await section(sheet, "support_cases", kCases);
  co_await section(sheet, "case_messages", kCaseWords);
  co_await section(sheet, "contract_withdrawals", kWithdrawn);
  co_await section(sheet, "carts", kCarts);
  co_await section(sheet, "attachments", kFiles);
  co_await section(sheet, "payment_requests", kRequests);
  co_await section(sheet, "payments", kPayments);
  co_await section(sheet, "orders", kOrders);
  co_await section(sheet, "shipments", kShipments);
  co_await section(sheet, "returns", kReturns);
  co_await section(sheet, "refunds", kRefunds);
  co_await section(sheet, "payment_methods", kMethods);
  co_await section(sheet, "top_ups", kTopUps);
  co_await section(sheet, "top_up_disputes", kTopUpDisputes);
  co_await section(sheet, "withdrawals", kWithdrawals);
  co_await section(sheet, "transfers", kTransfers);
  sheet.write("\n}\n");
  co_await sheet.flush();
}

}  // namespace bottega::privacy
