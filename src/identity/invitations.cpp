#include "bottega/identity/invitations.hpp"

#include "bottega/core/digest.hpp"
#include "bottega/identity/guests.hpp"

namespace bottega::identity {
namespace {

constexpr std::string_view kCode = "inv_code_";
constexpr std::size_t kCodeBytes = 32;

struct OpenInvitation {
  MerchantId merchant_id;
  InvitationId id;
  Role role{};
};
BOOST_DESCRIBE_STRUCT(OpenInvitation, (), (merchant_id, id, role))

const Sql<void(MerchantId, InvitationId, std::string, Role, std::string, AccountId, Instant,
               Instant)>
    kInsert{"identity.insert_invitation", R"(
    INSERT INTO invitations (merchant_id, id, name, role, hash, invited_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))"};

// An invitation is its owner's word: it ends with their membership, and counts for nothing while
// they are suspended.
const Sql<Invitation(MerchantId, Instant)> kOpen{"identity.invitations", R"(
    SELECT i.id, i.name, i.role, i.created_at, i.expires_at
    FROM invitations i JOIN accounts a ON a.id = i.invited_by AND a.state = 'active'
    WHERE i.merchant_id = $1 AND i.ended_at IS NULL AND i.expires_at > $2
    ORDER BY i.id DESC LIMIT 1000)"};

const Sql<void(MerchantId, InvitationId, Instant)> kWithdraw{"identity.withdraw_invitation", R"(
    UPDATE invitations SET ended_at = $3 WHERE merchant_id = $1 AND id = $2 AND ended_at IS NULL)"};

const Sql<OpenInvitation(std::string, Instant)> kLockByCode{"identity.lock_invitation", R"(
    SELECT i.merchant_id, i.id, i.role
    FROM invitations i JOIN accounts a ON a.id = i.invited_by AND a.state = 'active'
    WHERE i.hash = $1 AND i.ended_at IS NULL AND i.expires_at > $2 FOR UPDATE OF i)"};

const Sql<void(MerchantId, InvitationId, Instant, AccountId)> kAccept{"identity.accept_invitation",
                                                                      R"(
    UPDATE invitations SET ended_at = $3, accepted_by = $4 WHERE merchant_id = $1 AND id = $2)"};

}  // namespace

IssuedInvitation invite(Tx& tx, const Who& who, MerchantId merchant, const NewInvitation& given,
                        std::chrono::seconds life) {
  if (list_invitations(tx, merchant).size() >= kOpenInvitationsMax)
    throw Error(Code::conflict, "too many invitations are open; withdraw some");
  const IssuedInvitation issued{
      {InvitationId::make(), given.name.value, given.role, tx.now(), tx.now() + life},
      std::string(kCode) + random_token(kCodeBytes)};
  const auto& made = issued.invitation;
  tx.run(kInsert, merchant, made.id, made.name, made.role, sha256_hex(issued.code), who.account,
         made.created_at, made.expires_at);
  return issued;
}

std::vector<Invitation> list_invitations(Tx& tx, MerchantId merchant) {
  return tx.all(kOpen, merchant, tx.now());
}

void withdraw_invitation(Tx& tx, MerchantId merchant, InvitationId id) {
  if (tx.run(kWithdraw, merchant, id, tx.now()) == 0)
    throw Error(Code::not_found, "there is no such invitation");
}

Membership accept_invitation(Tx& tx, const Who& who, const Secret& code) {
  require_account(who);
  hold_account(tx, who.account);
  const auto open = tx.find(kLockByCode, sha256_hex(code.reveal()), tx.now());
  if (!open) throw Error(Code::not_found, "the invitation is unknown, used, withdrawn or too old");
  add_member(tx, open->merchant_id, who.account, open->role);
  tx.run(kAccept, open->merchant_id, open->id, tx.now(), who.account);
  return {fetch_merchant(tx, open->merchant_id), open->role};
}

}  // namespace bottega::identity
