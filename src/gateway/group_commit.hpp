#pragma once
// Requests of one kind that arrive while others are being written are gathered and written together
// (group commit), each exactly once: in one transaction, with the replies that are kept under their
// keys. One that is alone waits for nothing; where many come, the next batch waits a moment for
// more, for what a batch costs is mostly its own.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>

#include "gateway/once.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::gateway {

class GroupCommit {
 public:
  // One request; whoever writes them adds what is asked.
  struct Part {
    virtual ~Part() = default;
    std::optional<OnceKey> key;

    // What became of it: one of these. A refusal leaves nothing behind, and no key.
    std::optional<Reply> reply;
    std::optional<Flow> begun;  // of a flow that goes on
    std::exception_ptr refusal;

   private:
    friend class GroupCommit;
    std::function<void(std::exception_ptr)> done;
  };
  // Does all of them in the transaction and says what became of each. It may be called again, after
  // a rollback or with other parts.
  using Write = std::function<void(Tx&, std::span<Part* const>)>;

  // What becomes of the keys: they are claimed with the replies; they are claimed with what was
  // begun; or the flows that end here hold them, and the replies are kept under them.
  enum class Keys : std::uint8_t { replied, begun, held };

  // At most `batch_max` are written together; where `waiting_max` wait, the next is refused. The
  // executor keeps the time, and outlives this.
  GroupCommit(Database& db, const asio::any_io_executor& timer, Write write, std::size_t batch_max,
              std::size_t waiting_max, Keys keys = Keys::replied);
  // Waits for what is being written.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Throws the refusal, and Error(busy). Without a reply, and where nothing was begun, the request
  // is to be done by itself: it was done before, whoever writes has left it out, or the database
  // refused one of those that it was with.
  asio::awaitable<std::optional<Reply>> write(std::shared_ptr<Part> part);

 private:
  using Parts = std::vector<std::shared_ptr<Part>>;

  void add(std::shared_ptr<Part> part);
  void write_on();
  void write_next();
  bool linger();
  bool take();
  // False where the database takes nothing more; then it has been answered.
  bool write_batch();
  void run(Tx& tx);
  // False where somebody has used one of the keys meanwhile.
  bool keep(Tx& tx, const std::vector<Part*>& parts) const;
  void finish(std::exception_ptr failure);

  Database& db_;
  const Write write_;
  const std::size_t batch_max_, waiting_max_;
  const Keys keys_;
  std::mutex mutex_;  // owns waiting_, is_writing_, is_lingering_ and linger_
  std::deque<std::shared_ptr<Part>> waiting_;
  std::condition_variable idle_;
  bool is_writing_ = false;
  bool is_lingering_ = false;
  asio::steady_timer linger_;
  Parts batch_;  // touched only by whoever writes
};

}  // namespace bottega::gateway
