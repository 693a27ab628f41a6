// The secret that signs what others post about a merchant's parcels.
#include "orders/rows.hpp"

namespace bottega::orders {
namespace {

struct Kept {
  std::string secret;
  std::optional<std::string> previous;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (secret, previous))

const Sql<Kept(MerchantId, Instant)> kSecrets{"orders.tracking_secrets", R"(
    SELECT secret, CASE WHEN previous_until > $2 THEN previous END AS previous
    FROM tracking_secrets WHERE merchant_id = $1)"};

const Sql<void(MerchantId, std::string, Instant, Instant)> kMakeSecret{
    "orders.make_tracking_secret", R"(
    INSERT INTO tracking_secrets (merchant_id, secret, created_at) VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id) DO UPDATE
    SET previous = tracking_secrets.secret, previous_until = $4, secret = excluded.secret,
        created_at = excluded.created_at)"};

}  // namespace

TrackingSecret make_tracking_secret(Tx& tx, const Who& who, MerchantId merchant) {
  identity::require_member(tx, who, merchant, identity::Role::manager, identity::Scope::orders);
  TrackingSecret made{make_signing_secret(), tx.now()};
  tx.run(kMakeSecret, merchant, made.secret, tx.now(), tx.now() + kSecretOverlap);
  return made;
}

void verify_news(Tx& tx, MerchantId merchant, const SignedMessage& message, Instant now) {
  const auto kept = tx.find(kSecrets, merchant, tx.now());
  std::vector<Secret> secrets;
  if (kept) secrets.emplace_back(kept->secret);
  if (kept && kept->previous) secrets.emplace_back(*kept->previous);
  require_genuine(message, secrets, now);
}

}  // namespace bottega::orders
