// Shopping without leaving a conversation: its shop's products, and its cart.
#include "bottega/checkout/carts.hpp"

#include "gateway/dispatch.hpp"
#include "gateway/routes/browsing.hpp"
#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
namespace {

using namespace checkout;

asio::awaitable<Reply> products(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const ShopOf shop = [&](Tx& tx) {
    using namespace conversations;
    return enter(tx, call.who(), id, identity::Scope::read, Lock::no).merchant;
  };
  co_return co_await browse_shop(call, shop);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(fetch_cart(tx, call.who(), id)); });
}

asio::awaitable<Reply> put(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewCart>();
  co_return co_await call.transact([&](Tx& tx) { return ok(put_cart(tx, call.who(), id, given)); });
}

asio::awaitable<Reply> clear(Call& call) {
  const auto id = call.at<ConversationId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    clear_cart(tx, call.who(), id);
    return no_content();
  });
}

asio::awaitable<Reply> propose(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto given = call.body<NewProposal>();
  check_conversation(call.app, id);
  auto reply = co_await call.transact(
      [&](Tx& tx) { return created(to_frame(propose_cart(tx, call.who(), id, given))); });
  count_message(call.app, id);
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/products",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = products,
     .name = "listConversationProducts",
     .summary = "What the conversation's shop sells, by words, filters and order",
     .gives = kGivesPage<catalog::Card>,
     .parameters = "limit cursor q state collection_id brand category condition in_stock "
                   "price_from price_to sort"},
    {.verb = Verb::get,
     .path = "/v1/conversations/{id}/cart",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getCart",
     .summary = "The conversation's cart, with what everything costs now",
     .gives = kGives<Cart>},
    {.verb = Verb::put,
     .path = "/v1/conversations/{id}/cart",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = put,
     .name = "putCart",
     .summary = "By the buyer: this is in it from now on, and nothing else",
     .takes = kTakes<NewCart>,
     .gives = kGives<Cart>},
    {.verb = Verb::del,
     .path = "/v1/conversations/{id}/cart",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = clear,
     .name = "clearCart",
     .summary = "By the buyer: nothing is in it any more",
     .status = 204},
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/cart/propose",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = propose,
     .name = "proposeCart",
     .summary = "By the merchant's side: propose a cart to the buyer",
     .takes = kTakes<NewProposal>,
     .status = 201,
     .gives = event_schema},
};

}  // namespace

std::span<const Route> shopping_routes() { return kRoutes; }

}  // namespace bottega::gateway
