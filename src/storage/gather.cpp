#include "bottega/storage/gather.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bottega/core/error.hpp"

namespace bottega {

bool is_of_one(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Contended&) {
    return true;
  } catch (const Error& error) {
    return error.code() != Code::busy && error.code() != Code::stopping;
  } catch (...) {
    return true;
  }
}

Gather::Gather(Database& db, Mode mode, Write write, std::size_t batch_max, std::size_t waiting_max)
    : db_(db),
      mode_(mode),
      write_(std::move(write)),
      batch_max_(batch_max),
      waiting_max_(waiting_max) {}

Gather::~Gather() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !is_writing_; });
}

asio::awaitable<bool> Gather::write(std::shared_ptr<Part> part) {
  auto start = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    part->done = [shared](std::exception_ptr failure) {
      const bool alone = failure && is_of_one(failure);
      const auto told = alone ? nullptr : failure;
      const auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, told, alone] { std::move (*shared)(told, !alone); });
    };
    add(part);
  };
  using Signature = void(std::exception_ptr, bool);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, Signature>(
      start, asio::use_awaitable);
}

void Gather::add(std::shared_ptr<Part> part) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_) {
      const Error busy(Code::busy, "too many wait to be written");
      return part->done(std::make_exception_ptr(Error(busy).retry_after(std::chrono::seconds(1))));
    }
    waiting_.push_back(std::move(part));
    if (std::exchange(is_writing_, true)) return;
  }
  write_on();
}

void Gather::write_on() {
  while (take()) {
    if (write_batch()) return;
  }
}

bool Gather::take() {
  const std::lock_guard lock(mutex_);
  batch_.clear();
  while (!waiting_.empty() && batch_.size() < batch_max_) {
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  is_writing_ = !batch_.empty();
  if (!is_writing_) idle_.notify_all();
  return is_writing_;
}

bool Gather::write_batch() {
  try {
    db_.post(
        mode_,
        [this](Tx& tx) {
          std::vector<Part*> parts;
          for (const auto& part : batch_) parts.push_back(part.get());
          write_(tx, parts);
        },
        [this](std::exception_ptr failure) {
          finish(failure);
          write_on();
        });
    return true;
  } catch (...) {
    finish(std::current_exception());
    return false;
  }
}

void Gather::finish(std::exception_ptr failure) {
  for (const auto& part : batch_) {
    // The batch stays until the next one; whoever waited for it must not.
    const auto done = std::exchange(part->done, nullptr);
    done(failure);
  }
}

}  // namespace bottega
