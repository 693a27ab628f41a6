#pragma once
// The papers of an order: what the buyer has paid, and what goes into the parcel.
#include "bottega/documents/paper.hpp"
#include "bottega/gateway/route.hpp"
#include "bottega/orders/orders.hpp"
#include "bottega/orders/shipments.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::gateway {

enum class PaperFormat : std::uint8_t { html, pdf };
BOOST_DESCRIBE_ENUM(PaperFormat, html, pdf)

// A sale as its papers tell it.
struct Sold {
  orders::Order order;
  identity::Merchant seller;
  std::string buyer;
  std::vector<payments::Refund> refunds;
  std::vector<std::int64_t> sent = {};  // pieces of each line, where only a part was sent
  std::optional<pricing::Disclosures> disclosures = {};
  std::optional<orders::Shipment> parcel = {};  // the slip is for it alone
};

// With the prices, and what has gone back so far.
documents::Paper receipt_of(const Sold& sold);
// Without: where it goes, and how many of what are in all of it, or in its parcel.
documents::Paper packing_slip_of(const Sold& sold);

// The paper as a page, or as a file of this name; a PDF is set on the workers' threads.
asio::awaitable<Reply> print(App& app, const documents::Paper& paper, PaperFormat format,
                             const std::string& name);

}  // namespace bottega::gateway
