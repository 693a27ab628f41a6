// What a product is described by: numbers of goods, categories, addresses, and what it costs now.
#include "bottega/catalog/fields.hpp"

#include <gtest/gtest.h>

#include "support/shared.hpp"
#include "bottega/catalog/catalog.hpp"

namespace bottega::test {
namespace catalog_fields_test {

using namespace catalog;

Instant at(const std::string& text) { return *parse_instant(text); }

TEST(Gtins, AreTakenWithTheirCheckDigit) {
  for (const auto* good : {"96385074", "036000291452", "4006381333931", "10614141000415"}) {
    EXPECT_TRUE(is_gtin(good)) << good;
    std::string wrong = good;
    wrong.back() = wrong.back() == '9' ? '0' : static_cast<char>(wrong.back() + 1);
    EXPECT_FALSE(is_gtin(wrong)) << wrong;
  }
}

TEST(Gtins, AreNoOtherNumbers) {
  for (const auto* bad : {"", "4006381333931 ", "400638133393", "40063813339311", "123", "0",
                          "00000000", "0000000000000", "400638133393x", "-006381333931"})
    EXPECT_FALSE(is_gtin(bad)) << bad;
}

TEST(Gtins, AreNotOfThePrefixesThatEachShopUsesAsItLikes) {
  for (const auto* mine : {"2000000000008", "0200000000004", "0400000000008", "200000000004",
                           "12000000000005", "20000004"})
    EXPECT_FALSE(is_gtin(mine)) << mine;
}

TEST(Gtins, OfTheVectorsAreRefused) {
  BOTTEGA_NEEDS_SHARED(file, "vectors/product-feed/invalid.json");
  int seen = 0;
  for (const auto& row : Json::parse(read_file(file))) {
    if (row["field"] != "gtin") continue;
    EXPECT_FALSE(is_gtin(row["value"].get<std::string>())) << row;
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

TEST(Categories, ArePathsOfNames) {
  EXPECT_EQ(category_path("Food"), "Food");
  EXPECT_EQ(category_path(" Food>Drinks  >   Green tea "), "Food > Drinks > Green tea");
  for (const auto* bad :
       {"", " ", ">", "Food >", "> Food", "Food >> Tea", "Food\nTea", "1>2>3>4>5>6>7>8>9>10>11"})
    EXPECT_FALSE(category_path(bad)) << bad;
  EXPECT_TRUE(category_path(std::string(750, 'x')));
  EXPECT_FALSE(category_path(std::string(751, 'x')));
}

TEST(WebUrls, AreAbsoluteAndEncrypted) {
  for (const auto* good : {"https://shop.example", "https://shop.example/p/1?x=y#top",
                           "https://shop.example:8443/a%20b"})
    EXPECT_TRUE(is_web_url(good)) << good;
  for (const auto* bad : {"", "/p/1", "http://shop.example/p/1", "ftp://shop.example", "https://",
                          "https://a b", "https://me:word@shop.example/", "https://shop.example/ü",
                          "javascript:alert(1)", "https://shop.example/#<x>"})
    EXPECT_FALSE(is_web_url(bad)) << bad;
  EXPECT_FALSE(is_web_url("https://shop.example/" + std::string(2'000, 'x')));
}

// ---- what it costs now --------------------------------------------------------------------------

Prices prices(const Json& given) { return from_json<Prices>(given); }

const Json kSale = {
    {"amount", 900}, {"starts_at", "2030-01-01T00:00:00Z"}, {"ends_at", "2030-02-01T00:00:00Z"}};

TEST(PriceNow, IsTheAmountOutsideOfTheSale) {
  const auto one = prices({{{"currency", "USD"}, {"amount", 1'250}, {"sale", kSale}}});
  const auto usd = *Currency::find("USD");
  for (const auto* when : {"2029-12-31T23:59:59.999999Z", "2030-02-01T00:00:00Z"})
    EXPECT_EQ(price_now(one, usd, at(when)), (PriceNow{1'250, std::nullopt})) << when;
  for (const auto* when : {"2030-01-01T00:00:00Z", "2030-01-31T23:59:59.999999Z"})
    EXPECT_EQ(price_now(one, usd, at(when)), (PriceNow{900, 1'250})) << when;
}

TEST(PriceNow, KnowsSalesThatBeginOrEndNever) {
  const auto usd = *Currency::find("USD");
  const auto now = at("2030-01-15T00:00:00Z");
  for (const auto* member : {"starts_at", "ends_at"}) {
    auto open = kSale;
    open.erase(member);
    const auto one = prices({{{"currency", "USD"}, {"amount", 1'250}, {"sale", open}}});
    EXPECT_EQ(price_now(one, usd, now), (PriceNow{900, 1'250})) << member;
  }
}

TEST(PriceNow, IsComparedWithWhatTheShopSays) {
  const auto usd = *Currency::find("USD");
  const auto one =
      prices({{{"currency", "USD"}, {"amount", 1'250}, {"compare_at", 2'000}, {"sale", kSale}}});
  EXPECT_EQ(price_now(one, usd, at("2030-01-15T00:00:00Z")), (PriceNow{900, 2'000}));
  EXPECT_EQ(price_now(one, usd, at("2031-01-15T00:00:00Z")), (PriceNow{1'250, 2'000}));
}

TEST(PriceNow, IsNoneInAnotherCurrency) {
  const auto one = prices({{{"currency", "USD"}, {"amount", 1'250}}});
  EXPECT_EQ(price_now(one, *Currency::find("EUR"), Instant{}), std::nullopt);
}

// ---- faults -------------------------------------------------------------------------------------

template <class T>
std::vector<std::string> pointers_of(const Json& given) {
  std::vector<std::string> out;
  try {
    from_json<T>(given);
  } catch (const Error& error) {
    for (const auto& fault : error.faults()) out.push_back(fault.pointer);
  }
  return out;
}
using Pointers = std::vector<std::string>;

TEST(ProductFields, SayEveryFaultOfAPrice) {
  const Json bad = {
      {"currency", "USD"}, {"amount", 100}, {"compare_at", 100}, {"sale", {{"amount", 100}}}};
  EXPECT_EQ(pointers_of<VariantPrice>(bad), (Pointers{"/compare_at", "/sale/amount"}));
  Json late = {
      {"amount", 1}, {"starts_at", "2030-01-01T00:00:00Z"}, {"ends_at", "2030-01-01T00:00:00Z"}};
  EXPECT_EQ(pointers_of<SalePrice>(late), Pointers{"/ends_at"});
}

TEST(ProductFields, TakeOnePicturePerPlace) {
  EXPECT_EQ(pointers_of<Image>(Json::object()), Pointers{""});
  EXPECT_EQ(pointers_of<Image>({{"url", "https://shop.example/1.jpg"},
                                {"attachment_id", text_of(AttachmentId::make())}}),
            Pointers{""});
  EXPECT_EQ(pointers_of<Image>({{"url", "/1.jpg"}}), Pointers{"/url"});
}

Json tea() {
  return {{"merchant_id", text_of(MerchantId::make())},
          {"title", "Tea"},
          {"option_names", {"color", "size"}},
          {"variants",
           {{{"sku", "T-1"}, {"options", {"green", "100 g"}}},
            {{"sku", "T-2"}, {"options", {"green", "200 g"}}}}}};
}

TEST(ProductFields, FitTogether) {
  EXPECT_TRUE(pointers_of<NewProduct>(tea()).empty());
  auto same = tea();
  same["variants"][1]["options"][1] = "100 g";
  same["variants"][1]["sku"] = "T-1";
  EXPECT_EQ(pointers_of<NewProduct>(same), (Pointers{"/variants/1/sku", "/variants/1/options"}));
  auto fewer = tea();
  fewer["option_names"] = {"color"};
  EXPECT_EQ(pointers_of<NewProduct>(fewer),
            (Pointers{"/variants/0/options", "/variants/1/options"}));
  auto twice = tea();
  twice["option_names"] = {"color", "Color"};
  EXPECT_EQ(pointers_of<NewProduct>(twice), Pointers{"/option_names/1"});
}

TEST(ProductFields, SayWhenAPreorderIsThere) {
  Json variant = {{"sku", "T-1"}, {"availability", "preorder"}};
  EXPECT_EQ(pointers_of<NewVariant>(variant), Pointers{"/available_at"});
  variant["available_at"] = "2030-01-01T00:00:00Z";
  EXPECT_TRUE(pointers_of<NewVariant>(variant).empty());
  variant["prices"] = {{{"currency", "USD"}, {"amount", 1}}, {{"currency", "USD"}, {"amount", 2}}};
  EXPECT_EQ(pointers_of<NewVariant>(variant), Pointers{"/prices/1/currency"});
}

TEST(ProductFields, AreWrittenAsTheyAreRead) {
  EXPECT_EQ(to_json(from_text<Condition>("new")), "new");
  EXPECT_EQ(to_json(from_text<Condition>("used")), "used");
  EXPECT_FALSE(Form<Condition>::parse("brand_new"));
  EXPECT_EQ(to_json(from_json<VariantPrice>({{"currency", "USD"}, {"amount", 5}})),
            (Json{{"currency", "USD"}, {"amount", 5}, {"compare_at", nullptr}, {"sale", nullptr}}));
}

}  // namespace catalog_fields_test
}  // namespace bottega::test
