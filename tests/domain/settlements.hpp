#pragma once
// A day of sales, its end, and the check of it; and what a superuser can do to either side's books.
#include <gtest/gtest.h>

#include <set>

#include "support/world.hpp"
#include "bottega/settlements/settlements.hpp"

namespace bottega::test {

using SettlementKinds = std::multiset<settlements::Kind>;

class Settlements : public ::testing::Test {
 protected:
  // Noon, so that no sale is near midnight by chance.
  void SetUp() override {
    const auto now = world_.clock.now();
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const auto noon = Instant(today) + std::chrono::hours(36);
    world_.advance(std::chrono::floor<std::chrono::seconds>(noon - now));
    day_ = today + std::chrono::days(1);
    shop_ = world_.shop();
  }

  static processors::SandboxOptions impatient() {
    auto options = World::default_options();
    options.answer_timeout = std::chrono::milliseconds(60);
    return options;
  }

  settlements::Run begin(Date day) {
    const settlements::NewRun given{day, std::nullopt};
    return world_.transact(
        [&](Tx& tx) { return settlements::begin(tx, world_.registry, given, "the test"); });
  }
  settlements::Run fetch(settlements::RunId id) {
    return world_.transact([&](Tx& tx) { return settlements::fetch(tx, id); });
  }
  // Begins a check of a day that has ended and does it to its end.
  settlements::Run check(Date day) {
    const auto run = begin(day);
    world_.run_jobs();
    return fetch(run.id);
  }
  // The next day at two in the afternoon.
  settlements::Run check_tomorrow() {
    world_.advance(std::chrono::hours(26));
    return check(day_);
  }
  std::vector<settlements::Difference> differences(const settlements::Run& run) {
    return world_.transact(
        [&](Tx& tx) { return settlements::differences(tx, run.id, std::nullopt, 1'000); });
  }
  SettlementKinds kinds(const settlements::Run& run) {
    SettlementKinds all;
    for (const auto& one : differences(run)) all.insert(one.kind);
    return all;
  }
  std::int64_t count_open() {
    return world_.transact([](Tx& tx) { return settlements::count_open(tx); });
  }

  std::string key_of(const Uuid& subject, identity::MerchantId merchant) {
    return world_.transact([&](Tx& tx) {
      return attempts::lock_latest(tx, merchant, subject, std::chrono::seconds(1)).key();
    });
  }
  std::string key_of(const orders::Order& order) {
    return key_of(order.payment_id.uuid, order.merchant_id);
  }
  std::string sql(const std::string& statements) {
    return execute(world_.urls.superuser, statements);
  }
  void change_theirs(const std::string& key, const std::string& set) {
    sql("UPDATE sandbox.movements SET " + set + " WHERE key = '" + key + "'");
  }
  void change_ours(const std::string& key, const std::string& set) {
    sql("UPDATE bottega.attempts SET " + set + " WHERE id = '" +
        uuid_text(from_text<attempts::AttemptId>(key).uuid) + "'");
  }

  World world_{impatient()};
  Date day_{};
  Shop shop_;
};

}  // namespace bottega::test
