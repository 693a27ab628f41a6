// Money from person to person.
#include "gateway/problem.hpp"
#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"

namespace bottega::gateway {
namespace {

using namespace wallet;

// What is missing is charged between two transactions, as a top-up. Safe to run again from the top.
asio::awaitable<Reply> send_with_card(Call& call, const NewTransfer& given, Proof proof) {
  auto& app = call.app;
  const auto who = call.who().account;
  std::optional<Sent> fresh;
  std::function<std::string(Tx&)> first = [&](Tx& tx) {
    require_given(proof);
    fresh = send(tx, who, given, app.wallet_rules);
    return text_of(fresh->transfer.id);
  };
  const auto begun = co_await call.begin(first);
  const auto id = from_text<TransferId>(begun);
  std::optional<processors::Outcome> outcome;
  if (fresh && fresh->token) {
    const auto top_up = fresh->transfer.top_up_id.value();
    const auto& token = *fresh->token;
    const auto return_url = app.public_url + "/v1/transfers/" + begun;
    outcome = co_await charge(app.db, app.registry, top_up, token, return_url);
  }
  std::function<Reply(Tx&)> last = [&](Tx& tx) {
    if (outcome) settle_top_up(tx, fresh->transfer.top_up_id.value(), *outcome);
    const auto now = fetch_transfer(tx, who, id);
    if (now.state == TransferState::failed)
      return problem(Error(Code::declined, "the charge for it failed; nothing was sent")
                         .reason(now.reason.value_or("declined")),
                     call.request.request_id, app.public_url);
    return now.state == TransferState::funding ? accepted(now) : created(now);
  };
  co_return co_await call.finish(last);
}

asio::awaitable<Reply> create(Call& call) {
  const auto given = call.body<NewTransfer>();
  const auto proof = co_await step_up_to_pay(call, given.pin);
  if (given.payment_method) co_return co_await send_with_card(call, given, proof);
  co_return co_await call.transact([&](Tx& tx) {
    require_given(proof);
    return created(send(tx, call.who().account, given, call.app.wallet_rules).transfer);
  });
}

template <Transfer (*act)(Tx&, AccountId, TransferId)>
asio::awaitable<Reply> end(Call& call) {
  const auto id = call.at<TransferId>(0);
  co_return co_await call.transact([&](Tx& tx) { return ok(act(tx, call.who().account, id)); });
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<TransferId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(fetch_transfer(tx, call.who().account, id)); });
}

asio::awaitable<Reply> list(Call& call) {
  const auto after = cursor_id<TransferId>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.read(
      [&](Tx& tx) { return list_transfers(tx, call.who().account, after, limit + 1); });
  co_return call.page(found, limit, id_of<Transfer>);
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/transfers",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = create,
     .name = "createTransfer",
     .summary = "Send money to a person; 202 while a card is charged for what is missing",
     .takes = kTakes<NewTransfer>,
     .status = 201,
     .gives = kGives<Transfer>},
    {.verb = Verb::get,
     .path = "/v1/transfers",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listTransfers",
     .summary = "What one has sent and was sent, newest first",
     .gives = kGivesPage<Transfer>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/transfers/{id}",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getTransfer",
     .summary = "One transfer",
     .gives = kGives<Transfer>},
    {.verb = Verb::post,
     .path = "/v1/transfers/{id}/accept",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = end<wallet::accept>,
     .name = "acceptTransfer",
     .summary = "Take the money, as its recipient",
     .gives = kGives<Transfer>},
    {.verb = Verb::post,
     .path = "/v1/transfers/{id}/decline",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = end<wallet::decline>,
     .name = "declineTransfer",
     .summary = "Do not take it, as its recipient; it goes back",
     .gives = kGives<Transfer>},
    {.verb = Verb::post,
     .path = "/v1/transfers/{id}/cancel",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = end<wallet::cancel>,
     .name = "cancelTransfer",
     .summary = "Take it back while it is pending, as its sender",
     .gives = kGives<Transfer>},
};

}  // namespace

std::span<const Route> transfer_routes() { return kRoutes; }

}  // namespace bottega::gateway
