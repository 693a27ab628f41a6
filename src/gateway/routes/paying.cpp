#include "gateway/routes/paying.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/problem.hpp"
#include "bottega/payments/questions.hpp"
#include "bottega/payments/together.hpp"

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

processors::Outcome refused_by_shop() {
  processors::Outcome outcome;
  outcome.verdict = processors::Verdict::declined;
  outcome.reason = kRefused;
  return outcome;
}

// Where the buyer comes back to.
std::string return_url_of(const Call& call, const Paying& paying) {
  return paying.return_url.empty() ? call.app.public_url + "/back" : paying.return_url;
}

// The last transaction by itself: what was told is written down, or what has become of it by now
// is read.
asio::awaitable<Reply> end_alone(Call& call, MerchantId merchant, PaymentId id,
                                 const std::optional<processors::Outcome>& outcome) {
  const auto& rules = call.app.payment_rules;
  std::function<Reply(Tx&)> last = [&](Tx& tx) {
    const auto done =
        outcome ? settle(tx, merchant, id, *outcome, rules) : current(tx, merchant, id);
    return answer_of(tx, call, done);
  };
  co_return co_await call.finish(last);
}

// One that was begun before, or takes more than a look: both transactions by themselves.
asio::awaitable<Reply> pay_alone(Call& call, const Paying& paying, Proof proof) {
  auto& app = call.app;
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
    outcome = refused_by_shop();
  } else if (fresh) {
    const auto return_url = return_url_of(call, paying);
    outcome = co_await payments::call(app.db, app.registry.get(known.payment.processor), merchant,
                                      id, token, return_url);
  }
  if (!fresh) co_await find_out(call, merchant, id);
  co_return co_await end_alone(call, merchant, id, outcome);
}

struct Start : GroupCommit::Part {
  Start(checkout::Asked what, Proof proven) : asked(std::move(what)), proof(proven) {}
  checkout::Asked asked;
  Proof proof;
  std::optional<Begun> payment;
};

struct End : GroupCommit::Part {
  explicit End(Told news) : told(std::move(news)) {}
  Told told;
};

// What was charged is written down with others; the money has moved, so that whatever keeps it from
// being written with them does not keep it from being written.
asio::awaitable<Reply> end_together(Call& call, const Start& start,
                                    const processors::Outcome& outcome) {
  const auto merchant = start.payment->payment.merchant_id;
  const auto id = start.payment->payment.id;
  std::optional<Reply> reply;
  if (outcome.verdict == processors::Verdict::succeeded) {
    Told told{merchant, id, outcome, start.payment->request};
    auto part = std::make_shared<End>(std::move(told));
    part->key = start.key;
    try {
      reply = co_await call.app.settlements.write(part);
    } catch (const Error& error) {
      if (error.code() != Code::busy) throw;
    }
  }
  if (reply) co_return *std::move(reply);
  const std::optional<processors::Outcome> given = outcome;
  co_return co_await end_alone(call, merchant, id, given);
}

}  // namespace

asio::awaitable<Reply> pay(Call& call, Paying paying) {
  auto& app = call.app;
  auto proof = Proof::given;
  if (paying.acceptance.payment_method.id)
    proof = co_await step_up_to_pay(call, paying.acceptance.pin);
  auto part = std::make_shared<Start>(paying.asked, proof);
  part->key = once_key(call.request);
  co_await app.beginnings.write(part);
  if (!part->begun) co_return co_await pay_alone(call, paying, proof);
  auto& begun = part->payment.value();
  const auto& payment = begun.payment;
  bool wanted = true;
  if (begun.is_asked) wanted = co_await is_wanted(call, payment.merchant_id, payment.id);
  processors::Outcome outcome;
  if (wanted) {
    begun.charge.return_url = return_url_of(call, paying);
    outcome = co_await payments::call(app.registry.get(payment.processor), begun.charge);
  } else {
    outcome = refused_by_shop();
  }
  co_return co_await end_together(call, *part, outcome);
}

GroupCommit::Write beginning_writer(const payments::Rules& rules) {
  return [&rules](Tx& tx, std::span<GroupCommit::Part* const> parts) {
    std::vector<checkout::Asked> asked;
    std::vector<Start*> starts;
    for (auto* part : parts) {
      auto& start = static_cast<Start&>(*part);
      start.payment.reset();
      start.refusal = missing_proof(start.proof);
      if (start.refusal) continue;
      starts.push_back(&start);
      asked.push_back(start.asked);
    }
    auto outcomes = checkout::begin(tx, asked, rules);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      auto& start = *starts[i];
      if (!outcomes[i]) continue;
      if (const auto* refusal = std::get_if<Error>(&*outcomes[i])) {
        start.refusal = std::make_exception_ptr(Error(*refusal));
        continue;
      }
      start.payment = std::get<Begun>(*std::move(outcomes[i]));
      start.begun =
          Flow{text_of(start.payment->payment.id),
               patience_of(rules) + std::chrono::ceil<std::chrono::seconds>(rules.answer_within)};
    }
  };
}

GroupCommit::Write settlement_writer(const payments::Rules& rules) {
  return [&rules](Tx& tx, std::span<GroupCommit::Part* const> parts) {
    std::vector<Told> told;
    for (const auto* part : parts) told.push_back(static_cast<const End&>(*part).told);
    const auto settled = settle(tx, told, rules);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!settled[i]) continue;
      parts[i]->reply = ok(*settled[i]);
    }
  };
}

std::chrono::seconds patience_of(const payments::Rules& rules) {
  return std::chrono::ceil<std::chrono::seconds>(rules.call_timeout) + std::chrono::seconds(5);
}

}  // namespace bottega::gateway
