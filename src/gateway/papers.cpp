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

// As it is written on parcels where this sheet is printed on.
void add_address(std::vector<std::string>& lines, const auto& at, Sheet sheet) {
  const auto region = at.region ? at.region->value : "";
  const auto code = at.postal_code.value;
  lines.push_back(at.street.value);
  if (sheet == Sheet::letter) {
    lines.push_back(at.city.value + (region.empty() ? "" : ", " + region) + ' ' + code);
  } else {
    lines.push_back(code + ' ' + at.city.value);
    if (!region.empty()) lines.push_back(region);
  }
  lines.push_back(at.country.value);
}

Party buyer_of(const orders::Address& to, Sheet sheet) {
  Party party{"Ship to", {to.name.value}};
  add_address(party.lines, to, sheet);
  return party;
}

// With what the shop has to say of itself, where it has set that.
Party seller_of(const Sold& sold, Sheet sheet) {
  Party party{"Sold by", {sold.seller.name}};
  if (!sold.disclosures || !sold.disclosures->address) {
    party.lines.push_back(sold.seller.country.value);
    if (!sold.disclosures) return party;
  }
  const auto& told = *sold.disclosures;
  if (told.legal_name.value != sold.seller.name)
    party.lines.insert(party.lines.begin() + 1, told.legal_name.value);
  if (told.address) add_address(party.lines, *told.address, sheet);
  if (told.email) party.lines.push_back(told.email->value);
  if (told.phone) party.lines.push_back(told.phone->value);
  if (told.registration_number)
    party.lines.push_back("Registered as " + told.registration_number->value);
  if (told.vat_id) party.lines.push_back("VAT number " + told.vat_id->value);
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
  const auto sent_at = sold.parcel ? sold.parcel->shipped_at : order.shipped_at;
  if (sent_at) paper.facts.push_back({"Sent on", day_of(sold, *sent_at)});
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

using Pieces = std::vector<std::int64_t>;

// What of each line is in it.
Pieces pieces_of(const orders::Shipment& parcel, const orders::Order& order) {
  Pieces pieces(order.lines.size(), 0);
  for (const auto& line : parcel.lines)
    pieces.at(static_cast<std::size_t>(line.line.value)) += line.quantity.value;
  return pieces;
}

std::int64_t pieces_of(const orders::Order& order) {
  std::int64_t pieces = 0;
  for (const auto& line : order.lines) pieces += line.quantity.value;
  return pieces;
}

// By when and by whom it is to be carried.
void add_way(Paper& paper, const Sold& sold) {
  const auto& order = sold.order;
  if (const auto& parcel = sold.parcel) {
    paper.facts.push_back({"Parcel", text_of(parcel->id)});
    paper.facts.push_back({"Carrier", parcel->carrier});
    if (parcel->tracking_number)
      paper.facts.push_back({"Tracking number", *parcel->tracking_number});
    return;
  }
  if (!order.shipped_at && !order.cancelled_at && !order.withdrawn_at)
    paper.facts.push_back({"Send by", day_of(sold, order.ship_by)});
  if (order.carrier) paper.facts.push_back({"Carrier", *order.carrier});
  if (order.tracking_number) paper.facts.push_back({"Tracking number", *order.tracking_number});
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
  paper.parties = {seller_of(sold, paper.sheet)};
  if (order.ship_to) paper.parties.push_back(buyer_of(*order.ship_to, paper.sheet));
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
  add_way(paper, sold);
  if (order.ship_to) paper.parties.push_back(buyer_of(*order.ship_to, paper.sheet));
  paper.parties.push_back(seller_of(sold, paper.sheet));
  const bool has_skus =
      std::ranges::any_of(order.lines, [](const auto& line) { return line.sku.has_value(); });
  paper.columns = {{"Item", Align::start, 8}, {"Quantity", Align::right, 2}};
  const auto in_parcel = sold.parcel ? pieces_of(*sold.parcel, order) : Pieces();
  const bool is_part = !sold.parcel && !sold.sent.empty();
  if (is_part) paper.columns.push_back({"Sent", Align::right, 2});
  if (has_skus) paper.columns.insert(paper.columns.begin() + 1, {"SKU", Align::start, 4});
  std::int64_t pieces = 0, sent = 0;
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const auto& line = order.lines.items[i];
    const auto quantity = sold.parcel ? in_parcel[i] : line.quantity.value;
    if (quantity == 0) continue;
    paper.rows.push_back({line.name.value, std::to_string(quantity)});
    auto& row = paper.rows.back();
    if (has_skus) row.insert(row.begin() + 1, line.sku ? line.sku->value : "");
    if (is_part) row.push_back(std::to_string(sold.sent.at(i)));
    pieces += quantity;
    sent += is_part ? sold.sent.at(i) : 0;
  }
  paper.sums = {{"Pieces", std::to_string(pieces), Weight::strong}};
  if (is_part) paper.sums.push_back({"Sent", std::to_string(sent), {}});
  if (is_part && order.shipped_at) paper.notes = {"The rest of this order is not sent."};
  if (sold.parcel && pieces < pieces_of(order))
    paper.notes = {"A part of the order: " + std::to_string(pieces) + " of " +
                   std::to_string(pieces_of(order)) + " pieces."};
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
