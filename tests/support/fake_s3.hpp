#pragma once
// An S3 of our own as a child process, which verifies signatures by code that shares nothing with
// ours.
#include <sys/types.h>

#include <string>
#include <vector>

namespace bottega::test {

class FakeS3 {
 public:
  FakeS3();
  ~FakeS3();
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  std::uint16_t port() const { return port_; }
  // The settings of a server that keeps its files there.
  std::vector<std::string> settings() const;
  std::size_t objects() const;
  // Answers the next so many requests with 503.
  void fail(int requests) const;

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace bottega::test
