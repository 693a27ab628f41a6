#pragma once
// People, shops and sales made through the front door: nothing here knows more than a client does.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "support/http.hpp"
#include "support/server.hpp"

namespace bottega::test {

inline constexpr const char* kDemoPassword = "bottega demo";
inline constexpr const char* kPassword = "a long enough password";

struct Person {
  Client api;
  std::string id, email, refresh, session;
};

// Registers somebody new and signs in.
Person person(const Server& server, const std::string& name = "Pat Person");
// Signs in; throws where that is refused.
Person log_in(const Server& server, const std::string& email,
              const std::string& password = kPassword);
// The demo member of the staff, who is admin, or a new member with a lesser role.
Client staff(const Server& server, const std::string& role = "admin");

struct Storefront {
  Person owner, buyer;
  std::string merchant, conversation;
  std::uint16_t sandbox_port;

  std::string path(const std::string& below = "") const;
};
// A buyer in a conversation with a merchant whom the processor has not seen.
Storefront chat(const Server& server);
// The same with an active merchant, by way of the processor's own page.
Storefront shop(const Server& server);
// The merchant's answers on the processor's page.
Answer onboard(const Storefront& shop, const std::string& tax_number);

Json new_request(const Storefront& shop, std::int64_t amount = 1250);
Json pay_with(const std::string& token);
// The payment request that the owner has made.
Json ask(const Storefront& shop, std::int64_t amount = 1250);
Answer accept(const Storefront& shop, const Json& request,
              const std::string& token = "tok_approved");
// The order of a sale that went well.
Json sell(const Storefront& shop, std::int64_t amount = 1250);
Answer ship(const Storefront& shop, const Json& order);
// A dispute that the buyer's bank has opened about an order, as the merchant sees it.
Json disputed(const Storefront& shop, const Json& order,
              std::optional<std::int64_t> amount = std::nullopt);
std::string card_token(std::uint16_t sandbox_port, const std::string& number);
Answer post_form(std::uint16_t port, const std::string& path, const std::string& form);
Answer send_text(const Storefront& shop, const Client& who, const std::string& text);

// Says that the socket has missed nothing, so that live events come without delay.
void listen(Socket& socket);

// Asks until it is so; false when it has not become so in time.
template <class Ask>
bool soon(Ask ask, std::chrono::seconds patience = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!ask())
    if (std::chrono::steady_clock::now() > end) return false;
  return true;
}

// What is sent as it is, and the first answer to it.
Answer raw(std::uint16_t port, const std::string& bytes);
// Whether it is the problem document of this kind (RFC 9457), as api.md wants it.
testing::AssertionResult is_problem(const Answer& answer, int status, const std::string& code);
testing::AssertionResult is_problem(const Json& frame, int status, const std::string& code);
// The pointers of a problem's errors.
std::vector<std::string> pointers(const Json& problem);
bool points_at(const Json& problem, const std::string& pointer);

// The private database of a server, with all rights.
std::string superuser_url(const Server& server);
// A server of its own with these settings, in a directory of its own. Its database is a fresh one
// in the cluster of this program, unless the test is about the private one.
enum class Postgres { shared, own };
struct House {
  TempDir dir;
  std::unique_ptr<BorrowedDatabase> database;
  Urls urls;
  Server server;
  explicit House(std::vector<std::string> settings = {}, Postgres postgres = Postgres::shared);
};

// A program that ran to its end.
struct Ran {
  int status = -1;
  std::string output;  // standard output and error
};
Ran run_program(const std::string& command);

}  // namespace bottega::test
