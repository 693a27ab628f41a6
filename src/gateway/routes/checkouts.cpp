// Buying in a conversation: what it costs, paying it, and what the shop is asked before.
#include "bottega/checkout/quotes.hpp"

#include "gateway/routes/paying.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/payments/questions.hpp"

namespace bottega::gateway {
namespace {

using namespace checkout;
using payments::RequestId;

asio::awaitable<Reply> price(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewQuote>();
  co_return co_await call.app.db.transact(
      [&](Tx& tx) { return ok(quote(tx, call.who(), id, given, call.app.payment_rules)); });
}

asio::awaitable<Reply> buy(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewCheckout>();
  Paying paying;
  paying.asked = {call.who(), Ordering{id, given}};
  paying.acceptance.payment_method = given.payment_method;
  paying.acceptance.pin = given.pin;
  paying.begin = [&](Tx& tx) {
    return checkout::begin(tx, call.who(), id, given, call.app.payment_rules);
  };
  if (given.payment_link)
    paying.return_url = call.app.public_url + "/pay/" + given.payment_link->value;
  co_return co_await pay(call, std::move(paying));
}

asio::awaitable<Reply> show_question(Call& call) {
  const auto id = call.at<RequestId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(payments::fetch_question(tx, call.who(), id)); });
}

asio::awaitable<Reply> answer(Call& call) {
  const auto id = call.at<RequestId>(0);
  const auto given = call.body<payments::NewAnswer>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(payments::answer_question(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> questions(Call& call) {
  const auto merchant = call.at<identity::MerchantId>(0);
  const auto all = co_await call.app.db.read(
      [&](Tx& tx) { return payments::open_questions(tx, call.who(), merchant); });
  co_return call.page(all, std::ssize(all),
                      [](const payments::Question& one) { return text_of(one.payment_id); });
}

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/quotes",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = price,
     .name = "quoteCheckout",
     .summary = "What these things, or the cart, cost now: shipping, tax, discount and tip",
     .takes = kTakes<NewQuote>,
     .gives = kGives<Quote>},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/checkouts",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = buy,
     .name = "checkout",
     .summary = "Buy now, or what is in the cart: charged once; 202 while the outcome is open",
     .takes = kTakes<NewCheckout>,
     .gives = kGives<payments::Accepted>},
    {.verb = Verb::get,
     .path = "/v1/payment_requests/{id}/question",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_question,
     .name = "getPaymentQuestion",
     .summary = "What the shop was asked before the charge, for the shop",
     .gives = kGives<payments::Question>},
    {.verb = Verb::post,
     .path = "/v1/payment_requests/{id}/answer",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = answer,
     .name = "answerPaymentQuestion",
     .summary = "Whether the sale may go on, as the shop, in time",
     .takes = kTakes<payments::NewAnswer>,
     .gives = kGives<payments::Question>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/payment_questions",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = questions,
     .name = "listPaymentQuestions",
     .summary = "What waits for the shop's answer before a charge, oldest first",
     .gives = kGivesPage<payments::Question>},
};

}  // namespace

std::span<const Route> checkout_routes() { return kRoutes; }

}  // namespace bottega::gateway
