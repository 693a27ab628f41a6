// Erasing a person: what goes, what stays, and when it is refused.
#include "bottega/privacy/erasure.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/uploads.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/identity/preferences.hpp"

namespace bottega::test {
namespace erasure_test {

using namespace std::chrono_literals;
using namespace conversations;
using privacy::begin_erasure;

class Erasure : public testing::Test {
 protected:
  template <class Op>
  auto in(Op op) {
    return world.transact([&](Tx& tx) { return op(tx); });
  }
  std::int64_t say(const Who& who, const Json& message) {
    const auto given = from_json<NewMessage>(message);
    return in([&](Tx& tx) { return send(tx, who, shop.conversation, given); }).seq;
  }
  void erase(const Who& who) {
    in([&](Tx& tx) { begin_erasure(tx, who.account); });
    world.run_jobs();
  }
  // The ids that stand in the way.
  std::vector<std::string> in_the_way(const Who& who) {
    std::vector<std::string> ids;
    try {
      in([&](Tx& tx) { begin_erasure(tx, who.account); });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::conflict);
      for (const auto& fault : error.faults()) ids.push_back(fault.pointer);
    }
    return ids;
  }
  std::vector<Event> log() {
    return in([&](Tx& tx) { return log_after(tx, shop.owner, shop.conversation, 0, 1'000); });
  }
  std::string asked(const std::string& sql) {
    return execute(world.urls.superuser, "SET search_path = bottega; " + sql);
  }
  // Whether any table of the database still has this text.
  bool is_kept(const std::string& text) {
    return asked(
               "SELECT count(*) FROM (SELECT table_name::text AS name FROM "
               "information_schema.tables WHERE table_schema = 'bottega' AND table_type = "
               "'BASE TABLE') t WHERE (xpath('/row/n/text()', query_to_xml(format('SELECT "
               "count(*) AS n FROM bottega.%I x WHERE x::text ILIKE %L', t.name, '%" +
               text + "%'), false, true, '')))[1]::text <> '0'") != "0";
  }
  std::string uuid(const Who& who) { return "'" + uuid_text(who.account.uuid) + "'"; }

  World world;
  const Shop shop = world.shop();
};

TEST_F(Erasure, TakesBackAllThatSomebodyWrote) {
  say(shop.buyer, {{"text", "My wombat is ill"}});
  const auto seq = say(shop.buyer, {{"text", "It is a quokka"}});
  const auto edited = from_json<NewText>({{"text", "It is a numbat"}});
  in([&](Tx& tx) { return edit(tx, shop.buyer, shop.conversation, seq, edited, 1h); });
  say(shop.owner, {{"text", "I am sorry"}});
  run(keep_up(world.db, 500));
  erase(shop.buyer);
  run(keep_up(world.db, 500));
  for (const auto* word : {"wombat", "quokka", "numbat"}) EXPECT_FALSE(is_kept(word)) << word;
  EXPECT_TRUE(is_kept("I am sorry"));
  const auto entries = log();
  EXPECT_TRUE(entries[0].data.contains("deleted_at"));
  EXPECT_EQ(entries[3].data["text"], "I am sorry");
  std::vector<std::int64_t> traces;
  for (const auto& entry : entries)
    if (entry.event == "message.deleted") traces.push_back(entry.data["message_seq"]);
  EXPECT_EQ(traces, (std::vector<std::int64_t>{1, 2}));
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(entries[i].seq, static_cast<std::int64_t>(i) + 1) << "a gap";
}

TEST_F(Erasure, TakesBackManyMessagesAndThoseOfMembersToo) {
  const auto agent = world.member(shop, identity::Role::agent);
  for (int i = 0; i < 230; ++i) say(agent, {{"text", "The dingo says hello"}});
  erase(agent);
  EXPECT_FALSE(is_kept("dingo"));
  EXPECT_EQ(log().size(), 460u);
  EXPECT_EQ(asked("SELECT count(*) FROM merchant_members WHERE account_id = " + uuid(agent)), "0");
}

// Where somebody wrote as a member of a shop is known from the search.
TEST_F(Erasure, GoesOnUntilTheSearchHasTakenInWhatWasWrittenBefore) {
  const auto agent = world.member(shop, identity::Role::agent);
  say(agent, {{"text", "The dingo says hello"}});
  asked("UPDATE search_state SET is_walked = false, walk_at = now() + interval '1 day'");
  erase(agent);
  EXPECT_TRUE(is_kept("dingo")) << "there may be more that is not known yet";
  asked("UPDATE search_state SET walk_at = now()");
  world.advance(1min);
  world.run_jobs();
  EXPECT_FALSE(is_kept("dingo"));
  EXPECT_EQ(asked("SELECT count(*) FROM jobs WHERE kind = 'privacy.erase'"), "0");
}

TEST_F(Erasure, TakesTheWordsOfAReportWhenItIsAnswered) {
  say(shop.owner, {{"text", "Hello"}});
  const auto given = from_json<NewReport>({{"reason", "spam"}, {"text", "A kookaburra calls"}});
  const auto made = in([&](Tx& tx) { return report(tx, shop.buyer, shop.conversation, given); });
  erase(shop.buyer);
  EXPECT_TRUE(is_kept("kookaburra")) << "it is still to be judged";
  const auto how = from_json<Resolution>({{"resolution", "Seen"}});
  const auto staff = world.staff(identity::StaffRole::support);
  in([&](Tx& tx) { return resolve(tx, staff, made.id, how); });
  EXPECT_FALSE(is_kept("kookaburra"));
}

TEST_F(Erasure, RemovesFilesNotesAndTheirBytes) {
  const auto file = upload(world, shop, shop.buyer, "The bilby, in a file");
  say(shop.buyer, {{"attachments", {text_of(file)}}});
  upload(world, shop, shop.buyer, "Another one, in no message");
  const auto agent = world.member(shop, identity::Role::agent);
  const auto note = from_json<NewNote>({{"text", "Has a bilby"}});
  in([&](Tx& tx) { return add_note(tx, agent, shop.conversation, note); });
  EXPECT_EQ(files_in(world), 2u);
  erase(shop.buyer);
  erase(agent);
  EXPECT_EQ(files_in(world), 0u);
  EXPECT_EQ(asked("SELECT count(*) FROM attachments"), "0");
  EXPECT_FALSE(is_kept("bilby"));
  EXPECT_FALSE(is_kept("a.txt"));
}

TEST_F(Erasure, LeavesNoTraceOfThePerson) {
  const auto email = asked("SELECT email FROM accounts WHERE id = " + uuid(shop.buyer));
  in([&](Tx& tx) {
    identity::open_session(tx, shop.buyer.account, {"Potoroo Browser", "198.51.100.77"},
                           {10min, 1h});
    mute(tx, shop.buyer, shop.conversation, {});
  });
  asked("INSERT INTO last_seen (account_id, at) VALUES (" + uuid(shop.buyer) + ", now())");
  erase(shop.buyer);
  EXPECT_FALSE(is_kept(email));
  EXPECT_FALSE(is_kept("Bea Buyer"));
  EXPECT_FALSE(is_kept("Potoroo"));
  EXPECT_FALSE(is_kept("198.51.100.77"));
  for (const auto* table : {"mutes", "last_seen", "presences", "push_subscriptions"})
    EXPECT_EQ(asked(std::string("SELECT count(*) FROM ") + table +
                    " WHERE account_id = " + uuid(shop.buyer)),
              "0")
        << table;
  EXPECT_EQ(asked("SELECT count(*) FROM access_tokens"), "0");
  EXPECT_EQ(asked("SELECT count(*) FROM refresh_tokens"), "0");
  EXPECT_FALSE(
      in([&](Tx& tx) { return identity::preferences_of(tx, shop.buyer.account); }).show_presence);
  EXPECT_EQ(in([&](Tx& tx) { return fetch(tx, shop.owner, shop.conversation); }).buyer_name,
            "Deleted account");
  const auto again = in([&](Tx& tx) {
    return identity::register_account(tx, from_text<Email>(email), "Bea", "no password", {});
  });
  EXPECT_NE(again.id, shop.buyer.account) << "the address is free again";
}

TEST_F(Erasure, IsForGood) {
  erase(shop.buyer);
  const auto back = [&] {
    in([&](Tx& tx) {
      identity::set_account_state(tx, shop.buyer.account, identity::AccountState::active);
    });
  };
  EXPECT_EQ(code_of(back), Code::not_found);
  EXPECT_EQ(code_of([&] { say(shop.owner, {{"text", "Are you there?"}}); }), Code::forbidden);
  in([&](Tx& tx) { begin_erasure(tx, shop.buyer.account); });
  EXPECT_EQ(world.run_jobs(), 0);
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { begin_erasure(tx, identity::AccountId::make()); }); }),
            Code::not_found);
}

TEST_F(Erasure, OfABuyerWaitsForTheirOrders) {
  const auto order = world.sell(shop);
  EXPECT_EQ(in_the_way(shop.buyer), std::vector<std::string>{text_of(order.id)});
  world.ship(shop, order);
  EXPECT_EQ(in_the_way(shop.buyer), std::vector<std::string>{text_of(order.id)});
  in([&](Tx& tx) { orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
  const auto before = asked("SELECT count(*), sum(amount) FROM ledger_transfers");
  erase(shop.buyer);
  EXPECT_EQ(asked("SELECT count(*), sum(amount) FROM ledger_transfers"), before);
  EXPECT_TRUE(world.trial_balance().is_balanced);
  const auto kept = in([&](Tx& tx) { return orders::fetch(tx, shop.owner, order.id); });
  EXPECT_EQ(kept.ship_to.value().name.value, "Deleted account");
  EXPECT_EQ(kept.ship_to.value().country.value, "US");
  EXPECT_FALSE(is_kept("1 Main St"));
}

TEST_F(Erasure, OfABuyerWaitsForAPayment) {
  const auto request = world.ask(shop);
  world.pay(shop, request, "tok_confirm");
  EXPECT_EQ(in_the_way(shop.buyer), std::vector<std::string>{text_of(request.id)});
}

TEST_F(Erasure, OfAnOwnerWaitsForTheMoneyOfTheShop) {
  const auto order = world.sell(shop);
  EXPECT_EQ(in_the_way(shop.owner), std::vector<std::string>{text_of(shop.merchant)});
  world.ship(shop, order);
  in([&](Tx& tx) { orders::deliver(tx, orders::lock(tx, shop.merchant, order.id)); });
  EXPECT_EQ(in_the_way(shop.owner), std::vector<std::string>{text_of(shop.merchant)})
      << "a payout is due";
  world.advance(std::chrono::days(7));
  world.run_jobs();
  world.deliver_webhooks();
  world.run_jobs();
  EXPECT_EQ(asked("SELECT state FROM payouts"), "paid");
  const auto key = world.key_with(shop, identity::Scope::read);
  erase(shop.owner);
  EXPECT_EQ(asked("SELECT count(*) FROM merchant_members"), "0");
  EXPECT_EQ(asked("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL"), "0");
  EXPECT_EQ(code_of([&] { in([&](Tx& tx) { identity::require_current(tx, key); }); }),
            Code::unauthenticated);
}

// Nothing is under way, and yet there is something left.
TEST_F(Erasure, OfAnOwnerWaitsForWhatTheBooksHaveOfTheShop) {
  using enum ledger::Kind;
  const std::vector<std::string> in_it = {text_of(shop.merchant)};
  const auto post = [&](ledger::Why why, ledger::Kind debit, ledger::Kind credit) {
    const Money amount{700, from_text<Currency>("USD")};
    const auto about = payments::PaymentId::make().uuid;
    in([&](Tx& tx) {
      ledger::post(tx, ledger::transfer_within(shop.merchant, why, about, debit, credit, amount));
    });
  };
  post(ledger::Why::capture, processor_clearing, held);
  EXPECT_EQ(in_the_way(shop.owner), in_it) << "a buyer's";
  post(ledger::Why::release, held, merchant_payable);
  EXPECT_EQ(in_the_way(shop.owner), in_it) << "its own";
  post(ledger::Why::payout, merchant_payable, processor_clearing);
  post(ledger::Why::refund_advance, merchant_debt, processor_clearing);
  EXPECT_EQ(in_the_way(shop.owner), in_it) << "a debt";
  post(ledger::Why::capture, processor_clearing, merchant_debt);
  post(ledger::Why::capture, processor_clearing, platform_fees);
  EXPECT_EQ(in_the_way(shop.owner), std::vector<std::string>{}) << "the fees are the platform's";
}

TEST_F(Erasure, WaitsForWhatThePersonOwes) {
  const auto who = world.person();
  const Money amount{700, from_text<Currency>("USD")};
  const ledger::Account debt{ledger::Kind::wallet_debt, ledger::owner_of(who.account)},
      clearing{ledger::Kind::processor_clearing, ledger::kPlatform};
  const auto post = [&](ledger::Why why, const ledger::Account& from, const ledger::Account& to) {
    in([&](Tx& tx) { ledger::post(tx, {why, make_uuid_v7(), from, to, amount}); });
  };
  post(ledger::Why::dispute_advance, debt, clearing);
  EXPECT_EQ(in_the_way(who), std::vector<std::string>{"USD"});
  post(ledger::Why::top_up, clearing, debt);
  EXPECT_EQ(in_the_way(who), std::vector<std::string>{});
}

// All of it was withdrawn, and their bank sends it back to somebody who is nobody any more.
TEST_F(Erasure, LosesNothingOfWhatTheirBankSendsBackLater) {
  const auto who = world.person();
  world.top_up(who, 2'000);
  const auto facts = run(world.registry.get("sandbox").describe_method("tok_bank"));
  const wallet::NewMethod bank{from_text<wallet::MethodToken>("tok_bank"), {}};
  const auto given = from_json<wallet::NewWithdrawal>({{"amount", 2'000}, {"currency", "USD"}});
  const auto withdrawal = in([&](Tx& tx) {
    wallet::add_method(tx, who.account, "sandbox", bank, facts.value());
    return wallet::begin_withdrawal(tx, who.account, given, world.wallet_rules);
  });
  world.run_jobs();
  erase(who);
  const auto attempt = in([&](Tx& tx) {
    return attempts::lock_latest(tx, wallet::kPlatformMerchant, withdrawal.id.uuid, {});
  });
  const processors::Event event{"evt_returned",
                                processors::Operation::payout,
                                attempt.key(),
                                {processors::Verdict::declined, "", "account_closed", ""}};
  in([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
  world.run_jobs();
  EXPECT_EQ(asked("SELECT state FROM withdrawals"), "failed");
  EXPECT_EQ(asked("SELECT credits - debits FROM ledger_accounts WHERE kind = 'wallet' AND "
                  "owner_id = " +
                  uuid(who)),
            "2000");
  EXPECT_TRUE(world.trial_balance().is_balanced);
  EXPECT_EQ(asked("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL"), "0");
}

TEST_F(Erasure, OfAnOwnerLeavesAShopToOtherOwnersOnly) {
  const auto agent = world.member(shop, identity::Role::agent);
  EXPECT_EQ(in_the_way(shop.owner), std::vector<std::string>{text_of(shop.merchant)});
  in([&](Tx& tx) {
    identity::change_role(tx, shop.merchant, agent.account, identity::Role::owner);
  });
  world.sell(shop);
  EXPECT_EQ(in_the_way(shop.owner), std::vector<std::string>{});
  EXPECT_EQ(asked("SELECT count(*) FROM merchant_members"), "1");
}

// Both begin before the other has ended; whoever is charged waits for the erasure.
TEST_F(Erasure, RefusesACharge) {
  const auto rich = world.person("Rita Rich");
  const auto request = world.ask(shop, 1'000);
  const auto charged_while_erased = [&](const Who& who, const std::function<void(Tx&)>& charge) {
    std::future<std::optional<Code>> refusal;
    in([&](Tx& tx) {
      begin_erasure(tx, who.account);
      refusal = std::async(std::launch::async, [&] { return code_of([&] { in(charge); }); });
      int tries = 0;
      while (asked("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "datname = current_database()") == "0")
        if (++tries == 1'000) throw Error(Code::internal, "nobody waits");
    });
    return refusal.get();
  };
  EXPECT_EQ(charged_while_erased(rich,
                                 [&](Tx& tx) {
                                   const Money amount{500, *Currency::find("USD")};
                                   wallet::begin_top_up(tx, rich.account, amount, std::nullopt,
                                                        world.wallet_rules);
                                 }),
            Code::unauthenticated);
  EXPECT_EQ(charged_while_erased(shop.buyer,
                                 [&](Tx& tx) {
                                   payments::begin(tx, shop.buyer, request.id,
                                                   acceptance("tok_approved"), world.payment_rules);
                                 }),
            Code::unauthenticated);
  EXPECT_EQ(asked("SELECT count(*) FROM attempts"), "0");
  EXPECT_EQ(asked("SELECT state FROM payment_requests"), "open");
}

TEST_F(Erasure, KeepsWhatWasReportedForItsOwnTime) {
  say(shop.buyer, {{"text", "Pay me elsewhere, by echidna"}});
  const auto given = from_json<NewReport>({{"reason", "fraud"}});
  in([&](Tx& tx) { return report(tx, shop.owner, shop.conversation, given); });
  erase(shop.buyer);
  EXPECT_EQ(asked("SELECT count(*) FROM reports WHERE entries::text LIKE '%echidna%'"), "1");
  EXPECT_EQ(asked("SELECT count(*) FROM entries WHERE data::text LIKE '%echidna%'"), "0");
}

}  // namespace erasure_test
}  // namespace bottega::test
