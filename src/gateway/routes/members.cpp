// Who works for a merchant, and how one comes to.
#include "gateway/routes/routes.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/identity/invitations.hpp"
#include "bottega/support/support.hpp"

namespace bottega::gateway {
namespace {

using namespace identity;

void require_owner(Tx& tx, const Call& call, MerchantId merchant) {
  require_member(tx, call.who(), merchant, Role::owner, Scope::read);
}

asio::awaitable<Reply> list(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto all = co_await call.app.db.read([&](Tx& tx) {
    require_member(tx, call.who(), id, Role::agent, Scope::read);
    return list_members(tx, id);
  });
  co_return call.page(all, 1000, [](const Member& member) { return text_of(member.account_id); });
}

asio::awaitable<Reply> change(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto account = call.at<AccountId>(1);
  const auto given = call.body<NewRole>();
  const auto reply = co_await call.transact([&](Tx& tx) {
    require_owner(tx, call, id);
    return ok(change_role(tx, id, account, given.role));
  });
  call.app.tokens.clear();  // of the API keys that ended
  co_return reply;
}

asio::awaitable<Reply> remove(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto account = call.at<AccountId>(1);
  const auto reply = co_await call.transact([&](Tx& tx) {
    require_owner(tx, call, id);
    remove_member(tx, id, account);
    support::release_all(tx, id, account);
    conversations::release_all(tx, id, account);
    return no_content();
  });
  call.app.tokens.clear();
  co_return reply;
}

asio::awaitable<Reply> make_invitation(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto given = call.body<NewInvitation>();
  const std::chrono::days life(call.app.config.merchants_invitation_days);
  co_return co_await call.transact([&](Tx& tx) {
    require_owner(tx, call, id);
    return created(invite(tx, call.who(), id, given, life));
  });
}

asio::awaitable<Reply> invitations(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto open = co_await call.app.db.read([&](Tx& tx) {
    require_owner(tx, call, id);
    return list_invitations(tx, id);
  });
  co_return call.page(open, 1000, id_of<Invitation>);
}

asio::awaitable<Reply> withdraw(Call& call) {
  const auto id = call.at<MerchantId>(0);
  const auto invitation = call.at<InvitationId>(1);
  co_return co_await call.transact([&](Tx& tx) {
    require_owner(tx, call, id);
    withdraw_invitation(tx, id, invitation);
    return no_content();
  });
}

asio::awaitable<Reply> accept(Call& call) {
  const auto given = call.body<InvitationCode>();
  co_return co_await call.transact([&](Tx& tx) {
    const auto joined = accept_invitation(tx, call.who(), given.code.value);
    if (conversations::find_of_buyer(tx, joined.merchant.id, call.who().account))
      throw Error(Code::conflict, "a shop's own buyer cannot be its member");
    return created(joined);
  });
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/members",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list,
     .name = "listMembers",
     .summary = "Who belongs to the merchant",
     .gives = kGivesPage<Member>},
    {.verb = Verb::patch,
     .path = "/v1/merchants/{id}/members/{account}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = change,
     .name = "changeMember",
     .summary = "Give a member another role",
     .takes = kTakes<NewRole>,
     .gives = kGives<Member>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/members/{account}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = remove,
     .name = "removeMember",
     .summary = "Remove a member, who sees and hears no more of the merchant",
     .status = 204},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/invitations",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = make_invitation,
     .name = "createInvitation",
     .summary = "Invite one person; the code to hand over is in this answer only",
     .takes = kTakes<NewInvitation>,
     .status = 201,
     .gives = kGives<IssuedInvitation>},
    {.verb = Verb::get,
     .path = "/v1/merchants/{id}/invitations",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = invitations,
     .name = "listInvitations",
     .summary = "The invitations that can still be accepted, without their codes",
     .gives = kGivesPage<Invitation>},
    {.verb = Verb::del,
     .path = "/v1/merchants/{id}/invitations/{invitation}",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = withdraw,
     .name = "withdrawInvitation",
     .summary = "Withdraw an invitation",
     .status = 204},
    {.verb = Verb::post,
     .path = "/v1/invitations/accept",
     .access = Access::person,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = accept,
     .name = "acceptInvitation",
     .summary = "Join a merchant by the code of an invitation, which is then used up",
     .takes = kTakes<InvitationCode>,
     .status = 201,
     .gives = kGives<Membership>},
};

}  // namespace

std::span<const Route> member_routes() { return kRoutes; }

}  // namespace bottega::gateway
