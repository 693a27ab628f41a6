#include "gateway/papers.hpp"

#include "gateway/app.hpp"
#include "bottega/core/calendar.hpp"

namespace bottega::gateway {
namespace {

using documents::Align, documents::Paper, documents::Party, documents::Sheet, documents::Weight;
using payments::RefundState;

// The day on which it was by the clocks of the seller's country.
std::string day_of(const Sold& sold, Instant at) {
  return to_text(Calendars::built_in().of(sold.seller.country.value).date_at(at));
}

Party seller_of(const Sold& sold) {
  return {"Sold by", {sold.seller.name, sold.seller.country.value}};
}

// As it is written on parcels where this sheet is printed on.
Party address_of(const orders::Address& to, Sheet sheet) {
  const auto region = to.region ? to.region->value : "";
  const auto code = to.postal_code.value;
  Party party{"Ship to", {to.name.value, to.street.value}};
  if (sheet == Sheet::letter) {
    party.lines.push_back(to.city.value + (region.empty() ? "" : ", " + region) + ' ' + code);
  } else {
    party.lines.push_back(code + ' ' + to.city.value);
    if (!region.empty()) party.lines.push_back(region);
  }
  party.lines.push_back(to.country.value);
  return party;
}

// What every paper of an order has.
Paper paper_of(const Sold& sold, const std::string& title) {
  const auto& order = sold.order;
  const auto number = order.number;
  Paper paper;
  paper.title = title;
  paper.sheet = documents::sheet_of(sold.seller.country.value);
  paper.made_at = order.created_at;
  paper.facts = {{"Order", number}, {"Ordered on", day_of(sold, order.created_at)}};
  if (order.cancelled_at)
    paper.facts.push_back({"Cancelled on", day_of(sold, *order.cancelled_at)});
  if (order.withdrawn_at)
    paper.facts.push_back({"Withdrawn on", day_of(sold, *order.withdrawn_at)});
  if (order.shipped_at) paper.facts.push_back({"Sent on", day_of(sold, *order.shipped_at)});
  paper.footer = sold.seller.name + ", order " + number;
  return paper;
}

// How the total came about, where it is not that of the lines alone.
std::vector<documents::Sum> parts_of(const orders::Order& order) {
  std::vector<documents::Sum> sums;
  if (!order.breakdown) return sums;
  const auto& parts = *order.breakdown;
  const auto add = [&](const std::string& name, std::int64_t amount) {
    if (amount != 0) sums.push_back({name, display({amount, order.total.currency}), {}});
  };
  const auto by = [](const char* words, const std::optional<std::string>& name) {
    return name ? words + std::string(", ") + *name : std::string(words);
  };
  add("Items", parts.items);
  add(by("Discount", parts.discount_code), -parts.discount);
  add(by("Shipping", parts.shipping_name), parts.shipping);
  if (!parts.tax_included)
    for (const auto& tax : parts.taxes) add(tax.name, tax.amount);
  add("Tip", parts.tip);
  return sums;
}

// The taxes that a total contains.
std::vector<std::string> included_in(const orders::Order& order) {
  std::vector<std::string> notes;
  if (!order.breakdown || !order.breakdown->tax_included) return notes;
  for (const auto& tax : order.breakdown->taxes)
    notes.push_back("Contains " + tax.name + " of " + display({tax.amount, order.total.currency}) +
                    ".");
  return notes;
}

std::vector<documents::Sum> sums_of(const Sold& sold) {
  auto left = sold.order.total;
  auto sums = parts_of(sold.order);
  const auto parts = sums.size();
  sums.push_back({"Total", display(left), Weight::strong});
  for (const auto& refund : sold.refunds) {
    if (refund.state != RefundState::succeeded) continue;
    left = left - refund.amount;
    sums.push_back({"Refunded on " + day_of(sold, refund.updated_at),
                    display(Money{0, left.currency} - refund.amount),
                    {}});
  }
  if (sums.size() > parts + 1)
    sums.push_back({"Paid after refunds", display(left), Weight::strong});
  return sums;
}

Reply file_of(std::string bytes, const std::string& name) {
  Reply reply;
  reply.text = std::move(bytes);
  reply.media_type = "application/pdf";
  reply.headers = {{"Content-Disposition", "inline; filename=\"" + name + ".pdf\""}};
  return reply;
}

}  // namespace

Paper receipt_of(const Sold& sold) {
  const auto& order = sold.order;
  const std::string currency(order.total.currency.code());
  auto paper = paper_of(sold, "Receipt");
  paper.facts.push_back({"For", order.title});
  paper.facts.push_back({"Paid by", sold.buyer});
  paper.facts.push_back({"Payment", text_of(order.payment_id)});
  paper.parties = {seller_of(sold)};
  if (order.ship_to) paper.parties.push_back(address_of(*order.ship_to, paper.sheet));
  paper.columns = {{"Item", Align::start, 6},
                   {"Quantity", Align::right, 2},
                   {"Price", Align::right, 2},
                   {"Amount (" + currency + ")", Align::right, 3}};
  for (const auto& line : order.lines) {
    const Money price{line.unit_amount, order.total.currency};
    paper.rows.push_back({line.name.value, std::to_string(line.quantity.value), decimal(price),
                          decimal(price * line.quantity.value)});
  }
  paper.sums = sums_of(sold);
  paper.notes = included_in(order);
  return paper;
}

Paper packing_slip_of(const Sold& sold) {
  const auto& order = sold.order;
  auto paper = paper_of(sold, "Packing slip");
  if (!order.shipped_at && !order.cancelled_at && !order.withdrawn_at)
    paper.facts.push_back({"Send by", day_of(sold, order.ship_by)});
  if (order.carrier) paper.facts.push_back({"Carrier", *order.carrier});
  if (order.tracking_number) paper.facts.push_back({"Tracking number", *order.tracking_number});
  if (order.ship_to) paper.parties.push_back(address_of(*order.ship_to, paper.sheet));
  paper.parties.push_back(seller_of(sold));
  const bool has_skus =
      std::ranges::any_of(order.lines, [](const auto& line) { return line.sku.has_value(); });
  paper.columns = {{"Item", Align::start, 8}, {"Quantity", Align::right, 2}};
  const bool is_part = !sold.sent.empty();
  if (is_part) paper.columns.push_back({"Sent", Align::right, 2});
  if (has_skus) paper.columns.insert(paper.columns.begin() + 1, {"SKU", Align::start, 4});
  std::int64_t pieces = 0, sent = 0;
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const auto& line = order.lines.items[i];
    paper.rows.push_back({line.name.value, std::to_string(line.quantity.value)});
    auto& row = paper.rows.back();
    if (has_skus) row.insert(row.begin() + 1, line.sku ? line.sku->value : "");
    if (is_part) row.push_back(std::to_string(sold.sent.at(i)));
    pieces += line.quantity.value;
    sent += is_part ? sold.sent.at(i) : 0;
  }
  paper.sums = {{"Pieces", std::to_string(pieces), Weight::strong}};
  if (is_part) paper.sums.push_back({"Sent", std::to_string(sent), {}});
  if (is_part && order.shipped_at) paper.notes = {"The rest of this order is not sent."};
  if (order.withdrawn_at)
    paper.notes = {"The buyer withdrew from the contract: nothing is to be sent any more."};
  if (order.cancelled_at) paper.notes = {"This order was cancelled: nothing is to be sent."};
  return paper;
}

asio::awaitable<Reply> print(App& app, const Paper& paper, PaperFormat format,
                             const std::string& name) {
  if (format == PaperFormat::html) co_return html(documents::html_of(paper));
  if (app.papers == nullptr) throw Error(Code::not_implemented, "no papers are printed here");
  auto work = [&] { return documents::pdf_of(paper); };
  auto bytes = co_await app.papers->run(work);
  co_return file_of(std::move(bytes), name);
}

}  // namespace bottega::gateway
