#include "gateway/asyncapi.hpp"

#include "bottega/conversations/conversations.hpp"
#include "bottega/orders/shipments.hpp"

namespace bottega::gateway {
namespace {

constexpr std::string_view kRules =
    "Subprotocol bottega.v1: text frames of JSON, at most socket.frame_max_bytes; a binary frame "
    "ends the connection.\n"
    "\n"
    "- Who: the Authorization header, or AUTH as the first frame within ten seconds. AUTH with a "
    "fresh token before the old one expires keeps the connection.\n"
    "- Requests are answered in any order, by their id; those on one conversation take effect in "
    "the order sent. A POST that moves money needs its idempotency_key, as the header of HTTP.\n"
    "- Events of all one's conversations come by themselves. Durable ones carry seq, which has no "
    "gap within a conversation: one that is not the next means that this client must resume or "
    "page the log.\n"
    "- After a break, RESUME within two seconds of signing in, before any other frame: events "
    "wait for it. `positions` says the last seq seen of each conversation, at most 1,000 of them; "
    "`since` a time, for conversations that positions does not name; of these what was written "
    "in the 15 seconds before it comes again, for nodes have clocks of their own, and its `seq` "
    "tells. What is missing comes in order, then `resumed`. Where `recovered` is false too much "
    "was missing (or the conversation "
    "is not there, position 0): page GET /v1/conversations/{id}/messages up to `position`; live "
    "events go on behind it. Where `complete` is false more than 1,000 conversations had news "
    "since then: list them with GET /v1/conversations.\n"
    "- The server pings; no pong within eight seconds ends the connection.\n"
    "\n"
    "Whoever cannot use a socket reads the same events from GET /v1/events/stream (WHATWG HTML, "
    "9.2): `event` is the name, `data` the frame. The `id` of an event stands for all "
    "conversations; a stream that asks with it as Last-Event-ID goes on behind that event, and "
    "says `resumed`. Before the stream ends it says `closing` and why. In a conversation each "
    "event comes once, but where more than 64 are busy within a minute some may come again after "
    "a break: compare seq.\n"
    "\n"
    "Close codes 3000 to 3499 ask the client to come back (3005 token expired, 3008 too slow, 3010 "
    "server restarting, 3012 no pong, 3013 too busy), 3500 to 3999 not to (3500 bad token, 3501 "
    "bad request); 1009 is a frame too large.";

Json text(std::string_view about) { return {{"type", "string"}, {"description", about}}; }

// An order in the conversation is the order without the address it goes to.
Json order_schema(Components& components) {
  schema_of<orders::Order>(components);
  Json shown = components.at("Order");
  shown["properties"].erase("ship_to");
  return shown;
}

Json data_schema(const EventRow& row, Components& components) {
  if (row.durable == Durable::no && row.schema == nullptr) return {{"type", "object"}};
  if (row.durable == Durable::no)
    return {{"type", "object"},
            {"required", {row.member}},
            {"properties", {{std::string(row.member), row.schema(components)}}}};
  const bool is_message = row.name == "message.created";
  Json required = {"id", "author", "author_id"};
  if (!is_message) required.push_back(row.member);
  Json out = {{"type", "object"},
              {"required", required},
              {"properties",
               {{"id", text("The entry's id.")},
                {"author", {{"type", "string"}, {"enum", {"buyer", "merchant", "system"}}}},
                {"author_id", {{"type", {"string", "null"}}}},
                {"client_id", text("The sender's own id of it.")},
                {"reply_to", {{"type", "integer"}, {"minimum", 1}}},
                {"message_seq", {{"type", "integer"}, {"minimum", 1}}},
                {"fallback", text("What to show for an event that one does not know.")}}}};
  out["properties"][std::string(row.member)] =
      row.schema != nullptr ? row.schema(components) : order_schema(components);
  // What it offers, or asks about, as it was then.
  if (is_message) {
    schema_of<conversations::Offer>(components);
    out["properties"].update(components.at("Offer").at("properties"));
    components.erase("Offer");
  }
  // The parcel that it is about, where it is about one.
  if (row.schema == nullptr)
    out["properties"]["shipment"] = schema_of<orders::Shipment>(components);
  // The order of what is sent back, for its first card.
  if (row.name.starts_with("return.")) out["properties"]["order"] = order_schema(components);
  return out;
}

// Told to people or shops by themselves, in no conversation.
bool is_of_people(const EventRow& row) {
  return row.name.starts_with("transfer.") || row.name.starts_with("top_up.") ||
         row.name.starts_with("withdrawal.") || row.name.starts_with("feed_import.") ||
         row.name.starts_with("platform_case.");
}

Json event_message(const EventRow& row, Components& components) {
  Json payload = {{"type", "object"},
                  {"required", {"event", "conversation", "at", "data"}},
                  {"properties",
                   {{"event", {{"const", row.name}}},
                    {"conversation",
                     is_of_people(row) ? Json{{"type", "null"}} : text("The conversation's id.")},
                    {"at", {{"type", "string"}, {"format", "date-time"}}},
                    {"data", data_schema(row, components)}}}};
  if (row.durable == Durable::yes) {
    payload["required"].push_back("seq");
    payload["properties"]["seq"] = {{"type", "integer"}, {"minimum", 1}};
  }
  return {{"name", row.name}, {"summary", row.summary}, {"payload", payload}};
}

Json client_messages() {
  const Json id = text("Repeated in the reply.");
  const Json any = Json::object();
  return {
      {"request",
       {{"summary", "An HTTP request as a frame: every route is reachable."},
        {"payload",
         {{"type", "object"},
          {"required", {"id", "method", "path"}},
          {"properties",
           {{"id", id},
            {"method", {{"type", "string"}, {"enum", {"GET", "POST", "PUT", "PATCH", "DELETE"}}}},
            {"path", text("Path and query.")},
            {"idempotency_key", text("As the header.")},
            {"if_match", text("As the header.")},
            {"body", any}}}}}}},
      {"auth",
       {{"summary",
         "Says who is there, within ten seconds, where no header did; later, a fresh token."},
        {"payload",
         {{"type", "object"},
          {"required", {"method", "token"}},
          {"properties",
           {{"id", id}, {"method", {{"const", "AUTH"}}}, {"token", text("A token.")}}}}}}},
      {"resume",
       {{"summary",
         "Says what was seen last, as the first frame after AUTH; the rest is sent in order."},
        {"payload",
         {{"type", "object"},
          {"required", {"method"}},
          {"properties",
           {{"id", id},
            {"method", {{"const", "RESUME"}}},
            {"positions",
             {{"type", "object"}, {"additionalProperties", {{"type", "integer"}, {"minimum", 0}}}}},
            {"since", {{"type", "string"}, {"format", "date-time"}}}}}}}}}};
}

Json resumed_data() {
  const Json one = {{"type", "object"},
                    {"required", {"conversation", "recovered", "position"}},
                    {"properties",
                     {{"conversation", text("The conversation's id.")},
                      {"recovered", {{"type", "boolean"}}},
                      {"position", {{"type", "integer"}, {"minimum", 0}}}}}};
  return {{"type", "object"},
          {"required", {"conversations", "complete"}},
          {"properties",
           {{"conversations", {{"type", "array"}, {"items", one}}},
            {"complete", {{"type", "boolean"}}}}}};
}

Json server_messages() {
  return {{"reply",
           {{"summary", "The answer to a request: its status and body, or a problem."},
            {"payload",
             {{"type", "object"},
              {"required", {"id", "status", "body"}},
              {"properties",
               {{"id", text("Of the request.")},
                {"status", {{"type", "integer"}}},
                {"replayed", {{"type", "boolean"}}},
                {"body", Json::object()}}}}}}},
          {"resumed",
           {{"summary",
             "Everything missing was sent; where recovered is false, page the log to position."},
            {"payload",
             {{"type", "object"},
              {"required", {"event", "data"}},
              {"properties",
               {{"event", {{"const", "resumed"}}},
                {"id", text("Of the RESUME.")},
                {"data", resumed_data()}}}}}}}};
}

std::string key_of(std::string_view name) {
  std::string key(name);
  for (auto& c : key)
    if (c == '.') c = '_';
  return key;
}

Json references(const Json& messages, const std::vector<std::string>& names,
                const std::string& channel = "socket") {
  Json out = Json::array();
  for (const auto& name : names)
    if (messages.contains(name))
      out.push_back({{"$ref", "#/channels/" + channel + "/messages/" + name}});
  return out;
}

// What the event stream says besides the events.
Json stream_messages() {
  return {{"ready",
           {{"summary", "A new stream has begun: what is written from now on comes."},
            {"payload", resumed_data()}}},
          {"caught_up",
           {{"name", "resumed"},
            {"summary",
             "The stream goes on: everything missing since Last-Event-ID was sent; where recovered "
             "is false, page the log to position."},
            {"payload", resumed_data()}}},
          {"closing",
           {{"summary", "Why the stream ends, with the close code of a socket."},
            {"payload",
             {{"type", "object"},
              {"required", {"code", "reason", "reconnect"}},
              {"properties",
               {{"code", {{"type", "integer"}}},
                {"reason", {{"type", "string"}}},
                {"reconnect", {{"type", "boolean"}}}}}}}}}};
}

Json channel_of(const std::string& address, const std::string& server,
                const std::vector<std::string>& names) {
  Json messages = Json::object();
  for (const auto& name : names) messages[name] = {{"$ref", "#/components/messages/" + name}};
  return {{"address", address},
          {"servers", Json::array({Json{{"$ref", "#/servers/" + server}}})},
          {"messages", messages}};
}

}  // namespace

Json asyncapi(const std::string& host) {
  Components components;
  Json messages = client_messages();
  std::vector<std::string> in, out, streamed;
  for (const auto& [name, message] : messages.items()) in.push_back(name);
  const Json pushed = server_messages();
  for (const auto& [name, message] : pushed.items()) {
    messages[name] = message;
    out.push_back(name);
  }
  const Json only_streamed = stream_messages();
  for (const auto& [name, message] : only_streamed.items()) {
    messages[name] = message;
    streamed.push_back(name);
  }
  for (const auto& row : event_rows()) {
    messages[key_of(row.name)] = event_message(row, components);
    out.push_back(key_of(row.name));
    streamed.push_back(key_of(row.name));
  }
  auto both = in;
  both.insert(both.end(), out.begin(), out.end());
  return {{"asyncapi", "3.0.0"},
          {"info",
           {{"title", "Bottega socket"}, {"version", BOTTEGA_VERSION}, {"description", kRules}}},
          {"servers",
           {{"this", {{"host", host}, {"protocol", "ws"}}},
            {"http", {{"host", host}, {"protocol", "http"}}}}},
          {"channels",
           {{"socket", channel_of("/v1/socket", "this", both)},
            {"events", channel_of("/v1/events/stream", "http", streamed)}}},
          {"operations",
           {{"take",
             {{"action", "receive"},
              {"summary", "What the server takes from a client."},
              {"channel", {{"$ref", "#/channels/socket"}}},
              {"messages", references(messages, in)}}},
            {"push",
             {{"action", "send"},
              {"summary", "What the server sends to a client."},
              {"channel", {{"$ref", "#/channels/socket"}}},
              {"messages", references(messages, out)}}},
            {"stream",
             {{"action", "send"},
              {"summary", "The same events as an event stream: GET with Last-Event-ID."},
              {"channel", {{"$ref", "#/channels/events"}}},
              {"messages", references(messages, streamed, "events")}}}}},
          {"components", {{"messages", messages}, {"schemas", components}}}};
}

}  // namespace bottega::gateway
