#include "support/fake_s3.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "support/http.hpp"

namespace bottega::test {
namespace {

constexpr const char* kBucket = "files";
constexpr const char* kAccess = "AKIDEXAMPLE";
constexpr const char* kSecret = "a secret key/of+the tests";

}  // namespace

FakeS3::FakeS3() {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execlp("python3", "python3", BOTTEGA_SOURCE_DIR "/tests/support/fake_s3.py", kBucket, kAccess,
           kSecret, static_cast<char*>(nullptr));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  in_ = in[1];
  out_ = out[0];
  std::string line;
  while (!line.ends_with('\n')) {
    pollfd waiting{out_, POLLIN, 0};
    char c = 0;
    if (poll(&waiting, 1, 20'000) != 1 || read(out_, &c, 1) != 1)
      throw std::runtime_error("the S3 of the tests did not come up");
    line += c;
  }
  port_ = static_cast<std::uint16_t>(std::stoi(line));
}

FakeS3::~FakeS3() {
  close(in_);  // it ends with its input
  close(out_);
  waitpid(pid_, nullptr, 0);
}

std::vector<std::string> FakeS3::settings() const {
  return {"attachments.s3_url=http://127.0.0.1:" + std::to_string(port_),
          std::string("attachments.s3_bucket=") + kBucket,
          std::string("attachments.s3_access_key=") + kAccess,
          std::string("attachments.s3_secret_key=") + kSecret, "attachments.s3_region=eu-test-1"};
}

std::size_t FakeS3::objects() const { return Client(port_).get("/_objects").json().size(); }

void FakeS3::fail(int requests) const {
  Client(port_).send("POST", "/_fail?n=" + std::to_string(requests), "", {});
}

}  // namespace bottega::test
