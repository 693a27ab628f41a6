// The tables can be spread by merchant: whatever belongs to one has merchant_id first in its
// primary key, and every table that has not is listed here with its reason.
#include <map>
#include <set>

#include "tidy/sources.hpp"

namespace bottega::test {
namespace migrations_test {

// Tables that are not keyed by merchant, and why they need not be.
const std::map<std::string, const char*> kShared = {
    {"commit_tokens", "one short-lived row per transaction of the whole server"},
    {"idempotency_keys", "belongs to whoever asks, who may be no merchant"},
    {"jobs", "a queue of the whole server"},
    {"test_clock", "one row"},
    {"audit_log", "acts of the staff, on anything"},
    {"directory",
     "says which merchant a bare id belongs to: it is asked before the merchant is known"},
    {"accounts", "people, who buy from many merchants"},
    {"guests", "of people, before they buy"},
    {"sessions", "of people"},
    {"access_tokens", "of people"},
    {"refresh_tokens", "of people"},
    {"merchants", "its id is the merchant"},
    {"preferences", "of people"},
    {"nodes", "the servers themselves"},
    {"presences", "of people, who are there for all their shops at once"},
    {"last_seen", "of people"},
    {"push_subscriptions", "devices of people"},
    {"ledger_accounts", "owners are merchants, the platform and processors alike"},
    {"ledger_transfers", "moves between two owners, of which at most one is the merchant"},
    {"ledger_closings", "of the whole ledger"},
    {"ledger_snapshots", "of ledger accounts"},
    {"attachment_secret", "one row"},
    {"evidence_key", "one row"},
    {"canned_answers", "of the staff"},
    {"search_state", "one row"},
    {"retention_state", "one row"},
    {"exports", "of people"},
    {"pins", "of people"},
    {"payment_methods", "of people, who pay many merchants with them"},
    {"top_ups", "of people"},
    {"top_up_disputes", "of people"},
    {"top_up_evidence", "of people"},
    {"withdrawals", "of people"},
    {"transfers", "between people"},
    {"transfer_flows", "of people"},
    {"buyer_flows", "of people, who buy from many merchants"},
    {"method_tries", "of people"},
    {"settlement_runs", "a processor's day, with all its merchants"},
    {"settlement_movements", "a processor's list, which may know of things that nobody here does"},
    {"settlement_differences", "what nobody knows the merchant of may be among them"},
    {"settlement_findings", "of runs"},
    {"processor_events", "comes from outside and says a key, not a merchant"},
};

struct Table {
  std::string name;
  std::size_t line = 0;
  bool has_merchant = false;
  std::vector<std::string> key;
};

// "a, b" as words.
std::vector<std::string> words_of(std::string text) {
  std::ranges::replace(text, ',', ' ');
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::string without_comments(const std::string& sql) {
  static const std::regex comment("--[^\n]*");
  return std::regex_replace(sql, comment, "");
}

std::vector<Table> tables_of(const std::string& sql) {
  static const std::regex create(R"(CREATE TABLE (IF NOT EXISTS )?(\w+) \(([^;]*)\);)");
  static const std::regex whole_key(R"(\n\s*PRIMARY KEY \(([^)]*)\))");
  static const std::regex column_key(R"((\w+)[^\n,]* PRIMARY KEY)");
  static const std::regex merchant(R"((^|\n)\s*merchant_id uuid)");
  const auto text = without_comments(sql);
  std::vector<Table> tables;
  for (std::sregex_iterator i(text.begin(), text.end(), create), end; i != end; ++i) {
    const std::string body = (*i)[3];
    Table table{(*i)[2], line_at(text, static_cast<std::size_t>(i->position())), false, {}};
    table.has_merchant = std::regex_search(body, merchant);
    std::smatch key;
    if (std::regex_search(body, key, whole_key) || std::regex_search(body, key, column_key))
      table.key = words_of(key[1]);
    tables.push_back(table);
  }
  return tables;
}

Findings bad_keys(const Source& source) {
  Findings found;
  for (const auto& table : tables_of(source.text)) {
    const bool keyed = !table.key.empty() && table.key.front() == "merchant_id";
    if (table.key.empty())
      found.push_back(finding(source, table.line, table.name + " has no primary key"));
    else if (!keyed && !kShared.contains(table.name))
      found.push_back(finding(source, table.line, table.name + " is not keyed by merchant_id"));
    else if (keyed && kShared.contains(table.name))
      found.push_back(finding(source, table.line, table.name + " is listed and need not be"));
  }
  return found;
}

// The sandbox's own books are in another schema and belong to nobody here.
std::vector<Source> product_migrations() {
  auto files = sources({"migrations"}, {".sql"});
  std::erase_if(files,
                [](const Source& file) { return file.path.starts_with("migrations/sandbox/"); });
  return files;
}

TEST(Migrations, WhateverBelongsToAMerchantIsKeyedByIt) {
  const auto found = all_findings(product_migrations(), bad_keys);
  EXPECT_TRUE(found.empty()) << joined(found);
}

TEST(Migrations, EveryExceptionIsATable) {
  std::set<std::string> names;
  for (const auto& file : product_migrations())
    for (const auto& table : tables_of(file.text)) names.insert(table.name);
  EXPECT_GE(names.size(), 20u);
  for (const auto& [name, why] : kShared) EXPECT_TRUE(names.contains(name)) << name << ": " << why;
}

TEST(Migrations, AColumnOfTheMerchantOutsideTheKeyIsOnlyInTheDirectory) {
  for (const auto& file : product_migrations())
    for (const auto& table : tables_of(file.text)) {
      const bool keyed = !table.key.empty() && table.key.front() == "merchant_id";
      EXPECT_EQ(table.has_merchant, keyed || table.name == "directory") << table.name;
    }
}

TEST(Migrations, AreNumberedWithoutGapsAndSayWhy) {
  for (const auto* folder : {"migrations/0", "migrations/sandbox/0"}) {
    int number = 0;
    for (const auto& file : sources({"migrations"}, {".sql"})) {
      if (!file.path.starts_with(folder)) continue;
      const auto name = file.path.substr(file.path.rfind('/') + 1);
      EXPECT_EQ(std::stoi(name.substr(0, 4)), ++number) << file.path;
      EXPECT_TRUE(file.text.starts_with("-- ")) << file.path << " says not why";
    }
    EXPECT_GE(number, 1) << folder;
  }
}

// Amounts are counts of minor units; nothing else may hold money.
TEST(Migrations, HaveNoFloatingPoint) {
  const std::regex type(R"(\b(real|float|float4|float8|double precision|money|numeric|decimal)\b)");
  for (const auto& file : sources({"migrations"}, {".sql"})) {
    const auto text = without_comments(file.text);
    std::smatch match;
    EXPECT_FALSE(std::regex_search(text, match, type)) << file.path << ": " << match.str();
  }
}

Findings found_in(const std::string& sql) { return bad_keys({"migrations/0009_x.sql", sql}); }

TEST(MigrationsCheck, FindsWhatIsPlanted) {
  const std::string good =
      "CREATE TABLE things (\n  merchant_id uuid NOT NULL,\n  id uuid,\n"
      "  PRIMARY KEY (merchant_id, id)\n);\n";
  EXPECT_TRUE(found_in(good).empty());
  EXPECT_EQ(found_in("\nCREATE TABLE things (\n  merchant_id uuid,\n  id uuid PRIMARY KEY\n);\n"),
            Findings{"migrations/0009_x.sql:2: things is not keyed by merchant_id"});
  EXPECT_EQ(found_in("CREATE TABLE things (\n  id uuid,\n  merchant_id uuid,\n"
                     "  PRIMARY KEY (id, merchant_id)\n);\n")
                .size(),
            1u)
      << "first, not just among";
  EXPECT_EQ(found_in("CREATE TABLE things (\n  id uuid\n);\n"),
            Findings{"migrations/0009_x.sql:1: things has no primary key"});
  EXPECT_TRUE(found_in("CREATE TABLE jobs (\n  id uuid PRIMARY KEY\n);\n").empty());
  EXPECT_EQ(found_in("CREATE TABLE jobs (\n  merchant_id uuid,\n  PRIMARY KEY (merchant_id)\n);\n")
                .size(),
            1u);
  EXPECT_EQ(found_in(good + good + "CREATE TABLE others (\n  id uuid PRIMARY KEY\n);\n").size(),
            1u);
  EXPECT_TRUE(found_in("-- CREATE TABLE things (\n--   id uuid\n-- );\n").empty());
}

}  // namespace migrations_test
}  // namespace bottega::test
