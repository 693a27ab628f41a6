// Rows of attachments: who may have what uploaded, what a message takes, and what is removed when.
#include "bottega/attachments/attachments.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <future>
#include <thread>

#include "support/media.hpp"
#include "support/world.hpp"
#include "bottega/attachments/intake.hpp"
#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/writer.hpp"

namespace bottega::test {
namespace attachments_test {

namespace fs = std::filesystem;
using namespace attachments;
using namespace std::chrono_literals;

class Attachments : public testing::Test {
 protected:
  Attachments() : shop(world.shop()) {}

  Place place(const identity::Who& who) const {
    return {shop.merchant, shop.conversation, who.account};
  }
  Stored begun(const identity::Who& who, std::int64_t bytes = 1'000) {
    return world.transact(
        [&](Tx& tx) { return attachments::begin(tx, place(who), "a.txt", bytes, quotas); });
  }
  // As the gateway does it.
  Stored uploaded(const identity::Who& who, const std::string& bytes = "some text") {
    const auto row = begun(who, static_cast<std::int64_t>(bytes.size()));
    Facts facts;
    auto work = [&]() -> asio::awaitable<void> {
      Intake intake(world.depot, "");
      co_await intake.take(bytes);
      facts = co_await intake.finish();
      co_await intake.put(row.id);
    };
    run(work());
    facts.name = row.name;
    return world.transact([&](Tx& tx) { return finish(tx, shop.merchant, row.id, facts); });
  }
  std::vector<Description> taken(const identity::Who& who, std::vector<AttachmentId> ids) {
    return world.transact(
        [&](Tx& tx) { return take(tx, shop.merchant, shop.conversation, who.account, ids); });
  }
  Faults faults_of(const identity::Who& who, std::vector<AttachmentId> ids) {
    try {
      taken(who, std::move(ids));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid);
      return error.faults();
    }
    return {};
  }
  bool is_there(AttachmentId id) {
    return !code_of([&] { world.transact([&](Tx& tx) { fetch(tx, id); }); });
  }
  fs::path kept(AttachmentId id, Variant variant = Variant::original) const {
    return world.files.path() / "attachments" / "kept" / key_of(id, variant);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(world.files.path() / "attachments"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
  std::string total() const {
    return execute(world.urls.superuser,
                   "SELECT coalesce(sum(bytes), 0) FROM bottega.attachment_totals");
  }

  World world;
  Shop shop;
  Quotas quotas{10'000, 50'000, 24h};
};

TEST_F(Attachments, AnUploadIsReadyAndThenInOneMessage) {
  const auto file = uploaded(shop.buyer);
  EXPECT_EQ(file.state, State::ready);
  EXPECT_EQ(file.media_type, "text/plain");
  EXPECT_EQ(file.bytes, 9);
  EXPECT_TRUE(fs::exists(kept(file.id)));
  const auto descriptions = taken(shop.buyer, {file.id});
  ASSERT_EQ(descriptions.size(), 1u);
  EXPECT_EQ(to_json(descriptions[0]), (Json{{"id", text_of(file.id)},
                                            {"kind", "document"},
                                            {"media_type", "text/plain"},
                                            {"name", "a.txt"},
                                            {"bytes", 9},
                                            {"width", nullptr},
                                            {"height", nullptr}}));
  EXPECT_EQ(world.transact([&](Tx& tx) { return fetch(tx, file.id); }).state, State::attached);
  EXPECT_EQ(faults_of(shop.buyer, {file.id}).size(), 1u) << "once only";
}

TEST_F(Attachments, AnImageHasItsSizeAndAThumbnail) {
  const auto image = uploaded(shop.buyer, jpeg_with(exif_of_a_camera(6)));
  EXPECT_EQ(image.kind, Kind::image);
  EXPECT_EQ(image.width, 48) << "turned by its orientation";
  EXPECT_EQ(image.height, 64);
  EXPECT_TRUE(fs::exists(kept(image.id, Variant::thumbnail)));
  EXPECT_EQ(taken(shop.buyer, {image.id})[0].width, 48);
}

TEST_F(Attachments, OnlyOnesOwnReadyUploadsOfThisConversationAreTaken) {
  const auto mine = uploaded(shop.buyer), hers = uploaded(shop.owner);
  const auto pending = begun(shop.buyer);
  const auto nothing = AttachmentId::make();
  const auto faults = faults_of(shop.buyer, {mine.id, hers.id, pending.id, nothing, mine.id});
  std::vector<std::string> pointers;
  for (const auto& fault : faults) pointers.push_back(fault.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{"/attachments/1", "/attachments/2",
                                                "/attachments/3", "/attachments/4"}));
  const auto other = world.shop();
  EXPECT_EQ(code_of([&] {
              world.transact([&](Tx& tx) {
                const std::array ids{mine.id};
                take(tx, other.merchant, other.conversation, shop.buyer.account, ids);
              });
            }),
            Code::invalid);
  EXPECT_EQ(taken(shop.buyer, {mine.id}).size(), 1u) << "the refusals have changed nothing";
}

TEST_F(Attachments, AMessageTakesNoMoreThanTenAndKeepsTheirOrder) {
  std::vector<AttachmentId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(uploaded(shop.buyer).id);
  std::ranges::reverse(ids);
  auto more = ids;
  more.push_back(uploaded(shop.buyer).id);
  EXPECT_EQ(faults_of(shop.buyer, more), (Faults{{"/attachments", "at most 10"}}));
  const auto descriptions = taken(shop.buyer, ids);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(descriptions[i].id, ids[i]);
  EXPECT_TRUE(taken(shop.buyer, {}).empty());
}

TEST_F(Attachments, BeforeItIsInAMessageOnlyItsUploaderSeesIt) {
  auto file = uploaded(shop.buyer);
  EXPECT_TRUE(is_visible_to(file, shop.buyer.account));
  EXPECT_FALSE(is_visible_to(file, shop.owner.account));
  taken(shop.buyer, {file.id});
  file = world.transact([&](Tx& tx) { return fetch(tx, file.id); });
  EXPECT_TRUE(is_visible_to(file, shop.owner.account));
  EXPECT_FALSE(is_there(begun(shop.buyer).id)) << "what is not all there yet is not there";
}

TEST_F(Attachments, AnAccountMayUploadSoMuchInADay) {
  begun(shop.buyer, 6'000);
  EXPECT_EQ(code_of([&] { begun(shop.buyer, 4'001); }), Code::rate_limited);
  begun(shop.buyer, 4'000);
  EXPECT_EQ(code_of([&] { begun(shop.buyer, 1); }), Code::rate_limited);
  EXPECT_NO_THROW(begun(shop.owner, 10'000)) << "others are not counted";
  world.advance(25h);
  EXPECT_NO_THROW(begun(shop.buyer, 10'000));
}

TEST_F(Attachments, WhatCameToNothingIsNotCounted) {
  const auto row = begun(shop.buyer, 10'000);
  world.transact([&](Tx& tx) { discard(tx, shop.merchant, row.id); });
  EXPECT_NO_THROW(begun(shop.buyer, 10'000));
}

TEST_F(Attachments, AllTogetherMayTakeSoMuch) {
  quotas.per_account_bytes_per_day = 100'000;
  quotas.total_bytes = 30'000;
  begun(shop.buyer, 20'000);
  EXPECT_EQ(total(), "20000");
  EXPECT_EQ(code_of([&] { begun(shop.owner, 10'001); }), Code::storage_full);
  EXPECT_NO_THROW(begun(shop.owner, 10'000));
}

TEST_F(Attachments, ConcurrentUploadsOfOneAccountDoNotPassItsQuota) {
  std::atomic<int> let_in = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      if (!code_of([&] { begun(shop.buyer, 3'000); })) ++let_in;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(let_in, 3);
  EXPECT_EQ(total(), "9000");
}

TEST_F(Attachments, AreInOneMessageOnlyWhereTwoTakeThemConcurrently) {
  const auto file = uploaded(shop.buyer);
  std::atomic<int> took = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      if (!code_of([&] { taken(shop.buyer, {file.id}); })) ++took;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(took, 1);
}

TEST_F(Attachments, WhatIsInNoMessageIsRemovedAfterADay) {
  const auto lost = uploaded(shop.buyer, a_jpeg()), used = uploaded(shop.buyer);
  const auto pending = begun(shop.buyer);
  taken(shop.buyer, {used.id});
  EXPECT_EQ(files(), 3u);
  world.advance(23h);
  world.run_jobs();
  EXPECT_EQ(files(), 3u);
  world.advance(2h);
  EXPECT_EQ(world.run_jobs(), 2);
  EXPECT_EQ(files(), 1u);
  EXPECT_FALSE(is_there(lost.id));
  EXPECT_TRUE(is_there(used.id));
  EXPECT_EQ(total(), std::to_string(used.bytes)) << "no row is left of the others";
  EXPECT_EQ(code_of([&] {
              world.transact([&](Tx& tx) { finish(tx, shop.merchant, pending.id, Facts{}); });
            }),
            Code::conflict);
  const auto listed =
      execute(world.urls.superuser, "SELECT count(*) FROM bottega.directory WHERE id = '" +
                                        uuid_text(lost.id.uuid) + "'");
  EXPECT_EQ(listed, "0");
}

TEST_F(Attachments, ARemovalThatWasInterruptedIsDoneByTheNextTry) {
  const auto lost = uploaded(shop.buyer, a_jpeg());
  // As a server leaves it that is killed between the steps.
  EXPECT_TRUE(world.transact([&](Tx& tx) { return condemn(tx, shop.merchant, lost.id); }));
  fs::remove(kept(lost.id, Variant::thumbnail));
  world.advance(25h);
  EXPECT_EQ(world.run_jobs(), 1);
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(total(), "0");
  run(attachments::clear(world.db, world.depot, shop.merchant, lost.id));
}

TEST_F(Attachments, WhatAConversationHasCanBeRemovedForGood) {
  const auto used = uploaded(shop.buyer, a_jpeg()), ready = uploaded(shop.owner);
  const auto other_shop = world.shop();
  taken(shop.buyer, {used.id});
  const auto remove = [&] {
    return world.transact(
        [&](Tx& tx) { return remove_of_conversation(tx, shop.merchant, shop.conversation); });
  };
  EXPECT_EQ(remove(), 2u);
  EXPECT_EQ(remove(), 0u);
  EXPECT_FALSE(is_there(used.id)) << "at once, before the bytes are gone";
  EXPECT_EQ(world.run_jobs(), 2);
  EXPECT_EQ(files(), 0u);
  EXPECT_FALSE(is_there(ready.id));
}

TEST_F(Attachments, WhatAPersonHasUploadedCanBeRemovedForGood) {
  const auto mine = uploaded(shop.buyer), hers = uploaded(shop.owner);
  taken(shop.buyer, {mine.id});
  taken(shop.owner, {hers.id});
  EXPECT_EQ(world.transact([&](Tx& tx) { return remove_of_person(tx, shop.buyer.account); }), 1u);
  world.run_jobs();
  EXPECT_FALSE(is_there(mine.id));
  EXPECT_TRUE(is_there(hers.id));
  EXPECT_EQ(files(), 1u);
}

TEST_F(Attachments, AnUploadThatIsLeftInTheMiddleLeavesNoFile) {
  {
    Intake intake(world.depot, "text/plain");
    run(intake.take(a_text(100'000)));
    EXPECT_EQ(files(), 1u);
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(Attachments, FilesThatADeadServerHasLeftAreSwept) {
  const auto old = world.depot.spool_file(), fresh = world.depot.spool_file();
  for (const auto& path : {old, fresh}) std::ofstream(path) << "left";
  fs::last_write_time(old, fs::file_time_type::clock::now() - 25h);
  run(world.depot.sweep());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
}

TEST_F(Attachments, TheSecretOfLinksIsMadeOnceForAllNodes) {
  const auto ask = [&] {
    return world.transact([](Tx& tx) { return shared_url_secret(tx); }).reveal();
  };
  const auto secret = ask();
  EXPECT_GE(secret.size(), 40u);
  EXPECT_EQ(ask(), secret);
}

// ---- in messages --------------------------------------------------------------------------------

class MessagesWithFiles : public Attachments {
 protected:
  static conversations::NewMessage message(const std::string& text,
                                           const std::vector<AttachmentId>& ids,
                                           const std::string& client_id = "") {
    Json given = Json::object();
    if (!text.empty()) given["text"] = text;
    if (!ids.empty()) given["attachments"] = to_json(ids);
    if (!client_id.empty()) given["client_id"] = client_id;
    return from_json<conversations::NewMessage>(given);
  }
  conversations::Event sent(const conversations::NewMessage& given) {
    return world.transact(
        [&](Tx& tx) { return conversations::send(tx, shop.buyer, shop.conversation, given); });
  }
};

TEST_F(MessagesWithFiles, DescribeThemInTheLog) {
  const auto file = uploaded(shop.buyer);
  const auto event = sent(message("", {file.id}, "c1"));
  EXPECT_EQ(event.data["attachments"][0]["id"], text_of(file.id));
  EXPECT_EQ(event.data["fallback"], "File: a.txt");
  EXPECT_FALSE(event.data.contains("text"));
  EXPECT_EQ(sent(message("", {file.id}, "c1")).seq, event.seq) << "a retry takes nothing twice";
  EXPECT_EQ(code_of([&] { sent(message("Hm", {file.id}, "c1")); }), Code::conflict);
  EXPECT_EQ(code_of([&] { sent(message("", {file.id})); }), Code::invalid) << "it is taken";
  EXPECT_EQ(code_of([&] { message("", {}); }), Code::invalid);
}

TEST_F(MessagesWithFiles, KeepTheirPlaceAmongTheOthersOfABatch) {
  const auto file = uploaded(shop.buyer);
  conversations::Writer writer(world.chat_db, 64, 100);
  std::vector<std::promise<conversations::Sent>> done(5);
  const std::vector<conversations::NewMessage> given = {message("1", {}), message("2", {}),
                                                        message("3", {file.id}), message("4", {}),
                                                        message("5", {})};
  for (std::size_t i = 0; i < given.size(); ++i)
    writer.send(shop.buyer, shop.conversation, given[i],
                [&, i](conversations::Sent sent) { done[i].set_value(std::move(sent)); });
  for (std::size_t i = 0; i < done.size(); ++i) {
    const auto sent = done[i].get_future().get();
    ASSERT_FALSE(sent.failure);
    EXPECT_EQ(Json::parse(*sent.frame)["seq"], i + 1);
  }
}

TEST_F(MessagesWithFiles, TakeThemAlongWhenTheyAreDeleted) {
  const auto file = uploaded(shop.buyer);
  const auto event = sent(message("My passport", {file.id}));
  world.transact([&](Tx& tx) {
    return conversations::remove(tx, shop.buyer, shop.conversation, event.seq, 1h);
  });
  EXPECT_FALSE(is_there(file.id));
  world.run_jobs();
  EXPECT_FALSE(fs::exists(kept(file.id)));
}

}  // namespace attachments_test
}  // namespace bottega::test
