#pragma once
// The moves of a support case, written by hand: state, event, state.
#include <map>
#include <string>

namespace bottega::test {

inline std::map<std::string, std::map<std::string, std::string>> case_moves() {
  std::map<std::string, std::string> open = {{"ask", "open"},
                                             {"answer", "pending"},
                                             {"hand_over", "open"},
                                             {"arrange", "open"},
                                             {"solve", "solved"}};
  auto pending = open;
  pending["arrange"] = "pending";
  return {
      {"open", open},
      {"pending", pending},
      {"solved", {{"ask", "open"}, {"arrange", "solved"}, {"rate", "solved"}, {"close", "closed"}}},
      {"closed", {{"rate", "closed"}}}};
}

}  // namespace bottega::test
