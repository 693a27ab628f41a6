// main() of every test program: quiet logs, and the things that all tests share are taken down at
// the end.
#include <gtest/gtest.h>
#include <signal.h>

#include "support/cluster.hpp"
#include "support/server.hpp"
#include "bottega/core/log.hpp"

// The count of references to an exception is atomic inside libstdc++.so, where ThreadSanitizer
// does not look: it takes the last release for a race with a reader on another thread.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}

namespace {

struct Shared : testing::Environment {
  void TearDown() override {
    bottega::test::Server::stop_shared();
    bottega::test::Cluster::stop_shared();
  }
};

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  bottega::log::open(bottega::log::Level::error, "");
  testing::AddGlobalTestEnvironment(new Shared);
  return RUN_ALL_TESTS();
}
