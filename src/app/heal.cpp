#include "app/heal.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace bottega {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto kRarely = seconds(10);
// A node that fell silent may be cut off, and write on, for longer than this; then it is rarely.
constexpr auto kDoubt = seconds(60);
// Fresh entries are on their way through the bus: what is younger is left to the next round.
constexpr auto kFresh = seconds(1);
constexpr auto kAskAgain = seconds(60);
// However much doubt there is, the database and the listeners are not asked more often than this.
constexpr auto kLookPause = std::chrono::milliseconds(200);
constexpr auto kAskPause = seconds(5);
constexpr std::int64_t kPage = 500;
constexpr int kPagesPerRun = 10;

}  // namespace

void Healer::doubt(bus::Doubt why) {
  const auto lasts = why == bus::Doubt::silent ? kDoubt : kSlack;
  const auto until = (steady_clock::now() + lasts).time_since_epoch().count();
  auto known = doubtful_until_.load();
  while (known < until && !doubtful_until_.compare_exchange_weak(known, until)) {}
  is_asked_for_ = true;
}

bool Healer::is_in_doubt(Time now) const {
  return !app_.traffic->connected || now.time_since_epoch().count() < doubtful_until_.load();
}

asio::awaitable<void> Healer::run() {
  const auto now = steady_clock::now();
  ask_sockets(now);
  const auto pause = began_ || is_in_doubt(now) ? steady_clock::duration(kLookPause) : kRarely;
  if (now - looked_at_ < pause) co_return;
  looked_at_ = now;
  co_await look();
}

// Every round begins where the one before began, less the slack: whatever was committed has been
// in a round that began after it. One that is not done goes on in the next run.
asio::awaitable<void> Healer::look() {
  if (!began_) {
    began_ = app_.clock.now();
    const bool all = is_in_doubt(steady_clock::now());
    span_ = {from_, all ? *began_ + kDoubt : *began_ - kFresh, {}, {}};
  }
  for (int page = 0; page < kPagesPerRun; ++page) {
    const auto moved =
        co_await app_.db.read([&](Tx& tx) { return conversations::moved_in(tx, span_, kPage); });
    for (const auto& one : moved) {
      auto notice = conversations::notice_of(one);
      app_.hub.publish(notice.topics, std::make_shared<const bus::Event>(bus::Event{
                                          std::move(notice.stream), notice.position, ""}));
    }
    if (moved.size() < static_cast<std::size_t>(kPage)) {
      from_ = *began_ - kSlack;
      began_.reset();
      co_return;
    }
    span_.after_at = moved.back().at;
    span_.after_id = moved.back().id;
  }
}

// The end of a session and a change of membership are in no log: listeners ask for themselves, each
// at a moment of its own, once the bus is back and now and then while it is not.
void Healer::ask_sockets(Time now) {
  const bool again = !app_.traffic->connected && now - asked_at_ >= kAskAgain;
  const bool once = app_.traffic->connected && is_asked_for_ && now - asked_at_ >= kAskPause;
  if (!again && !once) return;
  is_asked_for_ = false;
  asked_at_ = now;
  app_.tokens.clear();
  server_.check_all();
}

}  // namespace bottega
