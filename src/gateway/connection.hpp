#pragma once
// One connection, from its first byte to its last: HTTP requests one after another, or a WebSocket.
#include <memory>

#include "gateway/app.hpp"
#include "gateway/stream.hpp"

namespace bottega::gateway {

// Something open that a server must be able to tell something, such as that it stops.
class Open {
 public:
  virtual ~Open() = default;
  // Finish what runs, take nothing new. Called on the connection's own thread.
  virtual void wind_down() = 0;
  // A change of membership, or the end of the session, may have been missed: ask the database, at a
  // moment of one's own.
  virtual void check() {}
  // Let go now.
  virtual void cut() = 0;
};

// The open connections of one thread. Only that thread touches it.
class OpenList {
 public:
  void add(Open* open) { open_.push_back(open); }
  void remove(Open* open) { std::erase(open_, open); }
  std::vector<Open*> all() const { return open_; }

 private:
  std::vector<Open*> open_;
};

// A connection that has become a WebSocket's, and what it was asked for with.
struct Upgrade {
  std::unique_ptr<Stream> stream;
  Request request;
  std::string target;
  std::optional<std::string> token;  // the bearer token, which is valid
};

// Serves a connection until it ends.
asio::awaitable<void> serve(App& app, OpenList& list, std::unique_ptr<Stream> stream);

// Goes on with an upgraded connection (socket_session.cpp).
asio::awaitable<void> serve_socket(App& app, OpenList& list, std::unique_ptr<Upgrade> upgrade);

}  // namespace bottega::gateway
