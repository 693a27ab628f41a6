// The program: serve, and the few things that are done from a terminal.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/node.hpp"
#include "app/terminal.hpp"
#include "bottega/core/log.hpp"
#include "bottega/identity/identity.hpp"
#include "bottega/notifications/pusher.hpp"
#include "bottega/storage/migrate.hpp"

namespace {

using namespace bottega;

struct Given {
  std::string config_file;
  std::vector<std::string> settings;  // name=value
  bool demo = false;
  std::string email, name = "Operator", role = "admin";
};

// The file first, then the environment, then the command line. Throws Error with every mistake.
Config load(const Given& given) {
  std::map<std::string, std::string> values;
  if (!given.config_file.empty()) {
    std::ifstream file(given.config_file);
    if (!file) throw Error(Code::invalid, "cannot read " + given.config_file);
    std::stringstream text;
    text << file.rdbuf();
    values = flatten_settings(parse_json(text.str()));
  }
  for (const auto& row : settings())
    if (const char* value = std::getenv(environment_name(row.name).c_str()))
      values[std::string(row.name)] = value;
  for (const auto& setting : given.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) throw Error(Code::invalid, "--set takes name=value");
    values[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  Config config;
  const auto mistakes = apply_settings(values, config);
  if (mistakes.empty()) return config;
  std::string words = "the settings are not valid:";
  for (const auto& mistake : mistakes) words += "\n  " + mistake;
  throw Error(Code::invalid, words);
}

void open_log(const Config& config) {
  log::open(from_text<log::Level>(config.log_level), config.log_file);
}

// A connection is a file descriptor, and the usual soft limit of 1,024 is for programs of old.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const Given& given) {
  // Blocked before any thread starts, so that only this one takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const auto config = load(given);
  if (given.demo && config.mode != "sandbox")
    throw Error(Code::invalid, "--demo makes people whose password everybody knows: sandbox only");
  open_log(config);
  raise_descriptor_limit();
  Node node(config);
  if (given.demo) std::cout << "Demo people:\n" << node.add_demo_people();
  std::cout << "ready " << node.url();
  if (!node.tls_url().empty()) std::cout << " tls " << node.tls_url();
  if (!node.sandbox_url().empty()) std::cout << " sandbox " << node.sandbox_url();
  std::cout << std::endl;
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  log::info("server.stopping", {{"signal", signal_number}});
  node.stop();
  return 0;
}

// Ports of its own, so that it works beside a running server with a database.url.
Config load_beside(const Given& given) {
  auto config = load(given);
  config.http_port = 0;
  config.sandbox_port = 0;
  open_log(config);
  return config;
}

// What cannot be sent by a client as a password is none.
Secret new_password() {
  const auto typed = read_password("Password (10 characters or more): ");
  try {
    return from_json<identity::Password>(parse_json(Json(typed.reveal()).dump())).value;
  } catch (const std::exception&) {
    throw Error(Code::invalid, "a password has 10 characters or more, in 200 bytes of UTF-8");
  }
}

int add_staff(const Given& given) {
  const auto config = load_beside(given);
  const auto password = new_password();
  Node(config).add_staff(given.email, given.name, password, given.role);
  std::cout << given.email << " is now staff with the role of " << given.role << ".\n";
  return 0;
}

int reset_password(const Given& given) {
  const auto config = load_beside(given);
  const auto password = new_password();
  Node(config).reset_password(given.email, password);
  std::cout << given.email << " has a new password; all sessions have ended.\n";
  return 0;
}

int migrate_now(const Given& given) {
  const auto config = load(given);
  open_log(config);
  const auto url = config.database_owner_url.reveal();
  if (url.empty()) throw Error(Code::invalid, "set database.owner_url to the schema's owner");
  int applied = migrate(url, "bottega", bottega_migrations());
  if (config.mode == "sandbox") applied += migrate(url, "sandbox", sandbox_migrations());
  std::cout << applied << " migration(s) applied.\n";
  return 0;
}

// Printed and kept nowhere.
int print_vapid_keys() {
  const auto keys = notifications::make_vapid_keys();
  std::cout << "push.vapid_private_key=" << keys.private_key.reveal() << '\n'
            << "The public key, which clients get from GET /v1/push/key:\n"
            << keys.public_key << '\n';
  return 0;
}

int run(int argc, char** argv) {
  CLI::App cli{"Bottega: a shop's whole sale inside one conversation."};
  cli.require_subcommand(1);
  cli.set_version_flag("--version", BOTTEGA_VERSION);
  Given given;
  const auto common = [&](CLI::App* command) {
    command->add_option("--config", given.config_file, "A JSON file of settings");
    command->add_option("--set", given.settings, "One setting: name=value")
        ->allow_extra_args(false);
    return command;
  };
  auto* serving = common(cli.add_subcommand("serve", "Run the server"));
  serving->add_flag("--demo", given.demo, "Make people to try it with (sandbox mode)");
  auto* migrating = common(cli.add_subcommand("migrate", "Bring the schema up to date"));
  auto* listing = common(cli.add_subcommand("settings", "Print every setting, with its meaning"));
  auto* staff = common(cli.add_subcommand("add-staff", "Make a member of the staff"));
  staff->add_option("--email", given.email, "Mail address")->required();
  staff->add_option("--name", given.name, "Name");
  staff->add_option("--role", given.role, "support, finance or admin");
  auto* resetting = common(cli.add_subcommand("reset-password", "Give somebody a new password"));
  resetting->add_option("--email", given.email, "Mail address")->required();
  auto* health = common(cli.add_subcommand("health", "Ask a running server whether it is ready"));
  auto* keys = cli.add_subcommand("vapid-keys", "Make a key for Web Push, and print it");
  CLI11_PARSE(cli, argc, argv);
  if (*serving) return serve(given);
  if (*migrating) return migrate_now(given);
  if (*keys) return print_vapid_keys();
  if (*staff) return add_staff(given);
  if (*resetting) return reset_password(given);
  if (*health) {
    const bool ready = is_ready(load(given));
    std::cout << (ready ? "ready\n" : "not ready\n");
    return ready ? 0 : 1;
  }
  if (*listing) std::cout << settings_page(load(given));
  return 0;
}

}  // namespace

// jemalloc: what thousands of sockets took for a moment goes back to the system within a second.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bottega: " << error.what() << '\n';
    return 1;
  }
}
