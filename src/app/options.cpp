#include "app/options.hpp"

#include "bottega/checkout/quotes.hpp"
#include "bottega/core/digest.hpp"

namespace bottega {

using std::chrono::milliseconds;

namespace {
constexpr unsigned kSandboxThreads = 2;
}

DatabaseOptions options_of(const Config& config, const std::string& url) {
  DatabaseOptions options;
  options.url = url;
  options.threads = static_cast<unsigned>(config.database_threads);
  options.waiting_max = static_cast<unsigned>(config.database_waiting_max);
  options.statement_timeout = milliseconds(config.database_statement_timeout_ms);
  options.lock_timeout = milliseconds(config.database_lock_timeout_ms);
  // Every query has its index. A plan that was made while a table was small is kept, and would go
  // on reading all of it.
  options.parameters = {{"enable_seqscan", "off"}};
  return options;
}

DatabaseOptions sandbox_options_of(const Config& config, const std::string& url) {
  auto options = options_of(config, url);
  options.schema = "sandbox";
  options.threads = kSandboxThreads;
  return processors::Sandbox::options_from(std::move(options));
}

processors::SandboxOptions processor_options_of(const Config& config) {
  processors::SandboxOptions options;
  options.webhook_secret = config.sandbox_webhook_secret.empty() ? Secret(random_token(32))
                                                                 : config.sandbox_webhook_secret;
  options.answer_timeout = milliseconds(config.payments_call_timeout_ms);
  options.slow = milliseconds(config.sandbox_slow_ms);
  options.webhook_after = milliseconds(config.sandbox_webhook_after_ms);
  options.fee_basis_points = config.sandbox_fee_basis_points;
  return options;
}

risk::Rules limits_of(const Config& config) {
  risk::Rules rules;
  rules.request_max = config.risk_request_max;
  rules.merchant_week_max = config.risk_merchant_week_max;
  rules.buyer_count_hour_max = config.risk_buyer_count_hour_max;
  rules.buyer_count_day_max = config.risk_buyer_count_day_max;
  rules.buyer_sum_hour_max = config.risk_buyer_sum_hour_max;
  rules.buyer_sum_day_max = config.risk_buyer_sum_day_max;
  rules.method_tries_hour_max = config.risk_method_tries_hour_max;
  rules.method_tries_day_max = config.risk_method_tries_day_max;
  rules.review_first_sale = config.risk_review_first_sale;
  rules.review_amount = config.risk_review_amount;
  rules.review_week = config.risk_review_week;
  return rules;
}

payments::Rules payment_rules_of(const Config& config) {
  return {config.payments_amount_max,
          std::chrono::seconds(config.payments_expiry_default_s),
          milliseconds(config.payments_call_timeout_ms),
          std::chrono::days(config.orders_cancel_after_days),
          std::chrono::days(config.refunds_within_days),
          from_text<payments::FeeOnRefund>(config.fees_on_refund),
          limits_of(config),
          std::chrono::minutes(config.checkout_reserve_minutes),
          std::chrono::seconds(config.checkout_answer_s),
          checkout::bought,
          checkout::require_of_cart};
}

payouts::Rules payout_rules_of(const Config& config) {
  return {config.payouts_business_days,
          milliseconds(config.payments_call_timeout_ms),
          payouts::batch_time(config.payouts_batch_at),
          config.payouts_minimum,
          std::chrono::days(config.payouts_minimum_wait_days),
          config.payouts_tries_max,
          payouts::minimums_of(config.payouts_minimums)};
}

settlements::Rules settlement_rules_of(const Config& config) {
  settlements::Rules rules;
  rules.hour = std::chrono::hours(config.settlements_hour);
  return rules;
}

orders::CompletionRules completion_rules_of(const Config& config) {
  orders::CompletionRules rules;
  rules.after = std::chrono::days(config.orders_complete_after_days);
  rules.unheard = std::max(rules.unheard, rules.after);
  return rules;
}

wallet::Rules wallet_rules_of(const Config& config) {
  wallet::Rules rules;
  rules.processor = "sandbox";
  rules.amount_max = config.payments_amount_max;
  rules.top_up_day_max = config.wallet_top_up_day_max;
  rules.call_timeout = milliseconds(config.payments_call_timeout_ms);
  rules.transfer_max = config.transfers_amount_max;
  rules.sent_day_max = config.transfers_sent_day_max;
  rules.sent_month_max = config.transfers_sent_month_max;
  rules.received_day_max = config.transfers_received_day_max;
  rules.received_month_max = config.transfers_received_month_max;
  rules.return_after = std::chrono::days(config.transfers_return_after_days);
  return rules;
}

notifications::PresenceOptions presence_options_of(const Config& config) {
  return {std::chrono::seconds(config.presence_lease_s),
          std::chrono::seconds(config.presence_grace_s),
          std::chrono::seconds(config.presence_every_s)};
}

privacy::RetentionRules retention_rules_of(const Config& config) {
  return {std::chrono::days(config.retention_chats_days),
          std::chrono::days(config.retention_orders_days),
          std::chrono::days(config.retention_reports_days),
          std::chrono::seconds(config.retention_every_s), config.retention_batch};
}

identity::PasswordCost cost_of(const Config& config) {
  return {static_cast<std::uint64_t>(config.auth_password_ops),
          static_cast<std::size_t>(config.auth_password_memory_bytes)};
}

}  // namespace bottega
