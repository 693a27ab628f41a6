// Links to the bytes: good for a while, for one file, for whoever has them; and parts of files.
#include "http/attachments.hpp"

namespace bottega::test {
namespace attachments_links_test {

class Links : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"attachments.url_s=600"});
    shop = new Storefront(chat(house->server));
    text = a_text(1'000);
    file = uploaded(*shop, shop->buyer.api, {text, "text/plain", "a.txt"});
  }
  static void TearDownTestSuite() {
    delete shop;
    delete house;
  }
  static Answer get(const HeaderList& headers) {
    return download(house->server, file["url"], headers);
  }
  static Answer get_path(const std::string& path) { return Client(house->server.port()).get(path); }
  static inline House* house = nullptr;
  static inline Storefront* shop = nullptr;
  static inline std::string text;
  static inline Json file;
};

struct Part {
  const char* range;
  std::size_t first, last;
};

TEST_F(Links, AnswerAPartOfAFile) {
  for (const auto& [range, first, last] :
       {Part{"bytes=0-99", 0, 99}, Part{"bytes=900-", 900, 999}, Part{"bytes=-1", 999, 999},
        Part{"bytes=500-9999", 500, 999}}) {
    const auto answer = get({{"Range", range}});
    EXPECT_EQ(answer.status, 206) << range;
    EXPECT_EQ(answer.body, text.substr(first, last - first + 1)) << range;
    EXPECT_EQ(answer.header("content-range"),
              "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/1000");
  }
}

TEST_F(Links, RefuseAPartThatIsNotThere) {
  const auto answer = get({{"Range", "bytes=1000-"}});
  EXPECT_TRUE(is_problem(answer, 416, "range_not_satisfiable"));
  EXPECT_EQ(answer.header("content-range"), "bytes */1000");
}

TEST_F(Links, AnswerTheWholeWhereThePartIsOfAnotherFile) {
  const auto etag = get({}).header("etag");
  EXPECT_TRUE(etag.starts_with('"'));
  EXPECT_EQ(get({{"Range", "bytes=0-9"}, {"If-Range", etag}}).status, 206);
  const auto whole = get({{"Range", "bytes=0-9"}, {"If-Range", "\"another\""}});
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, text);
  EXPECT_EQ(get({{"Range", "bytes=0-1,5-6"}}).body, text);
  EXPECT_EQ(get({{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(get({{"If-None-Match", "\"another\""}}).status, 200);
}

TEST_F(Links, TellAHeadWhatThereIs) {
  Client nobody(house->server.port());
  const auto head = nobody.send("HEAD", path_of_link(file["url"]), "", {{"Range", "bytes=0-9"}});
  EXPECT_EQ(head.status, 200) << "a Range is for GET";
  EXPECT_EQ(head.header("content-length"), "1000");
  EXPECT_EQ(head.header("etag"), get({}).header("etag"));
  EXPECT_EQ(head.body, "");
}

TEST_F(Links, AreForgedInVain) {
  const auto path = path_of_link(file["url"]);
  const auto other = uploaded(*shop, shop->buyer.api, {a_jpeg(), "image/jpeg"});
  const auto replaced = [&](const std::string& what, const std::string& with) {
    auto changed = path;
    changed.replace(changed.find(what), what.size(), with);
    return changed;
  };
  const auto expires = path.substr(path.find("expires=") + 8, 10);
  for (const auto& forged :
       {replaced("expires=" + expires, "expires=" + std::to_string(std::stoll(expires) + 600)),
        replaced("variant=original", "variant=thumbnail"),
        replaced(file["id"].get<std::string>(), other["id"].get<std::string>()),
        path.substr(0, path.size() - 1), path.substr(0, path.size() - 64),
        path.substr(0, path.find('?')), replaced("signature=", "signature=0")})
    EXPECT_TRUE(is_problem(get_path(forged), 404, "not_found")) << forged;
  EXPECT_EQ(get_path(path).status, 200);
  EXPECT_TRUE(is_problem(get_path(replaced("variant=original", "variant=x")), 422, "invalid"));
}

TEST_F(Links, StayTheSameForAWhileAndThenExpire) {
  House own({"attachments.url_s=600"});
  const auto store = chat(own.server);
  auto buyer = store.buyer.api;
  auto admin = staff(own.server);
  const auto mine = uploaded(store, buyer, {a_text(10)});
  const auto path = "/v1/attachments/" + mine["id"].get<std::string>();
  const auto advance = [&](int seconds) {
    ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", seconds}}).status, 200);
  };
  EXPECT_EQ(buyer.get(path).json()["url"], mine["url"]);
  advance(590);
  EXPECT_EQ(download(own.server, mine["url"]).status, 200) << "at least ten minutes";
  advance(615);
  EXPECT_TRUE(is_problem(download(own.server, mine["url"]), 410, "link_expired"));
  const auto again = log_in(own.server, store.buyer.email).api.get(path);
  EXPECT_NE(again.json()["url"], mine["url"]);
  EXPECT_EQ(download(own.server, again.json()["url"]).status, 200);
}

TEST_F(Links, ToWhatWasRemovedLeadNowhere) {
  const auto mine = uploaded(*shop, shop->buyer.api, {a_text(123)});
  execute(house->urls.superuser,
          "UPDATE bottega.attachments SET state = 'deleted' WHERE sha256 = '" +
              mine["sha256"].get<std::string>() + "'");
  EXPECT_TRUE(is_problem(download(house->server, mine["url"]), 404, "not_found"));
  auto buyer = shop->buyer.api;
  EXPECT_TRUE(
      is_problem(buyer.get("/v1/attachments/" + mine["id"].get<std::string>()), 404, "not_found"));
}

TEST_F(Links, AreSignedAlikeByEveryNode) {
  const Server other(house->dir.path() / "other",
                     {"database.url=" + house->urls.app, "database.owner_url=" + house->urls.owner,
                      "sandbox.url=" + house->urls.sandbox,
                      "attachments.dir=" + (house->dir.path() / "data/attachments").string()});
  EXPECT_EQ(download(other, file["url"]).body, text);
}

}  // namespace attachments_links_test
}  // namespace bottega::test
