#pragma once
// One upload on its way in: bytes go into a file as they come, are judged on the way, and reach the
// store only when all is well. Whatever happens, no file is left behind.
#include "bottega/attachments/depot.hpp"

namespace bottega::attachments {

class Intake {
 public:
  // `declared` is the Content-Type, which may be empty.
  Intake(Depot& depot, std::string declared);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // The next bytes. Throws Error(unsupported_media_type) as soon as they show what it is, and
  // Error(too_large) over the limit of its kind.
  asio::awaitable<void> take(std::string_view bytes);
  // How much of this kind is taken at most, once it is known what it is.
  std::optional<std::int64_t> bytes_max() const;
  // All has come: looks at an image, takes its metadata out, makes its thumbnail. Throws
  // Error(invalid) for nothing at all or a damaged image.
  asio::awaitable<Facts> finish();
  // SHA-256 of what has come, before anything was taken out of it.
  const std::string& received_sha256() const { return received_sha256_; }
  // Puts the file, and its thumbnail, into the store.
  asio::awaitable<void> put(AttachmentId id);

 private:
  struct Writing;
  void judge();
  void note(std::string_view bytes);
  Facts look_at_image();

  Depot& depot_;
  std::string declared_;
  std::string beginning_;
  const Type* type_ = nullptr;
  TextCheck text_;
  std::unique_ptr<Writing> writing_;
  std::string received_sha256_;
  Spooled original_;
  std::optional<Spooled> thumbnail_;
};

// Removes what an upload has put into the store, where it came to nothing after that.
asio::awaitable<void> take_back(Depot& depot, AttachmentId id);

}  // namespace bottega::attachments
