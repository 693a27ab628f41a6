// Described structs out of JSON and into it: every fault named at once and by its place, optional
// and unknown fields, lists, secrets, and rules across fields.
#include "bottega/core/describe.hpp"

#include <gtest/gtest.h>

#include <boost/describe/enum.hpp>

#include "bottega/core/id.hpp"

namespace bottega::test {
namespace core_describe_test {

enum class Colour : std::uint8_t { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Part {
  Line<1, 5> name;
  Count<1, 9> quantity;
};
BOOST_DESCRIBE_STRUCT(Part, (), (name, quantity))

struct Whole {
  Id<"thing"> id;
  Colour colour{};
  bool ready = false;
  std::int64_t number = 0;
  Instant at{};
  List<Part, 1, 3> parts;
  std::optional<Part> spare;
  std::optional<Count<0, 5>> stars;
  std::vector<Email> readers;
};
BOOST_DESCRIBE_STRUCT(Whole, (), (id, colour, ready, number, at, parts, spare, stars, readers))

struct Login {
  Email email;
  SecretText<4, 8> password;
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password))

struct Range {
  std::int64_t from = 0, to = 0;
  void check(Faults& faults, const std::string& pointer) const {
    if (from > to) faults.push_back({pointer + "/to", "must not be before from"});
  }
};
BOOST_DESCRIBE_STRUCT(Range, (), (from, to))

struct Ranges {
  std::vector<Range> ranges;
};
BOOST_DESCRIBE_STRUCT(Ranges, (), (ranges))

Json good() {
  return Json::parse(R"({"id":"thing_01h455vb4pex5vsknk084sn02q","colour":"green","ready":true,
    "number":-7,"at":"2026-11-21T04:11:20Z","parts":[{"name":"mug","quantity":2}],
    "spare":{"name":"lid","quantity":1},"stars":0,"readers":["Ann@Example.com"]})");
}

template <class T>
Faults faults_of(const Json& json) {
  try {
    from_json<T>(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(std::string(error.what()),
              std::to_string(error.faults().size()) + " field(s) are not valid");
    return error.faults();
  }
  return {};
}

TEST(DescribedJson, IsReadIntoEveryKindOfField) {
  const auto whole = from_json<Whole>(good());
  EXPECT_EQ(text_of(whole.id), "thing_01h455vb4pex5vsknk084sn02q");
  EXPECT_EQ(whole.colour, Colour::green);
  EXPECT_TRUE(whole.ready);
  EXPECT_EQ(whole.number, -7);
  EXPECT_EQ(to_text(whole.at), "2026-11-21T04:11:20Z");
  ASSERT_EQ(whole.parts.size(), 1u);
  EXPECT_EQ(whole.parts.items[0].name.value, "mug");
  EXPECT_EQ(whole.parts.items[0].quantity.value, 2);
  ASSERT_TRUE(whole.spare);
  EXPECT_EQ(whole.spare->name.value, "lid");
  ASSERT_TRUE(whole.stars);
  EXPECT_EQ(whole.stars->value, 0);
  ASSERT_EQ(whole.readers.size(), 1u);
  EXPECT_EQ(whole.readers[0].value, "ann@example.com");
}

TEST(DescribedJson, IsWrittenAsItWasRead) {
  auto wanted = good();
  wanted["readers"] = {"ann@example.com"};
  EXPECT_EQ(to_json(from_json<Whole>(good())), wanted);
}

TEST(DescribedJson, WritesAnAbsentOptionalAsNullAndAnEmptyListAsAnArray) {
  auto given = good();
  given.erase("spare");
  given["stars"] = nullptr;
  given["readers"] = Json::array();
  const auto written = to_json(from_json<Whole>(given));
  EXPECT_TRUE(written.at("spare").is_null());
  EXPECT_TRUE(written.at("stars").is_null());
  EXPECT_EQ(written.at("readers"), Json::array());
}

struct BadField {
  const char *place, *value, *pointer, *detail;
};
void PrintTo(const BadField& row, std::ostream* out) { *out << row.pointer << ' ' << row.value; }

class BadDescribedField : public testing::TestWithParam<BadField> {};
TEST_P(BadDescribedField, IsTheOneFaultThatIsNamed) {
  auto json = good();
  json[Json::json_pointer(GetParam().place)] = Json::parse(GetParam().value);
  const Faults wanted{{GetParam().pointer, GetParam().detail}};
  EXPECT_EQ(faults_of<Whole>(json), wanted);
}
constexpr auto kInteger = "expected an integer";
constexpr auto kName =
    "expected text of 1 to 5 characters without control characters, not blank, on one line";
INSTANTIATE_TEST_SUITE_P(
    Fields, BadDescribedField,
    testing::Values(
        BadField{"/id", "\"ord_01h455vb4pex5vsknk084sn02q\"", "/id", "expected an id like thing_…"},
        BadField{"/id", "7", "/id", "expected an id like thing_…"},
        BadField{"/id", "null", "/id", "expected an id like thing_…"},
        BadField{"/colour", "\"blue\"", "/colour", "expected one of red, green"},
        BadField{"/colour", "\"Red\"", "/colour", "expected one of red, green"},
        BadField{"/colour", "0", "/colour", "expected one of red, green"},
        BadField{"/colour", "\"\"", "/colour", "expected one of red, green"},
        BadField{"/ready", "1", "/ready", "expected true or false"},
        BadField{"/ready", "\"true\"", "/ready", "expected true or false"},
        BadField{"/ready", "null", "/ready", "expected true or false"},
        BadField{"/number", "\"7\"", "/number", kInteger},
        BadField{"/number", "7.0", "/number", kInteger},
        BadField{"/number", "true", "/number", kInteger},
        BadField{"/number", "9223372036854775808", "/number", kInteger},
        BadField{"/number", "[7]", "/number", kInteger},
        BadField{"/at", "\"yesterday\"", "/at",
                 "expected an RFC 3339 time such as 2026-03-01T12:00:00Z"},
        BadField{"/at", "1795234280", "/at",
                 "expected an RFC 3339 time such as 2026-03-01T12:00:00Z"},
        BadField{"/parts", "[]", "/parts", "expected 1 to 3 items"},
        BadField{"/parts", "[{},{},{},{}]", "/parts", "expected 1 to 3 items"},
        BadField{"/parts", "{}", "/parts", "expected an array"},
        BadField{"/parts", "null", "/parts", "expected an array"},
        BadField{"/parts/0", "7", "/parts/0", "expected an object"},
        BadField{"/parts/0/name", "\"\"", "/parts/0/name", kName},
        BadField{"/parts/0/name", "\"a\\nb\"", "/parts/0/name", kName},
        BadField{"/parts/0/quantity", "10", "/parts/0/quantity", "expected an integer from 1 to 9"},
        BadField{"/parts/0/quantity", "0", "/parts/0/quantity", "expected an integer from 1 to 9"},
        BadField{"/parts/0/colour", "1", "/parts/0/colour", "unknown field"},
        BadField{"/spare", "[]", "/spare", "expected an object"},
        BadField{"/spare/name", "\"longer\"", "/spare/name", kName},
        BadField{"/stars", "6", "/stars", "expected an integer from 0 to 5"},
        BadField{"/stars", "-1", "/stars", "expected an integer from 0 to 5"},
        BadField{"/readers", "[null]", "/readers/0", "expected a mail address"},
        BadField{"/readers", "[\"a@b.c\",\"a@b.c\",\"ab\"]", "/readers/2",
                 "expected a mail address"}));

TEST(DescribedFaults, NameEveryBadFieldAtOnceInTheOrderOfTheStruct) {
  const auto json =
      Json::parse(R"({"id":"x","colour":"blue","number":1.5,"at":"2026-11-21T04:11:20Z",
    "parts":[{"name":"mug","quantity":2},{"name":"","quantity":0,"size":1}],"stars":9,
    "readers":["a@b.c",5],"extra":1})");
  std::vector<std::string> places;
  for (const auto& fault : faults_of<Whole>(json)) places.push_back(fault.pointer);
  const std::vector<std::string> wanted{
      "/id",           "/colour", "/ready",     "/number", "/parts/1/name", "/parts/1/quantity",
      "/parts/1/size", "/stars",  "/readers/1", "/extra"};
  EXPECT_EQ(places, wanted);
}

TEST(DescribedFaults, NameEveryRequiredFieldOfAnEmptyObjectAndNoOptionalOne) {
  const Faults wanted{{"/id", "is required"},     {"/colour", "is required"},
                      {"/ready", "is required"},  {"/number", "is required"},
                      {"/at", "is required"},     {"/parts", "is required"},
                      {"/readers", "is required"}};
  EXPECT_EQ(faults_of<Whole>(Json::object()), wanted);
}

class NoObject : public testing::TestWithParam<const char*> {};
TEST_P(NoObject, IsOneFaultAtTheRoot) {
  const Faults wanted{{"", "expected an object"}};
  EXPECT_EQ(faults_of<Whole>(Json::parse(GetParam())), wanted);
}
INSTANTIATE_TEST_SUITE_P(Documents, NoObject,
                         testing::Values("null", "[]", "1", "\"{}\"", "true", "[{}]"));

TEST(DescribedFaults, EscapeTildeAndSlashInAPointer) {
  EXPECT_EQ(detail::child_pointer("", "a/b~c"), "/a~1b~0c");
  EXPECT_EQ(detail::child_pointer("/items/0", "~1"), "/items/0/~01");
  EXPECT_EQ(detail::child_pointer("/x", ""), "/x/");
  const Json document = {{"a/b~c", {{"~1", 7}}}};
  const auto pointer = detail::child_pointer(detail::child_pointer("", "a/b~c"), "~1");
  EXPECT_EQ(document.at(Json::json_pointer(pointer)), 7) << "another reader of RFC 6901 agrees";
}

TEST(DescribedFaults, RepeatAnUnknownNameOnlyWhereItLooksLikeOne) {
  auto json = good();
  json["<script>alert(1)</script>"] = 1;
  json[std::string(65, 'a')] = 1;
  json["a/b"] = 1;
  json["nick_name-2"] = 1;
  Faults wanted(3, {"", "unknown field"});
  wanted.push_back({"/nick_name-2", "unknown field"});
  auto found = faults_of<Whole>(json);
  std::ranges::sort(found, {}, &Fault::pointer);
  EXPECT_EQ(found, wanted);
}

TEST(DescribedFaults, NameNoMoreThanTwentyUnknownFields) {
  auto json = good();
  for (int i = 0; i < 1'000; ++i) json["unknown_" + std::to_string(i)] = i;
  EXPECT_EQ(faults_of<Whole>(json).size(), 20u);
}

TEST(DescribedFaults, NeverHoldAnOffendingValue) {
  auto json = Json::parse(R"({"email":"hunter2 hunter2","password":"hunter2hunter2"})");
  for (const auto& fault : faults_of<Login>(json)) {
    EXPECT_EQ(fault.detail.find("hunter2"), std::string::npos) << fault.detail;
    EXPECT_EQ(fault.pointer.find("hunter2"), std::string::npos) << fault.pointer;
  }
  json["password"] = {{"hunter2", "hunter2"}};
  const Faults wanted{{"/email", "expected a mail address"},
                      {"/password", "expected a string of 4 or more characters, at most 8 bytes"}};
  EXPECT_EQ(faults_of<Login>(json), wanted);
}

struct SecretCase {
  const char* value;
  bool good;
};
void PrintTo(const SecretCase& row, std::ostream* out) { *out << row.value; }
class SecretField : public testing::TestWithParam<SecretCase> {};
TEST_P(SecretField, HasSoManyCharactersAndNoMoreBytes) {
  const auto value = Json::parse(GetParam().value);
  const Json json = {{"email", "a@b.c"}, {"password", value}};
  if (GetParam().good) {
    EXPECT_EQ(from_json<Login>(json).password.value.reveal(), value.get<std::string>());
    return;
  }
  const Faults wanted{{"/password", "expected a string of 4 or more characters, at most 8 bytes"}};
  EXPECT_EQ(faults_of<Login>(json), wanted);
}
INSTANTIATE_TEST_SUITE_P(Values, SecretField,
                         testing::Values(SecretCase{"\"abc\"", false}, SecretCase{"\"abcd\"", true},
                                         SecretCase{"\"abcdefgh\"", true},
                                         SecretCase{"\"abcdefghi\"", false},
                                         SecretCase{"\"éé\"", false}, SecretCase{"\"éééé\"", true},
                                         SecretCase{"\"ééééé\"", false}, SecretCase{"12345", false},
                                         SecretCase{"null", false},
                                         SecretCase{"[\"abcd\"]", false}));

TEST(DescribedRules, AcrossFieldsAreCheckedWhereTheFieldsThemselvesAreGood) {
  EXPECT_EQ(from_json<Range>(Json{{"from", 1}, {"to", 1}}).to, 1);
  const Faults backwards{{"/to", "must not be before from"}};
  EXPECT_EQ(faults_of<Range>(Json{{"from", 2}, {"to", 1}}), backwards);
  const Faults bad{{"/from", "expected an integer"}};
  EXPECT_EQ(faults_of<Range>(Json{{"from", "9"}, {"to", -1}}), bad);
}

TEST(DescribedRules, NameThePlaceOfTheNestedStruct) {
  const auto json = Json::parse(R"({"ranges":[{"from":1,"to":2},{"from":3,"to":2}]})");
  const Faults wanted{{"/ranges/1/to", "must not be before from"}};
  EXPECT_EQ(faults_of<Ranges>(json), wanted);
}

TEST(DescribedRules, AVectorOfABodyHasABoundToo) {
  Json json = {{"ranges", Json::array()}};
  for (int i = 0; i < 10'001; ++i) json["ranges"].push_back(Json{{"from", 0}, {"to", 0}});
  const Faults wanted{{"/ranges", "expected 0 to 10000 items"}};
  EXPECT_EQ(faults_of<Ranges>(json), wanted);
  json["ranges"].erase(0);
  EXPECT_EQ(from_json<Ranges>(json).ranges.size(), 10'000u);
}

}  // namespace core_describe_test
}  // namespace bottega::test
