#pragma once
// What the routes of the staff have in common.
#include "gateway/routes/routes.hpp"
#include "bottega/ops/ops.hpp"

namespace bottega::gateway {

inline ops::Act act_of(const Call& call, std::string action, std::string subject,
                       std::optional<std::string> reason = std::nullopt,
                       Json details = Json::object()) {
  return {std::move(action), std::move(subject), std::move(reason), std::move(details),
          call.request.request_id};
}

// A list that the staff looked at is an act too.
template <class IdType, class Find>
asio::awaitable<Reply> listing(Call& call, const char* action, Find find) {
  const auto after = cursor_id<IdType>(call);
  const auto limit = call.limit();
  const auto found = co_await call.app.db.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, action, "list"));
    return find(tx, after, limit + 1);
  });
  using Item = typename std::decay_t<decltype(found)>::value_type;
  co_return call.page(found, limit, id_of<Item>);
}

}  // namespace bottega::gateway
