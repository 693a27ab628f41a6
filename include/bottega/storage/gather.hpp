#pragma once
// Writes of one kind that come while others are being written are gathered and written together, in
// one transaction whatever their number (group commit). One that is alone waits for nothing.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>

#include "bottega/storage/database.hpp"

namespace bottega {

class Gather {
 public:
  // One of them; whoever writes them adds what is asked and what became of it.
  struct Part {
    virtual ~Part() = default;

   private:
    friend class Gather;
    std::function<void(std::exception_ptr)> done;
  };
  // Does all of them in the transaction and says in each what became of it. It may be called again,
  // after a rollback.
  using Write = std::function<void(Tx&, std::span<Part* const>)>;

  // At most `batch_max` are written together; where `waiting_max` wait, the next is refused.
  Gather(Database& db, Mode mode, Write write, std::size_t batch_max, std::size_t waiting_max);
  // Waits for what is being written.
  ~Gather();
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  // Whether it is durable; where it is not, it is to be done by itself, for the database has
  // refused one of those that it was with. Throws Error(busy).
  asio::awaitable<bool> write(std::shared_ptr<Part> part);

 private:
  using Parts = std::vector<std::shared_ptr<Part>>;

  void add(std::shared_ptr<Part> part);
  void write_on();
  bool take();
  // False where the database takes nothing more; then it has been answered.
  bool write_batch();
  void finish(std::exception_ptr failure);

  Database& db_;
  const Mode mode_;
  const Write write_;
  const std::size_t batch_max_, waiting_max_;
  std::mutex mutex_;  // owns waiting_ and is_writing_
  std::deque<std::shared_ptr<Part>> waiting_;
  std::condition_variable idle_;
  bool is_writing_ = false;
  Parts batch_;  // touched only by whoever writes
};

// What goes wrong with many may be the fault of one; but where the database serves nobody, asking
// it again for each would make it worse.
bool is_of_one(std::exception_ptr failure);

}  // namespace bottega
