// Payments that begin together: judged one after the other on rows that were read together, and
// then written together. Whatever is refused is refused before anything of it is written.
#include <set>

#include "payments/begin_rows.hpp"
#include "payments/questions.hpp"
#include "payments/rows.hpp"

namespace bottega::payments {
namespace {

template <class T>
using Column = std::vector<T>;

// In the order of their ids, as everybody locks several. The limit says how many they are (see
// conversations.write_entries).
const Sql<Request(Column<RequestId>, std::int64_t)> kLockAll{"payments.lock_requests", R"(
    SELECT r.id, r.merchant_id, r.conversation_id, r.buyer_id, r.title, r.description, r.lines,
           r.total, r.currency, r.shipping_address, r.state, r.reason, r.expires_at, r.created_at,
           r.updated_at, r.origin, r.breakdown, r.contact, r.ship_to, r.payment_link_id
    FROM (SELECT id FROM unnest($1::uuid[]) AS one (id) LIMIT $2::bigint) u
         JOIN directory d ON d.id = u.id
         JOIN payment_requests r ON r.merchant_id = d.merchant_id AND r.id = u.id
    ORDER BY r.id FOR UPDATE OF r)"};

struct Counter {
  MerchantId id;
  std::string processor, account;
  bool asks = false;
};
BOOST_DESCRIBE_STRUCT(Counter, (), (id, processor, account, asks))

const Sql<Counter(Column<MerchantId>, std::int64_t)> kCounters{"payments.counters", R"(
    SELECT m.id, m.processor, coalesce(m.processor_account, '') AS account,
           coalesce(s.pre_checkout, false) AS asks
    FROM (SELECT id FROM unnest($1::uuid[]) AS one (id) LIMIT $2::bigint) u
         JOIN merchants m ON m.id = u.id LEFT JOIN checkout_settings s ON s.merchant_id = m.id)"};

Error missing() { return {Code::not_found, "there is no such thing, or it is not yours"}; }

Request request_of(const Who& buyer, const Buying& what, const Rules& rules, Instant now) {
  const auto& purchase = what.purchase;
  Request out;
  out.id = RequestId::make();
  out.merchant_id = what.merchant.id;
  out.conversation_id = purchase.conversation_id;
  out.buyer_id = buyer.account;
  out.title = purchase.title;
  out.description = purchase.description;
  out.lines = purchase.lines;
  out.total = purchase.total;
  out.shipping_address = purchase.shipping_address;
  out.state = RequestState::open;
  out.expires_at = now + rules.reserved_for;
  out.created_at = out.updated_at = now;
  out.origin = purchase.origin;
  out.breakdown = purchase.breakdown;
  out.contact = purchase.contact;
  out.ship_to = purchase.ship_to;
  return out;
}

void check(const Buying& what, const Rules& rules) {
  const auto& total = what.purchase.total;
  const auto own = risk::request_max(what.request_max, total.currency, rules.limits);
  check_purchase(
      what.merchant, total,
      {std::min(own.value_or(rules.amount_max), rules.amount_max), fee_of(what.fee, total)});
}

// What takes more than a look, and may be refused only once others hold something of it.
bool must_be_alone(const std::optional<pricing::Breakdown>& breakdown,
                   const std::optional<LinkId>& link) {
  return link || (breakdown && breakdown->discount_code);
}

Payment payment_of(const Draft& draft, Instant now) {
  Payment out;
  out.id = draft.payment_id;
  out.merchant_id = draft.request.merchant_id;
  out.payment_request_id = draft.request.id;
  out.conversation_id = draft.request.conversation_id;
  out.buyer_id = draft.request.buyer_id;
  out.amount = draft.request.total;
  out.state = State::created;
  out.processor = draft.to.processor;
  out.created_at = out.updated_at = now;
  return out;
}

class Together {
 public:
  Together(Tx& tx, const std::vector<Beginning>& asked, const Rules& rules)
      : tx_(tx), asked_(asked), rules_(rules), outcomes_(asked.size()) {}

  Beginnings run() {
    hold_accounts();
    lock_requests();
    for (std::size_t i = 0; i < asked_.size(); ++i) try {
        if (auto draft = draft_of(i)) drafts_.push_back(*std::move(draft));
      } catch (const Error& refusal) {
        if (!is_refusal(refusal)) throw;
        outcomes_[i] = refusal;
      }
    find_tokens();
    set_aside();
    write();
    return std::move(outcomes_);
  }

 private:
  void hold_accounts() {
    std::set<AccountId> accounts;
    for (const auto& one : asked_) accounts.insert(one.who.account);
    active_ = identity::hold_active(tx_, accounts);
  }

  void lock_requests() {
    std::set<RequestId> named;
    for (const auto& one : asked_)
      if (const auto* id = std::get_if<RequestId>(&one.what)) named.insert(*id);
    if (named.empty()) return;
    const Column<RequestId> ids(named.begin(), named.end());
    std::set<MerchantId> merchants;
    for (auto& request : tx_.all(kLockAll, ids, std::ssize(ids))) {
      merchants.insert(request.merchant_id);
      held_.emplace(request.id, std::move(request));
    }
    const Column<MerchantId> shops(merchants.begin(), merchants.end());
    for (auto& counter : tx_.all(kCounters, shops, std::ssize(shops)))
      counters_.emplace(counter.id, std::move(counter));
  }

  // Nothing where it must begin by itself.
  std::optional<Draft> draft_of(std::size_t place) {
    const auto& one = asked_[place];
    if (const auto& token = one.acceptance.payment_method.token)
      wallet::refuse_card_number(token->value, "/payment_method/token");
    if (!active_.contains(one.who.account))
      throw Error(Code::unauthenticated, "this account was closed in the meantime");
    auto draft = std::holds_alternative<Buying>(one.what)
                     ? draft_of(one.who, std::get<Buying>(one.what))
                     : draft_of(one.who, std::get<RequestId>(one.what));
    if (!draft) return std::nullopt;
    auto& request = draft->request;
    request.state = accepted_state(request, tx_.now());
    request.reason.reset();
    request.updated_at = tx_.now();
    draft->place = place;
    draft->made_by = one.who.actor();
    draft->ship_to = address_of(request, one.acceptance);
    draft->payment_id = PaymentId::make();
    draft->basket = {request.merchant_id, items_of(request.lines)};
    return draft;
  }

  // What is to be charged; who has nothing of the kind is out of it.
  void find_tokens() {
    std::vector<wallet::Charging> charging;
    for (const auto& draft : drafts_) {
      const auto& one = asked_[draft.place];
      charging.push_back({one.who.account, one.acceptance.payment_method, draft.to.processor});
    }
    auto tokens = wallet::tokens_to_charge(tx_, charging);
    for (std::size_t k = 0; k < drafts_.size(); ++k)
      if (const auto* refusal = std::get_if<Error>(&tokens[k]))
        outcomes_[drafts_[k].place] = *refusal;
      else
        drafts_[k].token = std::get<std::string>(std::move(tokens[k]));
    std::erase_if(drafts_, [&](const Draft& draft) { return outcomes_[draft.place].has_value(); });
  }

  std::optional<Draft> draft_of(const Who& who, const Buying& what) {
    if (must_be_alone(what.purchase.breakdown, what.purchase.payment_link_id)) return std::nullopt;
    check(what, rules_);
    Draft draft;
    draft.is_new = true;
    draft.asks = what.asks;
    draft.request = request_of(who, what, rules_, tx_.now());
    draft.to = attempts::destination_of(what.merchant);
    return draft;
  }

  std::optional<Draft> draft_of(const Who& who, RequestId id) {
    const auto found = held_.find(id);
    if (found == held_.end()) throw missing();
    require_buyer(tx_, who, found->second);
    const auto& held = found->second;
    if (must_be_alone(held.breakdown, held.payment_link_id)) return std::nullopt;
    // What a buyer took may not be sold any more when they try it once more.
    if (held.origin != Origin::merchant) return std::nullopt;
    // Whether the second of two may pay it depends on what becomes of the first.
    if (!seen_.insert(id).second) return std::nullopt;
    const auto& counter = counters_.at(held.merchant_id);
    Draft draft;
    draft.asks = counter.asks && held.origin != Origin::merchant;
    draft.request = held;
    draft.to = {counter.processor, counter.account};
    return draft;
  }

  // The pieces that a limit has kept one from buying are there for those that they lacked.
  void set_aside() {
    std::vector<catalog::Basket> baskets;
    for (const auto& draft : drafts_) baskets.push_back(draft.basket);
    catalog::Shelves shelves(tx_, baskets);
    std::vector<Draft*> left;
    for (auto& draft : drafts_) left.push_back(&draft);
    bool is_freed = true;
    while (!left.empty() && is_freed) {
      std::vector<Draft*> fitting, lacking;
      for (auto* draft : left) {
        auto reserved = shelves.reserve(draft->basket);
        draft->held = std::move(reserved.held);
        (reserved.lacking.empty() ? fitting : lacking).push_back(draft);
        if (!reserved.lacking.empty())
          outcomes_[draft->place] = out_of_stock(draft->request, reserved.lacking);
      }
      is_freed = count(fitting, shelves);
      left = std::move(lacking);
    }
    shelves.write(tx_);
  }

  // Whether some of what was set aside is there again, for a limit has refused it.
  bool count(const std::vector<Draft*>& drafts, catalog::Shelves& shelves) {
    std::vector<risk::Try> tries;
    for (const auto* draft : drafts)
      tries.push_back({draft->request.merchant_id, draft->request.buyer_id, draft->request.total,
                       asked_[draft->place].acceptance.payment_method});
    const auto refusals = risk::count(tx_, tries, rules_.limits);
    bool is_freed = false;
    for (std::size_t k = 0; k < drafts.size(); ++k) {
      auto& draft = *drafts[k];
      outcomes_[draft.place].reset();
      if (!refusals[k]) continue;
      outcomes_[draft.place] = *refusals[k];
      shelves.put_back(draft.basket.merchant, draft.held);
      is_freed = is_freed || !draft.held.empty();
    }
    return is_freed;
  }

  void write() {
    std::vector<attempts::NewCharge> charges;
    std::vector<Draft*> fresh;
    for (auto& draft : drafts_) {
      if (outcomes_[draft.place]) continue;
      fresh.push_back(&draft);
      charges.push_back(
          {draft.request.merchant_id, draft.payment_id.uuid, draft.to, draft.request.total});
    }
    if (fresh.empty()) return;
    write_begun(tx_, fresh);
    const auto begun = attempts::begin(tx_, charges);
    std::vector<std::pair<Uuid, MerchantId>> entered;
    for (std::size_t k = 0; k < fresh.size(); ++k) {
      const auto& draft = *fresh[k];
      const auto& merchant = draft.request.merchant_id;
      if (draft.is_new) entered.emplace_back(draft.request.id.uuid, merchant);
      entered.emplace_back(draft.payment_id.uuid, merchant);
      entered.emplace_back(begun[k].id.uuid, merchant);
    }
    identity::enter_directory(tx_, entered);
    want_reconciliation(tx_, fresh, tx_.now() + 2 * rules_.call_timeout);
    tell(fresh);
    for (std::size_t k = 0; k < fresh.size(); ++k) finish(*fresh[k], begun[k]);
  }

  void tell(const std::vector<Draft*>& fresh) {
    conversations::Log log;
    for (const auto* draft : fresh)
      tell_request(log, draft->request, "payment_request.accepted",
                   {conversations::Author::buyer, draft->request.buyer_id});
    log.write(tx_);
  }

  void finish(Draft& draft, const attempts::Attempt& attempt) {
    Begun begun{payment_of(draft, tx_.now()),
                std::move(draft.request),
                {attempt.key(), attempt.amount, std::move(draft.token), attempt.account, {}},
                draft.asks,
                !draft.is_new};
    if (draft.asks) ask_shop(tx_, begun.request, begun.payment, rules_);
    outcomes_[draft.place] = std::move(begun);
  }

  Tx& tx_;
  const std::vector<Beginning>& asked_;
  const Rules& rules_;
  Beginnings outcomes_;
  std::set<AccountId> active_;
  std::map<RequestId, Request> held_;
  std::map<MerchantId, Counter> counters_;
  std::set<RequestId> seen_;
  std::vector<Draft> drafts_;
};

}  // namespace

bool is_refusal(const Error& error) {
  return error.code() != Code::busy && error.code() != Code::stopping &&
         error.code() != Code::internal;
}

Beginnings begin(Tx& tx, const std::vector<Beginning>& asked, const Rules& rules) {
  if (asked.empty()) return {};
  return Together(tx, asked, rules).run();
}

}  // namespace bottega::payments
