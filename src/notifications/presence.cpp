// What is in memory is what is so on this node; the database is what the others may know of it.
#include "bottega/notifications/presence.hpp"

#include <algorithm>

#include "notifications/audience.hpp"

namespace bottega::notifications {
namespace {

using Accounts = std::vector<AccountId>;

// Of one flush: the rest waits for the next.
constexpr std::size_t kWrittenMax = 5'000, kToldMax = 500;

struct Sides {
  AccountId buyer_id;
  State buyer_state{};
  std::optional<Instant> buyer_seen_at;
  State merchant_state{};
  std::optional<Instant> merchant_seen_at;
  bool is_blocked = false;  // by either side
};
BOOST_DESCRIBE_STRUCT(Sides, (),
                      (buyer_id, buyer_state, buyer_seen_at, merchant_state, merchant_seen_at,
                       is_blocked))

const Sql<Sides(MerchantId, ConversationId)> kSides{"notifications.presence", R"(
    WITH people AS (
      SELECT c.buyer_id, c.buyer_id AS account_id, true AS is_buyer FROM conversations c
      WHERE c.merchant_id = $1 AND c.id = $2
      UNION ALL
      SELECT NULL, account_id, false FROM merchant_members WHERE merchant_id = $1),
    seen AS (
      SELECT p.buyer_id, p.is_buyer, l.at, coalesce(f.show_presence, true) AS shows,
             EXISTS (SELECT FROM presences s JOIN nodes n ON n.id = s.node_id
                     WHERE s.account_id = p.account_id AND n.until > clock_timestamp()) AS is_there
      FROM people p LEFT JOIN preferences f ON f.account_id = p.account_id
           LEFT JOIN last_seen l ON l.account_id = p.account_id),
    sides AS (
      SELECT is_buyer, max(buyer_id::text)::uuid AS buyer_id,
             CASE WHEN NOT coalesce(bool_or(shows), false) THEN 'unknown'
                  WHEN bool_or(shows AND is_there) THEN 'online' ELSE 'offline' END AS state,
             max(at) FILTER (WHERE shows) AS at
      FROM seen GROUP BY is_buyer)
    SELECT b.buyer_id, b.state AS buyer_state, b.at AS buyer_seen_at,
           coalesce(m.state, 'unknown') AS merchant_state, m.at AS merchant_seen_at,
           (SELECT c.blocked_by_buyer OR c.blocked_by_merchant FROM conversations c
            WHERE c.merchant_id = $1 AND c.id = $2) AS is_blocked
    FROM sides b LEFT JOIN sides m ON NOT m.is_buyer WHERE b.is_buyer)"};

const Sql<std::int64_t(AccountId)> kIsThere{"notifications.is_there", R"(
    SELECT 1::bigint FROM presences p JOIN nodes n ON n.id = p.node_id
    WHERE p.account_id = $1 AND n.until > clock_timestamp() LIMIT 1)"};

const Sql<void(NodeId, std::int64_t, Instant)> kRegister{"notifications.register_node", R"(
    INSERT INTO nodes (id, until, heard_until)
    VALUES ($1, clock_timestamp() + make_interval(secs => $2), $3)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until)"};

const Sql<void(NodeId, std::int64_t)> kRenew{"notifications.renew_node", R"(
    UPDATE nodes SET until = clock_timestamp() + make_interval(secs => $2) WHERE id = $1)"};

const Sql<void(NodeId, Accounts, bool)> kArrive{"notifications.arrive", R"(
    INSERT INTO presences (account_id, node_id, is_leaving)
    SELECT unnest($2::uuid[]), $1::uuid, $3::boolean
    ON CONFLICT (account_id, node_id) DO UPDATE SET is_leaving = excluded.is_leaving)"};

const Sql<void(NodeId)> kAllLeave{"notifications.all_leave", R"(
    UPDATE presences SET is_leaving = true WHERE node_id = $1)"};

const Sql<void(NodeId, Accounts, Instant)> kDepart{"notifications.depart", R"(
    WITH gone AS (
      DELETE FROM presences WHERE node_id = $1 AND account_id = ANY ($2::uuid[])
      RETURNING account_id)
    INSERT INTO last_seen (account_id, at)
    SELECT g.account_id, $3::timestamptz
    FROM gone g LEFT JOIN preferences f ON f.account_id = g.account_id
    WHERE coalesce(f.show_presence, true) ORDER BY g.account_id
    ON CONFLICT (account_id) DO UPDATE SET at = greatest(last_seen.at, excluded.at))"};

const Sql<NodeId()> kDead{"notifications.dead_nodes", R"(
    SELECT id FROM nodes WHERE until < clock_timestamp() ORDER BY id LIMIT 10
    FOR UPDATE SKIP LOCKED)"};

const Sql<AccountId(NodeId, std::int64_t)> kOfNode{"notifications.accounts_of_node", R"(
    SELECT account_id FROM presences WHERE node_id = $1 ORDER BY account_id LIMIT $2)"};

// Whoever buries a node takes over what it has not looked at. The position always goes back, if
// only by a microsecond: that is how the notifier of this node knows.
const Sql<void(NodeId, NodeId)> kInherit{"notifications.inherit", R"(
    UPDATE nodes SET heard_until = least(
      heard_until, (SELECT heard_until FROM nodes WHERE id = $2)) - interval '1 microsecond'
    WHERE id = $1)"};

const Sql<void(NodeId)> kBury{"notifications.bury_node", R"(
    DELETE FROM nodes WHERE id = $1)"};

Present present_of(State state, std::optional<Instant> seen_at) {
  Present present;
  present.state = state;
  if (state == State::offline && seen_at) present.last_seen_at = coarse(*seen_at);
  return present;
}

}  // namespace

ConversationPresence presence_in(Tx& tx, const identity::Who& who, ConversationId id) {
  const auto seat =
      conversations::enter(tx, who, id, identity::Scope::read, conversations::Lock::no);
  const auto sides = tx.one(kSides, seat.merchant, id);
  ConversationPresence out{present_of(sides.buyer_state, sides.buyer_seen_at),
                           present_of(sides.merchant_state, sides.merchant_seen_at)};
  if (sides.is_blocked) (seat.side == conversations::Side::buyer ? out.merchant : out.buyer) = {};
  return out;
}

void tell_visibility(Tx& tx, AccountId account, const identity::Preferences& preferences) {
  if (!tx.find(kIsThere, account)) return;
  tell_anyway(tx, account, preferences.show_presence ? State::online : State::unknown);
}

std::size_t Presence::Hash::operator()(const AccountId& id) const {
  const auto text =
      std::string_view(reinterpret_cast<const char*>(id.uuid.bytes.data()), id.uuid.bytes.size());
  return std::hash<std::string_view>{}(text);
}

void Presence::arrived(AccountId account) {
  const std::lock_guard lock(mutex_);
  ++entries_[account].sockets;
  if (changed_.insert(account).second) queue_.push_back(account);
}

void Presence::left(AccountId account, Time now) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[account];
  --entry.sockets;
  entry.left_at = now;
  if (changed_.insert(account).second) queue_.push_back(account);
}

asio::awaitable<void> Presence::flush(Time now) {
  const auto planned = plan(now);
  if (!planned.renew && planned.gone.empty() && planned.online.empty() && planned.offline.empty())
    co_return;
  const bool is_first = !is_known_;
  const bool is_alive = co_await db_.transact([&](Tx& tx) { return write(tx, planned, is_first); });
  if (!is_alive) {
    forget_what_was_written();
    co_return;
  }
  is_known_ = true;
  if (planned.renew) renewed_at_ = now;
  settle(planned, now);
}

void Presence::end(Tx& tx) {
  const auto grace = std::chrono::ceil<std::chrono::seconds>(options_.grace);
  tx.run(kAllLeave, node_);
  tx.run(kRenew, node_, grace.count());
}

Presence::Plan Presence::plan(Time now) {
  Plan plan;
  const std::lock_guard lock(mutex_);
  for (auto left = queue_.size(); left > 0; --left) {
    const auto account = queue_.front();
    queue_.pop_front();
    auto& entry = entries_[account];
    note(account, entry, now, plan);
    queue_.push_back(account);  // until settle() finds that nothing is left to do
  }
  // What arrives needs a node that nobody took for dead.
  const bool is_due = !is_known_ || now >= renewed_at_ + options_.lease / 3;
  plan.renew = is_due || !plan.there.empty() || !plan.leaving.empty();
  return plan;
}

void Presence::note(AccountId account, Entry& entry, Time now, Plan& plan) {
  const bool is_there = entry.sockets > 0 || now < entry.left_at + options_.grace;
  const auto wanted = entry.sockets > 0 ? Written::there
                      : is_there        ? Written::leaving
                                        : Written::gone;
  auto& written = entry.sockets > 0 ? plan.there : is_there ? plan.leaving : plan.gone;
  if (wanted != entry.written && written.size() < kWrittenMax) written.push_back(account);
  auto& told = is_there ? plan.online : plan.offline;
  const bool may_tell = entry.told_at == Time::min() || now >= entry.told_at + options_.every;
  if (is_there != entry.is_told && may_tell && told.size() < kToldMax) told.push_back(account);
}

bool Presence::write(Tx& tx, const Plan& plan, bool is_first) {
  if (is_first)
    tx.run(kRegister, node_, options_.lease.count(), tx.now());
  else if (plan.renew && tx.run(kRenew, node_, options_.lease.count()) == 0)
    return false;
  if (!plan.there.empty()) tx.run(kArrive, node_, plan.there, false);
  if (!plan.leaving.empty()) tx.run(kArrive, node_, plan.leaving, true);
  if (!plan.gone.empty()) tx.run(kDepart, node_, plan.gone, tx.now());
  tell_change(tx, plan.online, node_, State::online);
  tell_change(tx, plan.offline, node_, State::offline);
  if (plan.renew) bury_the_dead(tx);
  return true;
}

void Presence::bury_the_dead(Tx& tx) {
  for (const auto& dead : tx.all(kDead)) {
    if (dead == node_) continue;
    const auto accounts = tx.all(kOfNode, dead, INT64_MAX);
    tx.run(kDepart, dead, accounts, tx.now());
    tx.run(kInherit, node_, dead);
    tx.run(kBury, dead);
    const auto told = Accounts(
        accounts.begin(),
        accounts.begin() + static_cast<std::ptrdiff_t>(std::min(accounts.size(), kToldMax)));
    tell_change(tx, told, dead, State::offline);
  }
}

void Presence::settle(const Plan& plan, Time now) {
  const std::lock_guard lock(mutex_);
  for (const auto& account : plan.there) entries_[account].written = Written::there;
  for (const auto& account : plan.leaving) entries_[account].written = Written::leaving;
  for (const auto& account : plan.gone) entries_[account].written = Written::gone;
  for (const auto* list : {&plan.online, &plan.offline})
    for (const auto& account : *list) {
      entries_[account].is_told = list == &plan.online;
      entries_[account].told_at = now;
    }
  for (auto left = queue_.size(); left > 0; --left) {
    const auto account = queue_.front();
    queue_.pop_front();
    const auto& entry = entries_[account];
    const bool is_there = entry.sockets > 0;
    const auto wanted = is_there ? Written::there : Written::gone;
    // Whoever is gone is remembered for as long as nothing may be told of them again.
    const bool may_forget = entry.told_at == Time::min() || now >= entry.told_at + options_.every;
    const bool is_done =
        entry.written == wanted && entry.is_told == is_there && (is_there || may_forget);
    if (!is_done) {
      queue_.push_back(account);
      continue;
    }
    changed_.erase(account);
    if (!is_there) entries_.erase(account);
  }
}

void Presence::forget_what_was_written() {
  is_known_ = false;
  const std::lock_guard lock(mutex_);
  for (auto& [account, entry] : entries_) {
    entry.written = Written::gone;
    if (changed_.insert(account).second) queue_.push_back(account);
  }
}

}  // namespace bottega::notifications
