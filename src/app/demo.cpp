#include "app/demo.hpp"

#include "bottega/identity/identity.hpp"

namespace bottega {
namespace {

struct Person {
  const char* email;
  const char* name;
  std::optional<identity::StaffRole> staff;
};
constexpr const char* kPassword = "bottega demo";
constexpr Person kPeople[] = {
    {"buyer@demo.example", "Bea Buyer", std::nullopt},
    {"owner@demo.example", "Otto Owner", std::nullopt},
    {"ops@demo.example", "Olga Ops", identity::StaffRole::admin},
};

}  // namespace

std::string add_demo_people(Database& db, identity::PasswordCost cost) {
  std::string words;
  for (const auto& person : kPeople) {
    const auto email = from_text<Email>(person.email);
    db.transact_blocking([&](Tx& tx) {
      if (identity::find_credential(tx, email)) return;
      const auto hash = identity::hash_password(Secret(kPassword), cost);
      identity::register_account(tx, email, person.name, hash, person.staff);
    });
    words += std::string("  ") + person.email + "  (" + person.name + ")\n";
  }
  return words + "  all were made with the password: " + kPassword + "\n";
}

void refuse_demo_people(Database& db) {
  for (const auto& person : kPeople) {
    const auto email = from_text<Email>(person.email);
    const auto known =
        db.transact_blocking([&](Tx& tx) { return identity::find_credential(tx, email); });
    if (known && known->state == identity::AccountState::active)
      throw Error(
          Code::conflict,
          std::string(person.email) +
              " is in this database, with a password that everybody "
              "knows: mode=live takes a database of its own, or suspend the demo people first");
  }
}

}  // namespace bottega
