#include "wallet/sending.hpp"

#include <algorithm>

#include "wallet/moves.hpp"

namespace bottega::wallet {
namespace {

template <class T>
using Column = std::vector<T>;

const Sql<Person(Column<AccountId>, Column<Email>)> kPeople{"wallet.people", R"(
    SELECT id, email, name, state = 'active' AS is_active FROM accounts
    WHERE (id = ANY($1) OR email = ANY($2)) AND NOT is_guest)"};

// An hour that has begun within the time counts as a whole.
const Sql<Flow(Column<AccountId>, Instant, Instant)> kFlows{"wallet.flows", R"(
    SELECT account_id, currency,
           coalesce(sum(sent) FILTER (WHERE hour >= $2), 0)::bigint AS sent_day,
           coalesce(sum(sent), 0)::bigint AS sent_month,
           coalesce(sum(received) FILTER (WHERE hour >= $2), 0)::bigint AS received_day,
           coalesce(sum(received), 0)::bigint AS received_month
    FROM transfer_flows WHERE account_id = ANY($1) AND hour >= $3
    GROUP BY account_id, currency)"};

Error nobody(const std::string& what) {
  return Error(Code::invalid, "money cannot be sent there", {{"/to", what}});
}

// What is left is told of one's own limits only: the other's say what others have sent them.
void require_within(const Flow& sender, const Flow& recipient, Money amount, const Rules& rules) {
  struct Limit {
    std::int64_t used, most;
    const char *reason, *words;
    bool is_own;
  };
  const Limit limits[] = {
      {sender.sent_day, rules.sent_day_max, "sent_day_limit", "be sent in 24 hours", true},
      {sender.sent_month, rules.sent_month_max, "sent_month_limit", "be sent in 30 days", true},
      {recipient.received_day, rules.received_day_max, "received_day_limit",
       "be received in 24 hours by one person", false},
      {recipient.received_month, rules.received_month_max, "received_month_limit",
       "be received in 30 days by one person", false},
  };
  for (const auto& limit : limits) {
    const auto left = std::max<std::int64_t>(limit.most - limit.used, 0);
    if (amount.amount <= left) continue;
    auto words = std::string("this is more than may ") + limit.words;
    if (limit.is_own) words += ": " + display({left, amount.currency}) + " is left";
    throw Error(Code::conflict, words).reason(limit.reason);
  }
}

std::vector<Flow> flows_among(Tx& tx, const std::vector<AccountId>& people) {
  return tx.all(kFlows, people, hour_of(tx.now() - kDay), hour_of(tx.now() - kMonth));
}

}  // namespace

Error lacks(std::int64_t free, std::int64_t owed, Money amount) {
  auto words = "the balance is not enough: " + display({free, amount.currency}) + " can be sent";
  if (owed > 0) words += ", for " + display({owed, amount.currency}) + " is owed after a dispute";
  return Error(Code::conflict, words).reason(owed > 0 ? "wallet_owes" : "insufficient_balance");
}

Sending::Sending(Tx& tx, const std::vector<Wish>& wishes, const Rules& rules)
    : rules_(rules), now_(tx.now()) {
  if (wishes.empty()) return;
  Column<AccountId> ids;
  Column<Email> emails;
  for (const auto& wish : wishes) {
    ids.push_back(wish.sender);
    if (wish.given->to.account_id) ids.push_back(*wish.given->to.account_id);
    if (wish.given->to.email) emails.push_back(*wish.given->to.email);
  }
  people_ = tx.all(kPeople, ids, emails);
  ids.clear();
  std::set<ledger::OwnerId> owners;
  for (const auto& person : people_) {
    ids.push_back(person.id);
    owners.insert(ledger::owner_of(person.id));
  }
  ledger::lock_owners(tx, owners);
  for (auto& flow : flows_among(tx, ids)) flows_[{flow.account_id, flow.currency}] = flow;
  funds_ = ledger::available(tx, owners, ledger::Kind::wallet);
  owed_ = ledger::available(tx, owners, ledger::Kind::wallet_debt);
}

Sending::Prepared Sending::prepare(AccountId sender, const NewTransfer& given, Lacking lacking) {
  const Money amount{given.amount.value, given.currency};
  if (amount.amount > rules_.transfer_max)
    throw Error(Code::invalid, "this is more than one transfer may be",
                {{"/amount", "must be at most " + std::to_string(rules_.transfer_max)}})
        .reason("transfer_limit");
  const auto& recipient = recipient_of(sender, given.to);
  auto& out = flow_of(sender, given.currency);
  auto& in = flow_of(recipient.id, given.currency);
  require_within(out, in, amount, rules_);
  const std::pair account(ledger::owner_of(sender), given.currency);
  auto& available = funds_[account];
  const auto free = std::max<std::int64_t>(available - owed_[account], 0);
  const auto missing = std::max<std::int64_t>(amount.amount - free, 0);
  if (missing > 0 && (lacking == Lacking::refuse || !given.payment_method))
    throw lacks(free, owed_[account], amount);
  out.sent_day += amount.amount;
  out.sent_month += amount.amount;
  in.received_day += amount.amount;
  in.received_month += amount.amount;
  if (missing == 0) available -= amount.amount;
  Transfer transfer;
  transfer.id = TransferId::make();
  transfer.sender_id = sender;
  transfer.recipient_id = recipient.id;
  transfer.sender_name = std::ranges::find(people_, sender, &Person::id)->name;
  transfer.recipient_name = recipient.name;
  transfer.amount = amount;
  if (given.note) transfer.note = given.note->value;
  transfer.state = missing > 0 ? TransferState::funding : TransferState::pending;
  transfer.created_at = now_;
  transfer.expires_at = now_ + rules_.return_after;
  return {std::move(transfer), missing};
}

const Person& Sending::recipient_of(AccountId sender, const Recipient& to) const {
  const auto found = std::ranges::find_if(people_, [&](const Person& person) {
    return to.account_id ? person.id == *to.account_id : person.email == to.email->value;
  });
  if (found == people_.end() || !found->is_active)
    throw nobody("must be somebody with an account here");
  if (found->id == sender) throw nobody("must be somebody else");
  return *found;
}

Flow& Sending::flow_of(AccountId person, const Currency& currency) {
  return flows_[{person, std::string(currency.code())}];
}

std::vector<Flow> flows_of(Tx& tx, AccountId person) { return flows_among(tx, {person}); }

LimitsLeft left_of(const Flow& flow, const Rules& rules) {
  const auto left = [](std::int64_t most, std::int64_t used) {
    return std::max<std::int64_t>(most - used, 0);
  };
  return {rules.transfer_max, left(rules.sent_day_max, flow.sent_day),
          left(rules.sent_month_max, flow.sent_month),
          left(rules.received_day_max, flow.received_day),
          left(rules.received_month_max, flow.received_month)};
}

}  // namespace bottega::wallet
