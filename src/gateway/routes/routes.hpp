#pragma once
// The tables of routes, one per domain, and all of them together.
#include "gateway/app.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

std::span<const Route> account_routes();
std::span<const Route> merchant_routes();
std::span<const Route> member_routes();
std::span<const Route> conversation_routes();
std::span<const Route> message_routes();
std::span<const Route> search_routes();
std::span<const Route> inbox_routes();
std::span<const Route> safety_routes();
std::span<const Route> inbox_tool_routes();
std::span<const Route> notification_routes();
std::span<const Route> attachment_routes();
std::span<const Route> privacy_routes();
std::span<const Route> product_routes();
std::span<const Route> stock_routes();
std::span<const Route> feed_routes();
std::span<const Route> collection_routes();
std::span<const Route> shopping_routes();
std::span<const Route> checkout_routes();
std::span<const Route> payment_routes();
std::span<const Route> payment_link_routes();
std::span<const Route> guest_routes();
std::span<const Route> order_routes();
std::span<const Route> paper_routes();
std::span<const Route> report_routes();
std::span<const Route> shipment_routes();
std::span<const Route> return_routes();
std::span<const Route> payout_routes();
std::span<const Route> dispute_routes();
std::span<const Route> wallet_routes();
std::span<const Route> transfer_routes();
std::span<const Route> processor_routes();
std::span<const Route> admin_routes();
std::span<const Route> staff_money_routes();
std::span<const Route> book_routes();
std::span<const Route> fee_routes();
std::span<const Route> settlement_routes();
std::span<const Route> risk_routes();
std::span<const Route> shipping_routes();
std::span<const Route> tax_routes();
std::span<const Route> discount_routes();
std::span<const Route> checkout_setting_routes();
std::span<const Route> support_routes();
std::span<const Route> staff_support_routes();
std::span<const Route> system_routes();

// Everything that the gateway serves.
std::span<const Route> all_routes();
// What the sandbox processor serves on a listener of its own.
std::span<const Route> sandbox_routes();

// An item's id as the position of a page.
template <class T>
std::string id_of(const T& item) {
  return text_of(item.id);
}

// The schema of an answer that is a text.
inline Json any_text(Components&) { return {{"type", "string"}}; }

// The schema of an entry of the log: every event has the same envelope.
Json event_schema(Components& components);
// A page of the log.
Json event_page_schema(Components& components);

// The position in ?cursor= as an id.
template <class IdType>
std::optional<IdType> cursor_id(const Call& call) {
  const auto position = call.cursor();
  if (!position) return std::nullopt;
  return from_text<IdType>(*position, Code::bad_cursor);
}

}  // namespace bottega::gateway
