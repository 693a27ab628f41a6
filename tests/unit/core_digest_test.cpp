// Hashes by the known answers of FIPS 180-4 and RFC 4231, base64url by RFC 4648, random tokens, and
// the comparison of secrets.
#include "bottega/core/digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace bottega::test {
namespace core_digest_test {

struct Hash {
  std::string text, hex;
};
void PrintTo(const Hash& row, std::ostream* out) { *out << row.hex; }
class Sha256 : public testing::TestWithParam<Hash> {};
TEST_P(Sha256, GivesTheKnownAnswer) { EXPECT_EQ(sha256_hex(GetParam().text), GetParam().hex); }
INSTANTIATE_TEST_SUITE_P(
    Fips180, Sha256,
    testing::Values(Hash{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                    Hash{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                    Hash{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                    Hash{std::string(1'000'000, 'a'),
                         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
                    Hash{std::string(1, '\0'),
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"}));

TEST(Sha256, OfAnEmptyViewIsThatOfTheEmptyText) {
  EXPECT_EQ(sha256_hex(std::string_view()), sha256_hex(""));
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  Sha256Stream pieces;
  for (const auto* piece : {"", "ab", "", "c"}) pieces.add(piece);
  EXPECT_EQ(pieces.hex(), sha256_hex("abc"));
  EXPECT_EQ(Sha256Stream().hex(), sha256_hex(""));
}

std::string counting_key() {
  std::string key;
  for (char c = 1; c <= 25; ++c) key += c;
  return key;
}

struct Mac {
  std::string key, text, hex;
};
void PrintTo(const Mac& row, std::ostream* out) { *out << row.hex; }
class HmacSha256 : public testing::TestWithParam<Mac> {};
TEST_P(HmacSha256, GivesTheKnownAnswer) {
  const auto whole = hmac_sha256_hex(GetParam().key, GetParam().text);
  EXPECT_EQ(whole.size(), 64u);
  EXPECT_EQ(whole.substr(0, GetParam().hex.size()), GetParam().hex);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc4231, HmacSha256,
    testing::Values(
        Mac{std::string(20, '\x0b'), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        Mac{"Jefe", "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        Mac{std::string(20, '\xaa'), std::string(50, '\xdd'),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        Mac{counting_key(), std::string(50, '\xcd'),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        Mac{std::string(20, '\x0c'), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b"},
        Mac{std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        Mac{std::string(131, '\xaa'),
            "This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        Mac{"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}));

TEST(HmacSha256, TakesAnEmptyViewAsAnEmptyKey) {
  EXPECT_EQ(hmac_sha256_hex(std::string_view(), std::string_view()), hmac_sha256_hex("", ""));
}

TEST(ConstantTimeEqual, SeesADifferenceInAnyBitOfAnyByte) {
  const std::string secret = "whsec_0123456789";
  EXPECT_TRUE(constant_time_equal(secret, std::string(secret)));
  for (std::size_t at = 0; at < secret.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto other = secret;
      other[at] = static_cast<char>(other[at] ^ (1 << bit));
      ASSERT_FALSE(constant_time_equal(secret, other)) << at << ' ' << bit;
    }
}

TEST(ConstantTimeEqual, NeverTakesAPrefixForTheWhole) {
  EXPECT_FALSE(constant_time_equal("secret", "secre"));
  EXPECT_FALSE(constant_time_equal("secre", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", ""));
  EXPECT_FALSE(constant_time_equal("", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", std::string_view("secret\0", 7)));
  EXPECT_FALSE(constant_time_equal(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
  EXPECT_TRUE(constant_time_equal("", std::string_view()));
}

struct Base64 {
  std::string bytes, text;
};
void PrintTo(const Base64& row, std::ostream* out) { *out << row.text; }
class Base64Url : public testing::TestWithParam<Base64> {};
TEST_P(Base64Url, IsWrittenWithoutPaddingAndReadBack) {
  EXPECT_EQ(base64url(GetParam().bytes), GetParam().text);
  EXPECT_EQ(from_base64url(GetParam().text), GetParam().bytes);
}
INSTANTIATE_TEST_SUITE_P(Rfc4648, Base64Url,
                         testing::Values(Base64{"", ""}, Base64{"f", "Zg"}, Base64{"fo", "Zm8"},
                                         Base64{"foo", "Zm9v"}, Base64{"foob", "Zm9vYg"},
                                         Base64{"fooba", "Zm9vYmE"}, Base64{"foobar", "Zm9vYmFy"},
                                         Base64{"\xff\xfe\xfd", "__79"},
                                         Base64{"\xfb\xef\xbe", "----"},
                                         Base64{std::string(1, '\0'), "AA"},
                                         Base64{std::string(3, '\0'), "AAAA"}));

class BadBase64Url : public testing::TestWithParam<const char*> {};
TEST_P(BadBase64Url, IsRefused) { EXPECT_FALSE(from_base64url(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Texts, BadBase64Url,
                         testing::Values("A", "AAAAA", "Zg==", "Zg=", "Zm8=", "+++/", "AA A",
                                         "AA\n", "Zh", "Zm9", "Zm-", "\xc3\xa9\xc3\xa9", "AA.A",
                                         "===="));

TEST(Base64Url, HasOneTextForEachValueOfOneAndOfTwoBytes) {
  std::set<std::string> seen;
  for (int a = 0; a < 256; ++a) {
    const std::string one(1, static_cast<char>(a));
    ASSERT_EQ(from_base64url(base64url(one)), one);
    EXPECT_TRUE(seen.insert(base64url(one)).second);
    for (int b = 0; b < 256; b += 5) {
      const auto two = one + static_cast<char>(b);
      ASSERT_EQ(from_base64url(base64url(two)), two);
    }
  }
  int read = 0;
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char first : alphabet)
    for (const char second : alphabet)
      if (from_base64url(std::string{first, second})) ++read;
  EXPECT_EQ(read, 256) << "of the 4096 texts of two characters, only the canonical ones";
}

TEST(Base64Url, CarriesAnyNumberOfRandomBytes) {
  for (std::size_t size = 0; size <= 130; ++size) {
    std::string bytes(size, '\0');
    fill_random(std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
    const auto text = base64url(bytes);
    ASSERT_EQ(text.size(), (size * 8 + 5) / 6);
    ASSERT_EQ(from_base64url(text), bytes);
  }
}

TEST(RandomToken, NeverComesTwice) {
  std::set<std::string> seen;
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(seen.insert(random_token(16)).second);
}

TEST(RandomToken, IsAsLongAsItsBytesNeedAndOfUrlSafeLettersOnly) {
  for (const std::size_t bytes : {0u, 1u, 2u, 16u, 32u, 33u}) {
    const auto token = random_token(bytes);
    EXPECT_EQ(token.size(), (bytes * 8 + 5) / 6);
    EXPECT_EQ(
        token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        token.npos);
    const auto raw = from_base64url(token);
    ASSERT_TRUE(raw);
    EXPECT_EQ(raw->size(), bytes);
  }
}

TEST(RandomToken, UsesEveryLetterOfTheAlphabet) {
  std::set<char> letters;
  for (const char c : random_token(3'000)) letters.insert(c);
  EXPECT_EQ(letters.size(), 64u);
}

TEST(RandomBytes, FillEveryByteAndNothingElse) {
  std::array<std::byte, 66> buffer{};
  std::array<bool, 64> changed{};
  for (int round = 0; round < 8; ++round) {
    fill_random(std::span(buffer).subspan(1, 64));
    for (std::size_t i = 0; i < 64; ++i) changed[i] |= buffer[i + 1] != std::byte{0};
  }
  EXPECT_EQ(std::ranges::count(changed, true), 64);
  EXPECT_EQ(buffer.front(), std::byte{0});
  EXPECT_EQ(buffer.back(), std::byte{0});
}

}  // namespace core_digest_test
}  // namespace bottega::test
