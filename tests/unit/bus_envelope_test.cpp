// What travels between nodes: it comes out as it went in, and nothing else is ever believed.
#include <gtest/gtest.h>

#include <random>

#include "bus/envelope.hpp"
#include "bus/peers.hpp"

namespace bottega::bus {
namespace bus_envelope_test {

constexpr NodeId kNode = {'a', 'n', 'o', 'd', 'e'};

Event frame(const std::string& text = "{\"event\":\"message.created\"}",
            std::int64_t position = 7) {
  return {"conv_1", position, text};
}
std::string packed(const Event& event, const std::vector<std::string>& topics = {"usr_1", "mer_1"},
                   std::size_t most = 10'000) {
  return pack(topics, event, most);
}
std::string envelope(const std::string& events) { return open_envelope(kNode, 3) + events; }
bool is_believed(const Event& event) { return read_envelope(envelope(packed(event))).has_value(); }

TEST(BusEnvelope, ComesOutAsItWentIn) {
  const auto read = read_envelope(envelope(packed(frame("{\"text\":\"Größe 5 €\"}", INT64_MAX)) +
                                           packed(frame("end", 0)) +
                                           packed(frame("", 9), {std::string(kNameMax, 't')})));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->node, kNode);
  EXPECT_EQ(read->number, 3u);
  ASSERT_EQ(read->parcels.size(), 3u);
  EXPECT_EQ(read->parcels[0].topics, (std::vector<std::string>{"usr_1", "mer_1"}));
  EXPECT_EQ(read->parcels[0].event.stream, "conv_1");
  EXPECT_EQ(read->parcels[0].event.position, INT64_MAX);
  EXPECT_EQ(read->parcels[0].event.text, "{\"text\":\"Größe 5 €\"}");
  EXPECT_EQ(read->parcels[1].event.text, "end");
  EXPECT_EQ(read->parcels[2].topics, std::vector<std::string>{std::string(kNameMax, 't')});
  EXPECT_EQ(read->parcels[2].event.text, "");
}

TEST(BusEnvelope, MayHoldNothingButItsHead) {
  const auto read = read_envelope(envelope(""));
  ASSERT_TRUE(read);
  EXPECT_EQ(envelope("").size(), kHeadSize);
  EXPECT_TRUE(read->parcels.empty());
}

TEST(BusEnvelope, LeavesATextOutThatIsTooLongWhereTheLogHasIt) {
  const std::string large = "{\"text\":\"" + std::string(5'000, 'x') + "\"}";
  const auto durable = packed(frame(large), {"usr_1"}, 1'000);
  ASSERT_FALSE(durable.empty());
  EXPECT_LE(durable.size(), 1'000u);
  const auto read = read_envelope(envelope(durable));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parcels[0].event.text, "");
  EXPECT_EQ(read->parcels[0].event.position, 7);
  EXPECT_EQ(packed(frame(large, 0), {"usr_1"}, 1'000), "") << "a passing event is in no log";
}

TEST(BusEnvelope, DoesNotPackWhatBreaksItsBounds) {
  EXPECT_EQ(packed(frame(), {}), "");
  EXPECT_EQ(packed(frame(), std::vector<std::string>(kTopicsMax + 1, "t")), "");
  EXPECT_EQ(packed(frame(), {std::string(kNameMax + 1, 't')}), "");
  EXPECT_EQ(packed({std::string(kNameMax + 1, 's'), 1, "{}"}), "");
  EXPECT_EQ(packed(frame("{}", -1)), "");
}

TEST(BusEnvelope, IsNotBelievedWhereItIsCutOff) {
  const auto one = packed(frame());
  const auto whole = envelope(one + one);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const bool is_border = size == kHeadSize || size == kHeadSize + one.size();
    EXPECT_EQ(read_envelope(whole.substr(0, size)).has_value(), is_border) << size;
  }
  EXPECT_FALSE(read_envelope(whole + '\0'));
}

TEST(BusEnvelope, IsNotBelievedWhereAnEventIsShorterThanItsParts) {
  const auto whole = packed(frame("", 9)).substr(4);  // without its length
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::string length{0, 0, 0, static_cast<char>(size)};
    const auto read = read_envelope(envelope(length + whole.substr(0, size)));
    EXPECT_EQ(read.has_value(), size == whole.size()) << size;
  }
}

TEST(BusEnvelope, IsNotBelievedWhereItIsOfAnotherKind) {
  const auto good = envelope(packed(frame()));
  for (std::size_t i = 0; i < 5; ++i) {
    auto bad = good;
    ++bad[i];
    EXPECT_FALSE(read_envelope(bad)) << "byte " << i << " of the magic and the version";
  }
  EXPECT_FALSE(read_envelope(""));
  EXPECT_FALSE(read_envelope("{\"hello\":\"world\"}"));
  EXPECT_FALSE(read_envelope(good + std::string(kEnvelopeMax, '\0')));
}

TEST(BusEnvelope, TakesFramesAndItsOwnFewWordsOnly) {
  for (const auto& event : {frame(), frame("", 1), frame("end", 0), frame("join", 0)})
    EXPECT_TRUE(is_believed(event)) << event.text;
  for (const auto& event : {frame("", 0), frame("stop", 0), frame("end", 1), frame("hello", 0)})
    EXPECT_FALSE(is_believed(event)) << event.text << ' ' << event.position;
}

// RFC 3629, 3 and 10: a client must close a socket that sends it anything else.
TEST(BusEnvelope, TakesNothingThatIsNotUtf8) {
  for (const std::string bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3",
        "\xE2\x82", "\xF0\x9F\x98", "\xC3(", "\xE2\x28\xA1", "\xF0\x28\x8C\xBC"})
    EXPECT_FALSE(is_believed(frame("{" + bad + "}"))) << testing::PrintToString(bad);
  for (const std::string good : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                 "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_believed(frame("{" + good + "}"))) << testing::PrintToString(good);
  EXPECT_FALSE(is_believed(frame("{\xC3"))) << "at the very end";
}

TEST(BusEnvelope, SurvivesWhateverComes) {
  std::mt19937 random(7);
  const auto good = envelope(packed(frame()) + packed(frame("end", 0)));
  int believed = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 1 + round % 4; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto read = read_envelope(bytes);
    if (!read) continue;
    ++believed;
    for (const auto& parcel : read->parcels) {
      EXPECT_GE(parcel.event.position, 0);
      EXPECT_LE(parcel.topics.size(), kTopicsMax);
    }
  }
  EXPECT_GT(believed, 0) << "some changes only make another name or text";
}

// ---- the other nodes ----------------------------------------------------------------------------

class BusPeers : public testing::Test {
 protected:
  static Envelope with_events(std::uint64_t number, const NodeId& node = kNode) {
    return {node, number, {Parcel{{"t"}, frame()}}};
  }
  static Envelope beat(std::uint64_t number, const NodeId& node = kNode) {
    return {node, number, {}};
  }
  Peers::Time now{};
  Peers peers;
};

TEST_F(BusPeers, MissNothingInARowFromTheBeginning) {
  EXPECT_FALSE(peers.hear(beat(0), now));
  EXPECT_FALSE(peers.hear(with_events(1), now));
  EXPECT_FALSE(peers.hear(beat(1), now));
  EXPECT_FALSE(peers.hear(with_events(2), now));
  EXPECT_FALSE(peers.hear(with_events(2), now)) << "one that comes twice is no loss";
}

TEST_F(BusPeers, NoticeAGapOnce) {
  peers.hear(with_events(1), now);
  EXPECT_TRUE(peers.hear(with_events(3), now));
  EXPECT_FALSE(peers.hear(with_events(4), now));
}

TEST_F(BusPeers, NoticeTheLossOfTheLastMessageByTheNextBeat) {
  peers.hear(with_events(1), now);
  EXPECT_TRUE(peers.hear(beat(2), now));
  EXPECT_FALSE(peers.hear(beat(2), now));
}

TEST_F(BusPeers, CountEachNodeApart) {
  constexpr NodeId kOther = {'o'};
  peers.hear(with_events(1), now);
  EXPECT_FALSE(peers.hear(with_events(1, kOther), now));
  EXPECT_FALSE(peers.hear(with_events(2), now));
  EXPECT_TRUE(peers.hear(with_events(3, kOther), now));
}

TEST_F(BusPeers, KnowThatTheyCameLate) { EXPECT_TRUE(peers.hear(with_events(5), now)); }

TEST_F(BusPeers, NoticeOnceThatANodeHasFallenSilent) {
  peers.hear(beat(0), now);
  EXPECT_FALSE(peers.forget_silent(now + Peers::kSilence));
  EXPECT_TRUE(peers.forget_silent(now + Peers::kSilence + std::chrono::milliseconds(1)));
  EXPECT_FALSE(peers.forget_silent(now + 10 * Peers::kSilence));
}

TEST_F(BusPeers, DoNotGrowWithoutEndWhenSomebodyMakesThemUp) {
  for (std::size_t i = 0; i < 2 * Peers::kPeersMax; ++i) {
    NodeId node{};
    node[0] = static_cast<char>(i);
    node[1] = static_cast<char>(i >> 8);
    const bool missed = peers.hear(beat(0, node), now);
    EXPECT_EQ(missed, i >= Peers::kPeersMax);
  }
  EXPECT_EQ(peers.size(), Peers::kPeersMax);
}

}  // namespace bus_envelope_test
}  // namespace bottega::bus
