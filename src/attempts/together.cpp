// Charges of many payments that begin, and succeed, together.
#include "bottega/attempts/attempts.hpp"

namespace bottega::attempts {
namespace {

template <class T>
using Column = std::vector<T>;
using ThingId = Id<"thing">;

const Sql<void(Column<MerchantId>, Column<AttemptId>, Column<ThingId>, Column<std::string>,
               Column<std::string>, Column<std::int64_t>, Column<Currency>)>
    kBeginAll{"attempts.begin_charges", R"(
    INSERT INTO attempts (merchant_id, id, operation, subject_id, processor, account, amount,
                          currency, state)
    SELECT merchant_id, id, 'charge', subject_id, processor, account, amount, currency, 'sent'
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
                $7::text[])
           AS one (merchant_id, id, subject_id, processor, account, amount, currency))"};

// The limit says how many they are (see conversations.write_entries).
const Sql<void(Column<MerchantId>, Column<AttemptId>, Column<std::string>,
               Column<std::optional<std::int64_t>>, Instant, std::int64_t)>
    kSucceedAll{"attempts.succeed_charges", R"(
    UPDATE attempts a
    SET state = 'succeeded', reference = u.reference, fee = coalesce(a.fee, u.fee),
        settled_at = $5::timestamptz
    FROM (SELECT merchant_id, id, reference, fee
          FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
                 AS one (merchant_id, id, reference, fee)
          LIMIT $6::bigint) u
    WHERE a.merchant_id = u.merchant_id AND a.id = u.id)"};

}  // namespace

std::vector<Attempt> begin(Tx& tx, const std::vector<NewCharge>& charges) {
  std::vector<Attempt> begun;
  if (charges.empty()) return begun;
  Column<MerchantId> merchants;
  Column<AttemptId> ids;
  Column<ThingId> subjects;
  Column<std::string> processors, accounts;
  Column<std::int64_t> amounts;
  Column<Currency> currencies;
  for (const auto& charge : charges) {
    Attempt attempt;
    attempt.id = AttemptId::make();
    attempt.merchant_id = charge.merchant;
    attempt.operation = processors::Operation::charge;
    attempt.processor = charge.to.processor;
    attempt.account = charge.to.account;
    attempt.amount = charge.amount;
    attempt.state = State::sent;
    merchants.push_back(charge.merchant);
    ids.push_back(attempt.id);
    subjects.push_back({charge.payment});
    processors.push_back(attempt.processor);
    accounts.push_back(attempt.account);
    amounts.push_back(charge.amount.amount);
    currencies.push_back(charge.amount.currency);
    begun.push_back(std::move(attempt));
  }
  tx.run(kBeginAll, merchants, ids, subjects, processors, accounts, amounts, currencies);
  return begun;
}

void succeed(Tx& tx, const std::vector<Charged>& charges) {
  if (charges.empty()) return;
  Column<MerchantId> merchants;
  Column<AttemptId> ids;
  Column<std::string> references;
  Column<std::optional<std::int64_t>> fees;
  for (const auto& charge : charges) {
    merchants.push_back(charge.merchant);
    ids.push_back(charge.attempt);
    references.push_back(charge.reference);
    fees.push_back(charge.fee);
  }
  tx.run(kSucceedAll, merchants, ids, references, fees, tx.now(), std::ssize(ids));
}

}  // namespace bottega::attempts
