#pragma once
// Files in conversations of a World, uploaded as the gateway does it.
#include "support/world.hpp"
#include "bottega/attachments/intake.hpp"

namespace bottega::test {

inline attachments::AttachmentId upload(World& world, const Shop& shop, const identity::Who& who,
                                        const std::string& bytes) {
  const attachments::Place place{shop.merchant, shop.conversation, who.account};
  const auto row = world.transact([&](Tx& tx) {
    return attachments::begin(tx, place, "a.txt", static_cast<std::int64_t>(bytes.size()),
                              world.depot.quotas());
  });
  attachments::Facts facts;
  auto work = [&]() -> asio::awaitable<void> {
    attachments::Intake intake(world.depot, "");
    co_await intake.take(bytes);
    facts = co_await intake.finish();
    co_await intake.put(row.id);
  };
  run(work());
  facts.name = row.name;
  world.transact([&](Tx& tx) { return attachments::finish(tx, shop.merchant, row.id, facts); });
  return row.id;
}

// Files of the store and of uploads on their way.
inline std::size_t files_in(const World& world) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(world.files.path() / "attachments"))
    count += entry.is_regular_file() ? 1 : 0;
  return count;
}

}  // namespace bottega::test
