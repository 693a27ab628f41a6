#pragma once
// Where the bytes are: a directory of this machine, or a bucket of an S3-compatible store. Keys are
// made by us, never by users. Whatever is put is checked before and never changes afterwards.
#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "bottega/core/clock.hpp"
#include "bottega/core/text.hpp"
#include "bottega/core/workers.hpp"

namespace bottega::attachments {

// A file on this machine on its way into the store.
struct Spooled {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::string sha256;  // in hexadecimal
};

// A piece of an object.
struct Piece {
  std::uint64_t first = 0, length = 0;
};

class Reading {
 public:
  virtual ~Reading() = default;
  // The next bytes, valid until the next call; none at the end. Throws Error where they cannot be
  // had.
  virtual asio::awaitable<std::string_view> next() = 0;
};

// What a link that asks the store itself should answer with.
struct Presented {
  std::string media_type, disposition;
  std::chrono::seconds life{0};
};

class Store {
 public:
  virtual ~Store() = default;
  // Returns when it is durable; the file may be gone then. Putting the same again is fine.
  virtual asio::awaitable<void> put(const std::string& key, const Spooled& file) = 0;
  // Throws Error(not_found) where there is no such object.
  virtual asio::awaitable<std::unique_ptr<Reading>> get(const std::string& key, Piece piece) = 0;
  // What is not there is fine.
  virtual asio::awaitable<void> remove(const std::string& key) = 0;
  // An address from which the object can be had without us; empty where there is none.
  virtual std::string link(const std::string& key, const Presented& presented) = 0;
};

// Files in sharded folders: written under another name, synced, renamed. `files` does the work.
std::unique_ptr<Store> make_directory_store(const std::filesystem::path& folder, Workers& files);

struct S3Options {
  std::string url, bucket, region, access_key;
  Secret secret_key;
  std::chrono::milliseconds timeout{20'000};  // of silence
};
// Requests are signed with AWS Signature Version 4, path style. Throws Error(internal) with words
// for the operator where an option is missing.
std::unique_ptr<Store> make_s3_store(const S3Options& options, const Clock& clock, Workers& files);

}  // namespace bottega::attachments
