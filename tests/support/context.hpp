#pragma once
// Contexts to run coroutines in. They are kept and used again: a thread of the database that has
// posted into one may touch it for a moment after the posted work has run and all is done.
#include <boost/asio/io_context.hpp>
#include <memory>

namespace bottega::test {

// Lends a context that nobody else uses; it goes back when the borrower is destroyed.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  boost::asio::io_context& operator*() { return *context_; }
  boost::asio::io_context* operator->() { return context_.get(); }

 private:
  std::unique_ptr<boost::asio::io_context> context_;
};

}  // namespace bottega::test
