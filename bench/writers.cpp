// Three ways to write messages into the log over one connection: each in a transaction of its own,
// a batch by the one statement that the product uses, and a batch by COPY.
#include "writers.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <pqxx/pqxx>
#include <random>
#include <sstream>

#include "pairs.hpp"
#include "bottega/core/typeid.hpp"
#include "bottega/storage/sql.hpp"
#include "bottega/storage/tx.hpp"

namespace bottega::bench {
namespace {

using std::chrono::steady_clock;

struct Place {
  std::string merchant, conversation, buyer;
};

const SqlText& product_statement() {
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest)
    if (sql->name == "conversations.write_messages") return *sql;
  throw std::runtime_error("the product has no such statement");
}

std::string new_uuid() { return uuid_text(make_uuid_v7()); }

std::string data_of(const std::string& client_id) {
  return R"({"client_id":")" + client_id + R"(","text":")" + std::string(200, 'x') + "\"}";
}

class Log {
 public:
  Log(const Server& server, const std::vector<Place>& places)
      : places_(places),
        link_("host=" + server.socket_dir().string() +
              " user=bottega_app dbname=bottega options=-csearch_path=bottega") {
    pqxx::nontransaction work(link_);
    work.exec("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off");
    link_.prepare("batch", std::string(product_statement().text));
  }

  void by_statement(int size) {
    Columns c;
    for (int i = 0; i < size; ++i) {
      const auto& place = pick();
      c.conversations.emplace_back(place.conversation);
      c.merchants.emplace_back(place.merchant);
      c.places.emplace_back(std::to_string(i + 1));
      c.accounts.emplace_back(place.buyer);
      c.nothing.emplace_back();
      c.ids.emplace_back(new_uuid());
      c.keys.emplace_back(new_uuid());
      c.data.emplace_back(data_of(*c.ids.back()));
    }
    pqxx::nontransaction work(link_);
    work.exec_prepared("batch", sql_array(c.conversations), sql_array(c.merchants),
                       sql_array(c.places), sql_array(c.accounts), sql_array(c.nothing),
                       sql_array(c.keys), sql_array(c.ids), sql_array(c.data), "now", new_uuid(),
                       sql_array(c.nothing), false);
  }

  // The numbers are taken under the same locks; then the rows are streamed.
  void by_copy(int size) {
    std::map<std::string, std::pair<const Place*, int>> counts;
    std::vector<const Place*> rows;
    for (int i = 0; i < size; ++i) {
      rows.push_back(&pick());
      auto& [place, count] = counts[rows.back()->conversation];
      place = rows.back();
      ++count;
    }
    std::vector<SqlArgument> merchants, ids, news;
    for (const auto& [id, row] : counts) {
      merchants.emplace_back(row.first->merchant);
      ids.emplace_back(id);
      news.emplace_back(std::to_string(row.second));
    }
    pqxx::work work(link_);
    std::map<std::string, std::int64_t> seqs;
    for (const auto& row : work.exec_params(
             "WITH held AS MATERIALIZED (SELECT c.id, u.news FROM unnest($1::uuid[], $2::uuid[], "
             "$3::int[]) u (merchant_id, id, news) JOIN conversations c ON c.merchant_id = "
             "u.merchant_id AND c.id = u.id ORDER BY c.id FOR UPDATE OF c) "
             "UPDATE conversations c SET last_seq = c.last_seq + h.news, last_entry_at = now(), "
             "for_merchant = c.for_merchant + h.news FROM held h, unnest($1::uuid[], $2::uuid[]) "
             "u (merchant_id, id) WHERE c.merchant_id = u.merchant_id AND c.id = u.id AND "
             "h.id = c.id RETURNING c.id, c.last_seq - h.news",
             sql_array(merchants), sql_array(ids), sql_array(news)))
      seqs[row[0].as<std::string>()] = row[1].as<std::int64_t>();
    {
      pqxx::stream_to out(
          work, "entries",
          std::vector<std::string>{"merchant_id", "conversation_id", "seq", "id", "event", "author",
                                   "author_id", "client_key", "data", "at"});
      for (const auto* place : rows) {
        const auto id = new_uuid();
        out << std::make_tuple(place->merchant, place->conversation, ++seqs[place->conversation],
                               id, "message.created", "buyer", place->buyer, new_uuid(),
                               data_of(id), "now");
      }
      out.complete();
    }
    work.exec_params("INSERT INTO commit_tokens (token) VALUES ($1)", new_uuid());
    work.commit();
  }

 private:
  struct Columns {
    std::vector<SqlArgument> conversations, merchants, places, accounts, nothing, keys, ids, data;
  };
  const Place& pick() { return places_[random_() % places_.size()]; }

  const std::vector<Place>& places_;
  std::mt19937 random_{1};
  pqxx::connection link_;
};

std::vector<Place> places_of(const Server& server) {
  std::vector<Place> places;
  std::istringstream rows(
      server.query("SELECT merchant_id, id, buyer_id FROM bottega.conversations"));
  for (std::string line; std::getline(rows, line);)
    places.push_back({line.substr(0, 36), line.substr(37, 36), line.substr(74, 36)});
  return places;
}

template <class Write>
void measure(const Server& server, const std::string& name, int size, double seconds, Write write) {
  server.settle_database();
  for (int i = 0; i < 20; ++i) write(size);
  const auto before = server.cpu();
  const auto began = steady_clock::now();
  std::int64_t messages = 0;
  double took = 0;
  while ((took = std::chrono::duration<double>(steady_clock::now() - began).count()) < seconds) {
    write(size);
    messages += size;
  }
  const auto count = static_cast<double>(messages);
  std::printf("%-28s %4d at once %9.0f messages/s %8.1f us of PostgreSQL\n", name.c_str(), size,
              count / took, (server.cpu().postgres_s - before.postgres_s) * 1e6 / count);
  std::fflush(stdout);
}

}  // namespace

void measure_writers(const std::string& binary, int pairs, double seconds) {
  const Server server(binary);
  make_pairs(server, pairs);
  const auto places = places_of(server);
  Log log(server, places);
  for (const int size : {1, 16, 64, 256}) {
    measure(server, size == 1 ? "one transaction a message" : "one statement", size, seconds,
            [&](int n) { log.by_statement(n); });
    measure(server, "COPY", size, seconds, [&](int n) { log.by_copy(n); });
  }
}

}  // namespace bottega::bench
