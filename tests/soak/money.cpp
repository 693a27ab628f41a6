// scripts/soak money: random histories of sales, refunds, disputes, payouts and transfers against a
// processor that answers late, twice, in another order, not at all, or after doing the thing. After
// every step the books are looked at; a seed that fails is printed, and repeats.
#include <chrono>
#include <iostream>

#include "soak/rules.hpp"
#include "soak/scripted.hpp"
#include "support/world.hpp"
#include "bottega/core/log.hpp"
#include "bottega/disputes/disputes.hpp"

namespace bottega::soak {
namespace {

using namespace std::chrono_literals;
using test::Shop, test::World;

class Simulation {
 public:
  Simulation(std::uint64_t seed, Sums& seen) : random_(seed), seen_(seen) {
    for (const auto* currency : {"USD", "USD", "JPY", "KWD"})
      shops_.push_back(world_.shop(currency));
    world_.take(shops_[1], {"USD", "JPY", "KWD"});
    staff_ = world_.staff();
    for (int i = 0; i < 6; ++i) people_.push_back(world_.person());
    auto scripted = std::make_unique<Scripted>(random_, world_.clock);
    script_ = scripted.get();
    world_.registry.add(std::move(scripted));
    world_.payment_rules.call_timeout = 1ms;
    world_.payout_rules.call_timeout = 1ms;
    world_.wallet_rules.call_timeout = 1ms;
    for (const auto& who : people_) save_bank(who);
  }

  // Plays until so many sales have begun; answers how many steps that took.
  std::int64_t play(std::int64_t histories) {
    std::int64_t steps = 0;
    while (begun_ < histories) {
      step();
      check(rules_always());
      if (++steps % 200 != 0) continue;
      world_.run_jobs();
      check(rules_at_rest());
    }
    return steps;
  }
  // Lets everything come to its end, and compares the processor's books with ours.
  void end();

 private:
  int die(int sides) { return std::uniform_int_distribution<>(0, sides - 1)(random_); }
  template <class T>
  T& any(std::vector<T>& all) {
    return all[static_cast<std::size_t>(die(static_cast<int>(all.size())))];
  }
  // Whatever it is refused with is no fault, but for faults of our own.
  template <class Act>
  bool attempt(Act act) {
    return test::attempt(act, [](Code code) { return code != Code::internal; });
  }
  void check(std::span<const Rule> rules) {
    if (!link_) link_ = std::make_unique<pqxx::connection>(world_.urls.superuser);
    soak::check(*link_, rules, text_of(world_.clock.now()));
  }

  void step();
  void save_bank(const identity::Who& who);
  void ask();
  std::vector<payments::Request> requests_of(const Shop& shop);
  void pay();
  void decline_or_cancel();
  void ship_or_cancel();
  void give_back();
  void hold_or_release();
  void answer_dispute();
  void money_of_people();
  void answer_transfer();
  void news();
  void hear(const processors::Event& event);
  void time_passes();
  void compare();

  std::mt19937_64 random_;
  World world_;
  Scripted* script_ = nullptr;
  std::vector<Shop> shops_;
  identity::Who staff_;
  std::vector<identity::Who> people_;
  std::unique_ptr<pqxx::connection> link_;
  std::int64_t begun_ = 0;
  Sums& seen_;
};

void Simulation::step() {
  const int what = die(24);
  if (what < 3) return ask();
  if (what < 9) return pay();
  if (what < 10) return decline_or_cancel();
  if (what < 13) return ship_or_cancel();
  if (what < 15) return give_back();
  if (what < 16) return hold_or_release();
  if (what < 17) return answer_dispute();
  if (what < 18) return script_->confirm_one();
  if (what < 19) return die(2) == 0 ? script_->dispute_one() : script_->decide_one();
  if (what < 20) return money_of_people();
  if (what < 21) return answer_transfer();
  if (what < 23) return news();
  time_passes();
}

void Simulation::save_bank(const identity::Who& who) {
  for (const auto* token : {"tok_approved", "tok_bank"}) {
    const auto facts = test::run(script_->describe_method(token));
    const auto given = from_json<wallet::NewMethod>({{"token", token}});
    world_.transact([&](Tx& tx) { wallet::add_method(tx, who.account, "sandbox", given, *facts); });
  }
}

void Simulation::ask() {
  const auto& shop = any(shops_);
  auto currencies = world_.transact(
      [&](Tx& tx) { return identity::fetch_merchant(tx, shop.merchant).currencies; });
  world_.ask(shop, 100 + die(90'000), text_of(any(currencies)));
  ++begun_;
}

std::vector<payments::Request> Simulation::requests_of(const Shop& shop) {
  return world_.transact([&](Tx& tx) {
    return payments::list_requests(tx, shop.buyer, shop.conversation, std::nullopt, 8);
  });
}

void Simulation::pay() {
  const auto& shop = any(shops_);
  auto open = requests_of(shop);
  if (open.empty()) return;
  const auto request = any(open);
  // Two devices may tap at once, and we may die before the call, or behind it.
  for (int devices = 1 + die(2); devices > 0; --devices)
    attempt([&] {
      const auto given = test::acceptance("tok_approved");
      const auto payment = world_.transact([&](Tx& tx) {
        return payments::begin(tx, shop.buyer, request.id, given, world_.payment_rules);
      });
      if (die(8) == 0) return;
      const auto outcome = test::run(payments::call(world_.db, *script_, shop.merchant, payment.id,
                                                    "tok_approved", "http://back.example"));
      if (die(8) == 0) return;
      world_.transact([&](Tx& tx) {
        payments::settle(tx, shop.merchant, payment.id, outcome, world_.payment_rules);
      });
    });
}

void Simulation::decline_or_cancel() {
  const auto& shop = any(shops_);
  auto open = requests_of(shop);
  if (open.empty()) return;
  const auto id = any(open).id;
  attempt([&] {
    world_.transact([&](Tx& tx) {
      if (die(2) == 0)
        payments::decline(tx, shop.buyer, id, {});
      else
        payments::cancel(tx, shop.owner, id, {});
    });
  });
}

void Simulation::ship_or_cancel() {
  const auto& shop = any(shops_);
  auto orders = world_.transact(
      [&](Tx& tx) { return orders::list_of_merchant(tx, shop.merchant, std::nullopt, 12); });
  if (orders.empty()) return;
  const auto order = any(orders);
  attempt([&] {
    if (die(5) == 0)
      world_.cancel(shop, order);
    else
      world_.ship(shop, order);
  });
}

void Simulation::give_back() {
  const auto& shop = any(shops_);
  auto orders = world_.transact(
      [&](Tx& tx) { return orders::list_of_merchant(tx, shop.merchant, std::nullopt, 20); });
  if (orders.empty()) return;
  const auto order = any(orders);
  const auto amount = 1 + die(static_cast<int>(order.total.amount));
  attempt([&] {
    if (die(4) != 0) {
      world_.give_back(shop, order,
                       die(3) == 0 ? std::nullopt : std::optional<std::int64_t>(amount));
      return;
    }
    const payments::StaffRefund given{
        from_text<Count<1, kAmountMax>>(std::to_string(amount)),
        from_text<Text<1, 255>>("it was late"),
        die(2) == 0 ? payments::Funder::platform : payments::Funder::merchant};
    world_.transact([&](Tx& tx) {
      payments::give_back(tx, staff_, order.payment_id, given, world_.payment_rules);
    });
  });
}

void Simulation::hold_or_release() {
  const auto& shop = any(shops_);
  auto payouts = world_.transact(
      [&](Tx& tx) { return payouts::list_of_merchant(tx, shop.merchant, std::nullopt, 12); });
  if (payouts.empty()) return;
  const auto payout = any(payouts);
  const payouts::Reason why{from_text<Text<1, 255>>("a look at it")};
  attempt([&] {
    world_.transact([&](Tx& tx) {
      if (payout.state == payouts::State::held)
        payouts::release(tx, payout.id);
      else if (payout.state == payouts::State::failed)
        payouts::retry(tx, payout.id);
      else if (die(3) == 0)
        payouts::hold(tx, payout.id, why);
    });
  });
}

void Simulation::answer_dispute() {
  const auto& shop = any(shops_);
  auto open = world_.transact([&](Tx& tx) {
    return disputes::list_of_merchant(tx, shop.merchant, std::nullopt, std::nullopt, 10);
  });
  if (open.empty()) return;
  const auto id = any(open).id;
  attempt([&] {
    world_.transact([&](Tx& tx) {
      if (die(2) == 0)
        disputes::submit(tx, shop.owner, id);
      else
        disputes::accept(tx, shop.owner, id);
    });
  });
}

void Simulation::money_of_people() {
  const auto& who = any(people_);
  const auto& other = any(people_);
  const auto amount = 1 + die(5'000);
  attempt([&] {
    switch (die(4)) {
      case 0:
      case 1:
        world_.top_up(who, amount);
        return;
      case 2:
        world_.send(who, other, amount);
        return;
      default: {
        const auto given =
            from_json<wallet::NewWithdrawal>({{"amount", amount}, {"currency", "USD"}});
        world_.transact(
            [&](Tx& tx) { wallet::begin_withdrawal(tx, who.account, given, world_.wallet_rules); });
      }
    }
  });
}

void Simulation::answer_transfer() {
  const auto& who = any(people_);
  auto all = world_.transact(
      [&](Tx& tx) { return wallet::list_transfers(tx, who.account, std::nullopt, 6); });
  if (all.empty()) return;
  const auto id = any(all).id;
  attempt([&] {
    world_.transact([&](Tx& tx) {
      switch (die(3)) {
        case 0:
          wallet::accept(tx, who.account, id);
          return;
        case 1:
          wallet::decline(tx, who.account, id);
          return;
        default:
          wallet::cancel(tx, who.account, id);
      }
    });
  });
}

void Simulation::hear(const processors::Event& event) {
  world_.transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
}

void Simulation::news() {
  for (int count = 1 + die(4); count > 0; --count)
    if (const auto event = script_->take_news()) hear(*event);
  world_.run_jobs();
}

void Simulation::time_passes() {
  constexpr std::chrono::seconds kSteps[] = {6s, 6s, 40s, 40s, 400s, 4'000s, 20h, 60h};
  world_.advance(kSteps[die(std::size(kSteps))]);
  world_.run_jobs();
}

void Simulation::end() {
  script_->behave();
  for (int round = 0; round < 60; ++round) {
    while (const auto event = script_->take_news()) hear(*event);
    script_->confirm_one();
    script_->decide_one();
    world_.advance(24h);
    world_.run_jobs();
  }
  check(rules_always());
  check(rules_at_rest());
  compare();
}

// Sums by operation and currency: what they have done, and what we hold as done.
void Simulation::compare() {
  Sums theirs;
  for (const auto& [key, entry] : script_->books())
    if (entry.is_done && entry.operation != Operation::dispute)
      theirs[text_of(entry.operation) + ' ' + std::string(entry.amount.currency.code())] +=
          entry.amount.amount;
  agree(*link_, theirs);
  count(*link_, seen_);
}

std::int64_t number_after(int argc, char** argv, std::string_view name, std::int64_t usual) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == name) return std::stoll(argv[i + 1]);
  return usual;
}

// Many small worlds, each with a database of its own: every step looks at all of its books.
int main_of(int argc, char** argv) {
  constexpr std::int64_t kPerWorld = 250;
  const auto seed = number_after(argc, argv, "--seed", 1);
  const auto histories = number_after(argc, argv, "--histories", 20'000);
  const auto only = number_after(argc, argv, "--world", -1);
  bottega::log::open(bottega::log::Level::error, "/dev/null");
  const auto begin = std::chrono::steady_clock::now();
  std::cout << "money: " << histories << " histories, --seed " << seed << std::endl;
  std::int64_t steps = 0;
  Sums seen;
  for (std::int64_t world = 0; world * kPerWorld < histories; ++world) {
    if (only >= 0 && world != only) continue;
    try {
      Simulation simulation(static_cast<std::uint64_t>(seed * 1'000'003 + world), seen);
      steps += simulation.play(std::min(kPerWorld, histories - world * kPerWorld));
      simulation.end();
    } catch (const std::exception& failure) {
      std::cout << "money failed with --seed " << seed << " --world " << world << ": "
                << failure.what() << std::endl;
      return 1;
    }
    if (world % 8 == 7)
      std::cout << "  " << (world + 1) * kPerWorld << " histories, " << steps << " steps"
                << std::endl;
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  for (const auto& [what, count] : seen) std::cout << "  " << count << ' ' << what << '\n';
  std::cout << "in " << steps << " steps the books were right after each, and agreed with the "
            << "processor's in the end (" << took.count() << " s)" << std::endl;
  return 0;
}

}  // namespace
}  // namespace bottega::soak

int main(int argc, char** argv) { return bottega::soak::main_of(argc, argv); }
