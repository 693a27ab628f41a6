// A copy of everything that is kept of a person, and their erasure: by themselves or by the staff.
#include "gateway/routes/routes.hpp"
#include "gateway/step_up.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/privacy/erasure.hpp"
#include "bottega/privacy/exports.hpp"

namespace bottega::gateway {
namespace {

using namespace privacy;

// As clients see it. The link needs no token and is good for a while only; there is none while the
// file is being made.
struct ExportView {
  ExportId id;
  AccountId account_id;
  std::string requested_by;
  Instant created_at{}, expires_at{};
  std::optional<Instant> ready_at;
  std::optional<std::int64_t> bytes;
  std::optional<std::string> sha256, url;
};
BOOST_DESCRIBE_STRUCT(ExportView, (),
                      (id, account_id, requested_by, created_at, expires_at, ready_at, bytes,
                       sha256, url))

ExportView view_of(const App& app, const Export& row) {
  ExportView out{row.id,       row.account_id, row.requested_by, row.created_at, row.expires_at,
                 row.ready_at, row.bytes,      row.sha256,       std::nullopt};
  if (row.ready_at && app.depot != nullptr) {
    const auto expires = app.depot->link_expiry(app.clock.now());
    out.url = app.public_url + "/v1/exports/" + text_of(row.id) +
              "/content?expires=" + std::to_string(expires) +
              "&signature=" + app.depot->seal(words_of(row.id), expires);
  }
  return out;
}

ExportRules rules_of(const App& app) {
  return {std::chrono::hours(app.config.privacy_export_keep_hours),
          std::chrono::hours(app.config.privacy_export_every_hours)};
}

ops::Act act_of(const Call& call, const std::string& action, AccountId account,
                const payouts::Reason& given) {
  return {action, text_of(account), given.reason.value, Json::object(), call.request.request_id};
}

Reply list_of(const Call& call, const std::vector<Export>& rows) {
  std::vector<ExportView> views;
  for (const auto& row : rows) views.push_back(view_of(call.app, row));
  return call.page(views, 1000, id_of<ExportView>);
}

// The password of whoever asks, once more; a guest has none, and a session that ends soon.
asio::awaitable<std::optional<identity::Credential>> confirm(Call& call) {
  const auto given = call.body<Confirmation>();
  std::optional<identity::Credential> known;
  if (call.who().is_guest) co_return known;
  if (!given.password)
    throw Error(Code::invalid, "say your password", {{"/password", "is required"}});
  known = co_await step_up(call, given.password->value, "/password");
  co_return known;
}

// What was confirmed is so until the commit.
void hold(Tx& tx, const Call& call, const std::optional<identity::Credential>& known) {
  if (known)
    identity::hold_credential(tx, *known);
  else
    identity::hold_active(tx, call.who().account);
}

asio::awaitable<Reply> post_export(Call& call) {
  const auto known = co_await confirm(call);
  const auto rules = rules_of(call.app);
  const auto reply = co_await call.transact([&](Tx& tx) {
    hold(tx, call, known);
    const auto& who = call.who();
    return accepted(view_of(call.app, ask_export(tx, who.account, who.actor(), rules)));
  });
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> list_exports(Call& call) {
  const auto rows =
      co_await call.app.db.read([&](Tx& tx) { return exports_of(tx, call.who().account); });
  co_return list_of(call, rows);
}

class ExportDownload final : public Outgoing {
 public:
  ExportDownload(std::unique_ptr<attachments::Reading> reading, std::uint64_t length)
      : reading_(std::move(reading)), length_(length) {}
  std::optional<std::uint64_t> length() const override { return length_; }
  asio::awaitable<std::string_view> next() override { return reading_->next(); }

 private:
  std::unique_ptr<attachments::Reading> reading_;
  std::uint64_t length_;
};

asio::awaitable<Reply> content(Call& call) {
  if (call.app.depot == nullptr) throw Error(Code::not_found, "there is no such address");
  const auto id = call.at<ExportId>(0);
  const std::int64_t expires =
      call.parameter_as<Count<0, 4'000'000'000>>("expires").value_or(Count<0, 4'000'000'000>{0});
  call.app.depot->check_seal(words_of(id), expires, call.parameter("signature").value_or(""),
                             call.app.clock.now());
  const auto row = co_await call.app.db.read([&](Tx& tx) { return fetch_export(tx, id); });
  const auto bytes = static_cast<std::uint64_t>(row.bytes.value());
  const attachments::Piece all{0, bytes};
  const auto key = key_of(id);
  auto reading = co_await call.app.depot->store().get(key, all);
  Reply reply;
  reply.headers = {{"Cache-Control", "no-store"},
                   {"Content-Disposition", "attachment; filename=\"" + text_of(id) + ".json\""}};
  reply.media_type = "application/json";
  reply.stream = std::make_shared<ExportDownload>(std::move(reading), bytes);
  co_return reply;
}

asio::awaitable<Reply> post_erasure(Call& call) {
  const auto known = co_await confirm(call);
  if (call.who().staff)
    throw Error(Code::conflict, "a member of the staff is erased by another member");
  const auto reply = co_await call.transact([&](Tx& tx) {
    hold(tx, call, known);
    begin_erasure(tx, call.who().account);
    return no_content();
  });
  call.app.tokens.clear();
  call.app.poke_jobs();
  co_return reply;
}

asio::awaitable<Reply> admin_export(Call& call) {
  const auto id = call.at<AccountId>(0);
  const auto given = call.body<payouts::Reason>();
  const auto rules = rules_of(call.app);
  const auto reply = co_await call.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, "account.export", id, given));
    return accepted(view_of(call.app, ask_export(tx, id, call.who().actor(), rules)));
  });
  call.app.poke_jobs();
  co_return reply;
}

// The links are somebody's whole life here: that the staff has had them is written down.
asio::awaitable<Reply> admin_exports(Call& call) {
  const auto id = call.at<AccountId>(0);
  const auto rows = co_await call.app.db.transact([&](Tx& tx) {
    identity::fetch_account(tx, id);
    ops::record(tx, call.who(),
                {"account.exports", text_of(id), {}, Json::object(), call.request.request_id});
    return exports_of(tx, id);
  });
  co_return list_of(call, rows);
}

asio::awaitable<Reply> admin_erase(Call& call) {
  const auto id = call.at<AccountId>(0);
  const auto given = call.body<payouts::Reason>();
  if (id == call.who().account)
    throw Error(Code::conflict, "a member of the staff is erased by another member");
  const auto reply = co_await call.transact([&](Tx& tx) {
    begin_erasure(tx, id);
    ops::record(tx, call.who(), act_of(call, "account.erase", id, given));
    return no_content();
  });
  call.app.tokens.clear();
  call.app.poke_jobs();
  co_return reply;
}

Json document_schema(Components&) { return {{"type", "object"}}; }

const Route kRoutes[] = {
    {.verb = Verb::post,
     .path = "/v1/accounts/me/exports",
     .access = Access::person,
     .budget = Budget::logins,
     .once = Once::optional,
     .handler = post_export,
     .name = "exportMyData",
     .summary = "Ask for a copy of everything that is kept of oneself; it is made in a moment",
     .takes = kTakes<Confirmation>,
     .status = 202,
     .gives = kGives<ExportView>},
    {.verb = Verb::get,
     .path = "/v1/accounts/me/exports",
     .access = Access::person,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = list_exports,
     .name = "listMyExports",
     .summary = "One's copies, with links that are good for a while",
     .gives = kGivesPage<ExportView>},
    {.verb = Verb::get,
     .path = "/v1/exports/{id}/content",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = content,
     .name = "getExportContent",
     .summary = "A copy as one JSON document, by a signed link",
     .gives = document_schema,
     .parameters = "expires signature"},
    {.verb = Verb::post,
     .path = "/v1/accounts/me/erasure",
     .access = Access::person,
     .budget = Budget::logins,
     .once = Once::optional,
     .handler = post_erasure,
     .name = "eraseMe",
     .summary = "Erase oneself, for good; refused while money is on its way",
     .takes = kTakes<Confirmation>,
     .status = 204},
    {.verb = Verb::post,
     .path = "/v1/admin/accounts/{id}/exports",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = admin_export,
     .name = "adminExportAccount",
     .summary = "Make a copy of everything that is kept of somebody who asked for it",
     .takes = kTakes<payouts::Reason>,
     .status = 202,
     .gives = kGives<ExportView>},
    {.verb = Verb::get,
     .path = "/v1/admin/accounts/{id}/exports",
     .access = Access::admin,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = admin_exports,
     .name = "adminListExports",
     .summary = "Somebody's copies, with links that are good for a while",
     .gives = kGivesPage<ExportView>},
    {.verb = Verb::post,
     .path = "/v1/admin/accounts/{id}/erase",
     .access = Access::admin,
     .budget = Budget::writes,
     .once = Once::optional,
     .handler = admin_erase,
     .name = "adminEraseAccount",
     .summary = "Erase somebody who asked for it, for good",
     .takes = kTakes<payouts::Reason>,
     .status = 204},
};

}  // namespace

std::span<const Route> privacy_routes() { return kRoutes; }

}  // namespace bottega::gateway
