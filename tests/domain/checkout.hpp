#pragma once
// Buying in a conversation, the way the gateway does it.
#include "domain/shopping.hpp"
#include "bottega/checkout/quotes.hpp"
#include "bottega/payments/questions.hpp"

namespace bottega::test {

class Checkout : public Shopping {
 protected:
  static Json address(const std::string& country = "US") {
    return {{"name", "Pat Person"},
            {"street", "1 Way"},
            {"city", "Springfield"},
            {"postal_code", "12345"},
            {"country", country}};
  }
  // A body that buys so many of a variant.
  static Json want(catalog::VariantId id, std::int64_t quantity, std::int64_t total,
                   const std::string& token = "tok_approved") {
    return {{"lines", lines({line(id, quantity)})},
            {"ship_to", address()},
            {"total", total},
            {"payment_method", {{"token", token}}}};
  }
  checkout::Quote quote(const Json& body) {
    const auto given = from_json<checkout::NewQuote>(body);
    return in([&](Tx& tx) {
      return checkout::quote(tx, shop.buyer, shop.conversation, given, world.payment_rules);
    });
  }
  payments::Payment begin(const Json& body) {
    const auto given = from_json<checkout::NewCheckout>(body);
    return in([&](Tx& tx) {
      return checkout::begin(tx, shop.buyer, shop.conversation, given, world.payment_rules);
    });
  }
  payments::Accepted settle(const payments::Payment& payment, const processors::Outcome& outcome) {
    return in([&](Tx& tx) {
      return payments::settle(tx, shop.merchant, payment.id, outcome, world.payment_rules);
    });
  }
  payments::Accepted charge(const payments::Payment& payment,
                            const std::string& token = "tok_approved") {
    const auto outcome = run(payments::call(world.db, world.registry.get("sandbox"), shop.merchant,
                                            payment.id, token, "http://shop.example/back"));
    return settle(payment, outcome);
  }
  payments::Accepted buy(const Json& body) {
    return charge(begin(body), body["payment_method"]["token"]);
  }
  // Once more, after a decline.
  payments::Accepted pay_again(const payments::Request& request) {
    payments::Acceptance acceptance;
    acceptance.payment_method.token = from_text<wallet::MethodToken>("tok_approved");
    return charge(in([&](Tx& tx) {
      return payments::begin(tx, shop.buyer, request.id, acceptance, world.payment_rules);
    }));
  }
  void set(const Json& settings) {
    const auto given = from_json<pricing::NewCheckoutSettings>(settings);
    in([&](Tx& tx) { return pricing::set_settings(tx, shop.owner, shop.merchant, given); });
  }
  static Json settings() {
    return {
        {"tax_mode", "none"},
        {"buyer",
         {{"address", "required"},
          {"email", "none"},
          {"phone", "none"},
          {"name", "none"},
          {"billing", "optional"}}},
        {"tips", {{"allowed", false}, {"suggested_percent", Json::array()}, {"most_percent", 100}}},
        {"pre_checkout", {{"ask", false}, {"standing_answer", "accept"}}}};
  }
  // Where everything is sent for this much; answers the rate's id.
  pricing::ShippingRateId ship_everywhere(std::int64_t amount) {
    const auto zone =
        from_json<pricing::NewShippingZone>({{"name", "World"}, {"countries", Json::array()}});
    const auto rate = from_json<pricing::NewShippingRate>(
        {{"name", "Post"}, {"prices", {{{"currency", "USD"}, {"amount", amount}}}}});
    return in([&](Tx& tx) {
      const auto made = pricing::add_zone(tx, shop.merchant, zone);
      return pricing::add_rate(tx, shop.merchant, made.id, rate).id;
    });
  }
  void add_code(const Json& body) {
    const auto given = from_json<pricing::NewDiscountCode>(body);
    in([&](Tx& tx) { return pricing::add_code(tx, shop.merchant, given); });
  }
  // What the work was refused with.
  template <class Work>
  static Error refusal(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was done";
    return Error(Code::internal, "it was done");
  }
};

}  // namespace bottega::test
