// Somebody without a row shows everything.
#include "bottega/identity/preferences.hpp"

namespace bottega::identity {
namespace {

const Sql<Preferences(AccountId)> kFind{"identity.preferences", R"(
    SELECT show_presence, show_typing, push_content FROM preferences WHERE account_id = $1)"};

const Sql<void(AccountId, bool, bool, Content)> kSet{"identity.set_preferences", R"(
    WITH forgotten AS (DELETE FROM last_seen WHERE account_id = $1 AND NOT $2)
    INSERT INTO preferences (account_id, show_presence, show_typing, push_content)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (account_id) DO UPDATE
    SET show_presence = excluded.show_presence, show_typing = excluded.show_typing,
        push_content = excluded.push_content)"};

}  // namespace

Preferences preferences_of(Tx& tx, AccountId account) {
  return tx.find(kFind, account).value_or(Preferences{});
}

Preferences set_preferences(Tx& tx, AccountId account, const Preferences& given) {
  tx.run(kSet, account, given.show_presence, given.show_typing, given.push_content);
  return given;
}

}  // namespace bottega::identity
