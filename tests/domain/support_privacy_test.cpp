// What is kept of somebody's cases: theirs in a copy, and gone with them.
#include "domain/support.hpp"

#include "support/uploads.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/privacy/erasure.hpp"
#include "bottega/privacy/exports.hpp"

namespace bottega::test {
namespace support_privacy_test {

class SupportPrivacy : public SupportTest {
 protected:
  Json copy_of(const Who& who) const {
    const auto asked = in([&](Tx& tx) {
      return privacy::ask_export(tx, who.account, who.actor(), {std::chrono::hours(24), std::chrono::hours(24)});
    });
    world->run_jobs();
    std::ifstream file(world->files.path() / "attachments" / privacy::key_of(asked.id));
    std::stringstream text;
    text << file.rdbuf();
    return Json::parse(text.str());
  }
  static std::string asked(const std::string& sql) {
    return execute(world->urls.superuser, "SET search_path = bottega; " + sql);
  }
};

}  // namespace support_privacy_test
}  // namespace bottega::test
