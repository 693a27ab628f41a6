// The states in the code and the CHECKs in the database are the same sets, table by table.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "support/world.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/catalog/feeds.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/identity/preferences.hpp"
#include "bottega/payments/questions.hpp"
#include "bottega/pricing/price.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/support/support.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::test {
namespace migrate_states_test {

using Words = std::set<std::string>;

template <class E>
Words words_of() {
  Words words;
  Form<E>::each([&](const char* name) { words.insert(name); });
  return words;
}

struct Column {
  const char *schema, *table, *column;
  Words words;
};

std::ostream& operator<<(std::ostream& out, const Column& column) {
  return out << column.schema << '.' << column.table << '.' << column.column;
}

// What moves money at a processor: opening an account does not.
Words movements() {
  auto words = words_of<processors::Operation>();
  words.erase("onboarding");
  return words;
}

// The operations that an attempt may be about: a dispute gives money back by itself.
Words operations() {
  auto words = movements();
  words.erase("dispute_return");
  return words;
}

// What the daily check compares: disputes are told of, and asked about, by themselves.
Words compared() {
  auto words = operations();
  words.erase("dispute");
  return words;
}

// What an order is before something of it is sent back.
Words returnable() {
  auto words = words_of<orders::State>();
  for (const auto* word : {"paid", "cancelled", "return_requested"}) words.erase(word);
  return words;
}

std::vector<Column> columns_of_money() {
  return {
      {"bottega", "ledger_accounts", "kind", words_of<ledger::Kind>()},
      {"bottega", "ledger_transfers", "why", words_of<ledger::Why>()},
      {"bottega", "ledger_transfers", "phase", words_of<ledger::Phase>()},
      {"bottega", "payment_requests", "state", words_of<payments::RequestState>()},
      {"bottega", "payment_requests", "shipping_address", words_of<payments::ShippingAddress>()},
      {"bottega", "payment_requests", "origin", words_of<payments::Origin>()},
      {"bottega", "payment_questions", "standing_answer", words_of<payments::Answer>()},
      {"bottega", "payment_questions", "answer", words_of<payments::Answer>()},
      {"bottega", "payments", "state", words_of<payments::State>()},
      {"bottega", "attempts", "state", words_of<attempts::State>()},
      {"bottega", "attempts", "operation", operations()},
      {"bottega", "refunds", "state", words_of<payments::RefundState>()},
      {"bottega", "refunds", "funded_by", words_of<payments::Funder>()},
      {"bottega", "refunds", "source", words_of<payments::Source>()},
      {"bottega", "payout_holds", "cause", words_of<payouts::Cause>()},
      {"bottega", "reviews", "state", words_of<risk::ReviewState>()},
      {"bottega", "reviews", "reasons", words_of<risk::Concern>()},
      {"bottega", "payouts", "state", words_of<payouts::State>()},
      {"bottega", "payout_batches", "state", words_of<payouts::BatchState>()},
      {"bottega", "settlement_runs", "state", words_of<settlements::State>()},
      {"bottega", "settlement_runs", "phase", words_of<settlements::Phase>()},
      {"bottega", "settlement_differences", "kind", words_of<settlements::Kind>()},
      {"bottega", "settlement_differences", "operation", compared()},
      {"bottega", "disputes", "state", words_of<disputes::State>()},
      {"bottega", "disputes", "source", words_of<payments::Source>()},
      {"bottega", "disputes", "response", words_of<disputes::Stance>()},
      {"bottega", "top_ups", "state", words_of<wallet::TopUpState>()},
      {"bottega", "withdrawals", "state", words_of<wallet::WithdrawalState>()},
      {"bottega", "transfers", "state", words_of<wallet::TransferState>()},
  };
}

std::vector<Column> columns_of_the_rest() {
  return {
      {"bottega", "accounts", "staff_role", words_of<identity::StaffRole>()},
      {"bottega", "accounts", "state", words_of<identity::AccountState>()},
      {"bottega", "merchants", "onboarding", words_of<identity::Onboarding>()},
      {"bottega", "merchant_members", "role", words_of<identity::Role>()},
      {"bottega", "invitations", "role", words_of<identity::Role>()},
      {"bottega", "conversations", "status", words_of<conversations::Status>()},
      {"bottega", "search_settings", "language", words_of<conversations::Language>()},
      {"bottega", "reports", "side", words_of<conversations::Side>()},
      {"bottega", "reports", "reason", words_of<conversations::ReportReason>()},
      {"bottega", "reports", "state", words_of<conversations::ReportState>()},
      {"bottega", "preferences", "push_content", words_of<identity::Content>()},
      {"bottega", "push_subscriptions", "content", words_of<identity::Content>()},
      {"bottega", "attachments", "state", words_of<attachments::State>()},
      {"bottega", "attachments", "kind", words_of<attachments::Kind>()},
      {"bottega", "products", "state", words_of<catalog::State>()},
      {"bottega", "products", "condition", words_of<catalog::Condition>()},
      {"bottega", "product_index", "state", words_of<catalog::State>()},
      {"bottega", "variants", "availability", words_of<catalog::Availability>()},
      {"bottega", "feed_imports", "format", words_of<catalog::FeedFormat>()},
      {"bottega", "feed_imports", "on_error", words_of<catalog::OnError>()},
      {"bottega", "feed_imports", "missing", words_of<catalog::Missing>()},
      {"bottega", "feed_imports", "state", words_of<catalog::FeedState>()},
      {"bottega", "feed_import_remarks", "severity", words_of<catalog::Severity>()},
      {"bottega", "entries", "author", words_of<conversations::Author>()},
      {"bottega", "markers", "side", words_of<conversations::Side>()},
      {"bottega", "checkout_settings", "tax_mode", words_of<pricing::TaxMode>()},
      {"bottega", "checkout_settings", "ask_address", words_of<pricing::Asked>()},
      {"bottega", "checkout_settings", "ask_email", words_of<pricing::Asked>()},
      {"bottega", "checkout_settings", "ask_phone", words_of<pricing::Asked>()},
      {"bottega", "checkout_settings", "ask_name", words_of<pricing::Asked>()},
      {"bottega", "checkout_settings", "ask_billing", words_of<pricing::Asked>()},
      {"bottega", "checkout_settings", "standing_answer", words_of<pricing::StandingAnswer>()},
      {"bottega", "discount_codes", "kind", words_of<pricing::DiscountKind>()},
      {"bottega", "orders", "state", words_of<orders::State>()},
      {"bottega", "orders", "fulfilment", words_of<orders::Fulfilment>()},
      {"bottega", "shipments", "status", words_of<orders::Tracking>()},
      {"bottega", "shipment_events", "status", words_of<orders::Tracking>()},
      {"bottega", "shipment_events", "source", words_of<orders::Source>()},
      {"bottega", "returns", "state", words_of<returns::State>()},
      {"bottega", "returns", "reason", words_of<returns::Reason>()},
      {"bottega", "returns", "order_state", returnable()},
      {"bottega", "settlement_movements", "operation", compared()},
      {"bottega", "top_up_disputes", "state", words_of<disputes::State>()},
      {"bottega", "top_up_disputes", "response", words_of<disputes::Stance>()},
      {"bottega", "support_cases", "kind", words_of<support::Kind>()},
      {"bottega", "support_cases", "subject", words_of<support::Subject>()},
      {"bottega", "support_cases", "state", words_of<support::State>()},
      {"bottega", "support_cases", "priority", words_of<support::Priority>()},
      {"bottega", "support_cases", "desk", words_of<support::Desk>()},
      {"bottega", "case_messages", "voice", words_of<support::Voice>()},
      {"bottega", "payment_methods", "brand", words_of<processors::Brand>()},
  };
}

std::vector<Column> columns() {
  std::vector<Column> all = {
      {"sandbox", "accounts", "state", words_of<processors::AccountState>()},
      {"sandbox", "movements", "state", words_of<processors::MovementState>()},
      {"sandbox", "movements", "operation", movements()},
      {"sandbox", "disputes", "state", words_of<processors::DisputeState>()},
  };
  for (const auto& part : {columns_of_money(), columns_of_the_rest()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

const std::string& superuser() {
  static const std::string url = Cluster::shared().fresh_database().superuser;
  return url;
}

// The definitions of the CHECKs on this column alone.
std::string checks_on(const Column& column) {
  return execute(superuser(),
                 "SELECT coalesce(string_agg(pg_get_constraintdef(k.oid), ' '), '') "
                 "FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid "
                 "AND k.conkey = ARRAY[a.attnum] WHERE k.contype = 'c' AND k.conrelid = '" +
                     std::string(column.schema) + '.' + column.table +
                     "'::regclass AND a.attname = '" + column.column + "'");
}

class States : public testing::TestWithParam<Column> {};

TEST_P(States, AreTheOnesThatTheDatabaseAllows) {
  const auto definition = checks_on(GetParam());
  Words allowed;
  std::istringstream parts(definition);
  std::string outside, word;
  while (std::getline(parts, outside, '\'') && std::getline(parts, word, '\''))
    allowed.insert(word);
  EXPECT_EQ(allowed, GetParam().words) << definition;
}
INSTANTIATE_TEST_SUITE_P(Migrate, States, testing::ValuesIn(columns()), [](const auto& row) {
  return std::string(row.param.schema) + '_' + row.param.table + '_' + row.param.column;
});

TEST(StatesOfTheDatabase, NoColumnOfWordsIsForgottenHere) {
  std::string known;
  for (const auto& column : columns())
    known += std::string(known.empty() ? "" : ",") + "('" + column.schema + "','" + column.table +
             "','" + column.column + "')";
  EXPECT_EQ(execute(superuser(),
                    "SELECT coalesce(string_agg(DISTINCT k.conrelid::regclass || '.' || "
                    "a.attname, ' '), '') FROM pg_constraint k JOIN pg_class c ON c.oid = "
                    "k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a "
                    "ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum] "
                    "WHERE k.contype = 'c' AND n.nspname IN ('bottega', 'sandbox') "
                    "AND pg_get_constraintdef(k.oid) LIKE '%ANY (ARRAY[%' "
                    "AND (n.nspname, c.relname, a.attname) NOT IN (" +
                        known + ")"),
            "");
}

}  // namespace migrate_states_test
}  // namespace bottega::test
