#pragma once
// The hot path of the chat: messages that arrive while others are being written are gathered and
// written together, in one transaction, with the same rules and into the same log as send(). A
// message alone waits for nothing.
#include <condition_variable>
#include <deque>
#include <mutex>

#include "bottega/conversations/conversations.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::conversations {

// What became of a message: its event as clients see it, or why there is none.
struct Sent {
  std::shared_ptr<const std::string> frame;
  std::exception_ptr failure;
};

class Writer {
 public:
  // At most `batch_max` messages are written together; where `waiting_max` wait already, the next
  // is refused with Error(busy).
  Writer(Database& db, std::size_t batch_max, std::size_t waiting_max)
      : db_(db), batch_max_(batch_max), waiting_max_(waiting_max) {}

  // Waits for what is being written.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Writes the message, in the order of the calls within a conversation. `done` is called once, on
  // any thread, when it is durable or refused; it must not block.
  using Done = std::function<void(Sent)>;
  void send(const Who& who, ConversationId conversation, NewMessage message, Done done);
  // The same for coroutines. Throws what send() of conversations.hpp throws.
  asio::awaitable<std::shared_ptr<const std::string>> send(const Who& who,
                                                           ConversationId conversation,
                                                           NewMessage message);

  struct Waiting {
    Who who;
    ConversationId conversation;
    NewMessage message;
    Done done;
  };

 private:
  bool take();
  void write_on();
  void written(std::exception_ptr failure);
  void write_alone(std::size_t i);
  void finish(std::exception_ptr failure);

  Database& db_;
  const std::size_t batch_max_, waiting_max_;
  std::mutex mutex_;  // owns waiting_ and is_writing_
  std::deque<Waiting> waiting_;
  std::condition_variable idle_;
  bool is_writing_ = false;
  // Of the batch that is being written; touched by nobody else meanwhile.
  std::vector<Waiting> batch_;
  std::vector<Sent> outcomes_;
};

}  // namespace bottega::conversations
