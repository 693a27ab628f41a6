// Random histories of several shops, with lost answers, late and doubled webhooks, deaths between
// two steps and days that pass: in the end the books balance and agree with the processor's.
#include <gtest/gtest.h>

#include <random>

#include "support/world.hpp"

namespace bottega::test {
namespace money_walk_test {

using namespace std::chrono_literals;
using payments::RequestState, payments::State;
using processors::MovementState, processors::Operation, processors::Outcome;

constexpr int kSteps = 200;
constexpr const char* kCurrencies[] = {"USD", "JPY", "KWD"};
constexpr const char* kTokens[] = {"tok_approved",  "tok_approved",    "tok_approved",
                                   "tok_declined",  "tok_confirm",     "tok_insufficient_funds",
                                   "tok_no_answer", "tok_answer_lost", "tok_slow"};

processors::SandboxOptions impatient() {
  auto options = World::default_options();
  options.answer_timeout = 60ms;  // an answer that is late for another reason is only one lost more
  options.fee_basis_points = 150;
  return options;
}

class Walk {
 public:
  explicit Walk(unsigned seed) : world_(impatient()), random_(seed) {
    world_.payment_rules.call_timeout = 1ms;  // whoever died is found at once
    world_.payout_rules.call_timeout = 1ms;
    for (const auto* currency : kCurrencies) shops_.push_back({world_.shop(currency), currency});
    world_.advance(24h);
  }

  void step();
  void drain();
  void check();

 private:
  struct Stand {
    Shop shop;
    std::string currency;
  };
  // A call to the processor whose answer has not been written down yet.
  struct Late {
    Stand stand;
    payments::Payment payment;
    std::string token;
    std::optional<Outcome> answer;  // none where the call itself is still on its way
  };

  int die(int sides) { return std::uniform_int_distribution<>(0, sides - 1)(random_); }
  template <class T>
  T& any(std::vector<T>& all) {
    return all[static_cast<std::size_t>(die(static_cast<int>(all.size())))];
  }

  void ask(const Stand& stand);
  void pay(const Stand& stand);
  void answer(const Stand& stand);
  void come_late();
  void settle(const Late& late);
  void confirm();
  void ship_or_give_back(const Stand& stand);
  void hold_or_release(const Stand& stand);
  void deliver_some();
  void let_time_pass();
  std::vector<payments::Payment> payments_of(const Stand& stand);
  void check_requests(const Stand& stand);
  void check_log(const Stand& stand);
  void check_books();

  World world_;
  std::mt19937 random_;
  std::vector<Stand> shops_;
  std::vector<Late> late_;
};

void Walk::step() {
  const auto stand = any(shops_);
  switch (die(12)) {
    case 0:
    case 1:
      return ask(stand);
    case 2:
    case 3:
    case 4:
      return pay(stand);
    case 5:
      return answer(stand);
    case 6:
      return come_late();
    case 7:
      return confirm();
    case 8:
      return ship_or_give_back(stand);
    case 9:
      return die(3) == 0 ? hold_or_release(stand) : ship_or_give_back(stand);
    case 10:
      return deliver_some();
    default:
      return let_time_pass();
  }
}

void Walk::ask(const Stand& stand) {
  auto amount = 100 + die(90'000);
  if (die(6) == 0) amount = amount / 100 * 100 + 17;  // its refund loses the answer
  world_.ask(stand.shop, amount, stand.currency);
}

void Walk::pay(const Stand& stand) {
  auto open = world_.transact([&](Tx& tx) {
    return payments::list_requests(tx, stand.shop.buyer, stand.shop.conversation, std::nullopt, 10);
  });
  if (open.empty()) return ask(stand);
  const auto request = any(open);
  const std::string token = kTokens[die(std::size(kTokens))];
  std::optional<payments::Payment> begun;
  attempt([&] {
    const auto given = acceptance(token);
    begun = world_.transact([&](Tx& tx) {
      return payments::begin(tx, stand.shop.buyer, request.id, given, world_.payment_rules);
    });
  });
  if (!begun) return;
  late_.push_back({stand, *begun, token, std::nullopt});
  const int fate = die(5);
  if (fate == 0) return;  // we die before the call, or the call is slow on its way
  auto& late = late_.back();
  late.answer = run(payments::call(world_.db, world_.registry.get("sandbox"), stand.shop.merchant,
                                   begun->id, token, "http://back"));
  if (fate == 1) return;  // we die behind the call
  settle(late);
  if (fate > 2) late_.pop_back();  // else the same answer comes once more
}

void Walk::answer(const Stand& stand) {
  auto some = world_.transact([&](Tx& tx) {
    return payments::list_requests(tx, stand.shop.buyer, stand.shop.conversation, std::nullopt, 20);
  });
  if (some.empty()) return;
  const auto id = any(some).id;
  attempt([&] {
    world_.transact([&](Tx& tx) {
      if (die(2) == 0)
        payments::decline(tx, stand.shop.buyer, id, {});
      else
        payments::cancel(tx, stand.shop.owner, id, {});
    });
  });
}

// A call or an answer arrives that nobody waited for any more.
void Walk::come_late() {
  if (late_.empty()) return;
  const auto at = late_.begin() + die(static_cast<int>(late_.size()));
  auto late = *at;
  late_.erase(at);
  if (!late.answer)
    late.answer = run(payments::call(world_.db, world_.registry.get("sandbox"),
                                     late.stand.shop.merchant, late.payment.id, late.token, ""));
  settle(late);
}

void Walk::settle(const Late& late) {
  world_.transact([&](Tx& tx) {
    payments::settle(tx, late.stand.shop.merchant, late.payment.id, late.answer.value(),
                     world_.payment_rules);
  });
}

void Walk::confirm() {
  auto books = world_.books();
  std::erase_if(books,
                [](const auto& entry) { return entry.state != MovementState::needs_confirmation; });
  if (books.empty()) return;
  const auto reference = any(books).reference;
  run(world_.sandbox.confirm(reference,
                             die(3) == 0 ? processors::Confirm::no : processors::Confirm::yes));
}

void Walk::ship_or_give_back(const Stand& stand) {
  auto orders = world_.transact(
      [&](Tx& tx) { return orders::list_of_merchant(tx, stand.shop.merchant, std::nullopt, 10); });
  if (orders.empty()) return;
  const auto order = any(orders);
  attempt([&] {
    const int what = die(6);
    if (what == 0) return void(world_.cancel(stand.shop, order));
    if (what > 2) return void(world_.ship(stand.shop, order));
    const auto amount = 1 + die(static_cast<int>(order.total.amount));
    world_.give_back(stand.shop, order, amount);
  });
}

void Walk::hold_or_release(const Stand& stand) {
  auto payouts = world_.transact(
      [&](Tx& tx) { return payouts::list_of_merchant(tx, stand.shop.merchant, std::nullopt, 10); });
  if (payouts.empty()) return;
  const auto payout = any(payouts);
  const payouts::Reason why{from_text<Text<1, 255>>("a look at it")};
  attempt([&] {
    world_.transact([&](Tx& tx) {
      if (payout.state == payouts::State::held)
        payouts::release(tx, payout.id);
      else
        payouts::hold(tx, payout.id, why);
    });
  });
}

// Some of the webhooks that there ever were, in any order, perhaps not for the first time.
void Walk::deliver_some() {
  if (die(3) == 0) return void(world_.deliver_webhooks());
  const auto bodies = Json::parse(
      execute(world_.urls.superuser, "SELECT coalesce(json_agg(body), '[]') FROM sandbox.events"));
  auto& processor = world_.registry.get("sandbox");
  for (int i = 0; i < 3 && !bodies.empty(); ++i) {
    const auto body = bodies.at(static_cast<std::size_t>(die(static_cast<int>(bodies.size()))))
                          .get<std::string>();
    const auto at = world_.clock.now() - world_.clock.offset();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    const processors::Headers headers = {
        {"bottega-sandbox-signature",
         processors::sign_webhook(world_.sandbox.options().webhook_secret, body, seconds)}};
    const auto event = processor.read_webhook(body, headers, at);
    world_.transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
  }
}

void Walk::let_time_pass() {
  constexpr std::chrono::seconds kSpans[] = {1s, 6s, 40s, 10min, 2h, 13h, 24h, 48h};
  world_.advance(kSpans[die(std::size(kSpans))]);
  world_.run_jobs();
}

// Everything that was still on its way arrives, and time passes until nothing is left to do.
void Walk::drain() {
  while (!late_.empty()) come_late();
  for (const auto& stand : shops_)
    for (const auto& payout : world_.transact([&](Tx& tx) {
           return payouts::list_of_merchant(tx, stand.shop.merchant, std::nullopt, 1'000);
         }))
      if (payout.state == payouts::State::held)
        world_.transact([&](Tx& tx) { payouts::release(tx, payout.id); });
  for (int day = 0; day < 20; ++day) {
    world_.deliver_webhooks();
    world_.run_jobs();
    world_.advance(24h);
  }
}

// ---- what must be true --------------------------------------------------------------------------

void Walk::check() {
  const auto balance = world_.trial_balance();
  EXPECT_TRUE(balance.is_balanced) << (balance.faults.empty() ? "" : balance.faults.front());
  std::map<std::string, std::int64_t> sums;
  for (const auto& row : balance.accounts) sums[row.currency] += row.debits - row.credits;
  for (const auto& [currency, sum] : sums) EXPECT_EQ(sum, 0) << currency;
  check_books();
  for (const auto& stand : shops_) {
    check_requests(stand);
    check_log(stand);
  }
}

std::vector<payments::Payment> Walk::payments_of(const Stand& stand) {
  return world_.transact([&](Tx& tx) {
    return ops::find_payments(tx, stand.shop.merchant, std::nullopt, std::nullopt, 10'000);
  });
}

// Sums by operation and currency, ours and the processor's.
void Walk::check_books() {
  std::map<std::string, std::int64_t> theirs, ours;
  for (const auto& entry : world_.books())
    if (entry.state == MovementState::succeeded) {
      theirs[text_of(entry.operation) + to_text(entry.amount.currency)] += entry.amount.amount;
      if (entry.fee) theirs["fee" + to_text(entry.amount.currency)] += *entry.fee;
    }
  const std::map<ledger::Why, Operation> operations = {
      {ledger::Why::capture, Operation::charge},
      {ledger::Why::refund, Operation::refund},
      {ledger::Why::refund_fee, Operation::refund},
      {ledger::Why::refund_balance, Operation::refund},
      {ledger::Why::refund_advance, Operation::refund},
      {ledger::Why::payout, Operation::payout}};
  for (const auto& stand : shops_)
    for (const auto& entry : world_.transact([&](Tx& tx) {
           return ledger::history(tx, ledger::owner_of(stand.shop.merchant), std::nullopt, 100'000);
         })) {
      if (entry.why == ledger::Why::processor_fee)
        ours["fee" + to_text(entry.amount.currency)] += entry.amount.amount;
      if (const auto found = operations.find(entry.why);
          found != operations.end() && entry.phase == ledger::Phase::posted)
        ours[text_of(found->second) + to_text(entry.amount.currency)] += entry.amount.amount;
    }
  EXPECT_EQ(ours, theirs);
  EXPECT_GE(theirs.size(), 4u) << "the walk must have gone somewhere";
}

void Walk::check_requests(const Stand& stand) {
  std::map<std::string, processors::BookEntry> books;
  for (const auto& entry : world_.books()) books[entry.key] = entry;
  std::map<payments::RequestId, int> charges;
  for (const auto& payment : payments_of(stand)) {
    const auto key = world_.transact([&](Tx& tx) {
      return attempts::lock_latest(tx, payment.merchant_id, payment.id.uuid, 1s).key();
    });
    const bool is_charged = books.contains(key) && books[key].state == MovementState::succeeded;
    const bool is_captured = payment.state == State::captured || payment.state == State::refunded ||
                             payment.state == State::partially_refunded;
    EXPECT_EQ(is_captured, is_charged) << text_of(payment.id) << ' ' << text_of(payment.state);
    EXPECT_TRUE(is_captured || payment.state == State::failed || payment.state == State::voided)
        << text_of(payment.id) << " is still " << text_of(payment.state);
    charges[payment.payment_request_id] += is_charged;
    const auto now = world_.transact(
        [&](Tx& tx) { return payments::current(tx, payment.merchant_id, payment.id); });
    EXPECT_EQ(now.order.has_value(), is_captured);
    if (!now.order) continue;
    EXPECT_EQ(now.payment_request.state, RequestState::paid);
    EXPECT_EQ(payment.refunding, 0);
    if (now.order->state == orders::State::cancelled) {
      EXPECT_EQ(payment.state, State::refunded);
    }
    EXPECT_NE(now.order->state, orders::State::paid) << "neither sent nor given back";
  }
  for (const auto& [request, count] : charges) EXPECT_LE(count, 1) << text_of(request);
}

void Walk::check_log(const Stand& stand) {
  const auto log = world_.transact([&](Tx& tx) {
    return conversations::log_of(tx, stand.shop.merchant, stand.shop.conversation, 0, 100'000);
  });
  std::int64_t seq = 0;
  for (const auto& entry : log) EXPECT_EQ(entry.seq, ++seq);
  EXPECT_EQ(world_.transact([&](Tx& tx) {
    return conversations::fetch(tx, stand.shop.buyer, stand.shop.conversation).last_seq;
  }),
            seq);
}

class MoneyWalk : public ::testing::TestWithParam<unsigned> {};

TEST_P(MoneyWalk, EndsWithBooksThatBalanceAndAgree) {
  const auto seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Walk walk(seed);
  try {
    for (int i = 0; i < kSteps; ++i) walk.step();
    walk.drain();
  } catch (const std::exception& failure) {
    FAIL() << failure.what();
  }
  walk.check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, MoneyWalk, ::testing::Values(1u, 20261121u),
                         [](const auto& row) { return "Seed" + std::to_string(row.param); });

}  // namespace money_walk_test
}  // namespace bottega::test
