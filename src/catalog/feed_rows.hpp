#pragma once
// Imports of feeds as they are stored, and how far they have got.
#include "bottega/catalog/feeds.hpp"

namespace bottega::catalog {

// Where the file is in the store.
std::string key_of(FeedImportId id);

// The import for whoever goes on with it; none where it is over.
std::optional<FeedImport> open_feed(Tx& tx, MerchantId merchant, FeedImportId id);
// The check begins anew: nothing is known of the file. One import of a shop runs at a time, in the
// order in which they came: what one archives another may be bringing.
struct Turn {
  enum class Is : std::uint8_t { now, later, over } is{};  // over: it was cancelled meanwhile
  FeedImport import = {};
};
Turn begin_check(Tx& tx, const FeedImport& import);

// What a check has found since it was last written down.
struct CheckedPart {
  std::int64_t bytes_read = 0, rows_read = 0, rows_good = 0, rows_bad = 0;  // so far, in all
  std::int64_t faults = 0, warnings = 0;
  std::vector<FeedRemark> remarks;
};
// False where it is not to go on: somebody has cancelled it.
bool save_check(Tx& tx, const FeedImport& import, const CheckedPart& part);
// The end of the check, or of the import.
void end_feed(Tx& tx, const FeedImport& import, FeedEvent on, std::optional<std::string> reason);

// Says that the file is in the catalogue up to a row; false where another has come before, or it
// was cancelled. With the rows, in one transaction.
bool advance_feed(Tx& tx, const FeedImport& import, std::int64_t from, std::int64_t upto);
// Archives some of what the file does not have, from after this product on; answers where it has
// got to, and nothing at the end.
std::optional<ProductId> archive_missing(Tx& tx, const FeedImport& import, ProductId after);

// Tells the merchant's side how far it is.
void tell_progress(Tx& tx, const FeedImport& import);

}  // namespace bottega::catalog
