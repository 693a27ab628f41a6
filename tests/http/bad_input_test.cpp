// Bodies that are not what the contract says: each is refused, every bad field is named, nothing
// changes.
#include <filesystem>

#include "http/routes.hpp"
#include "http/story.hpp"
#include "support/shared.hpp"

namespace bottega::test {
namespace bad_input_test {

using gateway::Access, gateway::Route;

const Storefront& the_chat() {
  static const Storefront shop = chat(Server::shared());
  return shop;
}

const Client& caller_of(const Route& route) {
  static const Client admin = staff(Server::shared());
  static const Client nobody(Server::shared().port());
  if (route.access >= Access::support) return admin;
  return route.access == Access::anyone ? nobody : the_chat().owner.api;
}

Answer send_body(const std::string& body, const std::string& type = "application/json") {
  auto buyer = the_chat().buyer.api;
  return buyer.send("POST", the_chat().path("/messages"), body, {{"Content-Type", type}});
}

std::int64_t last_seq() {
  auto buyer = the_chat().buyer.api;
  return buyer.get(the_chat().path()).json()["last_seq"];
}

// ---- every field of every body ------------------------------------------------------------------

// A place in a body: the document that has only it, with a value of a wrong type there.
struct Wrong {
  std::string pointer;
  Json body;
};

Json resolved(const Json& schema, const Json& contract) {
  if (schema.contains("anyOf")) return resolved(schema["anyOf"][0], contract);
  if (!schema.contains("$ref")) return schema;
  const auto ref = schema["$ref"].get<std::string>();
  return contract["components"]["schemas"][ref.substr(ref.rfind('/') + 1)];
}

Json wrong_for(const Json& schema) {
  const auto type = schema["type"].is_array() ? schema["type"][0] : schema["type"];
  if (type == "object" || type == "array" || type == "integer") return "a string";
  return 42;
}

void collect(const Json& given, const Json& contract, const Wrong& at, std::vector<Wrong>& out) {
  const auto schema = resolved(given, contract);
  auto wrong = at;
  wrong.body[Json::json_pointer(at.pointer)] = wrong_for(schema);
  out.push_back(wrong);
  if (schema.contains("properties"))
    for (const auto& [name, property] : schema["properties"].items())
      collect(property, contract, {at.pointer + '/' + name, Json::object()}, out);
  if (schema.contains("items"))
    collect(schema["items"], contract, {at.pointer + "/0", Json::object()}, out);
}

// The document {} with arrays where the pointer goes through one.
Json document(const std::string& pointer, const Json& value) {
  if (pointer.empty()) return value;
  const auto slash = pointer.find('/', 1);
  const auto name = pointer.substr(1, slash == std::string::npos ? slash : slash - 1);
  const auto inner = document(slash == std::string::npos ? "" : pointer.substr(slash), value);
  return name == "0" ? Json::array({inner}) : Json{{name, inner}};
}

Json schema_for(const Route& route, const Json& contract) {
  auto method = method_of(route);
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
  return contract["paths"][std::string(route.path)][method]["requestBody"]["content"]
                 ["application/json"]["schema"];
}

const Json& contract() {
  static const Json document = Client(Server::shared().port()).get("/openapi.json").json();
  return document;
}

class BodyOf : public testing::TestWithParam<Route> {
 protected:
  Answer send(const Json& body) const {
    auto caller = caller_of(GetParam());
    HeaderList headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", new_key()}};
    if (GetParam().versions == gateway::Versions::required) headers["If-Match"] = "\"1\"";
    return caller.send(method_of(GetParam()), somewhere(GetParam()), body.dump(), headers);
  }
};

TEST_P(BodyOf, NamesEveryFieldThatHasAWrongType) {
  std::vector<Wrong> wrongs;
  collect(schema_for(GetParam(), contract()), contract(), {"", Json::object()}, wrongs);
  EXPECT_GT(wrongs.size(), 1u);
  for (const auto& wrong : wrongs) {
    const auto value = wrong.body.at(Json::json_pointer(wrong.pointer));
    const auto answer = send(document(wrong.pointer, value));
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << wrong.pointer;
    EXPECT_TRUE(points_at(answer.json(), wrong.pointer)) << wrong.pointer << ' ' << answer.body;
  }
}

TEST_P(BodyOf, NamesEveryRequiredFieldThatIsMissing) {
  const auto schema = resolved(schema_for(GetParam(), contract()), contract());
  const auto required = schema.value("required", Json::array());
  if (required.empty()) return;
  const auto answer = send(Json::object());
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  EXPECT_EQ(pointers(answer.json()).size(), required.size()) << answer.body;
  for (const auto& name : required)
    EXPECT_TRUE(points_at(answer.json(), '/' + name.get<std::string>())) << name;
}

TEST_P(BodyOf, NamesAFieldThatItDoesNotKnow) {
  const auto answer = send({{"is_admin", true}, {"a/b~c", 1}});
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  EXPECT_TRUE(points_at(answer.json(), "/is_admin")) << answer.body;
}

bool takes_a_body(const Route& route) { return route.takes != nullptr; }
INSTANTIATE_TEST_SUITE_P(Http, BodyOf, testing::ValuesIn(routes_where(takes_a_body)), route_name);

// ---- what is not JSON ---------------------------------------------------------------------------

struct Malformed {
  const char* name;
  std::string body;
};
void PrintTo(const Malformed& one, std::ostream* out) { *out << one.name; }

class MalformedBody : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedBody, IsRefusedAndChangesNothing) {
  const auto before = last_seq();
  EXPECT_TRUE(is_problem(send_body(GetParam().body), 400, "malformed"));
  EXPECT_EQ(last_seq(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Http, MalformedBody,
    testing::Values(Malformed{"Truncated", R"({"text":"hel)"},
                    Malformed{"DuplicateKey", R"({"text":"a","text":"b"})"},
                    Malformed{"DuplicateKeyEscaped", R"({"text":"a","\u0074ext":"b"})"},
                    Malformed{"InvalidUtf8", "{\"text\":\"\xff\xfe\"}"},
                    Malformed{"OverlongUtf8", "{\"text\":\"\xc0\xaf\"}"},
                    Malformed{"SurrogateUtf8", "{\"text\":\"\xed\xa0\x80\"}"},
                    Malformed{"LoneSurrogate", R"({"text":"\ud800"})"},
                    Malformed{"ByteOrderMark", "\xef\xbb\xbf{\"text\":\"a\"}"},
                    Malformed{"SomethingBehind", R"({"text":"a"} x)"},
                    Malformed{"TwoDocuments", R"({"text":"a"}{"text":"b"})"},
                    Malformed{"Comment", R"({"text":"a"/* no */})"},
                    Malformed{"TrailingComma", R"({"text":"a",})"},
                    Malformed{"SingleQuotes", "{'text':'a'}"},
                    Malformed{"RawNewline", "{\"text\":\"a\nb\"}"},
                    Malformed{"NotANumber", R"({"text":NaN})"},
                    Malformed{"NumberBeyondADouble", R"({"text":1e999})"},
                    Malformed{"NestedTooDeeply", std::string(5000, '[')},
                    Malformed{"OnlySpace", "   "}, Malformed{"NulByte", std::string("{\0}", 3)}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(BadInput, IsRefusedWhereItsMediaTypeIsNotJson) {
  const auto before = last_seq();
  for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                           "application/json; charset=utf-16", "text/json", "multipart/form-data"})
    EXPECT_TRUE(is_problem(send_body(R"({"text":"a"})", type), 415, "unsupported_media_type"))
        << type;
  EXPECT_EQ(last_seq(), before);
  EXPECT_EQ(send_body(R"({"text":"a"})", "Application/JSON; charset=UTF-8").status, 201);
}

TEST(BadInput, IsRefusedWhereTheTextHasControlCharacters) {
  for (const auto* body : {R"({"text":"a\u0000b"})", R"({"text":"a\u001bb"})", R"({"text":""})",
                           R"({"text":"a\u007fb"})"})
    EXPECT_TRUE(is_problem(send_body(body), 422, "invalid")) << body;
  EXPECT_EQ(send_body(R"({"text":"a\tb\nc"})").status, 201);
}

TEST(BadInput, HasItsLengthCountedInCharactersNotInBytes) {
  std::string most;
  for (int i = 0; i < 4096; ++i) most += "é";
  EXPECT_EQ(send_body(Json{{"text", most}}.dump()).status, 201);
  const auto answer = send_body(Json{{"text", most + "é"}}.dump());
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  EXPECT_TRUE(points_at(answer.json(), "/text"));
}

TEST(BadInput, IsNotRepeatedInTheAnswer) {
  const auto answer = send_body(R"({"text":42,"card 4242424242424242":"1"})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body.find("4242424242424242"), std::string::npos) << answer.body;
}

// A name that is cut for the answer must not end inside a character.
TEST(BadInput, IsRefusedWhereAParameterHasALongNameInOtherLetters) {
  auto buyer = the_chat().buyer.api;
  for (const std::string start : {"", "a"}) {
    auto name = start;
    for (int i = 0; i < 30; ++i) name += "%C3%A9";
    EXPECT_TRUE(is_problem(buyer.get("/v1/conversations?" + name + "=1"), 400, "malformed"));
  }
}

TEST(BadInput, IsRefusedWhereABodyIsNotWanted) {
  auto buyer = the_chat().buyer.api;
  const auto path = the_chat().path("/typing");
  EXPECT_TRUE(is_problem(buyer.post(path, {{"x", 1}}), 422, "invalid"));
  EXPECT_EQ(buyer.post(path).status, 204);
  EXPECT_EQ(buyer.post(path, Json::object()).status, 204);
}

TEST(BadInput, IsRefusedWhereAnAmountIsNotOneOfWholeMinorUnits) {
  const auto shop = test::shop(Server::shared());
  auto owner = shop.owner.api;
  const auto post = [&](const Json& amount) {
    auto body = new_request(shop);
    body["lines"][0]["unit_amount"] = amount;
    return owner.post("/v1/payment_requests", body);
  };
  for (const auto& amount : {Json(12.5), Json(1e3), Json("1250"), Json(-1), Json(true),
                             Json::parse("9223372036854775808"), Json::parse("1e30")}) {
    const auto answer = post(amount);
    EXPECT_TRUE(is_problem(answer, 422, "invalid")) << amount;
    EXPECT_TRUE(points_at(answer.json(), "/lines/0/unit_amount")) << answer.body;
  }
  EXPECT_TRUE(is_problem(post(0), 422, "invalid")) << "nothing is not a price";
  EXPECT_TRUE(is_problem(post(10'000'001), 422, "invalid")) << "more than the setting allows";
  EXPECT_EQ(post(10'000'000).status, 201);
}

TEST(Amounts, AreRefusedTogetherWithWhateverElseIsNotPossible) {
  const auto shop = test::shop(Server::shared());
  auto owner = shop.owner.api;
  auto body = new_request(shop, 75'000'001);
  body["currency"] = "EUR";
  body["expires_at"] = "2020-01-01T00:00:00Z";
  const auto answer = owner.post("/v1/payment_requests", body);
  EXPECT_TRUE(is_problem(answer, 422, "invalid"));
  for (const auto* pointer : {"/lines", "/currency", "/expires_at"})
    EXPECT_TRUE(points_at(answer.json(), pointer)) << pointer << ' ' << answer.body;
}

// ---- the official vectors -----------------------------------------------------------------------

// The n-th kind of file of the JSON test suite, sent as a message's body; answers how many there
// were.
template <class Check>
int each_vector(const std::filesystem::path& folder, const std::string& prefix, Check check) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const auto name = file.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const auto body = read_file(file.path());
    check(name, body, send_body(body));
    ++count;
  }
  return count;
}

TEST(JsonVectors, ThatMustBeAcceptedAreReadAndJudgedByTheirFields) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/json-parsing/test_parsing");
  const auto count =
      each_vector(folder, "y_", [](const auto& name, const auto&, const auto& answer) {
        // Two of them have a key twice, which is stricter here than RFC 8259 asks for.
        const bool twice = name.find("duplicated_key") != std::string::npos;
        if (twice)
          EXPECT_TRUE(is_problem(answer, 400, "malformed")) << name;
        else
          EXPECT_TRUE(is_problem(answer, 422, "invalid")) << name;
      });
  EXPECT_GE(count, 90);
}

TEST(JsonVectors, ThatMustBeRejectedAreMalformed) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/json-parsing/test_parsing");
  const auto before = last_seq();
  const auto count =
      each_vector(folder, "n_", [](const auto& name, const auto& body, const auto& answer) {
        // No body at all is an empty object.
        if (body.empty())
          EXPECT_TRUE(is_problem(answer, 422, "invalid")) << name;
        else
          EXPECT_TRUE(is_problem(answer, 400, "malformed")) << name;
      });
  EXPECT_GE(count, 180);
  EXPECT_EQ(last_seq(), before);
}

TEST(JsonVectors, ThatAreLeftToTheImplementationAreNeverOurFault) {
  BOTTEGA_NEEDS_SHARED(folder, "vectors/json-parsing/test_parsing");
  const auto count =
      each_vector(folder, "i_", [](const auto& name, const auto&, const auto& answer) {
        EXPECT_TRUE(answer.status == 400 || answer.status == 422) << name << ' ' << answer.status;
      });
  EXPECT_GE(count, 30);
}

}  // namespace bad_input_test
}  // namespace bottega::test
