#pragma once
// A deadline that leaves the socket open: what waits on it is cancelled, so that the answer (408)
// can still be written. beast::tcp_stream's own timeout closes the socket.
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>

namespace bottega::gateway {

class Deadline {
 public:
  explicit Deadline(boost::beast::tcp_stream& stream) : stream_(stream) {}
  ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Starts it; where it runs already, it goes on as it was.
  void arm(std::chrono::nanoseconds wait) {
    if (pending_) return;
    pending_ = std::make_shared<Pending>(stream_, wait);
    pending_->timer.async_wait([pending = pending_](boost::system::error_code) {
      if (!pending->wanted) return;
      pending->passed = true;
      pending->stream.cancel();
    });
  }

  void disarm() {
    if (!pending_) return;
    pending_->wanted = false;
    pending_->timer.cancel();
    pending_.reset();
  }

  bool has_passed() const { return pending_ && pending_->passed; }

 private:
  // Outlives the deadline where its handler is already on its way.
  struct Pending {
    Pending(boost::beast::tcp_stream& of, std::chrono::nanoseconds wait)
        : stream(of), timer(of.get_executor(), wait) {}
    boost::beast::tcp_stream& stream;
    boost::asio::steady_timer timer;
    bool wanted = true, passed = false;
  };

  boost::beast::tcp_stream& stream_;
  std::shared_ptr<Pending> pending_;
};

}  // namespace bottega::gateway
