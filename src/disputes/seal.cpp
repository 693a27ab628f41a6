// The server's signature under evidence: Ed25519 (RFC 8032), by a key that the first node makes and
// all of them use.
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "core/openssl.hpp"
#include "disputes/rows.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::disputes {
namespace {

using openssl::bytes_of, openssl::Digest, openssl::PKey;

constexpr std::size_t kSeedSize = 32, kSignatureSize = 64;

const Sql<std::string()> kSeed{"disputes.evidence_seed", R"(SELECT seed FROM evidence_key)"};
const Sql<void(std::string)> kMakeSeed{"disputes.make_evidence_seed", R"(
    INSERT INTO evidence_key (seed) VALUES ($1) ON CONFLICT DO NOTHING)"};

using Bio = std::unique_ptr<BIO, openssl::Freed<BIO_free_all>>;

void require(bool fine) {
  if (!fine) throw Error(Code::internal, "the key for evidence could not be used");
}

PKey key_of(Tx& tx) {
  auto kept = tx.find(kSeed);
  if (!kept) {
    tx.run(kMakeSeed, random_token(kSeedSize));
    kept = tx.one(kSeed);
  }
  const auto seed = from_base64url(*kept);
  require(seed && seed->size() == kSeedSize);
  PKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(*seed), seed->size()));
  require(key != nullptr);
  return key;
}

}  // namespace

std::string sign(Tx& tx, std::string_view document) {
  const auto key = key_of(tx);
  const Digest digest(EVP_MD_CTX_new());
  require(digest && EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  std::array<unsigned char, kSignatureSize> signature{};
  auto size = signature.size();
  require(EVP_DigestSign(digest.get(), signature.data(), &size, bytes_of(document),
                         document.size()) == 1 &&
          size == kSignatureSize);
  return hex_of(signature);
}

EvidenceKey evidence_key(Tx& tx) {
  const auto key = key_of(tx);
  const Bio out(BIO_new(BIO_s_mem()));
  require(out && PEM_write_bio_PUBKEY(out.get(), key.get()) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  require(size > 0);
  return {"Ed25519", std::string(text, static_cast<std::size_t>(size))};
}

}  // namespace bottega::disputes
