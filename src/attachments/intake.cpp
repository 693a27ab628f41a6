#include "bottega/attachments/intake.hpp"

#include "attachments/files.hpp"
#include "attachments/metadata.hpp"
#include "bottega/attachments/pictures.hpp"
#include "bottega/core/digest.hpp"
#include "bottega/core/log.hpp"

namespace bottega::attachments {
namespace {

Spooled write_spool(const std::filesystem::path& path, std::string_view bytes) {
  auto file = File::create(path);
  file.write(bytes);
  file.sync();
  return {path, bytes.size(), sha256_hex(bytes)};
}

}  // namespace

struct Intake::Writing {
  File file;
  Sha256Stream sha256;
};

Intake::Intake(Depot& depot, std::string declared)
    : depot_(depot), declared_(std::move(declared)), writing_(std::make_unique<Writing>()) {
  original_.path = depot_.spool_file();
}

Intake::~Intake() {
  for (const auto* spooled : {&original_, thumbnail_ ? &*thumbnail_ : nullptr}) {
    if (spooled == nullptr) continue;
    std::error_code ignored;  // the sweep finds what cannot be removed now
    std::filesystem::remove(spooled->path, ignored);
  }
}

std::optional<std::int64_t> Intake::bytes_max() const {
  if (type_ == nullptr) return std::nullopt;
  return depot_.bytes_max(type_->kind);
}

void Intake::judge() {
  type_ = &identify(beginning_, declared_);
  if (original_.bytes > static_cast<std::uint64_t>(*bytes_max()))
    throw Error(Code::too_large,
                "a file of this kind may have " + std::to_string(*bytes_max()) + " bytes at most");
}

// Everything that looks at the bytes as they pass.
void Intake::note(std::string_view bytes) {
  original_.bytes += bytes.size();
  if (type_ == nullptr) {
    beginning_ += bytes.substr(0, kSniffBytes - beginning_.size());
    if (beginning_.size() == kSniffBytes) judge();
  } else if (original_.bytes > static_cast<std::uint64_t>(*bytes_max())) {
    judge();
  }
  const bool may_be_text = type_ == nullptr || type_->media_type.starts_with("text/");
  if (may_be_text && !text_.take(bytes) && type_ != nullptr)
    throw Error(Code::unsupported_media_type, "the content begins as text and does not stay so");
}

asio::awaitable<void> Intake::take(std::string_view bytes) {
  note(bytes);
  auto work = [&] {
    if (original_.bytes == bytes.size()) writing_->file = File::create(original_.path);
    writing_->file.write(bytes);
    writing_->sha256.add(bytes);
  };
  co_await depot_.files().run(work);
}

Facts Intake::look_at_image() {
  const auto media_type = type_->media_type;
  const auto picture = read_picture(original_.path, media_type, depot_.pixels_max());
  std::string bytes(original_.bytes, '\0');
  File::open(original_.path).read(bytes.data(), bytes.size(), 0);
  const auto clean = without_metadata(bytes, media_type);
  if (!clean)
    throw Error(Code::invalid, "the image is damaged", {{"", "is not an image that can be shown"}});
  if (*clean != bytes) {
    remove_file(original_.path);
    original_ = write_spool(original_.path, *clean);
  }
  thumbnail_.emplace().path = depot_.spool_file();
  *thumbnail_ = write_spool(thumbnail_->path, picture.thumbnail);
  Facts facts;
  facts.width = picture.width;
  facts.height = picture.height;
  facts.thumbnail_bytes = static_cast<std::int64_t>(thumbnail_->bytes);
  return facts;
}

asio::awaitable<Facts> Intake::finish() {
  if (original_.bytes == 0)
    throw Error(Code::invalid, "there is nothing in the body", {{"", "must not be empty"}});
  if (type_ == nullptr) judge();
  if (type_->media_type.starts_with("text/") && !text_.is_whole())
    throw Error(Code::unsupported_media_type, "the text ends within a character");
  auto sync = [&] {
    writing_->file.sync();
    writing_->file = File();
    received_sha256_ = writing_->sha256.hex();
  };
  co_await depot_.files().run(sync);
  original_.sha256 = received_sha256_;
  Facts facts;
  if (type_->kind == Kind::image) {
    auto look = [&] { facts = look_at_image(); };
    co_await depot_.images().run(look);
  }
  facts.kind = type_->kind;
  facts.media_type = type_->media_type;
  facts.sha256 = original_.sha256;
  facts.bytes = static_cast<std::int64_t>(original_.bytes);
  co_return facts;
}

asio::awaitable<void> Intake::put(AttachmentId id) {
  if (thumbnail_) {
    const auto key = key_of(id, Variant::thumbnail);
    co_await depot_.store().put(key, *thumbnail_);
  }
  const auto key = key_of(id, Variant::original);
  co_await depot_.store().put(key, original_);
}

asio::awaitable<void> take_back(Depot& depot, AttachmentId id) {
  for (const auto variant : {Variant::thumbnail, Variant::original}) {
    const auto key = key_of(id, variant);
    co_await depot.store().remove(key);
  }
}

}  // namespace bottega::attachments
