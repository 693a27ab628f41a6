#include "soak/scripted.hpp"

namespace bottega::soak {
namespace {

// Drawn from a container that is not empty.
template <class Map>
auto any_of(Map& map, std::mt19937_64& random) {
  auto at = map.begin();
  std::advance(at, std::uniform_int_distribution<std::ptrdiff_t>(0, std::ssize(map) - 1)(random));
  return at;
}

}  // namespace

Outcome Scripted::outcome_of(const Entry& entry) const {
  if (entry.waits) return {Verdict::buyer_action, entry.reference, "", "http://confirm.example"};
  if (entry.is_done) return {Verdict::succeeded, entry.reference, "", "", {}, {}, entry.amount};
  return {Verdict::declined, entry.reference, entry.reason, ""};
}

void Scripted::tell(Operation operation, const std::string& key, const Outcome& outcome) {
  auto told = outcome;
  told.key = key;
  processors::Event event{"evt_" + std::to_string(++count_), operation, key, told};
  for (int copies = behaves_ ? 1 : die(4); copies > 0; --copies) {
    news_.push_back(event);
    // The same news under another name, as processors send it too.
    if (die(3) == 0) event.id += "b";
  }
}

void Scripted::tell_dispute(const processors::DisputeNews& news) {
  processors::Event event{"evt_" + std::to_string(++count_), Operation::dispute, news.charge, {}};
  event.dispute = news;
  for (int copies = behaves_ ? 1 : die(3); copies > 0; --copies) news_.push_back(event);
}

std::optional<processors::Event> Scripted::take_news() {
  if (news_.empty()) return std::nullopt;
  const auto at = any_of(news_, random_);
  auto event = *at;
  news_.erase(at);
  return event;
}

// Whatever was asked under a key before is what is answered now.
Outcome Scripted::take(Operation operation, const std::string& key, Money amount,
                       const std::string& about) {
  if (const auto known = books_.find(key); known != books_.end()) {
    if (known->second.reason == "cancelled") return outcome_of(known->second);
    if (known->second.operation != operation || known->second.amount != amount)
      return {Verdict::refused, "", "key_reused", ""};
    return outcome_of(known->second);
  }
  Entry entry{operation, amount, true,        false, "ref_" + std::to_string(++count_),
              "",        about,  clock_.now()};
  if (!behaves_ && die(10) == 0) {
    entry.is_done = false;
    entry.reason = "declined";
  } else if (!behaves_ && operation == Operation::charge && die(8) == 0) {
    entry.is_done = false;
    entry.waits = true;
  }
  if (operation == Operation::refund && entry.is_done) {
    auto charge = books_.end();
    for (auto at = books_.begin(); at != books_.end(); ++at)
      if (at->second.reference == about) charge = at;
    if (charge == books_.end() || !charge->second.is_done ||
        charge->second.given_back + amount.amount > charge->second.amount.amount) {
      entry.is_done = false;
      entry.reason = "too_much";
    } else {
      charge->second.given_back += amount.amount;
    }
  }
  books_[key] = entry;
  tell(operation, key, outcome_of(entry));
  return outcome_of(entry);
}

// One in six answers is lost.
Outcome Scripted::answer(const std::string& key, Outcome told) {
  told.key = key;
  if (behaves_ || die(6) != 0) return told;
  return {Verdict::unknown, "", "", ""};
}

asio::awaitable<Outcome> Scripted::charge(const processors::Charge& call) {
  // One in twelve calls never arrives.
  if (!behaves_ && die(12) == 0) co_return Outcome{};
  co_return answer(call.key, take(Operation::charge, call.key, call.amount, ""));
}

asio::awaitable<Outcome> Scripted::refund(const processors::Refund& call) {
  if (!behaves_ && die(12) == 0) co_return Outcome{};
  co_return answer(call.key, take(Operation::refund, call.key, call.amount, call.charge));
}

asio::awaitable<Outcome> Scripted::pay_out(const processors::Payout& call) {
  if (!behaves_ && die(12) == 0) co_return Outcome{};
  co_return answer(call.key, take(Operation::payout, call.key, call.amount, call.account));
}

asio::awaitable<processors::OnboardingPage> Scripted::onboard(const processors::Onboarding&) {
  co_return processors::OnboardingPage{};
}

asio::awaitable<Outcome> Scripted::look_up(Operation, const std::string& key) {
  if (!behaves_ && die(8) == 0) co_return Outcome{};
  const auto known = books_.find(key);
  if (known == books_.end()) co_return Outcome{Verdict::not_found, "", "", "", key};
  auto told = outcome_of(known->second);
  told.key = key;
  co_return told;
}

asio::awaitable<Outcome> Scripted::cancel(const std::string& key) {
  auto& entry = books_[key];
  if (entry.reference.empty()) {
    entry.operation = Operation::charge;
    entry.amount = {1, *Currency::find("USD")};
    entry.reference = "ref_" + std::to_string(++count_);
  }
  if (!entry.is_done) {
    entry.waits = false;
    entry.reason = "cancelled";
  }
  auto told = outcome_of(entry);
  told.key = key;
  co_return told;
}

asio::awaitable<std::optional<processors::MethodFacts>> Scripted::describe_method(
    const std::string& token) {
  processors::MethodFacts facts;
  facts.brand = token == "tok_bank" ? processors::Brand::bank : processors::Brand::visa;
  facts.last_four = "4242";
  if (facts.brand != processors::Brand::bank) {
    facts.expiry_month = 12;
    facts.expiry_year = 2099;
  }
  co_return facts;
}

void Scripted::confirm_one() {
  for (auto& [key, entry] : books_) {
    if (!entry.waits) continue;
    entry.waits = false;
    entry.is_done = die(3) != 0;
    if (!entry.is_done) entry.reason = "buyer_refused";
    tell(Operation::charge, key, outcome_of(entry));
    return;
  }
}

void Scripted::dispute_one() {
  if (books_.empty()) return;
  const auto at = any_of(books_, random_);
  const auto& [key, charge] = *at;
  if (charge.operation != Operation::charge || !charge.is_done || disputes_.contains(key)) return;
  const auto left = charge.amount.amount - charge.given_back;
  if (left <= 0) return;
  processors::DisputeNews news;
  news.charge = key;
  news.reference = "dp_" + std::to_string(++count_);
  news.amount = {die(2) == 0 ? left : 1 + die(static_cast<int>(left)), charge.amount.currency};
  news.reason = "product_not_received";
  news.state = processors::DisputeState::evidence_due;
  news.evidence_due_at = clock_.now() + std::chrono::hours(7 * 24);
  disputes_[key] = news;
  tell_dispute(news);
}

void Scripted::decide_one() {
  for (auto& [key, news] : disputes_) {
    if (news.state == processors::DisputeState::won || news.state == processors::DisputeState::lost)
      continue;
    if (!behaves_ && die(2) == 0) continue;
    news.state = die(2) == 0 ? processors::DisputeState::won : processors::DisputeState::lost;
    tell_dispute(news);
    return;
  }
}

asio::awaitable<Outcome> Scripted::respond_dispute(const processors::DisputeAnswer& call) {
  for (auto& [key, news] : disputes_) {
    if (news.reference != call.reference) continue;
    if (news.state == processors::DisputeState::won || news.state == processors::DisputeState::lost)
      co_return Outcome{Verdict::declined, call.reference, "closed", "", call.key};
    books_[call.key] = {Operation::dispute, news.amount, true,        false,
                        call.reference,     "",          news.charge, clock_.now()};
    news.state = call.stance == processors::Stance::accept ? processors::DisputeState::lost
                                                           : processors::DisputeState::under_review;
    tell_dispute(news);
    co_return answer(call.key, {Verdict::succeeded, call.reference, "", ""});
  }
  co_return Outcome{Verdict::declined, "", "no_such_dispute", "", call.key};
}

asio::awaitable<std::vector<processors::DisputeNews>> Scripted::disputes(Instant) {
  std::vector<processors::DisputeNews> all;
  for (const auto& [key, news] : disputes_) all.push_back(news);
  co_return all;
}

asio::awaitable<processors::MovementPage> Scripted::movements(const processors::Period&,
                                                              const std::string&, std::int64_t) {
  co_return processors::MovementPage{};
}

processors::Event Scripted::read_webhook(std::string_view, const processors::Headers&,
                                         Instant) const {
  throw Error(Code::forbidden, "this processor has no webhooks");
}

}  // namespace bottega::soak
