// Attachments over HTTP: up, look, down, by whom, and once.
#include "http/attachments.hpp"

#include <thread>

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace attachments_test {

class Files : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House();
    shop = new Storefront(chat(house->server));
  }
  static void TearDownTestSuite() {
    delete shop;
    delete house;
  }
  static const Client& buyer() { return shop->buyer.api; }
  static Answer show(Client who, const Json& file) {
    return who.get("/v1/attachments/" + file["id"].get<std::string>());
  }
  static Answer down(const Json& link, const HeaderList& headers = {}) {
    return download(house->server, link, headers);
  }
  static inline House* house = nullptr;
  static inline Storefront* shop = nullptr;
};

TEST_F(Files, AnImageGoesUpAndComesDownWithItsSizeAndThumbnail) {
  const auto bytes = a_png(640, 480);
  const auto file = uploaded(*shop, buyer(), {bytes, "image/png", "lamp.png"});
  EXPECT_TRUE(file["id"].get<std::string>().starts_with("att_"));
  EXPECT_EQ(file["kind"], "image");
  EXPECT_EQ(file["media_type"], "image/png");
  EXPECT_EQ(file["name"], "lamp.png");
  EXPECT_EQ(file["bytes"], bytes.size());
  EXPECT_EQ(file["width"], 640);
  EXPECT_EQ(file["height"], 480);
  EXPECT_EQ(file["state"], "ready");
  EXPECT_EQ(file["sha256"], sha256_hex(bytes));
  EXPECT_EQ(file["uploaded_by"], shop->buyer.id);
  const auto again = show(buyer(), file);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json(), file);
  const auto whole = down(file["url"]);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, bytes);
  const auto thumbnail = down(file["thumbnail_url"]);
  EXPECT_EQ(thumbnail.status, 200);
  EXPECT_EQ(thumbnail.header("content-type"), "image/jpeg");
  EXPECT_TRUE(thumbnail.body.starts_with("\xff\xd8\xff"));
  EXPECT_LT(thumbnail.body.size(), 10'000u);
}

TEST_F(Files, WhatACameraSaysAboutAPlaceIsNotKept) {
  const auto file = uploaded(*shop, buyer(), {jpeg_with(exif_of_a_camera(6)), "image/jpeg"});
  const auto whole = down(file["url"]).body, thumbnail = down(file["thumbnail_url"]).body;
  EXPECT_EQ(whole.find(kSecretPlace), std::string::npos);
  EXPECT_EQ(thumbnail.find(kSecretPlace), std::string::npos);
  EXPECT_EQ(file["sha256"], sha256_hex(whole)) << "of what is kept";
  EXPECT_EQ(file["bytes"], whole.size());
  EXPECT_EQ(file["width"], 48);
}

TEST_F(Files, ADocumentIsSavedAndAnImageIsShown) {
  const auto text = uploaded(*shop, buyer(), {"Grüße", "", "gr%C3%BC%C3%9Fe%20%22x%22.bat"});
  EXPECT_EQ(text["name"], "grüße \"x\".bat.txt");
  EXPECT_EQ(text["thumbnail_url"], nullptr);
  const auto answer = down(text["url"]);
  EXPECT_EQ(answer.header("content-type"), "text/plain");
  EXPECT_EQ(answer.header("content-disposition"),
            "attachment; filename=\"gr__e _x_.bat.txt\"; "
            "filename*=UTF-8''gr%C3%BC%C3%9Fe%20%22x%22.bat.txt");
  const auto image = uploaded(*shop, buyer(), {a_gif(), "image/gif", "a.gif"});
  EXPECT_EQ(down(image["url"]).header("content-disposition"),
            "inline; filename=\"a.gif\"; filename*=UTF-8''a.gif");
  for (const auto& link : {text["url"], image["url"], image["thumbnail_url"]}) {
    const auto one = down(link);
    EXPECT_EQ(one.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(one.header("content-security-policy"), "default-src 'none'; sandbox");
    EXPECT_TRUE(one.header("cache-control").starts_with("private, max-age="));
    EXPECT_EQ(one.header("accept-ranges"), "bytes");
  }
}

TEST_F(Files, ABodyMayComeInChunks) {
  Wire wire(house->server.port());
  ASSERT_TRUE(wire.send(upload_head(*shop, buyer(), "Transfer-Encoding: chunked\r\n")));
  const auto text = a_text(200'000);
  std::string sent;
  for (std::size_t at = 0; at < text.size(); at += 40'000)
    sent += "9c40\r\n" + text.substr(at, 40'000) + "\r\n";
  ASSERT_TRUE(wire.send(sent + "0\r\n\r\n"));
  const auto answer = wire.answer();
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.json()["bytes"], text.size());
  EXPECT_EQ(down(answer.json()["url"]).body, text);
}

TEST_F(Files, AClientThatWaitsForItIsToldToGoOn) {
  Wire wire(house->server.port());
  ASSERT_TRUE(
      wire.send(upload_head(*shop, buyer(), "Content-Length: 5\r\nExpect: 100-continue\r\n")));
  EXPECT_EQ(wire.head(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(wire.send("Hello"));
  EXPECT_EQ(wire.answer().status, 201);
  // The connection is of use for the next request.
  ASSERT_TRUE(wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(wire.answer().status, 200);
}

TEST_F(Files, WhatFollowsABodyIsTheNextRequest) {
  Wire wire(house->server.port());
  ASSERT_TRUE(wire.send(upload_head(*shop, buyer(), "Content-Length: 5\r\n") + "Hello" +
                        upload_head(*shop, buyer(), "Transfer-Encoding: chunked\r\n") +
                        "5\r\nWorld\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(wire.answer().status, 201);
  EXPECT_EQ(wire.answer().json()["sha256"], sha256_hex("World"));
  EXPECT_EQ(wire.answer().json()["status"], "alive");
}

TEST_F(Files, OtherPeoplesFilesDoNotExist) {
  const auto file = uploaded(*shop, buyer(), {a_text(77)});
  const auto stranger = person(house->server);
  EXPECT_TRUE(is_problem(show(shop->owner.api, file), 404, "not_found"))
      << "not even for the other side, before it is in a message";
  EXPECT_TRUE(is_problem(show(stranger.api, file), 404, "not_found"));
  EXPECT_TRUE(is_problem(show(Client(house->server.port()), file), 401, "unauthenticated"));
  attach(house->urls, file);
  EXPECT_EQ(show(shop->owner.api, file).status, 200);
  EXPECT_EQ(show(shop->owner.api, file).json()["state"], "attached");
  EXPECT_EQ(show(buyer(), file).status, 200);
  EXPECT_TRUE(is_problem(show(stranger.api, file), 404, "not_found"));
  EXPECT_TRUE(is_problem(upload(*shop, stranger.api, {a_text(10)}), 404, "not_found"));
  EXPECT_TRUE(
      is_problem(upload(*shop, Client(house->server.port()), {"a"}), 401, "unauthenticated"));
}

TEST_F(Files, TheSameKeyAndBytesAreOneUpload) {
  const auto key = new_key();
  const auto first = upload(*shop, buyer(), {"the same", "text/plain", "a.txt", key});
  ASSERT_EQ(first.status, 201);
  const auto files = files_of(*house);
  const auto second = upload(*shop, buyer(), {"the same", "text/plain", "a.txt", key});
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.json(), first.json());
  EXPECT_EQ(second.header("idempotent-replayed"), "true");
  EXPECT_TRUE(is_problem(upload(*shop, buyer(), {"another", "text/plain", "a.txt", key}), 422,
                         "idempotency_key_reused"));
  EXPECT_TRUE(soon([&] { return files_of(*house) == files; })) << "nothing else is kept";
  EXPECT_TRUE(is_problem(upload(*shop, buyer(), {"a", "", "", "a b"}), 400, "malformed"));
}

TEST_F(Files, ConcurrentUploadsOfTheSameKeyAreOne) {
  const auto key = new_key();
  std::vector<std::thread> threads;
  std::vector<Answer> answers(4);
  for (auto& answer : answers)
    threads.emplace_back([&] { answer = upload(*shop, buyer(), {"at once", "", "", key}); });
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(answer.json()["id"], answers[0].json()["id"]);
  }
}

TEST_F(Files, OverASocketTheyAreSentElsewhere) {
  Socket socket(house->server.port(), buyer().token());
  const auto reply = socket.call("POST", shop->path("/attachments"), {{"a", 1}});
  EXPECT_TRUE(is_problem(reply, 415, "unsupported_media_type"));
}

TEST_F(Files, SurviveAServerThatIsKilled) {
  House own;
  const auto chat_of = chat(own.server);
  const auto file = uploaded(chat_of, chat_of.buyer.api, {a_jpeg(), "image/jpeg"});
  own.server.kill();
  const Server again(own.dir.path() / "data",
                     {"database.url=" + own.urls.app, "database.owner_url=" + own.urls.owner,
                      "sandbox.url=" + own.urls.sandbox});
  EXPECT_EQ(download(again, file["url"]).body, a_jpeg()) << "and the link is still good";
}

}  // namespace attachments_test
}  // namespace bottega::test
