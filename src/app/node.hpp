#pragma once
// One running server: everything it is made of, built in the order of what needs what, and stopped
// in reverse.
#include <memory>
#include <string>

#include "bottega/core/config.hpp"

namespace bottega {

class Node {
 public:
  // Starts it: PostgreSQL where it is embedded, migrations, checks, listeners, jobs. Throws Error
  // with words for the operator.
  explicit Node(Config config);
  ~Node();
  void stop();

  const std::string& url() const;          // http://127.0.0.1:PORT
  const std::string& sandbox_url() const;  // empty in live mode
  const std::string& tls_url() const;      // empty without TLS
  // Makes the demonstration's people where they do not exist; answers who they are, in words.
  std::string add_demo_people();
  // Makes a member of the staff; throws Error(conflict) where the address is taken.
  void add_staff(const std::string& email, const std::string& name, const Secret& password,
                 const std::string& role);
  // Sets somebody's password and ends their sessions; throws Error(not_found).
  void reset_password(const std::string& email, const Secret& password);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bottega
