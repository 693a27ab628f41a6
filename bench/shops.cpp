#include "shops.hpp"

namespace bottega::bench {

std::string log_in(const Server& server, const std::string& email, const std::string& password) {
  Client client(server.port());
  const Json body = {{"email", email}, {"password", password}};
  return client.post("/v1/sessions", body).at("access_token");
}

std::string sign_up(const Server& server, const std::string& name) {
  const auto email = name + "@bench.example";
  const std::string password = "a bench password";
  Client(server.port())
      .post("/v1/accounts", {{"email", email}, {"password", password}, {"name", name}});
  return log_in(server, email, password);
}

std::string open_shop(const Server& server, const std::string& owner_token,
                      const std::string& ops_token, const std::string& name) {
  Client owner(server.port(), owner_token), ops(server.port(), ops_token);
  const std::string id =
      owner.post("/v1/merchants", {{"name", name}, {"country", "US"}, {"currency", "USD"}})
          .at("id");
  const auto mine = "/v1/merchants/" + id;
  const std::string url = owner.post(mine + "/onboarding", nullptr).at("url");
  Client(server.sandbox_port())
      .post_form(url.substr(url.find("/onboarding")),
                 "name=Otto+Owner&address=2+Lamp+Lane%2C+Springfield&tax_number=123456789");
  while (owner.get(mine).at("onboarding") != "active") ops.post("/v1/admin/jobs/run", nullptr);
  return id;
}

std::vector<std::string> shop_settings() {
  return {"auth.access_token_s=86400", "auth.tries_per_address=100000", "auth.password_ops=1",
          "auth.password_memory_bytes=8192"};
}

}  // namespace bottega::bench
