#pragma once
// The driver of the tests that try every pair of state and event of a machine over HTTP. What is
// right comes from the product's own table; the tests say how a thing gets into a state and how an
// event comes. At the end each pair was tried, or is named with the reason why it cannot be.
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "http/story.hpp"
#include "bottega/core/machine.hpp"

namespace bottega::test {

// A server of its own, whose clock is moved, with a shop and everybody signed in as of now. It
// takes what the test signs in the processor's name.
struct Stage {
  explicit Stage(std::vector<std::string> settings = {});

  // Moves the clock and signs everybody in again.
  void advance(std::int64_t hours);
  // Does what is due until nothing is: what has failed is due again later.
  void settle();
  // News of the processor, with an id of its own.
  Answer tell(Json event);
  // The key by which the processor knows the newest call for a payment, refund, batch or top-up.
  std::string key_of(const std::string& id) const;
  std::string conversation() const { return front.path(); }

  House house;
  Storefront front;
  Client admin;
};

// What the processor says about a call.
Json news_of(const std::string& operation, const std::string& key, const std::string& verdict,
             const std::string& reason = "");

// What is looked at. Where it tells a conversation, no entry about it may be new either.
struct Thing {
  const Client* who;  // sees it, signed in as of now
  std::string path;
  std::string log;               // the path of its conversation
  std::string state = "/state";  // where the state is
  std::string also = {};         // the path of what may not change with it

  Json look() const { return look_at(path); }
  Json look_at(const std::string& at) const;
  std::string state_in(const Json& looked) const;
  std::string id() const { return path.substr(path.rfind('/') + 1); }
  std::int64_t last_seq() const;
  // What its conversation has said about it since.
  std::vector<std::string> told_since(std::int64_t seq) const;
};

// Who hears a refusal: the caller of the thing's own route, with 409; nobody, where the event comes
// by the processor's news, by time, or by what is done to another thing.
enum class Asked : std::uint8_t { directly, elsewhere };

struct Before {
  Thing thing;
  Json looked, also;
  std::int64_t seq = 0;
};
Before before(const Thing& thing);
void expect_the_same(const Before& was, const std::string& name);
void expect_conflict(const Before& was, const Answer& answer, const std::string& name);

template <class E>
std::vector<E> all_of() {
  std::vector<E> all;
  Form<E>::each([&](const char* name) { all.push_back(from_text<E>(name)); });
  return all;
}

template <const auto& machine>
class Walk {
 public:
  using State = std::remove_cvref_t<decltype(machine.edges[0].from)>;
  using Event = std::remove_cvref_t<decltype(machine.edges[0].on)>;
  using Act = std::function<Answer()>;

  struct Try {
    State from{};
    Event on{};
    Asked asked{};
    Before was;
  };

  // `settle` waits until what comes by itself has come.
  explicit Walk(std::function<void()> settle) : settle_(std::move(settle)) {}

  Try begin(State from, Event on, Asked asked, const Thing& thing) {
    Try one{from, on, asked, before(thing)};
    EXPECT_EQ(thing.state_in(one.was.looked), text_of(from)) << name_of(one);
    tried_.insert({from, on});
    return one;
  }

  // `then`: the events by which the product itself goes on at once.
  void end(const Try& one, const Answer& answer, const std::vector<Event>& then = {}) {
    const auto name = name_of(one);
    const auto to = machine.next(one.from, one.on);
    if (!to && one.asked == Asked::directly) return expect_conflict(one.was, answer, name);
    EXPECT_EQ(answer.status / 100, 2) << name << ' ' << answer.body;
    if (one.asked == Asked::elsewhere) settle_();
    if (!to) return expect_the_same(one.was, name);
    std::set<std::string> ends{text_of(*to)};
    auto last = *to;
    for (const auto on : then) {
      last = machine.next(last, on).value_or(last);
      ends.insert(text_of(last));
    }
    std::string now;
    const auto& thing = one.was.thing;
    EXPECT_TRUE(soon([&] { return ends.contains(now = thing.state_in(thing.look())); }))
        << name << " came to " << now << " and not to " << text_of(*to);
  }

  void tries(State from, Event on, Asked asked, const Thing& thing, const Act& act,
             const std::vector<Event>& then = {}) {
    const auto one = begin(from, on, asked, thing);
    end(one, act(), then);
  }

  // What no call can bring about; none of them means all.
  void leave_out(std::vector<State> states, std::vector<Event> events, const std::string& why) {
    EXPECT_FALSE(why.empty());
    if (states.empty()) states = all_of<State>();
    if (events.empty()) events = all_of<Event>();
    for (const auto state : states)
      for (const auto event : events) left_out_.insert({state, event});
  }

  // A new state or event fails here until somebody tries it.
  void expect_whole() const {
    for (const auto state : all_of<State>())
      for (const auto event : all_of<Event>()) {
        const bool tried = tried_.contains({state, event});
        EXPECT_NE(tried, left_out_.contains({state, event}))
            << text_of(event) + " on " + text_of(state)
            << (tried ? " was tried: it needs no excuse" : " was not tried");
      }
  }

 private:
  static std::string name_of(const Try& one) {
    return text_of(one.on) + " on " + text_of(one.from);
  }

  std::function<void()> settle_;
  std::set<std::pair<State, Event>> tried_, left_out_;
};

}  // namespace bottega::test
