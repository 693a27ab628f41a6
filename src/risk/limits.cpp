// Counters by time, one row for each hour or ten minutes: a limit adds up a few of them. Whoever
// counts holds the merchant's and the buyer's lock, in this order, so that two payments are never
// both the last that fits.
#include "bottega/risk/limits.hpp"

#include "bottega/core/log.hpp"

namespace bottega::risk {
namespace {

using namespace std::chrono_literals;
using Method = Id<"method">;

constexpr auto kSlot = 10min;
constexpr auto kHour = 1h;
constexpr auto kDay = 24h;
constexpr auto kWeek = 7 * 24h;

const Sql<void(MerchantId, AccountId)> kLock{"risk.lock", R"(
    SELECT pg_advisory_xact_lock(hashtextextended('takings ' || $1::text, 0)),
           pg_advisory_xact_lock(hashtextextended('flows ' || $2::text, 0)))"};

const Sql<void(AccountId)> kLockBuyer{"risk.lock_buyer", R"(
    SELECT pg_advisory_xact_lock(hashtextextended('flows ' || $1::text, 0)))"};

struct Used {
  std::int64_t week = 0;
  std::int64_t count_hour = 0, count_day = 0, sum_hour = 0, sum_day = 0;
  std::int64_t tries_hour = 0, tries_day = 0;
  std::optional<std::int64_t> week_max;
};
BOOST_DESCRIBE_STRUCT(Used, (),
                      (week, count_hour, count_day, sum_hour, sum_day, tries_hour, tries_day,
                       week_max))

// What has begun within the time counts as a whole. How often somebody pays is counted in all
// currencies, how much in each.
const Sql<Used(MerchantId, AccountId, Method, Currency, Instant, Instant, Instant)> kUsed{
    "risk.used", R"(
    SELECT (SELECT coalesce(sum(taken), 0)::bigint FROM merchant_takings
            WHERE merchant_id = $1 AND currency = $4 AND hour >= $5) AS week,
           b.count_hour, b.count_day, b.sum_hour, b.sum_day, m.tries_hour, m.tries_day,
           (SELECT week_max FROM merchant_limits WHERE merchant_id = $1) AS week_max
    FROM (SELECT coalesce(sum(payments) FILTER (WHERE slot >= $7), 0)::bigint AS count_hour,
                 coalesce(sum(payments), 0)::bigint AS count_day,
                 coalesce(sum(paid) FILTER (WHERE slot >= $7 AND currency = $4), 0)::bigint
                   AS sum_hour,
                 coalesce(sum(paid) FILTER (WHERE currency = $4), 0)::bigint AS sum_day
          FROM buyer_flows WHERE account_id = $2 AND slot >= $6) b,
         (SELECT coalesce(sum(tries) FILTER (WHERE slot >= $7), 0)::bigint AS tries_hour,
                 coalesce(sum(tries), 0)::bigint AS tries_day
          FROM method_tries WHERE account_id = $2 AND method_id = $3 AND slot >= $6) m)"};

const Sql<void(MerchantId, AccountId, Method, Currency, Instant, Instant, std::int64_t)> kCount{
    "risk.count", R"(
    WITH takings AS (
      INSERT INTO merchant_takings (merchant_id, currency, hour, taken) VALUES ($1, $4, $5, $7)
      ON CONFLICT (merchant_id, currency, hour)
      DO UPDATE SET taken = merchant_takings.taken + excluded.taken),
    flows AS (
      INSERT INTO buyer_flows (account_id, currency, slot, payments, paid)
      VALUES ($2, $4, $6, 1, $7)
      ON CONFLICT (account_id, slot, currency)
      DO UPDATE SET payments = buyer_flows.payments + 1, paid = buyer_flows.paid + excluded.paid)
    INSERT INTO method_tries (account_id, method_id, slot, tries) VALUES ($2, $3, $6, 1)
    ON CONFLICT (account_id, method_id, slot) DO UPDATE SET tries = method_tries.tries + 1)"};

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

struct Own {
  std::optional<std::int64_t> request_max, week_max;
  std::string reason, set_by;
  Instant set_at{};
};
BOOST_DESCRIBE_STRUCT(Own, (), (request_max, week_max, reason, set_by, set_at))

const Sql<Own(MerchantId)> kOwn{"risk.own_limits", R"(
    SELECT request_max, week_max, reason, set_by, set_at FROM merchant_limits
    WHERE merchant_id = $1)"};

const Sql<void(MerchantId, std::optional<std::int64_t>, std::optional<std::int64_t>, std::string,
               std::string, Instant)>
    kSet{"risk.set_limits", R"(
    INSERT INTO merchant_limits (merchant_id, request_max, week_max, reason, set_by, set_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id)
    DO UPDATE SET request_max = excluded.request_max, week_max = excluded.week_max,
                  reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at)"};

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

}  // namespace

Money in_minor(std::int64_t units, Currency currency) {
  Money money{units, currency};
  for (unsigned i = 0; i < currency.decimals(); ++i) money = money * 10;
  return money;
}

std::optional<std::int64_t> request_max(Tx& tx, MerchantId merchant, Currency currency,
                                        const Rules& rules) {
  const auto own = tx.find(kOwn, merchant);
  const auto most = own ? own->request_max.value_or(rules.request_max) : rules.request_max;
  if (most == 0) return std::nullopt;
  return in_minor(most, currency).amount;
}

void count(Tx& tx, const Try& payment, const Rules& rules) {
  const auto now = tx.now();
  const auto& [merchant, buyer, amount, choice] = payment;
  const auto method = method_of(buyer, choice);
  tx.run(kLock, merchant, buyer);
  const auto used = tx.one(kUsed, merchant, buyer, method, amount.currency, hour_of(now - kWeek),
                           slot_of(now - kDay), slot_of(now - kHour));
  require_seldom(used, rules, now);
  require_little(used, amount, rules);
  require_room(used, payment, rules);
  tx.run(kCount, merchant, buyer, method, amount.currency, hour_of(now), slot_of(now),
         amount.amount);
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
  tx.run(kLock, payment.merchant, payment.buyer);
  tx.run(kRelease, payment.merchant, payment.buyer, payment.amount.currency, hour_of(payment.at),
         slot_of(payment.at), payment.amount.amount);
}

std::int64_t taken_in_week(Tx& tx, MerchantId merchant, Currency currency) {
  return tx.one(kTaken, merchant, currency, hour_of(tx.now() - kWeek));
}

MerchantLimits limits_of(Tx& tx, MerchantId id, const Rules& rules) {
  const auto currency = identity::fetch_merchant(tx, id).currency;
  MerchantLimits limits{rules.request_max,
                        rules.merchant_week_max,
                        {taken_in_week(tx, id, currency), currency},
                        std::nullopt,
                        std::nullopt,
                        std::nullopt};
  if (const auto own = tx.find(kOwn, id)) {
    limits.request_max = own->request_max.value_or(limits.request_max);
    limits.week_max = own->week_max.value_or(limits.week_max);
    limits.reason = own->reason;
    limits.set_by = own->set_by;
    limits.set_at = own->set_at;
  }
  return limits;
}

void set_limits(Tx& tx, MerchantId merchant, const NewLimits& given, const std::string& set_by) {
  identity::fetch_merchant(tx, merchant);
  const auto units = [](const std::optional<Count<0, kUnitsMax>>& one) {
    return one ? std::optional(one->value) : std::nullopt;
  };
  tx.run(kSet, merchant, units(given.request_max), units(given.week_max), given.reason.value,
         set_by, tx.now());
}

}  // namespace bottega::risk
