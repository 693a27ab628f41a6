#pragma once
// Every setting is one member here and one row in the table of config.cpp, which holds its name,
// its meaning, its bounds and whether it is secret. Loading reports every mistake at once.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bottega/core/text.hpp"

namespace bottega {

struct Config {
  std::string mode = "sandbox";
  std::string data_dir;
  std::string log_level = "info", log_file;

  std::string http_address = "127.0.0.1", http_public_url, http_origins;
  std::int64_t http_port = 8080, http_threads = 2, http_connections_max = 20'000;
  std::int64_t http_connections_per_s = 5'000;
  std::int64_t http_body_max_bytes = 1'048'576, http_header_max_bytes = 16'384;
  std::int64_t http_read_timeout_s = 20, http_idle_timeout_s = 60, http_write_timeout_s = 20;
  std::string tls_certificate, tls_key;
  std::int64_t tls_port = 8443;

  std::int64_t socket_frame_max_bytes = 65'536, socket_queue_max_bytes = 1'048'576;
  std::int64_t socket_in_flight_max = 64, socket_ping_s = 25, socket_pong_s = 8;
  std::int64_t socket_auth_s = 10, socket_resume_max = 500, socket_let_in_at_once = 64;
  std::string socket_deflate = "no";

  Secret database_url, database_owner_url;
  std::int64_t database_threads = 8, database_waiting_max = 256;
  std::int64_t database_statement_timeout_ms = 10'000, database_lock_timeout_ms = 5'000;
  std::string postgres_bin_dir, postgres_user = "postgres";

  std::int64_t auth_access_token_s = 900, auth_refresh_token_s = 2'592'000;
  std::int64_t auth_password_ops = 2, auth_password_memory_bytes = 19'922'944;
  std::int64_t auth_threads = 1, auth_waiting_max = 64;
  std::int64_t papers_threads = 1, papers_waiting_max = 32;
  std::int64_t auth_tries_per_account = 10, auth_tries_per_address = 30, auth_tries_window_s = 300;
  std::int64_t auth_fresh_login_s = 600;

  std::int64_t limits_requests_per_minute = 1'200, limits_address_per_minute = 6'000;
  std::int64_t limits_writes_per_minute = 600, limits_conversation_per_minute = 1'200;
  std::int64_t limits_connections_per_minute = 6'000, limits_events_per_minute = 60'000;
  std::int64_t limits_guests_per_minute = 60;

  std::int64_t chat_batch_max = 1'024, chat_waiting_max = 10'000;
  std::int64_t chat_edit_window_s = 900, chat_delete_window_s = 172'800;
  std::int64_t chat_typing_every_s = 3, chat_recent_max_bytes = 16'777'216;

  Secret bus_url;
  std::string bus_subject = "bottega";
  std::int64_t bus_queue_max_bytes = 8'388'608;

  std::int64_t presence_write_ms = 2'000, presence_lease_s = 60, presence_grace_s = 8;
  std::int64_t presence_every_s = 10;

  Secret push_vapid_private_key;
  std::string push_vapid_subject, push_allow_private = "no", push_ca_file;
  std::int64_t push_delay_s = 5, push_ttl_s = 86'400, push_call_timeout_ms = 10'000;
  std::int64_t push_calls_max = 16, push_waiting_max = 100'000, push_poll_ms = 1'000;

  std::string attachments_dir, attachments_downloads = "through";
  std::int64_t attachments_image_max_bytes = 5'242'880, attachments_audio_max_bytes = 16'777'216;
  std::int64_t attachments_video_max_bytes = 16'777'216;
  std::int64_t attachments_document_max_bytes = 104'857'600, attachments_pixels_max = 50'000'000;
  std::int64_t attachments_per_account_bytes_per_day = 1'073'741'824;
  std::int64_t attachments_total_max_bytes = 107'374'182'400;
  std::int64_t attachments_keep_hours = 24, attachments_rate_min_bytes_per_s = 8'192;
  std::int64_t attachments_url_s = 900;
  Secret attachments_url_secret;
  std::int64_t attachments_threads = 2, attachments_image_threads = 1;
  std::int64_t attachments_image_waiting_max = 32;
  std::string attachments_s3_url, attachments_s3_bucket, attachments_s3_region = "us-east-1";
  std::string attachments_s3_access_key;
  Secret attachments_s3_secret_key;
  std::int64_t attachments_s3_timeout_ms = 20'000;

  std::int64_t catalog_feed_bytes_max = 4'294'967'296;

  std::int64_t search_every_ms = 1'000, search_batch = 200;

  std::int64_t retention_chats_days = 0, retention_orders_days = 0, retention_reports_days = 0;
  std::int64_t retention_events_days = 30, retention_every_s = 600, retention_batch = 500;

  std::int64_t privacy_export_keep_hours = 24, privacy_export_every_hours = 24;

  std::string merchants_countries = "US";
  std::int64_t merchants_invitation_days = 7;
  std::int64_t support_close_after_days = 7;
  std::int64_t fees_basis_points = 290, fees_fixed = 30;

  std::int64_t payments_amount_max = 75'000'000, payments_call_timeout_ms = 10'000;
  std::int64_t payments_expiry_default_s = 86'400;
  std::int64_t checkout_reserve_minutes = 15, checkout_answer_s = 10;
  std::int64_t checkout_guest_session_hours = 24;
  std::int64_t risk_request_max = 100'000, risk_merchant_week_max = 1'000'000;
  std::int64_t risk_buyer_count_hour_max = 60, risk_buyer_count_day_max = 200;
  std::int64_t risk_buyer_sum_hour_max = 100'000, risk_buyer_sum_day_max = 200'000;
  std::int64_t risk_method_tries_hour_max = 60, risk_method_tries_day_max = 200;
  std::int64_t risk_review_first_sale = 5'000, risk_review_amount = 25'000;
  std::int64_t risk_review_week = 250'000;
  std::int64_t orders_cancel_after_days = 7;
  std::int64_t orders_complete_after_days = 14;
  std::int64_t orders_returnable_days = 30, orders_return_within_days = 30;
  std::int64_t refunds_within_days = 180;
  std::string fees_on_refund = "proportional";
  std::int64_t payouts_business_days = 3;
  std::string payouts_batch_at;
  std::string payouts_minimums;
  std::int64_t payouts_minimum = 0, payouts_minimum_wait_days = 30, payouts_tries_max = 8;
  std::int64_t settlements_hour = 2;
  std::int64_t transfers_amount_max = 100'000;
  std::int64_t wallet_top_up_day_max = 1'000'000;
  std::int64_t transfers_sent_day_max = 250'000, transfers_sent_month_max = 1'000'000;
  std::int64_t transfers_received_day_max = 250'000, transfers_received_month_max = 1'000'000;
  std::int64_t transfers_return_after_days = 30;
  std::int64_t jobs_poll_ms = 500, jobs_batch = 16;

  Secret sandbox_url, sandbox_webhook_secret;
  std::string sandbox_address = "127.0.0.1";
  std::int64_t sandbox_port = 8090, sandbox_slow_ms = 2'000, sandbox_fee_basis_points = 0;
  std::int64_t sandbox_webhook_after_ms = 250;

  std::int64_t stop_grace_s = 10;
};

struct Setting {
  std::string_view name, about;
  std::variant<std::int64_t Config::*, std::string Config::*, Secret Config::*> member;
  std::int64_t least = 0, most = 0;
  std::string_view choices = {};  // for a word: the words allowed, separated by '|'
};
std::span<const Setting> settings();

// The environment variable of a setting: http.port is BOTTEGA_HTTP_PORT.
std::string environment_name(std::string_view setting);

// Applies values to the configuration; answers every mistake in words, an unknown name among them.
// The words never contain a value.
std::vector<std::string> apply_settings(const std::map<std::string, std::string>& given,
                                        Config& config);

// A configuration file is one JSON object of objects or of dotted names: {"http": {"port": 8080}}
// is http.port. Throws Error(invalid) where it is not.
std::map<std::string, std::string> flatten_settings(const Json& file);

// The table for people, with the values in force and the secrets masked.
std::string settings_page(const Config& config);

}  // namespace bottega
