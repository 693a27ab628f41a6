// The JSON parsing corpus file by file: what must be read, what must not, and what we do where the
// standard leaves it open.
#include <gtest/gtest.h>

#include <set>

#include "support/shared.hpp"
#include "bottega/core/error.hpp"
#include "bottega/core/json.hpp"

namespace bottega::test {
namespace core_json_corpus_test {

constexpr auto kFolder = "vectors/json-parsing/test_parsing";

std::vector<std::string> corpus(char first) {
  std::vector<std::string> names;
  if (const auto folder = shared(kFolder))
    for (const auto& file : std::filesystem::directory_iterator(*folder)) {
      auto name = file.path().filename().string();
      if (name.front() == first) names.push_back(std::move(name));
    }
  std::ranges::sort(names);
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& test) {
  std::string name;
  for (const char c : test.param) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + '_' + std::to_string(test.index);
}

bool reads(const std::string& name) {
  try {
    parse_json(read_file(*shared(kFolder) / name));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::malformed) << error.what();
    EXPECT_FALSE(std::string(error.what()).empty());
    return false;
  }
}

class MustRead : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MustRead);
// A key twice is valid JSON by the grammar, and refused here: two readers may see two documents.
TEST_P(MustRead, IsReadUnlessItHasAKeyTwice) {
  EXPECT_EQ(reads(GetParam()), GetParam().find("duplicated_key") == std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Corpus, MustRead, testing::ValuesIn(corpus('y')), test_name);

class MustRefuse : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MustRefuse);
TEST_P(MustRefuse, IsRefusedAsMalformed) { EXPECT_FALSE(reads(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Corpus, MustRefuse, testing::ValuesIn(corpus('n')), test_name);

// Of what is left open we take only numbers that a double can hold, rounded or underflown: never
// bad UTF-8, a lone surrogate, a byte order mark, an infinity or five hundred levels.
const std::set<std::string> kTaken{"i_number_double_huge_neg_exp.json",
                                   "i_number_real_underflow.json", "i_number_too_big_neg_int.json",
                                   "i_number_too_big_pos_int.json",
                                   "i_number_very_big_negative_int.json"};

class MayRead : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MayRead);
TEST_P(MayRead, IsTakenOnlyWhereItIsANumberOfADouble) {
  EXPECT_EQ(reads(GetParam()), kTaken.contains(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Corpus, MayRead, testing::ValuesIn(corpus('i')), test_name);

TEST(JsonCorpus, IsAllThere) {
  BOTTEGA_NEEDS_SHARED(path, "vectors/json-parsing/test_parsing");
  EXPECT_GE(corpus('y').size(), 95u) << path;
  EXPECT_GE(corpus('n').size(), 185u) << path;
  EXPECT_GE(corpus('i').size(), 35u) << path;
}

}  // namespace core_json_corpus_test
}  // namespace bottega::test
