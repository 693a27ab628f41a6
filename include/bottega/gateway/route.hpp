#pragma once
// A route's row is the whole truth about an endpoint: who may call it, how often, what it takes and
// gives. The dispatcher, the generated contract and the tests walk the same rows. No HTTP library
// is seen here.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <span>

#include "bottega/core/schema.hpp"
#include "bottega/identity/identity.hpp"
#include "bottega/processors/processor.hpp"
#include "bottega/storage/database.hpp"

namespace bottega::gateway {

struct App;  // what the handlers work with: gateway/app.hpp

enum class Verb : std::uint8_t { get, post, put, patch, del };
BOOST_DESCRIBE_ENUM(Verb, get, post, put, patch, del)

// The zero value lets nobody in. `person` is a signed-in human, `member` a human or an API key;
// what they may do to a thing is decided by the operation. Staff: support < finance and admin;
// admin may do all.
enum class Access : std::uint8_t { nobody, anyone, person, member, support, finance, admin };
BOOST_DESCRIBE_ENUM(Access, nobody, anyone, person, member, support, finance, admin)

// Whether an Idempotency-Key is taken, and whether one must be there (where money moves).
enum class Once : std::uint8_t { none, optional, required };
// Whether a thing has versions: its ETag is then the number of its version (RFC 9110, 8.8.3), and
// an edit says in If-Match which one it is of.
enum class Versions : std::uint8_t { none, tagged, required };
// What a request counts as. An event must prove first that it is one, and its handler counts it
// then: whoever forges shall not use up what the processor may say.
enum class Budget : std::uint8_t { reads, writes, logins, events };

using Headers = std::vector<std::pair<std::string, std::string>>;

// A body that the handler reads as it comes, so that nobody holds it as a whole.
class Incoming {
 public:
  virtual ~Incoming() = default;
  // What the client said that its length is.
  virtual std::optional<std::uint64_t> length() const = 0;
  // No more than so many bytes are taken from now on; throws Error(too_large) where the client has
  // said or sent more already.
  virtual void limit(std::uint64_t bytes_max) = 0;
  // The next bytes, valid until the next call; none at the end. Throws Error(too_large, malformed,
  // request_timeout).
  virtual asio::awaitable<std::string_view> next() = 0;
};

// The body of an answer that is read as it leaves. What it throws cuts the connection.
class Outgoing {
 public:
  virtual ~Outgoing() = default;
  virtual std::optional<std::uint64_t> length() const { return std::nullopt; }  // where known
  // The next bytes, valid until the next call; none at the end.
  virtual asio::awaitable<std::string_view> next() = 0;
};

struct Reply {
  unsigned status = 200;
  Json body;  // a null body with no text is an empty answer
  Headers headers;
  std::string text;  // with its media type, instead of a JSON body
  std::string media_type;
  std::shared_ptr<Outgoing> stream = nullptr;  // instead of either
};
template <class T>
Reply ok(const T& value) {
  return {200, to_json(value), {}, {}, {}};
}
template <class T>
Reply created(const T& value) {
  return {201, to_json(value), {}, {}, {}};
}
template <class T>
Reply accepted(const T& value) {
  return {202, to_json(value), {}, {}, {}};
}
inline Reply with_version(Reply reply, std::int64_t version) {
  reply.headers.emplace_back("ETag", '"' + std::to_string(version) + '"');
  return reply;
}
inline Reply no_content() { return {204, nullptr, {}, {}, {}}; }
Reply html(std::string text, unsigned status = 200);

// What a request brought, whichever transport it came by.
struct Request {
  Verb verb = Verb::get;
  std::string path, query;
  std::string body, media_type;
  Incoming* incoming = nullptr;  // the body, where the route's handler is to read it
  std::optional<Json> json;      // the body, where the transport has read it as JSON already
  processors::Headers headers;   // names in lower case
  std::string address, user_agent;
  std::string request_id, trace_parent;
  identity::Who who;
  // A header's value, or nothing.
  std::string_view header(std::string_view name) const;
};

// A request on its way through one handler.
class Call {
 public:
  Call(App& with, const Request& asked, std::vector<std::string> captured, Once once)
      : app(with), request(asked), captured_(std::move(captured)), once_(once) {}

  App& app;
  const Request& request;
  const identity::Who& who() const { return request.who; }

  // The JSON body as a described struct; throws Error with every fault.
  template <class T>
  T body() const {
    return from_json<T>(json_body());
  }
  // The JSON body as it is, for an edit that tells null from nothing (RFC 7396).
  Json document() const { return json_body(); }
  // The version that If-Match names; throws Error(precondition_required) where it names none,
  // Error(precondition_failed) where that cannot be one.
  std::int64_t version() const;
  // The n-th {captured} segment of the path; what cannot be an id is simply not there.
  template <class T>
  T at(std::size_t n) const {
    return from_text<T>(captured_.at(n), Code::not_found);
  }
  std::string_view segment(std::size_t n) const { return captured_.at(n); }
  // A query parameter, decoded; throws Error(malformed) where it is given twice.
  std::optional<std::string> parameter(std::string_view name) const;
  template <class T>
  std::optional<T> parameter_as(std::string_view name) const {
    const auto text = parameter(name);
    if (!text) return std::nullopt;
    if (auto value = Form<T>::parse(*text)) return value;
    throw Error(Code::invalid, "a query parameter is not valid",
                {{std::string(name), "expected " + std::string(Form<T>::expected())}});
  }
  std::int64_t limit() const;  // ?limit=, 1 to 100, 20 where it is not given
  // The position in ?cursor=; throws Error(bad_cursor) unless it came from this list and this
  // caller.
  std::optional<std::string> cursor() const;

  // Runs the operation and answers; with an Idempotency-Key the reply is kept in the same
  // transaction and a repeat gets it again.
  asio::awaitable<Reply> transact(std::function<Reply(Tx&)> op);
  // Only reads.
  asio::awaitable<Reply> read(std::function<Reply(Tx&)> op);
  // Whether an earlier try of the same request, by its Idempotency-Key, has begun it; where that
  // was answered already, this ends here with the same answer. Before anything is asked of somebody
  // that was asked of them then.
  asio::awaitable<bool> is_repeat();
  // For a flow with a foreign call: commits the first transaction with the key in flight and the id
  // of what was begun, or answers that id where an earlier try of the same request began it.
  // Another try takes the flow for interrupted once it has taken longer than a call to a processor
  // may, and so much more.
  asio::awaitable<std::string> begin(std::function<std::string(Tx&)> op,
                                     std::chrono::seconds more = {});
  // Commits the last transaction of the flow with its reply.
  asio::awaitable<Reply> finish(std::function<Reply(Tx&)> op);

  // A page of a list with its cursor and Link header (RFC 8288). `position_of` names an item's
  // position.
  template <class T, class F>
  Reply page(std::vector<T> items, std::int64_t limit, F position_of) const {
    const bool more = static_cast<std::int64_t>(items.size()) > limit;
    if (more) items.resize(static_cast<std::size_t>(limit));
    Json data = Json::array();
    for (const auto& item : items) data.push_back(to_json(item));
    return page_of(std::move(data), more ? std::optional(position_of(items.back())) : std::nullopt);
  }
  Reply page_of(Json data, std::optional<std::string> next_position) const;

 private:
  Json json_body() const;

  std::vector<std::string> captured_;
  Once once_;
};

using Handler = asio::awaitable<Reply> (*)(Call&);
using SchemaOf = Json (*)(Components&);

template <class T>
struct Page {};
template <class T>
Json schema_for(Components& components) {
  return schema_of<T>(components);
}
// The schema of a list's page.
template <class T>
Json schema_of_page(Components& components) {
  return {{"type", "object"},
          {"required", {"data", "has_more", "next_cursor"}},
          {"additionalProperties", false},
          {"properties",
           {{"data", {{"type", "array"}, {"items", schema_of<T>(components)}}},
            {"has_more", {{"type", "boolean"}}},
            {"next_cursor", {{"type", {"string", "null"}}}}}}};
}
template <class T>
inline constexpr SchemaOf kTakes = &schema_for<T>;
template <class T>
inline constexpr SchemaOf kGives = &schema_for<T>;
template <class T>
inline constexpr SchemaOf kGivesPage = &schema_of_page<T>;

// The media types of a body that is streamed.
using TypesOf = std::vector<std::string> (*)();

struct Route {
  Verb verb;
  std::string_view path;  // "/v1/orders/{id}/ship"
  Access access;
  Budget budget;
  Once once;
  Handler handler;
  std::string_view name;  // operationId
  std::string_view summary;
  SchemaOf takes = nullptr;  // the body's type
  unsigned status = 200;     // of a success
  SchemaOf gives = nullptr;  // the answer's type
  std::string_view media_type =
      "application/json";            // of the body it takes and of the answer it gives
  std::string_view parameters = "";  // query parameters: "limit cursor after"
  TypesOf streams = nullptr;         // where the handler reads the body as it comes
  Versions versions = Versions::none;
};
bool is_parameter(const Route& route, std::string_view name);

}  // namespace bottega::gateway
