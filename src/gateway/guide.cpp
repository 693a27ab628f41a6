#include "gateway/guide.hpp"

#include <string_view>

#include "bottega/core/text.hpp"

namespace bottega::gateway {
namespace {

constexpr std::string_view kOpening =
    "A shop's whole sale inside one conversation. Amounts are integers in the currency's minor "
    "unit; times are RFC 3339 in UTC; ids are TypeIDs; other people's things are 404.";

struct Chapter {
  std::string_view title;
  std::string_view text;   // words in `backticks` are code
  std::string_view items;  // one per line
};

constexpr Chapter kChapters[] = {
    {"A sale, call by call", "Bodies and answers are with each operation below.",
     "Everybody: `POST /v1/accounts`, then `POST /v1/sessions` for an access token (renewed by "
     "`POST /v1/sessions/refresh`).\n"
     "The merchant: `POST /v1/merchants`, `POST /v1/merchants/{id}/onboarding`, and the page that "
     "it "
     "names, until the merchant is `active`.\n"
     "The buyer: `POST /v1/conversations`, then `POST /v1/conversations/{id}/messages`. Both sides "
     "hear everything on the socket `/v1/socket` (see /asyncapi.json).\n"
     "The merchant: `POST /v1/payment_requests`.\n"
     "The buyer: `POST /v1/payment_requests/{id}/accept` with a payment method's token. 200 is "
     "paid; 402 is declined, and another method may be tried; 202 has no outcome yet: where "
     "`action_url` is there the buyer confirms on that page, and `GET /v1/payments/{id}` or the "
     "socket tells how it ended.\n"
     "The merchant: `POST /v1/orders/{id}/ship`. The payout falls due three business days later."},
    {"A shop, call by call", "What a sale takes where there is a catalogue.",
     "The merchant: `POST /v1/products` with its variants, then `POST /v1/products/{id}/publish`; "
     "or a whole file with `POST /v1/merchants/{id}/feed_imports`. Stock that is counted: "
     "`PUT /v1/variants/{id}/stock`.\n"
     "The merchant: `PUT /v1/merchants/{id}/checkout_settings` (what buyers are asked for, taxes, "
     "tips), `POST /v1/merchants/{id}/shipping_zones` with `/rates`, "
     "`POST /v1/merchants/{id}/tax_rates`, `POST /v1/merchants/{id}/discount_codes`. Without these "
     "nothing is added to the prices.\n"
     "The merchant: `POST /v1/conversations/{id}/messages` with a `product`, `products` in "
     "sections, or the whole `catalogue`. The buyer looks through "
     "`GET /v1/conversations/{id}/products`, asks with `about`, and fills "
     "`PUT /v1/conversations/{id}/cart`.\n"
     "The buyer: `POST /v1/conversations/{id}/quotes` with `lines` (Buy now), or the "
     "`cart_version`: the `total`, and with `ship_to` the `shipping_options`. `is_final` says that "
     "nothing is missing. Then `POST /v1/conversations/{id}/checkouts` with the same, the `total` "
     "and a payment method: 200 is paid, and has the order.\n"
     "The merchant, where `pre_checkout` asks it: "
     "`GET /v1/merchants/{id}/payment_questions`, and within ten seconds "
     "`POST /v1/payment_requests/{id}/answer`.\n"
     "The merchant: `POST /v1/orders/{id}/ship`, with `lines` for a part; news of the parcel with "
     "`POST /v1/shipments/{id}/events`. The buyer: `POST /v1/orders/{id}/returns`, or "
     "`POST /v1/support_cases`.\n"
     "Anybody without an account: the page of `POST /v1/payment_links`."},
    {"Regions and tax classes",
     "A region is free text, but for the United States and Canada: there it is a code of ISO "
     "3166-2, with or without the country (`CA`, `US-CA`), or the region's name (`California`). A "
     "`tax_class` is 1 to 30 letters, digits and `-_.:`, of products and of tax rates alike; "
     "capitals do not matter.",
     ""},
    {"Asking twice",
     "A POST takes an `Idempotency-Key`; where money moves it must have one. The same key with the "
     "same body gets the first answer again, for seven days: it says what was so then, and a GET "
     "what is so now. The same key at another address is another request. An answer of 409 with "
     "`Retry-After` means that the first one is still at work.",
     ""},
    {"Versions",
     "Products and collections have a version, which is their `ETag`. Whoever edits one says in "
     "`If-Match` which version they have read: without it the answer is 428, and 412 where it has "
     "changed since.",
     ""},
    {"Files",
     "`POST /v1/conversations/{id}/attachments` takes the bytes of a file as its body, and says "
     "what it is by its bytes. `GET /v1/attachments/{id}` has links to the bytes that need no "
     "token and are good for a while; they answer a `Range`. An upload that no message names is "
     "removed after a day.",
     ""},
    {"Who may do what",
     "A merchant has members: an `agent` chats, asks for payment and ships; a `manager` also "
     "cancels "
     "orders and sees payouts; an `owner` also keeps members, keys and onboarding. Somebody joins "
     "by "
     "the code of an owner's `POST /v1/merchants/{id}/invitations`, with "
     "`POST /v1/invitations/accept`. An API key acts for its merchant within its scopes, never as "
     "owner, and as long as whoever made it is an owner:",
     "`read`: what a manager sees; feed imports, payment links and questions before a charge are "
     "seen with the scope that they are made with.\n"
     "`chat`: write.\n"
     "`payments`: make and cancel payment requests, refund, set the currencies; with `orders` also "
     "what ends an unsent order.\n"
     "`orders`: ship and cancel orders; shipping, taxes, discount codes, what is asked for.\n"
     "`catalog`: edit products, collections and stock."},
    {"The sandbox's payment methods",
     "The sandbox's own address, printed at the start, takes a card number at `POST /tokens` "
     "(`{\"number\": \"4242424242424242\", \"month\": 12, \"year\": 2030, \"cvc\": \"123\"}`) "
     "and gives a token. These tokens work as they are:",
     "`tok_approved` (4242 4242 4242 4242): succeeds.\n"
     "`tok_declined` (4000 0000 0000 0002): declined, card_declined.\n"
     "`tok_insufficient_funds` (4000 0000 0000 9995): declined, insufficient_funds.\n"
     "`tok_confirm` (4000 0025 0000 3155): the buyer must confirm on the sandbox's page.\n"
     "`tok_slow` (4000 0000 0000 0077): succeeds after sandbox.slow_ms.\n"
     "`tok_answer_lost` (4000 0000 0000 0259): it is done, but the answer is lost; found out "
     "later.\n"
     "`tok_no_answer` (4000 0000 0000 0119): nothing is done and no answer comes; found out "
     "later.\n"
     "`tok_bank`: a bank account, to withdraw to.\n"
     "A refund, payout or withdrawal whose amount ends in 17 loses its answer; one that ends in "
     "13 is refused. A tax number that ends in 0000 is rejected at onboarding."},
};

// Calls `each` with every line.
template <class Each>
void lines(std::string_view text, Each each) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    each(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

std::string html_of(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : escape_html(text)) {
    if (c != '`') {
      out += c;
      continue;
    }
    code = !code;
    out += code ? "<code>" : "</code>";
  }
  return out;
}

}  // namespace

std::string guide_text() {
  std::string out(kOpening);
  for (const auto& chapter : kChapters) {
    out += "\n\n## " + std::string(chapter.title) + "\n\n" + std::string(chapter.text);
    if (!chapter.items.empty()) out += "\n";
    lines(chapter.items, [&](std::string_view line) { out += "\n- " + std::string(line); });
  }
  return out;
}

std::string guide_html() {
  std::string out = "<p>" + html_of(kOpening) + "</p>";
  for (const auto& chapter : kChapters) {
    out += "<h2>" + html_of(chapter.title) + "</h2><p>" + html_of(chapter.text) + "</p>";
    if (chapter.items.empty()) continue;
    out += "<ul>";
    lines(chapter.items, [&](std::string_view line) { out += "<li>" + html_of(line) + "</li>"; });
    out += "</ul>";
  }
  return out;
}

}  // namespace bottega::gateway
