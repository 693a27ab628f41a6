#include "bottega/privacy/erasure.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/disputes/disputes.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/identity/preferences.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/privacy/exports.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/support/support.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::privacy {
namespace {

using conversations::ConversationId;
using identity::MerchantId;

constexpr std::int64_t kPlaces = 200, kMessages = 100;
// What is shown where the name of the person was.
constexpr std::string_view kNobody = "Deleted account";

struct Holder {
  std::optional<Instant> erased_at;
};
BOOST_DESCRIBE_STRUCT(Holder, (), (erased_at))

// A shop that has no other owner.
struct OwnShop {
  MerchantId id;
  bool has_money = false, has_others = false;
};
BOOST_DESCRIBE_STRUCT(OwnShop, (), (id, has_money, has_others))

struct Place {
  MerchantId merchant_id;
  ConversationId id;
};
BOOST_DESCRIBE_STRUCT(Place, (), (merchant_id, id))

const Sql<Holder(AccountId)> kHolder{"privacy.hold_person", R"(
    SELECT erased_at FROM accounts WHERE id = $1 FOR UPDATE)"};

const Sql<Holder(AccountId)> kErasedAt{"privacy.erased_at", R"(
    SELECT erased_at FROM accounts WHERE id = $1)"};

const Sql<orders::OrderId(AccountId)> kOrdersUnderWay{"privacy.orders_under_way", R"(
    SELECT id FROM orders
    WHERE buyer_id = $1 AND state IN ('paid', 'shipped', 'return_requested')
    ORDER BY id LIMIT 20)"};

const Sql<returns::ReturnId(AccountId)> kReturnsUnderWay{"privacy.returns_under_way", R"(
    SELECT id FROM returns WHERE buyer_id = $1 AND state = 'received' ORDER BY id LIMIT 20)"};

const Sql<payments::RequestId(AccountId)> kBeingPaid{"privacy.requests_being_paid", R"(
    SELECT id FROM payment_requests
    WHERE buyer_id = $1 AND state = 'paying' ORDER BY id LIMIT 20)"};

const Sql<payments::RefundId(AccountId)> kRefundsUnderWay{"privacy.refunds_under_way", R"(
    SELECT f.id
    FROM orders o JOIN refunds f ON f.merchant_id = o.merchant_id AND f.payment_id = o.payment_id
    WHERE o.buyer_id = $1 AND f.state IN ('pending', 'unknown') ORDER BY f.id LIMIT 20)"};

const Sql<disputes::DisputeId(AccountId)> kDisputesOpen{"privacy.disputes_open", R"(
    SELECT d.id
    FROM orders o JOIN disputes d ON d.merchant_id = o.merchant_id AND d.payment_id = o.payment_id
    WHERE o.buyer_id = $1 AND d.state NOT IN ('won', 'lost') ORDER BY d.id LIMIT 20)"};
const Sql<wallet::TransferId(AccountId)> kTransfersUnderWay{"privacy.transfers_under_way", R"(
    SELECT id FROM transfers
    WHERE (sender_id = $1 OR recipient_id = $1) AND state IN ('funding', 'pending')
    ORDER BY id LIMIT 20)"};

const Sql<wallet::TopUpId(AccountId)> kTopUpsUnderWay{"privacy.top_ups_under_way", R"(
    SELECT id FROM top_ups
    WHERE account_id = $1 AND state IN ('created', 'requires_action', 'unknown')
    ORDER BY id LIMIT 20)"};

const Sql<disputes::DisputeId(AccountId)> kTopUpDisputesOpen{"privacy.top_up_disputes_open", R"(
    SELECT id FROM top_up_disputes
    WHERE account_id = $1 AND state NOT IN ('won', 'lost') ORDER BY id LIMIT 20)"};

const Sql<wallet::WithdrawalId(AccountId)> kWithdrawalsUnderWay{"privacy.withdrawals_under_way",
                                                                R"(
    SELECT id FROM withdrawals
    WHERE account_id = $1 AND state IN ('pending', 'unknown') ORDER BY id LIMIT 20)"};

// That they moved money must be kept; what they paid with and said about it not.
const Sql<void(AccountId)> kForgetWallet{"privacy.forget_wallet", R"(
    WITH pin AS (DELETE FROM pins WHERE account_id = $1),
    methods AS (DELETE FROM payment_methods WHERE account_id = $1)
    UPDATE transfers SET note = NULL WHERE sender_id = $1 AND note IS NOT NULL)"};

const Sql<OwnShop(AccountId)> kOwnShops{"privacy.own_shops", R"(
    SELECT m.merchant_id AS id,
           EXISTS (SELECT FROM orders o WHERE o.merchant_id = m.merchant_id
                     AND o.state IN ('paid', 'shipped', 'return_requested'))
             OR EXISTS (SELECT FROM returns b
                        WHERE b.merchant_id = m.merchant_id AND b.state = 'received')
             OR EXISTS (SELECT FROM payment_requests r
                        WHERE r.merchant_id = m.merchant_id AND r.state IN ('open', 'paying'))
             OR EXISTS (SELECT FROM refunds f WHERE f.merchant_id = m.merchant_id
                          AND f.state IN ('pending', 'unknown'))
             OR EXISTS (SELECT FROM disputes d WHERE d.merchant_id = m.merchant_id
                          AND d.state NOT IN ('won', 'lost'))
             OR EXISTS (SELECT FROM payouts p WHERE p.merchant_id = m.merchant_id
                          AND p.state IN ('scheduled', 'held', 'submitted', 'failed'))
             AS has_money,
           EXISTS (SELECT FROM merchant_members o
                   WHERE o.merchant_id = m.merchant_id AND o.account_id <> $1) AS has_others
    FROM merchant_members m
    WHERE m.account_id = $1 AND m.role = 'owner'
      AND NOT EXISTS (SELECT FROM merchant_members o
                      WHERE o.merchant_id = m.merchant_id AND o.account_id <> $1
                        AND o.role = 'owner')
    ORDER BY m.merchant_id)"};

const Sql<MerchantId(AccountId)> kMemberships{"privacy.merchants_of", R"(
    SELECT merchant_id FROM merchant_members WHERE account_id = $1 ORDER BY merchant_id)"};

const Sql<void(AccountId)> kForgetGuest{"privacy.forget_guest", R"(
    DELETE FROM guests WHERE account_id = $1)"};

// Of a shop that nobody is left in.
const Sql<void(MerchantId, AccountId)> kLeaveEmpty{"privacy.leave_empty_shop", R"(
    DELETE FROM merchant_members WHERE merchant_id = $1 AND account_id = $2)"};

const Sql<identity::ApiKeyId(AccountId, Instant)> kRevokeKeys{"privacy.revoke_keys", R"(
    UPDATE api_keys SET revoked_at = $2
    WHERE created_by = $1 AND revoked_at IS NULL RETURNING id)"};

const Sql<void(AccountId, Instant)> kEndInvitations{"privacy.end_invitations", R"(
    UPDATE invitations SET ended_at = $2 WHERE invited_by = $1 AND ended_at IS NULL)"};

const Sql<void(AccountId, std::string, std::string, Instant)> kForgetPerson{"privacy.forget_person",
                                                                            R"(
    UPDATE accounts SET email = $2, name = $3, password_hash = '', staff_role = NULL,
                        state = 'suspended', erased_at = $4
    WHERE id = $1)"};

const Sql<void(AccountId)> kForgetSessions{"privacy.forget_sessions", R"(
    WITH access AS (
      DELETE FROM access_tokens t USING sessions s
      WHERE t.session_id = s.id AND s.account_id = $1),
    refresh AS (
      DELETE FROM refresh_tokens t USING sessions s
      WHERE t.session_id = s.id AND s.account_id = $1)
    UPDATE sessions SET user_agent = '', address = '' WHERE account_id = $1)"};

const Sql<void(AccountId)> kForgetDevices{"privacy.forget_devices", R"(
    WITH muted AS (DELETE FROM mutes WHERE account_id = $1)
    DELETE FROM push_subscriptions WHERE account_id = $1)"};

const Sql<void(AccountId)> kForgetPresence{"privacy.forget_presence", R"(
    WITH seen AS (DELETE FROM last_seen WHERE account_id = $1)
    DELETE FROM presences WHERE account_id = $1)"};

// Nobody can answer in them any more. Locked in the order in which messages lock them.
const Sql<void(AccountId)> kCloseTalks{"privacy.close_conversations", R"(
    WITH held AS MATERIALIZED (
      SELECT merchant_id, id FROM conversations WHERE buyer_id = $1 ORDER BY id FOR UPDATE)
    UPDATE conversations c SET blocked_by_buyer = true
    FROM held h WHERE c.merchant_id = h.merchant_id AND c.id = h.id)"};

const Sql<void(AccountId)> kForgetMails{"privacy.forget_mail_digests", R"(
    UPDATE discount_uses SET mail_digest = NULL WHERE buyer_id = $1 AND mail_digest IS NOT NULL)"};

const Sql<void(AccountId)> kForgetCarts{"privacy.forget_carts", R"(
    DELETE FROM carts k USING conversations c
    WHERE c.buyer_id = $1 AND k.merchant_id = c.merchant_id AND k.conversation_id = c.id)"};

// An order says where it went, as far as taxes ask.
const Sql<void(AccountId, std::string)> kForgetAddresses{"privacy.forget_addresses", R"(
    WITH paid AS (
      UPDATE payments p
      SET ship_to = p.ship_to || jsonb_build_object('name', $2::text, 'street', '-')
      FROM payment_requests r
      WHERE r.buyer_id = $1 AND p.merchant_id = r.merchant_id AND p.payment_request_id = r.id
        AND p.ship_to IS NOT NULL),
    asked AS (
      UPDATE payment_requests
      SET contact = NULL,
          ship_to = ship_to || jsonb_build_object('name', $2::text, 'street', '-')
      WHERE buyer_id = $1 AND (contact IS NOT NULL OR ship_to IS NOT NULL))
    UPDATE orders SET ship_to = ship_to || jsonb_build_object('name', $2::text, 'street', '-')
    WHERE buyer_id = $1 AND ship_to IS NOT NULL)"};

const Sql<void(AccountId)> kForgetNotes{"privacy.forget_notes", R"(
    WITH of_orders AS (DELETE FROM order_notes WHERE author_id = $1)
    DELETE FROM notes WHERE author_id = $1)"};

const Sql<void(AccountId)> kForgetReports{"privacy.forget_words_of_reports", R"(
    UPDATE reports SET text = NULL WHERE reported_by = $1 AND state = 'resolved')"};

// Nobody waits for an answer any more.
const Sql<void(AccountId, Instant)> kCloseCases{"privacy.close_support_cases", R"(
    UPDATE support_cases
    SET state = 'closed', closed_at = $2, waiting_since = NULL, due_at = NULL,
        hand_over_from = NULL, updated_at = $2
    WHERE opened_by = $1 AND kind = 'buyer' AND state <> 'closed')"};

// What they said in their cases' conversations is gone with their messages.
const Sql<void(AccountId)> kForgetCases{"privacy.forget_words_of_cases", R"(
    WITH said AS (DELETE FROM case_messages WHERE author_id = $1)
    UPDATE support_cases SET comment = NULL WHERE opened_by = $1 AND comment IS NOT NULL)"};

// That they sent something back must be kept, and why by its word; what they said about it not.
const Sql<void(AccountId, Instant)> kForgetReturns{"privacy.forget_words_of_returns", R"(
    UPDATE returns SET note = NULL, updated_at = $2 WHERE buyer_id = $1 AND note IS NOT NULL)"};

// Conversations in which somebody may have written, each once, by their id.
const Sql<Place(AccountId, ConversationId, std::int64_t)> kWhere{"privacy.written_where", R"(
    SELECT p.merchant_id, p.id
    FROM (SELECT merchant_id, id FROM conversations WHERE buyer_id = $1
          UNION SELECT merchant_id, conversation_id FROM entry_texts WHERE author_id = $1
          UNION SELECT merchant_id, conversation_id FROM attachments
                WHERE uploaded_by = $1 AND conversation_id IS NOT NULL) p
    WHERE p.id > $2 ORDER BY p.id LIMIT $3)"};

template <class IdType>
void add(Faults& faults, const std::vector<IdType>& ids, const std::string& detail) {
  for (const auto& id : ids) faults.push_back({text_of(id), detail});
}

// Money of the shop, of its buyers or its banks, or a debt; the rest of its accounts is the
// platform's own.
bool has_balance(Tx& tx, MerchantId shop) {
  using enum ledger::Kind;
  for (const auto& one : ledger::balances(tx, ledger::owner_of(shop))) {
    const bool counts = one.kind == held || one.kind == merchant_payable ||
                        one.kind == merchant_debt || one.kind == dispute_reserve;
    if (counts && (one.debits != one.credits || one.debits_pending + one.credits_pending > 0))
      return true;
  }
  return false;
}

void require_free(Tx& tx, AccountId account, const std::vector<OwnShop>& shops) {
  Faults faults;
  add(faults, tx.all(kBeingPaid, account), "is being paid");
  add(faults, tx.all(kOrdersUnderWay, account), "has not been delivered");
  add(faults, tx.all(kReturnsUnderWay, account), "has not been paid back");
  add(faults, tx.all(kRefundsUnderWay, account), "has not been paid back");
  add(faults, tx.all(kDisputesOpen, account), "has not been decided");
  add(faults, tx.all(kTransfersUnderWay, account), "has not been answered");
  add(faults, tx.all(kTopUpsUnderWay, account), "is being charged");
  add(faults, tx.all(kTopUpDisputesOpen, account), "has not been decided");
  add(faults, tx.all(kWithdrawalsUnderWay, account), "has not been paid out");
  for (const auto& one : ledger::balances(tx, ledger::owner_of(account))) {
    if (one.kind == ledger::Kind::wallet && one.credits - one.debits > one.debits_pending)
      faults.push_back({one.currency, "is left in the wallet; withdraw it first"});
    if (one.kind == ledger::Kind::wallet_debt && one.debits != one.credits)
      faults.push_back({one.currency, "is owed; a top-up pays it"});
  }
  for (const auto& shop : shops) {
    if (shop.has_money)
      faults.push_back({text_of(shop.id), "has orders, requests or payouts under way"});
    else if (has_balance(tx, shop.id))
      faults.push_back({text_of(shop.id), "has money or a debt"});
    else if (shop.has_others)
      faults.push_back({text_of(shop.id), "has members and would be without an owner"});
  }
  if (!faults.empty())
    throw Error(Code::conflict, "something is still under way; it must end first",
                std::move(faults));
}

void leave_shops(Tx& tx, AccountId account, const std::vector<OwnShop>& own) {
  for (const auto& merchant : tx.all(kMemberships, account)) {
    if (std::ranges::find(own, merchant, &OwnShop::id) != own.end())
      tx.run(kLeaveEmpty, merchant, account);
    else
      identity::remove_member(tx, merchant, account);
    support::release_all(tx, merchant, account);
    conversations::release_all(tx, merchant, account);
  }
  tx.run(kEndInvitations, account, tx.now());
  for (const auto& key : tx.all(kRevokeKeys, account, tx.now()))
    tx.announce({{text_of(key)}, text_of(key), 0, "end"});
}

}  // namespace

void begin_erasure(Tx& tx, AccountId account) {
  // Nothing comes into the wallet or leaves it from here on.
  ledger::lock_owner(tx, ledger::owner_of(account));
  if (tx.one(kHolder, account).erased_at) return;
  const auto shops = tx.all(kOwnShops, account);
  require_free(tx, account, shops);
  tx.run(kCloseCases, account, tx.now());
  leave_shops(tx, account, shops);
  identity::end_all_sessions(tx, account, "erased");
  tx.run(kForgetSessions, account);
  tx.run(kForgetDevices, account);
  tx.run(kForgetWallet, account);
  // Whose presence is hidden leaves no trace when their last socket closes.
  identity::set_preferences(tx, account, {false, false, identity::Content::none});
  tx.run(kForgetPresence, account);
  tx.run(kForgetGuest, account);
  tx.run(kForgetPerson, account, text_of(account) + "@erased.invalid", std::string(kNobody),
         tx.now());
  tx.run(kCloseTalks, account);
  drop_exports(tx, account);
  jobs::enqueue(tx, kEraseJob, text_of(account), Json::object(), tx.now());
}

asio::awaitable<void> erase(Database& db, AccountId account) {
  // What was written before must be known where it is looked for.
  const auto erased_at =
      co_await db.read([&](Tx& tx) { return tx.one(kErasedAt, account).erased_at; });
  co_await conversations::take_in_all(db, erased_at.value());
  ConversationId after;
  for (bool more = true; more;) {
    const auto places =
        co_await db.read([&](Tx& tx) { return tx.all(kWhere, account, after, kPlaces); });
    for (const auto& place : places) {
      for (std::optional<std::int64_t> upto = 0; upto;)
        upto = co_await db.transact([&](Tx& tx) {
          return conversations::erase_written(tx, account, place.merchant_id, place.id, *upto,
                                              kMessages);
        });
      after = place.id;
    }
    more = places.size() == static_cast<std::size_t>(kPlaces);
  }
  for (std::size_t removed = 1; removed > 0;)
    removed =
        co_await db.transact([&](Tx& tx) { return attachments::remove_of_person(tx, account); });
  co_await db.transact([&](Tx& tx) {
    tx.run(kForgetNotes, account);
    tx.run(kForgetReports, account);
    tx.run(kForgetCases, account);
    tx.run(kForgetReturns, account, tx.now());
    tx.run(kForgetCarts, account);
    tx.run(kForgetMails, account);
    tx.run(kForgetAddresses, account, std::string(kNobody));
    tx.run(kForgetPresence, account);
  });
}

}  // namespace bottega::privacy
