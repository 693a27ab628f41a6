// Standard Webhooks: the shared vectors, and what is no signature of ours.
#include "bottega/core/webhook_signature.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace core_webhook_signature_test {

const Secret kSecret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
constexpr std::int64_t kAt = 1'760'000'000;
const Instant kNow{std::chrono::seconds(kAt)};
const std::string kTime = std::to_string(kAt);

bool is_genuine(const SignedMessage& message, const std::vector<Secret>& secrets = {kSecret},
                Instant now = kNow) {
  const auto code = code_of([&] { require_genuine(message, secrets, now); });
  EXPECT_EQ(code.value_or(Code::forbidden), Code::forbidden);
  return !code;
}

TEST(SignedMessages, AreSignedAsOthersSignThem) {
  BOTTEGA_NEEDS_SHARED(path, "vectors/standard-webhooks/vectors.json");
  int read = 0;
  for (const auto& row : Json::parse(read_file(path))) {
    if (!row.contains("secret") || !row["expect"].is_string()) continue;
    ++read;
    const Secret secret(row["secret"].get<std::string>());
    EXPECT_EQ(signature_of(secret, row["id"].get<std::string>(), row["ts"].dump(),
                           row["body"].get<std::string>()),
              row["expect"])
        << row["name"];
  }
  EXPECT_GE(read, 4);
}

TEST(SignedMessages, AreTakenFromWhoeverHasTheSecret) {
  const auto signature = signature_of(kSecret, "msg_1", kTime, "{}");
  EXPECT_TRUE(is_genuine({"msg_1", kTime, signature, "{}"}));
  EXPECT_TRUE(is_genuine({"msg_1", kTime, "v1,bm9wZQ== " + signature + " v1a,x", "{}"}));
  const Secret other(make_signing_secret());
  EXPECT_TRUE(is_genuine({"msg_1", kTime, signature, "{}"}, {other, kSecret})) << "the one before";
  EXPECT_FALSE(is_genuine({"msg_1", kTime, signature, "{}"}, {other}));
  EXPECT_FALSE(is_genuine({"msg_1", kTime, signature, "{}"}, {}));
}

TEST(SignedMessages, CountEveryPart) {
  const auto signature = signature_of(kSecret, "msg_1", kTime, "{}");
  EXPECT_FALSE(is_genuine({"msg_2", kTime, signature, "{}"}));
  EXPECT_FALSE(is_genuine({"", kTime, signature, "{}"}));
  EXPECT_FALSE(is_genuine({"msg_1", std::to_string(kAt + 1), signature, "{}"}));
  EXPECT_FALSE(is_genuine({"msg_1", kTime, signature, "{} "}));
  EXPECT_FALSE(is_genuine({"msg_1", kTime, "", "{}"}));
  EXPECT_FALSE(is_genuine({"msg_1", kTime, signature.substr(3), "{}"})) << "without the scheme";
  EXPECT_FALSE(is_genuine({"msg_1", kTime, signature.substr(0, signature.size() - 1), "{}"}));
}

TEST(SignedMessages, AreYoung) {
  using std::chrono::seconds;
  const auto signature = signature_of(kSecret, "m", kTime, "{}");
  for (const auto age : {-300, 0, 300})
    EXPECT_TRUE(is_genuine({"m", kTime, signature, "{}"}, {kSecret}, kNow + seconds(age))) << age;
  for (const auto age : {-301, 301})
    EXPECT_FALSE(is_genuine({"m", kTime, signature, "{}"}, {kSecret}, kNow + seconds(age))) << age;
  for (const std::string at : {"", "x", "9223372036854775807", "-9223372036854775808", "1e9", " 1"})
    EXPECT_FALSE(is_genuine({"m", at, signature_of(kSecret, "m", at, "{}"), "{}"})) << at;
}

TEST(SigningSecrets, AreLongAndNeverTheSame) {
  std::set<std::string> made;
  for (int i = 0; i < 50; ++i) {
    const auto secret = make_signing_secret();
    EXPECT_TRUE(secret.starts_with("whsec_"));
    EXPECT_EQ(secret.size(), 6u + 44u);
    EXPECT_TRUE(secret.ends_with('='));
    made.insert(secret);
  }
  EXPECT_EQ(made.size(), 50u);
}

}  // namespace core_webhook_signature_test
}  // namespace bottega::test
