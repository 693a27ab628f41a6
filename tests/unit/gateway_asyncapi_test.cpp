// The AsyncAPI document: every event that the code tells is in it, and every reference leads
// somewhere.
#include "gateway/asyncapi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "gateway/frames.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace gateway_asyncapi_test {

using namespace gateway;

const Json& document() {
  static const Json json = asyncapi("shop.example:443");
  return json;
}

const Json& message_of(std::string_view event) {
  std::string key(event);
  std::ranges::replace(key, '.', '_');
  return document().at("components").at("messages").at(key);
}

bool is_event_name(std::string_view text) {
  const auto dot = text.find('.');
  return dot != text.npos && dot > 0 && dot + 1 < text.size() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") == text.npos &&
         text.find('.', dot + 1) == text.npos;
}

// The literals like "order.shipped" on a line, but for names of log lines and SQL statements.
void note_events(const std::string& line, std::set<std::string>& names) {
  if (line.find("log::") != line.npos || line.find("#include") != line.npos) return;
  for (std::size_t open = line.find('"'); open != line.npos; open = line.find('"', open + 1)) {
    const auto close = line.find('"', open + 1);
    if (close == line.npos) return;
    const auto word = line.substr(open + 1, close - open - 1);
    if (is_event_name(word) && line.compare(close, 5, "\", R\"") != 0) names.insert(word);
    open = close;
  }
}

// The names of events in the modules that write into a conversation.
std::set<std::string> events_in_the_code() {
  const auto root = std::filesystem::path(BOTTEGA_SOURCE_DIR) / "src";
  std::set<std::string> names;
  for (const auto* module :
       {"conversations", "notifications", "orders", "payments", "payouts", "attempts", "wallet",
        "disputes", "catalog", "support", "returns", "checkout"})
    for (const auto& file : std::filesystem::directory_iterator(root / module)) {
      // The name of a statement may be on the line before its text.
      static const std::regex broken("\",\\s+R\"");
      std::istringstream text(std::regex_replace(read_file(file.path()), broken, "\", R\""));
      for (std::string line; std::getline(text, line);) note_events(line, names);
    }
  return names;
}

template <class F>
void each_reference(const Json& json, const F& visit) {
  if (json.is_object() && json.contains("$ref")) visit(json["$ref"].get<std::string>());
  if (json.is_structured())
    for (const auto& child : json) each_reference(child, visit);
}

TEST(AsyncApi, KnowsEveryEventThatTheCodeTellsAndNoOther) {
  std::set<std::string> described;
  for (const auto& row : event_rows()) described.insert(std::string(row.name));
  EXPECT_EQ(events_in_the_code(), described);
}

TEST(AsyncApi, EveryEventIsAMessageThatTheServerPushes) {
  std::set<std::string> pushed;
  for (const auto& reference : document()["operations"]["push"]["messages"])
    pushed.insert(reference["$ref"]);
  EXPECT_EQ(document()["operations"]["push"]["action"], "send");
  for (const auto& row : event_rows()) {
    std::string key(row.name);
    std::ranges::replace(key, '.', '_');
    EXPECT_TRUE(pushed.contains("#/channels/socket/messages/" + key)) << row.name;
    EXPECT_EQ(message_of(row.name)["summary"], row.summary);
  }
  EXPECT_EQ(pushed.size(), event_rows().size() + 2) << "the events, reply and resumed";
}

TEST(AsyncApi, DurableEventsHaveANumberAndPassingOnesHaveNone) {
  for (const auto& row : event_rows()) {
    const auto& payload = message_of(row.name)["payload"];
    EXPECT_EQ(payload["properties"]["event"]["const"], row.name);
    const auto required = payload["required"].get<std::set<std::string>>();
    EXPECT_TRUE(required.contains("conversation")) << row.name;
    EXPECT_EQ(required.contains("seq"), row.durable == Durable::yes) << row.name;
    EXPECT_EQ(payload["properties"].contains("seq"), row.durable == Durable::yes) << row.name;
  }
}

TEST(AsyncApi, ADurableEventSaysWhatItIsAboutAndByWhom) {
  for (const auto& row : event_rows()) {
    if (row.durable == Durable::no) continue;
    const auto& data = message_of(row.name)["payload"]["properties"]["data"];
    EXPECT_TRUE(data["properties"].contains(std::string(row.member))) << row.name;
    EXPECT_TRUE(data["properties"].contains("author")) << row.name;
    EXPECT_FALSE(data["properties"][std::string(row.member)].empty()) << row.name;
  }
}

TEST(AsyncApi, AnOrderInAConversationHasNoAddress) {
  const auto& data = message_of("order.created")["payload"]["properties"]["data"];
  const auto& order = data["properties"]["order"];
  EXPECT_TRUE(order["properties"].contains("state"));
  EXPECT_FALSE(order["properties"].contains("ship_to"));
  EXPECT_FALSE(order["required"].get<std::set<std::string>>().contains("ship_to"));
}

TEST(AsyncApi, EveryReferenceLeadsSomewhere) {
  int seen = 0;
  each_reference(document(), [&](const std::string& reference) {
    ++seen;
    ASSERT_TRUE(reference.starts_with("#/")) << reference;
    EXPECT_TRUE(document().contains(Json::json_pointer(reference.substr(1)))) << reference;
  });
  EXPECT_GE(seen, 40);
}

TEST(AsyncApi, WhatAClientMaySayIsWhatTheServerReads) {
  std::set<std::string> taken;
  for (const auto& reference : document()["operations"]["take"]["messages"])
    taken.insert(reference["$ref"]);
  EXPECT_EQ(document()["operations"]["take"]["action"], "receive");
  EXPECT_EQ(taken, (std::set<std::string>{"#/channels/socket/messages/request",
                                          "#/channels/socket/messages/auth",
                                          "#/channels/socket/messages/resume"}));
  const auto& request = document()["components"]["messages"]["request"]["payload"];
  for (const auto& method : request["properties"]["method"]["enum"]) {
    Json frame = {{"id", "1"}, {"method", method}, {"path", "/"}, {"idempotency_key", "k"}};
    frame["body"] = Json::object();
    for (const auto& [name, value] : frame.items())
      EXPECT_TRUE(request["properties"].contains(name)) << name;
    EXPECT_EQ(read_frame(frame.dump()).method, method);
  }
}

TEST(AsyncApi, SaysWhichVersionOfWhatAndWhereItIs) {
  EXPECT_EQ(document()["asyncapi"], "3.0.0");
  EXPECT_EQ(document()["info"]["version"], BOTTEGA_VERSION);
  EXPECT_EQ(document()["servers"]["this"]["host"], "shop.example:443");
  EXPECT_EQ(document()["channels"]["socket"]["address"], "/v1/socket");
}

}  // namespace gateway_asyncapi_test
}  // namespace bottega::test
