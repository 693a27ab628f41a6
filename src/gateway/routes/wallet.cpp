// A person's wallet: how they pay, what they have, money in and out of it.
#include "gateway/problem.hpp"
#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"

namespace bottega::gateway {
namespace {

using namespace wallet;

constexpr auto kStatementDefault = std::chrono::days(30);

asio::awaitable<Reply> methods(Call& call) {
  const auto all =
      co_await call.app.db.read([&](Tx& tx) { return list_methods(tx, call.who().account); });
  co_return call.page(all, 100, id_of<PaymentMethod>);
}

asio::awaitable<Reply> keep_method(Call& call) {
  const auto given = call.body<NewMethod>();
  refuse_card_number(given.token.value, "/token");
  const auto& processor = call.app.wallet_rules.processor;
  const auto facts = co_await call.app.registry.get(processor).describe_method(given.token.value);
  if (!facts)
    throw Error(Code::invalid, "the processor does not know this token",
                {{"/token", "must be a token of the processor"}});
  co_return co_await call.transact([&](Tx& tx) {
    return created(add_method(tx, call.who().account, processor, given, *facts));
  });
}

asio::awaitable<Reply> change_method(Call& call) {
  const auto id = call.at<MethodId>(0);
  call.body<ChangedMethod>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(make_default(tx, call.who().account, id)); });
}

asio::awaitable<Reply> drop_method(Call& call) {
  const auto id = call.at<MethodId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    remove_method(tx, call.who().account, id);
    return no_content();
  });
}

asio::awaitable<Reply> put_pin(Call& call) {
  const auto given = call.body<identity::NewPin>();
  identity::require_digits(given.pin, "/pin");
  const auto known = co_await step_up(call, given.password.value, "/password");
  const auto hash = co_await call.app.passwords.hash(given.pin.value);
  co_return co_await call.transact([&](Tx& tx) {
    identity::hold_credential(tx, known);
    identity::set_pin(tx, known.id, hash);
    return no_content();
  });
}

asio::awaitable<Reply> show_wallet(Call& call) {
  co_return co_await call.read(
      [&](Tx& tx) { return ok(wallet_of(tx, call.who().account, call.app.wallet_rules)); });
}

enum class StatementFormat : std::uint8_t { json, csv };
BOOST_DESCRIBE_ENUM(StatementFormat, json, csv)

asio::awaitable<Reply> statement(Call& call) {
  const auto format = call.parameter_as<StatementFormat>("format");
  const auto latest = call.app.clock.now() - ledger::kSettled;
  const auto until = call.parameter_as<Instant>("until").value_or(latest);
  const auto from = call.parameter_as<Instant>("from").value_or(until - kStatementDefault);
  co_return co_await call.read([&](Tx& tx) {
    const auto made = statement_of(tx, call.who().account, from, until);
    if (format != StatementFormat::csv) return ok(made);
    Reply reply;
    reply.text = statement_csv(made);
    reply.media_type = "text/csv; charset=utf-8";
    reply.headers = {{"Content-Disposition", "attachment; filename=\"statement.csv\""}};
    return reply;
  });
}

// What the charge has come to. A decline is an outcome that has been written down, so it is kept
// and replayed like any other.
Reply answer_of(const Call& call, const TopUp& done) {
  if (done.state == TopUpState::failed)
    return problem(Error(Code::declined, "the charge was declined; nothing has moved")
                       .reason(done.reason.value_or("declined")),
                   call.request.request_id, call.app.public_url);
  return done.state == TopUpState::succeeded ? created(done) : accepted(done);
}

// Two transactions with the call to the processor between them, safe to run again from the top.
asio::awaitable<Reply> top_up(Call& call) {
  const auto given = call.body<NewTopUp>();
  auto proof = Proof::given;
  if (given.payment_method.id) proof = co_await step_up_to_pay(call, given.pin);
  auto& app = call.app;
  const auto who = call.who().account;
  const auto& rules = app.wallet_rules;
  bool fresh = false;
  std::string token;
  std::function<std::string(Tx&)> first = [&](Tx& tx) {
    require_given(proof);
    fresh = true;
    token = token_to_charge(tx, who, given.payment_method, rules.processor);
    const Money amount{given.amount.value, given.currency};
    const auto begun = begin_top_up(tx, who, amount, std::nullopt, rules);
    // After it, as a payment does: who pays and tops up at once locks in one order.
    risk::count_try(tx, who, given.payment_method, app.payment_rules.limits);
    return text_of(begun.id);
  };
  const auto begun = co_await call.begin(first);
  const auto id = from_text<TopUpId>(begun);
  std::optional<processors::Outcome> outcome;
  if (fresh) {
    const auto return_url = app.public_url + "/v1/wallet/top_ups/" + begun;
    outcome = co_await charge(app.db, app.registry, id, token, return_url);
  }
  std::function<Reply(Tx&)> last = [&](Tx& tx) {
    return answer_of(call, outcome ? settle_top_up(tx, id, *outcome) : fetch_top_up(tx, who, id));
  };
  co_return co_await call.finish(last);
}

asio::awaitable<Reply> show_top_up(Call& call) {
  const auto id = call.at<TopUpId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(fetch_top_up(tx, call.who().account, id)); });
}

// The processor is told first. Where it does not answer, a job tells it again.
asio::awaitable<Reply> give_up_top_up(Call& call) {
  const auto id = call.at<TopUpId>(0);
  auto& app = call.app;
  const auto who = call.who().account;
  const bool is_repeat = co_await call.is_repeat();
  if (!is_repeat) co_await cancel_top_up(app.db, app.registry, who, id);
  co_return co_await call.transact([&](Tx& tx) {
    const auto now = fetch_top_up(tx, who, id);
    if (now.state == TopUpState::succeeded)
      throw Error(Code::conflict, "the charge was confirmed before it could be cancelled");
    return now.state == TopUpState::failed ? ok(now) : accepted(now);
  });
}

asio::awaitable<Reply> top_ups(Call& call) {
  const auto after = cursor_id<TopUpId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_top_ups(tx, call.who().account, after, limit + 1); });
  co_return call.page(found, limit, id_of<TopUp>);
}

asio::awaitable<Reply> withdraw_some(Call& call) {
  const auto given = call.body<NewWithdrawal>();
  const auto proof = co_await step_up_to_pay(call, given.pin);
  const auto reply = co_await call.transact([&](Tx& tx) {
    require_given(proof);
    return created(begin_withdrawal(tx, call.who().account, given, call.app.wallet_rules));
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> show_withdrawal(Call& call) {
  const auto id = call.at<WithdrawalId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(fetch_withdrawal(tx, call.who().account, id)); });
}

asio::awaitable<Reply> withdrawals(Call& call) {
  const auto after = cursor_id<WithdrawalId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_withdrawals(tx, call.who().account, after, limit + 1); });
  co_return call.page(found, limit, id_of<Withdrawal>);
}

const Route kRoutes[] = {
    {.verb = Verb::put,
     .path = "/v1/me/pin",
     .access = Access::person,
     .budget = Budget::logins,
     .once = Once::none,
     .handler = put_pin,
     .name = "setPin",
     .summary = "Set the PIN that is asked for before money leaves; needs the password",
     .takes = kTakes<identity::NewPin>,
     .status = 204},
    {.verb = Verb::get,
     .path = "/v1/payment_methods",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = methods,
     .name = "listPaymentMethods",
     .summary = "The cards and bank accounts that one keeps, newest first",
     .gives = kGivesPage<PaymentMethod>},
    {.verb = Verb::post,
     .path = "/v1/payment_methods",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = keep_method,
     .name = "addPaymentMethod",
     .summary = "Keep a card or bank account by the processor's token; ten at most",
     .takes = kTakes<NewMethod>,
     .status = 201,
     .gives = kGives<PaymentMethod>},
    {.verb = Verb::patch,
     .path = "/v1/payment_methods/{id}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change_method,
     .name = "changePaymentMethod",
     .summary = "Make it the default",
     .takes = kTakes<ChangedMethod>,
     .gives = kGives<PaymentMethod>},
    {.verb = Verb::del,
     .path = "/v1/payment_methods/{id}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = drop_method,
     .name = "removePaymentMethod",
     .summary = "Keep it no longer",
     .status = 204},
    {.verb = Verb::get,
     .path = "/v1/wallet",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_wallet,
     .name = "getWallet",
     .summary = "The balance per currency, and what the limits leave",
     .gives = kGives<Wallet>},
    {.verb = Verb::get,
     .path = "/v1/wallet/statement",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = statement,
     .name = "getWalletStatement",
     .summary = "All that has moved between two instants, with the balances before and after",
     .gives = kGives<Statement>,
     .parameters = "from until format"},
    {.verb = Verb::post,
     .path = "/v1/wallet/top_ups",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = top_up,
     .name = "createTopUp",
     .summary = "Charge a card for the balance; 202 while the outcome is open",
     .takes = kTakes<NewTopUp>,
     .status = 201,
     .gives = kGives<TopUp>},
    {.verb = Verb::get,
     .path = "/v1/wallet/top_ups",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = top_ups,
     .name = "listTopUps",
     .summary = "One's top-ups, newest first",
     .gives = kGivesPage<TopUp>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/wallet/top_ups/{id}",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_top_up,
     .name = "getTopUp",
     .summary = "One top-up, and where to confirm it",
     .gives = kGives<TopUp>},
    {.verb = Verb::post,
     .path = "/v1/wallet/top_ups/{id}/cancel",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = give_up_top_up,
     .name = "cancelTopUp",
     .summary = "Give up a top-up that waits for one's confirmation; 202 while that is open",
     .gives = kGives<TopUp>},
    {.verb = Verb::post,
     .path = "/v1/wallet/withdrawals",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = withdraw_some,
     .name = "createWithdrawal",
     .summary = "Send some of the balance to one's bank; set aside at once, sent by a job",
     .takes = kTakes<NewWithdrawal>,
     .status = 201,
     .gives = kGives<Withdrawal>},
    {.verb = Verb::get,
     .path = "/v1/wallet/withdrawals",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = withdrawals,
     .name = "listWithdrawals",
     .summary = "One's withdrawals, newest first",
     .gives = kGivesPage<Withdrawal>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/wallet/withdrawals/{id}",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_withdrawal,
     .name = "getWithdrawal",
     .summary = "One withdrawal",
     .gives = kGives<Withdrawal>},
};

}  // namespace

std::span<const Route> wallet_routes() { return kRoutes; }

}  // namespace bottega::gateway
