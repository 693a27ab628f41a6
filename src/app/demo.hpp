#pragma once
// People to try the product with, in the sandbox mode only.
#include "bottega/identity/passwords.hpp"
#include "bottega/storage/database.hpp"

namespace bottega {

// Makes a buyer, a shop's owner and a member of the staff where they do not exist; answers who they
// are and how they sign in, in words.
std::string add_demo_people(Database& db, identity::PasswordCost cost);
// Everybody knows their password: throws Error where one of them could still sign in.
void refuse_demo_people(Database& db);

}  // namespace bottega
