// Tracking numbers: every sample of the shared vectors, and what is made of one that says less.
#include "bottega/carriers/carriers.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "support/errors.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace carriers_test {

using carriers::Candidate, carriers::CheckDigit;

std::vector<std::string> warnings_of(const std::optional<std::string>& carrier,
                                     const std::string& number) {
  return carriers::label(carrier, number).warnings;
}

// The readings as a number of this carrier, and as one of this kind where it has a name.
std::vector<Candidate> taken(const std::string& number, const std::string& carrier,
                             const std::string& format) {
  auto found = carriers::candidates(number);
  std::erase_if(found, [&](const Candidate& one) {
    const bool is_other = carrier == "s10" ? one.format != "s10" : one.carrier != carrier;
    return is_other || !one.format.starts_with(format) || one.check_digit == CheckDigit::wrong;
  });
  return found;
}

TEST(Carriers, TakeEverySampleThatIsValidAndNoneThatIsNot) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/tracking/couriers");
  int valid = 0, invalid = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto courier = Json::parse(read_file(file.path()));
    const auto code = courier["courier_code"].get<std::string>();
    for (const auto& kind : courier["tracking_numbers"]) {
      for (const auto& number : kind["test_numbers"]["valid"]) {
        ++valid;
        EXPECT_FALSE(taken(number, code, "").empty()) << code << ' ' << number;
      }
      const auto format = kind.value("id", Json(nullptr));
      for (const auto& number : kind["test_numbers"]["invalid"]) {
        ++invalid;
        EXPECT_TRUE(taken(number, code, format.is_string() ? format : Json("")).empty())
            << code << ' ' << number;
      }
    }
  }
  EXPECT_GE(valid, 190);
  EXPECT_GE(invalid, 80);
}

TEST(Carriers, ThatHaveAPageAreLinkedTo) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/tracking/couriers");
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto courier = Json::parse(read_file(file.path()));
    const auto code = courier["courier_code"].get<std::string>();
    for (const auto& kind : courier["tracking_numbers"]) {
      if (kind.value("tracking_url", Json(nullptr)).is_null()) continue;
      const std::string number = kind["test_numbers"]["valid"][0];
      const auto found = taken(number, code, "");
      ASSERT_FALSE(found.empty()) << number;
      const auto& url = found.front().tracking_url;
      ASSERT_TRUE(url) << code;
      EXPECT_TRUE(url->starts_with("https://")) << *url;
      EXPECT_NE(url->find(carriers::normalised(number)), url->npos) << *url;
    }
  }
}

TEST(Carriers, AreReadWithoutSpacesHyphensAndCapitals) {
  EXPECT_EQ(carriers::normalised(" 1z 5r-8939 "), "1Z5R8939");
  EXPECT_EQ(carriers::candidates("1z 5r89-3903 5756-7127").front().carrier, "ups");
}

TEST(Carriers, NameThePostOfTheCountry) {
  const auto found = carriers::candidates("RB123456785GB").front();
  EXPECT_EQ(found.carrier, "post_gb");
  EXPECT_EQ(found.name, "Royal Mail Group plc");
  EXPECT_EQ(found.country, "GB");
  EXPECT_EQ(found.check_digit, CheckDigit::right);
  EXPECT_EQ(carriers::candidates("RB123456785US").front().carrier, "usps");
}

TEST(Carriers, PutTheRightCheckDigitFirstAndTheWrongOneLast) {
  const auto found = carriers::candidates("320595463938");
  ASSERT_GE(found.size(), 2u);
  EXPECT_EQ(found.front().carrier, "purolator");
  EXPECT_EQ(found.front().check_digit, CheckDigit::right);
  EXPECT_EQ(found.back().check_digit, CheckDigit::wrong);
}

TEST(Carriers, AreFoundByCodeAndByName) {
  EXPECT_EQ(carriers::find_carrier("UPS"), "ups");
  EXPECT_EQ(carriers::find_carrier("United States postal service"), "usps");
  EXPECT_EQ(carriers::find_carrier("Royal Mail Group plc"), "post_gb");
  EXPECT_EQ(carriers::find_carrier("My cousin"), std::nullopt);
}

TEST(Carriers, AreToldByTheNumberWhereItIsClear) {
  const auto label = carriers::label(std::nullopt, "1Z5R89390357567127");
  EXPECT_EQ(label.carrier, "ups");
  EXPECT_TRUE(label.warnings.empty());
  EXPECT_TRUE(label.tracking_url);
}

struct Unclear {
  const char* number;
  const char* words;
};
class UnclearNumber : public testing::TestWithParam<Unclear> {};

TEST_P(UnclearNumber, WantsTheCarrierNamed) {
  try {
    carriers::label(std::nullopt, GetParam().number);
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/carrier");
    EXPECT_NE(error.faults()[0].detail.find(GetParam().words), std::string::npos)
        << error.faults()[0].detail;
  }
}
INSTANTIATE_TEST_SUITE_P(Carriers, UnclearNumber,
                         testing::Values(Unclear{"unheard of", "is required"},
                                         Unclear{"", "is required"},
                                         Unclear{"601201722423240", "one of fedex, dpd"}),
                         [](const auto& row) { return "Number" + std::to_string(row.index); });

TEST(Carriers, OnlyWarn) {
  EXPECT_EQ(warnings_of("UPS", "1Z5R89390357567127").size(), 0u);
  EXPECT_EQ(warnings_of("UPS", "1Z5R89390357567128").size(), 1u) << "its check digit is wrong";
  EXPECT_EQ(warnings_of("ups", "RB123456785GB").size(), 1u) << "it is not one of theirs";
  EXPECT_EQ(warnings_of("My cousin", "unheard of").size(), 1u);
  EXPECT_EQ(warnings_of("other", "unheard of").size(), 0u);
  // The example of a protocol for shopping agents, whose check digit is wrong.
  const auto label = carriers::label("USPS", "9400111899223456789012");
  EXPECT_EQ(label.carrier, "USPS");
  EXPECT_EQ(label.warnings.size(), 1u);
  EXPECT_TRUE(label.tracking_url);
}

TEST(Carriers, AnswerWithoutANumberToo) {
  const auto label = carriers::label("other", std::nullopt);
  EXPECT_EQ(label.carrier, "other");
  EXPECT_FALSE(label.tracking_url);
  EXPECT_TRUE(label.warnings.empty());
}

TEST(Carriers, TakeWhateverIsTyped) {
  for (const auto& text :
       {std::string(), std::string(1, '\0'), std::string(4096, '9'), std::string("420"),
        std::string("\xff\xfe"), std::string("%s%n"), std::string(60, 'Z')})
    EXPECT_NO_THROW(carriers::recognise(text)) << text.size();
  EXPECT_EQ(carriers::recognise("%s").warnings.size(), 1u);
}

}  // namespace carriers_test
}  // namespace bottega::test
