// The staff's endpoints. Each act commits together with its line in the audit log.
#include "bottega/ops/ops.hpp"

#include "gateway/routes/routes.hpp"
#include "gateway/routes/staff.hpp"

namespace bottega::gateway {
namespace {

using identity::AccountId, identity::MerchantId;
using orders::OrderId, orders::PaymentId, payouts::PayoutId;

asio::awaitable<Reply> accounts(Call& call) {
  const auto email = call.parameter("email");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_accounts(tx, email, after, limit);
  };
  co_return co_await listing<AccountId>(call, "accounts.list", find);
}

asio::awaitable<Reply> merchants(Call& call) {
  const auto name = call.parameter("name");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_merchants(tx, name, after, limit);
  };
  co_return co_await listing<MerchantId>(call, "merchants.list", find);
}

asio::awaitable<Reply> conversations_list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_conversations(tx, merchant, after, limit);
  };
  co_return co_await listing<conversations::ConversationId>(call, "conversations.list", find);
}

asio::awaitable<Reply> requests(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_requests(tx, merchant, after, limit);
  };
  co_return co_await listing<payments::RequestId>(call, "payment_requests.list", find);
}

asio::awaitable<Reply> payments_list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<payments::State>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_payments(tx, merchant, state, after, limit);
  };
  co_return co_await listing<PaymentId>(call, "payments.list", find);
}

asio::awaitable<Reply> orders_list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<orders::State>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_orders(tx, merchant, state, after, limit);
  };
  co_return co_await listing<OrderId>(call, "orders.list", find);
}

asio::awaitable<Reply> payouts_list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<payouts::State>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_payouts(tx, merchant, state, after, limit);
  };
  co_return co_await listing<PayoutId>(call, "payouts.list", find);
}

asio::awaitable<Reply> audit(Call& call) {
  const auto subject = call.parameter("subject");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::audit_log(tx, subject, after, limit);
  };
  co_return co_await listing<ops::AuditId>(call, "audit.list", find);
}

template <identity::AccountState state>
asio::awaitable<Reply> set_state(Call& call) {
  const auto id = call.at<AccountId>(0);
  const auto given = call.body<payouts::Reason>();
  if (id == call.who().account)
    throw Error(Code::conflict, "nobody suspends or reinstates themselves");
  const auto reply = co_await call.transact([&](Tx& tx) {
    identity::set_account_state(tx, id, state);
    ops::record(tx, call.who(),
                act_of(call, "account." + text_of(state), text_of(id), given.reason.value));
    return ok(identity::fetch_account(tx, id));
  });
  call.app.tokens.clear();
  co_return reply;
}

asio::awaitable<Reply> add_staff(Call& call) {
  const auto given = call.body<ops::StaffMember>();
  const auto hash = co_await call.app.passwords.hash(given.password.value);
  co_return co_await call.transact([&](Tx& tx) {
    const auto account =
        identity::register_account(tx, given.email, given.name.value, hash, given.role);
    ops::record(tx, call.who(),
                act_of(call, "staff.add", text_of(account.id), std::nullopt,
                       {{"role", text_of(given.role)}}));
    return created(account);
  });
}

ops::ClockState clock_state(const App& app) {
  return {app.clock.now(),
          std::chrono::duration_cast<std::chrono::seconds>(app.clock.offset()).count()};
}

asio::awaitable<Reply> clock(Call& call) {
  if (call.app.sandbox == nullptr) throw Error(Code::not_found, "there is no test clock");
  co_return ok(clock_state(call.app));
}

asio::awaitable<Reply> move_clock(Call& call) {
  auto& app = call.app;
  if (app.sandbox == nullptr) throw Error(Code::not_found, "there is no test clock");
  const auto given = call.body<ops::ClockMove>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto offset = ops::move_clock(tx, std::chrono::seconds(given.advance_s.value));
    ops::record(
        tx, call.who(),
        act_of(call, "clock.advance", "clock", std::nullopt, {{"seconds", given.advance_s.value}}));
    app.clock.set_offset(offset);
    return ok(clock_state(app));
  });
  app.poke_jobs();
  co_return reply;
}

// Does what is due now and says how much that was: a test or a demonstration need not wait.
struct JobsRun {
  std::int64_t done = 0, due = 0, dead = 0;
};
BOOST_DESCRIBE_STRUCT(JobsRun, (), (done, due, dead))

asio::awaitable<Reply> run_jobs(Call& call) {
  constexpr int kRounds = 100;
  const int done = co_await call.app.runner.drain(kRounds);
  const auto counts = co_await call.app.runner.counts();
  co_return ok(JobsRun{done, counts.due, counts.dead});
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/admin/accounts",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = accounts,
     .name = "adminListAccounts",
     .summary = "Find people",
     .gives = kGivesPage<identity::Account>,
     .parameters = "email limit cursor"},
    {.verb = Verb::post,
     .path = "/v1/admin/accounts/{id}/suspend",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = set_state<identity::AccountState::suspended>,
     .name = "adminSuspendAccount",
     .summary = "Suspend an account; its sessions end at once",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<identity::Account>},
    {.verb = Verb::post,
     .path = "/v1/admin/accounts/{id}/reinstate",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = set_state<identity::AccountState::active>,
     .name = "adminReinstateAccount",
     .summary = "Lift a suspension",
     .takes = kTakes<payouts::Reason>,
     .gives = kGives<identity::Account>},
    {.verb = Verb::post,
     .path = "/v1/admin/staff",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_staff,
     .name = "adminAddStaff",
     .summary = "Add a member of the staff",
     .takes = kTakes<ops::StaffMember>,
     .status = 201,
     .gives = kGives<identity::Account>},
    {.verb = Verb::get,
     .path = "/v1/admin/merchants",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = merchants,
     .name = "adminListMerchants",
     .summary = "Find merchants",
     .gives = kGivesPage<identity::Merchant>,
     .parameters = "name limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/conversations",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = conversations_list,
     .name = "adminListConversations",
     .summary = "Conversations without their text",
     .gives = kGivesPage<ops::ConversationSummary>,
     .parameters = "merchant_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/payment_requests",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = requests,
     .name = "adminListPaymentRequests",
     .summary = "Find payment requests",
     .gives = kGivesPage<payments::Request>,
     .parameters = "merchant_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/payments",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = payments_list,
     .name = "adminListPayments",
     .summary = "Find payments",
     .gives = kGivesPage<payments::Payment>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/orders",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = orders_list,
     .name = "adminListOrders",
     .summary = "Find orders",
     .gives = kGivesPage<orders::Order>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/payouts",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = payouts_list,
     .name = "adminListPayouts",
     .summary = "Find payouts",
     .gives = kGivesPage<payouts::Payout>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/audit_log",
     .access = Access::admin,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = audit,
     .name = "adminAuditLog",
     .summary = "Who did what, newest first",
     .gives = kGivesPage<ops::AuditEntry>,
     .parameters = "subject limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/clock",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = clock,
     .name = "adminGetClock",
     .summary = "The product's time (sandbox)",
     .gives = kGives<ops::ClockState>},
    {.verb = Verb::post,
     .path = "/v1/admin/clock/advance",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = move_clock,
     .name = "adminAdvanceClock",
     .summary = "Let time pass (sandbox)",
     .takes = kTakes<ops::ClockMove>,
     .gives = kGives<ops::ClockState>},
    {.verb = Verb::post,
     .path = "/v1/admin/jobs/run",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = run_jobs,
     .name = "adminRunJobs",
     .summary = "Do what is due now",
     .gives = kGives<JobsRun>},
};

}  // namespace

std::span<const Route> admin_routes() { return kRoutes; }

}  // namespace bottega::gateway
