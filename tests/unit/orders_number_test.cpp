// The numbers of orders, and how far along a parcel is.
#include <gtest/gtest.h>

#include <set>

#include "bottega/orders/shipments.hpp"

namespace bottega::test {
namespace orders_number_test {

using orders::OrderId, orders::Tracking;
using namespace std::chrono_literals;

OrderId with_tail(std::uint64_t tail) {
  OrderId id;
  for (std::size_t i = 16; i-- > 8; tail >>= 8) id.uuid.bytes[i] = static_cast<std::uint8_t>(tail);
  return id;
}

TEST(OrderNumbers, AreShortAndCanBeReadAloud) {
  EXPECT_EQ(orders::number_of(with_tail(0)), "0000-0000");
  EXPECT_EQ(orders::number_of(with_tail(1)), "0000-001Y");
  for (int i = 0; i < 1'000; ++i) {
    const auto number = orders::number_of(OrderId::make());
    ASSERT_EQ(number.size(), 9u);
    EXPECT_EQ(number.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), number.npos);
    EXPECT_EQ(number.find('-'), 4u);
  }
}

TEST(OrderNumbers, ComeOfTheRandomBitsAlone) {
  auto one = OrderId::make(), other = one;
  for (std::size_t i = 0; i < 8; ++i) other.uuid.bytes[i] ^= 0x55;
  EXPECT_EQ(orders::number_of(one), orders::number_of(other)) << "and tell no time";
  other.uuid.bytes[15] ^= 1;
  EXPECT_NE(orders::number_of(one), orders::number_of(other));
}

TEST(OrderNumbers, SeldomMeet) {
  std::set<std::string> made;
  for (int i = 0; i < 10'000; ++i) made.insert(orders::number_of(OrderId::make()));
  EXPECT_GE(made.size(), 9'998u);
}

TEST(OrderNumbers, AreReadAsPeopleTypeThem) {
  const auto number = orders::number_of(with_tail(0x123456789));
  auto plain = number;
  plain.erase(4, 1);
  EXPECT_EQ(orders::parse_number(number), number);
  EXPECT_EQ(orders::parse_number(plain), number);
  EXPECT_EQ(orders::parse_number(" " + plain + " "), number);
  std::ranges::transform(plain, plain.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  EXPECT_EQ(orders::parse_number(plain), number);
  EXPECT_EQ(orders::parse_number("OOOO-00IY"), "0000-001Y") << "as they look";
}

TEST(OrderNumbers, HaveNoWrongCharacter) {
  const auto number = orders::number_of(with_tail(0x4d2f1a9c3));
  for (std::size_t i = 0; i < number.size(); ++i)
    for (const char c : std::string("0123456789ABCDEFGHJKMNPQRSTVWXYZ")) {
      auto other = number;
      other[i] = c;
      if (number[i] == '-' || other == number) continue;
      EXPECT_EQ(orders::parse_number(other), std::nullopt) << other;
    }
  for (const std::string text : {"", "-", "0000-000", "0000-00000", "0000-000U", "0000-00\xc3\xa9"})
    EXPECT_EQ(orders::parse_number(text), std::nullopt) << text;
}

TEST(OrderNumbers, NoticeTwoThatChangedPlaces) {
  int missed = 0;
  const auto number = orders::number_of(with_tail(0x4d2f1a9c3));
  for (std::size_t i = 0; i + 1 < number.size(); ++i) {
    auto other = number;
    std::swap(other[i], other[i + 1]);
    if (number[i] == '-' || number[i + 1] == '-' || other == number) continue;
    missed += orders::parse_number(other) ? 1 : 0;
  }
  EXPECT_EQ(missed, 0);
}

// ---- parcels ------------------------------------------------------------------------------------

std::vector<Tracking> all_of_them() {
  std::vector<Tracking> all;
  Form<Tracking>::each([&](const char* name) { all.push_back(from_text<Tracking>(name)); });
  return all;
}

TEST(Parcels, NeverComeBackFromWhereTheyHaveArrived) {
  const Instant at{};
  EXPECT_GE(all_of_them().size(), 20u);
  for (const auto ended : {Tracking::delivered, Tracking::returned_to_sender, Tracking::cancelled})
    for (const auto news : all_of_them())
      for (const auto later : {-1h, 0h, 1h})
        EXPECT_FALSE(orders::moves(ended, at, news, at + later)) << text_of(news);
}

TEST(Parcels, AreDeliveredWhateverWasSaidLater) {
  const Instant at{};
  for (const auto now : all_of_them()) {
    if (orders::stage_of(now) == orders::Stage::ended) continue;
    EXPECT_TRUE(orders::moves(now, at, Tracking::delivered, at - 1h)) << text_of(now);
  }
}

TEST(Parcels, AreMovedByNewerNewsOnly) {
  const Instant at{};
  EXPECT_TRUE(orders::moves(Tracking::in_transit, at, Tracking::out_for_delivery, at + 1h));
  EXPECT_TRUE(orders::moves(Tracking::in_transit, at, Tracking::delayed, at));
  EXPECT_TRUE(orders::moves(Tracking::out_for_delivery, at, Tracking::in_transit, at + 1h))
      << "it went back to the depot";
  EXPECT_FALSE(orders::moves(Tracking::out_for_delivery, at, Tracking::in_transit, at - 1h));
  EXPECT_TRUE(orders::moves(Tracking::shipped, at, Tracking::picked_up, at - 1h))
      << "the carrier had it before the merchant said so";
  EXPECT_FALSE(orders::moves(Tracking::shipped, at, Tracking::label_created, at + 1h));
}

}  // namespace orders_number_test
}  // namespace bottega::test
