#include "app/databases.hpp"

#include <unistd.h>

#include "bottega/core/error.hpp"
#include "bottega/core/log.hpp"
#include "bottega/storage/migrate.hpp"

namespace bottega {
namespace {

constexpr std::string_view kDatabase = "bottega";

void relay_log(std::string_view level, std::string_view message) {
  const std::string text(message);
  if (level == "error")
    log::error("postgres", {{"message", text}});
  else if (level == "warning")
    log::warning("postgres", {{"message", text}});
  else
    log::info("postgres", {{"message", text}});
}

}  // namespace

std::string data_dir_of(const Config& config) {
  if (!config.data_dir.empty()) return config.data_dir;
  return geteuid() == 0 ? "/var/lib/bottega" : "data";
}

Storage::Storage(const Config& config)
    : url(config.database_url.reveal()),
      owner_url(config.database_owner_url.reveal()),
      sandbox_url(config.sandbox_url.reveal()) {
  if (url.empty()) {
    embedded = std::make_unique<storage::EmbeddedPostgres>(storage::EmbeddedOptions{
        data_dir_of(config), config.postgres_bin_dir, config.postgres_user, relay_log});
    prepare_cluster(embedded->url(storage::EmbeddedPostgres::kSuperuser, "postgres"),
                    std::string(kDatabase));
    url = embedded->url("bottega_app", kDatabase);
    owner_url = embedded->url("bottega_owner", kDatabase);
    sandbox_url = embedded->url("bottega_sandbox", kDatabase);
  }
  const bool sandbox = config.mode == "sandbox";
  if (sandbox && sandbox_url.empty())
    throw Error(Code::internal, "sandbox.url is needed with a database.url of your own");
  if (!owner_url.empty()) {
    migrate(owner_url, "bottega", bottega_migrations());
    if (sandbox) migrate(owner_url, "sandbox", sandbox_migrations());
  }
  check_database(url, "bottega", bottega_migrations());
  if (sandbox) check_database(sandbox_url, "sandbox", sandbox_migrations());
}

}  // namespace bottega
