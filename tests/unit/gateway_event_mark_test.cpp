// The ids of the event stream: what they say, and what is refused.
#include "gateway/event_mark.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace gateway_event_mark_test {

using namespace std::chrono_literals;
using conversations::ConversationId;
using gateway::kMarkPositionsMax;
using gateway::Mark;
using gateway::Trail;

constexpr const char* kActor = "person:usr_1";
const Instant kNoon = *parse_instant("2026-03-01T12:00:00.000001Z");

Mark a_mark(std::size_t positions) {
  Mark mark{kNoon, {}};
  for (std::size_t i = 0; i < positions; ++i)
    mark.positions[ConversationId::make()] = static_cast<std::int64_t>(i);
  return mark;
}

TEST(EventMark, ReadsBackTheSame) {
  for (const std::size_t positions : {std::size_t{0}, std::size_t{1}, kMarkPositionsMax}) {
    const auto mark = a_mark(positions);
    const auto text = gateway::mark_text(mark, kActor);
    EXPECT_EQ(gateway::read_mark(text, kActor), mark);
    EXPECT_LT(text.size(), 4'000u) << "it fits into a header";
  }
}

TEST(EventMark, IsRefusedWhereItIsNoneOfThisStream) {
  const auto id = text_of(ConversationId::make());
  const auto sealed = [](const std::string& rest) {
    const auto seal = from_base64url(gateway::mark_text({kNoon, {}}, kActor))->substr(0, 8);
    return base64url(seal + rest);
  };
  const std::string noon = text_of(kNoon);
  EXPECT_EQ(gateway::read_mark(sealed(noon), kActor).since, kNoon);
  std::string many = noon;
  for (std::size_t i = 0; i <= kMarkPositionsMax; ++i)
    many += ' ' + text_of(ConversationId::make()) + ":1";
  for (const auto& text :
       {std::string(""), std::string("!"), gateway::mark_text({kNoon, {}}, "person:usr_2"),
        sealed(""), sealed("yesterday"), sealed(noon + ' ' + id), sealed(noon + ' ' + id + ":-1"),
        sealed(noon + ' ' + id + ":x"), sealed(noon + " :1"), sealed(noon + "  " + id + ":1"),
        sealed(noon + ' ' + id + ":1 " + id + ":2"), sealed(many), std::string(9'000, 'A')})
    EXPECT_EQ(code_of([&] { gateway::read_mark(text, kActor); }), Code::bad_cursor) << text;
}

TEST(EventTrail, NamesWhatWasSentSinceTheTimeThatIsSettled) {
  const auto early = ConversationId::make(), late = ConversationId::make();
  Trail progress({kNoon, {}});
  progress.sent(early, 1, kNoon + 1s);
  progress.sent(late, 7, kNoon + 50s);
  progress.sent(early, 2, kNoon + 2s);
  EXPECT_EQ(progress.mark(), (Mark{kNoon, {{early, 2}, {late, 7}}}));
  progress.settled(kNoon - 10s);
  EXPECT_EQ(progress.mark().since, kNoon) << "time does not go back";
  progress.settled(kNoon + 2s);
  EXPECT_EQ(progress.mark().positions.size(), 2u) << "what is at that very time is not before it";
  progress.settled(kNoon + 10s);
  EXPECT_EQ(progress.mark(), (Mark{kNoon + 10s, {{late, 7}}}));
}

TEST(EventTrail, ForgetsTheOldestWhereTooManyAreBusyAtOnce) {
  Trail progress({kNoon, {}});
  const auto oldest = ConversationId::make();
  progress.sent(oldest, 1, kNoon);
  for (std::size_t i = 0; i < kMarkPositionsMax; ++i)
    progress.sent(ConversationId::make(), 1, kNoon + 1s);
  EXPECT_EQ(progress.mark().positions.size(), kMarkPositionsMax);
  EXPECT_FALSE(progress.mark().positions.contains(oldest));
  EXPECT_EQ(progress.mark().since, kNoon) << "so nothing of it can be missed";
}

}  // namespace gateway_event_mark_test
}  // namespace bottega::test
