// JSON Schema of every kind of field, and of described structs: required, closed, and named once.
#include "bottega/core/schema.hpp"

#include <gtest/gtest.h>

#include <boost/describe/enum.hpp>

#include "bottega/core/id.hpp"

namespace bottega::test {
namespace core_schema_test {

enum class Size : std::uint8_t { small, large };
BOOST_DESCRIBE_ENUM(Size, small, large)

struct Leaf {
  std::int64_t number = 0;
};
BOOST_DESCRIBE_STRUCT(Leaf, (), (number))

struct Tree {
  Leaf leaf;
  std::optional<Leaf> other;
  std::vector<Tree> branches;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (leaf, other, branches, note))

struct Choices {
  std::optional<Leaf> one;
  std::optional<bool> two;
};
BOOST_DESCRIBE_STRUCT(Choices, (), (one, two))

template <class T>
struct Box {
  T item;
};
struct Opened : Box<Leaf> {};

template <class T>
std::string schema_text() {
  Components components;
  return schema_of<T>(components).dump();
}

struct Row {
  const char* name;
  std::string (*schema)();
  const char* wanted;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class FieldSchema : public testing::TestWithParam<Row> {};
TEST_P(FieldSchema, SaysTypeAndBounds) {
  EXPECT_EQ(Json::parse(GetParam().schema()), Json::parse(GetParam().wanted));
}
INSTANTIATE_TEST_SUITE_P(
    Types, FieldSchema,
    testing::Values(
        Row{"Boolean", schema_text<bool>, R"({"type":"boolean"})"},
        Row{"Integer", schema_text<std::int64_t>, R"({"type":"integer","format":"int64"})"},
        Row{"String", schema_text<std::string>, R"({"type":"string"})"},
        Row{"Anything", schema_text<Json>, "{}"},
        Row{"Enum", schema_text<Size>, R"({"type":"string","enum":["small","large"]})"},
        Row{"Instant", schema_text<Instant>, R"({"type":"string","format":"date-time"})"},
        Row{"Date", schema_text<Date>, R"({"type":"string","format":"date"})"},
        Row{"Currency", schema_text<Currency>, R"({"type":"string","pattern":"^[A-Z]{3}$"})"},
        Row{"Country", schema_text<Country>, R"({"type":"string","pattern":"^[A-Z]{2}$"})"},
        Row{"Email", schema_text<Email>, R"({"type":"string","format":"email","maxLength":254})"},
        Row{"Text", (schema_text<Text<2, 40>>),
            R"({"type":"string","minLength":2,"maxLength":40})"},
        Row{"Line", (schema_text<Line<0, 7>>), R"({"type":"string","minLength":0,"maxLength":7})"},
        Row{"Count", (schema_text<Count<-3, 9>>), R"({"type":"integer","minimum":-3,"maximum":9})"},
        Row{"Opaque", schema_text<Opaque<12>>,
            R"({"type":"string","pattern":"^[A-Za-z0-9_.:-]+$","minLength":1,"maxLength":12})"},
        Row{"Secret", (schema_text<SecretText<4, 8>>),
            R"({"type":"string","format":"password","minLength":4,"maxLength":8})"},
        Row{"Id", schema_text<Id<"ord">>,
            R"({"type":"string","pattern":"^ord_[0-7][0-9a-hjkmnp-tv-z]{25}$"})"},
        Row{"List", (schema_text<List<Size, 1, 3>>),
            R"({"type":"array","items":{"type":"string","enum":["small","large"]},
                "minItems":1,"maxItems":3})"},
        Row{"Vector", schema_text<std::vector<bool>>,
            R"({"type":"array","items":{"type":"boolean"}})"},
        Row{"OptionalString", schema_text<std::optional<std::string>>,
            R"({"type":["string","null"]})"},
        Row{"OptionalCount", (schema_text<std::optional<Count<1, 2>>>),
            R"({"type":["integer","null"],"minimum":1,"maximum":2})"},
        Row{"OptionalEnum", schema_text<std::optional<Size>>,
            R"({"anyOf":[{"type":"string","enum":["small","large"]},{"type":"null"}]})"},
        Row{"OptionalStruct", schema_text<std::optional<Leaf>>,
            R"({"anyOf":[{"$ref":"#/components/schemas/Leaf"},{"type":"null"}]})"},
        Row{"Struct", schema_text<Leaf>, R"({"$ref":"#/components/schemas/Leaf"})"}),
    [](const auto& test) { return test.param.name; });

TEST(StructSchema, IsClosedAndRequiresWhatIsNotOptional) {
  Components components;
  schema_of<Tree>(components);
  const auto& tree = components.at("Tree");
  EXPECT_EQ(tree.at("type"), "object");
  EXPECT_EQ(tree.at("additionalProperties"), false);
  EXPECT_EQ(tree.at("required"), Json::parse(R"(["leaf","branches"])"));
  EXPECT_EQ(tree.at("properties").size(), 4u);
}

TEST(StructSchema, RefersToItselfAndToOthersByName) {
  Components components;
  schema_of<Tree>(components);
  ASSERT_EQ(components.size(), 2u);
  EXPECT_EQ(components.at("Tree").at("properties").at("branches").at("items").at("$ref"),
            "#/components/schemas/Tree");
  EXPECT_EQ(components.at("Leaf"), Json::parse(R"({"type":"object","required":["number"],
      "properties":{"number":{"type":"integer","format":"int64"}},"additionalProperties":false})"));
}

TEST(StructSchema, HasNoEmptyListOfRequiredFields) {
  Components components;
  schema_of<Choices>(components);
  EXPECT_FALSE(components.at("Choices").contains("required"));
}

TEST(StructSchema, IsWrittenOnceHoweverOftenItIsUsed) {
  Components components;
  schema_of<Leaf>(components);
  components.at("Leaf")["description"] = "kept";
  schema_of<Tree>(components);
  EXPECT_EQ(components.at("Leaf").at("description"), "kept");
}

TEST(StructSchema, OfMoneyIsAnAmountAndACurrency) {
  Components components;
  schema_of<Money>(components);
  schema_of<Price>(components);
  EXPECT_EQ(components.at("Money").at("required"), Json::parse(R"(["amount","currency"])"));
  EXPECT_EQ(components.at("Price").at("properties").at("amount").at("maximum"), kAmountMax);
  EXPECT_EQ(components.at("Price").at("properties").at("amount").at("minimum"), 1);
}

TEST(SchemaName, IsTheTypesOwnWithoutItsNamespaces) {
  EXPECT_EQ(schema_name(typeid(Money)), "Money");
  EXPECT_EQ(schema_name(typeid(Leaf)), "Leaf");
  EXPECT_EQ(schema_name(typeid(Opened)), "Opened");
  EXPECT_EQ(schema_name(typeid(Box<Leaf>)), "Box_Leaf");
  EXPECT_EQ(schema_name(typeid(Box<Box<Money>>)), "Box_Box_Money");
}

}  // namespace core_schema_test
}  // namespace bottega::test
