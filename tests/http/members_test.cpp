// Who works for a shop, how one comes to, and what keys hear in its name.
#include <atomic>
#include <thread>

#include "http/story.hpp"

namespace bottega::test {
namespace members_test {

const Server& server() { return Server::shared(); }

int status_of(const std::string& token) {
  return Client(server().port(), token).get("/v1/accounts/me").status;
}

// The owner invites, and the person joins.
Answer join(const Storefront& shop, Client person, const std::string& role) {
  auto owner = shop.owner.api;
  const auto made = owner.post("/v1/merchants/" + shop.merchant + "/invitations",
                               {{"name", "Hal"}, {"role", role}});
  return person.post("/v1/invitations/accept", {{"code", made.json().at("code")}});
}

TEST(Members, MayDoWhatTheirRoleAllows) {
  const auto shop = test::shop(server());
  const auto agent = person(server());
  auto owner = shop.owner.api, api = agent.api;
  const auto members = "/v1/merchants/" + shop.merchant + "/members";
  ASSERT_EQ(join(shop, agent.api, "agent").status, 201);
  EXPECT_EQ(send_text(shop, agent.api, "How may I help?").status, 201);
  EXPECT_TRUE(is_problem(api.post("/v1/merchants/" + shop.merchant + "/invitations",
                                  {{"name", "A friend"}, {"role", "agent"}}),
                         403, "forbidden"));
  EXPECT_TRUE(
      is_problem(api.patch(members + "/" + agent.id, {{"role", "owner"}}), 403, "forbidden"));
  const auto payouts = "/v1/payouts?merchant_id=" + shop.merchant;
  EXPECT_TRUE(is_problem(api.get(payouts), 403, "forbidden"));
  const auto changed = owner.patch(members + "/" + agent.id, {{"role", "manager"}});
  EXPECT_EQ(changed.json()["role"], "manager");
  EXPECT_EQ(api.get(payouts).status, 200);
  EXPECT_EQ(owner.remove(members + "/" + agent.id).status, 204);
  EXPECT_TRUE(is_problem(api.get(shop.path()), 404, "not_found"));
  EXPECT_EQ(status_of(agent.api.token()), 200) << "it is the shop that they have left";
  EXPECT_TRUE(is_problem(owner.remove(members + "/" + shop.owner.id), 409, "conflict"))
      << "a merchant needs an owner";
}

TEST(Members, WhoLeaveHearNoMoreOfTheShopAndAllElse) {
  const auto shop = chat(server()), other = chat(server());
  const auto agent = person(server());
  auto owner = shop.owner.api, api = agent.api;
  const auto members = "/v1/merchants/" + shop.merchant + "/members";
  ASSERT_EQ(join(shop, agent.api, "agent").status, 201);
  const auto mine = api.post("/v1/conversations", {{"merchant_id", other.merchant}}).json()["id"];
  Socket socket(server().port(), api.token());
  listen(socket);
  send_text(shop, shop.buyer.api, "Is somebody there?");
  ASSERT_EQ(socket.event("message.created")["conversation"], shop.conversation);
  ASSERT_EQ(owner.remove(members + "/" + agent.id).status, 204);
  EXPECT_TRUE(soon([&] {
    send_text(shop, shop.buyer.api, "Not for former members");
    api.post("/v1/conversations/" + mine.get<std::string>() + "/messages", {{"text", "Mine"}});
    if (socket.event("message.created")["conversation"] == mine) return true;
    socket.event("message.created");
    return false;
  }));
}

TEST(Members, AreNotTheShopsBuyers) {
  const auto shop = chat(server());
  auto owner = shop.owner.api;
  EXPECT_TRUE(is_problem(join(shop, shop.buyer.api, "owner"), 409, "conflict"));
  const auto mine = "/v1/merchants/" + shop.merchant;
  EXPECT_EQ(owner.get(mine + "/members").json()["data"].size(), 1u);
  EXPECT_EQ(owner.get(mine + "/invitations").json()["data"].size(), 1u) << "it stays open";
}

TEST(Members, AnInvitationsCodeIsShownOnce) {
  const auto shop = test::shop(server());
  auto owner = shop.owner.api;
  const auto path = "/v1/merchants/" + shop.merchant + "/invitations";
  const auto made = owner.post(path, {{"name", "Hal"}, {"role", "agent"}}).json();
  const auto listed = owner.get(path);
  EXPECT_EQ(listed.json()["data"][0], made["invitation"]);
  EXPECT_EQ(listed.body.find(made["code"].get<std::string>()), std::string::npos);
  const auto id = made["invitation"]["id"].get<std::string>();
  EXPECT_EQ(owner.remove(path + "/" + id).status, 204);
  auto guest = person(server()).api;
  EXPECT_TRUE(
      is_problem(guest.post("/v1/invitations/accept", {{"code", made["code"]}}), 404, "not_found"));
}

TEST(Keys, WithoutTheScopeHearNothing) {
  const auto shop = chat(server());
  auto owner = shop.owner.api;
  const auto keys = "/v1/merchants/" + shop.merchant + "/api_keys";
  const auto issue = [&](const std::string& scope) {
    return owner.post(keys, {{"name", "Till"}, {"scopes", {scope}}}).json();
  };
  const auto reads = issue("read"), ships = issue("orders");
  Socket hears(server().port(), reads["secret"]), deaf(server().port(), ships["secret"]);
  listen(hears);
  listen(deaf);
  send_text(shop, shop.buyer.api, "Between the two of us");
  EXPECT_EQ(hears.event("message.created")["conversation"], shop.conversation);
  ASSERT_EQ(owner.remove(keys + "/" + ships["api_key"]["id"].get<std::string>()).status, 204);
  EXPECT_EQ(deaf.close_code(), 3500);
  EXPECT_ANY_THROW(deaf.event("message.created"));
}

TEST(Keys, EndWithTheirMakersOwnership) {
  const auto shop = chat(server());
  const auto second = person(server());
  ASSERT_EQ(join(shop, second.api, "owner").status, 201);
  auto owner = shop.owner.api, other = second.api;
  const auto mine = "/v1/merchants/" + shop.merchant;
  const auto key = other.post(mine + "/api_keys", {{"name", "Till"}, {"scopes", {"read"}}}).json();
  Socket socket(server().port(), key["secret"]);
  listen(socket);
  ASSERT_EQ(owner.remove(mine + "/members/" + second.id).status, 204);
  EXPECT_EQ(socket.close_code(), 3500);
  EXPECT_EQ(Client(server().port(), key["secret"]).get(mine).status, 401);
}

// A session may end while a socket of it is being opened: then the socket ends too.
TEST(Sockets, DoNotOutliveTheSessionThatTheyWereOpenedWith) {
  for (int round = 0; round < 10; ++round) {
    const auto who = person(server());
    std::vector<std::thread> opening;
    std::atomic<int> alive{0};
    for (int i = 0; i < 4; ++i)
      opening.emplace_back([&] {
        try {
          Socket socket(server().port(), who.api.token());
          if (socket.close_code() != 3500) ++alive;
        } catch (const std::exception&) {
          // The upgrade came too late, and was refused.
        }
      });
    auto api = who.api;
    EXPECT_EQ(api.remove("/v1/sessions").status, 204);
    for (auto& thread : opening) thread.join();
    EXPECT_EQ(alive, 0);
  }
}

}  // namespace members_test
}  // namespace bottega::test
