// Ids: the kinds of the product against each other, UUIDv7 by the RFC's example, TypeID prefixes
// and suffixes, and their order.
#include "bottega/core/id.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <boost/regex.hpp>
#include <set>
#include <thread>

#include "support/shared.hpp"
#include "bottega/core/clock.hpp"
#include "bottega/jobs/job.hpp"
#include "bottega/ledger/ledger.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/payouts/payouts.hpp"

namespace bottega::test {
namespace core_id_test {

struct Kind {
  std::string prefix;
  std::string (*make)();
  bool (*reads)(std::string_view);
  Json (*schema)();
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.prefix; }

template <class T>
Kind kind() {
  return {std::string(T::kPrefix), [] { return text_of(T::make()); },
          [](std::string_view text) { return Form<T>::parse(text).has_value(); },
          [] { return Form<T>::schema(); }};
}

const Kind kKinds[] = {
    kind<identity::AccountId>(),
    kind<identity::MerchantId>(),
    kind<identity::SessionId>(),
    kind<identity::ApiKeyId>(),
    kind<conversations::ConversationId>(),
    kind<conversations::EntryId>(),
    kind<orders::OrderId>(),
    kind<orders::PaymentId>(),
    kind<orders::ShipmentId>(),
    kind<orders::NoteId>(),
    kind<payments::RequestId>(),
    kind<payments::RefundId>(),
    kind<payouts::PayoutId>(),
    kind<attempts::AttemptId>(),
    kind<ledger::TransferId>(),
    kind<jobs::JobId>(),
    kind<ops::AuditId>(),
};

static_assert(!std::is_same_v<orders::OrderId, orders::PaymentId>);
static_assert(!std::is_convertible_v<orders::OrderId, orders::PaymentId>);
static_assert(!std::is_constructible_v<orders::OrderId, orders::PaymentId>);
static_assert(!std::is_assignable_v<orders::OrderId&, orders::PaymentId>);
static_assert(!std::is_constructible_v<orders::OrderId, std::string>);
static_assert(!std::is_convertible_v<std::int64_t, orders::OrderId>);
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a == b;
};
static_assert(Comparable<orders::OrderId, orders::OrderId>);
static_assert(!Comparable<orders::OrderId, orders::PaymentId>);

class IdKind : public testing::TestWithParam<Kind> {};

TEST_P(IdKind, ReadsItsOwnTextAndNoOtherKindDoes) {
  const auto text = GetParam().make();
  for (const auto& other : kKinds)
    EXPECT_EQ(other.reads(text), other.prefix == GetParam().prefix) << other.prefix;
}

TEST_P(IdKind, IsATypeIdWithAPrefixOfItsOwn) {
  const auto parsed = parse_typeid(GetParam().make());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->prefix, GetParam().prefix);
  EXPECT_EQ(std::ranges::count(kKinds, GetParam().prefix, &Kind::prefix), 1);
}

TEST_P(IdKind, HasASchemaThatItsTextsMatchAndOthersDoNot) {
  const boost::regex pattern(GetParam().schema().at("pattern").get<std::string>());
  for (const auto& other : kKinds)
    EXPECT_EQ(boost::regex_match(other.make(), pattern), other.prefix == GetParam().prefix);
  EXPECT_FALSE(boost::regex_match(GetParam().prefix + "_8" + std::string(25, 'z'), pattern));
  EXPECT_FALSE(boost::regex_match(GetParam().prefix + "_0" + std::string(25, 'l'), pattern));
  EXPECT_TRUE(boost::regex_match(GetParam().prefix + "_7" + std::string(25, 'z'), pattern));
}

TEST_P(IdKind, RefusesItsPrefixAloneInCapitalsOrWithAnotherSeparator) {
  const auto& prefix = GetParam().prefix;
  const auto suffix = GetParam().make().substr(prefix.size() + 1);
  std::string capitals = prefix;
  for (auto& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const auto& bad : {std::string(), prefix, prefix + '_', suffix, prefix + suffix,
                          prefix + '-' + suffix, prefix + "__" + suffix, capitals + '_' + suffix,
                          ' ' + prefix + '_' + suffix, prefix + '_' + suffix + ' '})
    EXPECT_FALSE(GetParam().reads(bad)) << bad;
}

INSTANTIATE_TEST_SUITE_P(Product, IdKind, testing::ValuesIn(kKinds),
                         [](const auto& test) { return test.param.prefix; });

TEST(UuidV7, TheRfcsExampleTakesApartIntoItsFields) {
  BOTTEGA_NEEDS_SHARED(path, "vectors/uuidv7/rfc9562.json");
  const auto rows = Json::parse(read_file(path));
  ASSERT_EQ(rows.size(), 1u);
  for (const auto& row : rows) {
    std::string lower;
    for (const char c : row.at("uuid").get<std::string>())
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto uuid = parse_uuid(row.at("uuid").get<std::string>());
    ASSERT_TRUE(uuid) << "RFC 9562, 4: either case on input";
    EXPECT_EQ(uuid_text(*uuid), lower);
    EXPECT_EQ(uuid->bytes[6] >> 4, row.at("ver").get<int>());
    EXPECT_EQ(uuid->bytes[8] >> 6, row.at("var").get<int>());
    std::uint64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | uuid->bytes[i];
    EXPECT_EQ(milliseconds, std::stoull(row.at("unix_ts_ms_hex").get<std::string>(), nullptr, 16));
    EXPECT_EQ(parse_typeid_suffix(typeid_suffix(*uuid)), *uuid);
  }
}

std::int64_t milliseconds_of(const Uuid& uuid) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 6; ++i) value = value << 8 | uuid.bytes[i];
  return value;
}

TEST(UuidV7, CarriesTheTimeAtWhichItWasMade) {
  const auto now = [] {
    return std::chrono::floor<std::chrono::milliseconds>(Clock().now()).time_since_epoch().count();
  };
  const auto before = now();
  const auto made = milliseconds_of(make_uuid_v7());
  EXPECT_GE(made, before);
  EXPECT_LE(made, now() + 1'000) << "a burst may run ahead of the clock, but not far";
}

TEST(UuidV7, ATextSortsAsItsIdDoes) {
  std::string last;
  for (int i = 0; i < 2'000; ++i) {
    const auto text = text_of(orders::OrderId::make());
    ASSERT_LT(last, text);
    last = text;
  }
}

TEST(UuidV7, ItsLastSixtyTwoBitsAreRandom) {
  std::array<int, 16> ones{};
  constexpr int kMade = 2'000;
  for (int i = 0; i < kMade; ++i) {
    const auto uuid = make_uuid_v7();
    for (std::size_t byte = 9; byte < 16; ++byte) ones[byte] += std::popcount(uuid.bytes[byte]);
  }
  for (std::size_t byte = 9; byte < 16; ++byte) {
    EXPECT_GT(ones[byte], kMade * 3) << "byte " << byte;
    EXPECT_LT(ones[byte], kMade * 5) << "byte " << byte;
  }
}

class BadUuid : public testing::TestWithParam<const char*> {};
TEST_P(BadUuid, IsRefused) { EXPECT_FALSE(parse_uuid(GetParam())); }
INSTANTIATE_TEST_SUITE_P(
    Texts, BadUuid,
    testing::Values("", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e2+79b0-7cc3-98c4-dc0c0c07398f",
                    "017f22e279b0-7cc3-98c4-dc0c0c07398f-", "017f22e2-79b0-7cc3-98c4-dc0c0c0739 f",
                    "017f22e2-79b0-7cc3-98c4-dc0c0c0739-f", "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                    "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f"));

TEST(UuidConcurrency, FourThreadsNeverMakeTheSameOneAndEachSeesItsOwnRise) {
  std::array<std::vector<Uuid>, 4> made;
  std::vector<std::thread> threads;
  for (auto& mine : made)
    threads.emplace_back([&mine] {
      for (int i = 0; i < 5'000; ++i) mine.push_back(make_uuid_v7());
    });
  for (auto& thread : threads) thread.join();
  std::set<Uuid> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 20'000u);
  for (const auto& uuid : all) {
    ASSERT_EQ(uuid.bytes[6] >> 4, 7);
    ASSERT_EQ(uuid.bytes[8] >> 6, 2);
  }
}

std::vector<Json> typeid_vectors(const std::string& file) {
  const auto path = shared("vectors/typeid/" + file);
  if (!path) return {};
  return Json::parse(read_file(*path)).get<std::vector<Json>>();
}

std::string vector_name(const testing::TestParamInfo<Json>& test) {
  auto name = test.param.at("name").get<std::string>();
  std::ranges::replace(name, '-', '_');
  return name;
}

class ValidTypeId : public testing::TestWithParam<Json> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ValidTypeId);
TEST_P(ValidTypeId, IsReadAndWritten) {
  const auto text = GetParam().at("typeid").get<std::string>();
  const auto id = parse_typeid(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->prefix, GetParam().at("prefix").get<std::string>());
  EXPECT_EQ(uuid_text(id->uuid), GetParam().at("uuid").get<std::string>());
  EXPECT_EQ(typeid_text(*id), text);
}
INSTANTIATE_TEST_SUITE_P(Official, ValidTypeId, testing::ValuesIn(typeid_vectors("valid.json")),
                         vector_name);

class InvalidTypeId : public testing::TestWithParam<Json> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(InvalidTypeId);
TEST_P(InvalidTypeId, IsRefused) {
  EXPECT_FALSE(parse_typeid(GetParam().at("typeid").get<std::string>()))
      << GetParam().at("description");
}
INSTANTIATE_TEST_SUITE_P(Official, InvalidTypeId, testing::ValuesIn(typeid_vectors("invalid.json")),
                         vector_name);

TEST(TypeIdVectors, AreAllThere) {
  BOTTEGA_NEEDS_SHARED(path, "vectors/typeid");
  EXPECT_GE(typeid_vectors("valid.json").size(), 5u) << path;
  EXPECT_GE(typeid_vectors("invalid.json").size(), 10u) << path;
}

TEST(TypeIdSuffix, EveryOfficialVectorsUuidIsWrittenAsItsSuffix) {
  BOTTEGA_NEEDS_SHARED(path, "vectors/typeid/valid.json");
  for (const auto& row : Json::parse(read_file(path))) {
    const auto uuid = parse_uuid(row.at("uuid").get<std::string>());
    ASSERT_TRUE(uuid) << row.at("name");
    const auto text = row.at("typeid").get<std::string>();
    EXPECT_EQ(typeid_suffix(*uuid), text.substr(text.size() - 26)) << row.at("name");
  }
}

TEST(TypeIdSuffix, EverySingleBitOfTheUuidComesBack) {
  std::set<std::string> seen;
  for (std::size_t bit = 0; bit < 128; ++bit) {
    Uuid uuid;
    uuid.bytes[bit / 8] = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    const auto suffix = typeid_suffix(uuid);
    EXPECT_EQ(suffix.size(), 26u);
    EXPECT_EQ(parse_typeid_suffix(suffix), uuid) << suffix;
    EXPECT_TRUE(seen.insert(suffix).second);
  }
}

TEST(TypeIdSuffix, TakesTheThirtyTwoLettersOfItsAlphabetAndNoOtherByte) {
  const std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  for (int byte = 0; byte < 256; ++byte) {
    std::string text(26, '0');
    text.back() = static_cast<char>(byte);
    EXPECT_EQ(parse_typeid_suffix(text).has_value(),
              alphabet.find(static_cast<char>(byte)) != alphabet.npos)
        << byte;
  }
}

TEST(TypeIdSuffix, NeverExceedsTheHundredAndTwentyEightBits) {
  for (const char first : std::string("0123456789abcdefghjkmnpqrstvwxyz"))
    EXPECT_EQ(parse_typeid_suffix(first + std::string(25, 'z')).has_value(),
              first >= '0' && first <= '7')
        << first;
  EXPECT_FALSE(parse_typeid_suffix(""));
  EXPECT_FALSE(parse_typeid_suffix(std::string(25, '0')));
  EXPECT_FALSE(parse_typeid_suffix(std::string(27, '0')));
}

struct PrefixCase {
  std::string prefix;
  bool good;
};
void PrintTo(const PrefixCase& row, std::ostream* out) { *out << row.prefix; }
class TypeIdPrefix : public testing::TestWithParam<PrefixCase> {};
TEST_P(TypeIdPrefix, IsLowerCaseLettersWithUnderscoresInside) {
  const auto id = parse_typeid(GetParam().prefix + "_00000000000000000000000000");
  ASSERT_EQ(id.has_value(), GetParam().good);
  EXPECT_EQ(id ? id->prefix : "", GetParam().good ? GetParam().prefix : "");
}
INSTANTIATE_TEST_SUITE_P(
    Prefixes, TypeIdPrefix,
    testing::Values(PrefixCase{"a", true}, PrefixCase{"ord", true}, PrefixCase{"a_b", true},
                    PrefixCase{"a__b", true}, PrefixCase{std::string(63, 'a'), true},
                    PrefixCase{std::string(64, 'a'), false}, PrefixCase{"", false},
                    PrefixCase{"_", false}, PrefixCase{"_a", false}, PrefixCase{"a_", false},
                    PrefixCase{"A", false}, PrefixCase{"a1", false}, PrefixCase{"a-b", false},
                    PrefixCase{"a b", false}, PrefixCase{"\xc3\xa9", false},
                    PrefixCase{std::string("a\0b", 3), false}));

TEST(TypeIdValue, NeedsNoPrefix) {
  const auto id = parse_typeid("01h455vb4pex5vsknk084sn02q");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->prefix, "");
  EXPECT_EQ(typeid_text(*id), "01h455vb4pex5vsknk084sn02q");
  EXPECT_EQ(uuid_text(id->uuid), "01890a5d-ac96-774b-bcce-b302099a8057");
}

TEST(IdValue, IsNilUntilItIsMade) {
  EXPECT_TRUE(orders::OrderId{}.is_nil());
  EXPECT_EQ(text_of(orders::OrderId{}), "ord_00000000000000000000000000");
  EXPECT_FALSE(orders::OrderId::make().is_nil());
}

TEST(IdValue, TheNewestSortsAfterEveryOther) {
  constexpr auto newest = orders::OrderId::newest();
  EXPECT_EQ(uuid_text(newest.uuid), "ffffffff-ffff-ffff-ffff-ffffffffffff");
  EXPECT_LT(orders::OrderId::make(), newest);
}

TEST(IdValue, IsRefusedWithTheNameOfWhatWasExpected) {
  try {
    from_text<orders::OrderId>("pay_00000000000000000000000000", Code::not_found);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::not_found);
    EXPECT_EQ(std::string(error.what()), "expected an id like ord_…");
  }
}

// ---- the least of an instant --------------------------------------------------------------------

TEST(LeastId, IsTheOneOfItsMillisecondWithNothingElse) {
  const auto at = parse_instant("2022-02-22T19:22:22Z").value();  // RFC 9562, appendix A.6
  EXPECT_EQ(uuid_text(least_uuid_v7(at)), "017f22e2-79b0-7000-8000-000000000000");
  EXPECT_EQ(least_uuid_v7(at + std::chrono::microseconds(999)), least_uuid_v7(at));
  EXPECT_EQ(made_at(least_uuid_v7(at)), at);
  EXPECT_LT(least_uuid_v7(at), least_uuid_v7(at + std::chrono::milliseconds(1)));
  EXPECT_EQ(orders::OrderId::least_of(at).uuid, least_uuid_v7(at));
}

TEST(LeastId, IsNotAfterAnyThatIsMadeLaterAndAfterAllThatWereMadeBefore) {
  Clock clock;
  const auto before = clock.now();
  const auto id = make_uuid_v7();
  EXPECT_LE(least_uuid_v7(before), id);
  EXPECT_LT(id, least_uuid_v7(clock.now() + std::chrono::seconds(1)));
}

TEST(LeastId, OfWhatCannotBeInAnIdIsTheNearest) {
  const auto nothing = least_uuid_v7(Instant{});
  EXPECT_EQ(uuid_text(nothing), "00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(least_uuid_v7(Instant{} - std::chrono::hours(1)), nothing);
  EXPECT_EQ(uuid_text(least_uuid_v7(Instant::max())), "ffffffff-ffff-7000-8000-000000000000");
}

}  // namespace core_id_test
}  // namespace bottega::test
