// Payment requests: asked by the merchant, answered by the buyer, ended by time.
#include <map>

#include "payments/rows.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/identity/fees.hpp"
#include "bottega/payments/payments.hpp"

namespace bottega::payments {
namespace {

constexpr auto kExpiryLeast = std::chrono::minutes(30);
constexpr auto kExpiryMost = std::chrono::days(30);

const Sql<Request(MerchantId, RequestId, ConversationId, AccountId, std::string, std::string,
                  orders::Lines, std::int64_t, Currency, ShippingAddress, Instant, std::string,
                  Instant, Origin, std::optional<pricing::Breakdown>, std::optional<Contact>,
                  std::optional<orders::Address>, std::optional<LinkId>)>
    kInsert{"payments.insert_request", R"(
    INSERT INTO payment_requests (merchant_id, id, conversation_id, buyer_id, title, description,
                                  lines, total, currency, shipping_address, expires_at,
                                  created_by, state, created_at, updated_at, origin, breakdown,
                                  contact, ship_to, payment_link_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13, $13, $14, $15, $16,
            $17, $18)
    RETURNING id, merchant_id, conversation_id, buyer_id, title, description, lines, total,
              currency, shipping_address, state, reason, expires_at, created_at, updated_at,
              origin, breakdown, contact, ship_to, payment_link_id)"};

const Sql<Request(MerchantId, RequestId)> kFetch{"payments.fetch_request", R"(
    SELECT id, merchant_id, conversation_id, buyer_id, title, description, lines, total, currency,
           shipping_address, state, reason, expires_at, created_at, updated_at, origin, breakdown,
           contact, ship_to, payment_link_id
    FROM payment_requests WHERE merchant_id = $1 AND id = $2)"};

const Sql<Request(MerchantId, RequestId)> kLock{"payments.lock_request", R"(
    SELECT id, merchant_id, conversation_id, buyer_id, title, description, lines, total, currency,
           shipping_address, state, reason, expires_at, created_at, updated_at, origin, breakdown,
           contact, ship_to, payment_link_id
    FROM payment_requests WHERE merchant_id = $1 AND id = $2 FOR UPDATE)"};

const Sql<Request(MerchantId, ConversationId, RequestId, std::int64_t)> kList{
    "payments.list_requests", R"(
    SELECT id, merchant_id, conversation_id, buyer_id, title, description, lines, total, currency,
           shipping_address, state, reason, expires_at, created_at, updated_at, origin, breakdown,
           contact, ship_to, payment_link_id
    FROM payment_requests WHERE merchant_id = $1 AND conversation_id = $2 AND id < $3
    ORDER BY id DESC LIMIT $4)"};

const Sql<void(MerchantId, RequestId, RequestState, std::optional<std::string>, Instant)> kUpdate{
    "payments.update_request", R"(
    UPDATE payment_requests SET state = $3, reason = $4, updated_at = $5
    WHERE merchant_id = $1 AND id = $2)"};

// The most that one request may ask for: by the server's setting, and by the merchant's limit.
std::int64_t most_of(Tx& tx, MerchantId merchant, Currency currency, const Rules& rules) {
  const auto limit = risk::request_max(tx, merchant, currency, rules.limits);
  return limit ? std::min(*limit, rules.amount_max) : rules.amount_max;
}

void check_total(Money total, std::int64_t most) {
  if (total.amount < 1 || total.amount > most)
    throw Error(Code::invalid, "the sum of the lines is not possible",
                {{"/lines", "must add up to 1 to " + std::to_string(most)}});
}

void require_active(const identity::Merchant& merchant) {
  if (merchant.onboarding != identity::Onboarding::active)
    throw Error(Code::conflict, "the payment processor has not accepted this business yet");
}

Money total_of(const NewRequest& given, const Currency& currency, std::int64_t most) {
  Money total{0, currency};
  for (const auto& line : given.lines)
    total = total + Money{line.unit_amount.value, currency} * line.quantity.value;
  check_total(total, most);
  return total;
}

// What is of the catalogue is the shop's own, and has its SKU; its price is what the shop says.
void look_up(Tx& tx, MerchantId merchant, orders::Lines& lines) {
  std::vector<catalog::VariantId> ids;
  for (const auto& line : lines)
    if (line.variant_id) ids.push_back(*line.variant_id);
  if (ids.empty()) return;
  std::map<catalog::VariantId, std::string> skus;
  for (const auto& offer : catalog::offer(tx, merchant, ids))
    skus.emplace(offer.variant_id, offer.sku);
  Faults faults;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& line = lines.items[i];
    if (!line.variant_id) continue;
    const auto found = skus.find(*line.variant_id);
    if (found == skus.end())
      faults.push_back({"/lines/" + std::to_string(i) + "/variant_id",
                        "is nothing that this shop has published"});
    else
      line.sku = Line<1, 50>{found->second};
  }
  if (!faults.empty()) throw Error(Code::invalid, "something is not sold here", std::move(faults));
}

Instant expiry_of(Tx& tx, const NewRequest& given, const Rules& rules) {
  if (!given.expires_at) return tx.now() + rules.expiry_default;
  if (*given.expires_at < tx.now() + kExpiryLeast || *given.expires_at > tx.now() + kExpiryMost)
    throw Error(Code::invalid, "the expiry is not possible",
                {{"/expires_at", "must be 30 minutes to 30 days from now"}});
  return *given.expires_at;
}

// Refuses what the merchant may not ask for at all.
void check_currency(const identity::Merchant& merchant, const Currency& currency) {
  if (identity::takes(merchant, currency)) return;
  std::string codes;
  for (const auto& one : merchant.currencies) codes += (codes.empty() ? "" : ", ") + text_of(one);
  throw Error(Code::invalid, "the merchant does not take this currency",
              {{"/currency", "must be one of: " + codes}});
}

void check_fee(std::int64_t fee, Money total) {
  if (fee >= total.amount)
    throw Error(Code::invalid, "the platform's fee would take all of it",
                {{"/lines", "must add up to more than the fee"}});
}

// Runs every check and throws the faults of all of them together.
void check_all(std::initializer_list<std::function<void()>> checks) {
  Faults faults;
  std::string words;
  for (const auto& check : checks) try {
      check();
    } catch (const Error& error) {
      if (error.code() != Code::invalid) throw;
      words = faults.empty() ? error.what() : "several fields are not possible";
      faults.insert(faults.end(), error.faults().begin(), error.faults().end());
    }
  if (!faults.empty()) throw Error(Code::invalid, words, faults);
}

}  // namespace

void check_sum(Tx& tx, const identity::Merchant& merchant, Money total, const Rules& rules) {
  const auto most = most_of(tx, merchant.id, total.currency, rules);
  check_all({[&] { check_currency(merchant, total.currency); }, [&] { check_total(total, most); }});
  check_fee(fee_of(tx, merchant.id, total), total);
}

std::int64_t fee_of(Tx& tx, MerchantId merchant, Money total) {
  return fee_of(identity::fee_rate(tx, merchant, total.currency), total);
}

std::int64_t fee_of(const identity::FeeRate& rate, Money total) {
  return share_half_even(total.amount, rate.basis_points) + rate.fixed;
}

void check_purchase(const identity::Merchant& merchant, Money total, const Bounds& bounds) {
  require_active(merchant);
  check_all({[&] { check_currency(merchant, total.currency); },
             [&] { check_total(total, bounds.most); }});
  check_fee(bounds.fee, total);
}

Request lock_request(Tx& tx, MerchantId merchant, RequestId id) {
  return tx.one(kLock, merchant, id);
}

Request move_request(Tx& tx, Request request, RequestEvent on, std::optional<std::string> reason) {
  request.state = kRequestLifecycle.advance(request.state, on);
  request.reason = std::move(reason);
  request.updated_at = tx.now();
  tx.run(kUpdate, request.merchant_id, request.id, request.state, request.reason,
         request.updated_at);
  return request;
}

void want_end(Tx& tx, const Request& request) {
  jobs::enqueue(tx, kExpireJob, text_of(request.id),
                {{"merchant_id", text_of(request.merchant_id)}}, request.expires_at);
}

void tell_request(conversations::Log& log, const Request& request, const std::string& event,
                  const Author& author) {
  // How to reach the buyer is not for the log.
  auto told = to_json(request);
  told.erase("contact");
  told.erase("ship_to");
  log.append(request.merchant_id, request.conversation_id,
             {event,
              author.side,
              author.account,
              std::nullopt,
              {{"payment_request", std::move(told)}},
              "Payment request " + request.title + ", " + display(request.total) + ": " +
                  text_of(request.state) + "."});
}

void tell_request(Tx& tx, const Request& request, const std::string& event, const Author& author) {
  conversations::Log log;
  tell_request(log, request, event, author);
  log.write(tx);
}

Request ask(Tx& tx, const Who& who, const NewRequest& given, const Rules& rules) {
  const auto seat = conversations::enter(tx, who, given.conversation_id, identity::Scope::payments,
                                         conversations::Lock::no);
  if (seat.side != conversations::Side::merchant)
    throw Error(Code::forbidden, "only the merchant asks for money");
  conversations::require_not_blocked(tx, seat);
  // A currency that is taken off the list meanwhile waits for this request, or refuses it.
  const auto merchant = identity::keep_merchant(tx, seat.merchant);
  require_active(merchant);
  const auto currency = given.currency.value_or(merchant.currency);
  const auto most = most_of(tx, merchant.id, currency, rules);
  Money total;
  Instant expires_at;
  auto lines = given.lines;
  check_all({[&] { total = total_of(given, currency, most); },
             [&] { check_currency(merchant, currency); }, [&] { look_up(tx, merchant.id, lines); },
             [&] { expires_at = expiry_of(tx, given, rules); }});
  check_fee(fee_of(tx, merchant.id, total), total);
  const auto id = RequestId::make();
  identity::enter_directory(tx, id.uuid, seat.merchant);
  const auto request =
      tx.one(kInsert, seat.merchant, id, given.conversation_id, seat.buyer, given.title.value,
             given.description.value, lines, total.amount, total.currency,
             given.shipping_address.value_or(ShippingAddress::required), expires_at, who.actor(),
             tx.now(), Origin::merchant, std::nullopt, std::nullopt, std::nullopt, std::nullopt);
  want_end(tx, request);
  tell_request(tx, request, "payment_request.created",
               {conversations::Author::merchant, who.account});
  return request;
}

Request open_purchase(Tx& tx, const Who& buyer, const identity::Merchant& merchant,
                      const Purchase& purchase, const Rules& rules) {
  check_purchase(merchant, purchase.total,
                 {most_of(tx, merchant.id, purchase.total.currency, rules),
                  fee_of(tx, merchant.id, purchase.total)});
  const auto id = RequestId::make();
  identity::enter_directory(tx, id.uuid, merchant.id);
  return tx.one(kInsert, merchant.id, id, purchase.conversation_id, buyer.account, purchase.title,
                purchase.description, purchase.lines, purchase.total.amount,
                purchase.total.currency, purchase.shipping_address, tx.now() + rules.reserved_for,
                buyer.actor(), tx.now(), purchase.origin, purchase.breakdown, purchase.contact,
                purchase.ship_to, purchase.payment_link_id);
}

Request fetch_request(Tx& tx, const Who& who, RequestId id) {
  const auto request = tx.one(kFetch, identity::merchant_of(tx, id.uuid), id);
  conversations::enter(tx, who, request.conversation_id, identity::Scope::read,
                       conversations::Lock::no);
  return request;
}

std::vector<Request> list_requests(Tx& tx, const Who& who, ConversationId conversation,
                                   std::optional<RequestId> after, std::int64_t limit) {
  const auto seat =
      conversations::enter(tx, who, conversation, identity::Scope::read, conversations::Lock::no);
  return tx.all(kList, seat.merchant, conversation, after.value_or(RequestId::newest()), limit);
}

Request decline(Tx& tx, const Who& who, RequestId id, const Refusal& refusal) {
  auto request = lock_request(tx, identity::merchant_of(tx, id.uuid), id);
  require_buyer(tx, who, request);
  std::optional<std::string> reason;
  if (refusal.reason) reason = refusal.reason->value;
  request = move_request(tx, std::move(request), RequestEvent::decline, reason);
  jobs::cancel(tx, kExpireJob, text_of(id));
  tell_request(tx, request, "payment_request.declined",
               {conversations::Author::buyer, who.account});
  return request;
}

Request cancel(Tx& tx, const Who& who, RequestId id, const Refusal& refusal) {
  auto request = lock_request(tx, identity::merchant_of(tx, id.uuid), id);
  const auto seat = conversations::enter(tx, who, request.conversation_id,
                                         identity::Scope::payments, conversations::Lock::no);
  if (seat.side != conversations::Side::merchant)
    throw Error(Code::forbidden, "only the merchant cancels a request; a buyer declines it");
  std::optional<std::string> reason;
  if (refusal.reason) reason = refusal.reason->value;
  request = move_request(tx, std::move(request), RequestEvent::cancel, reason);
  jobs::cancel(tx, kExpireJob, text_of(id));
  tell_request(tx, request, "payment_request.cancelled",
               {conversations::Author::merchant, who.account});
  return request;
}

void expire(Tx& tx, MerchantId merchant, RequestId id) {
  auto request = lock_request(tx, merchant, id);
  if (request.state == RequestState::paying)
    throw Error(Code::busy, "a payment of this request is under way");
  if (request.state != RequestState::open || request.expires_at > tx.now()) return;
  request = move_request(tx, std::move(request), RequestEvent::expire, std::nullopt);
  tell_request(tx, request, "payment_request.expired", {});
}

void require_buyer(Tx& tx, const Who& who, const Request& request) {
  if (who.kind == identity::Kind::person && request.buyer_id == who.account) return;
  conversations::enter(tx, who, request.conversation_id, identity::Scope::read,
                       conversations::Lock::no);
  throw Error(Code::forbidden, "only the buyer answers a payment request");
}

}  // namespace bottega::payments
