// The sandbox's webhooks: who may have written one, how old it may be, and what it may say.
#include <gtest/gtest.h>

#include "unit/gateway_app.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/processors/sandbox.hpp"

namespace bottega::test {
namespace sandbox_webhook_test {

using namespace processors;

constexpr std::int64_t kNow = 1'790'000'000;
const Secret kSecret("whsec_test");
const std::string kBody = R"({"id":"evt_1"})";

bool is_genuine(const std::string& signature, const std::string& body = kBody,
                std::int64_t now = kNow, const Secret& secret = kSecret) {
  try {
    verify_webhook(secret, body, signature, now);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::forbidden);
    EXPECT_EQ(std::string(error.what()).find("whsec"), std::string::npos);
    return false;
  }
}
std::string sum_of(const std::string& body, const std::string& at, const std::string& key) {
  return hmac_sha256_hex(key, at + "." + body);
}
const std::string kAt = std::to_string(kNow);
const std::string kSum = sum_of(kBody, kAt, "whsec_test");

TEST(WebhookSignature, HasStripesLayout) {
  EXPECT_EQ(sign_webhook(kSecret, kBody, kNow), "t=" + kAt + ",v1=" + kSum);
}

TEST(WebhookSignature, AGenuineOneIsTaken) {
  EXPECT_TRUE(is_genuine(sign_webhook(kSecret, kBody, kNow)));
  EXPECT_TRUE(is_genuine(sign_webhook(kSecret, "", kNow), ""));
}

TEST(WebhookSignature, EveryByteOfTheBodyCounts) {
  const auto signature = sign_webhook(kSecret, kBody, kNow);
  for (std::size_t i = 0; i < kBody.size(); ++i) {
    auto other = kBody;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(is_genuine(signature, other)) << i;
  }
  EXPECT_FALSE(is_genuine(signature, kBody + " "));
  EXPECT_FALSE(is_genuine(signature, kBody + "\n"));
  EXPECT_FALSE(is_genuine(signature, ""));
}

TEST(WebhookSignature, EveryCharacterOfTheSumCounts) {
  const auto signature = sign_webhook(kSecret, kBody, kNow);
  for (std::size_t i = signature.size() - 64; i < signature.size(); ++i) {
    auto other = signature;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(is_genuine(other)) << i;
  }
}

TEST(WebhookSignature, OfAnotherSecretIsForged) {
  EXPECT_FALSE(is_genuine(sign_webhook(Secret("whsec_tesT"), kBody, kNow)));
  EXPECT_FALSE(is_genuine(sign_webhook(Secret(""), kBody, kNow)));
}

TEST(WebhookSignature, WithAnEmptySecretNothingIsGenuine) {
  const Secret empty;
  EXPECT_FALSE(is_genuine(sign_webhook(empty, kBody, kNow), kBody, kNow, empty));
  EXPECT_FALSE(is_genuine("", "", kNow, empty));
}

TEST(WebhookSignature, MayBeFiveMinutesOffEitherWayAndNoMore) {
  const auto signature = sign_webhook(kSecret, kBody, kNow);
  for (const int off : {-300, -299, 0, 299, 300})
    EXPECT_TRUE(is_genuine(signature, kBody, kNow + off));
  for (const int off : {-86'400, -301, 301, 86'400})
    EXPECT_FALSE(is_genuine(signature, kBody, kNow + off)) << off;
}

TEST(WebhookSignature, TheTimeIsSignedToo) {
  EXPECT_FALSE(is_genuine("t=" + std::to_string(kNow + 1) + ",v1=" + kSum));
}

TEST(WebhookSignature, OneOfSeveralMustBeGenuine) {
  const std::string wrong(64, '0');
  EXPECT_TRUE(is_genuine("t=" + kAt + ",v1=" + wrong + ",v1=" + kSum));
  EXPECT_TRUE(is_genuine("t=" + kAt + ",v1=" + kSum + ",v1=" + wrong));
  EXPECT_TRUE(is_genuine("v1=" + kSum + ",t=" + kAt)) << "in any order";
  EXPECT_TRUE(is_genuine("t=" + kAt + ",v0=" + wrong + ",v1=" + kSum + ",v2=x"));
  EXPECT_FALSE(is_genuine("t=" + kAt + ",v1=" + wrong + ",v1=" + wrong));
  EXPECT_FALSE(is_genuine("t=" + kAt + ",v0=" + kSum)) << "another scheme does not count";
}

class BadSignatures : public testing::TestWithParam<std::string> {};
TEST_P(BadSignatures, AreForgedAndNothingWorse) { EXPECT_FALSE(is_genuine(GetParam())); }
INSTANTIATE_TEST_SUITE_P(
    Headers, BadSignatures,
    testing::Values("", ",", "=", "t", "t=", "v1=", "x", "t=" + kAt, "v1=" + kSum, kSum,
                    "t=" + kAt + ",v1=", "t=" + kAt + ";v1=" + kSum, "t=" + kAt + ", v1=" + kSum,
                    " t=" + kAt + ",v1=" + kSum, "T=" + kAt + ",V1=" + kSum,
                    "t=" + kAt + ",v1=" + kSum + "0", "t=" + kAt + ",v1=" + kSum.substr(1),
                    "t=" + kAt + ",t=" + kAt + ",v1=" + kSum, "t=+" + kAt + ",v1=" + kSum,
                    "t= " + kAt + ",v1=" + kSum, "t=" + kAt + ".0,v1=" + kSum, "t=now,v1=" + kSum,
                    "t=-1,v1=" + sum_of(kBody, "-1", "whsec_test"),
                    "t=0,v1=" + sum_of(kBody, "0", "whsec_test"),
                    // The farthest times that there are: the difference must not overflow.
                    "t=-9223372036854775808,v1=" + kSum, "t=9223372036854775807,v1=" + kSum,
                    "t=9223372036854775808,v1=" + kSum, "t=99999999999999999999,v1=" + kSum,
                    std::string(100'000, ','), "t=" + std::string(100'000, '1')));

class SandboxAdapter : public testing::Test {
 protected:
  static SandboxOptions options() {
    SandboxOptions given;
    given.webhook_secret = kSecret;
    return given;
  }
  Event read(const std::string& body) {
    const Headers headers = {{"bottega-sandbox-signature", sign_webhook(kSecret, body, kNow)}};
    return adapter->read_webhook(body, headers, now);
  }
  std::string refusal_of(const std::string& body) {
    try {
      read(body);
      return "(read)";
    } catch (const Error& error) {
      return std::string(info(error.code()).slug);
    }
  }
  static Json event() {
    return {{"id", "evt_1"},         {"operation", "charge"}, {"key", "att_1"},
            {"verdict", "declined"}, {"reference", "ch_1"},   {"reason", "card_declined"},
            {"action_url", ""}};
  }

  Clock clock;
  Database books{no_database(), clock};
  Sandbox sandbox{books, options()};
  std::unique_ptr<Processor> adapter = make_sandbox_processor(sandbox);
  Instant now{std::chrono::seconds(kNow)};
};

TEST_F(SandboxAdapter, AGenuineEventIsReadWholly) {
  const auto read_event = read(event().dump());
  EXPECT_EQ(read_event.id, "evt_1");
  EXPECT_EQ(read_event.operation, Operation::charge);
  EXPECT_EQ(read_event.key, "att_1");
  EXPECT_EQ(read_event.outcome.verdict, Verdict::declined);
  EXPECT_EQ(read_event.outcome.reference, "ch_1");
  EXPECT_EQ(read_event.outcome.reason, "card_declined");
  EXPECT_EQ(read_event.outcome.action_url, "");
}

TEST_F(SandboxAdapter, AnEventMaySayWhatWasKept) {
  auto told = event();
  EXPECT_EQ(read(told.dump()).outcome.fee, std::nullopt);
  told["fee"] = nullptr;
  EXPECT_EQ(read(told.dump()).outcome.fee, std::nullopt);
  told["fee"] = 125;
  EXPECT_EQ(read(told.dump()).outcome.fee, 125);
  for (const auto& wrong :
       {Json("125"), Json(1.5), Json::parse("9223372036854775808"), Json::object()}) {
    told["fee"] = wrong;
    EXPECT_EQ(refusal_of(told.dump()), "malformed") << wrong;
  }
}

TEST_F(SandboxAdapter, WithoutItsHeaderNothingIsRead) {
  const auto body = event().dump();
  const Headers others = {{"stripe-signature", sign_webhook(kSecret, body, kNow)}};
  EXPECT_THROW(adapter->read_webhook(body, {}, now), Error);
  EXPECT_THROW(adapter->read_webhook(body, others, now), Error);
}

TEST_F(SandboxAdapter, TheSignatureIsLookedAtBeforeTheBody) {
  const Headers forged = {{"bottega-sandbox-signature", "t=" + kAt + ",v1=" + kSum}};
  for (const auto& body : {std::string("{"), event().dump()}) {
    try {
      adapter->read_webhook(body, forged, now);
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::forbidden);
    }
  }
}

TEST_F(SandboxAdapter, AnOldEventIsRefusedByTheTimeThatItIsGiven) {
  const auto body = event().dump();
  const Headers headers = {{"bottega-sandbox-signature", sign_webhook(kSecret, body, kNow)}};
  EXPECT_NO_THROW(adapter->read_webhook(body, headers, now + std::chrono::seconds(300)));
  EXPECT_THROW(adapter->read_webhook(body, headers, now + std::chrono::seconds(301)), Error);
  EXPECT_THROW(adapter->read_webhook(body, headers, now - std::chrono::seconds(301)), Error);
}

TEST_F(SandboxAdapter, ASignedEventThatSaysTooLittleIsMalformed) {
  const auto whole = event();
  for (const auto& [name, value] : whole.items()) {
    auto without = whole;
    without.erase(name);
    EXPECT_EQ(refusal_of(without.dump()), "malformed") << name;
    auto other = whole;
    other[name] = 5;
    EXPECT_EQ(refusal_of(other.dump()), "malformed") << name;
  }
  for (const auto* name : {"id", "key", "reference", "reason", "action_url"}) {
    auto other = whole;
    other[name] = std::string("x\0y", 3);
    EXPECT_EQ(refusal_of(other.dump()), "malformed") << name;
  }
  for (const auto* body : {"", "{", "[]", "null", "\"x\"", "5"})
    EXPECT_EQ(refusal_of(body), "malformed") << body;
}

TEST_F(SandboxAdapter, AWordThatIsNotAVerdictIsNeverTakenForOne) {
  for (const auto* word : {"", "Succeeded", "success", "paid", "succeeded "}) {
    auto other = event();
    other["verdict"] = word;
    EXPECT_EQ(refusal_of(other.dump()), "malformed") << word;
  }
  auto other = event();
  other["operation"] = "gift";
  EXPECT_EQ(refusal_of(other.dump()), "malformed");
}

TEST_F(SandboxAdapter, WithoutASecretItDoesNotStart) {
  EXPECT_THROW(Sandbox(books, SandboxOptions{}), Error);
}

}  // namespace sandbox_webhook_test
}  // namespace bottega::test
