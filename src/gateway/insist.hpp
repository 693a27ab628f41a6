#pragma once
// Work that is tried again for a few seconds where the database has no time for it.
#include <boost/asio/awaitable.hpp>
#include <functional>

namespace bottega::gateway {

using Work = std::function<boost::asio::awaitable<void>()>;

// Does the work until it does not throw, at most five times, further apart each time; false where
// it was given up, or no longer wanted.
boost::asio::awaitable<bool> insist(Work work, std::function<bool()> given_up);

}  // namespace bottega::gateway
