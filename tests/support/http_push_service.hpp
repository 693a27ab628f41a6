#pragma once
// A push service as a browser's maker runs one, and the browser behind it, which alone can read
// what comes: RFC 8030 and 8291 from the other side.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "notifications/web_push.hpp"
#include "bottega/core/json.hpp"

namespace bottega::test {

// A browser that has subscribed.
class Device {
 public:
  Device();
  // What it would send to the server for an endpoint.
  Json subscription(const std::string& endpoint, const std::string& content = "full") const;
  // The text in a body; throws where it is not meant for this device.
  std::string open(const std::string& body) const;
  Json read(const std::string& body) const { return Json::parse(open(body)); }

 private:
  notifications::KeyPair keys_;
  std::string auth_;
};

// What stands in an aes128gcm body (RFC 8188) of one record, with its padding; throws where the tag
// is wrong.
std::string decrypt(const notifications::KeyPair& keys, const std::string& auth,
                    const std::string& body);

class PushService {
 public:
  enum class Manner : std::uint8_t { answers, hangs };
  // Plain HTTP, or TLS with these PEM files. Listens on loopback until it is destroyed.
  explicit PushService(const std::string& certificate = "", const std::string& key = "");
  ~PushService();

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;

  // What is answered from now on, 201 at first.
  void answer(unsigned status, const std::map<std::string, std::string>& headers = {});
  // Takes what comes and says nothing.
  void hang();

  struct Received {
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };
  // The next request that nobody has asked for yet; none where there is none within 10 s.
  std::optional<Received> next();
  std::size_t count() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::uint16_t port_ = 0;
};

}  // namespace bottega::test
