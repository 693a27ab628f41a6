#pragma once
// What the measurements of the shop share: waiting, what a number of times comes to, and where
// progress is told.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "bottega/core/json.hpp"

namespace bottega::bench {

using std::chrono::steady_clock;

class Alarm {
 public:
  void wait_until(steady_clock::time_point at) {
    timer_.expires_at(at);
    timer_.wait();
  }
  void wait_for(steady_clock::duration time) { wait_until(steady_clock::now() + time); }

 private:
  boost::asio::io_context io_;
  boost::asio::steady_timer timer_{io_};
};

inline steady_clock::duration seconds_of(double seconds) {
  return std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
}
inline double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}
inline double ms_between(steady_clock::time_point begin, steady_clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

using Times = std::vector<double>;  // in milliseconds
// {"count", "p50_ms", "p90_ms", "p99_ms", "max_ms"}; only the count where there is none.
Json summary_of(Times times);
double median_of(Times times);

// A line on standard error.
void say(const std::string& words);

}  // namespace bottega::bench
