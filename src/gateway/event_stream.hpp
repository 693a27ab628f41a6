#pragma once
// The events of a socket for whoever cannot use one: an event stream (WHATWG HTML, 9.2) over HTTP.
// The same feed, so each durable event comes once and in order; the id of an event says where to go
// on after a break. Lives on one thread.
#include <boost/asio/steady_timer.hpp>

#include "gateway/attendance.hpp"
#include "gateway/close_code.hpp"
#include "gateway/connection.hpp"
#include "gateway/event_mark.hpp"
#include "gateway/feed.hpp"
#include "gateway/insist.hpp"
#include "gateway/mailbox.hpp"
#include "gateway/topics.hpp"

namespace bottega::gateway {

class EventStream final : public Open,
                          public bus::Listener,
                          public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(App& app, OpenList& list, Stream& stream, identity::Who who,
              std::optional<Mark> resumed);
  ~EventStream() override { --app_.metrics.sockets; }

  // Another thread has committed something.
  void offer(const bus::EventPtr& event) override;
  void wind_down() override;
  void check() override;
  void cut() override { stream_.tcp().close(); }

  // Until the client goes, or the stream has to end. The head has been written; `chunked` says how
  // the body is.
  asio::awaitable<void> run(bool chunked);

 private:
  asio::awaitable<void> begin();
  asio::awaitable<void> resume();
  asio::awaitable<void> join();
  asio::awaitable<void> join_or_end();

  void read_mail();
  void hear(const bus::EventPtr& event);
  void catch_up();
  void insist_on(Work work);
  asio::awaitable<void> keep_on(Work work);

  // A frame as a socket would get it.
  void send(const std::string& frame);
  void send_block(std::string_view event, std::string_view data);
  // Queues it; a reader that owes us too much is cut off and resumes later.
  void put(std::string block);
  // Says why, and ends the stream; the peer has a few seconds to take what is queued.
  void end(Close code, std::string_view reason);

  asio::awaitable<void> write_loop(bool chunked);
  asio::awaitable<bool> write(std::string_view bytes);
  void keep_alive();
  // Notices that the client is gone; what it sends is thrown away, within bounds.
  asio::awaitable<void> watch();
  asio::awaitable<void> settle();

  App& app_;
  OpenList& list_;
  Stream& stream_;
  const asio::any_io_executor executor_;
  const identity::Who who_;
  std::optional<Mark> resumed_;
  Trail progress_;
  Attendance attendance_;
  Topics topics_;
  Mailbox<bus::EventPtr> mail_;
  std::string pending_, sending_;
  bool ending_ = false, gone_ = false, filling_ = false;
  bool live_ = false;           // what was missed has been sent
  std::size_t without_id_ = 0;  // events that were missed and sent without one
  int working_ = 0;
  asio::steady_timer::time_point check_at_ = asio::steady_timer::time_point::max();
  asio::steady_timer wake_, idle_, patience_;
  Feed feed_;
};

// The stream of `who`, resumed where the request has a Last-Event-ID.
asio::awaitable<void> serve_events(App& app, OpenList& list, Stream& stream, const Request& request,
                                   identity::Who who, bool chunked);

}  // namespace bottega::gateway
