#pragma once
// What each part of the program takes from the settings.
#include "bottega/core/config.hpp"
#include "bottega/identity/passwords.hpp"
#include "bottega/notifications/presence.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/privacy/retention.hpp"
#include "bottega/processors/sandbox.hpp"
#include "bottega/settlements/settlements.hpp"
#include "bottega/storage/database.hpp"
#include "bottega/wallet/wallet.hpp"

namespace bottega {

DatabaseOptions options_of(const Config& config, const std::string& url);
DatabaseOptions sandbox_options_of(const Config& config, const std::string& url);
processors::SandboxOptions processor_options_of(const Config& config);
payments::Rules payment_rules_of(const Config& config);
payouts::Rules payout_rules_of(const Config& config);
settlements::Rules settlement_rules_of(const Config& config);
orders::CompletionRules completion_rules_of(const Config& config);
wallet::Rules wallet_rules_of(const Config& config);
notifications::PresenceOptions presence_options_of(const Config& config);
privacy::RetentionRules retention_rules_of(const Config& config);
identity::PasswordCost cost_of(const Config& config);

}  // namespace bottega
