#pragma once
// Transfers of one owner, posted without a sale, in a world whose books balance in the end.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {

class LedgerOfOne : public testing::Test {
 protected:
  using Kind = ledger::Kind;
  using Transfer = ledger::Transfer;
  using Why = ledger::Why;

  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() {
    const auto balance = world->trial_balance();
    EXPECT_TRUE(balance.is_balanced) << testing::PrintToString(balance.faults);
    world.reset();
  }

  Transfer transfer(Why why, Kind debit, Kind credit, std::int64_t amount,
                    const std::string& currency = "USD") const {
    return ledger::transfer_within(owner, why, make_uuid_v7(), debit, credit,
                                   {amount, from_text<Currency>(currency)});
  }
  Transfer capture(std::int64_t amount, const std::string& currency = "USD") const {
    return transfer(Why::capture, Kind::processor_clearing, Kind::held, amount, currency);
  }
  static void post(const Transfer& transfer) {
    world->transact([&](Tx& tx) { ledger::post(tx, transfer); });
  }
  std::vector<ledger::Balance> balances_of_owner() const {
    return world->transact([&](Tx& tx) { return ledger::balances(tx, ledger::owner_of(owner)); });
  }

  static inline std::unique_ptr<World> world;
  const identity::MerchantId owner = identity::MerchantId::make();
};

}  // namespace bottega::test
