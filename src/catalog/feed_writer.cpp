#include "catalog/feed_writer.hpp"

#include <algorithm>

namespace bottega::catalog {
namespace {

constexpr std::string_view kColumns[] = {"id",
                                         "title",
                                         "description",
                                         "availability",
                                         "availability_date",
                                         "condition",
                                         "price",
                                         "sale_price",
                                         "sale_price_effective_date",
                                         "link",
                                         "image_link",
                                         "additional_image_link",
                                         "brand",
                                         "gtin",
                                         "mpn",
                                         "item_group_id",
                                         "color",
                                         "size",
                                         "material",
                                         "pattern",
                                         "product_type",
                                         "google_product_category",
                                         "quantity_to_sell_on_facebook",
                                         "shipping_weight",
                                         "status",
                                         kExtraColumn};
constexpr std::string_view kOptions[] = {"color", "size", "material", "pattern"};

// The cells of a row by their columns.
using Cells = std::map<std::string_view, std::string>;

// Whether a reader that trims, and XML, which has no U+FFFE and U+FFFF, give the same text again.
bool survives(std::string_view text) {
  return trimmed(text) == text && text.find("\xEF\xBF\xBE") == text.npos &&
         text.find("\xEF\xBF\xBF") == text.npos;
}

std::string shown(std::string_view text) {
  std::string out(trimmed(text));
  for (const std::string_view none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})
    for (auto at = out.find(none); at != out.npos; at = out.find(none, at))
      out.replace(at, none.size(), "\xEF\xBF\xBD");
  return out;
}

// Writes a text into its cell, and beside it where it would not come back the same.
template <class T>
void put(Cells& cells, std::string_view column, const std::string& text, std::optional<T>& extra) {
  cells[column] = shown(text);
  if (!survives(text) || cells[column].empty() != text.empty()) extra = T{text};
}

std::string price_text(std::int64_t amount, Currency currency) {
  return decimal({amount, currency}) + ' ' + std::string(currency.code());
}

// The first price that a reader takes stands for all.
void put_prices(Cells& cells, const Prices& prices, const std::vector<Currency>& taken,
                FeedExtra& extra) {
  const auto& all = prices.items;
  auto price = std::ranges::find_if(all, [&](const VariantPrice& one) {
    return std::ranges::find(taken, one.currency) != taken.end();
  });
  if (all.size() != 1 || price == all.end() || price->compare_at) extra.prices = prices;
  if (price == all.end()) price = all.begin();
  if (price == all.end()) return;
  cells["price"] = price_text(price->amount, price->currency);
  if (!price->sale) return;
  cells["sale_price"] = price_text(price->sale->amount, price->currency);
  const auto& from = price->sale->starts_at;
  const auto& until = price->sale->ends_at;
  if (from || until)
    cells["sale_price_effective_date"] =
        (from ? to_text(*from) : "") + '/' + (until ? to_text(*until) : "");
}

void put_options(Cells& cells, const FeedLine& line, FeedExtra& extra) {
  const auto* next = std::begin(kOptions);
  bool is_plain = line.options.size() == line.option_names.size();
  for (std::size_t i = 0; i < line.option_names.size() && i < line.options.size(); ++i) {
    const auto& name = line.option_names.items[i].value;
    const auto& value = line.options.items[i].value;
    const auto* found = std::ranges::find(kOptions, name);
    if (found != std::end(kOptions)) cells[*found] = shown(value);
    const auto* in_order = std::find(next, std::end(kOptions), name);
    is_plain = is_plain && in_order != std::end(kOptions) && survives(value);
    if (in_order != std::end(kOptions)) next = in_order + 1;
  }
  if (is_plain) return;
  extra.option_names = line.option_names;
  extra.options = line.options;
}

// The addresses that can be told, and whether they are all and come back one by one.
bool list_urls(const Images& images, std::vector<std::string>& urls) {
  bool are_all = true;
  for (const auto& image : images) {
    if (image.url) urls.push_back(image.url->value);
    are_all = are_all && image.url && image.url->value.find(',') == std::string::npos;
  }
  return are_all;
}

// See FeedMapper::read_images() for what a reader makes of them.
void put_images(Cells& cells, std::vector<std::string>& more, const FeedLine& line,
                FeedWriter::Place place, FeedExtra& extra) {
  bool is_plain = list_urls(line.images, more);
  std::string first = more.empty() ? "" : more.front();
  if (line.image) {
    const bool is_own = line.image->url && line.image->url->value != first;
    is_plain = is_plain && is_own && place == FeedWriter::Place::later && line.handle != line.sku;
    if (line.image->url) first = line.image->url->value;
  }
  if (!more.empty()) more.erase(more.begin());
  cells["image_link"] = first;
  if (is_plain) return;
  extra.images = line.images;
  extra.own_image = true;
  extra.image = line.image;
}

void put_product(Cells& cells, const FeedLine& line, FeedExtra& extra) {
  put(cells, "title", line.title, extra.title);
  put(cells, "description", line.description, extra.description);
  if (line.brand) put(cells, "brand", *line.brand, extra.brand);
  if (line.category) put(cells, "product_type", *line.category, extra.category);
  if (line.google_category)
    put(cells, "google_product_category", *line.google_category, extra.google_category);
  cells["condition"] = text_of(line.condition);
  cells["link"] = line.url.value_or("");
  cells["status"] = line.state == State::published ? "active" : "archived";
  if (line.state == State::draft) extra.state = line.state;
  if (line.handle != line.sku) put(cells, "item_group_id", line.handle, extra.handle);
  if (line.tax_class != "standard") extra.tax_class = TaxClass{line.tax_class};
  if (!line.needs_shipping) extra.needs_shipping = false;
}

void put_variant(Cells& cells, const FeedLine& line, const std::vector<Currency>& taken,
                 FeedExtra& extra) {
  put(cells, "id", line.sku, extra.sku);
  cells["availability"] = text_of(line.availability);
  if (line.available_at) cells["availability_date"] = to_text(*line.available_at);
  cells["gtin"] = line.gtin.value_or("");
  if (line.mpn) put(cells, "mpn", *line.mpn, extra.mpn);
  if (line.weight_g) cells["shipping_weight"] = std::to_string(*line.weight_g) + " g";
  if (line.on_hand) cells["quantity_to_sell_on_facebook"] = std::to_string(*line.on_hand);
  put_prices(cells, line.prices, taken, extra);
  put_options(cells, line, extra);
}

// Only what is said; all in ASCII, which every format takes.
std::string text_of_extra(const FeedExtra& extra) {
  Json said = Json::object();
  const auto all = to_json(extra);
  for (const auto& [name, value] : all.items())
    if (!value.is_null()) said[name] = value;
  return said.empty() ? "" : said.dump(-1, ' ', true);
}

void append_cell(std::string& to, const std::string& cell, char separator) {
  const bool is_special = cell.find_first_of("\r\n") != cell.npos ||
                          cell.find(separator) != cell.npos || cell.starts_with('"') ||
                          (separator == ',' && cell.find('"') != cell.npos);
  if (!is_special) {
    to += cell;
    return;
  }
  to += '"';
  for (const char c : cell) to.append(c == '"' ? 2 : 1, c);
  to += '"';
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\r')
      out += "&#13;";
    else
      out += c;
  }
  return out;
}

std::string text_row(const Cells& cells, char separator) {
  std::string out;
  for (const auto& column : kColumns) {
    if (&column != std::begin(kColumns)) out += separator;
    const auto found = cells.find(column);
    if (found != cells.end()) append_cell(out, found->second, separator);
  }
  return out + "\r\n";
}

void append_element(std::string& to, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  const auto tag = "g:" + std::string(name);
  to += '<' + tag + '>' + escaped(text) + "</" + tag + '>';
}

}  // namespace

std::string FeedWriter::head(const std::string& shop) const {
  if (format_ == FeedFormat::xml)
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>" +
           escaped(shown(shop)) + "</title>\n";
  Cells names;
  for (const auto& column : kColumns) names[column] = column;
  return text_row(names, format_ == FeedFormat::csv ? ',' : '\t');
}

std::string FeedWriter::line(const FeedLine& line, Place place) const {
  Cells cells;
  FeedExtra extra;
  std::vector<std::string> more;
  put_product(cells, line, extra);
  put_variant(cells, line, taken_, extra);
  put_images(cells, more, line, place, extra);
  cells[kExtraColumn] = text_of_extra(extra);
  if (format_ == FeedFormat::xml) {
    std::string out = "<item>";
    for (const auto& column : kColumns) {
      append_element(out, column, cells[column]);
      if (column == "additional_image_link")
        for (const auto& url : more) append_element(out, column, url);
    }
    return out + "</item>\n";
  }
  std::string joined;
  for (const auto& url : more) joined += (joined.empty() ? "" : ",") + url;
  cells["additional_image_link"] = joined;
  return text_row(cells, format_ == FeedFormat::csv ? ',' : '\t');
}

std::string FeedWriter::foot() const {
  return format_ == FeedFormat::xml ? "</channel></rss>\n" : "";
}

}  // namespace bottega::catalog
