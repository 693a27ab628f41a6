// The frame that is put together by hand is the document that the described parts give.
#include <gtest/gtest.h>

#include "conversations/rows.hpp"

namespace bottega::test {
namespace conversations_frame_test {

using namespace conversations;

EntryRow an_entry(const std::string& text) {
  EntryRow row;
  row.event = "message.created";
  row.conversation_id = ConversationId::make();
  row.seq = 42;
  row.id = EntryId::make();
  row.author = Author::buyer;
  row.data = {{"text", text}};
  row.at = *parse_instant("2026-03-01T12:00:00.000001Z");
  return row;
}

void expect_same(const EntryRow& row) {
  EXPECT_EQ(Json::parse(frame_text(row, row.data.dump())), to_frame(event_of(row)));
}

TEST(Frame, IsTheSameDocumentWithAndWithoutWhatIsOptional) {
  auto row = an_entry("Is the lamp there?");
  expect_same(row);
  row.author_id = AccountId::make();
  expect_same(row);
  row.data["client_id"] = "c-1:2.3_4";
  expect_same(row);
  row.data = Json::object();
  expect_same(row);
}

TEST(Frame, EscapesWhatSomebodyWrote) {
  for (const auto* text : {"\"quotes\" and \\", "line\nbreak\ttab", "\x01 control",
                           "größe 🙂 \u2028", "</script>", "{\"seq\":1}"})
    expect_same(an_entry(text));
}

}  // namespace conversations_frame_test
}  // namespace bottega::test
