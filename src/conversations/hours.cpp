// Office hours by the merchant's own clock, and what a buyer is told outside of them.
#include <algorithm>

#include "bottega/conversations/inbox.hpp"

namespace bottega::conversations {
namespace {

// What is needed to answer: only where an answer may be due.
struct Office {
  std::vector<OfficeHours> hours;
  std::string away_message;
  std::int64_t day = 0, minute = 0;  // there and now; Monday is 1 (ISO 8601)
};
BOOST_DESCRIBE_STRUCT(Office, (), (hours, away_message, day, minute))

const Sql<InboxSettings(MerchantId)> kSettings{"inbox_settings.one", R"(
    SELECT time_zone, hours, away_message FROM inbox_settings WHERE merchant_id = $1)"};

const Sql<void(MerchantId, std::string, Json, std::optional<std::string>, Instant)> kSetSettings{
    "inbox_settings.set", R"(
    INSERT INTO inbox_settings (merchant_id, time_zone, hours, away_message, updated_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant_id) DO UPDATE
    SET time_zone = excluded.time_zone, hours = excluded.hours,
        away_message = excluded.away_message, updated_at = excluded.updated_at)"};

const Sql<std::string(std::string)> kTimeZone{"inbox_settings.time_zone", R"(
    SELECT name FROM pg_timezone_names WHERE name = $1)"};

const Sql<Office(MerchantId, ConversationId, Instant)> kOffice{"inbox_settings.office", R"(
    SELECT s.hours, s.away_message,
           extract(isodow FROM $3::timestamptz AT TIME ZONE s.time_zone)::bigint AS day,
           (extract(hour FROM $3::timestamptz AT TIME ZONE s.time_zone) * 60
            + extract(minute FROM $3::timestamptz AT TIME ZONE s.time_zone))::bigint AS minute
    FROM inbox_settings s JOIN conversations c ON c.merchant_id = s.merchant_id
    WHERE s.merchant_id = $1 AND c.id = $2 AND s.away_message IS NOT NULL
      AND (c.away_at IS NULL OR c.away_at < $3::timestamptz - interval '12 hours'))"};

const Sql<void(MerchantId, ConversationId, Instant)> kSetAway{"conversations.set_away", R"(
    UPDATE conversations SET away_at = $3
    WHERE merchant_id = $1 AND id = $2 AND NOT blocked_by_buyer
      AND (away_at IS NULL OR away_at < $3::timestamptz - interval '12 hours'))"};

bool is_open(const Office& office) {
  return office.hours.empty() || std::ranges::any_of(office.hours, [&](const OfficeHours& hours) {
           return static_cast<std::int64_t>(hours.day) + 1 == office.day &&
                  hours.from.minutes <= office.minute && office.minute < hours.to.minutes;
         });
}

}  // namespace

InboxSettings inbox_settings(Tx& tx, MerchantId merchant) {
  return tx.find(kSettings, merchant).value_or(InboxSettings{"UTC", {}, std::nullopt});
}

InboxSettings set_inbox_settings(Tx& tx, MerchantId merchant, const NewInboxSettings& given) {
  if (!tx.find(kTimeZone, given.time_zone.value))
    throw Error(Code::invalid, "this time zone is not known",
                {{"/time_zone", "must be a name of the IANA time zone database"}});
  std::optional<std::string> message;
  if (given.away_message) message = given.away_message->value;
  tx.run(kSetSettings, merchant, given.time_zone.value, to_json(given.hours), message, tx.now());
  return inbox_settings(tx, merchant);
}

void answer_if_away(Tx& tx, MerchantId merchant, ConversationId id) {
  const auto office = tx.find(kOffice, merchant, id, tx.now());
  if (!office || is_open(*office)) return;
  // Another message of the buyer's may have been answered meanwhile.
  if (tx.run(kSetAway, merchant, id, tx.now()) == 0) return;
  append(tx, merchant, id,
         {"message.created",
          Author::merchant,
          std::nullopt,
          std::nullopt,
          {{"text", office->away_message}, {"automatic", true}}});
}

}  // namespace bottega::conversations
