// Compiled once: what nearly every file includes, and the headers of ours that seldom change.
#include <boost/asio/awaitable.hpp>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/identity/identity.hpp"
#include "bottega/storage/database.hpp"
