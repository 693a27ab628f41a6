#pragma once
// Rows of a feed on their way into the catalogue: columns of some thousand rows, written by a few
// statements.
#include <map>
#include <set>

#include "catalog/feed_item.hpp"

namespace bottega::catalog {

// In this transaction each row is looked up by its key, however small PostgreSQL takes the tables
// to be.
void prefer_keys(Tx& tx);

class FeedBatch {
 public:
  // Number of the row in the file, from 1. Rows come in order.
  void add(std::int64_t row, const FeedItem& item);
  // A row that is left out: the file has the thing all the same.
  void leave_out(std::int64_t row, std::string_view sku, std::string_view handle);

  std::size_t rows() const { return skus_.size(); }
  std::size_t bytes() const { return bytes_; }
  // A thing is written once by a statement.
  bool has(std::string_view sku) const { return known_skus_.contains(sku); }
  // The last row that it holds or leaves out.
  std::int64_t upto() const { return upto_; }
  const std::string& last_handle() const { return last_handle_; }

  // Writes all of it: what is as it was stays untouched. Safe to do again. `taken` are the
  // currencies in which the shop sells.
  void write(Tx& tx, MerchantId merchant, const std::vector<Currency>& taken);
  // Notes what the file has, so that the rest can be told.
  void note_seen(Tx& tx, MerchantId merchant, FeedImportId import) const;

 private:
  using Texts = std::vector<std::optional<std::string>>;
  using Names = std::vector<std::string>;

  void add_product(const FeedItem& item);
  void find_homes(Tx& tx, MerchantId merchant);
  std::vector<ProductId> write_products(Tx& tx, MerchantId merchant) const;
  std::vector<ProductId> write_variants(Tx& tx, MerchantId merchant) const;
  Texts states() const;
  std::vector<ProductId> withdraw_unpriced(Tx& tx, MerchantId merchant,
                                           const std::vector<Currency>& taken) const;
  std::vector<ProductId> write_stock(Tx& tx, MerchantId merchant) const;
  void fit_options(Tx& tx, MerchantId merchant, const std::vector<ProductId>& changed,
                   bool is_news_only) const;

  std::int64_t upto_ = 0;
  std::size_t bytes_ = 0;
  std::string last_handle_;
  std::set<std::string, std::less<>> known_skus_;
  std::map<std::string, std::size_t, std::less<>> known_handles_;  // and where their products are
  bool has_stock_ = false, has_open_options_ = false, is_alone_ = false;

  // Of products, once each.
  std::vector<ProductId> products_;
  Names handles_, titles_;
  Texts descriptions_, brands_, conditions_, categories_, google_categories_, urls_, images_,
      option_names_, states_, tax_classes_;
  std::vector<std::optional<bool>> needs_shipping_;
  std::vector<bool> are_priced_;  // by one of the rows

  // Of variants.
  std::vector<VariantId> variants_;
  Names of_, skus_, prices_, availabilities_;
  Texts options_, gtins_, mpns_, own_images_;
  std::vector<std::int64_t> positions_;
  std::vector<bool> all_prices_, exact_images_, says_sale_, says_dates_, says_date_, keeps_home_;
  std::vector<std::optional<std::int64_t>> weights_, on_hand_;
  std::vector<std::optional<Instant>> available_at_;

  std::set<std::string, std::less<>> unpriced_handles_;
  Names left_out_skus_, left_out_handles_;
};

}  // namespace bottega::catalog
