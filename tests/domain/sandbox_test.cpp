// The processor that the sandbox plays, and its adapter: keys, cards, books and signed news.
#include <gtest/gtest.h>

#include <functional>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace sandbox_test {

using namespace std::chrono_literals;
using processors::MovementState, processors::Operation, processors::Outcome, processors::Verdict;

class SandboxBooks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    const auto shop = world_->shop();
    account_ = world_->transact([&](Tx& tx) {
      return identity::fetch_merchant(tx, shop.merchant).processor_account.value();
    });
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Money usd(std::int64_t amount) { return {amount, parse_currency("USD")}; }
  static processors::Processor& processor() { return world_->registry.get("sandbox"); }
  static std::string a_key() { return "key_" + random_token(12); }
  static Outcome charge(const std::string& key, const std::string& token,
                        std::int64_t amount = 1'000, const std::string& account = account_) {
    const processors::Charge call{key, usd(amount), token, account, "http://shop.example/back"};
    return run(processor().charge(call));
  }
  static Outcome look_up(const std::string& key, Operation operation = Operation::charge) {
    return run(processor().look_up(operation, key));
  }
  static std::vector<processors::BookEntry> entries(const std::string& key) {
    auto all = world_->books();
    std::erase_if(all, [&](const auto& entry) { return entry.key != key; });
    return all;
  }

  static inline std::unique_ptr<World> world_;
  static inline std::string account_;
};

TEST_F(SandboxBooks, MoveOncePerKey) {
  const auto key = a_key();
  const auto first = charge(key, "tok_approved");
  const auto second = charge(key, "tok_approved");
  EXPECT_EQ(first.verdict, Verdict::succeeded);
  EXPECT_EQ(second.verdict, Verdict::succeeded);
  EXPECT_EQ(second.reference, first.reference);
  EXPECT_EQ(charge(key, "tok_declined").verdict, Verdict::succeeded)
      << "it was done with the first";
  EXPECT_EQ(entries(key).size(), 1u);
}

TEST_F(SandboxBooks, RefuseAKeyThatBelongsToAnotherMovement) {
  const auto key = a_key();
  charge(key, "tok_approved", 1'000);
  const auto other_amount = charge(key, "tok_approved", 1'001);
  EXPECT_EQ(other_amount.verdict, Verdict::refused);
  EXPECT_EQ(other_amount.reason, "key_reused");
  const processors::Payout payout{key, usd(1'000), account_};
  EXPECT_EQ(run(processor().pay_out(payout)).verdict, Verdict::refused);
  EXPECT_EQ(entries(key).size(), 1u);
}

TEST_F(SandboxBooks, ChargeForActiveAccountsOnly) {
  for (const auto* account : {"", "sac_nobody"}) {
    const auto outcome = charge(a_key(), "tok_approved", 1'000, account);
    EXPECT_EQ(outcome.verdict, Verdict::declined);
    EXPECT_EQ(outcome.reason, "account_not_active");
  }
  const processors::Payout payout{a_key(), usd(1'000), "sac_nobody"};
  EXPECT_EQ(run(processor().pay_out(payout)).reason, "account_not_active");
}

TEST_F(SandboxBooks, SayWhatBecameOfAKeyAndMoveNothing) {
  const auto key = a_key();
  EXPECT_EQ(look_up(key).verdict, Verdict::not_found);
  EXPECT_TRUE(entries(key).empty());
  const auto charged = charge(key, "tok_approved");
  EXPECT_EQ(look_up(key).verdict, Verdict::succeeded);
  EXPECT_EQ(look_up(key).reference, charged.reference);
  EXPECT_EQ(look_up(key, Operation::refund).verdict, Verdict::not_found);
  EXPECT_EQ(look_up(key, Operation::payout).verdict, Verdict::not_found);
  const auto declined = a_key();
  charge(declined, "tok_declined");
  EXPECT_EQ(look_up(declined).verdict, Verdict::declined);
  EXPECT_EQ(look_up(declined).reason, "card_declined");
}

TEST_F(SandboxBooks, LoseAnAnswerBeforeOrBehindTheMovement) {
  const auto lost = a_key(), nothing = a_key();
  EXPECT_EQ(charge(lost, "tok_answer_lost").verdict, Verdict::unknown);
  EXPECT_EQ(look_up(lost).verdict, Verdict::succeeded);
  EXPECT_EQ(charge(nothing, "tok_no_answer").verdict, Verdict::unknown);
  EXPECT_EQ(look_up(nothing).verdict, Verdict::not_found);
}

TEST_F(SandboxBooks, KillACancelledKeyForEver) {
  const auto unseen = a_key();
  const auto told = run(processor().cancel(unseen));
  EXPECT_EQ(told.verdict, Verdict::declined);
  EXPECT_EQ(told.reason, "cancelled");
  EXPECT_EQ(charge(unseen, "tok_approved").verdict, Verdict::declined);
  EXPECT_EQ(charge(unseen, "tok_confirm", 77).reason, "cancelled");
  EXPECT_EQ(entries(unseen).size(), 1u);
  const auto waiting = a_key();
  const auto asked = charge(waiting, "tok_confirm");
  EXPECT_EQ(run(processor().cancel(waiting)).verdict, Verdict::declined);
  run(world_->sandbox.confirm(asked.reference, processors::Confirm::yes));
  EXPECT_EQ(look_up(waiting).verdict, Verdict::declined);
}

TEST_F(SandboxBooks, DoNotCancelWhatIsDone) {
  const auto key = a_key();
  charge(key, "tok_approved");
  EXPECT_EQ(run(processor().cancel(key)).verdict, Verdict::succeeded);
  EXPECT_EQ(look_up(key).verdict, Verdict::succeeded);
}

TEST_F(SandboxBooks, ConfirmAChargeOnce) {
  const auto key = a_key();
  const auto asked = charge(key, "tok_confirm");
  EXPECT_EQ(asked.verdict, Verdict::buyer_action);
  EXPECT_EQ(asked.action_url, "http://sandbox.example/confirm/" + asked.reference);
  EXPECT_EQ(run(world_->sandbox.confirm(asked.reference, processors::Confirm::no)),
            "http://shop.example/back");
  run(world_->sandbox.confirm(asked.reference, processors::Confirm::yes));
  EXPECT_EQ(look_up(key).reason, "buyer_refused") << "the first word counts";
}

TEST_F(SandboxBooks, ListWhatHasMovedAndNothingElse) {
  const processors::Period period{world_->clock.now(), world_->clock.now() + 1h};
  const auto yes = a_key(), no = a_key(), open = a_key(), dead = a_key();
  charge(yes, "tok_approved", 4'444);
  charge(no, "tok_declined");
  charge(open, "tok_confirm");
  run(processor().cancel(dead));
  const std::string first;
  const auto page = run(processor().movements(period, first, 10));
  const auto& moved = page.movements;
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(page.next, "");
  EXPECT_EQ(moved[0].key, yes);
  EXPECT_EQ(moved[0].amount, usd(4'444));
  EXPECT_EQ(moved[0].operation, Operation::charge);
  EXPECT_GE(moved[0].moved_at, period.since);
  const processors::Period later{world_->clock.now() + 1s, period.until};
  EXPECT_TRUE(run(processor().movements(later, first, 10)).movements.empty());
  const processors::Period before{period.since - 1h, moved[0].moved_at};
  const auto earlier = run(processor().movements(before, first, 10)).movements;
  EXPECT_TRUE(std::ranges::none_of(earlier, [&](const auto& one) { return one.key == yes; }))
      << "the end of a period is not in it";
}

TEST_F(SandboxBooks, ListAPeriodPageByPageAndEachMovementOnce) {
  const processors::Period period{world_->clock.now(), world_->clock.now() + 1h};
  std::vector<std::string> keys;
  for (int i = 0; i < 5; ++i) charge(keys.emplace_back(a_key()), "tok_approved");
  std::vector<std::string> listed;
  int pages = 0;
  std::string cursor;
  do {
    const auto page = run(processor().movements(period, cursor, 2));
    EXPECT_LE(page.movements.size(), 2u);
    for (const auto& one : page.movements) listed.push_back(one.key);
    cursor = page.next;
  } while (!cursor.empty() && ++pages < 10);
  EXPECT_EQ(listed, keys) << "in the order in which they moved";
}

TEST_F(SandboxBooks, ListWhatTheBuyerConfirmedWhenItWasConfirmed) {
  const auto key = a_key();
  const auto asked = charge(key, "tok_confirm");
  world_->advance(2h);
  const processors::Period period{world_->clock.now(), world_->clock.now() + 1h};
  run(world_->sandbox.confirm(asked.reference, processors::Confirm::yes));
  const auto page = run(processor().movements(period, "", 10));
  ASSERT_EQ(page.movements.size(), 1u);
  EXPECT_EQ(page.movements[0].key, key);
}

TEST_F(SandboxBooks, RefundOnlyWhatWasCharged) {
  const auto refund = [&](const std::string& charge, std::int64_t amount) {
    const processors::Refund call{a_key(), usd(amount), charge, account_};
    return run(processor().refund(call));
  };
  const auto charged = charge(a_key(), "tok_approved", 1'000);
  const auto declined = charge(a_key(), "tok_declined", 1'000);
  EXPECT_EQ(refund("sch_nothing", 1).reason, "no_such_charge");
  EXPECT_EQ(refund(declined.reference, 1).reason, "no_such_charge");
  EXPECT_EQ(refund(charged.reference, 1'001).reason, "charge_refunded_too_much");
  EXPECT_EQ(refund(charged.reference, 1'000).verdict, Verdict::succeeded);
  EXPECT_EQ(refund(charged.reference, 1).verdict, Verdict::declined);
}

TEST(SandboxSlowly, AnswersTooLateButDoesIt) {
  auto options = World::default_options();
  options.slow = 400ms;
  options.answer_timeout = 50ms;
  World world(options);
  const auto shop = world.shop();
  const auto late = world.pay(shop, world.ask(shop), "tok_slow");
  EXPECT_EQ(late.payment.state, payments::State::unknown);
  const auto books = world.books();
  ASSERT_EQ(books.size(), 1u);
  EXPECT_EQ(books[0].state, MovementState::succeeded);
  world.deliver_webhooks();
  world.run_jobs();
  const auto known = world.transact(
      [&](Tx& tx) { return payments::fetch_payment(tx, shop.buyer, late.payment.id); });
  EXPECT_EQ(known.state, payments::State::captured);
}

// ---- cards --------------------------------------------------------------------------------------

struct CardRow {
  const char* name;
  const char* number;
  const char* brand;  // "" where it is no card
  Verdict verdict;
  const char* reason;
  friend std::ostream& operator<<(std::ostream& out, const CardRow& row) { return out << row.name; }
};
class SandboxCards : public SandboxBooks, public ::testing::WithParamInterface<CardRow> {};

TEST_P(SandboxCards, BehaveByTheirNumber) {
  const auto card = from_json<processors::Card>(
      {{"number", GetParam().number}, {"month", 12}, {"year", 2031}, {"cvc", "123"}});
  if (GetParam().brand[0] == '\0') {
    try {
      run(world_->sandbox.tokenize(card));
      ADD_FAILURE() << "it was taken for a card";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid);
      ASSERT_EQ(error.faults().size(), 1u);
      EXPECT_EQ(error.faults()[0].pointer, "/number");
      EXPECT_EQ(std::string(error.what()).find(GetParam().number), std::string::npos);
    }
    return;
  }
  const auto token = run(world_->sandbox.tokenize(card));
  EXPECT_EQ(token.brand, GetParam().brand);
  std::string digits = GetParam().number;
  std::erase_if(digits, [](char c) { return c < '0' || c > '9'; });
  EXPECT_EQ(token.last_four, digits.substr(digits.size() - 4));
  EXPECT_EQ(execute(world_->urls.superuser,
                    "SELECT count(*) FROM sandbox.methods m WHERE "
                    "strpos(m::text, '" +
                        digits + "') > 0"),
            "0")
      << "the number is not kept";
  const auto outcome = charge(a_key(), token.token);
  EXPECT_EQ(outcome.verdict, GetParam().verdict);
  EXPECT_EQ(outcome.reason, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SandboxCards,
    ::testing::Values(
        CardRow{"Approved", "4242 4242 4242 4242", "visa", Verdict::succeeded, ""},
        CardRow{"WithDashes", "4242-4242-4242-4242", "visa", Verdict::succeeded, ""},
        CardRow{"Mastercard", "5555555555554444", "mastercard", Verdict::succeeded, ""},
        CardRow{"AmericanExpress", "378282246310005", "american_express", Verdict::succeeded, ""},
        CardRow{"Declined", "4000 0000 0000 0002", "visa", Verdict::declined, "card_declined"},
        CardRow{"InsufficientFunds", "4000 0000 0000 9995", "visa", Verdict::declined,
                "insufficient_funds"},
        CardRow{"Confirm", "4000 0025 0000 3155", "visa", Verdict::buyer_action, ""},
        CardRow{"NoAnswer", "4000 0000 0000 0119", "visa", Verdict::unknown, ""},
        CardRow{"AnswerLost", "4000 0000 0000 0259", "visa", Verdict::unknown, ""},
        CardRow{"Slow", "4000 0000 0000 0077", "visa", Verdict::succeeded, ""},
        CardRow{"WrongCheckDigit", "4242 4242 4242 4241", "", Verdict::unknown, ""},
        CardRow{"Letters", "4242 4242 4242 424x", "", Verdict::unknown, ""},
        CardRow{"TooFewDigits", "0000 0000 000", "", Verdict::unknown, ""},
        CardRow{"TooManyDigits", "00000000000000000000", "", Verdict::unknown, ""}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- news ---------------------------------------------------------------------------------------

constexpr std::string_view kBody =
    R"({"id":"evt_1","operation":"charge","key":"att_1","verdict":"succeeded",)"
    R"("reference":"sch_1","reason":"","action_url":""})";
constexpr std::int64_t kNow = 1'800'000'000;

struct SignatureRow {
  const char* name;
  std::function<std::string(const Secret&)> sign;
  std::string body;
  bool is_genuine;
  friend std::ostream& operator<<(std::ostream& out, const SignatureRow& row) {
    return out << row.name;
  }
};
class SandboxSignatures : public SandboxBooks,
                          public ::testing::WithParamInterface<SignatureRow> {};

TEST_P(SandboxSignatures, AreCheckedOverTheRawBytesAndTheTime) {
  const auto& secret = world_->sandbox.options().webhook_secret;
  const processors::Headers headers = {{"bottega-sandbox-signature", GetParam().sign(secret)}};
  const Instant at{std::chrono::seconds(kNow)};
  try {
    const auto event = processor().read_webhook(GetParam().body, headers, at);
    EXPECT_TRUE(GetParam().is_genuine);
    EXPECT_EQ(event.id, "evt_1");
    EXPECT_EQ(event.key, "att_1");
    EXPECT_EQ(event.operation, Operation::charge);
    EXPECT_EQ(event.outcome.verdict, Verdict::succeeded);
    EXPECT_EQ(event.outcome.reference, "sch_1");
  } catch (const Error& error) {
    EXPECT_FALSE(GetParam().is_genuine) << error.what();
    EXPECT_EQ(error.code(), Code::forbidden);
  }
}

std::string signed_at(const Secret& secret, std::int64_t at) {
  return processors::sign_webhook(secret, kBody, at);
}
std::string sum_of(const Secret& secret) {
  const auto whole = signed_at(secret, kNow);
  return whole.substr(whole.find("v1="));
}
const auto kGenuine = [](const Secret& s) { return signed_at(s, kNow); };
const std::string kSame(kBody);

INSTANTIATE_TEST_SUITE_P(
    Table, SandboxSignatures,
    ::testing::Values(
        SignatureRow{"Genuine", kGenuine, kSame, true},
        SignatureRow{"OneByteMore", kGenuine, kSame + " ", false},
        SignatureRow{"AnotherBody", kGenuine, "{}", false},
        SignatureRow{"AnotherSecret", [](const Secret&) { return signed_at(Secret("x"), kNow); },
                     kSame, false},
        SignatureRow{"AlmostTooOld", [](const Secret& s) { return signed_at(s, kNow - 300); },
                     kSame, true},
        SignatureRow{"TooOld", [](const Secret& s) { return signed_at(s, kNow - 301); }, kSame,
                     false},
        SignatureRow{"FromTheFuture", [](const Secret& s) { return signed_at(s, kNow + 301); },
                     kSame, false},
        SignatureRow{"AnotherTimeThanSigned",
                     [](const Secret& s) { return "t=1799999999," + sum_of(s); }, kSame, false},
        SignatureRow{"TwoTimes",
                     [](const Secret& s) { return "t=1800000000," + signed_at(s, kNow); }, kSame,
                     false},
        SignatureRow{"NoTime", [](const Secret& s) { return sum_of(s); }, kSame, false},
        SignatureRow{"NoSum", [](const Secret&) { return std::string("t=1800000000"); }, kSame,
                     false},
        SignatureRow{"AnEmptySum", [](const Secret&) { return std::string("t=1800000000,v1="); },
                     kSame, false},
        SignatureRow{"AnOldAndANewSecret",
                     [](const Secret& s) { return signed_at(Secret("x"), kNow) + "," + sum_of(s); },
                     kSame, true},
        SignatureRow{"AnotherScheme",
                     [](const Secret& s) { return "t=1800000000,v0=" + sum_of(s).substr(3); },
                     kSame, false},
        SignatureRow{"Nothing", [](const Secret&) { return std::string(); }, kSame, false},
        SignatureRow{"Rubbish", [](const Secret&) { return std::string(",,=,t=x,"); }, kSame,
                     false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(SandboxBooks, ReadNoMessageWithoutASignature) {
  EXPECT_THROW(processor().read_webhook(kBody, {}, Instant{std::chrono::seconds(kNow)}), Error);
}

TEST_F(SandboxBooks, DoNotOpenWithoutASecret) {
  processors::SandboxOptions options;
  EXPECT_THROW(processors::Sandbox(world_->sandbox_db, options), Error);
}

}  // namespace sandbox_test
}  // namespace bottega::test
