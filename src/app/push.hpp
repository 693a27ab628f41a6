#pragma once
// Web Push as part of a node: a thread of its own, so that neither a slow push service nor the work
// of encrypting can hold up a request.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "app/background.hpp"
#include "bottega/core/config.hpp"
#include "bottega/notifications/notifier.hpp"

namespace bottega {

class Push {
 public:
  // Throws Error(internal) in words for the operator where a setting is not valid.
  Push(const Config& config, Database& db, const Clock& clock, notifications::NodeId node);
  ~Push();

  void start();
  // Ends the rounds, waits for the calls that go on, and cuts them at `latest`.
  void stop(std::chrono::steady_clock::time_point latest);

  notifications::Notifier& notifier() { return notifier_; }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  notifications::Notifier notifier_;
  Loop loop_;
  std::thread thread_;
  std::promise<void> ended_;
};

}  // namespace bottega
