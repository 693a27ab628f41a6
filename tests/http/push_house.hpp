#pragma once
// A server with Web Push, and a push service that it trusts.
#include "http/story.hpp"
#include "support/http_push_service.hpp"

namespace bottega::test {

// A certificate for this machine, or for other names, and its key, made anew.
struct Certificate {
  explicit Certificate(const std::string& names = "IP:127.0.0.1,DNS:localhost");
  std::string file(const std::string& name) const { return (dir.path() / name).string(); }
  TempDir dir;
};

// Keys, and whatever else makes a test short. Push services may be on this machine.
std::vector<std::string> push_settings(const Certificate& certificate,
                                       std::vector<std::string> more = {});

// Subscribes the person's browser; the subscription's id.
std::string subscribe(Person& person, const Device& device, const std::string& endpoint,
                      const std::string& content = "full");
// What the server counts under bottega_load; -1 where it counts no such thing.
std::int64_t load_of(const Server& server, const std::string& kind);

}  // namespace bottega::test
