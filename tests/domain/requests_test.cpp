// Asking for money: what a request may be, who may ask, and for how long it stands.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace requests_test {

using namespace std::chrono_literals;
using payments::RequestState;

template <class Act>
Error refusal_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return Error(Code::internal, "");
}

class Requests : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    shop_ = world_->shop();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Json a_line(std::int64_t quantity, Json unit_amount) {
    return {{"name", "Lamp"}, {"quantity", quantity}, {"unit_amount", std::move(unit_amount)}};
  }
  static Json a_request(const Shop& shop) {
    return {{"conversation_id", text_of(shop.conversation)},
            {"title", "Lamp"},
            {"description", "A lamp of brass"},
            {"currency", "USD"},
            {"lines", Json::array({a_line(1, 1250)})}};
  }
  static payments::Request ask(const identity::Who& who, const Json& given) {
    const auto request = from_json<payments::NewRequest>(given);
    return world_->transact(
        [&](Tx& tx) { return payments::ask(tx, who, request, world_->payment_rules); });
  }

  static inline std::unique_ptr<World> world_;
  static inline Shop shop_;
};

// ---- the total ----------------------------------------------------------------------------------

struct Total {
  const char* name;
  std::vector<std::pair<std::int64_t, std::int64_t>> lines;  // quantity, unit amount
  std::int64_t expected;
  friend std::ostream& operator<<(std::ostream& out, const Total& t) { return out << t.name; }
};
class RequestTotals : public Requests, public ::testing::WithParamInterface<Total> {};

TEST_P(RequestTotals, IsTheSumOfTheLines) {
  auto given = a_request(shop_);
  given["lines"] = Json::array();
  for (const auto& line : GetParam().lines)
    given["lines"].push_back(a_line(line.first, line.second));
  const auto request = ask(shop_.owner, given);
  EXPECT_EQ(request.total.amount, GetParam().expected);
  EXPECT_EQ(request.total.currency.code(), "USD");
  EXPECT_EQ(request.state, RequestState::open);
  const auto kept = world_->transact(
      [&](Tx& tx) { return payments::fetch_request(tx, shop_.buyer, request.id); });
  EXPECT_EQ(to_json(kept), to_json(request));
}

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
INSTANTIATE_TEST_SUITE_P(Table, RequestTotals,
                         ::testing::Values(Total{"OneLine", {{1, 1250}}, 1250},
                                           Total{"TwoLinesWithQuantities", {{3, 100}, {7, 7}}, 349},
                                           Total{
                                               "AFreeLineBesideAPaidOne", {{2, 0}, {1, 500}}, 500},
                                           Total{"AHundredLines", Pairs(100, {1, 100}), 10'000},
                                           Total{"TheMostPieces", {{9'999, 7'500}}, 74'992'500},
                                           Total{"TheLargestAmount", {{1, 75'000'000}}, 75'000'000},
                                           Total{"OneMoreThanTheFee", {{1, 32}}, 32}),
                         [](const auto& row) { return std::string(row.param.name); });

struct Bad {
  const char* name;
  const char* member;  // of the request, replaced by `value`
  Json value;
  const char* pointer;  // what the refusal names
  friend std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.name; }
};
class RequestRefusals : public Requests, public ::testing::WithParamInterface<Bad> {};

TEST_P(RequestRefusals, NameTheFieldAndWriteNothing) {
  const auto before = world_->last_seq(shop_);
  auto given = a_request(shop_);
  given[GetParam().member] = GetParam().value;
  const auto error = refusal_of([&] { ask(shop_.owner, given); });
  EXPECT_EQ(error.code(), Code::invalid) << error.what();
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults().front().pointer, GetParam().pointer);
  EXPECT_EQ(world_->last_seq(shop_), before);
}

Json line_of(Json quantity, Json unit_amount) {
  return Json::array({{{"name", "Lamp"},
                       {"quantity", std::move(quantity)},
                       {"unit_amount", std::move(unit_amount)}}});
}
Json many_lines(std::size_t count) {
  Json lines = Json::array();
  for (std::size_t i = 0; i < count; ++i) lines.push_back(line_of(1, 100)[0]);
  return lines;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RequestRefusals,
    ::testing::Values(
        Bad{"NoLines", "lines", Json::array(), "/lines"},
        Bad{"MoreThanAHundredLines", "lines", many_lines(101), "/lines"},
        Bad{"ATotalOfZero", "lines", line_of(3, 0), "/lines"},
        Bad{"ANegativePrice", "lines", line_of(1, -1), "/lines/0/unit_amount"},
        Bad{"AFractionOfACent", "lines", line_of(1, 12.5), "/lines/0/unit_amount"},
        Bad{"APriceAsText", "lines", line_of(1, "1250"), "/lines/0/unit_amount"},
        Bad{"NoPieces", "lines", line_of(0, 100), "/lines/0/quantity"},
        Bad{"TooManyPieces", "lines", line_of(10'000, 1), "/lines/0/quantity"},
        Bad{"OneMoreThanTheLargestAmount", "lines", line_of(1, 75'000'001), "/lines"},
        Bad{"FarMoreThanTheLargestAmount", "lines", line_of(9'999, kAmountMax), "/lines"},
        Bad{"APriceBeyondAnyRequest", "lines", line_of(1, kAmountMax + 1), "/lines/0/unit_amount"},
        Bad{"APriceBeyond64Bits", "lines", line_of(1, UINT64_MAX), "/lines/0/unit_amount"},
        Bad{"AllOfItWouldBeTheFee", "lines", line_of(1, 31), "/lines"},
        Bad{"AnotherCurrency", "currency", "EUR", "/currency"},
        Bad{"NoCurrency", "currency", "ZZZ", "/currency"},
        Bad{"ATitleThatIsTooLong", "title", std::string(33, 'x'), "/title"},
        Bad{"ATitleOfTwoLines", "title", "a\nb", "/title"},
        Bad{"NoDescription", "description", "", "/description"},
        Bad{"ADescriptionThatIsTooLong", "description", std::string(256, 'x'), "/description"},
        Bad{"ATotalOfItsOwn", "total", 1, "/total"},
        Bad{"AnAddressThatMayBe", "shipping_address", "maybe", "/shipping_address"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Requests, ThatWouldOverflowAreRefused) {
  auto given = from_json<payments::NewRequest>(a_request(shop_));
  given.lines.items[0].unit_amount.value = INT64_MAX;
  given.lines.items[0].quantity.value = 2;
  const auto product = refusal_of([&] {
    world_->transact([&](Tx& tx) { payments::ask(tx, shop_.owner, given, world_->payment_rules); });
  });
  EXPECT_EQ(product.code(), Code::invalid);
  given.lines.items[0].quantity.value = 1;
  given.lines.items.push_back(given.lines.items[0]);
  const auto sum = refusal_of([&] {
    world_->transact([&](Tx& tx) { payments::ask(tx, shop_.owner, given, world_->payment_rules); });
  });
  EXPECT_EQ(sum.code(), Code::invalid);
}

// ---- the expiry ---------------------------------------------------------------------------------

struct Expiry {
  const char* name;
  std::chrono::microseconds after;
  bool is_possible;
  friend std::ostream& operator<<(std::ostream& out, const Expiry& e) { return out << e.name; }
};
class RequestExpiries : public Requests, public ::testing::WithParamInterface<Expiry> {};

TEST_P(RequestExpiries, AreThirtyMinutesToThirtyDaysAway) {
  auto given = from_json<payments::NewRequest>(a_request(shop_));
  std::optional<payments::Request> request;
  const auto act = [&](Tx& tx) {
    given.expires_at = tx.now() + GetParam().after;
    request = payments::ask(tx, shop_.owner, given, world_->payment_rules);
  };
  if (GetParam().is_possible) {
    world_->transact(act);
    EXPECT_EQ(request.value().expires_at - request->created_at, GetParam().after);
    return;
  }
  const auto error = refusal_of([&] { world_->transact(act); });
  EXPECT_EQ(error.code(), Code::invalid);
  ASSERT_EQ(error.faults().size(), 1u);
  EXPECT_EQ(error.faults().front().pointer, "/expires_at");
}

INSTANTIATE_TEST_SUITE_P(Table, RequestExpiries,
                         ::testing::Values(Expiry{"InThePast", -1s, false},
                                           Expiry{"Now", 0s, false},
                                           Expiry{"JustTooSoon", 30min - 1us, false},
                                           Expiry{"TheSoonest", 30min, true},
                                           Expiry{"TheLatest", 30 * 24h, true},
                                           Expiry{"JustTooLate", 30 * 24h + 1us, false}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(Requests, StandForADayWhereNothingElseIsSaid) {
  const auto request = ask(shop_.owner, a_request(shop_));
  EXPECT_EQ(request.expires_at - request.created_at, 24h);
  EXPECT_EQ(request.shipping_address, payments::ShippingAddress::required);
}

// ---- who may ask --------------------------------------------------------------------------------

TEST_F(Requests, AreMadeByEveryMemberWhateverTheRole) {
  for (const auto role : {identity::Role::agent, identity::Role::manager, identity::Role::owner}) {
    const auto who = world_->member(shop_, role);
    EXPECT_EQ(ask(who, a_request(shop_)).merchant_id, shop_.merchant) << text_of(role);
  }
}

TEST_F(Requests, AreMadeByAnApiKeyWithTheScopeOnly) {
  const auto request = ask(world_->key_with(shop_, identity::Scope::payments), a_request(shop_));
  EXPECT_EQ(request.buyer_id, shop_.buyer.account);
  for (const auto scope : {identity::Scope::read, identity::Scope::chat, identity::Scope::orders}) {
    const auto key = world_->key_with(shop_, scope);
    const auto error = refusal_of([&] { ask(key, a_request(shop_)); });
    EXPECT_EQ(error.code(), Code::forbidden) << text_of(scope);
  }
}

TEST_F(Requests, AreNotMadeByBuyersStrangersOrOtherShops) {
  const auto other = world_->shop();
  const auto before = world_->last_seq(shop_);
  EXPECT_EQ(refusal_of([&] { ask(shop_.buyer, a_request(shop_)); }).code(), Code::forbidden);
  EXPECT_EQ(refusal_of([&] { ask(world_->person(), a_request(shop_)); }).code(), Code::not_found);
  EXPECT_EQ(refusal_of([&] { ask(other.owner, a_request(shop_)); }).code(), Code::not_found);
  EXPECT_EQ(refusal_of([&] { ask(world_->staff(), a_request(shop_)); }).code(), Code::not_found);
  EXPECT_EQ(refusal_of([&] { ask(identity::Who{}, a_request(shop_)); }).code(), Code::not_found);
  const auto key = world_->key_with(other, identity::Scope::payments);
  EXPECT_EQ(refusal_of([&] { ask(key, a_request(shop_)); }).code(), Code::not_found);
  EXPECT_EQ(world_->last_seq(shop_), before);
}

TEST_F(Requests, AreForTheTwoSidesToSeeAndForNobodyElse) {
  const auto request = ask(shop_.owner, a_request(shop_));
  const auto fetch = [&](const identity::Who& who) {
    return world_->transact([&](Tx& tx) { return payments::fetch_request(tx, who, request.id); });
  };
  EXPECT_EQ(fetch(shop_.buyer).id, request.id);
  EXPECT_EQ(fetch(shop_.owner).id, request.id);
  const auto stranger = world_->person();
  EXPECT_EQ(refusal_of([&] { fetch(stranger); }).code(), Code::not_found);
  EXPECT_EQ(refusal_of([&] {
              world_->transact([&](Tx& tx) {
                payments::list_requests(tx, stranger, shop_.conversation, std::nullopt, 10);
              });
            }).code(),
            Code::not_found);
}

// ---- onboarding ---------------------------------------------------------------------------------

TEST_F(Requests, WaitUntilTheProcessorHasAcceptedTheBusiness) {
  Shop fresh;
  fresh.owner = world_->person();
  fresh.buyer = world_->person();
  fresh.merchant = world_->merchant(fresh.owner).id;
  fresh.conversation =
      world_
          ->transact([&](Tx& tx) { return conversations::open(tx, fresh.buyer, {fresh.merchant}); })
          .conversation.id;
  const auto refused = [&] {
    return refusal_of([&] { ask(fresh.owner, a_request(fresh)); }).code();
  };
  EXPECT_EQ(refused(), Code::conflict) << "pending";
  auto& processor = world_->registry.get("sandbox");
  const processors::Onboarding call{text_of(fresh.merchant), "http://shop.example/back"};
  const auto page = run(processor.onboard(call));
  world_->transact([&](Tx& tx) { identity::begin_onboarding(tx, fresh.merchant, page.account); });
  EXPECT_EQ(refused(), Code::conflict) << "in progress";
  const processors::Application rejected{Secret("Ada Lamp"), Secret("1 Main St, Springfield"),
                                         Secret("123-45-0000")};
  run(world_->sandbox.apply(page.account, rejected));
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(refused(), Code::conflict) << "rejected";
  EXPECT_EQ(world_->last_seq(fresh), 0);
  world_->activate(fresh.merchant);
  EXPECT_EQ(ask(fresh.owner, a_request(fresh)).state, RequestState::open);
}

}  // namespace requests_test
}  // namespace bottega::test
