// Uploads that are refused: as early as may be, in words, and with nothing left of them.
#include "http/attachments.hpp"

namespace bottega::test {
namespace attachments_refusals_test {

using namespace std::chrono_literals;

constexpr std::size_t kMega = 1'048'576;

class Refused : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house = new House({"attachments.pixels_max=100000", "http.read_timeout_s=2",
                       "attachments.rate_min_bytes_per_s=50000000", "jobs.poll_ms=20"});
    shop = new Storefront(chat(house->server));
  }
  static void TearDownTestSuite() {
    delete shop;
    delete house;
  }
  static Answer send(const std::string& bytes, const std::string& type = "",
                     const std::string& name = "") {
    return upload(*shop, shop->buyer.api, {bytes, type, name});
  }
  // Whether nothing is left of any upload.
  static bool is_clean() {
    return soon([] {
      return files_of(*house) == 0 &&
             execute(house->urls.superuser, "SELECT count(*) FROM bottega.attachments") == "0";
    });
  }
  static std::string head(const std::string& fields) {
    return upload_head(*shop, shop->buyer.api, fields);
  }
  // The rest of the answer after all that the server could want was sent.
  static Answer after(const std::string& bytes) {
    Wire wire(house->server.port());
    wire.send(bytes);
    return wire.answer();
  }
  static inline House* house = nullptr;
  static inline Storefront* shop = nullptr;
};

TEST_F(Refused, ContentThatIsNotTaken) {
  for (const std::string bytes :
       {"<html><script>alert(1)</script>", "<svg onload='x'/>", "#!/bin/sh\nls",
        "\x7f"
        "ELF\x02\x01\x01\x00"}) {
    const auto answer = send(bytes, "", "photo.jpg");
    EXPECT_TRUE(is_problem(answer, 415, "unsupported_media_type")) << bytes;
    EXPECT_NE(answer.body.find("image/jpeg, image/png"), std::string::npos) << "the list is told";
  }
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ContentThatIsNotWhatItIsSaidToBe) {
  EXPECT_TRUE(is_problem(send(a_jpeg(), "image/png"), 415, "unsupported_media_type"));
  EXPECT_TRUE(is_problem(send("Hello", "text/html"), 415, "unsupported_media_type"));
  EXPECT_TRUE(is_problem(send(a_text(100'000) + '\0'), 415, "unsupported_media_type"))
      << "far behind the beginning";
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ImagesThatAreNone) {
  const auto jpeg = a_jpeg();
  EXPECT_TRUE(is_problem(send(jpeg.substr(0, 200), "image/jpeg"), 422, "invalid"));
  EXPECT_TRUE(is_problem(send(a_bomb(30'000, 30'000), "image/png"), 422, "invalid"));
  EXPECT_TRUE(is_problem(send(a_png(400, 400), "image/png"), 422, "invalid"));
  EXPECT_EQ(pointers(send(a_png(400, 400)).json()), std::vector<std::string>{""});
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, NothingAtAllAndNamesThatAreNone) {
  EXPECT_TRUE(is_problem(after(head("Content-Length: 0\r\n")), 422, "invalid"));
  EXPECT_TRUE(is_problem(after(head("")), 422, "invalid"));
  EXPECT_TRUE(
      is_problem(after(head("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"), 422, "invalid"));
  EXPECT_TRUE(is_problem(send("Hello", "", "a%0Ab"), 422, "invalid"));
  EXPECT_TRUE(is_problem(send("Hello", "", std::string(300, 'a')), 422, "invalid"));
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, WhatIsSaidToBeTooLargeBeforeAByteOfItIsRead) {
  Wire wire(house->server.port());
  wire.send(head("Content-Length: 104857601\r\nExpect: 100-continue\r\n"));
  const auto answer = wire.answer();
  EXPECT_TRUE(is_problem(answer, 413, "too_large"));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ALargeImageAsSoonAsItIsKnownToBeOne) {
  // The length is fine for a document: the first bytes say that it is an image.
  EXPECT_TRUE(
      is_problem(after(head("Content-Length: 50000000\r\n") + a_jpeg() + std::string(20'000, 'x')),
                 413, "too_large"));
  EXPECT_TRUE(is_problem(after(head("Transfer-Encoding: chunked\r\n") + "2FAF080\r\n" + a_jpeg() +
                               std::string(20'000, 'x')),
                         413, "too_large"))
      << "a chunk that announces too much";
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, AChunkedBodyThatGrowsTooLarge) {
  Wire wire(house->server.port());
  wire.send(head("Transfer-Encoding: chunked\r\nContent-Type: image/jpeg\r\n"));
  const auto chunk = "100000\r\n" + a_jpeg() + std::string(kMega - a_jpeg().size(), 'x') + "\r\n";
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(wire.send(chunk));
  wire.send("1\r\nx\r\n");
  EXPECT_TRUE(is_problem(wire.answer(), 413, "too_large"));
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ABodyThatComesTooSlowly) {
  Wire wire(house->server.port());
  ASSERT_TRUE(wire.send(head("Content-Length: 1000000\r\n") + a_text(1'000)));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(is_problem(wire.answer(), 408, "request_timeout"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ABodyThatDribblesForever) {
  Wire wire(house->server.port());
  ASSERT_TRUE(wire.send(head("Transfer-Encoding: chunked\r\n")));
  // Each byte comes in time by itself; together they are too slow.
  const auto is_refused = [&] {
    wire.send("1\r\na\r\n");
    return wire.has_answer(100);
  };
  ASSERT_TRUE(soon(is_refused));
  EXPECT_TRUE(is_problem(wire.answer(), 408, "request_timeout"));
  EXPECT_TRUE(is_clean());
}

TEST_F(Refused, ABodyThatEndsInTheMiddle) {
  for (const auto* fields : {"Content-Length: 500000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Wire wire(house->server.port());
    const std::string chunk = fields[0] == 'T' ? "7a120\r\n" : "";
    ASSERT_TRUE(wire.send(head(fields) + chunk + a_text(300'000)));
    EXPECT_TRUE(soon([] { return files_of(*house) == 1; })) << "it is under way";
    wire.close();
    EXPECT_TRUE(is_clean());
  }
}

TEST_F(Refused, ABodyBehindARefusalIsNotReadAsARequest) {
  const std::string smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto size = std::to_string(smuggled.size());
  const auto stranger = person(house->server);
  for (const auto& first :
       {upload_head(*shop, stranger.api, "Content-Length: " + size + "\r\n"),
        upload_head(*shop, Client(1, "bat_nonsense"), "Content-Length: " + size + "\r\n"),
        "POST " + shop->path("/attachments") +
            " HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n" + "Content-Length: " + size +
            "\r\n\r\n"}) {
    const auto answers = exchange(house->server.port(), first + smuggled);
    EXPECT_EQ(answers.find("HTTP/1.1 2"), std::string::npos) << answers;
    EXPECT_EQ(answers.find("HTTP/1.1 4"), answers.rfind("HTTP/1.1 "));
    EXPECT_NE(answers.find("Connection: close"), std::string::npos) << answers;
  }
}

TEST_F(Refused, BodiesThatTwoServersCouldReadInTwoWays) {
  for (const auto* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 1000000000\r\n",
        "Transfer-Encoding: chunked, chunked\r\n"})
    EXPECT_GE(after(head(fields) + "Hello").status, 400) << fields;
  for (const auto* body : {"5;a=b\r\nHello\r\n0\r\n\r\n", "5\nHello\r\n0\r\n\r\n",
                           "5\r\nHello\r\n0\r\nX-A: b\r\n\r\n", "-5\r\nHello"}) {
    const auto answer = after(head("Transfer-Encoding: chunked\r\n") + body);
    EXPECT_TRUE(is_problem(answer, 400, "malformed")) << body;
    EXPECT_EQ(answer.header("connection"), "close");
  }
  EXPECT_TRUE(is_clean());
}

TEST(Quota, OfAnAccountIsKeptAndToldWhenToComeBack) {
  House house({"attachments.per_account_bytes_per_day=100000"});
  const auto shop = chat(house.server);
  EXPECT_EQ(upload(shop, shop.buyer.api, {a_text(60'000)}).status, 201);
  const auto answer = upload(shop, shop.buyer.api, {a_text(60'000)});
  EXPECT_TRUE(is_problem(answer, 429, "rate_limited"));
  EXPECT_FALSE(answer.header("retry-after").empty());
  EXPECT_EQ(upload(shop, shop.buyer.api, {a_text(40'000)}).status, 201);
  EXPECT_EQ(upload(shop, shop.owner.api, {a_text(60'000)}).status, 201);
}

TEST(Quota, OfTheServerIsKept) {
  House house({"attachments.total_max_bytes=100000"});
  const auto shop = chat(house.server);
  EXPECT_EQ(upload(shop, shop.buyer.api, {a_text(60'000)}).status, 201);
  EXPECT_TRUE(is_problem(upload(shop, shop.owner.api, {a_text(60'000)}), 507, "storage_full"));
}

TEST(Kept, ForADayWhereNoMessageWantsIt) {
  House house({"attachments.keep_hours=1", "jobs.poll_ms=20"});
  const auto shop = chat(house.server);
  const auto lost = uploaded(shop, shop.buyer.api, {a_jpeg(), "image/jpeg"});
  EXPECT_EQ(files_of(house), 2u);
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 3'700}}).status, 200);
  EXPECT_TRUE(soon([&] { return files_of(house) == 0; }));
  EXPECT_TRUE(soon([&] { return download(house.server, lost["url"]).status != 200; }));
}

}  // namespace attachments_refusals_test
}  // namespace bottega::test
