// What a node remembers of where it has written, for the search.
#include <gtest/gtest.h>

#include "bottega/conversations/search.hpp"

namespace bottega::test {
namespace conversations_written_test {

using conversations::ConversationId;
using conversations::Written;

TEST(Written, IsAllFromTheFirstLookOnUntilThereIsADoubt) {
  Written written;
  EXPECT_FALSE(written.take().is_all) << "nothing is known of what was written before the start";
  const auto id = ConversationId::make();
  written.note(text_of(id));
  written.note(text_of(id));
  const auto noted = written.take();
  EXPECT_TRUE(noted.is_all);
  EXPECT_EQ(noted.list, std::vector{id});
  EXPECT_TRUE(written.take().list.empty());
  written.doubt();
  EXPECT_FALSE(written.take().is_all);
  EXPECT_TRUE(written.take().is_all);
}

TEST(Written, IsInDoubtWhereThereWasTooMuchToRemember) {
  Written written;
  written.take();
  for (int i = 0; i < 100'001; ++i) written.note("conv_" + std::to_string(i));
  EXPECT_FALSE(written.take().is_all);
}

}  // namespace conversations_written_test
}  // namespace bottega::test
