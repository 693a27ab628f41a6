#pragma once
// What is written in the fields of product feeds, in all the ways that Google and Meta take it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/catalog/fields.hpp"
#include "bottega/core/instant.hpp"

namespace bottega::catalog {

// A value, or what is wrong with it; and what was tolerated about it.
template <class T>
struct Read {
  std::optional<T> value;
  std::string words = {};  // of the fault, or of the warning where there is a value
};

struct FeedPrice {
  std::int64_t amount = 0;
  Currency currency;
};
// "12.50 EUR" in the currency's decimals.
Read<FeedPrice> read_feed_price(std::string_view text);

struct FeedDates {
  std::optional<Instant> from, until;  // `until` is not in it
};
// "start/end" in ISO 8601, and Meta's "2026-12-01T0:00-23:59/2026-12-24T0:00-23:59", which is from
// the beginning of one day to the end of another. Either side may be left out.
Read<FeedDates> read_feed_dates(std::string_view text);
Read<Instant> read_feed_instant(std::string_view text);

// "1.5 kg" in grams, rounded half up.
Read<std::int64_t> read_feed_weight(std::string_view text);
Read<std::int64_t> read_feed_count(std::string_view text);
Read<Availability> read_feed_availability(std::string_view text);
Read<Condition> read_feed_condition(std::string_view text);
// Whether it is active, or archived.
Read<bool> read_feed_status(std::string_view text);

// The addresses of a list with commas, which are part of an address too.
void split_feed_links(std::string_view text, std::vector<std::string_view>& out);

std::string_view trimmed(std::string_view text);

}  // namespace bottega::catalog
