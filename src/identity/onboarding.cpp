#include "bottega/identity/onboarding.hpp"

#include "bottega/core/log.hpp"

namespace bottega::identity {
namespace {

constexpr std::int64_t kAtOnce = 100;

struct Waiting {
  std::string processor, account;
};
BOOST_DESCRIBE_STRUCT(Waiting, (), (processor, account))

const Sql<Waiting(Instant, std::int64_t)> kTakeWaiting{"identity.take_waiting", R"(
    UPDATE merchants SET onboarding_asked_at = $1
    WHERE id IN (SELECT id FROM merchants
                 WHERE onboarding = 'in_progress' AND processor_account IS NOT NULL
                   AND (onboarding_asked_at IS NULL
                        OR onboarding_asked_at <= $1::timestamptz - interval '1 day')
                 ORDER BY onboarding_asked_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING processor, processor_account AS account)"};

asio::awaitable<void> ask_about(Database& db, const processors::Registry& registry,
                                const Waiting& one) {
  auto& processor = registry.get(one.processor);
  const auto told = co_await processor.look_up(processors::Operation::onboarding, one.account);
  const auto decision = decision_of(told.verdict);
  if (!decision) co_return;
  co_await db.transact(
      [&](Tx& tx) { settle_onboarding(tx, one.processor, one.account, *decision); });
}

}  // namespace

std::optional<Onboarding> decision_of(processors::Verdict verdict) {
  if (verdict == processors::Verdict::succeeded) return Onboarding::active;
  if (verdict == processors::Verdict::declined) return Onboarding::rejected;
  return std::nullopt;
}

asio::awaitable<void> ask_onboarding(Database& db, const processors::Registry& registry) {
  const auto waiting =
      co_await db.transact([&](Tx& tx) { return tx.all(kTakeWaiting, tx.now(), kAtOnce); });
  for (const auto& one : waiting) {
    try {
      co_await ask_about(db, registry, one);
    } catch (const std::exception& error) {
      log::warning("onboarding.not_asked", {{"processor", one.processor},
                                            {"account", one.account},
                                            {"error", std::string(error.what())}});
    }
  }
}

}  // namespace bottega::identity
