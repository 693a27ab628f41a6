// The table of error codes, and what an Error carries to the one place that answers with it.
#include "bottega/core/error.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bottega::test {
namespace core_error_test {

struct Known {
  Code code;
  unsigned status;
  const char* slug;
  Retry retry;
};
void PrintTo(const Known& row, std::ostream* out) { *out << row.slug; }

// Clients are written against these: a change here breaks them.
const Known kKnown[] = {
    {Code::malformed, 400, "malformed", Retry::never},
    {Code::bad_cursor, 400, "bad_cursor", Retry::never},
    {Code::idempotency_key_required, 400, "idempotency_key_required", Retry::never},
    {Code::unauthenticated, 401, "unauthenticated", Retry::never},
    {Code::token_expired, 401, "token_expired", Retry::never},
    {Code::declined, 402, "declined", Retry::never},
    {Code::forbidden, 403, "forbidden", Retry::never},
    {Code::not_found, 404, "not_found", Retry::never},
    {Code::method_not_allowed, 405, "method_not_allowed", Retry::never},
    {Code::not_acceptable, 406, "not_acceptable", Retry::never},
    {Code::request_timeout, 408, "request_timeout", Retry::later},
    {Code::conflict, 409, "conflict", Retry::never},
    {Code::in_flight, 409, "in_flight", Retry::later},
    {Code::link_expired, 410, "link_expired", Retry::never},
    {Code::length_required, 411, "length_required", Retry::never},
    {Code::precondition_failed, 412, "precondition_failed", Retry::never},
    {Code::too_large, 413, "too_large", Retry::never},
    {Code::uri_too_long, 414, "uri_too_long", Retry::never},
    {Code::unsupported_media_type, 415, "unsupported_media_type", Retry::never},
    {Code::range_not_satisfiable, 416, "range_not_satisfiable", Retry::never},
    {Code::expectation_failed, 417, "expectation_failed", Retry::never},
    {Code::invalid, 422, "invalid", Retry::never},
    {Code::idempotency_key_reused, 422, "idempotency_key_reused", Retry::never},
    {Code::upgrade_required, 426, "upgrade_required", Retry::never},
    {Code::precondition_required, 428, "precondition_required", Retry::never},
    {Code::rate_limited, 429, "rate_limited", Retry::later},
    {Code::headers_too_large, 431, "headers_too_large", Retry::never},
    {Code::internal, 500, "internal", Retry::later},
    {Code::not_implemented, 501, "not_implemented", Retry::never},
    {Code::processor_failed, 502, "processor_failed", Retry::later},
    {Code::busy, 503, "busy", Retry::later},
    {Code::stopping, 503, "stopping", Retry::later},
    {Code::http_version, 505, "http_version", Retry::never},
    {Code::storage_full, 507, "storage_full", Retry::later},
};

class ErrorCode : public testing::TestWithParam<Known> {};
TEST_P(ErrorCode, HasItsStatusItsSlugAndItsAdviceToRetry) {
  const auto& row = info(GetParam().code);
  EXPECT_EQ(row.code, GetParam().code);
  EXPECT_EQ(row.status, GetParam().status);
  EXPECT_EQ(row.slug, GetParam().slug);
  EXPECT_EQ(row.retry, GetParam().retry);
  EXPECT_EQ(row.slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), row.slug.npos);
  EXPECT_FALSE(row.title.empty());
  EXPECT_FALSE(row.title.ends_with('.')) << "a title is no sentence";
}
INSTANTIATE_TEST_SUITE_P(Table, ErrorCode, testing::ValuesIn(kKnown),
                         [](const auto& test) { return test.param.slug; });

TEST(ErrorTable, HasEachSlugAndEachTitleOnceAndNoRowUnknownHere) {
  std::set<std::string_view> slugs, titles;
  for (const auto& row : kCodes) {
    EXPECT_TRUE(slugs.insert(row.slug).second) << row.slug;
    EXPECT_TRUE(titles.insert(row.title).second) << row.title;
  }
  EXPECT_EQ(kCodes.size(), std::size(kKnown));
}

TEST(ErrorTable, HasARowForEveryCodeInTheOrderOfTheEnum) {
  EXPECT_EQ(kCodes.size(), static_cast<std::size_t>(Code::storage_full) + 1);
  for (std::size_t i = 0; i < kCodes.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(kCodes[i].code), i);
}

TEST(ErrorTable, HoldsOnlyFailuresInTheOrderOfTheirStatus) {
  unsigned last = 400;
  for (const auto& row : kCodes) {
    EXPECT_GE(row.status, last) << row.slug;
    EXPECT_LT(row.status, 600u) << row.slug;
    last = row.status;
  }
}

TEST(ErrorValue, CarriesItsCodeItsWordsAndItsFaults) {
  const Faults faults{{"/a", "is required"}, {"/b/0", "unknown field"}};
  const Error error(Code::invalid, "2 field(s) are not valid", faults);
  EXPECT_EQ(error.code(), Code::invalid);
  EXPECT_EQ(std::string(error.what()), "2 field(s) are not valid");
  EXPECT_EQ(error.faults(), faults);
  EXPECT_FALSE(error.retry_after());
  EXPECT_EQ(error.allow(), "");
  EXPECT_EQ(error.reason(), "");
}

TEST(ErrorValue, KeepsItsAdditionsWhenItIsThrown) {
  try {
    throw Error(Code::declined, "the card was declined")
        .retry_after(std::chrono::seconds(7))
        .reason("insufficient_funds");
  } catch (const std::runtime_error& caught) {
    const auto& error = dynamic_cast<const Error&>(caught);
    EXPECT_EQ(error.code(), Code::declined);
    EXPECT_EQ(error.retry_after(), std::chrono::seconds(7));
    EXPECT_EQ(error.reason(), "insufficient_funds");
    EXPECT_EQ(std::string(error.what()), "the card was declined");
  }
}

TEST(ErrorValue, SaysWhichMethodsAreAllowed) {
  EXPECT_EQ(Error(Code::method_not_allowed, "not here").allow("GET, POST").allow(), "GET, POST");
}

TEST(ErrorValue, OfANameCanBeToldWhenToRetry) {
  Error error(Code::busy, "too many wait");
  EXPECT_EQ(&error.retry_after(std::chrono::seconds(1)), &error);
  EXPECT_EQ(error.retry_after(), std::chrono::seconds(1));
}

TEST(FaultValue, IsEqualOnlyInPlaceAndWords) {
  EXPECT_EQ((Fault{"/a", "x"}), (Fault{"/a", "x"}));
  EXPECT_NE((Fault{"/a", "x"}), (Fault{"/b", "x"}));
  EXPECT_NE((Fault{"/a", "x"}), (Fault{"/a", "y"}));
}

}  // namespace core_error_test
}  // namespace bottega::test
