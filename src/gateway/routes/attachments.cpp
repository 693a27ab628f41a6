// Attachments: upload once, look, download by a link that needs no token.
#include <algorithm>

#include "gateway/once.hpp"
#include "gateway/problem.hpp"
#include "gateway/range.hpp"
#include "gateway/routes/routes.hpp"
#include "bottega/attachments/intake.hpp"
#include "bottega/attachments/pictures.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/conversations.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

using namespace attachments;

// As clients see it. The links need no token and are good for a while only.
struct Attachment {
  AttachmentId id;
  std::optional<ConversationId> conversation_id;
  AccountId uploaded_by;
  State state{};
  Kind kind{};
  std::string media_type, name;
  std::int64_t bytes = 0;
  std::string sha256;
  std::optional<std::int64_t> width, height;
  std::string url;
  std::optional<std::string> thumbnail_url;
  Instant url_expires_at{}, created_at{};
};
BOOST_DESCRIBE_STRUCT(Attachment, (),
                      (id, conversation_id, uploaded_by, state, kind, media_type, name, bytes,
                       sha256, width, height, url, thumbnail_url, url_expires_at, created_at))

Depot& depot_of(Call& call) {
  if (call.app.depot == nullptr) throw Error(Code::not_found, "there is no such address");
  return *call.app.depot;
}

std::string link_to(const App& app, AttachmentId id, Variant variant, std::int64_t expires) {
  return app.public_url + "/v1/attachments/" + text_of(id) +
         "/content?variant=" + text_of(variant) + "&expires=" + std::to_string(expires) +
         "&signature=" + app.depot->signature(id, variant, expires);
}

Attachment view_of(const App& app, const Stored& row) {
  const auto expires = app.depot->link_expiry(app.clock.now());
  Attachment out{.id = row.id,
                 .conversation_id = row.conversation_id,
                 .uploaded_by = row.uploaded_by,
                 .state = row.state,
                 .kind = row.kind.value(),
                 .media_type = row.media_type.value(),
                 .name = row.name,
                 .bytes = row.bytes,
                 .sha256 = row.sha256.value(),
                 .width = row.width,
                 .height = row.height,
                 .url = link_to(app, row.id, Variant::original, expires),
                 .thumbnail_url = std::nullopt,
                 .url_expires_at = Instant(std::chrono::seconds(expires)),
                 .created_at = row.created_at};
  if (row.thumbnail_bytes) out.thumbnail_url = link_to(app, row.id, Variant::thumbnail, expires);
  return out;
}

// ---- upload -------------------------------------------------------------------------------------

// The key of the request with a digest of what has come: nobody has the body as a whole.
std::optional<OnceKey> key_of_upload(const Request& request, const std::string& name,
                                     const std::string& sha256) {
  Request seen;
  seen.verb = request.verb;
  seen.path = request.path;
  seen.headers = request.headers;
  seen.who = request.who;
  seen.json = Json{{"name", name}, {"sha256", sha256}, {"type", request.media_type}};
  return once_key(seen);
}

asio::awaitable<void> read_all(Incoming& body, Intake& intake) {
  bool judged = false;
  for (;;) {
    const auto bytes = co_await body.next();
    if (bytes.empty()) co_return;
    co_await intake.take(bytes);
    if (judged || !intake.bytes_max()) continue;
    body.limit(static_cast<std::uint64_t>(*intake.bytes_max()));
    judged = true;
  }
}

enum class Reached : std::uint8_t { reading, storing };

asio::awaitable<Reply> receive(Call& call, const Stored& row, Reached& reached) {
  auto& depot = depot_of(call);
  Intake intake(depot, std::string(call.request.header("content-type")));
  co_await read_all(*call.request.incoming, intake);
  auto facts = co_await intake.finish();
  facts.name = file_name(row.name, type_named(facts.media_type));
  reached = Reached::storing;
  co_await intake.put(row.id);
  const auto key = key_of_upload(call.request, row.name, intake.received_sha256());
  co_return co_await call.app.db.transact([&](Tx& tx) {
    if (key) claim(tx, *key);
    auto reply = created(view_of(call.app, finish(tx, row.merchant_id, row.id, facts)));
    if (key) keep(tx, *key, reply);
    return reply;
  });
}

// The row first: nobody may be told of bytes that are gone. Whatever cannot be done here is done by
// the job that was enqueued with the upload.
asio::awaitable<void> undo(Call& call, const Stored& row, Reached reached) {
  try {
    co_await call.app.db.transact([&](Tx& tx) { discard(tx, row.merchant_id, row.id); });
    call.app.poke_jobs();
    if (reached == Reached::storing) co_await take_back(depot_of(call), row.id);
  } catch (const Error& error) {
    log::warning("upload.left", {{"id", text_of(row.id)}, {"error", std::string(error.what())}});
  }
}

asio::awaitable<Reply> take_in(Call& call, const Place& place) {
  auto& depot = depot_of(call);
  auto& body = *call.request.incoming;
  const auto name = call.parameter_as<Name>("name").value_or(Name{"attachment"});
  once_key(call.request);  // a key that is none is refused before the bytes come
  body.limit(static_cast<std::uint64_t>(depot.largest()));
  const auto most = body.length().value_or(static_cast<std::uint64_t>(depot.largest()));
  if (most == 0)
    throw Error(Code::invalid, "there is nothing in the body", {{"", "must not be empty"}});
  const auto row = co_await call.app.db.transact([&](Tx& tx) {
    return begin(tx, place, name, static_cast<std::int64_t>(most), depot.quotas());
  });
  Reply reply;
  auto reached = Reached::reading;
  std::exception_ptr failure;
  try {
    reply = co_await receive(call, row, reached);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await undo(call, row, reached);
    std::rethrow_exception(failure);
  }
  co_return reply;
}

asio::awaitable<Reply> upload(Call& call) {
  const auto id = call.at<ConversationId>(0);
  const auto seat = co_await call.app.db.read([&](Tx& tx) {
    const auto found =
        conversations::enter(tx, call.who(), id, identity::Scope::chat, conversations::Lock::no);
    conversations::require_not_blocked(tx, found);
    return found;
  });
  const Place place{seat.merchant, id, call.who().account};
  co_return co_await take_in(call, place);
}

asio::awaitable<Reply> upload_for_shop(Call& call) {
  const auto id = call.at<identity::MerchantId>(0);
  co_await call.app.db.read([&](Tx& tx) { catalog::require_editor(tx, call.who(), id); });
  const Place place{id, std::nullopt, call.who().account};
  co_return co_await take_in(call, place);
}

// ---- reading ------------------------------------------------------------------------------------

asio::awaitable<Reply> show(Call& call) {
  depot_of(call);
  const auto id = call.at<AttachmentId>(0);
  co_return co_await call.read([&](Tx& tx) {
    const auto row = fetch(tx, id);
    if (row.conversation_id)
      conversations::enter(tx, call.who(), *row.conversation_id, identity::Scope::read,
                           conversations::Lock::no);
    const bool may_see = row.conversation_id ? is_visible_to(row, call.who().account)
                                             : catalog::sees_all(tx, call.who(), row.merchant_id);
    if (!may_see) throw Error(Code::not_found, "there is no such thing, or it is not yours");
    return ok(view_of(call.app, row));
  });
}

// The bytes of a file of the store as they are needed.
class Download final : public Outgoing {
 public:
  Download(std::unique_ptr<Reading> reading, std::uint64_t length)
      : reading_(std::move(reading)), length_(length) {}
  std::optional<std::uint64_t> length() const override { return length_; }
  asio::awaitable<std::string_view> next() override { return reading_->next(); }

 private:
  std::unique_ptr<Reading> reading_;
  std::uint64_t length_;
};

// What is to be sent of an attachment.
struct File {
  std::string key, media_type, disposition, etag;
  std::uint64_t bytes = 0;
};

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// RFC 6266, 4: a name in ASCII for old readers, and the name (RFC 8187).
std::string disposition_of(const Stored& row) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string plain, encoded;
  for (const char c : row.name) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(c))
      encoded += c;
    else
      (encoded += '%').append({kHex[byte >> 4], kHex[byte & 15]});
    if (is_plain(c) || c == ' ')
      plain += c;
    else if ((byte & 0xc0) != 0x80)
      plain += '_';
  }
  const bool inside = type_named(row.media_type.value()).show == Show::inside;
  return std::string(inside ? "inline" : "attachment") + "; filename=\"" + plain +
         "\"; filename*=UTF-8''" + encoded;
}

File file_of(const Stored& row, Variant variant) {
  const auto etag = row.sha256.value().substr(0, 32);
  if (variant == Variant::original)
    return {key_of(row.id, variant), row.media_type.value(), disposition_of(row), '"' + etag + '"',
            static_cast<std::uint64_t>(row.bytes)};
  if (!row.thumbnail_bytes) throw Error(Code::not_found, "this one has no thumbnail");
  return {key_of(row.id, variant), std::string(kThumbnailType), "inline", '"' + etag + "-t\"",
          static_cast<std::uint64_t>(*row.thumbnail_bytes)};
}

// Whatever a file holds, it can do nothing in the name of this address.
Headers guards(const File& file, std::int64_t life_s) {
  return {{"ETag", file.etag},
          {"Cache-Control", "private, max-age=" + std::to_string(life_s)},
          {"Content-Disposition", file.disposition},
          {"Content-Security-Policy", "default-src 'none'; sandbox"},
          {"Accept-Ranges", "bytes"}};
}

asio::awaitable<Reply> send(Call& call, const File& file, Headers headers) {
  const auto& request = call.request;
  const auto ranged =
      read_range(request.header("range"), request.header("if-range"), file.etag, file.bytes);
  const auto size = std::to_string(file.bytes);
  if (ranged.kind == RangeKind::unsatisfiable) {
    auto reply = problem(Error(Code::range_not_satisfiable, "the file has " + size + " bytes"),
                         request.request_id, call.app.public_url);
    reply.headers.emplace_back("Content-Range", "bytes */" + size);
    co_return reply;
  }
  Piece piece{0, file.bytes};
  Reply reply;
  if (ranged.kind == RangeKind::part) {
    piece = {ranged.range.first, ranged.range.last - ranged.range.first + 1};
    reply.status = 206;
    headers.emplace_back("Content-Range", "bytes " + std::to_string(ranged.range.first) + '-' +
                                              std::to_string(ranged.range.last) + '/' + size);
  }
  auto reading = co_await depot_of(call).store().get(file.key, piece);
  reply.headers = std::move(headers);
  reply.media_type = file.media_type;
  reply.stream = std::make_shared<Download>(std::move(reading), piece.length);
  co_return reply;
}

bool is_known(const Request& request, const std::string& etag) {
  const auto seen = request.header("if-none-match");
  return seen == "*" || seen.find(etag) != seen.npos;
}

// Answers until `expires`, in seconds since 1970.
asio::awaitable<Reply> hand_out(Call& call, const Stored& row, Variant variant,
                                std::int64_t expires) {
  auto& depot = depot_of(call);
  const auto& app = call.app;
  const auto file = file_of(row, variant);
  const auto life = std::chrono::floor<std::chrono::seconds>(
      Instant(std::chrono::seconds(expires)) - app.clock.now());
  auto headers = guards(file, life.count());
  if (is_known(call.request, file.etag)) {
    co_return Reply{304, nullptr, std::move(headers), {}, {}};
  }
  std::string elsewhere;
  if (app.config.attachments_downloads == "redirect")
    elsewhere = depot.store().link(file.key, {file.media_type, file.disposition, life});
  if (elsewhere.empty()) {
    co_return co_await send(call, file, std::move(headers));
  }
  Reply reply = no_content();
  reply.status = 307;
  reply.headers = {{"Location", elsewhere}, {"Cache-Control", "no-store"}};
  co_return reply;
}

asio::awaitable<Reply> content(Call& call) {
  auto& depot = depot_of(call);
  const auto id = call.at<AttachmentId>(0);
  const auto variant = call.parameter_as<Variant>("variant").value_or(Variant::original);
  const std::int64_t expires =
      call.parameter_as<Count<0, 4'000'000'000>>("expires").value_or(Count<0, 4'000'000'000>{0});
  depot.check_link(id, variant, expires, call.parameter("signature").value_or(""),
                   call.app.clock.now());
  const auto row = co_await call.app.db.read([&](Tx& tx) { return fetch(tx, id); });
  co_return co_await hand_out(call, row, variant, expires);
}

// A picture that a published product shows has an address that stays, so that a card can name it.
asio::awaitable<Reply> picture(Call& call) {
  auto& depot = depot_of(call);
  const auto id = call.at<AttachmentId>(0);
  const auto variant = call.parameter_as<Variant>("variant").value_or(Variant::original);
  const auto row = co_await call.app.db.read([&](Tx& tx) {
    const auto found = fetch(tx, id);
    if (!catalog::is_shown(tx, found.merchant_id, id))
      throw Error(Code::not_found, "there is no such thing, or it is not yours");
    return found;
  });
  co_return co_await hand_out(call, row, variant, depot.link_expiry(call.app.clock.now()));
}

Json bytes_schema(Components&) { return Json::object(); }

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/conversations/{id}/attachments",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = upload,
     .name = "uploadAttachment",
     .summary = "Upload a file, to be named by a message then; the body is its bytes",
     .status = 201,
     .gives = kGives<Attachment>,
     .parameters = "name",
     .streams = accepted_media_types},
    {.verb = Verb::post,
     .path = "/v1/merchants/{id}/attachments",
     .access = Access::member,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = upload_for_shop,
     .name = "uploadPicture",
     .summary = "Upload a picture for the shop's products; the body is its bytes",
     .status = 201,
     .gives = kGives<Attachment>,
     .parameters = "name",
     .streams = accepted_media_types},
    {.verb = Verb::get,
     .path = "/v1/product_pictures/{id}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = picture,
     .name = "getProductPicture",
     .summary = "The bytes of a picture that a published product shows",
     .gives = bytes_schema,
     .media_type = "*/*",
     .parameters = "variant"},
    {.verb = Verb::get,
     .path = "/v1/attachments/{id}",
     .access = Access::member,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show,
     .name = "getAttachment",
     .summary = "What a file is, with links to its bytes that are good for a while",
     .gives = kGives<Attachment>},
    {.verb = Verb::get,
     .path = "/v1/attachments/{id}/content",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = content,
     .name = "getAttachmentContent",
     .summary = "The bytes, by a signed link; a Range of them where that is asked for",
     .gives = bytes_schema,
     .media_type = "*/*",
     .parameters = "variant expires signature"},
};

}  // namespace

std::span<const Route> attachment_routes() { return kRoutes; }

}  // namespace bottega::gateway
