#include "gateway/group_commit.hpp"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "bottega/core/error.hpp"
#include "bottega/storage/gather.hpp"

namespace bottega::gateway {
namespace {

// Another node has done one of these requests in the same moment.
struct KeyTaken {};

// After a batch of many the next one waits until it has enough, but not for longer than this.
constexpr std::size_t kMany = 4, kEnough = 16;
constexpr auto kLinger = std::chrono::milliseconds(16);

}  // namespace

GroupCommit::GroupCommit(Database& db, const asio::any_io_executor& timer, Write write,
                         std::size_t batch_max, std::size_t waiting_max, Keys keys)
    : db_(db),
      write_(std::move(write)),
      batch_max_(batch_max),
      waiting_max_(waiting_max),
      keys_(keys),
      linger_(timer) {}

GroupCommit::~GroupCommit() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !is_writing_; });
}

asio::awaitable<std::optional<Reply>> GroupCommit::write(std::shared_ptr<Part> part) {
  auto start = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    part->done = [shared](std::exception_ptr failure) {
      const auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, failure] { std::move (*shared)(failure); });
    };
    add(part);
  };
  using Signature = void(std::exception_ptr);
  co_await asio::async_initiate<const asio::use_awaitable_t<>, Signature>(start,
                                                                          asio::use_awaitable);
  if (part->refusal) std::rethrow_exception(part->refusal);
  co_return std::move(part->reply);
}

void GroupCommit::add(std::shared_ptr<Part> part) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_) {
      const Error busy(Code::busy, "too many requests of this kind wait to be written");
      return part->done(std::make_exception_ptr(Error(busy).retry_after(std::chrono::seconds(1))));
    }
    waiting_.push_back(std::move(part));
    if (is_lingering_ && waiting_.size() >= kEnough) linger_.cancel();
    if (std::exchange(is_writing_, true)) return;
  }
  write_next();
}

void GroupCommit::write_on() {
  if (!linger()) write_next();
}

// Those that a large batch has answered come back at the same time, and so do others.
bool GroupCommit::linger() {
  const std::lock_guard lock(mutex_);
  is_lingering_ = batch_.size() >= kMany && waiting_.size() < kEnough;
  if (!is_lingering_) return false;
  linger_.expires_after(kLinger);
  linger_.async_wait([this](boost::system::error_code) { write_next(); });
  return true;
}

void GroupCommit::write_next() {
  while (take()) {
    if (write_batch()) return;
  }
}

// The second of two with the same key waits for its reply.
bool GroupCommit::take() {
  const std::lock_guard lock(mutex_);
  std::deque<std::shared_ptr<Part>> later;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> keys;
  batch_.clear();
  is_lingering_ = false;
  while (!waiting_.empty() && batch_.size() < batch_max_) {
    auto part = std::move(waiting_.front());
    waiting_.pop_front();
    const auto& key = part->key;
    const bool is_new =
        !key || keys.emplace(key->identity, key->method, key->path, key->key).second;
    if (is_new)
      batch_.push_back(std::move(part));
    else
      later.push_back(std::move(part));
  }
  waiting_.insert(waiting_.begin(), std::make_move_iterator(later.begin()),
                  std::make_move_iterator(later.end()));
  is_writing_ = !batch_.empty();
  if (!is_writing_) idle_.notify_all();
  return is_writing_;
}

bool GroupCommit::write_batch() {
  try {
    db_.post(
        Mode::batch, [this](Tx& tx) { run(tx); },
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

void GroupCommit::run(Tx& tx) {
  std::vector<Part*> parts;
  std::vector<const OnceKey*> keys;
  for (const auto& part : batch_) {
    part->reply.reset();
    part->begun.reset();
    part->refusal = nullptr;
    if (part->key && keys_ != Keys::held) keys.push_back(&*part->key);
  }
  const auto known = known_among(tx, keys);
  for (const auto& part : batch_)
    if (!part->key || !known.contains(&*part->key)) parts.push_back(part.get());
  if (parts.empty()) return;
  write_(tx, parts);
  if (!keep(tx, parts)) throw KeyTaken();
}

bool GroupCommit::keep(Tx& tx, const std::vector<Part*>& parts) const {
  std::vector<std::pair<const OnceKey*, const Reply*>> replies;
  std::vector<std::pair<const OnceKey*, const Flow*>> flows;
  for (const auto* part : parts) {
    if (part->key && part->reply) replies.emplace_back(&*part->key, &*part->reply);
    if (part->key && part->begun) flows.emplace_back(&*part->key, &*part->begun);
  }
  if (keys_ == Keys::begun) return claim_flows(tx, flows);
  if (keys_ == Keys::replied) return keep_new(tx, replies);
  keep_all(tx, replies);
  return true;
}

void GroupCommit::finish(std::exception_ptr failure) {
  const bool alone = failure && is_of_one(failure);
  for (const auto& part : batch_) {
    if (failure) part->reply.reset();
    if (failure) part->begun.reset();
    if (failure) part->refusal = nullptr;
    // The batch stays until the next one; whoever waited for it must not.
    const auto done = std::exchange(part->done, nullptr);
    done(alone ? nullptr : failure);
  }
}

}  // namespace bottega::gateway
