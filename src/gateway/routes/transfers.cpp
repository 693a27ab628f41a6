// Money from person to person.
#include "gateway/routes/transfers.hpp"
#include "gateway/problem.hpp"
#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"

namespace bottega::gateway {
namespace {

using namespace wallet;

// Why a transfer for which a card was to be charged was not sent. The card may have been charged
// all the same, while the rest of the balance went elsewhere.
Error failure_of(Tx& tx, AccountId who, const Transfer& transfer) {
  const auto top_up = fetch_top_up(tx, who, transfer.top_up_id.value());
  if (top_up.state == TopUpState::succeeded)
    return Error(Code::conflict, "your card was charged " + display(top_up.amount) +
                                     ", which is in your balance now (" + text_of(top_up.id) +
                                     "); the transfer was not sent, for the rest was gone")
        .reason("charged_not_sent");
  return Error(Code::declined, "the charge for it failed; nothing was sent")
      .reason(transfer.reason.value_or("declined"));
}

// What is missing is charged between two transactions, as a top-up. Safe to run again from the top.
asio::awaitable<Reply> send_with_card(Call& call, const NewTransfer& given, Proof proof) {
  auto& app = call.app;
  const auto who = call.who().account;
  std::optional<Sent> fresh;
  std::function<std::string(Tx&)> first = [&](Tx& tx) {
    require_given(proof);
    fresh = send(tx, who, given, app.wallet_rules);
    if (fresh->token) {
      const MethodChoice card{given.payment_method->id, std::nullopt};
      risk::count_try(tx, who, card, app.payment_rules.limits);
    }
    return text_of(fresh->transfer.id);
  };
  const auto begun = co_await call.begin(first);
  const auto id = from_text<TransferId>(begun);
  std::optional<processors::Outcome> outcome;
  if (fresh && fresh->token) {
    const auto top_up = fresh->transfer.top_up_id.value();
    const auto& token = *fresh->token;
    const auto return_url = app.public_url + "/back";
    outcome = co_await charge(app.db, app.registry, top_up, token, return_url);
  }
  std::function<Reply(Tx&)> last = [&](Tx& tx) {
    if (outcome) settle_top_up(tx, fresh->transfer.top_up_id.value(), *outcome);
    const auto now = fetch_transfer(tx, who, id);
    if (now.state == TransferState::failed)
      return problem(failure_of(tx, who, now), call.request.request_id, app.public_url);
    return now.state == TransferState::funding ? accepted(now) : created(now);
  };
  co_return co_await call.finish(last);
}

struct Moving : GroupCommit::Part {
  Moving(Move asked, Proof proven) : move(std::move(asked)), proof(proven) {}
  Move move;
  Proof proof;
};

Reply answer_to(const Move& asked, const Transfer& moved) {
  return std::holds_alternative<NewTransfer>(asked.what) ? created(moved) : ok(moved);
}

asio::awaitable<Reply> move_money(Call& call, Move asked, Proof proof) {
  auto part = std::make_shared<Moving>(std::move(asked), proof);
  part->key = once_key(call.request);
  auto reply = co_await call.app.transfers.write(part);
  if (reply) co_return *std::move(reply);
  co_return co_await call.transact([&](Tx& tx) {
    require_given(proof);
    const auto moved = wallet::move(tx, {part->move}, call.app.wallet_rules);
    if (const auto* refusal = std::get_if<Error>(&moved.front())) throw Error(*refusal);
    return answer_to(part->move, std::get<Transfer>(moved.front()));
  });
}

asio::awaitable<Reply> create(Call& call) {
  const auto given = call.body<NewTransfer>();
  const auto proof = co_await step_up_to_pay(call, given.pin);
  if (given.payment_method) co_return co_await send_with_card(call, given, proof);
  Move asked{call.who().account, given};
  co_return co_await move_money(call, std::move(asked), proof);
}

template <TransferEvent on>
asio::awaitable<Reply> end(Call& call) {
  Move asked{call.who().account, Ending{call.at<TransferId>(0), on}};
  co_return co_await move_money(call, std::move(asked), Proof::given);
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
     .handler = end<TransferEvent::accept>,
     .name = "acceptTransfer",
     .summary = "Take the money, as its recipient",
     .gives = kGives<Transfer>},
    {.verb = Verb::post,
     .path = "/v1/transfers/{id}/decline",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = end<TransferEvent::decline>,
     .name = "declineTransfer",
     .summary = "Do not take it, as its recipient; it goes back",
     .gives = kGives<Transfer>},
    {.verb = Verb::post,
     .path = "/v1/transfers/{id}/cancel",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = end<TransferEvent::cancel>,
     .name = "cancelTransfer",
     .summary = "Take it back while it is pending, as its sender",
     .gives = kGives<Transfer>},
};

}  // namespace

std::span<const Route> transfer_routes() { return kRoutes; }

GroupCommit::Write transfer_writer(const wallet::Rules& rules) {
  return [&rules](Tx& tx, std::span<GroupCommit::Part* const> parts) {
    std::vector<Move> asked;
    std::vector<Moving*> movings;
    for (auto* part : parts) {
      auto& moving = static_cast<Moving&>(*part);
      moving.refusal = missing_proof(moving.proof);
      if (moving.refusal) continue;
      movings.push_back(&moving);
      asked.push_back(moving.move);
    }
    const auto moved = wallet::move(tx, asked, rules);
    for (std::size_t i = 0; i < movings.size(); ++i) {
      if (const auto* refusal = std::get_if<Error>(&moved[i]))
        movings[i]->refusal = std::make_exception_ptr(Error(*refusal));
      else
        movings[i]->reply = answer_to(asked[i], std::get<Transfer>(moved[i]));
    }
  };
}

}  // namespace bottega::gateway
