#pragma once
// A market to measure sales in: many shops, few of which are busy, buyers who talk to some of them,
// and as many products and orders as there are to be.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "client.hpp"
#include "load.hpp"
#include "process.hpp"

namespace bottega::bench {

struct MarketPlan {
  std::string binary, scripts;
  std::int64_t products = 0, orders = 0;  // 0: a few products, no order
  int buyers = 0;
};

struct Ware {
  std::string variant;
  std::int64_t amount = 0;
};

// A conversation of a buyer with a shop that sells something.
struct Talk {
  std::string id;
  const std::vector<Ware>* wares = nullptr;
};

struct Buyer {
  std::string token;
  std::vector<Talk> talks;  // the first half with busy shops
};

class Market {
 public:
  explicit Market(const MarketPlan& plan);

  const Server& server() const { return *server_; }
  Server& server() { return *server_; }
  const std::string& owner_token() const { return owner_; }
  const std::vector<Buyer>& buyers() const { return buyers_; }
  // Throws where our books do not balance, or the processor has others.
  void audit() const;

 private:
  void open_shops(const MarketPlan& plan);
  std::vector<Ware> wares_of(const std::string& shop) const;
  void admit_buyers(int count);

  std::unique_ptr<Server> server_;
  std::string owner_, ops_;
  std::vector<std::string> shops_;
  std::vector<std::vector<Ware>> wares_;  // of each shop
  std::vector<Buyer> buyers_;
};

// A sale: the card, Buy now, the parcel, and the order as the buyer reads it then.
enum class Step : std::uint8_t { card, pay, ship, read };
inline constexpr std::array kSteps = {"card", "pay", "ship", "read"};
inline constexpr std::size_t kStepCount = kSteps.size();

class Seller {
 public:
  Seller(const Market& market, const Buyer& buyer, std::uint64_t seed);
  // One sale from its first call to its last; answers what each took. Throws where one is refused.
  std::array<double, kStepCount> sell();

 private:
  const Buyer& buyer_;
  Client member_, client_;
  std::uint64_t seed_, done_ = 0;
};

}  // namespace bottega::bench
