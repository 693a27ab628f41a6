#pragma once
// Where an import of a feed goes from each state, written by hand.
#include <map>
#include <string>

#include "bottega/catalog/feeds.hpp"

namespace bottega::test {

inline std::map<std::string, std::map<std::string, std::string>> feed_moves() {
  return {{"uploaded", {{"check", "checking"}, {"fail", "failed"}, {"cancel", "cancelled"}}},
          {"checking",
           {{"check", "checking"},
            {"accept", "importing"},
            {"refuse", "refused"},
            {"fail", "failed"},
            {"cancel", "cancelled"}}},
          {"importing", {{"finish", "done"}, {"fail", "failed"}, {"cancel", "cancelled"}}}};
}

}  // namespace bottega::test
