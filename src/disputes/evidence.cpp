// The export that goes with a submission: what the thread, the sale and the parcel say, each part
// with its hash, the whole signed. Notes that the merchant's side keeps for itself are no entries
// of the log, and so are never in it.
#include "disputes/rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::disputes {
namespace {

constexpr std::int64_t kEntriesMax = 2'000;  // the newest

const Sql<payments::Request(MerchantId, PaymentId)> kRequest{"disputes.request", R"(
    SELECT r.id, r.merchant_id, r.conversation_id, r.buyer_id, r.title, r.description, r.lines,
           r.total, r.currency, r.shipping_address, r.state, r.reason, r.expires_at, r.created_at,
           r.updated_at, r.origin, r.breakdown, r.contact, r.ship_to, r.payment_link_id
    FROM payments p JOIN payment_requests r ON r.merchant_id = p.merchant_id
                                               AND r.id = p.payment_request_id
    WHERE p.merchant_id = $1 AND p.id = $2)"};

const Sql<payments::Payment(MerchantId, PaymentId)> kPayment{"disputes.payment", R"(
    SELECT id, merchant_id, payment_request_id, conversation_id, buyer_id, amount, currency,
           refunded, refunding, disputed, state, processor, reference, reason,
           NULL::text AS action_url, created_at, updated_at
    FROM payments WHERE merchant_id = $1 AND id = $2)"};

const Sql<payments::Refund(MerchantId, PaymentId)> kRefunds{"disputes.refunds", R"(
    SELECT id, merchant_id, payment_id, order_id, amount, currency, reason, state, reference,
           failure, created_at, updated_at
    FROM refunds WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id LIMIT 1000)"};

const Sql<void(MerchantId, DisputeId, std::string, std::string, std::string, Instant)> kKeep{
    "disputes.keep_evidence", R"(
    INSERT INTO dispute_evidence (merchant_id, dispute_id, document, sha256, signature, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id, dispute_id)
    DO UPDATE SET document = excluded.document, sha256 = excluded.sha256,
                  signature = excluded.signature, created_at = excluded.created_at)"};

const Sql<Evidence(MerchantId, DisputeId)> kEvidence{"disputes.evidence", R"(
    SELECT dispute_id, document, sha256, signature, created_at FROM dispute_evidence
    WHERE merchant_id = $1 AND dispute_id = $2)"};

Json log_of(Tx& tx, const Dispute& dispute) {
  Json entries = Json::array();
  for (const auto& event : conversations::log_since(
           tx, dispute.merchant_id, dispute.conversation_id, INT64_MAX, Instant{}, kEntriesMax))
    entries.push_back(to_frame(event));
  return entries;
}

// One that was removed meanwhile is left out: it cannot be shown any more.
Json files_of(Tx& tx, const Dispute& dispute) {
  Json files = Json::array();
  for (const auto& id : dispute.attachments) {
    try {
      const auto file = attachments::fetch(tx, id);
      files.push_back({{"id", text_of(file.id)},
                       {"name", file.name},
                       {"media_type", to_json(file.media_type)},
                       {"bytes", file.bytes},
                       {"sha256", to_json(file.sha256)}});
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
    }
  }
  return files;
}

}  // namespace

Json evidence_part(const char* name, Json content) {
  return {{"name", name}, {"sha256", sha256_hex(canonical_json(content))}, {"content", content}};
}

std::string evidence_document(Tx& tx, const Dispute& dispute) {
  const auto& merchant = dispute.merchant_id;
  Json refunds = Json::array();
  for (const auto& refund : tx.all(kRefunds, merchant, dispute.payment_id))
    refunds.push_back(to_json(refund));
  const auto order = orders::find_of_payment(tx, merchant, dispute.payment_id);
  Json parts = Json::array();
  parts.push_back(evidence_part("statement", to_json(dispute.text)));
  parts.push_back(
      evidence_part("payment_request", to_json(tx.one(kRequest, merchant, dispute.payment_id))));
  parts.push_back(
      evidence_part("payment", to_json(tx.one(kPayment, merchant, dispute.payment_id))));
  parts.push_back(evidence_part("order", to_json(order)));
  parts.push_back(evidence_part("refunds", std::move(refunds)));
  parts.push_back(evidence_part("conversation", log_of(tx, dispute)));
  const Json document = {{"format", "bottega.evidence.1"},
                         {"dispute", named_in_evidence(dispute)},
                         {"made_at", text_of(tx.now())},
                         {"parts", std::move(parts)},
                         {"attachments", files_of(tx, dispute)}};
  return canonical_json(document);
}

void keep_evidence(Tx& tx, const Dispute& dispute) {
  const auto document = evidence_document(tx, dispute);
  tx.run(kKeep, dispute.merchant_id, dispute.id, document, sha256_hex(document), sign(tx, document),
         tx.now());
}

Evidence fetch_evidence(Tx& tx, const Who& who, DisputeId id) {
  fetch(tx, who, id);
  return fetch_evidence(tx, id);
}

Evidence fetch_evidence(Tx& tx, DisputeId id) {
  return tx.one(kEvidence, identity::merchant_of(tx, id.uuid), id);
}

}  // namespace bottega::disputes
