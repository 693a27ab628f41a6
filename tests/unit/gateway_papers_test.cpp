// What is on the papers of an order, and what is not.
#include "gateway/papers.hpp"

#include <gtest/gtest.h>

namespace bottega::test {
namespace gateway_papers_test {

using namespace gateway;
using documents::Paper, documents::Sheet;
using payments::RefundState;

Sold a_sale() {
  Sold sold;
  sold.seller.name = "Ada's Lamps";
  sold.seller.country = from_text<Country>("US");
  sold.buyer = "Bea Buyer";
  auto& order = sold.order;
  order.number = "7K3Q-9XZ4";
  order.title = "Lamps";
  order.total = {4'250, parse_currency("USD")};
  order.lines = from_json<orders::Lines>(
      Json::array({{{"name", "Lamp"}, {"quantity", 3}, {"unit_amount", 1'250}},
                   {{"name", "Bulb"}, {"quantity", 10}, {"unit_amount", 50}}}));
  order.ship_to = from_json<orders::Address>({{"name", "Bea B."},
                                              {"street", "1 Main St"},
                                              {"city", "Springfield"},
                                              {"region", "IL"},
                                              {"postal_code", "62701"},
                                              {"country", "US"}});
  // In New York it is still the day before.
  order.created_at = parse_instant("2026-03-02T03:00:00Z").value();
  order.ship_by = parse_instant("2026-03-05T03:00:00Z").value();
  return sold;
}

void add_refund(Sold& sold, std::int64_t amount, RefundState state) {
  payments::Refund refund;
  refund.amount = {amount, sold.order.total.currency};
  refund.state = state;
  refund.updated_at = parse_instant("2026-03-09T12:00:00Z").value();
  sold.refunds.push_back(refund);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
Pairs sums_of(const Paper& paper) {
  Pairs out;
  for (const auto& sum : paper.sums) out.emplace_back(sum.name, sum.value);
  return out;
}
std::string fact_of(const Paper& paper, const std::string& name) {
  for (const auto& fact : paper.facts)
    if (fact.name == name) return fact.value;
  return "(none)";
}
using Rows = std::vector<std::vector<std::string>>;

TEST(Receipt, SaysWhatWasBoughtAndPaid) {
  const auto paper = receipt_of(a_sale());
  EXPECT_EQ(paper.title, "Receipt");
  EXPECT_EQ(paper.rows, (Rows{{"Lamp", "3", "12.50", "37.50"}, {"Bulb", "10", "0.50", "5.00"}}));
  EXPECT_EQ(paper.columns.back().title, "Amount (USD)");
  EXPECT_EQ(sums_of(paper), (Pairs{{"Total", "42.50 USD"}}));
  EXPECT_EQ(fact_of(paper, "Order"), "7K3Q-9XZ4");
  EXPECT_EQ(fact_of(paper, "Paid by"), "Bea Buyer");
  EXPECT_EQ(fact_of(paper, "Ordered on"), "2026-03-01") << "by the clocks of the seller's country";
  EXPECT_EQ(paper.parties.front().lines.front(), "Ada's Lamps");
  EXPECT_EQ(paper.sheet, Sheet::letter);
}

TEST(Receipt, SaysWhatHasGoneBackSoFar) {
  auto sold = a_sale();
  add_refund(sold, 100, RefundState::succeeded);
  add_refund(sold, 7, RefundState::failed);
  add_refund(sold, 9, RefundState::pending);
  add_refund(sold, 11, RefundState::unknown);
  add_refund(sold, 150, RefundState::succeeded);
  EXPECT_EQ(sums_of(receipt_of(sold)), (Pairs{{"Total", "42.50 USD"},
                                              {"Refunded on 2026-03-09", "-1.00 USD"},
                                              {"Refunded on 2026-03-09", "-1.50 USD"},
                                              {"Paid after refunds", "40.00 USD"}}));
}

TEST(Receipt, NamesTheSellerAsTheShopHasSetIt) {
  auto sold = a_sale();
  sold.disclosures = from_json<pricing::Disclosures>({{"legal_name", "Ada's Lamps GmbH"},
                                                      {"address",
                                                       {{"street", "Lange Gasse 3"},
                                                        {"city", "Berlin"},
                                                        {"postal_code", "10115"},
                                                        {"country", "DE"}}},
                                                      {"email", "ada@lamps.example"},
                                                      {"phone", "+4930123456"},
                                                      {"registration_number", "HRB 1"},
                                                      {"vat_id", "DE123456789"}});
  using Lines = std::vector<std::string>;
  EXPECT_EQ(
      receipt_of(sold).parties.front().lines,
      (Lines{"Ada's Lamps", "Ada's Lamps GmbH", "Lange Gasse 3", "Berlin 10115", "DE",
             "ada@lamps.example", "+4930123456", "Registered as HRB 1", "VAT number DE123456789"}));
  sold.disclosures = from_json<pricing::Disclosures>({{"legal_name", "Ada's Lamps"}});
  EXPECT_EQ(receipt_of(sold).parties.front().lines, (Lines{"Ada's Lamps", "US"}));
}

TEST(Receipt, HasTheDecimalsOfItsCurrency) {
  auto sold = a_sale();
  sold.order.total.currency = parse_currency("JPY");
  EXPECT_EQ(receipt_of(sold).rows[0], (Rows::value_type{"Lamp", "3", "1250", "3750"}));
  sold.order.total.currency = parse_currency("KWD");
  EXPECT_EQ(receipt_of(sold).rows[0], (Rows::value_type{"Lamp", "3", "1.250", "3.750"}));
  EXPECT_EQ(sums_of(receipt_of(sold)), (Pairs{{"Total", "4.250 KWD"}}));
}

TEST(PackingSlip, SaysWhereWhatGoesAndNoPrice) {
  const auto paper = packing_slip_of(a_sale());
  EXPECT_EQ(paper.rows, (Rows{{"Lamp", "3"}, {"Bulb", "10"}}));
  EXPECT_EQ(sums_of(paper), (Pairs{{"Pieces", "13"}}));
  EXPECT_EQ(paper.parties.front().lines,
            (std::vector<std::string>{"Bea B.", "1 Main St", "Springfield, IL 62701", "US"}));
  EXPECT_EQ(fact_of(paper, "Send by"), "2026-03-04");
  EXPECT_TRUE(paper.notes.empty());
  const auto page = documents::html_of(paper);
  for (const auto* part : {"12.50", "37.50", "42.50", "USD", "Bea Buyer"})
    EXPECT_EQ(page.find(part), page.npos) << part;
}

TEST(PackingSlip, HasTheAddressAsItIsWrittenElsewhere) {
  auto sold = a_sale();
  sold.seller.country = from_text<Country>("DE");
  EXPECT_EQ(packing_slip_of(sold).parties.front().lines,
            (std::vector<std::string>{"Bea B.", "1 Main St", "62701 Springfield", "IL", "US"}));
  sold.order.ship_to->region.reset();
  EXPECT_EQ(packing_slip_of(sold).parties.front().lines,
            (std::vector<std::string>{"Bea B.", "1 Main St", "62701 Springfield", "US"}));
  sold.order.ship_to.reset();
  EXPECT_EQ(packing_slip_of(sold).parties.front().title, "Sold by");
}

TEST(PackingSlip, HasTheSkusWhereThereAreSome) {
  auto sold = a_sale();
  sold.order.lines.items[1].sku = Line<1, 50>{"BULB-9"};
  const auto paper = packing_slip_of(sold);
  EXPECT_EQ(paper.columns.at(1).title, "SKU");
  EXPECT_EQ(paper.rows, (Rows{{"Lamp", "", "3"}, {"Bulb", "BULB-9", "10"}}));
}

TEST(PackingSlip, SaysHowManyWereSentWhereNotAllWere) {
  auto sold = a_sale();
  sold.sent = {1, 10};
  auto paper = packing_slip_of(sold);
  EXPECT_EQ(paper.columns.back().title, "Sent");
  EXPECT_EQ(paper.rows, (Rows{{"Lamp", "3", "1"}, {"Bulb", "10", "10"}}));
  EXPECT_EQ(sums_of(paper), (Pairs{{"Pieces", "13"}, {"Sent", "11"}}));
  EXPECT_TRUE(paper.notes.empty());
  sold.order.shipped_at = sold.order.created_at;
  EXPECT_EQ(packing_slip_of(sold).notes.size(), 1u) << "the rest was closed";
}

TEST(PackingSlip, OfAParcelHasWhatIsInIt) {
  auto sold = a_sale();
  sold.sent = {3, 4};
  auto& parcel = sold.parcel.emplace();
  parcel.carrier = "ups";
  parcel.tracking_number = "1Z999AA10123456784";
  parcel.shipped_at = sold.order.created_at;
  parcel.lines = from_json<orders::SentLines>(Json::array({{{"line", 1}, {"quantity", 4}}}));
  auto paper = packing_slip_of(sold);
  EXPECT_EQ(paper.columns.size(), 2u);
  EXPECT_EQ(paper.rows, (Rows{{"Bulb", "4"}}));
  EXPECT_EQ(sums_of(paper), (Pairs{{"Pieces", "4"}}));
  EXPECT_EQ(paper.notes, std::vector<std::string>{"A part of the order: 4 of 13 pieces."});
  EXPECT_EQ(fact_of(paper, "Tracking number"), "1Z999AA10123456784");
  EXPECT_EQ(fact_of(paper, "Send by"), "(none)");
  parcel.lines = from_json<orders::SentLines>(
      Json::array({{{"line", 0}, {"quantity", 3}}, {{"line", 1}, {"quantity", 10}}}));
  EXPECT_TRUE(packing_slip_of(sold).notes.empty()) << "all of it is in there";
}

TEST(PackingSlip, OfAWithdrawnOrderSaysSo) {
  auto sold = a_sale();
  sold.order.withdrawn_at = sold.order.created_at;
  const auto paper = packing_slip_of(sold);
  EXPECT_EQ(paper.notes.size(), 1u);
  EXPECT_EQ(fact_of(paper, "Withdrawn on"), "2026-03-01");
  EXPECT_EQ(fact_of(paper, "Send by"), "(none)");
}

TEST(PackingSlip, OfACancelledOrderSaysSo) {
  auto sold = a_sale();
  sold.order.state = orders::State::cancelled;
  sold.order.cancelled_at = sold.order.created_at;
  const auto paper = packing_slip_of(sold);
  EXPECT_EQ(paper.notes.size(), 1u);
  EXPECT_EQ(fact_of(paper, "Cancelled on"), "2026-03-01");
  EXPECT_EQ(fact_of(paper, "Send by"), "(none)");
}

}  // namespace gateway_papers_test
}  // namespace bottega::test
