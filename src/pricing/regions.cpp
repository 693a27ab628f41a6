// The regions of countries whose taxes are their regions': what people write is one of the codes of
// ISO 3166-2, or one of the usual names.
#include <algorithm>

#include "bottega/pricing/price.hpp"

namespace bottega::pricing {
namespace {

struct Region {
  std::string_view country, code, name;
};

constexpr Region kRegions[] = {
    {"US", "AL", "ALABAMA"},
    {"US", "AK", "ALASKA"},
    {"US", "AZ", "ARIZONA"},
    {"US", "AR", "ARKANSAS"},
    {"US", "CA", "CALIFORNIA"},
    {"US", "CO", "COLORADO"},
    {"US", "CT", "CONNECTICUT"},
    {"US", "DE", "DELAWARE"},
    {"US", "DC", "DISTRICT OF COLUMBIA"},
    {"US", "DC", "WASHINGTON DC"},
    {"US", "FL", "FLORIDA"},
    {"US", "GA", "GEORGIA"},
    {"US", "HI", "HAWAII"},
    {"US", "ID", "IDAHO"},
    {"US", "IL", "ILLINOIS"},
    {"US", "IN", "INDIANA"},
    {"US", "IA", "IOWA"},
    {"US", "KS", "KANSAS"},
    {"US", "KY", "KENTUCKY"},
    {"US", "LA", "LOUISIANA"},
    {"US", "ME", "MAINE"},
    {"US", "MD", "MARYLAND"},
    {"US", "MA", "MASSACHUSETTS"},
    {"US", "MI", "MICHIGAN"},
    {"US", "MN", "MINNESOTA"},
    {"US", "MS", "MISSISSIPPI"},
    {"US", "MO", "MISSOURI"},
    {"US", "MT", "MONTANA"},
    {"US", "NE", "NEBRASKA"},
    {"US", "NV", "NEVADA"},
    {"US", "NH", "NEW HAMPSHIRE"},
    {"US", "NJ", "NEW JERSEY"},
    {"US", "NM", "NEW MEXICO"},
    {"US", "NY", "NEW YORK"},
    {"US", "NC", "NORTH CAROLINA"},
    {"US", "ND", "NORTH DAKOTA"},
    {"US", "OH", "OHIO"},
    {"US", "OK", "OKLAHOMA"},
    {"US", "OR", "OREGON"},
    {"US", "PA", "PENNSYLVANIA"},
    {"US", "RI", "RHODE ISLAND"},
    {"US", "SC", "SOUTH CAROLINA"},
    {"US", "SD", "SOUTH DAKOTA"},
    {"US", "TN", "TENNESSEE"},
    {"US", "TX", "TEXAS"},
    {"US", "UT", "UTAH"},
    {"US", "VT", "VERMONT"},
    {"US", "VA", "VIRGINIA"},
    {"US", "WA", "WASHINGTON"},
    {"US", "WV", "WEST VIRGINIA"},
    {"US", "WI", "WISCONSIN"},
    {"US", "WY", "WYOMING"},
    {"US", "AS", "AMERICAN SAMOA"},
    {"US", "GU", "GUAM"},
    {"US", "MP", "NORTHERN MARIANA ISLANDS"},
    {"US", "PR", "PUERTO RICO"},
    {"US", "UM", "UNITED STATES MINOR OUTLYING ISLANDS"},
    {"US", "VI", "VIRGIN ISLANDS"},
    {"US", "VI", "US VIRGIN ISLANDS"},
    // The mail of the armed forces (USPS, Publication 28).
    {"US", "AA", "ARMED FORCES AMERICAS"},
    {"US", "AE", "ARMED FORCES EUROPE"},
    {"US", "AP", "ARMED FORCES PACIFIC"},
    {"CA", "AB", "ALBERTA"},
    {"CA", "BC", "BRITISH COLUMBIA"},
    {"CA", "MB", "MANITOBA"},
    {"CA", "NB", "NEW BRUNSWICK"},
    {"CA", "NL", "NEWFOUNDLAND AND LABRADOR"},
    {"CA", "NL", "NEWFOUNDLAND"},
    {"CA", "NS", "NOVA SCOTIA"},
    {"CA", "NT", "NORTHWEST TERRITORIES"},
    {"CA", "NU", "NUNAVUT"},
    {"CA", "ON", "ONTARIO"},
    {"CA", "PE", "PRINCE EDWARD ISLAND"},
    {"CA", "QC", "QUEBEC"},
    {"CA", "QC", "QUÉBEC"},
    {"CA", "QC", "QUéBEC"},
    {"CA", "SK", "SASKATCHEWAN"},
    {"CA", "YT", "YUKON"},
};

bool is_of(const Region& region, const Country& country) { return region.country == country.value; }

// "Washington, D.C." as "WASHINGTON DC", and one space between words.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '.' || c == ',') continue;
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string fold_region(std::string_view region, const Country& country) {
  auto folded = plain(region);
  const auto prefix = country.value + '-';
  if (folded.size() > prefix.size() && folded.starts_with(prefix)) folded.erase(0, prefix.size());
  for (const auto& known : kRegions)
    if (is_of(known, country) && known.name == folded) return std::string(known.code);
  return folded;
}

bool is_in_union(const Country& country) {
  constexpr std::string_view kMembers =
      "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
  return kMembers.find(country.value) != std::string_view::npos;
}

bool is_region(std::string_view region, const Country& country) {
  const auto folded = fold_region(region, country);
  const auto is_here = [&](const Region& known) { return is_of(known, country); };
  return std::ranges::none_of(kRegions, is_here) ||
         std::ranges::any_of(
             kRegions, [&](const Region& known) { return is_here(known) && known.code == folded; });
}

}  // namespace bottega::pricing
