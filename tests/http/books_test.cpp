// The books as a file, added up by Beancount; and as they were at an instant.
#include <fstream>
#include <sstream>

#include "http/story.hpp"

namespace bottega::test {
namespace books_test {

class Books : public testing::Test {
 protected:
  // A server of its own: its clock is moved, and nobody else writes in its books.
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
    const auto sent = sell(*shop_, 10'017);
    ship(*shop_, sent);
    auto buyer = shop_->buyer.api;
    const auto cancelled = sell(*shop_, 2'500);
    buyer.post("/v1/orders/" + std::string(cancelled["id"]) + "/cancel", {{"reason", "No more."}});
    for (int i = 0; i < 8; ++i) advance(86'400);
    const auto path = "/v1/admin/merchants/" + shop_->merchant + "/ledger";
    ASSERT_TRUE(soon([&] { return get(path).json()["data"].size() == 8; }));
    advance(120);
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  static void advance(int seconds) {
    auto ops = staff(house_->server);
    ASSERT_EQ(ops.post("/v1/admin/clock/advance", {{"advance_s", seconds}}).status, 200);
    ops.post("/v1/admin/jobs/run");
  }
  static Answer get(const std::string& path) { return staff(house_->server).get(path); }
  static Answer exported(const std::string& query) {
    return get("/v1/admin/ledger/export" + query);
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

Ran bean_check(const std::string& text) {
  const TempDir dir;
  const auto path = (dir.path() / "books.beancount").string();
  std::ofstream(path) << text;
  return run_program("bean-check " + path);
}

TEST_F(Books, ComeAsAFileThatBeancountFindsInOrder) {
  const auto answer = exported("?format=beancount");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(answer.body.find("\"capture\" \"pay_"), std::string::npos);
  EXPECT_NE(answer.body.find("\"payout\" \"batch_"), std::string::npos);
  EXPECT_NE(answer.body.find(" balance Liabilities:Held  0.00 USD"), std::string::npos)
      << answer.body;
  const auto ran = bean_check(answer.body);
  EXPECT_EQ(ran.status, 0) << ran.output << answer.body;
}

TEST_F(Books, WithOneAmountChangedAreFoundOutByBeancount) {
  auto text = exported("?format=beancount").body;
  const auto at = text.find("100.17 USD");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "100.18 USD");
  EXPECT_NE(bean_check(text).status, 0);
}

TEST_F(Books, WithATransferLeftOutAreFoundOutByBeancount) {
  auto text = exported("?format=beancount").body;
  const auto at = text.find("\"payout\"");
  ASSERT_NE(at, std::string::npos);
  const auto from = text.rfind("\n\n", at), to = text.find("\n\n", at);
  text.erase(from, to - from);
  EXPECT_NE(bean_check(text).status, 0);
}

TEST_F(Books, ComeAsCsvWithEveryTransferOnALine) {
  const auto answer = exported("");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/csv; charset=utf-8");
  EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
  std::istringstream lines(answer.body);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line,
            "id,at,why,about,phase,pending_id,debit_kind,debit_owner,credit_kind,credit_owner,"
            "amount,currency\r");
  std::size_t rows = 0;
  for (; std::getline(lines, line); ++rows) {
    EXPECT_EQ(std::ranges::count(line, ','), 11) << line;
    EXPECT_EQ(line.substr(line.size() - 5), ",USD\r") << line;
  }
  EXPECT_EQ(rows, get("/v1/admin/merchants/" + shop_->merchant + "/ledger").json()["data"].size());
}

TEST_F(Books, OfTheLastMinuteAreNotClosed) {
  const std::string now = get("/v1/admin/clock").json()["now"];
  EXPECT_TRUE(is_problem(exported("?until=" + now), 422, "invalid"));
  EXPECT_TRUE(is_problem(exported("?format=xlsx"), 422, "invalid"));
  EXPECT_EQ(exported("?until=2001-01-01T00:00:00Z").body.find("tra_"), std::string::npos);
}

TEST_F(Books, AreReadByAClientWithoutChunks) {
  const auto token = staff(house_->server).token();
  const auto whole = exported("?until=2100-01-01T00:00:00Z");
  EXPECT_EQ(whole.status, 422);
  const auto answer =
      raw(house_->server.port(),
          "GET /v1/admin/ledger/export HTTP/1.0\r\nAuthorization: Bearer " + token + "\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("transfer-encoding"), "");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.body, exported("").body);
}

TEST_F(Books, CanBeSeenAsTheyWere) {
  const auto now = get("/v1/admin/ledger/trial_balance").json();
  EXPECT_TRUE(now["is_balanced"]);
  EXPECT_FALSE(now["accounts"].empty());
  const auto before = get("/v1/admin/ledger/trial_balance?at=2001-01-01T00:00:00Z").json();
  EXPECT_TRUE(before["accounts"].empty());
  const auto path = "/v1/admin/merchants/" + shop_->merchant + "/balances";
  const auto balances = get(path).json();
  EXPECT_EQ(balances["accounts"], now["accounts"]) << "of the only shop";
  EXPECT_TRUE(get(path + "?at=2001-01-01T00:00:00Z").json()["accounts"].empty());
  EXPECT_TRUE(is_problem(get(path + "?at=yesterday"), 422, "invalid"));
}

TEST_F(Books, OfAPersonAreEmptyWithoutAWallet) {
  const auto path = "/v1/admin/accounts/" + shop_->buyer.id;
  EXPECT_TRUE(get(path + "/balances").json()["accounts"].empty());
  EXPECT_TRUE(get(path + "/ledger").json()["data"].empty());
}

}  // namespace books_test
}  // namespace bottega::test
