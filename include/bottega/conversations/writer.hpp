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
  // is refused with Error(busy). The database is one with options_from().
  Writer(Database& db, std::size_t batch_max, std::size_t waiting_max);

  // One connection, for the statement that writes messages: it is a transaction of its own, and has
  // one good plan, which is by the keys whatever the statistics say.
  static DatabaseOptions options_from(DatabaseOptions options);

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

 private:
  struct Waiting {
    Who who;
    ConversationId conversation;
    NewMessage message;
    Done done;
  };
  class Batch;
  struct Knowledge;

  bool take();
  void write_on();
  // False where the database takes nothing more; then it has been answered.
  bool write_batch();
  void written(std::exception_ptr failure);
  void write_alone(std::vector<std::size_t> which, std::size_t next);
  void answer_away(std::size_t next);
  void finish(std::exception_ptr failure);

  Database& db_;
  const std::size_t batch_max_, waiting_max_;
  std::mutex mutex_;  // owns waiting_ and is_writing_
  std::deque<Waiting> waiting_;
  std::condition_variable idle_;
  bool is_writing_ = false;
  // Touched only by whoever writes.
  std::unique_ptr<Knowledge> knowledge_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace bottega::conversations
