#pragma once
// The smallest HTTP client that can deliver a webhook to an http:// address.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

namespace bottega::processors {
namespace asio = boost::asio;

struct PostCall {
  std::string url;
  std::string body;
  std::string signature;
  std::chrono::milliseconds timeout{20'000};
};
// The status of the answer; 0 where there was none.
asio::awaitable<unsigned> post(const PostCall& call);

}  // namespace bottega::processors
