// Objects in a bucket. A put is one request of known length with the hash of its bytes signed, so a
// damaged one is refused by the store; it is tried again, for the bytes are in a file.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <vector>

#include "attachments/files.hpp"
#include "attachments/s3_link.hpp"
#include "attachments/sigv4.hpp"
#include "bottega/attachments/store.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"

namespace bottega::attachments {
namespace {

constexpr std::size_t kSendSize = 65'536, kRefusalMax = 2'048;
constexpr int kTries = 3;
constexpr auto kPause = std::chrono::milliseconds(200);

class S3Reading final : public Reading {
 public:
  S3Reading(std::unique_ptr<S3Link> link, std::uint64_t length)
      : link_(std::move(link)), left_(length) {}

  asio::awaitable<std::string_view> next() override {
    if (left_ == 0) {
      co_return std::string_view();
    }
    std::string_view bytes;
    try {
      bytes = co_await link_->read();
    } catch (const NoAnswer& failure) {
      throw Error(Code::internal, "S3 broke off: " + failure.why);
    }
    if (bytes.empty()) throw Error(Code::internal, "S3 ended an object too early");
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= bytes.size();
    co_return bytes;
  }

 private:
  std::unique_ptr<S3Link> link_;
  std::uint64_t left_;
};

struct Ask {
  std::string method, key;
  std::string payload_sha256;
  std::optional<Piece> piece;
  const Spooled* file = nullptr;
};

struct Answered {
  std::unique_ptr<S3Link> link;
  S3Answer answer;
};

class S3Store final : public Store {
 public:
  S3Store(const S3Options& options, S3Address address, const Clock& clock, Workers& files)
      : address_(std::move(address)),
        bucket_(options.bucket),
        keys_{options.access_key, options.secret_key, options.region},
        timeout_(options.timeout),
        clock_(clock),
        files_(files) {}

  asio::awaitable<void> put(const std::string& key, const Spooled& file) override {
    const Ask ask{"PUT", key, file.sha256, std::nullopt, &file};
    const auto answered = co_await insist(ask);
    if (answered.answer.status != 200) co_await refuse(*answered.link, answered.answer, ask);
    auto work = [&] { remove_file(file.path); };
    co_await files_.run(work);
  }

  asio::awaitable<std::unique_ptr<Reading>> get(const std::string& key, Piece piece) override {
    const Ask ask{"GET", key, sha256_hex(""), piece, nullptr};
    auto answered = co_await insist(ask);
    const auto status = answered.answer.status;
    if (status == 404) throw Error(Code::not_found, "there is no such thing, or it is not yours");
    if (status != 206 || answered.answer.length != piece.length)
      co_await refuse(*answered.link, answered.answer, ask);
    co_return std::make_unique<S3Reading>(std::move(answered.link), piece.length);
  }

  asio::awaitable<void> remove(const std::string& key) override {
    const Ask ask{"DELETE", key, sha256_hex(""), std::nullopt, nullptr};
    const auto answered = co_await insist(ask);
    const auto status = answered.answer.status;
    if (status != 204 && status != 200 && status != 404)
      co_await refuse(*answered.link, answered.answer, ask);
  }

  std::string link(const std::string& key, const Presented& presented) override {
    const SigV4Request request{"GET",
                               path_of(key),
                               {{"response-content-disposition", presented.disposition},
                                {"response-content-type", presented.media_type}},
                               {{"host", address_.authority}},
                               {}};
    return std::string(address_.tls ? "https://" : "http://") + address_.authority +
           uri_encode(path_of(key), Slash::keep) + '?' +
           presigned_query(request, keys_, now(), presented.life);
  }

 private:
  std::string path_of(const std::string& key) const { return '/' + bucket_ + '/' + key; }
  // S3 knows nothing of our test clock.
  Instant now() const { return clock_.now() - clock_.offset(); }

  // The answer to a request, which is sent again where there is none or the store is in trouble.
  asio::awaitable<Answered> insist(const Ask& ask) {
    for (int tries = 1;; ++tries) {
      std::string why;
      try {
        auto answered = co_await exchange(ask);
        if (answered.answer.status < 500) {
          co_return answered;
        }
        why = "it answered " + std::to_string(answered.answer.status);
      } catch (const NoAnswer& failure) {
        why = failure.why;
      }
      log::warning("s3.failed", {{"method", ask.method}, {"why", why}, {"try", tries}});
      if (tries == kTries)
        throw Error(Code::busy, "the store of files does not answer")
            .retry_after(std::chrono::seconds(5));
      const auto executor = co_await asio::this_coro::executor;
      asio::steady_timer pause(executor, kPause * tries);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  asio::awaitable<Answered> exchange(const Ask& ask) {
    const auto executor = co_await asio::this_coro::executor;
    Answered out;
    out.link = std::make_unique<S3Link>(executor, address_, timeout_);
    co_await out.link->connect();
    const auto head = head_of(ask);
    co_await out.link->send(head);
    if (ask.file != nullptr) co_await send_file(*out.link, *ask.file);
    out.answer = co_await out.link->receive();
    co_return out;
  }

  asio::awaitable<void> send_file(S3Link& link, const Spooled& spooled) {
    File file;
    std::vector<char> buffer(kSendSize);
    std::size_t got = 0;
    for (std::uint64_t at = 0; at < spooled.bytes; at += got) {
      auto work = [&] {
        if (at == 0) file = File::open(spooled.path);
        got = file.read(buffer.data(), buffer.size(), at);
      };
      co_await files_.run(work);
      if (got == 0) throw Error(Code::internal, "a file of an attachment is too short");
      const std::string_view bytes(buffer.data(), got);
      co_await link.send(bytes);
    }
  }

  std::string head_of(const Ask& ask) const {
    const auto at = now();
    SigV4Request request{ask.method,
                         path_of(ask.key),
                         {},
                         {{"host", address_.authority},
                          {"x-amz-content-sha256", ask.payload_sha256},
                          {"x-amz-date", amz_date(at)}},
                         ask.payload_sha256};
    if (ask.piece)
      request.headers.emplace_back("range",
                                   "bytes=" + std::to_string(ask.piece->first) + '-' +
                                       std::to_string(ask.piece->first + ask.piece->length - 1));
    if (ask.file != nullptr)
      request.headers.emplace_back("content-length", std::to_string(ask.file->bytes));
    std::string head = ask.method + ' ' + uri_encode(request.path, Slash::keep) + " HTTP/1.1\r\n";
    for (const auto& [name, value] : request.headers) head += name + ": " + value + "\r\n";
    return head + "authorization: " + authorization(request, keys_, at) +
           "\r\nconnection: close\r\n\r\n";
  }

  // Nothing of what S3 says reaches a client: it is for the operator.
  [[nodiscard]] asio::awaitable<void> refuse(S3Link& link, const S3Answer& answer,
                                             const Ask& ask) const {
    std::string words;
    try {
      while (words.size() < kRefusalMax) {
        const auto more = co_await link.read();
        if (more.empty()) break;
        words += more;
      }
    } catch (const NoAnswer&) {}
    const auto begin = words.find("<Code>"), end = words.find("</Code>");
    const auto code = begin != std::string::npos && end != std::string::npos && end > begin
                          ? words.substr(begin + 6, end - begin - 6)
                          : std::string();
    throw Error(Code::internal,
                "S3 refuses a " + ask.method + ": " + std::to_string(answer.status) + ' ' + code);
  }

  S3Address address_;
  std::string bucket_;
  SigV4Keys keys_;
  std::chrono::milliseconds timeout_;
  const Clock& clock_;
  Workers& files_;
};

}  // namespace

std::unique_ptr<Store> make_s3_store(const S3Options& options, const Clock& clock, Workers& files) {
  auto address = s3_address(options.url);
  if (!address)
    throw Error(Code::internal, "attachments.s3_url takes http:// or https:// and a host");
  if (options.bucket.empty() || options.access_key.empty() || options.secret_key.empty())
    throw Error(Code::internal,
                "attachments.s3_url needs attachments.s3_bucket, attachments.s3_access_key and "
                "attachments.s3_secret_key as well");
  return std::make_unique<S3Store>(options, *std::move(address), clock, files);
}

}  // namespace bottega::attachments
