// P-256 by OpenSSL's provider interface; keys are made from and shown as bare bytes.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "core/openssl.hpp"
#include "notifications/web_push.hpp"
#include "bottega/core/error.hpp"

namespace bottega::notifications {
namespace {

using openssl::bytes_of, openssl::Digest, openssl::Freed, openssl::PKey;

constexpr const char* kCurve = "P-256";
constexpr std::size_t kPointSize = 65, kScalarSize = 32;

using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;
using PKeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

void require(bool fine) {
  if (!fine) throw Error(Code::internal, "a key of P-256 could not be used");
}

// The key of a point, and of its scalar where that is known; none where the point is not on the
// curve.
PKey key_of(std::string_view point, const BIGNUM* scalar) {
  const Builder builder(OSSL_PARAM_BLD_new());
  require(builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                     kCurve, 0) == 1);
  require(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                           point.size()) == 1);
  if (scalar != nullptr)
    require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1);
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  require(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  const int selection = scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) return nullptr;
  return PKey(key);
}

// The point that belongs to a scalar; throws where the scalar is none.
std::string point_of(const BIGNUM* scalar) {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  require(group != nullptr);
  const Point point(EC_POINT_new(group.get()));
  const bool is_scalar =
      BN_is_zero(scalar) == 0 && BN_cmp(scalar, EC_GROUP_get0_order(group.get())) < 0;
  require(point && is_scalar &&
          EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) == 1);
  std::string out(kPointSize, '\0');
  require(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes_of(out),
                             out.size(), nullptr) == kPointSize);
  return out;
}

}  // namespace

struct KeyPair::Key {
  PKey key;
  std::string point;
};

bool is_public_key(std::string_view bytes) {
  return bytes.size() == kPointSize && bytes[0] == '\x04' && key_of(bytes, nullptr) != nullptr;
}

KeyPair::KeyPair(std::unique_ptr<Key> key) : key_(std::move(key)) {}
KeyPair::~KeyPair() = default;
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;

KeyPair::KeyPair(const Secret& scalar) : key_(std::make_unique<Key>()) {
  const auto& bytes = scalar.reveal();
  require(bytes.size() == kScalarSize);
  const Number number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  require(number != nullptr);
  key_->point = point_of(number.get());
  key_->key = key_of(key_->point, number.get());
  require(key_->key != nullptr);
}

KeyPair KeyPair::make() {
  auto made = std::make_unique<Key>();
  made->key = PKey(EVP_EC_gen(kCurve));
  require(made->key != nullptr);
  made->point.resize(kPointSize);
  std::size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(made->key.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                          bytes_of(made->point), kPointSize, &size) == 1);
  require(size == kPointSize);
  return KeyPair(std::move(made));
}

const std::string& KeyPair::public_key() const { return key_->point; }

Secret KeyPair::scalar() const {
  BIGNUM* found = nullptr;
  require(EVP_PKEY_get_bn_param(key_->key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &found) == 1);
  const Number number(found);
  std::string out(kScalarSize, '\0');
  require(BN_bn2binpad(number.get(), bytes_of(out), kScalarSize) == kScalarSize);
  return Secret(std::move(out));
}

std::string KeyPair::shared_secret(std::string_view public_key) const {
  const auto other = key_of(public_key, nullptr);
  if (!other) throw Error(Code::invalid, "this is no point of P-256");
  const PKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_->key.get(), nullptr));
  require(context && EVP_PKEY_derive_init(context.get()) == 1 &&
          EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1);
  std::string out(kScalarSize, '\0');
  auto size = out.size();
  require(EVP_PKEY_derive(context.get(), bytes_of(out), &size) == 1 && size == kScalarSize);
  return out;
}

std::string KeyPair::sign_es256(std::string_view text) const {
  const Digest digest(EVP_MD_CTX_new());
  require(digest &&
          EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_->key.get()) == 1);
  std::size_t size = 0;
  require(EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(text), text.size()) == 1);
  std::string der(size, '\0');
  require(EVP_DigestSign(digest.get(), bytes_of(der), &size, bytes_of(text), text.size()) == 1);
  const auto* at = bytes_of(std::string_view(der));
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  require(signature != nullptr);
  std::string out(2 * kScalarSize, '\0');
  require(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(out), kScalarSize) > 0);
  require(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(out) + kScalarSize,
                       kScalarSize) > 0);
  return out;
}

}  // namespace bottega::notifications
