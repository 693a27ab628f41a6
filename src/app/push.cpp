#include "app/push.hpp"

namespace bottega {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

notifications::WebPushOptions web_push_of(const Config& config) {
  notifications::WebPushOptions options;
  options.vapid_private_key = config.push_vapid_private_key;
  options.vapid_subject = config.push_vapid_subject;
  options.network.ca_file = config.push_ca_file;
  if (config.push_allow_private == "yes") options.network.reach = outbound::Reach::anywhere;
  options.timeout = milliseconds(config.push_call_timeout_ms);
  return options;
}

notifications::NotifierOptions options_of(const Config& config) {
  notifications::NotifierOptions options;
  options.delay = seconds(config.push_delay_s);
  options.ttl = seconds(config.push_ttl_s);
  options.call_timeout = milliseconds(config.push_call_timeout_ms);
  options.calls_max = config.push_calls_max;
  options.waiting_max = static_cast<std::size_t>(config.push_waiting_max);
  return options;
}

}  // namespace

Push::Push(const Config& config, Database& db, const Clock& clock, notifications::NodeId node)
    : guard_(context_.get_executor()),
      notifier_(db, clock, node, options_of(config),
                notifications::make_web_push(web_push_of(config), clock)),
      loop_(context_, "push", milliseconds(config.push_poll_ms),
            [this] { return notifier_.round(); }) {
  notifier_.on_room([this] { loop_.poke(); });
}

Push::~Push() { stop(std::chrono::steady_clock::now()); }

void Push::start() {
  loop_.start();
  thread_ = std::thread([this] {
    context_.run();
    ended_.set_value();
  });
}

void Push::stop(std::chrono::steady_clock::time_point latest) {
  if (!thread_.joinable()) return;
  loop_.stop();
  guard_.reset();
  ended_.get_future().wait_until(latest);
  context_.stop();
  thread_.join();
}

}  // namespace bottega
