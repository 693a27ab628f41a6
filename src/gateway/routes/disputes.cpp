// Disputes: what the merchant's managers see and say, what the staff sees, and the key that anybody
// verifies evidence with.
#include "bottega/disputes/top_ups.hpp"

#include "gateway/routes/staff.hpp"

namespace bottega::gateway {
namespace {

using disputes::Dispute, disputes::DisputeId;
using identity::MerchantId;

asio::awaitable<Reply> list(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<disputes::State>("state");
  const auto after = cursor_id<DisputeId>(call);
  const auto limit = call.limit();
  if (!merchant && call.who().kind != identity::Kind::api_key)
    throw Error(Code::malformed, "say whose disputes: merchant_id is missing");
  const auto shop = merchant.value_or(call.who().merchant);
  const auto found = co_await call.app.db.read([&](Tx& tx) {
    identity::require_member(tx, call.who(), shop, identity::Role::manager, identity::Scope::read);
    return disputes::list_of_merchant(tx, shop, state, after, limit + 1);
  });
  co_return call.page(found, limit, id_of<Dispute>);
}

asio::awaitable<Reply> show(Call& call) {
  const auto id = call.at<DisputeId>(0);
  co_return co_await call.read([&](Tx& tx) { return ok(disputes::fetch(tx, call.who(), id)); });
}

asio::awaitable<Reply> show_evidence(Call& call) {
  const auto id = call.at<DisputeId>(0);
  co_return co_await call.read(
      [&](Tx& tx) { return ok(disputes::fetch_evidence(tx, call.who(), id)); });
}

asio::awaitable<Reply> add_evidence(Call& call) {
  const auto id = call.at<DisputeId>(0);
  const auto given = call.body<disputes::NewEvidence>();
  co_return co_await call.transact(
      [&](Tx& tx) { return ok(disputes::add_evidence(tx, call.who(), id, given)); });
}

template <Dispute (*answer)(Tx&, const identity::Who&, DisputeId)>
asio::awaitable<Reply> respond(Call& call) {
  const auto id = call.at<DisputeId>(0);
  const auto reply = co_await call.transact([&](Tx& tx) { return ok(answer(tx, call.who(), id)); });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> key(Call& call) {
  // The first who asks makes it.
  co_return co_await call.app.db.transact([&](Tx& tx) { return ok(disputes::evidence_key(tx)); });
}

asio::awaitable<Reply> list_for_staff(Call& call) {
  const auto merchant = call.parameter_as<MerchantId>("merchant_id");
  const auto state = call.parameter_as<disputes::State>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return ops::find_disputes(tx, merchant, state, after, limit);
  };
  co_return co_await listing<DisputeId>(call, "disputes.list", find);
}

asio::awaitable<Reply> evidence_for_staff(Call& call) {
  const auto id = call.at<DisputeId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto evidence = disputes::fetch_evidence(tx, id);
    ops::record(tx, call.who(), act_of(call, "dispute.evidence", text_of(id)));
    return ok(evidence);
  });
}

// ---- about top-ups: they are no merchant's, and the staff's to answer ---------------------------

using disputes::TopUpDispute;

asio::awaitable<Reply> list_of_top_ups(Call& call) {
  const auto account = call.parameter_as<identity::AccountId>("account_id");
  const auto state = call.parameter_as<disputes::State>("state");
  auto find = [&](Tx& tx, auto after, std::int64_t limit) {
    return disputes::list_top_up_disputes(tx, account, state, after, limit);
  };
  co_return co_await listing<DisputeId>(call, "top_up_disputes.list", find);
}

asio::awaitable<Reply> show_of_top_up(Call& call) {
  const auto id = call.at<DisputeId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto dispute = disputes::fetch_top_up_dispute(tx, id);
    ops::record(tx, call.who(), act_of(call, "top_up_dispute.show", text_of(id)));
    return ok(dispute);
  });
}

asio::awaitable<Reply> submit_of_top_up(Call& call) {
  const auto id = call.at<DisputeId>(0);
  const auto given = call.body<disputes::TopUpStatement>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto dispute = disputes::submit_top_up_dispute(tx, id, given);
    ops::record(tx, call.who(), act_of(call, "top_up_dispute.submit", text_of(id)));
    return ok(dispute);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> accept_of_top_up(Call& call) {
  const auto id = call.at<DisputeId>(0);
  const auto reply = co_await call.transact([&](Tx& tx) {
    const auto dispute = disputes::accept_top_up_dispute(tx, id);
    ops::record(tx, call.who(), act_of(call, "top_up_dispute.accept", text_of(id)));
    return ok(dispute);
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> evidence_of_top_up(Call& call) {
  const auto id = call.at<DisputeId>(0);
  co_return co_await call.transact([&](Tx& tx) {
    const auto evidence = disputes::fetch_top_up_evidence(tx, id);
    ops::record(tx, call.who(), act_of(call, "top_up_dispute.evidence", text_of(id)));
    return ok(evidence);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/disputes",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listDisputes",
     .summary = "A shop's disputes, newest first",
     .gives = kGivesPage<Dispute>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/disputes/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getDispute",
     .summary = "One dispute",
     .gives = kGives<Dispute>},
    {.verb = Verb::post,
     .path = "/v1/disputes/{id}/evidence",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = add_evidence,
     .name = "addEvidence",
     .summary = "Write down evidence, in place of what was there; nothing is sent yet",
     .takes = kTakes<disputes::NewEvidence>,
     .gives = kGives<Dispute>},
    {.verb = Verb::get,
     .path = "/v1/disputes/{id}/evidence",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_evidence,
     .name = "getEvidence",
     .summary = "What was sent to the processor, signed; nothing until it was submitted",
     .gives = kGives<disputes::Evidence>},
    {.verb = Verb::post,
     .path = "/v1/disputes/{id}/submit",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = respond<disputes::submit>,
     .name = "submitDispute",
     .summary = "Contest it: the evidence goes to the processor, once",
     .gives = kGives<Dispute>},
    {.verb = Verb::post,
     .path = "/v1/disputes/{id}/accept",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = respond<disputes::accept>,
     .name = "acceptDispute",
     .summary = "Accept it: the money is lost",
     .gives = kGives<Dispute>},
    {.verb = Verb::get,
     .path = "/v1/evidence_key",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = key,
     .name = "getEvidenceKey",
     .summary = "The public key that verifies evidence",
     .gives = kGives<disputes::EvidenceKey>},
    {.verb = Verb::get,
     .path = "/v1/admin/disputes",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_for_staff,
     .name = "adminListDisputes",
     .summary = "Find disputes",
     .gives = kGivesPage<Dispute>,
     .parameters = "merchant_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/disputes/{id}/evidence",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = evidence_for_staff,
     .name = "adminGetEvidence",
     .summary = "What was sent to the processor about a dispute, signed",
     .gives = kGives<disputes::Evidence>},
    {.verb = Verb::get,
     .path = "/v1/admin/top_up_disputes",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_of_top_ups,
     .name = "adminListTopUpDisputes",
     .summary = "Find disputes about top-ups",
     .gives = kGivesPage<TopUpDispute>,
     .parameters = "account_id state limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/top_up_disputes/{id}",
     .access = Access::support,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_of_top_up,
     .name = "adminGetTopUpDispute",
     .summary = "One dispute about a top-up",
     .gives = kGives<TopUpDispute>},
    {.verb = Verb::post,
     .path = "/v1/admin/top_up_disputes/{id}/submit",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = submit_of_top_up,
     .name = "adminSubmitTopUpDispute",
     .summary = "Contest it: the top-up and what has moved since go to the processor, once",
     .takes = kTakes<disputes::TopUpStatement>,
     .gives = kGives<TopUpDispute>},
    {.verb = Verb::post,
     .path = "/v1/admin/top_up_disputes/{id}/accept",
     .access = Access::finance,
     .budget = Budget::writes,
     .once = Once::required,
     .handler = accept_of_top_up,
     .name = "adminAcceptTopUpDispute",
     .summary = "Accept it: the money is lost",
     .gives = kGives<TopUpDispute>},
    {.verb = Verb::get,
     .path = "/v1/admin/top_up_disputes/{id}/evidence",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = evidence_of_top_up,
     .name = "adminGetTopUpEvidence",
     .summary = "What was sent to the processor about a dispute of a top-up, signed",
     .gives = kGives<disputes::Evidence>},
};

}  // namespace

std::span<const Route> dispute_routes() { return kRoutes; }

}  // namespace bottega::gateway
