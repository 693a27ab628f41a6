// The runs of the settlement check: by themselves every day, in small steps that may be done twice,
// and clean over whatever has happened.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "domain/settlements.hpp"

namespace bottega::test {
namespace settlements_runs_test {

using namespace std::chrono_literals;
using settlements::Kind, settlements::State;
using std::chrono::days;

class SettlementRuns : public Settlements {
 protected:
  std::vector<settlements::Run> runs() {
    return world_.transact([](Tx& tx) { return settlements::list(tx, std::nullopt, 100); });
  }
  void plan() {
    world_.transact([&](Tx& tx) { settlements::plan(tx, rules()); });
  }
  settlements::Rules& rules() { return world_.job_world.settlement_rules; }
  std::string planned() {
    return sql("SELECT string_agg(about, ' ') FROM bottega.jobs WHERE kind = 'settlements.daily'");
  }
  Faults faults_of(const settlements::NewRun& given) {
    try {
      world_.transact([&](Tx& tx) { settlements::begin(tx, world_.registry, given, "the test"); });
    } catch (const Error& error) {
      return error.faults();
    }
    return {};
  }
};

TEST_F(SettlementRuns, LookAtEverythingInSmallPages) {
  rules().page = 2;
  std::vector<orders::Order> orders;
  for (int i = 0; i < 15; ++i) orders.push_back(world_.sell(shop_, 1'000 + i));
  for (int i = 0; i < 12; ++i)
    sql("DELETE FROM sandbox.movements WHERE key = '" +
        key_of(orders[static_cast<std::size_t>(i)]) + "'");
  change_theirs(key_of(orders[14]), "amount = 7");
  const auto run = check_tomorrow();
  EXPECT_EQ(run.theirs_count, 3);
  EXPECT_EQ(run.ours_count, 15);
  EXPECT_EQ(run.differences, 13);
  EXPECT_EQ(kinds(run).count(Kind::missing_theirs), 12u);
  EXPECT_EQ(kinds(run).count(Kind::amount), 1u);
  EXPECT_EQ(run.sums.at(0).theirs - run.sums.at(0).ours, run.sums.at(0).explained);
}

TEST_F(SettlementRuns, AskAboutAFewAtATime) {
  std::vector<orders::Order> orders;
  for (int i = 0; i < 25; ++i) orders.push_back(world_.sell(shop_, 1'000));
  sql("DELETE FROM sandbox.movements");
  const auto run = check_tomorrow();
  EXPECT_EQ(run.differences, 25);
  EXPECT_EQ(run.ours_count, 25);
}

TEST_F(SettlementRuns, DoEachStepOnceHoweverOftenItIsAskedFor) {
  world_.sell(shop_, 5'000);
  world_.advance(26h);
  const auto begun = begin(day_);
  for (std::int64_t step = 0; step < 8; ++step)
    for (int i = 0; i < 2; ++i)
      run(settlements::check(world_.db, world_.registry, begun.id, step, rules()));
  const auto done = fetch(begun.id);
  EXPECT_EQ(done.state, State::clean);
  EXPECT_EQ(done.theirs_count, 1);
  EXPECT_EQ(done.sums.at(0).theirs, 5'000);
  world_.run_jobs();
  EXPECT_EQ(to_json(fetch(begun.id)), to_json(done));
}

TEST_F(SettlementRuns, OfADayThatHasNotEndedOrIsTooOldAreRefused) {
  const auto pointer_of = [&](Date day, const char* processor) {
    settlements::NewRun given{day, std::nullopt};
    if (processor != nullptr) given.processor = from_text<Opaque<64>>(processor);
    const auto faults = faults_of(given);
    return faults.size() == 1 ? faults[0].pointer : std::to_string(faults.size());
  };
  EXPECT_EQ(pointer_of(day_, nullptr), "/day");
  EXPECT_EQ(pointer_of(day_ + days(1), "sandbox"), "/day");
  EXPECT_EQ(pointer_of(day_ - days(400), nullptr), "/day");
  EXPECT_EQ(pointer_of(day_ - days(1), "another"), "/processor");
  EXPECT_EQ(pointer_of(day_ - days(1), "sandbox"), "0");
  world_.run_jobs();
  world_.advance(12h + 30min);  // half an hour into the next day
  EXPECT_EQ(pointer_of(day_, nullptr), "/day") << "an hour must pass";
  world_.advance(31min);
  EXPECT_EQ(pointer_of(day_, nullptr), "0");
}

TEST_F(SettlementRuns, OfOneDayAreOneAtATime) {
  world_.advance(26h);
  begin(day_);
  try {
    begin(day_);
    ADD_FAILURE() << "two at once";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
  world_.run_jobs();
  EXPECT_EQ(check(day_).state, State::clean) << "and again when it has ended";
}

TEST_F(SettlementRuns, ThatCannotBeDoneEndAndLeaveNothingBehind) {
  world_.sell(shop_, 5'000);
  world_.advance(26h);
  const auto begun = begin(day_);
  const processors::Registry nobody;
  EXPECT_THROW(run(settlements::check(world_.db, nobody, begun.id, 0, rules())), Error);
  run(settlements::check(world_.db, world_.registry, begun.id, 0, rules()));
  world_.transact([&](Tx& tx) { settlements::give_up(tx, begun.id, 0, "late: done already"); });
  EXPECT_EQ(fetch(begun.id).state, State::running);
  world_.transact([&](Tx& tx) { settlements::give_up(tx, begun.id, 1, "nobody answers"); });
  world_.run_jobs();
  const auto failed = fetch(begun.id);
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.failure, "nobody answers");
  EXPECT_TRUE(failed.finished_at);
  EXPECT_EQ(sql("SELECT count(*) FROM bottega.settlement_movements"), "0");
  EXPECT_EQ(check(day_).state, State::clean);
}

TEST_F(SettlementRuns, BeginByThemselvesEveryDay) {
  plan();
  plan();
  EXPECT_EQ(planned(), to_text(day_ + days(1)));
  world_.run_jobs();
  EXPECT_TRUE(runs().empty()) << "it is not two o'clock";
  world_.sell(shop_, 5'000);
  world_.advance(14h + 1min);
  world_.run_jobs();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_EQ(runs()[0].day, day_);
  EXPECT_EQ(runs()[0].state, State::clean);
  EXPECT_EQ(runs()[0].theirs_count, 1);
  EXPECT_EQ(runs()[0].requested_by, "system");
  EXPECT_EQ(planned(), to_text(day_ + days(2)));
  plan();
  EXPECT_EQ(planned(), to_text(day_ + days(2))) << "a start of a server plans nothing twice";
  world_.advance(24h);
  world_.run_jobs();
  ASSERT_EQ(runs().size(), 2u);
  EXPECT_EQ(runs()[0].day, day_ + days(1));
}

TEST_F(SettlementRuns, CatchUpWithTheDaysOnWhichNoServerRan) {
  plan();
  world_.advance(14h + 1min);
  world_.run_jobs();
  world_.advance(96h);
  world_.run_jobs();
  std::set<Date> checked;
  for (const auto& one : runs()) checked.insert(one.day);
  EXPECT_EQ(runs().size(), 5u);
  EXPECT_EQ(checked.size(), 5u);
  EXPECT_EQ(*checked.rbegin(), day_ + days(4));
}

TEST_F(SettlementRuns, AtMidnightCheckTheDayThatHasEndedWithItsOverlap) {
  rules().hour = 0h;
  plan();
  world_.advance(12h + 1min);
  world_.run_jobs();
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_EQ(runs()[0].day, day_ - days(1));
}

// ---- a history ----------------------------------------------------------------------------------

class SettlementWalk : public Settlements, public testing::WithParamInterface<unsigned> {
 protected:
  int die(int sides) { return std::uniform_int_distribution<>(0, sides - 1)(random_); }

  void pay() {
    const char* tokens[] = {"tok_approved", "tok_approved",    "tok_approved",
                            "tok_declined", "tok_answer_lost", "tok_confirm"};
    const auto paid = world_.pay(shop_, world_.ask(shop_, 500 + die(9'000)), tokens[die(6)]);
    if (paid.order) orders_.push_back(*paid.order);
    if (paid.payment.state == payments::State::requires_action)
      waiting_.push_back(paid.payment.reference.value());
  }
  void confirm() {
    if (waiting_.empty()) return;
    run(world_.sandbox.confirm(waiting_.back(), processors::Confirm::yes));
    waiting_.pop_back();
  }
  void change() {
    if (orders_.empty()) return;
    const auto order = orders_[static_cast<std::size_t>(die(static_cast<int>(orders_.size())))];
    attempt([&] {
      const int what = die(4);
      if (what == 0)
        world_.cancel(shop_, order);
      else if (what == 1)
        world_.give_back(shop_, order, 100 + die(300));
      else
        world_.ship(shop_, order);
    });
  }
  void step() {
    switch (die(6)) {
      case 0:
      case 1:
        return pay();
      case 2:
        return confirm();
      case 3:
        return change();
      case 4:
        return void(world_.deliver_webhooks());
      default:
        world_.advance(std::chrono::minutes(die(240)));
        world_.run_jobs();
    }
  }

  std::mt19937 random_{GetParam()};
  std::vector<orders::Order> orders_;
  std::vector<std::string> waiting_;
};

TEST_P(SettlementWalk, IsCleanOnEveryDayOfARandomHistory) {
  world_.job_world.settlement_rules.page = 5;
  for (int i = 0; i < 120; ++i) step();
  for (int i = 0; i < 14; ++i) {
    world_.deliver_webhooks();
    world_.run_jobs();
    world_.advance(24h);
  }
  world_.run_jobs();
  const auto now = world_.clock.now();
  std::int64_t theirs = 0, ours = 0;
  for (auto day = day_; Instant(day + days(1)) + 1h <= now; day += days(1)) {
    const auto done = check(day);
    EXPECT_EQ(done.state, State::clean) << to_text(day);
    for (const auto& one : differences(done)) ADD_FAILURE() << to_json(one).dump();
    for (const auto& sum : done.sums) {
      EXPECT_EQ(sum.theirs, sum.ours) << to_text(day);
      EXPECT_EQ(sum.settled, sum.ledger) << to_text(day);
    }
    theirs += done.theirs_count;
    ours += done.ours_count;
  }
  std::int64_t moved = 0;
  for (const auto& entry : world_.books())
    moved += entry.state == processors::MovementState::succeeded ? 1 : 0;
  EXPECT_EQ(theirs, moved) << "each on one day";
  EXPECT_EQ(ours, moved);
  EXPECT_GT(moved, 20) << "the walk must have gone somewhere";
  EXPECT_EQ(count_open(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SettlementWalk, testing::Values(1u),
                         [](const auto& row) { return "Seed" + std::to_string(row.param); });

}  // namespace settlements_runs_test
}  // namespace bottega::test
