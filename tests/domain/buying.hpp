#pragma once
// Payments that begin together and are settled together, the way the gateway does it.
#include <atomic>

#include "domain/checkout.hpp"
#include "bottega/payments/together.hpp"

namespace bottega::test {

class Buying : public Checkout {
 protected:
  using Told = std::vector<payments::Told>;
  using Outcomes = std::vector<std::optional<payments::Accepted>>;

  static payments::Beginning paying(const identity::Who& who, payments::RequestId request,
                                    const std::string& token = "tok_approved") {
    return {who, acceptance(token), request};
  }
  payments::Beginnings begin_all(const std::vector<payments::Beginning>& asked) {
    return in([&](Tx& tx) { return payments::begin(tx, asked, world.payment_rules); });
  }
  // What became of each: begun, to be begun alone, or the reason or code of its refusal.
  static std::string said(const payments::Beginnings::value_type& outcome) {
    if (!outcome) return "alone";
    const auto* refusal = std::get_if<Error>(&*outcome);
    if (refusal == nullptr) return "begun";
    return refusal->reason().empty() ? std::string(info(refusal->code()).slug) : refusal->reason();
  }
  static std::vector<std::string> said(const payments::Beginnings& outcomes) {
    std::vector<std::string> words;
    for (const auto& outcome : outcomes) words.push_back(said(outcome));
    return words;
  }
  static const payments::Begun& begun(const payments::Beginnings::value_type& outcome) {
    return std::get<payments::Begun>(outcome.value());
  }
  // What the processor says to it; every other time it is remembered how it has begun.
  payments::Told charged(const payments::Begun& one) {
    payments::Told told{one.payment.merchant_id, one.payment.id,
                        run(payments::call(world.registry.get("sandbox"), one.charge))};
    if (++charged_ % 2 == 0) told.request = one.request;
    return told;
  }
  Outcomes settle_all(const Told& told) {
    return in([&](Tx& tx) { return payments::settle(tx, told, world.payment_rules); });
  }
  // Begins, charges and settles all of them.
  Outcomes pay_all(const std::vector<payments::Beginning>& asked) {
    Told told;
    for (const auto& outcome : begin_all(asked)) told.push_back(charged(begun(outcome)));
    return settle_all(told);
  }
  payments::Accepted current(const payments::Payment& payment) {
    return in([&](Tx& tx) { return payments::current(tx, payment.merchant_id, payment.id); });
  }
  payments::Request request_now(payments::RequestId id) {
    return in([&](Tx& tx) { return payments::fetch_request(tx, shop.buyer, id); });
  }
  // A request of the merchant for so many of a variant.
  payments::Request ask_for(const Shop& who, catalog::VariantId id, std::int64_t amount = 1'000,
                            std::int64_t quantity = 1) {
    const auto given =
        from_json<payments::NewRequest>({{"conversation_id", text_of(who.conversation)},
                                         {"title", "Tea"},
                                         {"description", "Green tea"},
                                         {"lines",
                                          {{{"name", "Tea"},
                                            {"quantity", quantity},
                                            {"unit_amount", amount},
                                            {"variant_id", text_of(id)}}}}});
    return in([&](Tx& tx) { return payments::ask(tx, who.owner, given, world.payment_rules); });
  }
  // Another buyer in a conversation with the same shop.
  Shop beside(Shop other) {
    other.buyer = world.person();
    other.conversation = in([&](Tx& tx) {
      return conversations::open(tx, other.buyer, {other.merchant}).conversation.id;
    });
    return other;
  }
  std::string count_of(const std::string& what) {
    return execute(world.urls.superuser, "SELECT count(*) FROM bottega." + what);
  }
  std::string jobs_of(std::string_view kind) {
    return count_of("jobs WHERE kind = '" + std::string(kind) + "'");
  }
  // Everything that a shop's sales have written, but for ids and times.
  std::string rows_of(const Shop& one) {
    const auto merchant = "'" + uuid_text(one.merchant.uuid) + "'";
    return execute(world.urls.superuser, R"(
        SET search_path = bottega;
        SELECT string_agg(line, E'\n' ORDER BY line) FROM (
          SELECT concat_ws('|', r.title, r.total, r.currency, r.state, r.reason, r.origin,
                           r.ship_to, r.contact, r.breakdown, r.shipping_address,
                           r.expires_at > r.created_at, p.amount, p.state, p.processor,
                           p.reference IS NULL, p.ship_to,
                           p.held IS NULL, p.processor_fee, p.is_late, a.operation, a.amount,
                           a.state, a.account = m.processor_account, a.reference = p.reference,
                           a.settled_at IS NULL, a.fee, o.total, o.fee, o.state, o.title, o.ship_to,
                           o.card_seq) AS line
          FROM payment_requests r JOIN merchants m ON m.id = r.merchant_id
               LEFT JOIN payments p
                 ON p.merchant_id = r.merchant_id AND p.payment_request_id = r.id
               LEFT JOIN attempts a ON a.merchant_id = p.merchant_id AND a.subject_id = p.id
               LEFT JOIN orders o ON o.merchant_id = p.merchant_id AND o.payment_id = p.id
          WHERE r.merchant_id = )" + merchant +
                                             R"(
          UNION ALL
          SELECT concat_ws('|', event, seq, author, author_id IS NULL,
                           data -> 'payment_request' ->> 'state', data ->> 'fallback',
                           (SELECT string_agg(k, ',' ORDER BY k)
                            FROM jsonb_object_keys(data -> 'payment_request') AS k))
          FROM entries WHERE merchant_id = )" +
                                             merchant + R"(
          UNION ALL
          SELECT concat_ws('|', kind, currency, debits, credits)
          FROM ledger_accounts WHERE owner_id = )" +
                                             merchant + R"(
          UNION ALL
          SELECT concat_ws('|', 'taken', currency, taken)
          FROM merchant_takings WHERE merchant_id = )" +
                                             merchant + R"(
          UNION ALL
          SELECT concat_ws('|', 'directory', count(*))
          FROM directory WHERE merchant_id = )" +
                                             merchant + ") AS all_rows");
  }

 private:
  std::atomic<int> charged_ = 0;
};

}  // namespace bottega::test
