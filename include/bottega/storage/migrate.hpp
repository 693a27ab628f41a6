#pragma once
// Forward-only migrations, built into the program. Several nodes may start at once: one migrates,
// the others wait for it. A file that was applied must never change; its checksum is kept.
#include <span>
#include <string>
#include <string_view>

namespace bottega {

struct Migration {
  std::string_view name;  // "0001_identity"
  std::string_view sql;
};

// The product's own schema, and the one in which the sandbox processor keeps its books.
std::span<const Migration> bottega_migrations();
std::span<const Migration> sandbox_migrations();

// Applies what is missing as the owner of the schema; answers how many were applied. Throws Error
// where a file was changed after it was applied or the database is ahead of this program.
int migrate(const std::string& owner_url, const std::string& schema,
            std::span<const Migration> migrations);

// Throws Error that says what is wrong unless the server may serve from this database: the schema
// is the one of this program, a commit is durable (fsync, full_page_writes, synchronous_commit),
// and the role cannot change the schema, the ledger or the audit log.
void check_database(const std::string& url, const std::string& schema,
                    std::span<const Migration> migrations);

// Creates the database and the roles inside a private cluster, as its superuser. Safe to repeat.
void prepare_cluster(const std::string& superuser_url, const std::string& database);

}  // namespace bottega
