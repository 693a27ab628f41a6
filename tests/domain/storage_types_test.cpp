// Values on their way through SQL and back: each type of field comes out as it went in.
#include <gtest/gtest.h>

#include <limits>

#include "support/world.hpp"

namespace bottega::test {
namespace storage_types_test {

enum class Colour : std::uint8_t { red, dark_green };
BOOST_DESCRIBE_ENUM(Colour, red, dark_green)
using ThingId = Id<"thing">;

struct Part {
  std::string name;
  std::int64_t count = 0;
  friend bool operator==(const Part&, const Part&) = default;
};
BOOST_DESCRIBE_STRUCT(Part, (), (name, count))

struct Everything {
  ThingId id;
  std::string text;
  std::int64_t number = 0;
  bool yes = false;
  Colour colour{};
  Instant at{};
  Date day{};
  Money total;
  Json document;
  Part part;
  std::vector<Part> parts;
  Email email;
  Country country;
  Line<1, 20> title;
  Opaque<20> token;
  Count<1, 9> few;
  std::optional<std::string> perhaps;
  std::optional<std::int64_t> nothing;
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (id, text, number, yes, colour, at, day, total, document, part, parts, email,
                       country, title, token, few, perhaps, nothing))

const Sql<Everything(ThingId, std::string, std::int64_t, bool, Colour, Instant, Date, std::int64_t,
                     Currency, Json, Part, std::vector<Part>, Email, Country, Line<1, 20>,
                     Opaque<20>, Count<1, 9>, std::optional<std::string>,
                     std::optional<std::int64_t>)>
    kEverything{"test.types.everything", R"(
    SELECT $1::uuid AS id, $2::text AS text, $3::bigint AS number, $4::boolean AS yes,
           $5::text AS colour, $6::timestamptz AS at, $7::date AS day, $8::bigint AS total,
           $9::text AS currency, $10::jsonb AS document, $11::jsonb AS part,
           to_jsonb($12::jsonb[]) AS parts, $13::text AS email, $14::text AS country,
           $15::text AS title, $16::text AS token, $17::bigint AS few, $18::text AS perhaps,
           $19::bigint AS nothing, 'more' AS another)"};

const Sql<std::string(std::string)> kText{"test.types.text", "SELECT $1::text"};
const Sql<std::int64_t(std::string)> kBytes{"test.types.bytes",
                                            "SELECT octet_length($1::text)::bigint"};
const Sql<std::int64_t(std::int64_t)> kNumber{"test.types.number", "SELECT $1::bigint"};
const Sql<Instant(Instant)> kInstant{"test.types.instant", "SELECT $1::timestamptz"};
const Sql<std::string(Instant)> kInstantText{"test.types.instant_text", R"(
    SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))"};
const Sql<Date(Date)> kDate{"test.types.date", "SELECT $1::date"};
const Sql<std::string(std::vector<std::string>, std::int64_t)> kElement{
    "test.types.element", "SELECT ($1::text[])[$2::integer]"};
const Sql<std::int64_t(std::vector<std::string>)> kLength{"test.types.length",
                                                          "SELECT cardinality($1::text[])::bigint"};
const Sql<bool(std::optional<std::string>)> kIsNull{"test.types.is_null",
                                                    "SELECT $1::text IS NULL"};
const Sql<std::string(std::optional<std::string>)> kMaybe{"test.types.maybe", "SELECT $1::text"};
const Sql<Colour(std::string)> kColour{"test.types.colour", "SELECT $1::text"};
const Sql<ThingId(std::string)> kId{"test.types.id", "SELECT $1::text"};
const Sql<Json(Json)> kJson{"test.types.json", "SELECT $1::jsonb"};

class Types : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    DatabaseOptions options;
    options.url = Cluster::shared().fresh_database().app;
    options.threads = 1;
    db = std::make_unique<Database>(options, clock);
  }
  static void TearDownTestSuite() { db.reset(); }

  template <class Row, class... A>
  static Row ask(const Sql<Row(A...)>& sql, const std::type_identity_t<A>&... a) {
    return db->transact_blocking([&](Tx& tx) { return tx.one(sql, a...); });
  }
  static inline Clock clock;
  static inline std::unique_ptr<Database> db;
};

TEST_F(Types, ARowOfEveryTypeComesBackAsItWent) {
  const auto id = ThingId::make();
  const auto at = *parse_instant("2026-02-28T23:59:59.999999Z");
  const auto day = *parse_date("2024-02-29");
  const Json document = {{"list", {1, 2.5, nullptr, true}}, {"ä", "\"'\\"}};
  const std::vector<Part> parts = {{"\"quoted\", {braced}", 2}, {"back\\slash", 3}};
  const auto row =
      ask(kEverything, id, "O'Brien; DROP TABLE\n\t\"x\" \\ 日本", -7, true, Colour::dark_green, at,
          day, -1999, from_text<Currency>("JPY"), document, Part{"screw", 9}, parts,
          from_text<Email>("A@b.example"), from_text<Country>("IT"), from_text<Line<1, 20>>("Lamp"),
          from_text<Opaque<20>>("tok_1:a.b-c"), Count<1, 9>{5}, std::string(""), std::nullopt);
  EXPECT_EQ(row.id, id);
  EXPECT_EQ(row.text, "O'Brien; DROP TABLE\n\t\"x\" \\ 日本");
  EXPECT_EQ(row.number, -7);
  EXPECT_TRUE(row.yes);
  EXPECT_EQ(row.colour, Colour::dark_green);
  EXPECT_EQ(row.at, at);
  EXPECT_EQ(row.day, day);
  EXPECT_EQ(row.total, (Money{-1999, from_text<Currency>("JPY")}));
  EXPECT_EQ(row.document, document);
  EXPECT_EQ(row.part, (Part{"screw", 9}));
  EXPECT_EQ(row.parts, parts);
  EXPECT_EQ(row.email.value, "a@b.example");
  EXPECT_EQ(row.country.value, "IT");
  EXPECT_EQ(row.title.value, "Lamp");
  EXPECT_EQ(row.token.value, "tok_1:a.b-c");
  EXPECT_EQ(row.few.value, 5);
  EXPECT_EQ(row.perhaps, "") << "an empty text is not NULL";
  EXPECT_FALSE(row.nothing);
}

TEST_F(Types, NumbersReachBothEndsOf64Bits) {
  for (const auto number : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                            std::int64_t{0}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_EQ(ask(kNumber, number), number);
}

TEST_F(Types, ATextKeepsItsBytes) {
  const std::string long_text(100'000, 'x');
  for (const auto& text :
       {std::string(), std::string("€ 🛒"), std::string("%_\\'\"$1"), long_text}) {
    EXPECT_EQ(ask(kText, text), text);
    EXPECT_EQ(ask(kBytes, text), static_cast<std::int64_t>(text.size()));
  }
}

TEST_F(Types, NoValueIsNull) {
  EXPECT_TRUE(ask(kIsNull, std::nullopt));
  EXPECT_FALSE(ask(kIsNull, std::string()));
  EXPECT_FALSE(ask(kIsNull, std::string("NULL")));
}

class Instants : public Types, public testing::WithParamInterface<const char*> {};

TEST_P(Instants, MeanTheSameToPostgresAndComeBackExact) {
  const auto at = parse_instant(GetParam());
  ASSERT_TRUE(at);
  EXPECT_EQ(ask(kInstant, *at), *at);
  const auto there = ask(kInstantText, *at);
  EXPECT_EQ(parse_instant(there + "Z"), *at) << there;
}
INSTANTIATE_TEST_SUITE_P(Types, Instants,
                         testing::Values("1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z",
                                         "2000-02-29T12:00:00.5Z", "2026-11-21T04:11:20.000001Z",
                                         "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
                                         "2026-06-30T23:00:00-05:30"));

TEST_F(Types, DatesComeBackExact) {
  for (const auto* text : {"0001-01-01", "1900-02-28", "2024-02-29", "9999-12-31"})
    EXPECT_EQ(to_text(ask(kDate, *parse_date(text))), text);
}

TEST_F(Types, AnArraysElementsAreNotMistakenForItsPunctuation) {
  const std::vector<std::string> words = {"",      "NULL",        "null", "a,b", "{x}",
                                          "\"q\"", "back\\slash", " ",    "é\n", "'"};
  EXPECT_EQ(ask(kLength, words), static_cast<std::int64_t>(words.size()));
  for (std::size_t i = 0; i < words.size(); ++i)
    EXPECT_EQ(ask(kElement, words, static_cast<std::int64_t>(i) + 1), words[i]) << i;
  EXPECT_EQ(ask(kLength, std::vector<std::string>{}), 0);
}

TEST_F(Types, JsonKeepsIntegersAndNesting) {
  const Json json = {{"big", 9007199254740993}, {"deep", {{"a", Json::array({Json::object()})}}}};
  EXPECT_EQ(ask(kJson, json), json);
}

TEST_F(Types, ANullWhereThereMustBeAValueIsOurBug) {
  EXPECT_EQ(code_of([&] { ask(kMaybe, std::nullopt); }), Code::internal);
}

TEST_F(Types, AWordThatTheEnumDoesNotKnowIsOurBug) {
  EXPECT_EQ(ask(kColour, "dark_green"), Colour::dark_green);
  for (const auto* word : {"blue", "", "Red", "red "})
    EXPECT_EQ(code_of([&] { ask(kColour, word); }), Code::internal) << word;
}

TEST_F(Types, WhatIsNotAUuidIsOurBug) {
  EXPECT_EQ(code_of([&] { ask(kId, "not-a-uuid"); }), Code::internal);
}

}  // namespace storage_types_test
}  // namespace bottega::test
