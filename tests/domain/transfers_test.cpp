// Money between people: every state and event, the limits at their edges, what a card adds, and
// the way back.
#include <gtest/gtest.h>

#include "support/world.hpp"

namespace bottega::test {
namespace transfers_test {

using namespace std::chrono_literals;
using wallet::Transfer, wallet::TransferEvent, wallet::TransferId, wallet::TransferState;

class Transfers : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    rules_ = world_->wallet_rules;
    ada_ = world_->person("Ada");
    ben_ = world_->person("Ben");
    world_->top_up(ada_, 50'000);
  }
  void TearDown() override {
    world_->wallet_rules = rules_;
    const auto books = world_->trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  Transfer send(std::int64_t amount) const { return world_->send(ada_, ben_, amount); }
  using Act = Transfer (*)(Tx&, identity::AccountId, TransferId);
  Transfer act(Act what, const identity::Who& who, TransferId id) const {
    return world_->transact([&](Tx& tx) { return what(tx, who.account, id); });
  }
  Transfer now(const Transfer& transfer) const {
    return world_->transact(
        [&](Tx& tx) { return wallet::fetch_transfer(tx, ada_.account, transfer.id); });
  }
  // One in this state.
  Transfer in(TransferState state) const {
    const auto made = send(100);
    if (state == TransferState::accepted) return act(wallet::accept, ben_, made.id);
    if (state == TransferState::declined) return act(wallet::decline, ben_, made.id);
    if (state == TransferState::cancelled) return act(wallet::cancel, ada_, made.id);
    if (state == TransferState::returned) {
      world_->advance(31 * 24h);
      world_->run_jobs();
    }
    return now(made);
  }
  std::optional<Code> refused(std::int64_t amount, std::string* reason = nullptr) const {
    try {
      send(amount);
    } catch (const Error& error) {
      if (reason != nullptr) *reason = error.reason() + " " + error.what();
      return error.code();
    }
    return std::nullopt;
  }
  std::int64_t available(const identity::Who& who) const { return world_->balance(who).available; }
  wallet::MethodId keep(const std::string& token) const {
    const auto facts = run(world_->registry.get("sandbox").describe_method(token));
    const wallet::NewMethod given{from_text<wallet::MethodToken>(token), {}};
    return world_
        ->transact([&](Tx& tx) {
          return wallet::add_method(tx, ada_.account, "sandbox", given, facts.value());
        })
        .id;
  }
  // With a card for what is missing, the way the gateway does it.
  Transfer send_with(const std::string& token, std::int64_t amount) const {
    const auto given =
        from_json<wallet::NewTransfer>({{"to", {{"account_id", text_of(ben_.account)}}},
                                        {"amount", amount},
                                        {"currency", "USD"},
                                        {"payment_method", {{"id", text_of(keep(token))}}}});
    const auto sent = world_->transact(
        [&](Tx& tx) { return wallet::send(tx, ada_.account, given, world_->wallet_rules); });
    if (!sent.token) return sent.transfer;
    const auto top_up = sent.transfer.top_up_id.value();
    const auto outcome = run(wallet::charge(world_->db, world_->registry, top_up, *sent.token,
                                            "http://shop.example/back"));
    world_->transact([&](Tx& tx) { wallet::settle_top_up(tx, top_up, outcome); });
    return now(sent.transfer);
  }

  static inline std::unique_ptr<World> world_;
  wallet::Rules rules_;
  identity::Who ada_, ben_;
};

TEST_F(Transfers, SetTheMoneyAsideAndHandItOverWhenAccepted) {
  const auto sent = send(1'000);
  EXPECT_EQ(sent.state, TransferState::pending);
  EXPECT_EQ(sent.sender_name, "Ada");
  EXPECT_EQ(sent.recipient_name, "Ben");
  EXPECT_EQ(available(ada_), 49'000);
  EXPECT_EQ(world_->balance(ada_).balance, 50'000);
  EXPECT_EQ(world_->balance(ada_).pending_out, 1'000);
  EXPECT_EQ(world_->balance(ben_).pending_in, 1'000);
  EXPECT_EQ(available(ben_), 0) << "it cannot be spent yet";
  const auto accepted = act(wallet::accept, ben_, sent.id);
  EXPECT_EQ(accepted.state, TransferState::accepted);
  EXPECT_TRUE(accepted.ended_at.has_value());
  EXPECT_EQ(world_->balance(ada_).balance, 49'000);
  EXPECT_EQ(available(ben_), 1'000);
}

TEST_F(Transfers, GoBackWhenDeclinedOrCancelled) {
  EXPECT_EQ(in(TransferState::declined).state, TransferState::declined);
  EXPECT_EQ(in(TransferState::cancelled).state, TransferState::cancelled);
  EXPECT_EQ(available(ada_), 50'000);
  EXPECT_EQ(available(ben_), 0);
}

TEST_F(Transfers, GoBackAfterThirtyDays) {
  const auto sent = send(1'000);
  world_->advance(30 * 24h - 60s);
  world_->run_jobs();
  EXPECT_EQ(now(sent).state, TransferState::pending);
  world_->advance(61s);
  EXPECT_EQ(code_of([&] { act(wallet::accept, ben_, sent.id); }), Code::conflict)
      << "also before the job has seen it";
  world_->run_jobs();
  EXPECT_EQ(now(sent).state, TransferState::returned);
  EXPECT_EQ(available(ada_), 50'000);
}

TEST_F(Transfers, ThatWereAcceptedStayAfterThirtyDays) {
  const auto sent = in(TransferState::accepted);
  world_->advance(31 * 24h);
  world_->run_jobs();
  world_->transact([&](Tx& tx) { wallet::return_late(tx, sent.id); });
  EXPECT_EQ(now(sent).state, TransferState::accepted);
  EXPECT_EQ(available(ben_), 100);
}

TEST_F(Transfers, EndOnce) {
  for (const auto state : {TransferState::accepted, TransferState::declined,
                           TransferState::cancelled, TransferState::returned}) {
    const auto ended = in(state);
    ASSERT_EQ(ended.state, state);
    const auto mine = available(ada_), theirs = available(ben_);
    EXPECT_EQ(code_of([&] { act(wallet::accept, ben_, ended.id); }), Code::conflict);
    EXPECT_EQ(code_of([&] { act(wallet::decline, ben_, ended.id); }), Code::conflict);
    EXPECT_EQ(code_of([&] { act(wallet::cancel, ada_, ended.id); }), Code::conflict);
    EXPECT_EQ(now(ended).state, state);
    EXPECT_EQ(available(ada_), mine);
    EXPECT_EQ(available(ben_), theirs);
  }
}

TEST(TransferLifecycle, HasNoOtherWays) {
  using enum TransferState;
  const std::map<std::pair<TransferState, TransferEvent>, TransferState> ways = {
      {{funding, TransferEvent::fund}, pending},     {{funding, TransferEvent::fail}, failed},
      {{pending, TransferEvent::accept}, accepted},  {{pending, TransferEvent::decline}, declined},
      {{pending, TransferEvent::cancel}, cancelled}, {{pending, TransferEvent::expire}, returned}};
  for (const auto from : {funding, pending, accepted, declined, cancelled, returned, failed})
    for (const auto on : {TransferEvent::fund, TransferEvent::fail, TransferEvent::accept,
                          TransferEvent::decline, TransferEvent::cancel, TransferEvent::expire}) {
      const auto way = ways.find({from, on});
      EXPECT_EQ(wallet::kTransferLifecycle.next(from, on),
                way == ways.end() ? std::nullopt : std::optional(way->second))
          << text_of(from) << ' ' << text_of(on);
    }
}

TEST_F(Transfers, AreAnsweredByTheRecipientAndTakenBackByTheSender) {
  const auto sent = send(100);
  EXPECT_EQ(code_of([&] { act(wallet::accept, ada_, sent.id); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { act(wallet::decline, ada_, sent.id); }), Code::forbidden);
  EXPECT_EQ(code_of([&] { act(wallet::cancel, ben_, sent.id); }), Code::forbidden);
  const auto stranger = world_->person();
  for (const auto what : {wallet::accept, wallet::decline, wallet::cancel, wallet::fetch_transfer})
    EXPECT_EQ(code_of([&] { act(what, stranger, sent.id); }), Code::not_found);
  EXPECT_EQ(now(sent).state, TransferState::pending);
}

TEST_F(Transfers, GoToSomebodyElseWhoIsThere) {
  const auto to = [&](const Json& whom) {
    const auto given =
        from_json<wallet::NewTransfer>({{"to", whom}, {"amount", 100}, {"currency", "USD"}});
    world_->transact([&](Tx& tx) { wallet::send(tx, ada_.account, given, world_->wallet_rules); });
  };
  const auto email = world_->transact(
      [&](Tx& tx) { return identity::fetch_account(tx, ben_.account).email.value; });
  EXPECT_EQ(code_of([&] { to({{"email", email}}); }), std::nullopt);
  EXPECT_EQ(code_of([&] { to({{"email", "nobody@people.example"}}); }), Code::invalid);
  EXPECT_EQ(code_of([&] {
              to({{"account_id", text_of(identity::AccountId::make())}});
            }),
            Code::invalid);
  EXPECT_EQ(code_of([&] { to({{"account_id", text_of(ada_.account)}}); }), Code::invalid);
  EXPECT_EQ(code_of([&] { to(Json::object()); }), Code::invalid);
  EXPECT_EQ(code_of([&] {
              to({{"email", email}, {"account_id", text_of(ben_.account)}});
            }),
            Code::invalid);
  world_->transact([&](Tx& tx) {
    identity::set_account_state(tx, ben_.account, identity::AccountState::suspended);
  });
  EXPECT_EQ(code_of([&] { to({{"email", email}}); }), Code::invalid);
}

TEST_F(Transfers, AreListedForBothNewestFirst) {
  const auto first = send(100), second = send(200);
  for (const auto& who : {ada_, ben_}) {
    const auto all = world_->transact(
        [&](Tx& tx) { return wallet::list_transfers(tx, who.account, std::nullopt, 10); });
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].id, second.id);
    const auto rest = world_->transact(
        [&](Tx& tx) { return wallet::list_transfers(tx, who.account, second.id, 10); });
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].id, first.id);
  }
}

TEST_F(Transfers, AreToldToBoth) {
  const auto sent = send(100);
  ASSERT_FALSE(world_->notices.empty());
  const auto& notice = world_->notices.back();
  const std::vector<std::string> both = {identity::account_topic(ada_.account),
                                         identity::account_topic(ben_.account)};
  EXPECT_EQ(notice.topics, both);
  EXPECT_EQ(notice.position, 0);
  const auto frame = Json::parse(notice.text);
  EXPECT_EQ(frame["event"], "transfer.created");
  EXPECT_EQ(frame["data"]["transfer"]["id"], text_of(sent.id));
  act(wallet::decline, ben_, sent.id);
  EXPECT_EQ(Json::parse(world_->notices.back().text)["event"], "transfer.declined");
}

// ---- limits -------------------------------------------------------------------------------------

TEST_F(Transfers, AreNotMoreThanIsThere) {
  std::string reason;
  EXPECT_EQ(refused(50'001, &reason), Code::conflict);
  EXPECT_NE(reason.find("insufficient_balance"), reason.npos) << reason;
  EXPECT_EQ(refused(50'000), std::nullopt);
  EXPECT_EQ(refused(1), Code::conflict);
}

TEST_F(Transfers, AreNotMoreThanOneMayBe) {
  world_->wallet_rules.transfer_max = 1'000;
  EXPECT_EQ(refused(1'001), Code::invalid);
  EXPECT_EQ(refused(1'000), std::nullopt);
}

TEST_F(Transfers, AreWithinWhatMayBeSentInADay) {
  world_->wallet_rules.sent_day_max = 1'000;
  EXPECT_EQ(refused(600), std::nullopt);
  std::string reason;
  EXPECT_EQ(refused(401, &reason), Code::conflict);
  EXPECT_NE(reason.find("sent_day_limit"), reason.npos) << reason;
  EXPECT_NE(reason.find("4.00 USD is left"), reason.npos) << reason;
  EXPECT_EQ(world_->balance(ada_).limits_left.sent_day, 400);
  EXPECT_EQ(refused(400), std::nullopt);
  EXPECT_EQ(world_->balance(ada_).limits_left.sent_day, 0);
  world_->advance(24h - 60s);
  EXPECT_EQ(refused(1), Code::conflict);
  world_->advance(1h + 61s);
  EXPECT_EQ(refused(1'000), std::nullopt);
}

TEST_F(Transfers, AreWithinWhatMayBeSentInAMonth) {
  world_->wallet_rules.sent_month_max = 1'000;
  act(wallet::accept, ben_, send(1'000).id);
  world_->advance(29 * 24h);
  std::string reason;
  EXPECT_EQ(refused(1, &reason), Code::conflict);
  EXPECT_NE(reason.find("sent_month_limit"), reason.npos) << reason;
  world_->advance(25h + 1s);
  EXPECT_EQ(refused(1), std::nullopt);
}

TEST_F(Transfers, AreWithinWhatMayBeReceived) {
  world_->wallet_rules.received_day_max = 1'000;
  world_->wallet_rules.received_month_max = 1'500;
  const auto other = world_->person();
  world_->top_up(other, 5'000);
  world_->send(other, ben_, 700);
  std::string reason;
  EXPECT_EQ(refused(301, &reason), Code::conflict);
  EXPECT_NE(reason.find("received_day_limit"), reason.npos) << reason;
  EXPECT_EQ(reason.find("is left"), reason.npos) << "what others sent him is not told: " << reason;
  EXPECT_EQ(refused(300), std::nullopt);
  EXPECT_EQ(world_->balance(ben_).limits_left.received_day, 0);
  world_->advance(26h);
  EXPECT_EQ(refused(501, &reason), Code::conflict);
  EXPECT_NE(reason.find("received_month_limit"), reason.npos) << reason;
  EXPECT_EQ(refused(500), std::nullopt);
}

TEST_F(Transfers, ThatCameBackDoNotCount) {
  world_->wallet_rules.sent_day_max = 1'000;
  const auto sent = send(1'000);
  EXPECT_EQ(refused(1), Code::conflict);
  act(wallet::cancel, ada_, sent.id);
  EXPECT_EQ(refused(1'000), std::nullopt);
}

// ---- what a card adds ---------------------------------------------------------------------------

TEST_F(Transfers, TakeWhatIsMissingFromACard) {
  const auto sent = send_with("tok_approved", 60'000);
  EXPECT_EQ(sent.state, TransferState::pending);
  EXPECT_TRUE(sent.top_up_id.has_value());
  EXPECT_EQ(available(ada_), 0);
  EXPECT_EQ(world_->balance(ada_).balance, 60'000);
  act(wallet::accept, ben_, sent.id);
  EXPECT_EQ(available(ben_), 60'000);
}

TEST_F(Transfers, LeaveTheCardAloneWhereTheBalanceIsEnough) {
  const auto sent = send_with("tok_declined", 50'000);
  EXPECT_EQ(sent.state, TransferState::pending);
  EXPECT_EQ(sent.top_up_id, std::nullopt);
}

TEST_F(Transfers, FailWithTheCardAndMoveNothing) {
  const auto sent = send_with("tok_declined", 60'000);
  EXPECT_EQ(sent.state, TransferState::failed);
  EXPECT_EQ(sent.reason, "card_declined");
  EXPECT_EQ(available(ada_), 50'000);
  EXPECT_EQ(code_of([&] { act(wallet::fetch_transfer, ben_, sent.id); }), Code::not_found)
      << "the other side never knew";
  const auto theirs = world_->transact(
      [&](Tx& tx) { return wallet::list_transfers(tx, ben_.account, std::nullopt, 10); });
  EXPECT_TRUE(theirs.empty());
}

TEST_F(Transfers, GoOnWhenALostChargeIsFound) {
  const auto sent = send_with("tok_answer_lost", 60'000);
  EXPECT_EQ(sent.state, TransferState::funding);
  EXPECT_EQ(code_of([&] { act(wallet::cancel, ada_, sent.id); }), Code::conflict);
  EXPECT_EQ(code_of([&] { act(wallet::accept, ben_, sent.id); }), Code::not_found);
  world_->advance(10s);
  world_->run_jobs();
  EXPECT_EQ(now(sent).state, TransferState::pending);
  EXPECT_EQ(available(ada_), 0);
}

TEST_F(Transfers, FailWhereTheRestWasSpentMeanwhile) {
  const auto sent = send_with("tok_answer_lost", 60'000);
  send(40'000);
  world_->advance(10s);
  world_->run_jobs();
  EXPECT_EQ(now(sent).state, TransferState::failed);
  EXPECT_EQ(now(sent).reason, "insufficient_balance");
  EXPECT_EQ(available(ada_), 20'000) << "what was charged is in the wallet";
}

}  // namespace transfers_test
}  // namespace bottega::test
