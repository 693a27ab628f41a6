// The OpenAPI document: every route is in it as the dispatcher has it, and nothing is left open.
#include "gateway/openapi.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "gateway/routes/routes.hpp"

namespace bottega::test {
namespace gateway_openapi_test {

using namespace gateway;

const Json& document() {
  static const Json json = openapi(all_routes(), "https://shop.example");
  return json;
}

std::string method_of(Verb verb) { return verb == Verb::del ? "delete" : text_of(verb); }

const Json& operation_of(const Route& route) {
  return document().at("paths").at(std::string(route.path)).at(method_of(route.verb));
}

std::vector<Route> described_routes() {
  std::vector<Route> out;
  for (const auto& route : all_routes())
    if (route.status != 101) out.push_back(route);
  return out;
}

Json parameter_of(const Json& operation, const std::string& where, const std::string& name) {
  for (const auto& parameter : operation.value("parameters", Json::array()))
    if (parameter["in"] == where && parameter["name"] == name) return parameter;
  return nullptr;
}

template <class F>
void each_reference(const Json& json, const F& visit) {
  if (json.is_object() && json.contains("$ref")) visit(json["$ref"].get<std::string>());
  if (json.is_structured())
    for (const auto& child : json) each_reference(child, visit);
}

class EveryRoute : public testing::TestWithParam<Route> {
 protected:
  const Route& route = GetParam();
};

TEST_P(EveryRoute, IsDescribedAsItIsDispatched) {
  const auto& operation = operation_of(route);
  EXPECT_EQ(operation["operationId"], route.name);
  EXPECT_EQ(operation["summary"], route.summary);
  EXPECT_FALSE(route.summary.empty());
  EXPECT_NE(operation["description"], "Closed.") << "a route that nobody may call";
  EXPECT_EQ(operation["tags"].size(), 1u);
}

TEST_P(EveryRoute, SaysWhetherATokenIsNeeded) {
  const auto& security = operation_of(route)["security"];
  const auto bearer = Json::parse(R"([{"bearer":[]}])");
  EXPECT_EQ(security, route.access == Access::anyone ? Json::array() : bearer);
}

TEST_P(EveryRoute, SaysWhatItTakesAndGives) {
  const auto& operation = operation_of(route);
  Components scratch;
  EXPECT_EQ(operation.contains("requestBody"), route.takes != nullptr || route.streams != nullptr);
  if (route.streams != nullptr) {
    for (const auto& type : route.streams())
      EXPECT_TRUE(operation["requestBody"]["content"].contains(type)) << type;
  }
  if (route.takes != nullptr) {
    const auto& content = operation["requestBody"]["content"];
    EXPECT_EQ(content["application/json"]["schema"], route.takes(scratch));
  }
  const auto& success = operation["responses"].at(std::to_string(route.status));
  EXPECT_EQ(success.contains("content"), route.gives != nullptr);
  if (route.gives == nullptr) return;
  const auto media = route.verb == Verb::get ? std::string(route.media_type) : "application/json";
  EXPECT_EQ(success["content"][media]["schema"], route.gives(scratch));
  EXPECT_NE(route.status, 204u) << "an empty answer has no schema";
}

TEST_P(EveryRoute, SaysThatItMayFail) {
  const auto& responses = operation_of(route)["responses"];
  for (const auto* status : {"4XX", "5XX"})
    EXPECT_EQ(responses.at(status)["$ref"], "#/components/responses/Problem");
}

TEST_P(EveryRoute, NamesEachCapturedSegmentOnce) {
  const auto& operation = operation_of(route);
  std::set<std::string> names;
  for (auto path = route.path; path.find('{') != path.npos;) {
    path.remove_prefix(path.find('{') + 1);
    EXPECT_TRUE(names.insert(std::string(path.substr(0, path.find('}')))).second);
  }
  std::size_t described = 0;
  for (const auto& parameter : operation.value("parameters", Json::array())) {
    if (parameter["in"] != "path") continue;
    ++described;
    EXPECT_TRUE(names.contains(parameter["name"])) << parameter;
    EXPECT_EQ(parameter["required"], true);
  }
  EXPECT_EQ(described, names.size());
}

TEST_P(EveryRoute, DescribesEachQueryParameterThatItsRowNames) {
  const auto& operation = operation_of(route);
  std::istringstream words{std::string(route.parameters)};
  std::size_t named = 0;
  for (std::string word; words >> word; ++named)
    EXPECT_FALSE(parameter_of(operation, "query", word).is_null()) << word;
  std::size_t described = 0;
  for (const auto& parameter : operation.value("parameters", Json::array()))
    described += parameter["in"] == "query" ? 1 : 0;
  EXPECT_EQ(described, named);
}

TEST_P(EveryRoute, SaysWhetherAKeyIsTakenAndAPostTakesOne) {
  const auto key = parameter_of(operation_of(route), "header", "Idempotency-Key");
  EXPECT_EQ(key.is_null(), route.once == Once::none);
  if (key.is_null()) return;
  EXPECT_EQ(key["required"], route.once == Once::required);
}

INSTANTIATE_TEST_SUITE_P(Routes, EveryRoute, testing::ValuesIn(described_routes()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(OpenApi, HoldsTheRoutesAndNothingElse) {
  std::size_t operations = 0;
  for (const auto& [path, methods] : document()["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, described_routes().size());
  EXPECT_GE(operations, 40u);
}

TEST(OpenApi, NoTwoRoutesShareANameOrAnAddress) {
  std::set<std::string_view> names;
  std::set<std::string> addresses;
  for (const auto& route : all_routes()) {
    EXPECT_TRUE(names.insert(route.name).second) << route.name;
    std::string address = text_of(route.verb) + ' ';
    for (bool inside = false; const char c : route.path) {
      inside = c == '{' || (inside && c != '}');
      if (!inside) address += c;
    }
    EXPECT_TRUE(addresses.insert(address).second)
        << route.path << " means what another route means";
  }
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  int seen = 0;
  each_reference(document(), [&](const std::string& reference) {
    ++seen;
    ASSERT_TRUE(reference.starts_with("#/")) << reference;
    EXPECT_TRUE(document().contains(Json::json_pointer(reference.substr(1)))) << reference;
  });
  EXPECT_GE(seen, 100);
}

TEST(OpenApi, EverySchemaIsUsedAndSaysItsType) {
  std::set<std::string> used;
  each_reference(document(), [&](const std::string& reference) { used.insert(reference); });
  for (const auto& [name, schema] : document()["components"]["schemas"].items()) {
    EXPECT_TRUE(used.contains("#/components/schemas/" + name)) << name;
    EXPECT_EQ(schema["type"], "object") << name;
    EXPECT_EQ(schema["additionalProperties"], false) << name;
    EXPECT_FALSE(schema["properties"].empty()) << name;
  }
}

TEST(OpenApi, TheSchemaOfProblemsKnowsEveryCode) {
  const auto& codes = document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
  ASSERT_EQ(codes.size(), kCodes.size());
  for (std::size_t i = 0; i < kCodes.size(); ++i) EXPECT_EQ(codes[i], kCodes[i].slug);
}

TEST(OpenApi, TheTagsAreDescribedAndUsed) {
  std::set<std::string> described, used;
  for (const auto& tag : document()["tags"]) described.insert(tag["name"]);
  for (const auto& route : described_routes()) used.insert(operation_of(route)["tags"][0]);
  EXPECT_EQ(described, used);
}

TEST(OpenApi, SaysWhichVersionOfWhatAndWhereItIs) {
  EXPECT_EQ(document()["openapi"], "3.1.0");
  EXPECT_EQ(document()["info"]["version"], BOTTEGA_VERSION);
  EXPECT_EQ(document()["servers"][0]["url"], "https://shop.example");
  EXPECT_EQ(document()["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

TEST(OpenApi, NoAnswerHoldsASecretButTheOnesThatAreGivenOnce) {
  for (const auto& [name, schema] : document()["components"]["schemas"].items())
    for (const auto& [member, value] : schema["properties"].items()) {
      const bool secret =
          member.find("hash") != member.npos || member.find("password") != member.npos;
      EXPECT_TRUE(!secret || value.value("format", "") == "password") << name << '.' << member;
    }
}

// What the rows promise, wherever they are served.
TEST(Routes, AreClosedUnlessTheySayOtherwise) {
  const std::set<std::string_view> open = {
      "enterAsGuest",    "getPaymentLinkOffer",  "getPaymentPage",      "registerAccount",
      "logIn",           "refreshSession",       "receiveWebhook",      "getHealth",
      "getReadiness",    "getMetrics",           "getOpenApi",          "getAsyncApi",
      "getDocs",         "listProblems",         "getProblem",          "openSocket",
      "getHome",         "getAttachmentContent", "getExportContent",    "getEvidenceKey",
      "receiveTracking", "getProductPicture",    "getCheckoutSettings", "getBackPage"};
  for (const auto& route : all_routes()) {
    EXPECT_NE(route.handler, nullptr) << route.name;
    EXPECT_NE(route.access, Access::nobody) << route.name;
    EXPECT_EQ(route.access == Access::anyone, open.contains(route.name)) << route.name;
    const bool staff = route.access == Access::support || route.access == Access::finance ||
                       route.access == Access::admin;
    EXPECT_EQ(staff, route.path.starts_with("/v1/admin/")) << route.name;
  }
}

TEST(Routes, WhatChangesThingsIsCountedAsAWrite) {
  // What is asked with a body, and changes nothing.
  const std::set<std::string_view> asked = {"quoteCheckout"};
  for (const auto& route : all_routes())
    EXPECT_EQ(route.verb == Verb::get || asked.contains(route.name), route.budget == Budget::reads)
        << route.name;
}

}  // namespace gateway_openapi_test
}  // namespace bottega::test
