// Whoever comes back after a short break is served from memory, and gets the same as from the log.
#include "http/story.hpp"

namespace bottega::test {
namespace resume_memory_test {

class ResumeFromMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() { house = new House({"chat.edit_window_s=600"}); }
  static void TearDownTestSuite() {
    delete house;
    house = nullptr;
  }
  static const Server& server() { return house->server; }
  static int from_memory() {
    const std::string name = "bottega_load{kind=\"resumed_from_memory\"} ";
    const auto page = staff(server()).get("/metrics").body;
    const auto at = page.find(name);
    return at == std::string::npos ? -1 : std::stoi(page.substr(at + name.size()));
  }
  // The events behind this position as a new socket gets them.
  static std::vector<Json> resumed(const Storefront& shop, int position) {
    Socket socket(server().port(), shop.buyer.api.token());
    socket.send(
        {{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, position}}}});
    std::vector<Json> events;
    for (auto event = socket.event(); event["event"] != "resumed"; event = socket.event())
      if (event.contains("seq")) events.push_back(event);
    return events;
  }
  static std::vector<Json> log(const Storefront& shop, int after) {
    auto api = shop.buyer.api;
    const auto page =
        api.get(shop.path("/messages?limit=100&after=" + std::to_string(after))).json();
    return page["data"];
  }
  static House* house;
};
House* ResumeFromMemory::house = nullptr;

TEST_F(ResumeFromMemory, GivesWhatTheLogWouldGive) {
  const auto shop = chat(server());
  for (int i = 0; i < 10; ++i) send_text(shop, shop.owner.api, "Text " + std::to_string(i));
  const auto before = from_memory();
  for (const int position : {0, 4, 9}) {
    const auto events = resumed(shop, position);
    EXPECT_EQ(events.size(), static_cast<std::size_t>(10 - position));
    EXPECT_EQ(events, log(shop, position));
  }
  EXPECT_TRUE(resumed(shop, 10).empty());
  EXPECT_EQ(from_memory(), before + 3);
}

TEST_F(ResumeFromMemory, NeverBringsBackWhatWasTakenBack) {
  const auto shop = chat(server());
  for (int i = 0; i < 3; ++i) send_text(shop, shop.owner.api, "A secret");
  auto owner = shop.owner.api;
  ASSERT_EQ(owner.remove(shop.path("/messages/2")).status, 200);
  ASSERT_EQ(owner.patch(shop.path("/messages/3"), {{"text", "Nothing"}}).status, 200);
  send_text(shop, shop.owner.api, "Afterwards");
  const auto events = resumed(shop, 1);
  ASSERT_EQ(events, log(shop, 1));
  for (const auto& event : events)
    EXPECT_EQ(event.dump().find("A secret"), std::string::npos) << event.dump();
  const auto before = from_memory();
  EXPECT_EQ(resumed(shop, 5).size(), 1u);
  EXPECT_EQ(from_memory(), before + 1) << "what came behind the change is there again";
}

TEST_F(ResumeFromMemory, KeepsToWhoMayRead) {
  const auto shop = chat(server()), other = chat(server());
  send_text(shop, shop.owner.api, "Ours");
  Socket stranger(server().port(), other.buyer.api.token());
  stranger.send({{"id", "r"}, {"method", "RESUME"}, {"positions", {{shop.conversation, 0}}}});
  const auto told = stranger.event();
  EXPECT_EQ(told["event"], "resumed") << told.dump();
  EXPECT_EQ(told["data"]["conversations"][0]["recovered"], false);
}

}  // namespace resume_memory_test
}  // namespace bottega::test
