// Probe, then index: the next products in order are looked at, and where what is asked for is so
// rare that these do not fill the page, the index of words or of prices is asked for what lies
// behind the last of them. Both are bounded by what they read, and no plan is left to luck: what is
// asked of an index stands alone in a MATERIALIZED part.
#include "bottega/catalog/browse.hpp"

#include <algorithm>

namespace bottega::catalog {
namespace {

// How many products are looked at, and at the first glance for each that is wanted.
constexpr std::int64_t kLook = 1'000, kGlances = 5;
constexpr std::int64_t kLowest = -1, kHighest = INT64_MAX;

struct Asked {
  std::string query;
  bool is_usable = true;
};
BOOST_DESCRIBE_STRUCT(Asked, (), (query, is_usable))

// Words are taken apart as the index takes them apart, and found by how they begin.
const Sql<Asked(MerchantId, State, std::optional<CollectionId>, std::optional<Line<1, 70>>,
                std::optional<Category>, std::optional<Condition>, bool,
                std::optional<Line<1, 200>>)>
    kAsk{"catalog.ask", R"(
    SELECT concat_ws(' & ', quote_literal('m:' || $1::uuid), quote_literal('p:' || $2::text),
                     quote_literal('c:' || $3::uuid), quote_literal('b:' || md5(lower($4::text))),
                     quote_literal(category_tag($5)), quote_literal('k:' || $6::text),
                     CASE WHEN $7::boolean THEN quote_literal('s:in_stock') END, w.words) AS query,
           $8::text IS NULL OR w.words IS NOT NULL AS is_usable
    FROM (SELECT string_agg(quote_literal(x.lexeme)
                              || CASE WHEN length(x.lexeme) >= 3 THEN ':*' ELSE '' END, ' & ')
                 AS words
          FROM unnest(to_tsvector('simple', search_plain($8::text))) AS x) w)"};

// What fits of what was looked at, in order, and then the last one of all, which is a mark.
struct Looked {
  ProductId product_id;
  std::optional<std::int64_t> low;
  bool is_mark = false;
  std::int64_t looked = 0;  // how many were
};
BOOST_DESCRIBE_STRUCT(Looked, (), (product_id, low, is_mark, looked))

// $3 is where to go on, $4 the words (or nothing), $5 and $6 the prices, $7 how many are looked at,
// $8 how many are wanted. The place is counted in the order of the index, as the rows come.
using Probe = Sql<Looked(MerchantId, State, ProductId, std::optional<std::string>, std::int64_t,
                         std::int64_t, std::int64_t, std::int64_t)>;
const Probe kProbeNewest{"catalog.probe_newest", R"(
    WITH looked AS MATERIALIZED (
      SELECT product_id, low,
             ($4::tsquery IS NULL OR words @@ $4::tsquery)
               AND ($5::bigint < 0 OR coalesce(low >= $5, false))
               AND ($6 = 9223372036854775807 OR coalesce(low <= $6, false)) AS fits,
             row_number() OVER (ORDER BY product_id DESC) AS place
      FROM product_index WHERE merchant_id = $1 AND state = $2 AND product_id < $3
      ORDER BY product_id DESC LIMIT $7),
    size AS MATERIALIZED (SELECT max(place) AS looked FROM looked)
    (SELECT l.product_id, l.low, false AS is_mark, s.looked
     FROM looked l CROSS JOIN size s WHERE l.fits ORDER BY l.place LIMIT $8)
    UNION ALL
    SELECT l.product_id, l.low, true AS is_mark, s.looked
    FROM looked l CROSS JOIN size s WHERE l.place = s.looked)"};

// The same by price: $9 is the price to go on from.
using PriceProbe =
    Sql<Looked(MerchantId, State, ProductId, std::optional<std::string>, std::int64_t, std::int64_t,
               std::int64_t, std::int64_t, std::int64_t)>;
const PriceProbe kProbeUp{"catalog.probe_price_up", R"(
    WITH looked AS MATERIALIZED (
      SELECT product_id, low, ($4::tsquery IS NULL OR words @@ $4::tsquery) AS fits,
             row_number() OVER (ORDER BY low, product_id) AS place
      FROM product_index
      WHERE merchant_id = $1 AND state = $2 AND low IS NOT NULL AND (low, product_id) > ($9, $3)
        AND low >= $5 AND low <= $6
      ORDER BY low, product_id LIMIT $7),
    size AS MATERIALIZED (SELECT max(place) AS looked FROM looked)
    (SELECT l.product_id, l.low, false AS is_mark, s.looked
     FROM looked l CROSS JOIN size s WHERE l.fits ORDER BY l.place LIMIT $8)
    UNION ALL
    SELECT l.product_id, l.low, true AS is_mark, s.looked
    FROM looked l CROSS JOIN size s WHERE l.place = s.looked)"};
const PriceProbe kProbeDown{"catalog.probe_price_down", R"(
    WITH looked AS MATERIALIZED (
      SELECT product_id, low, ($4::tsquery IS NULL OR words @@ $4::tsquery) AS fits,
             row_number() OVER (ORDER BY low DESC, product_id DESC) AS place
      FROM product_index
      WHERE merchant_id = $1 AND state = $2 AND low IS NOT NULL AND (low, product_id) < ($9, $3)
        AND low >= $5 AND low <= $6
      ORDER BY low DESC, product_id DESC LIMIT $7),
    size AS MATERIALIZED (SELECT max(place) AS looked FROM looked)
    (SELECT l.product_id, l.low, false AS is_mark, s.looked
     FROM looked l CROSS JOIN size s WHERE l.fits ORDER BY l.place LIMIT $8)
    UNION ALL
    SELECT l.product_id, l.low, true AS is_mark, s.looked
    FROM looked l CROSS JOIN size s WHERE l.place = s.looked)"};

// What lies behind: $3 and $4 as above, $5 and $6 the prices, $7 how many, $8 the price to go on
// from.
using Rest = Sql<Browsed(MerchantId, State, ProductId, std::string, std::int64_t, std::int64_t,
                         std::int64_t, std::int64_t)>;
const Rest kRestNewest{"catalog.rest_newest", R"(
    WITH found AS MATERIALIZED (
      SELECT merchant_id, state, product_id, low FROM product_index WHERE words @@ $4::tsquery)
    SELECT product_id, low FROM found
    WHERE merchant_id = $1 AND state = $2 AND product_id < $3
      AND ($5::bigint < 0 OR low >= $5) AND ($6 = 9223372036854775807 OR low <= $6)
      AND $8::bigint IS NOT NULL
    ORDER BY product_id DESC LIMIT $7)"};
const Rest kRestUp{"catalog.rest_price_up", R"(
    WITH found AS MATERIALIZED (
      SELECT merchant_id, state, product_id, low FROM product_index WHERE words @@ $4::tsquery)
    SELECT product_id, low FROM found
    WHERE merchant_id = $1 AND state = $2 AND (low, product_id) > ($8, $3)
      AND low >= $5 AND low <= $6
    ORDER BY low, product_id LIMIT $7)"};
const Rest kRestDown{"catalog.rest_price_down", R"(
    WITH found AS MATERIALIZED (
      SELECT merchant_id, state, product_id, low FROM product_index WHERE words @@ $4::tsquery)
    SELECT product_id, low FROM found
    WHERE merchant_id = $1 AND state = $2 AND (low, product_id) < ($8, $3)
      AND low >= $5 AND low <= $6
    ORDER BY low DESC, product_id DESC LIMIT $7)"};

// The newest of a few prices, where nothing else is asked for.
const Sql<Browsed(MerchantId, State, ProductId, std::int64_t, std::int64_t, std::int64_t)>
    kRestOfPrices{"catalog.rest_of_prices", R"(
    WITH found AS MATERIALIZED (
      SELECT product_id, low FROM product_index
      WHERE merchant_id = $1 AND state = $2 AND low IS NOT NULL AND low >= $4 AND low <= $5)
    SELECT product_id, low FROM found WHERE product_id < $3 ORDER BY product_id DESC LIMIT $6)"};

bool has_words(const Browse& query) {
  return query.words || query.collection || query.brand || query.category || query.condition ||
         query.in_stock;
}
bool has_prices(const Browse& query) { return query.price_from || query.price_to; }

// One question on its way through the two steps.
struct Search {
  MerchantId merchant;
  State state{};
  Sort sort{};
  std::optional<std::string> words;
  std::int64_t from = kLowest, to = kHighest, limit = 0;
  BrowsePosition after;
};

BrowsePosition start_of(Sort sort, std::optional<BrowsePosition> after) {
  if (after) return *after;
  if (sort == Sort::price_up) return {kLowest, ProductId{}};
  return {kHighest, ProductId::newest()};
}

std::int64_t low_of(const BrowsePosition& position) { return position.low.value_or(kLowest); }

std::optional<std::string> words_of(Tx& tx, const Browse& query) {
  if (!has_words(query)) return std::nullopt;
  const auto asked = tx.one(kAsk, query.merchant, query.state, query.collection, query.brand,
                            query.category, query.condition, query.in_stock, query.words);
  if (!asked.is_usable)
    throw Error(Code::invalid, "nothing is left to look for", {{"q", "has only signs"}});
  return asked.query;
}

std::vector<Looked> probe(Tx& tx, const Search& s, std::int64_t look) {
  if (s.sort == Sort::newest)
    return tx.all(kProbeNewest, s.merchant, s.state, s.after.id, s.words, s.from, s.to, look,
                  s.limit);
  return tx.all(s.sort == Sort::price_up ? kProbeUp : kProbeDown, s.merchant, s.state, s.after.id,
                s.words, s.from, s.to, look, s.limit, low_of(s.after));
}

std::vector<Browsed> rest(Tx& tx, const Search& s, const BrowsePosition& last,
                          std::int64_t wanted) {
  if (!s.words) return tx.all(kRestOfPrices, s.merchant, s.state, last.id, s.from, s.to, wanted);
  const auto& statement = s.sort == Sort::newest     ? kRestNewest
                          : s.sort == Sort::price_up ? kRestUp
                                                     : kRestDown;
  return tx.all(statement, s.merchant, s.state, last.id, *s.words, s.from, s.to, wanted,
                low_of(last));
}

// Where nothing but the order is asked for, what is looked at is the page.
bool is_plain(const Search& s) {
  return !s.words && (s.sort != Sort::newest || (s.from == kLowest && s.to == kHighest));
}

// What a walk through the next products has found so far.
struct Walk {
  std::vector<Browsed> found;
  BrowsePosition at;      // the last that was looked at
  bool is_ended = false;  // nothing lies behind it
};

void look_on(Tx& tx, Search s, Walk& walk, std::int64_t look) {
  s.after = walk.at;
  s.limit -= std::ssize(walk.found);
  const auto looked = probe(tx, s, look);
  for (const auto& row : looked)
    if (!row.is_mark) walk.found.push_back({row.product_id, row.low});
  const auto mark = std::ranges::find(looked, true, &Looked::is_mark);
  walk.is_ended = mark == looked.end() || mark->looked < look;
  if (mark != looked.end()) walk.at = {mark->low, mark->product_id};
}

// A glance says how rare it is. It is looked on only where as much again will fill the page.
std::vector<Browsed> run(Tx& tx, const Search& s) {
  Walk walk{{}, s.after};
  const auto glance = is_plain(s) ? s.limit : std::min(kGlances * s.limit, kLook);
  look_on(tx, s, walk, glance);
  const auto is_full = [&] { return std::ssize(walk.found) == s.limit; };
  if (is_plain(s) || is_full() || walk.is_ended) return walk.found;
  const auto left = kLook - glance;
  const auto likely = std::ssize(walk.found) * left / glance;
  if (likely >= s.limit - std::ssize(walk.found)) look_on(tx, s, walk, left);
  if (is_full() || walk.is_ended) return walk.found;
  const auto behind = rest(tx, s, walk.at, s.limit - std::ssize(walk.found));
  walk.found.insert(walk.found.end(), behind.begin(), behind.end());
  return walk.found;
}

}  // namespace

std::vector<Browsed> browse(Tx& tx, const Who& who, const Browse& query,
                            std::optional<BrowsePosition> after, std::int64_t limit) {
  if (query.state != State::published && !sees_all(tx, who, query.merchant))
    throw Error(Code::not_found, "there is no such thing, or it is not yours");
  Search search{query.merchant, query.state, query.sort, words_of(tx, query),
                kLowest,        kHighest,    limit,      start_of(query.sort, after)};
  if (query.price_from) search.from = *query.price_from;
  if (query.price_to) search.to = *query.price_to;
  if (has_prices(query) && search.from > search.to)
    throw Error(Code::invalid, "there is no such price",
                {{"price_to", "must be price_from or more"}});
  return run(tx, search);
}

}  // namespace bottega::catalog
