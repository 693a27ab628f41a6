// The books, as the staff sees them.
#include "bottega/ledger/books.hpp"
#include "gateway/routes/staff.hpp"

namespace bottega::gateway {
namespace {

using identity::AccountId, identity::MerchantId;
using ledger::BookFormat, ledger::TransferId;

constexpr std::int64_t kPieceEntries = 500;

asio::awaitable<Reply> trial_balance(Call& call) {
  const auto at = call.parameter_as<Instant>("at");
  co_return co_await call.transact([&](Tx& tx) {
    ops::record(tx, call.who(), act_of(call, "ledger.trial_balance", "ledger"));
    return ok(ops::trial_balance(tx, at));
  });
}

void require(Tx& tx, MerchantId id) { identity::fetch_merchant(tx, id); }
void require(Tx& tx, AccountId id) { identity::fetch_account(tx, id); }

template <class OwnerType>
asio::awaitable<Reply> transfers_of(Call& call) {
  const auto id = call.at<OwnerType>(0);
  auto find = [&](Tx& tx, std::optional<TransferId> after, std::int64_t limit) {
    require(tx, id);
    return ledger::history(tx, ledger::owner_of(id), after, limit);
  };
  co_return co_await listing<TransferId>(call, "ledger.history", find);
}

template <class OwnerType>
asio::awaitable<Reply> balances_of(Call& call) {
  const auto id = call.at<OwnerType>(0);
  const auto at = call.parameter_as<Instant>("at");
  co_return co_await call.transact([&](Tx& tx) {
    require(tx, id);
    ops::record(tx, call.who(), act_of(call, "ledger.balances", text_of(id)));
    const auto owner = ledger::owner_of(id);
    return ok(
        ops::Balances{at ? ledger::balances_at(tx, owner, *at) : ledger::balances(tx, owner)});
  });
}

class BookDownload final : public Outgoing {
 public:
  BookDownload(Database& db, BookFormat format, Instant until)
      : db_(db), format_(format), until_(until), piece_(ledger::book_head(format)) {}

  asio::awaitable<std::string_view> next() override {
    if (!has_begun_) {
      has_begun_ = true;
      co_return piece_;
    }
    piece_.clear();
    while (piece_.empty() && !is_done_) co_await read_on();
    co_return piece_;
  }

 private:
  asio::awaitable<void> read_on() {
    const auto entries = co_await db_.read(
        [&](Tx& tx) { return ledger::journal(tx, after_, until_, kPieceEntries); });
    for (const auto& entry : entries) piece_ += ledger::book_line(format_, entry);
    if (!entries.empty()) {
      after_ = entries.back().id;
      co_return;
    }
    const auto balances =
        co_await db_.read([&](Tx& tx) { return ledger::trial_balance_at(tx, until_); });
    piece_ = ledger::book_tail(format_, balances, until_);
    is_done_ = true;
  }

  Database& db_;
  BookFormat format_;
  Instant until_;
  std::optional<TransferId> after_;
  std::string piece_;
  bool has_begun_ = false, is_done_ = false;
};

asio::awaitable<Reply> export_books(Call& call) {
  const auto format = call.parameter_as<BookFormat>("format").value_or(BookFormat::csv);
  const auto latest = call.app.clock.now() - ledger::kSettled;
  const auto until = call.parameter_as<Instant>("until").value_or(latest);
  if (until > latest)
    throw Error(Code::invalid, "the books of the last minute are not closed yet",
                {{"until", "must be a minute ago or earlier"}});
  co_await call.app.db.transact([&](Tx& tx) {
    ops::record(tx, call.who(),
                act_of(call, "ledger.export", "ledger", std::nullopt,
                       {{"format", text_of(format)}, {"until", text_of(until)}}));
  });
  Reply reply;
  reply.media_type = ledger::media_type_of(format);
  reply.headers = {
      {"Content-Disposition", "attachment; filename=\"bottega." + text_of(format) + "\""}};
  reply.stream = std::make_shared<BookDownload>(call.app.db, format, until);
  co_return reply;
}

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/v1/admin/merchants/{id}/ledger",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = transfers_of<MerchantId>,
     .name = "adminListTransfers",
     .summary = "Every ledger transfer of a merchant, oldest first",
     .gives = kGivesPage<ledger::Entry>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/accounts/{id}/ledger",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = transfers_of<AccountId>,
     .name = "adminListTransfersOfAccount",
     .summary = "Every ledger transfer of a person's wallet, oldest first",
     .gives = kGivesPage<ledger::Entry>,
     .parameters = "limit cursor"},
    {.verb = Verb::get,
     .path = "/v1/admin/merchants/{id}/balances",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = balances_of<MerchantId>,
     .name = "adminGetBalances",
     .summary = "What a merchant's ledger accounts hold, now or at an instant",
     .gives = kGives<ops::Balances>,
     .parameters = "at"},
    {.verb = Verb::get,
     .path = "/v1/admin/accounts/{id}/balances",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = balances_of<AccountId>,
     .name = "adminGetBalancesOfAccount",
     .summary = "What a person's ledger accounts hold, now or at an instant",
     .gives = kGives<ops::Balances>,
     .parameters = "at"},
    {.verb = Verb::get,
     .path = "/v1/admin/ledger/trial_balance",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = trial_balance,
     .name = "adminTrialBalance",
     .summary = "The sums of the books, now or at an instant, and what is wrong with them",
     .gives = kGives<ops::TrialBalance>,
     .parameters = "at"},
    {.verb = Verb::get,
     .path = "/v1/admin/ledger/export",
     .access = Access::finance,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = export_books,
     .name = "adminExportLedger",
     .summary = "All transfers up to an instant as a file: csv, or beancount with its balances",
     .gives = any_text,
     .media_type = "text/csv",
     .parameters = "format until"},
};

}  // namespace

std::span<const Route> book_routes() { return kRoutes; }

}  // namespace bottega::gateway
