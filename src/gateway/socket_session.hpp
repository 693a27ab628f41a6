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

// Who speaks, and what is told of them with each request.
struct Caller {
  identity::Who who;
  std::string address, user_agent, request_id, trace_parent;
};

class SocketSession final : public Open,
                            public bus::Listener,
                            public std::enable_shared_from_this<SocketSession> {
 public:
  SocketSession(App& app, OpenList& list, Stream& stream, Request& request);
  ~SocketSession() override { --app_.metrics.sockets; }

  // Another thread has committed something.
  void offer(const bus::EventPtr& event) override;
  // Takes nothing new, and closes once what runs has been answered.
  void wind_down() override;
  void check() override;
  void cut() override { stream_.tcp().close(); }

  asio::awaitable<void> run(std::unique_ptr<Upgrade> upgrade);

 private:
  using Time = asio::steady_timer::time_point;
  // How long after signing in a client may take to say RESUME before live events begin without it.
  static constexpr auto kResumePatience = std::chrono::seconds(2);

  asio::awaitable<void> accept(const Upgrade& upgrade);

  // How it is to be closed where the session has ended while the connection was upgraded.
  asio::awaitable<std::optional<Close>> refusal_of(std::string token);
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
  void resumed(bool is_done);
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
  // Calls itself when the next of them is due; a coroutine would take four times the memory.
  void beat();
  void look_after(Time now);
  void ping(Time now);
  void look_for_pong();
  void loop_ended();
  Time token_ends() const;

  // The connection is let go once nothing uses it any more: no request, and neither loop.
  asio::awaitable<void> settle();

  App& app_;
  OpenList& list_;
  Stream& stream_;  // the connection's, which waits for settle()
  // The session outlives the stream while another thread still offers it an event.
  const asio::any_io_executor executor_;
  Wire wire_;
  boost::beast::websocket::stream<WireLayer> socket_;
  bool deflates_ = false;
  Caller caller_;
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
  int resuming_ = 0;  // RESUMEs that were asked for and not answered
  int loops_ = 0, insisting_ = 0;
  bool filling_ = false;
  std::optional<boost::beast::websocket::close_reason> closing_;
  bool ended_ = false, winding_down_ = false;
  bool is_pinging_ = false, has_ponged_ = true;
  // When each is due.
  Time auth_by_, ping_at_, pong_by_ = Time::max();
  Time release_at_ = Time::max(), check_at_ = Time::max();
  asio::steady_timer beat_, idle_, patience_;
  Feed feed_;
};

}  // namespace bottega::gateway
