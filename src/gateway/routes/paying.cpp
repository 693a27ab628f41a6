#include "gateway/routes/paying.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/problem.hpp"
#include "bottega/payments/questions.hpp"

namespace bottega::gateway {
namespace {

using namespace payments;

// How often it is looked whether the shop has answered, on whichever node that was.
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr const char* kRefused = "refused_by_merchant";

Error refusal_of(Tx& tx, const Payment& payment) {
  const auto question = find_question(tx, payment.merchant_id, payment.id);
  const auto words = question ? question->reason : std::nullopt;
  return Error(Code::conflict, words ? "the shop cannot sell it now: " + *words
                                     : "the shop cannot sell it now; nothing was charged")
      .reason(kRefused);
}

// What paying has come to, as an answer. A decline is an outcome that has been written down, so it
// is kept and replayed like any other.
Reply answer_of(Tx& tx, const Call& call, const Accepted& done) {
  const auto state = done.payment.state;
  if (state == State::failed || state == State::voided) {
    const auto reason = done.payment.reason.value_or("declined");
    const auto error =
        reason == kRefused
            ? refusal_of(tx, done.payment)
            : Error(Code::declined, "the payment was declined; the request is open again")
                  .reason(reason);
    return problem(error, call.request.request_id, call.app.public_url);
  }
  const bool open = state == State::created || state == State::requires_action ||
                    state == State::unknown || state == State::authorized;
  return open ? accepted(done) : ok(done);
}

// What became of a payment whose call an earlier try of the request made, as far as the processor
// knows by now.
asio::awaitable<void> find_out(Call& call, MerchantId merchant, PaymentId id) {
  auto& app = call.app;
  try {
    co_await reconcile(app.db, app.registry, merchant, id, app.payment_rules);
  } catch (const Error& error) {
    if (error.code() != Code::busy) throw;  // not yet: the job goes on asking
  }
}

// Waits until the shop has answered what it was asked about the payment, or its time is over.
// Answers whether the charge may go on.
asio::awaitable<bool> is_wanted(Call& call, MerchantId merchant, PaymentId id) {
  auto& db = call.app.db;
  auto question = co_await db.read([&](Tx& tx) { return find_question(tx, merchant, id); });
  if (!question) co_return true;
  const auto latest = std::chrono::steady_clock::now() + call.app.payment_rules.answer_within;
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  while (!question->answer && std::chrono::steady_clock::now() < latest) {
    timer.expires_after(kLookEvery);
    co_await timer.async_wait(asio::use_awaitable);
    question = co_await db.read([&](Tx& tx) { return find_question(tx, merchant, id); });
  }
  const auto closed =
      co_await db.transact([&](Tx& tx) { return close_question(tx, merchant, id); });
  co_return closed.answer == Answer::accept;
}

}  // namespace

asio::awaitable<Reply> pay(Call& call, Paying paying) {
  auto& app = call.app;
  const auto& rules = app.payment_rules;
  auto proof = Proof::given;
  if (paying.acceptance.payment_method.id)
    proof = co_await step_up_to_pay(call, paying.acceptance.pin);
  bool fresh = false;
  std::string token;
  std::function<std::string(Tx&)> first = [&](Tx& tx) {
    require_given(proof);
    fresh = true;
    const auto payment = paying.begin(tx);
    token = token_of(tx, call.who(), payment, paying.acceptance);
    return text_of(payment.id);
  };
  const auto begun = co_await call.begin(first, app.payment_rules.answer_within);
  const auto id = from_text<PaymentId>(begun);
  const auto known = co_await app.db.transact(
      [&](Tx& tx) { return current(tx, identity::merchant_of(tx, id.uuid), id); });
  const auto merchant = known.payment.merchant_id;
  std::optional<processors::Outcome> outcome;
  bool wanted = true;
  if (fresh) wanted = co_await is_wanted(call, merchant, id);
  if (!wanted) {
    outcome.emplace();
    outcome->verdict = processors::Verdict::declined;
    outcome->reason = kRefused;
  } else if (fresh) {
    const auto return_url = paying.return_url.empty() ? app.public_url + "/v1/payment_requests/" +
                                                            text_of(known.payment_request.id)
                                                      : paying.return_url;
    outcome = co_await payments::call(app.db, app.registry.get(known.payment.processor), merchant,
                                      id, token, return_url);
  }
  if (!fresh) co_await find_out(call, merchant, id);
  std::function<Reply(Tx&)> last = [&](Tx& tx) {
    const auto done =
        outcome ? settle(tx, merchant, id, *outcome, rules) : current(tx, merchant, id);
    if (paying.captured && done.order) paying.captured(tx, done);
    return answer_of(tx, call, done);
  };
  co_return co_await call.finish(last);
}

}  // namespace bottega::gateway
