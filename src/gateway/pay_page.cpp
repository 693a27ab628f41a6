// Whatever a shop or a buyer has written is escaped here, and is put in as text by the script.
#include "gateway/pay_page.hpp"

#include "bottega/core/digest.hpp"

namespace bottega::gateway {
namespace {

using namespace checkout;
using pricing::Asked;

struct Input {
  std::string id, label, pointers, attributes;
  bool is_required = true;
};

std::string input(const Input& field) {
  return "<p class=\"field\"><label for=\"" + field.id + "\">" + field.label +
         (field.is_required ? "" : " <small>(optional)</small>") + "</label><input id=\"" +
         field.id + "\" data-pointer=\"" + field.pointers + "\" aria-describedby=\"" + field.id +
         "-error\" " + field.attributes + (field.is_required ? " required" : "") +
         "><span class=\"error\" id=\"" + field.id + "-error\"></span></p>";
}

std::string fieldset(const std::string& legend, const std::string& fields) {
  return "<fieldset><legend>" + legend + "</legend>" + fields + "</fieldset>";
}

// What is typed into `part` is sent as the member of that name.
std::string address_fields(const std::string& part, const std::string& section) {
  struct Row {
    const char *name, *label, *autocomplete, *most;
    bool is_required;
  };
  static constexpr Row kRows[] = {
      {"name", "Full name", "name", "100", true},
      {"street", "Street and number", "street-address", "200", true},
      {"city", "City", "address-level2", "100", true},
      {"region", "State or region", "address-level1", "100", false},
      {"postal_code", "Postal code", "postal-code", "20", true},
      {"country", "Country, in two letters such as DE", "country", "2", true},
  };
  std::string out;
  for (const auto& row : kRows)
    out += input({part + '-' + row.name, row.label, '/' + part + '/' + row.name,
                  "data-part=\"" + part + "\" data-member=\"" + row.name + "\" autocomplete=\"" +
                      section + ' ' + row.autocomplete + "\" maxlength=\"" + row.most + '"',
                  row.is_required});
  return out;
}

bool wants_address(const LinkOffer& offer) { return offer.address != Asked::none; }
bool wants_billing(const LinkOffer& offer) { return offer.terms.buyer.billing == Asked::required; }

std::string about_buyer(const LinkOffer& offer) {
  auto fields = input({"name", "Your name", "/name /contact/name",
                       "autocomplete=\"name\" maxlength=\"100\""}) +
                input({"email", "E-mail", "/email /contact/email",
                       "type=\"email\" autocomplete=\"email\" maxlength=\"254\""});
  const auto phone = offer.terms.buyer.phone;
  if (phone != Asked::none)
    fields += input({"phone", "Phone, with its country", "/contact/phone",
                     "type=\"tel\" autocomplete=\"tel\" maxlength=\"40\" placeholder=\"+1…\"",
                     phone == Asked::required});
  return fieldset("About you", fields);
}

std::string choices(const LinkOffer& offer) {
  auto fields = input({"discount", "Discount code", "/discount_code",
                       "autocomplete=\"off\" maxlength=\"40\"", false});
  if (offer.terms.tips.allowed)
    fields += input({"tip", "Tip, in " + std::string(offer.subtotal.currency.code()), "/tip",
                     "inputmode=\"decimal\" autocomplete=\"off\" maxlength=\"14\"", false}) +
              "<p id=\"tips\"></p>";
  return fieldset("More", fields);
}

std::string card_fields(Cards cards) {
  if (cards == Cards::none)
    return "<p id=\"no-card\">This shop takes no cards on this page yet. Ask it how to pay.</p>";
  struct Row {
    const char *token, *label;
  };
  static constexpr Row kRows[] = {
      {"tok_approved", "4242 4242 4242 4242: is paid"},
      {"tok_confirm", "4000 0025 0000 3155: asks you to confirm"},
      {"tok_slow", "4000 0000 0000 0077: takes a while"},
      {"tok_declined", "4000 0000 0000 0002: is declined"},
      {"tok_insufficient_funds", "4000 0000 0000 9995: has too little money"},
  };
  std::string options;
  for (const auto& row : kRows)
    options += std::string("<option value=\"") + row.token + "\">" + row.label + "</option>";
  return "<p class=\"field\"><label for=\"card\">Test card</label><select id=\"card\" "
         "data-pointer=\"/payment_method\" aria-describedby=\"card-error\">" +
         options +
         "</select><span class=\"error\" id=\"card-error\"></span></p>"
         "<p><small>This server is a sandbox: no money moves.</small></p>"
         "<p><button type=\"button\" id=\"pay\" class=\"main\">Pay</button></p>";
}

std::string form_of(const LinkOffer& offer, Cards cards) {
  std::string out = "<form id=\"checkout\" novalidate hidden>" + about_buyer(offer);
  if (wants_address(offer)) out += fieldset("Ship to", address_fields("ship_to", "shipping"));
  if (wants_billing(offer))
    out += fieldset("Billing address", address_fields("billing", "billing"));
  out += choices(offer);
  out +=
      "<p><button id=\"price\" class=\"main\">Show the total</button></p>"
      "<section id=\"quote\" aria-live=\"polite\" hidden><fieldset id=\"shipping\" hidden>"
      "<legend>Shipping</legend><div id=\"rates\" data-pointer=\"/shipping_rate\" "
      "aria-describedby=\"rates-error\"></div><span class=\"error\" id=\"rates-error\"></span>"
      "</fieldset><table><caption>What it costs</caption><tbody id=\"sums\"></tbody></table>";
  out += fieldset("Payment", card_fields(cards)) + "</section></form>";
  return out;
}

std::string lines_of(const LinkOffer& offer) {
  const auto cell = [](const std::optional<Money>& money) {
    return "<td class=\"n\">" + (money ? escape_html(display(*money)) : "") + "</td>";
  };
  std::string rows;
  for (const auto& line : offer.lines)
    rows += "<tr><th scope=\"row\" dir=\"auto\">" +
            escape_html(line.name.empty() ? "Not sold any more" : line.name) +
            "</th><td class=\"n\">" + std::to_string(line.quantity) + "</td>" + cell(line.price) +
            cell(line.total) + "</tr>";
  return "<table><caption>What you buy</caption><thead><tr><th scope=\"col\">Item</th>"
         "<th scope=\"col\" class=\"n\">Pieces</th><th scope=\"col\" class=\"n\">Price</th>"
         "<th scope=\"col\" class=\"n\">Amount</th></tr></thead><tbody>" +
         rows + "</tbody></table>";
}

std::string_view words_of(LinkState state) {
  switch (state) {
    case LinkState::usable:
      return "";
    case LinkState::disabled:
      return "The shop has switched this link off.";
    case LinkState::expired:
      return "This link is too old.";
    case LinkState::used_up:
      return "This link has been used up.";
    case LinkState::sold_out:
      return "This is sold out.";
    case LinkState::unavailable:
      return "The shop does not sell this now.";
  }
  return "";
}

std::string row_of(const std::string& name, const std::optional<std::string>& value) {
  if (!value || value->empty()) return "";
  return "<dt>" + name + "</dt><dd dir=\"auto\">" + escape_html(*value) + "</dd>";
}

template <class T>
std::optional<std::string> text_in(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return value->value;
}

std::optional<std::string> address_in(const std::optional<pricing::SellerAddress>& given) {
  if (!given) return std::nullopt;
  const auto region = given->region ? ", " + given->region->value : "";
  return given->street.value + ", " + given->postal_code.value + ' ' + given->city.value + region +
         ", " + given->country.value;
}

std::string seller_of(const LinkOffer& offer) {
  std::string rows;
  if (const auto& told = offer.terms.disclosures) {
    rows += row_of("Seller", told->legal_name.value) + row_of("Address", address_in(told->address));
    rows += row_of("E-mail", text_in(told->email)) + row_of("Phone", text_in(told->phone));
    rows += row_of("Registered as", text_in(told->registration_number)) +
            row_of("VAT number", text_in(told->vat_id));
    if (const auto& contact = told->contact)
      rows += row_of("Contact", contact->name.value) +
              row_of("Contact's address", address_in(contact->address)) +
              row_of("Contact's e-mail", text_in(contact->email)) +
              row_of("Contact's phone", text_in(contact->phone));
    rows += row_of("Returns", text_in(told->returns_policy));
  }
  if (offer.terms.withdrawal_days > 0)
    rows += row_of("Withdrawal", "You may withdraw from the contract within " +
                                     std::to_string(offer.terms.withdrawal_days) +
                                     " days of the delivery.");
  if (rows.empty()) return "";
  return "<section aria-labelledby=\"seller\"><h2 id=\"seller\">Who sells</h2><dl>" + rows +
         "</dl></section>";
}

// A block of data in a script element ends nowhere but where we end it.
std::string data_of(const LinkOffer& offer) {
  const auto& currency = offer.subtotal.currency;
  const auto text = Json{{"code", offer.code},
                         {"currency", currency.code()},
                         {"decimals", currency.decimals()},
                         {"address", wants_address(offer)},
                         {"billing", wants_billing(offer)},
                         {"usable", offer.state == LinkState::usable}}
                        .dump();
  std::string out;
  for (const char c : text)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

Reply page(const std::string& title, const std::string& body, const std::string& nonce,
           unsigned status) {
  auto reply = html(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">"
      "<title>" +
          escape_html(title) + "</title><style nonce=\"" + nonce + "\">" +
          std::string(pay_style()) + "</style></head><body><main>" + body + "</body></html>",
      status);
  reply.headers.emplace_back("Content-Security-Policy",
                             "default-src 'none'; script-src 'nonce-" + nonce +
                                 "'; style-src 'nonce-" + nonce +
                                 "'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
                                 "frame-ancestors 'none'");
  reply.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  return reply;
}

constexpr std::string_view kAsk =
    "<details id=\"ask\" hidden><summary>Ask the shop</summary><ul id=\"said\" "
    "aria-live=\"polite\"></ul><p class=\"field\"><label for=\"question\">Your question</label>"
    "<textarea id=\"question\" data-pointer=\"/text\" rows=\"3\" maxlength=\"4096\" "
    "aria-describedby=\"question-error\"></textarea><span class=\"error\" id=\"question-error\">"
    "</span></p><p><button type=\"button\" id=\"send\">Send</button></p></details>";

}  // namespace

Reply pay_page(const LinkOffer& offer, Cards cards) {
  const auto nonce = random_token(18);
  std::string body = "<header><p class=\"shop\" dir=\"auto\">" + escape_html(offer.shop) +
                     "</p><h1 dir=\"auto\">" + escape_html(offer.title) + "</h1></header>" +
                     lines_of(offer);
  if (offer.state != LinkState::usable)
    body += "<p class=\"notice\" id=\"state\">" + std::string(words_of(offer.state)) + "</p>";
  body +=
      "<noscript><p class=\"notice\">This page needs JavaScript to take your order: switch it on, "
      "or ask the shop for another way to pay.</p></noscript>"
      "<p id=\"problem\" class=\"notice\" role=\"alert\" tabindex=\"-1\" hidden></p>"
      "<section id=\"done\" aria-live=\"polite\" hidden><h2>Your order</h2><p id=\"told\"></p>"
      "<p><a id=\"confirm\" rel=\"noreferrer\" hidden>Confirm the payment</a></p>"
      "<p><button type=\"button\" id=\"more\" hidden>Buy again</button></p></section>";
  if (offer.state == LinkState::usable) body += form_of(offer, cards);
  body += std::string(kAsk) + seller_of(offer) +
          "</main><script type=\"application/json\" id=\"offer\">" + data_of(offer) +
          "</script><script nonce=\"" + nonce + "\">" + std::string(pay_script()) + "</script>";
  return page(offer.title + " – " + offer.shop, body, nonce, 200);
}

Reply no_such_link_page() {
  return page("No such link",
              "<h1>There is no such link</h1><p>Look at the address again, or ask the shop for "
              "another one.</p></main>",
              random_token(18), 404);
}

}  // namespace bottega::gateway
