#include "app/handlers.hpp"

#include <limits>

#include "bottega/catalog/browse.hpp"
#include "bottega/catalog/feeds.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/core/log.hpp"
#include "bottega/identity/onboarding.hpp"
#include "bottega/payments/together.hpp"
#include "bottega/privacy/erasure.hpp"
#include "bottega/privacy/exports.hpp"
#include "bottega/returns/returns.hpp"

namespace bottega {
namespace {

using identity::MerchantId;
using namespace std::chrono_literals;

MerchantId merchant_of(const jobs::Job& job) {
  return from_text<MerchantId>(job.arguments.at("merchant_id").get<std::string>());
}

// What has no definite outcome is asked about at 5 s, 30 s, 5 min and 1 h, then daily for as long
// as it takes: banks need days, and nothing else would let go of the money. From the tenth time on
// a person is told.
constexpr std::int64_t kAsked = 10;
constexpr auto kForEver = std::numeric_limits<std::int64_t>::max();

using Run = std::function<asio::awaitable<void>(const jobs::Job&)>;

asio::awaitable<void> run_lasting(const Run& work, const jobs::Job& job) {
  std::exception_ptr failure;
  std::string words;
  try {
    co_await work(job);
  } catch (const std::exception& error) {
    failure = std::current_exception();
    words = error.what();
  }
  if (!failure) co_return;
  if (job.attempts >= kAsked)
    log::error(
        "job.stuck",
        {{"kind", job.kind}, {"about", job.about}, {"tried", job.attempts}, {"error", words}});
  std::rethrow_exception(failure);
}

// A kind of job that never dies.
jobs::Kind lasting(std::string_view name, std::chrono::seconds lease, Run work, jobs::Lane lane) {
  auto run = [work = std::move(work)](const jobs::Job& job) { return run_lasting(work, job); };
  return {name, lease, kForEver, std::move(run), lane};
}

asio::awaitable<void> expire_request(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<payments::RequestId>(job.about);
  const auto waiting =
      co_await world.db.transact([&](Tx& tx) { return payments::find_alive(tx, merchant, id); });
  // Nobody may confirm a payment of a request that has expired.
  if (waiting)
    co_await payments::abandon(world.db, world.registry, merchant, *waiting, world.payment_rules);
  co_await world.db.transact([&](Tx& tx) { payments::expire(tx, merchant, id); });
}

asio::awaitable<void> abandon(const JobWorld& world, const jobs::Job& job) {
  const auto id = from_text<payments::PaymentId>(job.about);
  const auto merchant = merchant_of(job);
  co_await payments::abandon(world.db, world.registry, merchant, id, world.payment_rules);
}

asio::awaitable<void> reconcile(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<payments::PaymentId>(job.about);
  std::exception_ptr failure;
  try {
    co_await payments::reconcile(world.db, world.registry, merchant, id, world.payment_rules);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  if (job.attempts < kAsked) std::rethrow_exception(failure);
  const auto now =
      co_await world.db.transact([&](Tx& tx) { return payments::current(tx, merchant, id); });
  // The buyer is still to confirm it: the request's end asks once more.
  if (now.payment.state != payments::State::requires_action) std::rethrow_exception(failure);
}

asio::awaitable<void> cancel_unsent(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<orders::OrderId>(job.about);
  co_await world.db.transact([&](Tx& tx) {
    payments::cancel_unsent(tx, merchant, id, world.payment_rules, world.payout_rules);
  });
}

asio::awaitable<void> expire_return(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<returns::ReturnId>(job.about);
  co_await world.db.transact([&](Tx& tx) { returns::expire(tx, merchant, id); });
}

asio::awaitable<void> end_return(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<payments::RefundId>(job.about);
  co_await world.db.transact([&](Tx& tx) { returns::refund_ended(tx, merchant, id); });
}

asio::awaitable<void> gather(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = from_text<payouts::PayoutId>(job.about);
  co_await world.db.transact(
      [&](Tx& tx) { payouts::collect(tx, merchant, id, world.payout_rules); });
}

processors::Outcome outcome_of(const attempts::KeptEvent& event) {
  return {event.verdict, event.reference, event.reason, event.action_url,
          event.key,     event.fee,       event.amount, processors::Origin::news};
}

// What the platform asked for itself is a wallet's, whatever the operation.
void settle_of_wallet(Tx& tx, processors::Operation operation, const Uuid& thing,
                      const processors::Outcome& outcome) {
  if (operation == processors::Operation::charge) wallet::settle_top_up(tx, {thing}, outcome);
  if (operation == processors::Operation::payout) wallet::settle_withdrawal(tx, {thing}, outcome);
}

void settle_of_merchant(Tx& tx, const JobWorld& world, processors::Operation operation,
                        const attempts::Subject& subject, const processors::Outcome& outcome) {
  const auto& merchant = subject.merchant_id;
  const auto& thing = subject.subject_id.uuid;
  switch (operation) {
    case processors::Operation::charge:
      payments::settle(tx, merchant, {thing}, outcome, world.payment_rules);
      break;
    case processors::Operation::refund:
      payments::settle_refund(tx, merchant, {thing}, outcome, world.payment_rules);
      break;
    case processors::Operation::payout:
      payouts::settle(tx, merchant, {thing}, outcome, world.payout_rules);
      break;
    case processors::Operation::onboarding:
    case processors::Operation::dispute:
    case processors::Operation::dispute_return:
      break;
  }
}

void apply_event(Tx& tx, const JobWorld& world, const attempts::KeptEvent& event) {
  const auto outcome = outcome_of(event);
  if (event.operation == processors::Operation::onboarding) {
    const auto decision = identity::decision_of(outcome.verdict);
    if (decision && !identity::settle_onboarding(tx, event.processor, event.key, *decision))
      throw Error(Code::busy, "no merchant is known by this account yet");
  } else if (event.operation == processors::Operation::dispute) {
    if (event.dispute)
      disputes::take_news(tx, event.processor, *event.dispute, world.payment_rules);
  } else {
    const auto subject = attempts::subject_of(tx, event.processor, event.key);
    if (subject.merchant_id == wallet::kPlatformMerchant)
      settle_of_wallet(tx, event.operation, subject.subject_id.uuid, outcome);
    else
      settle_of_merchant(tx, world, event.operation, subject, outcome);
  }
  attempts::event_handled(tx, event.processor, event.event_id);
}

asio::awaitable<void> handle_event(const JobWorld& world, const jobs::Job& job) {
  const auto processor = job.arguments.at("processor").get<std::string>();
  const auto id = job.arguments.at("event_id").get<std::string>();
  co_await world.db.transact(
      [&](Tx& tx) { apply_event(tx, world, attempts::fetch_event(tx, processor, id)); });
}

disputes::DisputeId dispute_of(const jobs::Job& job) {
  return from_text<disputes::DisputeId>(job.about);
}

asio::awaitable<void> submit_in_time(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = dispute_of(job);
  co_await world.db.transact([&](Tx& tx) { disputes::submit_in_time(tx, merchant, id); });
}

asio::awaitable<void> remind(const JobWorld& world, const jobs::Job& job) {
  const auto merchant = merchant_of(job);
  const auto id = dispute_of(job);
  co_await world.db.transact([&](Tx& tx) { disputes::remind(tx, merchant, id); });
}

asio::awaitable<void> submit_top_up(const JobWorld& world, const jobs::Job& job) {
  const auto id = dispute_of(job);
  co_await world.db.transact([&](Tx& tx) { disputes::submit_top_up_in_time(tx, id); });
}

asio::awaitable<void> return_late(const JobWorld& world, const jobs::Job& job) {
  const auto id = from_text<wallet::TransferId>(job.about);
  co_await world.db.transact([&](Tx& tx) { wallet::return_late(tx, id); });
}

asio::awaitable<void> wake(const JobWorld& world, const jobs::Job& job) {
  const auto id = from_text<conversations::ConversationId>(job.about);
  co_await world.db.transact([&](Tx& tx) { conversations::wake(tx, id); });
}

asio::awaitable<void> release(const JobWorld& world, const jobs::Job& job) {
  const auto account =
      from_text<identity::AccountId>(job.arguments.at("account_id").get<std::string>());
  co_await world.db.transact(
      [&](Tx& tx) { conversations::release_all(tx, merchant_of(job), account); });
}

asio::awaitable<void> begin_settlements(const JobWorld& world) {
  co_await world.db.transact(
      [&](Tx& tx) { settlements::begin_daily(tx, world.registry, world.settlement_rules); });
}

// A day that cannot be compared, however often it was tried, is told as such.
asio::awaitable<void> check_settlement(const JobWorld& world, const jobs::Job& job) {
  const auto run = from_text<settlements::RunId>(job.arguments.at("run").get<std::string>());
  const auto step = job.arguments.at("step").get<std::int64_t>();
  std::exception_ptr failure;
  std::string words;
  try {
    co_await settlements::check(world.db, world.registry, run, step, world.settlement_rules);
  } catch (const std::exception& error) {
    failure = std::current_exception();
    words = error.what();
  }
  if (!failure) co_return;
  if (job.attempts >= kAsked)
    co_await world.db.transact([&](Tx& tx) { settlements::give_up(tx, run, step, words); });
  std::rethrow_exception(failure);
}

// Each of them waits for a processor, or for what waits for one.
std::vector<jobs::Kind> sale_kinds(const JobWorld* w, std::chrono::seconds quick,
                                   std::chrono::seconds with_calls) {
  const auto of_many = [w, quick](std::string_view name, auto work) {
    const auto run = [w, work](const jobs::Job& job) { return work(w->db, job); };
    return lasting(name, quick, run, jobs::Lane::database);
  };
  return {
      lasting(
          payments::kExpireJob, with_calls,
          [w](const jobs::Job& job) { return expire_request(*w, job); }, jobs::Lane::processors),
      lasting(
          payments::kAbandonJob, with_calls, [w](const jobs::Job& job) { return abandon(*w, job); },
          jobs::Lane::processors),
      lasting(
          orders::kCancelJob, quick, [w](const jobs::Job& job) { return cancel_unsent(*w, job); },
          jobs::Lane::database),
      of_many(orders::kCancelManyJob, orders::cancel_each),
      of_many(payouts::kPayManyJob, payouts::pay_each),
      of_many(payments::kReconcileManyJob, payments::reconcile_each),
      lasting(
          returns::kExpireJob, quick, [w](const jobs::Job& job) { return expire_return(*w, job); },
          jobs::Lane::database),
      lasting(
          payments::kRefundEndedJob, quick,
          [w](const jobs::Job& job) { return end_return(*w, job); }, jobs::Lane::database),
      lasting(
          orders::kCompleteJob, quick,
          [w](const jobs::Job&) { return orders::complete(w->db, w->completion_rules); },
          jobs::Lane::database),
      lasting(
          payments::kReconcileJob, with_calls,
          [w](const jobs::Job& job) { return reconcile(*w, job); }, jobs::Lane::processors),
      lasting(
          payments::kRefundJob, with_calls,
          [w](const jobs::Job& job) {
            return payments::refund(w->db, w->registry, merchant_of(job),
                                    from_text<payments::RefundId>(job.about), w->payment_rules);
          },
          jobs::Lane::processors),
      lasting(
          payouts::kSendJob, with_calls,
          [w](const jobs::Job& job) {
            return payouts::send(w->db, w->registry, merchant_of(job),
                                 from_text<payouts::BatchId>(job.about), w->payout_rules);
          },
          jobs::Lane::processors),
  };
}

std::vector<jobs::Kind> wallet_kinds(const JobWorld* w, std::chrono::seconds quick,
                                     std::chrono::seconds with_calls) {
  constexpr std::int64_t tried = 20;
  return {
      lasting(
          wallet::kTopUpJob, with_calls,
          [w](const jobs::Job& job) {
            return wallet::reconcile_top_up(w->db, w->registry,
                                            from_text<wallet::TopUpId>(job.about), w->wallet_rules);
          },
          jobs::Lane::processors),
      lasting(
          wallet::kWithdrawJob, with_calls,
          [w](const jobs::Job& job) {
            return wallet::withdraw(w->db, w->registry, from_text<wallet::WithdrawalId>(job.about),
                                    w->wallet_rules);
          },
          jobs::Lane::processors),
      {wallet::kReturnJob, quick, tried,
       [w](const jobs::Job& job) { return return_late(*w, job); }},
  };
}

// Disputes, and the daily check.
std::vector<jobs::Kind> bank_kinds(const JobWorld* w, std::chrono::seconds quick,
                                   std::chrono::seconds with_calls) {
  constexpr std::int64_t tried = 20;
  return {
      lasting(
          disputes::kRespondJob, with_calls,
          [w](const jobs::Job& job) {
            return disputes::respond(w->db, w->registry, merchant_of(job), dispute_of(job),
                                     w->payment_rules);
          },
          jobs::Lane::processors),
      {disputes::kSubmitJob, quick, tried,
       [w](const jobs::Job& job) { return submit_in_time(*w, job); }},
      {disputes::kRemindJob, quick, tried, [w](const jobs::Job& job) { return remind(*w, job); }},
      lasting(
          disputes::kRespondTopUpJob, with_calls,
          [w](const jobs::Job& job) {
            return disputes::respond_of_top_up(w->db, w->registry, dispute_of(job),
                                               w->payment_rules.call_timeout);
          },
          jobs::Lane::processors),
      {disputes::kSubmitTopUpJob, quick, tried,
       [w](const jobs::Job& job) { return submit_top_up(*w, job); }},
      {settlements::kDailyJob, quick, tried,
       [w](const jobs::Job&) { return begin_settlements(*w); }},
      {settlements::kCheckJob, with_calls, kAsked,
       [w](const jobs::Job& job) { return check_settlement(*w, job); }, jobs::Lane::processors},
  };
}

}  // namespace

std::vector<jobs::Kind> job_kinds(const JobWorld& world) {
  const JobWorld* w = &world;
  constexpr std::int64_t tried = 20;
  // How long a job that a dead server was doing waits to be taken up. Every job may run twice at
  // once without harm, so this need only be longer than a job takes when all is well.
  constexpr auto quick = 10s;
  const auto with_calls =
      quick + std::chrono::ceil<std::chrono::seconds>(2 * world.payment_rules.call_timeout);
  constexpr auto with_files = 5min;
  std::vector<jobs::Kind> kinds = {
      {payouts::kPayJob, quick, tried, [w](const jobs::Job& job) { return gather(*w, job); }},
      {payouts::kWaitJob, quick, tried, [w](const jobs::Job& job) { return gather(*w, job); }},
      {attachments::kClearJob, with_files, tried,
       [w](const jobs::Job& job) {
         return attachments::clear(w->db, w->depot, merchant_of(job),
                                   from_text<attachments::AttachmentId>(job.about));
       },
       jobs::Lane::files},
      {privacy::kExportJob, with_files, tried,
       [w](const jobs::Job& job) {
         return privacy::make_export(w->db, w->depot, from_text<privacy::ExportId>(job.about));
       },
       jobs::Lane::files},
      {privacy::kClearExportJob, with_files, tried,
       [w](const jobs::Job& job) {
         return privacy::clear_export(w->db, w->depot, from_text<privacy::ExportId>(job.about));
       },
       jobs::Lane::files},
      {privacy::kEraseJob, with_files, tried,
       [w](const jobs::Job& job) {
         return privacy::erase(w->db, from_text<identity::AccountId>(job.about));
       },
       jobs::Lane::files},
      {attempts::kEventJob, quick, tried,
       [w](const jobs::Job& job) { return handle_event(*w, job); }},
      {catalog::kReindexJob, with_files, tried,
       [w](const jobs::Job& job) {
         return catalog::reindex_all(w->db, from_text<MerchantId>(job.about));
       },
       jobs::Lane::files},
      {catalog::kFeedJob, catalog::FeedRules{}.lease, kAsked,
       [w](const jobs::Job& job) { return catalog::run_feed(w->db, w->depot, job); },
       jobs::Lane::files},
      {catalog::kClearFeedJob, with_files, tried,
       [w](const jobs::Job& job) { return catalog::clear_feed(w->db, w->depot, job); },
       jobs::Lane::files},
      {conversations::kWakeJob, quick, tried, [w](const jobs::Job& job) { return wake(*w, job); }},
      {conversations::kReleaseJob, quick, tried,
       [w](const jobs::Job& job) { return release(*w, job); }},
  };
  for (auto& kind : sale_kinds(w, quick, with_calls)) kinds.push_back(std::move(kind));
  for (auto& kind : wallet_kinds(w, quick, with_calls)) kinds.push_back(std::move(kind));
  for (auto& kind : bank_kinds(w, quick, with_calls)) kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace bottega
