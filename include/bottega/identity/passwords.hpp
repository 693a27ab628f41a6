#pragma once
// Passwords are hashed with argon2id (RFC 9106) on threads of their own: it takes tens of
// milliseconds and megabytes, which no event loop and no database thread should pay.
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>

#include "bottega/core/text.hpp"

namespace bottega::identity {
namespace asio = boost::asio;

struct PasswordCost {
  std::uint64_t passes;
  std::size_t memory_bytes;
};

// The PHC string "$argon2id$…".
std::string hash_password(const Secret& password, PasswordCost cost);
// Takes the same time whether or not it matches.
bool password_matches(const std::string& hash, const Secret& password);

class Passwords {
 public:
  Passwords(PasswordCost cost, unsigned threads, unsigned waiting_max);
  ~Passwords();

  // One place in the queue, for whoever must know that there is one before they begin. Throws
  // Error(busy) where too many wait.
  class Place {
   public:
    explicit Place(Passwords& in);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class Passwords;
    void leave();  // the work begins

    std::atomic<unsigned>* waiting_;
  };

  // Both throw Error(busy) where too many wait.
  asio::awaitable<std::string> hash(const Secret& password);
  // Without a hash (no such account) it works as long as with one, and says no.
  asio::awaitable<bool> matches(const std::optional<std::string>& hash, const Secret& password);
  // The same at a place that was taken before.
  asio::awaitable<bool> matches(Place& place, const std::optional<std::string>& hash,
                                const Secret& password);

 private:
  PasswordCost cost_;
  unsigned waiting_max_;
  std::atomic<unsigned> waiting_{0};
  std::string nobody_;  // the hash of a password that nobody has
  asio::thread_pool threads_;
};

}  // namespace bottega::identity
