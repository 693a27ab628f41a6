#include "gateway/guests.hpp"

#include <algorithm>

namespace bottega::gateway {
namespace {

constexpr ForGuests kForGuests[] = {
    {Verb::get, "/v1/accounts/me"},
    {Verb::post, "/v1/accounts/me/exports"},
    {Verb::get, "/v1/accounts/me/exports"},
    {Verb::post, "/v1/accounts/me/erasure"},
    {Verb::post, "/v1/guests/upgrade"},
    {Verb::get, "/v1/sessions"},
    {Verb::del, "/v1/sessions"},
    {Verb::del, "/v1/sessions/{id}"},
    {Verb::get, "/v1/events/stream"},
    // Talking with the shop.
    {Verb::post, "/v1/pay/{code}/conversations"},
    {Verb::get, "/v1/conversations"},
    {Verb::get, "/v1/conversations/{id}"},
    {Verb::post, "/v1/conversations/{id}/receipts"},
    {Verb::get, "/v1/conversations/{id}/receipts"},
    {Verb::post, "/v1/conversations/{id}/typing"},
    {Verb::get, "/v1/conversations/{id}/presence"},
    {Verb::get, "/v1/conversations/{id}/messages"},
    {Verb::post, "/v1/conversations/{id}/messages"},
    {Verb::patch, "/v1/conversations/{id}/messages/{seq}"},
    {Verb::del, "/v1/conversations/{id}/messages/{seq}"},
    {Verb::put, "/v1/conversations/{id}/messages/{seq}/reaction"},
    {Verb::del, "/v1/conversations/{id}/messages/{seq}/reaction"},
    {Verb::post, "/v1/conversations/{id}/attachments"},
    {Verb::get, "/v1/attachments/{id}"},
    {Verb::get, "/v1/conversations/{id}/protection"},
    {Verb::put, "/v1/conversations/{id}/block"},
    {Verb::del, "/v1/conversations/{id}/block"},
    {Verb::post, "/v1/conversations/{id}/reports"},
    // Looking and choosing.
    {Verb::get, "/v1/products"},
    {Verb::get, "/v1/products/{id}"},
    {Verb::get, "/v1/variants/{id}"},
    {Verb::get, "/v1/collections"},
    {Verb::get, "/v1/collections/{id}"},
    {Verb::get, "/v1/collections/{id}/products"},
    {Verb::get, "/v1/conversations/{id}/products"},
    {Verb::get, "/v1/conversations/{id}/cart"},
    {Verb::put, "/v1/conversations/{id}/cart"},
    {Verb::del, "/v1/conversations/{id}/cart"},
    // Buying.
    {Verb::post, "/v1/conversations/{id}/quotes"},
    {Verb::post, "/v1/conversations/{id}/checkouts"},
    {Verb::get, "/v1/payment_requests"},
    {Verb::get, "/v1/payment_requests/{id}"},
    {Verb::post, "/v1/payment_requests/{id}/accept"},
    {Verb::post, "/v1/payment_requests/{id}/decline"},
    {Verb::get, "/v1/payments/{id}"},
    {Verb::post, "/v1/payments/{id}/cancel"},
    {Verb::get, "/v1/payments/{id}/refunds"},
    {Verb::get, "/v1/refunds/{id}"},
    {Verb::get, "/v1/orders"},
    {Verb::get, "/v1/orders/{id}"},
    {Verb::patch, "/v1/orders/{id}"},
    {Verb::get, "/v1/orders/{id}/receipt"},
    {Verb::get, "/v1/orders/{id}/shipments"},
    {Verb::get, "/v1/shipments/{id}"},
    {Verb::get, "/v1/shipments/{id}/events"},
    // Afterwards.
    {Verb::post, "/v1/orders/{id}/withdraw"},
    {Verb::post, "/v1/orders/{id}/returns"},
    {Verb::get, "/v1/orders/{id}/returns"},
    {Verb::get, "/v1/returns"},
    {Verb::get, "/v1/returns/{id}"},
    {Verb::post, "/v1/returns/{id}/cancel"},
    {Verb::post, "/v1/support_cases"},
    {Verb::get, "/v1/support_cases"},
    {Verb::get, "/v1/support_cases/{id}"},
    {Verb::get, "/v1/support_cases/{id}/messages"},
    {Verb::post, "/v1/support_cases/{id}/reply"},
    {Verb::post, "/v1/support_cases/{id}/rate"},
    {Verb::post, "/v1/support_cases/{id}/solve"},
    {Verb::post, "/v1/support_cases/{id}/hand_over"},
};

}  // namespace

bool is_for_guests(const Route& route) {
  if (route.access == Access::anyone) return true;
  return std::ranges::any_of(kForGuests, [&](const ForGuests& row) {
    return row.verb == route.verb && row.path == route.path;
  });
}

std::span<const ForGuests> routes_for_guests() { return kForGuests; }

}  // namespace bottega::gateway
