#include "flood.hpp"

#include "frames.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <stdexcept>

namespace bottega::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kDrainPatience = 20 * kSecond;
constexpr std::uint64_t kPatience = 10'000'000;

void fail(const std::string& words) { throw std::runtime_error(words); }

}  // namespace

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

struct Flood::Client {
  int fd = -1;
  std::size_t index = 0, unanswered = 0;
  std::string in, out;
  std::size_t read = 0;  // of `in`
  bool is_blocked = false;

  ~Client() { close(fd); }

  void flush(int epoll) {
    if (out.empty()) return;
    const auto done = send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN) fail("a socket was closed");
    if (done > 0) out.erase(0, static_cast<std::size_t>(done));
    if (is_blocked == !out.empty()) return;
    is_blocked = !out.empty();
    epoll_event event{static_cast<std::uint32_t>(is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN), {}};
    event.data.u64 = index;
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  }
  void receive() {
    if (read > 0) in.erase(0, read);
    read = 0;
    std::array<char, 65'536> buffer;
    const auto got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("a socket was closed");
    if (got > 0) in.append(buffer.data(), static_cast<std::size_t>(got));
  }
};

Flood::Flood() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
Flood::~Flood() { close(epoll_); }

void Flood::add(std::uint16_t port, const std::string& path, const std::string& token,
                const std::string& first) {
  auto client = std::make_unique<Client>();
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  client->index = clients_.size();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
  const int on = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  client->out = hello_frame(path, token);
  client->flush(epoll_);
  while (client->in.find("\r\n\r\n") == std::string::npos) client->receive();
  if (!client->in.starts_with("HTTP/1.1 101")) fail("no upgrade: " + client->in.substr(0, 200));
  client->in.erase(0, client->in.find("\r\n\r\n") + 4);
  if (!first.empty()) put_frame(client->out, 1, first);
  client->flush(epoll_);
  fcntl(client->fd, F_SETFL, fcntl(client->fd, F_GETFL) | O_NONBLOCK);
  epoll_event event{EPOLLIN, {}};
  event.data.u64 = client->index;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, client->fd, &event);
  clients_.push_back(std::move(client));
}

struct Flood::Run {
  Flood& flood;
  const FloodPlan& plan;
  const Compose& compose;
  const Read& read;
  FloodCount count;
  std::uint64_t began = now_ns();
  std::uint64_t warm = began + ns(plan.seconds / 10), end = warm + ns(plan.seconds);
  std::uint64_t now = began;
  std::size_t turn = 0;

  static std::uint64_t ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

  void send_one(Client& client) {
    put_frame(client.out, 1, compose(client.index, now));
    ++client.unanswered;
    ++count.sent;
  }
  void fill(Client& client) {
    if (plan.per_second > 0 || now >= end) return;
    while (client.unanswered < plan.window) send_one(client);
  }
  // What is due of an even rate; every client in turn.
  void send_due() {
    if (plan.per_second <= 0) return;
    const auto until = std::min(now, end);
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>(until - began) / 1e9 * plan.per_second);
    while (count.sent < due) {
      auto& client = *flood.clients_[turn++ % flood.clients_.size()];
      send_one(client);
      client.flush(flood.epoll_);
    }
  }
  // Until the next message is due: a generator that looks more often takes the time of the server.
  timespec patience() const {
    auto wait = kPatience;
    if (plan.per_second > 0 && now < end) {
      const auto due = began + ns(static_cast<double>(count.sent + 1) / plan.per_second);
      wait = std::min(wait, due - std::min(due, now_ns()));
    }
    return {0, static_cast<long>(wait)};
  }
  void take(Client& client, const FrameView& frame) {
    if (frame.opcode == 8) fail("a socket was closed by the server");
    if (frame.opcode == 9) return put_frame(client.out, 10, frame.payload);
    const auto meaning = read(client.index, frame.payload);
    if (meaning.answers) {
      --client.unanswered;
      ++count.answered;
    }
    if (!meaning.arrives) return;
    ++count.arrived;
    if (now >= warm && now < end)
      count.times_ms.push_back(static_cast<double>(now - meaning.sent_ns) / 1e6);
  }
  void serve(Client& client) {
    client.receive();
    while (const auto frame = first_frame(std::string_view(client.in).substr(client.read))) {
      take(client, *frame);
      client.read += frame->bytes;
    }
    fill(client);
    client.flush(flood.epoll_);
  }
  void turn_around() {
    std::array<epoll_event, 256> events;
    const auto wait = patience();
    const int ready =
        epoll_pwait2(flood.epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    now = now_ns();
    for (int i = 0; i < ready; ++i) {
      auto& client = *flood.clients_[events[static_cast<std::size_t>(i)].data.u64];
      serve(client);
    }
    send_due();
  }
};

FloodCount Flood::run(const FloodPlan& plan, const Compose& compose, const Read& read,
                      const std::function<void()>& counting) {
  Run run{*this, plan, compose, read, {}};
  for (auto& client : clients_) {
    run.fill(*client);
    client->flush(epoll_);
  }
  while (run.now < run.warm) run.turn_around();
  counting();
  while (run.now < run.end) run.turn_around();
  counting();
  run.count.seconds = plan.seconds;
  while (run.count.answered < run.count.sent || run.count.arrived < run.count.sent) {
    if (run.now > run.end + kDrainPatience)
      fail(std::to_string(run.count.sent) + " sent, " + std::to_string(run.count.answered) +
           " answered, " + std::to_string(run.count.arrived) + " arrived");
    run.turn_around();
  }
  return std::move(run.count);
}

}  // namespace bottega::bench
