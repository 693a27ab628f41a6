// Two nodes' buses and a real NATS between them, which comes and goes.
#include <condition_variable>
#include <future>
#include <mutex>

#include "bus/nats.hpp"
#include "support/nats.hpp"
#include "support/world.hpp"

namespace bottega::test {
namespace bus_nats_test {

using bus::Doubt, bus::Parcel;
using std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(15);

// A node with an ear.
class Station {
 public:
  explicit Station(const std::string& urls, std::size_t queue_max_bytes = 1'000'000,
                   const std::string& subject = "test")
      : nats_(
            {Secret(urls), subject, queue_max_bytes},
            [this](Parcel parcel) {
              const std::lock_guard lock(mutex_);
              heard_.push_back(std::move(parcel));
              changed_.notify_all();
            },
            [this](Doubt why) {
              const std::lock_guard lock(mutex_);
              doubts_.push_back(why);
              changed_.notify_all();
            }) {
    nats_.start();
  }
  ~Station() { nats_.stop(steady_clock::now() + kPatience); }

  void say(std::int64_t position, const std::string& stream = "s", std::size_t size = 2) {
    const Parcel parcel{{"topic"}, {stream, position, '{' + std::string(size - 2, ' ') + '}'}};
    nats_.send({&parcel, 1});
  }
  void say(std::span<const Parcel> parcels) { nats_.send(parcels); }
  // Waits until that many have been heard.
  std::vector<Parcel> heard(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return heard_.size() >= count; });
    return heard_;
  }
  // Waits until this was said that many times in all; false where it was not.
  bool doubted(Doubt why, std::ptrdiff_t count = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience,
                             [&] { return std::ranges::count(doubts_, why) >= count; });
  }
  std::ptrdiff_t count(Doubt why) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(doubts_, why);
  }
  const bus::Traffic& traffic() const { return nats_.traffic(); }
  void stop(steady_clock::time_point latest) { nats_.stop(latest); }

 private:
  std::mutex mutex_;  // owns heard_ and doubts_
  std::condition_variable changed_;
  std::vector<Parcel> heard_;
  std::vector<Doubt> doubts_;
  bus::Nats nats_;
};

void join(Station& station) { ASSERT_TRUE(station.doubted(Doubt::joined)); }

TEST(BusNats, CarriesEventsToTheOtherNodeInOrderAndNotBackToItself) {
  NatsServer nats;
  Station here(nats.url()), there(nats.url());
  join(here);
  join(there);
  for (std::int64_t i = 1; i <= 300; ++i) here.say(i);
  const auto heard = there.heard(300);
  ASSERT_EQ(heard.size(), 300u);
  for (std::size_t i = 0; i < heard.size(); ++i)
    ASSERT_EQ(heard[i].event.position, static_cast<std::int64_t>(i + 1));
  EXPECT_EQ(heard[0].topics, std::vector<std::string>{"topic"});
  EXPECT_EQ(heard[0].event.stream, "s");
  EXPECT_EQ(heard[0].event.text, "{}");
  there.say(1);
  EXPECT_EQ(here.heard(1).size(), 1u) << "what is its own does not come back";
  EXPECT_EQ(here.traffic().published, 300u);
  EXPECT_EQ(there.traffic().received, 300u);
  EXPECT_EQ(here.traffic().dropped, 0u);
  EXPECT_TRUE(here.traffic().connected);
}

TEST(BusNats, KeepsEachSendersOrderWhenManyThreadsSendConcurrently) {
  NatsServer nats;
  Station here(nats.url()), there(nats.url());
  join(here);
  join(there);
  constexpr int kThreads = 4, kEach = 250;
  std::vector<std::future<void>> senders;
  for (int t = 0; t < kThreads; ++t)
    senders.push_back(std::async(std::launch::async, [&, t] {
      auto& station = t % 2 == 0 ? here : there;
      for (std::int64_t i = 1; i <= kEach; ++i) station.say(i, std::to_string(t));
    }));
  for (auto& sender : senders) sender.get();
  for (auto* station : {&here, &there}) {
    std::map<std::string, std::int64_t> last;
    const auto heard = station->heard(kThreads / 2 * kEach);
    EXPECT_EQ(heard.size(), std::size_t{kThreads / 2 * kEach});
    for (const auto& parcel : heard)
      EXPECT_EQ(parcel.event.position, ++last[parcel.event.stream]) << parcel.event.stream;
    EXPECT_EQ(last.size(), std::size_t{kThreads / 2});
  }
}

TEST(BusNats, NeedsMoreThanOneMessageForALargeBatch) {
  NatsServer nats;
  Station here(nats.url(), 10'000'000), there(nats.url());
  join(here);
  join(there);
  std::vector<Parcel> batch;
  for (std::int64_t i = 1; i <= 300; ++i)
    batch.push_back({{"topic"}, {"s", i, '{' + std::string(10'000, ' ') + '}'}});
  here.say(batch);
  const auto heard = there.heard(300);
  ASSERT_EQ(heard.size(), 300u);
  EXPECT_EQ(heard.back().event.position, 300);
  EXPECT_EQ(heard.back().event.text.size(), 10'002u);
}

TEST(BusNats, StartsWithoutNatsAndFindsItWhenItComes) {
  NatsServer nats;
  const auto url = nats.url();
  nats.kill();
  Station here(url), there(url);
  here.say(1);
  EXPECT_EQ(there.count(Doubt::joined), 0);
  EXPECT_FALSE(here.traffic().connected);
  nats.start();
  join(here);
  join(there);
  here.say(2);
  EXPECT_EQ(there.heard(1).front().event.position, 2) << "what could not be sent is not kept";
  EXPECT_EQ(here.traffic().dropped, 1u);
}

TEST(BusNats, SaysThatItWasCutOffAndComesBack) {
  NatsServer nats;
  Station here(nats.url()), there(nats.url());
  join(here);
  join(there);
  nats.kill();
  EXPECT_TRUE(here.doubted(Doubt::cut_off));
  EXPECT_FALSE(here.traffic().connected);
  here.say(1);
  nats.start();
  EXPECT_TRUE(here.doubted(Doubt::joined, 2));
  EXPECT_TRUE(there.doubted(Doubt::joined, 2));
  here.say(2);
  const auto heard = there.heard(1);
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.back().event.position, 2);
}

TEST(BusNats, GoesToTheNextServerOfItsList) {
  NatsServer first, second;
  const auto urls = first.url() + ", " + second.url();
  Station here(urls), there(urls);
  join(here);
  join(there);
  first.kill();
  EXPECT_TRUE(here.doubted(Doubt::joined, 2));
  EXPECT_TRUE(there.doubted(Doubt::joined, 2));
  here.say(1);
  EXPECT_EQ(there.heard(1).size(), 1u);
}

TEST(BusNats, NoticesWhatTheOtherHadNoRoomToSend) {
  NatsServer nats;
  Station here(nats.url(), 70'000), there(nats.url());
  join(here);
  join(there);
  here.say(1);
  ASSERT_EQ(there.heard(1).size(), 1u);
  const auto before = there.count(Doubt::missed);
  here.say(2, "s", 100'000);
  EXPECT_TRUE(there.doubted(Doubt::missed, before + 1));
  EXPECT_EQ(here.traffic().dropped, 1u);
  here.say(3);
  EXPECT_EQ(there.heard(2).back().event.position, 3);
}

TEST(BusNats, NoticesThatANodeFellSilent) {
  NatsServer nats;
  Station here(nats.url());
  join(here);
  {
    Station there(nats.url());
    join(there);
    there.say(1);
    ASSERT_EQ(here.heard(1).size(), 1u);
  }
  EXPECT_TRUE(here.doubted(Doubt::silent));
}

TEST(BusNats, SendsWhatWaitsBeforeItStops) {
  NatsServer nats;
  Station there(nats.url());
  join(there);
  Station here(nats.url());
  join(here);
  for (std::int64_t i = 1; i <= 500; ++i) here.say(i);
  here.stop(steady_clock::now() + kPatience);
  EXPECT_EQ(there.heard(500).size(), 500u);
  here.say(501);
  EXPECT_EQ(here.traffic().dropped, 1u) << "nothing is sent after the end";
}

TEST(BusNats, StopsInTimeWhereNatsIsAway) {
  NatsServer nats;
  const auto url = nats.url();
  nats.kill();
  Station here(url);
  const auto begun = steady_clock::now();
  here.stop(begun + std::chrono::seconds(1));
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(3));
}

TEST(BusNats, IsNotHurtByWhatOthersSayOnItsSubject) {
  NatsServer nats;
  Station here(nats.url()), there(nats.url());
  join(here);
  join(there);
  for (const std::string bytes : {"", "garbage", "BTGA", "BTGA\x02"}) nats.say("test", bytes);
  nats.say("test", std::string(900'000, 'x'));
  here.say(1);
  EXPECT_EQ(there.heard(1).front().event.position, 1);
  EXPECT_EQ(there.traffic().refused, 5u);
  EXPECT_EQ(there.traffic().received, 1u);
}

TEST(BusNats, DoesNotHearAnotherProduct) {
  NatsServer nats;
  Station here(nats.url(), 1'000'000, "ours"), there(nats.url(), 1'000'000, "ours"),
      other(nats.url(), 1'000'000, "theirs.too");
  for (auto* station : {&here, &there, &other}) join(*station);
  other.say(1, "theirs");
  here.say(1, "ours");
  EXPECT_EQ(there.heard(1).front().event.stream, "ours");
}

TEST(BusNats, GivesThePasswordThatTheUrlHolds) {
  NatsServer nats({"--user", "bottega", "--pass", "hush-hush"});
  const auto host = nats.url().substr(std::string("nats://").size());
  Station stranger("nats://bottega:wrong@" + host), here("nats://bottega:hush-hush@" + host);
  join(here);
  EXPECT_EQ(stranger.count(Doubt::joined), 0);
  EXPECT_FALSE(stranger.traffic().connected);
}

TEST(BusNats, GivesTheTokenThatTheUrlHolds) {
  NatsServer nats({"--auth", "hush-hush"});
  const auto host = nats.url().substr(std::string("nats://").size());
  Station here("nats://hush-hush@" + host);
  join(here);
}

TEST(BusNats, SpeaksTlsToAServerOfTheNameInItsCertificateOnly) {
  TempDir dir;
  const auto path = [&](const char* name) { return (dir.path() / name).string(); };
  const auto made = std::system(
      ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
       "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout " +
       path("key.pem") + " -out " + path("certificate.pem") + " 2> " + path("log"))
          .c_str());
  ASSERT_EQ(made, 0);
  NatsServer nats({"--tls", "--tlscert", path("certificate.pem"), "--tlskey", path("key.pem")});
  setenv("SSL_CERT_FILE", path("certificate.pem").c_str(), 1);
  const auto port = std::to_string(nats.port());
  {
    Station stranger("tls://127.0.0.1:" + port), here("tls://localhost:" + port),
        there("tls://localhost:" + port);
    join(here);
    join(there);
    here.say(1);
    EXPECT_EQ(there.heard(1).size(), 1u);
    EXPECT_EQ(stranger.count(Doubt::joined), 0) << "the certificate has another name";
  }
  {
    NatsServer plain;
    Station strict("tls://127.0.0.1:" + std::to_string(plain.port())), here(plain.url());
    join(here);
    EXPECT_EQ(strict.count(Doubt::joined), 0) << "what is to be TLS is never plain";
  }
  unsetenv("SSL_CERT_FILE");
}

TEST(BusNats, RefusesSettingsThatCannotBeAndShowsNoPassword) {
  const auto words_for = [](const std::string& url, const std::string& subject) -> std::string {
    try {
      bus::Nats nats(
          {Secret(url), subject, 1'000'000}, [](Parcel) {}, [](Doubt) {});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const std::string url : {"http://a:hush-hush@b", "localhost:4222", ",", "nats://",
                                "nats://hush-hush@", "nats://a,ftp://hush-hush@c"}) {
    const auto words = words_for(url, "bottega");
    EXPECT_TRUE(words.starts_with("bus.url: ")) << url << ": " << words;
    EXPECT_EQ(words.find("hush-hush"), words.npos);
  }
  for (const std::string subject : {"", ".", "a..b", "a.", "a b", "a.*", ">", "a\r\nPUB b"})
    EXPECT_TRUE(words_for("nats://a", subject).starts_with("bus.subject: ")) << subject;
  EXPECT_EQ(words_for("nats://u:p@[::1]:4222,tls://b", "shops.eu-1"), "");
}

}  // namespace bus_nats_test
}  // namespace bottega::test
