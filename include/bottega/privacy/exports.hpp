#pragma once
// A copy of everything that the server has on a person (GDPR, 15 and 20): a JSON file in the store
// of attachments, made by a job and removed after some hours.
#include "bottega/attachments/depot.hpp"
#include "bottega/identity/identity.hpp"

namespace bottega::privacy {

using identity::AccountId;
using ExportId = Id<"exp">;

struct Export {
  ExportId id;
  AccountId account_id;
  std::string requested_by;  // the person, or who of the staff
  Instant created_at{}, expires_at{};
  std::optional<Instant> ready_at;
  std::optional<std::int64_t> bytes;
  std::optional<std::string> sha256;
};
BOOST_DESCRIBE_STRUCT(Export, (),
                      (id, account_id, requested_by, created_at, expires_at, ready_at, bytes,
                       sha256))

struct ExportRules {
  std::chrono::hours keep, every;
};

// Throws Error(not_found) where there is no such account, Error(rate_limited) where the last export
// was made a short time ago.
Export ask_export(Tx& tx, AccountId account, const std::string& actor, const ExportRules& rules);
std::vector<Export> exports_of(Tx& tx, AccountId account);
// One that can be fetched; throws Error(not_found).
Export fetch_export(Tx& tx, ExportId id);
// Has all of them removed now.
void drop_exports(Tx& tx, AccountId account);

// Where the file is in the store, and the words by which its links are sealed.
std::string key_of(ExportId id);
std::string words_of(ExportId id);

// The jobs; both are safe to do again.
inline constexpr std::string_view kExportJob = "privacy.export";
inline constexpr std::string_view kClearExportJob = "privacy.clear_export";
asio::awaitable<void> make_export(Database& db, attachments::Depot& depot, ExportId id);
asio::awaitable<void> clear_export(Database& db, attachments::Depot& depot, ExportId id);

}  // namespace bottega::privacy
