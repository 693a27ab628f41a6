#pragma once
// The rows of the table of routes as parameters of tests.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "gateway/routes/routes.hpp"

namespace bottega::gateway {
inline void PrintTo(const Route& route, std::ostream* out) { *out << route.name; }
}  // namespace bottega::gateway

namespace bottega::test {

inline std::string route_name(const testing::TestParamInfo<gateway::Route>& row) {
  return std::string(row.param.name);
}

inline std::vector<gateway::Route> routes_where(bool (*chosen)(const gateway::Route&)) {
  std::vector<gateway::Route> rows;
  for (const auto& route : gateway::all_routes())
    if (chosen(route)) rows.push_back(route);
  return rows;
}

inline std::string method_of(const gateway::Route& route) {
  switch (route.verb) {
    case gateway::Verb::get:
      return "GET";
    case gateway::Verb::post:
      return "POST";
    case gateway::Verb::put:
      return "PUT";
    case gateway::Verb::patch:
      return "PATCH";
    case gateway::Verb::del:
      return "DELETE";
  }
  return "";
}

// The path with ids from `id_of`, which gets the collection's name, such as "orders".
template <class IdOf>
std::string path_with(const gateway::Route& route, IdOf id_of) {
  std::string path, last;
  std::istringstream parts{std::string(route.path).substr(1)};
  for (std::string part; std::getline(parts, part, '/'); last = part)
    path += '/' + (part.starts_with('{') ? id_of(last) : part);
  return path;
}

// The path with ids that are well formed and belong to nothing.
inline std::string somewhere(const gateway::Route& route) {
  static const std::map<std::string, std::string> prefixes = {{"merchants", "mer"},
                                                              {"conversations", "conv"},
                                                              {"payment_requests", "preq"},
                                                              {"payment_links", "link"},
                                                              {"pay", "pay"},
                                                              {"orders", "ord"},
                                                              {"payments", "pay"},
                                                              {"refunds", "rfnd"},
                                                              {"disputes", "dsp"},
                                                              {"top_up_disputes", "dsp"},
                                                              {"payouts", "pout"},
                                                              {"payout_batches", "batch"},
                                                              {"sessions", "sess"},
                                                              {"members", "usr"},
                                                              {"api_keys", "key"},
                                                              {"accounts", "usr"},
                                                              {"invitations", "inv"},
                                                              {"notes", "note"},
                                                              {"canned_replies", "canned"},
                                                              {"subscriptions", "push"},
                                                              {"attachments", "att"},
                                                              {"attempts", "att"},
                                                              {"reports", "rep"},
                                                              {"reviews", "rev"},
                                                              {"exports", "exp"},
                                                              {"feed_imports", "fimp"},
                                                              {"settlements", "stl"},
                                                              {"settlement_differences", "sdif"},
                                                              {"payment_methods", "pm"},
                                                              {"top_ups", "topup"},
                                                              {"withdrawals", "wdrl"},
                                                              {"transfers", "xfer"},
                                                              {"shipping_zones", "zone"},
                                                              {"rates", "rate"},
                                                              {"tax_rates", "tax"},
                                                              {"discount_codes", "disc"},
                                                              {"canned_answers", "canned"},
                                                              {"support_cases", "case"},
                                                              {"shipments", "shp"},
                                                              {"webhook", "mer"},
                                                              {"products", "prod"},
                                                              {"product_pictures", "att"},
                                                              {"variants", "var"},
                                                              {"collections", "coll"},
                                                              {"returns", "ret"}};
  return path_with(route, [&](const std::string& collection) {
    if (collection == "messages") return std::string("1");
    return prefixes.at(collection) + "_01h2xcejqtf2nbrexx3vqjhp41";
  });
}

}  // namespace bottega::test
