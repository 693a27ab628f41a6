// main() of every test program: quiet logs, and the things that all tests share are taken down at
// the end.
#include <gtest/gtest.h>
#include <signal.h>

#include "support/cluster.hpp"
#include "support/server.hpp"
#include "bottega/core/log.hpp"

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
