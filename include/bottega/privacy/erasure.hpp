#pragma once
// Erasing a person (GDPR, 17). What the books and the law want stays, without the person.
#include "bottega/identity/identity.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::privacy {

using identity::AccountId;

// From its commit on nobody can sign in to the account, and its name, address and sessions are
// gone; a job erases what the person wrote. Throws Error(not_found) where there is no such account,
// Error(conflict) that names each thing in the way: money that is on its way to or from them, a
// shop that only they own. Erasing again changes nothing.
void begin_erasure(Tx& tx, AccountId account);

// The job: safe to do again.
inline constexpr std::string_view kEraseJob = "privacy.erase";
asio::awaitable<void> erase(Database& db, AccountId account);

}  // namespace bottega::privacy
