#pragma once
// Thousands of people with one silent socket each, on one thread.
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bottega::bench {

struct Person {
  std::string token, conversation;
  std::int64_t position = 0;
};

class Crowd {
 public:
  Crowd(std::vector<Person> people, bool is_tls);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // All connect at once and say RESUME; whoever is refused tries again a moment later. Answers how
  // many seconds it took until all were told that they have everything; throws after 60.
  double come(std::uint16_t port);
  // Answers pings for so long; throws where a socket is closed.
  void stay(double seconds);
  // Until the other side has closed all of them.
  void see_off();

  std::size_t pings() const { return pings_; }
  std::size_t refusals() const { return refusals_; }

 private:
  enum class State : std::uint8_t { away, connecting, securing, upgrading, resuming, there };
  template <auto release>
  struct Release {
    template <class T>
    void operator()(T* thing) const {
      release(thing);
    }
  };
  struct Seat {
    Person person;
    int fd = -1;
    std::unique_ptr<SSL, Release<SSL_free>> tls;
    State state = State::away;
    double next_try = 0;
    std::string in;
  };

  void connect(std::size_t i, std::uint16_t port);
  void handle(std::size_t i, std::uint32_t events);
  void secure(std::size_t i);
  void upgrade(std::size_t i);
  void wait_for(std::size_t i, std::uint32_t events);
  // False where nothing more is there now, or the seat was left.
  bool read_some(Seat& seat);
  void take(Seat& seat);
  void frames(Seat& seat);
  void leave(Seat& seat);
  void send(Seat& seat, const std::string& bytes);
  void pump(int timeout_ms);

  int epoll_;
  std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>> tls_;
  std::vector<Seat> seats_;
  std::size_t there_ = 0, pings_ = 0, refusals_ = 0;
};

}  // namespace bottega::bench
