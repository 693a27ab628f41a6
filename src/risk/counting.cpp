// Counters by time, one row for each hour or ten minutes: a limit adds up a few of them. Whoever
// counts holds the merchant's and the buyer's lock, in this order, so that two payments are never
// both the last that fits.
#include "risk/rows.hpp"
#include "bottega/core/log.hpp"

namespace bottega::risk {
namespace {

using namespace std::chrono_literals;
using Method = Id<"method">;

constexpr auto kSlot = 10min;
constexpr auto kHour = 1h;
constexpr auto kDay = 24h;
constexpr auto kWeek = 7 * 24h;

template <class T>
using Column = std::vector<T>;

// Those of merchants first, and each kind in the order of its keys.
const Sql<void(Column<MerchantId>, Column<AccountId>)> kLock{"risk.lock", R"(
    SELECT pg_advisory_xact_lock(l.key)
    FROM (SELECT 1 AS turn, hashtextextended('takings ' || id::text, 0) AS key
          FROM unnest($1::uuid[]) AS merchant (id)
          UNION
          SELECT 2, hashtextextended('flows ' || id::text, 0)
          FROM unnest($2::uuid[]) AS buyer (id)
          ORDER BY turn, key) l)"};

const Sql<void(AccountId)> kLockBuyer{"risk.lock_buyer", R"(
    SELECT pg_advisory_xact_lock(hashtextextended('flows ' || $1::text, 0)))"};

struct Used {
  std::int64_t week = 0;
  std::int64_t count_hour = 0, count_day = 0, sum_hour = 0, sum_day = 0;
  std::int64_t tries_hour = 0, tries_day = 0;
  std::optional<std::int64_t> week_max;
  std::int64_t n = 0;  // whose it is, from 1
};
BOOST_DESCRIBE_STRUCT(Used, (),
                      (week, count_hour, count_day, sum_hour, sum_day, tries_hour, tries_day,
                       week_max, n))

// What has begun within the time counts as a whole. How often somebody pays is counted in all
// currencies, how much in each.
const Sql<Used(Column<MerchantId>, Column<AccountId>, Column<Method>, Column<Currency>, Instant,
               Instant, Instant, std::int64_t)>
    kUsed{"risk.used", R"(
    SELECT u.n, w.week, b.count_hour, b.count_day, b.sum_hour, b.sum_day, m.tries_hour, m.tries_day,
           (SELECT week_max FROM merchant_limits WHERE merchant_id = u.merchant_id) AS week_max
    FROM (SELECT merchant_id, account_id, method_id, currency, n
          FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) WITH ORDINALITY
                 AS one (merchant_id, account_id, method_id, currency, n)
          LIMIT $8::bigint) u
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(taken), 0)::bigint AS week FROM merchant_takings
           WHERE merchant_id = u.merchant_id AND currency = u.currency AND hour >= $5) w
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(payments) FILTER (WHERE slot >= $7), 0)::bigint AS count_hour,
                  coalesce(sum(payments), 0)::bigint AS count_day,
                  coalesce(sum(paid) FILTER (WHERE slot >= $7 AND currency = u.currency),
                           0)::bigint AS sum_hour,
                  coalesce(sum(paid) FILTER (WHERE currency = u.currency), 0)::bigint AS sum_day
           FROM buyer_flows WHERE account_id = u.account_id AND slot >= $6) b
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(tries) FILTER (WHERE slot >= $7), 0)::bigint AS tries_hour,
                  coalesce(sum(tries), 0)::bigint AS tries_day
           FROM method_tries
           WHERE account_id = u.account_id AND method_id = u.method_id AND slot >= $6) m)"};

const Sql<void(Column<MerchantId>, Column<Currency>, Column<std::int64_t>, Column<AccountId>,
               Column<Currency>, Column<std::int64_t>, Column<std::int64_t>, Column<AccountId>,
               Column<Method>, Column<std::int64_t>, Instant, Instant)>
    kCount{"risk.count", R"(
    WITH takings AS (
      INSERT INTO merchant_takings (merchant_id, currency, hour, taken)
      SELECT merchant_id, currency, $11::timestamptz, taken
      FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS u (merchant_id, currency, taken)
      ON CONFLICT (merchant_id, currency, hour)
      DO UPDATE SET taken = merchant_takings.taken + excluded.taken),
    flows AS (
      INSERT INTO buyer_flows (account_id, currency, slot, payments, paid)
      SELECT account_id, currency, $12::timestamptz, payments, paid
      FROM unnest($4::uuid[], $5::text[], $6::bigint[], $7::bigint[])
             AS u (account_id, currency, payments, paid)
      ON CONFLICT (account_id, slot, currency)
      DO UPDATE SET payments = buyer_flows.payments + excluded.payments,
                    paid = buyer_flows.paid + excluded.paid)
    INSERT INTO method_tries (account_id, method_id, slot, tries)
    SELECT account_id, method_id, $12::timestamptz, tries
    FROM unnest($8::uuid[], $9::uuid[], $10::bigint[]) AS u (account_id, method_id, tries)
    ON CONFLICT (account_id, method_id, slot)
    DO UPDATE SET tries = method_tries.tries + excluded.tries)"};

struct Tried {
  std::int64_t hour = 0, day = 0;
};
BOOST_DESCRIBE_STRUCT(Tried, (), (hour, day))

const Sql<Tried(AccountId, Method, Instant, Instant)> kTried{"risk.tried", R"(
    SELECT coalesce(sum(tries) FILTER (WHERE slot >= $4), 0)::bigint AS hour,
           coalesce(sum(tries), 0)::bigint AS day
    FROM method_tries WHERE account_id = $1 AND method_id = $2 AND slot >= $3)"};

const Sql<void(AccountId, Method, Instant)> kTry{"risk.count_try", R"(
    INSERT INTO method_tries (account_id, method_id, slot, tries) VALUES ($1, $2, $3, 1)
    ON CONFLICT (account_id, method_id, slot) DO UPDATE SET tries = method_tries.tries + 1)"};

// A payment may be older than the counters: then there is nothing to give back.
const Sql<void(MerchantId, AccountId, Currency, Instant, Instant, std::int64_t)> kRelease{
    "risk.release", R"(
    WITH takings AS (
      UPDATE merchant_takings SET taken = greatest(taken - $6, 0)
      WHERE merchant_id = $1 AND currency = $3 AND hour = $4)
    UPDATE buyer_flows SET payments = greatest(payments - 1, 0), paid = greatest(paid - $6, 0)
    WHERE account_id = $2 AND slot = $5 AND currency = $3)"};

const Sql<std::int64_t(MerchantId, Currency, Instant)> kTaken{"risk.taken", R"(
    SELECT coalesce(sum(taken), 0)::bigint FROM merchant_takings
    WHERE merchant_id = $1 AND currency = $2 AND hour >= $3)"};

Instant hour_of(Instant at) { return std::chrono::floor<std::chrono::hours>(at); }

Instant slot_of(Instant at) {
  using Slots = std::chrono::duration<std::int64_t, std::ratio<600>>;
  static_assert(Slots(1) == kSlot);
  return std::chrono::floor<Slots>(at);
}

// With what somebody pays, as far as we know it.
Method method_of(AccountId account, const wallet::MethodChoice& choice) {
  return {choice.id ? choice.id->uuid : account.uuid};
}

void require_seldom(const Used& used, const Rules& rules, Instant now) {
  struct Limit {
    std::int64_t used, most;
    const char *reason, *words;
  };
  const Limit limits[] = {
      {used.count_hour, rules.buyer_count_hour_max, "buyer_count_hour_limit",
       "you have paid too often within an hour; nothing was charged"},
      {used.count_day, rules.buyer_count_day_max, "buyer_count_day_limit",
       "you have paid too often within 24 hours; nothing was charged"},
      {used.tries_hour, rules.method_tries_hour_max, "method_hour_limit",
       "this was tried too often within an hour; nothing was charged"},
      {used.tries_day, rules.method_tries_day_max, "method_day_limit",
       "this was tried too often within 24 hours; nothing was charged"},
  };
  // Not sooner: until then nothing leaves the time that is looked at.
  const auto wait = std::chrono::ceil<std::chrono::seconds>(slot_of(now) + kSlot - now);
  for (const auto& limit : limits)
    if (limit.most > 0 && limit.used >= limit.most)
      throw Error(Code::rate_limited, limit.words).retry_after(wait).reason(limit.reason);
}

// What is left of a limit in minor units.
std::int64_t left_of(std::int64_t most, std::int64_t used, Currency currency) {
  return std::max<std::int64_t>(in_minor(most, currency).amount - used, 0);
}

// Of their own limits buyers are told what is left.
void require_little(const Used& used, Money amount, const Rules& rules) {
  struct Limit {
    std::int64_t used, most;
    const char *reason, *words;
  };
  const Limit limits[] = {
      {used.sum_hour, rules.buyer_sum_hour_max, "buyer_sum_hour_limit", "within an hour: "},
      {used.sum_day, rules.buyer_sum_day_max, "buyer_sum_day_limit", "within 24 hours: "},
  };
  for (const auto& limit : limits) {
    if (limit.most == 0) continue;
    const auto left = left_of(limit.most, limit.used, amount.currency);
    if (amount.amount > left)
      throw Error(Code::conflict, std::string("this is more than you may pay ") + limit.words +
                                      display({left, amount.currency}) + " is left")
          .reason(limit.reason);
  }
}

// The words are the same whatever is left: how much a shop sells is not its buyers' to know.
void require_room(const Used& used, const Try& payment, const Rules& rules) {
  const auto most = used.week_max.value_or(rules.merchant_week_max);
  if (most == 0) return;
  const auto& amount = payment.amount;
  if (amount.amount <= left_of(most, used.week, amount.currency)) return;
  log::warning("risk.merchant_limit",
               {{"merchant", payment.merchant}, {"amount", amount}, {"taken", used.week}});
  throw Error(Code::conflict,
              "this cannot be paid at present; nothing was charged, and the request stays open")
      .reason("not_possible_now");
}

// What those of a batch count that come before the others, and what is written of it in the end.
class Counts {
 public:
  void add(const Try& payment, Method method) {
    const auto& [merchant, buyer, amount, choice] = payment;
    takings_[{merchant, amount.currency}] += amount.amount;
    auto& flow = flows_[{buyer, amount.currency}];
    ++flow.payments;
    flow.paid += amount.amount;
    ++payments_[buyer];
    ++tries_[{buyer, method}];
  }
  // What is used up with these.
  Used with(Used used, const Try& payment, Method method) const {
    const auto& [merchant, buyer, amount, choice] = payment;
    const auto flow = found(flows_, {buyer, amount.currency});
    const auto payments = found(payments_, buyer), tries = found(tries_, {buyer, method});
    used.week += found(takings_, {merchant, amount.currency});
    used.count_hour += payments;
    used.count_day += payments;
    used.sum_hour += flow.paid;
    used.sum_day += flow.paid;
    used.tries_hour += tries;
    used.tries_day += tries;
    return used;
  }
  void write(Tx& tx) const {
    if (tries_.empty()) return;
    Column<MerchantId> merchants;
    Column<AccountId> buyers, payers;
    Column<Currency> taken_in, paid_in;
    Column<Method> methods;
    Column<std::int64_t> taken, payments, paid, tries;
    for (const auto& [key, sum] : takings_) {
      merchants.push_back(key.first);
      taken_in.push_back(key.second);
      taken.push_back(sum);
    }
    for (const auto& [key, flow] : flows_) {
      buyers.push_back(key.first);
      paid_in.push_back(key.second);
      payments.push_back(flow.payments);
      paid.push_back(flow.paid);
    }
    for (const auto& [key, count] : tries_) {
      payers.push_back(key.first);
      methods.push_back(key.second);
      tries.push_back(count);
    }
    tx.run(kCount, merchants, taken_in, taken, buyers, paid_in, payments, paid, payers, methods,
           tries, hour_of(tx.now()), slot_of(tx.now()));
  }

 private:
  struct Flow {
    std::int64_t payments = 0, paid = 0;
  };
  template <class Map>
  static typename Map::mapped_type found(const Map& map, const typename Map::key_type& key) {
    const auto at = map.find(key);
    return at == map.end() ? typename Map::mapped_type{} : at->second;
  }

  std::map<std::pair<MerchantId, Currency>, std::int64_t> takings_;
  std::map<std::pair<AccountId, Currency>, Flow> flows_;
  std::map<AccountId, std::int64_t> payments_;
  std::map<std::pair<AccountId, Method>, std::int64_t> tries_;
};

std::vector<Used> used_of(Tx& tx, const std::vector<Try>& payments) {
  Column<MerchantId> merchants;
  Column<AccountId> buyers;
  Column<Method> methods;
  Column<Currency> currencies;
  for (const auto& [merchant, buyer, amount, choice] : payments) {
    merchants.push_back(merchant);
    buyers.push_back(buyer);
    methods.push_back(method_of(buyer, choice));
    currencies.push_back(amount.currency);
  }
  tx.run(kLock, merchants, buyers);
  const auto now = tx.now();
  std::vector<Used> used(payments.size());
  for (auto& row : tx.all(kUsed, merchants, buyers, methods, currencies, week_before(now),
                          slot_of(now - kDay), slot_of(now - kHour), std::ssize(payments)))
    used.at(static_cast<std::size_t>(row.n - 1)) = row;
  return used;
}

}  // namespace

Instant week_before(Instant now) { return hour_of(now - kWeek); }

std::vector<std::optional<Error>> count(Tx& tx, const std::vector<Try>& payments,
                                        const Rules& rules) {
  std::vector<std::optional<Error>> refusals(payments.size());
  if (payments.empty()) return refusals;
  const auto before = used_of(tx, payments);
  Counts counts;
  for (std::size_t i = 0; i < payments.size(); ++i) {
    const auto& payment = payments[i];
    const auto method = method_of(payment.buyer, payment.method);
    const auto used = counts.with(before[i], payment, method);
    try {
      require_seldom(used, rules, tx.now());
      require_little(used, payment.amount, rules);
      require_room(used, payment, rules);
      counts.add(payment, method);
    } catch (const Error& refusal) {
      refusals[i] = refusal;
    }
  }
  counts.write(tx);
  return refusals;
}

void count(Tx& tx, const Try& payment, const Rules& rules) {
  if (const auto refusal = count(tx, std::vector{payment}, rules).front()) throw Error(*refusal);
}

void count_try(Tx& tx, AccountId account, const wallet::MethodChoice& choice, const Rules& rules) {
  const auto now = tx.now();
  const auto method = method_of(account, choice);
  tx.run(kLockBuyer, account);
  const auto tried = tx.one(kTried, account, method, slot_of(now - kDay), slot_of(now - kHour));
  Used used;
  used.tries_hour = tried.hour;
  used.tries_day = tried.day;
  require_seldom(used, rules, now);
  tx.run(kTry, account, method, slot_of(now));
}

void release(Tx& tx, const Counted& payment) {
  tx.run(kLock, {payment.merchant}, {payment.buyer});
  tx.run(kRelease, payment.merchant, payment.buyer, payment.amount.currency, hour_of(payment.at),
         slot_of(payment.at), payment.amount.amount);
}

std::int64_t taken_in_week(Tx& tx, MerchantId merchant, Currency currency) {
  return tx.one(kTaken, merchant, currency, week_before(tx.now()));
}

}  // namespace bottega::risk
