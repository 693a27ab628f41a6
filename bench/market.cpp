#include "market.hpp"

#include <algorithm>

#include "feed.hpp"
#include "shops.hpp"

namespace bottega::bench {
namespace {

constexpr std::size_t kShops = 32, kBusyShops = 4, kTalksOfKind = 4;
// What an otherwise empty shop has; and of how many products sales are made.
constexpr std::int64_t kProductsLeast = 20, kWaresMost = 500;
constexpr int kOnHand = 1'000'000;

const Json& address() {
  static const Json kAddress = {{"name", "Bea"},
                                {"street", "1 Main St"},
                                {"city", "Springfield"},
                                {"postal_code", "62701"},
                                {"country", "US"}};
  return kAddress;
}

Json checkout_of(const Ware& ware) {
  return {{"lines", {{{"variant_id", ware.variant}, {"quantity", 1}}}}, {"ship_to", address()}};
}

// Shop number i gets one part in i.
std::int64_t share_of(std::int64_t all, std::size_t shop) {
  double parts = 0;
  for (std::size_t i = 0; i < kShops; ++i) parts += 1 / static_cast<double>(i + 1);
  return static_cast<std::int64_t>(static_cast<double>(all) / parts /
                                   static_cast<double>(shop + 1));
}

// The price that the server has must be the one that the card says: nothing else is paid.
void check_price(Client& buyer, const Talk& talk) {
  const auto quote =
      buyer.post("/v1/conversations/" + talk.id + "/quotes", checkout_of(talk.wares->front()));
  if (quote.at("total") != talk.wares->front().amount || !quote.at("is_final").get<bool>())
    throw std::runtime_error("the price of a card is not what is paid: " + quote.dump());
}

// UPS: 15 signs and their check digit, another for every sale.
std::string tracking_number(std::uint64_t number) {
  const auto digits = std::to_string(1'000'000'000'000 + number % 1'000'000'000'000).substr(1);
  const auto text = "999" + digits;
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) sum += (text[i] - '0') * (i % 2 == 0 ? 1 : 2);
  return "1Z" + text + static_cast<char>('0' + (10 - sum % 10) % 10);
}

// Our captures and payouts, and what the processor has moved: what only one of them has.
const std::string kDifferences = R"(
    SELECT count(*) FROM
      (SELECT reference, amount FROM bottega.payments WHERE state = 'captured'
       UNION ALL SELECT reference, amount FROM bottega.payout_batches WHERE state = 'paid') ours
      FULL JOIN (SELECT reference, amount FROM sandbox.movements WHERE state = 'succeeded') theirs
        USING (reference, amount)
    WHERE ours.reference IS NULL OR theirs.reference IS NULL)";

}  // namespace

Market::Market(const MarketPlan& plan)
    : server_(std::make_unique<Server>(plan.binary, shop_settings())),
      owner_(log_in(*server_, "owner@demo.example")),
      ops_(log_in(*server_, "ops@demo.example")) {
  open_shops(plan);
  if (plan.orders > 0) {
    const auto began = steady_clock::now();
    server_->settle_database();
    server_->script_as_owner(plan.scripts + "/sale_orders.sql",
                             {{"orders", std::to_string(plan.orders)}});
    const auto there = server_->as_owner("SELECT count(*) FROM orders");
    if (std::stoll(there) != plan.orders)
      throw std::runtime_error("there are " + there + " orders");
    say(std::to_string(plan.orders) + " orders in " + std::to_string(seconds_since(began)) + " s");
  }
  audit();
  admit_buyers(plan.buyers);
}

void Market::open_shops(const MarketPlan& plan) {
  const TemporaryFolder folder;
  std::int64_t left = std::max(plan.products, static_cast<std::int64_t>(kShops) * kProductsLeast);
  const auto all = left;
  const auto began = steady_clock::now();
  for (std::size_t i = 0; i < kShops; ++i) {
    shops_.push_back(open_shop(*server_, owner_, ops_, "Shop " + std::to_string(i)));
    const auto later = static_cast<std::int64_t>(kShops - 1 - i) * kProductsLeast;
    FeedPlan feed;
    // The last one gets what is left over.
    feed.rows = i + 1 == kShops ? left : std::clamp(share_of(all, i), kProductsLeast, left - later);
    feed.variants = 1;
    feed.bad = 0;
    feed.name = "S" + std::to_string(i);
    feed.on_hand = kOnHand;
    left -= feed.rows;
    const auto file = folder.path() / "feed.csv";
    write_feed(file, feed);
    import_feed(*server_, owner_, shops_.back(), file, feed.format);
    wares_.push_back(wares_of(shops_.back()));
  }
  say(std::to_string(all) + " products of " + std::to_string(kShops) + " shops in " +
      std::to_string(seconds_since(began)) + " s");
}

std::vector<Ware> Market::wares_of(const std::string& shop) const {
  Client owner(server_->port(), owner_);
  std::vector<Ware> wares;
  std::string cursor;
  while (std::ssize(wares) < kWaresMost) {
    const auto page = owner.get("/v1/products?merchant_id=" + shop + "&limit=100" + cursor);
    const auto& cards = page.at("data");
    for (const auto& card : cards) wares.push_back({card.at("variant_id"), card.at("amount")});
    if (!page.at("has_more").get<bool>()) break;
    cursor = "&cursor=" + page.at("next_cursor").get<std::string>();
  }
  if (wares.empty()) throw std::runtime_error("a shop has nothing to sell");
  return wares;
}

void Market::admit_buyers(int count) {
  for (int i = 0; i < count; ++i) {
    Buyer buyer{sign_up(*server_, "buyer" + std::to_string(i)), {}};
    Client client(server_->port(), buyer.token);
    for (std::size_t k = 0; k < 2 * kTalksOfKind; ++k) {
      const auto turn = static_cast<std::size_t>(i) * kTalksOfKind + k;
      const auto shop =
          k < kTalksOfKind ? k % kBusyShops : kBusyShops + turn % (kShops - kBusyShops);
      const auto id = client.post("/v1/conversations", {{"merchant_id", shops_[shop]}}).at("id");
      buyer.talks.push_back({id, &wares_[shop]});
    }
    check_price(client, buyer.talks[static_cast<std::size_t>(i) % buyer.talks.size()]);
    buyers_.push_back(std::move(buyer));
  }
}

void Market::audit() const {
  const auto books = Client(server_->port(), ops_).get("/v1/admin/ledger/trial_balance");
  if (!books.at("is_balanced").get<bool>())
    throw std::runtime_error("the books do not balance: " + books.at("faults").dump());
  if (const auto count = server_->as_owner(kDifferences); std::stoll(count) != 0)
    throw std::runtime_error("the processor's books differ in " + count + " movements");
}

Seller::Seller(const Market& market, const Buyer& buyer, std::uint64_t seed)
    : buyer_(buyer),
      member_(market.server().port(), market.owner_token()),
      client_(market.server().port(), buyer.token),
      seed_(seed) {}

std::array<double, kStepCount> Seller::sell() {
  const auto& talk = buyer_.talks[done_ * 5 % buyer_.talks.size()];
  const auto& ware = (*talk.wares)[(seed_ * 31 + done_ * 7) % talk.wares->size()];
  const auto conversation = "/v1/conversations/" + talk.id;
  auto checkout = checkout_of(ware);
  checkout["total"] = ware.amount;
  checkout["payment_method"] = {{"token", "tok_approved"}};
  // Sent again it would be the same message.
  const Json card = {{"client_id", random_token(12)}, {"product", {{"variant_id", ware.variant}}}};
  const Json parcel = {{"carrier", "ups"},
                       {"tracking_number", tracking_number(seed_ * 10'000'000 + done_)}};
  ++done_;
  const auto began = steady_clock::now();
  member_.send(conversation + "/messages", card);
  const auto shown = steady_clock::now();
  const auto paid = client_.post(conversation + "/checkouts", checkout);
  const auto bought = steady_clock::now();
  const auto& order = paid.at("order");
  if (!order.is_object()) throw std::runtime_error("a sale is not paid at once: " + paid.dump());
  const std::string path = "/v1/orders/" + order.at("id").get<std::string>();
  const auto before = steady_clock::now();
  member_.post(path + "/ship", parcel);
  const auto sent = steady_clock::now();
  const auto read = client_.get(path);
  const auto ended = steady_clock::now();
  if (read.at("state") != "shipped") throw std::runtime_error("not shipped: " + read.dump());
  return {ms_between(began, shown), ms_between(shown, bought), ms_between(before, sent),
          ms_between(sent, ended)};
}

}  // namespace bottega::bench
