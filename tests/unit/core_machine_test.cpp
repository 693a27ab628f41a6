// Every state machine of the product, every pair of state and event: the target that is written
// here by hand, or a conflict that says both names and changes nothing.
#include "bottega/core/machine.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/shared.hpp"
#include "unit/case_moves.hpp"
#include "unit/feed_moves.hpp"
#include "unit/payment_moves.hpp"
#include "bottega/attachments/attachments.hpp"
#include "bottega/catalog/catalog.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/disputes/disputes.hpp"
#include "bottega/payments/payments.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/risk/reviews.hpp"
#include "bottega/storage/migrate.hpp"
#include "bottega/support/support.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::test {
namespace core_machine_test {

using Moves = std::map<std::string, std::map<std::string, std::string>>;  // state, event, state

// A machine without its types, so that one suite walks all of them.
struct Subject {
  std::string name, table;
  std::vector<std::string> states, events;
  std::string (*advance)(const std::string& from, const std::string& on);
  Moves moves;
};

template <class E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  Form<E>::each([&](const char* name) { names.emplace_back(name); });
  return names;
}

template <const auto& machine>
std::string advance_text(const std::string& from, const std::string& on) {
  using State = decltype(machine.edges[0].from);
  using Event = decltype(machine.edges[0].on);
  return text_of(machine.advance(from_text<State>(from), from_text<Event>(on)));
}

template <const auto& machine>
Subject subject(const std::string& name, const std::string& table, Moves moves) {
  return {name,
          table,
          names_of<std::remove_cvref_t<decltype(machine.edges[0].from)>>(),
          names_of<std::remove_cvref_t<decltype(machine.edges[0].on)>>(),
          &advance_text<machine>,
          std::move(moves)};
}

Moves dispute_moves() {
  const std::map<std::string, std::string> open = {
      {"review", "under_review"}, {"win", "won"}, {"lose", "lost"}};
  auto asked = open, reviewed = open;
  asked["ask"] = "evidence_due";
  reviewed["ask"] = "under_review";
  return {{"opened", asked},
          {"evidence_due", asked},
          {"under_review", reviewed},
          {"won", {{"ask", "won"}, {"review", "won"}, {"win", "won"}}},
          {"lost", {{"ask", "lost"}, {"review", "lost"}, {"lose", "lost"}}}};
}

Moves top_up_moves() {
  const std::map<std::string, std::string> open = {
      {"ask_owner", "requires_action"}, {"succeed", "succeeded"}, {"fail", "failed"}};
  auto lost = open, waiting = open;
  lost["lose"] = "unknown";
  waiting["lose"] = "requires_action";
  return {
      {"created", lost},
      {"requires_action", waiting},
      {"unknown", lost},
      {"succeeded", {{"ask_owner", "succeeded"}, {"succeed", "succeeded"}, {"lose", "succeeded"}}},
      {"failed",
       {{"ask_owner", "failed"},
        {"fail", "failed"},
        {"lose", "failed"},
        {"succeed", "succeeded"}}}};
}

Moves attempt_moves() {
  std::map<std::string, std::string> open = {
      {"wait", "waiting"}, {"succeed", "succeeded"}, {"fail", "failed"}};
  auto lost = open, waiting = open;
  lost["lose"] = "unknown";
  waiting["lose"] = "waiting";
  const std::string done = "succeeded", failed = "failed";
  return {{"sent", lost},
          {"waiting", waiting},
          {"unknown", lost},
          {done, {{"succeed", done}, {"lose", done}, {"wait", done}, {"come_back", done}}},
          {failed, {{"fail", failed}, {"lose", failed}, {"wait", failed}, {"succeed_late", done}}}};
}

Moves transfer_moves() {
  return {{"funding", {{"fund", "pending"}, {"fail", "failed"}}},
          {"pending",
           {{"accept", "accepted"},
            {"decline", "declined"},
            {"cancel", "cancelled"},
            {"expire", "returned"}}}};
}

Moves order_moves() {
  return {{"paid", {{"ship_part", "paid"}, {"ship", "shipped"}, {"cancel", "cancelled"}}},
          {"shipped",
           {{"deliver", "delivered"},
            {"complete", "completed"},
            {"request_return", "return_requested"}}},
          {"delivered", {{"complete", "completed"}, {"request_return", "return_requested"}}},
          {"completed", {{"request_return", "return_requested"}}},
          {"returned", {{"request_return", "return_requested"}}},
          {"return_requested",
           {{"receive_return", "returned"},
            {"resume_shipped", "shipped"},
            {"resume_delivered", "delivered"},
            {"resume_completed", "completed"},
            {"resume_returned", "returned"}}}};
}

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all{
      subject<payments::kRequestLifecycle>("Request", "payment_requests",
                                           {{"open",
                                             {{"accept", "paying"},
                                              {"decline", "declined"},
                                              {"cancel", "cancelled"},
                                              {"expire", "expired"}}},
                                            {"paying", {{"pay", "paid"}, {"fail", "open"}}}}),
      subject<payments::kLifecycle>("Payment", "payments", payment_moves()),
      subject<orders::kLifecycle>("Order", "orders", order_moves()),
      subject<attempts::kLifecycle>("Attempt", "attempts", attempt_moves()),
      subject<catalog::kFeedLifecycle>("FeedImport", "feed_imports", feed_moves()),
      subject<payouts::kLifecycle>(
          "Payout", "payouts",
          {{"scheduled", {{"submit", "submitted"}, {"hold", "held"}, {"cancel", "cancelled"}}},
           {"held", {{"release", "scheduled"}, {"cancel", "cancelled"}}},
           {"submitted", {{"submit", "submitted"}, {"pay", "paid"}, {"fail", "failed"}}},
           {"failed", {{"schedule", "scheduled"}, {"fail", "failed"}, {"hold", "held"}}},
           {"paid", {{"pay", "paid"}, {"come_back", "failed"}}},
           {"cancelled", {{"reinstate", "held"}}}}),
      subject<payouts::kBatchLifecycle>("Batch", "payout_batches",
                                        {{"submitted", {{"pay", "paid"}, {"fail", "failed"}}},
                                         {"paid", {{"come_back", "failed"}}}}),
      subject<risk::kReviewLifecycle>(
          "Review", "reviews", {{"open", {{"approve", "approved"}, {"reject", "rejected"}}}}),
      subject<disputes::kLifecycle>("Dispute", "disputes", dispute_moves()),
      subject<returns::kLifecycle>(
          "Return", "returns",
          {{"requested",
            {{"approve", "approved"}, {"reject", "rejected"}, {"cancel", "cancelled"}}},
           {"approved", {{"receive", "received"}, {"cancel", "cancelled"}, {"expire", "expired"}}},
           {"received", {{"refund", "refunded"}}},
           {"refunded", {{"come_back", "received"}}}}),
      subject<support::kLifecycle>("SupportCase", "support_cases", case_moves()),
      subject<wallet::kTopUpLifecycle>("TopUp", "top_ups", top_up_moves()),
      subject<wallet::kTransferLifecycle>("Transfer", "transfers", transfer_moves()),
      subject<conversations::kStatusLifecycle>(
          "Status", "conversations",
          {{"open",
            {{"reopen", "open"}, {"park", "pending"}, {"snooze", "snoozed"}, {"close", "closed"}}},
           {"pending",
            {{"reopen", "open"}, {"park", "pending"}, {"snooze", "snoozed"}, {"close", "closed"}}},
           {"snoozed",
            {{"reopen", "open"}, {"park", "pending"}, {"snooze", "snoozed"}, {"close", "closed"}}},
           {"closed", {{"reopen", "open"}, {"close", "closed"}}}}),
      subject<attachments::kLifecycle>("Attachment", "attachments",
                                       {{"pending", {{"finish", "ready"}, {"remove", "deleted"}}},
                                        {"ready", {{"attach", "attached"}, {"remove", "deleted"}}},
                                        {"attached", {{"remove", "deleted"}}},
                                        {"deleted", {{"remove", "deleted"}}}}),
      subject<catalog::kLifecycle>("Product", "products",
                                   {{"draft", {{"publish", "published"}}},
                                    {"published", {{"archive", "archived"}}},
                                    {"archived", {{"restore", "draft"}}}}),
  };
  return all;
}

struct Pair {
  const Subject* machine;
  std::string state, event;
};
void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.state << " on " << pair.event; }

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs;
  for (const auto& machine : subjects())
    for (const auto& state : machine.states)
      for (const auto& event : machine.events) pairs.push_back({&machine, state, event});
  return pairs;
}

std::optional<std::string> target(const Pair& pair) {
  const auto row = pair.machine->moves.find(pair.state);
  if (row == pair.machine->moves.end()) return std::nullopt;
  const auto move = row->second.find(pair.event);
  return move == row->second.end() ? std::nullopt : std::optional(move->second);
}

class LifecyclePair : public testing::TestWithParam<Pair> {};
TEST_P(LifecyclePair, GoesWhereTheTableSaysOrIsAConflict) {
  const auto& pair = GetParam();
  const auto to = target(pair);
  if (to) {
    EXPECT_EQ(pair.machine->advance(pair.state, pair.event), *to);
    return;
  }
  try {
    FAIL() << "it went to " << pair.machine->advance(pair.state, pair.event);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
    EXPECT_EQ(std::string(error.what()), "cannot " + pair.event + " what is " + pair.state);
  }
}
INSTANTIATE_TEST_SUITE_P(Product, LifecyclePair, testing::ValuesIn(all_pairs()),
                         [](const auto& test) {
                           return test.param.machine->name + '_' + test.param.state + '_' +
                                  test.param.event;
                         });

class Lifecycle : public testing::TestWithParam<const Subject*> {};

TEST_P(Lifecycle, ReachesEveryStateFromItsFirst) {
  std::set<std::string> reached{GetParam()->states.front()};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const auto& state : std::set(reached)) {
      const auto row = GetParam()->moves.find(state);
      if (row == GetParam()->moves.end()) continue;
      for (const auto& [event, to] : row->second) reached.insert(to);
    }
  }
  EXPECT_EQ(reached.size(), GetParam()->states.size());
}

TEST_P(Lifecycle, UsesEveryEvent) {
  std::set<std::string> used;
  for (const auto& [state, moves] : GetParam()->moves)
    for (const auto& [event, to] : moves) used.insert(event);
  EXPECT_EQ(used.size(), GetParam()->events.size());
}

// The states of the CHECK on the column `state` of a table, or on `status` where that was added to
// it, in the migrations.
std::set<std::string> states_of_check(const std::string& table) {
  std::string sql;
  for (const auto& migration : bottega_migrations()) sql += migration.sql;
  const auto begin = sql.find("CREATE TABLE " + table + " (");
  if (begin == sql.npos) return {};
  const bool added = sql.substr(begin, sql.find(";", begin) - begin).find("state IN") == sql.npos;
  const auto check = added ? sql.find("CHECK (status IN (", sql.find("ALTER TABLE " + table))
                           : sql.find("CHECK (state IN (", begin);
  const auto end = sql.find(')', check + 18);
  std::set<std::string> states;
  for (auto quote = sql.find('\'', check); quote < end; quote = sql.find('\'', quote + 1)) {
    const auto last = sql.find('\'', quote + 1);
    states.insert(sql.substr(quote + 1, last - quote - 1));
    quote = last;
  }
  return states;
}

TEST_P(Lifecycle, HasExactlyTheStatesThatTheDatabaseAllows) {
  const std::set<std::string> states(GetParam()->states.begin(), GetParam()->states.end());
  EXPECT_EQ(states_of_check(GetParam()->table), states);
}

std::vector<const Subject*> all_subjects() {
  std::vector<const Subject*> all;
  for (const auto& machine : subjects()) all.push_back(&machine);
  return all;
}
INSTANTIATE_TEST_SUITE_P(Product, Lifecycle, testing::ValuesIn(all_subjects()),
                         [](const auto& test) { return test.param->name; });

TEST(Lifecycles, AreAllWalkedHere) {
  std::size_t machines = 0;
  const std::string_view declared = "inline constexpr Machine k";
  const auto folder = std::filesystem::path(BOTTEGA_SOURCE_DIR) / "include";
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".hpp") continue;
    const auto text = read_file(file.path());
    for (auto at = text.find(declared); at != text.npos; at = text.find(declared, at + 1))
      ++machines;
  }
  EXPECT_EQ(machines, subjects().size()) << "a new machine needs its table here";
}

// What may never happen to money, whatever else is drawn.

TEST(FinalStates, OfARequestLeadNowhere) {
  for (const auto* state : {"paid", "declined", "cancelled", "expired"})
    EXPECT_FALSE(subjects()[0].moves.contains(state)) << state;
}

TEST(FinalStates, OfAPaymentOnlyHearTheSameNewsAgain) {
  using payments::State, payments::Event, payments::kLifecycle;
  const std::set<std::string> reversals = {"capture_late", "return_part", "return_rest"};
  for (const auto state : {State::refunded, State::failed, State::voided})
    Form<Event>::each([&](const char* name) {
      if (reversals.contains(name)) return;
      const auto next = kLifecycle.next(state, from_text<Event>(name));
      EXPECT_TRUE(!next || *next == state) << text_of(state) << " on " << name;
    });
}

TEST(FinalStates, AFailedOrVoidedPaymentIsNeverCaptured) {
  using payments::State, payments::Event, payments::kLifecycle;
  for (const auto state : {State::failed, State::voided}) {
    EXPECT_FALSE(kLifecycle.next(state, Event::capture));
    EXPECT_FALSE(kLifecycle.next(state, Event::authorize));
    EXPECT_FALSE(kLifecycle.next(state, Event::refund_part));
  }
}

TEST(FinalStates, APaidOrCancelledPayoutIsNeverSubmittedAgain) {
  using payouts::State, payouts::Event, payouts::kLifecycle;
  for (const auto state : {State::paid, State::cancelled, State::held}) {
    EXPECT_FALSE(kLifecycle.next(state, Event::submit)) << text_of(state);
    EXPECT_FALSE(kLifecycle.next(state, Event::schedule)) << text_of(state);
  }
  EXPECT_FALSE(kLifecycle.next(State::submitted, Event::cancel)) << "the money may have left";
}

enum class Light : std::uint8_t { red, green };
enum class Turn : std::uint8_t { go, stop };
constexpr Machine kTwice{std::to_array<Edge<Light, Turn>>({
    {Light::red, Turn::go, Light::green},
    {Light::red, Turn::go, Light::red},
})};
constexpr Machine kOnce{std::to_array<Edge<Light, Turn>>({
    {Light::red, Turn::go, Light::green},
    {Light::green, Turn::go, Light::green},
    {Light::green, Turn::stop, Light::red},
})};
static_assert(!kTwice.deterministic() && kOnce.deterministic());
static_assert(kOnce.next(Light::green, Turn::stop) == Light::red);
static_assert(!kOnce.next(Light::red, Turn::stop));

}  // namespace core_machine_test
}  // namespace bottega::test
