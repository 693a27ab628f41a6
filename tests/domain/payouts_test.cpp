// Payouts: what the merchant is paid, once, and how one is held, refused and found again.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::test {
namespace payouts_test {

using namespace std::chrono_literals;
using payouts::State;
using processors::MovementState, processors::Operation, processors::Outcome, processors::Verdict;

class Payouts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { shop_ = world_->shop(); }

  payouts::Payout schedule(std::int64_t amount = 10'000) const {
    return world_->ship(shop_, world_->sell(shop_, amount)).payout.value();
  }
  // A sale whose share for the merchant ends in these two digits.
  payouts::Payout schedule_share_ending_in(std::int64_t digits) const {
    std::int64_t amount = 1'000;
    while ((amount - share_half_even(amount, 290) - 30) % 100 != digits) ++amount;
    const auto payout = schedule(amount);
    EXPECT_EQ(payout.amount.amount % 100, digits);
    return payout;
  }
  payouts::Payout now(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, shop_.owner, payout.id); });
  }
  static void pass(std::chrono::seconds time) {
    world_->advance(time);
    world_->run_jobs();
  }
  payouts::Payout hold(const payouts::Payout& payout) const {
    const payouts::Reason why{from_text<Text<1, 255>>("asked by the bank")};
    return world_->transact([&](Tx& tx) { return payouts::hold(tx, payout.id, why); });
  }
  payouts::Payout release(const payouts::Payout& payout) const {
    return world_->transact([&](Tx& tx) { return payouts::release(tx, payout.id); });
  }
  std::string key_of(const payouts::Payout& payout) const {
    const auto batch = now(payout).batch_id.value();
    return world_->transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, batch.uuid, 1s).key(); });
  }
  payouts::Batch settle_batch(const payouts::Payout& payout, const Outcome& outcome) const {
    const auto batch = now(payout).batch_id.value();
    return world_->transact([&](Tx& tx) {
      return payouts::settle(tx, shop_.merchant, batch, outcome, world_->payout_rules);
    });
  }
  // What the processor's books say was paid out to this shop.
  std::vector<processors::BookEntry> books(MovementState state) const {
    const auto keys =
        execute(world_->urls.superuser,
                "SELECT string_agg(key, ' ') FROM sandbox.movements m JOIN bottega.merchants b ON "
                "b.processor_account = m.account WHERE b.id = '" +
                    uuid_text(shop_.merchant.uuid) + "'");
    auto all = world_->books();
    std::erase_if(all, [&](const auto& entry) {
      return entry.operation != Operation::payout || entry.state != state ||
             keys.find(entry.key) == keys.npos;
    });
    return all;
  }
  std::int64_t balance(ledger::Kind kind) const {
    for (const auto& row : world_->transact(
             [&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(shop_.merchant)); }))
      if (row.kind == kind) return row.credits - row.debits;
    return 0;
  }
  // Whether the processor serves this merchant at all.
  void set_account(const std::string& state) const {
    execute(world_->urls.superuser, "UPDATE sandbox.accounts SET state = '" + state +
                                        "' WHERE merchant = '" + text_of(shop_.merchant) + "'");
  }

  static inline std::unique_ptr<World> world_;
  Shop shop_;
};

TEST_F(Payouts, ArePaidOnceWhenTheyAreDue) {
  const auto payout = schedule(10'000);
  EXPECT_EQ(payout.state, State::scheduled);
  EXPECT_EQ(payout.amount.amount, 9'680);
  EXPECT_EQ(payout.fee, 320);
  EXPECT_EQ(balance(ledger::Kind::held), 10'000);
  pass(6 * 24h);
  const auto paid = now(payout);
  EXPECT_EQ(paid.state, State::paid);
  EXPECT_EQ(paid.tries, 1);
  EXPECT_GE(paid.submitted_at, paid.due_at);
  EXPECT_TRUE(paid.paid_at);
  for (int i = 0; i < 3; ++i) pass(24h);
  const auto books = this->books(MovementState::succeeded);
  ASSERT_EQ(books.size(), 1u);
  EXPECT_EQ(books[0].amount, payout.amount);
  EXPECT_EQ(books[0].reference, paid.reference);
}

TEST_F(Payouts, LeaveTheFeeAndNothingElseInTheBooks) {
  schedule(10'000);
  EXPECT_EQ(balance(ledger::Kind::platform_fees), 0) << "not earned before it is paid out";
  pass(6 * 24h);
  EXPECT_EQ(balance(ledger::Kind::held), 0);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), 0);
  EXPECT_EQ(balance(ledger::Kind::platform_fees), 320);
  EXPECT_EQ(balance(ledger::Kind::processor_clearing), -320);
}

TEST_F(Payouts, AreScheduledLaterWhereTheOperatorSaysSo) {
  world_->payout_rules.business_days = 5;
  const auto payout = schedule();
  world_->payout_rules.business_days = 3;
  EXPECT_EQ(payout.due_at, Calendars::built_in().of("US").add_business_days(payout.shipped_at, 5));
  EXPECT_EQ(payout.due_at - payout.shipped_at >= 7 * 24h, true) << "five days, and a weekend";
  pass(6 * 24h + 23h);
  EXPECT_EQ(now(payout).state, State::scheduled);
  pass(3 * 24h);
  EXPECT_EQ(now(payout).state, State::paid);
}

TEST_F(Payouts, AreToldAtShippingToThoseWhoMaySeeThem) {
  const auto told = [&](const identity::Who& who) {
    const auto order = world_->sell(shop_);
    const auto shipment =
        from_json<orders::NewShipment>({{"carrier", "USPS"}, {"tracking_number", "1"}});
    return world_->transact([&](Tx& tx) {
      return payouts::ship(tx, who, order.id, shipment, world_->payout_rules).payout.has_value();
    });
  };
  EXPECT_TRUE(told(shop_.owner));
  EXPECT_TRUE(told(world_->member(shop_, identity::Role::manager)));
  EXPECT_FALSE(told(world_->member(shop_, identity::Role::agent)));
  EXPECT_FALSE(told(world_->key_with(shop_, identity::Scope::orders)));
}

TEST_F(Payouts, AreForManagersToSee) {
  const auto payout = schedule();
  const auto seen_by = [&](identity::Role role) {
    const auto who = world_->member(shop_, role);
    return world_->transact([&](Tx& tx) { return payouts::fetch(tx, who, payout.id).id; });
  };
  EXPECT_EQ(seen_by(identity::Role::manager), payout.id);
  EXPECT_EQ(code_of([&] { seen_by(identity::Role::agent); }), Code::forbidden);
  for (const auto& who : {shop_.buyer, world_->person(), world_->staff()})
    EXPECT_EQ(
        code_of([&] { world_->transact([&](Tx& tx) { payouts::fetch(tx, who, payout.id); }); }),
        Code::not_found);
}

// ---- no answer, and no --------------------------------------------------------------------------

TEST_F(Payouts, WhoseAnswerIsLostAreAskedAboutAndPaidOnce) {
  const auto payout = schedule_share_ending_in(17);
  pass(6 * 24h);
  EXPECT_EQ(now(payout).state, State::submitted);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), payout.amount.amount);
  pass(6s);
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(now(payout).tries, 1);
  pass(24h);
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), 0);
}

TEST_F(Payouts, WhoseAnswerIsLostMayBeSettledByTheWebhook) {
  const auto payout = schedule_share_ending_in(17);
  pass(6 * 24h);
  world_->deliver_webhooks();
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, State::paid);
  pass(24h);
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), 0);
}

TEST_F(Payouts, ThatTheBankRefusesFailWithItsReasonAndAreTriedAgainLater) {
  const auto payout = schedule_share_ending_in(13);
  pass(6 * 24h);
  EXPECT_EQ(now(payout).state, State::failed);
  EXPECT_EQ(now(payout).reason, "bank_rejected");
  EXPECT_EQ(now(payout).tries, 1);
  const auto first = key_of(payout);
  world_->run_jobs();
  EXPECT_EQ(now(payout).tries, 1) << "not at once";
  pass(6s);
  EXPECT_EQ(now(payout).tries, 2);
  EXPECT_EQ(now(payout).state, State::failed);
  EXPECT_NE(key_of(payout), first) << "a new try has a key of its own";
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), payout.amount.amount)
      << "it is still the merchant's, and was posted once";
  EXPECT_TRUE(books(MovementState::succeeded).empty());
}

TEST_F(Payouts, ThatFailedArePaidOnceTheProcessorTakesThem) {
  const auto payout = schedule();
  set_account("rejected");
  pass(6 * 24h);
  ASSERT_EQ(now(payout).state, State::failed);
  EXPECT_EQ(now(payout).reason, "account_not_active");
  set_account("active");
  pass(6s);
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(now(payout).tries, 2);
  EXPECT_FALSE(now(payout).reason) << "the old reason is gone";
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), 0);
  EXPECT_EQ(balance(ledger::Kind::platform_fees), 320) << "the fee was taken once";
}

TEST_F(Payouts, ThatDiedBeforeTheCallAreSentUnderTheSameKey) {
  const auto payout = schedule();
  world_->advance(6 * 24h);
  // The first try writes down that it asks and dies there: its processor does not exist.
  struct Dead final : processors::Processor {
    [[noreturn]] static void die() { throw std::runtime_error("the power went"); }
    std::string_view name() const override { return "sandbox"; }
    asio::awaitable<Outcome> charge(const processors::Charge&) override { die(); }
    asio::awaitable<Outcome> refund(const processors::Refund&) override { die(); }
    asio::awaitable<Outcome> pay_out(const processors::Payout&) override { die(); }
    asio::awaitable<processors::OnboardingPage> onboard(const processors::Onboarding&) override {
      die();
    }
    asio::awaitable<std::optional<processors::MethodFacts>> describe_method(
        const std::string&) override {
      die();
    }
    asio::awaitable<Outcome> look_up(Operation, const std::string&) override { die(); }
    asio::awaitable<Outcome> cancel(const std::string&) override { die(); }
    asio::awaitable<processors::MovementPage> movements(const processors::Period&,
                                                        const std::string&, std::int64_t) override {
      die();
    }
    processors::Event read_webhook(std::string_view, const processors::Headers&,
                                   Instant) const override {
      die();
    }
  };
  processors::Registry dead;
  dead.add(std::make_unique<Dead>());
  EXPECT_THROW(world_->pay_out(payout, dead), std::runtime_error);
  ASSERT_EQ(now(payout).state, State::submitted);
  const auto key = key_of(payout);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(key_of(payout), key) << "the same try, under the same key";
  EXPECT_EQ(now(payout).tries, 1);
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u);
}

TEST_F(Payouts, HeardOfTwiceOrAgainstWhatIsKnownChangeNothing) {
  const auto payout = schedule();
  pass(6 * 24h);
  const auto once = to_json(now(payout));
  const auto settle = [&](const Outcome& outcome) { settle_batch(payout, outcome); };
  settle({Verdict::succeeded, *now(payout).reference, "", ""});
  settle({Verdict::unknown, "", "", ""});
  settle({Verdict::pending, "", "", ""});
  EXPECT_EQ(code_of([&] { settle({Verdict::declined, "", "bank_rejected", ""}); }), Code::conflict);
  EXPECT_EQ(to_json(now(payout)), once);
  EXPECT_EQ(balance(ledger::Kind::merchant_payable), 0);
}

TEST_F(Payouts, NewsOfAnOldTryDoesNotTouchTheNextOne) {
  const auto payout = schedule();
  set_account("rejected");
  pass(6 * 24h);
  ASSERT_EQ(now(payout).state, State::failed);  // the webhook that says so is still on its way
  const auto first = key_of(payout);
  set_account("active");
  const processors::Registry nobody;
  world_->advance(6s);
  EXPECT_THROW(world_->pay_out(payout, nobody), Error);
  ASSERT_NE(key_of(payout), first);  // the second try is under way
  const auto account = world_->transact([&](Tx& tx) {
    return identity::fetch_merchant(tx, shop_.merchant).processor_account.value();
  });
  const processors::Payout call{key_of(payout), payout.amount, account};
  const auto answer = run(world_->sandbox.pay_out(call));
  ASSERT_EQ(answer.verdict, Verdict::succeeded);
  const processors::Event late{"evt_of_" + first, Operation::payout, first,
                               Outcome{Verdict::declined, "", "account_not_active", ""}};
  world_->transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", late); });
  world_->run_jobs();
  EXPECT_NO_THROW(settle_batch(payout, answer));
  pass(24h);
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u) << "paid out twice";
}

// ---- holding ------------------------------------------------------------------------------------

TEST_F(Payouts, ThatAreHeldWaitForTheirRelease) {
  const auto payout = schedule();
  EXPECT_EQ(hold(payout).state, State::held);
  EXPECT_EQ(now(payout).reason, "asked by the bank");
  pass(30 * 24h);
  EXPECT_EQ(now(payout).state, State::held);
  EXPECT_TRUE(books(MovementState::succeeded).empty());
  EXPECT_EQ(balance(ledger::Kind::held), 10'000);
  EXPECT_EQ(release(payout).state, State::scheduled);
  EXPECT_FALSE(now(payout).reason);
  world_->run_jobs();
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_EQ(books(MovementState::succeeded).size(), 1u);
}

TEST_F(Payouts, ThatAreReleasedEarlyAreStillNotPaidBeforeTheirDay) {
  const auto payout = schedule();
  hold(payout);
  release(payout);
  pass(2 * 24h + 23h);
  EXPECT_EQ(now(payout).state, State::scheduled);
  pass(4 * 24h);
  EXPECT_EQ(now(payout).state, State::paid);
}

TEST_F(Payouts, AreHeldAndReleasedOnlyWhereItIsDrawn) {
  const auto payout = schedule();
  EXPECT_EQ(code_of([&] { release(payout); }), Code::conflict) << "it is not held";
  hold(payout);
  EXPECT_EQ(code_of([&] { hold(payout); }), Code::conflict) << "it is held already";
  release(payout);
  pass(6 * 24h);
  EXPECT_EQ(code_of([&] { hold(payout); }), Code::conflict) << "it is paid";
  EXPECT_EQ(code_of([&] { release(payout); }), Code::conflict);
  EXPECT_EQ(now(payout).state, State::paid);
  EXPECT_FALSE(now(payout).reason);
}

TEST_F(Payouts, UnderWayCannotBeHeld) {
  const auto payout = schedule_share_ending_in(17);
  pass(6 * 24h);
  ASSERT_EQ(now(payout).state, State::submitted);
  EXPECT_EQ(code_of([&] { hold(payout); }), Code::conflict);
  EXPECT_EQ(now(payout).state, State::submitted);
}

// One that fails again and again is not sent on and on where ops want to look at it first.
TEST_F(Payouts, ThatFailedCanBeHeldAndAreTriedAgainWhenReleased) {
  const auto payout = schedule_share_ending_in(13);
  pass(6 * 24h);
  ASSERT_EQ(now(payout).state, State::failed);
  const auto tries = now(payout).tries;
  EXPECT_EQ(hold(payout).state, State::held);
  pass(3 * 24h);
  EXPECT_EQ(now(payout).state, State::held);
  EXPECT_EQ(now(payout).tries, tries);
  EXPECT_EQ(release(payout).state, State::scheduled);
  world_->run_jobs();
  EXPECT_EQ(now(payout).tries, tries + 1);
  EXPECT_EQ(balance(ledger::Kind::held), 0) << "earned once";
}

TEST_F(Payouts, AreHeldForAReasonOnly) {
  for (const auto& reason : {Json(""), Json(nullptr), Json(std::string(256, 'x'))}) {
    const Json given = {{"reason", reason}};
    EXPECT_EQ(code_of([&] { from_json<payouts::Reason>(given); }), Code::invalid);
  }
  const auto payout = schedule();
  EXPECT_ANY_THROW(execute(world_->urls.app,
                           "SET default_transaction_read_only = off; UPDATE bottega.payouts SET "
                           "state = 'held' WHERE id = '" +
                               uuid_text(payout.id.uuid) + "'"))
      << "the database wants one too";
  EXPECT_EQ(now(payout).state, State::scheduled);
}

}  // namespace payouts_test
}  // namespace bottega::test
