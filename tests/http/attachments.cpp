#include "http/attachments.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

namespace bottega::test {
namespace {

constexpr int kLimitMs = 20'000;

bool ready(int socket, short what) {
  pollfd waiting{socket, what, 0};
  return poll(&waiting, 1, kLimitMs) == 1;
}

}  // namespace

Answer upload(const Storefront& shop, Client who, const Upload& upload) {
  HeaderList headers;
  if (!upload.type.empty()) headers["Content-Type"] = upload.type;
  if (!upload.key.empty()) headers["Idempotency-Key"] = upload.key;
  const auto query = upload.name.empty() ? "" : "?name=" + upload.name;
  return who.send("POST", shop.path("/attachments") + query, upload.bytes, headers);
}

Json uploaded(const Storefront& shop, const Client& who, const Upload& given) {
  const auto answer = upload(shop, who, given);
  if (answer.status != 201) throw std::runtime_error("not uploaded: " + answer.body);
  return answer.json();
}

void attach(const Urls& urls, const Json& attachment) {
  const auto changed = execute(
      urls.superuser,
      "WITH done AS (UPDATE bottega.attachments SET state = 'attached', attached_at = now() "
      "WHERE sha256 = '" +
          attachment["sha256"].get<std::string>() + "' RETURNING 1) SELECT count(*) FROM done");
  if (changed == "0") throw std::runtime_error("there is no such attachment");
}

std::string path_of_link(const Json& link) {
  const auto url = link.get<std::string>();
  return url.substr(url.find("/v1/"));
}

Answer download(const Server& server, const Json& link, const HeaderList& headers) {
  return Client(server.port()).get(path_of_link(link), headers);
}

std::size_t files_of(const House& house) {
  std::size_t count = 0;
  std::error_code gone;  // files come and go while they are counted
  const auto folder = house.dir.path() / "data" / "attachments";
  for (std::filesystem::recursive_directory_iterator i(folder, gone), end; !gone && i != end;
       i.increment(gone))
    count += i->is_regular_file(gone) ? 1 : 0;
  return count;
}

std::string upload_head(const Storefront& shop, const Client& who, const std::string& fields) {
  return "POST " + shop.path("/attachments") + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
         "Authorization: Bearer " + who.token() + "\r\n" + fields + "\r\n";
}

Wire::Wire(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect");
}
Wire::~Wire() { close(); }

void Wire::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Wire::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    if (!ready(socket_, POLLOUT)) return false;
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Wire::has_answer(int within_ms) const {
  pollfd waiting{socket_, POLLIN, 0};
  return poll(&waiting, 1, within_ms) == 1;
}

std::string Wire::receive() const {
  if (!ready(socket_, POLLIN)) throw std::runtime_error("nothing came in time");
  std::string bytes(65'536, '\0');
  const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::string Wire::head() {
  for (;;) {
    const auto end = left_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto head = left_.substr(0, end + 4);
      left_.erase(0, end + 4);
      return head;
    }
    const auto more = receive();
    if (more.empty()) return {};
    left_ += more;
  }
}

std::size_t Wire::skip(std::size_t bytes) {
  std::size_t got = std::min(bytes, left_.size());
  left_.erase(0, got);
  while (got < bytes) {
    const auto more = receive();
    if (more.empty()) break;
    const auto used = std::min(more.size(), bytes - got);
    got += used;
    left_ = more.substr(used);
  }
  return got;
}

Answer Wire::answer() {
  Answer answer;
  const auto text = head();
  if (text.size() < 12) return answer;
  answer.status = std::stoi(text.substr(9, 3));
  std::istringstream lines(text.substr(text.find("\r\n") + 2));
  for (std::string line; std::getline(lines, line) && line != "\r";) {
    const auto colon = line.find(':');
    auto name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
  }
  const auto length = answer.header("content-length");
  const auto wanted = length.empty() ? 0 : std::stoul(length);
  while (left_.size() < wanted) {
    const auto more = receive();
    if (more.empty()) break;
    left_ += more;
  }
  answer.body = left_.substr(0, wanted);
  left_.erase(0, wanted);
  return answer;
}

}  // namespace bottega::test
