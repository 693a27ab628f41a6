// Large files go through the server without being in it: its memory stays as it was.
#include <fstream>
#include <thread>

#include "http/attachments.hpp"

namespace bottega::test {
namespace attachments_memory_test {

constexpr std::size_t kMega = 1'048'576, kLarge = 100 * kMega;

// "VmRSS", "VmHWM" of a process, in bytes.
std::size_t memory_of(pid_t pid, const std::string& what) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what + ":")) return std::stoul(line.substr(what.size() + 1)) * 1'024;
  throw std::runtime_error("no " + what);
}

// AddressSanitizer keeps what was freed for a while: that is not the server's memory.
class WithoutQuarantine {
 public:
  WithoutQuarantine() {
    const char* given = getenv("ASAN_OPTIONS");
    if (given != nullptr) before_ = given;
    setenv("ASAN_OPTIONS", (before_ + ":quarantine_size_mb=1").c_str(), 1);
  }
  ~WithoutQuarantine() { setenv("ASAN_OPTIONS", before_.c_str(), 1); }

 private:
  std::string before_;
};

class LargeFiles : public testing::Test {
 protected:
  LargeFiles() : house({"stop.grace_s=3"}), shop(chat(house.server)) {
    // What a first file of each kind costs once.
    download(house.server, uploaded(shop, shop.buyer.api, {a_pdf(kMega)})["url"]);
  }

  std::size_t now() const { return memory_of(house.server.pid(), "VmRSS"); }
  std::size_t most() const { return memory_of(house.server.pid(), "VmHWM"); }

  Json upload_large() const {
    Wire wire(house.server.port());
    wire.send(
        upload_head(shop, shop.buyer.api, "Content-Length: " + std::to_string(kLarge) + "\r\n"));
    wire.send(a_pdf(kMega));
    const std::string piece(kMega, 'x');
    for (std::size_t sent = kMega; sent < kLarge; sent += kMega)
      if (!wire.send(piece)) break;
    const auto answer = wire.answer();
    if (answer.status != 201) throw std::runtime_error("not uploaded: " + answer.body);
    return answer.json();
  }
  std::string ask_for(const Json& file) const {
    return "GET " + path_of_link(file["url"]) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }

  WithoutQuarantine quarantine;
  House house;
  Storefront shop;
};

TEST_F(LargeFiles, PassThroughInLittleMemory) {
  const auto before = most();
  const auto file = upload_large();
  EXPECT_EQ(file["bytes"], kLarge);
  Wire wire(house.server.port());
  ASSERT_TRUE(wire.send(ask_for(file)));
  EXPECT_TRUE(wire.head().starts_with("HTTP/1.1 200"));
  EXPECT_EQ(wire.skip(kLarge), kLarge);
  const auto grown = most() - before;
  RecordProperty("grown_bytes", static_cast<int>(grown));
  EXPECT_LT(grown, 32 * kMega) << "for 100 MB up and 100 MB down";
}

TEST_F(LargeFiles, AHundredAtOnceTakeLittleMemory) {
  const auto file = upload_large();
  const auto before = most();
  // Clients that ask and then read slowly: each holds a piece, none the file.
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 100; ++i) {
    wires.push_back(std::make_unique<Wire>(house.server.port()));
    ASSERT_TRUE(wires.back()->send(ask_for(file)));
  }
  for (const auto& wire : wires) {
    ASSERT_TRUE(wire->head().starts_with("HTTP/1.1 200"));
    EXPECT_EQ(wire->skip(2 * kMega), 2 * kMega);
  }
  const auto grown = most() - before;
  RecordProperty("grown_bytes", static_cast<int>(grown));
  EXPECT_LT(grown, 64 * kMega) << "for 100 downloads of 100 MB";
}

TEST(SlowReader, IsCutOffInTheEnd) {
  House house({"http.write_timeout_s=1", "attachments.rate_min_bytes_per_s=100000000"});
  const auto shop = chat(house.server);
  const auto file = uploaded(shop, shop.buyer.api, {a_pdf(20 * kMega)});
  Wire wire(house.server.port());
  ASSERT_TRUE(wire.send("GET " + path_of_link(file["url"]) + " HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(wire.head().starts_with("HTTP/1.1 200"));
  // It reads nothing; the only connection that is left in the end is the one that asks.
  const auto is_cut = [&] {
    const auto page = Client(house.server.port()).get("/metrics").body;
    return page.find("kind=\"connections\"} 1\n") != std::string::npos;
  };
  EXPECT_TRUE(soon(is_cut, std::chrono::seconds(15)));
  EXPECT_LT(wire.skip(20 * kMega), 20 * kMega);
}

}  // namespace attachments_memory_test
}  // namespace bottega::test
