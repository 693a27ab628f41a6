// The table of settings: the documentation, the validation and the loader read the same rows.
#include "bottega/core/config.hpp"

#include <algorithm>

namespace bottega {
namespace {

using C = Config;

const Setting kSettings[] = {
    {"mode", "sandbox plays the processor and lets ops move the clock; live does neither.",
     &C::mode, 0, 0, "sandbox|live"},
    {"data.dir",
     "Where the private PostgreSQL keeps its files. Empty: /var/lib/bottega as root, "
     "else ./data.",
     &C::data_dir},
    {"log.level", "The least level that is logged.", &C::log_level, 0, 0,
     "debug|info|warning|error"},
    {"log.file", "Where log lines go; empty is standard error.", &C::log_file},
    {"http.address", "The address that the gateway listens on.", &C::http_address},
    {"http.port", "The port of plain HTTP; 0 takes a free one.", &C::http_port, 0, 65'535},
    {"http.public_url",
     "The base URL that clients and processors use for us; empty: from the port.",
     &C::http_public_url},
    {"http.origins", "Origins (comma separated) whose pages may call us; empty: only our own.",
     &C::http_origins},
    {"http.threads", "Threads that serve sockets.", &C::http_threads, 1, 64},
    {"http.connections_max", "Open connections before new ones are refused.",
     &C::http_connections_max, 1, 1'000'000},
    {"http.connections_per_s",
     "New connections taken in a second; the system lets the others wait.",
     &C::http_connections_per_s, 10, 1'000'000},
    {"http.body_max_bytes", "The largest request body.", &C::http_body_max_bytes, 1'024,
     104'857'600},
    {"http.header_max_bytes", "The largest request head.", &C::http_header_max_bytes, 1'024,
     65'536},
    {"http.read_timeout_s", "How long a request may take to arrive.", &C::http_read_timeout_s, 1,
     600},
    {"http.idle_timeout_s", "How long a kept connection may be silent.", &C::http_idle_timeout_s, 1,
     3'600},
    {"http.write_timeout_s", "How long an answer may take to leave.", &C::http_write_timeout_s, 1,
     600},
    {"tls.certificate", "PEM file with the certificate chain; empty: no TLS.", &C::tls_certificate},
    {"tls.key", "PEM file with the private key.", &C::tls_key},
    {"tls.port", "The port of HTTPS; 0 takes a free one.", &C::tls_port, 0, 65'535},
    {"socket.frame_max_bytes", "The largest WebSocket message taken in.",
     &C::socket_frame_max_bytes, 1'024, 1'048'576},
    {"socket.queue_max_bytes", "What a slow reader may owe us before 3008.",
     &C::socket_queue_max_bytes, 65'536, 67'108'864},
    {"socket.in_flight_max", "Requests in flight per socket.", &C::socket_in_flight_max, 1, 1'024},
    {"socket.ping_s", "Silence after which a socket is pinged.", &C::socket_ping_s, 1, 600},
    {"socket.pong_s", "How long the answer to a ping may take.", &C::socket_pong_s, 1, 600},
    {"socket.auth_s", "How long a socket may stay without a known user.", &C::socket_auth_s, 1, 60},
    {"socket.resume_max", "Missing events of one conversation that a resume sends.",
     &C::socket_resume_max, 1, 10'000},
    {"socket.let_in_at_once", "Sockets that sign in or resume at the same time; others wait.",
     &C::socket_let_in_at_once, 1, 10'000},
    {"socket.deflate", "Whether clients that offer it get and send compressed messages.",
     &C::socket_deflate, 0, 0, "no|yes"},
    {"database.url", "PostgreSQL as the server's role; empty: a private one in data.dir.",
     &C::database_url},
    {"database.owner_url", "The same database as the schema's owner, for migrations.",
     &C::database_owner_url},
    {"database.threads", "Database threads, and so connections.", &C::database_threads, 1, 128},
    {"database.waiting_max", "Requests that may wait for a database thread before a 503.",
     &C::database_waiting_max, 1, 100'000},
    {"database.statement_timeout_ms", "The longest that one statement may take.",
     &C::database_statement_timeout_ms, 100, 600'000},
    {"database.lock_timeout_ms", "The longest that a statement may wait for a lock.",
     &C::database_lock_timeout_ms, 100, 600'000},
    {"postgres.bin_dir", "Where initdb and postgres are; empty: the newest installed.",
     &C::postgres_bin_dir},
    {"postgres.user", "The unprivileged user of the private PostgreSQL when started as root.",
     &C::postgres_user},
    {"auth.access_token_s", "Life of an access token.", &C::auth_access_token_s, 5, 86'400},
    {"auth.refresh_token_s", "Life of a session without use.", &C::auth_refresh_token_s, 60,
     31'536'000},
    {"auth.password_ops", "argon2id passes.", &C::auth_password_ops, 1, 10},
    {"auth.password_memory_bytes", "argon2id memory.", &C::auth_password_memory_bytes, 8'192,
     1'073'741'824},
    {"auth.threads", "Threads that hash passwords.", &C::auth_threads, 1, 16},
    {"auth.waiting_max", "Logins that may wait for such a thread before a 503.",
     &C::auth_waiting_max, 1, 10'000},
    {"auth.tries_per_account", "Failed logins of one account within the window.",
     &C::auth_tries_per_account, 1, 1'000},
    {"auth.tries_per_address", "Failed logins from one address within the window.",
     &C::auth_tries_per_address, 1, 100'000},
    {"auth.tries_window_s", "The window of both.", &C::auth_tries_window_s, 1, 86'400},
    {"auth.fresh_login_s", "How long after signing in money may leave without a PIN.",
     &C::auth_fresh_login_s, 1, 86'400},
    {"limits.requests_per_minute", "Requests of one identity.", &C::limits_requests_per_minute, 1,
     100'000'000},
    {"limits.writes_per_minute", "Changing requests of one identity.", &C::limits_writes_per_minute,
     1, 100'000'000},
    {"limits.address_per_minute", "Requests from one address.", &C::limits_address_per_minute, 1,
     100'000'000},
    {"limits.connections_per_minute", "New connections from one address; more are closed at once.",
     &C::limits_connections_per_minute, 1, 100'000'000},
    {"limits.events_per_minute", "Genuine events of one payment processor.",
     &C::limits_events_per_minute, 1, 100'000'000},
    {"limits.conversation_per_minute", "Messages in one conversation, whoever sends them.",
     &C::limits_conversation_per_minute, 1, 100'000'000},
    {"chat.batch_max", "Messages written together at most.", &C::chat_batch_max, 1, 10'000},
    {"chat.waiting_max", "Messages that may wait to be written before a 503.", &C::chat_waiting_max,
     1, 1'000'000},
    {"chat.recent_max_bytes",
     "Memory for the newest events, from which clients that come back are served; 0: none.",
     &C::chat_recent_max_bytes, 0, 1'073'741'824},
    {"chat.edit_window_s", "How long after sending a message its author may change it.",
     &C::chat_edit_window_s, 0, 31'536'000},
    {"chat.delete_window_s", "How long after sending a message its author may take it back.",
     &C::chat_delete_window_s, 0, 31'536'000},
    {"bus.url",
     "NATS servers (comma separated) that join several nodes; may hold a password; empty: one "
     "node.",
     &C::bus_url},
    {"bus.subject", "The NATS subject; nodes of one database share it, and nobody else uses it.",
     &C::bus_subject},
    {"bus.queue_max_bytes", "What may wait for NATS before it is left to be read from the log.",
     &C::bus_queue_max_bytes, 65'536, 1'073'741'824},
    {"chat.typing_every_s", "Typing is told at most so often per account and conversation.",
     &C::chat_typing_every_s, 1, 60},
    {"presence.write_ms", "How often the comings and goings of sockets are written down.",
     &C::presence_write_ms, 50, 60'000},
    {"presence.lease_s", "After so long without a sign of life a node's sockets count as gone.",
     &C::presence_lease_s, 5, 3'600},
    {"presence.grace_s", "How long somebody without a socket still counts as online.",
     &C::presence_grace_s, 0, 300},
    {"presence.every_s", "A change of presence is told at most so often per account.",
     &C::presence_every_s, 0, 3'600},
    {"push.vapid_private_key", "Signs Web Push, from `bottega vapid-keys`; empty: no Web Push.",
     &C::push_vapid_private_key},
    {"push.vapid_subject", "Where push services reach the operator: mailto: or https:.",
     &C::push_vapid_subject},
    {"push.allow_private", "Whether push services may be at private addresses and speak http.",
     &C::push_allow_private, 0, 0, "no|yes"},
    {"push.ca_file", "PEM file of authorities that vouch for push services; empty: the system's.",
     &C::push_ca_file},
    {"push.delay_s", "How long a message waits to be seen before members without a socket hear.",
     &C::push_delay_s, 0, 3'600},
    {"push.ttl_s", "How long a push service keeps what it cannot deliver.", &C::push_ttl_s, 0,
     2'419'200},
    {"push.call_timeout_ms", "How long a push service may take to answer.",
     &C::push_call_timeout_ms, 50, 120'000},
    {"push.calls_max", "Calls to push services at once; a quarter of them to one service.",
     &C::push_calls_max, 1, 1'000},
    {"push.waiting_max", "Conversations with news that are remembered before the log is searched.",
     &C::push_waiting_max, 10, 10'000'000},
    {"push.poll_ms", "How often due notifications are looked for.", &C::push_poll_ms, 10, 60'000},
    {"attachments.dir",
     "Where attachments are kept, or wait for S3. Empty: attachments in data.dir.",
     &C::attachments_dir},
    {"attachments.image_max_bytes", "The largest image.", &C::attachments_image_max_bytes, 1'024,
     104'857'600},
    {"attachments.audio_max_bytes", "The largest audio.", &C::attachments_audio_max_bytes, 1'024,
     524'288'000},
    {"attachments.video_max_bytes", "The largest video.", &C::attachments_video_max_bytes, 1'024,
     524'288'000},
    {"attachments.document_max_bytes", "The largest document.", &C::attachments_document_max_bytes,
     1'024, 524'288'000},
    {"attachments.pixels_max", "The most pixels of an image, which are decoded for its thumbnail.",
     &C::attachments_pixels_max, 10'000, 200'000'000},
    {"attachments.per_account_bytes_per_day", "What one account may upload in 24 hours.",
     &C::attachments_per_account_bytes_per_day, 1'024, 1'099'511'627'776},
    {"attachments.total_max_bytes", "What all attachments together may take.",
     &C::attachments_total_max_bytes, 1'024, 1'125'899'906'842'624},
    {"attachments.keep_hours", "Hours after which an upload that is in no message is removed.",
     &C::attachments_keep_hours, 1, 168},
    {"attachments.rate_min_bytes_per_s",
     "The slowest that an upload or a download may be, after its first seconds.",
     &C::attachments_rate_min_bytes_per_s, 1, 1'000'000'000},
    {"attachments.url_s", "Life of a download link, at least; twice as long at most.",
     &C::attachments_url_s, 1, 86'400},
    {"attachments.url_secret", "Signs download links; empty: a random one kept in the database.",
     &C::attachments_url_secret},
    {"attachments.downloads",
     "Bytes come through the server, or S3 is asked for them by a redirect.",
     &C::attachments_downloads, 0, 0, "through|redirect"},
    {"attachments.threads", "Threads that read and write files.", &C::attachments_threads, 1, 64},
    {"attachments.image_threads", "Threads that decode images.", &C::attachments_image_threads, 1,
     16},
    {"attachments.image_waiting_max", "Images that may wait for such a thread before a 503.",
     &C::attachments_image_waiting_max, 1, 10'000},
    {"attachments.s3_url", "An S3-compatible store to keep attachments in; empty: attachments.dir.",
     &C::attachments_s3_url},
    {"attachments.s3_bucket", "The bucket, which must exist and be private.",
     &C::attachments_s3_bucket},
    {"attachments.s3_region", "The region that requests are signed for.",
     &C::attachments_s3_region},
    {"attachments.s3_access_key", "The access key's id.", &C::attachments_s3_access_key},
    {"attachments.s3_secret_key", "The access key's secret.", &C::attachments_s3_secret_key},
    {"attachments.s3_timeout_ms", "How long S3 may be silent.", &C::attachments_s3_timeout_ms, 100,
     600'000},
    {"search.every_ms", "How often new messages are taken into the search.", &C::search_every_ms,
     50, 60'000},
    {"search.batch", "Entries of logs that are taken into the search in one transaction.",
     &C::search_batch, 1, 10'000},
    {"retention.chats_days",
     "Days after which entries of conversations without an order are deleted; 0: never.",
     &C::retention_chats_days, 0, 36'500},
    {"retention.orders_days",
     "Days after which entries of conversations with an order are deleted; 0: never.",
     &C::retention_orders_days, 0, 36'500},
    {"retention.reports_days", "Days after which resolved reports are deleted; 0: never.",
     &C::retention_reports_days, 0, 36'500},
    {"retention.every_s", "How often it is looked for what is old enough to be deleted.",
     &C::retention_every_s, 1, 86'400},
    {"retention.batch", "Entries of a log that are deleted in one transaction.",
     &C::retention_batch, 1, 10'000},
    {"privacy.export_keep_hours", "Hours for which an export of somebody's data can be fetched.",
     &C::privacy_export_keep_hours, 1, 168},
    {"privacy.export_every_hours", "Hours until somebody may have the next export.",
     &C::privacy_export_every_hours, 0, 720},
    {"merchants.countries", "Countries (comma separated) where a business may be.",
     &C::merchants_countries},
    {"merchants.invitation_days", "Days within which an invitation to a merchant can be accepted.",
     &C::merchants_invitation_days, 1, 90},
    {"fees.basis_points", "The platform's share of new merchants, in ten-thousandths.",
     &C::fees_basis_points, 0, 10'000},
    {"fees.fixed", "The platform's fixed part, in minor units.", &C::fees_fixed, 0, 1'000'000},
    {"payments.amount_max", "The most that one request may ask for, in minor units.",
     &C::payments_amount_max, 1, 1'000'000'000'000},
    {"payments.call_timeout_ms", "How long a processor may take to answer.",
     &C::payments_call_timeout_ms, 50, 120'000},
    {"payments.expiry_default_s", "Life of a payment request that names none.",
     &C::payments_expiry_default_s, 1'800, 2'592'000},
    {"risk.request_max", "The most that one request may ask for, in whole units; 0: no limit.",
     &C::risk_request_max, 0, 1'000'000'000},
    {"risk.merchant_week_max", "What a merchant may take in 7 days, in whole units; 0: no limit.",
     &C::risk_merchant_week_max, 0, 1'000'000'000},
    {"risk.buyer_count_hour_max", "Payments of one buyer in an hour; 0: no limit.",
     &C::risk_buyer_count_hour_max, 0, 1'000'000},
    {"risk.buyer_count_day_max", "Payments of one buyer in 24 hours; 0: no limit.",
     &C::risk_buyer_count_day_max, 0, 1'000'000},
    {"risk.buyer_sum_hour_max", "What one buyer may pay in an hour, in whole units; 0: no limit.",
     &C::risk_buyer_sum_hour_max, 0, 1'000'000'000},
    {"risk.buyer_sum_day_max", "What one buyer may pay in 24 hours, in whole units; 0: no limit.",
     &C::risk_buyer_sum_day_max, 0, 1'000'000'000},
    {"risk.method_tries_hour_max", "Tries to pay with one method in an hour; 0: no limit.",
     &C::risk_method_tries_hour_max, 0, 1'000'000},
    {"risk.method_tries_day_max", "Tries to pay with one method in 24 hours; 0: no limit.",
     &C::risk_method_tries_day_max, 0, 1'000'000},
    {"risk.review_first_sale",
     "A merchant's first sale of more than this, in whole units, is reviewed; 0: none.",
     &C::risk_review_first_sale, 0, 1'000'000'000},
    {"risk.review_amount", "Any sale of more than this, in whole units, is reviewed; 0: none.",
     &C::risk_review_amount, 0, 1'000'000'000},
    {"risk.review_week",
     "Sales of a merchant who has taken more than this in 7 days are reviewed; 0: none.",
     &C::risk_review_week, 0, 1'000'000'000},
    {"orders.cancel_after_days", "Days after which an unsent order is refunded by itself.",
     &C::orders_cancel_after_days, 1, 60},
    {"refunds.within_days", "Days after a payment within which the merchant may refund it.",
     &C::refunds_within_days, 1, 3'650},
    {"fees.on_refund", "What of the fee goes back with a refund: its share, or what must.",
     &C::fees_on_refund, 0, 0, "proportional|keep"},
    {"payouts.business_days", "Business days from shipped to paid out.", &C::payouts_business_days,
     3, 5},
    {"payouts.batch_at", "When payouts of a day are sent together, such as 09:30; empty: at once.",
     &C::payouts_batch_at},
    {"payouts.minimum", "Less than this, in minor units, waits for more to be paid out.",
     &C::payouts_minimum, 0, 1'000'000},
    {"payouts.minimums", "The same of currencies in which it is another: JPY:1000,KWD:3000.",
     &C::payouts_minimums},
    {"payouts.minimum_wait_days", "Days after which it is paid out all the same.",
     &C::payouts_minimum_wait_days, 1, 365},
    {"payouts.tries_max", "How often a payout that the bank refuses is tried by itself.",
     &C::payouts_tries_max, 1, 10},
    {"settlements.hour", "The hour of the day, UTC, at which the day before is checked.",
     &C::settlements_hour, 0, 23},
    {"transfers.amount_max", "The most that one transfer between people may be, in minor units.",
     &C::transfers_amount_max, 1, 1'000'000'000'000},
    {"transfers.sent_day_max", "What one person may send in 24 hours, in minor units.",
     &C::transfers_sent_day_max, 1, 1'000'000'000'000},
    {"transfers.sent_month_max", "What one person may send in 30 days, in minor units.",
     &C::transfers_sent_month_max, 1, 1'000'000'000'000},
    {"transfers.received_day_max", "What one person may be sent in 24 hours, in minor units.",
     &C::transfers_received_day_max, 1, 1'000'000'000'000},
    {"transfers.received_month_max", "What one person may be sent in 30 days, in minor units.",
     &C::transfers_received_month_max, 1, 1'000'000'000'000},
    {"transfers.return_after_days", "Days after which a transfer that nobody accepts goes back.",
     &C::transfers_return_after_days, 1, 365},
    {"jobs.poll_ms", "How often due work is looked for.", &C::jobs_poll_ms, 10, 60'000},
    {"jobs.batch", "Jobs taken at once.", &C::jobs_batch, 1, 1'000},
    {"sandbox.url", "PostgreSQL as the sandbox processor's role; empty: in the private one.",
     &C::sandbox_url},
    {"sandbox.webhook_secret", "Signs the sandbox's webhooks; empty: a random one at each start.",
     &C::sandbox_webhook_secret},
    {"sandbox.address", "The address of the sandbox processor's pages.", &C::sandbox_address},
    {"sandbox.port", "The port of the sandbox processor's pages; 0 takes a free one.",
     &C::sandbox_port, 0, 65'535},
    {"sandbox.slow_ms", "How long the slow card takes.", &C::sandbox_slow_ms, 1, 60'000},
    {"sandbox.fee_basis_points", "What the sandbox keeps of a charge, in ten-thousandths.",
     &C::sandbox_fee_basis_points, 0, 1'000},
    {"stop.grace_s", "How long running work may take to finish when the server stops.",
     &C::stop_grace_s, 1, 300},
};

bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    choices.remove_prefix(bar == choices.npos ? choices.size() : bar + 1);
  }
  return false;
}

struct Apply {
  const Setting& row;
  const std::string& text;
  Config& config;

  std::optional<std::string> operator()(std::int64_t C::*member) const {
    const auto value = Form<std::int64_t>::parse(text);
    if (!value) return "expected an integer";
    if (*value < row.least || *value > row.most)
      return "must be from " + std::to_string(row.least) + " to " + std::to_string(row.most);
    config.*member = *value;
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::string C::*member) const {
    if (!row.choices.empty() && !is_choice(row.choices, text))
      return "must be one of " + std::string(row.choices);
    config.*member = text;
    return std::nullopt;
  }
  std::optional<std::string> operator()(Secret C::*member) const {
    config.*member = Secret(text);
    return std::nullopt;
  }
};

struct Show {
  const Config& config;
  std::string operator()(std::int64_t C::*member) const { return std::to_string(config.*member); }
  std::string operator()(std::string C::*member) const { return config.*member; }
  std::string operator()(Secret C::*member) const {
    return (config.*member).empty() ? "" : "********";
  }
};

void flatten(const Json& value, const std::string& prefix,
             std::map<std::string, std::string>& out) {
  if (value.is_object()) {
    for (const auto& [name, child] : value.items())
      flatten(child, prefix.empty() ? name : prefix + '.' + name, out);
  } else if (value.is_string()) {
    out[prefix] = value.get<std::string>();
  } else if (value.is_number_integer() || value.is_boolean()) {
    out[prefix] = value.dump();
  } else {
    throw Error(Code::invalid, "a setting must be a string or an integer: " + prefix);
  }
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::string environment_name(std::string_view setting) {
  std::string name = "BOTTEGA_";
  for (const char c : setting)
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> apply_settings(const std::map<std::string, std::string>& given,
                                        Config& config) {
  std::vector<std::string> mistakes;
  for (const auto& [name, text] : given) {
    const auto row = std::ranges::find(kSettings, name, &Setting::name);
    if (row == std::end(kSettings)) {
      mistakes.push_back(name + ": there is no such setting");
      continue;
    }
    if (const auto mistake = std::visit(Apply{*row, text, config}, row->member))
      mistakes.push_back(name + ": " + *mistake);
  }
  return mistakes;
}

std::map<std::string, std::string> flatten_settings(const Json& file) {
  if (!file.is_object()) throw Error(Code::invalid, "the configuration must be a JSON object");
  std::map<std::string, std::string> out;
  flatten(file, "", out);
  return out;
}

std::string settings_page(const Config& config) {
  std::string page;
  for (const auto& row : kSettings) {
    page += std::string(row.name) + " = " + std::visit(Show{config}, row.member) + "\n    " +
            std::string(row.about);
    if (row.most != 0)
      page += " (" + std::to_string(row.least) + " to " + std::to_string(row.most) + ")";
    if (!row.choices.empty()) page += " (" + std::string(row.choices) + ")";
    page += "\n    " + environment_name(row.name) + "\n";
  }
  return page;
}

}  // namespace bottega
