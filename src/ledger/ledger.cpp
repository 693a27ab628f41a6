#include "bottega/ledger/ledger.hpp"

namespace bottega::ledger {
namespace {

using AboutId = Id<"about">;

struct Posted {
  Kind debit_kind{}, credit_kind{};
  OwnerId debit_owner, credit_owner;
  Money amount;
};
BOOST_DESCRIBE_STRUCT(Posted, (), (debit_kind, credit_kind, debit_owner, credit_owner, amount))

template <class T>
using Column = std::vector<T>;

// What ends something pending is said by its cause alone, and moves what that moved; where it ends
// nothing it is not written. Whoever ends the same at the same moment may be met in either key.
const Sql<TransferId(Column<TransferId>, Column<std::optional<Kind>>,
                     Column<std::optional<OwnerId>>, Column<std::optional<Kind>>,
                     Column<std::optional<OwnerId>>, Column<std::optional<std::int64_t>>,
                     Column<std::optional<Currency>>, Column<Why>, Column<AboutId>, Column<Phase>,
                     Column<bool>, Instant)>
    kWrite{"ledger.write", R"(
    INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount,
                                  currency, why, about, phase, pending_id, at)
    SELECT t.id, coalesce(p.debit_kind, t.debit_kind), coalesce(p.debit_owner, t.debit_owner),
           coalesce(p.credit_kind, t.credit_kind), coalesce(p.credit_owner, t.credit_owner),
           coalesce(p.amount, t.amount), coalesce(p.currency, t.currency), t.why, t.about, t.phase,
           p.id, $12
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[],
                $7::text[], $8::text[], $9::uuid[], $10::text[], $11::boolean[])
           AS t (id, debit_kind, debit_owner, credit_kind, credit_owner, amount, currency, why,
                 about, phase, is_end)
         LEFT JOIN LATERAL (
           SELECT id, debit_kind, debit_owner, credit_kind, credit_owner, amount, currency
           FROM ledger_transfers
           WHERE t.is_end AND why = t.why AND about = t.about AND phase = 'pending' OFFSET 0) p
           ON true
    WHERE p.id IS NOT NULL OR NOT t.is_end
    ON CONFLICT DO NOTHING RETURNING id)"};

const Sql<Posted(Why, AboutId, Phase)> kWritten{"ledger.written", R"(
    SELECT debit_kind, credit_kind, debit_owner, credit_owner, amount, currency
    FROM ledger_transfers WHERE why = $1 AND about = $2 AND phase = $3)"};

const Sql<void(Column<OwnerId>)> kLockOwners{"ledger.lock_owners", R"(
    SELECT pg_advisory_xact_lock(hashtextextended('ledger ' || id::text, 0))
    FROM unnest($1::uuid[]) AS owner (id))"};

struct AvailableRow {
  OwnerId owner_id;
  Money amount;
};
BOOST_DESCRIBE_STRUCT(AvailableRow, (), (owner_id, amount))

const Sql<AvailableRow(Column<OwnerId>, Kind)> kAvailable{"ledger.available", R"(
    SELECT owner_id, currency,
           CASE WHEN kind IN ('processor_clearing', 'processor_fees', 'merchant_debt', 'goodwill',
                              'wallet_debt', 'losses')
                THEN debits - credits - credits_pending
                ELSE credits - debits - debits_pending END AS amount
    FROM ledger_accounts WHERE owner_id = ANY($1) AND kind = $2)"};

const Sql<Balance(OwnerId)> kBalances{"ledger.balances", R"(
    SELECT kind, currency, debits, credits, debits_pending, credits_pending FROM ledger_accounts
    WHERE owner_id = $1 ORDER BY currency, kind)"};

const Sql<Balance()> kTrial{"ledger.trial_balance", R"(
    SELECT kind, currency, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits,
           sum(debits_pending)::bigint AS debits_pending,
           sum(credits_pending)::bigint AS credits_pending
    FROM ledger_accounts GROUP BY currency, kind ORDER BY currency, kind)"};

struct EntryRow {
  TransferId id;
  Why why{};
  AboutId about;
  Phase phase{};
  std::optional<TransferId> pending_id;
  OwnerId debit_owner, credit_owner;
  Kind debit_kind{}, credit_kind{};
  Money amount;
  Instant at{};
};
BOOST_DESCRIBE_STRUCT(EntryRow, (),
                      (id, why, about, phase, pending_id, debit_owner, debit_kind, credit_owner,
                       credit_kind, amount, at))

const Sql<EntryRow(OwnerId, TransferId, std::int64_t)> kHistory{"ledger.history", R"(
    SELECT id, why, about, phase, pending_id, debit_owner, debit_kind, credit_owner, credit_kind,
           amount, currency, at
    FROM ledger_transfers
    WHERE id IN (SELECT id FROM ledger_transfers WHERE debit_owner = $1 AND id > $2
                 UNION SELECT id FROM ledger_transfers WHERE credit_owner = $1 AND id > $2)
    ORDER BY id LIMIT $3)"};

const Sql<EntryRow(TransferId, Instant, std::int64_t)> kJournal{"ledger.journal", R"(
    SELECT id, why, about, phase, pending_id, debit_owner, debit_kind, credit_owner, credit_kind,
           amount, currency, at
    FROM ledger_transfers WHERE id > $1 AND at <= $2 ORDER BY id LIMIT $3)"};

struct MovementRow {
  std::optional<TransferId> id;
  std::optional<Why> why;
  std::optional<AboutId> about;
  std::string currency;
  std::int64_t amount = 0;
  std::optional<OwnerId> other;
  std::optional<Instant> at;
};
BOOST_DESCRIBE_STRUCT(MovementRow, (), (id, why, about, currency, amount, other, at))

const Sql<MovementRow(OwnerId, Kind, Instant, Instant, std::int64_t)> kMovements{"ledger.movements",
                                                                                 R"(
    WITH moved AS (
      SELECT id, why, about, currency, amount, debit_owner AS other, at FROM ledger_transfers
      WHERE credit_owner = $1 AND credit_kind = $2 AND phase = 'posted' AND at <= $4
      UNION ALL
      SELECT id, why, about, currency, -amount, credit_owner, at FROM ledger_transfers
      WHERE debit_owner = $1 AND debit_kind = $2 AND phase = 'posted' AND at <= $4)
    SELECT NULL::uuid AS id, NULL::text AS why, NULL::uuid AS about, currency,
           sum(CASE WHEN at <= $3 THEN amount ELSE 0 END)::bigint AS amount, NULL::uuid AS other,
           NULL::timestamptz AS at
    FROM moved GROUP BY currency
    UNION ALL
    SELECT id, why, about, currency, amount, other, at FROM moved WHERE at > $3
    ORDER BY at NULLS FIRST, id, currency LIMIT $5)"};

std::string name_of(Kind kind, OwnerId owner) {
  if (owner == kPlatform) return "platform";
  if (kind == Kind::wallet || kind == Kind::wallet_reserve || kind == Kind::wallet_debt)
    return text_of(identity::AccountId{owner.uuid});
  return text_of(identity::MerchantId{owner.uuid});
}

// What a processor keeps is of a payment, or, where the platform is the owner, of a top-up.
std::string about_of(const EntryRow& row) {
  if (row.why == Why::processor_fee && row.debit_owner == kPlatform)
    return text_of(Id<"topup">{row.about.uuid});
  return subject_of(row.why, row.about.uuid);
}

std::vector<Entry> entries_of(const std::vector<EntryRow>& rows) {
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (const auto& row : rows)
    entries.push_back({row.id, row.why, about_of(row), row.phase, row.pending_id, row.debit_kind,
                       row.credit_kind, name_of(row.debit_kind, row.debit_owner),
                       name_of(row.credit_kind, row.credit_owner), row.amount, row.at});
  return entries;
}

void require_same(Tx& tx, const Transfer& t, Phase phase) {
  const auto had = tx.one(kWritten, t.why, AboutId{t.about}, phase);
  if (Account{had.debit_kind, had.debit_owner} != t.debit ||
      Account{had.credit_kind, had.credit_owner} != t.credit || had.amount != t.amount)
    throw Error(Code::internal, "another transfer was posted for the same cause");
}

void require_ended(Tx& tx, Why why, AboutId about, Phase phase) {
  if (tx.find(kWritten, why, about, phase)) return;
  if (tx.find(kWritten, why, about, Phase::pending))
    throw Error(Code::conflict, "what was pending has ended the other way");
  throw Error(Code::not_found, "nothing is pending for this cause");
}

}  // namespace

std::string subject_of(Why why, const Uuid& about) {
  switch (why) {
    case Why::capture:
    case Why::processor_fee:
    case Why::goodwill_return:
      return text_of(Id<"pay">{about});
    case Why::refund:
    case Why::refund_fee:
    case Why::refund_balance:
    case Why::refund_advance:
    case Why::goodwill:
    case Why::refund_return:
    case Why::refund_return_fee:
    case Why::refund_return_balance:
    case Why::refund_return_debt:
    case Why::refund_return_goodwill:
      return text_of(Id<"rfnd">{about});
    case Why::release:
    case Why::platform_fee:
      return text_of(Id<"pout">{about});
    case Why::payout:
    case Why::recovery:
    case Why::payout_return:
      return text_of(Id<"batch">{about});
    case Why::dispute:
    case Why::dispute_fee:
    case Why::dispute_balance:
    case Why::dispute_advance:
    case Why::dispute_lost:
    case Why::dispute_won:
    case Why::dispute_won_fee:
    case Why::dispute_won_debt:
    case Why::dispute_loss:
    case Why::dispute_late:
    case Why::dispute_late_fee:
    case Why::dispute_late_balance:
    case Why::dispute_late_advance:
      return text_of(Id<"dsp">{about});
    case Why::top_up:
    case Why::top_up_recovery:
      return text_of(Id<"topup">{about});
    case Why::withdrawal:
    case Why::withdrawal_recovery:
    case Why::withdrawal_return:
      return text_of(Id<"wdrl">{about});
    case Why::transfer:
      return text_of(Id<"xfer">{about});
  }
  return text_of(AboutId{about});
}

Transfer transfer_within(identity::MerchantId merchant, Why why, const Uuid& about, Kind debit,
                         Kind credit, Money amount) {
  const auto owner = owner_of(merchant);
  return {why, about, {debit, owner}, {credit, owner}, amount};
}

void Batch::post(const Transfer& transfer) { add(transfer, Phase::posted); }
void Batch::pend(const Transfer& transfer) { add(transfer, Phase::pending); }
void Batch::post_pending(Why why, const Uuid& about) { end(why, about, Phase::posted); }
void Batch::void_pending(Why why, const Uuid& about) { end(why, about, Phase::voided); }

void Batch::add(const Transfer& transfer, Phase phase) {
  lines_.push_back({transfer.why, transfer.about, phase, transfer});
}
void Batch::end(Why why, const Uuid& about, Phase phase) {
  lines_.push_back({why, about, phase, std::nullopt});
}

void Batch::write(Tx& tx) {
  if (lines_.empty()) return;
  Column<TransferId> ids;
  Column<std::optional<Kind>> debit_kinds, credit_kinds;
  Column<std::optional<OwnerId>> debit_owners, credit_owners;
  Column<std::optional<std::int64_t>> amounts;
  Column<std::optional<Currency>> currencies;
  Column<Why> whys;
  Column<AboutId> abouts;
  Column<Phase> phases;
  Column<bool> ends;
  for (const auto& [why, about, phase, transfer] : lines_) {
    ids.push_back(TransferId::make());
    whys.push_back(why);
    abouts.push_back({about});
    phases.push_back(phase);
    ends.push_back(!transfer);
    // Named again: Clang 14 captures no structured bindings.
    const auto put = [&moved = transfer](auto& column, auto member) {
      using Value = typename std::decay_t<decltype(column)>::value_type;
      column.push_back(moved ? Value(member(*moved)) : Value());
    };
    put(debit_kinds, [](const Transfer& t) { return t.debit.kind; });
    put(debit_owners, [](const Transfer& t) { return t.debit.owner; });
    put(credit_kinds, [](const Transfer& t) { return t.credit.kind; });
    put(credit_owners, [](const Transfer& t) { return t.credit.owner; });
    put(amounts, [](const Transfer& t) { return t.amount.amount; });
    put(currencies, [](const Transfer& t) { return t.amount.currency; });
  }
  const auto written = tx.all(kWrite, ids, debit_kinds, debit_owners, credit_kinds, credit_owners,
                              amounts, currencies, whys, abouts, phases, ends, tx.now());
  const std::set<TransferId> fresh(written.begin(), written.end());
  const auto lines = std::exchange(lines_, {});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (fresh.contains(ids[i])) continue;
    const auto& [why, about, phase, transfer] = lines[i];
    if (transfer)
      require_same(tx, *transfer, phase);
    else
      require_ended(tx, why, AboutId{about}, phase);
  }
}

void post(Tx& tx, const Transfer& transfer) {
  Batch batch;
  batch.post(transfer);
  batch.write(tx);
}

void pend(Tx& tx, const Transfer& transfer) {
  Batch batch;
  batch.pend(transfer);
  batch.write(tx);
}

void post_pending(Tx& tx, Why why, const Uuid& about) {
  Batch batch;
  batch.post_pending(why, about);
  batch.write(tx);
}

void void_pending(Tx& tx, Why why, const Uuid& about) {
  Batch batch;
  batch.void_pending(why, about);
  batch.write(tx);
}

void lock_owner(Tx& tx, OwnerId owner) { lock_owners(tx, {owner}); }

void lock_owners(Tx& tx, const std::set<OwnerId>& owners) {
  if (!owners.empty()) tx.run(kLockOwners, Column<OwnerId>(owners.begin(), owners.end()));
}

bool is_posted(Tx& tx, Why why, const Uuid& about) {
  const AboutId id{about};
  return tx.find(kWritten, why, id, Phase::posted).has_value();
}

std::int64_t available(Tx& tx, const Account& account, const Currency& currency) {
  return available(tx, std::set{account.owner}, account.kind)[{account.owner, currency}];
}

Funds available(Tx& tx, const std::set<OwnerId>& owners, Kind kind) {
  Funds funds;
  if (owners.empty()) return funds;
  for (const auto& row : tx.all(kAvailable, Column<OwnerId>(owners.begin(), owners.end()), kind))
    funds[{row.owner_id, row.amount.currency}] = row.amount.amount;
  return funds;
}

std::vector<Balance> balances(Tx& tx, OwnerId owner) { return tx.all(kBalances, owner); }

std::vector<Movement> movements(Tx& tx, const Account& account, Instant from, Instant until,
                                std::int64_t limit) {
  std::vector<Movement> moved;
  for (auto& row : tx.all(kMovements, account.owner, account.kind, from, until, limit)) {
    std::optional<std::string> about;
    if (row.why && row.about) about = subject_of(*row.why, row.about->uuid);
    moved.push_back({row.id, row.why, about, row.currency, row.amount, row.other, row.at});
  }
  return moved;
}

std::vector<Balance> trial_balance(Tx& tx) { return tx.all(kTrial); }

std::vector<Entry> history(Tx& tx, OwnerId owner, std::optional<TransferId> after,
                           std::int64_t limit) {
  return entries_of(tx.all(kHistory, owner, after.value_or(TransferId{}), limit));
}

std::vector<Entry> journal(Tx& tx, std::optional<TransferId> after, Instant until,
                           std::int64_t limit) {
  return entries_of(tx.all(kJournal, after.value_or(TransferId{}), until, limit));
}

}  // namespace bottega::ledger
