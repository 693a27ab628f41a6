#pragma once
// People who buy without an account of their own. A guest has an account that nobody can sign in
// to: no password, and a mail address that is made up, for the one that they gave may be that of
// somebody else's account, which must be neither told nor taken.
#include "bottega/identity/identity.hpp"

namespace bottega::identity {

struct NewGuest {
  Line<1, 100> name;
  Email email;
};
BOOST_DESCRIBE_STRUCT(NewGuest, (), (name, email))

struct GuestUpgrade {
  Email email;
  Password password;
  std::optional<Line<1, 100>> name;  // the one that they gave as a guest where none is given
};
BOOST_DESCRIBE_STRUCT(GuestUpgrade, (), (email, password, name))

// What a guest has said of themselves. The shop learns it when they pay.
struct Guest {
  std::string name;
  Email email;
};
BOOST_DESCRIBE_STRUCT(Guest, (), (name, email))

// What others read as the name of a guest.
inline constexpr std::string_view kGuestName = "Guest";

// Throws Error(forbidden) with the reason `guest` for a guest.
void require_account(const Who& who);

Account make_guest(Tx& tx, const NewGuest& given);
// None where it is no guest's account, or their session ended long ago.
std::optional<Guest> find_guest(Tx& tx, AccountId account);
// The address by which somebody can be reached: of a guest the one that they gave. None where that
// is forgotten already.
std::optional<Email> find_mail(Tx& tx, AccountId account);
// From now on it is an account like any other, with all that the guest has done; their other
// sessions end. Throws Error(conflict) where it is one already, or the address is taken.
Account upgrade_guest(Tx& tx, const Who& who, const GuestUpgrade& given, const std::string& hash);
// Forgets what guests whose sessions have ended said of themselves, of so many at most; answers of
// how many.
std::int64_t sweep_guests(Tx& tx, std::int64_t most);

}  // namespace bottega::identity
