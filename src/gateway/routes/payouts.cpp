// What a merchant is paid: when, how much, and how it adds up.
#include "bottega/payouts/payouts.hpp"

#include "gateway/routes/routes.hpp"
#include "gateway/statement_page.hpp"
#include "bottega/payouts/statements.hpp"

namespace bottega::gateway {
namespace {

using identity::MerchantId, identity::Role, identity::Scope;
using payouts::Batch, payouts::BatchId, payouts::Payout, payouts::PayoutId;

enum class Format : std::uint8_t { json, csv, html };

// The shop that is asked about: a key's own where none is named.
MerchantId shop_of(const Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  if (!merchant && call.who().kind != identity::Kind::api_key)
    throw Error(Code::malformed, "say whose payouts: merchant_id is missing");
  return merchant.value_or(call.who().merchant);
}

// A list that has an end of its own.
template <class T>
Reply whole(const Call& call, const std::vector<T>& all) {
  return call.page(all, std::ssize(all), [](const T&) { return std::string(); });
}

template <class IdType, class Find>
asio::awaitable<Reply> list_of_shop(Call& call, Find find) {
  const auto shop = shop_of(call);
  const auto after = cursor_id<IdType>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    return find(tx, shop, after, limit + 1);
  });
  using Item = typename std::decay_t<decltype(found)>::value_type;
  co_return call.page(found, limit, id_of<Item>);
}

asio::awaitable<Reply> list_payouts(Call& call) {
  co_return co_await list_of_shop<PayoutId>(call, payouts::list_of_merchant);
}

asio::awaitable<Reply> list_batches(Call& call) {
  co_return co_await list_of_shop<BatchId>(call, payouts::list_batches);
}

asio::awaitable<Reply> show_payout(Call& call) {
  const auto id = call.at<PayoutId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(payouts::fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> show_batch(Call& call) {
  const auto id = call.at<BatchId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(payouts::fetch_batch(tx, call.who(), id)); });
}

asio::awaitable<Reply> payouts_of_batch(Call& call) {
  const auto id = call.at<BatchId>(0);
  const auto after = cursor_id<PayoutId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    const auto batch = payouts::fetch_batch(tx, call.who(), id);
    return payouts::list_of_batch(tx, batch.merchant_id, id, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Payout>);
}

asio::awaitable<Reply> retry_one(Call& call) {
  const auto id = call.at<PayoutId>(0);
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto payout = payouts::fetch(tx, call.who(), id);
    identity::require_member(tx, call.who(), payout.merchant_id, Role::manager, Scope::payments);
    return ok(payouts::retry(tx, id));
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> coming(Call& call) {
  const auto shop = call.at<MerchantId>(0);
  const auto days = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    return payouts::coming(tx, shop);
  });
  co_return whole(call, days);
}

asio::awaitable<Reply> standing(Call& call) {
  const auto shop = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    return payouts::standing(tx, shop);
  });
  co_return whole(call, all);
}

// The month that has passed, unless another period is asked for.
payouts::Period period_of(const Call& call) {
  const auto today = std::chrono::floor<std::chrono::days>(call.app.clock.now());
  const auto to = call.parameter_as<Date>("to").value_or(today);
  return {call.parameter_as<Date>("from").value_or(to - std::chrono::days(30)), to};
}

Reply answer_of(const payouts::MerchantStatement& statement, Format format) {
  if (format == Format::json) return ok(statement);
  if (format == Format::html) return html(page_of(statement));
  Reply reply;
  reply.text = csv_of(statement);
  reply.media_type = "text/csv; charset=utf-8";
  reply.headers = {{"Content-Disposition", "attachment; filename=\"statement.csv\""}};
  return reply;
}

template <Format format>
asio::awaitable<Reply> statement(Call& call) {
  const auto shop = call.at<MerchantId>(0);
  const auto currency = call.parameter_as<Currency>("currency");
  const auto period = period_of(call);
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, Role::manager, Scope::read);
    const auto own = identity::fetch_merchant(tx, shop).currency;
    return payouts::statement(tx, shop, currency.value_or(own), period);
  });
  co_return answer_of(found, format);
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/payouts",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_payouts,
     .name = "listPayouts",
     .summary = "A shop's payouts, newest first",
     .gives = kGivesPage<Payout>,
     .parameters = "merchant_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/payouts/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_payout,
     .name = "getPayout",
     .summary = "One payout",
     .gives = kGives<Payout>},
    {.verb = Verb::post,
     .path = "/v1/payouts/{id}/retry",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = retry_one,
     .name = "retryPayout",
     .summary = "Try one again that the bank refused",
     .gives = kGives<Payout>},
    {.verb = Verb::get,
     .path = "/v1/payout_batches",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_batches,
     .name = "listPayoutBatches",
     .summary = "What was sent to a shop's bank, newest first",
     .gives = kGivesPage<Batch>,
     .parameters = "merchant_id limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/payout_batches/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_batch,
     .name = "getPayoutBatch",
     .summary = "One transfer to the bank",
     .gives = kGives<Batch>},
    {.verb = Verb::get,
     .path = "/v1/payout_batches/{id}/payouts",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = payouts_of_batch,
     .name = "listPayoutsOfBatch",
     .summary = "The payouts that it is made of",
     .gives = kGivesPage<Payout>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/coming_payouts",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = coming,
     .name = "listComingPayouts",
     .summary = "What is to be paid out on which day, and what of it is held",
     .gives = kGivesPage<payouts::Coming>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/balances",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = standing,
     .name = "listBalances",
     .summary = "What is held, earned, on its way and owed, per currency",
     .gives = kGivesPage<payouts::Standing>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/statement",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = statement<Format::json>,
     .name = "getStatement",
     .summary = "Every change of the balance in a period, with what it was before and after",
     .gives = kGives<payouts::MerchantStatement>,
     .parameters = "currency from to"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/statement.csv",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = statement<Format::csv>,
     .name = "getStatementFile",
     .summary = "The same as a file",
     .gives = any_text,
     .media_type = "text/csv",
     .parameters = "currency from to"},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/statement.html",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = statement<Format::html>,
     .name = "getStatementPage",
     .summary = "The same as a page that prints",
     .gives = any_text,
     .media_type = "text/html",
     .parameters = "currency from to"},
};

}  // namespace

std::span<const Route> payout_routes() { return kRoutes; }

}  // namespace bottega::gateway
