// The program as an operator meets it: starting, stopping, dying, and what is done from a terminal.
#include <signal.h>
#include <unistd.h>

#include <future>

#include "http/story.hpp"
#include "support/shared.hpp"
#include "bottega/core/config.hpp"

namespace bottega::test {
namespace process_test {

using std::chrono::steady_clock;

const std::string kProgram = std::string("'") + BOTTEGA_BINARY + "' ";

std::string set(const std::string& name, const std::string& value) {
  return " --set '" + name + "=" + value + "'";
}

bool says(const Ran& ran, const std::string& words) {
  return ran.output.find(words) != std::string::npos;
}

std::string database(const Urls& urls) {
  return set("database.url", urls.app) + set("database.owner_url", urls.owner) +
         set("sandbox.url", urls.sandbox);
}
std::vector<std::string> settings_for(const Urls& urls) {
  return {"database.url=" + urls.app, "database.owner_url=" + urls.owner,
          "sandbox.url=" + urls.sandbox};
}

// ---- stopping -----------------------------------------------------------------------------------

TEST(Stop, EndsWithSuccessWhenNothingIsGoingOn) {
  House house({}, Postgres::own);
  const auto shop = chat(house.server);
  EXPECT_EQ(send_text(shop, shop.buyer.api, "Hello").status, 201);
  EXPECT_EQ(house.server.stop(), 0);
  EXPECT_NE(read_file(house.server.log_file()).find("server.stopped"), std::string::npos);
}

TEST(Stop, FinishesRunningRequestsAndClosesSocketsConcurrently) {
  House house({"sandbox.slow_ms=700"});
  const auto shop = test::shop(house.server);
  const auto over_http = ask(shop), over_socket = ask(shop);
  Socket buyer(house.server.port(), shop.buyer.api.token()),
      idle(house.server.port(), shop.owner.api.token());
  const auto path = [](const Json& request) {
    return "/v1/payment_requests/" + request["id"].get<std::string>() + "/accept";
  };
  buyer.send({{"id", "pay"},
              {"method", "POST"},
              {"path", path(over_socket)},
              {"idempotency_key", new_key()},
              {"body", pay_with("tok_slow")}});
  auto paying = std::async(std::launch::async, [&] { return accept(shop, over_http, "tok_slow"); });
  auto api = shop.buyer.api;
  EXPECT_TRUE(soon([&] {
    const auto list =
        api.get("/v1/payment_requests?conversation_id=" + shop.conversation).json()["data"];
    return list[0]["state"] == "paying" && list[1]["state"] == "paying";
  }));
  const auto begun = steady_clock::now();
  house.server.signal(SIGTERM);
  EXPECT_EQ(buyer.reply("pay")["status"], 200);
  EXPECT_EQ(buyer.close_code(), 3010);
  EXPECT_EQ(idle.close_code(), 3010);
  const auto answer = paying.get();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(house.server.wait(), 0);
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(8));
}

TEST(Stop, WaitsNoLongerThanItsGraceForAClientThatWillNotEndConcurrently) {
  House house({"stop.grace_s=1", "http.read_timeout_s=600"});
  const auto dribbling = std::async(std::launch::async, [port = house.server.port()] {
    return exchange(port, "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
  });
  const auto connected = [&] {
    const auto page = Client(house.server.port()).get("/metrics").body;
    return page.find("bottega_load{kind=\"connections\"} 2") != page.npos;
  };
  EXPECT_TRUE(soon(connected));
  const auto begun = steady_clock::now();
  EXPECT_EQ(house.server.stop(), 0);
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(6));
}

TEST(Stop, WaitsNoLongerThanItsGraceForAProcessorThatDoesNotAnswerConcurrently) {
  House house({"stop.grace_s=1", "payments.call_timeout_ms=120000"});
  const auto shop = test::shop(house.server);
  const auto request = ask(shop), over_socket = ask(shop);
  const auto path = [](const Json& of) {
    return "/v1/payment_requests/" + of["id"].get<std::string>();
  };
  Socket socket(house.server.port(), shop.buyer.api.token());
  socket.send({{"id", "pay"},
               {"method", "POST"},
               {"path", path(over_socket) + "/accept"},
               {"idempotency_key", new_key()},
               {"body", pay_with("tok_no_answer")}});
  const auto waiting = std::async(std::launch::async, [&] {
    try {
      return accept(shop, request, "tok_no_answer").status;
    } catch (const std::exception&) {
      return 0;  // it was cut off
    }
  });
  auto api = shop.buyer.api;
  for (const auto& one : {request, over_socket})
    EXPECT_TRUE(soon([&] { return api.get(path(one)).json()["state"] == "paying"; }));
  const auto begun = steady_clock::now();
  EXPECT_EQ(house.server.stop(), 0) << read_file(house.server.log_file());
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(20));
}

// ---- dying --------------------------------------------------------------------------------------

TEST(Death, LosesNothingThatWasAnswered) {
  TempDir dir;
  auto server = std::make_unique<Server>(dir.path() / "data");
  const auto shop = test::shop(*server);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(send_text(shop, shop.buyer.api, "Kept").status, 201);
  const auto key = new_key();
  auto before = shop.buyer.api;
  const auto last =
      before.post(shop.path("/messages"), {{"text", "The last"}}, {{"Idempotency-Key", key}});
  const auto order = sell(shop);
  server->kill();
  server = std::make_unique<Server>(dir.path() / "data");
  Client buyer(server->port(), shop.buyer.api.token());
  const auto log = buyer.get(shop.path("/messages?limit=100")).json()["data"];
  ASSERT_GE(log.size(), 6u) << log.dump();
  EXPECT_EQ(log[5], last.json());
  EXPECT_EQ(buyer.get("/v1/orders/" + order["id"].get<std::string>()).json(), order);
  const auto again =
      buyer.post(shop.path("/messages"), {{"text", "The last"}}, {{"Idempotency-Key", key}});
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
  EXPECT_EQ(again.json(), last.json());
  EXPECT_TRUE(staff(*server).get("/v1/admin/ledger/trial_balance").json()["is_balanced"]);
}

// ---- starting -----------------------------------------------------------------------------------

TEST(Start, RefusesASecondServerOnTheSameDirectoryWithWords) {
  const auto log = Server::shared().log_file().string();
  const auto data = log.substr(0, log.size() - 4);
  const auto ran = run_program(kProgram + "serve" + set("http.port", "0") +
                               set("sandbox.port", "0") + set("data.dir", data));
  EXPECT_EQ(ran.status, 1) << ran.output;
  EXPECT_TRUE(says(ran, "another")) << ran.output;
  EXPECT_TRUE(says(ran, data)) << ran.output;
  EXPECT_EQ(Client(Server::shared().port()).get("/readyz").status, 200);
}

TEST(Start, RefusesAPortThatIsTakenWithWords) {
  const auto port = std::to_string(Server::shared().port());
  const auto ran =
      run_program(kProgram + "serve" + set("http.port", port) + set("sandbox.port", "0") +
                  database(Cluster::shared().fresh_database()));
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(says(ran, "cannot listen on 127.0.0.1 port " + port)) << ran.output;
}

TEST(Start, NamesEveryMistakeInTheSettingsAndNoValue) {
  const auto ran = run_program("BOTTEGA_HTTP_THREADS=many " + kProgram + "serve" +
                               set("http.port", "70000") + set("mode", "fast") +
                               set("no.such", "hush-hush") + set("payouts.business_days", "2"));
  EXPECT_EQ(ran.status, 1);
  for (const auto* words :
       {"http.threads: expected an integer", "http.port: must be from 0 to 65535",
        "mode: must be one of sandbox|live", "no.such: there is no such setting",
        "payouts.business_days: must be from 3 to 5"})
    EXPECT_TRUE(says(ran, words)) << words << '\n' << ran.output;
  EXPECT_FALSE(says(ran, "hush-hush"));
  EXPECT_FALSE(says(ran, "ready"));
}

TEST(Start, RefusesDemoPeopleInLiveMode) {
  const auto ran =
      run_program(kProgram + "serve --demo" + set("mode", "live") + set("http.port", "0") +
                  database(Cluster::shared().fresh_database()));
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(says(ran, "sandbox only")) << ran.output;
}

TEST(Start, RefusesTheDatabaseOfDemoPeopleInLiveMode) {
  House house;  // has them
  const auto live = kProgram + "serve" + set("mode", "live") + set("http.port", "0");
  const auto ran = run_program(live + database(house.urls));
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(says(ran, "buyer@demo.example")) << ran.output;
  EXPECT_FALSE(says(ran, "ready"));
}

// Another user than the one that was named would keep the data where nobody looks for it.
TEST(Start, RefusesAUserForPostgresThatDoesNotExist) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs PostgreSQL as another user";
  TempDir dir;
  const auto ran =
      run_program(kProgram + "serve" + set("http.port", "0") + set("sandbox.port", "0") +
                  set("data.dir", dir.path() / "data") + set("postgres.user", "no-such-user"));
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(says(ran, "no-such-user")) << ran.output;
}

TEST(Start, UsesADatabaseOfTheOperators) {
  House house;
  const auto shop = chat(house.server);
  EXPECT_EQ(send_text(shop, shop.buyer.api, "In your own database").status, 201);
  EXPECT_EQ(execute(house.urls.superuser, "SELECT data->>'text' FROM bottega.entries"),
            "In your own database");
  EXPECT_FALSE(std::filesystem::exists(house.dir.path() / "data" / "postgres"));
}

TEST(Start, RefusesToServeAsTheOwnerOfTheLedger) {
  const auto urls = Cluster::shared().fresh_database();
  const auto ran =
      run_program(kProgram + "serve" + set("http.port", "0") + set("sandbox.port", "0") +
                  set("database.url", urls.owner) + set("sandbox.url", urls.sandbox));
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(says(ran, "not starting")) << ran.output;
}

// Two servers on one database: what is written at one is heard of at the other when it asks.
TEST(Start, LetsTwoServersShareOneDatabase) {
  const auto urls = Cluster::shared().fresh_database();
  TempDir dir;
  Server first(dir.path() / "a", settings_for(urls)), second(dir.path() / "b", settings_for(urls));
  const auto shop = chat(first);
  const auto key = new_key();
  Client here(first.port(), shop.buyer.api.token()), there(second.port(), shop.buyer.api.token());
  const auto sent =
      here.post(shop.path("/messages"), {{"text", "Hello"}}, {{"Idempotency-Key", key}});
  EXPECT_EQ(sent.status, 201);
  EXPECT_EQ(there.get(shop.path("/messages")).json()["data"][0], sent.json());
  const auto again =
      there.post(shop.path("/messages"), {{"text", "Hello"}}, {{"Idempotency-Key", key}});
  EXPECT_EQ(again.header("idempotent-replayed"), "true");
}

// ---- from a terminal ----------------------------------------------------------------------------

TEST(Terminal, SaysWhetherAServerIsReady) {
  const auto port = std::to_string(Server::shared().port());
  EXPECT_EQ(run_program(kProgram + "health" + set("http.port", port)).status, 0);
  EXPECT_EQ(run_program(kProgram + "health" + set("http.port", "1")).status, 1);
}

TEST(Terminal, PrintsEverySettingAndNoSecret) {
  const auto ran = run_program(kProgram + "settings" + set("http.port", "4711") +
                               set("sandbox.webhook_secret", "hush-hush"));
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(says(ran, "http.port = 4711\n")) << ran.output;
  EXPECT_TRUE(says(ran, "BOTTEGA_HTTP_PORT"));
  EXPECT_TRUE(says(ran, "sandbox.webhook_secret = ********\n"));
  EXPECT_FALSE(says(ran, "hush-hush"));
  for (const auto& row : settings())
    EXPECT_TRUE(says(ran, std::string(row.name) + " = ")) << row.name;
}

TEST(Terminal, PutsTheCommandLineBeforeTheEnvironmentBeforeTheFile) {
  TempDir dir;
  const auto file = (dir.path() / "bottega.json").string();
  ASSERT_EQ(run_program(
                "echo '{\"http\": {\"port\": 1001, \"threads\": 3}, \"jobs.batch\": 7}' > " + file)
                .status,
            0);
  const auto ran = run_program("BOTTEGA_HTTP_PORT=1002 BOTTEGA_HTTP_THREADS=4 " + kProgram +
                               "settings --config " + file + set("http.port", "1003"));
  EXPECT_TRUE(says(ran, "http.port = 1003\n")) << ran.output;
  EXPECT_TRUE(says(ran, "http.threads = 4\n"));
  EXPECT_TRUE(says(ran, "jobs.batch = 7\n"));
  EXPECT_EQ(run_program(kProgram + "settings --config " + file + ".absent").status, 1);
}

TEST(Terminal, MigratesADatabaseOnce) {
  const auto urls = Cluster::shared().empty_database();
  const auto command = kProgram + "migrate" + set("database.owner_url", urls.owner);
  const auto first = run_program(command);
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_FALSE(says(first, "\n0 migration(s) applied.")) << first.output;
  EXPECT_TRUE(says(first, "migration(s) applied.")) << first.output;
  EXPECT_EQ(execute(urls.superuser, "SELECT count(*) > 0 FROM bottega.schema_migrations"), "t");
  const auto again = run_program(command);
  EXPECT_EQ(again.status, 0);
  EXPECT_TRUE(says(again, "0 migration(s) applied.")) << again.output;
  const auto without = run_program(kProgram + "migrate");
  EXPECT_EQ(without.status, 1);
  EXPECT_TRUE(says(without, "database.owner_url"));
}

TEST(Terminal, MakesAMemberOfTheStaffWhoseWordIsNotShown) {
  const auto urls = Cluster::shared().fresh_database();
  const std::string password = "a staff password";
  const auto command =
      kProgram + "add-staff --email boss@staff.example --role finance" + database(urls);
  const auto ran = run_program("echo '" + password + "' | " + command);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(says(ran, "boss@staff.example is now staff with the role of finance."));
  EXPECT_FALSE(says(ran, password));
  EXPECT_EQ(run_program("echo short | " + command).status, 1);
  TempDir dir;
  Server server(dir.path() / "unused", settings_for(urls));
  auto boss = log_in(server, "boss@staff.example", password).api;
  EXPECT_EQ(boss.get("/v1/admin/ledger/trial_balance").status, 200);
  EXPECT_TRUE(is_problem(boss.get("/v1/admin/audit_log"), 403, "forbidden"));
}

TEST(Terminal, GivesSomebodyANewPasswordAndEndsTheirSessions) {
  const auto urls = Cluster::shared().fresh_database();
  TempDir dir;
  Server server(dir.path() / "unused", settings_for(urls));
  const auto who = person(server);
  const auto command = kProgram + "reset-password" + database(urls) + " --email ";
  const std::string fresh = "quite another secret";
  EXPECT_EQ(run_program("echo '" + fresh + "' | " + command + "nobody@nowhere.example").status, 1);
  EXPECT_EQ(run_program("echo short | " + command + who.email).status, 1);
  EXPECT_EQ(run_program("printf 'not \\377 UTF-8 at all' | " + command + who.email).status, 1);
  EXPECT_EQ(run_program("printf '%0201d' 7 | " + command + who.email).status, 1)
      << "no client could send so long a one";
  const auto ran = run_program("echo '" + fresh + "' | " + command + who.email);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_FALSE(says(ran, fresh));
  Client client(server.port());
  EXPECT_TRUE(is_problem(client.post("/v1/sessions/refresh", {{"refresh_token", who.refresh}}), 401,
                         "unauthenticated"));
  EXPECT_EQ(log_in(server, who.email, fresh).api.get("/v1/accounts/me").status, 200);
}

TEST(Terminal, ExplainsItself) {
  EXPECT_EQ(run_program(kProgram + "--version").status, 0);
  EXPECT_TRUE(says(run_program(kProgram + "--version"), BOTTEGA_VERSION));
  EXPECT_TRUE(says(run_program(kProgram + "--help"), "add-staff"));
  EXPECT_NE(run_program(kProgram + "bake").status, 0);
  EXPECT_NE(run_program(kProgram).status, 0);
}

}  // namespace process_test
}  // namespace bottega::test
