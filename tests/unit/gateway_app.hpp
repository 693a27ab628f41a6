#pragma once
// The gateway's App with routes of the test's own and no database behind it: it matches, admits,
// counts and describes, and must never get as far as a transaction.
#include <span>
#include <string>

#include "gateway/app.hpp"
#include "gateway/dispatch.hpp"
#include "support/world.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {

inline DatabaseOptions no_database() {
  DatabaseOptions options;
  options.url = "host=/nowhere";
  options.threads = 0;
  options.waiting_max = 0;  // whoever asks gets a 503 at once
  return options;
}

struct GatewayApp {
  explicit GatewayApp(std::span<const gateway::Route> routes)
      : db(no_database(), clock),
        passwords({1, 8'192}, 1, 1),
        runner(db, {}, 1),
        writer(db, 1, 1),
        app{.config = config,
            .clock = clock,
            .db = db,
            .hub = hub,
            .passwords = passwords,
            .registry = registry,
            .runner = runner,
            .writer = writer,
            .poke_jobs = [] {},
            .routes = routes,
            .payment_rules = {},
            .payout_rules = {},
            .wallet_rules = {},
            .public_url = "https://shop.example"} {}

  // Makes a token known, as if somebody had signed in a moment ago.
  void know(const std::string& token, identity::Who who) {
    if (who.expires_at == Instant{}) who.expires_at = clock.now() + std::chrono::hours(1);
    app.tokens.keep(sha256_hex(token), who, app.tokens.generation());
  }
  gateway::Reply ask(gateway::Request request, std::optional<std::string> token = std::nullopt) {
    return run(gateway::dispatch(app, std::move(request), std::move(token)));
  }

  Config config;
  Clock clock;
  Database db;
  bus::Hub hub;
  identity::Passwords passwords;
  processors::Registry registry;
  jobs::Runner runner;
  conversations::Writer writer;
  gateway::App app;
};

inline identity::Who a_person(std::optional<identity::StaffRole> staff = std::nullopt) {
  identity::Who who;
  who.kind = identity::Kind::person;
  who.account = identity::AccountId::make();
  who.session = identity::SessionId::make();
  who.staff = staff;
  return who;
}
inline identity::Who an_api_key() {
  identity::Who who;
  who.kind = identity::Kind::api_key;
  who.account = identity::AccountId::make();
  who.merchant = identity::MerchantId::make();
  who.api_key = identity::ApiKeyId::make();
  return who;
}

inline gateway::Request a_request(gateway::Verb verb, const std::string& path,
                                  const std::string& body = "") {
  gateway::Request request;
  request.verb = verb;
  const auto question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string::npos) request.query = path.substr(question + 1);
  request.body = body;
  if (!body.empty()) request.media_type = "application/json";
  request.address = "192.0.2.1";
  request.request_id = "req_test";
  return request;
}

inline std::string header_of(const gateway::Reply& reply, const std::string& name) {
  std::string value;
  for (const auto& [given, text] : reply.headers)
    if (given == name) value += (value.empty() ? "" : " AND ") + text;
  return value;
}

}  // namespace bottega::test
