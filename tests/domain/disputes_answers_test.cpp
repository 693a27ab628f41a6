// What the merchant says to a dispute: by whom, in time, once, and signed.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "domain/disputes.hpp"
#include "domain/parcels.hpp"
#include "support/relay.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace disputes_answers_test {

using namespace std::chrono_literals;
using disputes::Dispute, disputes::Evidence;
using State = disputes::State;

class DisputeAnswers : public DisputeTest {
 protected:
  Dispute add(const Dispute& dispute, const Json& given, const identity::Who& who) {
    const auto evidence = from_json<disputes::NewEvidence>(given);
    return world_.transact(
        [&](Tx& tx) { return disputes::add_evidence(tx, who, dispute.id, evidence); });
  }
  Dispute add(const Dispute& dispute, const Json& given) {
    return add(dispute, given, shop_.owner);
  }
  Evidence evidence(const Dispute& dispute) {
    return world_.transact(
        [&](Tx& tx) { return disputes::fetch_evidence(tx, shop_.owner, dispute.id); });
  }
  std::string public_key() {
    return world_.transact([](Tx& tx) { return disputes::evidence_key(tx); }).public_key;
  }
  processors::BookDispute at_the_processor(const Dispute& dispute) {
    return run(world_.sandbox.dispute_page(dispute.reference));
  }
};

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// As anybody may, with no more than the public key.
bool is_genuine(const std::string& pem, const std::string& document, const std::string& hex) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (!key || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1)
    throw std::runtime_error("the public key cannot be read");
  const auto signature = bytes_of(hex);
  const auto at = [](const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  return EVP_DigestVerify(context.get(), at(signature), signature.size(), at(document),
                          document.size()) == 1;
}

TEST_F(DisputeAnswers, GoToTheProcessorAsOneSignedDocument) {
  world_.transact([&](Tx& tx) {
    const auto said = from_json<conversations::NewMessage>({{"text", "It arrived, thank you!"}});
    conversations::send(tx, shop_.buyer, shop_.conversation, said);
    const auto note = from_json<conversations::NewNote>({{"text", "A difficult one"}});
    conversations::add_note(tx, shop_.owner, shop_.conversation, note);
  });
  const auto order = world_.sell(shop_, 10'000);
  sent(order);
  const auto dispute = open(order);
  EXPECT_EQ(code_of([&] { evidence(dispute); }), Code::not_found) << "nothing was submitted";
  add(dispute, {{"text", "It was delivered on Monday."}});
  EXPECT_EQ(submit(dispute).state, State::under_review);
  const auto kept = evidence(dispute);
  EXPECT_EQ(at_the_processor(dispute).evidence, kept.document) << "to the byte";
  EXPECT_EQ(kept.sha256, sha256_hex(kept.document));
  const auto document = Json::parse(kept.document);
  EXPECT_EQ(document["format"], "bottega.evidence.1");
  std::vector<std::string> names;
  for (const auto& part : document["parts"]) {
    names.push_back(part["name"]);
    EXPECT_EQ(part["sha256"], sha256_hex(canonical_json(part["content"]))) << names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"statement", "payment_request", "payment", "order",
                                             "refunds", "conversation"}));
  for (const auto* told : {"It was delivered on Monday.", "It arrived, thank you!",
                           "A lamp of brass", "9400111899223197428490"})
    EXPECT_NE(kept.document.find(told), std::string::npos) << told;
  EXPECT_EQ(kept.document.find("A difficult one"), std::string::npos) << "a private note";
}

TEST_F(DisputeAnswers, AreVerifiedByThePublicKeyAndNoByteCanBeChanged) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  submit(dispute);
  const auto kept = evidence(dispute);
  const auto pem = public_key();
  EXPECT_EQ(pem, public_key()) << "made once";
  EXPECT_TRUE(is_genuine(pem, kept.document, kept.signature));
  for (std::size_t i = 0; i < kept.document.size(); i += 97) {
    auto changed = kept.document;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(is_genuine(pem, changed, kept.signature)) << i;
  }
  auto signature = kept.signature;
  signature[0] = signature[0] == '0' ? '1' : '0';
  EXPECT_FALSE(is_genuine(pem, kept.document, signature));
}

TEST_F(DisputeAnswers, AreGivenOnceAndChangedNoMore) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  add(dispute, {{"text", "First"}});
  EXPECT_EQ(add(dispute, {{"text", "Second"}}).text, "Second");
  submit(dispute);
  for (const auto again : {&disputes::submit, &disputes::accept})
    EXPECT_EQ(code_of([&] {
                world_.transact([&](Tx& tx) { return again(tx, shop_.owner, dispute.id); });
              }),
              Code::conflict);
  EXPECT_EQ(code_of([&] { add(dispute, {{"text", "Third"}}); }), Code::conflict);
  EXPECT_EQ(decide(dispute).state, State::won);
  EXPECT_EQ(code_of([&] { add(dispute, {{"text", "Fourth"}}); }), Code::conflict);
  EXPECT_EQ(now(dispute).text, "Second");
}

TEST_F(DisputeAnswers, WithFilesOfNoMessageOfTheConversationAreRefused) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  const auto nothing = text_of(attachments::AttachmentId::make());
  try {
    add(dispute, {{"attachments", Json::array({nothing})}});
    FAIL() << "a file that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    ASSERT_EQ(error.faults().size(), 1u);
    EXPECT_EQ(error.faults()[0].pointer, "/attachments/0");
  }
  Json many = Json::array();
  for (int i = 0; i < 11; ++i) many.push_back(nothing);
  EXPECT_EQ(code_of([&] { add(dispute, {{"attachments", many}}); }), Code::invalid);
  EXPECT_EQ(code_of([&] { add(dispute, {{"text", std::string(4'097, 'x')}}); }), Code::invalid);
  EXPECT_TRUE(add(dispute, {{"attachments", Json::array()}}).attachments.items.empty());
}

TEST_F(DisputeAnswers, AreForManagersAndSeenByThemAlone) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  const auto may = [&](const identity::Who& who) {
    return code_of([&] { add(dispute, {{"text", "Sent"}}, who); });
  };
  const auto sees = [&](const identity::Who& who) {
    return code_of(
        [&] { world_.transact([&](Tx& tx) { return disputes::fetch(tx, who, dispute.id); }); });
  };
  const auto agent = world_.member(shop_, identity::Role::agent);
  EXPECT_EQ(may(shop_.buyer), Code::not_found);
  EXPECT_EQ(sees(shop_.buyer), Code::not_found);
  EXPECT_EQ(may(world_.person()), Code::not_found);
  EXPECT_EQ(may(agent), Code::forbidden);
  EXPECT_EQ(sees(agent), Code::forbidden);
  EXPECT_EQ(may(world_.key_with(shop_, identity::Scope::read)), Code::forbidden);
  EXPECT_FALSE(may(world_.member(shop_, identity::Role::manager)));
  EXPECT_FALSE(may(world_.key_with(shop_, identity::Scope::payments)));
  EXPECT_FALSE(sees(world_.key_with(shop_, identity::Scope::read)));
}

TEST_F(DisputeAnswers, WhoseAnswerIsLostAreAskedAboutAndNotGivenTwice) {
  const auto dispute = open(world_.sell(shop_, 10'017));  // ends in 17: done, and no answer comes
  world_.transact([&](Tx& tx) { return disputes::submit(tx, shop_.owner, dispute.id); });
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::evidence_due);
  EXPECT_EQ(now(dispute).response, disputes::Stance::contest);
  const auto key = at_the_processor(dispute).answer_key;
  world_.advance(6s);
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::under_review);
  EXPECT_EQ(at_the_processor(dispute).answer_key, key);
  EXPECT_EQ(decide(dispute).state, State::won);
}

// Its first answer comes when the next one is under way already, and does not say what it is about.
struct Late final : Relay {
  using Relay::Relay;
  asio::awaitable<Outcome> respond_dispute(const processors::DisputeAnswer& call) override {
    if (const auto meanwhile = std::exchange(between, {})) meanwhile(call.key);
    co_return Outcome{processors::Verdict::declined, call.reference, "no_evidence", ""};
  }
  std::function<void(const std::string&)> between;
};

TEST_F(DisputeAnswers, ThatComeLateAreNotTakenForTheNextOne) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  auto made = std::make_unique<Late>(world_.registry.get("sandbox"));
  made->between = [&](const std::string& key) {
    world_.transact([&](Tx& tx) {
      disputes::settle_response(tx, shop_.merchant, dispute.id,
                                {processors::Verdict::declined, "", "no_evidence", "", key},
                                world_.payment_rules);
    });
    world_.transact([&](Tx& tx) { disputes::submit(tx, shop_.owner, dispute.id); });
  };
  processors::Registry registry;
  registry.add(std::move(made));
  world_.transact([&](Tx& tx) { disputes::submit(tx, shop_.owner, dispute.id); });
  EXPECT_EQ(code_of([&] {
              run(disputes::respond(world_.db, registry, shop_.merchant, dispute.id,
                                    world_.payment_rules));
            }),
            Code::busy)
      << "the next answer is under way";
  const auto attempt = world_.transact(
      [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, dispute.id.uuid, 10s); });
  EXPECT_EQ(attempt.state, attempts::State::sent);
  EXPECT_EQ(now(dispute).response, disputes::Stance::contest);
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::under_review);
}

TEST_F(DisputeAnswers, ToWhatTheBankHasDecidedAreStillFoundOutAbout) {
  const auto attempt_of = [&](const disputes::Dispute& dispute) {
    return world_.transact(
        [&](Tx& tx) { return attempts::lock_latest(tx, shop_.merchant, dispute.id.uuid, 10s); });
  };
  const auto lost = open(world_.sell(shop_, 10'017));
  world_.transact([&](Tx& tx) { disputes::submit(tx, shop_.owner, lost.id); });
  world_.run_jobs();
  EXPECT_EQ(attempt_of(lost).state, attempts::State::unknown);
  hear(news_of(at_the_processor(lost), State::lost));
  const auto unsent = open(world_.sell(shop_, 10'000));
  world_.transact([&](Tx& tx) { disputes::submit(tx, shop_.owner, unsent.id); });
  hear(news_of(at_the_processor(unsent), State::lost));
  world_.advance(6s);
  world_.run_jobs();
  EXPECT_EQ(attempt_of(lost).state, attempts::State::succeeded);
  EXPECT_EQ(attempt_of(unsent).state, attempts::State::failed);
  EXPECT_EQ(attempt_of(unsent).reason, "not_wanted");
  EXPECT_FALSE(at_the_processor(unsent).answer_key) << "it was not sent";
  EXPECT_EQ(now(lost).state, State::lost);
  EXPECT_EQ(now(unsent).state, State::lost);
}

// ---- time ---------------------------------------------------------------------------------------

TEST_F(DisputeAnswers, AreSubmittedByThemselvesBeforeItIsTooLate) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  add(dispute, {{"text", "As far as I got."}});
  world_.advance(7 * 24h - 3h);
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::evidence_due);
  world_.advance(90min);
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::under_review);
  EXPECT_NE(evidence(dispute).document.find("As far as I got."), std::string::npos);
  EXPECT_EQ(decide(dispute).state, State::won) << "silence does not lose";
}

TEST_F(DisputeAnswers, ThatNeverCameLoseAtTheDeadline) {
  const auto order = world_.sell(shop_, 10'000);
  sent(order);
  const auto dispute = open(order);
  world_.advance(7 * 24h + 1s);
  run(world_.sandbox.decide_disputes());
  hear_webhooks();
  EXPECT_EQ(now(dispute).state, State::lost);
  EXPECT_EQ(code_of([&] { submit(dispute); }), Code::conflict);
  EXPECT_EQ(balance(Kind::dispute_reserve), 0);
}

TEST_F(DisputeAnswers, ThatTheProcessorDoesNotTakeCanBeGivenAgain) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  // The bank has closed its books, and its news is on its way.
  world_.advance(7 * 24h + 1s);
  world_.transact([&](Tx& tx) { return disputes::submit(tx, shop_.owner, dispute.id); });
  world_.run_jobs();
  EXPECT_EQ(now(dispute).state, State::evidence_due);
  EXPECT_EQ(now(dispute).failure, "too_late");
  EXPECT_FALSE(now(dispute).response);
  run(world_.sandbox.decide_disputes());
  hear_webhooks();
  EXPECT_EQ(now(dispute).state, State::lost);
}

TEST_F(DisputeAnswers, AreRemindedOfTwoDaysBeforeAndTheBuyerDoesNotHear) {
  const auto dispute = open(world_.sell(shop_, 10'000));
  const auto reminders = [&] {
    std::vector<Notice> found;
    for (const auto& notice : world_.notices)
      if (notice.text.find("dispute.reminder") != std::string::npos) found.push_back(notice);
    return found;
  };
  world_.advance(5 * 24h - 1h);
  world_.run_jobs();
  EXPECT_TRUE(reminders().empty());
  world_.advance(2h);
  world_.run_jobs();
  ASSERT_EQ(reminders().size(), 1u);
  EXPECT_EQ(reminders()[0].topics,
            std::vector<std::string>{identity::merchant_topic(shop_.merchant)});
  EXPECT_NE(reminders()[0].text.find(text_of(dispute.id)), std::string::npos);
  world_.run_jobs();
  EXPECT_EQ(reminders().size(), 1u);
}

// The refund for the part that was never sent has failed, and the buyer gets it from the bank.
TEST_F(DisputeAnswers, ThatGiveUpPayForWhatWasNotSent) {
  const auto order = sell_pieces(world_, shop_, {{1, 6'000}, {1, 5'013}});
  send_part(world_, shop_, order, 0, 1);
  const auto closing = from_json<payments::NewClosing>({{"reason", "out of stock"}});
  const auto payout = world_
                          .transact([&](Tx& tx) {
                            return payments::close_rest(tx, shop_.owner, order.id, closing,
                                                        world_.payment_rules, world_.payout_rules);
                          })
                          .payout.value();
  hear_webhooks();
  EXPECT_EQ(now(payout).reason, "what was not sent has not been refunded");
  const auto dispute = open(order, 5'013);
  EXPECT_EQ(now(payout).state, payouts::State::held);
  EXPECT_EQ(accept(dispute).state, State::lost);
  EXPECT_EQ(now(payout).state, payouts::State::scheduled);
}

}  // namespace disputes_answers_test
}  // namespace bottega::test
