#pragma once
// Imports and exports of feeds as the gateway and the jobs do them, and the catalogue as text.
#include "support/world.hpp"
#include "bottega/catalog/feeds.hpp"

namespace bottega::test {

using catalog::FeedFormat, catalog::FeedImport, catalog::FeedState, catalog::Missing,
    catalog::OnError;

struct Feed {
  std::string bytes;
  FeedFormat format = FeedFormat::csv;
  OnError on_error = OnError::skip;
  Missing missing = Missing::keep;
};

// The upload: the job is due.
inline FeedImport upload_feed(World& world, const Shop& shop, const Feed& feed) {
  const auto id = catalog::FeedImportId::make();
  world.transact([&](Tx& tx) { catalog::expect_feed(tx, shop.owner, shop.merchant, id); });
  catalog::FeedIntake intake(world.depot, id);
  auto work = [&]() -> asio::awaitable<void> {
    co_await intake.take(feed.bytes);
    co_await intake.put();
  };
  run(work());
  const catalog::NewFeedImport given{shop.merchant, feed.format, feed.on_error, feed.missing};
  return world.transact(
      [&](Tx& tx) { return catalog::begin_feed(tx, shop.owner, given, id, intake.bytes()); });
}

inline FeedImport feed_now(World& world, const Shop& shop, catalog::FeedImportId id) {
  return world.transact([&](Tx& tx) { return catalog::fetch_feed(tx, shop.owner, id); });
}

inline FeedImport import_feed(World& world, const Shop& shop, const Feed& feed) {
  const auto made = upload_feed(world, shop, feed);
  world.run_jobs();
  return feed_now(world, shop, made.id);
}

inline std::string export_feed(World& world, const Shop& shop, FeedFormat format) {
  const auto merchant =
      world.transact([&](Tx& tx) { return identity::fetch_merchant(tx, shop.merchant); });
  catalog::FeedExport feed(world.db, merchant, format);
  std::string all;
  auto work = [&]() -> asio::awaitable<void> {
    for (bool more = true; more;) {
      const auto bytes = co_await feed.next();
      all += bytes;
      more = !bytes.empty();
    }
  };
  run(work());
  return all;
}

// "12: price: is required" of each remark, and "12: (warning) …".
inline std::vector<std::string> remarks_of(World& world, const Shop& shop,
                                           catalog::FeedImportId id) {
  std::vector<std::string> out;
  const auto all =
      world.transact([&](Tx& tx) { return catalog::feed_report(tx, shop.owner, id, 0, 20'000); });
  for (const auto& one : all)
    out.push_back(std::to_string(one.line) + ": " +
                  (one.severity == catalog::Severity::warning ? "(warning) " : "") +
                  (one.field ? *one.field + ": " : "") + one.detail);
  return out;
}

// All that a feed can say of a shop's catalogue, a line per variant.
inline std::string catalogue_of(World& world, const Shop& shop) {
  return execute(
      world.urls.superuser,
      "SELECT coalesce(string_agg(concat_ws('|', p.handle, p.state, p.title, p.description, "
      "p.brand, p.condition, p.category, p.google_category, p.url, p.images, p.option_names, "
      "p.tax_class, p.needs_shipping, v.sku, v.options, v.gtin, v.mpn, v.prices, v.weight_g, "
      "v.availability, v.available_at, v.image, s.on_hand), E'\\n' ORDER BY p.handle, v.position, "
      "v.sku), '') FROM bottega.products p JOIN bottega.variants v "
      "ON v.merchant_id = p.merchant_id AND v.product_id = p.id LEFT JOIN bottega.stock s "
      "ON s.merchant_id = v.merchant_id AND s.variant_id = v.id WHERE p.merchant_id = '" +
          uuid_text(shop.merchant.uuid) + "'");
}

// One value of the shop's rows.
inline std::string value_of(World& world, const Shop& shop, const std::string& what,
                            const std::string& table, const std::string& where = "true") {
  return execute(world.urls.superuser, "SELECT " + what + " FROM bottega." + table +
                                           " t WHERE t.merchant_id = '" +
                                           uuid_text(shop.merchant.uuid) + "' AND " + where);
}

// So many good rows of single products.
inline std::string plain_rows(int count, int from = 0) {
  std::string out = "id,title,availability,price,inventory\n";
  for (int i = from; i < from + count; ++i) {
    const auto number = std::to_string(i);
    out += "S-" + number + ",Lamp " + number + ",in stock,1" + number + ".50 USD,7\n";
  }
  return out;
}

}  // namespace bottega::test
