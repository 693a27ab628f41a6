// What the tests of the machines have in common: a stage, and what is looked at.
#include "http/machines.hpp"

#include "bottega/core/typeid.hpp"
#include "bottega/processors/sandbox.hpp"

namespace bottega::test {
namespace {

constexpr const char* kSecret = "the-processors-own-secret";

std::vector<std::string> with_secret(std::vector<std::string> settings) {
  settings.push_back(std::string("sandbox.webhook_secret=") + kSecret);
  return settings;
}

Person signed_in(const Server& server, const Person& who) { return log_in(server, who.email); }

}  // namespace

Stage::Stage(std::vector<std::string> settings)
    : house(with_secret(std::move(settings))),
      front(shop(house.server)),
      admin(staff(house.server)) {}

void Stage::advance(std::int64_t hours) {
  ASSERT_EQ(admin.post("/v1/admin/clock/advance", {{"advance_s", hours * 3'600}}).status, 200);
  front.owner = signed_in(house.server, front.owner);
  front.buyer = signed_in(house.server, front.buyer);
  admin = staff(house.server);
}

void Stage::settle() {
  Json run;
  const bool is_quiet = soon(
      [&] {
        run = admin.post("/v1/admin/jobs/run").json();
        return run["due"] == 0;
      },
      std::chrono::seconds(60));
  EXPECT_TRUE(is_quiet) << run;
}

Answer Stage::tell(Json event) {
  event["id"] = "evt_" + new_key();
  const auto body = event.dump();
  using namespace std::chrono;
  const auto now_s = floor<seconds>(system_clock::now().time_since_epoch()).count();
  const auto signature = processors::sign_webhook(Secret(std::string(kSecret)), body, now_s);
  return Client(house.server.port())
      .send("POST", "/v1/webhooks/processors/sandbox", body,
            {{"Content-Type", "application/json"}, {"bottega-sandbox-signature", signature}});
}

std::string Stage::key_of(const std::string& id) const {
  const auto subject = parse_typeid(id);
  if (!subject) throw std::runtime_error("no id: " + id);
  const auto attempt =
      execute(house.urls.superuser, "SELECT id FROM bottega.attempts WHERE subject_id = '" +
                                        uuid_text(subject->uuid) + "' ORDER BY id DESC LIMIT 1");
  const auto uuid = parse_uuid(attempt);
  if (!uuid) throw std::runtime_error("nothing was asked for " + id);
  return "att_" + typeid_suffix(*uuid);
}

Json news_of(const std::string& operation, const std::string& key, const std::string& verdict,
             const std::string& reason) {
  const bool waits = verdict == "buyer_action";
  return {
      {"operation", operation}, {"key", key},
      {"verdict", verdict},     {"reference", verdict == "unknown" ? "" : "told_" + key},
      {"reason", reason},       {"action_url", waits ? "https://processor.example/confirm" : ""}};
}

Json Thing::look_at(const std::string& at) const {
  auto client = *who;
  const auto answer = client.get(at);
  EXPECT_EQ(answer.status, 200) << at << ' ' << answer.body;
  return answer.json();
}

std::string Thing::state_in(const Json& looked) const {
  const Json::json_pointer where(state);
  return looked.is_object() && looked.contains(where) ? looked.at(where).get<std::string>() : "";
}

std::int64_t Thing::last_seq() const {
  auto client = *who;
  return log.empty() ? 0 : client.get(log).json()["last_seq"].get<std::int64_t>();
}

std::vector<std::string> Thing::told_since(std::int64_t seq) const {
  std::vector<std::string> told;
  if (log.empty()) return told;
  auto client = *who;
  const auto page =
      client.get(log + "/messages?limit=100&after=" + std::to_string(seq)).json()["data"];
  for (const auto& entry : page)
    if (entry.dump().find(id()) != std::string::npos)
      told.push_back(entry["event"].get<std::string>());
  return told;
}

Before before(const Thing& thing) {
  return {thing, thing.look(), thing.also.empty() ? Json() : thing.look_at(thing.also),
          thing.last_seq()};
}

void expect_the_same(const Before& was, const std::string& name) {
  EXPECT_EQ(was.thing.look(), was.looked) << name << " has changed it";
  if (!was.thing.also.empty()) {
    EXPECT_EQ(was.thing.look_at(was.thing.also), was.also)
        << name << " has changed what is with it";
  }
  EXPECT_EQ(was.thing.told_since(was.seq), std::vector<std::string>()) << name << " has told it";
}

void expect_conflict(const Before& was, const Answer& answer, const std::string& name) {
  EXPECT_TRUE(is_problem(answer, 409, "conflict")) << name;
  expect_the_same(was, name);
}

}  // namespace bottega::test
