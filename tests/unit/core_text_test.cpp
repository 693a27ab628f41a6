// The bounds of texts, lines, counts, lists, mail addresses, countries and opaque names.
#include "bottega/core/text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bottega::test {
namespace core_text_test {

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

template <class T>
bool takes(std::string_view text) {
  const auto value = Form<T>::parse(text);
  EXPECT_TRUE(!value || text_of(*value) == text) << "it is kept as it was given";
  return value.has_value();
}

struct Letter {
  const char *name, *utf8;
};
void PrintTo(const Letter& letter, std::ostream* out) { *out << letter.name; }
class TextLength : public testing::TestWithParam<Letter> {};
TEST_P(TextLength, CountsCodePointsAndNotBytes) {
  const std::string_view letter = GetParam().utf8;
  EXPECT_EQ(code_points(repeat(letter, 7)), 7u);
  for (const std::size_t length : {2u, 3u, 5u})
    EXPECT_TRUE((takes<Text<2, 5>>(repeat(letter, length)))) << length;
  for (const std::size_t length : {0u, 1u, 6u, 100u})
    EXPECT_FALSE((takes<Text<2, 5>>(repeat(letter, length)))) << length;
}
INSTANTIATE_TEST_SUITE_P(Letters, TextLength,
                         testing::Values(Letter{"OneByte", "a"}, Letter{"TwoBytes", "\xc3\xa9"},
                                         Letter{"ThreeBytes", "\xe2\x82\xac"},
                                         Letter{"FourBytes", "\xf0\x9f\x98\x82"},
                                         Letter{"LastOfUnicode", "\xf4\x8f\xbf\xbf"}));

TEST(TextValue, MayBeEmptyWhereItsBoundSaysSo) {
  EXPECT_TRUE((takes<Text<0, 5>>("")));
  EXPECT_TRUE((takes<Line<0, 5>>("")));
  EXPECT_FALSE((takes<Line<1, 5>>("")));
}

TEST(TextValue, OfSeveralLinesTakesTabAndLineEndsAndNoOtherControlCharacter) {
  for (int c = 0; c < 0x20; ++c) {
    const auto text = "a" + std::string(1, static_cast<char>(c)) + "b";
    const bool layout = c == '\t' || c == '\n' || c == '\r';
    EXPECT_EQ((takes<Text<1, 5>>(text)), layout) << c;
    EXPECT_FALSE((takes<Line<1, 5>>(text))) << c;
  }
  EXPECT_FALSE((takes<Text<1, 5>>("a\x7f")));
  EXPECT_FALSE((takes<Line<1, 5>>("\x7f")));
}

TEST(TextValue, TakesNoControlCharacterOfTwoBytes) {
  for (int c = 0x80; c < 0xa0; ++c) {
    const std::string text{'a', '\xc2', static_cast<char>(c)};
    EXPECT_FALSE((takes<Text<1, 5>>(text))) << c;
    EXPECT_FALSE((takes<Line<1, 5>>(text))) << c;
  }
  EXPECT_TRUE((takes<Line<1, 5>>("a\xc2\xa0")));
}

TEST(TextValue, OfOneLineHasNoUnicodeLineOrParagraphSeparator) {
  for (const auto* separator : {"\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    EXPECT_TRUE((takes<Text<1, 5>>(std::string("a") + separator)));
    EXPECT_FALSE((takes<Line<1, 5>>(std::string("a") + separator)));
  }
}

TEST(TextValue, TakesEveryPrintableAsciiCharacter) {
  for (char c = 0x21; c < 0x7f; ++c) {
    EXPECT_TRUE((takes<Text<1, 1>>(std::string(1, c)))) << c;
    EXPECT_TRUE((takes<Line<1, 1>>(std::string(1, c)))) << c;
  }
}

TEST(TextValue, KeepsRightToLeftTextJoinersAndCombiningMarks) {
  for (const auto* text : {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "e\xcc\x81",
                           "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xe2\x80\x8f-5"})
    EXPECT_TRUE((takes<Line<1, 9>>(text))) << text;
}

TEST(TextValue, ThatIsRequiredIsNotBlank) {
  for (const auto* blank :
       {" ", "   ", "\t\n", "\xc2\xa0", "\xe2\x80\x8b", "\xe2\x81\xa0", "\xe3\x80\x80",
        "\xef\xbb\xbf", "\xe3\x85\xa4", "\xe2\xa0\x80", "\xc2\xad\xcd\x8f", "\xf3\xa0\x80\xa0"}) {
    EXPECT_FALSE((takes<Text<1, 9>>(blank))) << blank;
    EXPECT_FALSE((takes<Line<1, 9>>(blank))) << blank;
    EXPECT_TRUE((takes<Text<0, 9>>(blank))) << blank;
    EXPECT_TRUE((takes<Text<1, 9>>(std::string(blank) + "."))) << blank;
  }
}

TEST(TextValue, ShowsInTheOrderInWhichItIsWritten) {
  for (const auto* turn : {"\xe2\x80\xad", "\xe2\x80\xae"}) {
    EXPECT_FALSE((takes<Text<1, 9>>(std::string("05$") + turn))) << "an override";
    EXPECT_FALSE((takes<Line<1, 9>>(std::string("05$") + turn)));
  }
  for (const auto* turn : {"\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x81\xa6",
                           "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9"}) {
    EXPECT_TRUE((takes<Text<1, 9>>(std::string("a") + turn))) << "people write both ways";
    EXPECT_FALSE((takes<Line<1, 9>>(std::string("a") + turn)));
  }
}

class BadUtf8 : public testing::TestWithParam<std::string> {};
TEST_P(BadUtf8, IsNoText) {
  EXPECT_FALSE((takes<Text<0, 90>>(GetParam())));
  EXPECT_FALSE((takes<Line<0, 90>>(GetParam())));
  EXPECT_FALSE((takes<Line<0, 90>>("before" + GetParam() + "after")));
  EXPECT_FALSE(Form<Email>::parse("ann" + GetParam() + "@example.com"));
}
INSTANTIATE_TEST_SUITE_P(Sequences, BadUtf8,
                         testing::Values("\x80", "\xbf", "\xc3", "\xe2\x82", "\xf0\x9f\x98",
                                         "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
                                         "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                                         "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                         "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xc3(",
                                         "\xe2(\xa1", "\xc3\xa9\xa9"));

TEST(TextValue, SaysWhatItExpects) {
  EXPECT_EQ((Form<Text<1, 255>>::expected()),
            "text of 1 to 255 characters without control characters, not blank");
  EXPECT_EQ((Form<Line<1, 32>>::expected()),
            "text of 1 to 32 characters without control characters, not blank, on one line");
}

struct Number {
  const char* text;
  std::optional<std::int64_t> value;
};
void PrintTo(const Number& row, std::ostream* out) { *out << row.text; }
class CountText : public testing::TestWithParam<Number> {};
TEST_P(CountText, IsAPlainIntegerWithinTheBounds) {
  const auto value = Form<Count<-5, 1'000>>::parse(GetParam().text);
  ASSERT_EQ(value.has_value(), GetParam().value.has_value());
  EXPECT_EQ(value ? value->value : 0, GetParam().value.value_or(0));
}
INSTANTIATE_TEST_SUITE_P(
    Texts, CountText,
    testing::Values(Number{"-5", -5}, Number{"1000", 1000}, Number{"0", 0}, Number{"-0", 0},
                    Number{"007", 7}, Number{"-6", {}}, Number{"1001", {}}, Number{"", {}},
                    Number{"+1", {}}, Number{" 1", {}}, Number{"1 ", {}}, Number{"1.0", {}},
                    Number{"1e2", {}}, Number{"0x1", {}}, Number{"-", {}}, Number{"1,000", {}},
                    Number{"9223372036854775808", {}}, Number{"-9223372036854775809", {}},
                    Number{"18446744073709551617", {}}, Number{"\xd9\xa1", {}}));

TEST(CountValue, BeginsAtItsLeastAndWritesPlainDigits) {
  EXPECT_EQ((Count<3, 9>{}.value), 3);
  EXPECT_EQ((text_of(Count<-5, 9>{-5})), "-5");
  EXPECT_EQ((Form<Count<1, 999>>::expected()), "an integer from 1 to 999");
  EXPECT_EQ((Form<Count<INT64_MIN, INT64_MAX>>::parse("-9223372036854775808")->value), INT64_MIN);
}

TEST(ListValue, GivesItsItemsInOrder) {
  const List<int, 1, 3> list{{5, 6}};
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ((std::vector<int>(list.begin(), list.end())), (std::vector<int>{5, 6}));
}

std::string long_mail(std::size_t local, std::size_t whole) {
  std::string text(local, 'a');
  text += "@";
  while (text.size() + 4 < whole) text += (text.size() % 50 == 0 ? '.' : 'b');
  return text + ".com";
}

struct Mail {
  std::string text;
  std::optional<std::string> kept;
};
void PrintTo(const Mail& row, std::ostream* out) { *out << row.text; }
class MailAddress : public testing::TestWithParam<Mail> {};
TEST_P(MailAddress, IsKeptInLowerCaseOrRefused) {
  const auto email = Form<Email>::parse(GetParam().text);
  ASSERT_EQ(email.has_value(), GetParam().kept.has_value());
  EXPECT_EQ(email ? text_of(*email) : "", GetParam().kept.value_or(""));
}
INSTANTIATE_TEST_SUITE_P(
    Texts, MailAddress,
    testing::Values(Mail{"ann@example.com", "ann@example.com"},
                    Mail{"Ann.O'Neil+x@Example.COM", "ann.o'neil+x@example.com"},
                    Mail{"a@b.c", "a@b.c"}, Mail{"a@b-c.d.e", "a@b-c.d.e"},
                    Mail{"d\xc3\xb6rte@example.com", "d\xc3\xb6rte@example.com"},
                    Mail{"\xc3\x84@example.com", "\xc3\x84@example.com"},
                    Mail{long_mail(64, 254), long_mail(64, 254)}, Mail{long_mail(64, 255), {}},
                    Mail{long_mail(65, 200), {}}, Mail{"", {}}, Mail{"@", {}}, Mail{"ann", {}},
                    Mail{"ann@", {}}, Mail{"@example.com", {}}, Mail{"ann@example", {}},
                    Mail{"ann@.com", {}}, Mail{"ann@example.com.", {}},
                    Mail{"ann@example..com", {}}, Mail{"ann@@example.com", {}},
                    Mail{"ann@b@example.com", {}}, Mail{"an n@example.com", {}},
                    Mail{" ann@example.com", {}}, Mail{"ann@example.com ", {}},
                    Mail{"ann@example.com\n", {}}, Mail{"ann\r\nBcc: bob@example.com", {}},
                    Mail{"Ann <ann@example.com>", {}}, Mail{"ann,bob@example.com", {}},
                    Mail{"ann;bob@example.com", {}}, Mail{"\"ann\"@example.com", {}},
                    Mail{"ann\\@example.com", {}}, Mail{"ann@[127.0.0.1]", {}},
                    Mail{"mailto:ann@example.com", {}}, Mail{"ann(x)@example.com", {}},
                    Mail{std::string("ann\0@example.com", 16), {}}, Mail{"ann\x7f@example.com", {}},
                    Mail{"ann\xc2\x85@example.com", {}}));

TEST(CountryCode, IsOneOfTheTwoHundredAndFortyNineOfTheStandardOrKosovo) {
  int known = 0;
  for (char a = 'A'; a <= 'Z'; ++a)
    for (char b = 'A'; b <= 'Z'; ++b) known += Form<Country>::parse(std::string{a, b}) ? 1 : 0;
  EXPECT_EQ(known, 250);
  for (const auto* code : {"AD", "US", "DE", "GB", "GR", "XK", "ZW", "BQ", "SS", "CW"})
    EXPECT_EQ(text_of(Form<Country>::parse(code).value()), code);
}

TEST(CountryCode, HasNoOtherSpelling) {
  for (const auto* code : {"", "U", "us", "Us", "USA", " U", "S ", "  ", "UK", "EU", "EL", "SU",
                           "YU", "AN", "AA", "ZZ", "XX", "A\xc3", "840"})
    EXPECT_FALSE(Form<Country>::parse(code)) << code;
}

TEST(OpaqueName, IsMadeOfLettersDigitsAndFourSignsOnly) {
  const std::string_view signs = "_-.:";
  for (int c = 0; c < 256; ++c) {
    const char letter = static_cast<char>(c);
    const bool plain = c < 128 && std::isalnum(c) != 0;
    EXPECT_EQ(takes<Opaque<3>>("a" + std::string(1, letter)),
              plain || signs.find(letter) != signs.npos)
        << c;
  }
}

TEST(OpaqueName, HasAtLeastOneCharacterAndNoMoreThanItsBound) {
  EXPECT_FALSE(takes<Opaque<3>>(""));
  EXPECT_TRUE(takes<Opaque<3>>("a"));
  EXPECT_TRUE(takes<Opaque<3>>("abc"));
  EXPECT_FALSE(takes<Opaque<3>>("abcd"));
  EXPECT_TRUE(takes<Opaque<255>>(std::string(255, 'x')));
  EXPECT_FALSE(takes<Opaque<255>>(std::string(256, 'x')));
}

TEST(Lists, AnItemIsFoundWholeOrNotAtAll) {
  const std::string list = "https://shop.example.com, https://b.example ,c";
  EXPECT_TRUE(list_has(list, "https://shop.example.com"));
  EXPECT_TRUE(list_has(list, "https://b.example"));
  EXPECT_TRUE(list_has(list, "c"));
  for (const auto* part : {"https://shop.example", "shop.example.com", "https://b.example ",
                           "https://shop.example.com, https://b.example", "", ",", " "})
    EXPECT_FALSE(list_has(list, part)) << part;
  EXPECT_FALSE(list_has("", "https://b.example"));
  EXPECT_FALSE(list_has("", ""));
}

}  // namespace core_text_test
}  // namespace bottega::test
