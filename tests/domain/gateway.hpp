#pragma once
// The gateway's App on the database of a World, for what happens between a request and the domain.
#include <span>

#include "gateway/app.hpp"
#include "support/world.hpp"

namespace bottega::test {

struct Gate {
  explicit Gate(World& with, std::span<const gateway::Route> routes = {})
      : world(with),
        app{.config = with.config,
            .clock = with.clock,
            .db = with.db,
            .hub = hub,
            .passwords = passwords,
            .registry = with.registry,
            .runner = with.runner,
            .writer = writer,
            .poke_jobs = [] {},
            .routes = routes,
            .payment_rules = {},
            .payout_rules = {},
            .wallet_rules = {}} {}

  // The least that libsodium takes.
  static constexpr identity::PasswordCost kCheap{1, 8'192};

  World& world;
  bus::Hub hub;
  identity::Passwords passwords{kCheap, 1, 1};  // one waits, and no more
  conversations::Writer writer{world.chat_db, 1, 1};
  gateway::App app;
};

}  // namespace bottega::test
