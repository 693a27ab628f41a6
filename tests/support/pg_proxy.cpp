#include "support/pg_proxy.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace bottega::test {
namespace {

void send_all(int to, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto n = ::send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

// What came, or nothing where the other side has closed or is silent for 5 s.
std::string receive(int from) {
  pollfd waiting{from, POLLIN, 0};
  if (poll(&waiting, 1, 5'000) != 1) return "";
  std::array<char, 16'384> buffer{};
  const auto n = ::recv(from, buffer.data(), buffer.size(), 0);
  return n <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(n));
}

std::string word_of(const std::string& url, const std::string& key) {
  const auto start = url.find(key + "=") + key.size() + 1;
  auto word = url.substr(start, url.find(' ', start) - start);
  std::erase(word, '\'');
  return word;
}

}  // namespace

PgProxy::PgProxy(const std::string& server, Names names)
    : socket_(word_of(server, "host") + "/.s.PGSQL." + word_of(server, "port")),
      database_(word_of(server, "dbname")),
      user_(word_of(server, "user")),
      names_(std::move(names)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0)
    throw std::runtime_error("the proxy cannot listen");
  port_ = ntohs(here.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

PgProxy::~PgProxy() {
  eventfd_write(stop_, 1);
  acceptor_.join();
  for (auto& relay : relays_) relay.join();
  for (const int descriptor : {listener_, stop_, late_server_.load()})
    if (descriptor >= 0) close(descriptor);
}

std::string PgProxy::url() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) +
         " sslmode=disable gssencmode=disable user=" + user_ + " dbname=" + database_;
}

void PgProxy::accept_all() {
  std::array<pollfd, 2> waiting{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
  while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) relays_.emplace_back([this, client] { serve(client); });
  }
}

int PgProxy::connect_server() const {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un there{};
  there.sun_family = AF_UNIX;
  socket_.copy(there.sun_path, sizeof there.sun_path - 1);
  if (connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
    throw std::runtime_error("the proxy cannot reach the server");
  return server;
}

void PgProxy::serve(int client) {
  const int server = connect_server();
  const bool keeps_server = relay(client, server);
  close(client);
  if (!keeps_server) {
    close(server);
    deliver_late();
  }
}

// Answers true where it kept the server's side for later.
bool PgProxy::relay(int client, int server) {
  std::array<pollfd, 3> waiting{{{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_, POLLIN, 0}}};
  while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[2].revents == 0) {
    if (waiting[1].revents != 0) {
      const auto bytes = receive(server);
      if (bytes.empty()) return false;
      send_all(client, bytes);
    }
    if (waiting[0].revents == 0) continue;
    const auto bytes = receive(client);
    if (bytes.empty()) return false;
    const auto cut = cut_for(bytes);
    if (cut == Cut::late || cut == Cut::stuck) {
      late_bytes_ = cut == Cut::late ? bytes : "";
      late_server_ = server;
      return true;
    }
    if (cut != Cut::before) send_all(server, bytes);
    if (cut == Cut::after) receive(server);
    if (cut != Cut::never) return false;
  }
  return false;
}

// The client library sends a message at a time: 'Q' is a query in text, 'B' begins the execution of
// a prepared statement, which it names.
Cut PgProxy::cut_for(const std::string& bytes) {
  const auto executes = [&](const std::string& name) {
    return !name.empty() && bytes[0] == 'B' && bytes.find(name + '\0') != bytes.npos;
  };
  if (executes(names_.look) && looks_lost_ > 0) {
    --looks_lost_;
    return Cut::before;
  }
  const bool commits = executes(names_.single) ||
                       (bytes[0] == 'Q' && bytes.find("INSERT INTO commit_tokens") != bytes.npos);
  return commits ? next_.exchange(Cut::never) : Cut::never;
}

void PgProxy::deliver_late() {
  const int server = late_server_;
  if (server < 0 || late_bytes_.empty() || is_delivering_.exchange(true)) return;
  send_all(server, late_bytes_);
  receive(server);
  late_server_ = -1;
  close(server);
}

}  // namespace bottega::test
