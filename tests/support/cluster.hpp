#pragma once
// A private PostgreSQL for one test program, and databases in it: migrated once, copied per need.
#include <filesystem>
#include <memory>
#include <string>

namespace bottega::storage {
class EmbeddedPostgres;
}

namespace bottega::test {

// A directory of its own, removed in the end: in memory where there is much room, for to make and
// remove the thousands of files of a database takes a disk's file system longer than the tests;
// else below the system's temporary one, and always where TMPDIR says so.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Connection strings of one database, by role.
struct Urls {
  std::string app, owner, sandbox, superuser, name;
};

class Cluster {
 public:
  // The cluster of this program; started on the first call.
  static Cluster& shared();
  static void stop_shared();

  Cluster();
  ~Cluster();
  // A new database with the schema of this program; copying takes some 50 ms.
  Urls fresh_database();
  // A new database with nothing in it.
  Urls empty_database();
  // One of the shared cluster; what is not dropped goes with it.
  static void drop_shared(const Urls& urls) noexcept;

 private:
  Urls urls_of(const std::string& database) const;
  std::string next_name();

  TempDir dir_;
  std::unique_ptr<storage::EmbeddedPostgres> postgres_;
  int made_ = 0;
};

// A fresh database of the cluster of this program, dropped in the end.
class BorrowedDatabase {
 public:
  BorrowedDatabase() : urls_(Cluster::shared().fresh_database()) {}
  ~BorrowedDatabase() { Cluster::drop_shared(urls_); }
  BorrowedDatabase(const BorrowedDatabase&) = delete;
  BorrowedDatabase& operator=(const BorrowedDatabase&) = delete;
  const Urls& urls() const { return urls_; }

 private:
  Urls urls_;
};

// Runs statements, which may not have arguments, with the rights of the URL's role; answers the
// first value of the last result as text, or "".
std::string execute(const std::string& url, const std::string& statements);

}  // namespace bottega::test
