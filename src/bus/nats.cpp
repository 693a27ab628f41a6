// Two threads: one connects and listens, one sends. The client library's own reconnecting is off:
// it gives up after two refused passwords, and keeps what is stale by then.
#include "bus/nats.hpp"

#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "bus/peers.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/error.hpp"
#include "bottega/core/log.hpp"

namespace bottega::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMessageMax = 262'144;  // bytes of events that are sent as one
constexpr auto kBeat = std::chrono::seconds(1);
constexpr auto kRetry = milliseconds(500);
constexpr auto kListen = milliseconds(500);
constexpr std::int64_t kConnectMs = 2'000, kWriteMs = 2'000, kPingMs = 2'000;
constexpr int kPingsOut = 2;

using Options = std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)>;
using Subscription = std::unique_ptr<natsSubscription, decltype(&natsSubscription_Destroy)>;
using Message = std::unique_ptr<natsMsg, decltype(&natsMsg_Destroy)>;
using Connection = std::shared_ptr<natsConnection>;

struct Address {
  Secret url;
  bool is_tls = false;
};

Address address_of(std::string_view url) {
  const bool is_tls = url.starts_with("tls://");
  if (!is_tls && !url.starts_with("nats://"))
    throw Error(Code::invalid, "bus.url: a server is nats://host:port or tls://host:port");
  auto host = url.substr(url.find("//") + 2);
  if (const auto at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  if (host.empty() || host.starts_with(':'))
    throw Error(Code::invalid, "bus.url: a server has no host");
  return {Secret(std::string(url)), is_tls};
}

std::vector<Address> addresses_of(const Secret& urls) {
  std::vector<Address> all;
  for (std::string_view rest = urls.reveal(); !rest.empty();) {
    const auto comma = rest.find(',');
    auto url = rest.substr(0, comma);
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    while (url.starts_with(' ')) url.remove_prefix(1);
    while (url.ends_with(' ')) url.remove_suffix(1);
    all.push_back(address_of(url));
  }
  if (all.empty()) throw Error(Code::invalid, "bus.url: names no server");
  return all;
}

// Words of letters, digits, '_' and '-' with dots between: no wildcards.
std::string checked_subject(const std::string& subject) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (subject.empty() || subject.size() > 100 || !std::ranges::all_of(subject, is_plain) ||
      subject.starts_with('.') || subject.ends_with('.') || subject.find("..") != subject.npos)
    throw Error(Code::invalid, "bus.subject: words of letters and digits with dots between them");
  return subject;
}

NodeId new_node() {
  NodeId node{};
  fill_random(std::as_writable_bytes(std::span(node)));
  return node;
}

// The library would print to standard error; whatever it is, a connection that is lost says so.
void keep_quiet(natsConnection*, natsSubscription*, natsStatus, void*) {}

natsStatus set(natsOptions* options, const Address& address) {
  auto status = natsOptions_SetURL(options, address.url.reveal().c_str());
  const auto then = [&](natsStatus next) {
    if (status == NATS_OK) status = next;
  };
  then(natsOptions_SetName(options, "bottega"));
  then(natsOptions_SetTimeout(options, kConnectMs));
  then(natsOptions_SetAllowReconnect(options, false));
  then(natsOptions_SetPingInterval(options, kPingMs));
  then(natsOptions_SetMaxPingsOut(options, kPingsOut));
  then(natsOptions_SetWriteDeadline(options, kWriteMs));
  then(natsOptions_SetSendAsap(options, true));
  then(natsOptions_SetNoEcho(options, true));
  then(natsOptions_SetErrorHandler(options, keep_quiet, nullptr));
  // It checks the name or address of the URL against the certificate by itself.
  then(natsOptions_SetSecure(options, address.is_tls));
  return status;
}

struct Connected {
  natsStatus status = NATS_OK;
  Connection connection;
};

Connected connect(const Address& address) {
  natsOptions* made = nullptr;
  if (const auto status = natsOptions_Create(&made); status != NATS_OK) return {status, {}};
  const Options options(made, natsOptions_Destroy);
  if (const auto status = set(made, address); status != NATS_OK) return {status, {}};
  natsConnection* connection = nullptr;
  const auto status = natsConnection_Connect(&connection, made);
  if (status != NATS_OK) return {status, {}};
  return {status, Connection(connection, natsConnection_Destroy)};
}

}  // namespace

// Shared with its threads: one that the name service holds up may outlive stop().
class Nats::Impl : public std::enable_shared_from_this<Nats::Impl> {
 public:
  Impl(NatsOptions options, Hear hear, Doubted doubted)
      : addresses_(addresses_of(options.urls)),
        subject_(checked_subject(options.subject)),
        queue_max_(options.queue_max_bytes),
        hear_(std::move(hear)),
        doubted_(std::move(doubted)),
        node_(new_node()) {}

  void start();
  void send(std::span<const Parcel> parcels);
  void stop(steady_clock::time_point latest);

  Traffic traffic;

 private:
  using Queue = std::deque<std::string>;

  // The thread that listens.
  void keep_connected();
  Connection try_all();
  bool listen(const Connection& connection);
  void listen_on(natsSubscription* subscription);
  void take(std::string_view bytes);
  bool rest();

  // The thread that sends.
  void send_on();
  void publish(const Queue& events, const Connection& connection);
  void publish(const std::string& message, std::uint64_t count, const Connection& connection);

  const std::vector<Address> addresses_;
  const std::string subject_;
  const std::size_t queue_max_;
  const Hear hear_;
  const Doubted doubted_;
  const NodeId node_;
  std::string last_failure_;  // of the listening thread
  Peers peers_;               // of the listening thread
  std::uint64_t number_ = 0;  // of the sending thread
  std::mutex mutex_;          // owns all below
  std::condition_variable to_send_, to_rest_;
  Queue queue_;
  std::size_t queue_bytes_ = 0;
  bool overflowed_ = false;
  Connection connection_;
  bool stopping_ = false;
  steady_clock::time_point latest_{};
  std::thread listening_, sending_;
  std::promise<void> listened_, sent_;
};

void Nats::Impl::start() {
  listening_ = std::thread([self = shared_from_this()] {
    self->keep_connected();
    self->listened_.set_value();
  });
  sending_ = std::thread([self = shared_from_this()] {
    self->send_on();
    self->sent_.set_value();
  });
}

void Nats::Impl::send(std::span<const Parcel> parcels) {
  Queue packed;
  std::size_t bytes = 0, unfit = 0;
  for (const auto& parcel : parcels) {
    auto event = pack(parcel.topics, parcel.event, kMessageMax - kHeadSize);
    if (event.empty()) {
      ++unfit;
      continue;
    }
    bytes += event.size();
    packed.push_back(std::move(event));
  }
  traffic.dropped += unfit;
  if (packed.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_bytes_ + bytes > queue_max_) {
      traffic.dropped += packed.size();
      overflowed_ = true;
    } else {
      queue_bytes_ += bytes;
      std::ranges::move(packed, std::back_inserter(queue_));
    }
  }
  to_send_.notify_one();
}

void Nats::Impl::stop(steady_clock::time_point latest) {
  if (!listening_.joinable()) return;
  // The threads do not take long: a moment is theirs even where there is none left.
  latest_ = std::max(latest, steady_clock::now() + milliseconds(200));
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  to_send_.notify_all();
  const bool sent = sent_.get_future().wait_until(latest_) == std::future_status::ready;
  sent ? sending_.join() : sending_.detach();
  to_rest_.notify_all();
  const auto end = std::max(latest_, steady_clock::now() + milliseconds(200));
  const bool listened = listened_.get_future().wait_until(end) == std::future_status::ready;
  listened ? listening_.join() : listening_.detach();
}

// ---- listening ----------------------------------------------------------------------------------

void Nats::Impl::keep_connected() {
  do {
    const auto connection = try_all();
    if (!connection) continue;
    if (!listen(connection)) continue;
    log::warning("bus.lost");
    doubted_(Doubt::cut_off);
  } while (rest());
}

// A moment between two tries; false when it is time to end.
bool Nats::Impl::rest() {
  std::unique_lock lock(mutex_);
  return !to_rest_.wait_for(lock, kRetry, [&] { return stopping_; });
}

Connection Nats::Impl::try_all() {
  std::string failure;
  for (const auto& address : addresses_) {
    auto [status, connection] = connect(address);
    if (connection) return connection;
    failure = natsStatus_GetText(status);
  }
  // Once per reason: it is tried twice a second.
  if (std::exchange(last_failure_, failure) != failure)
    log::warning("bus.away", {{"error", failure}});
  return {};
}

// False where it did not come to listening.
bool Nats::Impl::listen(const Connection& connection) {
  natsSubscription* made = nullptr;
  if (natsConnection_SubscribeSync(&made, connection.get(), subject_.c_str()) != NATS_OK)
    return false;
  const Subscription subscription(made, natsSubscription_Destroy);
  if (natsConnection_FlushTimeout(connection.get(), kConnectMs) != NATS_OK) return false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    connection_ = connection;
  }
  peers_.clear();
  last_failure_.clear();
  traffic.connected = true;
  log::info("bus.connected");
  doubted_(Doubt::joined);
  listen_on(made);
  traffic.connected = false;
  const std::lock_guard lock(mutex_);
  connection_.reset();
  return !stopping_;
}

void Nats::Impl::listen_on(natsSubscription* subscription) {
  for (;;) {
    natsMsg* raw = nullptr;
    const auto status = natsSubscription_NextMsg(&raw, subscription, kListen.count());
    const Message message(raw, natsMsg_Destroy);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (message)
      take({natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))});
    else if (status != NATS_TIMEOUT && status != NATS_SLOW_CONSUMER)
      return;
    if (peers_.forget_silent(steady_clock::now())) doubted_(Doubt::silent);
  }
}

void Nats::Impl::take(std::string_view bytes) {
  auto envelope = read_envelope(bytes);
  if (!envelope) {
    ++traffic.refused;
    return;
  }
  if (envelope->node == node_) return;
  const bool missed = peers_.hear(*envelope, steady_clock::now());
  traffic.received += envelope->parcels.size();
  for (auto& parcel : envelope->parcels) hear_(std::move(parcel));
  if (missed) doubted_(Doubt::missed);
}

// ---- sending ------------------------------------------------------------------------------------

void Nats::Impl::send_on() {
  for (bool last = false; !last;) {
    Queue events;
    Connection connection;
    {
      std::unique_lock lock(mutex_);
      to_send_.wait_for(lock, kBeat, [&] { return stopping_ || !queue_.empty(); });
      events.swap(queue_);
      queue_bytes_ = 0;
      connection = connection_;
      last = stopping_;
      // A number that nobody gets tells the others that they have missed something.
      if (std::exchange(overflowed_, false)) ++number_;
    }
    publish(events, connection);
    if (!last || !connection) continue;
    const auto left = std::chrono::duration_cast<milliseconds>(latest_ - steady_clock::now());
    natsConnection_FlushTimeout(connection.get(), std::max<std::int64_t>(left.count(), 1));
    natsConnection_Close(connection.get());
  }
}

void Nats::Impl::publish(const Queue& events, const Connection& connection) {
  if (events.empty()) return publish(open_envelope(node_, number_), 0, connection);
  auto most = kMessageMax;
  if (connection)
    most = std::min(most, static_cast<std::size_t>(natsConnection_GetMaxPayload(connection.get())));
  for (auto next = events.begin(); next != events.end();) {
    auto message = open_envelope(node_, ++number_);
    std::uint64_t count = 0;
    for (; next != events.end() && message.size() + next->size() <= most; ++next, ++count)
      message += *next;
    if (count > 0) {
      publish(message, count, connection);
    } else {  // too large for this NATS
      ++traffic.dropped;
      ++next;
    }
  }
}

void Nats::Impl::publish(const std::string& message, std::uint64_t count,
                         const Connection& connection) {
  const bool sent =
      connection && natsConnection_Publish(connection.get(), subject_.c_str(), message.data(),
                                           static_cast<int>(message.size())) == NATS_OK;
  (sent ? traffic.published : traffic.dropped) += count;
}

// ---- the outside --------------------------------------------------------------------------------

Nats::Nats(NatsOptions options, Hear hear, Doubted doubted)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(hear), std::move(doubted))) {}
Nats::~Nats() { impl_->stop(steady_clock::now()); }
void Nats::start() { impl_->start(); }
void Nats::send(std::span<const Parcel> parcels) { impl_->send(parcels); }
void Nats::stop(steady_clock::time_point latest) { impl_->stop(latest); }
const Traffic& Nats::traffic() const { return impl_->traffic; }

}  // namespace bottega::bus
