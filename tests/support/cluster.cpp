#include "support/cluster.hpp"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <pqxx/pqxx>

#include "storage/embedded_postgres.hpp"
#include "bottega/storage/migrate.hpp"

namespace bottega::test {
namespace {

std::unique_ptr<Cluster>& slot() {
  static std::unique_ptr<Cluster> cluster;
  return cluster;
}
constexpr const char* kTemplate = "bottega_template";

std::filesystem::path temporary_path() {
  constexpr const char* kMemory = "/dev/shm";
  constexpr std::uint64_t kRoom = std::uint64_t{4} << 30;
  struct statvfs found {};
  const bool is_roomy = getenv("TMPDIR") == nullptr && statvfs(kMemory, &found) == 0 &&
                        std::uint64_t{found.f_bavail} * found.f_frsize >= kRoom;
  return is_roomy ? kMemory : std::filesystem::temp_directory_path();
}

}  // namespace

TempDir::TempDir() {
  auto pattern = (temporary_path() / "bottega-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
  // The cluster's user must be able to pass through.
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Cluster& Cluster::shared() {
  if (!slot()) slot() = std::make_unique<Cluster>();
  return *slot();
}
void Cluster::stop_shared() { slot().reset(); }

Cluster::Cluster()
    : postgres_(std::make_unique<storage::EmbeddedPostgres>(storage::EmbeddedOptions{
          dir_.path() / "data", "", "postgres", [](auto, const auto&) {}})) {
  prepare_cluster(postgres_->url(storage::EmbeddedPostgres::kSuperuser, "postgres"), kTemplate);
  const auto urls = urls_of(kTemplate);
  migrate(urls.owner, "bottega", bottega_migrations());
  migrate(urls.owner, "sandbox", sandbox_migrations());
}
Cluster::~Cluster() = default;

Urls Cluster::urls_of(const std::string& database) const {
  return {postgres_->url("bottega_app", database), postgres_->url("bottega_owner", database),
          postgres_->url("bottega_sandbox", database),
          postgres_->url(storage::EmbeddedPostgres::kSuperuser, database), database};
}

std::string Cluster::next_name() { return "test_" + std::to_string(++made_); }

Urls Cluster::fresh_database() {
  const auto name = next_name();
  execute(postgres_->url(storage::EmbeddedPostgres::kSuperuser, "postgres"),
          "CREATE DATABASE " + name + " TEMPLATE " + kTemplate + " OWNER bottega_owner");
  return urls_of(name);
}

Urls Cluster::empty_database() {
  const auto name = next_name();
  execute(postgres_->url(storage::EmbeddedPostgres::kSuperuser, "postgres"),
          "CREATE DATABASE " + name + " OWNER bottega_owner");
  return urls_of(name);
}

void Cluster::drop_shared(const Urls& urls) noexcept {
  if (!slot()) return;
  try {
    execute(slot()->postgres_->url(storage::EmbeddedPostgres::kSuperuser, "postgres"),
            "DROP DATABASE " + urls.name + " WITH (FORCE)");
  } catch (const std::exception&) {
    // A test may have stopped its PostgreSQL.
  }
}

std::string execute(const std::string& url, const std::string& statements) {
  pqxx::connection link(url);
  pqxx::nontransaction work(link);
  const auto rows = work.exec(statements);
  if (rows.empty() || rows.columns() == 0 || rows[0][0].is_null()) return "";
  return rows[0][0].c_str();
}

}  // namespace bottega::test
