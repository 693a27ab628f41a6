// The pages of the sandbox processor, on a listener of their own: they stand for somebody else's
// site.
#include "bottega/processors/sandbox.hpp"

#include "gateway/routes/routes.hpp"
#include "gateway/url.hpp"

namespace bottega::gateway {
namespace {

using processors::AccountState, processors::Confirm, processors::MovementState;

std::string page_of(const std::string& title, const std::string& body) {
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
         escape_html(title) +
         "</title><style>body{font:16px sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}"
         "label,button{display:block;margin:.8rem 0}input{width:100%;padding:.4rem}</style></head>"
         "<body><h1>" +
         escape_html(title) + "</h1>" + body + "</body></html>";
}

Reply see_other(const std::string& url) {
  Reply reply;
  reply.status = 303;
  reply.headers.emplace_back("Location", url);
  return reply;
}

Secret field(const Call& call, std::string_view name) {
  for (auto& [given, value] : parse_query(call.request.body))
    if (given == name) return Secret(value);
  return {};
}

asio::awaitable<Reply> onboarding(Call& call) {
  const std::string reference(call.segment(0));
  const auto state = co_await call.app.sandbox->account_state(reference);
  if (state != AccountState::pending)
    co_return html(page_of("Sandbox processor", "<p>This business is " + text_of(state) + ".</p>"));
  co_return html(page_of(
      "Sandbox processor: about your business",
      "<form method=\"post\"><label>Legal name<input name=\"name\" maxlength=\"200\"></label>"
      "<label>Address<input name=\"address\" maxlength=\"500\"></label>"
      "<label>Tax number<input name=\"tax_number\" autocomplete=\"off\" maxlength=\"11\"></label>"
      "<button>Send</button></form>"));
}

asio::awaitable<Reply> apply(Call& call) {
  const std::string reference(call.segment(0));
  const processors::Application given{field(call, "name"), field(call, "address"),
                                      field(call, "tax_number")};
  co_return see_other(co_await call.app.sandbox->apply(reference, given));
}

asio::awaitable<Reply> confirmation(Call& call) {
  const std::string reference(call.segment(0));
  const auto entry = co_await call.app.sandbox->charge_page(reference);
  if (entry.state != MovementState::needs_confirmation)
    co_return html(
        page_of("Sandbox processor", "<p>This payment is " + text_of(entry.state) + ".</p>"));
  co_return html(page_of("Sandbox processor: confirm a payment",
                         "<p>You are asked to pay <b>" + escape_html(display(entry.amount)) +
                             "</b>.</p><form method=\"post\"><button name=\"answer\" value=\"yes\">"
                             "Confirm</button><button name=\"answer\" value=\"no\">Refuse</button>"
                             "</form>"));
}

asio::awaitable<Reply> confirm(Call& call) {
  const std::string reference(call.segment(0));
  const auto given = field(call, "answer");
  if (given.reveal() != "yes" && given.reveal() != "no")
    throw Error(Code::invalid, "yes or no?", {{"answer", "must be yes or no"}});
  const auto answer = given.reveal() == "yes" ? Confirm::yes : Confirm::no;
  co_return see_other(co_await call.app.sandbox->confirm(reference, answer));
}

asio::awaitable<Reply> tokenize(Call& call) {
  const auto card = call.body<processors::Card>();
  co_return created(co_await call.app.sandbox->tokenize(card));
}

asio::awaitable<Reply> open_dispute(Call& call) {
  const auto given = call.body<processors::NewDispute>();
  co_return created(co_await call.app.sandbox->open_dispute(given));
}

asio::awaitable<Reply> show_dispute(Call& call) {
  const std::string reference(call.segment(0));
  co_return ok(co_await call.app.sandbox->dispute_page(reference));
}

asio::awaitable<Reply> books(Call& call) { co_return ok(co_await call.app.sandbox->books()); }

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

const Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/onboarding/{account}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = onboarding,
     .name = "sandboxOnboarding",
     .summary = "The questions to a business"},
    {.verb = Verb::post,
     .path = "/onboarding/{account}",
     .access = Access::anyone,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = apply,
     .name = "sandboxApply",
     .summary = "The answers",
     .media_type = kForm},
    {.verb = Verb::get,
     .path = "/confirm/{charge}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = confirmation,
     .name = "sandboxConfirmation",
     .summary = "The question to a buyer"},
    {.verb = Verb::post,
     .path = "/confirm/{charge}",
     .access = Access::anyone,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = confirm,
     .name = "sandboxConfirm",
     .summary = "The buyer's answer",
     .media_type = kForm},
    {.verb = Verb::post,
     .path = "/tokens",
     .access = Access::anyone,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = tokenize,
     .name = "sandboxTokenize",
     .summary = "Exchange a card number for a token",
     .takes = kTakes<processors::Card>,
     .status = 201,
     .gives = kGives<processors::Token>},
    {.verb = Verb::post,
     .path = "/disputes",
     .access = Access::anyone,
     .budget = Budget::writes,
     .once = Once::none,
     .handler = open_dispute,
     .name = "sandboxOpenDispute",
     .summary = "Take a charge back, as a buyer's bank does",
     .takes = kTakes<processors::NewDispute>,
     .status = 201,
     .gives = kGives<processors::BookDispute>},
    {.verb = Verb::get,
     .path = "/disputes/{reference}",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = show_dispute,
     .name = "sandboxDispute",
     .summary = "A dispute, as the processor has it",
     .gives = kGives<processors::BookDispute>},
    {.verb = Verb::get,
     .path = "/books",
     .access = Access::anyone,
     .budget = Budget::reads,
     .once = Once::none,
     .handler = books,
     .name = "sandboxBooks",
     .summary = "Everything that moved, as the processor has it"},
};

}  // namespace

std::span<const Route> sandbox_routes() { return kRoutes; }

}  // namespace bottega::gateway
