#pragma once
// A WebSocket (RFC 6455): requests in JSON frames go through the same dispatcher as HTTP; committed
// events come out, each once and in order. Lives on one thread. What the client asks is in
// socket_requests.cpp, the life of the connection in socket_session.cpp.
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <variant>

#include "gateway/attendance.hpp"
#include "gateway/close_code.hpp"
#include "gateway/connection.hpp"
#include "gateway/feed.hpp"
#include "gateway/insist.hpp"
#include "gateway/mailbox.hpp"
#include "gateway/topics.hpp"
#include "gateway/wire.hpp"

namespace bottega::gateway {

class SocketSession final : public Open,
                            public bus::Listener,
                            public std::enable_shared_from_this<SocketSession> {
 public:
  SocketSession(App& app, OpenList& list, Stream& stream, Request request);
  ~SocketSession() override { --app_.metrics.sockets; }

  // Another thread has committed something.
  void offer(const bus::EventPtr& event) override;
  // Takes nothing new, and closes once what runs has been answered.
  void wind_down() override;
  void check() override;
  void cut() override { stream_.tcp().close(); }

  asio::awaitable<void> run(const std::string& target, std::optional<std::string> token);

 private:
  asio::awaitable<void> accept(const std::string& target);

  // False where the session ended while the connection was upgraded.
  asio::awaitable<bool> is_let_in(std::string token);
  asio::awaitable<void> sign_in(std::string token);

  // Listens to what one belongs to now, and no longer to what one has left. It listens to news of
  // its own end and membership first and asks then, so that neither can slip through between.
  asio::awaitable<void> join();
  asio::awaitable<void> read_loop();

  // One frame from the client. What cannot be read closes the socket: the client is broken.
  void take(std::string_view text);

  // A message goes to the writer, which keeps the order: the next need not wait for it.
  void say(const Frame& frame, const std::string& lane);
  struct Said {
    std::string id, lane;
    std::chrono::steady_clock::time_point started;
    conversations::Sent sent;
  };
  void said(const Said& said);
  void start(Frame frame);

  // Requests on one conversation take effect in the order in which they were sent.
  void run_lane(const std::string& lane);
  asio::awaitable<void> work_lane(std::string lane);
  asio::awaitable<void> work(Frame frame);
  void finished();
  void fail(const Frame& frame, std::exception_ptr failure);
  asio::awaitable<void> auth(const Frame& frame);
  asio::awaitable<void> resume(const Frame& frame);
  void check_token();
  asio::awaitable<void> request(const Frame& frame);
  void reply(const std::string& id, const Reply& given);
  // What another thread has to tell: an event, or what became of a message.
  using Mail = std::variant<bus::EventPtr, Said>;
  void post(Mail mail);
  void read_mail();
  void hear(const bus::EventPtr& event);
  void join_more();
  asio::awaitable<void> join_or_end();
  void release();
  void catch_up();

  // Where the database has no time for what the listener must get, the socket is closed in the end,
  // so that the client knows that it has to resume.
  void insist_on(Work work);
  asio::awaitable<void> keep_on(Work work);

  // Queues a frame; a reader that owes us too much is cut off and resumes later.
  void push_text(const std::string& text);
  void close(Close code, std::string_view reason);

  // The peer has a few seconds to take what is queued and to answer.
  asio::awaitable<void> say_goodbye();

  // Pings a silent peer, ends a socket whose token has expired, and one that never says who it is.
  asio::awaitable<void> beat_loop();
  void loop_ended();
  std::chrono::steady_clock::time_point token_ends() const;
  asio::awaitable<std::chrono::steady_clock::time_point> ping();

  // The connection is let go once nothing uses it any more: no request, and neither loop.
  asio::awaitable<void> settle();

  App& app_;
  OpenList& list_;
  Stream& stream_;  // the connection's, which waits for settle()
  // The session outlives the stream while another thread still offers it an event.
  const asio::any_io_executor executor_;
  Wire wire_;
  // Without permessage-deflate: no inflated bombs.
  boost::beast::websocket::stream<WireLayer, false> socket_;
  Request request_;  // the upgrade; its `who` is the socket's user
  Attendance attendance_;
  Topics topics_;
  Mailbox<Mail> mail_;
  // What is under way on one conversation: messages at the writer, and what waits behind them.
  struct Lane {
    std::deque<Frame> waiting;
    int spoken = 0;
  };
  std::map<std::string, Lane> lanes_;
  std::int64_t in_flight_ = 0;
  int loops_ = 0, insisting_ = 0;
  bool filling_ = false;
  std::optional<boost::beast::websocket::close_reason> closing_;
  bool ended_ = false, winding_down_ = false;
  std::uint64_t pongs_ = 0;
  asio::steady_timer::time_point release_at_ = asio::steady_timer::time_point::max();
  asio::steady_timer::time_point check_at_ = asio::steady_timer::time_point::max();
  asio::steady_timer beat_, idle_, patience_;
  Feed feed_;
};

}  // namespace bottega::gateway
