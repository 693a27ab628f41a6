// Requests are sent when they are due, whatever became of those before, and a time is counted from
// the moment at which the request was due: what waits for a slow one is slow itself.
#include "browse.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <random>
#include <thread>

#include "feed.hpp"
#include "load.hpp"
#include "shops.hpp"

namespace bottega::bench {
namespace {

constexpr std::size_t kWorkers = 32, kCollections = 10, kInCollection = 500;
constexpr int kPageSize = 20, kPagers = 60, kPagesDeep = 8;
const std::vector<std::string> kSorts = {"newest", "price_up", "price_down"};
// Shares of the products in hundredths.
constexpr int kShares[] = {60, 20, 10, 6, 4};

using Random = std::mt19937_64;

struct Shop {
  std::string id;
  std::int64_t products = 0;
  std::vector<std::string> collections;
};

struct Question {
  std::string kind, sort, path;
};

std::string encoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

// A few lists of products, each of every tenth of those that were looked at.
void make_collections(Client& owner, Shop& shop) {
  std::vector<std::vector<std::string>> lists(kCollections);
  std::string cursor;
  for (std::size_t seen = 0; lists.back().size() < kInCollection;) {
    const auto page = owner.get("/v1/products?merchant_id=" + shop.id + "&limit=100" + cursor);
    const auto& cards = page.at("data");
    for (const auto& card : cards) lists[seen++ % kCollections].push_back(card.at("product_id"));
    if (!page.at("has_more").get<bool>()) break;
    cursor = "&cursor=" + page.at("next_cursor").get<std::string>();
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    lists[i].resize(std::min(lists[i].size(), kInCollection));
    const Json given = {
        {"merchant_id", shop.id}, {"title", "List " + std::to_string(i)}, {"products", lists[i]}};
    shop.collections.push_back(owner.post("/v1/collections", given).at("id"));
  }
}

std::vector<Shop> fill_shops(const Server& server, const BrowseBench& bench) {
  const auto owner = log_in(server, "owner@demo.example");
  const auto ops = log_in(server, "ops@demo.example");
  const TemporaryFolder folder;
  std::vector<Shop> shops;
  for (const auto share : kShares) {
    FeedPlan plan;
    plan.rows = bench.products * share / 100;
    plan.variants = 1;
    plan.bad = 0;
    const auto name = "S" + std::to_string(shops.size());
    plan.name = name;
    Shop shop{open_shop(server, owner, ops, name), plan.rows, {}};
    const auto file = folder.path() / "feed.csv";
    write_feed(file, plan);
    const auto imported = import_feed(server, owner, shop.id, file, plan.format);
    say(std::to_string(plan.rows) + " products in " + std::to_string(imported.seconds) + " s");
    Client client(server.port(), owner);
    make_collections(client, shop);
    shops.push_back(std::move(shop));
  }
  return shops;
}

// Asks at random, of every kind as often.
class Asker {
 public:
  Asker(const std::vector<Shop>& shops, std::uint64_t seed) : shops_(shops), random_(seed) {}

  static const std::vector<std::string>& kinds() {
    static const std::vector<std::string> kKinds = {
        "all",      "word_frequent", "word_some", "word_rare",  "word_none", "words",   "brand",
        "category", "condition",     "in_stock",  "collection", "price",     "combined"};
    return kKinds;
  }
  Question ask() { return ask(kinds()[pick(kinds().size())]); }
  Question ask(const std::string& kind) {
    // Shops are looked through as often as they have products.
    auto place = pick(100);
    std::size_t which = 0;
    while (place >= static_cast<std::size_t>(kShares[which]))
      place -= static_cast<std::size_t>(kShares[which++]);
    const auto& shop = shops_[which];
    const auto& sort = kSorts[pick(kSorts.size())];
    return {kind, sort,
            "/v1/products?merchant_id=" + shop.id + "&limit=" + std::to_string(kPageSize) +
                "&sort=" + sort + filter_of(kind, shop)};
  }
  std::size_t pick(std::size_t count) { return random_() % count; }

 private:
  std::string filter_of(const std::string& kind, const Shop& shop) {
    const auto number = [&](std::int64_t count) {
      return static_cast<std::int64_t>(pick(static_cast<std::size_t>(count)));
    };
    if (kind == "word_frequent") return "&q=" + kFrequentWord;
    if (kind == "word_some") return "&q=" + kThings[pick(kThings.size())];
    if (kind == "word_rare") return "&q=" + rare_word(number(shop.products));
    if (kind == "word_none") return "&q=yonder" + std::to_string(pick(100'000));
    if (kind == "words")
      return "&q=" + encoded(kStyles[pick(kStyles.size())] + ' ' + kThings[pick(kThings.size())]);
    if (kind == "brand") return "&brand=" + encoded(brand_of(number(kBrands)));
    if (kind == "category") return "&category=" + category();
    if (kind == "condition") return pick(2) == 0 ? "&condition=used" : "&condition=refurbished";
    if (kind == "in_stock") return "&in_stock=true";
    if (kind == "collection")
      return "&collection_id=" + shop.collections[pick(shop.collections.size())];
    if (kind == "price") return prices();
    if (kind == "combined")
      return "&q=" + kThings[pick(kThings.size())] + "&in_stock=true&category=" + category() +
             prices();
    return "";
  }
  // One, or what is above it.
  std::string category() {
    const auto& path = kCategories[pick(kCategories.size())];
    return encoded(pick(2) == 0 ? path : path.substr(0, path.rfind(" > ")));
  }
  // A narrow band, a wide one, or all from a price on.
  std::string prices() {
    const auto from = 500 + pick(19'000);
    const std::size_t wide = pick(2) == 0 ? 50 : 5'000;
    return "&price_from=" + std::to_string(from) +
           (pick(3) == 0 ? "" : "&price_to=" + std::to_string(from + wide));
  }

  const std::vector<Shop>& shops_;
  Random random_;
};

// Pages from the second on, as a client that goes on and on asks for them.
std::vector<Question> pages_behind(Client& client, Asker& asker) {
  std::vector<Question> pages;
  for (int i = 0; i < kPagers; ++i) {
    auto question = asker.ask();
    const auto first = question.path;
    question.kind = "cursor";
    for (int depth = 1; depth < kPagesDeep; ++depth) {
      const auto page = client.get(question.path);
      if (!page.at("has_more").get<bool>()) break;
      question.path = first + "&cursor=" + page.at("next_cursor").get<std::string>();
      pages.push_back(question);
    }
  }
  if (pages.empty()) throw std::runtime_error("no list has a second page");
  return pages;
}

// What is found must be what was put there, or a quick answer says nothing.
void check_answers(Client& client, Asker& asker) {
  const auto found = [&](const std::string& kind) {
    return client.get(asker.ask(kind).path).at("data").size();
  };
  for (int i = 0; i < 20; ++i) {
    for (const std::string kind : {"all", "word_frequent", "word_some", "in_stock", "collection"})
      if (found(kind) != kPageSize) throw std::runtime_error(kind + " does not fill a page");
    if (const auto rare = found("word_rare"); rare == 0 || rare > kProductsPerRareWord)
      throw std::runtime_error("a rare word is found " + std::to_string(rare) + " times");
    if (found("word_none") != 0) throw std::runtime_error("what is not there was found");
  }
}

struct Answered {
  std::size_t question = 0;
  double ms = 0;
};

// Each question at its moment, by whoever is free first; where nobody is, it waits as at a counter.
std::vector<Answered> run(const Server& server, const std::string& token,
                          const std::vector<Question>& questions, double per_second) {
  std::atomic<std::size_t> next = 0;
  const auto began = steady_clock::now() + std::chrono::milliseconds(100);
  std::vector<std::vector<Answered>> done(kWorkers);
  std::vector<std::string> failures(kWorkers);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kWorkers; ++i)
      threads.emplace_back([&, i] {
        try {
          Client client(server.port(), token);
          Alarm alarm;
          for (std::size_t at = 0; (at = next++) < questions.size();) {
            const auto due = began + seconds_of(static_cast<double>(at) / per_second);
            alarm.wait_until(due);
            client.call(http::verb::get, questions[at].path);
            done[i].push_back({at, ms_between(due, steady_clock::now())});
          }
        } catch (const std::exception& failure) {
          failures[i] = failure.what();
        }
      });
  }
  for (const auto& failure : failures)
    if (!failure.empty()) throw std::runtime_error("somebody was shown: " + failure);
  std::vector<Answered> all;
  for (const auto& part : done) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<Question> plan_of(Asker& asker, const std::vector<Question>& pages, double count) {
  std::vector<Question> plan;
  while (static_cast<double>(plan.size()) < count)
    plan.push_back(asker.pick(4) == 0 ? pages[asker.pick(pages.size())] : asker.ask());
  return plan;
}

Json by(const std::vector<Answered>& done, const std::vector<Question>& plan,
        std::string Question::*name) {
  std::map<std::string, Times> times;
  for (const auto& one : done) times[plan[one.question].*name].push_back(one.ms);
  Json out = Json::object();
  for (const auto& [key, values] : times) out[key] = summary_of(values);
  return out;
}

}  // namespace

void measure_browse(const BrowseBench& bench) {
  const Server server(bench.binary, shop_settings());
  const auto shops = fill_shops(server, bench);
  const auto token = sign_up(server, "looker");
  server.settle_database();
  Client client(server.port(), token);
  Asker asker(shops, 1);
  check_answers(client, asker);
  const auto pages = pages_behind(client, asker);
  say("warming up");
  const auto warm = plan_of(asker, pages, bench.per_second * std::max(2.0, bench.seconds / 10));
  run(server, token, warm, bench.per_second);
  say("asking");
  const auto plan = plan_of(asker, pages, bench.per_second * bench.seconds);
  server.forget_peak();
  const auto before = server.cpu();
  const auto began = steady_clock::now();
  const auto done = run(server, token, plan, bench.per_second);
  const auto seconds = seconds_since(began);
  const auto after = server.cpu();
  Times all;
  for (const auto& one : done) all.push_back(one.ms);
  const auto count = static_cast<double>(done.size());
  Json line = {
      {"name", "browse"},
      {"products", bench.products},
      {"shops", shops.size()},
      {"per_second_asked", bench.per_second},
      {"per_second", count / seconds},
      {"server_cpu_ms_per_request", (after.server_s - before.server_s) * 1e3 / count},
      {"postgres_cpu_ms_per_request", (after.postgres_s - before.postgres_s) * 1e3 / count},
      {"peak_rss_mb", server.peak_mb()},
      {"all", summary_of(all)},
      {"kinds", by(done, plan, &Question::kind)},
      {"sorts", by(done, plan, &Question::sort)}};
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace bottega::bench
