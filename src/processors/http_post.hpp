#pragma once
// The smallest HTTP client that can deliver webhooks to an http:// address.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace bottega::processors {
namespace asio = boost::asio;

struct PostCall {
  std::string url;
  std::string body;
  std::string signature;
  std::chrono::milliseconds timeout{20'000};
};

// One connection, which is kept for the next call to the same place. For one call at a time, all of
// them on the executor of the first.
class PostLine {
 public:
  PostLine();
  ~PostLine();
  PostLine(const PostLine&) = delete;
  PostLine& operator=(const PostLine&) = delete;

  // The status of the answer; 0 where there was none. A call is sent once more where a kept
  // connection turns out to have ended.
  asio::awaitable<unsigned> post(const PostCall& call);

 private:
  struct Link;
  struct Target;
  asio::awaitable<std::shared_ptr<Link>> open(const Target& target,
                                              std::chrono::milliseconds timeout);

  std::shared_ptr<Link> link_;  // none, or one that may be used again
};

}  // namespace bottega::processors
