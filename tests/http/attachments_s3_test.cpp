// Attachments in an S3-compatible store, which verifies every signature.
#include "http/attachments.hpp"
#include "support/fake_s3.hpp"

namespace bottega::test {
namespace attachments_s3_test {

std::vector<std::string> with(std::vector<std::string> settings, const std::string& more) {
  settings.push_back(more);
  return settings;
}

class S3 : public testing::Test {
 protected:
  explicit S3(const std::string& more = "jobs.poll_ms=20")
      : house(with(s3.settings(), more)), shop(chat(house.server)) {}
  Json up(const std::string& bytes, const std::string& type = "") {
    return uploaded(shop, shop.buyer.api, {bytes, type});
  }
  FakeS3 s3;
  House house;
  Storefront shop;
};

TEST_F(S3, KeepsTheFilesAndGivesThemAndTheirParts) {
  const auto text = a_text(300'000);
  const auto file = up(text), image = up(a_jpeg(), "image/jpeg");
  EXPECT_EQ(s3.objects(), 3u) << "a text, an image, its thumbnail";
  EXPECT_EQ(files_of(house), 0u) << "nothing stays here";
  EXPECT_EQ(download(house.server, file["url"]).body, text);
  EXPECT_EQ(download(house.server, image["url"]).body, a_jpeg());
  EXPECT_EQ(download(house.server, image["thumbnail_url"]).status, 200);
  const auto part = download(house.server, file["url"], {{"Range", "bytes=150000-150009"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, text.substr(150'000, 10));
}

TEST_F(S3, LosesWhatNoMessageWants) {
  up(a_jpeg(), "image/jpeg");
  auto admin = staff(house.server);
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", 90'000}}).status, 200);
  EXPECT_TRUE(soon([&] { return s3.objects() == 0; })) << "by the machine's time, not by the clock";
}

TEST_F(S3, IsAskedAgainWhereItIsInTrouble) {
  s3.fail(2);
  const auto file = up("some text");
  s3.fail(2);
  EXPECT_EQ(download(house.server, file["url"]).body, "some text");
}

TEST_F(S3, ThatIsInTroubleForLongIsAnAnswerOf503AndNothingIsLeft) {
  s3.fail(6);
  const auto answer = upload(shop, shop.buyer.api, {"some text"});
  EXPECT_TRUE(is_problem(answer, 503, "busy"));
  s3.fail(0);
  EXPECT_TRUE(soon([&] {
    return execute(house.urls.superuser, "SELECT count(*) FROM bottega.attachments") == "0";
  }));
  EXPECT_EQ(s3.objects(), 0u);
  EXPECT_EQ(files_of(house), 0u);
}

class S3Redirect : public S3 {
 protected:
  S3Redirect() : S3("attachments.downloads=redirect") {}
};

TEST_F(S3Redirect, SendsClientsToTheStoreWithASignedAddress) {
  const auto file = up("some text");
  const auto answer = download(house.server, file["url"]);
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  const auto to = answer.header("location");
  const auto origin = "http://127.0.0.1:" + std::to_string(s3.port());
  ASSERT_TRUE(to.starts_with(origin)) << to;
  const auto bytes = Client(s3.port()).get(to.substr(origin.size()));
  EXPECT_EQ(bytes.status, 403) << "the Host that was signed is another one than the client's";
  Wire wire(s3.port());
  ASSERT_TRUE(wire.send("GET " + to.substr(origin.size()) +
                        " HTTP/1.1\r\nHost: " + origin.substr(7) + "\r\n\r\n"));
  const auto got = wire.answer();
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.body, "some text");
  EXPECT_EQ(got.header("content-type"), "text/plain");
  EXPECT_TRUE(got.header("content-disposition").starts_with("attachment; "));
}

TEST(S3Settings, ThatAreWrongAreSaidAtTheStart) {
  const FakeS3 s3;
  const auto refusal_of = [](std::vector<std::string> settings) -> std::string {
    try {
      House house(std::move(settings));
    } catch (const std::exception& failure) {
      return failure.what();
    }
    return "it started";
  };
  EXPECT_NE(refusal_of(with(s3.settings(), "attachments.s3_bucket=")).find("attachments.s3_bucket"),
            std::string::npos);
  EXPECT_NE(refusal_of({"attachments.s3_url=s3.example"}).find("attachments.s3_url"),
            std::string::npos);
}

TEST(S3Settings, WithAWrongSecretRefuseUploadsAndSayNothingOfIt) {
  const FakeS3 s3;
  House house(with(s3.settings(), "attachments.s3_secret_key=wrong-and-very-secret"));
  const auto shop = chat(house.server);
  const auto answer = upload(shop, shop.buyer.api, {"some text"});
  EXPECT_TRUE(is_problem(answer, 500, "internal"));
  EXPECT_EQ(answer.body.find("Signature"), std::string::npos) << "that is for the operator";
}

}  // namespace attachments_s3_test
}  // namespace bottega::test
