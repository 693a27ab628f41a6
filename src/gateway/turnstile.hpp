#pragma once
// Lets only so many coroutines through at once; the others wait in the order in which they came.
// When thousands of clients come back at the same moment, this keeps them from filling the queue
// in front of the database.
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace bottega::gateway {
namespace asio = boost::asio;

class Turnstile {
 public:
  explicit Turnstile(std::size_t at_once) : left_(at_once) {}

  // Whoever holds it is inside; whoever drops it makes room for the next.
  class Pass {
   public:
    explicit Pass(Turnstile& of) : of_(&of) {}
    Pass(Pass&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (of_) of_->leave();
    }

   private:
    Turnstile* of_;
  };

  asio::awaitable<Pass> enter() {
    auto start = [this](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      auto go = [shared] {
        const auto executor = asio::get_associated_executor(*shared);
        asio::post(executor, [shared] { std::move (*shared)(); });
      };
      {
        const std::lock_guard lock(mutex_);
        if (left_ == 0) return waiting_.push_back(std::move(go));
        --left_;
      }
      go();
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    co_return Pass(*this);
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  void leave() {
    std::function<void()> next;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        ++left_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next();
  }

  mutable std::mutex mutex_;  // owns both
  std::deque<std::function<void()>> waiting_;
  std::size_t left_;
};

}  // namespace bottega::gateway
