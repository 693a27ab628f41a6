// What is made of the fields of a feed, with every fault of a row at once and what was tolerated
// apart; and that what is written is read back the same.
#include "catalog/feed_item.hpp"

#include <gtest/gtest.h>

#include <map>

#include "catalog/feed_writer.hpp"
#include "support/errors.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace catalog_feed_items_test {

using namespace catalog;
using Fields = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

const std::vector<Currency>& taken() {
  static const std::vector<Currency> all{parse_currency("EUR"), parse_currency("USD"),
                                         parse_currency("JPY"), parse_currency("KWD")};
  return all;
}

// A row as it was judged: the item by its fields, in the words of the catalogue.
struct Judged {
  bool is_good = false;
  Words faults, warnings;  // "price: is required"
  Json item = Json::object();
};

Json shown(const FeedItem& item) {
  const auto view = [](const FeedItem::View& text) { return text ? Json(*text) : Json(nullptr); };
  const auto json = [](const std::optional<std::string>& text) {
    return text ? Json::parse(*text) : Json(nullptr);
  };
  return {{"sku", item.sku},
          {"handle", item.handle},
          {"title", item.title},
          {"is_first", item.is_first},
          {"position", item.position},
          {"description", view(item.description)},
          {"brand", view(item.brand)},
          {"category", view(item.category)},
          {"google_category", view(item.google_category)},
          {"url", view(item.url)},
          {"gtin", view(item.gtin)},
          {"mpn", view(item.mpn)},
          {"condition", to_json(item.condition)},
          {"images", json(item.images)},
          {"option_names", json(item.option_names)},
          {"options", json(item.options)},
          {"prices", Json::parse(item.prices)},
          {"image", json(item.image)},
          {"availability", to_json(item.availability)},
          {"available_at", to_json(item.available_at)},
          {"weight_g", to_json(item.weight_g)},
          {"on_hand", to_json(item.on_hand)},
          {"state", to_json(item.state)}};
}

std::vector<Judged> judge(FeedFormat format, std::string_view bytes) {
  const auto reader = make_feed_reader(format);
  FeedMapper mapper(*reader, taken());
  std::vector<Judged> rows;
  const auto take = [&](const FeedRow& row) {
    Judged one;
    const auto* item = mapper.judge(row);
    one.is_good = item != nullptr;
    if (item != nullptr) one.item = shown(*item);
    for (const auto& remark : mapper.remarks())
      (remark.severity == Severity::error ? one.faults : one.warnings)
          .push_back(std::string(remark.field) + ": " + remark.detail);
    rows.push_back(one);
  };
  reader->feed(bytes, take);
  reader->finish(take);
  return rows;
}

Fields a_row() {
  return {{"id", "A"}, {"title", "Tea"}, {"availability", "in_stock"}, {"price", "12.50 EUR"}};
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

Judged judge(const Fields& fields) {
  std::string head, row;
  for (const auto& [name, value] : fields) {
    head += (head.empty() ? "" : ",") + name;
    row += (row.empty() ? "" : ",") + quoted(value);
  }
  return judge(FeedFormat::csv, head + '\n' + row + '\n').at(0);
}

Judged with(const std::string& field, const std::string& value) {
  auto fields = a_row();
  fields[field] = value;
  return judge(fields);
}

TEST(FeedItem, NeedsOnlyFourFields) {
  const auto row = judge(a_row());
  EXPECT_TRUE(row.is_good);
  EXPECT_EQ(row.faults, Words{});
  EXPECT_EQ(row.warnings, Words{});
  EXPECT_EQ(row.item["handle"], "A");
  EXPECT_EQ(row.item["prices"][0]["amount"], 1250);
  EXPECT_EQ(row.item["brand"], nullptr) << "what the file does not have stays as it is";
  EXPECT_EQ(with("brand", "").item["brand"], "") << "what is empty is taken away";
}

TEST(FeedItem, HasEveryFaultNamedAtOnce) {
  const auto row = judge({{"id", ""},
                          {"title", std::string(151, 'x')},
                          {"availability", "maybe"},
                          {"price", "12,50 EUR"},
                          {"link", "/p/1"},
                          {"gtin", "4006381333932"},
                          {"condition", "as new"}});
  EXPECT_FALSE(row.is_good);
  EXPECT_EQ(row.faults.size(), 7u) << testing::PrintToString(row.faults);
}

struct Case {
  const char *name, *field, *value;
  const char* member;  // of the item
  Json wanted;         // null where it is a fault
  bool is_tolerated = false;
};
void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }

Json price(std::int64_t amount, const char* currency) {
  return Json::array(
      {{{"amount", amount}, {"compare_at", nullptr}, {"currency", currency}, {"sale", nullptr}}});
}
Json images(const std::vector<std::string>& urls) {
  Json out = Json::array();
  for (const auto& url : urls) out.push_back({{"attachment_id", nullptr}, {"url", url}});
  return out;
}

std::vector<Case> prices() {
  return {{"Euro", "price", "12.50 EUR", "prices", price(1250, "EUR")},
          {"Whole", "price", "12 EUR", "prices", price(1200, "EUR")},
          {"OneDecimal", "price", "12.5 EUR", "prices", price(1250, "EUR")},
          {"Yen", "price", "1500 JPY", "prices", price(1500, "JPY")},
          {"Dinar", "price", "1.250 KWD", "prices", price(1250, "KWD")},
          {"NoSpace", "price", "12.50EUR", "prices", price(1250, "EUR")},
          {"Nothing", "price", "0 EUR", "prices", price(0, "EUR")},
          {"SmallLetters", "price", "12.50 eur", "prices", price(1250, "EUR"), true},
          {"CurrencyFirst", "price", "EUR 12.50", "prices", price(1250, "EUR"), true},
          {"ZerosTooMany", "price", "12.5000 EUR", "prices", price(1250, "EUR"), true},
          {"NoCurrency", "price", "12.50", "", nullptr},
          {"Comma", "price", "12,50 EUR", "", nullptr},
          {"Thousands", "price", "1,250.00 EUR", "", nullptr},
          {"TooManyDecimals", "price", "10.5 JPY", "", nullptr},
          {"BelowZero", "price", "-1 EUR", "", nullptr},
          {"NoSuchCurrency", "price", "1 XXX", "", nullptr},
          {"NotTaken", "price", "1 GBP", "", nullptr},
          {"TooMuch", "price", "99999999999999 EUR", "", nullptr},
          {"NoNumber", "price", ". EUR", "", nullptr},
          {"SaleNotLess", "sale_price", "12.50 EUR", "", nullptr},
          {"SaleInAnother", "sale_price", "1 USD", "", nullptr}};
}

std::vector<Case> words() {
  return {
      {"InStockWithSpace", "availability", "In Stock", "availability", "in_stock"},
      {"OutOfStock", "availability", "out_of_stock", "availability", "out_of_stock"},
      {"ToOrder", "availability", "available for order", "availability", "backorder"},
      {"Discontinued", "availability", "discontinued", "availability", "out_of_stock", true},
      {"PreorderWithoutDate", "availability", "preorder", "", nullptr},
      {"Used", "condition", "used", "condition", "used"},
      {"UsedGood", "condition", "used_good", "condition", "used", true},
      {"NoCondition", "condition", "", "condition", "new"},
      {"Active", "status", "active", "state", "published"},
      {"Archived", "status", "ARCHIVED", "state", "archived"},
      {"Staging", "status", "staging", "", nullptr},
      {"Quantity", "quantity_to_sell_on_facebook", "75", "on_hand", 75},
      {"Inventory", "inventory", "0", "on_hand", 0},
      {"Half", "inventory", "0.5", "", nullptr},
      {"Grams", "shipping_weight", "200 g", "weight_g", 200},
      {"Kilograms", "shipping_weight", "1.5 kg", "weight_g", 1500},
      {"Pounds", "shipping_weight", "1 lb", "weight_g", 454},
      {"Ounces", "shipping_weight", "2oz", "weight_g", 57},
      {"NoUnit", "shipping_weight", "200", "", nullptr},
      {"TooHeavy", "shipping_weight", "10001 kg", "", nullptr},
      {"Gtin", "gtin", "4006381333931", "gtin", "4006381333931"},
      {"RestrictedGtin", "gtin", "2000000000008", "", nullptr},
      {"Path", "product_type", "Food>Drinks > Tea", "category", "Food > Drinks > Tea"},
      {"LongMpn", "mpn", "1234567890123456789012345678901234567890123456789012345678901234567890x",
       "mpn", nullptr, true},
      {"Link", "link", "https://shop.example/p?a=1", "url", "https://shop.example/p?a=1"},
      {"PlainLink", "link", "http://shop.example/p", "url", nullptr, true},
      {"LongSku", "id", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "", nullptr},
      {"ControlCharacter", "title", "Tea\x07", "", nullptr},
      {"Color", "color", "green", "options", {"green"}},
      {"Group", "item_group_id", "TEA", "handle", "TEA"},
      {"Trimmed", "title", "  Tea \n", "title", "Tea"},
      {"Image", "image_link", "https://a.example/1.jpg", "images",
       images({"https://a.example/1.jpg"})},
      {"MoreImages", "additional_image_link",
       "https://a.example/1,2.jpg , https://a.example/3.jpg,", "images",
       images({"https://a.example/1,2.jpg", "https://a.example/3.jpg"})},
  };
}

class FeedFields : public testing::TestWithParam<Case> {};
TEST_P(FeedFields, AreRead) {
  const auto& [name, field, value, member, wanted, is_tolerated] = GetParam();
  const auto row = with(field, value);
  const bool is_bad = wanted.is_null() && !is_tolerated;
  EXPECT_EQ(row.is_good, !is_bad) << testing::PrintToString(row.faults);
  EXPECT_EQ(row.faults.size(), is_bad ? 1u : 0u) << testing::PrintToString(row.faults);
  EXPECT_EQ(row.warnings.size(), is_tolerated ? 1u : 0u) << testing::PrintToString(row.warnings);
  if (!is_bad) {
    EXPECT_EQ(row.item.value(member, Json("none")), wanted);
  }
}
INSTANTIATE_TEST_SUITE_P(Prices, FeedFields, testing::ValuesIn(prices()),
                         [](const auto& row) { return std::string(row.param.name); });
INSTANTIATE_TEST_SUITE_P(Words, FeedFields, testing::ValuesIn(words()),
                         [](const auto& row) { return std::string(row.param.name); });

struct Dates {
  const char *name, *text, *from, *until;  // "" where it is open
};
class FeedDatesRead : public testing::TestWithParam<Dates> {};
TEST_P(FeedDatesRead, AreTimesOfUtc) {
  const auto read = read_feed_dates(GetParam().text);
  ASSERT_TRUE(read.value) << read.words;
  const auto text = [](const std::optional<Instant>& at) { return at ? to_text(*at) : ""; };
  EXPECT_EQ(text(read.value->from), GetParam().from);
  EXPECT_EQ(text(read.value->until), GetParam().until);
}
INSTANTIATE_TEST_SUITE_P(
    Feeds, FeedDatesRead,
    testing::Values(Dates{"Google", "2026-12-01T00:00+0100/2026-12-24T23:59+0100",
                          "2026-11-30T23:00:00Z", "2026-12-24T22:59:00Z"},
                    Dates{"Meta", "2026-12-01T0:00-23:59/2026-12-24T0:00-23:59",
                          "2026-12-01T00:00:00Z", "2026-12-25T00:00:00Z"},
                    Dates{"Days", "2026-12-01/2026-12-24", "2026-12-01T00:00:00Z",
                          "2026-12-25T00:00:00Z"},
                    Dates{"Seconds", "2026-12-01T10:00:30.5Z / 2026-12-02T00:00:00-05:00",
                          "2026-12-01T10:00:30.500Z", "2026-12-02T05:00:00Z"},
                    Dates{"OpenEnd", "2026-12-01T10:00Z/", "2026-12-01T10:00:00Z", ""},
                    Dates{"OpenBeginning", "/2026-12-01T10:00Z", "", "2026-12-01T10:00:00Z"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FeedDatesRead, AreRefusedWhereTheyAreNone) {
  for (const auto* text :
       {"2026-12-01", "/", "2026-13-01/2026-12-24", "a/b", "2026-12-01T25:00Z/",
        "2026-12-02Z/2026-12-01Z", "2026-12-02/2026-12-01", "2026-12-01T10:00+9900/"})
    EXPECT_FALSE(read_feed_dates(text).value) << text;
}

TEST(FeedItem, IsJudgedAgainstTheRowsBeforeIt) {
  const auto rows = judge(FeedFormat::csv,
                          "id,title,availability,price,item_group_id,color,size\n"
                          "A,Tea,in stock,1 EUR,TEA,green,\n"
                          "B,Tea,in stock,1 EUR,TEA,black,\n"
                          "A,Tea,in stock,1 EUR,TEA,white,\n"
                          "C,Tea,in stock,1 EUR,TEA,black,\n"
                          "D,Tea,in stock,1 EUR,TEA,red,large\n"
                          "E,Tea,in stock,1 EUR,,red,large\n");
  EXPECT_EQ(rows[0].item["is_first"], true);
  EXPECT_EQ(rows[1].item["is_first"], false);
  EXPECT_EQ(rows[1].item["position"], 1);
  EXPECT_EQ(rows[2].faults, Words{"id: is in the file already"});
  EXPECT_EQ(rows[3].faults, Words{"item_group_id: has the same options as an earlier row"});
  EXPECT_EQ(rows[4].faults, Words{"item_group_id: has other options here than in an earlier row"});
  EXPECT_TRUE(rows[5].is_good);
}

TEST(FeedItem, NeedsItsColumns) {
  const auto reader = make_text_reader(',');
  FeedMapper mapper(*reader, taken());
  const auto first = [&](const FeedRow&) { mapper.check_head(); };
  EXPECT_EQ(code_of([&] { reader->feed("id,title,availability\nA,B,C\n", first); }), Code::invalid);
}

// ---- the fixtures -------------------------------------------------------------------------------

TEST(FeedFixture, OfGoogleAndMetaAreGood) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/product-feed");
  const auto google = judge(FeedFormat::tsv, read_file(folder / "google.tsv"));
  const auto xml = judge(FeedFormat::xml, read_file(folder / "google.xml"));
  const auto meta = judge(FeedFormat::csv, read_file(folder / "meta.csv"));
  for (const auto& rows : {google, xml, meta})
    for (const auto& row : rows) EXPECT_EQ(row.faults, Words{});
  EXPECT_EQ(google.at(0).item["prices"][0]["sale"]["ends_at"], "2026-12-24T22:59:00Z");
  EXPECT_EQ(google.at(0).item["images"].size(), 3u);
  EXPECT_EQ(google.at(0).item["options"], Json({"green", "100 g"}));
  EXPECT_EQ(xml.at(0).item["description"], "Loose <b>leaf</b>");
  EXPECT_EQ(meta.at(1).item["availability"], "backorder");
  EXPECT_EQ(meta.at(1).item["prices"], price(1250, "KWD"));
  EXPECT_EQ(meta.at(0).item["on_hand"], 75);
}

TEST(FeedFixture, OfBadValuesAreNamed) {
  BOTTEGA_NEEDS_SHARED(file, "vectors/product-feed/invalid.json");
  const auto bad = Json::parse(read_file(file));
  for (const auto& one : bad) {
    const auto row = with(one.at("field"), one.at("value"));
    const bool is_tolerated = one.contains("note");
    EXPECT_EQ(row.is_good, is_tolerated) << one;
    EXPECT_FALSE((is_tolerated ? row.warnings : row.faults).empty()) << one;
  }
  EXPECT_GE(bad.size(), 10u);
}

// ---- there and back -----------------------------------------------------------------------------

FeedLine a_line() {
  FeedLine line;
  line.handle = "TEA";
  line.state = catalog::State::published;
  line.title = "Green tea, \"first\"";
  line.description = "Line 1\nLine 2\t<b>&amp;</b>";
  line.brand = "TeaCo";
  line.category = "Food > Tea";
  line.url = "https://shop.example/p?a=1&b=2";
  line.images = from_json<Images>(images({"https://a.example/1.jpg", "https://a.example/2.jpg"}));
  line.option_names = from_json<OptionNames>({"color", "size"});
  line.options = from_json<OptionValues>({"green", "100 g"});
  line.tax_class = "standard";
  line.sku = "SKU-1";
  line.gtin = "4006381333931";
  line.prices =
      from_json<Prices>({{{"currency", "EUR"},
                          {"amount", 1250},
                          {"sale", {{"amount", 999}, {"starts_at", "2026-12-01T00:00:00Z"}}}}});
  line.weight_g = 100;
  line.availability = Availability::preorder;
  line.available_at = parse_instant("2027-01-01T12:00:00.000001Z");
  line.on_hand = 7;
  return line;
}

Judged back(FeedFormat format, const FeedLine& line, FeedWriter::Place place) {
  const FeedWriter writer(format, taken());
  return judge(format, writer.head("Shop & Co") + writer.line(line, place) + writer.foot()).at(0);
}

class ThereAndBack : public testing::TestWithParam<FeedFormat> {
 protected:
  static Json expect_same(const FeedLine& line) {
    const auto row = back(GetParam(), line, FeedWriter::Place::first);
    EXPECT_EQ(row.faults, Words{});
    EXPECT_EQ(row.warnings, Words{});
    EXPECT_TRUE(row.is_good);
    const auto& item = row.item;
    const auto whole = to_json(line);
    for (const auto* name : {"sku", "handle", "state", "title", "description", "brand", "condition",
                             "url", "images", "option_names", "options", "gtin", "prices",
                             "weight_g", "availability", "available_at", "on_hand"})
      EXPECT_EQ(item.value(name, Json()), whole.at(name)) << name;
    return item;
  }
};

TEST_P(ThereAndBack, IsTheSame) { expect_same(a_line()); }

TEST_P(ThereAndBack, IsTheSameWhereFeedsHaveNoWords) {
  auto line = a_line();
  line.state = catalog::State::draft;
  line.title = " Tea \xEF\xBF\xBF";
  line.description = "ends in a line end\r\n";
  line.option_names = from_json<OptionNames>({"Grind", "color"});
  line.prices = from_json<Prices>({{{"currency", "USD"}, {"amount", 1500}, {"compare_at", 2000}},
                                   {{"currency", "EUR"}, {"amount", 1250}}});
  line.image = from_json<Image>({{"url", "https://a.example/1.jpg"}});
  line.sku = "\"SKU\", 1 ";
  EXPECT_EQ(expect_same(line)["image"], to_json(line.image));
}

TEST_P(ThereAndBack, HasThePictureOfALaterVariant) {
  auto line = a_line();
  line.image = from_json<Image>({{"url", "https://a.example/3.jpg"}});
  const auto row = back(GetParam(), line, FeedWriter::Place::later);
  EXPECT_EQ(row.item["image"]["url"], "https://a.example/3.jpg");
}

INSTANTIATE_TEST_SUITE_P(Feeds, ThereAndBack,
                         testing::Values(FeedFormat::csv, FeedFormat::tsv, FeedFormat::xml),
                         [](const auto& row) { return text_of(row.param); });

}  // namespace catalog_feed_items_test
}  // namespace bottega::test
