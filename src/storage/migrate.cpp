// Applies migrations under an advisory lock, and checks that a database is fit to serve from.
#include "bottega/storage/migrate.hpp"

#include <pqxx/nontransaction>
#include <pqxx/pqxx>

#include "bottega/core/digest.hpp"
#include "bottega/core/error.hpp"
#include "bottega/core/log.hpp"

namespace bottega {
namespace {

constexpr long long kLock = 0x626f747465676121;  // "bottega!": the one lock of all migrators
// Reading the table is all that the server's role may do with it.
constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, sha256 text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now())";

struct Refusal {
  const char* sql;  // answers a row where the database must not be used
  const char* words;
};
constexpr Refusal kRefusals[] = {
    {"SELECT 1 WHERE current_setting('fsync') = 'off'",
     "fsync is off: a committed payment could be lost with the power"},
    {"SELECT 1 WHERE current_setting('full_page_writes') = 'off'",
     "full_page_writes is off: a crash could tear pages"},
    {"SELECT 1 WHERE current_setting('synchronous_commit') IN ('off')",
     "synchronous_commit is off: an acknowledged message could be lost"},
    {"SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole "
     "OR rolcreatedb OR rolbypassrls)",
     "database.url names a role with more than ordinary rights; use one that is only a member of "
     "bottega_app"},
    {"SELECT 1 WHERE has_schema_privilege(current_user, current_schema(), 'CREATE')",
     "the role of database.url may change the schema"},
    {"SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
     "WHERE n.nspname = current_schema() "
     "AND c.relname IN ('ledger_transfers', 'ledger_accounts', 'ledger_snapshots', "
     "'ledger_closings', 'audit_log') "
     "AND (pg_has_role(current_user, c.relowner, 'MEMBER') "
     "OR has_any_column_privilege(current_user, c.oid, 'UPDATE') "
     "OR has_table_privilege(current_user, c.oid, 'DELETE, TRUNCATE, TRIGGER') "
     "OR (c.relname IN ('ledger_accounts', 'ledger_snapshots', 'ledger_closings') "
     "AND has_any_column_privilege(current_user, c.oid, 'INSERT')))",
     "the role of database.url may alter the ledger or the audit log"},
};

void enter_schema(pqxx::nontransaction& work, const std::string& schema) {
  work.exec("SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS " +
            work.quote_name(schema) + "; SET search_path = " + work.quote_name(schema) +
            "; SET TIME ZONE 'UTC'");
}

int apply_missing(pqxx::nontransaction& work, std::span<const Migration> migrations) {
  work.exec(kTable);
  const auto applied = work.exec("SELECT name, sha256 FROM schema_migrations ORDER BY name");
  if (applied.size() > migrations.size())
    throw Error(Code::internal, "the database is ahead of this program: it needs a newer bottega");
  int done = 0;
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const auto& migration = migrations[i];
    const auto sum = sha256_hex(migration.sql);
    if (i < applied.size()) {
      const auto row = applied[static_cast<pqxx::result::size_type>(i)];
      if (row[0].as<std::string>() != migration.name || row[1].as<std::string>() != sum)
        throw Error(Code::internal, "migration " + std::string(migration.name) +
                                        " was changed after it had been applied");
      continue;
    }
    work.exec("BEGIN");
    work.exec(std::string(migration.sql));
    work.exec_params("INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)",
                     std::string(migration.name), sum);
    work.exec("COMMIT");
    log::info("migration.applied", {{"name", migration.name}});
    ++done;
  }
  return done;
}

}  // namespace

int migrate(const std::string& owner_url, const std::string& schema,
            std::span<const Migration> migrations) {
  pqxx::connection link(owner_url);
  pqxx::nontransaction work(link);
  // Held by the session, so it is let go however this ends.
  work.exec_params("SELECT pg_advisory_lock($1)", kLock);
  enter_schema(work, schema);
  return apply_missing(work, migrations);
}

void check_database(const std::string& url, const std::string& schema,
                    std::span<const Migration> migrations) {
  pqxx::connection link(url);
  pqxx::nontransaction work(link);
  work.exec("SET search_path = " + work.quote_name(schema));
  for (const auto& refusal : kRefusals)
    if (!work.exec(refusal.sql).empty())
      throw Error(Code::internal, std::string("not starting: ") + refusal.words);
  const auto known = work.exec(
      "SELECT to_regclass('schema_migrations') IS NOT NULL AND "
      "has_table_privilege(to_regclass('schema_migrations'), 'SELECT')");
  if (known[0][0].c_str() != std::string("t"))
    throw Error(Code::internal, "the database has no schema yet: run bottega migrate as its owner");
  const auto applied = work.exec("SELECT name, sha256 FROM schema_migrations ORDER BY name");
  if (applied.size() != migrations.size())
    throw Error(Code::internal, "the schema is not the one of this program: run bottega migrate");
  for (std::size_t i = 0; i < migrations.size(); ++i)
    if (applied[static_cast<pqxx::result::size_type>(i)][1].as<std::string>() !=
        sha256_hex(migrations[i].sql))
      throw Error(Code::internal, "migration " + std::string(migrations[i].name) + " differs");
}

void prepare_cluster(const std::string& superuser_url, const std::string& database) {
  pqxx::connection link(superuser_url);
  pqxx::nontransaction work(link);
  work.exec("SET client_min_messages = warning");
  work.exec_params("SELECT pg_advisory_lock($1)", kLock);
  for (const char* role : {"bottega_owner", "bottega_app", "bottega_sandbox"})
    if (work.exec_params("SELECT 1 FROM pg_roles WHERE rolname = $1", role).empty())
      work.exec("CREATE ROLE " + std::string(role) + " LOGIN");
  if (work.exec_params("SELECT 1 FROM pg_database WHERE datname = $1", database).empty())
    work.exec("CREATE DATABASE " + work.quote_name(database) + " OWNER bottega_owner");
}

}  // namespace bottega
