#include "pairs.hpp"

#include "client.hpp"

namespace bottega::bench {
namespace {

std::string sign_up(Client& client, const std::string& who, int number) {
  const auto email = who + std::to_string(number) + "@bench.example";
  const Json secret = {{"email", email}, {"password", "bench password"}};
  auto person = secret;
  person["name"] = who;
  client.post("/v1/accounts", person);
  return client.post("/v1/sessions", secret).at("access_token");
}

}  // namespace

std::vector<Pair> make_pairs(const Server& server, int count) {
  Client client(server.port());
  std::vector<Pair> pairs;
  for (int i = 0; i < count; ++i) {
    Pair pair{sign_up(client, "owner", i), sign_up(client, "buyer", i), ""};
    const Json shop = {{"name", "Bench"}, {"country", "US"}, {"currency", "USD"}};
    const auto merchant = Client(server.port(), pair.owner_token).post("/v1/merchants", shop);
    pair.conversation = Client(server.port(), pair.buyer_token)
                            .post("/v1/conversations", {{"merchant_id", merchant.at("id")}})
                            .at("id");
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace bottega::bench
