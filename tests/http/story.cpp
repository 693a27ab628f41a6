// How people, shops and sales come to be through the front door.
#include "http/story.hpp"

#include <sys/wait.h>

#include <cstdio>
#include <stdexcept>

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

Json must(const Answer& answer, const std::string& what) {
  if (answer.status < 200 || answer.status > 299)
    throw std::runtime_error(what + ": " + std::to_string(answer.status) + " " + answer.body);
  return answer.json();
}

std::string path_of(const std::string& url) { return url.substr(url.find('/', 8)); }

testing::AssertionResult check_problem(const Json& body, int status, const std::string& code) {
  if (!body.is_object()) return testing::AssertionFailure() << "not an object: " << body.dump();
  const auto type = body.value("type", "");
  const bool members = body.value("title", "") != "" && body.value("detail", "") != "" &&
                       body.value("instance", "") != "" && type.ends_with("/problems/" + code);
  if (body.value("status", 0) == status && body.value("code", "") == code && members)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "not " << status << ' ' << code << ": " << body.dump();
}

}  // namespace

House::House(std::vector<std::string> settings, Postgres postgres)
    : database(postgres == Postgres::shared ? std::make_unique<BorrowedDatabase>() : nullptr),
      urls(database ? database->urls() : Urls()),
      server(dir.path() / "data", [&] {
        if (postgres == Postgres::own) return settings;
        settings.push_back("database.url=" + urls.app);
        settings.push_back("database.owner_url=" + urls.owner);
        settings.push_back("sandbox.url=" + urls.sandbox);
        return settings;
      }()) {}

Person log_in(const Server& server, const std::string& email, const std::string& password) {
  Client nobody(server.port());
  const auto tokens =
      must(nobody.post("/v1/sessions", {{"email", email}, {"password", password}}), "log in");
  return {Client(server.port(), tokens["access_token"]), tokens["account_id"], email,
          tokens["refresh_token"], tokens["session_id"]};
}

Person person(const Server& server, const std::string& name) {
  const auto email = "p" + random_token(12) + "@people.example";
  Client nobody(server.port());
  must(nobody.post("/v1/accounts", {{"email", email}, {"password", kPassword}, {"name", name}}),
       "register");
  return log_in(server, email);
}

Client staff(const Server& server, const std::string& role) {
  auto admin = log_in(server, "ops@demo.example", kDemoPassword).api;
  if (role == "admin") return admin;
  const auto email = "s" + random_token(12) + "@staff.example";
  const Json member = {
      {"email", email}, {"password", kPassword}, {"name", "Sam Staff"}, {"role", role}};
  must(admin.post("/v1/admin/staff", member), "add staff");
  return log_in(server, email).api;
}

std::string Storefront::path(const std::string& below) const {
  return "/v1/conversations/" + conversation + below;
}

Storefront chat(const Server& server) {
  Storefront shop{person(server, "Otto Owner"), person(server, "Bea Buyer"), "", "",
                  server.sandbox_port()};
  const Json business = {{"name", "Otto's Lamps"}, {"country", "US"}, {"currency", "USD"}};
  shop.merchant = must(shop.owner.api.post("/v1/merchants", business), "merchant")["id"];
  const Json with = {{"merchant_id", shop.merchant}};
  shop.conversation = must(shop.buyer.api.post("/v1/conversations", with), "conversation")["id"];
  return shop;
}

Answer onboard(const Storefront& shop, const std::string& tax_number) {
  auto owner = shop.owner.api;
  const auto link =
      must(owner.post("/v1/merchants/" + shop.merchant + "/onboarding"), "onboarding");
  return post_form(shop.sandbox_port, path_of(link["url"]),
                   "name=Otto+Owner&address=2+Lamp+Lane%2C+Springfield&tax_number=" + tax_number);
}

Storefront shop(const Server& server) {
  auto shop = chat(server);
  const auto answer = onboard(shop, "123456789");
  if (answer.status != 303) throw std::runtime_error("the processor answered " + answer.body);
  const auto is_active = [&] {
    return shop.owner.api.get("/v1/merchants/" + shop.merchant).json()["onboarding"] == "active";
  };
  if (!soon(is_active)) throw std::runtime_error("the processor did not accept the merchant");
  return shop;
}

Json new_request(const Storefront& shop, std::int64_t amount) {
  return {{"conversation_id", shop.conversation},
          {"title", "Lamp"},
          {"description", "A lamp of brass"},
          {"currency", "USD"},
          {"lines", {{{"name", "Lamp"}, {"quantity", 1}, {"unit_amount", amount}}}}};
}

Json pay_with(const std::string& token) {
  return {{"payment_method", {{"token", token}}},
          {"ship_to",
           {{"name", "Bea Buyer"},
            {"street", "1 Main St"},
            {"city", "Springfield"},
            {"region", "IL"},
            {"postal_code", "62701"},
            {"country", "US"}}}};
}

Json ask(const Storefront& shop, std::int64_t amount) {
  auto owner = shop.owner.api;
  return must(owner.post("/v1/payment_requests", new_request(shop, amount)), "payment request");
}

Answer accept(const Storefront& shop, const Json& request, const std::string& token) {
  auto buyer = shop.buyer.api;
  return buyer.post("/v1/payment_requests/" + request["id"].get<std::string>() + "/accept",
                    pay_with(token));
}

Json sell(const Storefront& shop, std::int64_t amount) {
  return must(accept(shop, ask(shop, amount)), "accept")["order"];
}

Answer ship(const Storefront& shop, const Json& order) {
  auto owner = shop.owner.api;
  return owner.post("/v1/orders/" + order["id"].get<std::string>() + "/ship",
                    {{"carrier", "USPS"}, {"tracking_number", "9400111899223197428490"}});
}

Json disputed(const Storefront& shop, const Json& order, std::optional<std::int64_t> amount) {
  auto owner = shop.owner.api;
  const auto payment = must(owner.get("/v1/payments/" + std::string(order["payment_id"])), "get");
  Json given = {{"charge", payment["reference"]}};
  if (amount) given["amount"] = *amount;
  Client bank(shop.sandbox_port);
  const auto reference = must(bank.post("/disputes", given), "dispute")["reference"];
  Json found;
  const bool is_there = soon([&] {
    const auto all = owner.get("/v1/disputes?merchant_id=" + shop.merchant).json()["data"];
    for (const auto& one : all)
      if (one["reference"] == reference) found = one;
    return !found.is_null() && found["state"] != "opened";
  });
  if (!is_there) throw std::runtime_error("the dispute was not heard of");
  return found;
}

std::string card_token(std::uint16_t sandbox_port, const std::string& number) {
  Client sandbox(sandbox_port);
  const Json card = {{"number", number}, {"month", 12}, {"year", 2030}, {"cvc", "123"}};
  return must(sandbox.post("/tokens", card), "tokenize")["token"];
}

Answer post_form(std::uint16_t port, const std::string& path, const std::string& form) {
  return Client(port).send("POST", path, form,
                           {{"Content-Type", "application/x-www-form-urlencoded"}});
}

Answer send_text(const Storefront& shop, const Client& who, const std::string& text) {
  auto client = who;
  return client.post(shop.path("/messages"), {{"text", text}});
}

void listen(Socket& socket) {
  socket.send({{"id", "listen"}, {"method", "RESUME"}});
  socket.event("resumed");
}

Answer raw(std::uint16_t port, const std::string& bytes) {
  const auto text = exchange(port, bytes);
  Answer answer;
  if (!text.starts_with("HTTP/1.1 ")) return answer;
  answer.status = std::stoi(text.substr(9, 3));
  const auto end = text.find("\r\n\r\n");
  for (auto at = text.find("\r\n") + 2; at < end; at = text.find("\r\n", at) + 2) {
    const auto line = text.substr(at, text.find("\r\n", at) - at);
    const auto colon = line.find(": ");
    std::string name = line.substr(0, colon);
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers[name] = line.substr(colon + 2);
  }
  const auto length = answer.header("content-length");
  const bool until_close = length.empty() && answer.header("connection") == "close" &&
                           answer.status != 101 && answer.header("transfer-encoding").empty();
  answer.body = text.substr(end + 4, !length.empty() ? std::stoul(length)
                                     : until_close   ? text.npos
                                                     : 0);
  return answer;
}

testing::AssertionResult is_problem(const Answer& answer, int status, const std::string& code) {
  if (answer.status != status)
    return testing::AssertionFailure()
           << "not " << status << ' ' << code << ": " << answer.status << ' ' << answer.body;
  if (answer.header("content-type") != "application/problem+json")
    return testing::AssertionFailure() << "media type " << answer.header("content-type");
  const auto body = answer.json();
  const auto id = answer.header("x-request-id");
  if (!id.empty() && body.value("instance", "") != id)
    return testing::AssertionFailure() << "the instance is not the request's id " << id;
  return check_problem(body, status, code);
}

testing::AssertionResult is_problem(const Json& frame, int status, const std::string& code) {
  if (frame.value("status", 0) != status)
    return testing::AssertionFailure() << "not " << status << ": " << frame.dump();
  return check_problem(frame["body"], status, code);
}

std::vector<std::string> pointers(const Json& problem) {
  std::vector<std::string> all;
  for (const auto& error : problem.value("errors", Json::array()))
    all.push_back(error["pointer"].get<std::string>());
  return all;
}

bool points_at(const Json& problem, const std::string& pointer) {
  const auto all = pointers(problem);
  return std::find(all.begin(), all.end(), pointer) != all.end();
}

std::string superuser_url(const Server& server) {
  auto log = server.log_file().string();
  const auto data = log.substr(0, log.size() - std::string(".log").size());
  return "host=" + data + "/socket port=5432 user=bottega_superuser dbname=bottega";
}

Ran run_program(const std::string& command) {
  Ran ran;
  FILE* out = popen((command + " 2>&1").c_str(), "r");
  if (out == nullptr) return ran;
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, out)) > 0;)
    ran.output.append(buffer, got);
  const int status = pclose(out);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

}  // namespace bottega::test
