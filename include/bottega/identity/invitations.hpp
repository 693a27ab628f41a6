#pragma once
// How people come to work for a merchant: an owner makes a code for somebody and hands it over, and
// whoever accepts it with an account of their own joins. So nobody joins without wanting to, and
// nobody learns by a mail address who has an account.
#include "bottega/identity/merchants.hpp"

namespace bottega::identity {

using InvitationId = Id<"inv">;

struct Invitation {
  InvitationId id;
  std::string name;
  Role role{};
  Instant created_at{}, expires_at{};
};
BOOST_DESCRIBE_STRUCT(Invitation, (), (id, name, role, created_at, expires_at))

struct NewInvitation {
  Line<1, 100> name;  // whom it is for, in the owner's words
  Role role{};
};
BOOST_DESCRIBE_STRUCT(NewInvitation, (), (name, role))

// The code itself is in this one answer and nowhere else.
struct IssuedInvitation {
  Invitation invitation;
  std::string code;
};
BOOST_DESCRIBE_STRUCT(IssuedInvitation, (), (invitation, code))

struct InvitationCode {
  SecretText<1, 200> code;
};
BOOST_DESCRIBE_STRUCT(InvitationCode, (), (code))

// What whoever joined belongs to now.
struct Membership {
  Merchant merchant;
  Role role{};
};
BOOST_DESCRIBE_STRUCT(Membership, (), (merchant, role))

inline constexpr std::size_t kOpenInvitationsMax = 100;

// Makes a code that one person may use within `life` while the one who made it is an owner. Throws
// Error(conflict) where kOpenInvitationsMax are open already.
IssuedInvitation invite(Tx& tx, const Who& who, MerchantId merchant, const NewInvitation& given,
                        std::chrono::seconds life);
// Those that can still be accepted, the newest first.
std::vector<Invitation> list_invitations(Tx& tx, MerchantId merchant);
// Throws Error(not_found) for one that is not open.
void withdraw_invitation(Tx& tx, MerchantId merchant, InvitationId id);
// Joins by the code, which is then used up. The person's account is held: nobody becomes a shop's
// buyer and its member at once. Throws Error(not_found) for a code that is unknown,
// used, withdrawn or too old, Error(conflict) where the person is a member already.
Membership accept_invitation(Tx& tx, const Who& who, const Secret& code);

}  // namespace bottega::identity
