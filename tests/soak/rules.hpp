#pragma once
// What must be true of the books, asked of the database alone.
#include <map>
#include <pqxx/pqxx>
#include <span>
#include <stdexcept>
#include <string>

namespace bottega::soak {

struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Each is a number that must be 0. $1 stands for the product's time.
struct Rule {
  const char* words;
  const char* sql;
};
// After every step; and when nothing is due any more.
std::span<const Rule> rules_always();
std::span<const Rule> rules_at_rest();
// Throws Wrong in the words of the first rule that does not hold.
void check(pqxx::connection& link, std::span<const Rule> rules, const std::string& now);

using Sums = std::map<std::string, std::int64_t>;
// Throws Wrong where the processor's sums are not those of what we hold as done, or where we still
// do not know of something.
void agree(pqxx::connection& link, const Sums& theirs);
// Adds what there is, by its state: what the histories have come to.
void count(pqxx::connection& link, Sums& seen);

}  // namespace bottega::soak
