// An attempt without a definite outcome, asked about by hand.
#include "bottega/disputes/top_ups.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/wallet/wallet.hpp"

namespace bottega::ops {
namespace {

using attempts::Subject, processors::Operation;

// The job that carries an attempt to its end, and what it is about.
struct Carrier {
  std::string_view job;
  std::string about;
};

Carrier carrier_of(Operation operation, const Subject& subject) {
  const auto& thing = subject.subject_id.uuid;
  const bool is_wallets = subject.merchant_id == wallet::kPlatformMerchant;
  switch (operation) {
    case Operation::charge:
      if (is_wallets) return {wallet::kTopUpJob, text_of(wallet::TopUpId{thing})};
      return {payments::kReconcileJob, text_of(orders::PaymentId{thing})};
    case Operation::refund:
      return {payments::kRefundJob, text_of(payments::RefundId{thing})};
    case Operation::payout:
      if (is_wallets) return {wallet::kWithdrawJob, text_of(wallet::WithdrawalId{thing})};
      return {payouts::kSendJob, text_of(payouts::BatchId{thing})};
    case Operation::dispute:
      if (is_wallets) return {disputes::kRespondTopUpJob, text_of(disputes::DisputeId{thing})};
      return {disputes::kRespondJob, text_of(disputes::DisputeId{thing})};
    case Operation::onboarding:
    case Operation::dispute_return:
      break;
  }
  throw Error(Code::internal, "no attempt is ever about this");
}

}  // namespace

attempts::Attempt ask(Tx& tx, attempts::AttemptId id) {
  auto attempt = attempts::fetch(tx, id);
  if (attempt.state == attempts::State::succeeded || attempt.state == attempts::State::failed)
    throw Error(Code::conflict, "it has " + text_of(attempt.state) + " already");
  const auto subject = attempts::subject_of(tx, id);
  const auto carrier = carrier_of(attempt.operation, subject);
  jobs::enqueue(tx, carrier.job, carrier.about, {{"merchant_id", text_of(subject.merchant_id)}},
                tx.now());
  return attempt;
}

}  // namespace bottega::ops
