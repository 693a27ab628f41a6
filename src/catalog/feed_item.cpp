#include "catalog/feed_item.hpp"

#include <algorithm>

#include "catalog/rows.hpp"

#include "bottega/core/error.hpp"

namespace bottega::catalog {

void FeedMapper::fault(Field field, std::string detail) {
  remarks_.push_back({Severity::error, name_of(field), std::move(detail)});
  ++faults_;
}

void FeedMapper::warn(Field field, std::string detail) {
  remarks_.push_back({Severity::warning, name_of(field), std::move(detail)});
}

void FeedMapper::learn() {
  for (auto i = fields_.size(); i < reader_.columns().size(); ++i) {
    fields_.push_back(field_of(reader_.columns()[i]));
    if (fields_.back() == Field::unknown) unknown_.push_back(reader_.columns()[i]);
  }
}

void FeedMapper::check_head() const {
  if (!reader_.has_head()) return;
  Faults faults;
  for (const auto field : {Field::id, Field::title, Field::availability, Field::price}) {
    const auto has = [&](const std::string& name) { return field_of(name) == field; };
    if (!std::ranges::any_of(reader_.columns(), has))
      faults.push_back({std::string(name_of(field)), "is no column of the file, and must be one"});
  }
  if (!faults.empty())
    throw Error(Code::invalid, "the head has no column " + faults.front().pointer, faults);
}

const FeedItem* FeedMapper::judge(const FeedRow& row) {
  learn();
  remarks_.clear();
  faults_ = 0;
  item_ = {};
  is_whole_ = row.fault.empty();
  if (!row.fault.empty()) {
    remarks_.push_back({Severity::error, {}, row.fault});
    return nullptr;
  }
  collect(row);
  read_extra();
  read_names();
  read_product();
  read_images();
  read_price();
  read_variant();
  read_options();
  apply_extra();
  if (faults_ == 0) find_place();
  return faults_ == 0 ? &item_ : nullptr;
}

void FeedMapper::collect(const FeedRow& row) {
  values_ = {};
  there_ = {};
  links_.clear();
  if (reader_.has_head())
    for (const auto field : fields_)
      if (field < Field::ignored) there_[static_cast<std::size_t>(field)] = true;
  for (const auto& cell : row.cells) {
    const auto field = fields_[cell.column];
    const auto value = trimmed(row.at(cell));
    if (field >= Field::ignored || value.empty()) continue;
    const auto at = static_cast<std::size_t>(field);
    there_[at] = true;
    // Another row may be in it, behind a quote that is closed too late.
    if (reader_.has_head() && field != Field::description && value.find('\n') != value.npos)
      is_whole_ = false;
    if (field == Field::more_images) {
      split_feed_links(value, links_);
    } else if (values_[at].empty()) {
      values_[at] = value;
    } else if (values_[at] != value) {
      warn(field, "is given twice; the first one counts");
    }
  }
}

FeedItem::View FeedMapper::text(Field field, std::size_t most, Lines lines, Else otherwise) {
  if (!is_there(field)) return std::nullopt;
  const auto value = given(field);
  if (value.empty()) return value;
  const bool is_short = value.size() <= most || code_points(value) <= most;
  const bool is_seen = lines == Lines::many || is_visible(value);
  if (is_short && is_clean(value, lines) && is_seen) return value;
  const auto words = is_short ? std::string("has characters that cannot be shown")
                              : "has more than " + std::to_string(most) + " characters";
  if (otherwise == Else::fault)
    fault(field, words);
  else
    warn(field, words + ", and is left out");
  return std::nullopt;
}

template <class T>
std::optional<T> FeedMapper::take(Field field, Read<T> read) {
  if (!read.value)
    fault(field, std::move(read.words));
  else if (!read.words.empty())
    warn(field, std::move(read.words));
  return read.value;
}

// What we write ourselves and cannot be said otherwise.
void FeedMapper::read_extra() {
  if (given(Field::extra).empty()) return;
  try {
    item_.extra = from_json<FeedExtra>(parse_json(given(Field::extra)));
  } catch (const Error& error) {
    is_whole_ = false;  // the SKU may be in it
    const auto& faults = error.faults();
    fault(Field::extra,
          faults.empty() ? error.what() : faults.front().pointer + ' ' + faults.front().detail);
  }
}

void FeedMapper::read_names() {
  const auto needed = [&](Field field, std::size_t most) {
    if (given(field).empty()) fault(field, "is required");
    return text(field, most, Lines::one, Else::fault).value_or("");
  };
  item_.sku = item_.extra.sku ? item_.extra.sku->value : needed(Field::id, 50);
  item_.title = item_.extra.title ? item_.extra.title->value : needed(Field::title, 150);
  const auto group = text(Field::group, 100, Lines::one, Else::fault).value_or("");
  item_.handle = group.empty() ? item_.sku : group;
  if (item_.extra.handle) item_.handle = item_.extra.handle->value;
  item_.keeps_home = !is_there(Field::group) && !item_.extra.handle;
}

void FeedMapper::read_product() {
  item_.description = text(Field::description, 9'999, Lines::many, Else::fault);
  item_.brand = text(Field::brand, 70, Lines::one, Else::fault);
  item_.category = text(Field::product_type, 750, Lines::one, Else::leave_out);
  if (item_.category && !item_.category->empty()) {
    if (auto path = category_path(*item_.category)) {
      category_ = *std::move(path);
      item_.category = category_;
    } else {
      warn(Field::product_type, "is no path of at most 10 names, and is left out");
      item_.category.reset();
    }
  }
  item_.google_category = text(Field::google_category, 100, Lines::one, Else::leave_out);
  item_.url = text(Field::link, 2'000, Lines::one, Else::fault);
  if (item_.url && item_.url->starts_with("http://")) {
    warn(Field::link, "is not https, and is left out");
    item_.url.reset();
  } else if (item_.url && !item_.url->empty() && !is_web_url(*item_.url)) {
    fault(Field::link, "must be an absolute https URL");
  }
  if (!given(Field::condition).empty())
    item_.condition = take(Field::condition, read_feed_condition(given(Field::condition)));
  else if (is_there(Field::condition))
    item_.condition = Condition::brand_new;
  if (!given(Field::status).empty())
    if (const auto is_active = take(Field::status, read_feed_status(given(Field::status))))
      item_.state = *is_active ? State::published : State::archived;
}

// In the form that the catalogue writes itself.
void FeedMapper::read_images() {
  const auto json_of = [](std::string_view url) {
    return R"({"attachment_id":null,"url":)" + json_quoted(url) + '}';
  };
  const auto is_taken = [&](Field field, std::string_view url) {
    if (url.starts_with("http://")) warn(field, "is not https, and is left out");
    if (url.starts_with("http://")) return false;
    if (!is_web_url(url)) fault(field, "must be an absolute https URL");
    return is_web_url(url);
  };
  if (!is_there(Field::image_link) && !is_there(Field::more_images)) return;
  std::string all;
  std::size_t count = 0;
  const auto add = [&](std::string_view url) {
    if (count++ < kImagesMax) all += (all.empty() ? "" : ",") + json_of(url);
  };
  const auto first = given(Field::image_link);
  if (!first.empty() && is_taken(Field::image_link, first)) {
    add(first);
    if (!given(Field::group).empty()) item_.image = json_of(first);
  }
  for (const auto url : links_)
    if (is_taken(Field::more_images, url)) add(url);
  if (count > kImagesMax)
    warn(Field::more_images, "has more than 20 images with the first; the rest is left out");
  item_.images = '[' + all + ']';
}

void FeedMapper::read_price() {
  const auto text_of_price = given(Field::price);
  item_.says_sale = is_there(Field::sale_price);
  item_.says_dates = is_there(Field::sale_dates);
  if (item_.extra.prices) return read_all_prices(*item_.extra.prices);
  if (text_of_price.empty()) return fault(Field::price, "is required");
  const auto price = take(Field::price, read_feed_price(text_of_price));
  std::optional<FeedPrice> sale;
  std::optional<FeedDates> dates;
  if (!given(Field::sale_price).empty())
    sale = take(Field::sale_price, read_feed_price(given(Field::sale_price)));
  if (!given(Field::sale_dates).empty())
    dates = take(Field::sale_dates, read_feed_dates(given(Field::sale_dates)));
  if (!price) return;
  item_.is_priced = is_taken(price->currency);
  // What nobody may buy may have any price.
  if (!item_.is_priced && is_for_sale())
    fault(Field::price, "is in a currency that the shop does not take");
  if (sale && sale->currency != price->currency)
    return fault(Field::sale_price, "is in another currency than the price");
  if (sale && sale->amount >= price->amount)
    return fault(Field::sale_price, "must be less than the price");
  const auto moment = [](const std::optional<Instant>& at) {
    return at ? '"' + to_text(*at) + '"' : std::string("null");
  };
  item_.prices = R"([{"amount":)" + std::to_string(price->amount) +
                 R"(,"compare_at":null,"currency":")" + std::string(price->currency.code()) +
                 R"(","sale":)";
  if (sale) {
    const auto [from, until] = dates.value_or(FeedDates{});
    item_.prices += R"({"amount":)" + std::to_string(sale->amount) + R"(,"ends_at":)" +
                    moment(until) + R"(,"starts_at":)" + moment(from) + "}}]";
  } else {
    item_.prices += "null}]";
  }
}

// In several currencies, or none. A product is published with one price that the shop takes, but
// not each of its variants needs one.
void FeedMapper::read_all_prices(const Prices& prices) {
  Faults twice;
  check_prices(prices, twice, "");
  if (!twice.empty()) return fault(Field::extra, "has two prices in one currency");
  item_.prices = to_json(prices).dump();
  item_.has_all_prices = true;
  item_.is_priced = std::ranges::any_of(
      prices, [&](const VariantPrice& price) { return is_taken(price.currency); });
  if (!item_.is_priced && is_for_sale())
    warn(Field::price,
         "is in no currency that the shop takes: a product without such a price is not published");
}

// Where nothing else is said, it is.
bool FeedMapper::is_for_sale() const {
  return item_.extra.state.value_or(item_.state.value_or(State::published)) == State::published;
}

bool FeedMapper::is_taken(Currency currency) const {
  return std::ranges::find(taken_, currency) != taken_.end();
}

void FeedMapper::read_variant() {
  item_.gtin = given(Field::gtin);
  if (!is_there(Field::gtin)) item_.gtin.reset();
  if (!given(Field::gtin).empty() && !is_gtin(given(Field::gtin)))
    fault(Field::gtin,
          "must be 8, 12, 13 or 14 digits with their check digit, of no restricted "
          "prefix");
  item_.mpn = text(Field::mpn, 70, Lines::one, Else::leave_out);
  const auto availability = given(Field::availability);
  std::optional<Availability> known;
  if (availability.empty())
    fault(Field::availability, "is required");
  else
    known = take(Field::availability, read_feed_availability(availability));
  item_.availability = known.value_or(Availability::in_stock);
  item_.says_date = is_there(Field::availability_date);
  if (!given(Field::availability_date).empty())
    item_.available_at =
        take(Field::availability_date, read_feed_instant(given(Field::availability_date)));
  else if (known == Availability::preorder)
    fault(Field::availability_date, "is required for a preorder");
  if (!given(Field::quantity).empty())
    item_.on_hand = take(Field::quantity, read_feed_count(given(Field::quantity)));
  if (!given(Field::weight).empty())
    item_.weight_g = take(Field::weight, read_feed_weight(given(Field::weight)));
}

void FeedMapper::read_options() {
  constexpr Field kOptions[] = {Field::color, Field::size, Field::material, Field::pattern};
  if (std::ranges::none_of(kOptions, [&](Field field) { return is_there(field); })) return;
  std::string names, values;
  std::size_t count = 0;
  for (const auto field : kOptions) {
    const auto value = text(field, 100, Lines::one, Else::fault).value_or("");
    if (value.empty()) continue;
    if (++count > kOptionsMax) {
      warn(field, "is the fourth option, and is left out");
      continue;
    }
    names += (names.empty() ? "\"" : ",\"") + std::string(name_of(field)) + '"';
    values += (values.empty() ? "" : ",") + json_quoted(value);
  }
  item_.option_names = '[' + names + ']';
  item_.options = '[' + values + ']';
}

void FeedMapper::apply_extra() {
  const auto& extra = item_.extra;
  const auto view = [](const auto& from, FeedItem::View& to) {
    if (from) to = std::string_view(from->value);
  };
  view(extra.description, item_.description);
  view(extra.brand, item_.brand);
  view(extra.mpn, item_.mpn);
  view(extra.category, item_.category);
  view(extra.google_category, item_.google_category);
  if (extra.state) item_.state = extra.state;
  if (extra.images) item_.images = to_json(*extra.images).dump();
  if (extra.options || extra.option_names) apply_extra_options();
  if (extra.own_image) {
    item_.is_exact_image = true;
    item_.image.reset();
    if (extra.image) item_.image = to_json(*extra.image).dump();
  }
}

// What is not for sale may lack some still.
void FeedMapper::apply_extra_options() {
  const auto& names = item_.extra.option_names;
  const auto& options = item_.extra.options;
  if (!names || !options || (is_for_sale() && options->size() != names->size()))
    return fault(Field::extra, "must have as many options as names of them");
  Faults twice;
  check_names(*names, twice, "");
  if (!twice.empty()) return fault(Field::extra, "has two options of one name");
  item_.option_names = to_json(*names).dump();
  item_.options = to_json(*options).dump();
}

// Against the rows before it.
void FeedMapper::find_place() {
  if (!seen_.is_new_sku(item_.sku)) return fault(Field::id, "is in the file already");
  const auto names = item_.option_names ? std::string_view(*item_.option_names) : "[]";
  const auto place = seen_.place_in(item_.handle, names);
  if (!place.fits) return fault(Field::group, "has other options here than in an earlier row");
  if (place.before >= kVariantsMax) return fault(Field::group, "has more than 100 variants");
  const auto choice = item_.options ? std::string_view(*item_.options) : "[]";
  if (!seen_.is_new_choice(item_.handle, choice))
    return fault(Field::group, "has the same options as an earlier row");
  seen_.count_in(item_.handle);
  item_.is_first = place.before == 0;
  item_.position = place.before;
}

}  // namespace bottega::catalog
