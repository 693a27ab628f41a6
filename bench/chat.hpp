#pragma once
// scripts/bench chat: messages between people over sockets, beside what the parts they are made of
// cost by themselves, in one run on one database.
#include <string>

namespace bottega::bench {

struct ChatPlan {
  std::string binary, scripts;
  int pairs = 64, window = 8;
  double seconds = 10;
  bool json = false;
};

void measure_chat(const ChatPlan& plan);

}  // namespace bottega::bench
