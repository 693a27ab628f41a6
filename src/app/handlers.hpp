#pragma once
// Which function does which kind of job: the one place that knows all of them.
#include "bottega/attachments/depot.hpp"
#include "bottega/disputes/top_ups.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/settlements/settlements.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega {

struct JobWorld {
  Database& db;
  const processors::Registry& registry;
  const payments::Rules& payment_rules;
  const payouts::Rules& payout_rules;
  const wallet::Rules& wallet_rules;
  attachments::Depot& depot;
  settlements::Rules settlement_rules = {};
  orders::CompletionRules completion_rules = {};
};
// The kinds refer to the world, which must outlive them.
std::vector<jobs::Kind> job_kinds(const JobWorld& world);

}  // namespace bottega
