// Web Push: the example of RFC 8291, what a browser can read, and who the server says it is.
#include "notifications/web_push.hpp"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "support/errors.hpp"
#include "support/http_push_service.hpp"
#include "support/shared.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/notifications/pusher.hpp"
#include "bottega/notifications/subscriptions.hpp"

namespace bottega::test {
namespace notifications_web_push_test {

using namespace notifications;

std::string bytes(const Json& text) { return from_base64url(text.get<std::string>()).value(); }
KeyPair pair_of(const Json& scalar) { return KeyPair(Secret(bytes(scalar))); }

TEST(WebPush, EncryptsTheExampleOfTheStandardToTheByte) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/webpush");
  int seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    const auto example = parse_json(read_file(file.path()));
    const auto sender = pair_of(example["as_private"]);
    EXPECT_EQ(sender.public_key(), bytes(example["as_public"])) << file.path();
    EXPECT_EQ(sender.shared_secret(bytes(example["ua_public"])), bytes(example["ecdh_secret"]));
    Receiver receiver{bytes(example["ua_public"]), bytes(example["auth_secret"])};
    const auto body = encrypt_with(receiver, example["plaintext"].get<std::string>(), sender,
                                   bytes(example["salt"]), 0);
    EXPECT_EQ(base64url(body), example["body"]) << file.path();
    const auto text = decrypt(pair_of(example["ua_private"]), receiver.auth, body);
    EXPECT_EQ(text, example["plaintext"].get<std::string>() + '\x02') << file.path();
    ++seen;
  }
  EXPECT_GE(seen, 1);
}

class ABrowser : public testing::Test {
 protected:
  ABrowser() {
    receiver.public_key = keys.public_key();
    receiver.auth = "0123456789abcdef";
  }
  KeyPair keys = KeyPair::make();
  Receiver receiver;
};

TEST_F(ABrowser, ReadsWhatIsSentAndNobodyElseDoes) {
  const auto body = encrypt(receiver, "Your mugs are ready");
  EXPECT_EQ(decrypt(keys, receiver.auth, body).substr(0, 19), "Your mugs are ready");
  EXPECT_ANY_THROW(decrypt(KeyPair::make(), receiver.auth, body));
  EXPECT_ANY_THROW(decrypt(keys, "another secret..", body));
  auto changed = body;
  changed[100] = static_cast<char>(changed[100] ^ 1);
  EXPECT_ANY_THROW(decrypt(keys, receiver.auth, changed));
}

TEST_F(ABrowser, IsNeverSentTheSameBytesTwice) {
  EXPECT_NE(encrypt(receiver, "Hello"), encrypt(receiver, "Hello"));
}

TEST_F(ABrowser, GetsBodiesThatTellLittleOfTheirLength) {
  EXPECT_EQ(encrypt(receiver, "").size(), encrypt(receiver, std::string(400, 'x')).size());
  EXPECT_LT(encrypt(receiver, "").size(), encrypt(receiver, std::string(600, 'x')).size());
}

TEST_F(ABrowser, GetsAtMostWhatEveryPushServiceTakes) {
  const std::string longest(kPlaintextMax, 'x');
  const auto body = encrypt(receiver, longest);
  EXPECT_EQ(body.size(), kBodyMax);
  EXPECT_EQ(decrypt(keys, receiver.auth, body), longest + '\x02');
  EXPECT_EQ(code_of([&] { encrypt(receiver, longest + 'x'); }), Code::invalid);
}

TEST(APublicKey, IsAPointOfTheCurveWrittenInFull) {
  const auto good = KeyPair::make().public_key();
  EXPECT_TRUE(is_public_key(good));
  auto off = good;
  off.back() = static_cast<char>(off.back() ^ 1);
  EXPECT_FALSE(is_public_key(off));
  EXPECT_FALSE(is_public_key(good.substr(0, 64)));
  EXPECT_FALSE(is_public_key(good + '\0'));
  EXPECT_FALSE(is_public_key('\x02' + good.substr(1, 32)));
  EXPECT_FALSE(is_public_key(""));
  EXPECT_TRUE(Form<PublicKey>::parse(base64url(good)));
  EXPECT_TRUE(Form<PublicKey>::parse(base64url(good) + '='))
      << "padding, as some libraries have it";
  EXPECT_FALSE(Form<PublicKey>::parse(base64url(off)));
  EXPECT_FALSE(Form<PublicKey>::parse("!" + base64url(good).substr(1)));
}

bool is_signed_by(const std::string& public_key, const std::string& text, const std::string& rs) {
  // Made anew with the same key, the signature of the same text is another, so it is checked.
  const auto* at = reinterpret_cast<const unsigned char*>(rs.data());
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(at, 32, nullptr), BN_bin2bn(at + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  // SubjectPublicKeyInfo of P-256 is a fixed head and the point.
  const auto head = from_base64url("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE").value();
  const auto info = head + public_key.substr(1);
  const auto* first = reinterpret_cast<const unsigned char*>(info.data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &first, static_cast<long>(info.size()));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  const bool good =
      EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return good;
}

class TheServer : public testing::Test {
 protected:
  VapidKeys keys = make_vapid_keys();
  Vapid vapid{keys.private_key, "mailto:ops@example.com"};
  Instant now = parse_instant("2026-03-01T12:00:00Z").value();

  static std::vector<std::string> parts_of(const std::string& header) {
    std::vector<std::string> out;
    const auto comma = header.find(", k=");
    std::istringstream in(header.substr(8, comma - 8));
    for (std::string part; std::getline(in, part, '.');) out.push_back(part);
    out.push_back(header.substr(comma + 4));
    return out;
  }
};

TEST_F(TheServer, SignsWhoItIsForOnePushService) {
  const auto header = vapid.authorization("https://push.example.net", now);
  ASSERT_TRUE(header.starts_with("vapid t=")) << header;
  const auto parts = parts_of(header);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[3], keys.public_key);
  EXPECT_EQ(parse_json(*from_base64url(parts[0])), (Json{{"typ", "JWT"}, {"alg", "ES256"}}));
  const auto claims = parse_json(*from_base64url(parts[1]));
  EXPECT_EQ(claims["aud"], "https://push.example.net");
  EXPECT_EQ(claims["sub"], "mailto:ops@example.com");
  const std::int64_t left = claims["exp"].get<std::int64_t>() - 1'772'366'400;
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 86'400) << "RFC 8292, 2";
  const auto point = from_base64url(keys.public_key).value();
  EXPECT_TRUE(is_signed_by(point, parts[0] + '.' + parts[1], *from_base64url(parts[2])));
  EXPECT_FALSE(is_signed_by(point, parts[0] + '.' + parts[1] + ' ', *from_base64url(parts[2])));
}

TEST_F(TheServer, UsesASignatureAgainUntilHalfOfItsLife) {
  using std::chrono::hours;
  const auto first = vapid.authorization("https://a.example", now);
  EXPECT_EQ(vapid.authorization("https://a.example", now + hours(5)), first);
  EXPECT_NE(vapid.authorization("https://b.example", now), first);
  EXPECT_NE(vapid.authorization("https://a.example", now + hours(7)), first);
}

TEST_F(TheServer, DoesNotStartWithAKeyOrASubjectThatIsNone) {
  const auto starts = [](const std::string& key, const std::string& subject) {
    return !code_of([&] { Vapid(Secret(key), subject); });
  };
  EXPECT_TRUE(starts(keys.private_key.reveal(), "https://example.com/contact"));
  EXPECT_FALSE(starts(keys.private_key.reveal(), "ops@example.com"));
  EXPECT_FALSE(starts(keys.private_key.reveal(), ""));
  EXPECT_FALSE(starts(keys.public_key, "mailto:ops@example.com"));
  EXPECT_FALSE(starts(base64url(std::string(32, '\0')), "mailto:ops@example.com"));
  EXPECT_FALSE(starts(base64url(std::string(32, '\xff')), "mailto:ops@example.com"))
      << "above the order of the curve";
  EXPECT_FALSE(starts("not base64url!", "mailto:ops@example.com"));
}

TEST_F(TheServer, HasKeysAsTheCommandPrintsThem) {
  EXPECT_EQ(from_base64url(keys.private_key.reveal())->size(), 32u);
  EXPECT_EQ(vapid_public_key(keys.private_key), keys.public_key);
  EXPECT_NE(make_vapid_keys().public_key, keys.public_key);
}

}  // namespace notifications_web_push_test
}  // namespace bottega::test
