// Transfers that are written together: each by the same rules as alone, and none takes another
// with it.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace transfers_batch_test {

using wallet::Ending, wallet::Move, wallet::Moved, wallet::NewTransfer, wallet::Transfer,
    wallet::TransferEvent, wallet::TransferState;

class TransferBatch : public testing::Test {
 protected:
  void SetUp() override { world_.top_up(ada_, 1'000); }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  Move send(const identity::Who& from, const identity::Who& to, std::int64_t amount) const {
    return {from.account, from_json<NewTransfer>({{"to", {{"account_id", text_of(to.account)}}},
                                                  {"amount", amount},
                                                  {"currency", "USD"}})};
  }
  Move end(const identity::Who& who, const Transfer& transfer, TransferEvent on) const {
    return {who.account, Ending{transfer.id, on}};
  }
  std::vector<Moved> move(const std::vector<Move>& all) {
    return world_.transact([&](Tx& tx) { return wallet::move(tx, all, world_.wallet_rules); });
  }
  Transfer now(const Transfer& transfer) {
    return world_.transact(
        [&](Tx& tx) { return wallet::fetch_transfer(tx, ada_.account, transfer.id); });
  }
  static std::string reason_of(const Moved& moved) {
    const auto* refusal = std::get_if<Error>(&moved);
    return refusal == nullptr ? "" : refusal->reason();
  }
  static std::optional<Code> code_in(const Moved& moved) {
    const auto* refusal = std::get_if<Error>(&moved);
    return refusal == nullptr ? std::nullopt : std::optional(refusal->code());
  }
  std::int64_t available(const identity::Who& who) { return world_.balance(who).available; }

  World world_;
  identity::Who ada_ = world_.person("Ada"), ben_ = world_.person("Ben"),
                cleo_ = world_.person("Cleo");
};

TEST_F(TransferBatch, SpendsABalanceOnce) {
  const auto moved = move({send(ada_, ben_, 600), send(ada_, cleo_, 600), send(ada_, ben_, 400)});
  ASSERT_EQ(moved.size(), 3u);
  EXPECT_EQ(std::get<Transfer>(moved[0]).state, TransferState::pending);
  EXPECT_EQ(reason_of(moved[1]), "insufficient_balance");
  EXPECT_EQ(std::get<Transfer>(moved[2]).amount.amount, 400);
  EXPECT_EQ(available(ada_), 0);
  EXPECT_EQ(now(std::get<Transfer>(moved[0])).recipient_name, "Ben");
}

TEST_F(TransferBatch, CountsLimitsWithThoseBefore) {
  world_.wallet_rules.sent_day_max = 500;
  const auto moved = move({send(ada_, ben_, 300), send(ada_, cleo_, 201), send(ada_, cleo_, 200)});
  EXPECT_EQ(code_in(moved[0]), std::nullopt);
  EXPECT_EQ(reason_of(moved[1]), "sent_day_limit");
  EXPECT_EQ(code_in(moved[2]), std::nullopt);
  const auto after = move({send(ada_, ben_, 1)});
  EXPECT_EQ(reason_of(after[0]), "sent_day_limit") << "what was refused was not counted";
}

TEST_F(TransferBatch, EndsWhatWasSentBesideWhatIsSentNow) {
  const auto first = world_.send(ada_, ben_, 100), second = world_.send(ada_, ben_, 50),
             third = world_.send(ada_, cleo_, 20);
  const auto moved =
      move({send(ada_, cleo_, 10), end(ben_, first, TransferEvent::accept),
            end(ben_, first, TransferEvent::decline), end(ben_, second, TransferEvent::decline),
            end(ben_, third, TransferEvent::accept), end(ada_, third, TransferEvent::cancel)});
  EXPECT_EQ(code_in(moved[0]), std::nullopt);
  EXPECT_EQ(std::get<Transfer>(moved[1]).state, TransferState::accepted);
  EXPECT_EQ(code_in(moved[2]), Code::conflict) << "it was accepted just before";
  EXPECT_EQ(std::get<Transfer>(moved[3]).state, TransferState::declined);
  EXPECT_EQ(code_in(moved[4]), Code::not_found) << "it is not theirs";
  EXPECT_EQ(std::get<Transfer>(moved[5]).state, TransferState::cancelled);
  EXPECT_EQ(available(ada_), 890);
  EXPECT_EQ(available(ben_), 100);
  for (const auto& [transfer, state] :
       {std::pair(first, TransferState::accepted), std::pair(second, TransferState::declined),
        std::pair(third, TransferState::cancelled)})
    EXPECT_EQ(now(transfer).state, state);
}

TEST_F(TransferBatch, DoesNothingWhereThereIsNothingToDo) {
  EXPECT_TRUE(move({}).empty());
  const auto refused = move({send(ada_, ada_, 10), send(ben_, ada_, 10)});
  EXPECT_EQ(code_in(refused[0]), Code::invalid);
  EXPECT_EQ(reason_of(refused[1]), "insufficient_balance");
  EXPECT_EQ(available(ada_), 1'000);
}

TEST_F(TransferBatch, GivesBackLateWhatAMemberOfItSent) {
  const auto moved = move({send(ada_, ben_, 300), send(ada_, cleo_, 200)});
  world_.transact(
      [&](Tx& tx) { return wallet::accept(tx, ben_.account, std::get<Transfer>(moved[0]).id); });
  world_.advance(std::chrono::hours(31 * 24));
  world_.run_jobs();
  EXPECT_EQ(now(std::get<Transfer>(moved[0])).state, TransferState::accepted);
  EXPECT_EQ(now(std::get<Transfer>(moved[1])).state, TransferState::returned);
  EXPECT_EQ(available(ada_), 700);
}

}  // namespace transfers_batch_test
}  // namespace bottega::test
