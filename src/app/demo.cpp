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

}  // namespace

std::string add_demo_people(Database& db, identity::PasswordCost cost) {
  const Person people[] = {
      {"buyer@demo.example", "Bea Buyer", std::nullopt},
      {"owner@demo.example", "Otto Owner", std::nullopt},
      {"ops@demo.example", "Olga Ops", identity::StaffRole::admin},
  };
  std::string words;
  for (const auto& person : people) {
    const auto email = from_text<Email>(person.email);
    db.transact_blocking([&](Tx& tx) {
      if (identity::find_credential(tx, email)) return;
      const auto hash = identity::hash_password(Secret(kPassword), cost);
      identity::register_account(tx, email, person.name, hash, person.staff);
    });
    words += std::string("  ") + person.email + "  (" + person.name + ")\n";
  }
  return words + "  all with the password: " + kPassword + "\n";
}

}  // namespace bottega
