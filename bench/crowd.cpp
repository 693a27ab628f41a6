#include "crowd.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include "frames.hpp"

namespace bottega::bench {
namespace {

constexpr double kPatienceS = 60, kTryAgainS = 0.2;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Crowd::Crowd(std::vector<Person> people, bool is_tls) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (is_tls) {
    tls_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_mode(tls_.get(), SSL_MODE_RELEASE_BUFFERS);
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (auto& person : people) seats_.emplace_back().person = std::move(person);
}

Crowd::~Crowd() {
  for (auto& seat : seats_)
    if (seat.fd >= 0) close(seat.fd);
  close(epoll_);
}

double Crowd::come(std::uint16_t port) {
  const auto began = now_s();
  for (std::size_t i = 0; i < seats_.size(); ++i) connect(i, port);
  while (there_ < seats_.size()) {
    pump(50);
    const auto now = now_s();
    if (now - began > kPatienceS)
      throw std::runtime_error(std::to_string(there_) + " of " + std::to_string(seats_.size()) +
                               " came");
    for (std::size_t i = 0; i < seats_.size(); ++i)
      if (seats_[i].state == State::away && seats_[i].next_try <= now) connect(i, port);
  }
  return now_s() - began;
}

void Crowd::stay(double seconds) {
  for (const auto until = now_s() + seconds; now_s() < until;) {
    pump(50);
    if (there_ < seats_.size()) throw std::runtime_error("a silent socket was closed");
  }
}

void Crowd::see_off() {
  for (const auto until = now_s() + kPatienceS; there_ > 0;) {
    pump(50);
    if (now_s() > until) throw std::runtime_error("not all sockets were closed");
  }
}

void Crowd::connect(std::size_t i, std::uint16_t port) {
  auto& seat = seats_[i];
  seat.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  seat.state = State::connecting;
  seat.in.clear();
  const int on = 1;
  setsockopt(seat.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  // Every address of this machine has so many ports only.
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(seat.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  epoll_event event{EPOLLOUT, {}};
  event.data.u64 = i;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, seat.fd, &event);
}

void Crowd::pump(int timeout_ms) {
  std::array<epoll_event, 512> events{};
  const auto count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    handle(event.data.u64, event.events);
  }
}

void Crowd::handle(std::size_t i, std::uint32_t events) {
  auto& seat = seats_[i];
  if (seat.fd < 0) return;
  if (seat.state == State::connecting) {
    int failed = 0;
    socklen_t size = sizeof failed;
    getsockopt(seat.fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    if (failed != 0) return leave(seat);
    if (!tls_) return upgrade(i);
    seat.tls.reset(SSL_new(tls_.get()));
    SSL_set_fd(seat.tls.get(), seat.fd);
    seat.state = State::securing;
    secure(i);
  } else if (seat.state == State::securing) {
    secure(i);
  } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    while (seat.fd >= 0 && read_some(seat)) take(seat);
  }
}

void Crowd::secure(std::size_t i) {
  auto& seat = seats_[i];
  const auto done = SSL_connect(seat.tls.get());
  if (done == 1) return upgrade(i);
  const auto why = SSL_get_error(seat.tls.get(), done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
    return wait_for(i, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
  leave(seat);
}

void Crowd::upgrade(std::size_t i) {
  auto& seat = seats_[i];
  seat.state = State::upgrading;
  send(seat, hello_frame("/v1/socket", seat.person.token));
  if (seat.fd >= 0) wait_for(i, EPOLLIN);
}

void Crowd::wait_for(std::size_t i, std::uint32_t events) {
  epoll_event event{events, {}};
  event.data.u64 = i;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, seats_[i].fd, &event);
}

bool Crowd::read_some(Seat& seat) {
  std::array<char, 16'384> buffer;
  const auto got = seat.tls ? SSL_read(seat.tls.get(), buffer.data(), buffer.size())
                            : recv(seat.fd, buffer.data(), buffer.size(), 0);
  if (got > 0) {
    seat.in.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  const bool is_later =
      seat.tls ? SSL_get_error(seat.tls.get(), static_cast<int>(got)) == SSL_ERROR_WANT_READ
               : got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  if (!is_later) leave(seat);
  return false;
}

void Crowd::take(Seat& seat) {
  if (seat.state == State::upgrading) {
    const auto end = seat.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    if (!seat.in.starts_with("HTTP/1.1 101")) return leave(seat);
    seat.in.erase(0, end + 4);
    seat.state = State::resuming;
    std::string resume;
    put_frame(resume, kTextFrame,
              R"({"id":"r","method":"RESUME","positions":{")" + seat.person.conversation +
                  "\":" + std::to_string(seat.person.position) + "}}");
    send(seat, resume);
  }
  if (seat.fd >= 0) frames(seat);
}

void Crowd::frames(Seat& seat) {
  while (const auto frame = first_frame(seat.in)) {
    if (frame->opcode == kPingFrame) {
      ++pings_;
      std::string pong;
      put_frame(pong, kPongFrame, frame->payload);
      send(seat, pong);
    } else if (frame->opcode == kCloseFrame) {
      return leave(seat);
    } else if (frame->payload.find("\"event\":\"resumed\"") != std::string_view::npos) {
      if (frame->payload.find("\"recovered\":true") == std::string_view::npos)
        throw std::runtime_error("not recovered: " + std::string(frame->payload));
      seat.state = State::there;
      ++there_;
    } else if (frame->payload.find("\"status\":") != std::string_view::npos) {
      return leave(seat);  // RESUME was refused
    }
    if (seat.fd < 0) return;
    seat.in.erase(0, frame->bytes);
  }
  if (seat.in.empty()) seat.in.shrink_to_fit();
}

void Crowd::leave(Seat& seat) {
  if (seat.state == State::there)
    --there_;
  else
    ++refusals_;
  seat.tls.reset();
  close(seat.fd);
  seat.fd = -1;
  seat.state = State::away;
  seat.next_try = now_s() + kTryAgainS;
}

void Crowd::send(Seat& seat, const std::string& bytes) {
  const auto size = static_cast<ssize_t>(bytes.size());
  const auto sent = seat.tls ? SSL_write(seat.tls.get(), bytes.data(), static_cast<int>(size))
                             : ::send(seat.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != size) leave(seat);
}

}  // namespace bottega::bench
