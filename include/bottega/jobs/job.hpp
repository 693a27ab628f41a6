#pragma once
// Work that is due at a time: enqueued inside the transaction that wants it, claimed by whichever
// node is free, retried with back-off, done at least once. What a job does must be safe to do
// again.
#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/storage/database.hpp"

namespace bottega::jobs {

using JobId = Id<"job">;

struct Job {
  JobId id;
  std::string kind;
  std::string about;  // what it is about; one live job per kind and thing
  Json arguments;
  std::int64_t attempts = 0;  // including this one
  std::int64_t wishes = 1;    // how often it had been enqueued when it was taken
};
BOOST_DESCRIBE_STRUCT(Job, (), (id, kind, about, arguments, attempts, wishes))

// Each lane is done by a loop of its own, so that a slow processor or store holds up nothing else.
// In all but the first one job is taken at a time: its lease begins when it does.
enum class Lane : std::uint8_t { database, processors, files };
BOOST_DESCRIBE_ENUM(Lane, database, processors, files)
inline constexpr Lane kLanes[] = {Lane::database, Lane::processors, Lane::files};

// One kind of work. `run` throws to be tried again later; what it throws is logged without values.
struct Kind {
  std::string_view name;
  std::chrono::seconds lease;      // after which a node that took it counts as dead
  std::int64_t attempts_max = 20;  // then it is dead, and an alert
  std::function<asio::awaitable<void>(const Job&)> run;
  Lane lane = Lane::database;
};

// Adds work. A live job of the same kind about the same thing stays, with the earlier of the two
// times; one that is running then runs once more.
void enqueue(Tx& tx, std::string_view kind, std::string_view about, const Json& arguments,
             Instant run_at);
// Forgets work that is no longer wanted.
void cancel(Tx& tx, std::string_view kind, std::string_view about);
// For a job that takes long: its lease begins anew. False where another has taken it up since.
bool renew(Tx& tx, const Job& job, std::chrono::seconds lease);

// The same for many, about different things, in one statement.
struct Planned {
  std::string about;
  Json arguments;
  Instant run_at{};
};
void enqueue(Tx& tx, std::string_view kind, const std::vector<Planned>& planned);
void cancel(Tx& tx, std::string_view kind, const std::vector<std::string>& abouts);

// How long after the n-th failure a job is tried again: 5 s, 30 s, 5 min, 1 h, then daily.
std::chrono::seconds back_off(std::int64_t attempts);

class Runner {
 public:
  Runner(Database& db, std::vector<Kind> kinds, std::int64_t batch);

  // Takes some of what is due now and does it; answers how many jobs it took. Tests call it
  // directly.
  asio::awaitable<int> run_due(Lane lane = Lane::database);
  // Does what is due until there is nothing left, at most `rounds` times a batch.
  asio::awaitable<int> drain(int rounds, Lane lane);
  asio::awaitable<int> drain(int rounds);  // every lane, one after the other

  struct Counts {
    std::int64_t due, dead;
  };
  asio::awaitable<Counts> counts();

 private:
  asio::awaitable<void> run_one(const Job& job);

  Database& db_;
  std::vector<Kind> kinds_;
  std::int64_t batch_;
};

}  // namespace bottega::jobs
