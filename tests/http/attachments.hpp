#pragma once
// Uploads and downloads as clients make them, and a connection that can stop in the middle.
#include "http/story.hpp"
#include "support/media.hpp"

namespace bottega::test {

// What is uploaded: the bytes, and what the client says about them.
struct Upload {
  std::string bytes, type = "", name = "", key = "";
};
Answer upload(const Storefront& shop, Client who, const Upload& upload);
// The attachment; throws where it was refused.
Json uploaded(const Storefront& shop, const Client& who, const Upload& upload);
// Puts it into a message, as far as the database is concerned.
void attach(const Urls& urls, const Json& attachment);
// "/v1/attachments/…" of "http://host/v1/attachments/…".
std::string path_of_link(const Json& link);
// The bytes behind a link, asked for without a token.
Answer download(const Server& server, const Json& link, const HeaderList& headers = {});
// How many files the server keeps for attachments, the unfinished ones included.
std::size_t files_of(const House& house);

// A connection as it is. Nothing waits longer than 20 s.
class Wire {
 public:
  explicit Wire(std::uint16_t port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // False where the other side has closed before all was sent.
  bool send(std::string_view bytes) const;
  // The next bytes; none where the other side has closed.
  std::string receive() const;
  // Whether something has come, or comes so soon.
  bool has_answer(int within_ms) const;
  // The head of the next answer, up to its empty line; what is behind it is kept.
  std::string head();
  // So many bytes of a body, thrown away; answers how many came.
  std::size_t skip(std::size_t bytes);
  // The answer with its body, by its Content-Length.
  Answer answer();
  void close();

 private:
  int socket_ = -1;
  std::string left_;
};

// The head of an upload, with these fields for its body.
std::string upload_head(const Storefront& shop, const Client& who, const std::string& fields);

}  // namespace bottega::test
