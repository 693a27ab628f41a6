// Disputes about top-ups: what is in the wallet is reserved and never more, the rest is advanced by
// the platform and recovered, and the staff answers.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/disputes/top_ups.hpp"

namespace bottega::test {
namespace top_up_disputes_test {

using namespace std::chrono_literals;
using disputes::TopUpDispute;
using ledger::Kind;
using State = disputes::State;

class TopUpDisputes : public ::testing::Test {
 protected:
  void SetUp() override { who_ = world_.person("Wanda Wallet"); }
  void TearDown() override {
    const auto books = world_.trial_balance();
    EXPECT_TRUE(books.is_balanced) << Json(books.faults).dump();
  }

  processors::BookDispute at_the_bank(const wallet::TopUp& top_up,
                                      std::optional<std::int64_t> amount = std::nullopt) {
    Json given = {{"charge", top_up.reference.value()}};
    if (amount) given["amount"] = *amount;
    return run(world_.sandbox.open_dispute(from_json<processors::NewDispute>(given)));
  }
  void hear_webhooks() {
    world_.deliver_webhooks();
    world_.run_jobs();
  }
  std::vector<TopUpDispute> all() {
    return world_.transact([&](Tx& tx) {
      return disputes::list_top_up_disputes(tx, who_.account, std::nullopt, std::nullopt, 100);
    });
  }
  TopUpDispute open(const wallet::TopUp& top_up,
                    std::optional<std::int64_t> amount = std::nullopt) {
    at_the_bank(top_up, amount);
    hear_webhooks();
    return all().at(0);
  }
  TopUpDispute now(const TopUpDispute& dispute) {
    return world_.transact([&](Tx& tx) { return disputes::fetch_top_up_dispute(tx, dispute.id); });
  }
  wallet::TopUp now(const wallet::TopUp& top_up) {
    return world_.transact(
        [&](Tx& tx) { return wallet::fetch_top_up(tx, who_.account, top_up.id); });
  }
  TopUpDispute accept(const TopUpDispute& dispute) {
    world_.transact([&](Tx& tx) { disputes::accept_top_up_dispute(tx, dispute.id); });
    hear_webhooks();
    return now(dispute);
  }
  TopUpDispute contest(const TopUpDispute& dispute) {
    const auto said = from_json<disputes::TopUpStatement>({{"text", "They spent it."}});
    world_.transact([&](Tx& tx) { disputes::submit_top_up_dispute(tx, dispute.id, said); });
    hear_webhooks();
    EXPECT_EQ(now(dispute).state, State::under_review);
    world_.advance(61s);
    run(world_.sandbox.decide_disputes());
    hear_webhooks();
    return now(dispute);
  }
  // Some of the balance becomes somebody else's.
  void spend(std::int64_t amount) {
    const auto friend_of = world_.person("Fred Friend");
    const auto sent = world_.send(who_, friend_of, amount);
    world_.transact([&](Tx& tx) { wallet::accept(tx, friend_of.account, sent.id); });
  }
  wallet::WalletBalance wallet() { return world_.balance(who_); }
  // All of a kind, by its own sign.
  std::int64_t sum(Kind kind) {
    std::int64_t sum = 0;
    for (const auto& row : world_.trial_balance().accounts)
      if (row.kind == kind) sum += row.debits - row.credits;
    return sum;
  }

  World world_;
  identity::Who who_;
};

TEST_F(TopUpDisputes, ReserveWhatIsThereTheMomentTheyOpen) {
  const auto charged = world_.top_up(who_, 5'000);
  const auto dispute = open(charged);
  EXPECT_EQ(dispute.state, State::evidence_due);
  EXPECT_EQ(dispute.top_up_id, charged.id);
  EXPECT_EQ(dispute.reserved, 5'000);
  EXPECT_EQ(dispute.advanced, 0);
  EXPECT_EQ(wallet().balance, 0);
  EXPECT_EQ(wallet().reserved, 5'000);
  EXPECT_EQ(wallet().owed, 0);
  EXPECT_EQ(now(charged).disputed, 5'000);
  EXPECT_EQ(sum(Kind::processor_clearing), 5'000) << "it is ours until it is lost";
}

TEST_F(TopUpDisputes, NeverTakeMoreThanThereIsAndAdvanceTheRest) {
  const auto charged = world_.top_up(who_, 5'000);
  spend(4'000);
  const auto dispute = open(charged);
  EXPECT_EQ(dispute.reserved, 5'000);
  EXPECT_EQ(dispute.advanced, 4'000);
  EXPECT_EQ(wallet().available, 0);
  EXPECT_EQ(wallet().reserved, 5'000);
  EXPECT_EQ(wallet().owed, 4'000);
}

TEST_F(TopUpDisputes, LeaveAloneWhatWaitsForTheRecipientOfATransfer) {
  const auto charged = world_.top_up(who_, 5'000);
  const auto friend_of = world_.person("Fred Friend");
  const auto sent = world_.send(who_, friend_of, 3'000);
  EXPECT_EQ(open(charged).advanced, 3'000);
  world_.transact([&](Tx& tx) { wallet::accept(tx, friend_of.account, sent.id); });
  EXPECT_EQ(world_.balance(friend_of).balance, 3'000);
}

TEST_F(TopUpDisputes, ThatAreLostTakeTheMoneyFromTheProcessor) {
  const auto charged = world_.top_up(who_, 5'000);
  spend(4'000);
  const auto dispute = accept(open(charged));
  EXPECT_EQ(dispute.state, State::lost);
  EXPECT_EQ(wallet().reserved, 0);
  EXPECT_EQ(wallet().owed, 4'000);
  EXPECT_EQ(sum(Kind::wallet_reserve), 0);
  EXPECT_EQ(sum(Kind::processor_clearing), 0);
  EXPECT_EQ(now(charged).disputed, 5'000);
}

TEST_F(TopUpDisputes, ThatAreWonGiveItBackAndForgiveWhatWasAdvanced) {
  const auto charged = world_.top_up(who_, 5'000);
  spend(4'000);
  EXPECT_EQ(contest(open(charged)).state, State::won);
  EXPECT_EQ(wallet().balance, 1'000);
  EXPECT_EQ(wallet().reserved, 0);
  EXPECT_EQ(wallet().owed, 0);
  EXPECT_EQ(now(charged).disputed, 0);
}

TEST_F(TopUpDisputes, WonAfterTheDebtWasRecoveredAreTheOwnersBalance) {
  const auto charged = world_.top_up(who_, 5'000);
  spend(5'000);
  const auto dispute = open(charged);
  world_.top_up(who_, 3'000);
  EXPECT_EQ(wallet().balance, 0) << "the debt is taken from it first";
  EXPECT_EQ(wallet().owed, 2'000);
  EXPECT_EQ(contest(dispute).state, State::won);
  EXPECT_EQ(wallet().owed, 0);
  EXPECT_EQ(wallet().balance, 3'000);
}

TEST_F(TopUpDisputes, LetTheirDebtBePaidBeforeAnythingIsWithdrawn) {
  const auto friend_of = world_.person("Fred Friend");
  world_.top_up(friend_of, 2'000);
  const auto charged = world_.top_up(who_, 1'000);
  spend(1'000);
  accept(open(charged));
  EXPECT_EQ(wallet().owed, 1'000);
  const auto sent = world_.send(friend_of, who_, 1'500);
  world_.transact([&](Tx& tx) { wallet::accept(tx, who_.account, sent.id); });
  const auto facts = run(world_.registry.get("sandbox").describe_method("tok_bank"));
  const wallet::NewMethod bank{from_text<wallet::MethodToken>("tok_bank"), {}};
  world_.transact(
      [&](Tx& tx) { return wallet::add_method(tx, who_.account, "sandbox", bank, facts.value()); });
  const auto withdraw = [&](std::int64_t amount) {
    const auto given = from_json<wallet::NewWithdrawal>({{"amount", amount}, {"currency", "USD"}});
    return world_.transact([&](Tx& tx) {
      return wallet::begin_withdrawal(tx, who_.account, given, world_.wallet_rules);
    });
  };
  EXPECT_EQ(code_of([&] { withdraw(501); }), Code::conflict);
  withdraw(500);
  world_.run_jobs();
  EXPECT_EQ(wallet().owed, 0);
  EXPECT_EQ(wallet().balance, 0);
}

TEST_F(TopUpDisputes, LetNobodySendWhatTheyOwe) {
  const auto top_up = world_.top_up(who_, 4'000);
  const auto friend_of = world_.person("Fred Friend");
  const auto sent = world_.send(who_, friend_of, 4'000);
  open(top_up);
  world_.transact([&](Tx& tx) { wallet::cancel(tx, who_.account, sent.id); });
  EXPECT_EQ(wallet().balance, 4'000);
  EXPECT_EQ(wallet().available, 0) << "it is owed";
  EXPECT_EQ(wallet().owed, 4'000);
  EXPECT_EQ(code_of([&] { world_.send(who_, friend_of, 1); }), Code::conflict);
  const auto given = from_json<wallet::NewTransfer>(
      {{"to", {{"account_id", text_of(friend_of.account)}}}, {"amount", 1}, {"currency", "USD"}});
  const auto moved = world_.transact([&](Tx& tx) {
    return wallet::move(tx, {{who_.account, given}}, world_.wallet_rules);
  });
  ASSERT_TRUE(std::holds_alternative<Error>(moved.at(0)));
  EXPECT_EQ(std::get<Error>(moved.at(0)).reason(), "wallet_owes");
}

TEST_F(TopUpDisputes, LetNobodyWhoOwesSendByCard) {
  const auto charged = world_.top_up(who_, 1'000);
  spend(1'000);
  accept(open(charged));
  const Money some{500, *Currency::find("USD")};
  EXPECT_EQ(code_of([&] {
              world_.transact([&](Tx& tx) {
                wallet::begin_top_up(tx, who_.account, some, wallet::TransferId::make(),
                                     world_.wallet_rules);
              });
            }),
            Code::conflict);
}

TEST_F(TopUpDisputes, HeardOfTwiceAndLateAreOneDispute) {
  const auto charged = world_.top_up(who_, 5'000);
  const auto book = at_the_bank(charged, 2'000);
  const auto hear = [&](State state) {
    const processors::DisputeNews news{book.charge_key, book.reference, book.amount,
                                       book.reason,     state,          book.evidence_due_at};
    world_.transact(
        [&](Tx& tx) { disputes::take_news(tx, "sandbox", news, world_.payment_rules); });
  };
  hear(State::evidence_due);
  hear(State::opened);
  hear(State::won);
  for (const auto late : {State::opened, State::evidence_due, State::under_review, State::won})
    hear(late);
  EXPECT_EQ(code_of([&] { hear(State::lost); }), Code::conflict);
  ASSERT_EQ(all().size(), 1u);
  EXPECT_EQ(all()[0].state, State::won);
  EXPECT_EQ(wallet().balance, 5'000);
}

TEST_F(TopUpDisputes, WhoseWebhookWasLostAreFoundByAsking) {
  const auto charged = world_.top_up(who_, 5'000);
  hear_webhooks();
  at_the_bank(charged);
  run(disputes::ask(world_.db, world_.registry.get("sandbox"), world_.payment_rules));
  ASSERT_EQ(all().size(), 1u);
  EXPECT_EQ(wallet().reserved, 5'000);
}

TEST_F(TopUpDisputes, GoToTheProcessorAsOneSignedDocument) {
  const auto charged = world_.top_up(who_, 5'000);
  spend(4'000);
  const auto dispute = open(charged);
  EXPECT_EQ(code_of([&] {
              world_.transact([&](Tx& tx) { disputes::fetch_top_up_evidence(tx, dispute.id); });
            }),
            Code::not_found);
  contest(dispute);
  const auto kept =
      world_.transact([&](Tx& tx) { return disputes::fetch_top_up_evidence(tx, dispute.id); });
  EXPECT_EQ(run(world_.sandbox.dispute_page(dispute.reference)).evidence, kept.document);
  EXPECT_EQ(kept.sha256, sha256_hex(kept.document));
  const auto document = Json::parse(kept.document);
  std::vector<std::string> names;
  for (const auto& part : document["parts"]) {
    names.push_back(part["name"]);
    EXPECT_EQ(part["sha256"], sha256_hex(canonical_json(part["content"]))) << names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"statement", "top_up", "transfer", "movements"}));
  EXPECT_EQ(document["parts"][0]["content"], "They spent it.");
  EXPECT_EQ(document["parts"][1]["content"]["id"], text_of(charged.id));
  const auto again = [&] {
    world_.transact([&](Tx& tx) { disputes::accept_top_up_dispute(tx, dispute.id); });
  };
  EXPECT_EQ(code_of(again), Code::conflict);
}

TEST_F(TopUpDisputes, AreContestedByThemselvesBeforeTheTimeIsOver) {
  const auto dispute = open(world_.top_up(who_, 5'000));
  world_.advance(7 * 24h - 2h);
  world_.run_jobs();
  EXPECT_EQ(now(dispute).response, disputes::Stance::contest);
  EXPECT_EQ(now(dispute).state, State::under_review);
}

TEST_F(TopUpDisputes, WhoseAnswerIsLostAreAnsweredOnce) {
  const auto dispute = open(world_.top_up(who_, 5'017));  // ends in 17: the answer is lost
  world_.transact([&](Tx& tx) { disputes::accept_top_up_dispute(tx, dispute.id); });
  world_.run_jobs();
  world_.advance(6s);
  hear_webhooks();
  EXPECT_EQ(now(dispute).state, State::lost);
  EXPECT_EQ(sum(Kind::wallet_reserve), 0);
}

TEST_F(TopUpDisputes, AreToldToTheirOwnerAlone) {
  const auto charged = world_.top_up(who_, 5'000);
  world_.notices.clear();
  accept(open(charged));
  std::vector<std::string> told;
  for (const auto& notice : world_.notices) {
    const auto event = Json::parse(notice.text).value("event", "");
    if (!event.starts_with("top_up.dispute")) continue;
    told.push_back(event);
    EXPECT_EQ(notice.topics, std::vector<std::string>{identity::account_topic(who_.account)});
  }
  EXPECT_EQ(told, (std::vector<std::string>{"top_up.disputed", "top_up.dispute_closed"}));
}

TEST_F(TopUpDisputes, OfOneTopUpNeverClaimMoreThanItWas) {
  const auto charged = world_.top_up(who_, 5'000);
  world_.top_up(who_, 9'000);
  open(charged, 3'000);
  const processors::DisputeNews more{at_the_bank(charged, 1'000).charge_key,
                                     "dp_other",
                                     Money{4'000, *Currency::find("USD")},
                                     "fraudulent",
                                     State::evidence_due,
                                     std::nullopt};
  const auto other =
      world_.transact([&](Tx& tx) { return disputes::hear_of_top_up(tx, "sandbox", more); });
  EXPECT_EQ(other.reserved, 2'000);
  EXPECT_EQ(now(charged).disputed, 5'000);
  EXPECT_EQ(wallet().balance, 9'000);
  auto over = more;
  over.state = State::lost;
  world_.transact([&](Tx& tx) { disputes::hear_of_top_up(tx, "sandbox", over); });
  EXPECT_EQ(sum(Kind::losses), 2'000) << "the rest is nobody's here";
}

// Two about all of a top-up: what the first one claimed is back when the second is lost.
TEST_F(TopUpDisputes, LostAfterAnotherWasWonAreTheOwnersAndNoLoss) {
  for (const std::int64_t spent : {0, 5'000, 2'000}) {
    who_ = world_.person("Wanda Wallet");
    const auto charged = world_.top_up(who_, 5'000);
    const auto book = at_the_bank(charged);
    hear_webhooks();
    const auto first = all().at(0);
    const processors::DisputeNews news{book.charge_key,
                                       "dp_second_" + std::to_string(spent),
                                       Money{5'000, *Currency::find("USD")},
                                       "fraudulent",
                                       State::evidence_due,
                                       std::nullopt};
    const auto second =
        world_.transact([&](Tx& tx) { return disputes::hear_of_top_up(tx, "sandbox", news); });
    EXPECT_EQ(second.reserved, 0);
    const processors::DisputeNews won{news.charge,  first.reference, news.amount,
                                      "fraudulent", State::won,      std::nullopt};
    world_.transact([&](Tx& tx) { return disputes::hear_of_top_up(tx, "sandbox", won); });
    EXPECT_EQ(wallet().balance, 5'000);
    EXPECT_EQ(now(charged).disputed, 0);
    if (spent > 0) spend(spent);
    auto over = news;
    over.state = State::lost;
    const auto lost =
        world_.transact([&](Tx& tx) { return disputes::hear_of_top_up(tx, "sandbox", over); });
    EXPECT_EQ(lost.reserved, 5'000);
    EXPECT_EQ(lost.advanced, spent);
    EXPECT_EQ(to_json(now(lost)), to_json(lost));
    EXPECT_EQ(wallet().balance, 0);
    EXPECT_EQ(wallet().reserved, 0);
    EXPECT_EQ(wallet().owed, spent);
    EXPECT_EQ(now(charged).disputed, 5'000);
    EXPECT_EQ(sum(Kind::losses), 0);
  }
}

// The same news opens and ends it: what was beyond when it opened is beyond when it is lost.
TEST_F(TopUpDisputes, LostTheMomentTheyOpenClaimNothingTwice) {
  const auto charged = world_.top_up(who_, 5'000);
  open(charged, 3'000);
  const processors::DisputeNews news{at_the_bank(charged, 1'000).charge_key,
                                     "dp_other",
                                     Money{4'000, *Currency::find("USD")},
                                     "fraudulent",
                                     State::lost,
                                     std::nullopt};
  const auto lost =
      world_.transact([&](Tx& tx) { return disputes::hear_of_top_up(tx, "sandbox", news); });
  EXPECT_EQ(lost.reserved, 2'000);
  EXPECT_EQ(now(charged).disputed, 5'000);
  EXPECT_EQ(wallet().owed, 0);
  EXPECT_EQ(sum(Kind::losses), 2'000);
}

}  // namespace top_up_disputes_test
}  // namespace bottega::test
