#pragma once
// Where the databases are, migrated and fit to serve from.
#include <memory>
#include <string>

#include "storage/embedded_postgres.hpp"
#include "bottega/core/config.hpp"

namespace bottega {

std::string data_dir_of(const Config& config);

// The embedded PostgreSQL is started here where none is given.
struct Storage {
  std::unique_ptr<storage::EmbeddedPostgres> embedded;
  std::string url, owner_url, sandbox_url;

  explicit Storage(const Config& config);
};

}  // namespace bottega
